//! What a request is, before anybody looks for its answer.

use crate::message::{
    CLASS_IN, EdnsOption, ExtendedError, HEADER, Message, PLAIN_UDP_PAYLOAD, RawHeader, ResponseCode,
};
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::event::{Transport, Withheld};

/// Class CH: questions about the server itself (RFC 4892).
pub(super) const CLASS_CH: u16 = 3;
/// The opcode of "this zone has changed" (RFC 1996 4).
const NOTIFY: u8 = 4;
/// RFC 8914 4.1: what the text says.
const OTHER_ERROR: u16 = 0;

/// What is done with a request that never gets as far as the authority.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// Nothing: an answer could only do harm.
    Ignored(Withheld),
    /// It is told what is wrong.
    Answered(Box<Message>, String),
}

/// The query in `request`, if it is one that can be answered: of class IN or CH, or one that wants nothing but
/// a cookie.
pub(super) fn inspect(request: &[u8]) -> Result<Message, Rejected> {
    let Some(header) = RawHeader::read(request) else {
        return Err(Rejected::Ignored(Withheld::TooShort));
    };
    // Two servers that answer each other's answers would never stop.
    if header.is_response {
        return Err(Rejected::Ignored(Withheld::Response));
    }
    if header.opcode != 0 {
        let (code, why) = match header.opcode {
            // RFC 1996 3.10: only a secondary server has use for it, and only from its primary.
            NOTIFY => (ResponseCode::Refused, "no zone here is a copy of another server's".to_owned()),
            // RFC 1035 4.1.1: "not implemented".
            opcode => (ResponseCode::NotImp, format!("opcode {opcode} is not served here")),
        };
        return Err(Rejected::Answered(Box::new(bare(header, code)), why));
    }
    let query = Message::parse(request).map_err(|error| {
        Rejected::Answered(
            Box::new(bare(header, ResponseCode::FormErr)),
            format!("the query is bad: {error}"),
        )
    })?;
    let edns = query.edns.as_ref();
    // RFC 7873 5.4: "support queries with an empty Question Section ... provided that an OPT record is present
    // with a COOKIE option".
    let has_cookie = edns.is_some_and(|edns| edns.options.iter().any(|o| o.code == EdnsOption::COOKIE));
    let refusal = match &query.question {
        // RFC 9619 4: any other standard query has exactly one question.
        None if !has_cookie => {
            let why = "there is no question".to_owned();
            return Err(Rejected::Answered(Box::new(bare(header, ResponseCode::FormErr)), why));
        }
        // RFC 6891 6.1.3
        _ if edns.is_some_and(|edns| edns.version > 0) => {
            Some((ResponseCode::BadVers, "this EDNS version is not known here".to_owned()))
        }
        // RFC 8945 5.2.1: a key that is not known. There are none here, so nothing can be signed in return.
        _ if query.has_tsig => {
            let mut response = query.response(ResponseCode::NotAuth);
            let text = "no key for TSIG is known here".to_owned();
            if let Some(edns) = &mut response.edns {
                edns.extended_errors.push(ExtendedError { code: OTHER_ERROR, text: text.clone() });
            }
            return Err(Rejected::Answered(Box::new(response), text));
        }
        None => None,
        Some(question) if question.class != CLASS_IN && question.class != CLASS_CH => {
            Some((ResponseCode::Refused, format!("class {} is not served here", question.class)))
        }
        Some(question) => meta_type(question.record_type),
    };
    match refusal {
        Some((code, why)) => Err(Rejected::Answered(Box::new(query.response(code)), why)),
        None => Ok(query),
    }
}

