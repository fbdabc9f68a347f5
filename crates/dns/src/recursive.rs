//! The local name server: it walks for others and remembers (RFC 1034 4.3.1, recursive service).

use crate::hints::RootHints;
use crate::message::ResponseCode;
use crate::server::{Asked, Authority, NameServer, Reply, ServeError, serve};
use futures_util::future::{BoxFuture, ready};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::time::Duration;

/// How a recursive server goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecursorConfig {
    /// How long a server is given for an answer the first time; twice as long in each further round.
    /// 400 ms.
    pub timeout: Duration,
    /// How often the servers of a zone are gone round. 4.
    pub rounds: u32,
    /// How long a client's question may take altogether. 9 s: less than stub resolvers wait.
    pub patience: Duration,
    /// How many queries a client's question may cause altogether. 100.
    pub max_queries: u32,
    /// How deep lookups of name servers' addresses may be nested. 7.
    pub max_depth: u32,
    /// Whether EDNS(0) is offered to the servers asked (RFC 6891). Yes.
    pub edns: bool,
    /// How many answers are kept. 10 000.
    pub cache_capacity: usize,
}

impl Default for RecursorConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(400),
            rounds: 4,
            patience: Duration::from_secs(9),
            max_queries: 100,
            max_depth: 7,
            edns: true,
            cache_capacity: 10_000,
        }
    }
}

/// Answers clients on `local`, over UDP and TCP, by walking from `hints` to whoever has authority.
/// Dropping what is returned stops the server.
pub fn serve_recursive(
    host: &Host,
    local: SocketAddr,
    hints: RootHints,
    config: RecursorConfig,
) -> Result<NameServer, ServeError> {
    serve(host, local, Recursor::new(host.clone(), hints, config))
}

/// What a recursive server knows, and can find out.
pub struct Recursor {
    _host: Host,
    _hints: RootHints,
    _config: RecursorConfig,
}

impl Recursor {
    /// One that knows nothing yet but the root's servers.
    pub fn new(host: Host, hints: RootHints, config: RecursorConfig) -> Self {
        Self { _host: host, _hints: hints, _config: config }
    }
}

impl Authority for Recursor {
    fn answer<'a>(&'a self, _: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(ready(Reply::empty(ResponseCode::ServFail, "nobody walks yet")))
    }

    fn recursion_available(&self) -> bool {
        true
    }
}
