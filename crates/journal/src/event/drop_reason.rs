//! Why a packet was discarded. A dropped packet is an outcome: it is typed, told and counted.

use serde::Serialize;
use std::fmt;

macro_rules! drop_reasons {
    ($($(#[doc = $doc:literal])* $name:ident => $text:literal,)*) => {
        /// Why a packet was discarded.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DropReason { $($(#[doc = $doc])* $name,)* }

        impl DropReason {
            /// Every reason, in the order of the layers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }

        impl fmt::Display for DropReason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$name => $text),* })
            }
        }
    };
}

drop_reasons! {
    /// Shorter than the header it must have.
    Truncated => "truncated header",
    /// An EtherType nobody here speaks.
    UnknownEtherType => "unknown EtherType",
    /// Ethernet destination is another station's.
    NotOurMac => "not our MAC address",
    /// A frame of a VLAN that the switch's port does not carry (IEEE 802.1Q-2018 8.6.2, 8.6.4), or one
    /// with a tag on a port for stations that know nothing of VLANs.
    WrongVlan => "a VLAN that this port does not carry",
    /// A VLAN tag that is cut short, or has the reserved identifier 4095 (IEEE 802.1Q-2018, table 9-2).
    BadVlanTag => "malformed VLAN tag",
    /// A switch takes no more frames to everybody from this port for now: there may be a loop.
    StormControl => "too many frames to everybody lately",
    /// The switch's Filtering Process (IEEE 802.1D-2004, 7.7): the destination is on the side that the
    /// frame came from, where it has arrived already.
    SameSide => "destination is on the side it came from",
    /// An ARP packet that is not Ethernet/IPv4, or has a multicast sender (RFC 826).
    BadArp => "malformed ARP",
    /// The IP version field and the frame disagree, the header length is wrong, or the total length
    /// exceeds the frame (RFC 791 3.1).
    BadIpHeader => "malformed IP header",
    /// The IPv4 header checksum is wrong (RFC 1122 3.2.1.2).
    BadIpChecksum => "bad IP header checksum",
    /// IPv6, which does not work here yet.
    Ipv6 => "IPv6 is not spoken here yet",
    /// A source address that no host may send from (RFC 1122 3.2.1.3).
    MartianSource => "impossible source address",
    /// A packet that names its own way; routers do not follow it (RFC 7126 4.3, 4.4).
    SourceRoute => "source routes are not followed",
    /// Malformed options (RFC 791 3.1).
    BadIpOption => "malformed IP options",
    /// A destination that no packet may have (RFC 1812 5.3.7).
    MartianDestination => "impossible destination address",
    /// A packet for one host in a frame for all stations: nobody carries it on (RFC 1812 5.3.4).
    LinkBroadcast => "for one host, but sent to every station",
    /// A packet to more than one host stays on its link (RFC 1812 5.3.5, RFC 2644).
    NotForwarded => "broadcasts and multicasts are not forwarded",
    /// IP destination is another host's.
    NotOurAddress => "not our IP address",
    /// A protocol number that nobody here speaks.
    UnknownProtocol => "unknown IP protocol",
    /// Fragments overlap or contradict each other (RFC 5722's rule, applied to IPv4).
    BadFragment => "contradicting fragments",
    /// Too many datagrams wait for their fragments.
    ReassemblyFull => "reassembly buffer full",
    /// A fragment never came (RFC 1122 3.3.2).
    ReassemblyTimeout => "reassembly timed out",
    /// A packet larger than the MTU whose DF bit is set.
    TooBig => "larger than the MTU with DF set",
    /// Time to live ran out.
    TtlExpired => "TTL expired",
    /// No route to the destination.
    NoRoute => "no route",
    /// The next hop does not answer ARP.
    NoArpReply => "no ARP reply from the next hop",
    /// Too many packets wait for an ARP reply.
    ArpQueueFull => "ARP queue full",
    /// A rule or the policy of a packet filter forbids it.
    Filtered => "forbidden by the packet filter",
    /// Part of no connection that the router knows, nor the beginning of one.
    NoConnection => "part of no known connection",
    /// The router follows as many connections as it may.
    ConnectionsFull => "too many connections are followed already",
    /// Nobody inside has asked for it.
    NatUnasked => "nobody inside has asked for it",
    /// No port or no room for one more mapping.
    NatFull => "no room for one more NAT mapping",
    /// A protocol without ports, which many cannot share an address by.
    NatUntranslatable => "cannot be translated",
    /// The ICMP checksum is wrong.
    BadIcmpChecksum => "bad ICMP checksum",
    /// An ICMP message that is malformed or about nothing of ours.
    UnmatchedIcmp => "ICMP about nothing of ours",
    /// An ICMP error of this host's own is not sent: too many were, lately (RFC 1812 4.3.2.8).
    IcmpRateLimited => "too many ICMP errors lately",
    /// An echo request is not answered: too many were, lately.
    EchoRateLimited => "too many echo replies lately",
    /// An ICMP error that fails the checks of RFC 5927.
    SuspiciousIcmp => "ICMP error fails the RFC 5927 checks",
    /// The UDP length or checksum is wrong.
    BadUdpChecksum => "bad UDP checksum",
    /// Nobody has this UDP port.
    NoUdpSocket => "no socket on this UDP port",
    /// A datagram for everybody on the link, and nothing here is concerned.
    NobodyListens => "for everybody, and nobody listens here",
    /// The socket's receive buffer is full.
    UdpBufferFull => "UDP receive buffer full",
    /// A datagram for a DHCP client or server that is no DHCP message, or says what none may
    /// (RFC 2131 2, RFC 2132).
    BadDhcp => "no proper DHCP message",
    /// A DHCP message that answers nothing that this client has asked.
    UnmatchedDhcp => "DHCP answer to nothing of ours",
    /// A RIP message that is cut short, too long, or wants what nobody knows (RFC 2453 3.6).
    RipMalformed => "malformed RIP message",
    /// RIP of a version that is not spoken here (RFC 2453 4.6: this router speaks version 2 alone).
    RipVersion => "RIP version not spoken here",
    /// RIP on a port of the router where it is not spoken, or not to be believed.
    RipOff => "RIP is not spoken on this port",
    /// A RIP response from another UDP port than RIP's own (RFC 2453 3.9.2).
    RipSourcePort => "RIP response from another port than 520",
    /// A RIP response from somebody who is not on the link (RFC 2453 3.9.2).
    RipNotANeighbour => "RIP response from somebody who is not on the link",
    /// A RIP message with a wrong password, without one where one is demanded, or with one where
    /// none is (RFC 2453 4.1).
    RipAuthentication => "RIP authentication failed",
    /// A route of an address family that is not IP (RFC 2453 3.6).
    RipAddressFamily => "RIP route of another address family",
    /// A route to where no packet may go: a group, network 0 or 127 (RFC 2453 3.9.2).
    RipDestination => "RIP route to an impossible destination",
    /// A subnet mask whose ones are not all in front (RFC 2453 4.3).
    RipMask => "RIP route with an impossible mask",
    /// A metric that is not 1 to 16 (RFC 2453 3.9.2).
    RipMetric => "RIP route with an impossible metric",
    /// The router knows more networks already than it may.
    RipTableFull => "RIP table full",
    /// The TCP checksum is wrong.
    BadTcpChecksum => "bad TCP checksum",
    /// The TCP data offset points outside the segment (RFC 9293 3.1).
    BadTcpHeader => "malformed TCP header",
    /// No connection or listener for this segment; it was answered by a reset.
    NoTcpSocket => "no TCP connection or listener",
    /// No connection or listener for this segment, and too many resets were sent lately to answer it.
    ResetRateLimited => "too many resets lately",
    /// The listener's backlog is full: the SYN is ignored, the peer will try again.
    BacklogFull => "listener's backlog is full",
    /// A SYN is repeated while a gateway still finds out what is to become of it.
    KnockPending => "the gateway is still finding out",
    /// A gateway has no way to where it goes; the sender was told, or is left to wait.
    Unreachable => "the gateway has no way there",
    /// More passes a gateway than it has taken so far.
    TransitFull => "the gateway has too much to decide already",
    /// The oldest half-open connection made room for a newer one.
    HalfOpenEvicted => "oldest half-open connection gave way",
    /// A segment outside the receive window (RFC 9293 3.10.7.4, first check).
    OutOfWindow => "outside the receive window",
    /// A segment that acknowledges what was never sent, or nothing at all (RFC 9293 3.10.7.4, fifth
    /// check).
    UnacceptableAck => "acknowledges what was never sent",
    /// A SYN in the middle of a connection; it is challenged, if at all (RFC 5961 4.2).
    UnexpectedSyn => "SYN in the middle of a connection",
    /// A segment that only repeats what was received already.
    OldDuplicate => "old duplicate",
    /// A segment for a connection in TIME-WAIT that needs no answer.
    TimeWait => "stray segment in TIME-WAIT",
    /// A cable's or a device's queue is full.
    QueueFull => "queue full",
    /// The device failed to take the frame.
    DeviceError => "the device refused the frame",
}
