//! The resolver among servers that say anything at all: it ends in time, and it believes nobody about
//! what is none of that one's business.
//!
//! ```text
//!   .            10.0.0.1     honest
//!   +- test      10.0.0.2     honest
//!      +- bank   10.0.0.3     honest
//!      +- evil   10.0.0.66    says anything
//! ```

use super::chance::Chance;
use super::fuzz;
use futures_util::future::BoxFuture;
use glasstack_dns::cache::{CacheConfig, Kept, Negative};
use glasstack_dns::message::Edns;
use glasstack_dns::record::Soa;
use glasstack_dns::{
    Asked, Authority, DnsName, IterateConfig, Message, Minimisation, NoAnswer, Query, Question, Record,
    RecordData, RecordType, Recursor, RecursorConfig, ResponseCode, RootHints, ServeStale, Upstream, Zone,
    Zones,
};
use glasstack_journal::event::{MacAddress, Transport};
use glasstack_sim::SimWorld;
use glasstack_stack::{Host, HostConfig, World};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Default)]
struct Tally {
    answered: u64,
    failed: u64,
    queries: u64,
    /// For one question.
    most_queries: u64,
    /// For one question.
    longest: Duration,
    remembered: u64,
}

/// How much a resolver's cache may hold, in bytes: so little that it is full now and then.
const MAX_BYTES: usize = 4_000;
/// For how many questions one resolver lives.
const QUESTIONS: u64 = 3;

#[test]
fn resolver() {
    let mut world = SimWorld::new(1);
    let address = Ipv4Addr::new(10, 0, 0, 53);
    let config =
        HostConfig::new("resolver", MacAddress([2, 0, 0, 0, 0, 53]), address.into(), 24, None).unwrap();
    let host = world.add_host(config).unwrap();
    let honest = Arc::new(Honest::new());
    fuzz("resolver", 300, |chance, tally: &mut Tally| {
        // Whether there is anybody honest at all.
        let some_honest = !chance.once_in(3);
        let servers = Arc::new(Servers {
            honest: Arc::clone(&honest),
            some_honest,
            chance: Mutex::new(Chance::of(chance.u64(), 0)),
            queries: AtomicU64::new(0),
        });
        let config = config_of(chance);
        let (patience, max_queries) = (config.patience, u64::from(config.iterate.max_queries));
        let hints = RootHints::new([("a.root.test", IpAddr::from([10, 0, 0, 1]))]).unwrap();
        let recursor =
            Arc::new(Recursor::with_upstream(host.clone(), hints, config, Arc::<Servers>::clone(&servers)));
        for _ in 0..QUESTIONS {
            let question = Question::new(any_name(chance), any_type(chance));
            let asked = Asked {
                dnssec_ok: chance.once_in(2),
                checking_disabled: chance.once_in(4),
                ..Asked::new(question.clone())
            };
            let (begun, before) = (host.now(), servers.queries.load(Ordering::Relaxed));
            let resolving = Arc::clone(&recursor);
            let reply = world.run(async move { resolving.answer(&asked).await }).unwrap();
            let took = host.now().since(begun);
            assert!(took <= patience + Duration::from_millis(1), "{question} took {took:?}");
            let queries = servers.queries.load(Ordering::Relaxed) - before;
            assert!(queries <= max_queries + 2, "{question} took {queries} queries");
            assert!(recursor.remembered_bytes() <= MAX_BYTES);
            if reply.code == ResponseCode::ServFail {
                tally.failed += 1;
            } else {
                tally.answered += 1;
            }
            tally.queries += queries;
            tally.most_queries = tally.most_queries.max(queries);
            tally.longest = tally.longest.max(took);
            if some_honest {
                reply.answers.iter().for_each(|record| honest.check(record));
            }
        }
        let remembered = recursor.remembered();
        tally.remembered += remembered.len() as u64;
        if some_honest {
            remembered.iter().for_each(|kept| honest.check_kept(kept));
        }
    });
}

fn config_of(chance: &mut Chance) -> RecursorConfig {
    let minimisation = [Minimisation::Off, Minimisation::Relaxed, Minimisation::Strict];
    let iterate = IterateConfig {
        qname_minimisation: *chance.one_of(&minimisation),
        mixed_case: chance.once_in(2),
        prime: chance.once_in(2),
        prefetch: chance.once_in(4),
        harden_unverified_glue: chance.once_in(8),
        scrub_promiscuous: !chance.once_in(8),
        edns: !chance.once_in(4),
        serve_stale: chance.once_in(8).then(ServeStale::default),
        ..IterateConfig::default()
    };
    let cache = CacheConfig { max_bytes: MAX_BYTES, ..CacheConfig::default() };
    RecursorConfig { iterate, cache, ..RecursorConfig::default() }
}

