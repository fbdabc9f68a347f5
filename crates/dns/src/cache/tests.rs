use super::*;
use crate::record::{Rrsig, Soa};

pub(super) fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

pub(super) fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

pub(super) fn a(owner: &str, ttl: u32, last: u8) -> Record {
    Record { owner: name(owner), ttl, data: RecordData::A([10, 0, 0, last].into()) }
}

pub(super) fn record(owner: &str, data: RecordData) -> Record {
    Record { owner: name(owner), ttl: 300, data }
}

pub(super) fn soa(owner: &str, ttl: u32, minimum: u32) -> Record {
    let (primary, mailbox) = (name("ns.test"), name("admin.test"));
    let soa = Soa { primary, mailbox, serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
    Record { owner: name(owner), ttl, data: RecordData::Soa(soa) }
}

/// The only set in these records.
pub(super) fn set(records: &[Record]) -> RrSet {
    RrSet::group(records).remove(0)
}

fn with(security: Security, set: RrSet) -> RrSet {
    RrSet { security, ..set }
}

fn cache() -> Cache {
    Cache::new(CacheConfig::default())
}

/// What somebody who asks for addresses is told, and for how long.
fn told(cache: &mut Cache, owner: &str, now: Instant) -> Option<(String, u32)> {
    Some(match cache.lookup(&name(owner), RecordType::A, now)? {
        Found::Records(known) => {
            let data: Vec<String> = known.records().iter().map(|record| record.data.to_string()).collect();
            (data.join(" "), known.ttl)
        }
        Found::Alias(known) => (format!("alias: {}", known.set.records[0].data), known.ttl),
        Found::Redirect(known) => (format!("redirect at {}", known.set.name), known.ttl),
        Found::Nothing(nothing) => (format!("{:?} at {}", nothing.what, nothing.name), nothing.ttl),
    })
}

fn said(text: &str, ttl: u32) -> Option<(String, u32)> {
    Some((text.to_owned(), ttl))
}

#[test]
fn an_alias_that_cannot_be_read_is_for_who_asks_for_it_and_leads_nowhere() {
    let mut cache = cache();
    let data = RecordData::Other { number: RecordType::Cname.number(), bytes: b"\x04evil\0\0".to_vec() };
    cache.put(&set(&[record("www.test", data)]), Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "www.test", at(1)), None);
    assert!(matches!(cache.lookup(&name("www.test"), RecordType::Cname, at(1)), Some(Found::Records(_))));
}

#[test]
fn a_ttl_is_counted_down_by_the_worlds_clock_and_the_shortest_is_that_of_all() {
    let mut cache = cache();
    let answer = set(&[a("www.test", 300, 1), a("www.test", 60, 2)]);
    assert_eq!(cache.put(&answer, Rank::AnswerAuthoritative, at(100)), Put::Taken);
    assert_eq!(told(&mut cache, "www.test", at(100)), said("10.0.0.1 10.0.0.2", 60));
    assert_eq!(told(&mut cache, "www.test", at(159)), said("10.0.0.1 10.0.0.2", 1));
    let known = cache.get(&name("www.test"), RecordType::A, Rank::Additional, at(110)).unwrap();
    assert!(known.records().iter().all(|record| record.ttl == 50));
    assert_eq!(told(&mut cache, "www.test", at(160)), None);
    assert!(cache.is_empty(), "what can never be given again takes no memory");
}

#[test]
fn a_ttl_of_zero_is_good_for_the_moment_and_a_huge_one_is_cut() {
    let mut cache = cache();
    cache.put(&set(&[a("zero.test", 0, 1)]), Rank::AnswerAuthoritative, at(1));
    assert_eq!(told(&mut cache, "zero.test", at(1)), said("10.0.0.1", 0));
    assert_eq!(told(&mut cache, "zero.test", at(2)), None);
    cache.put(&set(&[a("huge.test", u32::MAX >> 1, 1)]), Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "huge.test", at(0)), said("10.0.0.1", 86_400));
    // RFC 2181 8
    cache.put(&set(&[a("odd.test", 1 << 31, 1)]), Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "odd.test", at(1)), None);
}

