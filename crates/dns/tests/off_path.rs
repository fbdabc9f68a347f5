//! What nobody asked for, and what is none of the sender's business, never enters the cache.
//!
//! ```text
//!   .           10.0.0.53    true; it has www.bank, too
//!   +- test     10.0.0.54    somebody speaks in its name, or it lies itself
//!   attacker    10.0.0.66
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use glasstack_dns::cache::Kept;
use glasstack_dns::record::Soa;
use glasstack_dns::{
    Asked, Authority, DnsName, IterateConfig, Message, Minimisation, Question, Record, RecordData,
    RecordType, Recursor, RecursorConfig, ResponseCode, RootHints, Zone, serve,
};
use glasstack_stack::{Host, World};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use world::tree::name;
use world::{DNS, DNS_2, Net, question, record};

const EVIL: [u8; 4] = [6, 6, 6, 6];
const GOOD: [u8; 4] = [192, 0, 2, 80];
const BANK: [u8; 4] = [192, 0, 2, 1];

/// Where a forged answer comes from, and where it goes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Right,
    OtherSourcePort,
    OtherSourceAddress,
    OtherDestinationPort,
}

/// The truth about names below test.
fn truth(query: &Message) -> Message {
    let asked = query.question.as_ref().unwrap();
    let mut response = query.response(ResponseCode::NoError);
    response.authoritative = true;
    if asked.name == name("www.test") && asked.record_type == RecordType::A {
        response.answers.push(record("www.test", IpAddr::from(GOOD)));
    } else {
        response.authorities.push(record("test", RecordData::Soa(soa("test"))));
    }
    response
}

fn soa(zone: &str) -> Soa {
    let primary = DnsName::parse(&format!("ns.{zone}")).unwrap();
    Soa { mailbox: primary.clone(), primary, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 }
}

fn evil(owner: &str) -> Record {
    record(owner, IpAddr::from(EVIL))
}

/// The bytes of a response, the letters of its question's name as they were asked (0x20).
fn echoing(response: &Message, request: &[u8]) -> Vec<u8> {
    let mut bytes = response.to_bytes().unwrap();
    if let Some(question) = &response.question {
        let asked = Message::parse(request).unwrap().question.unwrap().name;
        if question.name == asked {
            let length = asked.to_wire().len();
            bytes[12..12 + length].copy_from_slice(&request[12..12 + length]);
        }
    }
    bytes
}

struct Scene {
    net: Net,
    recursor: Arc<Recursor>,
}