/// What is true.
struct Honest {
    zones: [(IpAddr, Zones); 3],
    records: Vec<(DnsName, RecordData)>,
}

impl Honest {
    fn new() -> Self {
        let at = |last: u8| IpAddr::from([10, 0, 0, last]);
        let root = Zone::new(".")
            .and_then(|zone| zone.delegating("@", &[("a.root.test", None)]))
            .and_then(|zone| zone.delegating("test", &[("a.nic.test", Some(at(2)))]))
            .unwrap();
        let test = Zone::new("test")
            .and_then(|zone| zone.with("@", RecordData::Ns(name("a.nic.test"))))
            .and_then(|zone| zone.with("a.nic", at(2)))
            .and_then(|zone| zone.with("a.root", at(1)))
            .and_then(|zone| zone.delegating("bank", &[("ns.bank.test", Some(at(3)))]))
            .and_then(|zone| zone.delegating("evil", &[("ns.evil.test", Some(at(66)))]))
            .unwrap();
        let bank = Zone::new("bank.test")
            .and_then(|zone| zone.with("@", RecordData::Ns(name("ns.bank.test"))))
            .and_then(|zone| zone.with("ns", at(3)))
            .and_then(|zone| zone.with("www", IpAddr::from([192, 0, 2, 80])))
            .and_then(|zone| zone.with("out", RecordData::Cname(name("www.evil.test"))))
            .and_then(|zone| zone.with("here", RecordData::Cname(name("www.bank.test"))))
            .unwrap();
        let zones = [root, test, bank];
        let records = zones.iter().flat_map(Zone::records);
        let records = records.map(|record| (record.owner.clone(), record.data.clone())).collect();
        let mut last = 0;
        let zones = zones.map(|zone| {
            last += 1;
            (at(last), Zones::new([zone]))
        });
        Self { zones, records }
    }

    /// A record about a name that is not evil's is one of ours.
    fn check(&self, record: &Record) {
        if record.owner.is_within(&name("evil.test")) {
            return;
        }
        let known = self.records.iter().any(|(owner, data)| *owner == record.owner && *data == record.data);
        assert!(known, "nobody honest has said {record}");
    }

    fn check_kept(&self, kept: &Kept) {
        match kept {
            Kept::Records(known) => {
                known.set.records.iter().chain(&known.set.signatures).for_each(|record| self.check(record));
            }
            Kept::Nothing(nothing, record_type) if !nothing.name.is_within(&name("evil.test")) => {
                let is_there = self.records.iter().any(|(owner, data)| match nothing.what {
                    Negative::NoName => owner.is_within(&nothing.name),
                    Negative::NoData => *owner == nothing.name && data.record_type() == *record_type,
                });
                assert!(!is_there, "nobody honest has said that there is no {} {record_type}", nothing.name);
            }
            Kept::Nothing(..) => {}
        }
    }
}

/// The servers at their addresses.
struct Servers {
    honest: Arc<Honest>,
    some_honest: bool,
    chance: Mutex<Chance>,
    queries: AtomicU64,
}

impl Upstream for Servers {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let (answer, wait) = self.answer(query);
            if std::env::var_os("FUZZ_TELL").is_some() {
                let (server, question) = (query.server, &query.question);
                eprintln!("{question} asked of {server}, because {}: {answer:#?} after {wait:?}", query.why);
            }
            if answer.is_none() || wait >= query.timeout {
                host.sleep(query.timeout).await;
                return Err(NoAnswer::TimedOut { ignored: None });
            }
            host.sleep(wait).await;
            answer.ok_or(NoAnswer::TimedOut { ignored: None })
        })
    }
}

impl Servers {
    fn answer(&self, query: &Query) -> (Option<Message>, Duration) {
        let chance = &mut *self.chance.lock().unwrap();
        let slowest = if chance.once_in(10) { 3000 } else { 50 };
        let wait = Duration::from_millis(chance.below(slowest) as u64);
        let asked = Message::query(1, query.question.clone(), query.edns.clone());
        let honest =
            self.honest.zones.iter().find(|(address, _)| self.some_honest && *address == query.server.ip());
        if let Some((_, zones)) = honest {
            let reply = zones.reply(&query.question);
            let message = Message {
                authoritative: reply.authoritative,
                answers: reply.answers,
                authorities: reply.authorities,
                additionals: reply.additionals,
                ..asked.response(reply.code)
            };
            return (Some(message), wait);
        }
        let nobody = self.some_honest && query.server.ip() != IpAddr::from([10, 0, 0, 66]);
        if nobody && chance.once_in(2) || chance.once_in(20) {
            return (None, wait);
        }
        let mut message = anything(chance, &asked);
        // RFC 5452 9.1: whoever asks compares the question; over TCP nothing is cut off.
        let mut bytes = message.to_bytes().unwrap();
        if chance.once_in(2) {
            chance.mutate(&mut bytes, &[]);
            match Message::parse(&bytes) {
                Ok(mutated) if mutated.question == asked.question => message = mutated,
                _ => return (None, wait),
            }
        }
        message.truncated &= query.transport == Transport::Udp;
        (Some(message), wait)
    }
}