#[test]
fn a_least_ttl_lengthens_what_is_short_but_not_what_must_not_be_kept() {
    let mut cache = Cache::new(CacheConfig { min_ttl: Duration::from_secs(30), ..CacheConfig::default() });
    cache.put(&set(&[a("short.test", 5, 1)]), Rank::AnswerAuthoritative, at(0));
    cache.put(&set(&[a("zero.test", 0, 1)]), Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "short.test", at(10)), said("10.0.0.1", 20));
    assert_eq!(told(&mut cache, "zero.test", at(10)), None);
}

#[test]
fn what_has_expired_is_given_only_to_who_asks_for_it_and_not_for_ever() {
    let config = CacheConfig { serve_stale_for: Duration::from_secs(100), ..CacheConfig::default() };
    let mut cache = Cache::new(config);
    cache.put(&set(&[a("www.test", 60, 1)]), Rank::AnswerAuthoritative, at(0));
    assert_eq!(cache.lookup(&name("www.test"), RecordType::A, at(60)), None);
    let mut known = |now| match cache.lookup_stale(&name("www.test"), RecordType::A, now) {
        Some(Found::Records(known)) => (known.stale, known.ttl),
        other => panic!("{other:?}"),
    };
    assert_eq!((known(at(159)), known(at(59))), ((true, 0), (false, 1)));
    assert_eq!(cache.lookup_stale(&name("www.test"), RecordType::A, at(160)), None);
}

#[test]
fn what_is_believed_less_does_not_replace_what_is_believed_more_while_that_lasts() {
    let mut cache = cache();
    cache.put(&set(&[a("www.test", 60, 1)]), Rank::AnswerAuthoritative, at(0));
    let glue = set(&[a("www.test", 600, 66)]);
    let outranked = Put::Outranked { by: Rank::AnswerAuthoritative, security: Security::Unchecked };
    for rank in [Rank::Additional, Rank::AuthorityOfReferral, Rank::AnswerNotAuthoritative] {
        assert_eq!(cache.put(&glue, rank, at(1)), outranked);
    }
    assert_eq!(told(&mut cache, "www.test", at(1)), said("10.0.0.1", 59));
    assert_eq!(cache.put(&set(&[a("www.test", 60, 2)]), Rank::AnswerAuthoritative, at(2)), Put::Taken);
    assert_eq!(told(&mut cache, "www.test", at(2)), said("10.0.0.2", 60));
    assert_eq!(cache.put(&glue, Rank::AnswerNotAuthoritative, at(62)), Put::Taken, "it has expired");
}

#[test]
fn glue_and_referrals_answer_nobody_but_find_servers() {
    let mut cache = cache();
    let (zone, server) = (name("example.test"), name("ns.example.test"));
    cache.put(
        &set(&[record("example.test", RecordData::Ns(server.clone()))]),
        Rank::AuthorityOfReferral,
        at(0),
    );
    cache.put(&set(&[a("ns.example.test", 300, 53)]), Rank::Additional, at(0));
    assert_eq!(told(&mut cache, "ns.example.test", at(0)), None);
    assert_eq!(cache.lookup(&zone, RecordType::Ns, at(0)), None);
    let delegation = cache.nearest_delegation(&name("a.b.example.test"), at(0)).unwrap();
    assert_eq!((&delegation.zone, delegation.addresses.len()), (&zone, 1));
    assert_eq!(delegation.addresses[0].records(), [a("ns.example.test", 300, 53)]);
    assert_eq!(cache.nearest_delegation(&name("test"), at(0)), None);
    let root = set(&[record(".", RecordData::Ns(name("a.root.test")))]);
    cache.put(&root, Rank::AnswerAuthoritative, at(0));
    assert!(cache.nearest_delegation(&name("test"), at(0)).unwrap().zone.is_root());
}

