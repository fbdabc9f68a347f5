//! What goes wrong between the two ends: ARP that is not answered, ICMP errors, a path that takes
//! less than was thought (RFC 1122 4.2.3.9, RFC 1191, RFC 5927).

use super::{Failure, Fate, Flow};
use crate::error::{ConnectError, TcpError};
use crate::icmp_error::IcmpError;
use crate::inner::timers::Owner;
use crate::inner::wire::Wire;
use crate::why::Trigger;
use glasstack_journal::Instant;
use glasstack_journal::event::{
    DropReason, FrameId, IcmpEffect, MacAddress, Role, StateCause, Tcp, TcpState,
};
use std::net::{IpAddr, Ipv4Addr};

/// The IP MTU below which nobody may push a connection (RFC 5927 7.2; RFC 1191 3 has 68).
const MTU_FLOOR: usize = 552;
/// What is tried when large segments vanish without a word (RFC 4821 7.1, RFC 2923 2.1).
pub(super) const BLACK_HOLE_MTUS: [usize; 2] = [1280, MTU_FLOOR];

impl Flow {
    /// The next hop has answered ARP, or has moved to another station.
    pub(crate) fn on_arp_reply(&mut self, wire: &mut Wire, mac: MacAddress, now: Instant) -> Fate {
        let target = self.arp_target;
        let reply = wire.reply_to_inner(*self.tuple.local.ip(), target, mac);
        if let Some(engine) = &mut self.engine {
            engine.receive(&reply, now);
        }
        self.drive(wire, Trigger::Application, now)
    }

    /// Whether its segments go to this neighbour.
    pub(crate) fn goes_by(&self, neighbour: Ipv4Addr) -> bool {
        self.next_hop == neighbour
    }

    /// A segment came from `station`: if that is the next hop, its ARP entry is still right.
    pub(crate) fn confirm_next_hop(&self, wire: &mut Wire, station: MacAddress, now: Instant) {
        wire.neighbours.confirm(self.next_hop, station, now);
    }

    /// The next hop has not answered ARP.
    pub(crate) fn on_no_arp_reply(&mut self, wire: &mut Wire, attempts: u8, now: Instant) -> Fate {
        let next_hop = IpAddr::V4(self.next_hop);
        if self.state == TcpState::SynSent {
            self.failure = Some(Failure::Connect(ConnectError::NoArpReply { next_hop, attempts }));
            return self.give_up(wire, StateCause::NoArpReply, now);
        }
        self.said = Some(format!("no ARP reply from {next_hop}"));
        self.drive(wire, Trigger::Timer, now)
    }

    /// The address that it was opened with is this host's no longer.
    pub(crate) fn on_address_lost(&mut self, wire: &mut Wire, now: Instant) -> Fate {
        let (peer, address) = (self.tuple.remote_addr(), self.tuple.local_addr().ip());
        let opening = matches!(self.state, TcpState::SynSent | TcpState::SynReceived);
        self.failure = Some(match (self.role, opening) {
            (Role::Active, true) => Failure::Connect(ConnectError::AddressLost { peer, address }),
            _ => Failure::Established(TcpError::AddressLost { peer, address }),
        });
        self.retire();
        self.give_up(wire, StateCause::AddressLost, now)
    }

    /// The routing table or the MTU has changed under it.
    pub(crate) fn on_rerouted(&mut self, wire: &mut Wire, now: Instant) -> Fate {
        self.lower_mtu(wire, wire.mtu, "so much the link takes now", now);
        let decision = wire.routes.lookup(self.tuple.remote.ip().to_owned().into());
        let Ok(IpAddr::V4(next_hop)) = decision.map(|decision| decision.next_hop) else {
            return Fate::Lives;
        };
        if next_hop == self.next_hop {
            return Fate::Lives;
        }
        self.next_hop = next_hop;
        match wire.resolve(&self.scope, next_hop, Some(self.id), now) {
            Some(mac) => self.on_arp_reply(wire, mac, now),
            None => Fate::Lives,
        }
    }

