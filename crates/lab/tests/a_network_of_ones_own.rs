//! Topologies that somebody brings: their names, what they serve, and what is wrong with them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_lab::{Lab, LabError};
use glasstack_sim::topology::{CableSpec, Cidr, HostSpec, Topology};
use glasstack_stack::World;
use std::net::{IpAddr, SocketAddr};
use support::Journey;

/// A shop behind a router, and nobody above it: no root, no top-level domain.
const SHOP: &str = r#"
    [host.client]
    address = "10.0.0.1/24"
    gateway = "10.0.0.254"

    [router.gate]
    ports = [{ address = "10.0.0.254/24" }, { address = "10.0.1.254/24" }]

    [switch.counter]

    [host.shop]
    address = "10.0.1.1/24"
    gateway = "10.0.1.254"
    names = ["www.shop.test", "shop.test", "www.example.test"]
    serve = ["web", "echo", "record old.shop.test CNAME www.shop.test"]

    [host.names]
    address = "10.0.1.53/24"
    gateway = "10.0.1.254"
    serve = ["resolver"]

    [host.trouble]
    address = "10.0.1.66/24"
    gateway = "10.0.1.254"
    names = ["reset.test"]
    serve = ["odd"]

    [host.wall]
    address = "10.0.1.70/24"
    gateway = "10.0.1.254"
    names = ["wall.test"]
    serve = ["web", "silent"]

    [[cable]]
    between = ["client", "gate:0"]
    latency = "3ms"

    [[cable]]
    between = ["gate:1", "counter"]

    [[cable]]
    between = ["shop", "counter"]

    [[cable]]
    between = ["names", "counter"]

    [[cable]]
    between = ["trouble", "counter"]

    [[cable]]
    between = ["wall", "counter"]
"#;

fn shop() -> Journey {
    Journey::through(Lab::builder(1).topology(Topology::parse(SHOP).unwrap()))
}

#[test]
fn names_lead_to_their_hosts_and_the_web_server_greets_in_each_with_a_certificate_for_it() {
    let mut journey = shop();
    assert_eq!(journey.get("http://www.shop.test/").unwrap().text(), "This is www.shop.test.\n");
    assert_eq!(journey.get("https://shop.test/").unwrap().text(), "This is shop.test.\n");
    assert_eq!(journey.get("https://shop.test/nothing").unwrap().status, 404);
    // A name that the lab knows behaves as it always does.
    let page = journey.get("http://www.example.test/").unwrap();
    assert_eq!((page.status, page.url.as_str()), (200, "https://www.example.test/"));
    // The alias leads there; but the server has not been told that it is its name.
    assert_eq!(journey.get("http://old.shop.test/").unwrap().status, 421);
    assert!(journey.get("http://nobody.test/").is_err());
    journey.has_told(&["NXDOMAIN"]);
}

#[test]
fn what_else_is_served_is_served() {
    let mut journey = shop();
    assert!(journey.get("http://reset.test/").is_err());
    assert!(journey.get("http://wall.test/").is_err());
    let client = journey.lab.client.clone();
    let echo = SocketAddr::new([10, 0, 1, 1].into(), 7);
    let heard = journey.lab.world.run(async {
        let mut stream = client.connect(echo).await.unwrap();
        stream.write_all(b"who is there?").await.unwrap();
        stream.close().await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        let socket = client.udp(SocketAddr::new(client.address(), 5_000)).unwrap();
        socket.send_to(b"and you?", echo).await.unwrap();
        let mut buffer = [0; 100];
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(from, echo);
        (heard, buffer[..length].to_vec())
    });
    assert_eq!(heard.unwrap(), (b"who is there?".to_vec(), b"and you?".to_vec()));
}

#[test]
fn the_same_words_in_rust_make_the_same_network() {
    let host = |last| HostSpec::new(Cidr::new([10, 0, 0, last].into(), 24));
    let topology = Topology::new()
        .host("client", host(1))
        .host("shop", host(2).name("www.shop.test").serve("web").serve("resolver"))
        .cable(CableSpec::new("client", "shop"));
    let mut journey = Journey::through(Lab::builder(1).topology(topology));
    assert_eq!(journey.lab.name_server, SocketAddr::new(IpAddr::from([10, 0, 0, 2]), 53));
    assert_eq!(journey.get("https://www.shop.test/").unwrap().status, 200);
}

/// The error of a lab that cannot be built.
fn refused(topology: Topology) -> String {
    match Lab::builder(1).topology(topology).build() {
        Ok(_) => panic!("it was built"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_wrong_with_a_topology_is_said_with_what_would_be_right() {
    let host = |last| HostSpec::new(Cidr::new([10, 0, 0, last].into(), 24));
    let two = |name: &str, other: HostSpec| {
        Topology::new().host(name, host(1)).host("other", other).cable(CableSpec::new(name, "other"))
    };
    let nobody = refused(two("somebody", host(2)));
    assert!(nobody.contains("no host called `client`") && nobody.contains("other, somebody"), "{nobody}");
    let word = refused(two("client", host(2).serve("wbe")));
    assert!(
        word.contains("host other, serve = [\"wbe\"]: nothing is called `wbe`; what there is: root"),
        "{word}"
    );
    let zone = refused(two("client", host(2).serve("authority .. ")));
    assert!(zone.contains("is not a domain name"), "{zone}");
    let record = refused(two("client", host(2).serve("resolver").serve("record a.test A 1.2")));
    assert!(record.contains("`1.2` is no address of this kind"), "{record}");
}

#[test]
fn a_lab_edited_before_it_is_built_and_acted_on_afterwards() {
    let lab = Lab::builder(1)
        .edit(|topology| drop(topology.hosts.remove("laptop")))
        .edit(|topology| topology.cables.retain(|cable| cable.between.iter().all(|end| end.node != "laptop")))
        .finally(|lab| {
            lab.client_cable.unplug();
            Ok::<(), LabError>(())
        })
        .build()
        .unwrap();
    assert!(lab.host("laptop").is_none() && !lab.client_cable.is_plugged_in());
}
