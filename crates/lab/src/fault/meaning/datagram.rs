//! What speaks over UDP: DNS (also over TCP, as far as a message stands in one segment) and DHCP.

use glasstack_dns::message::RawHeader;
use glasstack_dns::{Message, Question};
use glasstack_sim::FrameView;

/// RFC 1035 4.2.
pub(super) const DNS_PORT: u16 = 53;
/// RFC 2131 4.1.
const DHCP_PORTS: [u16; 2] = [67, 68];
/// Where the options begin (RFC 2131 3), in bytes, and what stands before them.
const DHCP_OPTIONS: usize = 240;
const MAGIC_COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Option numbers (RFC 2132 9.6 and 3).
const MESSAGE_TYPE: u8 = 53;
const PAD: u8 = 0;
const END: u8 = 255;

/// A DNS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dns {
    pub(super) is_response: bool,
    pub(super) question: Option<Question>,
}

impl Dns {
    /// None if the frame carries none.
    pub(super) fn of(frame: &FrameView<'_>) -> Option<Self> {
        let message = frame.has_port(DNS_PORT).then(|| message(frame))?;
        let header = RawHeader::read(message)?;
        let question = Message::parse(message).ok().and_then(|message| message.question);
        Some(Self { is_response: header.is_response, question })
    }
}

/// The bytes of a message: over TCP behind its length (RFC 1035 4.2.2).
fn message<'a>(frame: &FrameView<'a>) -> &'a [u8] {
    let payload = frame.payload();
    match payload.split_first_chunk::<2>() {
        Some((length, message))
            if frame.is_tcp() && usize::from(u16::from_be_bytes(*length)) == message.len() =>
        {
            message
        }
        _ if frame.is_udp() => payload,
        _ => &[],
    }
}

/// The type of a DHCP message (RFC 2132 9.6): 1 discover, 2 offer, 3 request, 5 ack. None if it is none.
pub(super) fn dhcp(frame: &FrameView<'_>) -> Option<u8> {
    if !frame.is_udp() || !DHCP_PORTS.iter().any(|port| frame.has_port(*port)) {
        return None;
    }
    let payload = frame.payload();
    let mut options =
        payload.get(DHCP_OPTIONS..).filter(|_| payload.get(236..DHCP_OPTIONS) == Some(&MAGIC_COOKIE))?;
    loop {
        match options {
            [PAD, rest @ ..] => options = rest,
            [END, ..] | [] | [_] => return None,
            [MESSAGE_TYPE, 1, message_type, ..] => return Some(*message_type),
            [_, length, rest @ ..] => options = rest.get(usize::from(*length)..)?,
        }
    }
}
