//! Why a name could not be resolved.

use crate::cache::Negative;
use crate::dnssec::Reason;
use crate::dnssec::reason::MEND;
use crate::matching::Mismatch;
use crate::message::{ExtendedError, Message, ResponseCode};
use crate::name::{DnsName, NameError};
use crate::record::RecordType;
use glasstack_journal::event::ServerRole;
use glasstack_stack::{BindError, ConnectError, UdpError};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A name could not be resolved. Each names the cause and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It cannot be a name.
    #[error("{text:?} is not a host name: {source}")]
    InvalidName {
        /// What was to be resolved.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The name does not exist (NXDOMAIN).
    #[error(
        "{name} does not exist{} ({said_by}): is it spelled right?",
        target.as_ref().map(|target| format!(": it is an alias of {target}, which does not")).unwrap_or_default()
    )]
    NotFound {
        /// The name asked for.
        name: DnsName,
        /// The name that does not exist, if another one led there.
        target: Option<DnsName>,
        /// Who says so, as `NXDOMAIN from 10.0.0.53:53`.
        said_by: String,
    },
    /// The name exists, but has no address, neither IPv4 nor IPv6.
    #[error("{name} exists, but has no address ({said_by}): nothing can be reached by that name")]
    NoAddress {
        /// The name asked for.
        name: DnsName,
        /// Who says so, as `NODATA from 10.0.0.53:53`.
        said_by: String,
    },
    /// The name exists, but not with the type asked for.
    #[error("{name} exists, but has no {record_type} record ({said_by})")]
    NoRecords {
        /// The name asked for.
        name: DnsName,
        /// The type asked for.
        record_type: RecordType,
        /// Who says so, as `NODATA from 10.0.0.53:53`.
        said_by: String,
    },
    /// There is only an IPv6 address.
    #[error(
        "{name} has only an IPv6 address ({address}), and IPv6 is not spoken here yet: use a name or an address \
         that can be reached over IPv4"
    )]
    AaaaOnly {
        /// The name asked for, or the address itself if that was asked for.
        name: String,
        /// The first address.
        address: IpAddr,
    },
    /// No name server answered in time.
    #[error(
        "no answer about {name} from {} ({}, {} ms each{}): is that the right name server (--dns IP), and can it be \
         reached?",
        list(servers),
        times(*tries),
        each.as_millis(),
        ignored.as_ref().map(|why| format!("; what came in was not believed: {why}")).unwrap_or_default()
    )]
    Timeout {
        /// The name asked for.
        name: DnsName,
        /// Who was asked.
        servers: Vec<SocketAddr>,
        /// How often, together.
        tries: u32,
        /// How long each time.
        each: Duration,
        /// Which check an answer failed that came in nevertheless.
        ignored: Option<Box<Mismatch>>,
    },
    /// The name server could not find out.
    #[error("{server} cannot resolve {name}: {what}; {}", what.cure())]
    ServerFailure {
        /// The name asked for.
        name: DnsName,
        /// Who was asked.
        server: SocketAddr,
        /// What it said.
        what: ServerProblem,
    },
    /// The name server will not say.
    #[error(
        "{server} refuses to resolve {name} (REFUSED{}): it does not serve this host or this name; ask another name \
         server (--dns IP)",
        explanation(": ", why)
    )]
    Refused {
        /// The name asked for.
        name: DnsName,
        /// Who was asked.
        server: SocketAddr,
        /// Why not, as far as it says so.
        why: Vec<ExtendedError>,
    },
    /// A chain of aliases never ends, or is too long (RFC 1034 3.6.2).
    #[error("{name} leads nowhere: {what}; whoever runs the zone must mend its CNAME records")]
    CnameLoop {
        /// The name asked for.
        name: DnsName,
        /// How the chain fails.
        what: String,
    },
    /// There is nobody to ask.
    #[error(
        "{name} is not in the hosts file, and no name server is configured: name one (--dns IP), or give the address \
         (--resolve HOST:PORT:ADDRESS)"
    )]
    NoServers {
        /// The name asked for.
        name: DnsName,
    },
    /// On the way down from the root nobody could say more.
    #[error(
        "{name} cannot be resolved: no {} was of use: {}",
        servers_of(zone, *role),
        if tried.is_empty() { "none is known".to_owned() } else { Tried::list(tried) }
    )]
    NobodyOfUse {
        /// The name asked for.
        name: DnsName,
        /// The zone that the way has led to.
        zone: DnsName,
        /// What makes its servers such.
        role: ServerRole,
        /// Those of its servers that were tried.
        tried: Vec<Tried>,
        /// Whether none of them said anything.
        silent: bool,
    },
    /// What was found is not what the zone's owner signed (RFC 4035 5.5).
    #[error(
        "{name} {record_type} is bogus: {}; {}",
        reason.as_ref().map_or_else(|| "it has just been found so".to_owned(), ToString::to_string),
        reason.as_ref().map_or(MEND, |reason| reason.cure())
    )]
    Bogus {
        /// The name asked for.
        name: DnsName,
        /// The type asked for.
        record_type: RecordType,
        /// Which check it failed; none if that was found before.
        reason: Option<Box<Reason>>,
    },
    /// The way down from the root is too long.
    #[error(
        "{name} cannot be resolved: {queries} queries have not been enough; its delegations may lead round and round"
    )]
    TooMuchWork {
        /// The name asked for last.
        name: DnsName,
        /// How many were made.
        queries: u32,
    },
    /// The name server could not be reached.
    #[error("{name} cannot be resolved: name server {server} cannot be reached: {source}")]
    Network {
        /// The name asked for.
        name: DnsName,
        /// Who was asked last.
        server: SocketAddr,
        /// Why not.
        source: Box<NetworkError>,
    },
}

