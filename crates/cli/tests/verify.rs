//! `glasstack verify` on the lab's own certificates, in files: the exit status, the judgement as text and JSON,
//! batches. `openssl verify` judges the same certificates where it can.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "another program is run beside ours")]

#[path = "support/ran.rs"]
mod ran;

use ran::{Folder, PROGRAM, Ran};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// When the lab's certificates are good.
const TIME: &str = "2026-06-01T12:00:00Z";

/// A folder with the lab's certificates in `pki`.
fn pki(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.line("lab pki pki").exits(0);
    folder
}

/// The certificate of a site of the lab, judged by the lab's root.
fn judge(folder: &Folder, site: &str, more: &str) -> Ran {
    let line =
        format!("verify --cacert pki/root.pem --time {TIME} --name {site} pki/servers/{site}.pem{more}");
    folder.line(line.trim_end())
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn what_is_good_is_accepted_with_every_check_and_what_is_bad_is_refused_with_its_code() {
    let folder = pki("verify-codes");
    let good = judge(&folder, "www.example.test", "").exits(0);
    assert!(good.out.starts_with("accepted\n"), "{}", good.out);
    for check in ["chain", "format", "certificate_signature", "validity", "constraints", "usage", "name"] {
        assert!(good.out.contains(&format!("passed  {check} ")), "no {check} in:\n{}", good.out);
    }
    for (site, code) in [
        ("expired.badssl.test", "expired"),
        ("not-yet-valid.badssl.test", "not_yet_valid"),
        ("wrong.host.badssl.test", "wrong_name"),
        ("no-san.badssl.test", "no_names"),
        ("untrusted-root.badssl.test", "untrusted_root"),
        ("self-signed.badssl.test", "self_signed"),
        ("incomplete-chain.badssl.test", "missing_intermediate"),
        ("bad-signature.badssl.test", "bad_signature"),
        ("sha1-intermediate.badssl.test", "weak_signature"),
        ("rsa1024.badssl.test", "weak_key"),
        ("not-a-ca.badssl.test", "not_a_ca"),
        ("path-too-long.badssl.test", "path_too_long"),
        ("ca-key-usage.badssl.test", "key_usage"),
        ("name-constrained.badssl.test", "name_not_permitted"),
        ("name-excluded.badssl.test", "name_excluded"),
        ("wrong-purpose.badssl.test", "wrong_purpose"),
        ("unknown-extension.badssl.test", "unknown_critical_extension"),
    ] {
        let told = json_of(&judge(&folder, site, " --json").exits(1));
        assert_eq!((told["verdict"].as_str(), told["code"].as_str()), (Some("reject"), Some(code)), "{site}");
        assert!(!told["message"].as_str().unwrap().is_empty() && told["checks"].is_array(), "{site}");
        let text = judge(&folder, site, "").exits(1).out;
        assert!(text.starts_with(&format!("REJECTED ({code}): ")), "{site}: {text}");
    }
}

#[test]
fn without_a_name_that_is_said_and_a_missing_link_may_be_given() {
    let folder = pki("verify-links");
    let line = format!("verify --cacert pki/root.pem --time {TIME} pki/servers/wrong.host.badssl.test.pem");
    folder.line(&line).exits(0).prints("not checked: no name was given");
    judge(&folder, "incomplete-chain.badssl.test", " --intermediates pki/intermediates.pem").exits(0);
    judge(&folder, "www.example.test", " --purpose client").exits(1).prints("wrong_purpose");
    let client = format!("verify --cacert pki/root.pem --time {TIME} --purpose client pki/clients/alice.pem");
    if folder.path().join("pki/clients/alice.pem").exists() {
        folder.line(&client).exits(0);
    }
}

#[test]
fn lists_and_answers_that_are_given_decide_unless_they_are_only_tried_or_off() {
    let folder = pki("verify-revocation");
    let (revoked, crl) = ("revoked.badssl.test", " --crl pki/lists.pem");
    judge(&folder, revoked, "").exits(0);
    judge(&folder, revoked, crl).exits(1).prints("REJECTED (revoked_by_crl)");
    judge(&folder, revoked, &format!("{crl} --crl-check try")).exits(1).prints("REJECTED (revoked_by_crl)");
    judge(&folder, revoked, &format!("{crl} --crl-check off")).exits(0);
    judge(&folder, "www.example.test", crl).exits(0).prints("passed  crl ");
    let stale = " --crl pki/authorities/stale.crl";
    judge(&folder, "www.example.test", stale).exits(1);
    let tried = judge(&folder, "www.example.test", &format!("{stale} --crl-check try")).exits(0);
    assert!(tried.out.contains("that passes, since nothing is required here"), "{}", tried.out);
    judge(&folder, "www.example.test", " --crl-check require").exits(1);
    let ocsp = |site: &str| format!(" --ocsp pki/servers/{site}.ocsp");
    judge(&folder, "www.example.test", &ocsp("www.example.test")).exits(0).prints("passed  ocsp ");
    let by_ocsp = "revoked-ocsp.badssl.test";
    judge(&folder, by_ocsp, &ocsp(by_ocsp)).exits(1).prints("REJECTED (revoked_by_ocsp)");
    judge(&folder, by_ocsp, &format!("{} --ocsp-check off", ocsp(by_ocsp))).exits(0);
    // An answer about another certificate proves nothing.
    judge(&folder, "www.example.test", &ocsp(by_ocsp)).exits(1);
    judge(&folder, "www.example.test", &format!("{} --ocsp-check try", ocsp(by_ocsp))).exits(0);
}

/// The evidence of the checks of one kind, one a line.
fn told(ran: &Ran, kind: &str) -> String {
    let told = json_of(ran);
    let checks = told["checks"].as_array().unwrap().iter().filter(|check| check["check"] == kind);
    checks.map(|check| format!("{}\n", check["evidence"].as_str().unwrap())).collect()
}

#[test]
fn what_is_unknown_of_revocation_is_told_once_and_truly_where_nothing_is_fetched() {
    let folder = pki("verify-unknown");
    let site = "www.example.test";
    let ocsp = told(&judge(&folder, site, " --json --ocsp-check try").exits(0), "ocsp");
    assert_eq!(ocsp.lines().count(), 2, "{ocsp}");
    // The certificate names a responder, and that is not the fault.
    assert!(
        ocsp.contains("nobody asks the responder here") && !ocsp.contains("names no responder"),
        "{ocsp}"
    );
    // What is tried already is no advice.
    assert!(!ocsp.contains("--ocsp-check try"), "{ocsp}");
    let other = " --json --ocsp pki/servers/revoked-ocsp.badssl.test.ocsp --ocsp-check try";
    let ocsp = told(&judge(&folder, site, other).exits(0), "ocsp");
    assert!(ocsp.contains("that passes") && !ocsp.contains("--ocsp-check try"), "{ocsp}");
    let stale = " --json --crl pki/authorities/stale.crl --crl-check try";
    let crl = told(&judge(&folder, site, stale).exits(0), "crl");
    assert_eq!(crl.lines().count(), 2, "{crl}");
    assert!(crl.lines().next().unwrap().contains("was good until"), "{crl}");
    assert!(crl.lines().nth(1).unwrap().contains("CN=glasstack lab root"), "{crl}");
}

#[test]
fn strictly_what_is_otherwise_only_told_is_refused_in_a_batch_too() {
    let folder = Folder::new("verify-strict");
    let openssl = |line: &str| {
        let ran = Command::new("openssl").args(line.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(ran.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&ran.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 30 -subj /CN=ca"));
    openssl(&format!("req -new {key} -keyout own.key -out own.csr -subj /CN=own"));
    folder.write("own", "subjectAltName=critical,DNS:own.test\nbasicConstraints=CA:false\n");
    openssl(
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 30 -extfile own -out own.pem",
    );
    let line = "verify --cacert ca.pem own.pem";
    folder
        .line(line)
        .exits(0)
        .prints("not enforced: the server's own certificate (CN=own) has a subject, so");
    let strict = folder.line(&format!("{line} --strict")).exits(1);
    strict.prints("REJECTED (criticality)").prints("FAILED  profile");
    let case =
        json!({ "trusted_certs": [folder.text("ca.pem")], "peer_certificate": folder.text("own.pem") });
    folder.write("cases", case.to_string());
    for (option, verdict) in [("", "accept"), (" --strict", "reject")] {
        let answer = json_of(&folder.line(&format!("verify --batch=cases{option}")).exits(0));
        assert_eq!(answer["verdict"], verdict, "{option}");
    }
}

#[test]
fn what_cannot_be_judged_ends_with_2_and_says_which_file() {
    let folder = pki("verify-unusable");
    folder.write("empty", "");
    folder.write("text", "no certificate\n");
    folder.write("p7", "-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n");
    folder.write("short", [0x30, 0x82, 0x01, 0x28, 0x30]);
    let certificate = "pki/servers/www.example.test.pem";
    for (line, said) in [
        ("verify --cacert pki/root.pem missing.pem".to_owned(), "missing.pem"),
        ("verify --cacert pki/root.pem empty".to_owned(), "empty"),
        ("verify --cacert pki/root.pem text".to_owned(), "neither PEM"),
        ("verify --cacert pki/root.pem pki/lists.pem".to_owned(), "there is no certificate in it"),
        (format!("verify --cacert pki/lists.pem {certificate}"), "pki/lists.pem"),
        (
            format!("verify --cacert pki/root.pem --crl {certificate} {certificate}"),
            "there is no revocation list",
        ),
        (
            format!("verify --cacert pki/root.pem --ocsp pki/lists.pem {certificate}"),
            "there is no OCSP response",
        ),
        ("verify pki/servers/www.example.test.key.pem".to_owned(), "no certificate in it, but a private key"),
        (
            format!("verify --cacert pki/root.pem --crl pki/servers/www.example.test.ocsp {certificate}"),
            "but an OCSP response",
        ),
        ("verify p7".to_owned(), "openssl pkcs7 -print_certs"),
        ("verify short".to_owned(), "295 of its 300 bytes are missing"),
        (format!("verify --time yesterday {certificate}"), "RFC 3339"),
        (format!("verify --purpose both {certificate}"), "both"),
        ("verify - --cacert -".to_owned(), "stdin can be read only once"),
        ("verify".to_owned(), "CHAIN.pem"),
    ] {
        folder.line(&line).exits(2).says(said);
    }
}

#[test]
fn openssl_agrees_about_what_both_judge() {
    let folder = pki("verify-openssl");
    let mut differs = Vec::new();
    for (site, name) in [
        ("www.example.test", "www.example.test"),
        ("expired.badssl.test", "expired.badssl.test"),
        ("not-yet-valid.badssl.test", "not-yet-valid.badssl.test"),
        ("wrong.host.badssl.test", "wrong.host.badssl.test"),
        ("untrusted-root.badssl.test", "untrusted-root.badssl.test"),
        ("self-signed.badssl.test", "self-signed.badssl.test"),
        ("incomplete-chain.badssl.test", "incomplete-chain.badssl.test"),
        ("not-a-ca.badssl.test", "not-a-ca.badssl.test"),
        ("path-too-long.badssl.test", "path-too-long.badssl.test"),
        ("name-constrained.badssl.test", "name-constrained.badssl.test"),
        ("name-excluded.badssl.test", "name-excluded.badssl.test"),
        ("wrong-purpose.badssl.test", "wrong-purpose.badssl.test"),
        ("unknown-extension.badssl.test", "unknown-extension.badssl.test"),
        ("bad-signature.badssl.test", "bad-signature.badssl.test"),
    ] {
        let chain = format!("pki/servers/{site}.pem");
        let fixed = ["verify", "-CAfile", "pki/root.pem", "-untrusted", &chain, "-attime", "1780315200"];
        let asked = ["-purpose", "sslserver", "-verify_hostname", name, &chain];
        let openssl =
            Command::new("openssl").args(fixed).args(asked).current_dir(folder.path()).output().unwrap();
        let ours = judge(&folder, site, "");
        if openssl.status.success() != (ours.code == Some(0)) {
            let said = String::from_utf8_lossy(&openssl.stderr).into_owned();
            differs.push(format!("{site}: openssl {said}, ours {}", ours.out.lines().next().unwrap()));
        }
    }
    assert_eq!(differs, Vec::<String>::new());
}

/// A case of x509-limbo's kind.
fn case(folder: &Folder, site: &str) -> Value {
    json!({
        "id": site,
        "validation_kind": "SERVER",
        "trusted_certs": [folder.text("pki/root.pem")],
        "untrusted_intermediates": [folder.text("pki/intermediates.pem")],
        "peer_certificate": folder.text(&format!("pki/servers/{site}.pem")),
        "validation_time": TIME,
        "expected_peer_name": { "kind": "DNS", "value": site },
    })
}

#[test]
fn a_batch_is_answered_line_by_line_in_its_order_and_bad_lines_are_told() {
    let folder = pki("verify-batch");
    let lines = [
        case(&folder, "www.example.test").to_string(),
        "this is no case".to_owned(),
        case(&folder, "expired.badssl.test").to_string(),
        json!({ "id": "empty" }).to_string(),
    ];
    folder.write("cases", lines.join("\n"));
    let ran = folder.line("verify --batch cases").exits(2);
    let answers: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4);
    assert_eq!((&answers[0]["id"], &answers[0]["verdict"]), (&json!("www.example.test"), &json!("accept")));
    assert_eq!(answers[1]["line"], 2);
    assert_eq!((&answers[2]["verdict"], &answers[2]["code"]), (&json!("reject"), &json!("expired")));
    assert_eq!((&answers[3]["id"], &answers[3]["line"]), (&json!("empty"), &json!(4)));
    // That a certificate is refused is no failure of the batch.
    folder.write("usable", format!("{}\n{}\n", lines[0], lines[2]));
    folder.line("verify --batch usable").exits(0);
    let whole = json!({ "version": 1, "testcases": [case(&folder, "www.example.test"), case(&folder, "badssl.test")] });
    folder.write("limbo.json", serde_json::to_string_pretty(&whole).unwrap());
    assert_eq!(folder.line("verify --batch limbo.json").out.lines().count(), 2);
}

#[test]
fn whoever_asks_line_by_line_gets_each_answer_before_the_next_question() {
    let folder = pki("verify-stream");
    let mut child = Command::new(PROGRAM)
        .args(["verify", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for (site, verdict) in [("www.example.test", "accept"), ("expired.badssl.test", "reject")] {
        writeln!(questions, "{}", case(&folder, site)).unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&answer["id"], &answer["verdict"]), (&json!(site), &json!(verdict)));
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

#[test]
fn certificates_for_other_programs_are_the_same_again_and_nothing_of_others_is_overwritten() {
    let folder = Folder::new("lab-pki");
    folder.line("lab pki pki").exits(0);
    let root = folder.read("pki/root.pem");
    folder.line("lab pki pki").exits(0);
    assert_eq!(folder.read("pki/root.pem"), root);
    folder.line("lab pki pki --seed 2").exits(23).says("--force");
    assert_eq!(folder.read("pki/root.pem"), root);
    folder.line("lab pki pki --seed 2 --force").exits(0);
    assert_ne!(folder.read("pki/root.pem"), root);
    use std::os::unix::fs::PermissionsExt;
    let key = folder.path().join("pki/servers/www.example.test.key.pem");
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}
