//! Our server, and curl, `openssl s_client` and `gnutls-cli`.

use crate::client::{CLIENTS, GNUTLS_12, GNUTLS_13, curl, gnutls_cli, s_client};
use crate::our_server::{OurServer, identity, read, request};
use crate::party::{NAME, Party, has, openssl};
use crate::support::pki::params;
use crate::support::with_real_peers;
use glasstack::tls::{ServerSessions, TlsServerConfig, TlsVersion};
use rcgen::date_time_ymd;
use std::fs;

#[test]
fn curl_and_our_server_agree_on_what_was_agreed() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let server = OurServer::start(&party);
        let new = curl(&party, &["--tlsv1.3"]).ok();
        assert_eq!(new, "TLS 1.3|TLS_AES_256_GCM_SHA384|x25519|http/1.1|new|-\n");
        let old = curl(&party, &["--tls-max", "1.2"]).ok();
        assert_eq!(old, "TLS 1.2|TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384|x25519|http/1.1|new|-\n");
        server.end();
    });
}

#[test]
fn openssl_resumes_our_sessions_and_says_so_as_we_do() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let kept = network.path("session");
        for (sessions, again, page) in [
            (ServerSessions::default(), "Reused", "|resumed|-"),
            (ServerSessions::tickets(), "Reused", "|resumed|-"),
            (ServerSessions::None, "New", "|new|-"),
        ] {
            let config = TlsServerConfig::new([identity(&party)]);
            let server = OurServer::with(&party, TlsServerConfig { sessions, ..config });
            for (version, told) in [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")] {
                // It writes the file only when it was given a session.
                let _ = fs::remove_file(&kept);
                let first = s_client(&party, &[version, "-sess_out", &kept]).ok();
                has(&first, &[&format!("New, {told}, Cipher is"), "Verify return code: 0 (ok)", "|new|-"]);
                let with_it: &[&str] = if fs::exists(&kept).unwrap() { &["-sess_in", &kept] } else { &[] };
                let second = s_client(&party, &[&[version], with_it].concat()).ok();
                has(&second, &[&format!("{again}, {told}, Cipher is"), page]);
            }
            server.end();
        }
    });
}

#[test]
fn gnutls_resumes_our_sessions_and_says_so_as_we_do() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let server = OurServer::start(&party);
        for (priority, told) in [(GNUTLS_13, "(TLS1.3-X.509)"), (GNUTLS_12, "(TLS1.2-X.509)")] {
            let ran = gnutls_cli(&party, &[priority]).ok();
            has(&ran, &[told, "|new|-"]);
            let ran = gnutls_cli(&party, &[priority, "--resume", "--waitresumption"]).ok();
            has(&ran, &["*** This is a resumed session", "|resumed|-"]);
        }
        server.end();
    });
}

#[test]
fn a_version_that_the_server_does_not_speak_is_refused_with_protocol_version() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let only = |version| {
            let config = TlsServerConfig::new([identity(&party)]);
            OurServer::with(&party, TlsServerConfig { min_version: version, max_version: version, ..config })
        };
        let server = only(TlsVersion::Tls12);
        curl(&party, &["--tlsv1.3"]).exits(35).saying("alert protocol version");
        has(&s_client(&party, &["-tls1_3"]).exits(1).err, &["SSL3 alert read:fatal:protocol version"]);
        has(&gnutls_cli(&party, &[GNUTLS_13]).exits(1).out, &["Received alert [70]"]);
        curl(&party, &[]).exits(0);
        server.end();
        let server = only(TlsVersion::Tls13);
        curl(&party, &["--tls-max", "1.2"]).exits(35).saying("alert protocol version");
        has(&s_client(&party, &["-tls1_2"]).exits(1).err, &["SSL3 alert read:fatal:protocol version"]);
        has(&gnutls_cli(&party, &[GNUTLS_12]).exits(1).out, &["Received alert [70]"]);
        curl(&party, &[]).exits(0);
        server.end();
    });
}

#[test]
fn a_stapled_answer_of_the_authority_reaches_all_who_ask_for_it() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let files = party.server_identity();
        let staple = party.staple(&files.certificate, "V");
        let identity = read(&files).with_ocsp(fs::read(staple).unwrap());
        let server = OurServer::with(&party, TlsServerConfig::new([identity]));
        for version in ["-tls1_3", "-tls1_2"] {
            let ran = s_client(&party, &[version, "-status"]).ok();
            has(&ran, &["OCSP Response Status: successful (0x0)", "Cert Status: good"]);
        }
        curl(&party, &["--cert-status"]).exits(0);
        for priority in [GNUTLS_13, GNUTLS_12] {
            let saved = network.path("saved.ocsp");
            gnutls_cli(&party, &[priority, "--save-ocsp", &saved]).exits(0);
            let read =
                openssl(&["ocsp", "-respin", &saved, "-issuer", &party.ca, "-CAfile", &party.ca, "-text"]);
            has(&read, &["Cert Status: good"]);
        }
        server.end();
        // The same of a certificate that was revoked is refused by who looks.
        let staple = party.staple(&files.certificate, "R");
        let server = OurServer::with(
            &party,
            TlsServerConfig::new([read(&files).with_ocsp(fs::read(staple).unwrap())]),
        );
        curl(&party, &["--cert-status"]).exits(91).saying("revocation");
        has(&gnutls_cli(&party, &[]).exits(1).out, &["revoked"]);
        server.end();
    });
}

#[test]
fn a_certificate_that_a_client_refuses_is_told_here_with_the_alert_it_sends() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let mut expired = params(NAME, 44);
        expired.not_after = date_time_ymd(2002, 1, 1);
        let server =
            OurServer::with(&party, TlsServerConfig::new([read(&party.identity("expired", expired))]));
        has(&curl(&party, &[]).exits(60).err, &["certificate has expired"]);
        server.tells("certificate_expired");
        s_client(&party, &[]).exits(1);
        has(&gnutls_cli(&party, &[]).exits(1).out, &["expired"]);
        server.end();
        let server = OurServer::with(&party, TlsServerConfig::new([read(&party.stranger_at(NAME))]));
        curl(&party, &[]).exits(60);
        server.tells("unknown_ca");
        server.end();
    });
}

#[test]
fn a_request_that_openssl_sends_before_the_handshake_is_over_is_taken_only_where_that_is_wanted() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let (kept, early) = (network.path("session"), network.write("early", request()));
        for (early_data, told) in [(16_384, "Early data was accepted"), (0, "Early data was not sent")] {
            let config = TlsServerConfig::new([identity(&party)]);
            let server = OurServer::with(&party, TlsServerConfig { early_data, ..config });
            s_client(&party, &["-tls1_3", "-sess_out", &kept]).exits(0);
            let again = s_client(&party, &["-tls1_3", "-sess_in", &kept, "-early_data", &early]).ok();
            has(&again, &["Reused, TLSv1.3", told, "|resumed|-"]);
            server.end();
        }
    });
}
