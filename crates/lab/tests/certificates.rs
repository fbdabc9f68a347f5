//! The lab's certificates, lists and OCSP answers, with openssl's eyes: each is what it says, the bad ones
//! bad in their own way.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_lab::{Lab, SITES};
use glasstack_stack::World;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use support::Journey;

/// What openssl says of a site's certificate, with the lab's root at the lab's time: nothing, or the number of
/// an error (openssl-verification-options(1), "x509_vfy.h") and at which depth. What only revocation shows is
/// in the tests below.
const SEEN_BY_OPENSSL: &[(&str, Option<(u8, u8)>)] = &[
    ("badssl.test", None),
    ("expired.badssl.test", Some((10, 0))),
    ("not-yet-valid.badssl.test", Some((9, 0))),
    ("wrong.host.badssl.test", Some((62, 0))),
    // It takes a common name for want of others.
    ("no-san.badssl.test", None),
    ("untrusted-root.badssl.test", Some((19, 1))),
    ("self-signed.badssl.test", Some((18, 0))),
    ("incomplete-chain.badssl.test", Some((20, 0))),
    // It takes the first issuer that it finds, and does not turn back.
    ("cross-signed.badssl.test", Some((20, 1))),
    ("bad-signature.badssl.test", Some((7, 0))),
    ("sha1-intermediate.badssl.test", Some((68, 1))),
    ("rsa1024.badssl.test", Some((66, 0))),
    ("rsa2048.badssl.test", None),
    ("rsa4096.badssl.test", None),
    ("ecc256.badssl.test", None),
    ("ecc384.badssl.test", None),
    ("not-a-ca.badssl.test", Some((79, 1))),
    ("path-too-long.badssl.test", Some((25, 2))),
    ("ca-key-usage.badssl.test", Some((32, 1))),
    ("permitted.badssl.test", None),
    ("name-constrained.badssl.test", Some((47, 0))),
    ("name-excluded.badssl.test", Some((48, 0))),
    ("wrong-purpose.badssl.test", Some((26, 0))),
    ("unknown-extension.badssl.test", Some((34, 0))),
    ("revoked.badssl.test", None),
    ("crl-stale.badssl.test", None),
    ("crl-down.badssl.test", None),
    ("crl-forged.badssl.test", None),
    ("revoked-ocsp.badssl.test", None),
    ("ocsp-unknown.badssl.test", None),
    ("ocsp-try-later.badssl.test", None),
    ("ocsp-stale.badssl.test", None),
    ("ocsp-down.badssl.test", None),
    ("ocsp-forged.badssl.test", None),
    ("staple.badssl.test", None),
    ("staple-revoked.badssl.test", None),
    ("staple-stale.badssl.test", None),
    ("staple-of-another.badssl.test", None),
    ("must-staple.badssl.test", None),
    ("must-staple-missing.badssl.test", None),
    ("client.badssl.test", None),
    ("client-cert-missing.badssl.test", None),
    ("tls-v1-2.badssl.test", None),
    ("tls-v1-3.badssl.test", None),
];

/// The lab's certificates as files.
struct Files {
    folder: PathBuf,
    lab: Lab,
    /// The lab's time, as openssl wants it.
    now: String,
}

