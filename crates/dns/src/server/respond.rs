//! From a request's bytes to a response's.

use super::authority::{Asked, Authority, Reply};
use crate::message::{CLASS_IN, HEADER, Message, PLAIN_UDP_PAYLOAD, RawHeader, ResponseCode, UDP_PAYLOAD};
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::event::{Dns, Transport};
use glasstack_journal::{Note, Scope};
use std::net::SocketAddr;
use std::sync::Arc;

/// IXFR, AXFR, MAILB and MAILA: zone transfers and what is obsolete.
const META_TYPES: std::ops::RangeInclusive<u16> = 251..=254;

/// Answers requests, whatever carried them.
pub(super) struct Responder {
    authority: Arc<dyn Authority>,
    scope: Scope,
}

/// What is done with a request that never gets as far as the authority.
#[derive(Debug, PartialEq, Eq)]
enum Rejected {
    /// Nothing: an answer could only do harm.
    Ignored(&'static str),
    /// It is told what is wrong.
    Answered(Box<Message>, String),
}

impl Responder {
    pub(super) fn new(authority: Arc<dyn Authority>, scope: Scope) -> Self {
        Self { authority, scope }
    }

    /// The response to a request; none if it deserves none.
    pub(super) async fn respond(
        &self,
        request: &[u8],
        client: SocketAddr,
        transport: Transport,
    ) -> Option<Vec<u8>> {
        let (response, limit, why) = match inspect(request) {
            Ok(query) => {
                let reply = match &query.question {
                    Some(question) => {
                        let asked = Asked {
                            client,
                            transport,
                            recursion_desired: query.recursion_desired,
                            dnssec_ok: query.edns.as_ref().is_some_and(|edns| edns.dnssec_ok),
                            ..Asked::new(question.clone())
                        };
                        self.authority.answer(&asked).await
                    }
                    None => Reply::empty(ResponseCode::FormErr, "there is no question"),
                };
                let (response, why) = self.fill(&query, reply);
                (response, limit(&query, transport), why)
            }
            Err(Rejected::Answered(response, why)) => (*response, usize::from(PLAIN_UDP_PAYLOAD), why),
            Err(Rejected::Ignored(why)) => {
                self.scope
                    .record(|| Note::detail(format!("ignored what {client} sent to the name server: {why}")));
                return None;
            }
        };
        let mut bytes = response.to_bytes_within(limit).ok()?;
        echo_question(request, &mut bytes);
        self.tell(&response, client, transport, why);
        Some(bytes)
    }

    fn fill(&self, query: &Message, reply: Reply) -> (Message, String) {
        let response = Message {
            authoritative: reply.authoritative,
            recursion_available: self.authority.recursion_available(),
            answers: reply.answers,
            authorities: reply.authorities,
            additionals: reply.additionals,
            ..query.response(reply.code)
        };
        (response, reply.why)
    }

    fn tell(&self, response: &Message, client: SocketAddr, transport: Transport, why: String) {
        self.scope.record(|| Dns::Served {
            client,
            name: response.question.as_ref().map_or_else(DnsName::root, |q| q.name.clone()).to_string(),
            record_type: response.question.as_ref().map_or_else(String::new, |q| q.record_type.to_string()),
            code: response.code.to_string(),
            answers: response.answers.len(),
            transport,
            why,
        });
    }
}

/// The query in `request`, if it is one that can be answered.
fn inspect(request: &[u8]) -> Result<Message, Rejected> {
    let Some(header) = RawHeader::read(request) else {
        return Err(Rejected::Ignored("too short to have an id that could be answered"));
    };
    // Two servers that answer each other's answers would never stop.
    if header.is_response {
        return Err(Rejected::Ignored("it is a response"));
    }
    // RFC 1035 4.1.1: "not implemented".
    if header.opcode != 0 {
        let why = format!("opcode {} is not served here", header.opcode);
        return Err(Rejected::Answered(Box::new(bare(header, ResponseCode::NotImp)), why));
    }
    let query = Message::parse(request).map_err(|error| {
        Rejected::Answered(
            Box::new(bare(header, ResponseCode::FormErr)),
            format!("the query is bad: {error}"),
        )
    })?;
    // RFC 9619 4: a standard query has exactly one question.
    let Some(question) = &query.question else {
        let why = "there is no question".to_owned();
        return Err(Rejected::Answered(Box::new(bare(header, ResponseCode::FormErr)), why));
    };
    let refusal = if let Some(edns) = query.edns.as_ref().filter(|edns| edns.version > 0) {
        // RFC 6891 6.1.3
        Some((ResponseCode::BadVers, format!("EDNS version {} is not known here", edns.version)))
    } else if question.class != CLASS_IN {
        Some((ResponseCode::Refused, format!("class {} is not served here", question.class)))
    } else if META_TYPES.contains(&question.record_type.number()) {
        Some((ResponseCode::Refused, "zones are not transferred".to_owned()))
    } else {
        None
    };
    match refusal {
        Some((code, why)) => Err(Rejected::Answered(Box::new(query.response(code)), why)),
        None => Ok(query),
    }
}

/// A response to what could not be read: its header and nothing else.
fn bare(header: RawHeader, code: ResponseCode) -> Message {
    let question = crate::message::Question::new(DnsName::root(), RecordType::A);
    let query = Message {
        opcode: header.opcode,
        recursion_desired: header.recursion_desired,
        question: None,
        ..Message::query(header.id, question, None)
    };
    query.response(code)
}

/// How long the response may be: over UDP what the client said it can take in (RFC 6891 6.2.3), but
/// no more than passes every path unfragmented.
fn limit(query: &Message, transport: Transport) -> usize {
    match (transport, &query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, Some(edns)) => usize::from(edns.udp_payload.clamp(PLAIN_UDP_PAYLOAD, UDP_PAYLOAD)),
        (Transport::Udp, None) => usize::from(PLAIN_UDP_PAYLOAD),
    }
}

