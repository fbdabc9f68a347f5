//! RIP version 2 (RFC 2453): routers tell their neighbours which networks they can reach and how far they
//! are, and believe whoever is nearest.
//!
//! ```text
//!   at the start   request for everything ------> neighbours, who answer at once
//!   every 30 s     all routes ------------------> 224.0.0.9
//!   on a change    the routes that changed -----> 224.0.0.9, then no more for 1 to 5 s
//!   a response     --> checks --> table --> routing table
//!                                   | 180 s without a word: unreachable; 120 s later: forgotten
//! ```
//!
//! What a router has learnt by a port it tells there as unreachable (split horizon with poisoned
//! reverse, RFC 2453 3.4.3), so that two neighbours never send packets to and fro; larger circles count to
//! infinity, which is 16.
//!
//! Networks of the router's ports and static routes are told with a metric of 1. Version 1 is not spoken.
//!
//! Read in this order: `config`, this file (when what is told), `table` (what is believed), `message` (the bytes).

mod config;
mod message;
mod table;

pub use config::{RipConfig, RipTimers};

use super::routes::{Origin, Row};
use super::service::{Datagram, Desk, Outgoing, PortView, Service, ServiceConfig};
use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, FrameId, Link, Rip, RipLoss, RipReason};
use glasstack_stack::Prefix;
use message::{Command, Entry, GROUP, INFINITY, Message, PASSWORD, PORT};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::time::Duration;
use table::{Known, Lives, Outcome, Table, Told};

/// Multicasts do not leave the link.
const TTL: u8 = 1;
/// What is told of the router's own networks (RFC 2453 3.5: the cost of a network is 1 as usual).
const OWN_METRIC: u8 = 1;

impl ServiceConfig for RipConfig {
    fn start(&self, desk: &mut Desk<'_>) -> Result<Box<dyn Service>, String> {
        let named = self.passive.iter().chain(&self.off).chain(self.costs.keys());
        if let Some(port) = named.into_iter().find(|port| **port >= desk.ports()) {
            return Err(format!("no port {port} to speak RIP on; there are {}", desk.ports()));
        }
        if let Some((port, cost)) = self.costs.iter().find(|(_, cost)| !(1..INFINITY).contains(*cost)) {
            return Err(format!("a RIP cost of {cost} on port {port}; 1 to 15 is possible (RFC 2453 3.5)"));
        }
        if self.timers.update.is_zero() {
            return Err("RIP updates every 0 s; 30 s is usual (RFC 2453 3.8)".to_owned());
        }
        let password = match &self.password {
            None => None,
            Some(text) => Some(padded(text).ok_or(format!(
                "a RIP password of {} bytes; {PASSWORD} is the most (RFC 2453 4.1)",
                text.len()
            ))?),
        };
        let mut speaker = Speaker {
            config: self.clone(),
            password,
            table: Table::default(),
            down: BTreeMap::new(),
            next_regular: Instant::MAX,
            quiet_until: None,
            is_pending: false,
            deadline: None,
        };
        speaker.take_own_networks(desk);
        speaker.ask(desk);
        speaker.next_regular = speaker.draw_next_regular(desk);
        speaker.set_deadline();
        Ok(Box::new(speaker))
    }
}

fn padded(password: &str) -> Option<[u8; PASSWORD]> {
    let mut bytes = [0; PASSWORD];
    bytes.get_mut(..password.len())?.copy_from_slice(password.as_bytes());
    Some(bytes)
}

/// The service itself.
struct Speaker {
    config: RipConfig,
    password: Option<[u8; PASSWORD]>,
    table: Table,
    /// The rows of ports without carrier, which lead nowhere as long as that lasts.
    down: BTreeMap<usize, Vec<Row>>,
    next_regular: Instant,
    /// After a triggered update no other is sent until then (RFC 2453 3.10.1).
    quiet_until: Option<Instant>,
    /// Something has changed that has not been told.
    is_pending: bool,
    /// The earliest of all; kept because the world asks after every packet that the router forwards.
    deadline: Option<Instant>,
}

impl Service for Speaker {
    fn udp_port(&self) -> u16 {
        PORT
    }

    fn groups(&self) -> &[Ipv4Addr] {
        &[GROUP]
    }

    fn on_datagram(&mut self, datagram: &Datagram<'_>, desk: &mut Desk<'_>) {
        let Some(port) = desk.port(datagram.port) else { return };
        let message = match self.admit(datagram) {
            Ok(message) => message,
            Err((reason, detail)) => return discard(datagram.frame, reason, detail, desk),
        };
        match message.command {
            Command::Request => self.on_request(datagram, &message, &port, desk),
            Command::Response => match check_source(datagram, &port) {
                Ok(()) => self.on_response(datagram, &message, &port, desk),
                Err((reason, detail)) => discard(datagram.frame, reason, detail, desk),
            },
        }
        self.set_deadline();
    }

