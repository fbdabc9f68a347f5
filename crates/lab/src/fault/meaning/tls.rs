//! TLS records as they pass: their plain headers (RFC 8446 5.1), the type of handshake messages that are
//! not encrypted (4), and the name in a ClientHello (RFC 6066 3). What TLS 1.3 encrypts stays what it is
//! for everybody on the way: a record of application data.

use std::ops::Range;

/// Content types (RFC 8446 B.1).
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
/// Handshake types (RFC 8446 B.3, RFC 5246 A.4).
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const CERTIFICATE: u8 = 11;
/// Type, version, length, in bytes.
const HEADER: usize = 5;
/// The longest record of TLS 1.2, in bytes (RFC 5246 6.2.3).
const LONGEST: usize = (1 << 14) + 2048;
/// So many places of records are remembered for what is sent again.
const REMEMBERED: usize = 1024;

/// A part of a TLS record in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Which of its direction it is, from 1.
    pub(super) number: u64,
    pub(super) content_type: u8,
    /// The handshake message that begins here, if it is not encrypted.
    pub(super) handshake: Option<u8>,
    /// The server's name in a ClientHello.
    pub(super) server_name: Option<String>,
    /// Whether the record begins in this segment.
    pub(super) begins: bool,
    /// Where in the segment's payload its content is, in bytes.
    pub(super) content: Range<usize>,
}

/// Reads one direction of a connection.
#[derive(Default)]
pub(super) struct Records {
    state: State,
    /// How many bytes have been read.
    read: u64,
    count: u64,
    /// The records so far and where their content is in the stream.
    places: Vec<(Range<u64>, Record)>,
    /// After a ChangeCipherSpec handshake messages are encrypted.
    is_encrypted: bool,
}

#[derive(Default)]
enum State {
    /// Nothing has come yet, or a header has come in part.
    #[default]
    Between,
    Header(Vec<u8>),
    /// So many bytes of the content are still to come.
    Content(usize),
    /// This is no TLS.
    Other,
}

impl Records {
    /// Reads on. `bytes` begin `offset` bytes into the segment's payload.
    pub(super) fn feed(&mut self, bytes: &[u8], offset: usize) -> Vec<Record> {
        let mut seen = Vec::new();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match std::mem::take(&mut self.state) {
                State::Other => {
                    self.state = State::Other;
                    break;
                }
                State::Between => self.state = State::Header(Vec::new()),
                State::Header(mut header) => {
                    let taken = rest.len().min(HEADER - header.len());
                    header.extend(rest.iter().take(taken));
                    at += taken;
                    if header.len() < HEADER {
                        self.state = State::Header(header);
                    } else {
                        let content = bytes.get(at..).unwrap_or_default();
                        let place = self.read + at as u64;
                        seen.extend(self.begin(&header, content, at + offset, place));
                    }
                }
                State::Content(left) => {
                    let taken = rest.len().min(left);
                    let is_begun = seen
                        .last()
                        .is_some_and(|record: &Record| record.number == self.count && record.begins);
                    if let Some((_, current)) = self.places.last().filter(|_| !is_begun) {
                        let content = at + offset..at + offset + taken;
                        seen.push(Record { begins: false, content, ..current.clone() });
                    }
                    at += taken;
                    self.state = if taken < left { State::Content(left - taken) } else { State::Between };
                }
            }
        }
        self.read += bytes.len() as u64;
        seen
    }

    /// A header is complete; `content` is what of the record is there, `at` where in the payload and
    /// `place` where in the stream. None if it is no header.
    fn begin(&mut self, header: &[u8], content: &[u8], at: usize, place: u64) -> Option<Record> {
        self.state = State::Other;
        let [content_type, 3, 0..=4, high, low] = *header else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&content_type) || length > LONGEST {
            return None;
        }
        let content = content.get(..length).unwrap_or(content);
        let handshake = content.first().copied().filter(|_| content_type == HANDSHAKE && !self.is_encrypted);
        let server_name = (handshake == Some(CLIENT_HELLO)).then(|| server_name(content)).flatten();
        self.is_encrypted |= content_type == CHANGE_CIPHER_SPEC;
        self.count += 1;
        let range = at..at + content.len();
        let record =
            Record { number: self.count, content_type, handshake, server_name, begins: true, content: range };
        if self.places.len() >= REMEMBERED {
            self.places.remove(0);
        }
        self.places.push((place..place + length as u64, record.clone()));
        self.state = if length == 0 { State::Between } else { State::Content(length) };
        Some(record)
    }

    /// The records in a stretch of the stream that has been read before.
    pub(super) fn again(&self, stretch: Range<u64>) -> Vec<Record> {
        let shared = |place: &Range<u64>| place.start.max(stretch.start)..place.end.min(stretch.end);
        let inside = |at: u64| usize::try_from(at - stretch.start).unwrap_or(usize::MAX);
        let places = self.places.iter().map(|(place, record)| (shared(place), place, record));
        let found = places.filter(|(shared, ..)| shared.start < shared.end);
        found
            .map(|(shared, place, record)| Record {
                begins: shared.start == place.start,
                content: inside(shared.start)..inside(shared.end),
                ..record.clone()
            })
            .collect()
    }
}