/// A response that may say anything about anybody.
fn anything(chance: &mut Chance, asked: &Message) -> Message {
    let codes =
        [ResponseCode::NxDomain, ResponseCode::ServFail, ResponseCode::Refused, ResponseCode::FormErr];
    let code = if chance.once_in(4) { *chance.one_of(&codes) } else { ResponseCode::NoError };
    let mut message = asked.response(code);
    message.authoritative = !chance.once_in(3);
    message.truncated = chance.once_in(20);
    message.recursion_available = chance.once_in(2);
    if chance.once_in(8) {
        message.edns = Some(Edns { version: u8::from(chance.once_in(4)), ..Edns::default() });
    }
    let question = asked.question.as_ref().unwrap();
    for _ in 0..chance.below(4) {
        message.answers.push(any_record(chance, question));
    }
    for _ in 0..chance.below(4) {
        message.authorities.push(any_record(chance, question));
    }
    // NXNSAttack: a referral to many servers whose addresses have to be looked for.
    if chance.once_in(20) {
        let (zone, far) = (any_name(chance), any_name(chance));
        for number in 0..chance.below(60) {
            let server = DnsName::parse(&format!("ns{number}.{far}")).unwrap_or_else(|_| far.clone());
            message.authorities.push(Record { owner: zone.clone(), ttl: 60, data: RecordData::Ns(server) });
        }
    }
    for _ in 0..chance.below(5) {
        message.additionals.push(any_record(chance, question));
    }
    message
}

fn any_record(chance: &mut Chance, question: &Question) -> Record {
    let owner = if chance.once_in(2) { question.name.clone() } else { any_name(chance) };
    let ttl = *chance.one_of(&[0, 1, 60, 3600, 86_400, 0x7fff_ffff]);
    let data = match chance.below(11) {
        0 | 1 => RecordData::A([10, 0, 0, *chance.one_of(&[1, 2, 3, 66, 67, 200])].into()),
        2 => RecordData::Aaaa("2001:db8::66".parse().unwrap()),
        3 | 4 => RecordData::Ns(any_name(chance)),
        5 => RecordData::Cname(any_name(chance)),
        6 => RecordData::Dname(any_name(chance)),
        7 => RecordData::Soa(Soa {
            primary: any_name(chance),
            mailbox: any_name(chance),
            serial: 1,
            refresh: 1,
            retry: 1,
            expire: 1,
            minimum: 3600,
        }),
        8 => RecordData::Mx { preference: 1, exchange: any_name(chance) },
        9 => RecordData::text("evil"),
        _ => {
            let bytes = chance.bytes(40);
            let record_type = any_type(chance);
            RecordData::from_wire(record_type, &bytes).unwrap_or(RecordData::Ns(any_name(chance)))
        }
    };
    Record { owner, ttl, data }
}

fn any_name(chance: &mut Chance) -> DnsName {
    const NAMES: [&str; 20] = [
        ".",
        "test",
        "com",
        "nic.test",
        "a.nic.test",
        "a.root.test",
        "bank.test",
        "www.bank.test",
        "ns.bank.test",
        "out.bank.test",
        "here.bank.test",
        "no.bank.test",
        "evil.test",
        "www.evil.test",
        "ns.evil.test",
        "a.b.c.evil.test",
        "sub.evil.test",
        "ns.sub.evil.test",
        "*.evil.test",
        "other.com",
    ];
    let name = name(NAMES[chance.below(NAMES.len())]);
    match chance.below(12) {
        0 => DnsName::parse(&format!("x{}.{name}", chance.below(100))).unwrap_or(name),
        _ => name,
    }
}

fn any_type(chance: &mut Chance) -> RecordType {
    let numbers = [1, 1, 1, 28, 2, 5, 6, 15, 16, 39, 43, 46, 47, 48, 50, 255, 65, 257, 731];
    RecordType::from_number(*chance.one_of(&numbers))
}

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}
