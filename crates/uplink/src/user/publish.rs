//! Published ports: what the machine listens on for a host behind the gateway.
//!
//! Only here does anything listen, and only where it was asked to. A peer of the machine is seen
//! behind the gateway under its own address where that can be; one on the machine's loopback is the
//! gateway.

use super::gateway::Gateway;
use super::peers::Peer;
use super::relay::relay;
use crate::os::datagram::BoundUdp;
use crate::os::tcp::{OsTcpListener, OsTcpStream};
use glasstack_journal::event::{Answer, Gateway as Fact, Note, Passage};
use glasstack_stack::{ConnectError, ConnectOptions, TcpStream, give_way};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A port of the machine cannot be published.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {on} of this machine: {}", explained(.source))]
pub struct PublishError {
    /// Where it was to listen.
    pub on: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

fn explained(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{error}: ports below 1024 need root, or take a higher one")
        }
        io::ErrorKind::AddrInUse => format!("{error}: another program has this port"),
        io::ErrorKind::AddrNotAvailable => format!("{error}: it is no address of this machine"),
        _ => error.to_string(),
    }
}

/// From now on connections to `on` are made to `to`, behind the gateway. Where it listens.
pub(super) fn tcp(
    gateway: &Arc<Gateway>,
    on: SocketAddr,
    to: SocketAddr,
) -> Result<SocketAddr, PublishError> {
    let failed = |source| PublishError { on, source };
    let listener = OsTcpListener::bind(&gateway.reactor, on).map_err(failed)?;
    let on = listener.local_addr().map_err(failed)?;
    gateway.tell(|| Fact::Published { protocol: "TCP", on, to });
    gateway.host.spawn(accept(Arc::clone(gateway), listener, to));
    Ok(on)
}

async fn accept(gateway: Arc<Gateway>, listener: OsTcpListener, to: SocketAddr) {
    loop {
        give_way().await;
        match listener.accept(&gateway.reactor).await {
            Ok((outside, from)) => {
                gateway.host.spawn(join(Arc::clone(&gateway), outside, from, to));
            }
            // The connection was reset before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // The machine has no more sockets or memory: it waits in the kernel's queue.
            Err(error) => {
                let text = format!("a connection to a published port has to wait: {error}");
                gateway.host.scope().record(|| Note::warning(text));
                gateway.host.sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// One connection from outside. The kernel has answered its SYN already; what can be told of a
/// refusal is a reset.
async fn join(gateway: Arc<Gateway>, outside: OsTcpStream, from: SocketAddr, to: SocketAddr) {
    let passage = Passage::Tcp { from, to };
    let refuse = |outside: OsTcpStream, why: String| {
        gateway.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Reset });
        outside.reset();
    };
    if let Some(why) = gateway.stranger(from) {
        return refuse(outside, why);
    }
    let Some(_seat) = gateway.connections.take() else {
        let why = format!("{} connections are open already", gateway.connections.limit());
        return refuse(outside, why);
    };
    match connect(&gateway, from, to).await {
        Ok(inside) => {
            let via = Some(inside.local_addr());
            gateway.tell(|| Fact::Carried { passage, onward: None, via });
            let outcome = relay(&gateway.host, &gateway.buffers, inside, outside).await;
            let (up, down) = (outcome.down, outcome.up);
            gateway.tell(|| Fact::Ended { passage, up, down, how: outcome.ending.to_string() });
        }
        Err(error) => refuse(outside, error.to_string()),
    }
}

async fn connect(gateway: &Gateway, from: SocketAddr, to: SocketAddr) -> Result<TcpStream, ConnectError> {
    let seen_as = SocketAddr::new(gateway.plan.inward(from.ip()).into(), from.port());
    let timeout = gateway.limits.connect;
    let options = ConnectOptions { timeout, from: Some(seen_as), ..ConnectOptions::default() };
    match gateway.host.connect_with(to, &options).await {
        // Two peers with the same port that are both the gateway: the second gets another one.
        Err(ConnectError::PortTaken { .. }) => {
            let from = Some(SocketAddr::new(seen_as.ip(), 0));
            gateway.host.connect_with(to, &ConnectOptions { from, ..options }).await
        }
        outcome => outcome,
    }
}

/// From now on datagrams to `on` go to `to`, behind the gateway. Where it is bound.
pub(super) fn udp(
    gateway: &Arc<Gateway>,
    on: SocketAddr,
    to: SocketAddr,
) -> Result<SocketAddr, PublishError> {
    let failed = |source| PublishError { on, source };
    let socket = BoundUdp::bind(&gateway.reactor, on).map_err(failed)?;
    let on = socket.local_addr().map_err(failed)?;
    gateway.tell(|| Fact::Published { protocol: "UDP", on, to });
    gateway.host.spawn(take_datagrams(Arc::clone(gateway), Arc::new(socket), to));
    Ok(on)
}

async fn take_datagrams(gateway: Arc<Gateway>, socket: Arc<BoundUdp>, to: SocketAddr) {
    let mut buffer = vec![0; 65_536];
    loop {
        give_way().await;
        let (length, address) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // An ICMP error about an earlier answer; what waits is read next.
            Err(_) => continue,
        };
        if let Some(why) = gateway.stranger(address) {
            let passage = Passage::Udp { from: address, to };
            gateway.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Silence });
            continue;
        }
        let seen_as = SocketAddr::new(gateway.plan.inward(address.ip()).into(), address.port());
        let peer = Peer { socket: Arc::clone(&socket), address, last_used: gateway.host.now() };
        let seen_as = gateway.published.remember(to, seen_as, peer, gateway.limits.datagram_flows);
        let data = buffer.get(..length).unwrap_or_default();
        let _ = gateway.transit.send_datagram(seen_as, to, data).await;
    }
}
