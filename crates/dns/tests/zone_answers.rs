//! What a name server answers from its zones: the examples of RFC 4035 and RFC 5155, aliases and DNAME,
//! referrals and their glue, and everything at once against a search that is slow and plain.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "zone_answers/naive.rs"]
mod naive;

use glasstack_dns::dnssec::signer::{Denial, Nsec3Settings};
use glasstack_dns::dnssec::{SignOptions, Signer, ZoneKeys};
use glasstack_dns::server::{Asked, MinimalResponses, Reply, Zones};
use glasstack_dns::{DnsName, Question, Record, RecordData, RecordType};
use glasstack_dns::{Zone, ZoneFileOptions};
use glasstack_journal::WallTime;
use std::time::Duration;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn zone(origin: &str, text: &str) -> Zone {
    let origin = name(origin);
    Zone::parse(text, &ZoneFileOptions::new(&origin, "test")).unwrap_or_else(|error| panic!("{error}")).0
}

fn signed(zone: Zone, denial: Denial) -> Zone {
    let keys = ZoneKeys::single_from_seed(zone.origin(), &[7; 32]);
    let now = WallTime::from_unix_seconds(1_800_000_000);
    let options = SignOptions { denial, ..SignOptions::from(now, Duration::from_secs(86_400)) };
    Signer::new(keys, options).sign_zone(zone).unwrap()
}

/// A reply as lines: how it went, then each section's records, in their order.
fn ask(zones: &Zones, question: &str, dnssec_ok: bool) -> Vec<String> {
    let (owner, record_type) = question.split_once(' ').unwrap();
    let question = Question::new(name(owner), record_type.parse().unwrap());
    lines(&zones.reply_to(&Asked { dnssec_ok, ..Asked::new(question) }))
}

fn lines(reply: &Reply) -> Vec<String> {
    let mut lines = vec![format!("{}{}", reply.code, if reply.authoritative { " aa" } else { "" })];
    let sections = [("an", &reply.answers), ("au", &reply.authorities), ("ad", &reply.additionals)];
    for (section, records) in sections {
        lines.extend(records.iter().map(|record| format!("{section} {}", brief(record))));
    }
    lines
}

/// A record without what is the same everywhere: TTLs, serial numbers, signatures.
fn brief(record: &Record) -> String {
    let owner = match &record.data {
        // Of a hash its beginning.
        RecordData::Nsec3(_) => record.owner.to_string()[..4].to_owned(),
        RecordData::Rrsig(rrsig) if rrsig.type_covered == RecordType::Nsec3 => {
            record.owner.to_string()[..4].to_owned()
        }
        _ => record.owner.to_string(),
    };
    match &record.data {
        RecordData::Soa(_) => format!("{owner} SOA"),
        RecordData::Rrsig(rrsig) => format!("{owner} RRSIG {}", rrsig.type_covered),
        RecordData::Nsec(nsec) => format!("{owner} NSEC {}", nsec.next),
        RecordData::Nsec3(_) => format!("{owner} NSEC3"),
        RecordData::Ds(_) => format!("{owner} DS"),
        data => format!("{owner} {} {data}", record.record_type()),
    }
}

/// The lines without signatures.
fn unsigned(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| !line.contains(" RRSIG ")).collect()
}

/// RFC 4035 appendix A.
const RFC_4035: &str = "\
$TTL 3600
example. SOA ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600
         NS ns1
         NS ns2
         MX 1 xx
a        NS ns1.a
         NS ns2.a
         DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
ns1.a    A 192.0.2.5
ns2.a    A 192.0.2.6
ai       A 192.0.2.9
         HINFO KLH-10 ITS
         AAAA 2001:db8::f00:baa9
b        NS ns1.b
         NS ns2.b
ns1.b    A 192.0.2.7
ns2.b    A 192.0.2.8
ns1      A 192.0.2.1
ns2      A 192.0.2.2
*.w      MX 1 ai
x.w      MX 1 xx
x.y.w    MX 1 xx
xx       A 192.0.2.10
         HINFO KLH-10 TOPS-20
         AAAA 2001:db8::f00:baaa
