//! A DHCP message as it stands in a datagram (RFC 2131 2, options: RFC 2132).

use glasstack_journal::event::MacAddress;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Where the options begin: behind the fixed fields and the magic cookie.
const OPTIONS: usize = 240;
/// RFC 2131 3: what distinguishes options from BOOTP's vendor area.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// RFC 1542 2.1: no BOOTP message is shorter, and some relays drop what is.
const SHORTEST: usize = 300;
/// Ethernet (RFC 1700).
const ETHERNET: u8 = 1;
/// The fields `sname` and `file`, and the options that may overflow into them (RFC 2132 9.3).
const SERVER_NAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;

/// What a message is (RFC 2132 9.6).
pub use glasstack_journal::event::DhcpKind as Kind;

/// Every kind, at the place of its number less one.
const KINDS: [Kind; 8] = [
    Kind::Discover,
    Kind::Offer,
    Kind::Request,
    Kind::Decline,
    Kind::Ack,
    Kind::Nak,
    Kind::Release,
    Kind::Inform,
];

fn number(kind: Kind) -> u8 {
    (1..).zip(KINDS).find(|(_, known)| *known == kind).map_or(0, |(number, _)| number)
}

/// The op code (RFC 2131 2): 1, BOOTREQUEST, or 2, BOOTREPLY.
fn op(kind: Kind) -> u8 {
    if matches!(kind, Kind::Offer | Kind::Ack | Kind::Nak) { 2 } else { 1 }
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Which exchange it belongs to.
    pub transaction: u32,
    /// Since when the client has been asking, in seconds (`secs`).
    pub elapsed: u16,
    /// Whether the client cannot take a unicast answer yet (RFC 2131 4.1).
    pub broadcast: bool,
    /// The address that the client has (`ciaddr`), or 0.0.0.0.
    pub client_address: Ipv4Addr,
    /// The address that the client gets (`yiaddr`), or 0.0.0.0.
    pub your_address: Ipv4Addr,
    /// The relay that it came through (`giaddr`), or 0.0.0.0. There is none here, and what comes
    /// through one is not for servers of one link.
    pub relay: Ipv4Addr,
    /// The client's MAC address (`chaddr`).
    pub client_mac: MacAddress,
    /// What the client calls itself (option 61); without it, its MAC address stands for it.
    pub client_id: Option<Vec<u8>>,
    /// The address that the client would like (option 50).
    pub requested: Option<Ipv4Addr>,
    /// Which server is meant, or speaks (option 54).
    pub server: Option<Ipv4Addr>,
    /// How long the address is the client's, in seconds (option 51).
    pub lease: Option<u32>,
    /// After how many seconds it is renewed with this server (option 58, T1).
    pub renew_after: Option<u32>,
    /// After how many seconds it is renewed with any server (option 59, T2).
    pub rebind_after: Option<u32>,
    /// The length of the network prefix, in bits (option 1, a mask).
    pub prefix_len: Option<u8>,
    /// The default gateways (option 3), the best first.
    pub routers: Vec<Ipv4Addr>,
    /// The name servers (option 6), the best first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain for names without a dot (option 15).
    pub domain: Option<String>,
    /// The link's MTU in bytes (option 26).
    pub mtu: Option<u16>,
    /// The client's name (option 12).
    pub host_name: Option<String>,
    /// The options that the client wants (option 55), by number.
    pub wishes: Vec<u8>,
    /// The longest message that the client takes, in bytes (option 57).
    pub longest: Option<u16>,
    /// What the server has to say (option 56), to a refusal.
    pub text: Option<String>,
}

/// A datagram is no DHCP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// The fixed fields are not all there.
    #[error("{0} bytes: a DHCP message has at least 240 (RFC 2131 2)")]
    Short(usize),
    /// The magic cookie is another one.
    #[error("it begins like a BOOTP message but has no DHCP options (RFC 2131 3)")]
    NoCookie,
    /// The hardware is not Ethernet.
    #[error("hardware type {kind} with addresses of {length} bytes is not Ethernet")]
    Hardware {
        /// The number of the type.
        kind: u8,
        /// The length of its addresses.
        length: u8,
    },
    /// Option 53 is missing, or its value means nothing.
    #[error("it does not say what kind of message it is (option 53, RFC 2132 9.6)")]
    NoKind,
    /// A client's message with a server's op code, or the other way round.
    #[error("a {kind} with op code {op} (RFC 2131 2: 1 is a client's, 2 a server's)")]
    Op {
        /// What it says that it is.
        kind: Kind,
        /// Its first byte.
        op: u8,
    },
    /// An option ends outside the message.
    #[error("option {0} is longer than the message")]
    Option(u8),
}

