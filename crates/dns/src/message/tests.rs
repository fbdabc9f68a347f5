use super::*;
use crate::record::{RecordData, Soa};
use proptest::prelude::*;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn record(owner: &str, ttl: u32, data: RecordData) -> Record {
    Record { owner: name(owner), ttl, data }
}

fn answer_with(answers: Vec<Record>) -> Message {
    let query =
        Message::query(7, Question::new(name("www.example.test"), RecordType::A), Some(Edns::default()));
    Message { answers, ..query.response(ResponseCode::NoError) }
}

#[test]
fn a_query_has_the_bytes_of_rfc_1035() {
    let query = Message::query(0xbeef, Question::new(name("a.test"), RecordType::A), None);
    let expected = b"\xbe\xef\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x04test\x00\x00\x01\x00\x01";
    assert_eq!(query.to_bytes().unwrap(), expected);
}

#[test]
fn edns_adds_an_opt_record_of_eleven_bytes_that_says_1232() {
    let plain = Message::query(1, Question::new(name("a.test"), RecordType::A), None).to_bytes().unwrap();
    let edns = Message::query(1, Question::new(name("a.test"), RecordType::A), Some(Edns::default()));
    let bytes = edns.to_bytes().unwrap();
    assert_eq!(bytes.len(), plain.len() + 11);
    assert_eq!(bytes[plain.len()..], [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn every_kind_of_record_survives_the_wire() {
    let soa = Soa {
        primary: name("ns1.example.test"),
        mailbox: name(r"host\.master.example.test"),
        serial: 2026,
        refresh: 7200,
        retry: 600,
        expire: u32::MAX,
        minimum: 60,
    };
    let message = answer_with(vec![
        record("www.example.test", 300, RecordData::A([192, 0, 2, 80].into())),
        record("www.example.test", 300, RecordData::Aaaa("2001:db8::80".parse().unwrap())),
        record("alias.example.test", 1, RecordData::Cname(name("www.example.test"))),
        record("example.test", 2, RecordData::Ns(name("ns1.example.test"))),
        record("80.2.0.192.in-addr.arpa", 3, RecordData::Ptr(name("www.example.test"))),
        record("example.test", 4, RecordData::Mx { preference: 10, exchange: name("mx.example.test") }),
        record("example.test", 5, RecordData::Txt(vec![b"v=spf1".to_vec(), vec![0, 255]])),
        record("example.test", 6, RecordData::Soa(soa)),
        record(
            "_http._tcp.example.test",
            7,
            RecordData::Srv { priority: 1, weight: 2, port: 80, target: name("www.example.test") },
        ),
        record("example.test", 8, RecordData::Other { number: 65_280, bytes: vec![1, 2, 3] }),
        record(r"sp\032ace.example.test", 9, RecordData::A([192, 0, 2, 1].into())),
    ]);
    assert_eq!(Message::parse(&message.to_bytes().unwrap()).unwrap(), message);
}

#[test]
fn an_extended_code_needs_both_halves() {
    let mut message = answer_with(Vec::new());
    message.code = ResponseCode::BadVers;
    assert_eq!(Message::parse(&message.to_bytes().unwrap()).unwrap().code, ResponseCode::BadVers);
}

#[test]
fn an_answer_that_does_not_fit_is_marked_and_emptied() {
    let many =
        (0..100).map(|n| record("www.example.test", 60, RecordData::A([10, 0, 0, n].into()))).collect();
    let message = answer_with(many);
    let bytes = message.to_bytes_within(512).unwrap();
    assert!(bytes.len() <= 512);
    let parsed = Message::parse(&bytes).unwrap();
    assert!(parsed.truncated && parsed.answers.is_empty());
    assert!(parsed.edns.is_some(), "RFC 6891 7: the OPT record stays");
    assert_eq!(message.to_bytes_within(65_535).unwrap(), message.to_bytes().unwrap());
}

#[test]
fn what_may_be_left_out_is_left_out_first() {
    let mut message = answer_with(vec![record("www.example.test", 60, RecordData::A([10, 0, 0, 1].into()))]);
    message.additionals = vec![record("x.example.test", 60, RecordData::text(&"x".repeat(600)))];
    let parsed = Message::parse(&message.to_bytes_within(512).unwrap()).unwrap();
    assert!(!parsed.truncated);
    assert_eq!(parsed.answers.len(), 1);
    assert!(parsed.additionals.is_empty());
}

#[test]
fn what_is_not_a_message_is_refused_with_the_reason() {
    assert_eq!(Message::parse(&[]), Err(MessageError::TooShort(0)));
    assert_eq!(Message::parse(&[0; 11]), Err(MessageError::TooShort(11)));
    let mut many = [0; 12];
    many[4] = 0xff;
    many[5] = 0xff;
    assert_eq!(Message::parse(&many), Err(MessageError::Questions(0xffff)));
    let mut query = Message::query(1, Question::new(name("a.test"), RecordType::A), None).to_bytes().unwrap();
    query.truncate(20);
    assert!(matches!(Message::parse(&query), Err(MessageError::Malformed(_))));
}

#[test]
fn a_name_that_points_at_itself_is_refused() {
    let mut bytes = answer_with(Vec::new()).to_bytes().unwrap();
    // The question's name becomes a pointer to its own beginning.
    bytes[HEADER] = 0xc0;
    bytes[HEADER + 1] = 0x0c;
    assert!(matches!(Message::parse(&bytes), Err(MessageError::Malformed(_))));
}

#[test]
fn a_ttl_with_the_highest_bit_set_is_zero() {
    let message =
        answer_with(vec![record("www.example.test", u32::MAX, RecordData::A([10, 0, 0, 1].into()))]);
    assert_eq!(Message::parse(&message.to_bytes().unwrap()).unwrap().answers[0].ttl, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_bytes_give_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(message) = Message::parse(&bytes) {
            let _ = message.to_bytes_within(512);
        }
    }

    /// Random bytes seldom get past the header; a good message with a few bytes changed does.
    #[test]
    fn a_good_message_with_bytes_changed_gives_a_message_or_an_error(
        changes in proptest::collection::vec((0_usize..400, any::<u8>()), 1..6),
        cut in 0_usize..400,
    ) {
        let mut bytes = answer_with(vec![
            record("www.example.test", 300, RecordData::Cname(name("web.example.test"))),
            record("web.example.test", 300, RecordData::A([192, 0, 2, 80].into())),
            record("example.test", 5, RecordData::text("hello")),
            record("example.test", 5, RecordData::Mx { preference: 1, exchange: name("mx.example.test") }),
        ]).to_bytes().unwrap();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut.max(20));
        if let Ok(message) = Message::parse(&bytes) {
            let _ = message.to_bytes();
        }
    }
}