/// Types that no record has, and that nothing is asked by here.
fn meta_type(record_type: RecordType) -> Option<(ResponseCode, String)> {
    let code = match record_type.number() {
        // RFC 6891 6.1.1: OPT "MUST NOT be cached, forwarded, or stored in or loaded from zone files".
        41 => ResponseCode::FormErr,
        // RFC 2930, RFC 8945: TKEY and TSIG belong to the message, not to a name.
        249 | 250 => ResponseCode::FormErr,
        // RFC 1035 3.2.3: MAILB and MAILA, obsolete.
        253 | 254 => ResponseCode::NotImp,
        _ => return None,
    };
    Some((code, format!("{record_type} is nothing that can be asked for")))
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
/// no more than the server sends, `largest`.
pub(super) fn limit(query: &Message, transport: Transport, largest: u16) -> usize {
    match (transport, &query.edns) {
        (Transport::Tcp, _) => usize::from(u16::MAX),
        (Transport::Udp, Some(edns)) => {
            usize::from(edns.udp_payload.clamp(PLAIN_UDP_PAYLOAD, largest.max(PLAIN_UDP_PAYLOAD)))
        }
        (Transport::Udp, None) => usize::from(PLAIN_UDP_PAYLOAD),
    }
}

/// Repeats the question's letters as they came: some clients check their case, as one more thing
/// that a forger would have to guess. It stands uncompressed behind the header in both.
pub(super) fn echo_question(request: &[u8], response: &mut [u8]) {
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
        assert_eq!(rejected(&Message { opcode: 4, ..query(RecordType::A) }), (ResponseCode::Refused, false));
        assert_eq!(rejected(&Message { opcode: 5, ..query(RecordType::A) }), (ResponseCode::NotImp, false));
        assert_eq!(
            rejected(&Message { question: None, ..query(RecordType::A) }),
            (ResponseCode::FormErr, false)
        );
        for (number, code) in
            [(41, ResponseCode::FormErr), (250, ResponseCode::FormErr), (254, ResponseCode::NotImp)]
        {
            assert_eq!(rejected(&query(RecordType::from_number(number))), (code, true));
        }
        let mut hesiod = query(RecordType::Txt);
        hesiod.question.as_mut().unwrap().class = 4;
        assert_eq!(rejected(&hesiod), (ResponseCode::Refused, true));
        let newer = Message { edns: Some(Edns { version: 1, ..Edns::default() }), ..query(RecordType::A) };
        assert_eq!(rejected(&newer), (ResponseCode::BadVers, true));
        let mut cut = query(RecordType::A).to_bytes().unwrap();
        cut.truncate(20);
        assert!(
            matches!(inspect(&cut), Err(Rejected::Answered(response, _)) if response.code == ResponseCode::FormErr)
        );
    }

    #[test]
    fn extensions_that_are_not_what_they_should_be_are_a_format_error() {
        let code = |bytes: &[u8]| match inspect(bytes) {
            Ok(_) => ResponseCode::NoError,
            Err(Rejected::Answered(response, _)) => response.code,
            Err(ignored) => panic!("{ignored:?}"),
        };
        let option = EdnsOption { code: EdnsOption::NSID, data: vec![1, 2] };
        let edns = Some(Edns { options: vec![option], ..Edns::default() });
        let good = Message { edns, ..query(RecordType::A) }.to_bytes().unwrap();
        assert_eq!(code(&good), ResponseCode::NoError);
        // RFC 6891 6.1.2: an option that is longer than the record, and half an option.
        let length = good.len() - 3;
        let longer = [&good[..length], &[3], &good[length + 1..]].concat();
        assert_eq!(code(&longer), ResponseCode::FormErr);
        let with_length = good.len() - 7;
        let half = [&good[..with_length], &[3], &good[with_length + 1..good.len() - 3]].concat();
        assert_eq!(code(&half), ResponseCode::FormErr);
        // RFC 6891 6.1.1: among the answers or the authorities, and twice.
        for section in [7, 9] {
            let mut elsewhere = good.clone();
            (elsewhere[section], elsewhere[11]) = (1, 0);
            assert_eq!(code(&elsewhere), ResponseCode::FormErr);
        }
        let mut twice = [&good[..], &good[good.len() - 17..]].concat();
        twice[11] = 2;
        assert_eq!(code(&twice), ResponseCode::FormErr);
    }

    #[test]
    fn who_signs_with_a_key_is_told_that_there_is_none() {
        for edns in [None, Some(Edns::default())] {
            let mut signed = Message { edns: edns.clone(), ..query(RecordType::A) }.to_bytes().unwrap();
            // RFC 8945 4.2: the key's name, TSIG, class ANY, no TTL; algorithm, time, fudge, MAC, id, error, others.
            signed.extend(b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\x1f\x0bhmac-sha256\0");
            signed.extend(b"\0\0\0\0\0\0\x01\x2c\0\x02ab\0\x09\0\0\0\0");
            let data = signed.len() - 31;
            signed[data - 1] = 31;
            signed[11] += 1;
            let Err(Rejected::Answered(response, _)) = inspect(&signed) else { panic!("answered") };
            assert_eq!((response.code, response.question.is_some()), (ResponseCode::NotAuth, true));
            let text = response.extended_errors().first().map(|error| error.text.as_str());
            assert_eq!(text, edns.map(|_| "no key for TSIG is known here"));
        }
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
            limit(&Message { edns, ..query(RecordType::A) }, Transport::Udp, 1232)
        };
        assert_eq!((sized(100), sized(800), sized(4096)), (512, 800, 1232));
        assert_eq!(limit(&query(RecordType::A), Transport::Udp, 1232), 512);
        assert_eq!(limit(&query(RecordType::A), Transport::Tcp, 1232), 65_535);
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
