//! The options of TLS against `openssl s_server`, with curl beside glasstack: same choice, same end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real peers live in real time")]

mod support;

use rcgen::{CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, RevokedCertParams, date_time_ymd};
use std::fmt::Write;
use std::process::Command;
use support::pki::Authority;
use support::{Network, Ran, Server, with_real_peers};

const NAME: &str = "www.demo.test";
const PORT: u16 = 4433;
const PROGRAMS: &[&str] = &["openssl", "curl"];

/// A server that `openssl s_server` plays, and what its clients need.
struct Peer<'a> {
    network: &'a Network,
    authority: Authority,
    key: KeyPair,
    _server: Server,
}

/// The server's serial number.
const SERIAL: u64 = 42;

impl<'a> Peer<'a> {
    fn start(network: &'a Network, options: &[&str]) -> Self {
        Self::showing(network, params(NAME, SERIAL), options)
    }

    /// One that shows this certificate.
    fn showing(network: &'a Network, own: CertificateParams, options: &[&str]) -> Self {
        let authority = Authority::new("a throw-away CA");
        let key = KeyPair::generate().unwrap();
        let certificate = network.write("server.pem", authority.issue(own, &key));
        let secret = network.write("server.key", key.serialize_pem());
        let ca = authority.file(network);
        let fixed = ["-cert", &certificate, "-key", &secret, "-CAfile", &ca, "-www", "-quiet"];
        let server = network.openssl_server(&[&fixed, options].concat(), PORT);
        Self { network, authority, key, _server: server }
    }

    fn arguments(&self, options: &[&str]) -> Vec<String> {
        let fixed = [
            "-sS".to_owned(),
            "-o".to_owned(),
            "/dev/null".to_owned(),
            "--cacert".to_owned(),
            self.network.path("ca.pem"),
            "--resolve".to_owned(),
            format!("{NAME}:{PORT}:{}", support::WEB),
            format!("https://{NAME}:{PORT}/"),
        ];
        // What is said last counts.
        fixed.into_iter().chain(options.iter().map(|option| (*option).to_owned())).collect()
    }

    fn curl(&self, options: &[&str]) -> Ran {
        Ran::of(Command::new("curl").args(["-q", "-m", "20"]).args(self.arguments(options)))
    }

    fn glasstack(&self, options: &[&str]) -> Ran {
        let arguments = self.arguments(options);
        let words: Vec<&str> = ["get"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
        self.network.glasstack(&words)
    }

    /// Both end with the code that is expected; what is not so is returned.
    fn both(&self, code: i32, options: &[&str]) -> String {
        let (curl, ours) = (self.curl(options), self.glasstack(options));
        let mut wrong = String::new();
        for (who, ran) in [("curl", curl), ("glasstack", ours)] {
            if ran.code != Some(code) {
                writeln!(wrong, "{who} {options:?}: {:?}, not {code}: {}", ran.code, ran.err).unwrap();
            }
        }
        wrong
    }
}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial.into());
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2999, 12, 31);
    params
}

fn revoked(serial: u64) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: serial.into(),
        revocation_time: date_time_ymd(2002, 1, 1),
        reason_code: None,
        invalidity_date: None,
    }
}

fn openssl(words: &[&str]) -> String {
    Ran::of(Command::new("openssl").args(words)).ok()
}

