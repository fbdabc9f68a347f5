//! The bytes of RIP version 2 (RFC 2453 4).
//!
//! ```text
//!   command 1 | version 1 | zero 2 |  then up to 25 entries of 20 bytes:
//!   address family 2 | route tag 2 | IP address 4 | subnet mask 4 | next hop 4 | metric 4
//! ```

use glasstack_journal::event::DropReason;
use glasstack_stack::Prefix;
use std::fmt;
use std::net::Ipv4Addr;

/// The UDP port (RFC 2453 3.6).
pub(super) const PORT: u16 = 520;
/// All RIP routers (RFC 2453 4.5).
pub(super) const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 9);
/// The metric of a network that cannot be reached (RFC 2453 3.6).
pub(super) const INFINITY: u8 = 16;
/// The most entries of a message (RFC 2453 3.6).
pub(super) const ENTRIES: usize = 25;
/// How long a password may be, in bytes (RFC 2453 4.1).
pub(super) const PASSWORD: usize = 16;

const HEADER: usize = 4;
const ENTRY: usize = 20;
const VERSION: u8 = 2;
/// Address family: IP.
const INET: u16 = 2;
/// "Address family": no route, but who speaks.
const AUTHENTICATION: u16 = 0xffff;
/// Authentication type: simple password.
const SIMPLE_PASSWORD: u16 = 2;

/// What a message wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Request,
    Response,
}

/// A message whose form is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) command: Command,
    pub(super) entries: Vec<Entry>,
    /// Padded with zeroes; none if the message says nothing of who speaks.
    pub(super) password: Option<[u8; PASSWORD]>,
}

/// One route, as it stands in a message (RTE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) family: u16,
    pub(super) tag: u16,
    pub(super) address: Ipv4Addr,
    pub(super) mask: Ipv4Addr,
    pub(super) next_hop: Ipv4Addr,
    pub(super) metric: u32,
}

impl Entry {
    /// A route to `prefix`; `next_hop` is 0.0.0.0 if whoever tells it is the next hop.
    pub(super) fn route(prefix: Prefix, next_hop: Ipv4Addr, tag: u16, metric: u8) -> Self {
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix.prefix_len())).unwrap_or(0);
        Self {
            family: INET,
            tag,
            address: prefix.network(),
            mask: Ipv4Addr::from_bits(mask),
            next_hop,
            metric: u32::from(metric),
        }
    }

    /// RFC 2453 3.9.1: the entry that asks for everything.
    pub(super) fn everything() -> Self {
        let zero = Ipv4Addr::UNSPECIFIED;
        Self { family: 0, tag: 0, address: zero, mask: zero, next_hop: zero, metric: u32::from(INFINITY) }
    }

    /// The network it is about, and how far it is for who tells it; or why it is ignored (RFC 2453 3.9.2).
    pub(super) fn checked(&self) -> Result<(Prefix, u8), DropReason> {
        if self.family != INET {
            return Err(DropReason::RipAddressFamily);
        }
        let prefix = self.prefix()?;
        let is_bad = self.address.is_loopback()
            || self.address.is_multicast()
            || self.address.octets()[0] >= 240
            || (self.address.octets()[0] == 0 && prefix != Prefix::DEFAULT);
        if is_bad {
            return Err(DropReason::RipDestination);
        }
        match u8::try_from(self.metric) {
            Ok(metric @ 1..=INFINITY) => Ok((prefix, metric)),
            _ => Err(DropReason::RipMetric),
        }
    }

    /// The network it is about.
    pub(super) fn prefix(&self) -> Result<Prefix, DropReason> {
        let bits = self.mask.to_bits();
        let len = match bits {
            0 if self.address.is_unspecified() => 0,
            // RFC 2453 4.3: no mask is included, so the address says by its class.
            0 => natural_len(self.address),
            _ if bits.leading_ones() == bits.count_ones() => bits.leading_ones(),
            _ => return Err(DropReason::RipMask),
        };
        let prefix = u8::try_from(len).ok().and_then(|len| Prefix::new(self.address, len));
        prefix.ok_or(DropReason::RipMask)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Self {
            family: half(0)?,
            tag: half(2)?,
            address: Ipv4Addr::from_bits(word(4)?),
            mask: Ipv4Addr::from_bits(word(8)?),
            next_hop: Ipv4Addr::from_bits(word(12)?),
            metric: word(16)?,
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.family.to_be_bytes());
        bytes.extend(self.tag.to_be_bytes());
        for address in [self.address, self.mask, self.next_hop] {
            bytes.extend(address.octets());
        }
        bytes.extend(self.metric.to_be_bytes());
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mask {} metric {}", self.address, self.mask, self.metric)
    }
}

