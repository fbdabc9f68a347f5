//! Handshakes that succeed: versions, names, protocols, resumption, secrets, and the same seed again.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::Event;
use glasstack_journal::event::{Note, Tls, Verdict};
use glasstack_tls::{
    ConfigError, Identity, TlsClientConfig, TlsError, TlsServerConfig, TlsVersion, TrustStore,
};
use rcgen::KeyPair;
use std::sync::{Arc, Mutex};
use world::{Ca, DAY, SeededEntropy, World, ca_params, key, run, server_params, wire};

fn pair(ca: &Ca) -> (TlsClientConfig, TlsServerConfig) {
    let identity = ca.identity(server_params(&["www.lab.test"]));
    (TlsClientConfig::new(ca.trust()), TlsServerConfig::new(vec![identity]))
}

#[test]
fn a_tls_1_3_handshake_is_told_step_by_step_on_both_sides() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, mut server) = pair(&ca);
    client.alpn = vec!["h2".into(), "http/1.1".into()];
    server.alpn = vec!["http/1.1".into()];
    let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
    let (near, far) = shaken.both();

    assert_eq!(
        world.story(&world.client),
        [
            "started",
            "received CN=www.lab.test",
            "chain passed",
            "format passed",
            "certificate_signature passed",
            "validity passed",
            "constraints passed",
            "usage passed",
            "name_constraints passed",
            "name passed",
            "profile skipped",
            "signature passed",
            "established"
        ]
    );
    assert_eq!(world.story(&world.server), ["started", "chose CN=www.lab.test", "established"]);
    assert_eq!(near.session().version, "TLS 1.3");
    assert_eq!(near.session().suite, "TLS_AES_256_GCM_SHA384");
    assert_eq!(near.session().group.as_deref(), Some("x25519"));
    assert_eq!((near.alpn(), far.alpn()), (Some("http/1.1"), Some("http/1.1")));
    let shown = &near.session().peer_certificates;
    assert_eq!((shown.len(), shown[0].serial.as_str()), (1, "2a"));
    assert_eq!(shown[0].names, ["www.lab.test"]);
    assert_eq!(shown[0].key, "Ed25519");

    let (_, chain) = world.evidence("chain");
    assert_eq!(chain, "CN=www.lab.test, issued by the trusted root CN=Lab CA (given as trusted)");
    let (_, validity) = world.evidence("validity");
    assert!(
        validity.starts_with(
            "CN=www.lab.test is valid from 2026-09-20T14:13:20Z to 2026-10-21T14:13:20Z, and it is now \
             2026-09-21T14:13:20Z"
        ),
        "{validity}"
    );
    let (_, signature) = world.evidence("signature");
    assert_eq!(signature, "ED25519 over the handshake, by the key (Ed25519) of CN=www.lab.test");
}

#[test]
fn what_a_client_offers_is_told_before_its_first_byte_and_the_server_tells_the_same() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, server) = pair(&ca);
    let _ = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    let offered = |scope| {
        world.told(scope).into_iter().find_map(|event| match event {
            Event::Tls(Tls::HandshakeStarted { server_name, versions, suites, groups, .. }) => {
                Some((server_name, versions, suites, groups))
            }
            _ => None,
        })
    };
    let (name, versions, suites, groups) = offered(&world.client).unwrap();
    assert_eq!(name.as_deref(), Some("www.lab.test"));
    assert_eq!(versions, ["TLS 1.3", "TLS 1.2"]);
    assert_eq!(groups, ["x25519"]);
    let (heard, _, suites_heard, groups_heard) = offered(&world.server).unwrap();
    assert_eq!(heard.as_deref(), Some("www.lab.test"));
    // rustls adds the signalling value that TLS 1.2 uses against renegotiation (RFC 5746).
    assert_eq!(suites_heard[..suites.len()], suites);
    assert_eq!(groups_heard, groups);
}

