//! What a packet belongs to: protocol, source and destination with their ports.

use super::answers::{flag, icmp};
use super::packet::{ICMP, Packet, SHORTEST_HEADER, TCP, UDP, byte, word};
use glasstack_journal::event::DropReason;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

/// One direction of a connection. An ICMP query has its identifier as the port of the asker and 0 as the
/// port of the other; a protocol without ports has 0 for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tuple {
    pub(super) protocol: u8,
    pub(super) source: SocketAddrV4,
    pub(super) destination: SocketAddrV4,
}

/// What a packet is to one who follows connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A part of a connection.
    Flow {
        tuple: Tuple,
        /// It may be the first of one.
        opens: bool,
        /// TCP's flags; 0 with other protocols.
        flags: u8,
    },
    /// An ICMP error about a packet, which travelled the other way.
    Error { quoted: Tuple },
}

impl Tuple {
    /// The other direction of the same, before anybody has translated anything.
    pub(super) fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }
}

impl Subject {
    /// Reads a packet that is whole or a first fragment.
    pub(super) fn of(packet: &Packet) -> Result<Self, (DropReason, String)> {
        let payload = packet.payload();
        let quotes = packet.protocol() == ICMP && is_error(byte(payload, 0));
        if quotes {
            let quoted = payload.get(8..).and_then(read_quoted);
            return quoted.map(|quoted| Self::Error { quoted }).ok_or_else(|| {
                (DropReason::UnmatchedIcmp, "an ICMP error that quotes no whole header".to_owned())
            });
        }
        let (source, destination) = (packet.source(), packet.destination());
        read(packet.protocol(), source, destination, payload)
            .ok_or_else(|| (DropReason::Truncated, format!("{} bytes behind the IP header", payload.len())))
    }
}

fn is_error(icmp_type: u8) -> bool {
    use icmp::{PARAMETER_PROBLEM, REDIRECT, SOURCE_QUENCH, TIME_EXCEEDED, UNREACHABLE};
    [UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM].contains(&icmp_type)
}

/// None if there is less than what tells connections apart.
fn read(protocol: u8, source: Ipv4Addr, destination: Ipv4Addr, payload: &[u8]) -> Option<Subject> {
    let least = match protocol {
        TCP => 20,
        UDP | ICMP => 8,
        _ => 0,
    };
    if payload.len() < least {
        return None;
    }
    let (ports, opens, flags) = facts(protocol, payload);
    Some(Subject::Flow {
        tuple: Tuple {
            protocol,
            source: SocketAddrV4::new(source, ports.0),
            destination: SocketAddrV4::new(destination, ports.1),
        },
        opens,
        flags,
    })
}

fn facts(protocol: u8, payload: &[u8]) -> ((u16, u16), bool, u8) {
    match protocol {
        TCP => {
            let flags = byte(payload, 13);
            let opens = flags & (flag::SYN | flag::ACK | flag::RST | flag::FIN) == flag::SYN;
            ((word(payload, 0), word(payload, 2)), opens, flags)
        }
        UDP => ((word(payload, 0), word(payload, 2)), true, 0),
        ICMP => {
            let identifier = word(payload, 4);
            match byte(payload, 0) {
                icmp::ECHO | icmp::TIMESTAMP => ((identifier, 0), true, 0),
                icmp::ECHO_REPLY | icmp::TIMESTAMP_REPLY => ((0, identifier), false, 0),
                _ => ((0, 0), false, 0),
            }
        }
        _ => ((0, 0), true, 0),
    }
}

/// The tuple of a packet that an ICMP error quotes: its header and at least 8 bytes (RFC 792).
fn read_quoted(quoted: &[u8]) -> Option<Tuple> {
    let header = usize::from(byte(quoted, 0) & 15) * 4;
    if byte(quoted, 0) >> 4 != 4 || header < SHORTEST_HEADER {
        return None;
    }
    let payload = quoted.get(header..).filter(|payload| payload.len() >= 8)?;
    let address = |at| <[u8; 4]>::try_from(quoted.get(at..at + 4)?).ok().map(Ipv4Addr::from);
    let protocol = byte(quoted, 9);
    let (ports, ..) = facts(protocol, payload);
    Some(Tuple {
        protocol,
        source: SocketAddrV4::new(address(12)?, ports.0),
        destination: SocketAddrV4::new(address(16)?, ports.1),
    })
}

/// As the journal names a protocol.
pub(super) fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        TCP => "TCP",
        UDP => "UDP",
        ICMP => "ICMP",
        _ => "IP",
    }
}

/// `TCP 192.168.1.10:49152 -> 198.51.100.80:80`.
impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, destination) = (self.source, self.destination);
        match self.protocol {
            TCP | UDP => write!(f, "{} {source} -> {destination}", protocol_name(self.protocol)),
            ICMP => {
                let identifier = source.port().max(destination.port());
                write!(f, "ICMP {} -> {} identifier {identifier}", source.ip(), destination.ip())
            }
            other => write!(f, "protocol {other} {} -> {}", source.ip(), destination.ip()),
        }
    }
}
