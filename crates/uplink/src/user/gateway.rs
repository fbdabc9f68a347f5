//! The gateway itself: what all that it carries has in common, and how many of each kind there may be.

use super::flows::Datagrams;
use super::lent::Lent;
use super::limits::Limits;
use super::peers::Published;
use super::plan::Plan;
use super::relay::Buffers;
use crate::reactor::Reactor;
use glasstack_journal::event::{Answer, Gateway as Fact, Passage};
use glasstack_stack::transit::Quoted;
use glasstack_stack::{Host, Transit, Unreachable};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all that it carries has in common.
pub(super) struct Gateway {
    /// The gateway's own host, which takes what is for others.
    pub(super) host: Host,
    pub(super) transit: Transit,
    pub(super) reactor: Reactor,
    pub(super) plan: Plan,
    pub(super) limits: Limits,
    /// The addresses that the machine's sockets have, at most one of each family.
    pub(super) outgoing: Vec<IpAddr>,
    /// Whether peers of published ports who cannot keep their address are turned away.
    pub(super) turns_strangers_away: bool,
    pub(super) lent: Lent,
    /// Whether it has a name server to offer.
    pub(super) has_name_server: bool,
    pub(super) connections: Arc<Seats>,
    pub(super) buffers: Buffers,
    pub(super) echoes: Arc<Seats>,
    pub(super) datagrams: Datagrams,
    pub(super) published: Published,
}

impl Gateway {
    /// Where `to` leads. The gateway's own name server, where the machine has none to ask, is a
    /// port without a listener; it is not the machine's.
    pub(super) fn onward(&self, to: SocketAddr) -> Result<SocketAddr, (Unreachable, &'static str)> {
        if to == SocketAddr::new(self.plan.gateway.into(), NAME_SERVER_PORT) && !self.has_name_server {
            return Err((Unreachable::Port, "this machine has no name server that is known of"));
        }
        if let IpAddr::V4(address) = to.ip()
            && let Some(owner) = self.lent.owner(address)
        {
            return Ok(SocketAddr::new(owner.into(), to.port()));
        }
        match self.plan.onward(to.ip()) {
            Ok(address) => Ok(SocketAddr::new(address.into(), to.port())),
            Err(why) => Err((why, NOWHERE)),
        }
    }

    /// The address that a socket towards `to` is to have, if that is said.
    pub(super) fn outgoing(&self, to: SocketAddr) -> Option<IpAddr> {
        self.outgoing.iter().copied().find(|own| own.is_ipv4() == to.is_ipv4())
    }

    /// Why a peer of a published port is turned away, if it is.
    pub(super) fn stranger(&self, peer: SocketAddr) -> Option<String> {
        (self.turns_strangers_away && self.plan.is_stranger(peer.ip()))
            .then(|| format!("{} cannot be told apart from this machine behind the gateway", peer.ip()))
    }

    /// Tells the sender of `packet` that it goes no further, and the journal.
    pub(super) fn turn_away(
        &self,
        packet: &impl Quoted,
        passage: Passage,
        answer: Unreachable,
        why: impl Into<String>,
    ) {
        self.tell(|| Fact::TurnedAway { passage, why: why.into(), answer: icmp(answer) });
        self.transit.unreachable(packet, answer);
    }

    pub(super) fn tell(&self, fact: impl FnOnce() -> Fact) {
        self.host.scope().record(fact);
    }
}

/// DNS (RFC 1035 4.2).
pub(super) const NAME_SERVER_PORT: u16 = 53;

/// Why something is for nobody beyond a gateway.
pub(super) const NOWHERE: &str = "nobody beyond the gateway has this address";

/// What `why` is called in the journal.
pub(super) fn icmp(why: Unreachable) -> Answer {
    Answer::Icmp(match why {
        Unreachable::Network => "network unreachable",
        Unreachable::Host => "host unreachable",
        Unreachable::Port => "port unreachable",
        Unreachable::Prohibited => "administratively prohibited",
        Unreachable::TimeExceeded => "time exceeded",
    })
}

/// Who complained, as `, says 192.0.2.1`.
pub(super) fn says(who: Option<IpAddr>) -> String {
    who.map(|who| format!(", says {who}")).unwrap_or_default()
}

/// How many of a kind may be under way.
#[derive(Debug)]
pub(super) struct Seats {
    taken: AtomicUsize,
    limit: usize,
}

/// The right to be one of them; given back when dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<Seats>);

impl Seats {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), limit })
    }

    /// How many there may be.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// How many there are.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn take(self: &Arc<Self>) -> Option<Seat> {
        let more = |taken: usize| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Seat(Arc::clone(self)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
