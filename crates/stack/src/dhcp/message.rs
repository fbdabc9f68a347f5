//! A DHCP message as it stands in a datagram (RFC 2131 2, options: RFC 2132).

use glasstack_journal::event::MacAddress;
use std::fmt;
use std::net::Ipv4Addr;

/// Where the options begin: behind the fixed fields and the magic cookie.
const OPTIONS: usize = 240;
/// RFC 2131 3: what distinguishes options from BOOTP's vendor area.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// RFC 1542 2.1: no BOOTP message is shorter, and some relays drop what is.
const SHORTEST: usize = 300;
/// Ethernet (RFC 1700).
const ETHERNET: u8 = 1;

/// What a message is (RFC 2132 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client looks for servers.
    Discover,
    /// A server offers an address.
    Offer,
    /// A client asks for the address offered, or for its old one.
    Request,
    /// A client has found the address in use.
    Decline,
    /// A server grants it.
    Ack,
    /// A server refuses.
    Nak,
    /// A client gives its address back.
    Release,
    /// A client that has an address asks for the rest.
    Inform,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Ack,
        Self::Nak,
        Self::Release,
        Self::Inform,
    ];

    fn number(self) -> u8 {
        match self {
            Self::Discover => 1,
            Self::Offer => 2,
            Self::Request => 3,
            Self::Decline => 4,
            Self::Ack => 5,
            Self::Nak => 6,
            Self::Release => 7,
            Self::Inform => 8,
        }
    }

    /// BOOTREPLY instead of BOOTREQUEST.
    fn is_from_server(self) -> bool {
        matches!(self, Self::Offer | Self::Ack | Self::Nak)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discover => "DHCPDISCOVER",
            Self::Offer => "DHCPOFFER",
            Self::Request => "DHCPREQUEST",
            Self::Decline => "DHCPDECLINE",
            Self::Ack => "DHCPACK",
            Self::Nak => "DHCPNAK",
            Self::Release => "DHCPRELEASE",
            Self::Inform => "DHCPINFORM",
        })
    }
}

