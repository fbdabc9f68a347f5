//! The name server and its connections: clients that do not read, zones as a whole, what is under way meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::future::BoxFuture;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::Zone;
use glasstack_dns::server::{
    Access, AccessList, Asked, Authority, NameServer, Reply, ServeOptions, Zones, serve_with,
};
use glasstack_dns::{DnsName, Message, Record, RecordData, RecordType, ResponseCode};
use glasstack_journal::Event;
use glasstack_journal::event::Dns;
use glasstack_stack::{Host, TcpStream, World};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use world::{Net, example, question, record, seconds};

const IXFR: u16 = 251;
const AXFR: u16 = 252;

fn address_of(net: &Net) -> SocketAddr {
    SocketAddr::new(net.dns.address(), 53)
}

fn serve(net: &Net, authority: impl Authority) -> NameServer {
    let transfers = AccessList::new(Access::Allow);
    let options = ServeOptions { transfers, ..ServeOptions::default() };
    serve_with(&net.dns, address_of(net), Arc::new(authority), options).unwrap()
}

fn query(id: u16, name: &str, record_type: u16) -> Message {
    Message::query(id, question(name, RecordType::from_number(record_type)), None)
}

fn framed(query: &Message) -> Vec<u8> {
    let bytes = query.to_bytes().unwrap();
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat()
}

async fn receive(stream: &mut TcpStream) -> Option<Message> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await.ok()?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(Message::parse(&bytes).unwrap())
}

/// All records of a zone until its SOA comes again, or until the server has had enough.
async fn transfer(client: &Host, server: SocketAddr, query: &Message) -> Vec<Record> {
    let mut stream = client.connect(server).await.unwrap();
    stream.write_all(&framed(query)).await.unwrap();
    let mut records: Vec<Record> = Vec::new();
    while let Some(message) = receive(&mut stream).await {
        records.extend(message.answers);
        if records.len() > 1 && records.first() == records.last() {
            break;
        }
    }
    records
}

/// `slow.` takes a second, and what that was on the clock is written down; everything else is long.
struct Watched {
    host: Host,
    took: Arc<Mutex<Vec<Duration>>>,
}

impl Authority for Watched {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let owner = asked.question.name.as_str();
            let mut answers = vec![record(owner, IpAddr::from([192, 0, 2, 1]))];
            if owner.starts_with("slow") {
                let begun = self.host.now();
                self.host.sleep(seconds(1)).await;
                self.took.lock().unwrap().push(self.host.now() - begun);
            } else {
                answers = vec![record(owner, RecordData::Txt(vec![vec![b'x'; 255]; 200]))];
            }
            Reply { answers, ..Reply::empty(ResponseCode::NoError, "watched") }
        })
    }
}

#[test]
fn what_is_being_found_out_goes_on_while_a_client_does_not_read() {
    let mut net = Net::new();
    let took = Arc::new(Mutex::new(Vec::new()));
    let _server = serve(&net, Watched { host: net.dns.clone(), took: Arc::clone(&took) });
    let (client, address) = (net.client.clone(), address_of(&net));
    let ids = net.world.run(async move {
        let mut stream = client.connect(address).await.unwrap();
        let slow = (1..=9).map(|id| query(id, &format!("slow{id}.example.test"), 1));
        let long = (10..=30).map(|id| query(id, &format!("long{id}.example.test"), 16));
        let all: Vec<u8> = slow.chain(long).flat_map(|query| framed(&query)).collect();
        stream.write_all(&all).await.unwrap();
        // A megabyte is on its way, and far less fits into the buffers on both sides.
        client.sleep(seconds(5)).await;
        let mut ids = Vec::new();
        while ids.len() < 30 {
            ids.push(receive(&mut stream).await.unwrap().id);
        }
        ids
    });
    let mut ids = ids.unwrap();
    ids.sort_unstable();
    assert_eq!(ids, (1..=30).collect::<Vec<_>>());
    assert_eq!(*took.lock().unwrap(), [seconds(1); 9], "not as long as the client took");
}

