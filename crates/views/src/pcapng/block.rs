//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng, "PCAP Now Generic"), each as its bytes.
//! The draft's own sentences stand above the bytes that they ask for.

use glasstack_journal::event::{Direction, MacAddress, Medium};
use glasstack_journal::{Instant, WallTime};
use std::net::IpAddr;
use std::time::Duration;

/// Longer packets are cut: Wireshark refuses a file that holds one larger than this, in bytes.
pub(super) const LONGEST_PACKET: usize = 262_144;

/// "Section Header Block": "It identifies the beginning of a section of the capture file."
pub(super) fn section_header(application: &str, comment: &str) -> Vec<u8> {
    let mut body = Vec::new();
    // "Byte-Order Magic (32 bits): an unsigned magic number, whose value is the hexadecimal number
    // 0x1A2B3C4D." Everything here is little-endian.
    body.extend(0x1A2B_3C4D_u32.to_le_bytes());
    // "Major Version [...] current value is 1", "Minor Version [...] current value is 0".
    body.extend(1u16.to_le_bytes());
    body.extend(0u16.to_le_bytes());
    // "Section Length [...] the value 0xFFFFFFFFFFFFFFFF [...] indicates that the size of the section
    // is not specified": a file that is still being written cannot know.
    body.extend(u64::MAX.to_le_bytes());
    // "opt_comment 1", "shb_userappl 4: the name of the application used to create this section".
    option(&mut body, 1, comment.as_bytes());
    option(&mut body, 4, application.as_bytes());
    end_of_options(&mut body);
    block(0x0A0D_0D0A, body)
}

/// What an Interface Description Block tells.
pub(super) struct InterfaceDescription<'a> {
    pub(super) name: &'a str,
    pub(super) description: &'a str,
    pub(super) medium: Medium,
    pub(super) address: Option<(IpAddr, u8)>,
    pub(super) mac: Option<MacAddress>,
}

/// "Interface Description Block": "the container for information describing an interface on which
/// packet data is captured."
pub(super) fn interface_description(interface: &InterfaceDescription<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    // "LinkType (16 bits): an unsigned value that defines the link layer type of this interface."
    // 1 is LINKTYPE_ETHERNET, 101 LINKTYPE_RAW (bare IPv4 or IPv6).
    let link_type: u16 = match interface.medium {
        Medium::Ethernet => 1,
        Medium::Ip => 101,
    };
    body.extend(link_type.to_le_bytes());
    // "Reserved (16 bits): not used - MUST be filled with 0 by pcapng file writers".
    body.extend(0u16.to_le_bytes());
    // "SnapLen: [...] 0 indicates no limit."
    body.extend(0u32.to_le_bytes());
    // "if_name 2: the name of the device used to capture data", "if_description 3".
    option(&mut body, 2, interface.name.as_bytes());
    option(&mut body, 3, interface.description.as_bytes());
    match interface.address {
        // "if_IPv4addr 4: an IPv4 network address and corresponding netmask for the interface."
        Some((IpAddr::V4(address), prefix_len)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix_len.min(32))).unwrap_or(0);
            option(&mut body, 4, &[address.octets(), mask.to_be_bytes()].concat());
        }
        // "if_IPv6addr 5: an IPv6 network address and corresponding prefix length for the interface."
        Some((IpAddr::V6(address), prefix_len)) => {
            option(&mut body, 5, &[&address.octets()[..], &[prefix_len]].concat());
        }
        None => {}
    }
    if let Some(mac) = interface.mac {
        // "if_MACaddr 6: the Interface Hardware MAC address (48 bits), if available."
        option(&mut body, 6, &mac.0);
    }
    // "if_tsresol 9: the resolution of timestamps. If the Most Significant Bit is equal to zero, the
    // remaining bits indicate the resolution of the timestamp as a negative power of 10": nanoseconds.
    option(&mut body, 9, &[9]);
    end_of_options(&mut body);
    block(1, body)
}