/// A message. Fields that only a relay uses are left out: there is none here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Which exchange it belongs to.
    pub transaction: u32,
    /// Whether the client cannot take a unicast answer yet (RFC 2131 4.1).
    pub broadcast: bool,
    /// The address that the client has (`ciaddr`), or 0.0.0.0.
    pub client_address: Ipv4Addr,
    /// The address that the client gets (`yiaddr`), or 0.0.0.0.
    pub your_address: Ipv4Addr,
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
            broadcast: false,
            client_address: Ipv4Addr::UNSPECIFIED,
            your_address: Ipv4Addr::UNSPECIFIED,
            client_mac,
            client_id: None,
            requested: None,
            server: None,
            lease: None,
            prefix_len: None,
            routers: Vec::new(),
            name_servers: Vec::new(),
            domain: None,
            mtu: None,
            host_name: None,
            text: None,
        }
    }

    /// Reads a datagram. Unknown options are passed over; those that overflow into the `file` and
    /// `sname` fields (option 52) are not looked for: nobody sends them where so little is said.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadMessage> {
        let (fixed, options) = bytes.split_at_checked(OPTIONS).ok_or(BadMessage::Short(bytes.len()))?;
        if fixed.get(236..) != Some(&COOKIE) {
            return Err(BadMessage::NoCookie);
        }
        let at = |index: usize| fixed.get(index).copied().unwrap_or(0);
        if (at(1), at(2)) != (ETHERNET, 6) {
            return Err(BadMessage::Hardware { kind: at(1), length: at(2) });
        }
        let address = |index: usize| Ipv4Addr::new(at(index), at(index + 1), at(index + 2), at(index + 3));
        let mac = MacAddress([at(28), at(29), at(30), at(31), at(32), at(33)]);
        let transaction = u32::from_be_bytes([at(4), at(5), at(6), at(7)]);
        let mut message = Self {
            broadcast: at(10) & 0x80 != 0,
            client_address: address(12),
            your_address: address(16),
            ..Self::new(Kind::Discover, transaction, mac)
        };
        let mut kind = None;
        let mut rest = options;
        while let Some((&code, behind)) = rest.split_first() {
            match code {
                0 => rest = behind,
                255 => break,
                _ => {
                    let value = behind.split_first().and_then(|(&n, rest)| rest.split_at_checked(n.into()));
                    let (value, behind) = value.ok_or(BadMessage::Option(code))?;
                    message.read_option(code, value, &mut kind);
                    rest = behind;
                }
            }
        }
        message.kind = kind.ok_or(BadMessage::NoKind)?;
        Ok(message)
    }

    /// An option whose value has the wrong length says nothing.
    fn read_option(&mut self, code: u8, value: &[u8], kind: &mut Option<Kind>) {
        let address = || addresses(value).first().copied();
        let text = || Some(String::from_utf8_lossy(value).trim_end_matches('\0').to_owned());
        match code {
            1 => self.prefix_len = address().map(|mask| mask.to_bits().leading_ones() as u8),
            3 => self.routers = addresses(value),
            6 => self.name_servers = addresses(value),
            12 => self.host_name = text(),
            15 => self.domain = text(),
            26 => self.mtu = value.try_into().ok().map(u16::from_be_bytes),
            50 => self.requested = address(),
            51 => self.lease = value.try_into().ok().map(u32::from_be_bytes),
            53 => *kind = Kind::ALL.into_iter().find(|kind| value == [kind.number()]),
            54 => self.server = address(),
            56 => self.text = text(),
            61 => self.client_id = Some(value.to_vec()),
            _ => {}
        }
    }

    /// The datagram.
    pub fn emit(&self) -> Vec<u8> {
        let mut bytes = vec![if self.kind.is_from_server() { 2 } else { 1 }, ETHERNET, 6, 0];
        bytes.extend(self.transaction.to_be_bytes());
        bytes.extend([0, 0, if self.broadcast { 0x80 } else { 0 }, 0]);
        bytes.extend(self.client_address.octets());
        bytes.extend(self.your_address.octets());
        // siaddr and giaddr: no boot server, no relay. Then chaddr's 16 bytes.
        bytes.extend([0; 8]);
        bytes.extend(self.client_mac.0);
        // The rest of chaddr, sname and file.
        bytes.resize(OPTIONS - COOKIE.len(), 0);
        bytes.extend(COOKIE);
        self.emit_options(&mut bytes);
        bytes.push(255);
        bytes.resize(bytes.len().max(SHORTEST), 0);
        bytes
    }

    fn emit_options(&self, bytes: &mut Vec<u8>) {
        let mut option = |code: u8, value: &[u8]| {
            if let (false, Ok(length)) = (value.is_empty(), u8::try_from(value.len())) {
                bytes.extend([code, length]);
                bytes.extend(value);
            }
        };
        let list = |addresses: &[Ipv4Addr]| addresses.iter().flat_map(|a| a.octets()).collect::<Vec<u8>>();
        option(53, &[self.kind.number()]);
        if let Some(server) = self.server {
            option(54, &server.octets());
        }
        if let Some(lease) = self.lease {
            option(51, &lease.to_be_bytes());
            // RFC 2131 4.4.5: renewed at half the time, with any server at seven eighths.
            if self.kind.is_from_server() {
                option(58, &(lease / 2).to_be_bytes());
                option(59, &(lease / 8 * 7).to_be_bytes());
            }
        }
        if let Some(len) = self.prefix_len {
            let mask = u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0);
            option(1, &mask.to_be_bytes());
        }
        option(3, &list(&self.routers));
        option(6, &list(&self.name_servers));
        option(15, self.domain.as_deref().unwrap_or_default().as_bytes());
        if let Some(mtu) = self.mtu {
            option(26, &mtu.to_be_bytes());
        }
        if let Some(requested) = self.requested {
            option(50, &requested.octets());
        }
        option(12, self.host_name.as_deref().unwrap_or_default().as_bytes());
        option(56, self.text.as_deref().unwrap_or_default().as_bytes());
        option(61, self.client_id.as_deref().unwrap_or_default());
    }
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
            lease: Some(3600),
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
        for kind in Kind::ALL {
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