    fn poll(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now();
        let (lost, forgotten) = self.table.due(now, self.lives());
        for before in lost {
            self.lose(&before, RipLoss::TimedOut, desk);
        }
        for prefix in forgotten {
            desk.record(|| Rip::Forgotten { prefix: prefix.to_string() });
        }
        if self.next_regular <= now {
            self.tell_all(RipReason::Regular, desk);
            self.next_regular = self.draw_next_regular(desk);
            // RFC 2453 3.10.1: a triggered update is suppressed if a regular one is due.
            self.is_pending = false;
        }
        if self.quiet_until.is_some_and(|until| until <= now) {
            self.quiet_until = None;
        }
        self.trigger(desk);
        self.set_deadline();
    }

    fn on_carrier(&mut self, port: usize, up: bool, desk: &mut Desk<'_>) {
        if up {
            self.on_plugged_in(port, desk)
        } else {
            self.on_unplugged(port, desk)
        }
        self.trigger(desk);
        self.set_deadline();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Speaker {
    fn lives(&self) -> Lives {
        Lives { timeout: self.config.timers.timeout, garbage: self.config.timers.garbage }
    }

    fn set_deadline(&mut self) {
        let others = [Some(self.next_regular), self.quiet_until, self.table.next_deadline()];
        self.deadline = others.into_iter().flatten().min();
    }

    /// RFC 2453 3.8: the timer is offset by a small random time each time it is set.
    fn draw_next_regular(&self, desk: &mut Desk<'_>) -> Instant {
        let update = self.config.timers.update;
        let spread = update / 6;
        desk.now() + update.saturating_sub(spread) + desk.rng().up_to(spread * 2)
    }

    /// Connected networks and static routes are told as the router's own.
    fn take_own_networks(&mut self, desk: &mut Desk<'_>) {
        let own = desk.routes().rows().iter().filter(|row| row.origin != Origin::Rip);
        let own: Vec<Row> = own.copied().collect();
        self.tell_own(&own);
        self.table.clear_changes();
    }

    /// Of two rows for one network the connected one is told.
    fn tell_own(&mut self, rows: &[Row]) {
        let untold = &self.config.untold;
        let is_untold = |row: &Row| row.origin == Origin::Static && untold.contains(&row.prefix);
        for origin in [Origin::Static, Origin::Connected] {
            for row in rows.iter().filter(|row| row.origin == origin && !is_untold(row)) {
                self.table.own(row.prefix, row.via, row.port, OWN_METRIC);
            }
        }
    }

    /// Whether the router speaks on this port without being asked.
    fn speaks_on(&self, port: usize) -> bool {
        !self.config.off.contains(&port) && !self.config.passive.contains(&port)
    }

    /// What the port leads to cannot be reached, which is known at once: nobody waits for the timeout.
    fn on_unplugged(&mut self, port: usize, desk: &mut Desk<'_>) {
        let own = desk.routes().rows().iter().filter(|row| row.origin != Origin::Rip);
        let (rows, others): (Vec<Row>, Vec<Row>) = own.copied().partition(|row| row.port == port);
        for row in &rows {
            desk.routes().remove(row.prefix, row.origin);
            // Another port may lead to the same network.
            let same = others.iter().filter(|it| (it.prefix, it.origin) == (row.prefix, row.origin));
            same.for_each(|row| desk.routes().add(*row));
        }
        self.down.entry(port).or_default().extend(rows);
        for before in self.table.unplugged(port, desk.now(), self.lives()) {
            self.lose(&before, RipLoss::NoCarrier, desk);
        }
        let is_gone = |row: &&Row| self.table.get(row.prefix).is_some_and(|known| known.metric == INFINITY);
        let others: Vec<Row> = others.iter().filter(is_gone).copied().collect();
        self.tell_own(&others);
    }

    /// The port's own networks are back; what else is there the neighbours are asked.
    fn on_plugged_in(&mut self, port: usize, desk: &mut Desk<'_>) {
        let rows = self.down.remove(&port).unwrap_or_default();
        for row in &rows {
            // Somebody may have told of another way to it meanwhile.
            desk.routes().remove(row.prefix, Origin::Rip);
            desk.routes().add(*row);
        }
        self.tell_own(&rows);
        self.is_pending |= !rows.is_empty();
        if self.speaks_on(port) {
            self.ask_on(port, desk);
        }
    }

    /// RFC 2453 3.9.1: a router that has just come up asks for everything.
    fn ask(&self, desk: &mut Desk<'_>) {
        for port in (0..desk.ports()).filter(|port| self.speaks_on(*port)) {
            self.ask_on(port, desk);
        }
    }

    fn ask_on(&self, index: usize, desk: &mut Desk<'_>) {
        let Some(port) = desk.port(index) else { return };
        desk.record(|| Rip::Asked { port: port.name.clone() });
        self.send(Command::Request, &[Entry::everything()], (index, &port), group(), desk);
    }

    /// The message, if it is one and may be listened to.
    fn admit(&self, datagram: &Datagram<'_>) -> Result<Message, (DropReason, String)> {
        if self.config.off.contains(&datagram.port) {
            return Err((DropReason::RipOff, format!("port {}", datagram.port)));
        }
        let message = Message::read(datagram.payload)?;
        // RFC 2453 4.1: who demands a password discards messages without it, who has none those with one.
        match (&self.password, &message.password) {
            (None, None) => Ok(message),
            (Some(ours), Some(theirs)) if ours == theirs => Ok(message),
            (Some(_), Some(_)) => Err((DropReason::RipAuthentication, "another password".to_owned())),
            (Some(_), None) => Err((DropReason::RipAuthentication, "no password".to_owned())),
            (None, Some(_)) => Err((DropReason::RipAuthentication, "a password, and none is set".to_owned())),
        }
    }

    /// RFC 2453 3.9.1.
    fn on_request(&self, datagram: &Datagram<'_>, message: &Message, port: &PortView, desk: &mut Desk<'_>) {
        let is_router = datagram.source.port() == PORT;
        // A silent router does not answer its neighbours; who asks from another port wants to know.
        if is_router && !self.speaks_on(datagram.port) {
            return;
        }
        let entries = if message.asks_for_everything() {
            self.entries_for(datagram.port, port, false)
        } else {
            // Specific entries are looked up and returned as they are, without split horizon.
            let metric = |entry: &Entry| {
                let known = entry.prefix().ok().and_then(|prefix| self.table.get(prefix));
                known.map_or(INFINITY, |known| known.metric)
            };
            message.entries.iter().map(|entry| Entry { metric: metric(entry).into(), ..*entry }).collect()
        };
        self.tell(&entries, (datagram.port, port), datagram.source, RipReason::Request, desk);
    }

    /// RFC 2453 3.9.2, one entry after the other.
    fn on_response(
        &mut self,
        datagram: &Datagram<'_>,
        message: &Message,
        port: &PortView,
        desk: &mut Desk<'_>,
    ) {
        for entry in &message.entries {
            let outcome = entry.checked().and_then(|(prefix, metric)| {
                let told = self.told(entry, prefix, metric, datagram, port);
                self.table.hear(told, desk.now(), self.lives())
            });
            match outcome {
                Ok(outcome) => self.adopt(outcome, desk),
                Err(reason) => {
                    let frame = datagram.frame;
                    desk.record(|| Rip::EntryIgnored { frame, entry: entry.to_string(), reason });
                }
            }
        }
        self.trigger(desk);
    }

    fn told(
        &self,
        entry: &Entry,
        prefix: Prefix,
        metric: u8,
        datagram: &Datagram<'_>,
        port: &PortView,
    ) -> Told {
        let who = *datagram.source.ip();
        // RFC 2453 4.4: a next hop that is not directly reachable is treated as 0.0.0.0, which means
        // whoever tells it.
        let next_hop = entry.next_hop;
        let is_reachable = !next_hop.is_unspecified()
            && port.network.contains(next_hop)
            && next_hop != port.address
            && port.network.broadcast() != Some(next_hop);
        Told {
            prefix,
            // RFC 2453 3.9.2: metric = MIN (metric + cost, infinity).
            metric: metric.saturating_add(self.cost(datagram.port)).min(INFINITY),
            via: if is_reachable { next_hop } else { who },
            port: datagram.port,
            tag: entry.tag,
            who,
        }
    }

    fn cost(&self, port: usize) -> u8 {
        self.config.costs.get(&port).copied().unwrap_or(1)
    }

    /// What is believed now becomes what packets follow.
    fn adopt(&mut self, outcome: Outcome, desk: &mut Desk<'_>) {
        let name = |known: &Known, desk: &Desk<'_>| desk.port(known.port).map_or(String::new(), |it| it.name);
        let via = |known: &Known| IpAddr::V4(known.via.unwrap_or(Ipv4Addr::UNSPECIFIED));
        match outcome {
            Outcome::Nothing => return,
            Outcome::Lost(before) => return self.lose(&before, RipLoss::Withdrawn, desk),
            Outcome::Learned(now) => {
                install(&now, desk);
                desk.record(|| Rip::Learned {
                    prefix: now.prefix.to_string(),
                    via: via(&now),
                    port: name(&now, desk),
                    metric: now.metric,
                });
            }
            Outcome::Changed { before, now } => {
                install(&now, desk);
                desk.record(|| Rip::Changed {
                    prefix: now.prefix.to_string(),
                    via: via(&now),
                    port: name(&now, desk),
                    metric: now.metric,
                    via_before: via(&before),
                    metric_before: before.metric,
                });
            }
        }
        self.is_pending = true;
    }

    fn lose(&mut self, before: &Known, why: RipLoss, desk: &mut Desk<'_>) {
        desk.routes().remove(before.prefix, Origin::Rip);
        desk.record(|| Rip::Lost {
            prefix: before.prefix.to_string(),
            via: before.via.unwrap_or(Ipv4Addr::UNSPECIFIED).into(),
            why,
        });
        self.is_pending = true;
    }

    /// RFC 2453 3.10.1: what has changed is told at once, but no sooner than 1 to 5 seconds after the last
    /// time.
    fn trigger(&mut self, desk: &mut Desk<'_>) {
        if !self.is_pending || self.quiet_until.is_some() {
            return;
        }
        self.is_pending = false;
        self.tell_all(RipReason::Triggered, desk);
        let pause = Duration::from_secs(1) + desk.rng().up_to(Duration::from_secs(4));
        self.quiet_until = Some(desk.now() + pause);
    }

    /// RFC 2453 3.10.2: everything, or what has changed, to all neighbours.
    fn tell_all(&mut self, why: RipReason, desk: &mut Desk<'_>) {
        let is_up = |port: &usize| self.speaks_on(*port) && !self.down.contains_key(port);
        for index in (0..desk.ports()).filter(is_up) {
            let Some(port) = desk.port(index) else { continue };
            let entries = self.entries_for(index, &port, why == RipReason::Triggered);
            self.tell(&entries, (index, &port), group(), why, desk);
        }
        self.table.clear_changes();
    }

    /// What is said on a port.
    fn entries_for(&self, index: usize, port: &PortView, only_changed: bool) -> Vec<Entry> {
        let wanted = self.table.routes().filter(|known| known.changed || !only_changed);
        let entry = |known: &Known| {
            if known.is_learnt() && known.port == index {
                // RFC 2453 3.4.3: split horizon with poisoned reverse.
                return Some(Entry::route(known.prefix, Ipv4Addr::UNSPECIFIED, known.tag, INFINITY));
            }
            match known.via {
                // RFC 2453 4.4: somebody on the same link is the better next hop.
                Some(via) if known.port == index && port.network.contains(via) => {
                    Some(Entry::route(known.prefix, via, known.tag, known.metric))
                }
                // Who hears it is on that network.
                None if known.port == index => None,
                _ => Some(Entry::route(known.prefix, Ipv4Addr::UNSPECIFIED, known.tag, known.metric)),
            }
        };
        wanted.filter_map(entry).collect()
    }

    fn tell(
        &self,
        entries: &[Entry],
        port: (usize, &PortView),
        to: SocketAddrV4,
        why: RipReason,
        desk: &mut Desk<'_>,
    ) {
        if entries.is_empty() {
            return;
        }
        let name = &port.1.name;
        desk.record(|| Rip::Told { port: name.clone(), to: to.into(), routes: entries.len(), why });
        self.send(Command::Response, entries, port, to, desk);
    }

    fn send(
        &self,
        command: Command,
        entries: &[Entry],
        (index, port): (usize, &PortView),
        destination: SocketAddrV4,
        desk: &mut Desk<'_>,
    ) {
        let is_group = destination.ip().is_multicast();
        for payload in message::write(command, entries, self.password.as_ref()) {
            desk.send(Outgoing {
                port: is_group.then_some(index),
                mac: None,
                source: SocketAddrV4::new(port.address, PORT),
                destination,
                ttl: if is_group { TTL } else { UNICAST_TTL },
                payload,
            });
        }
    }
}

/// Who asks from far away is answered.
const UNICAST_TTL: u8 = 64;

fn group() -> SocketAddrV4 {
    SocketAddrV4::new(GROUP, PORT)
}

/// RFC 2453 3.9.2: a response must come from RIP's port, from the link, and from somebody else. Packets from
/// the router's own addresses have been discarded before.
fn check_source(datagram: &Datagram<'_>, port: &PortView) -> Result<(), (DropReason, String)> {
    let from = datagram.source;
    if from.port() != PORT {
        return Err((DropReason::RipSourcePort, format!("from port {}", from.port())));
    }
    if !port.network.contains(*from.ip()) {
        return Err((DropReason::RipNotANeighbour, format!("{} is not in {}", from.ip(), port.network)));
    }
    Ok(())
}

/// The row that packets follow.
fn install(known: &Known, desk: &mut Desk<'_>) {
    desk.routes().put(Row { prefix: known.prefix, via: known.via, port: known.port, origin: Origin::Rip });
}

fn discard(frame: FrameId, reason: DropReason, detail: String, desk: &Desk<'_>) {
    desk.record(|| Link::Dropped { frame: Some(frame), reason, detail });
}
