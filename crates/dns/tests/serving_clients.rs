//! The name server and its clients: who may ask, how much, and in which order they are answered.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::future::BoxFuture;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::message::Edns;
use glasstack_dns::server::{
    Access, AccessList, Asked, Authority, ClientLimits, NameServer, Reply, ResponseRateLimit, ServeOptions,
    serve_with,
};
use glasstack_dns::{Message, Question, RecordType, ResponseCode};
use glasstack_journal::Event;
use glasstack_journal::event::Dns;
use glasstack_stack::{Host, TcpStream, World};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use world::{MALLORY, Net, example, question, record, seconds};

/// A recursive server that takes its time: `slow.` a second, everything else none.
struct Slow(Host);

impl Authority for Slow {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            if asked.question.name.as_str().starts_with("slow") {
                self.0.sleep(seconds(1)).await;
            }
            let answers = vec![record(asked.question.name.as_str(), IpAddr::from([192, 0, 2, 1]))];
            Reply { answers, ..Reply::empty(ResponseCode::NoError, "after a while") }
        })
    }

    fn recursion_available(&self) -> bool {
        true
    }
}

fn server_address(net: &Net) -> SocketAddr {
    SocketAddr::new(net.dns.address(), 53)
}

fn serve_zones(net: &Net, options: ServeOptions) -> NameServer {
    serve_with(&net.dns, server_address(net), Arc::new(example()), options).unwrap()
}

fn serve_slow(net: &Net, options: ServeOptions) -> NameServer {
    serve_with(&net.dns, server_address(net), Arc::new(Slow(net.dns.clone())), options).unwrap()
}

fn query(id: u16, name: &str) -> Message {
    Message::query(id, question(name, RecordType::A), Some(Edns::default()))
}

/// What comes back for a datagram within five seconds.
async fn ask(client: &Host, server: SocketAddr, query: &Message) -> Option<Message> {
    let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
    socket.send_to(&query.to_bytes().unwrap(), server).await.unwrap();
    let (bytes, _) = client.timeout(seconds(5), socket.receive()).await.ok()?.ok()?;
    Some(Message::parse(&bytes).unwrap())
}

/// Whether the connection takes the query.
async fn send(stream: &mut TcpStream, query: &Message) -> bool {
    let bytes = query.to_bytes().unwrap();
    let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], &bytes].concat()).await.is_ok()
}

async fn receive(stream: &mut TcpStream) -> Option<Message> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await.ok()?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(Message::parse(&bytes).unwrap())
}

/// What the server withheld, a line each.
fn withheld(net: &Net) -> Vec<String> {
    let told = |event| match event {
        Event::Dns(Dns::Withheld { client, question, transport, instead, why }) => {
            Some(format!("{} {transport} [{question}]: {instead}: {why}", client.ip()))
        }
        _ => None,
    };
    net.recorder.records().into_iter().filter_map(|record| told(record.event)).collect()
}

fn list(rules: &[&str]) -> AccessList {
    let mut list = AccessList::new(Access::Allow);
    rules.iter().for_each(|rule| list.add(rule.parse().unwrap()));
    list
}

