//! Our server asks curl, `openssl s_client` and `gnutls-cli` who they are, and believes some of them.

use crate::client::{CLIENTS, GNUTLS_12, GNUTLS_13, curl, gnutls_cli, s_client};
use crate::extensions::{with_list, with_responder};
use crate::our_server::{OurServer, identity};
use crate::party::{Party, has};
use crate::responder::{RESPONDER, authority_answers};
use crate::support::pki::{IdentityFiles, params, revoked};
use crate::support::{WEB, with_real_peers};
use glasstack::dns::{Resolver, ResolverConfig};
use glasstack::stack::Host;
use glasstack::tls::revocation::{Demand, RevocationConfig, RevocationPolicy};
use glasstack::tls::{ClientAuth, ClientTrust, RevocationLists, TlsServerConfig, TrustStore};
use glasstack::web::HttpRevocationSource;

/// A server that asks its clients who they are.
fn asking(party: &Party<'_>, how: fn(ClientTrust) -> ClientAuth) -> OurServer {
    let trust = TrustStore::from_pem(party.authority.pem().as_bytes()).unwrap();
    let config = TlsServerConfig::new([identity(party)]);
    OurServer::with(party, TlsServerConfig { client_auth: how(ClientTrust::new(trust)), ..config })
}

#[test]
fn a_client_that_shows_a_good_certificate_is_known_by_it_also_when_it_comes_back() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let alice = party.client_identity("alice", 7);
        for how in [ClientAuth::Required, ClientAuth::Optional] {
            let server = asking(&party, how);
            let of_openssl = ["-cert", &alice.certificate, "-key", &alice.key];
            let of_gnutls = ["--x509certfile", &alice.certificate, "--x509keyfile", &alice.key];
            for version in [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]] {
                let words = ["--cert", &alice.certificate, "--key", &alice.key];
                has(&curl(&party, &[&version[..], &words].concat()).ok(), &["|new|CN=alice"]);
            }
            let kept = network.path("session");
            for version in ["-tls1_3", "-tls1_2"] {
                let first = s_client(&party, &[&of_openssl[..], &[version, "-sess_out", &kept]].concat());
                has(&first.ok(), &["|new|CN=alice"]);
                let second = s_client(&party, &[&of_openssl[..], &[version, "-sess_in", &kept]].concat());
                has(&second.ok(), &["Reused", "|resumed|CN=alice"]);
            }
            for priority in [GNUTLS_13, GNUTLS_12] {
                has(&gnutls_cli(&party, &[&of_gnutls[..], &[priority]].concat()).ok(), &["|new|CN=alice"]);
            }
            server.end();
        }
    });
}

#[test]
fn a_client_without_a_certificate_is_served_only_where_it_is_optional() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let server = asking(&party, ClientAuth::Optional);
        has(&curl(&party, &[]).ok(), &["|new|-"]);
        server.end();
        let server = asking(&party, ClientAuth::Required);
        // RFC 8446 4.4.2.4: in TLS 1.3 the client takes the handshake for done when it is refused.
        curl(&party, &["--tlsv1.3"]).exits(56).saying("alert certificate required");
        server.tells("certificate");
        has(&s_client(&party, &["-tls1_3"]).err, &["tlsv13 alert certificate required"]);
        has(&gnutls_cli(&party, &[GNUTLS_13]).exits(1).out, &["Received alert [116]"]);
        // RFC 5246 7.4.6 would have handshake_failure, which says less.
        curl(&party, &["--tls-max", "1.2"]).exits(98).saying("alert certificate required");
        has(&s_client(&party, &["-tls1_2"]).exits(1).err, &["alert certificate required"]);
        gnutls_cli(&party, &[GNUTLS_12]).exits(1);
        server.end();
    });
}

#[test]
fn a_client_of_another_authority_is_refused_with_unknown_ca() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let mallory = party.stranger();
        for how in [ClientAuth::Required, ClientAuth::Optional] {
            let server = asking(&party, how);
            for (code, version) in [(56, ["--tlsv1.3", "-v"]), (35, ["--tls-max", "1.2"])] {
                let words = ["--cert", &mallory.certificate, "--key", &mallory.key];
                let ran = curl(&party, &[&version[..], &words].concat()).exits(code);
                has(&ran.err, &["alert unknown ca"]);
            }
            for version in ["-tls1_3", "-tls1_2"] {
                let ran = s_client(&party, &[version, "-cert", &mallory.certificate, "-key", &mallory.key]);
                has(&ran.err, &["SSL3 alert read:fatal:unknown CA"]);
            }
            server.tells("the certificate of the client is refused");
            server.end();
        }
    });
}

