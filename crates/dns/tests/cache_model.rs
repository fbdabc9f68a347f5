//! The cache against a naive one: a plain list that is searched from end to end, as the rules are written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use glasstack_dns::cache::{Cache, CacheConfig, Found, Negative, NxdomainCut, Put, Rank, RrSet};
use glasstack_dns::dnssec::Security;
use glasstack_dns::record::Soa;
use glasstack_dns::{DnsName, Record, RecordData, RecordType};
use glasstack_journal::Instant;
use proptest::prelude::*;
use std::time::Duration;

const NAMES: [&str; 7] = ["test", "a.test", "b.test", "c.a.test", "d.c.a.test", "xa.test", "."];
const TYPES: [RecordType; 5] =
    [RecordType::A, RecordType::Ns, RecordType::Cname, RecordType::Dname, RecordType::Txt];
const RANKS: [Rank; 5] = [
    Rank::Additional,
    Rank::AuthorityOfReferral,
    Rank::AnswerNotAuthoritative,
    Rank::AuthorityAuthoritative,
    Rank::AnswerAuthoritative,
];
const SECURITIES: [Security; 4] =
    [Security::Secure, Security::Insecure, Security::Unchecked, Security::Bogus];

#[derive(Clone, Debug)]
enum Step {
    Put { name: usize, of: usize, data: u8, ttl: u32, rank: usize, security: usize },
    Deny { name: usize, of: usize, what: Negative, ttl: u32, security: usize },
    Wait(u64),
    Remove { name: usize, below: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let ttl = prop_oneof![Just(0_u32), 1..30_u32, Just(u32::MAX), Just(100_000)];
    let what = prop_oneof![Just(Negative::NoName), Just(Negative::NoData)];
    let security = prop_oneof![4 => 0..4_usize, 6 => Just(2)];
    prop_oneof![
        6 => (0..NAMES.len(), 0..TYPES.len(), 0..3_u8, ttl.clone(), 0..RANKS.len(), security.clone()).prop_map(
            |(name, of, data, ttl, rank, security)| Step::Put { name, of, data, ttl, rank, security }
        ),
        3 => (0..NAMES.len(), 0..TYPES.len(), what, ttl, security).prop_map(
            |(name, of, what, ttl, security)| Step::Deny { name, of, what, ttl, security }
        ),
        3 => (0..15_u64).prop_map(Step::Wait),
        1 => (0..NAMES.len(), any::<bool>()).prop_map(|(name, below)| Step::Remove { name, below }),
    ]
}

fn name(index: usize) -> DnsName {
    DnsName::parse(NAMES[index]).unwrap()
}

fn data(record_type: RecordType, n: u8) -> RecordData {
    let target = DnsName::parse(&format!("n{n}.other")).unwrap();
    match record_type {
        RecordType::A => RecordData::A([10, 0, 0, n].into()),
        RecordType::Ns => RecordData::Ns(target),
        RecordType::Cname => RecordData::Cname(target),
        RecordType::Dname => RecordData::Dname(target),
        _ => RecordData::text(&n.to_string()),
    }
}

fn set(owner: &DnsName, record_type: RecordType, n: u8, ttl: u32, security: Security) -> RrSet {
    let record = Record { owner: owner.clone(), ttl, data: data(record_type, n) };
    RrSet { security, ..RrSet::new(owner.clone(), record_type, vec![record]) }
}

fn soa(ttl: u32) -> Record {
    let host = DnsName::parse("ns.test").unwrap();
    let soa =
        Soa { primary: host.clone(), mailbox: host, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 20 };
    Record { owner: DnsName::root(), ttl, data: RecordData::Soa(soa) }
}

// ---- the naive one

#[derive(Clone, Debug, PartialEq)]
enum Fact {
    Has(RecordType, u8, Rank),
    HasNot(RecordType),
    IsNot,
}

#[derive(Clone, Debug)]
struct Line {
    name: DnsName,
    fact: Fact,
    security: Security,
    learnt: u64,
    expires: u64,
}

/// Seconds, and what is known.
#[derive(Default)]
struct Naive {
    now: u64,
    lines: Vec<Line>,
}

fn level(security: Security) -> u8 {
    match security {
        Security::Secure => 2,
        Security::Bogus => 0,
        _ => 1,
    }
}

fn about(fact: &Fact) -> (u8, Option<RecordType>) {
    match fact {
        Fact::Has(of, ..) => (0, Some(*of)),
        Fact::HasNot(of) => (1, Some(*of)),
        Fact::IsNot => (2, None),
    }
}

fn is_answer(line: &Line) -> bool {
    match line.fact {
        Fact::Has(_, _, rank) => rank >= Rank::AnswerNotAuthoritative || line.security == Security::Secure,
        _ => true,
    }
}

impl Naive {
    fn fresh(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| self.now < line.expires || self.now == line.learnt)
    }

    fn at(&self, name: &DnsName, fact: &Fact) -> Option<&Line> {
        self.fresh().find(|line| line.name == *name && about(&line.fact) == about(fact))
    }

