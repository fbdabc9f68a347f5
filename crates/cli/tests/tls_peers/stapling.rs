//! OCSP answers that servers staple (RFC 6066 8), as our client judges them.

use crate::extensions::must_staple;
use crate::party::{NAME, PORT, Party, SERIAL, hears, refuses, tells};
use crate::support::pki::{IdentityFiles, params};
use crate::support::{Server, WEB, with_real_peers};

const VERSIONS: [[&str; 2]; 2] = [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]];

/// All the servers that staple an answer, one after the other.
const SERVERS: [fn(&Party<'_>, &IdentityFiles, &str) -> Server; 3] = [openssl, gnutls, nginx];

fn openssl(party: &Party<'_>, identity: &IdentityFiles, staple: &str) -> Server {
    party.openssl_server(identity, &["-status_file", staple])
}

fn gnutls(party: &Party<'_>, identity: &IdentityFiles, staple: &str) -> Server {
    let port = PORT.to_string();
    let files = ["--x509certfile", &identity.certificate, "--x509keyfile", &identity.key];
    let stapled = ["--ocsp-response", staple, "--ignore-ocsp-response-errors"];
    party.server("gnutls-serv", &[&["--http", "-a", "-p", &port], &files[..], &stapled].concat())
}

fn nginx(party: &Party<'_>, identity: &IdentityFiles, staple: &str) -> Server {
    let (certificate, key, ca) = (&identity.certificate, &identity.key, &party.ca);
    party.network.nginx(
        &format!(
            "server {{
                listen {WEB}:{PORT} ssl;
                ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_trusted_certificate {ca};
                ssl_stapling on; ssl_stapling_file {staple};
                location / {{ return 200 ok; }}
            }}"
        ),
        PORT,
    )
}

#[test]
fn a_good_answer_is_believed_and_one_that_says_revoked_refuses() {
    with_real_peers(&["openssl", "gnutls-serv", "nginx"], |network| {
        let party = Party::new(network);
        let identity = party.identity("server", must_staple(params(NAME, SERIAL)));
        for serve in SERVERS {
            let staple = party.staple(&identity.certificate, "V");
            let server = serve(&party, &identity, &staple);
            for version in VERSIONS {
                let told = |options: &[&str]| party.get(&[&version[..], options].concat()).exits(0);
                tells(
                    &told(&[]),
                    &["check, staple: passed", "(stapled), signed by the issuer itself, says \"good\""],
                );
                told(&["--cert-status"]);
            }
            drop(server);
            let staple = party.staple(&identity.certificate, "R");
            let _server = serve(&party, &identity, &staple);
            for version in VERSIONS {
                let ran = party.get(&version);
                assert_eq!(ran.out, "");
                refuses(ran, 91, &["has been revoked", "keyCompromise"]);
            }
        }
    });
}

#[test]
fn an_answer_that_is_missing_is_missed_only_where_it_was_promised_or_demanded() {
    with_real_peers(&["openssl"], |network| {
        let party = Party::new(network);
        let server = party.openssl_server(&party.server_identity(), &[]);
        party.get(&[]).exits(0);
        refuses(party.get(&["--cert-status"]), 91, &["OCSP"]);
        drop(server);
        let promised = party.identity("promised", must_staple(params(NAME, SERIAL)));
        let server = party.openssl_server(&promised, &[]);
        for version in VERSIONS {
            refuses(party.get(&version), 91, &["must-staple"]);
        }
        hears(&server, "SSL3 alert read:fatal:bad certificate status response");
        // Who accepts any certificate accepts this one.
        party.get(&["-k"]).exits(0);
    });
}

#[test]
fn an_answer_about_another_certificate_or_by_another_authority_is_refused() {
    with_real_peers(&["openssl"], |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let other = party.client_identity("alice", 7);
        let about_another = party.staple(&other.certificate, "V");
        let server = party.openssl_server(&identity, &["-status_file", &about_another]);
        refuses(party.get(&[]), 91, &["is about other certificates, not this one"]);
        drop(server);
        let stranger = Party::new(network);
        let theirs = stranger.identity("theirs", params(NAME, SERIAL));
        let by_another = stranger.staple(&theirs.certificate, "V");
        let ca = network.write("ca.pem", party.authority.pem());
        let _server = party.openssl_server(&identity, &["-status_file", &by_another]);
        refuses(party.get(&["--cacert", &ca]), 91, &["OCSP"]);
    });
}