#[test]
fn what_is_proved_stands_above_all_and_what_is_bogus_below_all() {
    let mut cache = cache();
    let proved = with(Security::Secure, set(&[a("www.test", 60, 1)]));
    let other = set(&[a("www.test", 60, 66)]);
    cache.put(&other, Rank::AnswerAuthoritative, at(0));
    assert_eq!(cache.put(&proved, Rank::Additional, at(0)), Put::Taken);
    let outranked = Put::Outranked { by: Rank::Additional, security: Security::Secure };
    assert_eq!(cache.put(&other, Rank::AnswerAuthoritative, at(0)), outranked);
    assert_eq!(told(&mut cache, "www.test", at(0)), said("10.0.0.1", 60));

    let bogus = with(Security::Bogus, set(&[a("bad.test", 6000, 66)]));
    assert_eq!(cache.put(&bogus, Rank::AnswerAuthoritative, at(0)), Put::Taken);
    let again = set(&[a("bad.test", 6000, 66)]);
    assert!(matches!(cache.put(&again, Rank::AnswerAuthoritative, at(1)), Put::Outranked { .. }));
    assert_eq!(told(&mut cache, "bad.test", at(1)), said("10.0.0.66", 59), "and soon it is tried anew");
    assert_eq!(cache.put(&set(&[a("bad.test", 60, 1)]), Rank::Additional, at(2)), Put::Taken);
}

#[test]
fn validation_marks_what_it_has_seen_and_nothing_else() {
    let mut cache = cache();
    let answer = set(&[a("www.test", 600, 1)]);
    cache.put(&answer, Rank::AnswerAuthoritative, at(0));
    cache.judged(&set(&[a("www.test", 600, 2)]), Security::Secure, at(0));
    let security = |cache: &mut Cache, now| {
        cache.get(&name("www.test"), RecordType::A, Rank::Additional, now).map(|known| known.security())
    };
    assert_eq!(security(&mut cache, at(0)), Some(Security::Unchecked));
    cache.judged(&answer, Security::Secure, at(0));
    assert_eq!(security(&mut cache, at(0)), Some(Security::Secure));
    cache.judged(&answer, Security::Insecure, at(0));
    let known = cache.get(&answer.name, answer.record_type, Rank::Additional, at(0)).unwrap();
    assert_eq!(known.security(), Security::Secure, "what is signed stays so beside what is not");
    cache.judged(&answer, Security::Bogus, at(0));
    assert_eq!(security(&mut cache, at(59)), Some(Security::Bogus));
    assert_eq!(security(&mut cache, at(60)), None);
}

fn deny(cache: &mut Cache, owner: &str, what: Negative, security: Security, now: Instant) -> Put {
    cache.put_negative(&name(owner), RecordType::A, what, &[soa("test", 900, 60)], security, now)
}

#[test]
fn a_negative_answer_lasts_as_long_as_the_lower_of_the_soas_ttl_and_its_minimum() {
    let mut cache = cache();
    deny(&mut cache, "no.test", Negative::NoName, Security::Unchecked, at(0));
    assert_eq!(told(&mut cache, "no.test", at(10)), said("NoName at no.test", 50));
    let Some(Found::Nothing(nothing)) = cache.lookup(&name("no.test"), RecordType::Mx, at(10)) else {
        panic!("a name that does not exist does not exist with any type");
    };
    assert_eq!(nothing.soa(), Some(soa("test", 50, 60)));
    assert_eq!(told(&mut cache, "no.test", at(60)), None);
    let long = [soa("test", 86_400, 86_400)];
    cache.put_negative(&name("no.test"), RecordType::A, Negative::NoName, &long, Security::Unchecked, at(0));
    assert_eq!(told(&mut cache, "no.test", at(0)), said("NoName at no.test", 3 * 3600));
}

