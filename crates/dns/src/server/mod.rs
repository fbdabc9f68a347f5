//! A name server on the user-space stack, over UDP and TCP.
//!
//! Read in this order: this file (the two loops), [`authority`] (the seam: a question in, a reply
//! out), [`zone`] and [`zones`] (an authority made of records), `respond` (what is between the bytes
//! and the authority).

mod answering;
pub mod authority;
mod respond;
pub mod zone;
pub mod zonefile;
pub mod zones;

pub use authority::{Asked, Authority, Reply};
pub use zone::{Zone, ZoneError};
pub use zonefile::{BadZoneFile, Warning, ZoneFileOptions};
pub use zones::{MinimalResponses, Zones};

use crate::framing::{read_message, write_message};
use futures_util::future::{AbortHandle, abortable};
use futures_util::io::AsyncWriteExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{FutureExt, select_biased};
use glasstack_journal::SpanKind;
use glasstack_journal::event::Transport;
use glasstack_stack::{BindError, Host, ListenError, TcpListener, TcpStream, UdpSocket};
use respond::Responder;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How many datagrams are answered at once; further ones wait in the socket.
const DATAGRAMS_AT_ONCE: usize = 256;
/// How many connections are served at once; further ones wait to be accepted.
const CONNECTIONS_AT_ONCE: usize = 128;
/// How long a client may keep a connection without using it (RFC 7766 6.2.3: "on the order of a few
/// seconds").
const IDLE: Duration = Duration::from_secs(10);

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
#[derive(Debug)]
#[must_use = "dropping it stops the server"]
pub struct NameServer {
    local: SocketAddr,
    loops: [AbortHandle; 2],
}

impl NameServer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.loops.iter().for_each(AbortHandle::abort);
    }
}

/// Answers questions on `local`, over UDP and TCP, as `authority` knows. The address may be
/// unspecified; the port is usually [`DNS_PORT`](crate::config::DNS_PORT).
pub fn serve(host: &Host, local: SocketAddr, authority: impl Authority) -> Result<NameServer, ServeError> {
    serve_within(&host.span(SpanKind::Service { name: "dns".to_owned(), local }), local, authority)
}

/// The same, in a span that is open already.
pub(crate) fn serve_within(
    host: &Host,
    local: SocketAddr,
    authority: impl Authority,
) -> Result<NameServer, ServeError> {
    let socket = host.udp(local)?;
    let listener = host.listen(local)?;
    let responder = Arc::new(Responder::new(Arc::new(authority), host.scope().clone()));
    let (datagrams, stop_datagrams) = abortable(serve_datagrams(socket, Arc::clone(&responder)));
    let (connections, stop_connections) = abortable(serve_connections(host.clone(), listener, responder));
    host.spawn(datagrams.map(|_| ()));
    host.spawn(connections.map(|_| ()));
    Ok(NameServer { local, loops: [stop_datagrams, stop_connections] })
}

/// One answer a datagram; a slow one holds nobody up.
async fn serve_datagrams(socket: UdpSocket, responder: Arc<Responder>) {
    let mut answering = FuturesUnordered::new();
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        if answering.len() >= DATAGRAMS_AT_ONCE {
            answering.next().await;
        }
        let received = select_biased! {
            () = answering.select_next_some() => continue,
            received = socket.recv_from(&mut buffer).fuse() => received,
        };
        // An ICMP error about an answer sent before: whoever asked is gone.
        let Ok((length, client)) = received else { continue };
        let request = buffer.get(..length).unwrap_or_default().to_vec();
        let (socket, responder) = (&socket, &responder);
        answering.push(async move {
            if let Some(response) = responder.respond(&request, client, Transport::Udp).await {
                // If the client cannot be reached, nobody can be told.
                let _ = socket.send_to(&response, client).await;
            }
        });
    }
}

async fn serve_connections(host: Host, listener: TcpListener, responder: Arc<Responder>) {
    let mut serving = FuturesUnordered::new();
    loop {
        if serving.len() >= CONNECTIONS_AT_ONCE {
            serving.next().await;
        }
        let stream = select_biased! {
            () = serving.select_next_some() => continue,
            stream = listener.accept().fuse() => stream,
        };
        serving.push(serve_connection(&host, stream, &responder));
    }
}

/// RFC 7766 6.2.1: a client may ask one question after the other on a connection.
async fn serve_connection(host: &Host, mut stream: TcpStream, responder: &Responder) {
    let client = stream.peer_addr();
    while let Ok(Ok(Some(request))) = host.timeout(IDLE, read_message(&mut stream)).await {
        let Some(response) = responder.respond(&request, client, Transport::Tcp).await else { return };
        if !matches!(host.timeout(IDLE, write_message(&mut stream, &response)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = stream.close().await;
}
