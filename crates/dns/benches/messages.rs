//! What it costs to read and to write a message, and what the same costs with hickory-proto's own messages.
//!
//! Prints `what<TAB>median<TAB>lowest<TAB>highest` lines, in nanoseconds a message. `--quick` for fewer repeats.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark")]

use glasstack_dns::message::Edns;
use glasstack_dns::{DnsName, Message, Question, Record, RecordData, RecordType, ResponseCode};
use std::hint::black_box;
use std::time::Instant;

/// In one measurement.
const MESSAGES: u32 = 20_000;

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 15 };
    for (name, message) in [("query", query()), ("answer", answer()), ("referral", referral())] {
        let bytes = message.to_bytes().unwrap();
        assert_eq!(Message::parse(&bytes).unwrap(), message);
        print(&format!("read {name} ({} bytes)", bytes.len()), repeats, || {
            black_box(Message::parse(black_box(&bytes)).unwrap());
        });
        print(&format!("write {name}"), repeats, || {
            black_box(black_box(&message).to_bytes_within(1232).unwrap());
        });
        let theirs = hickory_proto::op::Message::from_vec(&bytes).unwrap();
        print(&format!("hickory-proto: read {name}"), repeats, || {
            black_box(hickory_proto::op::Message::from_vec(black_box(&bytes)).unwrap());
        });
        print(&format!("hickory-proto: write {name}"), repeats, || {
            black_box(black_box(&theirs).to_vec().unwrap());
        });
    }
}

fn print(what: &str, repeats: usize, mut run: impl FnMut()) {
    let mut took: Vec<f64> = (0..repeats)
        .map(|_| {
            let began = Instant::now();
            (0..MESSAGES).for_each(|_| run());
            began.elapsed().as_secs_f64() * 1e9 / f64::from(MESSAGES)
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("{what}\t{:.0}\t{:.0}\t{:.0}", took[repeats / 2], took[0], took[repeats - 1]);
}

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn query() -> Message {
    Message::query(7, Question::new(name("www.example.test"), RecordType::A), Some(Edns::default()))
}

fn answer() -> Message {
    let a =
        |n| Record { owner: name("www.example.test"), ttl: 300, data: RecordData::A([192, 0, 2, n].into()) };
    Message { answers: vec![a(1), a(2)], ..query().response(ResponseCode::NoError) }
}

/// As the root refers to `com`: thirteen servers with two addresses each.
fn referral() -> Message {
    let mut message = query().response(ResponseCode::NoError);
    for letter in 'a'..='m' {
        let server = name(&format!("{letter}.gtld-servers.net"));
        let record = |owner: &DnsName, data| Record { owner: owner.clone(), ttl: 172_800, data };
        message.authorities.push(record(&name("test"), RecordData::Ns(server.clone())));
        message.additionals.push(record(&server, RecordData::A([192, 5, 6, 30].into())));
        message.additionals.push(record(&server, RecordData::Aaaa("2001:503:a83e::2:30".parse().unwrap())));
    }
    message
}
