//! Certificates that are refused: which check, which value, and what the server hears of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use glasstack_journal::Event;
use glasstack_journal::event::{Note, Tls, Verdict};
use glasstack_tls::{
    CertificateProblem as Problem, ExternalKey, Identity, TlsClientConfig, TlsError, TlsErrorKind,
    TlsServerConfig, TlsVersion, TrustStore,
};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SigningKey};
use std::sync::Arc;
use world::{Ca, DAY, NOW, World, at, ca_params, key, server_params};

/// What a client that believes `trust` says of `identity` when it asks for `www.lab.test`.
fn refusal(world: &World, trust: TrustStore, identity: Identity) -> (Problem, String) {
    let client = world.client(TlsClientConfig::new(trust));
    let server = world.server(TlsServerConfig::new(vec![identity]));
    let shaken = world.shake(&client, &server, "www.lab.test");
    assert!(shaken.tap.client_closed(), "the connection is closed after the alert");
    assert_eq!(world.story(&world.client).last().unwrap(), "failed");
    let server = shaken.server.err().expect("the server hears of it").to_string();
    let error = shaken.client.err().expect("the certificate is refused");
    assert_eq!(error.kind(), TlsErrorKind::Certificate, "{error}");
    match error {
        TlsError::Certificate { server_name, problem } => {
            assert_eq!(server_name, "www.lab.test");
            (problem, server)
        }
        other => panic!("{other}"),
    }
}

fn judged_in_lab(world: &World, params: CertificateParams) -> (Problem, String) {
    let ca = Ca::root("Lab CA", 1);
    refusal(world, ca.trust(), ca.identity(params))
}

#[test]
fn an_expired_certificate_is_refused_with_its_date_and_the_other_checks_are_told_all_the_same() {
    let world = World::new(1);
    let mut params = server_params(&["www.lab.test"]);
    params.not_before = at(-30 * DAY);
    params.not_after = at(-DAY);
    let (problem, server) = judged_in_lab(&world, params);
    let certificate = "the server's own certificate (CN=www.lab.test)".to_owned();
    assert_eq!(problem, Problem::Expired { certificate, not_after: NOW as i64 - DAY, now: NOW as i64 });
    assert!(
        problem.to_string().starts_with(
            "the server's own certificate (CN=www.lab.test) expired on 2026-09-20T14:13:20Z, 1 day ago: it is now \
             2026-09-21T14:13:20Z"
        ),
        "{problem}"
    );
    assert!(server.contains("certificate_expired"), "{server}");
    assert_eq!(
        world.story(&world.client),
        [
            "started",
            "received CN=www.lab.test",
            "chain passed",
            "format passed",
            "certificate_signature passed",
            "validity FAILED",
            "constraints passed",
            "usage passed",
            "name_constraints passed",
            "name passed",
            "profile skipped",
            "failed"
        ]
    );
}

#[test]
fn the_same_certificate_is_good_a_second_before_it_expires_and_refused_a_second_after() {
    let verdict = |now| {
        let (world, ca) = (World::at(1, now), Ca::root("Lab CA", 1));
        let mut params = server_params(&["www.lab.test"]);
        params.not_after = at(DAY);
        let server = world.server(TlsServerConfig::new(vec![ca.identity(params)]));
        world.shake(&world.client(TlsClientConfig::new(ca.trust())), &server, "www.lab.test").client.is_ok()
    };
    let last = NOW + DAY as u64;
    assert_eq!([last - 1, last, last + 1].map(verdict), [true, true, false]);
}

#[test]
fn a_certificate_of_the_future_is_refused_with_its_date() {
    let world = World::new(1);
    let mut params = server_params(&["www.lab.test"]);
    params.not_before = at(DAY);
    let (problem, _) = judged_in_lab(&world, params);
    assert!(matches!(problem, Problem::NotYetValid { not_before, .. } if not_before == NOW as i64 + DAY));
    assert!(problem.to_string().contains("valid only from 2026-09-22T14:13:20Z"), "{problem}");
}

#[test]
fn a_certificate_for_another_name_is_refused_with_both_names() {
    let world = World::new(1);
    let (problem, server) = judged_in_lab(&world, server_params(&["shop.lab.test", "10.0.0.2"]));
    let valid_for = vec!["shop.lab.test".to_owned(), "10.0.0.2".to_owned()];
    assert_eq!(problem, Problem::WrongName { asked: "www.lab.test".into(), valid_for });
    assert!(server.contains("certificate"), "{server}");
    assert_eq!(world.evidence("chain").0, Verdict::Passed);
    assert_eq!(world.evidence("name").0, Verdict::Failed);
}