/// The host name in a ClientHello (RFC 8446 4.1.2, RFC 6066 3), as far as the message is there.
fn server_name(message: &[u8]) -> Option<String> {
    const SERVER_NAME: u16 = 0;
    // Type and length of the message, version, random.
    let mut rest = Bytes(message.get(4 + 2 + 32..)?);
    rest.vector(1)?; // legacy_session_id
    rest.vector(2)?; // cipher_suites
    rest.vector(1)?; // legacy_compression_methods
    rest.number(2)?; // the length of the extensions
    loop {
        let kind = rest.number(2)?;
        let body = rest.vector(2)?;
        if kind == u64::from(SERVER_NAME) {
            let mut list = Bytes(body);
            list.number(2)?;
            // name_type 0 is host_name.
            return if list.number(1)? == 0 {
                String::from_utf8(list.vector(2)?.to_vec()).ok()
            } else {
                None
            };
        }
    }
}

/// Bytes that are read from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A vector with its length in so many bytes (RFC 8446 3.4).
    fn vector(&mut self, length_bytes: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number(length_bytes)?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[content_type, 3, 3], length.as_slice(), content].concat()
    }

    #[test]
    fn records_are_counted_however_they_are_cut() {
        let stream =
            [record(HANDSHAKE, &[2; 10]), record(CHANGE_CIPHER_SPEC, &[1]), record(HANDSHAKE, &[11; 20])]
                .concat();
        for cut in 1..stream.len() {
            let mut records = Records::default();
            let mut seen = Vec::new();
            for part in stream.chunks(cut) {
                seen.extend(records.feed(part, 0).into_iter().filter(|record| record.begins));
            }
            let told: Vec<_> = seen.iter().map(|record| (record.number, record.content_type)).collect();
            assert_eq!(told, [(1, HANDSHAKE), (2, CHANGE_CIPHER_SPEC), (3, HANDSHAKE)], "cut at {cut}");
        }
        let mut records = Records::default();
        let whole = records.feed(&stream, 0);
        assert_eq!(whole.iter().map(|record| record.handshake).collect::<Vec<_>>(), [Some(2), None, None]);
        assert_eq!(whole[0].content, 5..15);
        assert_eq!(records.again(0..stream.len() as u64), whole);
    }

    #[test]
    fn what_is_no_tls_stays_none() {
        let mut records = Records::default();
        assert!(records.feed(b"GET / HTTP/1.1\r\n", 0).is_empty());
        assert!(records.feed(&record(HANDSHAKE, &[1]), 0).is_empty());
    }
}
