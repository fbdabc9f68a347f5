//! Only the answer to what was asked is believed, however many others come first.
#![allow(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod world;

use glasstack_dns::{Message, RecordType, ResolveError, ResponseCode};
use glasstack_journal::event::{Dns, Event, Udp};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use world::{DNS, Net, question, record, scripted, serve_example};

const EVIL: [u8; 4] = [6, 6, 6, 6];
const GOOD: [u8; 4] = [192, 0, 2, 80];

/// The answer that was hoped for, with this address.
fn answer(query: &Message, address: [u8; 4]) -> Message {
    let answers = vec![record("www.example.test", IpAddr::from(address))];
    Message { answers, ..query.response(ResponseCode::NoError) }
}

/// The server first sends what `forge` makes, then the truth; what was ignored, and why.
fn after(forge: fn(&Message) -> Vec<u8>) -> Vec<String> {
    let mut net = Net::new();
    scripted(&net.dns, move |query, _| vec![forge(&query), answer(&query, GOOD).to_bytes().unwrap()]);
    let resolver = net.resolver(&[DNS]);
    let lookup = net.resolve(&resolver, "www.example.test").unwrap();
    assert_eq!(lookup.addresses, [IpAddr::from(GOOD)]);
    net.story().into_iter().filter(|line| line.starts_with("ignored")).collect()
}

#[test]
fn an_answer_with_another_id_is_ignored() {
    let ignored = after(|query| {
        let forged = Message { id: query.id.wrapping_add(1), ..answer(query, EVIL) };
        forged.to_bytes().unwrap()
    });
    assert_eq!(ignored.len(), 1);
    assert!(ignored[0].starts_with("ignored what 10.0.0.53:53 sent: its id is 0x"), "{ignored:?}");
}

#[test]
fn an_answer_to_another_question_is_ignored() {
    let ignored = after(|query| {
        let forged = Message { question: Some(question("evil.test", RecordType::A)), ..answer(query, EVIL) };
        forged.to_bytes().unwrap()
    });
    assert_eq!(
        ignored,
        [
            "ignored what 10.0.0.53:53 sent: it answers the question evil.test A, but www.example.test A was asked"
        ]
    );
}

#[test]
fn what_is_not_a_message_or_not_a_response_is_ignored() {
    assert_eq!(after(|_| b"hello".to_vec()), ["ignored what 10.0.0.53:53 sent: 5 bytes are no DNS message"]);
    assert_eq!(
        after(|query| query.to_bytes().unwrap()),
        ["ignored what 10.0.0.53:53 sent: it is a query, not a response"]
    );
    let cut = after(|query| {
        let mut bytes = answer(query, EVIL).to_bytes().unwrap();
        bytes.truncate(bytes.len() - 15);
        bytes
    });
    assert!(cut[0].contains("it cannot be read"), "{cut:?}");
}

#[test]
fn an_answer_from_another_address_or_port_is_ignored() {
    let mut net = Net::new();
    let (elsewhere, mallory) = (net.dns.clone(), net.mallory.clone());
    let mut asked = 0;
    scripted(&net.dns, move |query, client| {
        asked += 1;
        if asked == 2 {
            return vec![answer(&query, GOOD).to_bytes().unwrap()];
        }
        // Everything about the first answers is right but where they come from.
        for (host, port) in [(&mallory, 53), (&elsewhere, 5353)] {
            let socket = host.udp(SocketAddr::new(host.address(), port)).unwrap();
            let forged = answer(&query, EVIL).to_bytes().unwrap();
            host.spawn(async move { socket.send_to(&forged, client).await.unwrap() });
        }
        Vec::new()
    });
    let resolver = net.resolver(&[DNS]);
    assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses, [IpAddr::from(GOOD)]);
    let mut ignored: Vec<String> =
        net.story().into_iter().filter(|line| line.starts_with("ignored")).collect();
    ignored.sort();
    assert_eq!(
        ignored,
        [
            "ignored what 10.0.0.53:5353 sent: it comes from 10.0.0.53:5353, but 10.0.0.53:53 was asked",
            "ignored what 10.0.0.66:53 sent: it comes from 10.0.0.66:53, but 10.0.0.53:53 was asked",
        ]
    );
}

#[test]
fn if_nothing_but_wrong_answers_come_the_error_says_so() {
    let mut net = Net::new();
    scripted(&net.dns, |query, _| {
        let forged = Message { question: Some(question("evil.test", RecordType::A)), ..answer(&query, EVIL) };
        vec![forged.to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    let error = net.resolve(&resolver, "www.example.test").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no answer about www.example.test from 10.0.0.53:53 (asked twice, 5000 ms each; what came in was not \
         believed: it answers the question evil.test A, but www.example.test A was asked): is that the right name \
         server (--dns IP), and can it be reached?"
    );
    assert!(matches!(error, ResolveError::Timeout { tries: 2, .. }));
}

#[test]
fn an_answer_to_the_port_of_an_earlier_question_reaches_nobody() {
    let mut net = Net::new();
    let mut earlier = None;
    scripted(&net.dns, move |query, client| match earlier.replace(client) {
        // The first question is not answered, so the second one comes from another port.
        None => Vec::new(),
        Some(before) => {
            assert_ne!(before.port(), client.port());
            vec![answer(&query, GOOD).to_bytes().unwrap()]
        }
    });
    let resolver = net.resolver(&[DNS]);
    assert_eq!(net.resolve(&resolver, "www.example.test").unwrap().addresses, [IpAddr::from(GOOD)]);
}

#[test]
fn every_question_has_a_port_and_an_id_of_its_own() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    for n in 0..50 {
        net.resolve(&resolver, &format!("n{n}.example.test")).unwrap_err();
    }
    let (mut ports, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let client = net.client.scope().node();
    for record in net.recorder.records().iter().filter(|record| record.node == client) {
        match &record.event {
            Event::Udp(Udp::Bound { local }) => {
                assert!(local.port() >= 49_152, "{local}");
                ports.insert(local.port());
            }
            Event::Dns(Dns::QuerySent { id, .. }) => {
                ids.insert(*id);
            }
            _ => {}
        }
    }
    // Drawn at random from 16 384 and 65 536, two of fifty may meet, but hardly more.
    assert!(ports.len() >= 48 && ids.len() >= 48, "{} ports, {} ids", ports.len(), ids.len());
}

#[test]
fn records_about_other_names_in_a_good_answer_are_not_learnt() {
    let mut net = Net::new();
    scripted(&net.dns, |query, _| {
        if query.question.as_ref().unwrap().name.as_str() == "www.example.test" {
            let mut poisoned = answer(&query, GOOD);
            poisoned.answers.push(record("bank.test", IpAddr::from(EVIL)));
            poisoned.additionals.push(record("bank.test", IpAddr::from(EVIL)));
            return vec![poisoned.to_bytes().unwrap()];
        }
        vec![query.response(ResponseCode::NxDomain).to_bytes().unwrap()]
    });
    let resolver = net.resolver(&[DNS]);
    net.resolve(&resolver, "www.example.test").unwrap();
    assert_eq!(resolver.cached(), 1);
    assert!(matches!(net.resolve(&resolver, "bank.test"), Err(ResolveError::NotFound { .. })));
}
