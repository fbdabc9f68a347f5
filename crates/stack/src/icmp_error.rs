//! ICMP messages: echo, and errors with what they quote (RFC 792, RFC 1122 3.2.2).

use crate::ingress::{Discard, protocol};
use glasstack_journal::event::DropReason;
use std::fmt;
use std::net::Ipv4Addr;

/// Type, code, checksum and four bytes whose meaning the type decides.
const HEADER: usize = 8;
/// Type 3 (RFC 792).
pub(crate) const DESTINATION_UNREACHABLE: u8 = 3;
/// An IPv4 header without options.
const IPV4_HEADER: usize = 20;

/// Whether an ICMP message is an error rather than a query (RFC 1122 3.2.2): unreachable, source
/// quench, redirect, time exceeded, parameter problem.
pub(crate) fn is_icmp_error(message: &[u8]) -> bool {
    matches!(message.first(), Some(3 | 4 | 5 | 11 | 12))
}

/// An ICMP message whose checksum is right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IcmpMessage<'a> {
    /// Type 8.
    EchoRequest { ident: u16, seq: u16, payload: &'a [u8] },
    /// Type 0.
    EchoReply { ident: u16, seq: u16, payload: &'a [u8] },
    /// Types 3, 11, 12: something went wrong with a packet.
    Error(IcmpError),
    /// Any other type.
    Other { kind: u8, code: u8 },
}

/// What went wrong, and with which packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IcmpError {
    pub(crate) kind: IcmpErrorKind,
    pub(crate) quote: Quote,
}

/// Type and code of an error (RFC 792; RFC 1122 3.2.2.1; RFC 1812 5.2.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IcmpErrorKind {
    NetUnreachable,
    HostUnreachable,
    ProtocolUnreachable,
    PortUnreachable,
    /// RFC 1191 4: the MTU of the next hop, in bytes; 0 from routers that do not say it.
    FragmentationNeeded {
        next_hop_mtu: u16,
    },
    SourceRouteFailed,
    NetUnknown,
    HostUnknown,
    Prohibited,
    OtherUnreachable(u8),
    TtlExceeded,
    ReassemblyTimeExceeded,
    ParameterProblem,
}

impl IcmpErrorKind {
    fn of(kind: u8, code: u8, next_hop_mtu: u16) -> Option<Self> {
        Some(match (kind, code) {
            (3, 0) => Self::NetUnreachable,
            (3, 1) => Self::HostUnreachable,
            (3, 2) => Self::ProtocolUnreachable,
            (3, 3) => Self::PortUnreachable,
            (3, 4) => Self::FragmentationNeeded { next_hop_mtu },
            (3, 5) => Self::SourceRouteFailed,
            (3, 6) => Self::NetUnknown,
            (3, 7) => Self::HostUnknown,
            (3, 9 | 10 | 13) => Self::Prohibited,
            (3, code) => Self::OtherUnreachable(code),
            (11, 0) => Self::TtlExceeded,
            (11, 1) => Self::ReassemblyTimeExceeded,
            (12, _) => Self::ParameterProblem,
            _ => return None,
        })
    }

    /// The MTU that the path asks for, if that is what the error is about.
    pub(crate) fn next_hop_mtu(self) -> Option<u16> {
        match self {
            Self::FragmentationNeeded { next_hop_mtu } => Some(next_hop_mtu),
            _ => None,
        }
    }
}

impl fmt::Display for IcmpErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetUnreachable => f.write_str("network unreachable"),
            Self::HostUnreachable => f.write_str("host unreachable"),
            Self::ProtocolUnreachable => f.write_str("protocol unreachable"),
            Self::PortUnreachable => f.write_str("port unreachable"),
            Self::FragmentationNeeded { next_hop_mtu } => {
                write!(f, "fragmentation needed, next-hop MTU {next_hop_mtu}")
            }
            Self::SourceRouteFailed => f.write_str("source route failed"),
            Self::NetUnknown => f.write_str("network unknown"),
            Self::HostUnknown => f.write_str("host unknown"),
            Self::Prohibited => f.write_str("administratively prohibited"),
            Self::OtherUnreachable(code) => write!(f, "unreachable, code {code}"),
            Self::TtlExceeded => f.write_str("time to live exceeded"),
            Self::ReassemblyTimeExceeded => f.write_str("fragment reassembly time exceeded"),
            Self::ParameterProblem => f.write_str("parameter problem"),
        }
    }
}

/// The beginning of the packet that an error is about: its IP header and at least 8 bytes
/// (RFC 792). Ports are 0 where the protocol has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    /// TCP's sequence number.
    pub(crate) tcp_seq: Option<u32>,
    /// An echo request's identifier and sequence number.
    pub(crate) echo: Option<(u16, u16)>,
    /// The total length in the quoted IP header, in bytes.
    pub(crate) total_length: u16,
}

