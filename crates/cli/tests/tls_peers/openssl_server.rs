//! Our client and `openssl s_server`.

use crate::party::{NAME, PORT, Party, has, hears, tells};
use crate::support::pki::revoked;
use crate::support::tshark::Capture;
use crate::support::with_real_peers;

const OPENSSL: &[&str] = &["openssl"];

#[test]
fn both_versions_with_both_kinds_of_key_are_told_as_the_server_tells_them() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        for (identity, key) in [(party.server_identity(), "ECDSA"), (party.rsa_identity(), "RSA")] {
            let _server = party.openssl_server(&identity, &[]);
            let new = party.get(&["--tlsv1.3"]);
            has(&new.out, &["New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"]);
            tells(&new, &["TLS established: TLS 1.3, TLS_AES_256_GCM_SHA384", key]);
            let old = party.get(&["--tls-max", "1.2"]);
            has(&old.out, &[&format!("New, TLSv1.2, Cipher is ECDHE-{key}-AES256-GCM-SHA384")]);
            let suite = format!("TLS_ECDHE_{key}_WITH_AES_256_GCM_SHA384");
            tells(&old, &["TLS established: TLS 1.2, ", &suite]);
        }
    });
}

#[test]
fn a_server_of_one_version_refuses_the_other_with_an_alert_that_is_named() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        for (speaks, good, bad) in [
            ("-tls1_2", ["--tls-max", "1.2"], ["--tlsv1.3", "-v"]),
            ("-tls1_3", ["--tlsv1.3", "-v"], ["--tls-max", "1.2"]),
        ] {
            let server = party.openssl_server(&identity, &[speaks]);
            party.get(&good).exits(0);
            party.get(&[]).exits(0);
            party.get(&bad).exits(35).saying("protocol_version");
            hears(&server, "SSL3 alert write:fatal:protocol version");
        }
    });
}

#[test]
fn a_group_that_the_first_hello_had_no_share_of_is_agreed_on_by_a_second() {
    with_real_peers(&["openssl", "tshark"], |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let server = party.openssl_server(&identity, &["-groups", "P-384"]);
        let capture = network.path("retry.pcapng");
        let ran = party.get(&["--tlsv1.3", "--capture", &capture]).exits(0);
        tells(&ran, &["TLS established: TLS 1.3", "secp384r1"]);
        // RFC 8446 4.1.3: this random value is what makes a ServerHello a HelloRetryRequest.
        let retry = "tls.handshake.random == cf:21:ad:74:e5:9a:61:11:be:1d:8c:02:1e:65:b8:91:\
                     c2:a2:11:16:7a:bb:8c:5e:07:9e:09:e2:c8:a8:33:9c";
        let counts =
            Capture::open(&capture).counts(&[retry.to_owned(), "tls.handshake.type == 1".to_owned()]);
        assert_eq!(counts, [1, 2], "one HelloRetryRequest between two ClientHellos");
        drop(server);
        let server = party.openssl_server(&identity, &["-groups", "brainpoolP384r1"]);
        party.get(&["--tlsv1.3"]).exits(35).saying("handshake_failure");
        hears(&server, "SSL3 alert write:fatal:handshake failure");
    });
}

#[test]
fn a_second_connection_is_resumed_unless_one_side_will_not() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let url = format!("https://{NAME}:{PORT}/");
        let said = |options: &[&str]| {
            let out = party.get_all(&[&url, &url], options).ok();
            let lines = out.lines().filter(|line| line.contains(", Cipher is"));
            lines.filter_map(|line| line.split_once(',')).map(|(kind, _)| kind.to_owned()).collect::<Vec<_>>()
        };
        let server = party.openssl_server(&identity, &[]);
        assert_eq!(said(&["--tlsv1.3"]), ["New", "Reused"]);
        assert_eq!(said(&["--tls-max", "1.2"]), ["New", "Reused"]);
        for version in [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]] {
            assert_eq!(said(&[&version[..], &["--no-sessionid"]].concat()), ["New", "New"]);
        }
        let told = party.get_all(&[&url, &url], &["-v"]).exits(0);
        tells(&told, &["this resumes a session"]);
        drop(server);
        // In TLS 1.2 without tickets the server keeps the session; in TLS 1.3 it gives out none.
        let server = party.openssl_server(&identity, &["-no_ticket"]);
        assert_eq!(said(&["--tls-max", "1.2"]), ["New", "Reused"]);
        drop(server);
        let _server = party.openssl_server(&identity, &["-num_tickets", "0", "-no_cache", "-no_ticket"]);
        for version in [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]] {
            assert_eq!(said(&version), ["New", "New"]);
        }
    });
}

/// The exit code of a client whose certificate the server refuses: in TLS 1.3 that comes after the
/// handshake (RFC 8446 4.4.2.4), with the first read.
const REFUSED: [(i32, [&str; 2]); 2] = [(56, ["--tlsv1.3", "-v"]), (35, ["--tls-max", "1.2"])];

#[test]
fn a_client_certificate_is_shown_and_believed() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let server =
            party.openssl_server(&party.server_identity(), &["-Verify", "1", "-verify_return_error"]);
        let alice = party.client_identity("alice", 7);
        for (_, version) in REFUSED {
            let words = ["--cert", &alice.certificate, "--key", &alice.key];
            let ran = party.get(&[&version[..], &words].concat()).exits(0);
            tells(
                &ran,
                &[
                    "CN=alice is shown",
                    "the server asks for a client certificate issued by CN=a throw-away CA",
                ],
            );
            has(&ran.out, &["Subject: CN=alice"]);
        }
        hears(&server, "CN = alice");
    });
}

#[test]
fn a_client_certificate_that_is_missing_is_told_in_both_versions() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let server =
            party.openssl_server(&party.server_identity(), &["-Verify", "1", "-verify_return_error"]);
        for (code, version) in REFUSED {
            let ran = party.get(&version).exits(code);
            tells(
                &ran,
                &["the server asks for a client certificate issued by CN=a throw-away CA, and there is none"],
            );
            // The error itself says it as well, whatever the alert was.
            ran.saying("client certificate");
        }
        hears(&server, "peer did not return a certificate");
        hears(&server, "SSL3 alert write:fatal:handshake failure");
    });
}

#[test]
fn a_client_certificate_that_is_refused_is_told_with_the_servers_reason() {
    with_real_peers(OPENSSL, |network| {
        let party = Party::new(network);
        let list = network.write("crl.pem", party.authority.revocation_list(vec![revoked(7)]));
        let strict = ["-Verify", "1", "-verify_return_error", "-CRL", &list, "-crl_check"];
        let server = party.openssl_server(&party.server_identity(), &strict);
        let cases = [
            (party.stranger(), "unknown_ca", "unknown CA"),
            (party.client_identity("alice", 7), "certificate_revoked", "certificate revoked"),
        ];
        for (identity, alert, openssl) in cases {
            for (code, version) in REFUSED {
                let words = ["--cert", &identity.certificate, "--key", &identity.key];
                let ran = party.get(&[&version[..], &words].concat()).exits(code);
                ran.saying("the server refused the client certificate").saying(&format!("alert {alert}"));
            }
            hears(&server, &format!("SSL3 alert write:fatal:{openssl}"));
        }
    });
}