/// RFC 791 3.2: classes A, B and C.
fn natural_len(address: Ipv4Addr) -> u32 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    }
}

impl Message {
    /// Reads a datagram's payload; or why it is discarded (RFC 2453 3.6 and 4).
    pub(super) fn read(payload: &[u8]) -> Result<Self, (DropReason, String)> {
        let bad = |detail: String| Err((DropReason::RipMalformed, detail));
        let Some(([command, version, ..], body)) = payload.split_first_chunk::<HEADER>() else {
            return bad(format!("{} bytes", payload.len()));
        };
        if *version < VERSION {
            return Err((DropReason::RipVersion, format!("version {version}")));
        }
        let command = match command {
            1 => Command::Request,
            2 => Command::Response,
            other => return bad(format!("command {other}")),
        };
        if !body.len().is_multiple_of(ENTRY) || body.len() > ENTRIES * ENTRY {
            return bad(format!("{} bytes of entries of {ENTRY} bytes each", body.len()));
        }
        let mut message = Self { command, entries: Vec::new(), password: None };
        for (n, bytes) in body.chunks_exact(ENTRY).enumerate() {
            match Entry::read(bytes) {
                // RFC 2453 4.1: only the first entry may be it.
                Some(entry) if entry.family == AUTHENTICATION && n == 0 => {
                    if entry.tag != SIMPLE_PASSWORD {
                        let detail = format!("authentication of type {}", entry.tag);
                        return Err((DropReason::RipAuthentication, detail));
                    }
                    message.password = bytes.last_chunk::<PASSWORD>().copied();
                }
                entry => message.entries.extend(entry),
            }
        }
        Ok(message)
    }

    /// RFC 2453 3.9.1: exactly one entry, of no address family and an infinite metric.
    pub(super) fn asks_for_everything(&self) -> bool {
        matches!(self.entries[..], [entry] if entry.family == 0 && entry.metric == u32::from(INFINITY))
    }
}

