//! `openssl ocsp` as the responder that our client asks, over its own stack, and what the server sees of
//! a refusal that comes after the handshake.

use crate::extensions::with_responder;
use crate::party::{NAME, Party, SERIAL, hears, refuses, tells};
use crate::responder::{RESPONDER, authority_answers, responder};
use crate::support::pki::{IdentityFiles, params};
use crate::support::tshark::Capture;
use crate::support::{WEB, with_real_peers};
use rcgen::ExtendedKeyUsagePurpose;

const OPENSSL: &[&str] = &["openssl"];
const REQUIRED: [&str; 2] = ["--ocsp-check", "require"];
const VERSIONS: [[&str; 2]; 2] = [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]];

/// A certificate for the server that names this path at the responder.
fn naming_it(party: &Party<'_>, path: &str) -> IdentityFiles {
    let url = format!("http://{WEB}:{RESPONDER}/{path}");
    party.identity("server", with_responder(params(NAME, SERIAL), &url))
}

#[test]
fn a_certificate_that_is_good_is_found_to_be_so_by_get_and_by_post() {
    with_real_peers(&["openssl", "tshark"], |network| {
        let party = Party::new(network);
        // RFC 5019 5: what is short goes by GET; a query in the URL leaves no room for it.
        for (path, method) in [("", "GET"), ("?by=post", "POST")] {
            let identity = naming_it(&party, path);
            let responder = authority_answers(&party, &identity.certificate, "V");
            let _server = party.openssl_server(&identity, &[]);
            for version in VERSIONS {
                let capture = network.path("ocsp.pcapng");
                let options = [&REQUIRED[..], &version, &["--capture", &capture]].concat();
                let ran = party.get(&options).exits(0);
                tells(&ran, &["OCSP", "passed"]);
                let asked = Capture::open(&capture)
                    .fields("tcp.port == 8888 && http.request", &["http.request.method"]);
                assert_eq!(asked, [method]);
            }
            hears(&responder, "Cert Status: good");
        }
    });
}

#[test]
fn a_certificate_that_was_revoked_is_refused_before_the_request_and_the_server_is_told_so() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let identity = naming_it(&party, "");
        let _responder = authority_answers(&party, &identity.certificate, "R");
        for policy in ["require", "try"] {
            let server = party.openssl_server(&identity, &[]);
            for version in VERSIONS {
                let ran = party.get(&[&version[..], &["--ocsp-check", policy]].concat());
                assert_eq!(ran.out, "");
                refuses(ran, 60, &["has been revoked", "keyCompromise"]);
            }
            server.until(|| server.said().matches("SSL3 alert read:fatal:certificate revoked").count() == 2);
        }
        let _server = party.openssl_server(&identity, &[]);
        party.get(&[]).exits(0);
        party.get(&["--ocsp-check", "off"]).exits(0);
    });
}

#[test]
fn what_the_responder_does_not_know_is_refused_only_where_it_must_be_known() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let identity = naming_it(&party, "");
        let other = party.client_identity("alice", 7);
        let _server = party.openssl_server(&identity, &[]);
        let responder = authority_answers(&party, &other.certificate, "V");
        refuses(party.get(&REQUIRED), 60, &["the responder does not know this certificate"]);
        party.get(&["--ocsp-check", "try"]).exits(0);
        drop(responder);
        // Nobody is there.
        refuses(party.get(&REQUIRED), 60, &["is unknown", "connection refused"]);
        tells(&party.get(&["--ocsp-check", "try"]).exits(0), &["refused"]);
    });
}

#[test]
fn the_authority_may_delegate_and_who_was_not_delegated_is_not_believed() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let identity = naming_it(&party, "");
        let _server = party.openssl_server(&identity, &[]);
        let mut delegated = params("responder", 99);
        delegated.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        let delegated = party.identity("delegated", delegated);
        let ask = |signer: &IdentityFiles| {
            let signer = (&signer.certificate[..], &signer.key[..]);
            let _responder = responder(&party, &identity.certificate, "V", signer);
            party.get(&REQUIRED)
        };
        tells(&ask(&delegated).exits(0), &["CN=responder"]);
        // RFC 6960 4.2.2.2: id-kp-OCSPSigning is what makes one.
        let not = "comes from a responder that may not speak for the issuer";
        refuses(ask(&party.client_identity("alice", 7)), 60, &[not, "CN=alice lacks OCSPSigning"]);
        refuses(ask(&party.stranger()), 60, &["responder"]);
    });
}
