//! Names (RFC 1034, RFC 1035).

use super::name_server::{Instead, Withheld};
use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Where an answer may come from, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupSource {
    /// The name is an address already.
    Literal,
    /// The user said so (`--resolve`).
    Override,
    /// This process's cache.
    Cache,
    /// The hosts file.
    HostsFile,
    /// The configured name server.
    Server,
}

impl fmt::Display for LookupSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Literal => "IP literal",
            Self::Override => "--resolve",
            Self::Cache => "cache",
            Self::HostsFile => "hosts file",
            Self::Server => "name server",
        })
    }
}

/// What carries a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Transport {
    Udp,
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// Why a question was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryReason {
    /// It had not been asked before.
    First,
    /// The same server did not answer in time.
    Timeout {
        /// How long it was given.
        waited: Duration,
    },
    /// Another server did not answer, or refused to.
    NextServer {
        /// What the other one did.
        because: String,
    },
    /// The answer did not fit into a datagram (TC bit, RFC 1035 4.2.1).
    Truncated,
    /// The answer was an alias (RFC 1034 3.6.2).
    Alias {
        /// The name that led here.
        from: String,
    },
    /// The server does not understand EDNS (RFC 6891 7).
    WithoutEdns,
    /// The server did not repeat the letters of the name as they were sent.
    CaseNotKept,
    /// On the way down from the root: the server knows the zone that the name is in or below
    /// (RFC 1034 5.3.3).
    ServerOf {
        /// The zone; `.` for the root.
        zone: String,
        /// The server's name.
        name_server: String,
        /// What makes it one of the zone's.
        role: ServerRole,
    },
}

impl fmt::Display for QueryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("the answer is not known here"),
            Self::Timeout { waited } => write!(f, "no answer within {} ms", waited.as_millis()),
            Self::NextServer { because } => write!(f, "next server, because {because}"),
            Self::Truncated => f.write_str("the UDP answer was truncated"),
            Self::Alias { from } => write!(f, "{from} is an alias"),
            Self::CaseNotKept => f.write_str("the answer had the name in other letters than were sent"),
            Self::WithoutEdns => f.write_str("the server did not understand EDNS"),
            Self::ServerOf { zone, name_server, role } => {
                let is_root = zone == ".";
                let shown = if is_root { "the root" } else { zone };
                match role {
                    ServerRole::Authority => write!(f, "{name_server} serves {shown}"),
                    ServerRole::Configured => write!(f, "{name_server} is configured for {shown}"),
                    ServerRole::Forwarder if is_root => write!(f, "{name_server} is the forwarder"),
                    ServerRole::Forwarder => write!(f, "{name_server} is the forwarder for {shown}"),
                }
            }
        }
    }
}

/// What makes somebody a server of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerRole {
    /// The zone above names it.
    Authority,
    /// The configuration names it as one.
    Configured,
    /// It finds out for others, as the configuration says, whatever is in the zone.
    Forwarder,
}

/// What is known of a name server that could be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerKnown {
    /// Where it is.
    pub server: SocketAddr,
    /// Its name.
    pub name: String,
    /// How fast it is, as `20 ms`, `not measured yet` or `silent 3 times`.
    pub standing: String,
}