    fn has(&self, name: &DnsName, of: RecordType) -> Option<&Line> {
        self.at(name, &Fact::Has(of, 0, Rank::Additional))
    }

    fn replace(&mut self, line: Line) {
        self.lines.retain(|own| own.name != line.name || about(&own.fact) != about(&line.fact));
        self.lines.push(line);
    }

    /// Lines go that somebody contradicts who may.
    fn contradict(&mut self, security: Security, which: impl Fn(&Line) -> bool) {
        let may = |line: &Line| security == Security::Secure || line.security != Security::Secure;
        self.lines.retain(|line| !(which(line) && is_answer(line) && may(line)));
    }

    fn put(
        &mut self,
        name: &DnsName,
        of: RecordType,
        n: u8,
        ttl: u32,
        rank: Rank,
        security: Security,
    ) -> bool {
        let said = if ttl > u32::MAX >> 1 { 0 } else { u64::from(ttl) };
        let most = if security == Security::Bogus { 60 } else { 86_400 };
        let mut expires = self.now + said.min(most);
        if let Some(own) = self.has(name, of) {
            let Fact::Has(_, same, by) = own.fact else { unreachable!() };
            let again = own.security == Security::Bogus && same == n && security != Security::Secure;
            if again || (level(security), rank) < (level(own.security), by) {
                return false;
            }
            if of == RecordType::Ns && !name.is_root() {
                expires = expires.min(own.expires);
            }
        }
        let new =
            Line { name: name.clone(), fact: Fact::Has(of, n, rank), security, learnt: self.now, expires };
        if is_answer(&new) {
            let denied = [Fact::HasNot(of), Fact::IsNot];
            if denied
                .iter()
                .filter_map(|fact| self.at(name, fact))
                .any(|own| level(own.security) > level(security))
            {
                return false;
            }
            self.contradict(security, |line| match line.fact {
                Fact::HasNot(other) => line.name == *name && (other == of || of == RecordType::Cname),
                Fact::IsNot => name.is_within(&line.name) && !line.name.is_root(),
                Fact::Has(..) => false,
            });
        }
        self.replace(new);
        true
    }

    fn deny(&mut self, name: &DnsName, of: RecordType, what: Negative, ttl: u32, security: Security) -> bool {
        let said = if ttl > u32::MAX >> 1 { 0 } else { u64::from(ttl) };
        let contradicted = [Fact::Has(of, 0, Rank::Additional), Fact::HasNot(of), Fact::IsNot];
        let denied = if what == Negative::NoName { Fact::IsNot } else { Fact::HasNot(of) };
        // All denials rest on the same record here.
        let own_word = |line: &Line| line.fact == denied && line.security != Security::Secure;
        let against = contradicted.iter().filter_map(|fact| self.at(name, fact));
        let mut against = against.filter(|line| is_answer(line) && !own_word(line));
        if against.any(|own| level(own.security) > level(security)) {
            return false;
        }
        self.contradict(security, |line| match line.fact {
            Fact::Has(other, ..) => line.name == *name && (other == of || other == RecordType::Cname),
            Fact::HasNot(other) => line.name == *name && other == of,
            Fact::IsNot => what == Negative::NoData && name.is_within(&line.name) && !line.name.is_root(),
        });
        let fact = if what == Negative::NoName { Fact::IsNot } else { Fact::HasNot(of) };
        let expires = self.now + said.min(20);
        self.replace(Line { name: name.clone(), fact, security, learnt: self.now, expires });
        true
    }

    /// What somebody who asks is told.
    fn lookup(&self, name: &DnsName, of: RecordType, cut: NxdomainCut) -> Option<(String, u64)> {
        let answer = |name: &DnsName, of| self.has(name, of).filter(|line| is_answer(line));
        let tell = |what: &str, line: &Line| {
            let n = if let Fact::Has(_, n, _) = line.fact { n } else { 0 };
            Some((format!("{what} {n} at {}", line.name), line.expires - self.now))
        };
        if let Some(line) = answer(name, of) {
            return tell("records", line);
        }
        if of != RecordType::Cname
            && let Some(line) = answer(name, RecordType::Cname)
        {
            return tell("alias", line);
        }
        if let Some(line) = self.at(name, &Fact::HasNot(of)) {
            return tell("no data", line);
        }
        if let Some(line) = self.at(name, &Fact::IsNot) {
            return tell("no name", line);
        }
        let mut above = name.parent();
        while let Some(name) = above {
            if let Some(line) = answer(&name, RecordType::Dname) {
                return tell("redirect", line);
            }
            let denied = self.at(&name, &Fact::IsNot).filter(|line| match cut {
                NxdomainCut::Off => false,
                NxdomainCut::Secure => line.security == Security::Secure,
                NxdomainCut::Always => true,
            });
            if let Some(line) = denied {
                return tell("no name", line);
            }
            above = name.parent();
        }
        None
    }

