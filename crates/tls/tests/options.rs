//! What a client may choose: suites and groups, its own certificate, pinned keys, revocation lists,
//! resumption.

#![allow(clippy::unwrap_used, clippy::panic)]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::Event;
use glasstack_journal::event::{Note, Tls, Verdict};
use glasstack_tls::{
    CertificateProblem, CipherList, ClientAuth, ClientTrust, ConfigError, FileFormat, GroupList, Identity,
    IdentityError, IdentityFiles, PinnedKeys, RevocationError, RevocationLists, TlsClient, TlsClientConfig,
    TlsError, TlsErrorKind, TlsServerConfig, TlsVersion,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, PublicKeyData, RevokedCertParams};
use world::{Ca, DAY, World, at, ca_params, key, run, server_params};

/// A CA, and a client and a server that know it.
fn lab() -> (World, Ca, TlsClientConfig, TlsServerConfig) {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let client = TlsClientConfig::new(ca.trust());
    let server = TlsServerConfig::new(vec![ca.identity(server_params(&["www.lab.test"]))]);
    (world, ca, client, server)
}

fn warnings(world: &World) -> Vec<String> {
    let warning = |event| match event {
        Event::Note(Note { text, .. }) => Some(text),
        _ => None,
    };
    world.told(&world.client).into_iter().filter_map(warning).collect()
}

// ---- suites and groups

#[test]
fn only_the_suites_chosen_are_offered_and_what_is_not_spoken_is_told() {
    let (world, _, mut client, server) = lab();
    client.max_version = TlsVersion::Tls12;
    client.ciphers =
        CipherList::parse(Some("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA"), None).unwrap();
    let (near, _far) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    assert_eq!(near.session().suite, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    let offered = world.told(&world.client).into_iter().find_map(|event| match event {
        Event::Tls(Tls::HandshakeStarted { suites, .. }) => Some(suites),
        _ => None,
    });
    assert_eq!(offered.unwrap(), ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]);
    let told = warnings(&world);
    assert!(told[0].starts_with("not offered: ECDHE-ECDSA-AES128-SHA encrypts by CBC"), "{told:?}");
}

#[test]
fn a_list_of_tls_1_3_suites_alone_offers_no_tls_1_2() {
    let (world, _, mut client, mut server) = lab();
    client.ciphers = CipherList::parse(Some("TLS_CHACHA20_POLY1305_SHA256"), None).unwrap();
    let (near, _far) =
        world.shake(&world.client(client.clone()), &world.server(server.clone()), "www.lab.test").both();
    assert_eq!(near.session().suite, "TLS_CHACHA20_POLY1305_SHA256");

    server.max_version = TlsVersion::Tls12;
    let shaken = world.shake(&world.client(client.clone()), &world.server(server), "www.lab.test");
    assert!(shaken.client.err().unwrap().to_string().contains("protocol_version"));

    client.max_version = TlsVersion::Tls12;
    let refused = TlsClient::new(&world.entropy, &world.clock, client).err().unwrap();
    assert!(matches!(refused, ConfigError::NoSuite { .. }), "{refused}");
}

#[test]
fn suites_that_do_not_fit_the_servers_key_end_in_a_handshake_failure() {
    let (world, _, mut client, server) = lab();
    client.max_version = TlsVersion::Tls12;
    client.ciphers = CipherList::parse(Some("aRSA"), None).unwrap();
    let error =
        world.shake(&world.client(client), &world.server(server), "www.lab.test").client.err().unwrap();
    assert_eq!(error.kind(), TlsErrorKind::Handshake);
    assert!(error.to_string().contains("handshake_failure"), "{error}");
}

#[test]
fn a_group_that_a_world_lacks_is_refused_before_anything_is_sent() {
    let (world, _, mut client, _) = lab();
    client.groups = GroupList::parse("X25519:P-256").unwrap();
    assert!(TlsClient::new(&world.entropy, &world.clock, client.clone()).is_ok());
    client.groups = GroupList::parse("secp384r1").unwrap();
    let refused = TlsClient::new(&world.entropy, &world.clock, client).err().unwrap();
    assert!(matches!(refused, ConfigError::NoGroup));
    let unknown = GroupList::parse("X25519:sect571r1").unwrap_err().to_string();
    assert!(unknown.contains("sect571r1") && unknown.contains("P-384"), "{unknown}");
}

// ---- versions

