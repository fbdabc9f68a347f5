//! Messages: read, printed, written, read again.

use super::fuzz;
use data_encoding::HEXUPPER;
use glasstack_dns::message::{Edns, ExtendedError, MessageError};
use glasstack_dns::{DnsName, Message, Question, Record, RecordData, RecordType, ResponseCode};
use std::fmt::Write;

#[derive(Debug, Default)]
struct Tally {
    read: u64,
    refused: u64,
    /// By hickory-proto.
    read_by_others: u64,
    records: u64,
    /// Of all that was read.
    longest_text: usize,
}

#[test]
fn messages() {
    let corpus = corpus();
    let mut text = String::new();
    fuzz("messages", 20_000, |chance, tally: &mut Tally| {
        let mut bytes = chance.one_of(&corpus).clone();
        if chance.once_in(8) {
            let other = chance.one_of(&corpus);
            let (here, there) = (chance.below(bytes.len()), chance.below(other.len()));
            bytes.truncate(here);
            bytes.extend(&other[there..]);
        }
        chance.mutate(
            &mut bytes,
            &[&[0xc0, 0x0c], b"\x03www\x07example\x04test\0", b"\0\x01\0\x01\0\0\0\x3c\0\x04"],
        );
        let theirs = hickory_proto::op::Message::from_vec(&bytes);
        let message = match (Message::parse(&bytes), &theirs) {
            (Ok(message), _) => message,
            (Err(_), Err(_)) => return tally.refused += 1,
            // More than one question is one too many for us (RFC 9619). A name in the data of an old type is
            // to be read (RFC 3597 4); hickory-proto knows few of them.
            (Err(MessageError::Questions(_)), Ok(_)) => return tally.refused += 1,
            (Err(error), Ok(_)) if error.to_string().contains("a name in the") => return tally.refused += 1,
            (Err(error), Ok(theirs)) => panic!("hickory-proto reads {theirs:?}, but {error}"),
        };
        tally.read += 1;
        // Of what is cut in the middle of a record nothing is kept: it is asked for over TCP anyhow. That may be
        // in the name of an old type, again.
        let cut = message.truncated && message.is_response && no_records(&message);
        if let Ok(theirs) = theirs
            && !cut
        {
            tally.read_by_others += 1;
            compare(&message, &theirs);
        }
        text.clear();
        let records = message.answers.iter().chain(&message.authorities).chain(&message.additionals);
        for record in records {
            tally.records += 1;
            write!(text, "{record}").unwrap();
            assert!(RecordData::from_wire(record.record_type(), &record.data.canonical_bytes()).is_some());
        }
        // A byte is printed with four characters at most, a name with 255 bytes may stand in two.
        assert!(text.len() <= bytes.len() * 4 * 255 && !text.contains('\n'));
        tally.longest_text = tally.longest_text.max(text.len());
        // What was short by compression may be too long without.
        let Ok(written) = message.to_bytes() else { return };
        assert_eq!(Message::parse(&written).unwrap(), message);
        let limit = 512 + chance.below(1000);
        let fitted = message.to_bytes_within(limit).unwrap();
        let bare = 12
            + 259
            + message.edns.as_ref().map_or(0, |edns| {
                11 + edns.extended_errors.iter().map(|error| 6 + error.text.len()).sum::<usize>()
            });
        assert!(fitted.len() <= limit.max(bare));
        let fitted = Message::parse(&fitted).unwrap();
        assert!(fitted.truncated || fitted.answers == message.answers);
    });
}

fn no_records(message: &Message) -> bool {
    message.answers.is_empty() && message.authorities.is_empty() && message.additionals.is_empty()
}

/// What hickory-proto reads is read alike.
fn compare(message: &Message, theirs: &hickory_proto::op::Message) {
    let sections = [
        (&message.answers, &theirs.answers),
        (&message.authorities, &theirs.authorities),
        (&message.additionals, &theirs.additionals),
    ];
    for (ours, theirs) in sections {
        let theirs: Vec<_> = theirs.iter().filter(|record| u16::from(record.dns_class) == 1).collect();
        assert_eq!(ours.len(), theirs.len());
        for (our, their) in ours.iter().zip(theirs) {
            let labels: Vec<&[u8]> = their.name.iter().collect();
            let wire: Vec<u8> = labels
                .iter()
                .flat_map(|label| {
                    std::iter::once(u8::try_from(label.len()).unwrap()).chain(label.to_ascii_lowercase())
                })
                .chain([0])
                .collect();
            assert_eq!(our.owner.to_wire(), wire);
            assert_eq!(our.record_type().number(), u16::from(their.record_type()));
        }
    }
    assert_eq!(message.id, theirs.id);
    assert_eq!(message.edns.is_some(), theirs.edns.is_some());
}

/// A message for each type of record, and a few as they are on every day.
fn corpus() -> Vec<Vec<u8>> {
    let name = |text: &str| DnsName::parse(text).unwrap();
    let record = |owner: &str, data| Record { owner: name(owner), ttl: 300, data };
    let query = |record_type| {
        Message::query(1, Question::new(name("www.example.test"), record_type), Some(Edns::default()))
    };
    let mut messages = vec![query(RecordType::A), query(RecordType::Any)];
    for line in include_str!("../data/presentation.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('|');
        let record_type: RecordType = parts.next().unwrap().parse().unwrap();
        let bytes = HEXUPPER.decode(parts.next().unwrap().as_bytes()).unwrap();
        let data = RecordData::from_wire(record_type, &bytes).unwrap();
        let answers = vec![record("www.example.test", data)];
        messages.push(Message { answers, ..query(record_type).response(ResponseCode::NoError) });
    }
    let mut referral = query(RecordType::A).response(ResponseCode::NoError);
    for server in ["ns1.example.test", "ns2.example.test", "ns.elsewhere.test"] {
        referral.authorities.push(record("example.test", RecordData::Ns(name(server))));
        referral.additionals.push(record(server, RecordData::A([192, 0, 2, 53].into())));
        referral.additionals.push(record(server, RecordData::Aaaa("2001:db8::53".parse().unwrap())));
    }
    let mut chain = query(RecordType::A).response(ResponseCode::NxDomain);
    chain.answers.push(record("www.example.test", RecordData::Cname(name("web.example.test"))));
    chain.answers.push(record("example.test", RecordData::Dname(name("elsewhere.test"))));
    chain
        .answers
        .push(record("web.example.test", RecordData::Mx { preference: 1, exchange: name("mx.test") }));
    chain.answers.push(record("web.example.test", RecordData::text("a text with \"quotes\" and \0")));
    let text = "at delegation example.test".to_owned();
    let extended_errors =
        vec![ExtendedError { code: 22, text }, ExtendedError { code: 6, text: String::new() }];
    chain.edns = Some(Edns { dnssec_ok: true, extended_errors, ..Edns::default() });
    messages.extend([referral, chain]);
    messages.iter().map(|message| message.to_bytes().unwrap()).collect()
}
