//! Cases written as JSON, with the fields of x509-limbo.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod made;

use glasstack_tls::verify::case::{Case, CaseError};
use made::*;
use serde_json::{Value, json};

fn pem(der: &Der) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// A case as x509-limbo writes it, of a good path over one CA.
fn limbo() -> Value {
    let (lab, root) = root();
    let between = Key::new(2);
    let middle = Plan::ca("Between", "Lab", &between).signed(&lab);
    let leaf = Plan::leaf("Between", &Key::new(9)).signed(&between);
    json!({
        "id": "lab::good",
        "conflicts_with": [],
        "features": ["max-chain-depth"],
        "importance": "undetermined",
        "description": "a good path",
        "validation_kind": "SERVER",
        "trusted_certs": [pem(&root)],
        "untrusted_intermediates": [pem(&middle)],
        "peer_certificate": pem(&leaf),
        "peer_certificate_key": null,
        "validation_time": "2026-06-01T00:00:00+00:00",
        "signature_algorithms": [],
        "key_usage": [],
        "extended_key_usage": [],
        "expected_result": "SUCCESS",
        "expected_peer_name": {"kind": "DNS", "value": "www.lab.test"},
        "expected_peer_names": [],
        "max_chain_depth": null,
        "crls": [],
    })
}

/// The code of the answer to a case with these fields changed; `accept` where there is none.
fn answer(change: Value) -> String {
    let mut case = limbo();
    for (field, value) in change.as_object().unwrap() {
        case[field] = value.clone();
    }
    let case: Case = serde_json::from_value(case).unwrap();
    match case.judge(algorithms(), 0) {
        Ok(answer) => {
            let answer = serde_json::to_value(&answer).unwrap();
            assert_eq!(answer["id"], "lab::good");
            assert!(answer["checks"].as_array().is_some_and(|checks| !checks.is_empty()), "{answer}");
            match answer["verdict"].as_str().unwrap() {
                "accept" => "accept".to_owned(),
                _ => answer["code"].as_str().unwrap().to_owned(),
            }
        }
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn each_field_counts() {
    assert_eq!(answer(json!({})), "accept");
    assert_eq!(answer(json!({"validation_kind": "CLIENT"})), "wrong_purpose");
    assert_eq!(answer(json!({"trusted_certs": []})), "no_roots");
    assert_eq!(answer(json!({"untrusted_intermediates": []})), "unknown_issuer");
    assert_eq!(answer(json!({"untrusted_intermediates": null})), "unknown_issuer");
    assert_eq!(answer(json!({"validation_time": "2028-01-01T00:00:00Z"})), "expired");
    assert_eq!(answer(json!({"validation_time": NOW})), "accept");
    assert_eq!(answer(json!({"validation_time": null})), "not_yet_valid", "the time is 1970");
    assert_eq!(answer(json!({"expected_peer_name": {"kind": "DNS", "value": "other.test"}})), "wrong_name");
    assert_eq!(answer(json!({"expected_peer_name": {"kind": "IP", "value": "192.0.2.1"}})), "wrong_name");
    assert_eq!(answer(json!({"expected_peer_name": {"kind": "DNS", "value": "192.0.2.1"}})), "wrong_name");
    assert_eq!(answer(json!({"expected_peer_name": {"kind": "RFC822", "value": "a@b.test"}})), "wrong_name");
    assert_eq!(answer(json!({"expected_peer_name": {"kind": "DNS", "value": "a b"}})), "unusable_name");
    assert_eq!(answer(json!({"expected_peer_name": null})), "accept");
    assert_eq!(answer(json!({"name": "other.test"})), "wrong_name");
    assert_eq!(answer(json!({"key_usage": ["digitalSignature"]})), "accept");
    assert_eq!(answer(json!({"key_usage": ["keyEncipherment"]})), "key_usage");
    assert_eq!(answer(json!({"extended_key_usage": ["serverAuth"]})), "accept");
    assert_eq!(answer(json!({"extended_key_usage": ["emailProtection"]})), "wrong_purpose");
    assert_eq!(answer(json!({"signature_algorithms": ["ED25519"]})), "accept");
    assert_eq!(answer(json!({"signature_algorithms": ["ECDSA_WITH_SHA256"]})), "unsupported_algorithm");
    assert_eq!(answer(json!({"max_chain_depth": 0})), "chain_too_long");
    assert_eq!(answer(json!({"max_chain_depth": 1})), "accept");
    assert_eq!(answer(json!({"strict": true})), "accept");
}

#[test]
fn what_cannot_be_judged_is_an_error_that_says_why() {
    for (change, why) in [
        (json!({"validation_kind": "PEER"}), "SERVER or CLIENT"),
        (json!({"peer_certificate": null, "untrusted_intermediates": []}), "no certificate to judge"),
        (json!({"peer_certificate": "nothing"}), "peer_certificate holds what is no certificate"),
        (json!({"validation_time": "yesterday"}), "RFC 3339"),
        (json!({"expected_peer_name": {"kind": "URI", "value": "x"}}), "DNS, IP or RFC822"),
        (json!({"key_usage": ["signing"]}), "no key usage"),
        (json!({"extended_key_usage": ["everything"]}), "no key usage"),
        (json!({"signature_algorithms": ["ROT13"]}), "no signature algorithm"),
        (json!({"crls": ["nothing"]}), "crls:"),
        (json!({"ocsp": ["*"]}), "base64"),
    ] {
        let answer = answer(change);
        assert!(answer.starts_with("error: ") && answer.contains(why), "{answer}");
    }
    let none: Case = serde_json::from_str("{}").unwrap();
    assert!(matches!(none.judge(algorithms(), 0), Err(CaseError::NoCertificate)));
}

#[test]
fn a_root_that_cannot_be_any_is_left_out_and_that_is_said() {
    let (_, root) = root();
    let broken = Der::from(root[..root.len() - 1].to_vec());
    let mut case = limbo();
    case["trusted_certs"] = json!([pem(&broken), pem(&root)]);
    let case: Case = serde_json::from_value(case).unwrap();
    let answer = serde_json::to_string(&case.judge(algorithms(), 0).unwrap()).unwrap();
    assert!(answer.contains("trusted_certs 0 is left out"), "{answer}");
    assert!(answer.contains("\"verdict\":\"accept\""), "{answer}");
}