impl Scene {
    /// Before the server of test tells the truth, `forge` has its say, this way.
    fn forging(way: Way, forge: impl Fn(&Message, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::new(move |host, mallory, request, client| {
            let query = Message::parse(&request).unwrap();
            let bytes = forge(&query, &request);
            let truth = echoing(&truth(&query), &request);
            Box::pin(async move {
                let from_port = |host: &Host, port| host.udp(SocketAddr::new(host.address(), port)).unwrap();
                let mut to = client;
                let socket = match way {
                    Way::OtherSourceAddress => from_port(&mallory, 53),
                    Way::OtherSourcePort => from_port(&host, 54),
                    Way::Right | Way::OtherDestinationPort => from_port(&host, 53),
                };
                if way == Way::OtherDestinationPort {
                    to.set_port(client.port() ^ 1);
                }
                socket.send_to(&bytes, to).await.unwrap();
                drop(socket);
                host.sleep(Duration::from_millis(50)).await;
                from_port(&host, 53).send_to(&truth, client).await.unwrap();
            })
        })
    }

    /// The server of test itself says what `say` makes of the truth, to every question.
    fn lying(say: impl Fn(&Question, Message) -> Message + Send + Sync + 'static) -> Self {
        Self::new(move |host, _, request, client| {
            let query = Message::parse(&request).unwrap();
            let lie = say(query.question.as_ref().unwrap(), truth(&query));
            let bytes = echoing(&lie, &request);
            Box::pin(async move {
                let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
                socket.send_to(&bytes, client).await.unwrap();
            })
        })
    }

    fn new(
        answer: impl Fn(Host, Host, Vec<u8>, SocketAddr) -> futures_util::future::BoxFuture<'static, ()>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let net = Net::new();
        let root = Zone::new(".")
            .and_then(|zone| zone.delegating("@", &[("a.root-servers.net", Some(DNS.parse().unwrap()))]))
            .and_then(|zone| zone.delegating("test", &[("ns.test", Some(DNS_2.parse().unwrap()))]))
            .and_then(|zone| zone.with("www.bank", IpAddr::from(BANK)))
            .unwrap();
        let server =
            serve(&net.dns, SocketAddr::new(net.dns.address(), 53), glasstack_dns::Zones::new([root]));
        std::mem::forget(server.unwrap());
        let (host, mallory) = (net.dns_2.clone(), net.mallory.clone());
        net.dns_2.spawn(async move {
            loop {
                // The socket is free again for whoever answers.
                let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
                let mut buffer = [0; 2048];
                let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
                drop(socket);
                answer(host.clone(), mallory.clone(), buffer[..length].to_vec(), client).await;
            }
        });
        let iterate = IterateConfig {
            mixed_case: true,
            // Nothing stands in the cache that an intruder would have to outrank.
            prime: false,
            qname_minimisation: Minimisation::Off,
            ..IterateConfig::default()
        };
        let hints = RootHints::new([("a.root-servers.net", DNS.parse().unwrap())]).unwrap();
        let config = RecursorConfig { iterate, ..RecursorConfig::default() };
        let recursor = Arc::new(Recursor::new(net.client.clone(), hints, config));
        Self { net, recursor }
    }

    fn ask(&mut self, name: &str) -> Vec<Record> {
        self.ask_for(name, RecordType::A)
    }

    fn ask_for(&mut self, name: &str, record_type: RecordType) -> Vec<Record> {
        let (recursor, asked) = (Arc::clone(&self.recursor), Asked::new(question(name, record_type)));
        self.net.world.run(async move { recursor.answer(&asked).await.answers }).unwrap()
    }

    /// Nothing that is remembered, and nothing that is answered, comes from the attacker; what was ignored.
    fn is_clean(&mut self) -> Vec<String> {
        for kept in self.recursor.remembered() {
            match kept {
                Kept::Records(known) => known.set.records.iter().for_each(|record| {
                    assert_ne!(record.address(), Some(EVIL.into()), "{record}");
                    assert!(!record.data.to_string().contains("evil"), "{record}");
                    assert!(
                        !record.owner.is_within(&name("bank")) || *record == self.bank(record.ttl),
                        "{record}"
                    );
                }),
                Kept::Nothing(nothing, _) => {
                    assert!(nothing.name.is_within(&name("test")), "{nothing:?}");
                }
            }
        }
        let addresses = |records: Vec<Record>| records.iter().filter_map(Record::address).collect::<Vec<_>>();
        assert_eq!(addresses(self.ask("www.bank")), [IpAddr::from(BANK)]);
        self.net.story().into_iter().filter(|line| line.starts_with("ignored")).collect()
    }

    fn bank(&self, ttl: u32) -> Record {
        Record { ttl, ..record("www.bank", IpAddr::from(BANK)) }
    }
}

/// What is forged never counts, and the truth that comes after it does.
fn forged(way: Way, forge: impl Fn(&Message, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Vec<String> {
    let mut scene = Scene::forging(way, forge);
    let answers = scene.ask("www.test");
    assert_eq!(answers.iter().filter_map(Record::address).collect::<Vec<_>>(), [IpAddr::from(GOOD)]);
    scene.is_clean()
}

/// All that an attacker would like, in an answer to this query.
fn wanted(query: &Message) -> Message {
    Message {
        authoritative: true,
        answers: vec![evil("www.test")],
        authorities: vec![record("test", RecordData::Ns(name("ns.evil.test")))],
        additionals: vec![evil("ns.evil.test")],
        ..query.response(ResponseCode::NoError)
    }
}

#[test]
fn an_answer_with_another_id_never_enters_the_cache() {
    let ignored = forged(Way::Right, |query, request| {
        echoing(&Message { id: query.id ^ 0x0100, ..wanted(query) }, request)
    });
    assert!(ignored[0].contains("its id is"), "{ignored:?}");
}

#[test]
fn an_answer_from_another_port_never_enters_the_cache() {
    let ignored = forged(Way::OtherSourcePort, |query, request| echoing(&wanted(query), request));
    assert!(ignored[0].contains("it comes from 10.0.0.54:54, but 10.0.0.54:53 was asked"), "{ignored:?}");
}

#[test]
fn an_answer_from_another_address_never_enters_the_cache() {
    let ignored = forged(Way::OtherSourceAddress, |query, request| echoing(&wanted(query), request));
    assert!(ignored[0].contains("it comes from 10.0.0.66:53, but 10.0.0.54:53 was asked"), "{ignored:?}");
}

#[test]
fn an_answer_to_another_port_never_enters_the_cache() {
    // Nobody is at that port, so there is nobody to ignore it.
    assert!(forged(Way::OtherDestinationPort, |query, request| echoing(&wanted(query), request)).is_empty());
}

#[test]
fn an_answer_to_the_question_for_another_name_never_enters_the_cache() {
    let ignored = forged(Way::Right, |query, _| {
        let other = Message { question: Some(question("www.bank", RecordType::A)), ..wanted(query) };
        Message { answers: vec![evil("www.bank")], ..other }.to_bytes().unwrap()
    });
    assert!(ignored[0].contains("it answers the question www.bank A"), "{ignored:?}");
}

#[test]
fn an_answer_to_the_question_for_another_type_never_enters_the_cache() {
    let ignored = forged(Way::Right, |query, request| {
        let other = Message { question: Some(question("www.test", RecordType::Aaaa)), ..wanted(query) };
        echoing(&other, request)
    });
    assert!(ignored[0].contains("it answers the question www.test AAAA"), "{ignored:?}");
}

#[test]
fn an_answer_in_another_class_never_enters_the_cache() {
    let ignored = forged(Way::Right, |query, request| {
        let chaos = Question { class: 3, ..query.question.clone().unwrap() };
        echoing(&Message { question: Some(chaos), ..wanted(query) }, request)
    });
    assert!(ignored[0].contains("it answers the question"), "{ignored:?}");
}

#[test]
fn an_answer_without_a_question_never_enters_the_cache() {
    let ignored =
        forged(Way::Right, |query, _| Message { question: None, ..wanted(query) }.to_bytes().unwrap());
    assert!(ignored[0].contains("it answers the question of nobody"), "{ignored:?}");
}

#[test]
fn an_answer_in_other_letters_never_enters_the_cache_under_0x20() {
    let ignored = forged(Way::Right, |query, request| {
        let mut bytes = echoing(&wanted(query), request);
        bytes[13] ^= 0x20;
        bytes
    });
    assert!(ignored[0].contains("the letters of its question have another case"), "{ignored:?}");
}

#[test]
fn a_query_and_another_kind_of_response_never_enter_the_cache() {
    let ignored = forged(Way::Right, |query, request| {
        echoing(&Message { is_response: false, ..wanted(query) }, request)
    });
    assert!(ignored[0].contains("it is a query"), "{ignored:?}");
    let ignored =
        forged(Way::Right, |query, request| echoing(&Message { opcode: 4, ..wanted(query) }, request));
    assert!(ignored[0].contains("opcode 4"), "{ignored:?}");
}

#[test]
fn half_an_answer_never_enters_the_cache() {
    let ignored = forged(Way::Right, |query, request| {
        let mut bytes = echoing(&wanted(query), request);
        bytes.truncate(bytes.len() - 20);
        bytes
    });
    assert!(ignored[0].contains("it cannot be read"), "{ignored:?}");
}

/// The truth with something added to it.
fn adding(add: impl Fn(&mut Message) + Send + Sync + 'static) {
    let mut scene = Scene::lying(move |_, mut response| {
        add(&mut response);
        response
    });
    let answers = scene.ask("www.test");
    assert!(answers.iter().any(|record| record.address() == Some(GOOD.into())), "{answers:?}");
    let ignored = scene.is_clean();
    assert!(!ignored.is_empty(), "what is ignored is told");
}

#[test]
fn records_that_nobody_asked_for_never_enter_the_cache() {
    adding(|response| response.additionals.push(evil("www.bank")));
    adding(|response| response.answers.push(evil("www.bank")));
    adding(|response| response.authorities.push(evil("www.bank")));
}

#[test]
fn records_of_other_types_in_the_authority_section_never_enter_the_cache() {
    let mut scene = Scene::lying(|asked, mut response| {
        if asked.name != name("www.test") {
            let exchange = RecordData::Mx { preference: 1, exchange: name("mail.evil.test") };
            response.authorities.push(record("www.test", exchange));
            response.authorities.push(record("www.test", RecordData::Txt(vec![b"evil".to_vec()])));
        }
        response
    });
    scene.ask("random.test");
    assert!(scene.is_clean().iter().any(|line| line.contains("that is not what was asked")));
}

#[test]
fn name_servers_of_foreign_zones_never_enter_the_cache() {
    for zone in [".", "bank"] {
        adding(move |response| {
            response.authorities.push(record(zone, RecordData::Ns(name("ns.evil.test"))));
            response.additionals.push(evil("ns.evil.test"));
        });
    }
}

#[test]
fn name_servers_of_the_zone_above_never_enter_the_cache_from_a_denial() {
    for authoritative in [true, false] {
        let mut scene = Scene::lying(move |_, mut response| {
            response.authoritative = authoritative;
            response.authorities = vec![
                record("test", RecordData::Soa(soa("test"))),
                record(".", RecordData::Ns(name("ns.evil.test"))),
            ];
            response.answers.clear();
            response
        });
        assert!(scene.ask("www.test").is_empty());
        scene.is_clean();
    }
}

#[test]
fn the_address_of_a_foreign_name_server_never_enters_the_cache() {
    let mut scene = Scene::lying(|asked, response| {
        if !asked.name.is_within(&name("sub.test")) {
            return response;
        }
        Message {
            authoritative: false,
            answers: Vec::new(),
            authorities: vec![record("sub.test", RecordData::Ns(name("www.bank")))],
            additionals: vec![evil("www.bank")],
            ..response
        }
    });
    scene.ask("www.sub.test");
    let ignored = scene.is_clean();
    assert!(ignored.iter().any(|line| line.contains("www.bank. 300 IN A 6.6.6.6")), "{ignored:?}");
}

#[test]
fn the_end_of_an_alias_into_a_foreign_zone_is_asked_for_there() {
    let mut scene = Scene::lying(|_, response| Message {
        answers: vec![record("www.test", RecordData::Cname(name("www.bank"))), evil("www.bank")],
        authorities: Vec::new(),
        ..response
    });
    let answers = scene.ask("www.test");
    assert_eq!(answers.iter().filter_map(Record::address).collect::<Vec<_>>(), [IpAddr::from(BANK)]);
    scene.is_clean();
}

#[test]
fn the_end_of_a_redirection_into_a_foreign_zone_is_asked_for_there() {
    let mut scene = Scene::lying(|_, response| Message {
        answers: vec![
            record("sub.test", RecordData::Dname(name("bank"))),
            record("www.sub.test", RecordData::Cname(name("www.bank"))),
            evil("www.bank"),
        ],
        authorities: Vec::new(),
        ..response
    });
    let answers = scene.ask("www.sub.test");
    assert_eq!(answers.iter().filter_map(Record::address).collect::<Vec<_>>(), [IpAddr::from(BANK)]);
    scene.is_clean();
}

#[test]
fn a_redirection_of_a_foreign_zone_never_enters_the_cache() {
    let mut scene = Scene::lying(|_, mut response| {
        response.answers.insert(0, record("bank", RecordData::Dname(name("evil.test"))));
        response.answers.push(record("www.bank", RecordData::Cname(name("www.evil.test"))));
        response
    });
    scene.ask("www.test");
    scene.is_clean();
}

#[test]
fn a_redirection_of_the_zone_above_never_enters_the_cache() {
    adding(|response| response.answers.insert(0, record(".", RecordData::Dname(name("evil.test")))));
}

#[test]
fn that_a_foreign_name_does_not_exist_is_not_believed() {
    let mut scene = Scene::lying(|_, response| Message {
        code: ResponseCode::NxDomain,
        answers: vec![record("www.test", RecordData::Cname(name("www.bank")))],
        authorities: vec![record("bank", RecordData::Soa(soa("bank")))],
        ..response
    });
    let answers = scene.ask("www.test");
    assert_eq!(answers.iter().filter_map(Record::address).collect::<Vec<_>>(), [IpAddr::from(BANK)]);
    scene.is_clean();
}

#[test]
fn an_alias_that_cannot_be_read_leads_nowhere_and_never_enters_the_cache() {
    // A name, and a byte behind it.
    for bytes in [b"\x04evil\0\0".to_vec(), Vec::new()] {
        let mut scene = Scene::lying(move |_, response| {
            let data = RecordData::Other { number: RecordType::Cname.number(), bytes: bytes.clone() };
            Message { answers: vec![record("www.test", data)], authorities: Vec::new(), ..response }
        });
        for record_type in [RecordType::A, RecordType::Aaaa, RecordType::A] {
            assert!(scene.ask_for("www.test", record_type).is_empty());
        }
        scene.is_clean();
    }
}

#[test]
fn records_that_come_with_an_error_and_no_question_never_enter_the_cache() {
    // Such an answer counts as one (RFC 6891 7): the server does not understand the query, and says no more.
    for code in [ResponseCode::FormErr, ResponseCode::NotImp] {
        let mut scene = Scene::lying(move |_, response| Message {
            code,
            question: None,
            answers: vec![evil("www.test")],
            authorities: vec![record("test", RecordData::Ns(name("ns.evil.test")))],
            additionals: vec![evil("ns.evil.test")],
            ..response
        });
        assert!(scene.ask("www.test").is_empty());
        scene.is_clean();
    }
}