";

fn rfc_4035() -> Zones {
    signed(zone("example", RFC_4035), Denial::Nsec).into()
}

/// RFC 5155 appendix A, where the delegation that is not signed is c.example, and a name is what another's
/// hash looks like.
fn rfc_5155(opt_out: bool) -> Zones {
    let text = RFC_4035.replace("b  ", "c  ").replace(".b ", ".c ").replace(".b\n", ".c\n");
    let text = text + "2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127\n";
    let salt = vec![0xaa, 0xbb, 0xcc, 0xdd];
    signed(zone("example", &text), Denial::Nsec3(Nsec3Settings { iterations: 12, salt, opt_out })).into()
}

#[test]
fn rfc_4035_b_1_an_answer() {
    let zones = rfc_4035().minimal_responses(MinimalResponses::No);
    let expected = [
        "NOERROR aa",
        "an x.w.example MX 1 xx.example.",
        "an x.w.example RRSIG MX",
        "au example NS ns1.example.",
        "au example NS ns2.example.",
        "au example RRSIG NS",
        "ad xx.example A 192.0.2.10",
        "ad xx.example RRSIG A",
        "ad xx.example AAAA 2001:db8::f00:baaa",
        "ad xx.example RRSIG AAAA",
        "ad ns1.example A 192.0.2.1",
        "ad ns1.example RRSIG A",
        "ad ns2.example A 192.0.2.2",
        "ad ns2.example RRSIG A",
    ];
    assert_eq!(ask(&zones, "x.w.example MX", true), expected);
    let plain = unsigned(expected.map(str::to_owned).to_vec());
    assert_eq!(ask(&zones, "x.w.example MX", false), plain);
}

#[test]
fn rfc_4035_b_2_a_name_error() {
    let expected = [
        "NXDOMAIN aa",
        "au example SOA",
        "au example RRSIG SOA",
        "au b.example NSEC ns1.example",
        "au b.example RRSIG NSEC",
        "au example NSEC a.example",
        "au example RRSIG NSEC",
    ];
    assert_eq!(ask(&rfc_4035(), "ml.example A", true), expected);
    assert_eq!(ask(&rfc_4035(), "ml.example A", false), ["NXDOMAIN aa", "au example SOA"]);
}

#[test]
fn rfc_4035_b_3_no_data() {
    let expected = [
        "NOERROR aa",
        "au example SOA",
        "au example RRSIG SOA",
        "au ns1.example NSEC ns2.example",
        "au ns1.example RRSIG NSEC",
    ];
    assert_eq!(ask(&rfc_4035(), "ns1.example MX", true), expected);
    // An empty non-terminal has no NSEC record: the one before it covers it (RFC 4035 3.1.3.1).
    let empty = unsigned(ask(&rfc_4035(), "y.w.example A", true));
    assert_eq!(empty, ["NOERROR aa", "au example SOA", "au x.w.example NSEC x.y.w.example"]);
}

#[test]
fn rfc_4035_b_4_a_referral_to_a_signed_zone() {
    let expected = [
        "NOERROR",
        "au a.example NS ns1.a.example.",
        "au a.example NS ns2.a.example.",
        "au a.example DS",
        "au a.example RRSIG DS",
        "ad ns1.a.example A 192.0.2.5",
        "ad ns2.a.example A 192.0.2.6",
    ];
    assert_eq!(ask(&rfc_4035(), "mc.a.example MX", true), expected);
    let plain = ask(&rfc_4035(), "mc.a.example MX", false);
    assert!(!plain.iter().any(|line| line.contains("DS")), "{plain:?}");
}