    fn delegation(&self, name: &DnsName) -> Option<DnsName> {
        let mut at = Some(name.clone());
        while let Some(name) = at {
            if self.has(&name, RecordType::Ns).is_some() {
                return Some(name);
            }
            at = name.parent();
        }
        None
    }
}

// ---- both

fn told(found: Option<Found>) -> Option<(String, u64)> {
    let known = |what: &str, known: glasstack_dns::cache::Known| {
        let record = &known.records()[0];
        let n = (0..3).find(|n| data(known.set.record_type, *n) == record.data).unwrap();
        assert_eq!((record.ttl, known.stale), (known.ttl, false));
        (format!("{what} {n} at {}", known.set.name), u64::from(known.ttl))
    };
    Some(match found? {
        Found::Records(set) => known("records", set),
        Found::Alias(set) => known("alias", set),
        Found::Redirect(set) => known("redirect", set),
        Found::Nothing(nothing) => {
            let what = if nothing.what == Negative::NoName { "no name" } else { "no data" };
            assert_eq!(nothing.soa().unwrap().ttl, nothing.ttl);
            (format!("{what} 0 at {}", nothing.name), u64::from(nothing.ttl))
        }
    })
}

fn perform(step: &Step, cache: &mut Cache, naive: &mut Naive) {
    let now = Instant::ZERO + Duration::from_secs(naive.now);
    match *step {
        Step::Put { name: owner, of, data, ttl, rank, security } => {
            let (owner, of, rank, security) = (name(owner), TYPES[of], RANKS[rank], SECURITIES[security]);
            let put = cache.put(&set(&owner, of, data, ttl, security), rank, now);
            assert_eq!(put == Put::Taken, naive.put(&owner, of, data, ttl, rank, security), "{put:?}");
        }
        Step::Deny { name: owner, of, what, ttl, security } => {
            let (owner, of, security) = (name(owner), TYPES[of], SECURITIES[security]);
            let put = cache.put_negative(&owner, of, what, &[soa(ttl)], security, now);
            assert_eq!(put == Put::Taken, naive.deny(&owner, of, what, ttl, security), "{put:?}");
        }
        Step::Wait(seconds) => naive.now += seconds,
        Step::Remove { name: owner, below } => {
            let owner = name(owner);
            cache.remove(&owner, below);
            naive.lines.retain(|line| !(line.name == owner || below && line.name.is_within(&owner)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(250) })]

    #[test]
    fn it_knows_what_a_naive_one_knows(
        steps in proptest::collection::vec(step(), 1..60),
        cut in prop_oneof![Just(NxdomainCut::Off), Just(NxdomainCut::Secure), Just(NxdomainCut::Always)],
    ) {
        let mut cache = Cache::new(CacheConfig { nxdomain_cut: cut, ..CacheConfig::default() });
        let mut naive = Naive::default();
        for step in &steps {
            perform(step, &mut cache, &mut naive);
            let now = Instant::ZERO + Duration::from_secs(naive.now);
            for owner in (0..NAMES.len()).map(name) {
                for of in TYPES {
                    let found = told(cache.lookup(&owner, of, now));
                    prop_assert_eq!(found, naive.lookup(&owner, of, cut), "{} {} after {:?}", owner, of, step);
                    let glue = cache.get(&owner, of, Rank::Additional, now).map(|known| known.rank);
                    let line = naive.has(&owner, of).map(|line| line.fact.clone());
                    prop_assert_eq!(glue, line.map(|fact| match fact { Fact::Has(_, _, rank) => rank, _ => panic!() }));
                }
                let zone = cache.nearest_delegation(&owner, now).map(|delegation| delegation.zone);
                prop_assert_eq!(zone, naive.delegation(&owner));
            }
        }
    }

    #[test]
    fn a_bounded_one_keeps_what_was_used_last(uses in proptest::collection::vec((0..12_u8, any::<bool>()), 1..80)) {
        let owner = |n: u8| DnsName::parse(&format!("{}.test", char::from(b'a' + n))).unwrap();
        let answer = |n| set(&owner(n), RecordType::A, n, 300, Security::Unchecked);
        let mut one = Cache::new(CacheConfig::default());
        one.put(&answer(0), Rank::AnswerAuthoritative, Instant::ZERO);
        let max_bytes = 5 * one.bytes();
        let mut cache = Cache::new(CacheConfig { max_bytes, ..CacheConfig::default() });
        let mut naive: Vec<u8> = Vec::new();
        for (n, is_put) in uses {
            let known = naive.contains(&n);
            if is_put {
                cache.put(&answer(n), Rank::AnswerAuthoritative, Instant::ZERO);
            } else {
                prop_assert_eq!(cache.lookup(&owner(n), RecordType::A, Instant::ZERO).is_some(), known);
            }
            if is_put || known {
                naive.retain(|other| *other != n);
                naive.push(n);
            }
            if naive.len() > 5 {
                naive.remove(0);
            }
            prop_assert_eq!(cache.len(), naive.len());
            prop_assert!(cache.bytes() <= max_bytes);
        }
    }
}
