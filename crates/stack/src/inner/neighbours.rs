//! The host's ARP cache (RFC 826, RFC 1122 2.3.2): one table for all its connections.

use crate::config::ArpConfig;
use glasstack_journal::Instant;
use glasstack_journal::event::{FlowId, MacAddress, RequestReason};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::task::Waker;
use std::time::Duration;

/// An entry that nothing has confirmed for so long is asked for again (RFC 1122 2.3.2.1 suggests
/// a minute).
const FRESH: Duration = Duration::from_secs(60);
/// Entries kept; the one confirmed longest ago gives way. Any station on the link can make one.
const CAPACITY: usize = 1024;

/// Who has which MAC address, who has been asked, and who waits for the answer.
#[derive(Default)]
pub(crate) struct Neighbours {
    config: ArpConfig,
    entries: BTreeMap<Ipv4Addr, Entry>,
    pending: BTreeMap<Ipv4Addr, Pending>,
    /// How often nobody answered, per address: a waiting task compares it with what it was when
    /// the wait began.
    failures: BTreeMap<Ipv4Addr, u64>,
}

struct Entry {
    mac: MacAddress,
    confirmed: Instant,
}

struct Pending {
    since: Instant,
    next: Instant,
    attempts: u8,
    flows: Vec<FlowId>,
    wakers: Vec<Waker>,
}

/// What the table says of an address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Here it is.
    Known { mac: MacAddress, age: Duration },
    /// It is not known: a request must go out now.
    Ask(RequestReason),
    /// A request is out already.
    Asked,
}

/// What became of an ARP packet from the wire.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// The table changed; the address it had before, if any.
    pub(crate) changed: Option<Option<MacAddress>>,
    /// How long after the first request; none if nobody had asked.
    pub(crate) after: Option<Duration>,
    /// Connections that wait for it.
    pub(crate) flows: Vec<FlowId>,
    /// Tasks that wait for it.
    pub(crate) wakers: Vec<Waker>,
}

/// What a deadline brought.
pub(crate) enum Due {
    /// Ask once more.
    Again { ip: Ipv4Addr, attempt: u8 },
    /// Nobody answered: these waited in vain.
    Failed { ip: Ipv4Addr, flows: Vec<FlowId>, wakers: Vec<Waker> },
}

impl Neighbours {
    pub(crate) fn new(config: ArpConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// How often an address is asked for.
    pub(crate) fn attempts(&self) -> u8 {
        self.config.attempts.max(1)
    }

    /// Looks `ip` up. `waiter` is remembered until an answer comes, or none.
    pub(crate) fn ask(&mut self, ip: Ipv4Addr, waiter: Option<FlowId>, now: Instant) -> Answer {
        let mut why = RequestReason::Unknown;
        if let Some(entry) = self.entries.get(&ip) {
            let age = now - entry.confirmed;
            if age < FRESH {
                return Answer::Known { mac: entry.mac, age };
            }
            why = RequestReason::Stale { age };
        }
        let asked = self.pending.contains_key(&ip);
        let pending = self.pending.entry(ip).or_insert_with(|| Pending {
            since: now,
            next: now + self.config.retry,
            attempts: 1,
            flows: Vec::new(),
            wakers: Vec::new(),
        });
        if let Some(flow) = waiter
            && !pending.flows.contains(&flow)
        {
            pending.flows.push(flow);
        }
        if asked { Answer::Asked } else { Answer::Ask(why) }
    }

    /// Wakes `waker` when the question for `ip` is answered or given up.
    pub(crate) fn wait(&mut self, ip: Ipv4Addr, waker: &Waker) {
        if let Some(pending) = self.pending.get_mut(&ip)
            && !pending.wakers.iter().any(|known| known.will_wake(waker))
        {
            pending.wakers.push(waker.clone());
        }
    }

    /// How often `ip` has failed to answer.
    pub(crate) fn failures(&self, ip: Ipv4Addr) -> u64 {
        self.failures.get(&ip).copied().unwrap_or(0)
    }

    /// The MAC address on file, fresh or not.
    pub(crate) fn known(&self, ip: Ipv4Addr) -> Option<MacAddress> {
        self.entries.get(&ip).map(|entry| entry.mac)
    }

    /// RFC 826, packet reception: an entry that exists is updated; a new one is made only if the
    /// packet was for this host (`for_us`).
    pub(crate) fn learn(&mut self, ip: Ipv4Addr, mac: MacAddress, for_us: bool, now: Instant) -> Learned {
        let before = self.known(ip);
        if before.is_none() && !for_us {
            return Learned::default();
        }
        if before.is_none() && self.entries.len() >= CAPACITY {
            self.evict();
        }
        self.entries.insert(ip, Entry { mac, confirmed: now });
        self.failures.remove(&ip);
        let changed = (before != Some(mac)).then_some(before);
        match self.pending.remove(&ip) {
            Some(pending) => Learned {
                changed,
                after: Some(now - pending.since),
                flows: pending.flows,
                wakers: pending.wakers,
            },
            None => Learned { changed, ..Learned::default() },
        }
    }

    /// Forgets everybody. Whoever waits, waits in vain: these are to be woken.
    pub(crate) fn forget_all(&mut self) -> Vec<Waker> {
        self.entries.clear();
        let pending = std::mem::take(&mut self.pending);
        for ip in pending.keys() {
            *self.failures.entry(*ip).or_insert(0) += 1;
        }
        pending.into_values().flat_map(|pending| pending.wakers).collect()
    }

    /// Something from `ip` has just shown that `mac` is still right (RFC 1122 2.3.2.1).
    pub(crate) fn confirm(&mut self, ip: Ipv4Addr, mac: MacAddress, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&ip)
            && entry.mac == mac
        {
            entry.confirmed = now;
        }
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.pending.values().map(|pending| pending.next).min()
    }