#[test]
fn a_tls_1_2_handshake_uses_ecdhe() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, server) = pair(&ca);
    client.max_version = TlsVersion::Tls12;
    let (near, far) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    assert_eq!(near.session().version, "TLS 1.2");
    assert_eq!(far.session().suite, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(world.evidence("signature").0, Verdict::Passed);
}

#[test]
fn versions_that_do_not_meet_fail_with_a_reason_on_both_sides() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, mut server) = pair(&ca);
    client.max_version = TlsVersion::Tls12;
    server.min_version = TlsVersion::Tls13;
    let shaken = world.shake(&world.client(client.clone()), &world.server(server), "www.lab.test");
    let error = shaken.client.err().unwrap();
    assert!(matches!(&error, TlsError::Alert { alert, .. } if alert == "protocol_version"), "{error}");
    assert!(matches!(shaken.server.err().unwrap(), TlsError::Incompatible(_)));

    client.min_version = TlsVersion::Tls13;
    let world = World::new(1);
    let refused = glasstack_tls::TlsClient::new(&world.entropy, &world.clock, client).err().unwrap();
    assert!(matches!(refused, ConfigError::Versions { .. }));
}

#[test]
fn application_protocols_that_do_not_meet_end_with_an_alert_that_says_so() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, mut server) = pair(&ca);
    client.alpn = vec!["h2".into()];
    server.alpn = vec!["http/1.1".into()];
    let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
    let error = shaken.client.err().unwrap();
    assert!(error.to_string().contains("no_application_protocol"), "{error}");
}

#[test]
fn the_same_seed_gives_the_same_handshake_byte_for_byte_and_another_differs() {
    let bytes = |seed, version| {
        let (world, ca) = (World::new(seed), Ca::root("Lab CA", 1));
        let (mut client, server) = pair(&ca);
        client.max_version = version;
        let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
        let tap = shaken.tap.clone();
        let (mut near, mut far) = shaken.both();
        run(async {
            near.write_all(b"hello").await.unwrap();
            let mut buffer = [0; 5];
            far.read_exact(&mut buffer).await.unwrap();
            far.write_all(&buffer).await.unwrap();
            near.close().await.unwrap();
        });
        (tap.client_sent(), tap.server_sent())
    };
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        assert_eq!(bytes(7, version), bytes(7, version));
        assert_ne!(bytes(7, version), bytes(8, version));
    }
}

#[test]
fn a_client_resumes_its_own_session_and_says_that_no_certificate_was_shown() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let (mut client, server) = pair(&ca);
        client.max_version = version;
        let (client, server) = (world.client(client), world.server(server));
        let (mut near, mut far) = world.shake(&client, &server, "www.lab.test").both();
        // TLS 1.3 hands out its tickets after the handshake: the client must read to have them.
        run(async {
            far.write_all(b"x").await.unwrap();
            far.flush().await.unwrap();
            near.read_exact(&mut [0]).await.unwrap();
        });
        assert!(!near.session().resumed);
        let (near, far) = world.shake(&client.clone(), &server, "www.lab.test").both();
        assert!(near.session().resumed && far.session().resumed, "{version}");
        let story = world.story(&world.client);
        assert_eq!(
            story[story.len() - 3..],
            ["started", "chain skipped", "established, resumed"],
            "{version}"
        );
        assert_eq!(near.session().peer_certificates.len(), 1);

        let (near, _) = world.shake(&client, &server, "www.lab.test.").both();
        assert!(near.session().resumed, "a trailing dot is no other name");
    }
}

