//! Answers of a signed tree, traced to the root's key: what is secure, insecure, bogus, and why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod dnssec;

use dnssec::{Net, Plan, nsec3, question};
use glasstack_dns::dnssec::Security::{Bogus, Indeterminate, Insecure, Secure};
use glasstack_dns::dnssec::signer::Denial;
use glasstack_dns::{RecordData, RecordType, ResponseCode};

fn all_ways() -> [Net; 3] {
    [Denial::Nsec, nsec3(0, false), nsec3(10, true)]
        .map(|denial| Net::with(Plan { denial, ..Plan::default() }))
}

#[test]
fn records_are_secure_from_the_root_to_the_answer() {
    for mut net in all_ways() {
        let validated = net.validate("www.example.test A");
        assert_eq!(validated.security, Secure, "{}", validated.reason);
        assert_eq!(
            net.asked(),
            [". DNSKEY", "test DS", "test DNSKEY", "example.test DS", "example.test DNSKEY"]
        );
        let steps: Vec<String> = validated.chain.iter().map(ToString::to_string).collect();
        println!("{}", steps.join("\n"));
        assert_eq!(steps.len(), 7);
    }
}

#[test]
fn every_kind_of_answer_is_secure() {
    for (mut net, opt_out) in all_ways().into_iter().zip([false, false, true]) {
        for text in [
            "www.example.test A",
            "www.example.test AAAA",
            "alias.example.test A",
            "alias.example.test CNAME",
            "example.test SOA",
            "example.test NS",
            "example.test DNSKEY",
            "example.test DS",
            "test DS",
            "test SOA",
            ". NS",
            ". DNSKEY",
            "x.wild.example.test A",
            "x.y.wild.example.test A",
            "x.wild.example.test MX",
            "wild.example.test A",
            "deep.example.test A",
            "b.deep.example.test TXT",
            "www.example.test DS",
            "host.renamed.example.test A",
            "any.renamed.example.test A",
            "renamed.example.test DNAME",
            "host.renamed.example.test CNAME",
        ] {
            let (security, reason) = net.outcome(text);
            // RFC 5155 9.2: an unsigned delegation may be in the place of what a wildcard stands for.
            let by_wildcard = text.contains("x.") || text.contains("any.");
            let expected = if opt_out && by_wildcard { Insecure } else { Secure };
            assert_eq!(security, expected, "{text}: {reason}");
        }
    }
}

#[test]
fn what_does_not_exist_is_proved_not_to() {
    for (mut net, opt_out) in all_ways().into_iter().zip([false, false, true]) {
        for text in ["no.example.test A", "x.www.example.test A", "dangling.example.test A", "nothing A"] {
            let (security, reason) = net.outcome(text);
            // RFC 5155 9.2: where opt-out holds, an unsigned delegation may be there.
            let expected = if opt_out { Insecure } else { Secure };
            assert_eq!(security, expected, "{text}: {reason}");
        }
    }
}

#[test]
fn below_a_delegation_that_is_proved_unsigned_all_is_insecure() {
    for mut net in all_ways() {
        for text in [
            "www.plain A",
            "www.unsigned.test A",
            "no.unsigned.test A",
            "unsigned.test SOA",
            "www.plain.opt A",
        ] {
            let (security, reason) = net.outcome(text);
            assert_eq!(security, Insecure, "{text}: {reason}");
        }
    }
    let mut net = Net::new();
    assert_eq!(net.outcome("www.plain A").1, "plain is not signed: . proves that it has no DS record for it");
    assert_eq!(net.outcome("www.signed.opt A").0, Secure);
}

#[test]
fn an_alias_is_as_good_as_what_it_leads_to() {
    let mut net = Net::new();
    let validated = net.validate("to-plain.example.test A");
    assert_eq!(validated.security, Insecure, "{}", validated.reason);
    assert_eq!(validated.sets[0].security, Secure);
    assert_eq!(validated.sets[1].security, Insecure);
    let mut alone = net.tree.respond(&question("to-plain.example.test A"));
    alone.answers.truncate(2);
    alone.authorities.clear();
    let validated = net.validate_this("to-plain.example.test A", alone);
    assert_eq!(validated.security, Secure, "{}", validated.reason);
    assert_eq!(validated.open.unwrap().as_str(), "www.plain", "it still has to be asked for");
    // The proof that a wildcard needs says nothing of the alias's target.
    let mut by_wildcard = net.tree.respond(&question("x.away.example.test A"));
    by_wildcard.answers.truncate(2);
    by_wildcard.authorities.extend(net.tree.respond(&question("no.example.test A")).authorities);
    by_wildcard.authorities.retain(|record| match &record.data {
        RecordData::Rrsig(rrsig) => rrsig.type_covered == RecordType::Nsec,
        data => data.record_type() == RecordType::Nsec,
    });
    let validated = net.validate_this("x.away.example.test A", by_wildcard);
    assert_eq!(validated.security, Secure, "{}", validated.reason);
    assert_eq!(validated.open.unwrap().as_str(), "www.plain");
}

