//! Hosts of ours behind a home router with NAT: connections, pings, large packets and errors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Event, Nat, Tcp};
use glasstack_journal::journal::Recorder;
use glasstack_sim::router::{Forward, NatConfig, RouterConfig};
use glasstack_sim::{Cable, SimWorld};
use glasstack_stack::{ConnectError, Host, PingError, PingOptions, Prefix, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::net::Ipv4Addr;
use std::time::Duration;
use support::two::{bytes, host, ip};

/// `client` and `other` at home behind a switch, the router `home`, and `server` in the Internet.
struct Street {
    world: SimWorld,
    recorder: Recorder,
    client: Host,
    other: Host,
    server: Host,
}

fn router(outside_mtu: usize) -> RouterConfig {
    RouterConfig::new()
        .port(Ipv4Addr::new(192, 168, 1, 1), 24)
        .port_with_mtu(Ipv4Addr::new(203, 0, 113, 5), 24, outside_mtu)
        .route(Prefix::DEFAULT, Ipv4Addr::new(203, 0, 113, 80))
        .nat(NatConfig::new(1))
}

fn street(config: RouterConfig) -> Street {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let client = world.add_host(host("client", 1, "192.168.1.10", Some("192.168.1.1"))).unwrap();
    let other = world.add_host(host("other", 2, "192.168.1.11", Some("192.168.1.1"))).unwrap();
    let server = world.add_host(host("server", 3, "203.0.113.80", None)).unwrap();
    let switch = world.add_switch("switch").unwrap();
    let home = world.add_router("home", config).unwrap();
    world.connect(&client, switch, Cable::new()).unwrap();
    world.connect(&other, switch, Cable::new()).unwrap();
    world.connect(switch, (home, 0), Cable::new()).unwrap();
    world.connect((home, 1), &server, Cable::new()).unwrap();
    Street { world, recorder, client, other, server }
}

impl Street {
    /// A host says back what each connection to its port 80 says first, and hangs up.
    fn echo(host: &Host) {
        let listener = host.listen((host.address(), 80).into()).unwrap();
        let owner = host.clone();
        host.spawn(async move {
            loop {
                let mut stream = listener.accept().await;
                owner.spawn(async move {
                    let mut data = Vec::new();
                    stream.read_to_end(&mut data).await.unwrap();
                    stream.write_all(&data).await.unwrap();
                    stream.close().await.unwrap();
                });
            }
        });
    }

    fn talk(&mut self, from: &Host, to: &str, data: &[u8]) -> Vec<u8> {
        let (from, to) = (from.clone(), to.parse().unwrap());
        let said = self.world.run(async move {
            let mut stream = from.connect(to).await.unwrap();
            stream.write_all(data).await.unwrap();
            stream.close().await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            answer
        });
        said.unwrap()
    }

    fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        self.recorder.records().iter().filter(|record| is_such(&record.event)).count()
    }
}

#[test]
fn a_conversation_crosses_a_home_router() {
    let mut street = street(router(1_500));
    Street::echo(&street.server);
    let client = street.client.clone();
    assert_eq!(street.talk(&client, "203.0.113.80:80", b"hello"), b"hello");
    assert!(street.world.drain(Duration::from_secs(300)).unwrap());
    let options = LadderOptions { local: false, ..LadderOptions::only(&[Layer::Tcp]) };
    let ladder = ladder(&street.recorder.records(), &options);
    assert_eq!(
        ladder.lines().map(str::trim).collect::<Vec<_>>(),
        [
            "0.004000 client -> home  TCP SYN",
            "0.008000 home -> server  TCP SYN",
            "0.009000 server -> home  TCP SYN ACK",
            "0.010000 home -> client  TCP SYN ACK",
            "0.012000 client -> home  TCP ACK",
            "0.012000 client -> home  TCP FIN ACK",
            "0.014000 home -> server  TCP ACK",
            "0.014000 home -> server  TCP FIN ACK",
            "0.015000 server -> home  TCP ACK",
            "0.015000 server -> home  TCP FIN ACK",
            "0.016000 home -> client  TCP ACK",
            "0.016000 home -> client  TCP FIN ACK",
            "0.018000 client -> home  TCP ACK",
            "0.020000 home -> server  TCP ACK",
        ]
    );
    assert_eq!(street.count(|event| matches!(event, Event::Nat(Nat::Mapped { protocol: "TCP", .. }))), 1);
}