/// What happened in DNS.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dns {
    /// A source was asked.
    LookedUp {
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
        /// Where.
        source: LookupSource,
        /// Whether it knew.
        hit: bool,
        /// The evidence, in words.
        detail: String,
    },
    /// A question went out.
    QuerySent {
        /// The message's id.
        id: u16,
        /// The name.
        name: String,
        /// The record type, as `A`.
        record_type: String,
        /// To whom.
        server: SocketAddr,
        /// Over what.
        transport: Transport,
        /// Why.
        why: QueryReason,
    },
    /// An answer came in and was believed.
    ResponseReceived {
        /// The message's id.
        id: u16,
        /// The name asked for.
        name: String,
        /// The record type asked for.
        record_type: String,
        /// From whom.
        server: SocketAddr,
        /// Over what.
        transport: Transport,
        /// The response code, as `NOERROR` or `NXDOMAIN`.
        code: String,
        /// Whether the server has authority over the name (AA).
        authoritative: bool,
        /// The answer section, a record each in presentation format.
        answers: Vec<String>,
        /// The authority section.
        authorities: Vec<String>,
        /// The additional section.
        additionals: Vec<String>,
        /// The whole message, in bytes.
        size: usize,
        /// Whether it is only the beginning.
        truncated: bool,
        /// How long after the question.
        rtt: Duration,
    },
    /// A datagram came in that answers nothing that was asked.
    ResponseIgnored {
        /// From whom.
        from: SocketAddr,
        /// Which check it failed.
        why: String,
    },
    /// An alias was followed.
    AliasFollowed {
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// A server does not know, but says who knows more (RFC 1034 4.3.2 3b): one zone further down.
    ReferralFollowed {
        /// Who said so.
        server: SocketAddr,
        /// The zone it was asked as a server of; `.` for the root.
        from: String,
        /// The zone below, which is on the way to the name.
        to: String,
        /// The names of its servers.
        name_servers: Vec<String>,
        /// Addresses of theirs that came along, in presentation format.
        glue: Vec<String>,
    },
    /// A name server's address did not come along, so it has to be found first.
    GlueMissing {
        /// The zone it serves.
        zone: String,
        /// Its name.
        name_server: String,
    },
    /// A name server was of no use, and it is told of which zone; another one is asked if there is one.
    ServerUseless {
        /// Which.
        server: SocketAddr,
        /// The zone that it was asked as a server of.
        zone: String,
        /// What was wrong.
        why: String,
    },
    /// Records came with an answer that are none of their sender's business.
    RecordsIgnored {
        /// The sender.
        from: SocketAddr,
        /// The records, in presentation format.
        records: Vec<String>,
        /// Why they are not believed.
        why: String,
    },
    /// A server was chosen among those that could be asked.
    ServerChosen {
        /// The zone that it serves; `.` for the root.
        zone: String,
        /// What makes it one of the zone's.
        role: ServerRole,
        /// Which.
        server: SocketAddr,
        /// Its name.
        name_server: String,
        /// Why this one, in words.
        why: String,
        /// All that could have been asked, with what was known of them.
        candidates: Vec<ServerKnown>,
    },
    /// A server is told only a part of the name (RFC 9156).
    Minimised {
        /// What it is asked, as `example.test A`.
        asked: String,
        /// What is to be found out, as `www.example.test AAAA`.
        instead_of: String,
        /// The zone that it serves.
        zone: String,
    },
    /// Those who are known from the configuration were asked who really serves the zone (RFC 9609).
    Primed {
        /// The zone; `.` for the root.
        zone: String,
        /// Its servers' names; none if nobody answered.
        name_servers: Vec<String>,
    },
    /// What is believed of a response, and how far (RFC 2181 5.4.1).
    Believed {
        /// The sender.
        from: SocketAddr,
        /// The zone that it was asked as a server of.
        zone: String,
        /// The sets of records, as `example.test NS (referral)`.
        sets: Vec<String>,
    },
    /// All of a zone's servers were of no use; those that the zone above has named are tried.
    LastResort {
        /// The zone.
        zone: String,
    },
    /// It was checked whether an answer is what the zone's owner signed (RFC 4035 5).
    Validated {
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
        /// `secure`, `insecure`, `bogus` or `indeterminate`.
        security: String,
        /// Why, in words.
        reason: String,
        /// The steps from the trust anchor to the answer, in words.
        chain: Vec<String>,
    },
    /// What has expired is given, because nothing newer can be had in time (RFC 8767).
    StaleServed {
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
    },
    /// What is asked for often is asked for again before it expires.
    Prefetched {
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
        /// For how much longer it would have been good.
        left: Duration,
    },
    /// The same is being looked up for somebody else already; one answer will do for both.
    Joined {
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
    },
    /// The name is resolved.
    Resolved {
        /// The name.
        name: String,
        /// Its addresses, in the server's order.
        addresses: Vec<IpAddr>,
        /// How long this may be believed.
        ttl: Duration,
        /// Who knew.
        source: LookupSource,
    },
    /// The name could not be resolved.
    Failed {
        /// The name.
        name: String,
        /// Why.
        why: String,
    },
    /// A server of ours answered.
    Served {
        /// Whom.
        client: SocketAddr,
        /// The name.
        name: String,
        /// The record type.
        record_type: String,
        /// The response code.
        code: String,
        /// Records in the answer section.
        answers: usize,
        /// Over what.
        transport: Transport,
        /// Why this answer, in words.
        why: String,
    },
    /// A server of ours withheld an answer.
    Withheld {
        /// From whom.
        client: SocketAddr,
        /// The question, as `www.example.test A`; empty where it was not looked at.
        question: String,
        /// Over what.
        transport: Transport,
        /// What the client got instead.
        instead: Instead,
        /// Why.
        why: Withheld,
    },
}