#[test]
fn without_an_soa_record_a_negative_answer_is_not_kept() {
    let mut cache = cache();
    let put = cache.put_negative(
        &name("no.test"),
        RecordType::A,
        Negative::NoData,
        &[],
        Security::Unchecked,
        at(0),
    );
    assert_eq!((put, told(&mut cache, "no.test", at(0))), (Put::NotKept, None));
}

#[test]
fn no_data_is_about_one_type() {
    let mut cache = cache();
    deny(&mut cache, "v6.test", Negative::NoData, Security::Unchecked, at(0));
    assert_eq!(told(&mut cache, "v6.test", at(0)), said("NoData at v6.test", 60));
    assert_eq!(cache.lookup(&name("v6.test"), RecordType::Aaaa, at(0)), None);
    assert_eq!(told(&mut cache, "below.v6.test", at(0)), None);
}

#[test]
fn below_a_name_that_does_not_exist_there_is_nothing_until_something_is_found() {
    let mut cache = cache();
    deny(&mut cache, "no.test", Negative::NoName, Security::Unchecked, at(0));
    assert_eq!(told(&mut cache, "a.b.no.test", at(1)), said("NoName at no.test", 59));
    assert_eq!(told(&mut cache, "test", at(1)), None, "above there may be more");
    assert_eq!(told(&mut cache, "xno.test", at(1)), None);
    cache.put(&set(&[a("a.b.no.test", 60, 1)]), Rank::AnswerAuthoritative, at(1));
    assert_eq!(told(&mut cache, "no.test", at(1)), None, "it is there after all");
    assert_eq!(told(&mut cache, "a.b.no.test", at(1)), said("10.0.0.1", 60));
}

#[test]
fn below_which_names_nothing_is_looked_for_can_be_chosen() {
    for (nxdomain_cut, unproved, proved) in [
        (NxdomainCut::Off, false, false),
        (NxdomainCut::Secure, false, true),
        (NxdomainCut::Always, true, true),
    ] {
        let mut cache = Cache::new(CacheConfig { nxdomain_cut, ..CacheConfig::default() });
        deny(&mut cache, "no.test", Negative::NoName, Security::Insecure, at(0));
        deny(&mut cache, "never.test", Negative::NoName, Security::Secure, at(0));
        assert_eq!(told(&mut cache, "a.no.test", at(0)).is_some(), unproved);
        assert_eq!(told(&mut cache, "a.never.test", at(0)).is_some(), proved);
        assert!(told(&mut cache, "no.test", at(0)).is_some());
    }
}

#[test]
fn a_newer_answer_replaces_its_opposite_unless_that_is_proved() {
    let mut cache = cache();
    let answer = set(&[a("www.test", 600, 1)]);
    cache.put(&answer, Rank::AnswerAuthoritative, at(0));
    assert_eq!(deny(&mut cache, "www.test", Negative::NoData, Security::Unchecked, at(1)), Put::Taken);
    assert_eq!(told(&mut cache, "www.test", at(1)), said("NoData at www.test", 60));
    cache.put(&answer, Rank::AnswerAuthoritative, at(2));
    assert_eq!(told(&mut cache, "www.test", at(2)), said("10.0.0.1", 600));
    deny(&mut cache, "www.test", Negative::NoData, Security::Secure, at(3));
    assert!(matches!(cache.put(&answer, Rank::AnswerAuthoritative, at(4)), Put::Outranked { .. }));
    cache.put(&with(Security::Secure, answer), Rank::AnswerAuthoritative, at(5));
    let denied = deny(&mut cache, "www.test", Negative::NoName, Security::Insecure, at(6));
    assert!(matches!(denied, Put::Outranked { security: Security::Secure, .. }));
    assert_eq!(told(&mut cache, "www.test", at(6)), said("10.0.0.1", 599));
}