#[test]
fn rfc_4035_b_5_a_referral_to_a_zone_that_is_not_signed() {
    let expected = [
        "NOERROR",
        "au b.example NS ns1.b.example.",
        "au b.example NS ns2.b.example.",
        "au b.example NSEC ns1.example",
        "au b.example RRSIG NSEC",
        "ad ns1.b.example A 192.0.2.7",
        "ad ns2.b.example A 192.0.2.8",
    ];
    assert_eq!(ask(&rfc_4035(), "mc.b.example MX", true), expected);
}

#[test]
fn rfc_4035_b_6_a_wildcard_answers() {
    let expected = [
        "NOERROR aa",
        "an a.z.w.example MX 1 ai.example.",
        "an a.z.w.example RRSIG MX",
        "au x.y.w.example NSEC xx.example",
        "au x.y.w.example RRSIG NSEC",
        "ad ai.example A 192.0.2.9",
        "ad ai.example RRSIG A",
        "ad ai.example AAAA 2001:db8::f00:baa9",
        "ad ai.example RRSIG AAAA",
    ];
    assert_eq!(ask(&rfc_4035(), "a.z.w.example MX", true), expected);
    let question = Question::new(name("a.z.w.example"), RecordType::Mx);
    assert_eq!(rfc_4035().reply(&question).wildcard, Some(name("*.w.example")));
}

#[test]
fn rfc_4035_b_7_a_wildcard_has_no_data() {
    let expected = [
        "NOERROR aa",
        "au example SOA",
        "au *.w.example NSEC x.w.example",
        "au x.y.w.example NSEC xx.example",
    ];
    assert_eq!(unsigned(ask(&rfc_4035(), "a.z.w.example AAAA", true)), expected);
}

#[test]
fn rfc_4035_b_8_a_zone_is_asked_for_its_own_ds() {
    let expected = ["NOERROR aa", "au example SOA", "au example NSEC a.example"];
    assert_eq!(unsigned(ask(&rfc_4035(), "example DS", true)), expected);
}

#[test]
fn rfc_5155_b_1_a_name_error() {
    // The closest encloser x.w, the next closer c.x.w, the wildcard *.x.w.
    let expected = ["NXDOMAIN aa", "au example SOA", "au b4um NSEC3", "au 0p9m NSEC3", "au 35mt NSEC3"];
    assert_eq!(unsigned(ask(&rfc_5155(true), "a.c.x.w.example A", true)), expected);
}

#[test]
fn rfc_5155_b_2_no_data() {
    let no_data = |question| unsigned(ask(&rfc_5155(true), question, true)).split_off(2);
    assert_eq!(no_data("ns1.example MX"), ["au 2t7b NSEC3"]);
    // B.2.1: an empty non-terminal.
    assert_eq!(no_data("y.w.example A"), ["au ji6n NSEC3"]);
}

#[test]
fn rfc_5155_b_3_a_referral_to_a_zone_that_is_opted_out() {
    let expected = [
        "NOERROR",
        "au c.example NS ns1.c.example.",
        "au c.example NS ns2.c.example.",
        // The closest encloser that has a record, and the one that covers c.example.
        "au 0p9m NSEC3",
        "au 0p9m RRSIG NSEC3",
        "au 35mt NSEC3",
        "au 35mt RRSIG NSEC3",
        "ad ns1.c.example A 192.0.2.7",
        "ad ns2.c.example A 192.0.2.8",
    ];
    assert_eq!(ask(&rfc_5155(true), "mc.c.example MX", true), expected);
    // RFC 5155 7.2.4: its DS records are denied in the same way.
    let denied = unsigned(ask(&rfc_5155(true), "c.example DS", true));
    assert_eq!(denied, ["NOERROR aa", "au example SOA", "au 0p9m NSEC3", "au 35mt NSEC3"]);
    // Without opt-out it has a record of its own.
    let own = unsigned(ask(&rfc_5155(false), "mc.c.example MX", true));
    assert_eq!(own.iter().filter(|line| line.ends_with("NSEC3")).count(), 1);
}