/// Shown by curl, in each version: refused with this alert, and no page comes.
fn all_hear_of_it(party: &Party<'_>, shown: &IdentityFiles) {
    let (certificate, key) = (&shown.certificate[..], &shown.key[..]);
    for version in [["--tlsv1.3", "-v"], ["--tls-max", "1.2"]] {
        let ran = curl(party, &[&version[..], &["--cert", certificate, "--key", key]].concat());
        assert!(matches!(ran.code, Some(35 | 56)), "{:?}: {}", ran.code, ran.err);
        assert_eq!(ran.out, "");
        has(&ran.err, &["alert certificate revoked"]);
    }
    for version in ["-tls1_3", "-tls1_2"] {
        let ran = s_client(party, &[version, "-cert", certificate, "-key", key]);
        has(&ran.err, &["SSL3 alert read:fatal:certificate revoked"]);
    }
    for priority in [GNUTLS_13, GNUTLS_12] {
        let ran = gnutls_cli(party, &[priority, "--x509certfile", certificate, "--x509keyfile", key]);
        has(&ran.exits(1).out, &["Received alert [44]"]);
    }
}

/// Asks and fetches what `policy` says, from this host.
fn checking(party: &Party<'_>, host: &Host, policy: RevocationPolicy) -> TlsServerConfig {
    let trust = TrustStore::from_pem(party.authority.pem().as_bytes()).unwrap();
    let resolver = Resolver::new(host.clone(), ResolverConfig::default());
    let source = Some(HttpRevocationSource::shared(host, &resolver));
    let revocation = RevocationConfig { policy, source, ..RevocationConfig::default() };
    let client_auth = ClientAuth::Required(ClientTrust { trust, revocation });
    TlsServerConfig { client_auth, ..TlsServerConfig::new([identity(party)]) }
}

#[test]
fn a_client_whose_certificate_is_on_a_list_that_was_given_is_refused_in_the_handshake() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let lists = RevocationLists::from_pem(party.authority.revocation_list(vec![revoked(7)]).as_bytes());
        let trust = TrustStore::from_pem(party.authority.pem().as_bytes()).unwrap();
        let revocation = RevocationConfig::from(lists.unwrap());
        let client_auth = ClientAuth::Required(ClientTrust { trust, revocation });
        let config = TlsServerConfig { client_auth, ..TlsServerConfig::new([identity(&party)]) };
        let server = OurServer::with(&party, config);
        all_hear_of_it(&party, &party.client_identity("alice", 7));
        server.tells("has been revoked");
        let bob = party.client_identity("bob", 8);
        has(&curl(&party, &["--cert", &bob.certificate, "--key", &bob.key]).ok(), &["|new|CN=bob"]);
        server.end();
    });
}

#[test]
fn a_client_whose_certificate_the_responder_says_was_revoked_is_refused_behind_the_handshake() {
    with_real_peers(CLIENTS, |network| {
        let party = Party::new(network);
        let url = format!("http://{WEB}:{RESPONDER}/");
        let alice = party.identity("alice", with_responder(params("alice", 7), &url));
        let policy = RevocationPolicy { ocsp: Demand::Require, ..RevocationPolicy::default() };
        let responder = authority_answers(&party, &alice.certificate, "R");
        let server = OurServer::on_host(&party, |host| checking(&party, host, policy));
        all_hear_of_it(&party, &alice);
        server.tells("has been revoked");
        server.end();
        drop(responder);
        let _responder = authority_answers(&party, &alice.certificate, "V");
        let server = OurServer::on_host(&party, |host| checking(&party, host, policy));
        has(&curl(&party, &["--cert", &alice.certificate, "--key", &alice.key]).ok(), &["|new|CN=alice"]);
        server.end();
    });
}

#[test]
fn a_client_whose_certificate_is_on_a_list_that_is_fetched_is_refused_behind_the_handshake() {
    with_real_peers(&["curl", "openssl", "gnutls-cli", "nginx"], |network| {
        let party = Party::new(network);
        let url = format!("http://{WEB}:8080/clients.crl");
        let alice = party.identity("alice", with_list(params("alice", 7), &url));
        let bob = party.identity("bob", with_list(params("bob", 8), &url));
        network.write("www/clients.crl", party.authority.revocation_list_der(vec![revoked(7)]));
        let _lists = network.nginx(&format!("server {{ listen {WEB}:8080; }}"), 8080);
        let policy = RevocationPolicy { crl: Demand::Require, ..RevocationPolicy::default() };
        let server = OurServer::on_host(&party, |host| checking(&party, host, policy));
        all_hear_of_it(&party, &alice);
        server.tells("has been revoked");
        has(&curl(&party, &["--cert", &bob.certificate, "--key", &bob.key]).ok(), &["|new|CN=bob"]);
        server.end();
    });
}
