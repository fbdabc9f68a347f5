//! What a frame is, asked of the parsers of every layer.

use super::datagram::{self, Dns};
use super::http::Beginning;
use super::stream::Segment;
use super::tls;
use crate::fault::spec::{Frames, Kind, Part, Side, Thing, Which};
use glasstack_dns::DnsName;
use glasstack_sim::FrameView;
use glasstack_sim::attack::forge::Layout;
use std::ops::Range;

/// ICMP types and codes (RFC 792).
const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const ECHO_REQUEST: u8 = 8;
const TIME_EXCEEDED: u8 = 11;
const PARAMETER_PROBLEM: u8 = 12;
/// Of an Ethernet frame, in bytes.
const ETHERNET_HEADER: usize = 14;

/// Whether a frame is what `frames` names, its number within its connection included. `segment` is what
/// it is in its TCP connection.
pub(super) fn is(frames: &Frames, frame: &FrameView<'_>, segment: Option<&Segment>) -> bool {
    match &frames.thing {
        Thing::Plain(Kind::Segment) => {
            let number = segment.and_then(|segment| segment.number);
            number.is_some_and(|number| !matches!(frames.which, Which::Nth(n) if n != number))
        }
        Thing::Plain(kind) => is_kind(*kind, frame, segment) || records(frames, segment).next().is_some(),
        Thing::Dns { side, record_type, name } => Dns::of(frame).is_some_and(|dns| {
            side.is_none_or(|side| (side == Side::Answer) == dns.is_response)
                && (record_type.is_none() && name.is_none()
                    || dns.question.is_some_and(|asked| {
                        record_type.is_none_or(|wanted| wanted == asked.record_type)
                            && name.as_ref().is_none_or(|wanted| *wanted == asked.name)
                    }))
        }),
        Thing::ClientHello { .. } => records(frames, segment).next().is_some(),
        Thing::HttpRequest { method, target } => match segment.and_then(|segment| segment.http.as_ref()) {
            Some(Beginning::Request { method: said, target: to }) => {
                method.as_ref().is_none_or(|method| method == said)
                    && target.as_ref().is_none_or(|target| target == to)
            }
            _ => false,
        },
        Thing::HttpResponse { status } => match segment.and_then(|segment| segment.http.as_ref()) {
            Some(Beginning::Response { status: said }) => status.is_none_or(|status| status == *said),
            _ => false,
        },
    }
}

/// Whether the number of `frames` is one within a connection, which [`is`] has looked at already.
pub(super) fn is_numbered_within(frames: &Frames) -> bool {
    matches!(frames.thing, Thing::Plain(Kind::Segment | Kind::TlsRecord))
}

/// Whether only the frames before it tell what a frame is.
pub(super) fn minds_streams(thing: &Thing) -> bool {
    match thing {
        Thing::ClientHello { .. } | Thing::HttpRequest { .. } | Thing::HttpResponse { .. } => true,
        Thing::Dns { .. } => false,
        Thing::Plain(kind) => matches!(
            kind,
            Kind::LastAck
                | Kind::Segment
                | Kind::Retransmission
                | Kind::TlsRecord
                | Kind::ServerHello
                | Kind::TlsCertificate
                | Kind::TlsAlert
                | Kind::ChangeCipherSpec
                | Kind::EncryptedRecord
                | Kind::Http
        ),
    }
}

fn is_kind(kind: Kind, frame: &FrameView<'_>, segment: Option<&Segment>) -> bool {
    let icmp = |wanted: &[u8]| frame.icmp_type().is_some_and(|(it, _)| wanted.contains(&it));
    let dhcp = |wanted: u8| datagram::dhcp(frame) == Some(wanted);
    match kind {
        Kind::Frame => true,
        Kind::Arp => frame.is_arp(),
        Kind::ArpRequest => frame.is_arp_request(),
        Kind::ArpReply => frame.is_arp_reply(),
        Kind::Packet => frame.is_ipv4(),
        Kind::Fragment => frame.is_fragment(),
        Kind::Icmp => frame.is_icmp(),
        Kind::EchoRequest => icmp(&[ECHO_REQUEST]),
        Kind::EchoReply => icmp(&[ECHO_REPLY]),
        Kind::IcmpError => icmp(&[UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM]),
        Kind::FragmentationNeeded => frame.icmp_type() == Some((UNREACHABLE, FRAGMENTATION_NEEDED)),
        Kind::TimeExceeded => icmp(&[TIME_EXCEEDED]),
        Kind::Udp => frame.is_udp(),
        Kind::Tcp => frame.is_tcp(),
        Kind::Syn => frame.is_syn(),
        Kind::SynAck => frame.is_syn_ack(),
        Kind::Ack => frame.is_pure_ack(),
        Kind::LastAck => segment.is_some_and(|segment| segment.is_last_ack),
        Kind::Fin => frame.is_fin(),
        Kind::Rst => frame.is_rst(),
        Kind::Retransmission => segment.is_some_and(|segment| segment.is_again),
        Kind::Http => segment.is_some_and(|segment| segment.http.is_some()),
        Kind::Dhcp => datagram::dhcp(frame).is_some(),
        Kind::DhcpDiscover => dhcp(1),
        Kind::DhcpOffer => dhcp(2),
        Kind::DhcpRequest => dhcp(3),
        Kind::DhcpAck => dhcp(5),
        // See `records` and `is`.
        Kind::Segment
        | Kind::TlsRecord
        | Kind::ServerHello
        | Kind::TlsCertificate
        | Kind::TlsAlert
        | Kind::ChangeCipherSpec
        | Kind::EncryptedRecord => false,
    }
}