#[test]
fn a_common_name_is_not_a_name() {
    let world = World::new(1);
    let mut params = server_params(&["www.lab.test"]);
    params.subject_alt_names.clear();
    let (problem, _) = judged_in_lab(&world, params);
    assert!(problem.to_string().starts_with("it names no host at all"), "{problem}");
}

#[test]
fn an_untrusted_issuer_is_named() {
    let (world, evil) = (World::new(1), Ca::root("Evil CA", 2));
    let identity = evil.identity(server_params(&["www.lab.test"]));
    let (problem, server) = refusal(&world, Ca::root("Lab CA", 1).trust(), identity);
    assert!(matches!(&problem, Problem::UnknownIssuer { issuer, .. } if issuer == "CN=Evil CA"), "{problem}");
    assert!(server.contains("unknown_ca"), "{server}");
}

#[test]
fn an_intermediate_that_was_not_sent_is_missed_by_name() {
    let (world, root) = (World::new(1), Ca::root("Lab CA", 1));
    let middle = root.intermediate(ca_params("Lab CA 2"), 2);
    let (problem, _) = refusal(&world, root.trust(), middle.identity(server_params(&["www.lab.test"])));
    assert!(
        matches!(&problem, Problem::UnknownIssuer { issuer, .. } if issuer == "CN=Lab CA 2"),
        "{problem}"
    );
}

#[test]
fn with_no_roots_at_all_everybody_is_refused_and_told_why() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (problem, _) = refusal(&world, TrustStore::empty(), ca.identity(server_params(&["www.lab.test"])));
    assert_eq!(problem, Problem::NoRoots);
}

#[test]
fn a_self_signed_certificate_is_called_that_whether_or_not_it_is_marked_as_a_ca() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(rcgen::BasicConstraints::Unconstrained)] {
        let world = World::new(1);
        let mut params = server_params(&["www.lab.test"]);
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key(9)).unwrap().der().to_vec();
        let identity = Identity::from_der(vec![certificate], key(9).serialize_der()).unwrap();
        let (problem, _) = refusal(&world, Ca::root("Lab CA", 1).trust(), identity);
        assert!(matches!(problem, Problem::SelfSigned { .. }), "{problem}");
    }
}

#[test]
fn a_self_signed_certificate_that_is_trusted_itself_passes() {
    let world = World::new(1);
    let certificate = server_params(&["www.lab.test"]).self_signed(&key(9)).unwrap().der().to_vec();
    let trust = TrustStore::from_der([&certificate]).unwrap();
    let identity = Identity::from_der(vec![certificate], key(9).serialize_der()).unwrap();
    let server = world.server(TlsServerConfig::new(vec![identity]));
    let _ = world.shake(&world.client(TlsClientConfig::new(trust)), &server, "www.lab.test").both();
}

#[test]
fn another_ca_of_the_same_name_is_found_out_by_its_signature() {
    let (world, impostor) = (World::new(1), Ca::root("Lab CA", 2));
    let identity = impostor.identity(server_params(&["www.lab.test"]));
    let (problem, _) = refusal(&world, Ca::root("Lab CA", 1).trust(), identity);
    assert!(matches!(&problem, Problem::BadSignature { issuer, .. } if issuer == "CN=Lab CA"), "{problem}");
}

#[test]
fn an_expired_intermediate_is_named_by_its_place() {
    let (world, root) = (World::new(1), Ca::root("Lab CA", 1));
    let mut params = ca_params("Lab CA 2");
    params.not_before = at(-30 * DAY);
    params.not_after = at(-DAY / 2);
    let middle = root.intermediate(params, 2);
    let chain = vec![middle.issue(server_params(&["www.lab.test"]), &key(9)), middle.der.clone()];
    let identity = Identity::from_der(chain, key(9).serialize_der()).unwrap();
    let (problem, _) = refusal(&world, root.trust(), identity);
    let named = "certificate 1 of the chain (CN=Lab CA 2)";
    assert!(matches!(&problem, Problem::Expired { certificate, .. } if certificate == named), "{problem}");
}

/// Makes a certificate wrong.
type Change<'a> = &'a dyn Fn(&mut CertificateParams);