#[test]
fn zones_signed_in_unknown_ways_count_as_unsigned() {
    let mut net = Net::new();
    let (security, reason) = net.outcome("www.odd-algorithm.test A");
    assert_eq!(security, Insecure);
    assert_eq!(reason, "odd-algorithm.test is signed only with algorithm 250, which cannot be checked here");
    let (security, reason) = net.outcome("www.odd-digest.test A");
    assert_eq!(security, Insecure);
    assert_eq!(
        reason,
        "the keys of odd-digest.test are vouched for only with digest type 250, which cannot be checked here"
    );
    let (security, reason) = net.outcome("no.iter A");
    assert_eq!(security, Insecure, "{reason}");
    assert!(reason.contains("150 rounds of hashing"), "{reason}");
    assert_eq!(net.outcome("www.iter A").0, Secure, "nothing has to be hashed for this one");
}

#[test]
fn a_key_that_the_parent_does_not_name_is_bogus() {
    let mut net = Net::new();
    let (security, reason) = net.outcome("www.wrong-ds.test A");
    assert_eq!(security, Bogus);
    assert!(reason.starts_with("the DS record of wrong-ds.test names the key "), "{reason}");
}

#[test]
fn keys_are_remembered_as_long_as_they_may() {
    let mut net = Net::new();
    assert_eq!(net.validate("www.example.test A").security, Secure);
    net.asked();
    let validated = net.validate("alias.example.test A");
    assert_eq!(validated.security, Secure);
    assert!(net.asked().is_empty());
    assert!(validated.chain[0].remembered && !validated.chain.last().unwrap().remembered);
    // The DS record's TTL is 300 s.
    net.world.run_for(std::time::Duration::from_secs(301)).unwrap();
    assert_eq!(net.validate("www.example.test A").security, Secure);
    assert_eq!(net.asked(), ["test DS", "test DNSKEY", "example.test DS", "example.test DNSKEY"]);
}

#[test]
fn a_name_that_a_dname_makes_too_long_is_judged_by_the_dname() {
    let long = ["a", "b", "c"].map(|letter| letter.repeat(63)).join(".") + ".d.short.example.test A";
    let mut net = Net::new();
    let validated = net.validate(&long);
    assert_eq!(validated.message.code, ResponseCode::from_number(6));
    assert_eq!(validated.security, Secure, "{}", validated.reason);
}

#[test]
fn signatures_are_not_signed_and_other_responses_are_no_answers() {
    let mut net = Net::new();
    let mut message = net.tree.respond(&question("www.example.test A"));
    message.answers.retain(|record| matches!(record.data, RecordData::Rrsig(_)));
    let validated = net.validate_this("www.example.test RRSIG", message.clone());
    assert_eq!(validated.security, Insecure, "{}", validated.reason);
    message.code = ResponseCode::Refused;
    let validated = net.validate_this("www.example.test A", message);
    assert_eq!(validated.security, Indeterminate);
    assert_eq!(validated.reason.to_string(), "the response is no answer: REFUSED");
}

#[test]
fn every_set_of_an_answer_to_any_must_be_signed() {
    let mut net = Net::new();
    let mut message = net.tree.respond(&question("example.test SOA"));
    message.answers.extend(net.tree.respond(&question("example.test NS")).answers);
    assert_eq!(net.validate_this("example.test ANY", message.clone()).security, Secure);
    message.answers.pop();
    assert_eq!(net.validate_this("example.test ANY", message).security, Bogus);
}

#[test]
fn what_comes_with_a_secure_answer_is_secure_or_left_out() {
    let mut net = Net::new();
    let mut message = net.tree.respond(&question("www.example.test A"));
    message.additionals = net.tree.respond(&question("example.test NS")).answers;
    message.authorities = net.tree.respond(&question("www.unsigned.test A")).answers;
    assert_eq!(message.additionals.len(), 2);
    assert_eq!(message.authorities.len(), 1);
    let validated = net.validate_this("www.example.test A", message);
    assert_eq!(validated.security, Secure);
    assert_eq!(validated.message.additionals.len(), 2);
    assert!(validated.message.authorities.is_empty());
}
