//! A name server on the user-space stack, over UDP and TCP.
//!
//! Read in this order: this file, `datagrams` and `connections` (the two ways in), [`authority`] (the
//! seam: a question in, a reply out), [`zones`] (an authority made of [zones](crate::zone)), `respond`
//! (what is between the bytes and the authority) with `request`, `inspect`, `extensions` and `cookies`, [`access`], [`limits`],
//! [`statistics`].

pub mod access;
mod answering;
pub mod authority;
mod chaos;
mod connections;
mod cookies;
mod datagrams;
mod extensions;
mod inspect;
pub mod limits;
pub mod options;
mod request;
mod respond;
pub mod statistics;
mod transfer;
pub mod zones;
mod zones_first;

pub use access::{Access, AccessError, AccessList, AccessRule};
pub use authority::{Asked, Authority, Reply};
pub use limits::{ClientLimits, ResponseRateLimit};
pub use options::ServeOptions;
pub use statistics::Statistics;
pub use zones::{MinimalResponses, Zones};
pub use zones_first::ZonesFirst;

use connections::serve_connections;
use datagrams::serve_datagrams;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, abortable};
use glasstack_journal::SpanKind;
use glasstack_stack::{BindError, Host, ListenError};
use respond::Responder;
use std::net::SocketAddr;
use std::sync::Arc;

/// The server cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// The UDP port cannot be had.
    #[error("the name server cannot have its UDP port: {0}")]
    Udp(#[from] BindError),
    /// The TCP port cannot be had.
    #[error("the name server cannot have its TCP port: {0}")]
    Tcp(#[from] ListenError),
}

/// A name server that runs in the background. Dropping it stops it: both ports are free again and
/// its connections end.
#[must_use = "dropping it stops the server"]
pub struct NameServer {
    local: SocketAddr,
    responder: Arc<Responder>,
    loops: [AbortHandle; 2],
}

impl NameServer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it has done so far.
    pub fn statistics(&self) -> Statistics {
        self.responder.statistics().clone()
    }
}

impl std::fmt::Debug for NameServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NameServer({})", self.local)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.loops.iter().for_each(AbortHandle::abort);
    }
}

/// Answers questions on `local`, over UDP and TCP, as `authority` knows: everybody's. The address may be
/// unspecified; the port is usually [`DNS_PORT`](crate::message::DNS_PORT).
pub fn serve(host: &Host, local: SocketAddr, authority: impl Authority) -> Result<NameServer, ServeError> {
    serve_within(&host.span(SpanKind::Service { name: "dns".to_owned(), local }), local, authority)
}

/// The same, in a span that is open already.
pub(crate) fn serve_within(
    host: &Host,
    local: SocketAddr,
    authority: impl Authority,
) -> Result<NameServer, ServeError> {
    serve_with(host, local, Arc::new(authority), ServeOptions::default())
}

/// The same as [`serve`], but only for whom and as often as `options` say. What it tells belongs to the
/// span that `host` speaks from, so that an authority that looks for others' answers can share it.
pub fn serve_with(
    host: &Host,
    local: SocketAddr,
    authority: Arc<dyn Authority>,
    options: ServeOptions,
) -> Result<NameServer, ServeError> {
    let socket = host.udp(local)?;
    let listener = host.listen(local)?;
    let responder = Arc::new(Responder::new(authority, options, host.clone()));
    let (datagrams, stop_datagrams) = abortable(serve_datagrams(socket, Arc::clone(&responder)));
    let connections = serve_connections(host.clone(), listener, Arc::clone(&responder));
    let (connections, stop_connections) = abortable(connections);
    host.spawn(datagrams.map(|_| ()));
    host.spawn(connections.map(|_| ()));
    Ok(NameServer { local, responder, loops: [stop_datagrams, stop_connections] })
}
