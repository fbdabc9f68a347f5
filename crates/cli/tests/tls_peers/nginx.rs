//! Our client and nginx.

use crate::party::{NAME, Party, has, tells};
use crate::support::pki::IdentityFiles;
use crate::support::{Ran, Server, WEB, with_real_peers};

const NGINX: &[&str] = &["openssl", "nginx"];
const VERSIONS: [[&str; 2]; 2] = [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]];

/// nginx at port 443 with these certificates and directives; its page tells the session.
fn serve(party: &Party<'_>, identities: &[&IdentityFiles], directives: &str) -> Server {
    let certificates: String = identities
        .iter()
        .map(|files| format!("ssl_certificate {}; ssl_certificate_key {}; ", files.certificate, files.key))
        .collect();
    let facts = "$ssl_protocol|$ssl_cipher|$ssl_session_reused|$ssl_client_verify|$ssl_client_s_dn";
    party.network.nginx(
        &format!(
            "server {{
                listen {WEB}:443 ssl; server_name {NAME}; keepalive_timeout 0;
                {certificates}
                {directives}
                location / {{ return 200 \"{facts}\\n\"; }}
            }}"
        ),
        443,
    )
}

fn get(party: &Party<'_>, urls: usize, options: &[&str]) -> Ran {
    let (url, resolve) = (format!("https://{NAME}/"), format!("{NAME}:443:{WEB}"));
    party.get_all(&vec![&url[..]; urls], &[&["--resolve", &resolve], options].concat())
}

#[test]
fn a_server_with_two_certificates_shows_the_one_that_the_suites_ask_for() {
    with_real_peers(NGINX, |network| {
        let party = Party::new(network);
        let (ecdsa, rsa) = (party.server_identity(), party.rsa_identity());
        let _nginx = serve(&party, &[&ecdsa, &rsa], "");
        for (key, kind) in [("ECDSA", "ECDSA 256 bits"), ("RSA", "RSA 2048 bits")] {
            let suite = format!("ECDHE-{key}-AES128-GCM-SHA256");
            let ran = get(&party, 1, &["--tls-max", "1.2", "--ciphers", &suite]).exits(0);
            assert_eq!(ran.out, format!("TLSv1.2|{suite}|.|NONE|\n"));
            tells(&ran, &[kind, &format!("TLS_ECDHE_{key}_WITH_AES_128_GCM_SHA256")]);
        }
        let ran = get(&party, 1, &["--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"]).ok();
        assert_eq!(ran, "TLSv1.3|TLS_CHACHA20_POLY1305_SHA256|.|NONE|\n");
    });
}

#[test]
fn sessions_are_resumed_by_ticket_and_by_id_and_not_at_all() {
    with_real_peers(NGINX, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let reused = |version: &[&str]| {
            let out = get(&party, 3, version).ok();
            out.lines().filter_map(|line| line.split('|').nth(2)).map(str::to_owned).collect::<Vec<_>>()
        };
        let cases = [
            ("ssl_session_tickets on; ssl_session_cache off;", [[".", "r", "r"], [".", "r", "r"]]),
            ("ssl_session_tickets off; ssl_session_cache shared:a:1m;", [[".", "r", "r"], [".", "r", "r"]]),
            ("ssl_session_tickets off; ssl_session_cache off;", [[".", ".", "."], [".", ".", "."]]),
        ];
        for (directives, expected) in cases {
            let _nginx = serve(&party, &[&identity], directives);
            for (version, expected) in VERSIONS.iter().zip(expected) {
                assert_eq!(reused(version), expected, "{directives} {version:?}");
            }
        }
    });
}

#[test]
fn a_client_certificate_is_optional_or_required_and_what_nginx_makes_of_it_arrives() {
    with_real_peers(NGINX, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let (alice, mallory) = (party.client_identity("alice", 7), party.stranger());
        let ca = &party.ca;
        for how in ["on", "optional"] {
            let asks = format!("ssl_verify_client {how}; ssl_client_certificate {ca};");
            let _nginx = serve(&party, &[&identity], &asks);
            for version in VERSIONS {
                let shown = |files: &IdentityFiles| {
                    let words = ["--cert", &files.certificate, "--key", &files.key];
                    get(&party, 1, &[&version[..], &words].concat()).exits(0)
                };
                has(&shown(&alice).out, &["|.|SUCCESS|CN=alice\n"]);
                // nginx ends the handshake in any case, and refuses by HTTP.
                has(&shown(&mallory).out, &["400 The SSL certificate error"]);
                let missing = get(&party, 1, &version).exits(0);
                tells(&missing, &["the server asks for a client certificate issued by CN=a throw-away CA"]);
                let told = if how == "on" { "400 No required SSL certificate was sent" } else { "|.|NONE|" };
                has(&missing.out, &[told]);
            }
        }
    });
}

#[test]
fn a_request_goes_before_the_handshake_is_over_where_both_want_that() {
    with_real_peers(NGINX, |network| {
        let party = Party::new(network);
        let identity = party.server_identity();
        let early = |options: &[&str]| {
            let ran = get(&party, 2, &[&["--tlsv1.3", "-v"], options].concat()).exits(0);
            let facts = ran.out.lines().filter_map(|line| line.rsplit('|').next());
            (facts.map(str::to_owned).collect::<Vec<_>>(), ran.err)
        };
        let nginx = serve_early(&party, &identity, "on");
        assert_eq!(early(&[]).0, ["-", "-"]);
        let (facts, told) = early(&["--tls-earlydata"]);
        assert_eq!(facts, ["-", "1"]);
        has(&told, &["the server took", "Whoever records them can send them once more"]);
        drop(nginx);
        let _nginx = serve_early(&party, &identity, "off");
        let (facts, told) = early(&["--tls-earlydata"]);
        assert_eq!(facts, ["-", "-"]);
        has(&told, &["early data could not be sent (this server's ticket allows none)"]);
    });
}

/// nginx that takes early data, or does not; whether it did ends the line of its page.
fn serve_early(party: &Party<'_>, identity: &IdentityFiles, wanted: &str) -> Server {
    let directives = format!(
        "ssl_early_data {wanted}; ssl_session_tickets on;
        set $early -; if ($ssl_early_data) {{ set $early 1; }}
        location = /early {{ return 200 \"$ssl_session_reused|$early\\n\"; }}
        rewrite ^/$ /early;"
    );
    serve(party, &[identity], &directives)
}
