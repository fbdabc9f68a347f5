//! What a server shows: identities made when they are asked for, names that nobody has, OCSP responses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod world;

use glasstack_tls::{
    Identity, IdentityError, LazyIdentity, ServerIdentity, TlsClientConfig, TlsError, TlsServerConfig,
    UnknownName,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use world::{Ca, World, server_params};

fn lazy(names: &[&str], made: &Arc<AtomicUsize>) -> ServerIdentity {
    let (own, made) = (names.iter().map(ToString::to_string).collect::<Vec<_>>(), Arc::clone(made));
    let make = move || {
        made.fetch_add(1, Ordering::SeqCst);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        Ok(Ca::root("Lab CA", 1).identity(server_params(&own)))
    };
    LazyIdentity::new(names, Arc::new(make)).into()
}

#[test]
fn an_identity_is_made_when_first_asked_for_and_never_twice() {
    let (world, made) = (World::new(1), [Arc::default(), Arc::default()]);
    let identities = [lazy(&["a.lab.test"], &made[0]), lazy(&["*.b.lab.test"], &made[1])];
    let client = world.client(TlsClientConfig::new(Ca::root("Lab CA", 1).trust()));
    let server = world.server(TlsServerConfig::new(identities));
    for (name, counts) in [("x.b.lab.test", [0, 1]), ("y.b.lab.test", [0, 1]), ("a.lab.test", [1, 1])] {
        world.shake(&client, &server, name).both();
        assert_eq!(made.each_ref().map(|count| count.load(Ordering::SeqCst)), counts, "{name}");
    }
}

#[test]
fn an_identity_that_cannot_be_made_fails_the_handshake_with_the_cause() {
    let world = World::new(1);
    let make = || Err::<Identity, _>(IdentityError::KeyFormat);
    let identity = LazyIdentity::new(["a.lab.test"], Arc::new(make));
    let client = world.client(TlsClientConfig::new(Ca::root("Lab CA", 1).trust()));
    let shaken = world.shake(&client, &world.server(TlsServerConfig::new([identity])), "a.lab.test");
    assert!(matches!(shaken.server, Err(TlsError::Identity(IdentityError::KeyFormat))));
    assert!(matches!(shaken.client, Err(TlsError::Alert { .. })));
}

#[test]
fn a_name_that_nobody_has_gets_the_first_certificate_or_a_refusal() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let mut config = TlsServerConfig::new([ca.identity(server_params(&["a.lab.test"]))]);
    let client = world.client(TlsClientConfig::new(ca.trust()));
    let shaken = world.shake(&client, &world.server(config.clone()), "z.lab.test");
    assert!(matches!(shaken.client, Err(TlsError::Certificate { .. })));
    config.unknown_name = UnknownName::Refuse;
    let shaken = world.shake(&client, &world.server(config), "z.lab.test");
    assert!(matches!(&shaken.server, Err(TlsError::UnknownName { name }) if name == "z.lab.test"));
    assert!(matches!(&shaken.client, Err(TlsError::Alert { alert, .. }) if alert == "unrecognized_name"));
}

#[test]
fn a_fresh_ocsp_response_is_asked_for_at_each_handshake() {
    let (world, ca) = (World::new(1), Ca::root("Lab CA", 1));
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fresh = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        None
    };
    let identity = ca.identity(server_params(&["a.lab.test"])).with_fresh_ocsp(Arc::new(fresh));
    let mut config = TlsClientConfig::new(ca.trust());
    config.resume = false;
    let (client, server) = (world.client(config), world.server(TlsServerConfig::new([identity])));
    for count in 1..=3 {
        world.shake(&client, &server, "a.lab.test").both();
        assert_eq!(asked.load(Ordering::SeqCst), count);
    }
}