impl Quote {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header_length = usize::from(bytes.first()? & 0x0f) * 4;
        if bytes.first()? >> 4 != 4 || header_length < IPV4_HEADER {
            return None;
        }
        let protocol_number = *bytes.get(9)?;
        let address = |at: usize| Some(Ipv4Addr::from_octets(bytes.get(at..at + 4)?.try_into().ok()?));
        let payload = bytes.get(header_length..header_length + 8)?;
        // A fragment behind the first holds no header to be recognised by.
        if u16_at(bytes, 6)? & 0x1fff != 0 {
            return None;
        }
        let has_ports = matches!(protocol_number, protocol::TCP | protocol::UDP);
        let port = |at| if has_ports { u16_at(payload, at) } else { Some(0) };
        let is_echo = protocol_number == protocol::ICMP && payload.first() == Some(&8);
        Some(Self {
            source: address(12)?,
            destination: address(16)?,
            protocol: protocol_number,
            source_port: port(0)?,
            destination_port: port(2)?,
            tcp_seq: (protocol_number == protocol::TCP)
                .then(|| Some(u32::from_be_bytes(payload.get(4..8)?.try_into().ok()?)))
                .flatten(),
            echo: is_echo.then(|| Some((u16_at(payload, 4)?, u16_at(payload, 6)?))).flatten(),
            total_length: u16_at(bytes, 2)?,
        })
    }
}

/// Reads a message whose checksum has been verified.
pub(crate) fn parse_icmp(message: &[u8]) -> Result<IcmpMessage<'_>, Discard> {
    let short = || Discard::new(DropReason::Truncated, format!("ICMP message of {} bytes", message.len()));
    let (header, rest) = message.split_at_checked(HEADER).ok_or_else(short)?;
    let (Some([kind, code]), Some(ident), Some(seq)) =
        (header.first_chunk::<2>().copied(), u16_at(header, 4), u16_at(header, 6))
    else {
        return Err(short());
    };
    Ok(match (kind, IcmpErrorKind::of(kind, code, seq)) {
        (8, _) => IcmpMessage::EchoRequest { ident, seq, payload: rest },
        (0, _) => IcmpMessage::EchoReply { ident, seq, payload: rest },
        (_, Some(error)) => {
            let quote = Quote::parse(rest).ok_or_else(|| {
                Discard::new(DropReason::UnmatchedIcmp, format!("{error}, but it quotes no packet"))
            })?;
            IcmpMessage::Error(IcmpError { kind: error, quote })
        }
        _ => IcmpMessage::Other { kind, code },
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An IPv4 header for `protocol`, then 8 bytes.
    fn quoted(protocol: u8, payload: [u8; 8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 5, 0xdc, 0, 7, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 9, 9];
        bytes.extend(payload);
        bytes
    }

    fn error(kind: u8, code: u8, mtu: u16, quote: &[u8]) -> Vec<u8> {
        let [high, low] = mtu.to_be_bytes();
        [&[kind, code, 0, 0, 0, 0, high, low], quote].concat()
    }

    #[test]
    fn fragmentation_needed_tells_the_mtu_and_quotes_the_segment() {
        let quote = quoted(6, [0xc0, 1, 0, 80, 0, 1, 0, 2]);
        let message = error(3, 4, 1400, &quote);
        let Ok(IcmpMessage::Error(error)) = parse_icmp(&message) else { panic!("an error was expected") };
        assert_eq!(error.kind.next_hop_mtu(), Some(1400));
        assert_eq!(error.quote.source_port, 0xc001);
        assert_eq!(error.quote.destination_port, 80);
        assert_eq!(error.quote.tcp_seq, Some(0x0001_0002));
        assert_eq!(error.quote.total_length, 1500);
        assert_eq!(error.quote.destination, Ipv4Addr::new(10, 0, 9, 9));
    }

    #[test]
    fn an_error_about_an_echo_request_names_it() {
        let message = error(11, 0, 0, &quoted(1, [8, 0, 0, 0, 0, 5, 0, 9]));
        let Ok(IcmpMessage::Error(error)) = parse_icmp(&message) else { panic!("an error was expected") };
        assert_eq!(error.kind.to_string(), "time to live exceeded");
        assert_eq!(error.quote.echo, Some((5, 9)));
        assert_eq!(error.quote.tcp_seq, None);
    }

    #[test]
    fn an_error_that_quotes_nothing_is_discarded() {
        let discard = parse_icmp(&error(3, 1, 0, &[0x45, 0, 0])).unwrap_err();
        assert_eq!(discard.reason, DropReason::UnmatchedIcmp);
        assert!(discard.detail.contains("host unreachable"));
    }

    #[test]
    fn a_quoted_fragment_without_a_header_is_discarded() {
        let mut quote = quoted(17, [0; 8]);
        quote[7] = 1;
        assert!(parse_icmp(&error(3, 3, 0, &quote)).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_icmp(&bytes);
        }
    }
}