impl Message {
    /// A message with nothing in it but who it is about.
    pub fn new(kind: Kind, transaction: u32, client_mac: MacAddress) -> Self {
        Self {
            kind,
            transaction,
            elapsed: 0,
            broadcast: false,
            client_address: Ipv4Addr::UNSPECIFIED,
            your_address: Ipv4Addr::UNSPECIFIED,
            relay: Ipv4Addr::UNSPECIFIED,
            client_mac,
            client_id: None,
            requested: None,
            server: None,
            lease: None,
            renew_after: None,
            rebind_after: None,
            prefix_len: None,
            routers: Vec::new(),
            name_servers: Vec::new(),
            domain: None,
            mtu: None,
            host_name: None,
            wishes: Vec::new(),
            longest: None,
            text: None,
        }
    }

    /// Reads a datagram. Unknown options are passed over, and so are those whose values have the
    /// wrong length: they say nothing.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadMessage> {
        let (fixed, behind) = bytes.split_at_checked(OPTIONS).ok_or(BadMessage::Short(bytes.len()))?;
        if fixed.get(236..) != Some(&COOKIE) {
            return Err(BadMessage::NoCookie);
        }
        let at = |index: usize| fixed.get(index).copied().unwrap_or(0);
        if (at(1), at(2)) != (ETHERNET, 6) {
            return Err(BadMessage::Hardware { kind: at(1), length: at(2) });
        }
        let options = all_options(fixed, behind)?;
        let kind =
            options.get(&53).and_then(|value| KINDS.into_iter().find(|kind| *value == [number(*kind)]));
        let kind = kind.ok_or(BadMessage::NoKind)?;
        if at(0) != op(kind) {
            return Err(BadMessage::Op { kind, op: at(0) });
        }
        let address = |index: usize| Ipv4Addr::new(at(index), at(index + 1), at(index + 2), at(index + 3));
        let mac = MacAddress([at(28), at(29), at(30), at(31), at(32), at(33)]);
        let mut message = Self {
            elapsed: u16::from_be_bytes([at(8), at(9)]),
            broadcast: at(10) & 0x80 != 0,
            client_address: address(12),
            your_address: address(16),
            relay: address(24),
            ..Self::new(kind, u32::from_be_bytes([at(4), at(5), at(6), at(7)]), mac)
        };
        for (code, value) in &options {
            message.read_option(*code, value);
        }
        Ok(message)
    }

    fn read_option(&mut self, code: u8, value: &[u8]) {
        let address = || <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from);
        let seconds = || value.try_into().ok().map(u32::from_be_bytes);
        let short = || value.try_into().ok().map(u16::from_be_bytes);
        let text = || {
            Some(String::from_utf8_lossy(value).trim_end_matches('\0').replace(char::is_control, "\u{fffd}"))
        };
        match code {
            1 => self.prefix_len = address().and_then(prefix_len),
            3 => self.routers = addresses(value),
            6 => self.name_servers = addresses(value),
            12 => self.host_name = text(),
            15 => self.domain = text(),
            26 => self.mtu = short(),
            50 => self.requested = address(),
            51 => self.lease = seconds(),
            54 => self.server = address(),
            55 => self.wishes = value.to_vec(),
            56 => self.text = text(),
            57 => self.longest = short(),
            58 => self.renew_after = seconds(),
            59 => self.rebind_after = seconds(),
            61 => self.client_id = Some(value.to_vec()),
            _ => {}
        }
    }

    /// The datagram.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![op(self.kind), ETHERNET, 6, 0];
        bytes.extend(self.transaction.to_be_bytes());
        bytes.extend(self.elapsed.to_be_bytes());
        bytes.extend([if self.broadcast { 0x80 } else { 0 }, 0]);
        bytes.extend(self.client_address.octets());
        bytes.extend(self.your_address.octets());
        // siaddr: no boot server.
        bytes.extend([0; 4]);
        bytes.extend(self.relay.octets());
        bytes.extend(self.client_mac.0);
        // The rest of chaddr's 16 bytes, sname and file.
        bytes.resize(OPTIONS - COOKIE.len(), 0);
        bytes.extend(COOKIE);
        self.emit_options(&mut bytes);
        bytes.push(255);
        bytes.resize(bytes.len().max(SHORTEST), 0);
        bytes
    }

    fn emit_options(&self, bytes: &mut Vec<u8>) {
        let mut option = |code: u8, value: &[u8]| {
            // RFC 3396: what is too long for one option goes on in the next.
            for piece in value.chunks(usize::from(u8::MAX)) {
                bytes.extend(u8::try_from(piece.len()).iter().flat_map(|length| [code, *length]));
                bytes.extend(piece);
            }
        };
        let list = |addresses: &[Ipv4Addr]| addresses.iter().flat_map(|a| a.octets()).collect::<Vec<u8>>();
        let mask = |len: u8| u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0);
        option(53, &[number(self.kind)]);
        option(54, &octets(self.server.map(|server| server.octets())));
        option(51, &octets(self.lease.map(u32::to_be_bytes)));
        option(58, &octets(self.renew_after.map(u32::to_be_bytes)));
        option(59, &octets(self.rebind_after.map(u32::to_be_bytes)));
        option(1, &octets(self.prefix_len.map(|len| mask(len).to_be_bytes())));
        option(3, &list(&self.routers));
        option(6, &list(&self.name_servers));
        option(15, self.domain.as_deref().unwrap_or_default().as_bytes());
        option(26, &octets(self.mtu.map(u16::to_be_bytes)));
        option(50, &octets(self.requested.map(|address| address.octets())));
        option(12, self.host_name.as_deref().unwrap_or_default().as_bytes());
        option(57, &octets(self.longest.map(u16::to_be_bytes)));
        option(55, &self.wishes);
        option(56, self.text.as_deref().unwrap_or_default().as_bytes());
        option(61, self.client_id.as_deref().unwrap_or_default());
    }
}

