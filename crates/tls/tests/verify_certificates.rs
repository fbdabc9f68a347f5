//! One certificate that is wrong in one place: each has its own code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod made;

use made::*;

#[test]
fn a_flawless_path_is_accepted_and_can_be_read_like_a_proof() {
    let (key, root) = root();
    let between = Key::new(2);
    let middle = Plan::ca("Between", "Lab", &between).signed(&key);
    let leaf = Plan::leaf("Between", &Key::new(9)).signed(&between);
    let judgement = judge(&[root], &[leaf, middle]);
    let text = judgement.to_string();
    assert_eq!(code(&judgement), "accept", "{text}");
    assert!(text.starts_with("accepted\n"), "{text}");
    for line in [
        "the server's own certificate (CN=www.lab.test)",
        "certificate 1 of the chain (CN=Between)",
        "the trusted root (CN=Lab)",
        "CN=www.lab.test, issued by CN=Between, issued by the trusted root CN=Lab (given as trusted)",
        "Ed25519, by the key (Ed25519) of CN=Between",
        "www.lab.test is among the names www.lab.test",
        "no CA of the path limits the names below it",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("FAILED"), "{text}");
    let json = serde_json::to_value(&judgement).unwrap();
    assert_eq!(json["verdict"], "accept");
    assert!(json["code"].is_null());
    assert!(json["checks"].as_array().unwrap().iter().all(|check| check["verdict"] != "failed"));
    assert_eq!(json["path"].as_array().unwrap().len(), 2);
}

#[test]
fn dates_are_judged_to_the_second_and_each_certificate_has_its_own() {
    assert_eq!(leaf_code(|leaf| leaf.dated("260101000000Z", "260531235959Z")), "expired");
    assert_eq!(leaf_code(|leaf| leaf.dated("260101000000Z", "260601000000Z")), "accept");
    assert_eq!(leaf_code(|leaf| leaf.dated("260601000000Z", "270101000000Z")), "accept");
    assert_eq!(leaf_code(|leaf| leaf.dated("260601000001Z", "270101000000Z")), "not_yet_valid");
    assert_eq!(leaf_code(|leaf| leaf.dated("270101000000Z", "260101000000Z")), "bad_validity");
    assert_eq!(middle_code(|ca| ca.dated("250101000000Z", "260101000000Z")), "expired");
    assert_eq!(middle_code(|ca| ca.dated("270101000000Z", "280101000000Z")), "not_yet_valid");
    // webpki does not look at these, and curl does.
    assert_eq!(root_code(|ca| ca.dated("250101000000Z", "260101000000Z")), "expired");
    assert_eq!(root_code(|ca| ca.dated("270101000000Z", "280101000000Z")), "not_yet_valid");
}

#[test]
fn what_a_certificate_must_be_like() {
    assert_eq!(leaf_code(|leaf| leaf), "accept");
    let v1 = |plan: Plan| Plan { version: None, extensions: Vec::new(), ..plan };
    assert_eq!(leaf_code(v1), "bad_version");
    assert_eq!(leaf_code(|leaf| Plan { version: Some(1), ..leaf }), "bad_version");
    assert_eq!(middle_code(v1), "bad_version");
    assert_eq!(root_code(v1), "accept", "a root from before there were extensions");
    let unknown = || extension("1.3.6.1.4.1.55738.666.1", true, vec![5, 0]);
    assert_eq!(leaf_code(|leaf| leaf.with(unknown())), "unknown_critical_extension");
    assert_eq!(middle_code(|ca| ca.with(unknown())), "unknown_critical_extension");
    assert_eq!(root_code(|ca| ca.with(unknown())), "unknown_critical_extension");
    let harmless = || Extension { critical: false, ..unknown() };
    assert_eq!(leaf_code(|leaf| leaf.with(harmless())), "accept");
    let policies = || extension("2.5.29.32", true, seq(&[&seq(&[&oid("2.5.29.32.0")])]));
    assert_eq!(leaf_code(|leaf| leaf.with(policies())), "unknown_critical_extension");
    assert_eq!(root_code(|ca| ca.with(policies())), "accept");
    let twice = |mut plan: Plan| {
        plan.extensions.push(plan.extensions[0].clone());
        plan
    };
    assert_eq!(leaf_code(twice), "duplicate_extension");
    assert_eq!(middle_code(twice), "duplicate_extension");
    assert_eq!(root_code(twice), "duplicate_extension");
    assert_eq!(leaf_code(|leaf| leaf.with(extension(AIA, false, b"malformed".to_vec()))), "bad_extension");
    assert_eq!(leaf_code(|leaf| leaf.with(extension(SAN, false, b"www.lab.test".to_vec()))), "bad_extension");
    let aki = || extension(AKI, true, seq(&[&tlv(0x80, &[9; 20])]));
    let ski = || extension(SKI, true, tlv(4, &[7; 20]));
    assert_eq!(root_code(|ca| ca.with(aki())), "criticality");
    assert_eq!(root_code(|ca| ca.with(ski())), "criticality");
    let aia = |critical| {
        let access = seq(&[&oid("1.3.6.1.5.5.7.48.2"), &tlv(0x86, b"http://ca.test/ca.crt")]);
        extension(AIA, critical, seq(&[&access]))
    };
    assert_eq!(leaf_code(|leaf| leaf.with(aia(false))), "accept");
    assert_eq!(leaf_code(|leaf| leaf.with(aia(true))), "unknown_critical_extension");
}