    /// Asks again, or gives up, what has been unanswered for too long.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Due> {
        let due: Vec<Ipv4Addr> =
            self.pending.iter().filter(|(_, pending)| pending.next <= now).map(|(ip, _)| *ip).collect();
        let (attempts, retry) = (self.attempts(), self.config.retry);
        let mut result = Vec::with_capacity(due.len());
        for ip in due {
            let Some(pending) = self.pending.get_mut(&ip) else { continue };
            if pending.attempts < attempts {
                pending.attempts += 1;
                pending.next = now + retry;
                result.push(Due::Again { ip, attempt: pending.attempts });
            } else if let Some(pending) = self.pending.remove(&ip) {
                self.entries.remove(&ip);
                if self.failures.len() >= CAPACITY {
                    self.failures.pop_first();
                }
                *self.failures.entry(ip).or_insert(0) += 1;
                result.push(Due::Failed { ip, flows: pending.flows, wakers: pending.wakers });
            }
        }
        result
    }

    fn evict(&mut self) {
        if let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.confirmed).map(|(ip, _)| *ip)
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const MAC: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);

    #[test]
    fn the_second_asker_waits_for_the_first_ones_request() {
        let mut table = Neighbours::default();
        let now = Instant::ZERO;
        assert_eq!(table.ask(GATEWAY, Some(FlowId(1)), now), Answer::Ask(RequestReason::Unknown));
        assert_eq!(table.ask(GATEWAY, Some(FlowId(2)), now), Answer::Asked);
        let learned = table.learn(GATEWAY, MAC, true, Instant::from_millis(3));
        assert_eq!(learned.flows, [FlowId(1), FlowId(2)]);
        assert_eq!(learned.after, Some(Duration::from_millis(3)));
        assert_eq!(learned.changed, Some(None));
    }

    #[test]
    fn three_unanswered_requests_fail_the_waiters() {
        let mut table = Neighbours::default();
        table.ask(GATEWAY, Some(FlowId(1)), Instant::ZERO);
        let mut attempts = vec![1];
        loop {
            let at = table.next_deadline().expect("a request is out");
            match table.expire(at).pop() {
                Some(Due::Again { attempt, .. }) => attempts.push(attempt),
                Some(Due::Failed { flows, .. }) => {
                    assert_eq!(flows, [FlowId(1)]);
                    assert_eq!(at, Instant::from_millis(3_000));
                    break;
                }
                None => unreachable!("the deadline had come"),
            }
        }
        assert_eq!(attempts, [1, 2, 3]);
        assert_eq!(table.failures(GATEWAY), 1);
    }

    #[test]
    fn an_entry_that_traffic_confirms_stays_fresh() {
        let mut table = Neighbours::default();
        table.learn(GATEWAY, MAC, true, Instant::ZERO);
        table.confirm(GATEWAY, MAC, Instant::from_millis(50_000));
        let age = Duration::from_secs(30);
        assert_eq!(table.ask(GATEWAY, None, Instant::from_millis(80_000)), Answer::Known { mac: MAC, age });
        let stale = RequestReason::Stale { age: Duration::from_secs(60) };
        assert_eq!(table.ask(GATEWAY, None, Instant::from_millis(110_000)), Answer::Ask(stale));
    }

    #[test]
    fn a_packet_for_somebody_else_makes_no_entry_but_updates_one() {
        let mut table = Neighbours::default();
        table.learn(GATEWAY, MAC, false, Instant::ZERO);
        assert_eq!(table.known(GATEWAY), None);
        table.learn(GATEWAY, MAC, true, Instant::ZERO);
        let other = MacAddress([2, 0, 0, 0, 0, 9]);
        assert_eq!(table.learn(GATEWAY, other, false, Instant::ZERO).changed, Some(Some(MAC)));
        assert_eq!(table.known(GATEWAY), Some(other));
    }

    #[test]
    fn strangers_cannot_fill_the_table_beyond_its_capacity() {
        let mut table = Neighbours::default();
        for n in 0..3_000_u32 {
            table.learn(Ipv4Addr::from_bits(0x0a00_0000 + n), MAC, true, Instant::from_micros(n.into()));
        }
        assert_eq!(table.entries.len(), CAPACITY);
    }
}