impl ResolveError {
    /// Why a server that resolves for others has no answer (RFC 8914).
    pub(crate) fn extended_error(&self) -> Option<ExtendedError> {
        let code = match self {
            // 22: No Reachable Authority; 23: Network Error; 6: DNSSEC Bogus; 0: Other.
            Self::NobodyOfUse { .. } | Self::Timeout { .. } => 22,
            Self::Network { .. } => 23,
            Self::Bogus { reason, .. } => {
                reason.as_ref().and_then(|reason| reason.extended_error()).unwrap_or(6)
            }
            Self::TooMuchWork { .. } | Self::CnameLoop { .. } => 0,
            _ => return None,
        };
        let text = match self {
            // What is bogus the code says, and what to do about it the client finds itself.
            Self::Bogus { reason: Some(reason), .. } => reason.to_string(),
            Self::NobodyOfUse { zone, role, tried, .. } => {
                let why = tried.first().map(|tried| format!(": {}: {}", tried.server, tried.brief));
                format!("no {} was of use{}", servers_of(zone, *role), why.unwrap_or_default())
            }
            Self::Network { server, source, .. } => format!("{server}: {}", source.brief()),
            other => other.to_string(),
        };
        Some(ExtendedError::brief(code, &text))
    }

    /// There is no such record, or not even the name; `said_by` is the server or the cache.
    pub(crate) fn nothing(
        what: Negative,
        name: &DnsName,
        end: &DnsName,
        record_type: RecordType,
        said_by: String,
    ) -> Self {
        let name = name.clone();
        match what {
            Negative::NoName => {
                let said_by = format!("NXDOMAIN from {said_by}");
                let target = (*end != name).then(|| end.clone());
                Self::NotFound { name, target, said_by }
            }
            Negative::NoData => {
                Self::NoRecords { name, record_type, said_by: format!("NODATA from {said_by}") }
            }
        }
    }
}

/// A server of a zone that was of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Its name, and its address as far as that is known, as `ns1.example.test (192.0.2.53:53)`.
    pub server: String,
    /// What was wrong with it.
    pub why: String,
    /// The same in a few words.
    pub brief: String,
}

impl Tried {
    fn list(all: &[Self]) -> String {
        let told = all.iter().map(|tried| format!("{}: {}", tried.server, tried.why));
        told.collect::<Vec<_>>().join("; ")
    }
}

/// One of the servers of a zone, in words.
fn servers_of(zone: &DnsName, role: ServerRole) -> String {
    match role {
        ServerRole::Authority if zone.is_root() => "server of the root zone".to_owned(),
        ServerRole::Authority => format!("server of the zone {zone}"),
        ServerRole::Configured => format!("server configured for {zone}"),
        ServerRole::Forwarder if zone.is_root() => "forwarder".to_owned(),
        ServerRole::Forwarder => format!("forwarder for {zone}"),
    }
}