#[test]
fn a_version_or_later_is_raised_to_what_is_spoken_and_one_at_most_is_not() {
    for text in ["1", "1.0", "1.1", "1.2"] {
        assert_eq!(TlsVersion::at_least(text), Ok(TlsVersion::Tls12));
    }
    assert_eq!(TlsVersion::at_least("1.3"), Ok(TlsVersion::Tls13));
    assert_eq!(TlsVersion::at_most("1.2"), Ok(TlsVersion::Tls12));
    assert_eq!(TlsVersion::at_most("default"), Ok(TlsVersion::Tls13));
    let why = TlsVersion::at_most("1.1").unwrap_err().to_string();
    assert!(why.contains("rustls has nothing older") && why.contains("RFC 8996"), "{why}");
    assert!(TlsVersion::at_least("1.4").is_err() && TlsVersion::at_most("").is_err());
}

// ---- the client's own certificate

fn client_params(name: &str) -> CertificateParams {
    let mut params = server_params(&[name]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks_and_tells_it() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (world, ca, mut client, mut server) = lab();
        server.client_auth = ClientAuth::Required(ClientTrust::new(ca.trust()));
        client.identity = Some(ca.identity(client_params("alice")));
        client.max_version = version;
        let (_near, far) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
        assert_eq!(far.session().peer_certificates[0].subject, "CN=alice");
        let chosen = world.told(&world.client).into_iter().find_map(|event| match event {
            Event::Tls(Tls::ClientIdentityShown { subject, why }) => Some((subject, why)),
            _ => None,
        });
        let (subject, why) = chosen.unwrap();
        assert_eq!(subject, "CN=alice");
        assert_eq!(why, "the server asks for a client certificate issued by CN=Lab CA");
    }
}

#[test]
fn a_server_that_does_not_ask_is_shown_nothing() {
    let (world, ca, mut client, server) = lab();
    client.identity = Some(ca.identity(client_params("alice")));
    let (_near, far) = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    assert!(far.session().peer_certificates.is_empty());
    assert!(!world.story(&world.client).iter().any(|step| step.starts_with("showed")));
}

#[test]
fn a_client_without_the_certificate_asked_for_is_warned_and_hears_the_servers_refusal() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (world, ca, mut client, mut server) = lab();
        server.client_auth = ClientAuth::Required(ClientTrust::new(ca.trust()));
        client.max_version = version;
        let shaken = world.shake(&world.client(client), &world.server(server), "www.lab.test");
        assert!(shaken.server.is_err());
        // RFC 8446 4.4.2.4: in TLS 1.3 the client is done before the server has seen its answer.
        let alert = match shaken.client {
            Err(error) => error.to_string(),
            Ok(mut stream) => run(stream.read(&mut [0; 16])).unwrap_err().to_string(),
        };
        assert!(alert.contains("wants a client certificate, and none was given"), "{version}: {alert}");
        let told = warnings(&world);
        assert!(told.iter().any(|text| text.contains("give one with --cert FILE")), "{told:?}");
    }
}

#[test]
fn a_certificate_of_a_stranger_is_refused_by_the_server() {
    let (world, _, mut client, mut server) = lab();
    server.client_auth = ClientAuth::Required(ClientTrust::new(Ca::root("Other CA", 4).trust()));
    client.identity = Some(Ca::root("Lab CA", 1).identity(client_params("alice")));
    client.max_version = TlsVersion::Tls12;
    let error =
        world.shake(&world.client(client), &world.server(server), "www.lab.test").client.err().unwrap();
    assert!(error.to_string().contains("unknown_ca"), "{error}");
}

// ---- the files of an identity