#[test]
fn secrets_are_told_within_the_connections_span_and_given_to_the_sink() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, server) = pair(&ca);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    client.key_log = Some(Arc::new(move |line: &str| kept.lock().unwrap().push(line.to_owned())));
    let (near, _far) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    let records = world.records.records();
    let secrets: Vec<String> = records
        .iter()
        .filter(|record| record.node == world.client.node())
        .filter_map(|record| match &record.event {
            Event::Tls(Tls::Secret { line }) => {
                assert_eq!(record.span, near.scope().span());
                Some(line.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(*lines.lock().unwrap(), secrets);
    let labels: Vec<&str> = secrets.iter().filter_map(|line| line.split(' ').next()).collect();
    for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0"] {
        assert!(labels.contains(&label), "{labels:?}");
    }
    assert!(secrets.iter().all(|line| line.split(' ').nth(1).is_some_and(|random| random.len() == 64)));
}

#[test]
fn an_ip_address_is_not_sent_as_a_name_but_the_certificate_must_have_it() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let server = TlsServerConfig::new(vec![ca.identity(server_params(&["10.0.0.2"]))]);
    let client = TlsClientConfig::new(ca.trust());
    let (_, _) = world.shake(&world.client(client), &world.server(server), "10.0.0.2").both();
    let asked = world.told(&world.server).into_iter().find_map(|event| match event {
        Event::Tls(Tls::IdentityChosen { asked, .. }) => Some(asked),
        _ => None,
    });
    assert_eq!(asked, Some(None));
    assert!(world.evidence("name").1.starts_with("10.0.0.2 is among the names"));
}

#[test]
fn the_certificate_is_chosen_by_the_name_asked_for() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let identities: Vec<Identity> = [&["default.test"][..], &["*.lab.test"], &["www.lab.test"]]
        .into_iter()
        .map(|names| ca.identity(server_params(names)))
        .collect();
    let server = world.server(TlsServerConfig::new(identities));
    let client = world.client(TlsClientConfig::new(ca.trust()));
    for (asked, shown) in
        [("www.lab.test", "www.lab.test"), ("WIKI.lab.test", "*.lab.test"), ("default.test", "default.test")]
    {
        let (near, _) = world.shake(&client, &server, asked).both();
        assert_eq!(near.session().peer_certificates[0].names, [shown], "{asked}");
    }
    // A wildcard stands for one label only: the default is shown, and refused by the client.
    let refused = world.shake(&client, &server, "a.b.lab.test").client.err().unwrap();
    assert!(refused.to_string().contains("not for a.b.lab.test but for default.test"), "{refused}");
}

#[test]
fn ecdsa_and_rsa_keys_work_and_a_seeded_world_says_that_they_are_not_reproducible() {
    for (pem, named) in [
        (include_str!("world/p256.pem"), "ECDSA 256 bits"),
        (include_str!("world/rsa2048.pem"), "RSA 2048 bits"),
    ] {
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
            let key = KeyPair::from_pem(pem).unwrap();
            let leaf = ca.issue(server_params(&["www.lab.test"]), &key);
            let identity = Identity::from_der(vec![leaf], key.serialize_der()).unwrap();
            let mut client = TlsClientConfig::new(ca.trust());
            client.max_version = version;
            let server = TlsServerConfig::new(vec![identity]);
            let (near, _) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
            assert_eq!(near.session().peer_certificates[0].key, named);
            assert!(world.told(&world.server).iter().any(
                |event| matches!(event, Event::Note(Note { text, .. }) if text.contains("is not Ed25519"))
            ));
        }
    }
}

/// The evidence on the chain when a server shows `above` with a certificate of its own that `middle`
/// issued, to a client that believes `root`.
fn evidence_on_chain(world: &World, root: &Ca, middle: &Ca, above: Vec<Vec<u8>>) -> String {
    let own = middle.issue(server_params(&["www.lab.test"]), &key(9));
    let chain = std::iter::once(own).chain(above).collect();
    let identity = Identity::from_der(chain, key(9).serialize_der()).unwrap();
    let client = world.client(TlsClientConfig::new(root.trust()));
    let _ = world.shake(&client, &world.server(TlsServerConfig::new(vec![identity])), "www.lab.test").both();
    world.evidence("chain").1
}

