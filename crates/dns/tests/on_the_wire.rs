//! How a recursive server's queries look to the servers, and what it does where they do not come through so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::{IterateConfig, Message, RecursorConfig, ResponseCode, Zone};
use glasstack_sim::fault;
use glasstack_stack::Host;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use world::tree::Tree;
use world::{record, scripted, seconds};

fn tree_with(change: impl FnOnce(&mut IterateConfig)) -> Tree {
    let mut iterate = IterateConfig::default();
    change(&mut iterate);
    Tree::with(1, RecursorConfig { iterate, ..RecursorConfig::default() })
}

/// The name in a query, in the letters in which it was sent.
fn letters(query: &[u8]) -> String {
    let name = &query[12..];
    let end = name.iter().position(|byte| *byte == 0).unwrap();
    name[..end].iter().map(|byte| if *byte < 64 { '.' } else { char::from(*byte) }).collect()
}

/// Answers over UDP with what `say` makes of a query's bytes.
fn says(host: &Host, say: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) {
    let socket = host.udp(SocketAddr::new(host.address(), 53)).unwrap();
    host.spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&say(&buffer[..length]), client).await;
        }
    });
}

/// Answers one query over TCP.
fn answers_over_tcp(host: &Host, answer: impl Fn(&Message) -> Message + Send + 'static) {
    let listener = host.listen(SocketAddr::new(host.address(), 53)).unwrap();
    host.spawn(async move {
        let mut stream = listener.accept().await;
        let mut length = [0; 2];
        stream.read_exact(&mut length).await.unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).await.unwrap();
        let answer = answer(&Message::parse(&query).unwrap()).to_bytes().unwrap();
        stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        let _ = stream.read(&mut length).await;
    });
}

fn address_of(query: &Message) -> Message {
    let asked = query.question.clone().unwrap().name;
    let address = IpAddr::from([192, 0, 2, 7]);
    Message {
        authoritative: true,
        answers: vec![record(asked.as_str(), address)],
        ..query.response(ResponseCode::NoError)
    }
}

/// draft-vixie-dnsext-dns0x20
#[test]
fn letters_in_random_case_come_back_as_they_were_sent() {
    let mut tree = tree_with(|config| config.mixed_case = true);
    tree.resolve("www.example.test").unwrap();
    assert_eq!(tree.told("over TCP"), [""; 0]);
    assert_eq!(tree.told("ignored what"), [""; 0], "our own servers repeat the letters");
}

#[test]
fn each_query_has_letters_of_its_own() {
    let mut tree = tree_with(|config| config.mixed_case = true);
    tree.stop("ns-lame");
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&seen);
    says(&tree.hosts["ns-lame"], move |query| {
        sink.lock().unwrap().push(letters(query));
        let mut response =
            Message::parse(query).unwrap().response(ResponseCode::NxDomain).to_bytes().unwrap();
        let end = 12 + letters(query).len();
        response[12..end].copy_from_slice(&query[12..end]);
        response
    });
    for _ in 0..3 {
        tree.resolve("averyverylongname.lame.test").unwrap_err();
        tree.world.run_for(seconds(60)).unwrap();
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    seen.dedup();
    assert!(seen.len() >= 3, "{seen:?}");
    assert!(seen.iter().all(|name| name.eq_ignore_ascii_case(".averyverylongname.lame.test")), "{seen:?}");
}

/// An answer in other letters may be a forger's: over TCP nobody can forge one who is not on the path.
#[test]
fn a_server_that_does_not_repeat_the_letters_is_asked_over_tcp() {
    let mut tree = tree_with(|config| config.mixed_case = true);
    tree.stop("ns-lame");
    scripted(&tree.hosts["ns-lame"], |query, _| vec![address_of(&query).to_bytes().unwrap()]);
    answers_over_tcp(&tree.hosts["ns-lame"], address_of);
    assert_eq!(tree.resolve("www.lame.test").unwrap().addresses, [IpAddr::from([192, 0, 2, 7])]);
    let asked = tree.told("asked 10.0.0.50");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked[1].ends_with(
            "over TCP for www.lame.test A: the answer had the name in other letters than were sent"
        ),
        "{asked:?}"
    );
    // From now on it is known.
    assert_eq!(tree.resolve("other.lame.test").unwrap().addresses.len(), 1);
    assert_eq!(tree.told("asked 10.0.0.50").len(), 3);
}

/// DNS flag day 2020: what gets no answer may be too large for the path; a smaller one says that there is more.
#[test]
fn where_large_datagrams_are_lost_smaller_ones_lead_to_tcp() {
    let mut tree = tree_with(|_| {});
    tree.stop("ns-hoster");
    let mut zone = Zone::new("hoster.com").unwrap();
    for last in 0..40 {
        zone.add("forty", 60, IpAddr::from([198, 51, 100, last])).unwrap();
    }
    tree.serve("ns-hoster", [zone]);
    // IPv4's protocol 17 is UDP.
    tree.cables["ns-hoster"]
        .add_fault(fault::drop_when(|frame| frame.len() > 600 && frame.bytes()[23] == 17));
    assert_eq!(tree.resolve("forty.hoster.com").unwrap().addresses.len(), 40);
    let asked = tree.told("asked 10.0.0.40");
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[1].ends_with("no answer within 400 ms") && asked[1].contains("over UDP"), "{asked:?}");
    assert!(asked[2].ends_with("the UDP answer was truncated"), "{asked:?}");
}

#[test]
fn the_journal_holds_the_whole_response_and_why_this_server_was_asked() {
    let mut tree = tree_with(|_| {});
    tree.resolve("www.example.test").unwrap();
    let log = format!("{:?}", tree.recorder.records());
    assert!(log.contains("candidates: [ServerKnown { server: 10.0.0.1"), "the servers of the zone");
    assert!(log.contains("additionals: [\"a.nic.test. "), "glue");
    assert!(log.contains("sets: [\"test NS (referral)\""), "what is believed, and how far");
}
