//! What is read along of a handshake: every message with its fields, in the order of the wire, at both
//! ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod world;

use futures_util::future::join;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Alert, Direction, Field, HandshakeMessage, Party, Tls, Verdict};
use glasstack_journal::{Event, Scope};
use glasstack_stack::Entropy;
use glasstack_tls::{
    GroupList, Identity, TlsClient, TlsClientConfig, TlsServerConfig, TlsStream, TlsVersion,
};
use rcgen::KeyPair;
use std::sync::Arc;
use world::{Ca, End, Shaken, World, run, server_params, wire};

/// What `scope`'s node heard: who sent what, encrypted (`*`) or not.
fn heard(world: &World, scope: &Scope) -> Vec<String> {
    let line = |event: Event| match event {
        Event::Tls(Tls::Message(message)) => {
            let star = if message.under.is_some() { "*" } else { "" };
            Some(format!("{} {}{star}", message.from, message.name))
        }
        Event::Tls(Tls::Alert(alert)) => {
            let star = if alert.under.is_some() { "*" } else { "" };
            Some(format!("{} alert {}{star}", alert.from, alert.name))
        }
        Event::Tls(Tls::ReadingGivenUp { why }) => Some(format!("given up: {why}")),
        _ => None,
    };
    world.told(scope).into_iter().filter_map(line).collect()
}

/// The messages that `scope`'s node heard.
fn messages(world: &World, scope: &Scope) -> Vec<HandshakeMessage> {
    let message = |event| match event {
        Event::Tls(Tls::Message(message)) => Some(*message),
        _ => None,
    };
    world.told(scope).into_iter().filter_map(message).collect()
}

fn message(world: &World, scope: &Scope, name: &str) -> HandshakeMessage {
    messages(world, scope).into_iter().find(|message| message.name == name).unwrap()
}

fn remarks(message: &HandshakeMessage) -> Vec<&str> {
    message.remarks.iter().map(|remark| remark.text.as_str()).collect()
}

/// A client and a server of one certificate of the lab.
fn pair(ca: &Ca) -> (TlsClientConfig, TlsServerConfig) {
    let identity = ca.identity(server_params(&["www.lab.test"]));
    (TlsClientConfig::new(ca.trust()), TlsServerConfig::new(vec![identity]))
}

/// `hello` from the server, and both ends close.
fn converse(shaken: Shaken) {
    let (mut near, mut far) = shaken.both();
    run(async {
        far.write_all(b"hello").await.unwrap();
        far.close().await.unwrap();
        let mut all = Vec::new();
        near.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"hello");
        near.close().await.unwrap();
        far.read_to_end(&mut all).await.unwrap();
    });
}

/// The fields without fields of their own stand side by side and cover the message.
fn covers(message: &HandshakeMessage) {
    fn tile(fields: &[Field], mut at: usize) -> usize {
        for field in fields {
            assert_eq!(field.at, at, "{field:?}");
            at += field.length;
            if !field.fields.is_empty() {
                assert_eq!(tile(&field.fields, field.at), at, "{field:?}");
            }
        }
        at
    }
    assert_eq!(tile(&message.fields, 0), message.bytes.len(), "{}", message.name);
    assert!(message.all("unread").is_empty(), "{message:?}");
}

/// Both ends heard the same of each, from its own side; every byte has its field; every Finished
/// agrees.
fn both_ends_agree(world: &World) {
    for from in [Party::Client, Party::Server] {
        let of = |scope| {
            let mut messages = messages(world, scope);
            messages.retain(|message| message.from == from);
            messages
        };
        let (at_client, at_server) = (of(&world.client), of(&world.server));
        assert_eq!(at_client.len(), at_server.len());
        for (one, other) in at_client.iter().zip(&at_server) {
            assert_eq!((one.name, one.place, &one.bytes), (other.name, other.place, &other.bytes));
            assert_eq!((one.under, &one.fields), (other.under, &other.fields));
            assert_ne!(one.direction, other.direction);
            assert_eq!(one.direction == Direction::Out, one.from == Party::Client);
            covers(one);
            let judged = (one.name == "Finished").then_some(Verdict::Passed);
            assert_eq!((one.finished, other.finished), (judged, judged), "{one:?}");
        }
    }
}

