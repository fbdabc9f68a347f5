//! Two hosts of ours on one cable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Event, Tcp, TcpState};
use glasstack_sim::{Cable, Plug, SimError, SimWorld, fault};
use glasstack_stack::{ConnectError, PingOptions, World};
use glasstack_views::Layer;
use std::time::Duration;
use support::two::{Two, bytes, host, ip};

/// A ladder as it stands in these tests, with its lines indented.
fn trimmed(ladder: &str) -> String {
    ladder.lines().map(|line| format!("{}\n", line.trim())).collect()
}

#[track_caller]
fn expect(two: &Two, layers: &[Layer], ladder: &str) {
    assert_eq!(trimmed(&two.ladder(layers)), trimmed(ladder.trim()));
}

#[test]
fn a_connection_from_arp_to_the_last_ack() {
    let mut two = Two::on(1, Cable::new().latency(Duration::from_millis(10)));
    two.echo();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    two.drain();
    expect(
        &two,
        &[Layer::Arp, Layer::Tcp],
        "
        0.000000 client -> all  ARP who has 10.0.0.2?
        0.010000 server -> client  ARP 10.0.0.2 is at 02:00:00:00:00:02
        0.020000 client -> server  TCP SYN
        0.030000 server -> client  TCP SYN ACK
        0.040000 client -> server  TCP ACK
        0.040000 client -> server  TCP FIN ACK
        0.050000 server -> client  TCP ACK
        0.050000 server -> client  TCP FIN ACK
        0.060000 client -> server  TCP ACK
        ",
    );
}

#[test]
fn a_lost_syn_is_sent_again() {
    let mut two = Two::on(1, Cable::new().latency(Duration::from_millis(10)).fault(fault::drop_first_syn()));
    two.echo();
    assert_eq!(two.talk(b"hello").unwrap(), b"hello");
    two.drain();
    expect(
        &two,
        &[Layer::Tcp],
        "
        0.020000 client -> server  TCP SYN   x lost: drop_first_syn
        1.020000 client -> server  TCP SYN
        1.030000 server -> client  TCP SYN ACK
        1.040000 client -> server  TCP ACK
        1.040000 client -> server  TCP FIN ACK
        1.050000 server -> client  TCP ACK
        1.050000 server -> client  TCP FIN ACK
        1.060000 client -> server  TCP ACK
        ",
    );
}

#[test]
fn both_ends_may_close_at_the_same_moment() {
    let mut two = Two::on(1, Cable::new().latency(Duration::from_millis(10)));
    let listener = two.server.listen(two.web()).unwrap();
    let (client, server, to) = (two.client.clone(), two.server.clone(), two.web());
    two.server.spawn(async move {
        let mut stream = listener.accept().await;
        server.sleep(Duration::from_millis(90)).await;
        stream.close().await.unwrap();
    });
    two.world
        .run(async move {
            let mut stream = client.connect(to).await.unwrap();
            // The server accepts one latency later: both FINs leave at 0.130.
            client.sleep(Duration::from_millis(100)).await;
            stream.close().await.unwrap();
            assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        })
        .unwrap();
    two.drain();
    let closing =
        two.count(|event| matches!(event, Event::Tcp(Tcp::StateChanged { to: TcpState::Closing, .. })));
    assert_eq!(closing, 2, "both were in CLOSING:\n{}", two.ladder(&[Layer::Tcp]));
}

#[test]
fn on_a_switch_only_the_first_frames_are_flooded() {
    let mut world = SimWorld::new(1);
    let client = world.add_host(host("client", 1, "10.0.0.1", None)).unwrap();
    let server = world.add_host(host("server", 2, "10.0.0.2", None)).unwrap();
    let bystander = world.add_probe("bystander").unwrap();
    let switch = world.add_switch("switch").unwrap();
    for plug in [Plug::from(&client), (&server).into(), (&bystander).into()] {
        world.connect(plug, switch, Cable::new()).unwrap();
    }
    let to = server.address();
    let reply = world.run(async move { client.ping(to, &PingOptions::default()).await }).unwrap();
    assert_eq!(reply.unwrap().from, to);
    let seen: Vec<_> = bystander.received();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1.view().is_arp_request());
}

#[test]
fn a_megabyte_goes_there_and_back() {
    let mut two = Two::on(1, Cable::new());
    two.echo();
    let data = bytes(1_000_000);
    assert!(two.talk(&data).unwrap() == data);
}

#[test]
fn a_port_that_nobody_listens_on_refuses() {
    let mut two = Two::on(1, Cable::new());
    let (client, peer) = (two.client.clone(), two.web());
    let error = two.world.run(async move { client.connect(peer).await.map(drop) }).unwrap().unwrap_err();
    assert_eq!(error, ConnectError::Refused { peer });
}

#[test]
fn a_host_that_is_not_there_does_not_answer_arp() {
    let mut two = Two::on(1, Cable::new());
    let client = two.client.clone();
    let nobody = ip("10.0.0.9");
    let error = two.world.run(async move { client.connect((nobody, 80).into()).await.map(drop) }).unwrap();
    assert!(
        matches!(error, Err(ConnectError::NoArpReply { next_hop, .. }) if next_hop == nobody),
        "{error:?}"
    );
}

#[test]
fn a_ping_takes_twice_the_latency_once_the_address_is_known() {
    let mut two = Two::on(1, Cable::new().latency(Duration::from_millis(10)));
    let (client, server) = (two.client.clone(), two.server.address());
    let replies = two
        .world
        .run(async move {
            let first = client.ping(server, &PingOptions::default()).await.unwrap();
            let second =
                client.ping(server, &PingOptions { seq: 2, ..PingOptions::default() }).await.unwrap();
            (first.rtt, second.rtt)
        })
        .unwrap();
    assert_eq!(replies.1, Duration::from_millis(20));
}

#[test]
fn a_server_that_waits_for_clients_that_never_come_is_stuck() {
    let mut two = Two::on(1, Cable::new());
    let listener = two.server.listen(two.web()).unwrap();
    let error = two.world.run(async move { drop(listener.accept().await) }).unwrap_err();
    assert!(matches!(error, SimError::Stuck { .. }), "{error}");
}

#[test]
fn a_connection_survives_a_cable_that_is_pulled_and_put_back() {
    let mut two = Two::on(1, Cable::new().rate(10_000_000));
    two.echo();
    let (cable, client) = (two.cable.clone(), two.client.clone());
    two.client.spawn(async move {
        client.sleep(Duration::from_millis(100)).await;
        cable.unplug();
        client.sleep(Duration::from_secs(5)).await;
        cable.plug_in();
    });
    let data = bytes(300_000);
    assert!(two.talk(&data).unwrap() == data);
    assert!(two.world.now().as_micros() > 5_000_000);
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let story = |seed| {
        let mut two = Two::on(seed, Cable::new().fault(fault::loss(0.05)));
        two.echo();
        two.talk(&bytes(50_000)).unwrap();
        two.drain();
        format!("{:?}", two.records())
    };
    let first = story(7);
    assert!(first == story(7), "the same seed told another story");
    assert!(first != story(8), "another seed told the same story");
}
