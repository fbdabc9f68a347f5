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

fn a(owner: &str, last: u8) -> Record {
    record(owner, 60, RecordData::A([10, 0, 0, last].into()))
}

fn referral(servers: impl IntoIterator<Item = String>) -> Message {
    let mut message = answer_with(Vec::new());
    for server in servers {
        message.authorities.push(record("example.test", 60, RecordData::Ns(name(&server))));
        message.additionals.push(a(&server, 1));
    }
    message
}

/// RFC 9471 2.1
#[test]
fn a_referral_whose_glue_does_not_fit_is_truncated_and_one_whose_helpful_addresses_do_not_fit_is_not() {
    let below = referral((0..20).map(|n| format!("a-name-server-with-a-long-name-{n}.example.test")));
    assert!(below.to_bytes().unwrap().len() > 800);
    let parsed = Message::parse(&below.to_bytes_within(800).unwrap()).unwrap();
    assert!(parsed.truncated && parsed.authorities.is_empty());

    let beside = referral((0..10).map(|n| format!("a-name-server-with-a-long-name-{n}.elsewhere.test")));
    let bytes = beside.to_bytes_within(650).unwrap();
    let parsed = Message::parse(&bytes).unwrap();
    assert!(!parsed.truncated && parsed.authorities.len() == 10);
    assert!((1..10).contains(&parsed.additionals.len()) && bytes.len() <= 650);
    assert!(parsed.edns.is_some());
}

/// RFC 2181 9
#[test]
fn a_set_is_added_as_a_whole_or_not_at_all() {
    let mut message = answer_with(vec![a("www.example.test", 1)]);
    message.additionals = (0..40).map(|n| a("many.example.test", n)).collect();
    message.additionals.push(a("one.example.test", 1));
    let parsed = Message::parse(&message.to_bytes_within(512).unwrap()).unwrap();
    assert!(!parsed.truncated);
    assert_eq!(parsed.additionals, [a("one.example.test", 1)]);
}

#[test]
fn an_answer_can_do_without_the_names_of_servers_but_a_denial_not_without_its_proof() {
    let servers =
        (0..40).map(|n| record("example.test", 60, RecordData::Ns(name(&format!("ns{n}.long.test")))));
    let mut message = answer_with(vec![a("www.example.test", 1)]);
    message.authorities = servers.collect();
    let parsed = Message::parse(&message.to_bytes_within(512).unwrap()).unwrap();
    assert!(!parsed.truncated && parsed.answers.len() == 1 && parsed.authorities.is_empty());

    message.answers.clear();
    message.authoritative = true;
    assert!(Message::parse(&message.to_bytes_within(512).unwrap()).unwrap().truncated);
}

#[test]
fn names_are_written_once_and_pointed_to() {
    let message = answer_with(vec![
        record("www.example.test", 1, RecordData::Cname(name("web.example.test"))),
        record("web.example.test", 1, RecordData::Mx { preference: 1, exchange: name("test") }),
        record(
            "other",
            1,
            RecordData::Srv { priority: 0, weight: 0, port: 0, target: name("web.example.test") },
        ),
    ]);
    let bytes = message.to_bytes().unwrap();
    let answers = &bytes[HEADER + 22..];
    // www.example.test as in the question; web, and a pointer to the rest.
    assert_eq!(answers[..18], *b"\xc0\x0c\0\x05\0\x01\0\0\0\x01\0\x06\x03web\xc0\x10");
    assert_eq!(answers[18..34], *b"\xc0\x2e\0\x0f\0\x01\0\0\0\x01\0\x04\0\x01\xc0\x18");
    // RFC 2782: "name compression is not to be used for this field".
    assert_eq!(answers[34..][17 + 6..][..18], *b"\x03web\x07example\x04test\0");
    assert_eq!(Message::parse(&bytes).unwrap(), message);
}

#[test]
fn what_is_wrong_inside_a_record_leaves_the_others_readable() {
    let odd = record("www.example.test", 60, RecordData::Other { number: 1, bytes: vec![1, 2, 3] });
    let message = answer_with(vec![odd, a("www.example.test", 1)]);
    let parsed = Message::parse(&message.to_bytes().unwrap()).unwrap();
    assert_eq!(parsed, message);
    assert_eq!(parsed.answers.iter().filter_map(Record::address).count(), 1);
    // But a name that leads nowhere spoils the message.
    let odd = record("www.example.test", 60, RecordData::Other { number: 2, bytes: vec![0xc0] });
    let message = answer_with(vec![odd, a("www.example.test", 1)]);
    assert!(matches!(Message::parse(&message.to_bytes().unwrap()), Err(MessageError::Malformed(_))));
}