#[test]
fn a_chain_over_an_intermediate_is_followed_and_certificates_beside_it_do_not_matter() {
    let (world, root) = (World::new(1), Ca::root("Lab CA", 1));
    let middle = root.intermediate(ca_params("Lab CA 2"), 2);
    let mut old = ca_params("Old CA");
    old.not_after = world::at(-DAY / 2);
    let above = vec![root.intermediate(old, 3).der, middle.der.clone()];
    assert_eq!(
        evidence_on_chain(&world, &root, &middle, above),
        "CN=www.lab.test, issued by CN=Lab CA 2, issued by the trusted root CN=Lab CA (given as trusted); 1 more \
         certificate was shown and is not needed"
    );
    assert!(world.evidence("validity").1.contains("; CN=Lab CA 2 is valid from"));
}

#[test]
fn of_two_ways_up_the_one_that_is_trusted_is_told() {
    let (world, root, old) = (World::new(1), Ca::root("Lab CA", 1), Ca::root("Old CA", 3));
    // One intermediate, vouched for by both roots; only one of them is believed.
    let vouched_by = |ca: &Ca| ca.intermediate(ca_params("Lab CA 2"), 2);
    let (by_old, by_root) = (vouched_by(&old), vouched_by(&root));
    let above = vec![by_old.der, by_root.der.clone()];
    assert_eq!(
        evidence_on_chain(&world, &root, &by_root, above),
        "CN=www.lab.test, issued by CN=Lab CA 2, issued by the trusted root CN=Lab CA (given as trusted); 1 more \
         certificate was shown and is not needed"
    );
}

#[test]
fn a_handshake_goes_through_in_portions_of_one_byte() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, server) = pair(&ca);
    let (client, server) = (world.client(client), world.server(server));
    let (near, far, _) = wire(1);
    let (near, far) = run(futures_util::future::join(
        client.connect(&world.client, near, "www.lab.test"),
        server.accept(&world.server, far),
    ));
    assert!(near.is_ok() && far.is_ok());
}

#[test]
fn pem_texts_are_read_and_their_faults_are_placed() {
    let ca = Ca::root("Lab CA", 1);
    let other = Ca::root("Other CA", 2);
    let both = format!("a comment\n{}{}", ca.pem, other.pem);
    assert_eq!(TrustStore::from_pem(both.as_bytes()).unwrap().len(), 2);
    let broken = format!("{}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", ca.pem);
    let error = TrustStore::from_pem(broken.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("certificate 2 cannot be a trusted root"), "{error}");
    let cut = &both[..both.len() - 40];
    let error = TrustStore::from_pem(cut.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("certificate 2 is not valid PEM"), "{error}");
    assert!(TrustStore::from_pem(b"hello").unwrap_err().to_string().starts_with("no certificate found"));
    let (store, refused) = TrustStore::from_system([ca.der.clone(), b"junk".to_vec()]);
    assert_eq!((store.len(), refused.len()), (1, 1));

    let leaf = ca.issue(server_params(&["www.lab.test"]), &key(9));
    let mismatch = Identity::from_der(vec![leaf.clone()], key(8).serialize_der()).unwrap_err();
    assert_eq!(mismatch.to_string(), "the private key does not belong to the certificate CN=www.lab.test");
    assert!(Identity::from_der(vec![], key(9).serialize_der()).is_err());
    assert!(Identity::from_der(vec![leaf], b"junk".to_vec()).is_err());
    assert!(Identity::from_pem(ca.pem.as_bytes(), ca.pem.as_bytes()).is_err());
    let world = World::new(1);
    let none = glasstack_tls::TlsServer::new(
        &SeededEntropy::shared(1),
        &world.clock,
        TlsServerConfig::new(Vec::<Identity>::new()),
    );
    assert!(matches!(none.err(), Some(ConfigError::NoIdentity)));
}