/// `entries` in as many messages as it takes.
pub(super) fn write(command: Command, entries: &[Entry], password: Option<&[u8; PASSWORD]>) -> Vec<Vec<u8>> {
    let room = ENTRIES - usize::from(password.is_some());
    let message = |entries: &[Entry]| {
        let command = match command {
            Command::Request => 1,
            Command::Response => 2,
        };
        let mut bytes = Vec::with_capacity(HEADER + (entries.len() + 1) * ENTRY);
        bytes.extend([command, VERSION, 0, 0]);
        if let Some(password) = password {
            bytes.extend(AUTHENTICATION.to_be_bytes());
            bytes.extend(SIMPLE_PASSWORD.to_be_bytes());
            bytes.extend(password);
        }
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        bytes
    };
    entries.chunks(room).map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(address: [u8; 4], mask: [u8; 4], metric: u32) -> Entry {
        Entry {
            address: address.into(),
            mask: mask.into(),
            metric,
            ..Entry::route(Prefix::DEFAULT, Ipv4Addr::UNSPECIFIED, 0, 1)
        }
    }

    fn prefix(address: [u8; 4], len: u8) -> Prefix {
        Prefix::new(address.into(), len).unwrap()
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let entries = [
            Entry::route(prefix([10, 0, 2, 0], 24), Ipv4Addr::UNSPECIFIED, 7, 3),
            Entry::route(Prefix::DEFAULT, Ipv4Addr::new(10, 0, 1, 9), 0, INFINITY),
        ];
        let bytes = write(Command::Response, &entries, None);
        assert_eq!(bytes[0][..8], [2, 2, 0, 0, 0, 2, 0, 7]);
        let message = Message::read(&bytes[0]).unwrap();
        assert_eq!(
            message,
            Message { command: Command::Response, entries: entries.to_vec(), password: None }
        );
        assert_eq!(message.entries[0].checked(), Ok((prefix([10, 0, 2, 0], 24), 3)));
        assert_eq!(message.entries[1].checked(), Ok((Prefix::DEFAULT, INFINITY)));
    }

    #[test]
    fn twenty_five_entries_fill_a_message_and_a_password_takes_the_place_of_one() {
        let entries = vec![route([10, 0, 0, 0], [255, 0, 0, 0], 1); 51];
        let lengths = |password| -> Vec<usize> {
            let messages = write(Command::Response, &entries, password);
            messages.iter().map(|bytes| Message::read(bytes).unwrap().entries.len()).collect()
        };
        assert_eq!(lengths(None), [25, 25, 1]);
        assert_eq!(lengths(Some(&[b'x'; PASSWORD])), [24, 24, 3]);
        assert_eq!(write(Command::Response, &entries, None)[0].len(), 504);
    }

    #[test]
    fn the_request_for_everything_is_known() {
        let bytes = write(Command::Request, &[Entry::everything()], None);
        assert_eq!(bytes[0].len(), 24);
        assert!(Message::read(&bytes[0]).unwrap().asks_for_everything());
        let one = write(Command::Request, &[route([10, 0, 0, 0], [255, 0, 0, 0], 16)], None);
        assert!(!Message::read(&one[0]).unwrap().asks_for_everything());
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        let reason = |bytes: &[u8]| Message::read(bytes).unwrap_err().0;
        assert_eq!(reason(&[2, 2, 0]), DropReason::RipMalformed);
        assert_eq!(reason(&[3, 2, 0, 0]), DropReason::RipMalformed);
        assert_eq!(reason(&[2, 1, 0, 0]), DropReason::RipVersion);
        assert_eq!(reason(&[[2, 2, 0, 0].as_slice(), &[0; 19]].concat()), DropReason::RipMalformed);
        assert_eq!(reason(&[[2, 2, 0, 0].as_slice(), &[0; 26 * 20]].concat()), DropReason::RipMalformed);
        let mut signed = [0; 24];
        signed[..8].copy_from_slice(&[2, 2, 0, 0, 0xff, 0xff, 0, 3]);
        assert_eq!(reason(&signed), DropReason::RipAuthentication);
        assert!(Message::read(&[2, 3, 9, 9]).is_ok(), "RFC 2453 4: a later version is read as this one");
    }

    #[test]
    fn the_checks_of_single_entries() {
        let check = |entry: Entry| entry.checked().unwrap_err();
        let good = route([10, 0, 0, 0], [255, 0, 0, 0], 1);
        assert!(good.checked().is_ok());
        assert_eq!(check(Entry { family: 9, ..good }), DropReason::RipAddressFamily);
        assert_eq!(check(Entry { metric: 0, ..good }), DropReason::RipMetric);
        assert_eq!(check(Entry { metric: 17, ..good }), DropReason::RipMetric);
        assert_eq!(check(Entry { metric: 65_537, ..good }), DropReason::RipMetric);
        for address in [[127, 0, 0, 0], [224, 0, 0, 0], [240, 0, 0, 0], [0, 1, 0, 0], [255; 4]] {
            assert_eq!(check(route(address, [255, 255, 0, 0], 1)), DropReason::RipDestination, "{address:?}");
        }
        assert_eq!(check(route([10, 0, 0, 0], [255, 0, 255, 0], 1)), DropReason::RipMask);
        assert_eq!(route([172, 16, 0, 0], [0; 4], 1).checked(), Ok((prefix([172, 16, 0, 0], 16), 1)));
    }

    #[test]
    fn no_bytes_panic() {
        let bytes = write(Command::Response, &[Entry::everything(); 3], Some(&[7; PASSWORD])).concat();
        for end in 0..bytes.len() {
            let _ = Message::read(&bytes[..end])
                .map(|message| message.entries[..].iter().map(Entry::checked).count());
        }
    }
}
