//! The name server, asked by hand.
#![allow(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::message::Edns;
use glasstack_dns::{Message, RecordType, ResponseCode};
use glasstack_journal::Event;
use glasstack_journal::event::Dns;
use glasstack_stack::{Host, World};
use std::net::SocketAddr;
use std::time::Duration;
use world::{Net, question, seconds, serve_example};

fn server_address(net: &Net) -> SocketAddr {
    SocketAddr::new(net.dns.address(), 53)
}

/// What comes back for a datagram within a second.
async fn ask(client: &Host, server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
    socket.send_to(request, server).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let answer = client.timeout(Duration::from_secs(1), socket.recv_from(&mut buffer)).await;
    let (length, _) = answer.ok()?.ok()?;
    buffer.truncate(length);
    Some(buffer)
}

fn query(name: &str, edns: Option<Edns>) -> Message {
    Message::query(77, question(name, RecordType::A), edns)
}

fn answer_to(request: &[u8]) -> Option<Message> {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let bytes = net.world.run(ask(&client, server, request)).unwrap();
    bytes.map(|bytes| Message::parse(&bytes).unwrap())
}

#[test]
fn a_response_repeats_id_question_and_rd_and_has_authority() {
    let response = answer_to(&query("www.example.test", None).to_bytes().unwrap()).unwrap();
    assert_eq!((response.id, response.question), (77, Some(question("www.example.test", RecordType::A))));
    assert!(response.authoritative && response.recursion_desired && !response.recursion_available);
    assert_eq!(response.edns, None);
    assert_eq!(response.answers.len(), 1);
}

#[test]
fn what_does_not_fit_is_truncated_at_the_size_the_client_gave() {
    let sized = |edns| {
        let request = query("many.example.test", edns).to_bytes().unwrap();
        answer_to(&request).unwrap()
    };
    let plain = sized(None);
    assert!(plain.truncated && plain.answers.is_empty());
    let with_edns = sized(Some(Edns { udp_payload: 4096, ..Edns::default() }));
    assert!(with_edns.truncated, "1 700 bytes would be fragmented, so even who takes 4096 is sent to TCP");
    assert_eq!(with_edns.edns.unwrap().udp_payload, 1232);
}

#[test]
fn bad_queries_get_their_code_and_no_answer_is_answered() {
    let code = |request: &[u8]| answer_to(request).map(|response| response.code);
    let good = query("www.example.test", None);
    let mut cut = good.to_bytes().unwrap();
    cut.truncate(20);
    assert_eq!(code(&cut), Some(ResponseCode::FormErr));
    let notify = Message { opcode: 4, ..good.clone() };
    assert_eq!(code(&notify.to_bytes().unwrap()), Some(ResponseCode::Refused));
    let update = Message { opcode: 5, ..good.clone() };
    assert_eq!(code(&update.to_bytes().unwrap()), Some(ResponseCode::NotImp));
    assert_eq!(code(&query("www.example.com", None).to_bytes().unwrap()), Some(ResponseCode::Refused));
    let newer = query("www.example.test", Some(Edns { version: 9, ..Edns::default() }));
    assert_eq!(code(&newer.to_bytes().unwrap()), Some(ResponseCode::BadVers));
    assert_eq!(code(&good.response(ResponseCode::NoError).to_bytes().unwrap()), None);
    assert_eq!(code(b"\x12\x34"), None);
}

#[test]
fn the_letters_of_the_question_come_back_as_they_were_sent() {
    let mut request = query("www.example.test", None).to_bytes().unwrap();
    request[13..16].copy_from_slice(b"wWW");
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let response = net.world.run(ask(&client, server, &request)).unwrap().unwrap();
    assert_eq!(response[12..30], request[12..30]);
}

#[test]
fn several_questions_go_over_one_connection() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let counts = net.world.run(async move {
        let mut stream = client.connect(server).await.unwrap();
        let mut counts = Vec::new();
        for name in ["www.example.test", "many.example.test", "no.example.test"] {
            let request = query(name, None).to_bytes().unwrap();
            let length = u16::try_from(request.len()).unwrap().to_be_bytes();
            // A byte at a time, to see that the server puts them together.
            for byte in length.iter().chain(&request) {
                stream.write_all(&[*byte]).await.unwrap();
            }
            let mut length = [0; 2];
            stream.read_exact(&mut length).await.unwrap();
            let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut response).await.unwrap();
            counts.push(Message::parse(&response).unwrap().answers.len());
        }
        counts
    });
    assert_eq!(counts.unwrap(), [1, 100, 0]);
}

#[test]
fn a_connection_that_is_not_used_is_closed_after_ten_seconds() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let read = net.world.run(async move {
        let mut stream = client.connect(server).await.unwrap();
        stream.read(&mut [0; 1]).await.unwrap()
    });
    assert_eq!(read.unwrap(), 0);
    assert_eq!(net.client.now().as_micros() / 1_000_000, 10);
}

#[test]
fn what_was_served_is_told_with_the_reason() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let request = query("blog.example.test", None).to_bytes().unwrap();
    net.world.run(ask(&client, server, &request)).unwrap().unwrap();
    let served: Vec<String> = net
        .recorder
        .records()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Dns(Dns::Served { name, record_type, code, answers, transport, why, .. }) => {
                Some(format!("{name} {record_type} over {transport}: {code}, {answers} answers: {why}"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        served,
        ["blog.example.test A over UDP: NOERROR, 3 answers: a record of the zone example.test"]
    );
}

#[test]
fn dropping_the_server_frees_both_ports() {
    let mut net = Net::new();
    let server = serve_example(&net.dns);
    net.world.run_for(seconds(1)).unwrap();
    drop(server);
    net.world.run_for(seconds(1)).unwrap();
    let _again = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), server_address(&net));
    let request = query("www.example.test", None).to_bytes().unwrap();
    assert!(net.world.run(ask(&client, server, &request)).unwrap().is_some());
}

#[test]
fn a_client_that_is_gone_holds_nobody_up() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (mallory, client, server) = (net.mallory.clone(), net.client.clone(), server_address(&net));
    let answered = net.world.run(async move {
        let request = query("www.example.test", None).to_bytes().unwrap();
        // Asks and hangs up, a hundred times: each answer finds the port closed.
        for _ in 0..100 {
            let socket = mallory.udp(SocketAddr::new(mallory.address(), 0)).unwrap();
            socket.send_to(&request, server).await.unwrap();
        }
        ask(&client, server, &request).await.is_some()
    });
    assert!(answered.unwrap());
}
