//! Lists and answers made by the `openssl` command, and our requests read by it.
//!
//! openssl dates what it makes by the machine's clock, so the judgement's time is the machine's, too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use glasstack_tls::Link;
use glasstack_tls::revocation::{Known, Outcome, Question, RevocationLists, RevocationPolicy, ocsp_request};
use revoked::{name_and_key, verdict};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "
[ca]
default_ca = d
[d]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 2
policy = p
unique_subject = no
[p]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[root_without_lists]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[leaf]
basicConstraints = CA:FALSE
subjectAltName = DNS:www.lab.test
crlDistributionPoints = URI:http://crl.lab.test/ca.crl
[responder]
extendedKeyUsage = OCSPSigning
noCheck = ignored
[point]
issuingDistributionPoint = critical,@point_fields
[point_fields]
fullname = URI:http://crl.lab.test/ca.crl
onlyuser = TRUE
[cas]
issuingDistributionPoint = critical,@cas_fields
[cas_fields]
onlyCA = TRUE
[reasons]
issuingDistributionPoint = critical,@reasons_fields
[reasons_fields]
onlysomereasons = keyCompromise, CACompromise
[indirect]
issuingDistributionPoint = critical,@indirect_fields
[indirect_fields]
indirectCRL = TRUE
[delta]
2.5.29.27 = critical,ASN1:INTEGER:1
";

/// A CA made by openssl, in a folder of its own.
struct Openssl {
    folder: PathBuf,
}

impl Openssl {
    /// With four certificates: `good`, `bad` (revoked: its key was compromised), `held`, and `back`
    /// (taken off the list again).
    fn new(test: &str) -> Self {
        Self::with_root(test, "root")
    }

    /// The same, with the root's extensions from this section.
    fn with_root(test: &str, root: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("revocation-{test}"));
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let ca = Self { folder };
        for (file, text) in [("cnf", CONFIG), ("index.txt", ""), ("serial", "1000\n"), ("crlnumber", "0a\n")]
        {
            std::fs::write(ca.folder.join(file), text).unwrap();
        }
        ca.key("ca");
        ca.run(&format!(
            "req -config cnf -x509 -new -key ca.key -subj /CN=Openssl-CA -days 30 -extensions {root} -out ca.pem"
        ));
        for name in ["good", "bad", "held", "back"] {
            ca.issue(name, "leaf");
        }
        ca.run("ca -config cnf -revoke bad.pem -crl_reason keyCompromise");
        ca.run("ca -config cnf -revoke held.pem -crl_reason certificateHold");
        ca.run("ca -config cnf -revoke back.pem -crl_reason removeFromCRL");
        ca
    }

    fn run(&self, arguments: &str) -> String {
        let (good, said) = self.tries(arguments);
        assert!(good, "openssl {arguments}: {said}");
        said
    }

    /// Whether openssl accepts a certificate by `list.pem`, and what it says.
    fn verifies(&self, name: &str) -> (bool, String) {
        self.tries(&format!("verify -CAfile ca.pem -crl_check -CRLfile list.pem {name}.pem"))
    }

    fn tries(&self, arguments: &str) -> (bool, String) {
        let done = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(&self.folder)
            .output()
            .expect("these tests need the openssl command");
        let said =
            format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        (done.status.success(), said)
    }

    fn key(&self, name: &str) {
        self.run(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
    }

    fn issue(&self, name: &str, extensions: &str) {
        self.key(name);
        self.run(&format!("req -config cnf -new -key {name}.key -subj /CN={name} -out {name}.csr"));
        self.run(&format!(
            "ca -config cnf -batch -notext -in {name}.csr -extensions {extensions} -out {name}.pem"
        ));
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(name)).unwrap()
    }

    fn der(&self, name: &str) -> Vec<u8> {
        self.run(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        self.file(&format!("{name}.der"))
    }

    fn link(&self, name: &str) -> Link {
        let (issuer, issuer_key) = name_and_key(&self.der("ca"));
        let issuer_certificate = Some(self.der("ca"));
        Link {
            label: format!("CN={name}"),
            certificate: self.der(name),
            issuer,
            issuer_key,
            issuer_certificate,
        }
    }

    /// A list in PEM, with the extensions of this section.
    fn list(&self, extensions: Option<&str>) -> RevocationLists {
        let section = extensions.map(|section| format!("-crlexts {section}")).unwrap_or_default();
        self.run(&format!("ca -config cnf -gencrl {section} -out list.pem"));
        RevocationLists::from_file(&self.file("list.pem")).unwrap()
    }

    /// What openssl answers to our request about `name`.
    fn answer(&self, name: &str, nonce: Option<&[u8]>, signer: &str) -> Vec<u8> {
        let request = ocsp_request(&self.link(name), nonce).unwrap();
        std::fs::write(self.folder.join("request.der"), request).unwrap();
        let said = self.run(&format!(
            "ocsp -index index.txt -CA ca.pem -rsigner {signer}.pem -rkey {signer}.key -reqin request.der -respout \
             response.der -ndays 1 -req_text"
        ));
        assert!(said.contains("Hash Algorithm: sha1"), "{said}");
        assert_eq!(said.contains("OCSP Nonce"), nonce.is_some(), "{said}");
        self.file("response.der")
    }

    fn judge(&self, name: &str, known: &Known, later: i64) -> Outcome {
        let seconds = Command::new("date").arg("+%s").output().unwrap().stdout;
        let now: i64 = String::from_utf8(seconds).unwrap().trim().parse().unwrap();
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
        let (path, policy) = ([self.link(name)], RevocationPolicy::default());
        let purpose = glasstack_tls::Purpose::Server;
        Question { path: &path, purpose, policy, algorithms, now: now + later }.judge(known)
    }

    fn by_list(&self, name: &str, list: &RevocationLists) -> (&'static str, String) {
        verdict(&self.judge(name, &Known::given(Some(list), &[]), 0))
    }

    fn by_answer(&self, name: &str, answer: Vec<u8>, later: i64) -> (&'static str, String) {
        verdict(&self.judge(name, &Known::given(None, &[answer]), later))
    }
}

