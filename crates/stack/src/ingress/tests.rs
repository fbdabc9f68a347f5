use super::*;
use etherparse::{PacketBuilder, TcpOptionElement};
use proptest::prelude::*;

const OUR_MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const PEER_MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 2]);
const US: [u8; 4] = [10, 0, 0, 2];
const PEER: [u8; 4] = [10, 0, 0, 1];

fn tcp_packet() -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4(PEER, US, 64)
        .tcp(80, 50_000, 1_000, 8_192)
        .ack(2_000)
        .psh()
        .options(&[
            TcpOptionElement::MaximumSegmentSize(1_460),
            TcpOptionElement::SelectiveAcknowledgementPermitted,
            TcpOptionElement::WindowScale(7),
        ])
        .expect("the options fit")
        .write(&mut bytes, b"hello")
        .expect("the packet is sound");
    bytes
}

fn udp_packet() -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(PEER, US, 64).udp(53, 50_001);
    builder.write(&mut bytes, b"odd").expect("the packet is sound");
    bytes
}

fn icmp_packet() -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = PacketBuilder::ipv4(PEER, US, 64).icmpv4_echo_request(7, 1);
    builder.write(&mut bytes, b"ping").expect("the packet is sound");
    bytes
}

fn framed(destination: MacAddress, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(destination.0);
    frame.extend(PEER_MAC.0);
    frame.extend(ethertype.to_be_bytes());
    frame.extend(payload);
    frame
}

fn arp_request() -> Vec<u8> {
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1];
    arp.extend(PEER_MAC.0);
    arp.extend(PEER);
    arp.extend([0; 6]);
    arp.extend(US);
    arp
}

/// Makes the IP header right again after a test has bent it.
fn with_ip_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    packet[10..12].fill(0);
    let sum = checksum(&[&packet[..20]]).to_be_bytes();
    packet[10..12].copy_from_slice(&sum);
    packet
}

fn transport(bytes: &[u8]) -> Result<Transport<'_>, Discard> {
    parse_transport(&Ipv4Packet::parse(bytes)?)
}

#[track_caller]
fn assert_discarded<T: std::fmt::Debug>(result: Result<T, Discard>, reason: DropReason) {
    let discard = result.expect_err("the packet has to be discarded");
    assert_eq!(discard.reason, reason, "{}", discard.detail);
    assert!(!discard.detail.is_empty());
}

#[test]
fn a_tcp_segment_in_a_frame_arrives_with_its_options_and_payload() {
    let frame = framed(OUR_MAC, 0x0800, &tcp_packet());
    let LinkPacket::Ipv4 { packet, source_mac } =
        parse_link(Medium::Ethernet, OUR_MAC, &frame).expect("the frame is sound")
    else {
        panic!("not IPv4");
    };
    assert_eq!(source_mac, Some(PEER_MAC));
    let Transport::Tcp(tcp) = parse_transport(&packet).expect("the segment is sound") else {
        panic!("not TCP");
    };
    assert_eq!(tcp.source, "10.0.0.1:80".parse().unwrap());
    assert_eq!(tcp.destination, "10.0.0.2:50000".parse().unwrap());
    assert_eq!((tcp.seq, tcp.ack, tcp.window), (1_000, Some(2_000), 8_192));
    assert_eq!(tcp.flags, TcpFlags(TcpFlags::ACK | TcpFlags::PSH));
    assert_eq!(tcp.options, [TcpOption::Mss(1_460), TcpOption::SackPermitted, TcpOption::WindowScale(7)]);
    assert_eq!(tcp.payload, b"hello");
}

#[test]
fn a_bare_packet_on_a_tun_needs_no_frame() {
    let bytes = udp_packet();
    let LinkPacket::Ipv4 { packet, source_mac: None } =
        parse_link(Medium::Ip, OUR_MAC, &bytes).expect("the packet is sound")
    else {
        panic!("not bare IPv4");
    };
    let Transport::Udp(udp) = parse_transport(&packet).expect("the datagram is sound") else {
        panic!("not UDP");
    };
    assert_eq!(udp.payload, b"odd");
}

#[test]
fn the_padding_of_a_short_frame_is_no_payload() {
    let mut frame = framed(OUR_MAC, 0x0800, &udp_packet());
    frame.resize(60, 0xaa);
    let LinkPacket::Ipv4 { packet, .. } =
        parse_link(Medium::Ethernet, OUR_MAC, &frame).expect("the frame is sound")
    else {
        panic!("not IPv4");
    };
    assert_eq!(packet.bytes, udp_packet());
    assert!(parse_transport(&packet).is_ok());
}

