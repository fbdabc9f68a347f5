//! What is said of each event: the words, and how loud they are.

mod dhcp;
mod dns;
mod gateway;
mod nat;
mod rip;
mod tls;
mod upper;

use super::Tone::{Bad, Detail, Good, Plain, Warning};
use super::memory::Memory;
use super::{Level, Line, Tone};
use crate::dissect::dissect;
use crate::text::{count, time};
use glasstack_journal::Record;
use glasstack_journal::event::{
    AckReason, Arp, Direction, DropReason, Event, Headers, Icmp, Ip, Link, Medium, RequestReason, Role,
    Segment, SegmentReason, Span, StateCause, Tcp, TcpOption, Udp,
};

/// The line for a record, if there is anything to say.
pub(super) fn tell(record: &Record, memory: &Memory) -> Option<Line> {
    Some(match &record.event {
        Event::Node { .. } => return None,
        Event::Span(Span::Opened { kind, .. }) => verbose(format!("begins: {kind}")),
        Event::Span(Span::Closed) => return None,
        Event::Link(link) => tell_link(link, memory),
        Event::Arp(arp) => tell_arp(record, arp, memory),
        Event::Ip(ip) => tell_ip(ip),
        Event::Udp(udp) => tell_udp(udp),
        Event::Icmp(icmp) => tell_icmp(icmp),
        Event::Tcp(tcp) => tell_tcp(tcp, memory),
        Event::Dhcp(dhcp) => dhcp::tell_dhcp(dhcp),
        Event::Dns(dns) => dns::tell_dns(dns),
        Event::Tls(tls) => tls::tell_tls(tls)?,
        Event::Http(http) => upper::tell_http(http),
        Event::Page(page) => upper::tell_page(page),
        Event::Gateway(gateway) => gateway::tell_gateway(gateway),
        Event::Nat(nat) => nat::tell_nat(nat),
        Event::Rip(rip) => rip::tell_rip(rip),
        Event::Note(note) => upper::tell_note(note),
    })
}

/// The line for a record of TLS keys, to somebody who wants to see them.
pub(super) fn tell_keys(record: &Record) -> Option<Line> {
    match &record.event {
        Event::Tls(tls) => tls::tell_keys(tls),
        _ => None,
    }
}

fn line(level: Level, tone: Tone, text: impl Into<String>) -> Line {
    Line { level, tone, of_all: false, text: text.into(), below: Vec::new(), open: false }
}

fn normal(text: impl Into<String>) -> Line {
    line(Level::Normal, Plain, text)
}

fn good(text: impl Into<String>) -> Line {
    line(Level::Normal, Good, text)
}

fn warning(text: impl Into<String>) -> Line {
    line(Level::Normal, Warning, text)
}

fn bad(text: impl Into<String>) -> Line {
    line(Level::Normal, Bad, text)
}

fn verbose(text: impl Into<String>) -> Line {
    line(Level::Verbose, Detail, text)
}

impl Line {
    fn of_all(mut self) -> Self {
        self.of_all = true;
        self
    }

    fn quieter_if(mut self, quieter: bool) -> Self {
        if quieter {
            (self.level, self.tone) = (Level::Verbose, Detail);
        }
        self
    }

    fn with(mut self, sign: char, headers: &Headers) -> Self {
        self.below = headers.iter().map(|(name, value)| format!("{sign} {name}: {value}")).collect();
        self
    }
}

