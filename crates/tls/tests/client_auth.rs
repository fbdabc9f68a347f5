//! Who the client is: asked or not, shown or not, believed or not, and who hears of it when.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::Event;
use glasstack_journal::event::Tls;
use glasstack_tls::{
    ClientAuth, ClientTrust, Identity, TlsClientConfig, TlsError, TlsErrorKind, TlsServerConfig, TlsVersion,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};
use world::{Ca, DAY, Shaken, World, at, key, run, server_params};

const NAME: &str = "www.lab.test";
const BOTH: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

fn client_params(name: &str) -> CertificateParams {
    let mut params = server_params(&[name]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A server that believes the lab's CA about its clients, as far as `auth` says.
fn shake(
    version: TlsVersion,
    auth: fn(ClientTrust) -> ClientAuth,
    shown: Option<Identity>,
) -> (World, Shaken) {
    let world = World::new(1);
    let ca = Ca::root("Lab CA", 1);
    let mut server = TlsServerConfig::new([ca.identity(server_params(&[NAME]))]);
    server.client_auth = auth(ClientTrust::new(Ca::root("Clients CA", 2).trust()));
    let mut client = TlsClientConfig::new(ca.trust());
    (client.identity, client.max_version) = (shown, version);
    let shaken = world.shake(&world.client(client), &world.server(server), NAME);
    (world, shaken)
}

fn alice() -> Identity {
    Ca::root("Clients CA", 2).identity(client_params("alice"))
}

/// What the client hears, at the moment it can know: in the handshake, or when it first reads.
fn refusal(shaken: Shaken) -> TlsError {
    match shaken.client {
        Err(error) => error,
        Ok(mut stream) => within(run(stream.read(&mut [0; 16])).unwrap_err()),
    }
}

fn within(error: std::io::Error) -> TlsError {
    *error.into_inner().unwrap().downcast().unwrap()
}

#[test]
fn a_client_without_the_certificate_that_is_required_hears_what_is_missing_and_whose_would_do() {
    for version in BOTH {
        let (_, shaken) = shake(version, ClientAuth::Required, None);
        // RFC 8446 4.4.2.4: in TLS 1.3 the client is done before the server has seen its answer.
        assert_eq!(shaken.client.is_ok(), version == TlsVersion::Tls13);
        assert!(matches!(shaken.server, Err(TlsError::NoClientCertificate)), "{version}");
        let error = refusal(shaken);
        assert_eq!(
            error.to_string(),
            "the server wants a client certificate, and none was given: --cert FILE (it takes those issued by \
             CN=Clients CA)",
            "{version}"
        );
        assert_eq!(error.kind(), TlsErrorKind::Handshake);
    }
}

#[test]
fn a_certificate_that_is_required_is_asked_for_with_the_same_alert_in_both_versions() {
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let (world, shaken) = shake(version, ClientAuth::Required, None);
        assert!(shaken.server.is_err());
        let alerts: Vec<_> = world
            .told(&world.server)
            .into_iter()
            .filter_map(|event| match event {
                Event::Tls(Tls::Alert(alert)) => Some((alert.code, alert.name)),
                _ => None,
            })
            .collect();
        assert_eq!(alerts, [(116, "certificate_required")], "{version}");
    }
}

#[test]
fn the_refusal_is_heard_even_when_writing_fails_first() {
    let (_, shaken) = shake(TlsVersion::Tls13, ClientAuth::Required, None);
    shaken.tap.cut_client_off();
    let mut stream = shaken.client.unwrap();
    let error = run(async {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        stream.flush().await
    })
    .unwrap_err();
    assert!(matches!(within(error), TlsError::ClientCertificateMissing { .. }));
}

#[test]
fn a_connection_that_merely_breaks_is_not_taken_for_a_refusal() {
    let (_, shaken) = shake(TlsVersion::Tls13, ClientAuth::Optional, None);
    shaken.tap.cut_client_off();
    let (mut near, mut far) = shaken.both();
    run(async {
        far.write_all(b"said before it broke").await.unwrap();
        far.flush().await.unwrap();
    });
    let error = run(async {
        near.write_all(b"question").await?;
        near.flush().await
    });
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    let mut heard = [0; 20];
    run(near.read_exact(&mut heard)).unwrap();
    assert_eq!(&heard, b"said before it broke");
}

#[test]
fn the_refusal_of_a_certificate_says_which_and_why_on_both_sides() {
    let mut expired = client_params("old alice");
    (expired.not_before, expired.not_after) = (at(-9 * DAY), at(-DAY));
    let cases = [
        (
            Ca::root("Clients CA", 2).identity(expired),
            "CN=old alice",
            "outside its dates (alert certificate_expired)",
        ),
        (
            Ca::root("Strangers CA", 3).identity(client_params("mallory")),
            "CN=mallory",
            "the server does not trust its issuer (alert unknown_ca)",
        ),
    ];
    for (identity, subject, why) in cases {
        for version in BOTH {
            let (_, shaken) = shake(version, ClientAuth::Required, Some(identity.clone()));
            let told = shaken.server.as_ref().err().unwrap().to_string();
            assert!(told.starts_with("the certificate of the client is refused: "), "{told}");
            let heard = refusal(shaken).to_string();
            assert!(heard.contains(&format!("that it was shown ({subject})")), "{version}: {heard}");
            assert!(heard.contains(why), "{version}: {heard}");
        }
    }
}

#[test]
fn a_server_tells_each_check_of_the_clients_certificate_and_then_knows_who_it_is() {
    for version in BOTH {
        let (world, shaken) = shake(version, ClientAuth::Required, Some(alice()));
        let (_near, far) = shaken.both();
        assert_eq!(far.session().peer_certificates[0].subject, "CN=alice");
        let told = world.story(&world.server);
        assert!(told.contains(&"received CN=alice".to_owned()), "{told:?}");
        assert!(told.contains(&"signature passed".to_owned()), "{told:?}");
    }
}

#[test]
fn where_it_is_optional_nothing_shown_is_well_and_something_bad_is_refused() {
    for version in BOTH {
        let (_, shaken) = shake(version, ClientAuth::Optional, None);
        assert!(shaken.both().1.session().peer_certificates.is_empty());
        let (_, shaken) = shake(version, ClientAuth::Optional, Some(alice()));
        assert_eq!(shaken.both().1.session().peer_certificates[0].subject, "CN=alice");
        let stranger = Ca::root("Strangers CA", 3).identity(client_params("mallory"));
        let (_, shaken) = shake(version, ClientAuth::Optional, Some(stranger));
        assert!(shaken.server.is_err());
    }
}

#[test]
fn nothing_that_a_refused_client_wrote_reaches_the_server_as_data() {
    let (world, shaken) = shake(TlsVersion::Tls13, ClientAuth::Required, None);
    let mut stream = shaken.client.unwrap();
    let _ = run(stream.write_all(b"GET /secret HTTP/1.1\r\n\r\n"));
    assert!(shaken.server.is_err());
    let established =
        world.told(&world.server).iter().any(|event| matches!(event, Event::Tls(Tls::Established { .. })));
    assert!(!established);
}

#[test]
fn a_certificate_for_servers_is_refused_as_a_clients() {
    let wrong = Ca::root("Clients CA", 2).identity(server_params(&["alice"]));
    let (_, shaken) = shake(TlsVersion::Tls13, ClientAuth::Required, Some(wrong));
    assert!(matches!(shaken.server, Err(TlsError::Certificate { .. })));
}

#[test]
fn a_certificate_without_its_key_proves_nothing() {
    let der = Ca::root("Clients CA", 2).issue(client_params("alice"), &key(9));
    let thief = Identity::from_der(vec![der], key(8).serialize_der());
    assert!(thief.is_err());
}