#[test]
fn a_frame_for_another_station_is_not_ours_but_a_broadcast_is() {
    let other = MacAddress([2, 0, 0, 0, 0, 9]);
    let frame = framed(other, 0x0806, &arp_request());
    assert_discarded(parse_link(Medium::Ethernet, OUR_MAC, &frame), DropReason::NotOurMac);
    let frame = framed(MacAddress::BROADCAST, 0x0806, &arp_request());
    let LinkPacket::Arp(arp) = parse_link(Medium::Ethernet, OUR_MAC, &frame).expect("the frame is sound")
    else {
        panic!("not ARP");
    };
    let expected = ArpPacket {
        request: true,
        sender_mac: PEER_MAC,
        sender_ip: PEER.into(),
        target_mac: MacAddress([0; 6]),
        target_ip: US.into(),
    };
    assert_eq!(arp, expected);
}

#[test]
fn ethertypes_that_nobody_speaks_are_named() {
    for (ethertype, reason) in [
        (0x86dd, DropReason::Ipv6),
        (0x8100, DropReason::UnknownEtherType),
        (0x88cc, DropReason::UnknownEtherType),
        (38, DropReason::UnknownEtherType),
    ] {
        let frame = framed(OUR_MAC, ethertype, &[0; 46]);
        assert_discarded(parse_link(Medium::Ethernet, OUR_MAC, &frame), reason);
    }
}

#[test]
fn an_arp_packet_of_another_kind_or_from_a_group_is_malformed() {
    for (at, value) in [(1, 6), (2, 0x86), (4, 8), (5, 16), (7, 3), (8, 0x01), (14, 224)] {
        let mut arp = arp_request();
        arp[at] = value;
        let frame = framed(OUR_MAC, 0x0806, &arp);
        assert_discarded(parse_link(Medium::Ethernet, OUR_MAC, &frame), DropReason::BadArp);
    }
}

#[test]
fn an_ip_header_that_contradicts_itself_is_malformed() {
    // version 5; header length 4 words; header longer than the packet; total length shorter than
    // the header; total length longer than what came
    for (at, value) in [(0, 0x55), (0, 0x44), (0, 0x4f), (3, 19), (3, 200)] {
        let mut bytes = udp_packet();
        bytes[at] = value;
        assert_discarded(Ipv4Packet::parse(&with_ip_checksum(bytes)), DropReason::BadIpHeader);
    }
}

#[test]
fn a_flipped_bit_shows_in_the_checksum_of_its_layer() {
    let mut bytes = tcp_packet();
    bytes[8] ^= 1;
    assert_discarded(Ipv4Packet::parse(&bytes), DropReason::BadIpChecksum);
    let mut bytes = tcp_packet();
    *bytes.last_mut().unwrap() ^= 1;
    assert_discarded(transport(&bytes), DropReason::BadTcpChecksum);
    let mut bytes = udp_packet();
    *bytes.last_mut().unwrap() ^= 1;
    assert_discarded(transport(&bytes), DropReason::BadUdpChecksum);
    let mut bytes = icmp_packet();
    *bytes.last_mut().unwrap() ^= 1;
    assert_discarded(transport(&bytes), DropReason::BadIcmpChecksum);
}

#[test]
fn a_pseudo_header_binds_a_segment_to_its_addresses() {
    let mut bytes = tcp_packet();
    bytes[15] ^= 2;
    assert_discarded(transport(&with_ip_checksum(bytes)), DropReason::BadTcpChecksum);
}

#[test]
fn a_udp_checksum_of_zero_means_none() {
    let mut bytes = udp_packet();
    bytes[26..28].fill(0);
    bytes[30] ^= 0xff;
    assert!(transport(&bytes).is_ok());
}

#[test]
fn a_udp_length_beyond_the_packet_or_below_its_header_is_refused() {
    for length in [0, 7, 12] {
        let mut bytes = udp_packet();
        bytes[25] = length;
        assert_discarded(transport(&bytes), DropReason::BadUdpChecksum);
    }
}

