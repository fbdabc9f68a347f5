//! The vocabulary: what a frame may be called.

/// Declares [`Kind`] and its words: the variant, the singular, the plural, other spellings.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident: $one:literal, $many:literal $(, $also:literal)*;)+) => {
        /// What one or two words name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// What one of them is called.
            pub fn singular(self) -> &'static str {
                match self { $(Self::$kind => $one),+ }
            }

            /// What several of them are called.
            pub fn plural(self) -> &'static str {
                match self { $(Self::$kind => $many),+ }
            }

            /// Every way to write it.
            pub(crate) fn spellings(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$one, $many $(, $also)*]),+ }
            }
        }
    };
}

kinds! {
    /// Any frame.
    Frame: "frame", "frames", "everything";
    /// ARP (RFC 826).
    Arp: "ARP", "ARPs", "ARP packet", "ARP packets";
    /// An ARP request.
    ArpRequest: "ARP request", "ARP requests";
    /// An ARP reply.
    ArpReply: "ARP reply", "ARP replies";
    /// An IPv4 packet.
    Packet: "packet", "packets", "IP", "IP packet", "IP packets";
    /// A piece of an IPv4 packet.
    Fragment: "fragment", "fragments";
    /// ICMP (RFC 792).
    Icmp: "ICMP", "ICMPs", "ICMP message", "ICMP messages";
    /// An ICMP echo request.
    EchoRequest: "echo request", "echo requests", "ping", "pings";
    /// An ICMP echo reply.
    EchoReply: "echo reply", "echo replies";
    /// ICMP that tells of an error: unreachable, time exceeded, parameter problem.
    IcmpError: "ICMP error", "ICMP errors";
    /// ICMP destination unreachable, fragmentation needed (RFC 1191).
    FragmentationNeeded: "fragmentation-needed", "fragmentation-neededs", "fragmentation needed";
    /// ICMP time exceeded.
    TimeExceeded: "time-exceeded", "time-exceededs", "time exceeded";
    /// UDP.
    Udp: "UDP", "UDPs", "datagram", "datagrams";
    /// TCP.
    Tcp: "TCP", "TCPs";
    /// A TCP SYN without ACK.
    Syn: "SYN", "SYNs";
    /// A TCP SYN with ACK.
    SynAck: "SYN-ACK", "SYN-ACKs", "SYN ACK", "SYN ACKs", "SYN+ACK";
    /// TCP with an acknowledgment and nothing else.
    Ack: "ACK", "ACKs";
    /// The TCP ACK of the second FIN of a connection, after which nothing is left to say.
    LastAck: "last ACK", "last ACKs";
    /// TCP with FIN.
    Fin: "FIN", "FINs";
    /// TCP with RST.
    Rst: "RST", "RSTs", "reset", "resets";
    /// TCP with data. Its number counts within a connection and a direction; what is sent again keeps
    /// its number.
    Segment: "segment", "segments", "TCP segment", "TCP segments", "data segment", "data segments";
    /// TCP with data that has passed before.
    Retransmission: "retransmission", "retransmissions";
    /// TCP with a part of a TLS record (RFC 8446 5.1). Its number counts records within a connection and
    /// a direction.
    TlsRecord: "TLS record", "TLS records", "TLS", "record", "records";
    /// The beginning of a TLS ServerHello.
    ServerHello: "ServerHello", "ServerHellos", "server hello", "server hellos";
    /// The beginning of a TLS 1.2 certificate message. TLS 1.3 encrypts it: there it is an
    /// [encrypted record](Self::EncryptedRecord).
    TlsCertificate: "Certificate", "Certificates";
    /// A TLS alert that is not encrypted.
    TlsAlert: "TLS alert", "TLS alerts", "alert", "alerts";
    /// A TLS ChangeCipherSpec.
    ChangeCipherSpec: "ChangeCipherSpec", "ChangeCipherSpecs";
    /// A TLS record of application data: whatever is encrypted in TLS 1.3.
    EncryptedRecord: "encrypted record", "encrypted records", "application data";
    /// TCP with HTTP/1 in the clear: the beginning of a request or a response.
    Http: "HTTP", "HTTPs", "HTTP message", "HTTP messages";
    /// DHCP (RFC 2131).
    Dhcp: "DHCP", "DHCPs", "DHCP message", "DHCP messages";
    /// DHCPDISCOVER.
    DhcpDiscover: "DHCP discover", "DHCP discovers", "DHCPDISCOVER";
    /// DHCPOFFER.
    DhcpOffer: "DHCP offer", "DHCP offers", "DHCPOFFER";
    /// DHCPREQUEST.
    DhcpRequest: "DHCP request", "DHCP requests", "DHCPREQUEST";
    /// DHCPACK.
    DhcpAck: "DHCP ack", "DHCP acks", "DHCPACK";
}
