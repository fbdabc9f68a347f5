//! What RIP knows of networks: its own, and what neighbours have told (RFC 2453 3.4, 3.8, 3.9.2).

use super::message::INFINITY;
use glasstack_journal::Instant;
use glasstack_journal::event::DropReason;
use glasstack_stack::Prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How many networks a router learns at most.
const LEARNT: usize = 16_384;

/// A network, in the order of messages: by address, the longest prefix last.
type Key = (u32, u8);

fn key(prefix: Prefix) -> Key {
    (prefix.network().to_bits(), prefix.prefix_len())
}

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Table {
    routes: BTreeMap<Key, Known>,
}

/// The way to one network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) prefix: Prefix,
    pub(super) metric: u8,
    /// The next router; none on a network of the router's own.
    pub(super) via: Option<Ipv4Addr>,
    pub(super) port: usize,
    pub(super) tag: u16,
    /// Whether neighbours have not been told of it as it is now (RFC 2453 3.6: the route change flag).
    pub(super) changed: bool,
    source: Source,
}

/// Where it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The router's own configuration.
    Own,
    /// This router has told, and must tell again before that.
    Neighbour { who: Ipv4Addr, timeout: Instant },
    /// It cannot be reached, and is forgotten then (garbage collection).
    Gone { who: Ipv4Addr, until: Instant },
}

/// What a neighbour says of a network: all that is in it but `metric` has been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) prefix: Prefix,
    /// With the cost of the way to the neighbour, at most infinity.
    pub(super) metric: u8,
    /// The next router: the neighbour, or whom it names.
    pub(super) via: Ipv4Addr,
    pub(super) port: usize,
    pub(super) tag: u16,
    /// The neighbour.
    pub(super) who: Ipv4Addr,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// No better than what is known, or the same again.
    Nothing,
    /// A network not known before.
    Learned(Known),
    /// Another way to it.
    Changed { before: Known, now: Known },
    /// No way any more.
    Lost(Known),
}

/// How long routes live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lives {
    pub(super) timeout: Duration,
    pub(super) garbage: Duration,
}

impl Known {
    /// Whether neighbours have told of it.
    pub(super) fn is_learnt(&self) -> bool {
        self.source != Source::Own
    }
}

impl Table {
    /// All routes, in the order of messages.
    pub(super) fn routes(&self) -> impl Iterator<Item = &Known> {
        self.routes.values()
    }

    pub(super) fn get(&self, prefix: Prefix) -> Option<&Known> {
        self.routes.get(&key(prefix))
    }

    /// A network of the router's own, or a static route. What a neighbour may have told of it counts no
    /// more.
    pub(super) fn own(&mut self, prefix: Prefix, via: Option<Ipv4Addr>, port: usize, metric: u8) {
        let source = Source::Own;
        let known = Known { prefix, metric, via, port, tag: 0, changed: true, source };
        self.routes.insert(key(prefix), known);
    }

    /// RFC 2453 3.9.2, from "Now, check to see whether there is already an explicit route" on.
    pub(super) fn hear(&mut self, told: Told, now: Instant, lives: Lives) -> Result<Outcome, DropReason> {
        let is_full = self.routes.len() >= LEARNT;
        let Some(known) = self.routes.get_mut(&key(told.prefix)) else {
            // There is no point in adding a route which is unusable.
            if told.metric >= INFINITY {
                return Ok(Outcome::Nothing);
            }
            if is_full {
                return Err(DropReason::RipTableFull);
            }
            let known = told.adopted(now, lives);
            self.routes.insert(key(told.prefix), known);
            return Ok(Outcome::Learned(known));
        };
        let before = *known;
        let (is_same_router, is_old) = match &mut known.source {
            Source::Own => return Ok(Outcome::Nothing),
            Source::Neighbour { who, timeout } => {
                let is_same = *who == told.who && before.port == told.port;
                if is_same {
                    *timeout = now + lives.timeout;
                }
                // The heuristic at the end of 3.9.2: a route that shows signs of timing out gives way to
                // one that is as good.
                let is_old = timeout.since(now) <= lives.timeout / 2;
                (is_same, is_old)
            }
            Source::Gone { who, .. } => (*who == told.who && before.port == told.port, false),
        };
        let is_better = told.metric < before.metric;
        let is_as_good = told.metric == before.metric && before.metric < INFINITY;
        let same_but_moved = is_same_router && is_as_good && before.via != Some(told.via);
        let is_other = is_same_router && told.metric != before.metric;
        let is_adopted = is_better || is_other || same_but_moved || (is_as_good && is_old);
        if !is_adopted {
            return Ok(Outcome::Nothing);
        }
        if told.metric >= INFINITY {
            return Ok(Outcome::Lost(known.lose(now, lives)));
        }
        *known = told.adopted(now, lives);
        let was_gone = before.metric >= INFINITY;
        Ok(if was_gone { Outcome::Learned(*known) } else { Outcome::Changed { before, now: *known } })
    }

    /// The cable of `port` is unplugged: what it led to is lost, the router's own networks, too. As it was
    /// before.
    pub(super) fn unplugged(&mut self, port: usize, now: Instant, lives: Lives) -> Vec<Known> {
        let reached = self.routes.values_mut().filter(|known| known.port == port && known.metric < INFINITY);
        reached.map(|known| known.lose(now, lives)).collect()
    }

    /// What is due: routes that nobody has told of for too long, and networks that are forgotten.
    pub(super) fn due(&mut self, now: Instant, lives: Lives) -> (Vec<Known>, Vec<Prefix>) {
        let mut lost = Vec::new();
        for known in self.routes.values_mut() {
            if matches!(known.source, Source::Neighbour { timeout, .. } if timeout <= now) {
                lost.push(known.lose(now, lives));
            }
        }
        let is_over = |known: &Known| matches!(known.source, Source::Gone { until, .. } if until <= now);
        let forgotten = self.routes.extract_if(.., |_, known| is_over(known)).map(|(_, known)| known.prefix);
        (lost, forgotten.collect())
    }