/// What a name server said instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerProblem {
    /// A response code.
    #[error("it answers {code}{}", explanation(" and says why: ", why))]
    Code {
        /// The code.
        code: ResponseCode,
        /// Why, as far as it says so (RFC 8914).
        why: Vec<ExtendedError>,
    },
    /// It only named other servers, though it was asked to find out itself.
    #[error("it only refers to other servers: it does not look names up for others")]
    NotRecursive,
    /// It was asked as a server of a zone, but is none.
    #[error("it has no authority over {zone} (a lame delegation)")]
    Lame {
        /// The zone.
        zone: DnsName,
    },
    /// It answers as somebody who has asked others, not as a server of the zone.
    #[error("it knows {zone} only from others, though it should serve it")]
    OnlyRecursive {
        /// The zone.
        zone: DnsName,
    },
    /// It leaves the signatures out of a zone that has them, so that nothing it says can be checked.
    #[error("{zone} is signed, but there is no signature in its answer")]
    Unsigned {
        /// The zone.
        zone: DnsName,
    },
    /// There is nothing in its answer, not even that there is nothing.
    #[error("its answer is empty")]
    Empty,
    /// Its answer does not say what it answers.
    #[error("its answer does not repeat the question")]
    NoQuestion,
    /// Even over TCP only the beginning of the answer came.
    #[error("its answer is cut short even over TCP")]
    Truncated,
    /// It refers to servers that are no nearer to the name.
    #[error("it has no authority over {zone} and refers to {to}, which leads no further down")]
    NoWayDown {
        /// The zone that it was asked as a server of.
        zone: DnsName,
        /// Where it refers to.
        to: DnsName,
    },
}

/// A name server could not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The question could not be sent, or an ICMP error came back.
    #[error(transparent)]
    Udp(#[from] UdpError),
    /// There is no port to ask from.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// It takes no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection broke before the answer was in.
    #[error("the TCP connection ended before the answer: {0}")]
    Broken(String),
    /// The question cannot be put into a message.
    #[error("the query cannot be made: {0}")]
    Query(String),
    /// IPv6 does not work here yet.
    #[error("it has an IPv6 address, and IPv6 is not spoken here yet")]
    Ipv6,
}

impl NetworkError {
    /// The same in a few words, without who on the way has said so.
    pub(crate) fn brief(&self) -> String {
        match self {
            Self::Udp(UdpError::Unreachable { what, .. })
            | Self::Connect(ConnectError::Unreachable { what, .. }) => what.clone(),
            Self::Broken(_) => "the connection broke".to_owned(),
            other => other.to_string(),
        }
    }
}

impl ServerProblem {
    /// The code that a response has, and why, as far as it says so.
    pub(crate) fn of(message: &Message) -> Self {
        Self::Code { code: message.code, why: message.extended_errors().to_vec() }
    }

    /// What to do about it.
    fn cure(&self) -> &'static str {
        match self {
            Self::Code { why, .. } if why.iter().any(ExtendedError::is_about_signatures) => MEND,
            _ => "try again, or ask another name server (--dns IP)",
        }
    }
}

/// What extended errors say, behind `before`; nothing if there are none. A server may say a lot.
pub(crate) fn explanation(before: &str, errors: &[ExtendedError]) -> String {
    const MOST: usize = 500;
    if errors.is_empty() {
        return String::new();
    }
    let all = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match all.char_indices().nth(MOST) {
        Some((end, _)) => format!("{before}{}...", all.get(..end).unwrap_or_default()),
        None => format!("{before}{all}"),
    }
}

fn list(servers: &[SocketAddr]) -> String {
    servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn times(tries: u32) -> String {
    match tries {
        1 => "asked once".to_owned(),
        2 => "asked twice".to_owned(),
        more => format!("asked {more} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_trust_anchor_does_not_fit_it_is_that_which_is_to_be_mended() {
        let bogus = |anchor| {
            let (wanted, found) = (vec![1], vec![2]);
            let reason = Reason::NoSuchKey { zone: DnsName::root(), wanted, found, anchor };
            let (name, record_type) = (DnsName::root(), RecordType::Ns);
            ResolveError::Bogus { name, record_type, reason: Some(Box::new(reason)) }.to_string()
        };
        assert!(bogus(true).contains("trust a key that it has (--trust-anchor FILE)"), "{}", bogus(true));
        assert!(bogus(false).contains("must mend its signatures"), "{}", bogus(false));
    }
}
