//! What frames are called: read and written.

use super::bad_fault::BadFault;
use super::parse::{CLAUSES, is_clause};
use super::quantity;
use super::reader::Reader;
use super::spec::{Kind, Side, Thing};
use glasstack_dns::{DnsName, RecordType};
use std::fmt;

const QUERY: &[&str] = &["DNS query", "DNS queries", "DNS question", "DNS questions"];
const ANSWER: &[&str] =
    &["DNS answer", "DNS answers", "DNS response", "DNS responses", "DNS reply", "DNS replies"];
const DNS: &[&str] = &["DNS message", "DNS messages", "DNS"];
const CLIENT_HELLO: &[&str] = &["ClientHello", "ClientHellos", "client hello", "client hellos"];
const HTTP_REQUEST: &[&str] = &["HTTP request", "HTTP requests"];
const HTTP_RESPONSE: &[&str] = &["HTTP response", "HTTP responses"];

/// The record types that are proposed for one that does not exist.
const TYPES: &[&str] = &["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "TXT", "SRV", "CAA", "HTTPS"];

/// A kind of frame and what is said of it.
pub(super) fn thing(reader: &mut Reader<'_>) -> Result<Thing, BadFault> {
    if takes_any(reader, QUERY) {
        return dns(reader, Some(Side::Query));
    }
    if takes_any(reader, ANSWER) {
        return dns(reader, Some(Side::Answer));
    }
    if takes_any(reader, DNS) {
        return dns(reader, None);
    }
    if takes_any(reader, CLIENT_HELLO) {
        let name = if reader.takes("for") { Some(domain(reader)?) } else { None };
        return Ok(Thing::ClientHello { name });
    }
    if takes_any(reader, HTTP_REQUEST) {
        let method = reader.may(method);
        let target = reader.may(|word| word.starts_with('/').then(|| word.to_owned()));
        return Ok(Thing::HttpRequest { method, target });
    }
    if takes_any(reader, HTTP_RESPONSE) {
        let status =
            if reader.takes("status") {
                let code = |word: &str| quantity::number(word).and_then(|n| u16::try_from(n).ok());
                Some(reader.value("a status from 100 to 999", |word| {
                    code(word).filter(|n| (100..1000).contains(n))
                })?)
            } else {
                None
            };
        return Ok(Thing::HttpResponse { status });
    }
    // The longest spelling first: `TLS record` before `TLS`.
    match kind(reader) {
        Some((kind, words)) => {
            reader.advance(words);
            Ok(Thing::Plain(kind))
        }
        None => Err(reader.expected("a kind of frame", &all_words())),
    }
}

/// Whether frames are named from here on.
pub(super) fn begins(reader: &Reader<'_>) -> bool {
    const OTHERS: [&str; 6] = ["the", "every", "all", "each", "any", "last"];
    let is_count = |word: &str| quantity::percent(word).is_some() || quantity::ordinal(word).is_some();
    reader.word().is_some_and(is_count)
        || OTHERS.iter().any(|word| reader.sees(word))
        || phrases().any(|phrase| reader.sees(phrase))
        || kind(reader).is_some()
}

/// Whether this name of a host could be taken for something else right behind a verb.
pub(super) fn is_reserved(name: &str) -> bool {
    const OTHERS: [&str; 9] = ["the", "every", "all", "each", "any", "last", "above", "after", "in"];
    // A host called `encrypted` is, before `records`, not a host.
    let is_taken = |phrase: &str| {
        let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
        let goes_on = rest.is_empty() || Reader::new(rest).is_ok_and(|rest| begins(&rest));
        first.eq_ignore_ascii_case(name) && goes_on
    };
    OTHERS.iter().any(|word| word.eq_ignore_ascii_case(name))
        || quantity::ordinal(name).is_some()
        || all_words().into_iter().any(is_taken)
}

fn takes_any(reader: &mut Reader<'_>, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| reader.takes(phrase))
}

fn phrases() -> impl Iterator<Item = &'static str> {
    [QUERY, ANSWER, DNS, CLIENT_HELLO, HTTP_REQUEST, HTTP_RESPONSE].into_iter().flatten().copied()
}