fn large_zone() -> Zone {
    let mut zone = Zone::new("large.test").unwrap();
    for number in 0..20_000 {
        zone.add(&format!("n{number}"), 60, RecordData::text(&"x".repeat(100))).unwrap();
    }
    zone
}

#[test]
fn a_zone_that_is_fetched_slowly_holds_nobody_up() {
    let mut net = Net::new();
    let zones = Zones::new([large_zone()].into_iter().chain(example().iter().cloned()));
    let _server = serve(&net, zones);
    let (client, mallory, address) = (net.client.clone(), net.mallory.clone(), address_of(&net));
    let (slowest, records) = net
        .world
        .run(async move {
            // Begun, and not read.
            let mut idle = mallory.connect(address).await.unwrap();
            idle.write_all(&framed(&query(1, "large.test", AXFR))).await.unwrap();
            let axfr = query(2, "large.test", AXFR);
            let fetched = transfer(&mallory, address, &axfr);
            let asked = async {
                let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
                let mut slowest = Duration::ZERO;
                for id in 0..200 {
                    let begun = client.now();
                    let query = query(id, "www.example.test", 1).to_bytes().unwrap();
                    socket.send_to(&query, address).await.unwrap();
                    client.timeout(seconds(1), socket.receive()).await.unwrap().unwrap();
                    slowest = slowest.max(client.now() - begun);
                    client.sleep(Duration::from_millis(1)).await;
                }
                slowest
            };
            let (records, slowest) = futures_util::join!(fetched, asked);
            (slowest, records.len())
        })
        .unwrap();
    assert_eq!(records, 20_000 + 2);
    assert!(slowest < Duration::from_millis(20), "{slowest:?}");
}

#[test]
fn a_zone_with_a_record_that_no_message_holds_is_broken_off_and_not_passed_off_as_whole() {
    let mut net = Net::new();
    let huge = RecordData::Other { number: 65_280, bytes: vec![7; 65_535] };
    let zone = Zone::new("example.test").and_then(|zone| zone.with("www", huge)).unwrap();
    let _server = serve(&net, Zones::from(zone));
    let (client, address) = (net.client.clone(), address_of(&net));
    let records =
        net.world.run(async move { transfer(&client, address, &query(1, "example.test", AXFR)).await });
    assert!(records.unwrap().len() <= 1);
    assert_eq!(net.client.now().as_micros() / 1_000_000, 0, "the connection ends at once");
    let told =
        |event: &Event| matches!(event, Event::Dns(Dns::Withheld { why, .. }) if why.kind() == "unwritable");
    assert!(net.recorder.records().iter().any(|record| told(&record.event)));
}

#[test]
fn who_has_the_zone_already_gets_its_soa_alone_and_who_has_an_older_one_all_of_it() {
    let mut net = Net::new();
    let zone = example();
    let soa = zone.get(&DnsName::parse("example.test").unwrap()).unwrap().soa().clone();
    let _server = serve(&net, zone);
    let (client, address) = (net.client.clone(), address_of(&net));
    let counts = net.world.run(async move {
        let mut counts = Vec::new();
        // RFC 1982 3.2: 0 is older than 1, 2 and 2 147 483 648 are newer, 4 294 967 295 is older.
        for serial in [1, 2, 1 << 31, 0, u32::MAX] {
            let RecordData::Soa(soa) = soa.data.clone() else { panic!() };
            let theirs =
                record("example.test", RecordData::Soa(glasstack_dns::record::Soa { serial, ..soa.clone() }));
            let ixfr = Message { authorities: vec![theirs], ..query(7, "example.test", IXFR) };
            let mut stream = client.connect(address).await.unwrap();
            stream.write_all(&framed(&ixfr)).await.unwrap();
            let answer = receive(&mut stream).await.unwrap();
            assert_eq!(answer.answers[0], Record { data: RecordData::Soa(soa), ..answer.answers[0].clone() });
            counts.push(answer.answers.len());
        }
        let without = transfer(&client, address, &query(8, "example.test", IXFR)).await;
        counts.push(without.len());
        counts
    });
    assert_eq!(counts.unwrap(), [1, 1, 1, 112, 112, 112]);
}
