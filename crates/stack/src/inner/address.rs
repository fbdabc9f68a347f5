//! The host's address: given, changed and taken away while it runs.

use super::core::Core;
use super::front::Front;
use crate::config::{Addressing, LARGEST_MTU, Place, SMALLEST_MTU};
use crate::error::{ConfigError, PingError, UdpError};
use crate::route::{Prefix, Route};
use glasstack_journal::event::{FlowId, Ip, StateCause, Tcp};
use glasstack_journal::{Instant, Scope};
use std::net::Ipv4Addr;

impl Core {
    /// Gives the interface an address, or another one, and tells everybody on the link.
    pub(crate) fn configure(
        &mut self,
        scope: &Scope,
        to: &Addressing,
        now: Instant,
    ) -> Result<(), ConfigError> {
        let wire = &self.wire;
        let mtu = to.mtu.unwrap_or(wire.device_mtu);
        if mtu < SMALLEST_MTU {
            return Err(ConfigError::Mtu(mtu));
        }
        let gateway =
            to.gateway.map(|gateway| Route { prefix: Prefix::DEFAULT, via: Some(gateway), metric: 0 });
        let rows: Vec<Route> = gateway.into_iter().chain(wire.static_routes.iter().copied()).collect();
        let place = Place::new(&wire.name, to.address, to.prefix_len, &rows)?;
        if let Some(gateway) = to.gateway.filter(|gateway| !place.prefix.contains(*gateway)) {
            let link = place.prefix.to_string();
            return Err(ConfigError::GatewayOffLink { gateway: gateway.into(), link });
        }
        let before = self.wire.local;
        self.settle_at(place, mtu.min(self.wire.device_mtu).min(LARGEST_MTU), now);
        let wire = &self.wire;
        scope.record(|| Ip::AddressSet {
            interface: wire.interface,
            name: wire.name.clone(),
            address: to.address.into(),
            prefix_len: to.prefix_len,
            gateway: to.gateway.map(Into::into),
            mtu: wire.mtu,
            before: (!before.is_unspecified() && before != to.address).then(|| before.into()),
        });
        if before != to.address {
            self.wire.announce(scope);
        }
        Ok(())
    }

    /// Takes the interface's address away, if it has one.
    pub(crate) fn unconfigure(&mut self, scope: &Scope, now: Instant) {
        let address = self.wire.local;
        if address.is_unspecified() {
            return;
        }
        self.settle_at(Place::nowhere(&self.wire.name), self.wire.device_mtu, now);
        let (interface, name) = (self.wire.interface, &self.wire.name);
        scope.record(|| Ip::AddressRemoved { interface, name: name.clone(), address: address.into() });
    }

    fn settle_at(&mut self, place: Place, mtu: usize, now: Instant) {
        let before = self.wire.local;
        let moved = before != place.address;
        (self.wire.local, self.wire.prefix, self.wire.routes) = (place.address, place.prefix, place.routes);
        self.wire.mtu = mtu;
        if moved {
            self.wire.forget_the_link();
            self.front = Front::new(&self.wire, now);
            if !before.is_unspecified() {
                self.leave(before, now);
            }
        } else {
            self.reroute(now);
        }
    }

    /// What lived by an address ends with it.
    fn leave(&mut self, address: Ipv4Addr, now: Instant) {
        let flows: Vec<FlowId> = self
            .flows
            .values()
            .filter(|flow| *flow.tuple.local.ip() == address)
            .map(|flow| flow.id)
            .collect();
        for id in flows {
            self.with_flow(id, now, |flow, wire| flow.on_address_lost(wire, now));
        }
        let waiting: Vec<_> =
            self.time_wait.iter().map(|(tuple, _)| *tuple).filter(|t| *t.local.ip() == address).collect();
        for memory in waiting.iter().filter_map(|tuple| self.time_wait.forget(tuple)).collect::<Vec<_>>() {
            let flow = memory.flow;
            memory.scope.record(|| Tcp::TimeWaitOver { flow, how: format!("{address} is gone") });
            self.end_time_wait(&memory, StateCause::AddressLost);
        }
        self.wire.timers.set(super::timers::Owner::TimeWait, self.time_wait.next_deadline());
        for port in self.udp.values_mut() {
            port.push_error(UdpError::AddressLost { address: address.into() });
            self.wire.wakers.append(&mut port.wakers);
        }
        self.fail_probes(address);
        for ping in self.pings.values_mut().filter(|ping| ping.outcome.is_none()) {
            let destination = ping.destination.into();
            ping.outcome = Some(Err(PingError::AddressLost { destination, address: address.into() }));
            self.wire.wakers.extend(ping.waker.take());
        }
    }

    /// The address stays, but the ways or the MTU may be others now.
    fn reroute(&mut self, now: Instant) {
        let ids: Vec<FlowId> = self.flows.keys().copied().collect();
        for id in ids {
            self.with_flow(id, now, |flow, wire| flow.on_rerouted(wire, now));
        }
    }
}