#[test]
fn a_denial_that_turns_out_to_be_bogus_is_remembered_as_such_for_a_short_while() {
    let mut cache = cache();
    let long = [soa("test", 9000, 9000)];
    let mut say = |owner: &str, security, now| {
        cache.put_negative(&name(owner), RecordType::A, Negative::NoName, &long, security, now)
    };
    assert_eq!(say("no.test", Security::Unchecked, at(0)), Put::Taken);
    assert_eq!(say("no.test", Security::Bogus, at(1)), Put::Taken);
    let Some(Found::Nothing(nothing)) = cache.lookup(&name("no.test"), RecordType::A, at(1)) else {
        panic!("it is remembered");
    };
    assert_eq!((nothing.security, nothing.ttl), (Security::Bogus, 60));
    // Somebody else's bogus word says nothing against it.
    deny(&mut cache, "never.test", Negative::NoName, Security::Secure, at(0));
    let put = cache.put_negative(
        &name("never.test"),
        RecordType::A,
        Negative::NoName,
        &long,
        Security::Bogus,
        at(1),
    );
    assert!(matches!(put, Put::Outranked { security: Security::Secure, .. }));
}

#[test]
fn glue_proves_nothing_and_outlives_a_denial() {
    let mut cache = cache();
    cache.put(&set(&[a("ns.test", 600, 1)]), Rank::Additional, at(0));
    deny(&mut cache, "ns.test", Negative::NoName, Security::Unchecked, at(0));
    assert!(cache.get(&name("ns.test"), RecordType::A, Rank::Additional, at(0)).is_some());
    cache.put(&set(&[a("ns.test", 600, 2)]), Rank::Additional, at(0));
    assert_eq!(told(&mut cache, "ns.test", at(0)), said("NoName at ns.test", 60));
}

#[test]
fn an_alias_and_a_redirect_above_answer_for_every_type() {
    let mut cache = cache();
    let alias = set(&[record("www.test", RecordData::Cname(name("web.test")))]);
    deny(&mut cache, "www.test", Negative::NoData, Security::Unchecked, at(0));
    cache.put(&alias, Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "www.test", at(0)), said("alias: web.test.", 300));
    assert!(matches!(cache.lookup(&name("www.test"), RecordType::Cname, at(0)), Some(Found::Records(_))));
    let redirect = set(&[record("old.test", RecordData::Dname(name("new.test")))]);
    cache.put(&redirect, Rank::AnswerAuthoritative, at(0));
    assert_eq!(told(&mut cache, "a.b.old.test", at(0)), said("redirect at old.test", 300));
    assert_eq!(told(&mut cache, "old.test", at(0)), None, "its own data is not redirected (RFC 6672 2.3)");
    assert_eq!(cache.redirect(&name("a.b.old.test"), at(0)).unwrap().set.name, name("old.test"));
    assert_eq!(cache.redirect(&name("old.test"), at(0)), None);
}

#[test]
fn a_zones_own_servers_cannot_prolong_what_its_parent_has_said() {
    let mut cache = cache();
    let servers =
        |ttl, server: &str| set(&[Record { ttl, ..record("ghost.test", RecordData::Ns(name(server))) }]);
    cache.put(&servers(60, "ns.ghost.test"), Rank::AuthorityOfReferral, at(0));
    for now in (10..60).step_by(10) {
        let own = servers(86_400, if now < 30 { "ns.ghost.test" } else { "ns2.ghost.test" });
        assert_eq!(cache.put(&own, Rank::AnswerAuthoritative, at(now)), Put::Taken);
    }
    let zone = |cache: &mut Cache, now| cache.nearest_delegation(&name("x.ghost.test"), now).map(|d| d.zone);
    assert_eq!(zone(&mut cache, at(59)), Some(name("ghost.test")));
    assert_eq!(zone(&mut cache, at(60)), None, "now its parent has to be asked");
}

