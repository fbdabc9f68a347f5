//! Sessions taken up again, tickets, and data before the handshake is over.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod world;

use futures_util::future::join;
use futures_util::{AsyncReadExt, AsyncWriteExt, FutureExt};
use glasstack_journal::Event;
use glasstack_journal::event::Tls;
use glasstack_stack::Entropy;
use glasstack_tls::{
    ClientAuth, ClientTrust, ConfigError, EarlyData, GroupList, ServerSessions, TlsClient, TlsClientConfig,
    TlsServer, TlsServerConfig, TlsStream, TlsVersion,
};
use rcgen::ExtendedKeyUsagePurpose;
use std::sync::Arc;
use world::{Ca, End, World, run, server_params, wire};

const NAME: &str = "www.lab.test";
const BOTH: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];
const KINDS: [ServerSessions; 2] = [ServerSessions::Kept(16), ServerSessions::Tickets { rotation: 3600 }];
const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: www.lab.test\r\n\r\n";

fn lab() -> (World, TlsClientConfig, TlsServerConfig) {
    let (world, ca) = (World::new(7), Ca::root("Lab CA", 1));
    let server = TlsServerConfig::new([ca.identity(server_params(&[NAME]))]);
    (world, TlsClientConfig::new(ca.trust()), server)
}

/// One whole connection, with a word each way, so that tickets arrive.
fn talk(world: &World, client: &TlsClient, server: &TlsServer, name: &str) -> (bool, bool) {
    let (mut near, mut far) = world.shake(client, server, name).both();
    let resumed = (near.session().resumed, far.session().resumed);
    say(&mut far, b"hello");
    hear(&mut near, b"hello");
    resumed
}

fn say(stream: &mut TlsStream<End>, words: &[u8]) {
    run(async {
        stream.write_all(words).await.unwrap();
        stream.flush().await.unwrap();
    });
}

fn hear(stream: &mut TlsStream<End>, words: &[u8]) {
    let mut heard = vec![0; words.len()];
    run(stream.read_exact(&mut heard)).unwrap();
    assert_eq!(heard, words);
}

fn notes(world: &World) -> Vec<String> {
    let both = [world.told(&world.client), world.told(&world.server)].concat();
    both.into_iter()
        .filter_map(|event| match event {
            Event::Note(note) => Some(note.text),
            _ => None,
        })
        .collect()
}

#[test]
fn a_session_is_taken_up_in_both_versions_by_what_the_server_keeps_and_by_tickets() {
    for version in BOTH {
        for kind in KINDS {
            let (world, mut client, mut server) = lab();
            (client.max_version, server.sessions) = (version, kind);
            let (client, server) = (world.client(client), world.server(server));
            assert_eq!(talk(&world, &client, &server, NAME), (false, false));
            assert_eq!(talk(&world, &client, &server, NAME), (true, true), "{version} {kind:?}");
            client.forget_sessions(NAME);
            assert_eq!(talk(&world, &client, &server, NAME), (false, false), "{version} {kind:?}");
        }
    }
}

#[test]
fn a_server_that_keeps_nothing_lets_nobody_take_a_session_up() {
    for version in BOTH {
        let (world, mut client, mut server) = lab();
        (client.max_version, server.sessions) = (version, ServerSessions::None);
        let (client, server) = (world.client(client), world.server(server));
        for _ in 0..2 {
            assert_eq!(talk(&world, &client, &server, NAME), (false, false), "{version}");
        }
    }
}

#[test]
fn a_session_is_for_the_server_of_the_same_name_and_the_client_that_made_it_alone() {
    let (world, config, _) = lab();
    let other = "other.lab.test";
    let server = TlsServerConfig::new([Ca::root("Lab CA", 1).identity(server_params(&[NAME, other]))]);
    let (client, server) = (world.client(config.clone()), world.server(server));
    talk(&world, &client, &server, NAME);
    assert_eq!(talk(&world, &client, &server, other), (false, false));
    assert_eq!(talk(&world, &world.client(config), &server, NAME), (false, false));
    assert_eq!(talk(&world, &client.clone(), &server, NAME), (true, true));
}

#[test]
fn a_server_that_does_not_know_the_session_any_more_gets_a_whole_handshake_and_that_is_told() {
    for version in BOTH {
        let (world, mut client, server) = lab();
        client.max_version = version;
        let client = world.client(client);
        talk(&world, &client, &world.server(server.clone()), NAME);
        assert_eq!(talk(&world, &client, &world.server(server), NAME), (false, false));
        let told = notes(&world);
        assert!(told.iter().any(|note| note == "the server did not take the session up"), "{told:?}");
    }
}