fn tell_link(link: &Link, memory: &Memory) -> Line {
    match link {
        Link::InterfaceUp { name, medium, mtu, mac, address, prefix_len, .. } => {
            let mac = match (medium, mac) {
                (Medium::Ethernet, Some(mac)) => format!("MAC {mac}"),
                (Medium::Ethernet, None) => "Ethernet".to_owned(),
                (Medium::Ip, _) => "bare IP packets, no MAC".to_owned(),
            };
            let place = match address.is_unspecified() {
                true => "no address".to_owned(),
                false => format!("{address}/{prefix_len}"),
            };
            normal(format!("interface {name} is up: {place}, {mac}, MTU {mtu}"))
        }
        Link::Frame { frame, interface, direction, bytes } => {
            let packet = dissect(memory.names.medium(*interface), bytes);
            let verb = match direction {
                Direction::In => "received",
                Direction::Out => "sent",
            };
            let (length, label) = (count(bytes.len() as u64, "byte"), packet.label());
            verbose(format!("frame {} {verb}, {length}: {label}", frame.0))
        }
        Link::Dropped { reason, detail, .. } => {
            // A shared link is full of other people's frames: nothing went wrong.
            let ordinary = matches!(
                reason,
                DropReason::NotOurMac
                    | DropReason::SameSide
                    | DropReason::NobodyListens
                    | DropReason::NotOurAddress
                    | DropReason::UnknownEtherType
                    | DropReason::Ipv6
            );
            warning(format!("discarded: {reason}{}", in_brackets(detail))).quieter_if(ordinary)
        }
        Link::Lost { frame, cable, by } => {
            warning(format!("{} was lost on {cable}: {by}", memory.label(*frame))).of_all()
        }
        Link::Delayed { frame, cable, by, for_ } => {
            warning(format!("{} was delayed by {} on {cable}: {by}", memory.label(*frame), time(*for_)))
                .of_all()
        }
        Link::Duplicated { frame, cable, by, copies } => {
            let copies = count(u64::from(*copies), "more time");
            warning(format!("{} was delivered {copies} on {cable}: {by}", memory.label(*frame))).of_all()
        }
        Link::Corrupted { frame, cable, by, bit } => {
            warning(format!("bit {bit} of {} was flipped on {cable}: {by}", memory.label(*frame))).of_all()
        }
        Link::Injected { cable, by, bytes, .. } => {
            let label = dissect(Medium::Ethernet, bytes).label();
            warning(format!("{label} was put on {cable}: {by}")).of_all()
        }
        Link::CaptureUp { cable, .. } => normal(format!("{cable} is captured")).of_all(),
        Link::Captured { frame, direction, bytes, .. } => {
            let way = match direction {
                Direction::Out => "there",
                Direction::In => "back",
            };
            let (length, label) = (count(bytes.len() as u64, "byte"), memory.label(*frame));
            verbose(format!("frame {} passes on its way {way}, {length}: {label}", frame.0))
        }
        Link::Learned { mac, port, vlan, before } => {
            let moved = before.map_or(String::new(), |from| format!(", no longer behind port {from}"));
            verbose(format!("switch: {mac} is behind port {port}{}{moved}", in_vlan(*vlan)))
        }
        Link::TableFull { mac, port, vlan } => {
            let place = format!("{mac} behind port {port}{}", in_vlan(*vlan));
            verbose(format!("switch: the table is full; {place} is not learnt"))
        }
        Link::Flooded { frame, why } => {
            verbose(format!("switch: frame {} out of every port: {why}", frame.0))
        }
    }
}

/// Nothing of the VLAN that everybody is in who says nothing of VLANs.
fn in_vlan(vlan: u16) -> String {
    if vlan == 1 { String::new() } else { format!(" of VLAN {vlan}") }
}

fn tell_arp(record: &Record, arp: &Arp, memory: &Memory) -> Line {
    match arp {
        Arp::CacheHit { next_hop, mac, age } => {
            normal(format!("ARP cache: {next_hop} is at {mac} (confirmed {} ago)", time(*age)))
                .quieter_if(memory.just_told(record, *next_hop))
        }
        Arp::RequestSent { next_hop, why: RequestReason::Probe, .. } => {
            normal(format!("ARP probe: does anybody use {next_hop}?"))
        }
        Arp::RequestSent { next_hop, why: RequestReason::Announcement, .. } => {
            normal(format!("ARP announcement: {next_hop} is here"))
        }
        Arp::RequestSent { next_hop, why, .. } => normal(format!("ARP request: who has {next_hop}? ({why})")),
        Arp::ReplyReceived { from, mac, after: Some(after), .. } => {
            normal(format!("ARP reply: {from} is at {mac} (after {})", time(*after)))
        }
        Arp::ReplyReceived { from, mac, after: None, .. } => {
            normal(format!("ARP reply: {from} is at {mac} (nobody had asked)"))
        }
        Arp::RequestReceived { from, target, ours, .. } => {
            normal(format!("ARP request from {from}: who has {target}?")).quieter_if(!ours)
        }
        Arp::ReplySent { to, .. } => normal(format!("ARP reply to {to}: here")),
        Arp::Learned { ip, mac, before: Some(before) } if before != mac => {
            warning(format!("ARP: {ip} has moved from {before} to {mac}"))
        }
        Arp::Learned { ip, mac, .. } => verbose(format!("ARP cache: {ip} is at {mac} from now on")),
        Arp::Failed { next_hop, attempts } => {
            bad(format!("ARP: no reply from {next_hop} to {}", count(u64::from(*attempts), "request")))
        }
        Arp::NotNeeded { interface } => {
            normal(format!("ARP is not needed: {interface} carries bare IP packets"))
        }
    }
}