#[test]
fn rfc_5155_b_4_a_wildcard_answers() {
    let answer = unsigned(ask(&rfc_5155(true), "a.z.w.example MX", true));
    assert_eq!(answer[1..3], ["an a.z.w.example MX 1 ai.example.", "au q04j NSEC3"]);
}

#[test]
fn rfc_5155_b_5_a_wildcard_has_no_data() {
    let expected = ["NOERROR aa", "au example SOA", "au k8ud NSEC3", "au q04j NSEC3", "au r53b NSEC3"];
    assert_eq!(unsigned(ask(&rfc_5155(true), "a.z.w.example AAAA", true)), expected);
}

#[test]
fn rfc_5155_b_6_a_zone_is_asked_for_its_own_ds() {
    let expected = ["NOERROR aa", "au example SOA", "au 0p9m NSEC3"];
    assert_eq!(unsigned(ask(&rfc_5155(true), "example DS", true)), expected);
}

#[test]
fn rfc_5155_7_2_8_the_owner_of_an_nsec3_record_is_no_name() {
    let zones = rfc_5155(true);
    let denied = ask(&zones, "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example NSEC3", true);
    assert_eq!(denied[0], "NXDOMAIN aa");
    // One that is a name as well is found as such.
    let named = ask(&zones, "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example A", false);
    assert_eq!(named[1], "an 2t7b4g4vsa5smi47k61mv5bv1a22bojr.example A 192.0.2.127");
}

#[test]
fn a_zone_that_comes_signed_answers_as_the_one_it_was_made_from() {
    for denial in [Denial::Nsec, Denial::Nsec3(Nsec3Settings::default())] {
        let keys = ZoneKeys::from_seed(&name("example"), &[7; 32]);
        let now = WallTime::from_unix_seconds(1_800_000_000);
        let options = SignOptions { denial, ..SignOptions::from(now, Duration::from_secs(86_400)) };
        let text = Signer::new(keys.clone(), options.clone()).signed_text(zone("example", RFC_4035)).unwrap();
        let from_file = Zones::from(zone("example", &text));
        let on_demand = Zones::from(Signer::new(keys, options).sign_zone(zone("example", RFC_4035)).unwrap());
        for question in [
            "example SOA",
            "example DNSKEY",
            "x.w.example MX",
            "ml.example A",
            "ns1.example MX",
            "mc.a.example MX",
            "mc.b.example MX",
            "a.z.w.example MX",
            "a.z.w.example AAAA",
            "example DS",
            "a.example DS",
            "y.w.example A",
            "b.example DS",
            "example ANY",
        ] {
            assert_eq!(ask(&from_file, question, true), ask(&on_demand, question, true), "{question}");
        }
        let signatures = ask(&from_file, "xx.example RRSIG", true);
        assert!(signatures.contains(&"an xx.example RRSIG AAAA".to_owned()), "{signatures:?}");
    }
}

/// A zone and one below it, and one elsewhere.
fn family() -> Zones {
    let top = "$TTL 60
@ SOA ns hostmaster 1 2 3 4 5
@ NS ns
ns A 192.0.2.53
child NS ns.child
child DS 1 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ns.child A 192.0.2.54
other NS ns.sibling
other NS ns.elsewhere.test.
other NS ns
sibling NS ns.sibling
ns.sibling A 192.0.2.55
ns.sibling AAAA 2001:db8::55
ns.sibling TXT \"no glue\"
alias CNAME www.child
loop CNAME pool
pool CNAME loop
away CNAME www.nowhere.test.
cut CNAME www.other
gone CNAME no
*.wild CNAME www.child
moved DNAME child
long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test.
mail MX 10 ns
mail MX 20 ns.sibling
mail MX 30 www.child
mail MX 40 any.w
*.w A 192.0.2.77
_s._tcp SRV 0 0 1 ns
both A 192.0.2.1
both TXT x
";
    let child = "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.54\nwww A 192.0.2.80\n";
    Zones::new([zone("example.test", top), zone("child.example.test", child)])
}