#[test]
fn the_root_has_no_parent_that_could_be_asked() {
    let mut cache = cache();
    let servers = set(&[record(".", RecordData::Ns(name("a.root.test")))]);
    cache.put(&servers, Rank::AnswerAuthoritative, at(0));
    cache.put(&servers, Rank::AnswerAuthoritative, at(200));
    assert!(cache.nearest_delegation(&DnsName::root(), at(499)).is_some());
}

#[test]
fn a_full_cache_lets_go_of_what_was_used_longest_ago() {
    let answer = |owner: &str| set(&[a(owner, 300, 1)]);
    let mut cache = cache();
    cache.put(&answer("a.test"), Rank::AnswerAuthoritative, at(0));
    let one = cache.bytes();
    let mut cache = Cache::new(CacheConfig { max_bytes: 3 * one, ..CacheConfig::default() });
    for owner in ["a.test", "b.test", "c.test"] {
        cache.put(&answer(owner), Rank::AnswerAuthoritative, at(0));
    }
    assert!(told(&mut cache, "a.test", at(0)).is_some());
    cache.put(&answer("d.test"), Rank::AnswerAuthoritative, at(0));
    let mut known = Vec::new();
    for owner in ["a.test", "b.test", "c.test", "d.test"] {
        known.push(told(&mut cache, owner, at(0)).is_some());
    }
    assert_eq!(known, [true, false, true, true]);
    assert_eq!((cache.len(), cache.bytes()), (3, 3 * one));
    let mut tiny = Cache::new(CacheConfig { max_bytes: one - 1, ..CacheConfig::default() });
    assert_eq!(tiny.put(&answer("a.test"), Rank::AnswerAuthoritative, at(0)), Put::NotKept);
    assert_eq!((tiny.len(), tiny.bytes()), (0, 0));
}

#[test]
fn what_is_forgotten_is_forgotten_with_all_below_it_where_that_is_wished() {
    let mut cache = cache();
    for owner in ["test", "a.test", "b.a.test", "xa.test"] {
        cache.put(&set(&[a(owner, 300, 1)]), Rank::AnswerAuthoritative, at(0));
    }
    assert_eq!(cache.remove(&name("a.test"), false), 1);
    assert!(told(&mut cache, "b.a.test", at(0)).is_some());
    assert_eq!(cache.remove(&name("a.test"), true), 1);
    assert_eq!(cache.remove(&DnsName::root(), true), 2);
    assert_eq!((cache.len(), cache.bytes()), (0, 0));
}

#[test]
fn a_failure_is_over_when_there_is_an_answer() {
    let mut cache = cache();
    let question = Question::new(name("www.test"), RecordType::A);
    assert_eq!(cache.put_failure(&question, "nobody answers", at(0)).until, at(1));
    assert!(cache.failure(&question, at(0)).is_some());
    cache.put(&set(&[a("www.test", 300, 1)]), Rank::AnswerAuthoritative, at(0));
    assert!(cache.failure(&question, at(0)).is_none());
}

#[test]
fn a_section_falls_into_sets_with_their_signatures() {
    let signature = |type_covered| {
        let signature = Rrsig {
            type_covered,
            algorithm: 15,
            labels: 1,
            original_ttl: 300,
            expiration: 2,
            inception: 1,
            key_tag: 7,
            signer: name("test"),
            signature: vec![1],
        };
        record("www.test", RecordData::Rrsig(signature))
    };
    let records = [
        signature(RecordType::A),
        a("www.test", 300, 1),
        record("www.test", RecordData::text("x")),
        a("www.test", 300, 2),
        signature(RecordType::Mx),
    ];
    let sets = RrSet::group(&records);
    assert_eq!(sets.len(), 2);
    assert_eq!((sets[0].records.len(), &sets[0].signatures), (2, &vec![signature(RecordType::A)]));
    assert!(sets[1].signatures.is_empty());
}
