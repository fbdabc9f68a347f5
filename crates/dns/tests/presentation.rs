//! Records print as `dig` prints them, and nothing is lost between bytes and text.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what fails by panicking")]

use data_encoding::HEXUPPER;
use glasstack_dns::{DnsName, Message, Question, Record, RecordData, RecordType, ResponseCode};
use proptest::prelude::*;

/// Type, bytes and text of records, as BIND has them.
const BIND: &str = include_str!("data/presentation.txt");

fn as_bind_has_them() -> impl Iterator<Item = (RecordType, Vec<u8>, &'static str)> {
    BIND.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.splitn(3, '|');
        let record_type = parts.next().unwrap().parse().unwrap();
        (record_type, HEXUPPER.decode(parts.next().unwrap().as_bytes()).unwrap(), parts.next().unwrap())
    })
}

#[test]
fn data_of_every_type_prints_as_bind_prints_it() {
    for (record_type, bytes, text) in as_bind_has_them() {
        let data = RecordData::from_wire(record_type, &bytes).unwrap();
        assert_eq!(data.record_type(), record_type);
        assert_eq!(data.to_string(), text, "{record_type}");
    }
}

#[test]
fn data_of_every_type_has_the_same_bytes_after_the_wire() {
    for (record_type, bytes, text) in as_bind_has_them() {
        let data = RecordData::from_wire(record_type, &bytes).unwrap();
        let query = Message::query(1, Question::new(DnsName::root(), record_type), None);
        let mut message = query.response(ResponseCode::NoError);
        message.answers.push(Record { owner: DnsName::root(), ttl: 1, data: data.clone() });
        let read = Message::parse(&message.to_bytes().unwrap()).unwrap();
        assert_eq!(read, message, "{record_type} {text}");
        assert_eq!(data.canonical_bytes().to_ascii_lowercase(), bytes.to_ascii_lowercase());
    }
}

#[test]
fn names_in_the_data_of_old_types_are_canonical_in_lower_case_and_others_are_not() {
    let naptr = b"\0\x01\0\x02\x01U\x00\x00\x04HOST\x07Example\0";
    let canonical = RecordData::from_wire(RecordType::Other(35), naptr).unwrap().canonical_bytes();
    assert_eq!(canonical, b"\0\x01\0\x02\x01U\x00\x00\x04host\x07example\0");
    let https = b"\0\x01\x04HOST\0";
    assert_eq!(RecordData::from_wire(RecordType::HTTPS, https).unwrap().canonical_bytes(), https);
}

#[test]
fn data_that_is_not_what_it_should_be_is_printed_as_bytes() {
    let text =
        |record_type, bytes: &[u8]| RecordData::from_wire(record_type, bytes).map(|data| data.to_string());
    assert_eq!(text(RecordType::A, &[1, 2, 3]).as_deref(), Some("\\# 3 010203"));
    assert_eq!(text(RecordType::Aaaa, &[]).as_deref(), Some("\\# 0"));
    assert_eq!(text(RecordType::Txt, &[5, b'a']).as_deref(), Some("\\# 2 0561"));
    assert_eq!(text(RecordType::CAA, &[0, 0]).as_deref(), Some("\\# 2 0000"));
    // A parameter twice, and one that is cut off (RFC 9460 2.2).
    assert_eq!(
        text(RecordType::HTTPS, b"\0\x01\0\0\x02\0\0\0\x02\0\0").unwrap(),
        "\\# 11 0001000002000000020000"
    );
    assert_eq!(text(RecordType::HTTPS, b"\0\x01\0\0\x03\0\x02\x01").unwrap(), "\\# 8 0001000003000201");
    // A type bitmap with a block of no bytes (RFC 4034 4.1.2).
    assert_eq!(text(RecordType::Nsec, b"\0\0\0").unwrap(), "\\# 3 000000");
    // Behind a name.
    assert_eq!(text(RecordType::Ns, b"\x01a\0\xff").unwrap(), "\\# 4 016100FF");
    // But what was meant by half a name, nobody knows.
    assert_eq!(text(RecordType::Ns, b"\x05a"), None);
    assert_eq!(text(RecordType::Srv, &[0, 1, 0, 2]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn any_bytes_of_any_type_print_and_stay_the_same(
        number in prop_oneof![0_u16..270, any::<u16>()],
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let record_type = RecordType::from_number(number);
        if let Some(data) = RecordData::from_wire(record_type, &bytes) {
            prop_assert_eq!(data.record_type(), record_type);
            prop_assert!(!data.to_string().contains('\n'));
            let canonical = data.canonical_bytes();
            prop_assert_eq!(RecordData::from_wire(record_type, &canonical), Some(data));
        }
    }
}