const FULL_13: [&str; 13] = [
    "client ClientHello",
    "server ServerHello",
    "server ChangeCipherSpec",
    "server EncryptedExtensions*",
    "server Certificate*",
    "server CertificateVerify*",
    "server Finished*",
    "client ChangeCipherSpec",
    "client Finished*",
    "server NewSessionTicket*",
    "server NewSessionTicket*",
    "server alert close_notify*",
    "client alert close_notify*",
];

#[test]
fn a_full_handshake_of_tls_1_3_is_heard_in_the_order_of_the_wire_at_both_ends() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, server) = pair(&ca);
    converse(world.shake(&world.client(client), &world.server(server), "www.lab.test"));
    assert_eq!(heard(&world, &world.client), FULL_13);
    assert_eq!(heard(&world, &world.server), FULL_13);
    both_ends_agree(&world);

    let hello = message(&world, &world.client, "ClientHello");
    assert_eq!(hello.words("server_name/HostName/text"), ["www.lab.test"]);
    assert_eq!(hello.words("supported_versions/version"), ["TLS 1.3", "TLS 1.2"]);
    assert_eq!(hello.words("cipher_suites/cipher_suite")[0], "TLS_AES_256_GCM_SHA384");
    assert_eq!(hello.words("key_share/group"), ["x25519"]);
    assert_eq!(hello.slice("key_share/key_exchange/bytes").unwrap().len(), 32);
    assert_eq!(hello.slice("random").unwrap().len(), 32);
    let chosen = message(&world, &world.client, "ServerHello");
    assert_eq!(chosen.number("cipher_suite"), Some(0x1302));
    assert_eq!(
        remarks(&chosen),
        [
            "TLS 1.3 (the highest that the client offers)",
            "TLS_AES_256_GCM_SHA384 (the first of the client's suites)",
            "x25519 (the only one of the client's key shares)",
        ]
    );
    let certificate = message(&world, &world.client, "Certificate");
    assert_eq!(certificate.words("cert_data/ASN.1Cert"), ["CN=www.lab.test"]);
    assert_eq!(message(&world, &world.client, "CertificateVerify").words("algorithm"), ["ed25519"]);
    let ticket = message(&world, &world.client, "NewSessionTicket");
    assert_eq!(ticket.number("ticket_lifetime"), Some(86_400));
}

#[test]
fn every_record_is_counted_under_the_key_that_protected_it() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, server) = pair(&ca);
    let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
    let tap = shaken.tap.clone();
    converse(shaken);
    for scope in [&world.client, &world.server] {
        let told = world.told(scope);
        let counted = told.iter().find_map(|event| match event {
            Event::Tls(Tls::RecordsCounted { ranges, unread }) => Some((ranges, unread)),
            _ => None,
        });
        let (ranges, unread) = counted.unwrap();
        let line = |from| {
            let of = ranges.iter().filter(move |range| range.from == from);
            of.map(|range| (range.under, range.first, range.last, range.data_bytes)).collect::<Vec<_>>()
        };
        assert_eq!(
            line(Party::Server),
            [
                (None, 0, 1, 0),
                (Some("SERVER_HANDSHAKE_TRAFFIC_SECRET"), 2, 2, 0),
                (Some("SERVER_TRAFFIC_SECRET_0"), 3, 5, 5),
            ]
        );
        assert_eq!(
            line(Party::Client),
            [
                (None, 0, 1, 0),
                (Some("CLIENT_HANDSHAKE_TRAFFIC_SECRET"), 2, 2, 0),
                (Some("CLIENT_TRAFFIC_SECRET_0"), 3, 3, 0),
            ]
        );
        let bytes: u64 = ranges.iter().map(|range| range.bytes).sum();
        assert_eq!(bytes as usize, tap.client_sent().len() + tap.server_sent().len());
        assert_eq!(*unread, 0);
        // It is told while the span is open.
        assert!(matches!(told.last(), Some(Event::Span(_))));
    }
}