#[test]
fn who_issues_has_a_name() {
    let key = Key::new(1);
    let nobody = Plan::ca("", "", &key).signed(&key);
    let leaf = Plan::leaf("", &Key::new(9)).signed(&key);
    assert_eq!(code(&judge(&[nobody], &[leaf])), "empty_issuer");
}

#[test]
fn a_certificate_that_is_none_is_malformed() {
    let (key, root) = root();
    let good = Plan::leaf("Lab", &Key::new(9)).signed(&key);
    for bad in [vec![], vec![0x30], good[..good.len() - 1].to_vec(), [good.to_vec(), vec![0]].concat()] {
        assert_eq!(code(&judge(std::slice::from_ref(&root), &[bad.into()])), "malformed");
    }
    assert_eq!(code(&judge(&[root], &[])), "malformed");
}

#[test]
fn signatures_and_keys_that_are_too_weak_or_unknown_are_told_apart() {
    let sha1 = algorithm("1.2.840.113549.1.1.5");
    let signed = |alg: Vec<u8>| leaf_code(|leaf| Plan { inner: alg.clone(), outer: alg.clone(), ..leaf });
    assert_eq!(signed(sha1), "weak_signature");
    assert_eq!(signed(algorithm("1.2.840.113549.1.1.4")), "weak_signature");
    assert_eq!(signed(algorithm("1.2.840.10045.4.1")), "weak_signature");
    assert_eq!(signed(algorithm("1.3.101.113")), "unsupported_algorithm");
    assert_eq!(signed(algorithm("1.2.840.10045.4.3.2")), "unsupported_algorithm");
    assert_eq!(leaf_code(|leaf| Plan { inner: algorithm("1.3.101.113"), ..leaf }), "algorithm_mismatch");
    let rsa = |bits: usize| {
        let mut modulus = vec![0_u8; bits.div_ceil(8)];
        modulus[0] = 1 << ((bits - 1) % 8);
        *modulus.last_mut().unwrap() = 1;
        if modulus[0] & 0x80 != 0 {
            modulus.insert(0, 0);
        }
        let key = seq(&[&tlv(2, &modulus), &tlv(2, &[1, 0, 1])]);
        let kind = seq(&[&oid("1.2.840.113549.1.1.1"), &[5, 0]]);
        seq(&[&kind, &tlv(3, &[&[0][..], &key].concat())])
    };
    let keyed = |spki: Vec<u8>| leaf_code(|leaf| Plan { spki: spki.clone(), ..leaf });
    assert_eq!(keyed(rsa(1024)), "weak_key");
    assert_eq!(keyed(rsa(2047)), "weak_key");
    assert_eq!(keyed(rsa(2048)), "accept");
    assert_eq!(keyed(rsa(2052)), "unsupported_key");
    let curve = |dotted: &str| {
        let kind = seq(&[&oid("1.2.840.10045.2.1"), &oid(dotted)]);
        seq(&[&kind, &tlv(3, &[&[0, 4][..], &[1; 64]].concat())])
    };
    assert_eq!(keyed(curve("1.2.840.10045.3.1.7")), "accept");
    assert_eq!(keyed(curve("1.2.840.10045.3.1.1")), "unsupported_key");
    assert_eq!(keyed(curve("1.3.132.0.10")), "unsupported_key");
}

#[test]
fn who_may_issue_and_how_many_may_follow() {
    assert_eq!(middle_code(|ca| ca.with(basic(false, None))), "not_a_ca");
    assert_eq!(middle_code(|ca| ca.without(BASIC)), "not_a_ca");
    assert_eq!(root_code(|ca| ca.with(basic(false, None))), "not_a_ca");
    assert_eq!(root_code(|ca| ca.without(BASIC)), "not_a_ca");
    assert_eq!(leaf_code(|leaf| leaf.with(basic(true, None))), "ca_certificate");
    assert_eq!(leaf_code(|leaf| leaf.with(basic(false, None))), "accept");
    assert_eq!(middle_code(|ca| ca.with(basic(true, Some(0)))), "accept");
    let path = |root_limit, outer_limit, inner_limit| {
        let (keys, root) = ([Key::new(1), Key::new(2), Key::new(3)], Plan::ca("Lab", "Lab", &Key::new(1)));
        let root = root.with(basic(true, root_limit)).signed(&keys[0]);
        let outer = Plan::ca("Outer", "Lab", &keys[1]).with(basic(true, outer_limit)).signed(&keys[0]);
        let inner = Plan::ca("Inner", "Outer", &keys[2]).with(basic(true, inner_limit)).signed(&keys[1]);
        let leaf = Plan::leaf("Inner", &Key::new(9)).signed(&keys[2]);
        code(&judge(&[root], &[leaf, inner, outer]))
    };
    assert_eq!(path(None, None, None), "accept");
    assert_eq!(path(None, Some(1), Some(2)), "accept");
    assert_eq!(path(None, Some(0), Some(0)), "path_too_long");
    assert_eq!(path(Some(2), None, None), "accept");
    assert_eq!(path(Some(1), None, None), "path_too_long", "the root's own, which webpki does not see");
}