#[test]
fn the_nearest_zone_answers_and_the_one_above_it_says_what_its_ds_records_are() {
    let zones = family();
    let www = ["NOERROR aa", "an www.child.example.test A 192.0.2.80"];
    assert_eq!(ask(&zones, "www.child.example.test A", false), www);
    assert_eq!(ask(&zones, "child.example.test DS", false), ["NOERROR aa", "an child.example.test DS"]);
    assert_eq!(ask(&zones, "child.example.test SOA", false), ["NOERROR aa", "an child.example.test SOA"]);
    assert_eq!(ask(&zones, "example.test DS", false), ["NOERROR aa", "au example.test SOA"]);
    let refused = zones.reply(&Question::new(name("www.elsewhere.test"), RecordType::A));
    assert_eq!(lines(&refused), ["REFUSED"]);
    // RFC 8914 4.21
    assert_eq!(refused.extended_errors[0].code, 20);
}

#[test]
fn a_referral_carries_the_glue_that_there_is_and_nothing_else() {
    let expected = [
        "NOERROR",
        "au other.example.test NS ns.sibling.example.test.",
        "au other.example.test NS ns.elsewhere.test.",
        "au other.example.test NS ns.example.test.",
        // RFC 9471 2.2: glue of a sibling.
        "ad ns.sibling.example.test A 192.0.2.55",
        "ad ns.sibling.example.test AAAA 2001:db8::55",
        "ad ns.example.test A 192.0.2.53",
    ];
    assert_eq!(ask(&family(), "www.other.example.test A", false), expected);
    assert_eq!(ask(&family(), "other.example.test NS", false), expected);
    assert_eq!(ask(&family(), "other.example.test ANY", false), expected);
    let least = family().minimal_responses(MinimalResponses::Yes);
    assert_eq!(ask(&least, "www.other.example.test A", false), expected);
}

/// As NSD and named do: they prove nothing.
#[test]
fn a_referral_of_a_zone_without_signatures_has_no_ds_records() {
    let digest = "D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A";
    let text = format!(
        "$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nsub NS ns\nsub DS 1 8 2 {digest}\n"
    );
    let zones = Zones::from(zone("example.test", &text));
    let referral = ["NOERROR", "au sub.example.test NS ns.example.test.", "ad ns.example.test A 192.0.2.53"];
    assert_eq!(ask(&zones, "www.sub.example.test A", true), referral);
    assert_eq!(ask(&zones, "sub.example.test DS", true), ["NOERROR aa", "an sub.example.test DS"]);
}

#[test]
fn aliases_are_followed_through_all_zones_that_are_served() {
    let zones = family();
    let ask = |question: &str| ask(&zones, question, false);
    let alias = "an alias.example.test CNAME www.child.example.test.";
    assert_eq!(ask("alias.example.test A"), ["NOERROR aa", alias, "an www.child.example.test A 192.0.2.80"]);
    assert_eq!(ask("alias.example.test MX"), ["NOERROR aa", alias, "au child.example.test SOA"]);
    assert_eq!(ask("alias.example.test CNAME"), ["NOERROR aa", alias]);
    assert_eq!(ask("alias.example.test ANY"), ["NOERROR aa", alias]);
    let away = "an away.example.test CNAME www.nowhere.test.";
    assert_eq!(ask("away.example.test A"), ["NOERROR aa", away]);
    // RFC 6604 3: the code is that of the last name.
    let gone = "an gone.example.test CNAME no.example.test.";
    assert_eq!(ask("gone.example.test A"), ["NXDOMAIN aa", gone, "au example.test SOA"]);
    assert_eq!(ask("loop.example.test A").len(), 3);
    let cut = ask("cut.example.test A");
    assert_eq!(
        cut[1..3],
        [
            "an cut.example.test CNAME www.other.example.test.",
            "au other.example.test NS ns.sibling.example.test."
        ]
    );
    let wild = ask("x.wild.example.test A");
    assert_eq!(
        wild[1..],
        ["an x.wild.example.test CNAME www.child.example.test.", "an www.child.example.test A 192.0.2.80"]
    );
}