#[test]
fn who_the_client_is_is_known_in_a_session_taken_up_too() {
    for kind in KINDS {
        let (world, mut client, mut server) = lab();
        let clients = Ca::root("Clients CA", 2);
        let mut alice = server_params(&["alice"]);
        alice.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client.identity = Some(clients.identity(alice));
        server.client_auth = ClientAuth::Required(ClientTrust::new(clients.trust()));
        server.sessions = kind;
        let (client, server) = (world.client(client), world.server(server));
        talk(&world, &client, &server, NAME);
        let (_near, far) = world.shake(&client, &server, NAME).both();
        assert!(far.session().resumed);
        assert_eq!(far.session().peer_certificates[0].subject, "CN=alice");
    }
}

#[test]
fn tickets_are_the_same_for_the_same_seed() {
    let sent = || {
        let (world, client, mut server) = lab();
        server.sessions = ServerSessions::tickets();
        let (client, server) = (world.client(client), world.server(server));
        talk(&world, &client, &server, NAME);
        let shaken = world.shake(&client, &server, NAME);
        let bytes = (shaken.tap.client_sent(), shaken.tap.server_sent());
        assert!(shaken.both().0.session().resumed);
        bytes
    };
    assert_eq!(sent(), sent());
}

// ---- early data

/// A connection whose client sends QUESTION early.
fn early(world: &World, client: &TlsClient, server: &TlsServer) -> (TlsStream<End>, TlsStream<End>) {
    let (near, far, _) = wire(usize::MAX);
    let (near, far) = run(join(
        client.connect_early(&world.client, near, NAME, QUESTION),
        server.accept(&world.server, far),
    ));
    (near.unwrap(), far.unwrap())
}

#[test]
fn early_data_arrives_with_the_first_flight_and_is_marked_on_both_sides() {
    let (world, client, mut server) = lab();
    server.early_data = 1024;
    let (client, server) = (world.client(client), world.server(server));
    let (mut near, mut far) = early(&world, &client, &server);
    assert_eq!(near.session().early_data, EarlyData::NoSession);
    assert_eq!(far.session().early_data, EarlyData::None);
    hear(&mut far, QUESTION);
    say(&mut far, b"answer");
    hear(&mut near, b"answer");

    let (mut near, mut far) = early(&world, &client, &server);
    assert_eq!(near.session().early_data, EarlyData::Accepted(QUESTION.len()));
    assert_eq!(far.session().early_data, EarlyData::Received(QUESTION.len()));
    say(&mut near, b" and more");
    hear(&mut far, QUESTION);
    hear(&mut far, b" and more");
    let told = notes(&world);
    assert!(told.iter().any(|note| note.contains("can send them once more")), "{told:?}");
    assert!(told.iter().any(|note| note.contains("no recording played again")), "{told:?}");
}

#[test]
fn early_data_that_is_refused_is_sent_once_more_and_arrives_once() {
    let (world, client, mut server) = lab();
    server.early_data = 1024;
    let client = world.client(client);
    talk(&world, &client, &world.server(server.clone()), NAME);
    // Another server of the name, which does not know the session.
    let (near, mut far) = early(&world, &client, &world.server(server));
    assert_eq!(near.session().early_data, EarlyData::Refused(QUESTION.len()));
    assert_eq!(far.session().early_data, EarlyData::None);
    hear(&mut far, QUESTION);
    drop(near);
    let mut rest = Vec::new();
    assert!(run(far.read_to_end(&mut rest)).is_err());
    assert!(rest.is_empty());
}

/// Randomness as in the real world: every group is spoken.
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
fn early_data_before_a_retry_is_sent_once_more_and_arrives_once() {
    let (world, mut client, mut server) = lab();
    server.early_data = 1024;
    client.groups = GroupList::parse("P-256:X25519").unwrap();
    let real: Arc<dyn Entropy> = Arc::new(Real);
    let client = TlsClient::new(&real, &world.clock, client).unwrap();
    let first = TlsServer::new(&real, &world.clock, server.clone()).unwrap();
    talk(&world, &client, &first, NAME);
    // A server of the virtual world speaks X25519 alone.
    let (near, mut far) = early(&world, &client, &world.server(server));
    let asked = |event: &Event| matches!(event, Event::Tls(Tls::Message(message)) if message.name == "HelloRetryRequest");
    assert!(world.told(&world.client).iter().any(asked));
    assert_eq!(near.session().early_data, EarlyData::Refused(QUESTION.len()));
    hear(&mut far, QUESTION);
    drop(near);
    let mut rest = Vec::new();
    assert!(run(far.read_to_end(&mut rest)).is_err());
    assert!(rest.is_empty());
}