fn tell_ip(ip: &Ip) -> Line {
    match ip {
        Ip::RouteChosen { destination, row, next_hop, interface, source, why } => {
            let hop = if next_hop == destination { "directly".to_owned() } else { format!("via {next_hop}") };
            normal(format!("route to {destination}: {hop} on {interface} from {source}, by row {row}: {why}"))
        }
        Ip::AddressSet { name, address, prefix_len, gateway, mtu, before, .. } => {
            let via = gateway.map(|gateway| format!(", gateway {gateway}")).unwrap_or_default();
            let before = before.map(|before| format!(" (it was {before})")).unwrap_or_default();
            normal(format!("interface {name} has address {address}/{prefix_len}{via}, MTU {mtu}{before}"))
        }
        Ip::AddressRemoved { name, address, .. } => {
            warning(format!("interface {name} has the address {address} no longer"))
        }
        Ip::Fragmented { frames, length, mtu, .. } => {
            let pieces = count(frames.len() as u64, "fragment");
            normal(format!("IP: {} exceed the MTU of {mtu}: sent as {pieces}", count(*length as u64, "byte")))
        }
        Ip::FragmentReceived { identification, offset, length, more, .. } => verbose(format!(
            "IP fragment of datagram {identification}: {length} bytes at {offset}, {}",
            if *more { "more follow" } else { "the last" }
        )),
        Ip::Reassembled { fragments, length, after, .. } => {
            let pieces = count(*fragments as u64, "fragment");
            normal(format!(
                "IP: {pieces} make {} again (after {})",
                count(*length as u64, "byte"),
                time(*after)
            ))
        }
    }
}

fn tell_udp(udp: &Udp) -> Line {
    match udp {
        Udp::Bound { local } => verbose(format!("UDP socket on {local}")),
        Udp::Datagram { direction, remote, length, .. } => {
            verbose(format!("UDP {} {remote}, {}", to_or_from(*direction), count(*length as u64, "byte")))
        }
    }
}

fn tell_icmp(icmp: &Icmp) -> Line {
    match icmp {
        Icmp::EchoRequest { direction, peer, seq, length, .. } => {
            let payload = count(*length as u64, "byte");
            normal(format!("ICMP echo request {} {peer}, seq {seq}, {payload}", to_or_from(*direction)))
        }
        Icmp::EchoReply { direction, peer, seq, rtt, .. } => {
            let rtt = rtt.map(|rtt| format!(" (after {})", time(rtt))).unwrap_or_default();
            normal(format!("ICMP echo reply {} {peer}, seq {seq}{rtt}", to_or_from(*direction)))
        }
        Icmp::ErrorReceived { from, what, source, destination, effect, .. } => {
            warning(format!("ICMP {what} from {from}, about {source} -> {destination}: {effect}"))
        }
        Icmp::ErrorSent { to, what, .. } => normal(format!("ICMP {what} to {to}")),
    }
}