/// A value of a fixed length, or none: no option then.
fn octets<const N: usize>(value: Option<[u8; N]>) -> Vec<u8> {
    value.map(|value| value.to_vec()).unwrap_or_default()
}

/// Every option, wherever it stands. RFC 3396: pieces of the same option make one value, first
/// those of the option field, then those that overflow into `file`, then those in `sname`.
fn all_options(fixed: &[u8], behind: &[u8]) -> Result<BTreeMap<u8, Vec<u8>>, BadMessage> {
    let mut options = BTreeMap::new();
    gather(behind, &mut options)?;
    // RFC 2132 9.3: 1 is file, 2 is sname, 3 is both.
    let overload = match options.get(&52).map(Vec::as_slice) {
        Some([which @ 1..=3]) => *which,
        _ => 0,
    };
    for (bit, field) in [(1, FILE), (2, SERVER_NAME)] {
        if overload & bit != 0 {
            gather(fixed.get(field).unwrap_or_default(), &mut options)?;
        }
    }
    Ok(options)
}

fn gather(mut rest: &[u8], into: &mut BTreeMap<u8, Vec<u8>>) -> Result<(), BadMessage> {
    while let Some((&code, behind)) = rest.split_first() {
        match code {
            0 => rest = behind,
            255 => break,
            _ => {
                let value = behind.split_first().and_then(|(&n, rest)| rest.split_at_checked(n.into()));
                let (value, behind) = value.ok_or(BadMessage::Option(code))?;
                into.entry(code).or_default().extend(value);
                rest = behind;
            }
        }
    }
    Ok(())
}

/// The length of a prefix whose mask this is; none if its bits have a gap.
fn prefix_len(mask: Ipv4Addr) -> Option<u8> {
    let ones = mask.to_bits().leading_ones();
    (mask.to_bits().count_ones() == ones).then(|| u8::try_from(ones).ok()).flatten()
}

