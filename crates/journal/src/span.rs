//! Spans: the tree that holds a journey together (page -> fetch -> query or connection -> segment).

use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Names one span within a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SpanId(pub u64);

/// What a span is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// One run of the program: from the address bar to the last connection's end.
    Journey {
        /// What the user typed.
        typed: String,
    },
    /// One request and its response, redirects being fetches of their own.
    Fetch {
        /// The absolute URL asked for.
        url: String,
    },
    /// One name turned into addresses.
    Resolve {
        /// The name asked for.
        name: String,
        /// The record type, as `A` or `AAAA`.
        record_type: String,
    },
    /// One question to one server.
    Query {
        /// The server asked.
        server: SocketAddr,
    },
    /// One TCP connection, from SYN to the end of TIME-WAIT.
    Connection {
        /// The other end.
        remote: SocketAddr,
    },
    /// One TLS session on a connection.
    Tls {
        /// The name the certificate must be good for.
        server_name: String,
    },
    /// One echo request and its reply.
    Ping {
        /// Who is asked.
        destination: IpAddr,
    },
    /// One packet sent to see who answers it.
    Probe {
        /// Who it is for.
        destination: IpAddr,
        /// How far it may go, in hops.
        ttl: u8,
    },
    /// An address for a while: from the first question to the end of the lease.
    Dhcp {
        /// The interface's name.
        interface: String,
    },
    /// A service offered by this node.
    Service {
        /// Its name, as `dns` or `http`.
        name: String,
        /// Where it listens.
        local: SocketAddr,
    },
}

impl fmt::Display for SpanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journey { typed } => write!(f, "journey to {typed}"),
            Self::Fetch { url } => write!(f, "fetch {url}"),
            Self::Resolve { name, record_type } => write!(f, "resolve {name} {record_type}"),
            Self::Query { server } => write!(f, "query to {server}"),
            Self::Connection { remote } => write!(f, "connection to {remote}"),
            Self::Tls { server_name } => write!(f, "TLS with {server_name}"),
            Self::Ping { destination } => write!(f, "ping {destination}"),
            Self::Probe { destination, ttl } => write!(f, "probe towards {destination}, TTL {ttl}"),
            Self::Dhcp { interface } => write!(f, "DHCP on {interface}"),
            Self::Service { name, local } => write!(f, "{name} service on {local}"),
        }
    }
}
