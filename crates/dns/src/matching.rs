//! Whether what came in answers what was asked (RFC 5452 9.1): the defence against answers made up
//! by somebody who cannot see the question.

use crate::exchange::name_bytes;
use crate::message::{Message, MessageError, Question, RawHeader, ResponseCode};
use std::net::SocketAddr;

/// A question on its way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Its id.
    pub(crate) id: u16,
    /// What was asked.
    pub(crate) question: Question,
    /// Who was asked. The port asked from is the socket's own: nothing else reaches it.
    pub(crate) server: SocketAddr,
    /// The name's bytes as they were sent, if their case counts.
    pub(crate) sent_name: Option<Vec<u8>>,
}

/// Which check an answer failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Its sender's address and port.
    #[error("it comes from {from}, but {server} was asked")]
    Source {
        /// Who sent it.
        from: SocketAddr,
        /// Who was asked.
        server: SocketAddr,
    },
    /// It has not even a header; how many bytes it has.
    #[error("{0} bytes are no DNS message")]
    TooShort(usize),
    /// QR.
    #[error("it is a query, not a response")]
    NotAResponse,
    /// Its id, and the query's.
    #[error("its id is {0:#06x}, but that of the query is {1:#06x}")]
    Id(u16, u16),
    /// It is no message.
    #[error("it cannot be read: {0}")]
    Malformed(MessageError),
    /// Its opcode.
    #[error("it answers another kind of query (opcode {0})")]
    Opcode(u8),
    /// Its question, and the query's.
    #[error("it answers the question {0}, but {1} was asked")]
    Question(String, String),
    /// The case of the letters, which chance had chosen (0x20).
    #[error("the letters of its question have another case than those that were sent")]
    Case,
}

impl Pending {
    /// The message in `bytes`, if it answers this question.
    pub(crate) fn check(&self, from: SocketAddr, bytes: &[u8]) -> Result<Message, Mismatch> {
        if from != self.server {
            return Err(Mismatch::Source { from, server: self.server });
        }
        let header = RawHeader::read(bytes).ok_or(Mismatch::TooShort(bytes.len()))?;
        if !header.is_response {
            return Err(Mismatch::NotAResponse);
        }
        if header.id != self.id {
            return Err(Mismatch::Id(header.id, self.id));
        }
        if header.opcode != 0 {
            return Err(Mismatch::Opcode(header.opcode));
        }
        let message = Message::parse(bytes).map_err(Mismatch::Malformed)?;
        match &message.question {
            // Names are compared without regard to case (RFC 4343): ours are in lower case already.
            Some(question) if *question == self.question => match &self.sent_name {
                Some(sent) if name_bytes(bytes) != sent.as_slice() => Err(Mismatch::Case),
                _ => Ok(message),
            },
            Some(question) => Err(Mismatch::Question(question.to_string(), self.question.to_string())),
            // Who does not understand a query may send the bare header back (RFC 6891 7).
            None if matches!(message.code, ResponseCode::FormErr | ResponseCode::NotImp) => Ok(message),
            None => Err(Mismatch::Question("of nobody".to_owned(), self.question.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::DnsName;
    use crate::record::RecordType;

    fn question(name: &str, record_type: RecordType) -> Question {
        Question::new(DnsName::parse(name).unwrap(), record_type)
    }

    fn pending() -> Pending {
        Pending {
            id: 0x1234,
            question: question("www.example.test", RecordType::A),
            server: "10.0.0.53:53".parse().unwrap(),
            sent_name: None,
        }
    }

    fn answer() -> Message {
        let query = Message::query(0x1234, question("www.example.test", RecordType::A), None);
        query.response(ResponseCode::NoError)
    }

    fn check(from: &str, message: &Message) -> Result<Message, Mismatch> {
        pending().check(from.parse().unwrap(), &message.to_bytes().unwrap())
    }

    #[test]
    fn the_right_answer_is_believed_in_any_case_of_letters() {
        assert_eq!(check("10.0.0.53:53", &answer()), Ok(answer()));
        let mut bytes = answer().to_bytes().unwrap();
        bytes[13..16].copy_from_slice(b"WwW");
        assert_eq!(pending().check(pending().server, &bytes), Ok(answer()));
    }

    #[test]
    fn where_the_case_of_letters_was_chosen_by_chance_it_must_come_back() {
        let mut bytes = answer().to_bytes().unwrap();
        bytes[13..16].copy_from_slice(b"WwW");
        let sent = |name: &[u8]| Pending { sent_name: Some(name.to_vec()), ..pending() };
        assert!(sent(b"\x03WwW\x07example\x04test\0").check(pending().server, &bytes).is_ok());
        let other = sent(b"\x03wWw\x07example\x04test\0");
        assert_eq!(other.check(pending().server, &bytes), Err(Mismatch::Case));
    }

    #[test]
    fn each_thing_that_differs_is_noticed() {
        assert!(matches!(check("10.0.0.54:53", &answer()), Err(Mismatch::Source { .. })));
        assert!(matches!(check("10.0.0.53:5353", &answer()), Err(Mismatch::Source { .. })));
        let changed = |change: fn(&mut Message)| {
            let mut message = answer();
            change(&mut message);
            check("10.0.0.53:53", &message).unwrap_err()
        };
        assert_eq!(changed(|m| m.id = 0x1235), Mismatch::Id(0x1235, 0x1234));
        assert_eq!(changed(|m| m.is_response = false), Mismatch::NotAResponse);
        assert_eq!(changed(|m| m.opcode = 4), Mismatch::Opcode(4));
        let other = |question| Mismatch::Question(question, "www.example.test A".to_owned());
        assert_eq!(
            changed(|m| m.question = Some(question("evil.test", RecordType::A))),
            other("evil.test A".to_owned())
        );
        assert_eq!(
            changed(|m| m.question = Some(question("www.example.test", RecordType::Aaaa))),
            other("www.example.test AAAA".to_owned())
        );
        assert!(matches!(changed(|m| m.question.as_mut().unwrap().class = 3), Mismatch::Question(..)));
        assert_eq!(changed(|m| m.question = None), other("of nobody".to_owned()));
    }

    #[test]
    fn a_bare_header_may_say_that_the_query_was_not_understood() {
        let mut message = answer();
        message.question = None;
        message.code = ResponseCode::FormErr;
        assert!(check("10.0.0.53:53", &message).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_not_an_answer() {
        assert_eq!(pending().check(pending().server, b"hello"), Err(Mismatch::TooShort(5)));
        let mut bytes = answer().to_bytes().unwrap();
        bytes.truncate(20);
        assert!(matches!(pending().check(pending().server, &bytes), Err(Mismatch::Malformed(_))));
    }
}