#[test]
fn keys_are_derived_for_both_ends_with_the_transcript_that_went_into_them() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, server) = pair(&ca);
    world.shake(&world.client(client), &world.server(server), "www.lab.test");
    let keys = |scope| {
        let told = world.told(scope).into_iter();
        let keys = told.filter_map(|event| match event {
            Event::Tls(Tls::KeysDerived(keys)) => Some(serde_json::to_string(&keys).unwrap()),
            _ => None,
        });
        keys.collect::<Vec<_>>()
    };
    let told = keys(&world.client);
    assert_eq!(told, keys(&world.server));
    let labels = ["CLIENT_HANDSHAKE", "SERVER_HANDSHAKE", "CLIENT_TRAFFIC", "SERVER_TRAFFIC"];
    assert_eq!(told.len(), labels.len());
    for (keys, label) in told.iter().zip(labels) {
        let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
        assert!(keys["label"].as_str().unwrap().starts_with(label));
        assert_eq!(keys["transcript_hash"].as_str().unwrap().len(), 96);
        assert_eq!(keys["key"].as_str().unwrap().len(), 64);
        assert_eq!(keys["iv"].as_str().unwrap().len(), 24);
        assert_eq!(keys["finished_key"].is_string(), label.ends_with("HANDSHAKE"));
    }
}

#[test]
fn a_resumed_handshake_says_so_and_shows_no_certificate() {
    for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let (mut client, server) = pair(&ca);
        client.max_version = version;
        let (client, server) = (world.client(client), world.server(server));
        converse(world.shake(&client, &server, "www.lab.test"));
        let before = messages(&world, &world.client).len();
        converse(world.shake(&client, &server, "www.lab.test"));
        both_ends_agree(&world);
        // Nothing went early, so there are no keys for it, though a server could always make them.
        for scope in [&world.client, &world.server] {
            let told = world.told(scope);
            let is_early = |event: &Event| match event {
                Event::Tls(Tls::KeysDerived(keys)) => keys.label.contains("EARLY"),
                Event::Tls(Tls::Secret { line }) => line.contains("EARLY"),
                _ => false,
            };
            assert!(!told.iter().any(is_early), "{told:?}");
        }
        let again = messages(&world, &world.client).split_off(before);
        let names: Vec<&str> = again.iter().map(|message| message.name).collect();
        let hello = again.iter().find(|message| message.name == "ServerHello").unwrap();
        if version == TlsVersion::Tls13 {
            assert_eq!(hello.number("selected_identity"), Some(0));
            assert!(remarks(hello).iter().any(|remark| remark.starts_with("resumes: ")), "{hello:?}");
            assert_eq!(again[0].all("PskBinderEntry").len(), 1);
            assert_eq!(
                names[..6],
                [
                    "ClientHello",
                    "ServerHello",
                    "ChangeCipherSpec",
                    "EncryptedExtensions",
                    "Finished",
                    "ChangeCipherSpec"
                ]
            );
        } else {
            assert!(remarks(hello).iter().any(|remark| remark.starts_with("resumes: ")), "{hello:?}");
            assert_eq!(names[0..3], ["ClientHello", "ServerHello", "ChangeCipherSpec"]);
            assert_eq!(names[names.len() - 3..], ["Finished", "ChangeCipherSpec", "Finished"]);
        }
    }
}

#[test]
fn a_client_that_is_asked_shows_its_certificate() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    for version in [TlsVersion::Tls13, TlsVersion::Tls12] {
        let (mut client, mut server) = pair(&ca);
        client.max_version = version;
        let mut params = server_params(&["alice"]);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        client.identity = Some(ca.identity(params));
        server.client_auth = glasstack_tls::ClientAuth::Required(glasstack_tls::ClientTrust::new(ca.trust()));
        converse(world.shake(&world.client(client), &world.server(server), "www.lab.test"));
    }
    both_ends_agree(&world);
    let asked = message(&world, &world.client, "CertificateRequest");
    assert_eq!(remarks(&asked), ["a certificate is asked for, issued by CN=Lab CA"]);
    let shown = messages(&world, &world.server).into_iter().filter(|message| {
        message.from == Party::Client && matches!(message.name, "Certificate" | "CertificateVerify")
    });
    assert_eq!(shown.count(), 4);
}

/// Randomness as in the real world: every group is offered.
struct Real;

impl Entropy for Real {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
    fn is_reproducible(&self) -> bool {
        false
    }
}