    /// When something is due.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let deadlines = self.routes.values().filter_map(|known| match known.source {
            Source::Own => None,
            Source::Neighbour { timeout: at, .. } | Source::Gone { until: at, .. } => Some(at),
        });
        deadlines.min()
    }

    /// Neighbours have been told of everything as it is now.
    pub(super) fn clear_changes(&mut self) {
        self.routes.values_mut().for_each(|known| known.changed = false);
    }
}

impl Told {
    fn adopted(&self, now: Instant, lives: Lives) -> Known {
        Known {
            prefix: self.prefix,
            metric: self.metric,
            via: Some(self.via),
            port: self.port,
            tag: self.tag,
            changed: true,
            source: Source::Neighbour { who: self.who, timeout: now + lives.timeout },
        }
    }
}

impl Known {
    /// RFC 2453 3.8: the garbage-collection timer is set, the metric is infinite. As it was before.
    fn lose(&mut self, now: Instant, lives: Lives) -> Self {
        let before = *self;
        let who = match self.source {
            Source::Own => Ipv4Addr::UNSPECIFIED,
            Source::Neighbour { who, .. } | Source::Gone { who, .. } => who,
        };
        self.source = Source::Gone { who, until: now + lives.garbage };
        self.metric = INFINITY;
        self.changed = true;
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Lives = Lives { timeout: Duration::from_secs(180), garbage: Duration::from_secs(120) };
    const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 2);
    const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 3);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1_000)
    }

    fn net() -> Prefix {
        Prefix::new(Ipv4Addr::new(10, 9, 0, 0), 16).unwrap()
    }

    fn told(who: Ipv4Addr, metric: u8) -> Told {
        Told { prefix: net(), metric, via: who, port: 0, tag: 0, who }
    }

    fn known(table: &Table) -> (u8, Ipv4Addr) {
        let known = table.get(net()).unwrap();
        (known.metric, known.via.unwrap())
    }

    #[test]
    fn the_nearer_router_wins_and_an_equal_one_does_not() {
        let mut table = Table::default();
        assert!(matches!(table.hear(told(NEAR, 3), at(0), LIVES), Ok(Outcome::Learned(_))));
        assert_eq!(table.hear(told(OTHER, 3), at(1), LIVES), Ok(Outcome::Nothing));
        assert!(matches!(table.hear(told(OTHER, 2), at(2), LIVES), Ok(Outcome::Changed { .. })));
        assert_eq!(known(&table), (2, OTHER));
    }

    #[test]
    fn the_router_that_is_used_is_believed_even_if_the_way_is_longer_now() {
        let mut table = Table::default();
        table.hear(told(NEAR, 3), at(0), LIVES).unwrap();
        assert!(matches!(table.hear(told(NEAR, 7), at(1), LIVES), Ok(Outcome::Changed { .. })));
        assert_eq!(known(&table), (7, NEAR));
    }

    #[test]
    fn an_equal_way_replaces_one_that_has_been_silent_for_half_its_time() {
        let mut table = Table::default();
        table.hear(told(NEAR, 3), at(0), LIVES).unwrap();
        assert_eq!(table.hear(told(OTHER, 3), at(89), LIVES), Ok(Outcome::Nothing));
        assert!(matches!(table.hear(told(OTHER, 3), at(90), LIVES), Ok(Outcome::Changed { .. })));
    }

    #[test]
    fn a_silent_router_is_given_up_after_180_seconds_and_forgotten_after_120_more() {
        let mut table = Table::default();
        table.hear(told(NEAR, 3), at(0), LIVES).unwrap();
        table.hear(told(NEAR, 3), at(30), LIVES).unwrap();
        assert_eq!(table.next_deadline(), Some(at(210)));
        assert_eq!(table.due(at(209), LIVES), (vec![], vec![]));
        let (lost, forgotten) = table.due(at(210), LIVES);
        assert_eq!((lost.len(), forgotten), (1, vec![]));
        assert_eq!(known(&table).0, INFINITY);
        assert_eq!(table.next_deadline(), Some(at(330)));
        assert_eq!(table.due(at(330), LIVES), (vec![], vec![net()]));
        assert_eq!(table.next_deadline(), None);
    }

    #[test]
    fn a_withdrawn_route_starts_its_deletion_once_and_may_come_back() {
        let mut table = Table::default();
        assert_eq!(table.hear(told(NEAR, INFINITY), at(0), LIVES), Ok(Outcome::Nothing), "nothing to lose");
        table.hear(told(NEAR, 3), at(0), LIVES).unwrap();
        assert!(matches!(table.hear(told(NEAR, INFINITY), at(10), LIVES), Ok(Outcome::Lost(_))));
        assert_eq!(table.hear(told(NEAR, INFINITY), at(20), LIVES), Ok(Outcome::Nothing));
        assert_eq!(table.next_deadline(), Some(at(130)), "the deletion is not started anew");
        assert!(matches!(table.hear(told(OTHER, 5), at(30), LIVES), Ok(Outcome::Learned(_))));
        assert_eq!(table.next_deadline(), Some(at(210)));
    }

    #[test]
    fn nobody_can_talk_a_router_out_of_its_own_networks() {
        let mut table = Table::default();
        table.own(net(), None, 0, 1);
        assert_eq!(table.hear(told(NEAR, 1), at(0), LIVES), Ok(Outcome::Nothing));
        assert_eq!(table.next_deadline(), None);
    }
}