#[test]
fn a_certificate_for_another_use_is_refused_with_the_use_it_has() {
    let client_only = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let encipherment =
        |params: &mut CertificateParams| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    let ca = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let cases: [(Change<'_>, &str, &str, &str); 3] = [
        (&client_only, "wrong_purpose", "usage", "its extended key usage is clientAuth, without serverAuth"),
        (&encipherment, "key_usage", "usage", "has a key usage without digitalSignature"),
        (&ca, "ca_certificate", "constraints", "is a CA's own"),
    ];
    for (change, code, check, why) in cases {
        let world = World::new(1);
        let mut params = server_params(&["www.lab.test"]);
        change(&mut params);
        let (problem, _) = judged_in_lab(&world, params);
        assert_eq!(problem.code(), code, "{problem}");
        assert!(problem.to_string().contains(why), "{problem}");
        assert_eq!(world.evidence(check).0, Verdict::Failed);
    }
}

#[test]
fn insecure_accepts_anything_and_says_loudly_what_it_did_not_check() {
    let (world, evil) = (World::new(1), Ca::root("Evil CA", 2));
    let mut params = server_params(&["shop.lab.test"]);
    params.not_after = at(-DAY / 2);
    let mut config = TlsClientConfig::new(TrustStore::empty());
    config.insecure = true;
    let server = world.server(TlsServerConfig::new(vec![evil.identity(params)]));
    let _ = world.shake(&world.client(config), &server, "www.lab.test").both();
    assert_eq!(
        world.story(&world.client),
        [
            "started",
            "received CN=shop.lab.test",
            "chain skipped",
            "format skipped",
            "certificate_signature skipped",
            "validity skipped",
            "constraints skipped",
            "usage skipped",
            "name_constraints skipped",
            "name skipped",
            "profile skipped",
            "signature passed",
            "established"
        ]
    );
    assert!(
        world.evidence("name").1.contains("it would FAIL: it is not for www.lab.test but for shop.lab.test")
    );
    let warned = |event: &Event| {
        matches!(event, Event::Note(Note { level, text }) if text.starts_with("INSECURE")
            && *level == glasstack_journal::event::NoteLevel::Warning)
    };
    assert_eq!(world.told(&world.client).iter().filter(|event| warned(event)).count(), 1);
}

#[test]
fn an_insecure_clients_session_is_not_resumed_by_a_secure_one() {
    let (world, evil) = (World::new(1), Ca::root("Evil CA", 2));
    let server = world.server(TlsServerConfig::new(vec![evil.identity(server_params(&["www.lab.test"]))]));
    let mut insecure = TlsClientConfig::new(Ca::root("Lab CA", 1).trust());
    insecure.max_version = TlsVersion::Tls12;
    let secure = insecure.clone();
    insecure.insecure = true;
    let _ = world.shake(&world.client(insecure), &server, "www.lab.test").both();
    assert!(world.shake(&world.client(secure), &server, "www.lab.test").client.is_err());
}

/// A key that signs, whatever the certificate is like; or not what it is told to.
#[derive(Debug)]
struct Signer(bool);

impl ExternalKey for Signer {
    fn schemes(&self) -> &[u16] {
        &[0x0807]
    }

    fn sign(&self, _: u16, message: &[u8]) -> Option<Vec<u8>> {
        key(9).sign(if self.0 { message } else { b"something else" }).ok()
    }
}

#[test]
fn an_insecure_client_has_the_key_proved_of_a_certificate_that_webpki_does_not_load() {
    for (version, honest) in
        [(TlsVersion::Tls12, true), (TlsVersion::Tls13, true), (TlsVersion::Tls13, false)]
    {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let mut params = server_params(&["www.lab.test"]);
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
        unknown.set_criticality(true);
        params.custom_extensions.push(unknown);
        let chain = vec![ca.issue(params, &key(9))];
        let identity = Identity::from_external(chain, Arc::new(Signer(honest))).unwrap();
        let server = world.server(TlsServerConfig::new(vec![identity]));
        let mut config = TlsClientConfig::new(ca.trust());
        (config.insecure, config.max_version) = (true, version);
        let shaken = world.shake(&world.client(config), &server, "www.lab.test");
        assert_eq!(shaken.client.is_ok(), honest, "{version:?}");
        let proved = world.told(&world.client).into_iter().any(|event| {
            matches!(
                event,
                Event::Tls(Tls::CertificateJudged { check: "signature", verdict: Verdict::Passed, .. })
            )
        });
        assert_eq!(proved, honest, "{version:?}");
    }
}