#[test]
fn a_retry_says_what_it_asks_for() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, server) = pair(&ca);
    client.groups = GroupList::parse("P-256:X25519").unwrap();
    let real: Arc<dyn Entropy> = Arc::new(Real);
    let client = TlsClient::new(&real, &world.clock, client).unwrap();
    // A server of the virtual world speaks X25519 alone.
    converse(world.shake(&client, &world.server(server), "www.lab.test"));
    let story = heard(&world, &world.client);
    assert_eq!(
        story[..4],
        [
            "client ClientHello",
            "server HelloRetryRequest",
            "server ChangeCipherSpec",
            "client ChangeCipherSpec"
        ]
    );
    assert_eq!(story[4..7], ["client ClientHello", "server ServerHello", "server EncryptedExtensions*"]);
    both_ends_agree(&world);
    let retry = message(&world, &world.client, "HelloRetryRequest");
    assert_eq!(remarks(&retry)[0], "asks for a key share for x25519: the client sent one for secp256r1");
}

/// Certificates for the key in `pem`, and what TLS 1.2 makes of them.
fn tls_1_2(pem: &str) -> (World, Vec<String>) {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let key = KeyPair::from_pem(pem).unwrap();
    let der = ca.issue(server_params(&["www.lab.test"]), &key);
    let identity = Identity::from_der(vec![der], key.serialize_der()).unwrap();
    let (mut client, _) = pair(&ca);
    client.max_version = TlsVersion::Tls12;
    let server = TlsServerConfig::new(vec![identity]);
    converse(world.shake(&world.client(client), &world.server(server), "www.lab.test"));
    both_ends_agree(&world);
    let story = heard(&world, &world.client);
    (world, story)
}

const FULL_12: [&str; 12] = [
    "client ClientHello",
    "server ServerHello",
    "server Certificate",
    "server ServerKeyExchange",
    "server ServerHelloDone",
    "client ClientKeyExchange",
    "client ChangeCipherSpec",
    "client Finished*",
    "server ChangeCipherSpec",
    "server Finished*",
    "server alert close_notify*",
    "client alert close_notify*",
];

#[test]
fn tls_1_2_is_read_along_whatever_the_key_of_the_certificate() {
    for (pem, suite, scheme) in [
        (include_str!("world/p256.pem"), "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ecdsa_secp256r1_sha256"),
        (include_str!("world/rsa2048.pem"), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "rsa_pss_rsae_sha512"),
    ] {
        let (world, story) = tls_1_2(pem);
        assert_eq!(story, FULL_12);
        let hello = message(&world, &world.client, "ServerHello");
        assert_eq!(hello.words("cipher_suite"), [suite]);
        assert_eq!(remarks(&hello)[0], "TLS 1.2 (the only version that the client offers)");
        let exchange = message(&world, &world.client, "ServerKeyExchange");
        assert_eq!(exchange.words("namedcurve"), ["x25519"]);
        assert_eq!(exchange.words("algorithm"), [scheme]);
        assert_eq!(remarks(&exchange), ["x25519 (the only one of the client's groups)"]);
    }
}

#[test]
fn a_server_of_ours_knows_why_it_passed_over_suites() {
    let (world, _) = tls_1_2(include_str!("world/rsa2048.pem"));
    let at = |scope| remarks(&message(&world, scope, "ServerHello"))[1].to_owned();
    assert_eq!(
        at(&world.client),
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 (the server passes over TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
         TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, which the client \
         puts first)"
    );
    assert_eq!(
        at(&world.server),
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 (the first of the client's list that can be used: \
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
         TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 not for the certificate's key)"
    );
}

#[test]
fn a_refusal_is_heard_as_an_alert_at_both_ends() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (mut client, server) = pair(&ca);
    client.trust = Ca::root("Another CA", 2).trust();
    let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
    assert!(shaken.client.is_err());
    drop(shaken);
    for (scope, direction) in [(&world.client, Direction::Out), (&world.server, Direction::In)] {
        let alert = world.told(scope).into_iter().find_map(|event| match event {
            Event::Tls(Tls::Alert(alert)) => Some(alert),
            _ => None,
        });
        let Alert { name, level, direction: told, from, .. } = alert.unwrap();
        assert_eq!((name, level, told, from), ("unknown_ca", "fatal", direction, Party::Client));
        assert_eq!(heard(&world, scope).iter().filter(|line| line.contains("given up")).count(), 0);
    }
}