/// Repeats the question's letters as they came: some clients check their case, as one more thing
/// that a forger would have to guess. It stands uncompressed behind the header in both.
fn echo_question(request: &[u8], response: &mut [u8]) {
    for (theirs, ours) in request.iter().zip(response).skip(HEADER) {
        if !theirs.eq_ignore_ascii_case(ours) || *theirs == 0 {
            return;
        }
        *ours = *theirs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Edns, Question};
    use proptest::prelude::*;

    fn query(record_type: RecordType) -> Message {
        Message::query(9, Question::new(DnsName::parse("www.example.test").unwrap(), record_type), None)
    }

    fn rejected(message: &Message) -> (ResponseCode, bool) {
        match inspect(&message.to_bytes().unwrap()) {
            Err(Rejected::Answered(response, _)) => {
                assert_eq!(response.id, 9);
                assert!(response.is_response);
                (response.code, response.question.is_some())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_bad_query_gets_its_code() {
        assert!(inspect(&query(RecordType::A).to_bytes().unwrap()).is_ok());
        assert_eq!(rejected(&Message { opcode: 4, ..query(RecordType::A) }), (ResponseCode::NotImp, false));
        assert_eq!(
            rejected(&Message { question: None, ..query(RecordType::A) }),
            (ResponseCode::FormErr, false)
        );
        assert_eq!(rejected(&query(RecordType::Other(252))), (ResponseCode::Refused, true));
        let mut chaos = query(RecordType::Txt);
        chaos.question.as_mut().unwrap().class = 3;
        assert_eq!(rejected(&chaos), (ResponseCode::Refused, true));
        let newer = Message { edns: Some(Edns { version: 1, ..Edns::default() }), ..query(RecordType::A) };
        assert_eq!(rejected(&newer), (ResponseCode::BadVers, true));
        let mut cut = query(RecordType::A).to_bytes().unwrap();
        cut.truncate(20);
        assert!(
            matches!(inspect(&cut), Err(Rejected::Answered(response, _)) if response.code == ResponseCode::FormErr)
        );
    }

    #[test]
    fn what_cannot_or_must_not_be_answered_is_ignored() {
        assert!(matches!(inspect(&[0; 11]), Err(Rejected::Ignored(_))));
        let response = query(RecordType::A).response(ResponseCode::FormErr).to_bytes().unwrap();
        assert!(matches!(inspect(&response), Err(Rejected::Ignored(_))));
    }

    #[test]
    fn the_clients_size_is_honoured_within_reason() {
        let sized = |udp_payload| {
            let edns = Some(Edns { udp_payload, ..Edns::default() });
            limit(&Message { edns, ..query(RecordType::A) }, Transport::Udp)
        };
        assert_eq!((sized(100), sized(800), sized(4096)), (512, 800, 1232));
        assert_eq!(limit(&query(RecordType::A), Transport::Udp), 512);
        assert_eq!(limit(&query(RecordType::A), Transport::Tcp), 65_535);
    }

    #[test]
    fn the_questions_letters_come_back_as_they_were() {
        let mut request = query(RecordType::A).to_bytes().unwrap();
        request[13..16].copy_from_slice(b"wWw");
        let mut response = query(RecordType::A).response(ResponseCode::NoError).to_bytes().unwrap();
        echo_question(&request, &mut response);
        assert_eq!(response[12..], request[12..]);
        assert_ne!(response[..12], request[..12]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        #[test]
        fn any_request_is_answered_or_ignored(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(Rejected::Answered(response, _)) = inspect(&bytes) {
                prop_assert!(response.to_bytes_within(512).is_ok());
            }
        }
    }
}
