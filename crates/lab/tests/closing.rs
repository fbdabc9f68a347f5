//! How connections end: at the same instant from both sides, and never from one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Event, Tcp, TcpState};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Instant, NodeId};
use glasstack_sim::{Cable, SimWorld};
use glasstack_stack::{Host, HostConfig, TcpStream, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use glasstack_web::{Request, address_bar};
use std::net::SocketAddr;
use std::time::Duration;
use support::{Journey, is_snapshot};

/// When both say goodbye.
const MOMENT: Instant = Instant::from_millis(1_000);

/// Two ends that talk, and say goodbye at the same instant.
async fn both_close_at_once(client: &Host, server: &Host) {
    let local = SocketAddr::new(server.address(), 7);
    let listener = server.listen(local).unwrap();
    let end = async |host: &Host, mut stream: TcpStream, word: &[u8], answer: &[u8]| {
        stream.write_all(word).await.unwrap();
        let mut heard = vec![0; answer.len()];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, answer);
        host.sleep(MOMENT.since(host.now())).await;
        stream.close().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    };
    let serve = async { end(server, listener.accept().await, b"pong", b"ping").await };
    let call = async { end(client, client.connect(local).await.unwrap(), b"ping", b"pong").await };
    futures_util::join!(serve, call);
}

/// RFC 9293 3.6, figure 13: what both ends of a simultaneous close go through.
const SIMULTANEOUS: [TcpState; 4] =
    [TcpState::FinWait1, TcpState::Closing, TcpState::TimeWait, TcpState::Closed];

fn goodbyes(states: &[TcpState]) -> Vec<TcpState> {
    let from = states.iter().position(|state| *state == TcpState::FinWait1).unwrap();
    states.iter().skip(from).copied().collect()
}

#[test]
fn two_hosts_that_close_at_the_same_instant_both_go_through_closing() {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
    let [mac_a, mac_b] = [world.next_mac(), world.next_mac()];
    let host =
        |name, mac, address: &str| HostConfig::new(name, mac, address.parse().unwrap(), 24, None).unwrap();
    let a = world.add_host(host("a", mac_a, "10.0.0.1")).unwrap();
    let b = world.add_host(host("b", mac_b, "10.0.0.2")).unwrap();
    world.connect(&a, &b, Cable::new()).unwrap();
    world.run(both_close_at_once(&a, &b)).unwrap();
    world.run_for(Duration::from_secs(61)).unwrap();
    for host in [&a, &b] {
        assert_eq!(goodbyes(&states(&recorder, host.scope().node())), SIMULTANEOUS);
        assert_eq!(host.held_flows(), 0);
    }
    let options = LadderOptions { reasons: true, ..LadderOptions::only(&[Layer::Arp, Layer::Tcp]) };
    is_snapshot("simultaneous_close.ladder", &ladder(&recorder.records(), &options));
}

fn states(recorder: &Recorder, node: NodeId) -> Vec<TcpState> {
    let states = recorder.records().into_iter().filter_map(|record| match record.event {
        Event::Tcp(Tcp::StateChanged { to, .. }) if record.node == node => Some(to),
        _ => None,
    });
    states.collect()
}

#[test]
fn across_the_lab_it_is_the_same() {
    let mut journey = Journey::new(1);
    let (client, web) = (journey.lab.client.clone(), journey.lab.host("web").unwrap().clone());
    journey.lab.world.run(both_close_at_once(&client, &web)).unwrap();
    journey.end();
    for host in [&client, &web] {
        assert_eq!(goodbyes(&journey.states(host.scope().node())), SIMULTANEOUS);
        assert_eq!(host.held_flows(), 0);
    }
    journey.has_told(&["TCP state FIN-WAIT-1 -> CLOSING", "TCP state CLOSING -> TIME-WAIT"]);
}

#[test]
fn a_server_that_answers_and_never_says_goodbye_holds_nobody_up() {
    let mut journey = Journey::new(1);
    let web = journey.lab.host("web").unwrap().clone();
    let listener = web.listen(SocketAddr::new(web.address(), 8080)).unwrap();
    web.spawn({
        let web = web.clone();
        async move {
            let mut stream = listener.accept().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await;
            web.sleep(Duration::from_secs(24 * 60 * 60)).await;
            drop(stream);
        }
    });
    let request = Request::get(address_bar::parse("http://www.example.test:8080/").unwrap().url);
    let began = journey.lab.world.now();
    assert_eq!(journey.fetch(journey.config(), request).unwrap().body, b"hi");
    let took = journey.lab.world.now().since(began);
    assert!(took < Duration::from_secs(60), "{took:?}");
    // RFC 9293 3.6 lets FIN-WAIT-2 last for ever; nobody does.
    journey.lab.world.run_for(Duration::from_secs(200)).unwrap();
    assert_eq!(journey.lab.client.held_flows(), 0, "{:?}", journey.lab.client.flows());
}