/// The kind named here, and in how many words.
fn kind(reader: &Reader<'_>) -> Option<(Kind, usize)> {
    let spelt = Kind::ALL.iter().flat_map(|kind| kind.spellings().iter().map(move |words| (*kind, *words)));
    let seen = spelt.filter(|(_, words)| reader.sees(words));
    seen.map(|(kind, words)| (kind, words.split(' ').count())).max_by_key(|(_, words)| *words)
}

/// Every word for frames, and these.
pub(super) fn words_and(more: &[&'static str]) -> Vec<&'static str> {
    all_words().into_iter().chain(more.iter().copied()).collect()
}

fn all_words() -> Vec<&'static str> {
    let usual = ["SYN", "SYN-ACK", "ACK", "segment", "DNS query", "TLS record", "HTTP request"];
    let every = Kind::ALL.iter().flat_map(|kind| kind.spellings()).copied();
    usual.into_iter().chain(every).chain(phrases()).collect()
}

/// A record type and a name, as far as they are said.
fn dns(reader: &mut Reader<'_>, side: Option<Side>) -> Result<Thing, BadFault> {
    let record_type = reader.may(record_type);
    let name = if reader.takes("for") || reader.takes("about") {
        Some(domain(reader)?)
    } else {
        reader.may(|word| looks_like_a_name(word).then(|| DnsName::parse(word).ok()).flatten())
    };
    let says_nothing = record_type.is_none() && name.is_none();
    if says_nothing && reader.word().is_some_and(|word| !may_follow_dns(word)) {
        let query_or_answer: &[&str] = if side.is_none() { &["query", "answer"] } else { &[] };
        let words = [TYPES, query_or_answer, CLAUSES].concat();
        return Err(reader.expected("a record type, a domain name or a clause", &words));
    }
    Ok(Thing::Dns { side, record_type, name })
}

/// Whether a word that is neither a type nor a name belongs to what comes behind the frames.
fn may_follow_dns(word: &str) -> bool {
    let others = ["keeping", "by", "in"];
    is_clause(word)
        || !word.starts_with(char::is_alphabetic)
        || others.iter().any(|other| word.eq_ignore_ascii_case(other))
}

fn record_type(word: &str) -> Option<RecordType> {
    if is_clause(word) { None } else { word.parse().ok() }
}

/// Whether a word can be nothing but a domain name.
fn looks_like_a_name(word: &str) -> bool {
    word.contains('.') && word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*' || c == '_')
}

fn domain(reader: &mut Reader<'_>) -> Result<DnsName, BadFault> {
    reader.value("a domain name", |word| DnsName::parse(word).ok())
}

/// A method (RFC 9110 9.1) as it is usually written: capital letters.
fn method(word: &str) -> Option<String> {
    (word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| word.to_owned())
}

impl Thing {
    /// One or several of them.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, are_several: bool) -> fmt::Result {
        let pick = |one: &'static str, several: &'static str| if are_several { several } else { one };
        match self {
            Self::Plain(kind) => f.write_str(pick(kind.singular(), kind.plural())),
            Self::Dns { side, record_type, name } => {
                f.write_str(match side {
                    Some(Side::Query) => pick("DNS query", "DNS queries"),
                    Some(Side::Answer) => pick("DNS answer", "DNS answers"),
                    None => pick("DNS message", "DNS messages"),
                })?;
                if let Some(record_type) = record_type {
                    write!(f, " {record_type}")?;
                }
                match name {
                    Some(name) if looks_like_a_name(&name.to_string()) => write!(f, " {name}"),
                    Some(name) => write!(f, " for {name}"),
                    None => Ok(()),
                }
            }
            Self::ClientHello { name } => {
                f.write_str(pick("ClientHello", "ClientHellos"))?;
                name.as_ref().map_or(Ok(()), |name| write!(f, " for {name}"))
            }
            Self::HttpRequest { method, target } => {
                f.write_str(pick("HTTP request", "HTTP requests"))?;
                [method, target].into_iter().flatten().try_for_each(|part| write!(f, " {part}"))
            }
            Self::HttpResponse { status } => {
                f.write_str(pick("HTTP response", "HTTP responses"))?;
                status.map_or(Ok(()), |status| write!(f, " status {status}"))
            }
        }
    }
}