fn tell_tcp(tcp: &Tcp, memory: &Memory) -> Line {
    match tcp {
        Tcp::Listening { local, backlog } => normal(format!("TCP: listening on {local}, backlog {backlog}")),
        Tcp::Opened { local, remote, role: Role::Active, .. } => {
            normal(format!("TCP: connecting to {remote} from port {}", local.port()))
        }
        Tcp::Opened { local, remote, role: Role::Passive, .. } => {
            normal(format!("TCP: {remote} is connecting to port {}", local.port()))
        }
        Tcp::Segment(segment) => tell_segment(segment),
        Tcp::StateChanged { from, to, cause, .. } => {
            normal(format!("TCP state {from} -> {to} ({})", because(cause, memory)))
        }
        Tcp::MtuLowered { from, to, why, .. } => normal(format!("TCP: path MTU {from} -> {to}: {why}")),
        Tcp::TimeWaitEntered { lasts, .. } => {
            let lasts = time(*lasts);
            normal(format!("TCP TIME-WAIT for {lasts}: a late segment must not meet a new connection"))
        }
        Tcp::TimeWaitOver { how, .. } => normal(format!("TCP TIME-WAIT is over: {how}")),
        Tcp::Closed { error, bytes_sent, bytes_received, retransmissions, .. } => {
            let (sent, received) = (count(*bytes_sent, "byte"), count(*bytes_received, "byte"));
            let again = count(*retransmissions, "retransmission");
            match error {
                None => normal(format!("TCP closed: {sent} sent, {received} received, {again}")),
                Some(error) => {
                    bad(format!("TCP failed: {error} ({sent} sent, {received} received, {again})"))
                }
            }
        }
    }
}

fn tell_segment(segment: &Segment) -> Line {
    let text = segment_words(segment);
    match &segment.why {
        SegmentReason::Reset(_) => bad(text),
        SegmentReason::Retransmission(_) | SegmentReason::ZeroWindowProbe | SegmentReason::KeepAlive => {
            warning(text)
        }
        SegmentReason::Open | SegmentReason::OpenAnswer | SegmentReason::Fin { .. } => normal(text),
        SegmentReason::Ack(
            AckReason::Handshake | AckReason::Fin | AckReason::Challenge | AckReason::LastAckReplayed,
        ) => normal(text),
        SegmentReason::Ack(_) | SegmentReason::NewData { .. } => verbose(text),
    }
}

/// `TCP SYN to 10.0.0.2:80, seq 0, MSS 1460: opens the connection`.
fn segment_words(segment: &Segment) -> String {
    let peer = match segment.direction {
        Direction::Out => segment.destination,
        Direction::In => segment.source,
    };
    let mut text = format!("TCP {} {} {peer}", segment.flags, to_or_from(segment.direction));
    text.push_str(&format!(", seq {}", segment.relative_seq));
    if let Some(ack) = segment.relative_ack {
        text.push_str(&format!(", ack {ack}"));
    }
    if segment.payload > 0 {
        text.push_str(&format!(", {}", count(segment.payload as u64, "byte")));
    }
    for option in &segment.options {
        match option {
            TcpOption::Mss(mss) => text.push_str(&format!(", MSS {mss}")),
            TcpOption::WindowScale(shift) => text.push_str(&format!(", window x{}", 1u32 << shift.min(&14))),
            TcpOption::SackPermitted => text.push_str(", SACK permitted"),
            TcpOption::Sack(blocks) => {
                text.push_str(&format!(", SACK of {}", count(blocks.len() as u64, "block")));
            }
            TcpOption::Timestamps(..) | TcpOption::Other(_) => {}
        }
    }
    text.push_str(&format!(": {}", segment.why));
    text
}

fn because(cause: &StateCause, memory: &Memory) -> String {
    match cause {
        StateCause::SegmentReceived(frame) => format!("{} arrived", memory.label(*frame)),
        StateCause::SegmentSent(frame) => format!("{} was sent", memory.label(*frame)),
        StateCause::Application => "the program asked for it".to_owned(),
        StateCause::Timeout => "a timer ran out".to_owned(),
        StateCause::IcmpError(frame) => format!("{} arrived", memory.label(*frame)),
        StateCause::AddressLost => "this host has another address now, or none".to_owned(),
        StateCause::NoArpReply => "the next hop does not answer ARP".to_owned(),
    }
}

fn to_or_from(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "from",
        Direction::Out => "to",
    }
}

fn in_brackets(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}