#[test]
fn both_at_home_talk_to_one_server_at_once_and_much() {
    let mut street = street(router(1_500));
    Street::echo(&street.server);
    let data = bytes(200_000);
    let (client, other) = (street.client.clone(), street.other.clone());
    assert!(street.talk(&client, "203.0.113.80:80", &data) == data);
    assert!(street.talk(&other, "203.0.113.80:80", &data) == data);
}

#[test]
fn the_path_mtu_is_found_through_the_nat_in_both_directions() {
    let mut street = street(router(1_300));
    Street::echo(&street.server);
    let data = bytes(50_000);
    let client = street.client.clone();
    assert!(street.talk(&client, "203.0.113.80:80", &data) == data);
    assert!(street.count(|event| matches!(event, Event::Tcp(Tcp::MtuLowered { to: 1_300, .. }))) >= 1);
}

#[test]
fn a_server_at_home_is_reached_from_outside_and_by_its_outside_address_from_inside() {
    let forward = Forward::tcp(8080, "192.168.1.11:80".parse().unwrap());
    let mut street = street(router(1_500).forward(forward));
    Street::echo(&street.other);
    let (client, server) = (street.client.clone(), street.server.clone());
    assert_eq!(street.talk(&server, "203.0.113.5:8080", b"from outside"), b"from outside");
    assert_eq!(street.talk(&client, "203.0.113.5:8080", b"from inside"), b"from inside");
}

#[test]
fn a_ping_is_answered_and_one_that_may_not_go_far_enough_is_told_where_it_ended() {
    let mut street = street(router(1_500));
    let client = street.client.clone();
    let (far, near) = street
        .world
        .run(async move {
            let far = client.ping(ip("203.0.113.80"), &PingOptions::default()).await;
            let near =
                client.ping(ip("203.0.113.80"), &PingOptions { ttl: 1, ..PingOptions::default() }).await;
            (far, near)
        })
        .unwrap();
    assert_eq!(far.unwrap().ttl, 63);
    let error = near.unwrap_err();
    assert!(matches!(&error, PingError::Unreachable { from, .. } if *from == ip("192.168.1.1")), "{error:?}");
}

#[test]
fn a_port_where_nobody_listens_refuses_through_the_nat() {
    let mut street = street(router(1_500));
    let client = street.client.clone();
    let tried = street.world.run(async move { client.connect("203.0.113.80:81".parse().unwrap()).await });
    assert!(matches!(tried.unwrap(), Err(ConnectError::Refused { .. })));
}

#[test]
fn a_datagram_in_pieces_and_its_answer_cross_the_nat() {
    let mut street = street(router(576));
    let at_server = street.server.udp("203.0.113.80:9".parse().unwrap()).unwrap();
    street.server.spawn(async move {
        let mut buffer = vec![0; 9_000];
        let (length, from) = at_server.recv_from(&mut buffer).await.unwrap();
        at_server.send_to(&buffer[..length], from).await.unwrap();
    });
    let socket = street.client.udp("192.168.1.10:0".parse().unwrap()).unwrap();
    let data = bytes(5_000);
    let sent = data.clone();
    let received = street
        .world
        .run(async move {
            socket.send_to(&sent, "203.0.113.80:9".parse().unwrap()).await.unwrap();
            let mut buffer = vec![0; 9_000];
            let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
            buffer.truncate(length);
            buffer
        })
        .unwrap();
    assert!(received == data);
}

#[test]
fn a_closed_connection_leaves_no_mapping_behind() {
    let mut street = street(router(1_500));
    Street::echo(&street.server);
    let client = street.client.clone();
    street.talk(&client, "203.0.113.80:80", b"hello");
    street.world.run_for(Duration::from_secs(600)).unwrap();
    let mapped = street.count(|event| matches!(event, Event::Nat(Nat::Mapped { .. })));
    let unmapped = street.count(|event| matches!(event, Event::Nat(Nat::Unmapped { .. })));
    assert_eq!((mapped, unmapped), (1, 1));
}
