//! A zone as a whole, in as many messages as it takes (RFC 5936).

use super::authority::Transfer;
use crate::message::{Message, MessageError};
use crate::record::{Record, RecordData};
use std::iter::Peekable;

/// The bytes of records in a message, roughly: compression reaches back 16 KiB (RFC 1035 4.1.4), so
/// longer ones gain nothing.
const MESSAGE: usize = 16 * 1024;
/// A record's type, class, time to live and length, in bytes.
const FIXED: usize = 10;

/// A zone on its way out.
pub(super) struct Outgoing<'a> {
    /// What each message begins with; the first has the question (RFC 5936 2.2.1).
    head: Message,
    records: Peekable<Transfer<'a>>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(head: Message, records: Transfer<'a>) -> Self {
        Self { head, records: records.peekable() }
    }

    /// The next message; none after the last. A record that no message holds is an error: what came before is
    /// not the zone.
    pub(super) fn next(&mut self) -> Option<Result<Vec<u8>, MessageError>> {
        self.records.peek()?;
        let mut message = self.head.clone();
        // RFC 5936 2.2.1: "the Question section MAY be empty in subsequent messages".
        self.head.question = None;
        let mut length = 0;
        while let Some(record) = self.records.peek() {
            let bytes = record.owner.to_wire().len() + FIXED + record.data.canonical_bytes().len();
            if length > 0 && length + bytes > MESSAGE {
                break;
            }
            length += bytes;
            message.answers.extend(self.records.next());
        }
        Some(message.to_bytes())
    }
}

/// Whether the sender of this query has the version `soa` of the zone already, or a newer one, which the SOA record
/// in its authority section says (RFC 1995 3, 4).
pub(super) fn is_up_to_date(query: &Message, soa: &Record) -> bool {
    let serial = |record: &Record| match &record.data {
        RecordData::Soa(soa) => Some(soa.serial),
        _ => None,
    };
    match (query.authorities.iter().find_map(serial), serial(soa)) {
        // RFC 1982 3.2: half of the numbers are before each, half behind it.
        (Some(theirs), Some(ours)) => theirs.wrapping_sub(ours) < 1 << 31,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Question, ResponseCode};
    use crate::name::DnsName;
    use crate::record::RecordType;

    #[test]
    fn a_long_zone_goes_out_in_several_messages_and_the_first_has_the_question() {
        let owner = |number: usize| DnsName::parse(&format!("n{number}.example.test")).unwrap();
        let record =
            |number| Record { owner: owner(number), ttl: 60, data: RecordData::text(&"x".repeat(200)) };
        let records: Vec<Record> = (0..500).map(record).collect();
        let question = Question::new(DnsName::parse("example.test").unwrap(), RecordType::from_number(252));
        let head = Message::query(5, question, None).response(ResponseCode::NoError);
        let mut outgoing = Outgoing::new(head, Box::new(records.clone().into_iter()));
        let mut messages = Vec::new();
        while let Some(Ok(bytes)) = outgoing.next() {
            assert!(bytes.len() <= MESSAGE + 100);
            messages.push(Message::parse(&bytes).unwrap());
        }
        assert_eq!(messages.len(), 8);
        let with_question = |message: &Message| message.question.is_some();
        assert_eq!(messages.iter().filter(|message| with_question(message)).count(), 1);
        assert!(with_question(&messages[0]));
        assert_eq!(messages.into_iter().flat_map(|message| message.answers).collect::<Vec<_>>(), records);
    }
}