/// The TLS records in a segment that are what `frames` names.
fn records<'a>(frames: &'a Frames, segment: Option<&'a Segment>) -> impl Iterator<Item = &'a tls::Record> {
    let records = segment.into_iter().flat_map(|segment| &segment.records);
    records.filter(move |record| {
        let handshake = |wanted| record.begins && record.handshake == Some(wanted);
        let content = |wanted| record.begins && record.content_type == wanted;
        match &frames.thing {
            Thing::Plain(Kind::TlsRecord) => !matches!(frames.which, Which::Nth(n) if n != record.number),
            Thing::Plain(Kind::ServerHello) => handshake(tls::SERVER_HELLO),
            Thing::Plain(Kind::TlsCertificate) => handshake(tls::CERTIFICATE),
            Thing::Plain(Kind::TlsAlert) => content(tls::ALERT),
            Thing::Plain(Kind::ChangeCipherSpec) => content(tls::CHANGE_CIPHER_SPEC),
            Thing::Plain(Kind::EncryptedRecord) => content(tls::APPLICATION_DATA),
            Thing::ClientHello { name } => handshake(tls::CLIENT_HELLO) && is_for(name.as_ref(), record),
            _ => false,
        }
    })
}

/// RFC 6066 3: host names are compared without regard to case, and have no final dot.
fn is_for(name: Option<&DnsName>, hello: &tls::Record) -> bool {
    let said = hello.server_name.as_ref().and_then(|said| DnsName::parse(said).ok());
    name.is_none_or(|name| Some(name) == said.as_ref())
}

/// Where in the frame a part of what it is stands, in bytes; empty if it has none.
pub(super) fn place(
    part: Part,
    frames: &Frames,
    frame: &FrameView<'_>,
    segment: Option<&Segment>,
) -> Range<usize> {
    let all = ETHERNET_HEADER.min(frame.len())..frame.len();
    let Some(layout) = Layout::of(frame.bytes()) else {
        return if part == Part::Itself { all } else { 0..0 };
    };
    let whole = layout.ip.start..layout.transport.end;
    match (part, &frames.thing) {
        (Part::IpHeader, _) => layout.ip,
        (Part::TransportHeader, _) => layout.transport.start..layout.payload.start,
        (Part::Payload, _) => layout.payload,
        (Part::Itself, Thing::Dns { .. } | Thing::HttpRequest { .. } | Thing::HttpResponse { .. }) => {
            layout.payload
        }
        (Part::Itself, Thing::Plain(Kind::Http | Kind::Dhcp)) => layout.payload,
        (Part::Itself, Thing::Plain(Kind::Frame | Kind::Packet | Kind::Fragment)) => whole,
        (Part::Itself, _) => match records(frames, segment).next() {
            Some(record) => {
                let begins = layout.payload.start;
                begins + record.content.start..begins + record.content.end
            }
            None => layout.transport,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::Streams;
    use super::*;
    use glasstack_journal::event::{FrameId, MacAddress, TcpFlags};
    use glasstack_sim::attack::forge::{self, Control, Header};
    use proptest::prelude::*;

    /// Every kind of thing, asked of a frame: none may panic, and a part lies in the frame.
    fn look_at(streams: &mut Streams, bytes: &[u8]) {
        let frame = FrameView::new(FrameId(1), bytes);
        let segment = streams.on_frame(&frame);
        let plain = Kind::ALL.iter().map(|kind| Thing::Plain(*kind));
        let others = [
            Thing::Dns { side: Some(Side::Answer), record_type: None, name: Some(DnsName::root()) },
            Thing::ClientHello { name: Some(DnsName::root()) },
            Thing::HttpRequest { method: None, target: Some("/".to_owned()) },
            Thing::HttpResponse { status: Some(404) },
        ];
        for thing in plain.chain(others) {
            let frames = Frames { thing, which: Which::Nth(2) };
            is(&frames, &frame, segment.as_ref());
            for part in [Part::Itself, Part::Payload, Part::IpHeader, Part::TransportHeader] {
                let place = place(part, &frames, &frame, segment.as_ref());
                assert!(place.start <= place.end && place.end <= bytes.len(), "{place:?} of {}", bytes.len());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_can_be_looked_at(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 1..4)) {
            let mut streams = Streams::default();
            frames.iter().for_each(|bytes| look_at(&mut streams, bytes));
        }

        #[test]
        fn any_segments_with_any_bit_flipped_can_be_looked_at(
            segments in prop::collection::vec(
                (any::<bool>(), any::<u32>(), any::<u8>(), prop::collection::vec(0_u8..32, 0..60), any::<u16>()),
                1..12,
            ),
        ) {
            let mut streams = Streams::default();
            for (is_there, seq, flags, data, bit) in segments {
                let ends = ["10.0.0.1:53".parse().unwrap(), "10.0.0.2:443".parse().unwrap()];
                let [from, to] = if is_there { ends } else { [ends[1], ends[0]] };
                let header = Header::new(MacAddress([2; 6]), MacAddress([4; 6]));
                let control = Control { seq: seq % 300, ack: 0, flags: TcpFlags(flags & 0x3f), window: 0 };
                let mut bytes = forge::tcp(header, from, to, control, &data);
                let bit = usize::from(bit) % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
                look_at(&mut streams, &bytes);
            }
        }
    }
}
