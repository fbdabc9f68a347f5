//! Frames that a fault makes of those that pass: other answers, resets, ends of connections.

use super::datagram::DNS_PORT;
use crate::fault::spec::Mishap;
use glasstack_dns::{DnsName, Message, Record, RecordData};
use glasstack_journal::event::TcpFlags;
use glasstack_sim::FrameView;
use glasstack_sim::attack::forge::{self, Control, Header};
use std::net::{IpAddr, SocketAddrV4};

/// How long a lie may be remembered, in seconds.
const TTL_OF_A_LIE: u32 = 60;

/// A DNS answer over UDP with other words, if `mishap` changes it.
pub(super) fn answer(mishap: &Mishap, frame: &FrameView<'_>) -> Option<Vec<u8>> {
    if !frame.is_udp() || frame.source_port() != Some(DNS_PORT) {
        return None;
    }
    let mut message = Message::parse(frame.payload()).ok().filter(|message| message.is_response)?;
    let question = message.question.clone()?;
    let is_about = |name: &DnsName| question.name == *name;
    let mut records = Vec::new();
    match mishap {
        Mishap::Answer { code, name } if is_about(name) => message.code = *code,
        Mishap::Lie { name, address } if is_about(name) => {
            let data = RecordData::from(IpAddr::V4(*address));
            if data.record_type() == question.record_type {
                records.push(Record { owner: question.name, ttl: TTL_OF_A_LIE, data });
            }
            message.code = glasstack_dns::ResponseCode::NoError;
        }
        Mishap::Truncate => message.truncated = true,
        _ => return None,
    }
    (message.answers, message.authorities, message.additionals) = (records, Vec::new(), Vec::new());
    let ends = Ends::of(frame)?;
    Some(forge::udp(ends.header, ends.from, ends.to, &message.to_bytes().ok()?))
}

/// Who sends a frame to whom.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    header: Header,
    from: SocketAddrV4,
    to: SocketAddrV4,
}

impl Ends {
    pub(super) fn of(frame: &FrameView<'_>) -> Option<Self> {
        let address = |ip, port| match ip {
            Some(IpAddr::V4(ip)) => Some(SocketAddrV4::new(ip, port?)),
            _ => None,
        };
        Some(Self {
            header: Header {
                source: frame.source_mac()?,
                destination: frame.destination_mac()?,
                vlan: frame.vlan(),
            },
            from: address(frame.source_ip(), frame.source_port())?,
            to: address(frame.destination_ip(), frame.destination_port())?,
        })
    }

    fn along(&self, control: Control, payload: &[u8]) -> Vec<u8> {
        forge::tcp(self.header, self.from, self.to, control, payload)
    }

    fn against(&self, control: Control) -> Vec<u8> {
        forge::tcp(self.header.reversed(), self.to, self.from, control, &[])
    }
}

/// A RST to each end of the connection, behind a segment that passes: with the very numbers that both
/// expect next (RFC 9293 3.10.7.4, RFC 5961 3.2).
pub(super) fn resets(frame: &FrameView<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let ends = Ends::of(frame)?;
    let along = ends.along(reset(after(frame)?), &[]);
    Some((along, ends.against(reset(frame.tcp_ack()?))))
}

/// The segment up to `length` bytes of its data and a FIN behind them, and a RST to its sender.
pub(super) fn early_end(frame: &FrameView<'_>, length: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let ends = Ends::of(frame)?;
    let payload = frame.payload();
    let control = Control {
        seq: frame.tcp_seq()?,
        ack: frame.tcp_ack()?,
        flags: TcpFlags(TcpFlags::ACK | TcpFlags::FIN),
        window: u16::MAX,
    };
    let along = ends.along(control, payload.get(..length).unwrap_or(payload));
    Some((along, ends.against(reset(frame.tcp_ack()?))))
}

/// An acknowledgment of everything that a segment holds, from whom it is sent to.
pub(super) fn acknowledgment(frame: &FrameView<'_>) -> Option<Vec<u8>> {
    let control = Control {
        seq: frame.tcp_ack()?,
        ack: after(frame)?,
        flags: TcpFlags(TcpFlags::ACK),
        window: u16::MAX,
    };
    Some(Ends::of(frame)?.against(control))
}

/// The sequence number behind a segment (RFC 9293 3.4: SYN and FIN take one each).
fn after(frame: &FrameView<'_>) -> Option<u32> {
    let flags = frame.tcp_flags()?;
    let more = u32::from(flags.has(TcpFlags::SYN)) + u32::from(flags.has(TcpFlags::FIN));
    let length = u32::try_from(frame.payload().len()).ok()?;
    Some(frame.tcp_seq()?.wrapping_add(length).wrapping_add(more))
}

fn reset(seq: u32) -> Control {
    Control { seq, ack: 0, flags: TcpFlags(TcpFlags::RST), window: 0 }
}