/// "Name Resolution Block": "used to support the correlation of numeric addresses (present in the
/// captured packets) and their corresponding canonical names".
pub(super) fn name_resolution(names: &[(IpAddr, String)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (address, name) in names {
        // "nrb_record_ipv4 1", "nrb_record_ipv6 2": the address, "followed by one or more
        // zero-terminated UTF-8 strings containing the DNS entries for that address".
        let (kind, octets) = match address {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        let name: Vec<u8> = name.bytes().filter(|byte| *byte != 0).take(255).collect();
        option(&mut body, kind, &[octets, name, vec![0]].concat());
    }
    // "nrb_record_end 0: delimits the end of name resolution records."
    end_of_options(&mut body);
    block(4, body)
}

/// "Decryption Secrets Block": "(session) secrets that enable decryption of packets within the
/// capture file". It stands before the packets that need it.
pub(super) fn decryption_secrets(key_log: &str) -> Vec<u8> {
    let mut body = Vec::new();
    // "Secrets Type: 0x544c534b: TLS Key Log. This format is described at NSS Key Log Format."
    body.extend(0x544c_534b_u32.to_le_bytes());
    // "Secrets Length (32 bits): an unsigned value that indicates the size of the following Secrets
    // Data field, without any padding bytes."
    body.extend(u32::try_from(key_log.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend(key_log.as_bytes());
    block(10, body)
}

/// How a packet came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reception {
    Unspecified,
    Unicast,
    Multicast,
    Broadcast,
    Promiscuous,
}

/// What an Enhanced Packet Block tells beside the packet itself.
pub(super) struct PacketInfo<'a> {
    pub(super) interface: u32,
    pub(super) at: Timestamp,
    pub(super) direction: Direction,
    pub(super) reception: Reception,
    pub(super) id: u64,
    pub(super) comments: &'a [String],
}

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) u64);

impl Timestamp {
    pub(super) fn of(epoch: WallTime, at: Instant) -> Self {
        Self((epoch + Duration::from_nanos(at.as_nanos())).unix_nanos())
    }
}

/// "Enhanced Packet Block": "the standard container for storing the packets coming from the network."
pub(super) fn enhanced_packet(info: &PacketInfo<'_>, packet: &[u8]) -> Vec<u8> {
    let captured = packet.get(..LONGEST_PACKET).unwrap_or(packet);
    let mut body = Vec::with_capacity(captured.len() + 128);
    // "Interface ID: [...] the interface on which this packet was received or transmitted".
    body.extend(info.interface.to_le_bytes());
    // "Timestamp (Upper) (32 bits) and Timestamp (Lower) (32 bits)": the high half comes first.
    body.extend(((info.at.0 >> 32) as u32).to_le_bytes());
    body.extend((info.at.0 as u32).to_le_bytes());
    // "Captured Packet Length", "Original Packet Length".
    for bytes in [captured, packet] {
        body.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    // "Packet Data: [...] padded to 32 bits".
    body.extend(captured);
    pad(&mut body);
    for comment in info.comments {
        option(&mut body, 1, comment.as_bytes());
    }
    option(&mut body, 2, &flags(info.direction, info.reception).to_le_bytes());
    // "epb_packetid 5: a 64-bit unsigned integer that uniquely identifies the packet. If the same
    // packet is seen by multiple interfaces [...] the same epb_packetid value must be used."
    option(&mut body, 5, &info.id.to_le_bytes());
    end_of_options(&mut body);
    block(6, body)
}

/// "Enhanced Packet Block Flags Word": "0-1: Inbound / Outbound packet (00 = information not
/// available, 01 = inbound, 10 = outbound)", "2-4: Reception type (000 = not specified, 001 =
/// unicast, 010 = multicast, 011 = broadcast, 100 = promiscuous)".
fn flags(direction: Direction, reception: Reception) -> u32 {
    let direction = match direction {
        Direction::In => 0b01,
        Direction::Out => 0b10,
    };
    let reception = match reception {
        Reception::Unspecified => 0b000,
        Reception::Unicast => 0b001,
        Reception::Multicast => 0b010,
        Reception::Broadcast => 0b011,
        Reception::Promiscuous => 0b100,
    };
    direction | reception << 2
}

/// "General Block Structure": "Block Type", "Block Total Length: the total size of this block, in
/// octets", "Block Body: [...] padded to 32 bits", and the length once more, "to permit backward file
/// navigation".
fn block(kind: u32, mut body: Vec<u8>) -> Vec<u8> {
    pad(&mut body);
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(body.len() + 12);
    bytes.extend(kind.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(body);
    bytes.extend(length.to_le_bytes());
    bytes
}

/// "Options": "Option Type", "Option Length [...] without the padding octets", "Option Value [...]
/// padded to a 32-bit boundary".
fn option(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    body.extend(kind.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// "opt_endofopt 0: [...] delimits the end of the optional fields."
fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}
