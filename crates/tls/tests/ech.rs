//! Encrypted ClientHello, as far as a client without such a server can show it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod world;

use glasstack_journal::Event;
use glasstack_tls::{
    ConfigError, Ech, EchError, TlsClient, TlsClientConfig, TlsError, TlsServerConfig, TlsVersion,
};
use world::{Ca, World, server_params};

const NAME: &str = "hidden.lab.test";
/// RFC 9849 4: encrypted_client_hello.
const EXTENSION: [u8; 2] = [0xfe, 0x0d];

/// A list of one key (RFC 9849 4): X25519, HKDF-SHA256, AES-128-GCM, the public name open.lab.test.
fn list() -> Vec<u8> {
    let name = b"open.lab.test";
    // Any 32 bytes are an X25519 key; nobody has the private half of this one.
    let public = [9; 32];
    let mut contents = vec![7, 0, 0x20, 0, 32];
    contents.extend(public);
    contents.extend([0, 4, 0, 1, 0, 1, 0, u8::try_from(name.len()).unwrap()]);
    contents.extend(name);
    contents.extend([0, 0]);
    let length = u8::try_from(contents.len()).unwrap();
    let config = [&[0xfe, 0x0d, 0, length][..], &contents].concat();
    [&[0, length + 4][..], &config].concat()
}

fn lab(ech: Ech, names: &[&str]) -> (World, TlsClientConfig, TlsServerConfig) {
    let (world, ca) = (World::new(7), Ca::root("Lab CA", 1));
    let mut client = TlsClientConfig::new(ca.trust());
    client.ech = ech;
    (world, client, TlsServerConfig::new([ca.identity(server_params(names))]))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn grease_sends_the_extension_and_changes_nothing_else() {
    for (ech, there) in [(Ech::Off, false), (Ech::Grease, true)] {
        let (world, client, server) = lab(ech, &[NAME]);
        let shaken = world.shake(&world.client(client), &world.server(server), NAME);
        assert_eq!(contains(&shaken.tap.client_sent(), &EXTENSION), there);
        assert!(contains(&shaken.tap.client_sent(), NAME.as_bytes()));
        assert_eq!(shaken.both().0.session().version, "TLS 1.3");
    }
}

#[test]
fn the_name_is_hidden_and_a_server_that_cannot_read_it_is_refused() {
    let (world, client, server) = lab(Ech::Configs(list()), &["open.lab.test"]);
    let shaken = world.shake(&world.client(client), &world.server(server), NAME);
    assert!(!contains(&shaken.tap.client_sent(), b"hidden"));
    assert!(contains(&shaken.tap.client_sent(), b"open.lab.test"));
    let error = shaken.client.err().unwrap();
    assert!(matches!(error, TlsError::EchRefused { retry: None }), "{error}");
    assert!(error.to_string().contains("or has turned it off"), "{error}");
}

#[test]
fn a_list_that_cannot_be_used_is_refused_in_words() {
    let world = World::new(7);
    for (list, max, words) in [
        (vec![0, 0], TlsVersion::Tls13, "Encrypted ClientHello (--ech) cannot be done with what was given"),
        (
            b"nonsense".to_vec(),
            TlsVersion::Tls13,
            "Encrypted ClientHello (--ech) cannot be done with what was given",
        ),
        (list(), TlsVersion::Tls12, "needs TLS 1.3"),
    ] {
        let (_, mut client, _) = lab(Ech::Configs(list), &[NAME]);
        client.max_version = max;
        let error: ConfigError = TlsClient::new(&world.entropy, &world.clock, client).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_curl_says_about_ech_is_understood_or_answered() {
    assert_eq!("false".parse(), Ok(Ech::Off));
    assert_eq!("grease".parse(), Ok(Ech::Grease));
    assert_eq!("ecl:AAEC".parse(), Ok(Ech::Configs(vec![0, 1, 2])));
    assert!(matches!("ecl:?".parse::<Ech>(), Err(EchError::Base64(_))));
    for word in ["true", "hard"] {
        let error = word.parse::<Ech>().unwrap_err();
        assert!(error.to_string().contains("HTTPS records"), "{error}");
    }
    assert!(matches!("pn:x".parse::<Ech>(), Err(EchError::Unknown { .. })));
}

#[test]
fn that_it_is_not_the_same_for_the_same_seed_is_told() {
    for (ech, told) in [(Ech::Off, false), (Ech::Grease, true)] {
        let (world, client, server) = lab(ech, &[NAME]);
        world.shake(&world.client(client), &world.server(server), NAME).both();
        let warned = world.told(&world.client).into_iter().any(|event| {
            matches!(event, Event::Note(note) if note.text.contains("not the same for the same seed"))
        });
        assert_eq!(warned, told);
    }
}

#[test]
fn that_it_leaves_tls_1_2_out_is_told_unless_nobody_wanted_that() {
    for (ech, min, told) in [
        (Ech::Off, TlsVersion::Tls12, false),
        (Ech::Grease, TlsVersion::Tls12, true),
        (Ech::Grease, TlsVersion::Tls13, false),
    ] {
        let (world, mut client, server) = lab(ech, &[NAME]);
        client.min_version = min;
        world.shake(&world.client(client), &world.server(server), NAME).both();
        let said = world.told(&world.client).into_iter().any(
            |event| matches!(event, Event::Note(note) if note.text.starts_with("TLS 1.2 is not offered")),
        );
        assert_eq!(said, told);
    }
}

#[test]
fn keys_that_cannot_be_used_are_told_in_words() {
    let mut of_the_future = list();
    of_the_future[2] = 0xaa;
    for (list, words) in
        [(of_the_future, "no key in it is of a version"), (vec![0, 9, 1], "it is no list of keys")]
    {
        let (world, client, _) = lab(Ech::Configs(list), &[NAME]);
        let why = TlsClient::new(&world.entropy, &world.clock, client).err().unwrap().to_string();
        assert!(why.contains(words), "{why}");
    }
}
