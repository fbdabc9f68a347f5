//! The peers of published UDP ports.

use super::flows::{Ends, lock};
use crate::os::datagram::BoundUdp;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Who they are behind the gateway, and who they are. The ends are the host behind the gateway and
/// its peer as it sees it.
#[derive(Default)]
pub(super) struct Published {
    peers: Mutex<BTreeMap<Ends, Peer>>,
}

/// Who has sent something to a published port.
pub(super) struct Peer {
    pub(super) socket: Arc<BoundUdp>,
    pub(super) address: SocketAddr,
    pub(super) last_used: Instant,
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
    pub(super) fn remember(
        &self,
        to: SocketAddr,
        seen_as: SocketAddr,
        peer: Peer,
        limit: usize,
    ) -> SocketAddr {
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
