//! The usual mistakes in words: the cause and the cure.

use super::BadZoneFile;
use super::reader::Place;
use super::tokens::{TokenError, Word};
use crate::record::RecordType;
use std::rc::Rc;

pub(super) fn without_ttl(place: &Place) -> BadZoneFile {
    place.bad("nothing says how long this record may be kept", "begin the file with $TTL 1h")
}

pub(super) fn bad_time(place: &Place, word: &Word<'_>, what: &str) -> BadZoneFile {
    let cure = "write seconds up to 2147483647, or numbers with units: 3600, 1h30m, 2w";
    place.bad(format!("{:?} is not {what}", word.text), cure)
}

pub(super) fn too_much(place: &Place, word: &Word<'_>) -> BadZoneFile {
    place
        .at(word.line)
        .bad(format!("{:?} is one word too many", word.text), "take it away, or begin a new line")
}

pub(super) fn unbalanced(file: &Rc<str>, error: TokenError) -> BadZoneFile {
    let (line, cause, cure) = match error {
        TokenError::OpenQuote(line) => (line, "a quote without its partner", "close it on the same line"),
        TokenError::OpenParenthesis(line) => (line, "a parenthesis that is never closed", "close it with )"),
        TokenError::ClosedParenthesis(line) => (line, "a parenthesis that was never opened", "take it away"),
    };
    Place { file: Rc::clone(file), line }.bad(cause, cure)
}

/// What records of a type look like.
pub(super) fn form_of(record_type: RecordType) -> String {
    let form = match record_type {
        RecordType::A => "A 192.0.2.1",
        RecordType::Aaaa => "AAAA 2001:db8::1",
        RecordType::Ns => "NS ns.example.test.",
        RecordType::Cname => "CNAME www.example.test.",
        RecordType::Dname => "DNAME other.test.",
        RecordType::Ptr => "PTR www.example.test.",
        RecordType::Mx => "MX 10 mail.example.test.",
        RecordType::Txt => "TXT \"some words\"",
        RecordType::Srv => "SRV 0 5 443 www.example.test.",
        RecordType::Soa => "SOA ns.example.test. hostmaster.example.test. 1 2h 1h 2w 1h",
        RecordType::Ds => "DS 12345 13 2 and the digest in hexadecimal",
        _ => return format!("see what the data of {record_type} looks like, or write \\# LENGTH HEX"),
    };
    format!("write it like this: {form}")
}