impl Files {
    /// None, and the test counts as skipped, where there is no openssl.
    fn new(test: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            skip(test, "needs openssl");
            return None;
        }
        let lab = Lab::new(1).unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        for (name, bytes) in lab.pki.export(lab.world.wall()).unwrap() {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let now = lab.world.wall().unix_seconds().to_string();
        Some(Self { folder, lab, now })
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// What `openssl verify` says of a site's chain.
    fn verify(&self, site: &str, more: &[&str]) -> String {
        let (root, chain) = (self.path("root.pem"), self.path(&format!("servers/{site}.pem")));
        let mut words = vec!["verify", "-attime", &self.now, "-auth_level", "2", "-purpose", "sslserver"];
        words.extend(["-verify_hostname", site, "-CAfile", &root, "-untrusted", &chain]);
        words.extend(more);
        words.push(&chain);
        openssl(&words)
    }

    /// What `openssl x509 -text` says of the certificate at this place of a site's chain.
    fn text(&self, site: &str, place: usize) -> String {
        let der = self.lab.pki.issue(site).unwrap().chain()[place].clone();
        let file = self.path(&format!("{site}.{place}.der"));
        std::fs::write(&file, der).unwrap();
        openssl(&["x509", "-inform", "DER", "-in", &file, "-noout", "-text"])
    }

    /// What `openssl ocsp` says of an answer about a certificate.
    fn ocsp(&self, issuer: &str, certificate: &str, answer: &str, more: &[&str]) -> String {
        let (root, issuer) = (self.path("root.pem"), self.path(&format!("authorities/{issuer}.pem")));
        let (certificate, answer) = (self.path(certificate), self.path(answer));
        let mut words = vec!["ocsp", "-CAfile", &root, "-issuer", &issuer, "-cert", &certificate];
        words.extend(["-respin", &answer, "-attime", &self.now]);
        words.extend(more);
        openssl(&words)
    }
}

/// Whether it calls a certificate so. It looks at this machine's clock, and may complain in between.
fn says(said: &str, status: &str) -> bool {
    said.lines().any(|line| line == status || line.ends_with(&format!(".pem: {status}")))
}

/// Everything that it says.
fn openssl(words: &[&str]) -> String {
    let output = Command::new("openssl").args(words).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{err}")
}

/// Says that a test was skipped and why: on stderr, and in the file that `scripts/test` collects.
fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    eprint!("{line}");
    if let Some(list) = std::env::var_os("GLASSTACK_SKIPPED") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

#[test]
fn every_bad_certificate_is_bad_in_its_own_way() {
    let Some(files) = Files::new("every_bad_certificate_is_bad_in_its_own_way") else { return };
    let of_badssl = SITES.iter().map(|site| site.host).filter(|host| host.ends_with("badssl.test"));
    assert!(
        of_badssl.eq(SEEN_BY_OPENSSL.iter().map(|(site, _)| *site)),
        "a row for each site, in their order"
    );
    let mut wrong = Vec::new();
    for (site, error) in SEEN_BY_OPENSSL {
        let said = files.verify(site, &[]);
        let is_so = match error {
            None => said.trim_end().ends_with(": OK"),
            Some((number, depth)) => said.contains(&format!("error {number} at {depth} depth lookup")),
        };
        if !is_so {
            wrong.push(format!("{site}, where {error:?} was expected: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_openssl_does_not_judge_stands_in_the_certificates() {
    let Some(files) = Files::new("what_openssl_does_not_judge_stands_in_the_certificates") else { return };
    let said = |site: &str, place: usize, words: &[&str]| {
        let text = files.text(site, place);
        words.iter().for_each(|word| assert!(text.contains(word), "{site}: no {word} in {text}"));
    };
    said("rsa1024.badssl.test", 0, &["(1024 bit)"]);
    said("rsa4096.badssl.test", 0, &["(4096 bit)"]);
    said("ecc256.badssl.test", 0, &["NIST CURVE: P-256"]);
    said("ecc384.badssl.test", 0, &["NIST CURVE: P-384"]);
    said("sha1-intermediate.badssl.test", 1, &["sha1WithRSAEncryption"]);
    said("must-staple.badssl.test", 0, &["TLS Feature", "status_request"]);
    said("must-staple-missing.badssl.test", 0, &["TLS Feature", "status_request"]);
    assert!(!files.text("staple.badssl.test", 0).contains("TLS Feature"));
    assert!(!files.text("no-san.badssl.test", 0).contains("Subject Alternative Name"));
    said(
        "www.example.test",
        0,
        &[
            "OCSP - URI:http://ocsp.test/",
            "CA Issuers - URI:http://ca.test/issuing.crt",
            "URI:http://crl.test/issuing.crl",
            "DNS:www.example.test",
            "CA:FALSE",
            "Digital Signature",
            "Authority Key Identifier",
        ],
    );
    said(
        "www.example.test",
        1,
        &["CA Issuers - URI:http://ca.test/root.crt", "URI:http://crl.test/root.crl", "CA:TRUE, pathlen:0"],
    );
    said("crl-down.badssl.test", 0, &["URI:http://refused.test/issuing.crl"]);
    said("ocsp-down.badssl.test", 0, &["OCSP - URI:http://refused.test/"]);
}

#[test]
fn lists_say_what_was_taken_back_and_why() {
    let Some(files) = Files::new("lists_say_what_was_taken_back_and_why") else { return };
    let list = |name: &str| files.path(&format!("authorities/{name}.crl"));
    for (name, authority, is_signed) in [
        ("root", "root", true),
        ("issuing", "issuing", true),
        ("rsa", "rsa", true),
        ("forged", "issuing", false),
    ] {
        let ca = files.path(&format!("authorities/{authority}.pem"));
        let said = openssl(&["crl", "-inform", "DER", "-in", &list(name), "-CAfile", &ca, "-noout", "-text"]);
        assert_eq!(said.contains("verify OK"), is_signed, "{name}: {said}");
        assert!(said.contains("X509v3 CRL Number") && said.contains("Next Update: Jul"), "{said}");
    }
    let said = openssl(&["crl", "-inform", "DER", "-in", &list("issuing"), "-noout", "-text"]);
    assert_eq!(said.matches("Serial Number:").count(), 2, "{said}");
    assert!(said.contains("Superseded") && said.contains("Affiliation Changed"), "{said}");

    let check = |site: &str, list_name: &str| {
        let pem = files.path(&format!("{list_name}.{site}.crl.pem"));
        openssl(&["crl", "-inform", "DER", "-in", &list(list_name), "-out", &pem]);
        files.verify(site, &["-crl_check", "-CRLfile", &pem])
    };
    assert!(check("www.example.test", "issuing").contains(": OK"));
    assert!(check("revoked.badssl.test", "issuing").contains("error 23 at 0 depth"));
    // The list is of the day before.
    assert!(check("revoked-ocsp.badssl.test", "issuing").contains(": OK"));
    assert!(check("crl-stale.badssl.test", "stale").contains("error 12 at 0 depth"));
    let forged = check("crl-forged.badssl.test", "forged");
    assert!(forged.contains("error 8 at 0 depth"), "{forged}");
}

#[test]
fn the_responder_says_of_each_certificate_what_it_should() {
    let Some(files) = Files::new("the_responder_says_of_each_certificate_what_it_should") else { return };
    let about = |site: &str| {
        let (certificate, answer) = (format!("servers/{site}.pem"), format!("servers/{site}.ocsp"));
        files.ocsp("issuing", &certificate, &answer, &[])
    };
    for (site, status) in [
        ("www.example.test", "good"),
        ("revoked.badssl.test", "good"),
        ("revoked-ocsp.badssl.test", "revoked"),
        ("ocsp-unknown.badssl.test", "unknown"),
        ("ocsp-stale.badssl.test", "good"),
        ("staple-revoked.badssl.test", "revoked"),
    ] {
        let said = about(site);
        assert!(said.contains("Response verify OK") && says(&said, status), "{site}: {said}");
    }
    assert!(about("revoked-ocsp.badssl.test").contains("Reason: keyCompromise"));
    assert!(about("ocsp-try-later.badssl.test").contains("trylater"));
    let forged = about("ocsp-forged.badssl.test");
    assert!(forged.contains("Response Verify Failure"), "{forged}");
    // Signed by the authority itself.
    let said = files.ocsp(
        "constrained",
        "servers/permitted.badssl.test.pem",
        "servers/permitted.badssl.test.ocsp",
        &[],
    );
    assert!(said.contains("Response verify OK") && says(&said, "good"), "{said}");
}

#[test]
fn a_question_of_openssls_is_answered_with_its_nonce() {
    let Some(files) = Files::new("a_question_of_openssls_is_answered_with_its_nonce") else { return };
    let (question, answer) = (files.path("question.der"), files.path("answer.der"));
    for (issuer, certificate, hash, status) in [
        ("issuing", "servers/www.example.test.pem", "-sha1", "good"),
        ("issuing", "servers/revoked-ocsp.badssl.test.pem", "-sha256", "revoked"),
        ("issuing", "clients/carol.pem", "-sha1", "revoked"),
        ("root", "authorities/issuing.pem", "-sha256", "good"),
        ("root", "authorities/rsa.pem", "-sha1", "good"),
        ("rsa", "authorities/sha1.pem", "-sha1", "good"),
    ] {
        let issuer_file = files.path(&format!("authorities/{issuer}.pem"));
        let file = files.path(certificate);
        let words = ["ocsp", hash, "-issuer", &issuer_file, "-cert", &file, "-nonce", "-reqout", &question];
        let made = openssl(&words);
        let request = std::fs::read(&question).unwrap_or_else(|_| panic!("{made}"));
        let wall = files.lab.world.wall();
        std::fs::write(&answer, files.lab.pki.answer(&request, wall).unwrap()).unwrap();
        // It compares the nonces of these two, and says where they differ.
        let root = files.path("root.pem");
        let mut words = vec!["ocsp", "-reqin", &question, "-respin", &answer, "-CAfile", &root];
        words.extend(["-issuer", &issuer_file, "-attime", &files.now, "-resp_text"]);
        let said = openssl(&words);
        assert!(said.contains("OCSP Nonce") && !said.contains("Nonce Verify error"), "{certificate}: {said}");
        assert!(said.contains("Response verify OK"), "{certificate}: {said}");
        assert!(said.contains(&format!("Cert Status: {status}")), "{certificate}: {said}");
    }
}

#[test]
fn clients_have_certificates_too() {
    let Some(files) = Files::new("clients_have_certificates_too") else { return };
    let (root, list) = (files.path("root.pem"), files.path("lists.pem"));
    for (name, error) in [("alice", None), ("bob", Some(10)), ("carol", Some(23)), ("mallory", Some(19))] {
        let chain = files.path(&format!("clients/{name}.pem"));
        let mut words = vec!["verify", "-attime", &files.now, "-purpose", "sslclient", "-CAfile", &root];
        words.extend(["-untrusted", &chain, "-CRLfile", &list]);
        words.extend(if name == "mallory" { vec![] } else { vec!["-crl_check"] });
        words.push(&chain);
        let said = openssl(&words);
        match error {
            None => assert!(said.contains(": OK"), "{name}: {said}"),
            Some(number) => assert!(said.contains(&format!("error {number} at")), "{name}: {said}"),
        }
    }
}

#[test]
fn every_key_belongs_to_its_certificate() {
    let Some(files) = Files::new("every_key_belongs_to_its_certificate") else { return };
    let public = |words: &[&str]| {
        let key = openssl(words);
        assert!(key.starts_with("-----BEGIN PUBLIC KEY-----"), "{key}");
        key
    };
    for site in ["www", "rsa1024", "rsa4096", "ecc256", "ecc384"] {
        let site = if site == "www" { "www.example.test".to_owned() } else { format!("{site}.badssl.test") };
        let (chain, key) = (files.path(&format!("servers/{site}.pem")), format!("servers/{site}.key.pem"));
        let of_chain = public(&["x509", "-in", &chain, "-noout", "-pubkey"]);
        assert_eq!(of_chain, public(&["pkey", "-in", &files.path(&key), "-pubout"]), "{site}");
    }
}

// ---- the same again

#[test]
fn the_same_seed_makes_the_same_certificates_whichever_site_is_visited_first() {
    let export = |lab: &Lab| lab.pki.export(lab.world.wall()).unwrap();
    let visited = |urls: &[&str]| {
        let mut journey = Journey::new(7);
        for url in urls {
            let _ = journey.get(url);
        }
        journey.lab
    };
    let sites = ["https://www.example.test/", "https://expired.badssl.test/", "https://ecc384.badssl.test/"];
    let there = export(&visited(&sites));
    let back = export(&visited(&[sites[2], sites[1], sites[0]]));
    let untouched = export(&Lab::new(7).unwrap());
    let files =
        |export: &[(String, Vec<u8>)]| export.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(files(&there), files(&untouched));
    let issued = |export: &[(String, Vec<u8>)]| {
        export.iter().filter(|(name, _)| !name.ends_with(".ocsp")).cloned().collect::<Vec<_>>()
    };
    assert!(issued(&there) == issued(&back) && issued(&there) == issued(&untouched));
    assert!(untouched == export(&Lab::new(7).unwrap()));
    assert!(issued(&untouched) != issued(&export(&Lab::new(8).unwrap())));
}

#[test]
fn every_kind_of_key_signs_the_same_handshake_the_same_way() {
    for host in ["rsa2048", "ecc256", "ecc384", "www"] {
        let capture = || {
            let domain = if host == "www" { "example.test" } else { "badssl.test" };
            let mut journey = Journey::new(3);
            let page = journey.get(&format!("https://{host}.{domain}/")).unwrap();
            assert_eq!(page.status, 200);
            journey.end();
            journey.capture()
        };
        assert!(capture() == capture(), "{host}");
    }
}

#[test]
fn a_session_is_made_with_every_kind_of_key_in_both_versions() {
    for port in [1012, 1013] {
        for host in ["rsa2048", "rsa4096", "ecc256", "ecc384", "staple", "must-staple", "permitted"] {
            let mut journey = Journey::new(1);
            let page = journey.get(&format!("https://{host}.badssl.test:{port}/"));
            let page = page.unwrap_or_else(|error| panic!("{host}, {port}: {error}"));
            assert_eq!(page.text(), format!("{host}.badssl.test:{port} was believed\n"));
        }
    }
}

// ---- where it is all to be had

#[test]
fn the_landing_page_leads_to_every_site() {
    let mut journey = Journey::new(1);
    let page = journey.get("https://badssl.test/").unwrap();
    for site in SITES.iter().filter(|site| site.host.ends_with(".badssl.test")) {
        assert!(page.text().contains(&format!(">{}</a>\n<dd>{}", site.host, site.about)), "{}", site.host);
    }
}

#[test]
fn what_a_certificate_names_is_there() {
    let mut journey = Journey::new(1);
    let root = journey.get("http://ca.test/root.crt").unwrap();
    assert_eq!(root.body, journey.lab.pki.root_der());
    let issuing = journey.get("http://ca.test/issuing.crt").unwrap();
    assert_eq!(issuing.body, journey.lab.pki.intermediate_der());
    let list = journey.get("http://crl.test/issuing.crl").unwrap();
    assert_eq!(list.body, journey.lab.pki.issuing_list().unwrap().der);
    assert_eq!(list.body, journey.get("http://ca.test/issuing.crl").unwrap().body);
    assert_eq!(journey.get("http://crl.test/issuing.crt").unwrap().status, 404);
    assert_eq!(journey.get("http://ocsp.test/").unwrap().status, 400);
}