#[test]
fn lists_of_openssl_ca_are_read_with_their_reasons_scopes_and_deltas() {
    let ca = Openssl::new("lists");
    let plain = ca.list(None);
    let (code, words) = ca.by_list("good", &plain);
    assert!(code == "good" && words.contains("the list of CN=Openssl-CA, number 0x0a,"), "{words}");
    let (code, words) = ca.by_list("bad", &plain);
    assert!(code == "revoked_by_crl" && words.contains("reason keyCompromise"), "{words}");
    let (code, words) = ca.by_list("held", &plain);
    assert!(code == "revoked_by_crl" && words.contains("certificateHold"), "{words}");
    for (section, good, bad) in [
        ("point", "good", "revoked_by_crl"),
        ("cas", "crl_scope", "crl_scope"),
        ("reasons", "crl_scope", "revoked_by_crl"),
        ("indirect", "good", "revoked_by_crl"),
        ("delta", "crl_delta", "crl_delta"),
    ] {
        let list = ca.list(Some(section));
        assert_eq!((ca.by_list("good", &list).0, ca.by_list("bad", &list).0), (good, bad), "{section}");
    }
    let stale = verdict(&ca.judge("good", &Known::given(Some(&plain), &[]), 3 * 86_400));
    assert_eq!(stale.0, "crl_stale");
}

#[test]
fn openssl_verify_and_we_agree_on_who_is_revoked_and_who_was_taken_off_the_list_again() {
    let ca = Openssl::new("agreed");
    let list = ca.list(None);
    for (name, code) in
        [("good", "good"), ("bad", "revoked_by_crl"), ("held", "revoked_by_crl"), ("back", "good")]
    {
        let (ours, words) = ca.by_list(name, &list);
        assert_eq!(ours, code, "{words}");
        let (good, said) = ca.verifies(name);
        assert_eq!(good, code == "good", "{name}: {said}");
        assert!(good || said.contains("error 23 at 0 depth lookup: certificate revoked"), "{said}");
    }
    assert!(ca.by_list("back", &list).1.contains("removeFromCRL"));
}

#[test]
fn a_root_whose_key_usage_lacks_crl_sign_makes_no_lists_for_openssl_either() {
    let ca = Openssl::with_root("no-crl-sign", "root_without_lists");
    let list = ca.list(None);
    assert_eq!(ca.by_list("good", &list).0, "crl_key_usage");
    let (good, said) = ca.verifies("good");
    assert!(!good && said.contains("error 35 at 0 depth lookup"), "{said}");
}

#[test]
fn a_list_in_der_is_as_good_as_one_in_pem() {
    let ca = Openssl::new("der");
    ca.list(None);
    ca.run("crl -in list.pem -outform DER -out list.der");
    let list = RevocationLists::from_file(&ca.file("list.der")).unwrap();
    assert_eq!(ca.by_list("bad", &list).0, "revoked_by_crl");
}

#[test]
fn openssl_ocsp_reads_our_requests_and_we_read_its_answers() {
    let ca = Openssl::new("ocsp");
    let nonce = [7; 32];
    for nonce in [None, Some(&nonce[..])] {
        assert_eq!(ca.by_answer("good", ca.answer("good", nonce, "ca"), 0).0, "good");
        let (code, words) = ca.by_answer("bad", ca.answer("bad", nonce, "ca"), 0);
        assert!(code == "revoked_by_ocsp" && words.contains("reason keyCompromise"), "{words}");
    }
    // An answer of a day ago is none.
    let answer = ca.answer("good", None, "ca");
    assert_eq!(ca.by_answer("good", answer.clone(), 86_400 + 600).0, "ocsp_stale");
    assert_eq!(ca.by_answer("good", answer.clone(), -600).0, "ocsp_not_yet_valid");
    // What openssl says of one is not about another.
    assert_eq!(ca.by_answer("bad", answer, 0).0, "no_ocsp");
}

#[test]
fn openssl_says_unknown_of_a_certificate_that_is_not_in_its_index() {
    let ca = Openssl::new("unknown");
    std::fs::write(ca.folder.join("index.txt"), "").unwrap();
    assert_eq!(ca.by_answer("good", ca.answer("good", None, "ca"), 0).0, "ocsp_unknown");
}

#[test]
fn a_responder_that_the_ca_of_openssl_has_authorized_is_believed_and_another_is_not() {
    let ca = Openssl::new("delegated");
    ca.issue("responder", "responder");
    let (code, words) = ca.by_answer("good", ca.answer("good", None, "responder"), 0);
    assert!(code == "good" && words.contains("pass unchecked (nocheck)"), "{words}");
    let (code, words) = ca.by_answer("good", ca.answer("good", None, "held"), 0);
    assert_eq!(code, "ocsp_responder_not_authorized");
    assert!(words.contains("lacks OCSPSigning"), "{words}");
}