#[test]
fn whoever_is_refused_is_told_so_and_whoever_is_denied_is_not() {
    let mut net = Net::new();
    let access = list(&["10.0.0.66=refuse", "10.0.0.2=deny"]);
    let server = serve_zones(&net, ServeOptions { access, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    let (refused, denied) = net
        .world
        .run(async move {
            let query = query(1, "www.example.test");
            (ask(&mallory, address, &query).await.unwrap(), ask(&client, address, &query).await)
        })
        .unwrap();
    assert_eq!((refused.code, denied), (ResponseCode::Refused, None));
    assert_eq!(refused.edns.unwrap().extended_errors[0].code, 18, "prohibited");
    assert_eq!(
        withheld(&net),
        [
            "10.0.0.66 UDP [www.example.test A]: refused: the access list says 10.0.0.66/32 refuse",
            "10.0.0.2 UDP []: not answered: the access list says 10.0.0.2/32 deny"
        ]
    );
    let statistics = server.statistics();
    assert_eq!(statistics.queries(), 2);
    assert_eq!(statistics.responses, [(ResponseCode::Refused, 1)].into());
}

#[test]
fn only_who_may_snoop_sees_what_a_recursive_server_remembers() {
    let mut net = Net::new();
    let access = list(&["10.0.0.66=allow_snoop"]);
    let _server = serve_slow(&net, ServeOptions { access, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    let codes = net.world.run(async move {
        let wanting = query(1, "www.example.test");
        let snooping = Message { recursion_desired: false, ..wanting.clone() };
        let mut codes = Vec::new();
        for (host, query) in [(&client, &wanting), (&client, &snooping), (&mallory, &snooping)] {
            codes.push(ask(host, address, query).await.unwrap().code);
        }
        codes
    });
    assert_eq!(codes.unwrap(), [ResponseCode::NoError, ResponseCode::Refused, ResponseCode::NoError]);
}

#[test]
fn answers_over_one_connection_come_as_soon_as_they_are_known() {
    let mut net = Net::new();
    let server = serve_slow(&net, ServeOptions::default());
    let (client, address) = (net.client.clone(), server_address(&net));
    let ids = net.world.run(async move {
        let mut stream = client.connect(address).await.unwrap();
        for (id, name) in [(1, "slow.example.test"), (2, "fast.example.test"), (3, "quick.example.test")] {
            send(&mut stream, &query(id, name)).await;
        }
        // Half a connection is enough to be answered on (RFC 7766 6.2.4 asks no more of a client).
        stream.close().await.unwrap();
        let mut ids = Vec::new();
        while let Some(response) = receive(&mut stream).await {
            ids.push(response.id);
        }
        ids
    });
    assert_eq!(ids.unwrap(), [2, 3, 1]);
    let statistics = server.statistics();
    assert_eq!((statistics.tcp, statistics.connections), (3, 1));
    assert_eq!((statistics.at_once, statistics.found_out), (2, 1));
    assert_eq!(statistics.latency.longest.as_secs(), 1);
    assert_eq!(statistics.under_way, 0);
}

#[test]
fn a_flood_in_somebodys_name_is_damped_and_who_really_asks_is_sent_to_tcp() {
    let mut net = Net::new();
    let rate_limit = Some(ResponseRateLimit::of(10));
    let server = serve_zones(&net, ServeOptions { rate_limit, ..ServeOptions::default() });
    let (client, address) = (net.client.clone(), server_address(&net));
    let (whole, cut, over_tcp) = net
        .world
        .run(async move {
            let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
            let request = query(1, "www.example.test");
            for _ in 0..100 {
                socket.send_to(&request.to_bytes().unwrap(), address).await.unwrap();
            }
            let (mut whole, mut cut) = (0, 0);
            while let Ok(Ok((bytes, _))) = client.timeout(seconds(1), socket.receive()).await {
                let response = Message::parse(&bytes).unwrap();
                assert_eq!(response.truncated, response.answers.is_empty());
                if response.truncated { cut += 1 } else { whole += 1 }
            }
            let mut stream = client.connect(address).await.unwrap();
            send(&mut stream, &request).await;
            (whole, cut, receive(&mut stream).await.unwrap())
        })
        .unwrap();
    assert_eq!((whole, cut), (10, 45));
    assert_eq!(over_tcp.answers.len(), 1, "who has a connection is no forger");
    let statistics = server.statistics();
    assert_eq!(statistics.withheld.values().sum::<u64>(), 90);
    assert!(
        withheld(&net)[0].ends_with(
            "not answered: its network was told of www.example.test A more than 10 times a second"
        )
    );
}

#[test]
fn a_flood_is_damped_the_same_way_every_time() {
    let flood = || {
        let mut net = Net::new();
        let options = ServeOptions { rate_limit: Some(ResponseRateLimit::of(3)), ..ServeOptions::default() };
        let _server = serve_zones(&net, options);
        let (client, address) = (net.client.clone(), server_address(&net));
        net.world
            .run(async move {
                for id in 0..20 {
                    ask(&client, address, &query(id, &format!("x{id}.example.test"))).await;
                }
            })
            .unwrap();
        withheld(&net)
    };
    assert_eq!(flood(), flood());
}

#[test]
fn a_client_is_answered_so_many_times_a_second_and_others_are_not_touched() {
    let mut net = Net::new();
    let limits = ClientLimits { queries_per_second: Some(5), ..ClientLimits::default() };
    let server = serve_zones(&net, ServeOptions { limits, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    let other = net.world.run(async move {
        let socket = mallory.udp(SocketAddr::new(mallory.address(), 0)).unwrap();
        for id in 0..50 {
            socket.send_to(&query(id, "www.example.test").to_bytes().unwrap(), address).await.unwrap();
        }
        ask(&client, address, &query(1, "www.example.test")).await.is_some()
    });
    assert!(other.unwrap());
    assert_eq!(server.statistics().responses, [(ResponseCode::NoError, 6)].into());
    assert!(withheld(&net).iter().all(|line| line.starts_with(MALLORY)));
    assert!(withheld(&net)[0].ends_with("[]: not answered: it asks more than 5 times a second"));
}

#[test]
fn a_client_has_only_so_many_questions_under_way() {
    let mut net = Net::new();
    let limits = ClientLimits { queries_under_way: 3, ..ClientLimits::default() };
    let server = serve_slow(&net, ServeOptions { limits, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    net.world
        .run(async move {
            let socket = mallory.udp(SocketAddr::new(mallory.address(), 0)).unwrap();
            for id in 0..10 {
                let query = query(id, &format!("slow{id}.example.test"));
                socket.send_to(&query.to_bytes().unwrap(), address).await.unwrap();
            }
            assert!(ask(&client, address, &query(1, "slow.example.test")).await.is_some());
            // Those that were answered make room.
            assert!(ask(&mallory, address, &query(1, "slow.example.test")).await.is_some());
        })
        .unwrap();
    assert_eq!(server.statistics().responses, [(ResponseCode::NoError, 5)].into());
    assert_eq!(withheld(&net).len(), 7);
    assert!(withheld(&net)[0].ends_with("not answered: 3 questions of it are under way already"));
}

#[test]
fn a_client_has_only_so_many_connections() {
    let mut net = Net::new();
    let limits = ClientLimits { connections: 2, ..ClientLimits::default() };
    let _server = serve_zones(&net, ServeOptions { limits, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    let answered = net.world.run(async move {
        let mut answered = Vec::new();
        let mut streams = Vec::new();
        for host in [&mallory, &mallory, &mallory, &client] {
            let mut stream = host.connect(address).await.unwrap();
            let sent = send(&mut stream, &query(1, "www.example.test")).await;
            answered.push(sent && receive(&mut stream).await.is_some());
            streams.push(stream);
        }
        answered
    });
    assert_eq!(answered.unwrap(), [true, true, false, true]);
    assert_eq!(withheld(&net), ["10.0.0.66 TCP []: disconnected: it has 2 connections already"]);
}

#[test]
fn a_message_that_drips_in_ends_its_connection_however_steadily_it_drips() {
    let mut net = Net::new();
    let _server = serve_zones(&net, ServeOptions::default());
    let (client, address) = (net.client.clone(), server_address(&net));
    let ended = net.world.run(async move {
        let mut stream = client.connect(address).await.unwrap();
        let begun = client.now();
        // Two hundred bytes are announced, and one comes every second.
        stream.write_all(&[0, 200]).await.unwrap();
        while stream.write_all(&[0]).await.is_ok() && client.now() - begun < seconds(60) {
            client.sleep(seconds(1)).await;
        }
        (client.now() - begun).as_secs()
    });
    assert!((10..=12).contains(&ended.unwrap()));
    assert_eq!(withheld(&net), ["10.0.0.2 TCP []: disconnected: a message takes too long"]);
}

#[test]
fn a_connection_ends_when_it_is_old_even_if_it_is_used() {
    let mut net = Net::new();
    let limits = ClientLimits { connection: seconds(30), ..ClientLimits::default() };
    let _server = serve_zones(&net, ServeOptions { limits, ..ServeOptions::default() });
    let (client, address) = (net.client.clone(), server_address(&net));
    let answers = net.world.run(async move {
        let mut stream = client.connect(address).await.unwrap();
        let mut answers = 0;
        for id in 0..100 {
            if !send(&mut stream, &query(id, "www.example.test")).await
                || receive(&mut stream).await.is_none()
            {
                break;
            }
            answers += 1;
            client.sleep(Duration::from_millis(4_500)).await;
        }
        answers
    });
    assert_eq!(answers.unwrap(), 7);
    assert_eq!(
        withheld(&net),
        ["10.0.0.2 TCP []: disconnected: the connection has lasted as long as one may"]
    );
}

#[test]
fn what_is_no_query_ends_the_connection_that_it_came_over() {
    let mut net = Net::new();
    let _server = serve_zones(&net, ServeOptions::default());
    let (client, address) = (net.client.clone(), server_address(&net));
    let answer = net.world.run(async move {
        let mut stream = client.connect(address).await.unwrap();
        stream.write_all(b"\0\x04GET ").await.unwrap();
        receive(&mut stream).await
    });
    assert_eq!(answer.unwrap(), None);
    assert_eq!(client_seconds(&net), 0, "at once");
    assert!(
        withheld(&net)[0].ends_with("disconnected: it is too short to have an id that could be answered")
    );
}

fn client_seconds(net: &Net) -> u64 {
    net.client.now().as_micros() / 1_000_000
}

#[test]
fn a_zone_is_transferred_as_a_whole_to_whom_it_may_be_and_only_over_tcp() {
    let mut net = Net::new();
    let transfers = AccessList::new(Access::Refuse).with("10.0.0.2".parse().unwrap(), Access::Allow);
    let server = serve_zones(&net, ServeOptions { transfers, ..ServeOptions::default() });
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), server_address(&net));
    let (records, refused, datagram, nowhere) = net
        .world
        .run(async move {
            let axfr = |name| Message::query(3, question(name, RecordType::from_number(252)), None);
            let over_tcp = async |host: &Host, name| {
                let mut stream = host.connect(address).await.unwrap();
                send(&mut stream, &axfr(name)).await;
                receive(&mut stream).await.unwrap()
            };
            (
                over_tcp(&client, "example.test").await.answers,
                over_tcp(&mallory, "example.test").await.code,
                ask(&client, address, &axfr("example.test")).await.unwrap().code,
                over_tcp(&client, "other.test").await.code,
            )
        })
        .unwrap();
    assert_eq!(records.len(), 110 + 2, "all records, and the SOA once more");
    assert_eq!(records.first(), records.last());
    assert_eq!(records[0].record_type(), RecordType::Soa);
    assert_eq!(refused, ResponseCode::Refused);
    assert_eq!((datagram, nowhere), (ResponseCode::FormErr, ResponseCode::NotAuth));
    assert_eq!(server.statistics().transfers, 1);
    assert_eq!(
        withheld(&net),
        ["10.0.0.66 TCP [example.test AXFR]: refused: zones are not transferred to this client"]
    );
}

#[test]
fn the_server_says_of_itself_what_it_was_told_to_say() {
    let mut net = Net::new();
    let options = ServeOptions { identity: Some("ns1".into()), ..ServeOptions::default() };
    let _server = serve_zones(&net, options);
    let (client, address) = (net.client.clone(), server_address(&net));
    let codes = net.world.run(async move {
        let mut codes = Vec::new();
        for name in ["id.server", "version.bind"] {
            let question = Question { class: 3, ..question(name, RecordType::Txt) };
            let query = Message::query(9, question, None);
            codes.push(ask(&client, address, &query).await.unwrap().code);
        }
        codes
    });
    assert_eq!(codes.unwrap(), [ResponseCode::NoError, ResponseCode::Refused]);
}