#[test]
fn a_key_is_used_for_what_it_is_for() {
    assert_eq!(leaf_code(|leaf| leaf.with(key_usage(&[2]))), "key_usage");
    assert_eq!(leaf_code(|leaf| leaf.with(key_usage(&[]))), "key_usage");
    assert_eq!(leaf_code(|leaf| leaf.with(key_usage(&[0, 5]))), "key_usage", "keyCertSign, and no CA's");
    assert_eq!(leaf_code(|leaf| leaf.without(KEY_USAGE)), "accept");
    assert_eq!(middle_code(|ca| ca.with(key_usage(&[0, 6]))), "key_usage");
    assert_eq!(middle_code(|ca| ca.without(KEY_USAGE)), "accept");
    assert_eq!(root_code(|ca| ca.with(key_usage(&[0, 6]))), "key_usage");
    assert_eq!(leaf_code(|leaf| leaf.with(purposes(&[CLIENT_AUTH]))), "wrong_purpose");
    assert_eq!(leaf_code(|leaf| leaf.with(purposes(&["2.5.29.37.0"]))), "wrong_purpose");
    assert_eq!(leaf_code(|leaf| leaf.with(purposes(&[CLIENT_AUTH, SERVER_AUTH]))), "accept");
    assert_eq!(leaf_code(|leaf| leaf.with(purposes(&[]))), "wrong_purpose");
    assert_eq!(leaf_code(|leaf| leaf.without(EKU)), "accept");
    assert_eq!(middle_code(|ca| ca.with(purposes(&[CLIENT_AUTH]))), "wrong_purpose");
    assert_eq!(middle_code(|ca| ca.with(purposes(&[SERVER_AUTH]))), "accept");
    assert_eq!(root_code(|ca| ca.with(purposes(&[CLIENT_AUTH]))), "accept", "a root's limits nothing");
}

#[test]
fn what_private_cas_get_wrong_is_told_and_refuses_only_where_strictness_was_asked_for() {
    let (key, root) = root();
    type Change = fn(Plan) -> Plan;
    let lax: [(&str, Change); 5] = [
        ("bad_serial", |leaf| Plan { serial: vec![0], ..leaf }),
        ("bad_serial", |leaf| Plan { serial: vec![0x80], ..leaf }),
        ("bad_serial", |leaf| Plan { serial: vec![1; 21], ..leaf }),
        ("key_identifier", |leaf| leaf.without(AKI)),
        ("criticality", |leaf| leaf.with(Extension { critical: true, ..san(&[dns("www.lab.test")]) })),
    ];
    for (expected, change) in lax {
        let leaf = change(Plan::leaf("Lab", &Key::new(9))).signed(&key);
        let judgement = judge(std::slice::from_ref(&root), std::slice::from_ref(&leaf));
        assert_eq!(code(&judgement), "accept", "{judgement}");
        assert!(judgement.to_string().contains("not enforced"), "{judgement}");
        let mut strict = verifier(std::slice::from_ref(&root));
        strict.strict = true;
        let judgement = strict.judge(&[leaf], &[], NOW);
        assert_eq!(code(&judgement), expected, "{judgement}");
    }
}

#[test]
fn a_self_signed_certificate_that_is_trusted_itself_is_good() {
    let key = Key::new(9);
    let own = Plan::leaf("www.lab.test", &key).signed(&key);
    assert_eq!(code(&judge(std::slice::from_ref(&own), std::slice::from_ref(&own))), "accept");
    let (_, root) = root();
    assert_eq!(code(&judge(&[root], &[own])), "self_signed");
}

#[test]
fn every_refusal_names_the_certificate_and_has_an_alert() {
    let (key, root) = root();
    let leaf = Plan::leaf("Lab", &Key::new(9)).dated("250101000000Z", "260101000000Z").signed(&key);
    let judgement = judge(&[root], &[leaf]);
    let problem = judgement.problem.clone().unwrap();
    assert_eq!(format!("{:?}", problem.alert()), "CertificateExpired");
    assert!(
        judgement.to_string().starts_with(
            "REJECTED (expired): the server's own certificate (CN=www.lab.test) expired on 2026-01-01T00:00:00Z, \
             151 days ago"
        ),
        "{judgement}"
    );
}