#[test]
fn a_dname_record_renames_what_lies_below() {
    let zones = family();
    let ask = |question: &str| ask(&zones, question, false);
    let expected = [
        "NOERROR aa",
        "an moved.example.test DNAME child.example.test.",
        "an www.moved.example.test CNAME www.child.example.test.",
        "an www.child.example.test A 192.0.2.80",
    ];
    assert_eq!(ask("www.moved.example.test A"), expected);
    assert_eq!(ask("www.moved.example.test CNAME"), expected[..3]);
    assert_eq!(ask("moved.example.test A"), ["NOERROR aa", "au example.test SOA"]);
    assert_eq!(
        ask("moved.example.test DNAME"),
        ["NOERROR aa", "an moved.example.test DNAME child.example.test."]
    );
    assert_eq!(ask("no.moved.example.test A")[0], "NXDOMAIN aa");
    // RFC 6672 2.2: a name that becomes too long.
    let label = "b".repeat(63);
    let long = ask(&format!("{label}.{label}.long.example.test A"));
    assert_eq!((long[0].as_str(), long.len()), ("YXDOMAIN aa", 2));
}

#[test]
fn addresses_come_along_with_the_names_of_hosts_that_are_the_zones_own() {
    let zones = family();
    let mail = ask(&zones, "mail.example.test MX", false);
    assert_eq!(mail[5..], ["ad ns.example.test A 192.0.2.53"]);
    let service = ask(&zones, "_s._tcp.example.test SRV", false);
    assert_eq!(service[2..], ["ad ns.example.test A 192.0.2.53"]);
    let least = zones.minimal_responses(MinimalResponses::Yes);
    assert_eq!(ask(&least, "mail.example.test MX", false).len(), 5);
    assert_eq!(ask(&least, "example.test NS", false), ["NOERROR aa", "an example.test NS ns.example.test."]);
}

#[test]
fn any_is_answered_with_one_set() {
    // RFC 8482 4.1
    assert_eq!(
        ask(&family(), "both.example.test ANY", false),
        ["NOERROR aa", "an both.example.test A 192.0.2.1"]
    );
    let signed = ask(&rfc_4035(), "xx.example ANY", true);
    assert_eq!(signed, ["NOERROR aa", "an xx.example A 192.0.2.10", "an xx.example RRSIG A"]);
}

#[test]
fn the_soa_of_a_negative_answer_says_how_long_it_may_be_kept() {
    // RFC 2308 5: the TTL or the last number, whichever is less.
    let kept = |ttl, minimum| {
        let text = format!("@ {ttl} SOA ns h 1 2 3 4 {minimum}\n@ 9 NS ns\nns 9 A 192.0.2.1\n");
        let zones = Zones::from(signed(zone("z.test", &text), Denial::Nsec));
        let asked = Asked { dnssec_ok: true, ..Asked::new(Question::new(name("no.z.test"), RecordType::A)) };
        zones.reply_to(&asked).authorities.iter().take(2).map(|record| record.ttl).collect::<Vec<_>>()
    };
    assert_eq!(kept(100, 60), [60, 60]);
    assert_eq!(kept(50, 60), [50, 50]);
}

#[test]
fn a_transfer_begins_and_ends_with_the_soa() {
    use glasstack_dns::Authority;
    let zones = family();
    let records: Vec<Record> = zones.transfer(&name("example.test")).unwrap().collect();
    assert_eq!(records.first(), records.last());
    assert_eq!(records[0].record_type(), RecordType::Soa);
    let soas = records.iter().filter(|record| record.record_type() == RecordType::Soa);
    assert_eq!(soas.count(), 2);
    assert!(records.iter().any(|record| record.data.to_string() == "\"no glue\""));
    assert!(zones.transfer(&name("www.example.test")).is_none());
}
