//! A fault as data: what a sentence says, and nothing that only a running network knows.

use glasstack_dns::{DnsName, RecordType, ResponseCode};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Something that goes wrong in a lab. [`FaultSpec::parse`] reads one from a sentence, its `Display`
/// writes the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultSpec {
    /// Something befalls the frames of a cable: `lose client SYN-ACK 1`.
    Cable(CableFault),
    /// Hosts are dead: `kill root all but k`.
    Kill(Kill),
    /// A plug is pulled: `unplug client at 2s for 1s`.
    Unplug(Unplug),
    /// A certificate is not as it should be: `expire the intermediate`.
    Certificate(CertificateFault),
    /// A zone is not signed as it should be: `expire the signatures of example.test`.
    Signing(SigningFault),
    /// Somebody means harm: `spoof ARP for home from mallory`.
    Attack(Attack),
}

/// Something that befalls the frames of one cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CableFault {
    /// What befalls them.
    pub mishap: Mishap,
    /// On which cable; none: the client's.
    pub place: Option<Place>,
    /// Which way along it; none: both.
    pub heading: Option<Heading>,
    /// Only TCP and UDP from or to this port.
    pub port: Option<u16>,
    /// When.
    pub window: Window,
}

/// What befalls frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// They are lost.
    Lose(Frames),
    /// They are lost in bursts, as Gilbert's model has it: in the good state none is lost, in the bad
    /// state all are.
    LoseInBursts {
        /// How likely each frame turns the good state into the bad one.
        begins: Percent,
        /// How likely each frame turns the bad state into the good one.
        ends: Percent,
    },
    /// A byte of them is another when they arrive.
    Corrupt {
        /// Which frames.
        frames: Frames,
        /// Where in them.
        part: Part,
        /// The checksums of IP, TCP, UDP and ICMP are made right again, so that no layer below notices.
        keeping_checksum: bool,
    },
    /// They arrive later.
    Delay {
        /// Which frames.
        frames: Frames,
        /// By how much.
        by: Duration,
    },
    /// They arrive more than once.
    Duplicate {
        /// Which frames.
        frames: Frames,
        /// How many copies beyond the first; at least 1.
        copies: u8,
    },
    /// They arrive behind the next frame.
    Reorder(Frames),
    /// IP packets longer than this, in bytes, vanish (RFC 2923 2.1).
    BlackHole {
        /// The longest that passes.
        above: u32,
    },
    /// Both ends of a TCP connection get a RST, each seemingly from the other, once this many bytes of data
    /// have come one way.
    Reset {
        /// How many, in bytes.
        after: u64,
    },
    /// The receiver of a TCP connection gets a FIN, seemingly from the other end, once this many bytes of
    /// data have come one way; the rest is lost.
    Close {
        /// How many, in bytes.
        after: u64,
    },
    /// DNS answers about a name say this instead.
    Answer {
        /// What they say.
        code: ResponseCode,
        /// The name asked for.
        name: DnsName,
    },
    /// DNS answers about a name give this address instead.
    Lie {
        /// The name asked for.
        name: DnsName,
        /// The address.
        address: Ipv4Addr,
    },
    /// DNS answers over UDP are marked as truncated and carry no record (RFC 2181 9).
    Truncate,
}

/// Which frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// What they are.
    pub thing: Thing,
    /// How many-th of those.
    pub which: Which,
}

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// Something that one or two words name.
    Plain(Kind),
    /// A DNS message: `DNS query A www.example.test`.
    Dns {
        /// Only queries, or only answers.
        side: Option<Side>,
        /// Only of this type.
        record_type: Option<RecordType>,
        /// Only about this name.
        name: Option<DnsName>,
    },
    /// A TLS ClientHello for this name (SNI, RFC 6066 3).
    ClientHello {
        /// The name; none: any.
        name: Option<DnsName>,
    },
    /// The beginning of an HTTP/1 request in the clear: `HTTP request GET /style.css`.
    HttpRequest {
        /// Its method.
        method: Option<String>,
        /// Its target; `/` at its beginning.
        target: Option<String>,
    },
    /// The beginning of an HTTP/1 response in the clear.
    HttpResponse {
        /// Its status.
        status: Option<u16>,
    },
}

/// Asking or answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A query.
    Query,
    /// An answer.
    Answer,
}

pub use super::words::Kind;

/// How many-th of the frames in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// The n-th alone, counted from 1.
    Nth(u64),
    /// The first n.
    First(u64),
    /// Each with this probability.
    Chance(Percent),
}

