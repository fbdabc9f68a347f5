//! As much of a DNS message (RFC 1035 4.1) as a comment needs: header and first question.

use crate::text::printable;

/// A message's header and first question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u16,
    /// QR: whether it is a response.
    pub(crate) response: bool,
    /// TC: whether it was cut short.
    pub(crate) truncated: bool,
    /// RCODE.
    pub(crate) code: u8,
    /// Records in the answer section.
    pub(crate) answers: u16,
    /// QNAME without the final dot, lower case.
    pub(crate) name: String,
    /// QTYPE in words.
    pub(crate) record_type: String,
}

impl Message {
    /// Reads a message that asks one question; anything else is not taken for DNS.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        // RFC 1035 4.1.1: ID, flags, QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT.
        let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let (id, flags, questions, answers) = (word(0)?, word(2)?, word(4)?, word(6)?);
        if questions != 1 {
            return None;
        }
        let (name, after) = question_name(bytes, 12)?;
        Some(Self {
            id,
            response: flags & 0x8000 != 0,
            truncated: flags & 0x0200 != 0,
            code: (flags & 0x000f) as u8,
            answers,
            name,
            record_type: record_type(word(after)?),
        })
    }

    /// `DNS query A www.example.test`, `DNS response NXDOMAIN A nowhere.test`.
    pub(crate) fn label(&self) -> String {
        let Self { record_type, .. } = self;
        let name = printable(&self.name);
        if self.response {
            format!("DNS response {} {record_type} {name}", self.code_name())
        } else {
            format!("DNS query {record_type} {name}")
        }
    }

    pub(crate) fn code_name(&self) -> String {
        match self.code {
            0 => "NOERROR".to_owned(),
            1 => "FORMERR".to_owned(),
            2 => "SERVFAIL".to_owned(),
            3 => "NXDOMAIN".to_owned(),
            4 => "NOTIMP".to_owned(),
            5 => "REFUSED".to_owned(),
            other => format!("RCODE {other}"),
        }
    }
}

/// RFC 1035 4.1.2: a question's name is the first in the message, so it is never compressed.
fn question_name(bytes: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        match length {
            0 => break,
            1..=63 => {
                if !name.is_empty() {
                    name.push('.');
                }
                let label = bytes.get(at..at + length)?;
                name.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
                at += length;
            }
            _ => return None,
        }
        if name.len() > 255 * 2 {
            return None;
        }
    }
    Some((if name.is_empty() { ".".to_owned() } else { name }, at))
}

fn record_type(code: u16) -> String {
    match code {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        43 => "DS",
        48 => "DNSKEY",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "ANY",
        other => return format!("TYPE{other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::frames;

    #[test]
    fn a_question_is_read_back() {
        let message = Message::parse(&frames::dns_query(0x1a2b, "WWW.example.test")).unwrap();
        assert_eq!((message.id, message.name.as_str()), (0x1a2b, "www.example.test"));
        assert_eq!((message.record_type.as_str(), message.response), ("A", false));
    }

    #[test]
    fn a_name_that_points_or_never_ends_is_no_question() {
        let mut looping = frames::dns_query(1, "a.test");
        looping[12] = 0xc0;
        assert_eq!(Message::parse(&looping), None);
        let query = frames::dns_query(1, "a.test");
        assert_eq!(Message::parse(&query[..query.len() - 5]), None);
    }
}
