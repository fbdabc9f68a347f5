//! The cache as a file: what is written is what is read, and what is wrong with a file is said by line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use glasstack_dns::cache::file::{BadCacheFile, Loaded, Moment, Provenance, load, save};
use glasstack_dns::cache::{Cache, CacheConfig, Found, Kept, Negative, Rank, RrSet};
use glasstack_dns::dnssec::Security;
use glasstack_dns::infrastructure::{EdnsSupport, Infrastructure, InfrastructureConfig, Standing};
use glasstack_dns::{DnsName, Record, RecordType};
use glasstack_journal::{Instant, WallTime};
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;

/// 2026-11-23T20:40:00Z, and a host that has run for a minute.
const SAVED: Moment =
    Moment { wall: WallTime::from_unix_seconds(1_795_466_400), now: Instant::from_millis(60_000) };

fn later(seconds: u64) -> Moment {
    // Another process: its own clock begins anew.
    Moment { wall: SAVED.wall + Duration::from_secs(seconds), now: Instant::from_millis(5) }
}

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn provenance() -> Provenance {
    Provenance { source: "name server 198.51.100.53:53".into(), trust_anchors: "none".into() }
}

fn server() -> SocketAddr {
    "192.0.2.53:53".parse().unwrap()
}

const FILE: &str = "\
$GLASSTACK-DNS-CACHE 1
$SOURCE name server 198.51.100.53:53
$TRUST-ANCHORS none
$SAVED 2026-11-23T20:40:00Z

$SET referral unchecked 2026-11-23T20:45:00Z
test. 300 IN NS ns.test.

$NXDOMAIN no.test. insecure 2026-11-23T20:41:00Z
test. 900 IN SOA ns.test. admin.test. 1 2 3 4 60

$SET additional unchecked 2026-11-23T20:45:00Z
ns.test. 300 IN A 192.0.2.53

$SET answer-aa secure 2026-11-23T20:44:30Z
www.test. 300 IN A 192.0.2.80
www.test. 300 IN A 192.0.2.81
www.test. 300 IN RRSIG A 15 2 300 20261201000000 20261101000000 4711 test. AQID

$SET answer unchecked 2026-11-23T20:45:00Z
www.test. 300 IN TXT \"a \\\"b\\\"; $c\"

$NODATA www.test. AAAA unchecked 2026-11-23T20:41:00Z
test. 900 IN SOA ns.test. admin.test. 1 2 3 4 60

$SERVER 192.0.2.53:53 rtt 20000 10000 edns 1232
";

/// What the file says, learnt.
fn learnt() -> (Cache, Infrastructure) {
    let mut cache = Cache::new(CacheConfig::default());
    let mut put = |records: &[&str], rank, security, now| {
        let records: Vec<Record> = records.iter().map(|text| text.parse().unwrap()).collect();
        let set = RrSet { security, ..RrSet::group(&records).remove(0) };
        cache.put(&set, rank, now);
    };
    let unchecked = Security::Unchecked;
    let half_a_minute_ago = Instant::from_millis(30_000);
    put(
        &[
            "www.test. 300 IN A 192.0.2.80",
            "www.test. 300 IN A 192.0.2.81",
            "www.test. 300 IN RRSIG A 15 2 300 20261201000000 20261101000000 4711 test. AQID",
        ],
        Rank::AnswerAuthoritative,
        Security::Secure,
        half_a_minute_ago,
    );
    let text = r#"www.test. 300 IN TXT "a \"b\"; $c""#;
    put(&[text], Rank::AnswerNotAuthoritative, unchecked, SAVED.now);
    put(&["test. 300 IN NS ns.test."], Rank::AuthorityOfReferral, unchecked, SAVED.now);
    put(&["ns.test. 300 IN A 192.0.2.53"], Rank::Additional, unchecked, SAVED.now);
    put(&["gone.test. 60 IN A 192.0.2.1"], Rank::AnswerAuthoritative, unchecked, Instant::ZERO);
    let soa: Record = "test. 900 IN SOA ns.test. admin.test. 1 2 3 4 60".parse().unwrap();
    let proof = [soa];
    let (a, aaaa, now) = (RecordType::A, RecordType::Aaaa, SAVED.now);
    cache.put_negative(&name("no.test"), a, Negative::NoName, &proof, Security::Insecure, now);
    cache.put_negative(&name("www.test"), aaaa, Negative::NoData, &proof, unchecked, now);
    let mut servers = Infrastructure::new(InfrastructureConfig::default());
    servers.note_answer(server(), Duration::from_millis(20), now);
    servers.note_edns(server(), EdnsSupport::Understood { udp_payload: 1232 }, now);
    servers.note_timeout("192.0.2.54:53".parse().unwrap(), Duration::from_millis(376), now);
    (cache, servers)
}

fn read(text: &str, moment: Moment) -> Result<(Cache, Loaded), BadCacheFile> {
    let mut cache = Cache::new(CacheConfig::default());
    let loaded = load(text, Some(&provenance()), &mut cache, None, moment)?;
    Ok((cache, loaded))
}

#[test]
fn it_is_lines_that_can_be_read_by_name_and_type() {
    let (cache, servers) = learnt();
    assert_eq!(save(&provenance(), &cache, Some(&servers), SAVED), FILE);
}