#[test]
fn a_message_cut_inside_a_record_is_truncated_if_it_says_so_and_unreadable_if_not() {
    let mut message = answer_with(vec![a("www.example.test", 1), a("www.example.test", 2)]);
    let mut bytes = message.to_bytes().unwrap();
    bytes.truncate(60);
    assert!(matches!(Message::parse(&bytes), Err(MessageError::Malformed(_))));
    message.truncated = true;
    let mut bytes = message.to_bytes().unwrap();
    bytes.truncate(60);
    let parsed = Message::parse(&bytes).unwrap();
    assert!(parsed.truncated && parsed.answers.is_empty());
}

#[test]
fn extended_errors_and_the_bits_of_dnssec_survive_the_wire() {
    let mut message = answer_with(vec![a("www.example.test", 1)]);
    (message.authentic_data, message.checking_disabled) = (true, true);
    let extended_errors = vec![
        ExtendedError { code: 22, text: "at delegation example.test".to_owned() },
        ExtendedError { code: 6, text: String::new() },
    ];
    message.edns = Some(Edns { dnssec_ok: true, extended_errors, ..Edns::default() });
    let parsed = Message::parse(&message.to_bytes().unwrap()).unwrap();
    assert_eq!(parsed, message);
    let printed: Vec<_> = parsed.edns.unwrap().extended_errors.iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["22 (No Reachable Authority): (at delegation example.test)", "6 (DNSSEC Bogus)"]);
}

#[test]
fn a_second_opt_record_makes_a_message_unreadable() {
    let mut bytes = answer_with(Vec::new()).to_bytes().unwrap();
    let opt = bytes[bytes.len() - 11..].to_vec();
    bytes.extend(opt);
    bytes[11] = 2;
    assert!(matches!(Message::parse(&bytes), Err(MessageError::Malformed(_))));
}

fn any_name() -> impl Strategy<Value = DnsName> {
    let label = prop_oneof![
        8 => proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), b'0'..=b'9'], 1..4),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
    ];
    proptest::collection::vec(label, 0..5).prop_map(|labels| DnsName::from_labels(labels).unwrap())
}

fn any_record() -> impl Strategy<Value = Record> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let data = prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| RecordData::A(octets.into())),
        any_name().prop_map(RecordData::Ns),
        any_name().prop_map(RecordData::Cname),
        any_name().prop_map(RecordData::Dname),
        (any::<u16>(), any_name()).prop_map(|(preference, exchange)| RecordData::Mx { preference, exchange }),
        proptest::collection::vec(bytes(), 0..4).prop_map(RecordData::Txt),
        (any::<u16>(), bytes()).prop_filter_map("names", |(number, bytes)| {
            RecordData::from_wire(RecordType::from_number(number), &bytes).filter(|_| number != 41)
        }),
        (any_name(), proptest::collection::btree_set(any::<u16>().prop_map(RecordType::from_number), 0..6))
            .prop_map(|(next, types)| RecordData::Nsec(crate::record::Nsec { next: next.into(), types })),
    ];
    (any_name(), 0..=i32::MAX.cast_unsigned(), data).prop_map(|(owner, ttl, data)| Record {
        owner,
        ttl,
        data,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_message_is_read_as_it_was_written_and_fits_where_it_should(
        answers in proptest::collection::vec(any_record(), 0..12),
        authorities in proptest::collection::vec(any_record(), 0..6),
        additionals in proptest::collection::vec(any_record(), 0..6),
        limit in 512_usize..1300,
    ) {
        let message = Message { authorities, additionals, ..answer_with(answers) };
        prop_assert_eq!(&Message::parse(&message.to_bytes().unwrap()).unwrap(), &message);
        let bytes = message.to_bytes_within(limit).unwrap();
        prop_assert!(bytes.len() <= limit);
        let fitted = Message::parse(&bytes).unwrap();
        prop_assert!(fitted.truncated || fitted.answers == message.answers);
        // Others read it alike.
        let theirs = hickory_proto::op::Message::from_vec(&bytes);
        prop_assert!(theirs.is_err() || theirs.unwrap().answers.len() == fitted.answers.len());
    }

    #[test]
    fn names_are_ordered_and_lie_within_each_other_as_their_labels_do(one in any_name(), other in any_name()) {
        let labels = |name: &DnsName| name.to_labels().into_iter().rev().collect::<Vec<_>>();
        prop_assert_eq!(one.canonical_cmp(&other), labels(&one).cmp(&labels(&other)));
        prop_assert_eq!(one.is_within(&other), labels(&one).starts_with(&labels(&other)));
        if let Ok(below) = one.below(&other) {
            prop_assert!(below.is_within(&other));
        }
        prop_assert_eq!(DnsName::from_wire(&one.to_wire()), Some((one.clone(), one.to_wire().len())));
        prop_assert_eq!(one.to_string().parse::<DnsName>(), Ok(one));
    }
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
