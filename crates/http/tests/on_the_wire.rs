//! Client and server on two hosts of a virtual network: what HTTP does to TCP.

#![allow(clippy::unwrap_used, clippy::panic)]

use bytes::Bytes;
use glasstack_http::{
    Answer, Connection, Fields, HttpError, Limits, Received, Request, ServerOptions, header, server,
};
use glasstack_journal::event::{Direction, Event, SegmentReason, Tcp, TcpFlags, TcpState};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{NodeId, Record};
use glasstack_sim::fault;
use glasstack_sim::{Cable, SimWorld};
use glasstack_stack::{Host, HostConfig, World};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

struct Network {
    world: SimWorld,
    recorder: Recorder,
    client: Host,
    server: Host,
}

fn network(cable: Cable) -> Network {
    let recorder = Recorder::new();
    let mut world = SimWorld::builder(7).observe(recorder.clone()).build();
    let mut host = |name: &str, address: &str| {
        let mac = world.next_mac();
        let config = HostConfig::new(name, mac, address.parse().unwrap(), 24, None).unwrap();
        world.add_host(config).unwrap()
    };
    let (client, server) = (host("client", "10.0.0.1"), host("server", "10.0.0.2"));
    world.connect(&client, &server, cable).unwrap();
    Network { world, recorder, client, server }
}

const MILLISECOND: Duration = Duration::from_millis(1);

fn server_address() -> SocketAddr {
    "10.0.0.2:80".parse().unwrap()
}

fn get(path: &str) -> Request {
    let url = Url::parse("http://10.0.0.2").unwrap().join(path).unwrap();
    let headers = Fields::from_iter([(header::HOST, "10.0.0.2".parse().unwrap())]);
    Request { headers, ..Request::get(url) }
}

impl Network {
    fn serve(&self, options: ServerOptions) {
        let listener = self.server.listen(server_address()).unwrap();
        let site = |request: Received| match request.path() {
            "/large" => Answer::ok("application/octet-stream", vec![b'x'; 300_000]),
            path => Answer::ok("text/plain", Bytes::from(path.to_owned())),
        };
        self.server.spawn(server::listen(self.server.clone(), listener, Arc::new(site), options));
    }

    async fn open(client: &Host) -> Connection {
        let stream = client.connect(server_address()).await.unwrap();
        Connection::open(client, stream, Limits::default()).await.unwrap()
    }

    /// What a client does with one connection to a server that serves as these options say.
    fn talk<T>(&mut self, options: ServerOptions, talk: impl AsyncFnOnce(&Host, Connection) -> T) -> T {
        self.serve(options);
        let client = self.client.clone();
        self.world
            .run(async {
                let connection = Self::open(&client).await;
                talk(&client, connection).await
            })
            .unwrap()
    }

    /// The client's segments that match, from its own point of view.
    fn segments(
        &self,
        host: &Host,
        matches: impl Fn(&Record, &glasstack_journal::event::Segment) -> bool,
    ) -> usize {
        let node = host.scope().node();
        let own = |record: &&Record| record.node == node;
        self.recorder
            .records()
            .iter()
            .filter(own)
            .filter(|record| matches!(&record.event, Event::Tcp(Tcp::Segment(segment)) if matches(record, segment)))
            .count()
    }

    fn sent(&self, host: &Host, flag: u8) -> usize {
        self.segments(host, |_, segment| segment.direction == Direction::Out && segment.flags.has(flag))
    }

    fn states(&self, node: NodeId) -> Vec<TcpState> {
        let state = |record: &Record| match &record.event {
            Event::Tcp(Tcp::StateChanged { to, .. }) if record.node == node => Some(*to),
            _ => None,
        };
        self.recorder.records().iter().filter_map(state).collect()
    }
}

#[test]
fn three_requests_take_one_connection_that_ends_with_a_fin_from_either_side_and_no_reset() {
    let mut network = network(Cable::new().latency(MILLISECOND));
    network.talk(ServerOptions::default(), async |client, mut connection| {
        for path in ["/a", "/b", "/large"] {
            let mut response = connection.send(client.scope(), get(path)).await.unwrap();
            let body = response.body.read_all(1_000_000).await.unwrap();
            assert_eq!(body.len(), if path == "/large" { 300_000 } else { 2 });
        }
        connection.close().await;
    });
    assert!(network.world.drain(Duration::from_secs(5)).unwrap());
    for host in [&network.client, &network.server] {
        assert_eq!(network.sent(host, TcpFlags::FIN), 1);
        assert_eq!(network.sent(host, TcpFlags::RST), 0);
    }
    assert_eq!(network.sent(&network.client, TcpFlags::SYN), 1);
    let states = network.states(network.client.scope().node());
    assert!(states.contains(&TcpState::TimeWait), "the client closed first: {states:?}");
}

#[test]
fn a_server_that_closes_after_one_request_keeps_time_wait_for_itself() {
    let mut network = network(Cable::new().latency(MILLISECOND));
    network.talk(
        ServerOptions { max_requests: Some(1), ..ServerOptions::default() },
        async |client, mut connection| {
            let mut response = connection.send(client.scope(), get("/a")).await.unwrap();
            response.body.read_all(100).await.unwrap();
            client.sleep(Duration::from_millis(100)).await;
            assert!(connection.reusable().await.is_err());
            connection.close().await;
        },
    );
    assert!(network.world.drain(Duration::from_secs(5)).unwrap());
    for host in [&network.client, &network.server] {
        assert_eq!((network.sent(host, TcpFlags::FIN), network.sent(host, TcpFlags::RST)), (1, 0));
    }
}

#[test]
fn a_large_body_survives_five_percent_loss_both_ways() {
    let mut network = network(Cable::new().latency(10 * MILLISECOND).fault(fault::loss(0.05)));
    network.talk(ServerOptions::default(), async |client, mut connection| {
        let mut response = connection.send(client.scope(), get("/large")).await.unwrap();
        assert_eq!(response.body.read_all(1_000_000).await.unwrap().len(), 300_000);
        connection.close().await;
    });
    let again = network.segments(&network.server, |_, segment| {
        segment.direction == Direction::Out && matches!(segment.why, SegmentReason::Retransmission(_))
    });
    assert!(again > 0, "nothing was lost");
}

#[test]
fn a_server_that_resets_is_told_as_a_reset() {
    let mut network = network(Cable::new().latency(MILLISECOND));
    let listener = network.server.listen(server_address()).unwrap();
    network.server.spawn(async move {
        let stream = listener.accept().await;
        stream.abort();
    });
    let client = network.client.clone();
    let error = network
        .world
        .run(async {
            let mut connection = Network::open(&client).await;
            connection.send(client.scope(), get("/")).await.unwrap_err()
        })
        .unwrap();
    assert!(matches!(error, HttpError::Reset { received: 0, .. }), "{error:?}");
}

#[test]
fn to_give_up_a_body_ends_the_connection_at_once() {
    let mut network = network(Cable::new().latency(MILLISECOND).rate(10_000_000));
    network.talk(ServerOptions::default(), async |client, mut connection| {
        let mut response = connection.send(client.scope(), get("/large")).await.unwrap();
        response.body.chunk().await.unwrap();
    });
    assert!(network.world.drain(Duration::from_secs(5)).unwrap(), "the server goes on sending");
}