fn addresses(value: &[u8]) -> Vec<Ipv4Addr> {
    let (whole, _) = value.as_chunks::<4>();
    whole.iter().map(|octets| Ipv4Addr::from_octets(*octets)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 7]);

    fn full() -> Message {
        Message {
            broadcast: true,
            client_address: Ipv4Addr::new(10, 0, 0, 9),
            your_address: Ipv4Addr::new(10, 0, 0, 8),
            client_id: Some(vec![1, 2, 3]),
            requested: Some(Ipv4Addr::new(10, 0, 0, 7)),
            server: Some(Ipv4Addr::new(10, 0, 0, 1)),
            elapsed: 9,
            relay: Ipv4Addr::new(10, 0, 0, 4),
            lease: Some(3600),
            renew_after: Some(1800),
            rebind_after: Some(3150),
            wishes: vec![1, 3, 6],
            longest: Some(1500),
            prefix_len: Some(20),
            routers: vec![Ipv4Addr::new(10, 0, 0, 1)],
            name_servers: vec![Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)],
            domain: Some("lab.test".to_owned()),
            mtu: Some(1400),
            host_name: Some("me".to_owned()),
            text: Some("no".to_owned()),
            ..Message::new(Kind::Ack, 0x0102_0304, MAC)
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for kind in KINDS {
            let message = Message { kind, ..full() };
            assert_eq!(Message::parse(&message.emit()), Ok(message));
        }
        let bare = Message::new(Kind::Discover, 7, MAC);
        assert_eq!(bare.emit().len(), 300);
        assert_eq!(Message::parse(&bare.emit()), Ok(bare));
    }

    #[test]
    fn another_reader_finds_the_same() {
        let bytes = full().emit();
        let packet = smoltcp::wire::DhcpPacket::new_checked(&bytes[..]).unwrap();
        let read = smoltcp::wire::DhcpRepr::parse(&packet).unwrap();
        assert_eq!(read.transaction_id, 0x0102_0304);
        assert_eq!(read.client_hardware_address.0, MAC.0);
        assert_eq!(read.your_ip, Ipv4Addr::new(10, 0, 0, 8));
        assert_eq!(read.subnet_mask, Some(Ipv4Addr::new(255, 255, 240, 0)));
        assert_eq!((read.lease_duration, read.renew_duration), (Some(3600), Some(1800)));
        assert_eq!(read.server_identifier, Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(read.dns_servers.map(|servers| servers.len()), Some(2));
        assert!(read.broadcast);
    }

    #[test]
    fn what_is_no_message_is_said_to_be_none_and_why() {
        let good = full().emit();
        assert_eq!(Message::parse(&good[..239]), Err(BadMessage::Short(239)));
        let change = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            Message::parse(&bytes)
        };
        assert_eq!(change(236, 0), Err(BadMessage::NoCookie));
        assert_eq!(change(1, 6), Err(BadMessage::Hardware { kind: 6, length: 6 }));
        assert_eq!(change(242, 9), Err(BadMessage::NoKind));
        assert_eq!(change(241, 255), Err(BadMessage::Option(53)));
        assert_eq!(change(0, 1), Err(BadMessage::Op { kind: Kind::Ack, op: 1 }));
        assert_eq!(change(0, 3), Err(BadMessage::Op { kind: Kind::Ack, op: 3 }));
    }

    /// A message whose option field is `options`.
    fn with_options(options: &[u8]) -> Vec<u8> {
        let mut bytes = Message::new(Kind::Offer, 7, MAC).emit();
        bytes.truncate(OPTIONS);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn options_overflow_into_the_file_and_then_into_the_server_name() {
        let mut bytes = with_options(&[53, 1, 2, 52, 1, 3, 15, 3, b'l', b'a', b'b', 255]);
        bytes[FILE.start..FILE.start + 7].copy_from_slice(&[15, 5, b'.', b't', b'e', b's', b't']);
        bytes[FILE.start + 7] = 255;
        bytes[SERVER_NAME.start..SERVER_NAME.start + 7].copy_from_slice(&[3, 4, 10, 0, 0, 1, 255]);
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.domain.as_deref(), Some("lab.test"), "pieces make one value");
        assert_eq!(message.routers, [Ipv4Addr::new(10, 0, 0, 1)]);
        // What is not said to hold options is not read.
        bytes[245] = 1;
        assert!(Message::parse(&bytes).unwrap().routers.is_empty());
        // An option does not end outside the field that it is in.
        bytes[FILE.end - 2..FILE.end].copy_from_slice(&[15, 9]);
        bytes[FILE.start + 7] = 0;
        assert_eq!(Message::parse(&bytes), Err(BadMessage::Option(15)));
    }

    #[test]
    fn a_value_of_the_wrong_length_says_nothing() {
        let options = [53, 1, 2, 51, 2, 0, 9, 1, 4, 255, 0, 255, 0, 54, 3, 1, 2, 3, 26, 1, 9, 255];
        let message = Message::parse(&with_options(&options)).unwrap();
        assert_eq!((message.lease, message.server, message.mtu), (None, None, None));
        assert_eq!(message.prefix_len, None, "255.0.255.0 is no mask");
        // RFC 3396: two pieces of the kind are a kind of two bytes, which is none.
        assert_eq!(Message::parse(&with_options(&[53, 1, 2, 53, 1, 2])), Err(BadMessage::NoKind));
    }

    /// RFC 2132 2: texts are "NVT ASCII"; what comes in them may end up on a terminal.
    #[test]
    fn no_text_says_anything_to_a_terminal() {
        let options = [53, 1, 2, 56, 7, b'\x1b', b'[', b'2', b'J', b'n', b'o', 0, 12, 2, b'm', b'\n', 255];
        let message = Message::parse(&with_options(&options)).unwrap();
        assert_eq!(message.text.as_deref(), Some("\u{fffd}[2Jno"));
        assert_eq!(message.host_name.as_deref(), Some("m\u{fffd}"));
    }

    #[test]
    fn a_value_longer_than_an_option_goes_on_in_the_next() {
        let name_servers: Vec<Ipv4Addr> = (0..100).map(|n| Ipv4Addr::new(10, 0, 0, n)).collect();
        let message = Message { name_servers, ..Message::new(Kind::Ack, 7, MAC) };
        assert_eq!(Message::parse(&message.emit()), Ok(message));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..120)) {
            let mut bytes = full().emit();
            bytes.truncate(OPTIONS);
            bytes.extend(tail);
            let _ = Message::parse(&bytes);
        }
    }
}