#[test]
fn nothing_is_sent_early_where_the_server_takes_less_or_nothing_and_it_is_told_which() {
    let none = (EarlyData::NotAllowed, "this server's ticket allows none");
    let less = EarlyData::TooMuch { bytes: QUESTION.len(), allowed: 10 };
    for (allowed, outcome, told) in
        [(0, none.0, none.1), (10, less, "38 bytes of early data are more than the 10 that")]
    {
        let (world, client, mut server) = lab();
        server.early_data = allowed;
        let (client, server) = (world.client(client), world.server(server));
        talk(&world, &client, &server, NAME);
        let (near, mut far) = early(&world, &client, &server);
        assert!(near.session().resumed);
        assert_eq!(near.session().early_data, outcome);
        assert!(notes(&world).iter().any(|note| note.contains(told)), "{told}: {:?}", notes(&world));
        hear(&mut far, QUESTION);
    }
}

#[test]
fn a_session_of_tls_1_2_is_none_for_early_data() {
    let (world, mut client, server) = lab();
    client.max_version = TlsVersion::Tls12;
    let (client, server) = (world.client(client), world.server(server));
    talk(&world, &client, &server, NAME);
    let (near, mut far) = early(&world, &client, &server);
    assert!(near.session().resumed);
    assert_eq!(near.session().early_data, EarlyData::NoSession);
    hear(&mut far, QUESTION);
}

#[test]
fn that_early_data_can_be_played_again_is_told_when_it_is_sent_whatever_becomes_of_it() {
    for accepted in [true, false] {
        let (world, client, mut server) = lab();
        server.early_data = 1024;
        let (client, first) = (world.client(client), world.server(server.clone()));
        talk(&world, &client, &first, NAME);
        let second = if accepted { first } else { world.server(server) };
        let (near, mut far) = early(&world, &client, &second);
        hear(&mut far, QUESTION);
        drop((near, far));
        let told = notes(&world);
        let at = |words: &str| told.iter().position(|note| note.contains(words));
        let sent =
            at("38 bytes are sent before the handshake is over (0-RTT). Whoever records them can send");
        let outcome =
            at(if accepted { "the server took the 38 bytes" } else { "the server refused the 38 bytes" });
        assert!(sent.is_some() && sent < outcome, "{told:?}");
    }
}

#[test]
fn early_data_played_again_gets_nowhere() {
    let (world, client, mut server) = lab();
    server.early_data = 1024;
    let (client, server) = (world.client(client), world.server(server));
    talk(&world, &client, &server, NAME);
    let (near, far, tap) = wire(usize::MAX);
    let (near, far) = run(join(
        client.connect_early(&world.client, near, NAME, QUESTION),
        server.accept(&world.server, far),
    ));
    assert!(near.is_ok() && far.is_ok());
    // Who recorded the client's flights plays them to the same server.
    let (mut again, far, _) = wire(usize::MAX);
    run(async {
        again.write_all(&tap.client_sent()).await.unwrap();
        again.close().await.unwrap();
    });
    assert!(run(server.accept(&world.server, far)).is_err());
}

#[test]
fn an_answer_to_early_data_is_not_heard_before_the_question_was_asked() {
    let (world, client, mut server) = lab();
    server.early_data = 1024;
    let (client, server) = (world.client(client), world.server(server));
    talk(&world, &client, &server, NAME);
    let (mut near, mut far) = early(&world, &client, &server);
    near.expect_early(QUESTION);
    hear(&mut far, QUESTION);
    say(&mut far, b"answer");
    let mut buffer = [0; 6];
    // Whoever asks without waiting hears nothing yet.
    assert!(near.read(&mut buffer).now_or_never().is_none());
    say(&mut near, QUESTION);
    hear(&mut near, b"answer");
}

#[test]
fn early_data_needs_sessions_that_the_server_itself_keeps() {
    let (world, _, mut server) = lab();
    server.early_data = 1024;
    server.sessions = ServerSessions::tickets();
    let refused = TlsServer::new(&world.entropy, &world.clock, server);
    assert!(matches!(refused, Err(ConfigError::EarlyDataUntracked)));
}

#[test]
fn a_connect_without_early_data_sends_none() {
    let (world, client, mut server) = lab();
    server.early_data = 1024;
    let (client, server) = (world.client(client), world.server(server));
    talk(&world, &client, &server, NAME);
    let (near, _far) = world.shake(&client, &server, NAME).both();
    assert!(near.session().resumed);
    assert_eq!(near.session().early_data, EarlyData::None);
}
