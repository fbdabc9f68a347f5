//! Published ports: what the machine listens on for a host behind the gateway.
//!
//! Only here does anything listen, and only where it was asked to. A peer of the machine is seen
//! behind the gateway under its own address where that can be; one on the machine's loopback is the
//! gateway.

use super::datagrams::lock;
use super::gateway::Gateway;
use super::relay::relay;
use super::turn::give_way;
use crate::os::datagram::BoundUdp;
use crate::os::tcp::{OsTcpListener, OsTcpStream};
use glasstack_journal::Instant;
use glasstack_journal::event::{Answer, Gateway as Fact, Note, Passage};
use glasstack_stack::{ConnectError, ConnectOptions, TcpStream};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
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

/// The peers of published UDP ports: who they are behind the gateway, and who they are.
#[derive(Default)]
pub(super) struct Published {
    peers: Mutex<BTreeMap<Ends, Peer>>,
}

/// The host behind the gateway, and its peer as it sees it.
type Ends = (SocketAddr, SocketAddr);

struct Peer {
    socket: Arc<BoundUdp>,
    address: SocketAddr,
    last_used: Instant,
}

impl Published {
    /// Sends a datagram of a host behind the gateway on to the peer of a published port. False: it
    /// is for no such peer.
    pub(super) fn answer(&self, ends: Ends, data: &[u8], now: Instant) -> bool {
        let mut peers = lock(&self.peers);
        let Some(peer) = peers.get_mut(&ends) else { return false };
        peer.last_used = now;
        // It is UDP: what the kernel does not take is lost.
        let _ = peer.socket.send_to(data, peer.address);
        true
    }

    /// Remembers a peer of `to`; the one that was idle for longest gives way. The address that it has
    /// behind the gateway: `seen_as`, or, where that is another's already, another port of it.
    fn remember(&self, to: SocketAddr, seen_as: SocketAddr, peer: Peer, limit: usize) -> SocketAddr {
        let mut peers = lock(&self.peers);
        let seen_as = match peers.get(&(to, seen_as)) {
            Some(other) if !other.is_the_same_as(&peer) => alias(&peers, to, seen_as, &peer),
            _ => seen_as,
        };
        while peers.len() >= limit.max(1) && !peers.contains_key(&(to, seen_as)) {
            let idlest = peers.iter().min_by_key(|(_, peer)| peer.last_used).map(|(ends, _)| *ends);
            let Some(idlest) = idlest else { break };
            peers.remove(&idlest);
        }
        peers.insert((to, seen_as), peer);
        seen_as
    }
}

impl Peer {
    fn is_the_same_as(&self, other: &Self) -> bool {
        self.address == other.address && Arc::ptr_eq(&self.socket, &other.socket)
    }
}

/// The port by which `peer` is known already although it is not its own, or one that is free.
fn alias(peers: &BTreeMap<Ends, Peer>, to: SocketAddr, seen_as: SocketAddr, peer: &Peer) -> SocketAddr {
    let own = peers
        .iter()
        .find(|((host, name), other)| *host == to && name.ip() == seen_as.ip() && other.is_the_same_as(peer));
    if let Some(((_, name), _)) = own {
        return *name;
    }
    let mut names = EPHEMERAL.map(|port| SocketAddr::new(seen_as.ip(), port));
    names.find(|name| !peers.contains_key(&(to, *name))).unwrap_or(seen_as)
}

/// RFC 6335 6: the dynamic ports.
const EPHEMERAL: std::ops::RangeInclusive<u16> = 49_152..=65_535;

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
    let Some(_seat) = gateway.connections.take() else {
        let why = format!("{} connections are open already", gateway.connections.limit());
        return refuse(outside, why);
    };
    match connect(&gateway, from, to).await {
        Ok(inside) => {
            let via = Some(inside.local_addr());
            gateway.tell(|| Fact::Carried { passage, onward: None, via });
            let outcome = relay(&gateway, inside, outside).await;
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
        let seen_as = SocketAddr::new(gateway.plan.inward(address.ip()).into(), address.port());
        let peer = Peer { socket: Arc::clone(&socket), address, last_used: gateway.host.now() };
        let seen_as = gateway.published.remember(to, seen_as, peer, gateway.limits.datagram_flows);
        let data = buffer.get(..length).unwrap_or_default();
        let _ = gateway.transit.send_datagram(seen_as, to, data).await;
    }
}
