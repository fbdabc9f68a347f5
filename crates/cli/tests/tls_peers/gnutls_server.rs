//! Our client and `gnutls-serv`.

use crate::party::{NAME, PORT, Party, has, hears, tells};
use crate::support::pki::IdentityFiles;
use crate::support::{Server, with_real_peers};

const GNUTLS: &[&str] = &["openssl", "gnutls-serv"];

/// gnutls-serv for this version alone (as `1.3`); its page tells the session.
fn serve(party: &Party<'_>, identity: &IdentityFiles, version: &str, options: &[&str]) -> Server {
    let (port, priority) = (PORT.to_string(), format!("--priority=NORMAL:-VERS-ALL:+VERS-TLS{version}"));
    let fixed = ["--http", "-p", &port, &priority, "--x509cafile", &party.ca];
    let files = ["--x509certfile", &identity.certificate, "--x509keyfile", &identity.key];
    party.server("gnutls-serv", &[&fixed[..], &files, options].concat())
}

#[test]
fn both_versions_with_both_kinds_of_key_are_told_as_the_server_tells_them() {
    with_real_peers(GNUTLS, |network| {
        let party = Party::new(network);
        for (identity, key) in [(party.server_identity(), "ECDSA"), (party.rsa_identity(), "RSA")] {
            let server = serve(&party, &identity, "1.3", &["--disable-client-cert"]);
            let new = party.get(&[]).exits(0);
            has(&new.out, &["(TLS1.3-X.509)-(ECDHE-X25519)", key, "(AES-256-GCM)"]);
            tells(&new, &["TLS established: TLS 1.3, TLS_AES_256_GCM_SHA384"]);
            party.get(&["--tls-max", "1.2"]).exits(35).saying("protocol_version");
            drop(server);
            let _server = serve(&party, &identity, "1.2", &["--disable-client-cert"]);
            let old = party.get(&[]).exits(0);
            has(&old.out, &["(TLS1.2-X.509)-(ECDHE-X25519)", &format!("ECDHE-{key}"), "AES-256-GCM"]);
            tells(&old, &["TLS established: TLS 1.2", &format!("TLS_ECDHE_{key}_WITH_AES_256_GCM_SHA384")]);
            // It overlooks what it does not know (RFC 8446 4.2.1), and answers with the version that it has.
            party.get(&["--tlsv1.3"]).exits(35).saying("TLS 1.2");
        }
    });
}

#[test]
fn a_second_connection_is_resumed_and_both_say_so() {
    with_real_peers(GNUTLS, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let url = format!("https://{NAME}:{PORT}/");
        for version in ["1.3", "1.2"] {
            let server = serve(&party, &identity, version, &["--disable-client-cert"]);
            let ran = party.get_all(&[&url, &url], &["-v"]).exits(0);
            tells(&ran, &["this resumes a session"]);
            hears(&server, "*** This is a resumed session");
            drop(server);
            let server = serve(&party, &identity, version, &["--disable-client-cert", "--noticket"]);
            let ran = party.get_all(&[&url, &url], &["--no-sessionid"]).exits(0);
            assert_eq!(ran.out.matches("This is").count(), 2, "{}", ran.out);
            assert!(!server.said().contains("resumed"), "{}", server.said());
        }
    });
}

#[test]
fn a_client_certificate_that_is_required_is_shown_or_told_to_be_missing_or_refused() {
    with_real_peers(GNUTLS, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let (alice, mallory) = (party.client_identity("alice", 7), party.stranger());
        for (version, code, reason) in
            [("1.3", 56, "Certificate is required"), ("1.2", 35, "No certificate was found")]
        {
            let server =
                serve(&party, &identity, version, &["--require-client-cert", "--verify-client-cert"]);
            let shown = |identity: &IdentityFiles| {
                party.get(&["--cert", &identity.certificate, "--key", &identity.key])
            };
            has(&shown(&alice).ok(), &["Subject: CN=alice"]);
            let missing = party.get(&[]).exits(code);
            tells(&missing, &["the server asks for a client certificate"]);
            missing.saying("client certificate");
            hears(&server, reason);
            let refused = shown(&mallory).exits(code);
            tells(&refused, &["CN=mallory is shown"]);
            refused.saying("certificate");
        }
    });
}