#[test]
fn versions_and_suites_are_chosen_as_with_curl() {
    with_real_peers(PROGRAMS, |network| {
        let peer = Peer::start(network, &[]);
        let cases: &[(i32, &[&str])] = &[
            (0, &[]),
            (0, &["--tlsv1.3"]),
            (0, &["--tls-max", "1.2"]),
            (0, &["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
            (0, &["--tls-max", "1.2", "--ciphers", "HIGH:!aNULL:!MD5"]),
            (35, &["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"]),
            (0, &["--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"]),
            (59, &["--ciphers", "NONSENSE"]),
            (59, &["--tls13-ciphers", "NONSENSE"]),
            (0, &["--curves", "P-256"]),
            (59, &["--curves", "nonsense"]),
        ];
        let wrong: String = cases.iter().map(|(code, options)| peer.both(*code, options)).collect();
        assert_eq!(wrong, "");
        // What OpenSSL still has and rustls has not is refused by name.
        peer.glasstack(&["--ciphers", "AES256-SHA256"]).exits(59).saying("transported by RSA");
        peer.glasstack(&["--tls-max", "1.1"]).exits(2).saying("RFC 8996");
    });
}

#[test]
fn pinned_keys_and_revocation_lists_are_judged_as_with_curl() {
    with_real_peers(PROGRAMS, |network| {
        let peer = Peer::start(network, &[]);
        let key = network.write("pinned.pem", peer.key.public_key_pem());
        let other = network.write("other.pem", KeyPair::generate().unwrap().public_key_pem());
        let list =
            |name: &str, serial| network.write(name, peer.authority.revocation_list(vec![revoked(serial)]));
        let (good, bad) = (list("good.crl", SERIAL + 1), list("bad.crl", SERIAL));
        let absent = network.path("absent");
        let nonsense = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let wrong = [
            peer.both(0, &["--pinnedpubkey", &key]),
            peer.both(90, &["--pinnedpubkey", &other]),
            peer.both(90, &["--pinnedpubkey", nonsense]),
            peer.both(90, &["-k", "--pinnedpubkey", nonsense]),
            peer.both(0, &["--crlfile", &good]),
            peer.both(60, &["--crlfile", &bad]),
            peer.both(82, &["--crlfile", &absent]),
            peer.both(82, &["--crlfile", &key]),
            peer.both(77, &["--cacert", &absent]),
        ];
        assert_eq!(wrong.concat(), "");
        let told = peer.glasstack(&["--pinnedpubkey", nonsense]).exits(90).err;
        let hash = told.split_whitespace().find(|word| word.starts_with("sha256//")).unwrap();
        assert_eq!(peer.both(0, &["--pinnedpubkey", hash]), "");
    });
}

#[test]
fn the_number_of_what_is_wrong_with_a_certificate_is_curl_s_with_and_without_k() {
    with_real_peers(PROGRAMS, |network| {
        let peer = Peer::start(network, &[]);
        let other = network.write("other.ca.pem", Authority::new("another CA").pem());
        let told = "%{exitcode} %{ssl_verify_result} %{proxy_ssl_verify_result}";
        let nonsense = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let proxy = format!("https://{}:{PORT}", support::WEB);
        for options in [
            &[][..],
            &["-k"],
            &["--cacert", &other],
            &["--pinnedpubkey", nonsense],
            &["-k", "--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
            // What is said of the server is not said of the proxy.
            &["-k", "-x", &proxy],
        ] {
            let options = [options, &["-w", told]].concat();
            let (curl, ours) = (peer.curl(&options), peer.glasstack(&options));
            assert_eq!(
                (ours.code, &ours.out),
                (curl.code, &curl.out),
                "{options:?}: {} {}",
                ours.err,
                curl.err
            );
        }
    });
}

#[test]
fn the_number_of_a_certificate_whose_key_is_not_for_servers_is_curl_s() {
    with_real_peers(PROGRAMS, |network| {
        let mut own = params(NAME, SERIAL);
        own.is_ca = IsCa::ExplicitNoCa;
        own.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let peer = Peer::showing(network, own, &[]);
        let options = ["-w", "%{exitcode} %{ssl_verify_result}"];
        let (curl, ours) = (peer.curl(&options), peer.glasstack(&options));
        assert_eq!((curl.out.as_str(), ours.out.as_str()), ("60 26", "60 26"), "{} {}", curl.err, ours.err);
    });
}

#[test]
fn a_client_certificate_comes_from_all_the_files_that_curl_takes() {
    with_real_peers(PROGRAMS, |network| {
        let peer = Peer::start(network, &["-Verify", "1", "-verify_return_error"]);
        let pair = KeyPair::generate().unwrap();
        let cert = network.write("alice.pem", peer.authority.issue(params("alice", 7), &pair));
        let key = network.write("alice.key", pair.serialize_pem());
        let both = network.write(
            "both.pem",
            format!("{}{}", std::fs::read_to_string(&cert).unwrap(), pair.serialize_pem()),
        );
        let (sealed, der, old) =
            (network.path("sealed.key"), network.path("alice.der"), network.path("old.key"));
        openssl(&["pkcs8", "-topk8", "-in", &key, "-out", &sealed, "-passout", "pass:secret"]);
        openssl(&["x509", "-in", &cert, "-outform", "DER", "-out", &der]);
        openssl(&["ec", "-in", &key, "-aes128", "-out", &old, "-passout", "pass:secret"]);
        let p12 = network.path("alice.p12");
        openssl(&["pkcs12", "-export", "-in", &both, "-out", &p12, "-passout", "pass:secret"]);
        let other = network.write("other.key", KeyPair::generate().unwrap().serialize_pem());
        let absent = network.path("absent");
        let with_password = format!("{cert}:secret");
        let wrong = [
            peer.both(0, &["--cert", &cert, "--key", &key]),
            peer.both(0, &["--cert", &both]),
            peer.both(0, &["-E", &both, "--tls-max", "1.2"]),
            peer.both(0, &["--cert", &cert, "--key", &sealed, "--pass", "secret"]),
            peer.both(0, &["--cert", &with_password, "--key", &sealed]),
            peer.both(0, &["--cert", &der, "--cert-type", "DER", "--key", &key]),
            peer.both(0, &["--cert", &p12, "--cert-type", "P12", "--pass", "secret"]),
            peer.both(58, &["--cert", &p12, "--cert-type", "P12", "--pass", "wrong"]),
            peer.both(58, &["--cert", &cert, "--key", &sealed, "--pass", "wrong"]),
            peer.both(58, &["--cert", &cert, "--key", &other]),
            peer.both(58, &["--cert", &cert]),
            peer.both(58, &["--cert", &absent]),
            peer.both(58, &["--cert", &p12]),
        ];
        assert_eq!(wrong.concat(), "");
        // curl reads it; here it is refused with the command that converts it.
        let old = peer.glasstack(&["--cert", &cert, "--key", &old, "--pass", "secret"]);
        old.exits(58).saying("openssl pkcs8 -topk8");
        peer.glasstack(&["--cert", &p12]).exits(58).saying("--cert-type P12");
        // RFC 8446 4.4.2.4: in TLS 1.3 the refusal comes after the handshake.
        let none = [peer.both(56, &[]), peer.both(35, &["--tls-max", "1.2"])];
        assert_eq!(none.concat(), "");
    });
}