#[test]
fn what_is_written_is_known_to_the_next_process_and_written_again_the_same() {
    let (before, _) = learnt();
    let mut cache = Cache::new(CacheConfig::default());
    let mut servers = Infrastructure::new(InfrastructureConfig::default());
    let loaded = load(FILE, None, &mut cache, Some(&mut servers), later(0)).unwrap();
    assert_eq!((loaded.entries, loaded.expired, loaded.servers), (6, 0, 1));
    assert_eq!(cache.entries(later(0).now), before.entries(SAVED.now));
    assert_eq!(save(&provenance(), &cache, Some(&servers), later(0)), FILE);
    let standing = servers.standing(server(), &name("test"), later(0).now);
    assert!(matches!(standing, Standing::Measured { srtt, timeouts: 0, .. } if srtt.as_millis() == 20));
}

#[test]
fn time_that_has_passed_is_taken_off_and_what_has_expired_is_left_out() {
    let (mut cache, loaded) = read(FILE, later(100)).unwrap();
    assert_eq!((loaded.entries, loaded.expired), (4, 2));
    let Some(Found::Records(known)) = cache.lookup(&name("www.test"), RecordType::A, later(100).now) else {
        panic!("it has not expired");
    };
    assert_eq!(
        (known.ttl, known.rank, known.security()),
        (170, Rank::AnswerAuthoritative, Security::Unchecked)
    );
    assert_eq!(cache.lookup(&name("no.test"), RecordType::A, later(100).now), None);
    assert_eq!(read(FILE, later(300)).unwrap().1.entries, 0);
}

#[test]
fn a_clock_that_was_set_back_lengthens_no_life() {
    let earlier = Moment { wall: WallTime::from_unix_seconds(1_000_000_000), ..later(0) };
    let (cache, _) = read(FILE, earlier).unwrap();
    for entry in cache.entries(earlier.now) {
        match entry {
            Kept::Records(known) => assert_eq!(known.ttl, 300),
            Kept::Nothing(nothing, _) => assert_eq!(nothing.ttl, 60),
        }
    }
}

#[test]
fn what_others_say_is_not_mixed_with_it_and_what_they_found_secure_is_checked_anew() {
    let mut cache = Cache::new(CacheConfig::default());
    let elsewhere = Provenance { source: "13 root servers".into(), ..provenance() };
    let error = load(FILE, Some(&elsewhere), &mut cache, None, later(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it was learnt from name server 198.51.100.53:53, but now 13 root servers is asked: what one of them says \
         must not be taken for the other's word; name another file, or flush this one"
    );
    assert!(cache.is_empty());
    load(FILE, Some(&provenance()), &mut cache, None, later(0)).unwrap();
    let known = cache.get(&name("www.test"), RecordType::A, Rank::Additional, later(0).now).unwrap();
    assert_eq!(known.security(), Security::Unchecked);
    assert_eq!(load(FILE, None, &mut cache, None, later(0)).unwrap().provenance, provenance());
}

#[test]
fn what_is_wrong_with_a_file_is_said_by_line_and_nothing_of_it_is_believed() {
    let with = |line: &str| FILE.replace("www.test. 300 IN A 192.0.2.80", line);
    for (text, expected) in [
        (String::new(), "its first line is not `$GLASSTACK-DNS-CACHE 1`"),
        (FILE.replace("CACHE 1", "CACHE 2"), "it is a DNS cache of version 2, and version 1 is known here"),
        (with("www.test. 300 IN A 192.0.2"), "line 16: this A record is bad"),
        (with("www.test. 300 IN MX 1 a.test."), "line 15: a set of www.test MX has no place for"),
        (with("$WHAT is that"), "line 15: there is no record in this set"),
        (FILE.replace("answer-aa", "answers"), "line 15: \"answers\" is not a rank"),
        (FILE.replace("answer-aa secure", "answer-aa sure"), "line 15: \"sure\" is none of secure, insecure"),
        (FILE.replace("20:44:30", "20:44:99"), "line 15: \"2026-11-23T20:44:99Z\" is not a time"),
        (FILE.replace("no.test.", "no..test."), "line 9: \"no..test.\" is not a name"),
        (FILE.replace("AAAA unchecked", "AAAB unchecked"), "line 23: \"AAAB\" is not a record type"),
        (
            FILE.replace("SOA ns.test. admin.test. 1 2 3 4 60", "TXT x"),
            "line 9: nothing says that no.test is",
        ),
        (
            FILE.replace("$SERVER 192.0.2.53:53", "$SERVER 192.0.2.53"),
            "line 26: \"192.0.2.53\" is not an address",
        ),
        (FILE.replace("edns 1232", "edns 123200"), "line 26: "),
        (FILE.replace("$SET referral unchecked 2026-11-23T20:45:00Z\n", ""), "line 6: a record, but no $SET"),
    ] {
        let error = read(&text, later(0)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error} should say {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..FILE.len(), with in "[ -~\n]{0,6}", cut in 0..9_usize) {
        let end = (at + cut).min(FILE.len());
        let text = format!("{}{with}{}", &FILE[..at], &FILE[end..]);
        if let Ok((cache, _)) = read(&text, later(0)) {
            let again = save(&provenance(), &cache, None, later(0));
            let (restored, _) = read(&again, later(0)).unwrap();
            prop_assert_eq!(restored.entries(later(0).now), cache.entries(later(0).now));
        }
    }
}