    /// An ICMP error about a segment of this connection. RFC 5927 4.1: only one that quotes a
    /// sequence number in flight is believed.
    pub(crate) fn on_icmp_error(
        &mut self,
        wire: &mut Wire,
        frame: FrameId,
        from: Ipv4Addr,
        error: &IcmpError,
        now: Instant,
    ) -> (IcmpEffect, Fate) {
        let in_flight = error.quote.tcp_seq.is_some_and(|seq| self.history.in_flight_contains(seq));
        if !in_flight {
            let why = "the quoted sequence number is not in flight (RFC 5927 4.1)".to_owned();
            return (IcmpEffect::Ignored { reason: DropReason::SuspiciousIcmp, why }, Fate::Lives);
        }
        if let Some(next_hop_mtu) = error.kind.next_hop_mtu() {
            return self.on_fragmentation_needed(wire, next_hop_mtu, error.quote.total_length, from, now);
        }
        if self.state == TcpState::SynSent {
            let peer = self.tuple.remote_addr();
            let what = error.kind.to_string();
            self.failure =
                Some(Failure::Connect(ConnectError::Unreachable { peer, from: from.into(), what }));
            return (IcmpEffect::ConnectFailed, self.give_up(wire, StateCause::IcmpError(frame), now));
        }
        self.said = Some(format!("{}, says {from}", error.kind));
        (IcmpEffect::Remembered, Fate::Lives)
    }

    fn on_fragmentation_needed(
        &mut self,
        wire: &mut Wire,
        next_hop_mtu: u16,
        quoted_length: u16,
        from: Ipv4Addr,
        now: Instant,
    ) -> (IcmpEffect, Fate) {
        let before = self.mtu;
        // RFC 1191 5: an old router says 0; then the next plateau below the packet's size is taken.
        let told = match next_hop_mtu {
            0 => plateau_below(usize::from(quoted_length).min(before)),
            mtu => usize::from(mtu),
        };
        let mtu = told.max(MTU_FLOOR);
        if mtu >= before {
            let why = format!("an MTU of {told} is no less than the {before} in use");
            return (IcmpEffect::Ignored { reason: DropReason::SuspiciousIcmp, why }, Fate::Lives);
        }
        self.lower_mtu(wire, mtu, &format!("fragmentation needed, says {from}"), now);
        let fate = self.drive(wire, Trigger::MtuLowered { mtu }, now);
        (IcmpEffect::MtuLowered { from: before, to: mtu }, fate)
    }

    pub(super) fn lower_mtu(&mut self, wire: &mut Wire, to: usize, why: &str, now: Instant) {
        let (flow, from) = (self.id, self.mtu);
        if to >= from {
            return;
        }
        self.mtu = to;
        wire.lower_mtu_towards(*self.tuple.remote.ip(), to, now);
        let seed = wire.entropy.u64();
        if let Some(engine) = &mut self.engine {
            engine.set_mtu(to, seed, now);
        }
        self.history.mtu_lowered(to);
        self.scope.record(|| Tcp::MtuLowered { flow, from, to, why: why.to_owned() });
    }

    /// Ends an attempt without a word on the wire.
    pub(crate) fn give_up(&mut self, wire: &mut Wire, cause: StateCause, now: Instant) -> Fate {
        self.engine = None;
        let (flow, from, to) = (self.id, self.state, TcpState::Closed);
        self.state = to;
        self.since_state = now;
        if from != to {
            self.scope.record(|| Tcp::StateChanged { flow, from, to, cause });
        }
        wire.timers.set(Owner::Flow(self.id), None);
        self.wake(wire);
        Fate::Over
    }
}

/// The largest plateau below `size` (RFC 1191 7.1).
fn plateau_below(size: usize) -> usize {
    [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 576]
        .into_iter()
        .find(|plateau| *plateau < size)
        .unwrap_or(MTU_FLOOR)
}
