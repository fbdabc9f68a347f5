//! Lists that `openssl ca` makes and nginx gives out, as our client fetches and judges them.

use crate::extensions::with_list;
use crate::party::{NAME, PORT, Party, SERIAL, hears, openssl, refuses, tells};
use crate::support::pki::{IdentityFiles, params};
use crate::support::{Ran, Server, WEB, with_real_peers};
use std::fs;

const PROGRAMS: &[&str] = &["openssl", "nginx"];
const VERSIONS: [[&str; 2]; 2] = [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]];

/// A server whose certificate names a list, and a place for the list.
struct Scene<'a> {
    party: Party<'a>,
    identity: IdentityFiles,
    _lists: Server,
    server: Server,
}

impl<'a> Scene<'a> {
    fn new(party: Party<'a>) -> Self {
        let url = format!("http://{WEB}:8080/ca.crl");
        let identity = party.identity("server", with_list(params(NAME, SERIAL), &url));
        let lists = party.network.nginx(&format!("server {{ listen {WEB}:8080; }}"), 8080);
        let server = party.openssl_server(&identity, &[]);
        Self { party, identity, _lists: lists, server }
    }

    /// Puts a list there, on which the server's certificate is (`R`) or is not (`V`).
    fn publish(&self, status: &str, options: &[&str]) {
        let network = self.party.network;
        let index = self.party.index(&self.identity.certificate, status);
        let number = network.write("crlnumber", "05\n");
        let config = network.write(
            "ca.conf",
            format!(
                "[ca]\ndefault_ca = it\n[it]\ndatabase = {index}\ncrlnumber = {number}\ndefault_md = sha256\n\
                 default_crl_days = 30\n[whole]\nissuerAltName = DNS:ca.test\n[delta]\n2.5.29.27 = \
                 critical,DER:02:01:04\n"
            ),
        );
        let (pem, der) = (network.path("ca.crl.pem"), network.path("www/ca.crl"));
        let (ca, key) = (&self.party.ca, self.party.ca_key());
        let fixed = ["ca", "-config", &config, "-gencrl", "-cert", ca, "-keyfile", &key, "-out", &pem];
        openssl(&[&fixed, options].concat());
        fs::create_dir_all(network.path("www")).unwrap();
        openssl(&["crl", "-in", &pem, "-outform", "DER", "-out", &der]);
    }

    fn get(&self, policy: &str, options: &[&str]) -> Ran {
        self.party.get(&[&["--crl-check", policy], options].concat())
    }
}

#[test]
fn a_list_is_fetched_from_where_the_certificate_says_and_believed() {
    with_real_peers(PROGRAMS, |network| {
        let scene = Scene::new(Party::new(network));
        scene.publish("V", &["-crlexts", "whole"]);
        for version in VERSIONS {
            tells(&scene.get("require", &version).exits(0), &["http://198.51.100.80:8080/ca.crl", "passed"]);
        }
        scene.publish("R", &["-crlexts", "whole"]);
        for version in VERSIONS {
            for policy in ["require", "try"] {
                let ran = scene.get(policy, &version);
                assert_eq!(ran.out, "");
                refuses(ran, 60, &["has been revoked", "keyCompromise"]);
            }
        }
        let revoked = "SSL3 alert read:fatal:certificate revoked";
        scene.server.until(|| scene.server.said().matches(revoked).count() == 4);
        // Nobody asks unless told to.
        scene.get("off", &[]).exits(0);
    });
}

#[test]
fn a_list_that_proves_nothing_is_refused_only_where_proof_is_required() {
    with_real_peers(PROGRAMS, |network| {
        let scene = Scene::new(Party::new(network));
        let stale: &[&str] = &["-crl_lastupdate", "20020101000000Z", "-crl_nextupdate", "20020201000000Z"];
        let cases = [(stale, "was good until 2002-02-01T00:00:00Z"), (&["-crlexts", "delta"], "delta")];
        for (options, what) in cases {
            scene.publish("V", options);
            refuses(scene.get("require", &[]), 60, &["is unknown", what]);
            tells(&scene.get("try", &[]).exits(0), &[what]);
        }
        fs::remove_file(network.path("www/ca.crl")).unwrap();
        refuses(scene.get("require", &[]), 60, &["404"]);
        tells(&scene.get("try", &[]).exits(0), &["404"]);
    });
}

#[test]
fn what_was_fetched_is_kept_as_long_as_it_is_good() {
    with_real_peers(PROGRAMS, |network| {
        let scene = Scene::new(Party::new(network));
        scene.publish("V", &[]);
        let cache = network.path("kept");
        let keeping = ["--revocation-cache", &cache[..]];
        scene.get("require", &keeping).exits(0);
        fs::remove_file(network.path("www/ca.crl")).unwrap();
        scene.get("require", &keeping).exits(0);
        scene.get("require", &[]).exits(60);
        // The same list speaks of sessions that are resumed.
        let url = format!("https://{NAME}:{PORT}/");
        let words = [&["--crl-check", "require"], &keeping[..]].concat();
        let out = scene.party.get_all(&[&url, &url], &words).ok();
        assert_eq!(out.matches("Reused, ").count(), 1, "{out}");
        hears(&scene.server, "ACCEPT");
    });
}
