//! Questions about the server itself: TXT records of class CH (RFC 4892).

use super::inspect::CLASS_CH;
use super::options::ServeOptions;
use crate::message::{HEADER, Message, Question, ResponseCode};
use crate::record::{Record, RecordData, RecordType};

/// Fills the response to a question of class CH: in bytes, with its code and why.
pub(super) fn respond(response: Message, question: &Question, options: &ServeOptions) -> Option<Told> {
    let known = match question.name.as_str().to_ascii_lowercase().trim_end_matches('.') {
        "version.bind" | "version.server" => options.version.as_ref(),
        "hostname.bind" | "id.server" => options.identity.as_ref(),
        _ => None,
    };
    let (Some(text), RecordType::Txt) = (known, question.record_type) else {
        let why = "the server does not say such a thing of itself";
        let bytes = Message { code: ResponseCode::Refused, ..response }.to_bytes().ok()?;
        return Some(Told { bytes, code: ResponseCode::Refused, why });
    };
    // A character string has at most 255 bytes (RFC 1035 3.3).
    let strings = text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect();
    let answers = vec![Record { owner: question.name.clone(), ttl: 0, data: RecordData::Txt(strings) }];
    let response = Message { authoritative: true, answers, ..response };
    let mut bytes = response.to_bytes().ok()?;
    set_class_of_answer(&mut bytes)?;
    Some(Told { bytes, code: ResponseCode::NoError, why: "what it says of itself" })
}

/// A response that is written already.
pub(super) struct Told {
    pub(super) bytes: Vec<u8>,
    pub(super) code: ResponseCode,
    pub(super) why: &'static str,
}

/// Records are of class IN everywhere else, so they are written as such.
fn set_class_of_answer(bytes: &mut [u8]) -> Option<()> {
    let answer = name_end(bytes, HEADER)? + 4;
    let class = name_end(bytes, answer)? + 2;
    bytes.get_mut(class..class + 2)?.copy_from_slice(&CLASS_CH.to_be_bytes());
    Some(())
}

/// Where the name that begins at `at` ends (RFC 1035 4.1.4).
fn name_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length >= 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Edns;
    use crate::name::DnsName;

    fn ask(name: &str, options: &ServeOptions) -> Told {
        let mut question = Question::new(DnsName::parse(name).unwrap(), RecordType::Txt);
        question.class = CLASS_CH;
        let query = Message::query(7, question.clone(), Some(Edns::default()));
        respond(query.response(ResponseCode::NoError), &question, options).unwrap()
    }

    #[test]
    fn the_server_says_what_it_was_told_to_say_of_itself_in_class_ch() {
        let options = ServeOptions { version: Some("glasstack 1".into()), ..ServeOptions::default() };
        let told = ask("Version.Bind", &options);
        assert_eq!(told.code, ResponseCode::NoError);
        // Behind the question: a pointer to its name, TXT, CH, no time to live.
        let answer = HEADER + 14 + 4;
        assert_eq!(told.bytes[answer..answer + 12], [0xc0, 12, 0, 16, 0, 3, 0, 0, 0, 0, 0, 12]);
        assert_eq!(&told.bytes[answer + 13..answer + 24], b"glasstack 1");
    }

    #[test]
    fn what_it_was_not_told_to_say_is_refused() {
        assert_eq!(ask("version.bind", &ServeOptions::default()).code, ResponseCode::Refused);
        assert_eq!(ask("authors.bind", &ServeOptions::default()).code, ResponseCode::Refused);
    }
}