/// A certificate for the key of `p256.pem`, in PEM and DER.
fn certificate() -> (String, Vec<u8>) {
    let pair = KeyPair::from_pem(include_str!("world/p256.pem")).unwrap();
    let ca = Ca::root("Lab CA", 1);
    let der = ca.issue(client_params("alice"), &pair);
    let body: String = base64(&der)
        .as_bytes()
        .chunks(64)
        .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
        .collect();
    (format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"), der)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

fn read(certificate: &str, key: Option<&str>, password: Option<&str>) -> Result<Identity, IdentityError> {
    let files =
        IdentityFiles { key: key.map(str::as_bytes), password, ..IdentityFiles::pem(certificate.as_bytes()) };
    Identity::from_files(&files)
}

#[test]
fn certificate_and_key_come_from_two_files_or_from_one_in_either_order() {
    let (certificate, _) = certificate();
    let key = include_str!("world/p256.pem");
    for (first, second) in [
        (certificate.clone(), Some(key)),
        (format!("{certificate}{key}"), None),
        (format!("{key}{certificate}"), None),
        (format!("Bag Attributes\n  friendlyName: alice\n{certificate}").replace('\n', "\r\n"), Some(key)),
    ] {
        let identity = read(&first, second, None).unwrap();
        assert_eq!(identity.certificate().subject, "CN=alice");
        // A password for a key that needs none does not matter.
        assert!(read(&first, second, Some("secret")).is_ok());
    }
    assert!(matches!(read(&certificate, None, None), Err(IdentityError::Key(_))));
    assert!(matches!(read(key, None, None), Err(IdentityError::NoCertificate)));
    let other = include_str!("world/rsa2048.pem");
    assert!(matches!(read(&certificate, Some(other), None), Err(IdentityError::Mismatch { .. })));
}

#[test]
fn an_encrypted_key_is_opened_by_its_password_and_by_no_other() {
    let (certificate, _) = certificate();
    for key in [
        include_str!("world/p256.aes.pem"),
        include_str!("world/p256.des3.pem"),
        include_str!("world/p256.scrypt.pem"),
    ] {
        assert!(read(&certificate, Some(key), Some("secret")).is_ok());
        assert!(read(&format!("{certificate}{key}"), None, Some("secret")).is_ok());
        for wrong in ["", "Secret", "secret "] {
            let error = read(&certificate, Some(key), Some(wrong)).unwrap_err();
            assert!(matches!(error, IdentityError::Password), "{wrong:?}: {error}");
        }
        let missing = read(&certificate, Some(key), None).unwrap_err();
        assert!(missing.to_string().contains("--pass"), "{missing}");
    }
}

#[test]
fn a_key_whose_password_is_to_be_hashed_without_end_is_refused_at_once() {
    use rustls::pki_types::pem::PemObject;
    let (certificate, _) = certificate();
    let section = include_str!("world/p256.aes.pem").replace("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(section.as_bytes()).unwrap();
    // 2048 times, as OpenSSL writes it: the number becomes one of as many bytes.
    let mut der = key.secret_pkcs8_der().to_vec();
    let at = der.windows(4).position(|bytes| bytes == [2, 2, 8, 0]).unwrap();
    der[at + 2] = 0x7f;
    let files = |der: &[u8]| {
        let key = der.to_vec();
        let files = IdentityFiles {
            key: Some(&key),
            key_format: FileFormat::Der,
            password: Some("secret"),
            ..IdentityFiles::pem(certificate.as_bytes())
        };
        Identity::from_files(&files).unwrap_err()
    };
    assert!(matches!(files(&der), IdentityError::Password), "32 512 times are not too many");
    // Two bytes more in the number, and in all that it is in.
    der.splice(at..at + 4, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
    for at in outer_lengths(&der, at) {
        der[at] += 2;
    }
    let error = files(&der).to_string();
    assert!(error.contains("the password is hashed 2147483647 times"), "{error}");
}

#[test]
fn a_key_with_too_short_an_initialization_vector_is_refused() {
    use rustls::pki_types::pem::PemObject;
    let (certificate, _) = certificate();
    let section = include_str!("world/p256.des3.pem").replace("ENCRYPTED PRIVATE KEY", "PRIVATE KEY");
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(section.as_bytes()).unwrap();
    let mut der = key.secret_pkcs8_der().to_vec();
    // Of 8 bytes, 3 go, and all that they are in becomes so much shorter.
    let at = der.windows(4).position(|bytes| bytes == [3, 7, 4, 8]).unwrap() + 2;
    for at in outer_lengths(&der, at) {
        der[at] -= 3;
    }
    der[at + 1] = 5;
    der.drain(at + 2..at + 5);
    let files = IdentityFiles {
        key: Some(&der),
        key_format: FileFormat::Der,
        password: Some("secret"),
        ..IdentityFiles::pem(certificate.as_bytes())
    };
    let error = Identity::from_files(&files).unwrap_err().to_string();
    assert!(error.contains("initialization vector is too short"), "{error}");
}

/// Where the last bytes of the lengths stand of all that the element at `inner` is in.
fn outer_lengths(der: &[u8], inner: usize) -> Vec<usize> {
    let (mut at, mut found) = (0, Vec::new());
    while at < inner {
        let long = usize::from(der[at + 1]);
        let (header, length) = match long {
            0..=0x7f => (2, long),
            _ => {
                let bytes = &der[at + 2..at + 2 + (long & 0x7f)];
                (2 + bytes.len(), bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
            }
        };
        if at + header + length > inner {
            found.push(at + header - 1);
            at += header;
        } else {
            at += header + length;
        }
    }
    found
}

#[test]
fn a_key_encrypted_in_an_old_way_is_refused_with_the_command_that_helps() {
    let (certificate, _) = certificate();
    for key in [include_str!("world/p256.traditional.pem"), include_str!("world/p256.pbes1.pem")] {
        let error = read(&certificate, Some(key), Some("secret")).unwrap_err().to_string();
        assert!(error.contains("openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem"), "{error}");
    }
}

#[test]
fn der_is_read_when_it_is_said_and_recognised_when_it_is_not() {
    let (_, der) = certificate();
    let key = KeyPair::from_pem(include_str!("world/p256.pem")).unwrap().serialize_der();
    let files = IdentityFiles {
        certificate_format: FileFormat::Der,
        key: Some(&key),
        key_format: FileFormat::Der,
        ..IdentityFiles::pem(&der)
    };
    assert_eq!(Identity::from_files(&files).unwrap().certificate().subject, "CN=alice");
    let error = Identity::from_files(&IdentityFiles::pem(&der)).unwrap_err();
    assert!(matches!(error, IdentityError::DerForPem), "{error}");

    assert_eq!("der".parse::<FileFormat>().unwrap(), FileFormat::Der);
    let error = "ENG".parse::<FileFormat>().unwrap_err().to_string();
    assert!(error.contains("PEM, DER or P12"), "{error}");
    let pkcs12 = [0x30, 0x82, 0x0a, 0x00, 2, 1, 3, 0x30, 0x82];
    assert!(matches!(Identity::from_files(&IdentityFiles::pem(&pkcs12)), Err(IdentityError::Pkcs12ForPem)));
}

#[test]
fn no_beginning_and_no_flipped_byte_of_a_key_file_makes_it_panic() {
    let (certificate, _) = certificate();
    for key in [include_str!("world/p256.aes.pem"), include_str!("world/p256.pem")] {
        for cut in (0..key.len()).step_by(7) {
            let _ = read(&certificate, Some(&key[..cut]), None);
            let mut bytes = key.as_bytes().to_vec();
            bytes[cut] ^= 1;
            let _ = read(&certificate, Some(&String::from_utf8_lossy(&bytes)), None);
        }
    }
}

// ---- pinned keys

fn pin_of(pair: &KeyPair) -> PinnedKeys {
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    pem.push_str(&base64(&pair.subject_public_key_info()));
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    PinnedKeys::from_file(pem.as_bytes()).unwrap()
}

#[test]
fn a_server_with_the_pinned_key_is_accepted() {
    let (world, _, mut client, server) = lab();
    client.pinned = Some(pin_of(&key(9)));
    let _ = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    assert_eq!(world.evidence("pin").0, Verdict::Passed);
}

#[test]
fn a_server_with_another_key_is_refused_even_where_its_certificate_is_not_checked() {
    for insecure in [false, true] {
        let (world, _, mut client, server) = lab();
        client.pinned = Some(pin_of(&key(8)));
        client.insecure = insecure;
        let shaken =
            world.shake(&world.client(client.clone()), &world.server(server.clone()), "www.lab.test");
        let error = shaken.client.err().unwrap();
        assert_eq!(error.kind(), TlsErrorKind::PinnedKey, "{error}");
        let TlsError::Certificate { problem: CertificateProblem::NotPinned { hash, .. }, .. } = error else {
            panic!("{error}");
        };
        // The hash told is the one to pin.
        client.pinned = Some(PinnedKeys::from_hashes(&hash).unwrap());
        let _ = world.shake(&world.client(client), &world.server(server), "www.lab.test").both();
    }
}

#[test]
fn a_certificate_that_is_bad_otherwise_is_refused_for_that_first() {
    let (world, _, mut client, server) = lab();
    client.pinned = Some(pin_of(&key(8)));
    let error = world.shake(&world.client(client), &world.server(server), "other.test").client.err().unwrap();
    assert_eq!(error.kind(), TlsErrorKind::Certificate, "{error}");
}

// ---- revocation

/// The server's certificates have serial number 42.
fn revoked(serial: u64) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: serial.into(),
        revocation_time: at(-DAY / 2),
        reason_code: None,
        invalidity_date: None,
    }
}

fn judged(lists: &[String]) -> (World, Result<(), TlsError>) {
    let (world, _, mut client, server) = lab();
    client.revocation = RevocationLists::from_pem(lists.concat().as_bytes()).unwrap().into();
    let result = world.shake(&world.client(client), &world.server(server), "www.lab.test").client;
    (world, result.map(drop))
}

#[test]
fn a_certificate_on_no_list_passes() {
    let (world, result) = judged(&[Ca::root("Lab CA", 1).revocation_list(DAY, vec![revoked(43)])]);
    assert!(result.is_ok());
    assert_eq!(world.evidence("crl").0, Verdict::Passed);
}

#[test]
fn a_revoked_certificate_is_refused_with_the_date() {
    let (world, result) = judged(&[Ca::root("Lab CA", 1).revocation_list(DAY, vec![revoked(42)])]);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), TlsErrorKind::Certificate);
    assert!(
        error.to_string().contains(
            "the server's own certificate (CN=www.lab.test) has been revoked: the list of CN=Lab CA, number 0x01"
        ),
        "{error}"
    );
    assert!(error.to_string().contains("has it since 2026-09-21T02:13:20Z"), "{error}");
    // The other checks are told as they are.
    assert_eq!(world.evidence("chain").0, Verdict::Passed);
    assert_eq!(world.evidence("crl").0, Verdict::Failed);
}

#[test]
fn lists_that_do_not_cover_a_certificate_or_are_out_of_date_or_forged_refuse_it() {
    let expired = Ca::root("Lab CA", 1).revocation_list(-1, vec![]);
    let foreign = Ca::root("Other CA", 4).revocation_list(DAY, vec![]);
    let forged = Ca::root("Lab CA", 4).revocation_list(DAY, vec![]);
    for (list, why) in [
        (expired, "(given) was good until 2026-09-21T14:13:19Z"),
        (foreign, "no revocation list of CN=Lab CA is given"),
        (forged, "was not signed by the issuer's key"),
    ] {
        let error = judged(&[list]).1.unwrap_err();
        assert_eq!(error.kind(), TlsErrorKind::Certificate, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn every_ca_of_the_chain_needs_a_list() {
    let (world, root) = (World::new(1), Ca::root("Lab CA", 1));
    let middle = root.intermediate(ca_params("Lab CA 2"), 2);
    let chain = vec![middle.issue(server_params(&["www.lab.test"]), &key(9)), middle.der.clone()];
    let identity = Identity::from_der(chain, key(9).serialize_der()).unwrap();
    let server = world.server(TlsServerConfig::new(vec![identity]));
    let (of_root, of_middle) = (root.revocation_list(DAY, vec![]), middle.revocation_list(DAY, vec![]));
    for (lists, missing) in [
        ([&of_root, &of_middle], None),
        ([&of_middle; 2], Some("CN=Lab CA ")),
        ([&of_root; 2], Some("CN=Lab CA 2 ")),
    ] {
        let mut client = TlsClientConfig::new(root.trust());
        let text: String = lists.into_iter().map(String::as_str).collect();
        client.revocation = RevocationLists::from_pem(text.as_bytes()).unwrap().into();
        let result = world.shake(&world.client(client), &server, "www.lab.test").client;
        match missing {
            None => assert!(result.is_ok()),
            Some(issuer) => {
                let error = result.err().unwrap().to_string();
                assert!(error.contains(&format!("no revocation list of {issuer}is given")), "{error}");
            }
        }
    }
}

#[test]
fn a_file_without_a_readable_list_is_refused_with_the_place() {
    let good = Ca::root("Lab CA", 1).revocation_list(DAY, vec![]);
    assert!(matches!(RevocationLists::from_pem(b"hello"), Err(RevocationError::NoList)));
    let bad = format!("{good}-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n");
    let error = RevocationLists::from_pem(bad.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("revocation list 2 cannot be read"), "{error}");
}

// ---- resumption

#[test]
fn a_client_that_does_not_resume_has_the_certificate_shown_every_time() {
    let (world, _, mut client, server) = lab();
    client.resume = false;
    let (client, server) = (world.client(client), world.server(server));
    for _ in 0..2 {
        let (mut near, mut far) = world.shake(&client, &server, "www.lab.test").both();
        run(async {
            far.write_all(b"x").await.unwrap();
            far.flush().await.unwrap();
            near.read_exact(&mut [0]).await.unwrap();
        });
        assert!(!near.session().resumed);
    }
    let received = world.story(&world.client).into_iter().filter(|step| step.starts_with("received"));
    assert_eq!(received.count(), 2);
}