/// Where in a frame. Which bit of it, chance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the thing itself is: of a frame whatever is behind the Ethernet header, of TCP its header and
    /// data, of a TLS record its content, of a DNS, DHCP or HTTP message the message.
    Itself,
    /// What TCP, UDP or ICMP carries.
    Payload,
    /// The IP header.
    IpHeader,
    /// The header of TCP, UDP or ICMP.
    TransportHeader,
}

/// A probability, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

/// Which cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The one of this host (or, of another kind of node, its first).
    Of(String),
    /// The one between these two.
    Between(String, String),
}

/// Which way along a cable, by the node at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Towards this end.
    Towards(String),
    /// Away from this end.
    Leaving(String),
}

/// From when until when, both counted from the beginning of the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The beginning, included.
    pub from: Duration,
    /// The end, excluded; none: for ever.
    pub until: Option<Duration>,
}

/// Dead hosts: whatever is sent to them or by them is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    /// Which.
    pub who: Victims,
    /// When.
    pub window: Window,
}

/// Who dies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Victims {
    /// These hosts, by name.
    Hosts(Vec<String>),
    /// These root name servers, by letter.
    Roots(Vec<char>),
    /// All root name servers but these.
    RootsBut(Vec<char>),
}

/// A plug that is pulled: what is on the cable is lost, and so is what is sent until it is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplug {
    /// Which cable.
    pub place: Place,
    /// When, from the beginning of the world.
    pub at: Duration,
    /// For how long; none: for ever.
    pub lasting: Option<Duration>,
}

/// A certificate that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// The authority's between the root and the servers.
    Intermediate(AuthorityFlaw),
    /// A server's.
    Leaf {
        /// The server's name.
        name: DnsName,
        /// What is wrong with it.
        flaw: LeafFlaw,
    },
}

/// What is wrong with the intermediate's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityFlaw {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The root has taken it back.
    Revoked,
    /// Servers do not send it.
    Omitted,
}

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeafFlaw {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Its issuer has taken it back.
    Revoked,
    /// It is for another name.
    WrongName,
    /// Nobody trusts its root.
    UntrustedRoot,
    /// It vouches for itself.
    SelfSigned,
    /// It is for clients.
    WrongPurpose,
    /// A bit of its signature is flipped.
    BadSignature,
    /// The list of revoked certificates that it names has ended.
    ListStale,
    /// What the OCSP responder says of it has ended.
    AnswerStale,
    /// The OCSP responder has no time for it.
    NoAnswer,
}

/// A zone that is not signed as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningFault {
    /// The zone.
    pub zone: DnsName,
    /// What is wrong with it.
    pub flaw: SigningFlaw,
}

/// What is wrong with a zone's signatures (RFC 4035), or with what its parent says of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SigningFlaw {
    /// Their time is over.
    Expired,
    /// Their time has not come.
    NotYetValid,
    /// There are none, though the parent says that there are.
    Omitted,
    /// They are not of what they stand beside.
    Forged,
    /// The parent's DS record is of another key.
    WrongDs,
    /// There are none, and the parent says so.
    Unsigned,
}

/// Somebody on the network who means harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// The attacker's node.
    pub by: String,
    /// At which switch; none: the victim's.
    pub at: Option<String>,
    /// What is done.
    pub deed: Deed,
    /// When.
    pub window: Window,
}

/// What an attacker does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Answers each ARP request a second time, right behind the right answer.
    DuplicateArp,
    /// Claims an address of somebody else's by ARP, again and again.
    SpoofArp {
        /// The host whose address it is.
        of: String,
        /// What comes is sent on to its owner, so that nobody notices.
        forwarding: bool,
    },
    /// Sends forged DNS answers to the client, guessing port and id.
    ForgeDns {
        /// About this name.
        name: DnsName,
        /// With this address.
        address: Ipv4Addr,
    },
    /// Sends forged RSTs into the client's connections, guessing port and sequence number.
    ForgeResets {
        /// The host that they seem to come from.
        of: String,
    },
    /// Opens connections and never goes on with them, from addresses of nobody.
    SynFlood {
        /// The host that gets them.
        of: String,
        /// SYNs a second.
        rate: u32,
        /// SYNs in all.
        count: u32,
    },
    /// Tells a host by ICMP redirect to send through the attacker (RFC 792).
    Redirect {
        /// The host.
        of: String,
    },
}
