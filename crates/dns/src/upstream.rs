//! One query to one server: what the algorithm asks the world for, and the only thing it asks for.

use crate::error::NetworkError;
pub use crate::matching::Mismatch;
use crate::message::{Edns, Message, Question};
use futures_util::future::BoxFuture;
use glasstack_journal::event::{QueryReason, Transport};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::time::Duration;

/// Whoever carries a query to a server and brings its response back. [`Sockets`] does so over the
/// host's own UDP and TCP; a test may put a script in its place.
pub trait Upstream: Send + Sync {
    /// Asks once, over the transport named, and waits no longer than the query's timeout. What comes back
    /// has passed the checks of RFC 5452 9.1: it answers this query.
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>>;
}

/// What is asked of whom, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What is asked.
    pub question: Question,
    /// Who is asked; IPv4 or IPv6.
    pub server: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// Whether the server is asked to find the answer itself (RD).
    pub recursion_desired: bool,
    /// Whether the server is asked not to validate (CD, RFC 4035 3.2.2).
    pub checking_disabled: bool,
    /// Extensions, if any are offered.
    pub edns: Option<Edns>,
    /// Whether the letters of the name are sent in random case, and expected back in the same
    /// (draft-vixie-dnsext-dns0x20).
    pub mixed_case: bool,
    /// How long it may take altogether.
    pub timeout: Duration,
    /// Why it is asked.
    pub why: QueryReason,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The time is up.
    #[error("it did not answer in time")]
    TimedOut {
        /// Which check the last thing failed that came in meanwhile, if any did.
        ignored: Option<Mismatch>,
    },
    /// The server cannot be reached.
    #[error("it cannot be reached ({0})")]
    Network(#[source] NetworkError),
}

impl<E: Into<NetworkError>> From<E> for NoAnswer {
    fn from(error: E) -> Self {
        Self::Network(error.into())
    }
}

/// The usual one: the host's own sockets, a new one for each query.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sockets;

impl Upstream for Sockets {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        Box::pin(crate::exchange::run(host, query))
    }
}