#[test]
fn a_data_offset_outside_the_segment_is_refused() {
    for words in [0_u8, 4, 15] {
        let mut bytes = tcp_packet();
        bytes[32] = words << 4;
        bytes[36..38].fill(0);
        let pseudo = pseudo_header(PEER.into(), US.into(), 6, bytes.len() - 20);
        let sum = checksum(&[&pseudo, &bytes[20..]]).to_be_bytes();
        bytes[36..38].copy_from_slice(&sum);
        assert_discarded(transport(&bytes), DropReason::BadTcpHeader);
    }
}

#[test]
fn headers_cut_short_are_truncated() {
    for (protocol, length) in [(6, 19), (17, 7), (1, 7)] {
        let mut bytes = udp_packet();
        bytes.resize(20 + length, 0);
        bytes[3] = 20 + length as u8;
        bytes[9] = protocol;
        assert_discarded(transport(&with_ip_checksum(bytes)), DropReason::Truncated);
    }
    assert_discarded(Ipv4Packet::parse(&[]), DropReason::Truncated);
    assert_discarded(Ipv4Packet::parse(&[0x45; 19]), DropReason::Truncated);
    assert_discarded(parse_link(Medium::Ethernet, OUR_MAC, &[0; 13]), DropReason::Truncated);
}

#[test]
fn a_fragment_is_nobodys_segment() {
    for (byte6, byte7) in [(0x20, 0), (0, 1)] {
        let mut bytes = udp_packet();
        (bytes[6], bytes[7]) = (byte6, byte7);
        let bytes = with_ip_checksum(bytes);
        let packet = Ipv4Packet::parse(&bytes).expect("the header is sound");
        assert!(packet.is_fragment());
        assert_eq!(packet.fragment_offset, usize::from(byte7) * 8);
        assert_discarded(parse_transport(&packet), DropReason::BadFragment);
    }
}

#[test]
fn options_are_read_up_to_the_first_that_makes_no_sense() {
    let cases: [(&[u8], &[TcpOption]); 8] = [
        (&[], &[]),
        (&[1, 1, 3, 3, 7, 0, 2, 4, 1, 1], &[TcpOption::WindowScale(7)]),
        (&[8, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[TcpOption::Timestamps(1, 2)]),
        (&[5, 10, 0, 0, 0, 1, 0, 0, 0, 2], &[TcpOption::Sack(vec![(1, 2)])]),
        (&[253, 3, 9, 4, 2], &[TcpOption::Other(253), TcpOption::SackPermitted]),
        (&[4, 2, 2, 0, 4, 2], &[TcpOption::SackPermitted]),
        (&[4, 2, 2, 40, 4, 2], &[TcpOption::SackPermitted]),
        (&[4, 2, 3, 4, 7, 7, 4, 2], &[TcpOption::SackPermitted]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(parse_tcp_options(bytes), expected, "{bytes:?}");
    }
}

/// Tries everything that can be tried on bytes from nowhere.
fn survive(bytes: &[u8]) {
    for medium in [Medium::Ethernet, Medium::Ip] {
        if let Ok(LinkPacket::Ipv4 { packet, .. }) = parse_link(medium, OUR_MAC, bytes) {
            let _ = parse_transport(&packet);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        survive(&bytes);
    }

    #[test]
    fn no_bytes_behind_a_sound_ip_header_make_it_panic(
        payload in prop::collection::vec(any::<u8>(), 0..80), protocol in prop::sample::select(vec![1_u8, 6, 17, 99]),
        udp_checksum in any::<bool>(),
    ) {
        let mut bytes = udp_packet();
        bytes.truncate(20);
        bytes.extend(&payload);
        bytes[3] = bytes.len() as u8;
        bytes[9] = protocol;
        if !udp_checksum && bytes.len() >= 28 {
            bytes[26..28].fill(0);
        }
        let bytes = with_ip_checksum(bytes);
        prop_assert!(Ipv4Packet::parse(&bytes).is_ok());
        survive(&bytes);
    }

    #[test]
    fn no_flipped_bits_make_it_panic(
        which in 0..4_usize, flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = [
            framed(OUR_MAC, 0x0806, &arp_request()), framed(OUR_MAC, 0x0800, &tcp_packet()), udp_packet(), icmp_packet(),
        ][which].clone();
        for (at, with) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= with;
        }
        survive(&bytes);
    }

    #[test]
    fn no_options_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert!(parse_tcp_options(&bytes).len() <= 20);
    }
}