#[test]
fn it_does_not_matter_in_which_pieces_the_bytes_come() {
    let story = |portion| {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let (client, server) = pair(&ca);
        let (near, far, tap) = wire(portion);
        let (client, server) = (world.client(client), world.server(server));
        let shaken =
            run(join(client.connect(&world.client, near, "www.lab.test"), server.accept(&world.server, far)));
        let shaken: (Result<TlsStream<End>, _>, Result<TlsStream<End>, _>) = shaken;
        converse(Shaken { client: shaken.0, server: shaken.1, tap });
        both_ends_agree(&world);
        // When each end gets to its ChangeCipherSpec depends on the pieces; what each says does not.
        let mut heard = heard(&world, &world.client);
        heard.sort_by_key(|line| line.starts_with("server"));
        heard
    };
    assert_eq!(story(1), story(usize::MAX));
    assert_eq!(story(7), story(usize::MAX));
}

#[test]
fn what_is_no_tls_is_said_once() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let (client, _) = pair(&ca);
    let (near, far, tap) = wire(usize::MAX);
    tap.inject_from_server(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let client = world.client(client);
    assert!(run(client.connect(&world.client, near, "www.lab.test")).is_err());
    drop(far);
    let story = heard(&world, &world.client);
    let given_up: Vec<&String> = story.iter().filter(|line| line.starts_with("given up")).collect();
    assert_eq!(
        given_up,
        ["given up: the server sends what is no TLS: no TLS record begins at byte 0: [48, 54, 54, 50, 2f]"]
    );
}

#[test]
fn early_data_is_read_along_whether_the_server_takes_it_or_not() {
    const QUESTION: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    for accepted in [true, false] {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let (client, mut server) = pair(&ca);
        server.early_data = 1024;
        let client = world.client(client);
        let first = world.server(server.clone());
        converse(world.shake(&client, &first, "www.lab.test"));
        let before = heard(&world, &world.client).len();
        // Another server has other tickets, and so knows nothing of this one.
        let second = if accepted { first } else { world.server(server) };
        let (near, far, tap) = wire(usize::MAX);
        let (near, far) = run(join(
            client.connect_early(&world.client, near, "www.lab.test", QUESTION),
            second.accept(&world.server, far),
        ));
        drop(Shaken { client: near, server: far, tap });
        let story = heard(&world, &world.client).split_off(before);
        let end = story.iter().any(|line| line == "client EndOfEarlyData*");
        assert_eq!(end, accepted, "{story:?}");
        for scope in [&world.client, &world.server] {
            let said = messages(&world, scope).into_iter().rfind(|one| one.name == "EncryptedExtensions");
            let text = if accepted {
                "the server accepts the early data"
            } else {
                "the server refuses the early data"
            };
            assert_eq!(remarks(&said.unwrap()), [text]);
            let finished: Vec<_> =
                messages(&world, scope).into_iter().filter_map(|message| message.finished).collect();
            assert_eq!(finished, [Verdict::Passed; 4]);
            let counted = world.told(scope).into_iter().rev().find_map(|event| match event {
                Event::Tls(Tls::RecordsCounted { ranges, unread }) => Some((ranges, unread)),
                _ => None,
            });
            let (ranges, unread) = counted.unwrap();
            let early: u64 = ranges
                .iter()
                .filter(|range| range.under == Some("CLIENT_EARLY_TRAFFIC_SECRET"))
                .map(|range| range.data_bytes)
                .sum();
            let at_server = scope.node() == world.server.node();
            let opened = accepted || !at_server;
            // A server that refuses early data has no secret to open it with.
            assert_eq!((early, unread > 0), (if opened { QUESTION.len() as u64 } else { 0 }, !opened));
        }
    }
}

#[test]
fn what_is_said_to_be_offered_is_what_goes_over_the_wire() {
    use TlsVersion::{Tls12, Tls13};
    for (min, max) in [(Tls12, Tls13), (Tls12, Tls12), (Tls13, Tls13)] {
        let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
        let (mut client, server) = pair(&ca);
        (client.min_version, client.max_version) = (min, max);
        let (client, server) = (world.client(client), world.server(server));
        converse(world.shake(&client, &server, "www.lab.test"));
        let said = world.told(&world.client).into_iter().find_map(|event| match event {
            Event::Tls(Tls::HandshakeStarted { suites, .. }) => Some(suites),
            _ => None,
        });
        let hello = message(&world, &world.client, "ClientHello");
        let mut sent = hello.words("cipher_suites/cipher_suite");
        // RFC 5746 3.3: a signal, no suite.
        sent.retain(|suite| !suite.contains("SCSV"));
        assert_eq!(said.unwrap(), sent, "{min} to {max}");
    }
}
