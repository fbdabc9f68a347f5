//! TCP connections as they pass a cable: which segment is the how-many-th, what has passed before, and
//! the bytes in their order for those who read them.

use super::http;
use super::tls::{Record, Records};
use glasstack_sim::FrameView;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

/// So many bytes behind a gap are kept until it is filled; a receiver's window is seldom larger.
const MOST_WAITING: usize = 256 * 1024;

/// From whom to whom.
pub(super) type Path = (SocketAddr, SocketAddr);

/// Every connection that has passed.
#[derive(Default)]
pub(super) struct Streams {
    ways: BTreeMap<Path, OneWay>,
}

/// One direction of a connection.
#[derive(Default)]
struct OneWay {
    /// The sequence number of the first byte of data.
    first: u32,
    /// How many bytes of data have been sent at least.
    sent: u64,
    /// Where the data segments begin, counted from the first byte of data, and their numbers.
    segments: BTreeMap<u64, u64>,
    /// Where the FIN stands, and whether the other direction's had been sent before.
    fin: Option<(u64, bool)>,
    /// How many bytes have been read in order.
    read: u64,
    /// What waits for a gap to be filled, by where it begins.
    waiting: BTreeMap<u64, Vec<u8>>,
    records: Records,
}

/// What a TCP segment is in its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) path: Path,
    /// Which data segment of its direction it is, from 1; one sent again keeps its number.
    pub(super) number: Option<u64>,
    /// It brings nothing new.
    pub(super) is_again: bool,
    /// How many bytes of data have come this way with it.
    pub(super) sent: u64,
    /// It acknowledges the second FIN, and does nothing else.
    pub(super) is_last_ack: bool,
    /// TLS records of which it holds a part.
    pub(super) records: Vec<Record>,
    /// The beginning of an HTTP/1 message.
    pub(super) http: Option<http::Beginning>,
}

impl Segment {
    /// From whom to whom answers go.
    pub(super) fn back(&self) -> Path {
        (self.path.1, self.path.0)
    }
}

impl Streams {
    /// Takes note of a frame. None if it is not TCP.
    pub(super) fn on_frame(&mut self, frame: &FrameView<'_>) -> Option<Segment> {
        let seq = frame.tcp_seq()?;
        let path = (
            SocketAddr::new(frame.source_ip()?, frame.source_port()?),
            SocketAddr::new(frame.destination_ip()?, frame.destination_port()?),
        );
        let back = (path.1, path.0);
        let (is_syn, is_fin) = (frame.is_syn() || frame.is_syn_ack(), frame.is_fin());
        let payload = frame.payload();
        if is_syn && self.ways.get(&path).is_none_or(|way| way.first != seq.wrapping_add(1)) {
            // A new connection, perhaps on the ports of an old one.
            self.ways.insert(path, OneWay { first: seq.wrapping_add(1), ..OneWay::default() });
        }
        let others_fin = self.ways.get(&back).and_then(|other| other.fin.map(|fin| (fin, other.first)));
        let way = self.ways.entry(path).or_insert_with(|| OneWay { first: seq, ..OneWay::default() });
        let begins = way.place(if is_syn { seq.wrapping_add(1) } else { seq });
        let ends = begins + payload.len() as u64;
        let is_again = !payload.is_empty() && ends <= way.sent;
        let number = (!payload.is_empty()).then(|| way.number(begins));
        way.sent = way.sent.max(ends);
        if is_fin && way.fin.is_none() {
            way.fin = Some((ends, others_fin.is_some()));
        }
        let is_last_ack = way.fin.is_some_and(|_| frame.is_pure_ack())
            && others_fin.is_some_and(|((at, is_second), first)| {
                is_second && frame.tcp_ack() == Some(first.wrapping_add(at as u32).wrapping_add(1))
            });
        let sent = way.sent;
        let records = if payload.is_empty() { Vec::new() } else { way.read(begins, payload) };
        let http = http::Beginning::of(payload);
        Some(Segment { path, number, is_again, sent, is_last_ack, records, http })
    }
}

impl OneWay {
    /// How far behind the first byte of data a sequence number is; what is before it counts as it.
    fn place(&self, seq: u32) -> u64 {
        // RFC 9293 3.4: sequence numbers wrap; the nearest one to what has been sent is meant.
        let near = seq.wrapping_sub(self.first.wrapping_add(self.sent as u32)) as i32;
        self.sent.saturating_add_signed(near.into())
    }

    fn number(&mut self, begins: u64) -> u64 {
        // What is cut otherwise when it is sent again belongs to the segment before it.
        if begins < self.sent {
            return self.segments.range(..=begins).next_back().map_or(1, |(_, number)| *number);
        }
        let next = self.segments.len() as u64 + 1;
        *self.segments.entry(begins).or_insert(next)
    }

    /// Shows new bytes to the reader of TLS records, as far as they follow on each other. The records of
    /// which this very segment holds a part.
    fn read(&mut self, begins: u64, payload: &[u8]) -> Vec<Record> {
        if begins > self.read {
            let waiting: usize = self.waiting.values().map(Vec::len).sum();
            if waiting + payload.len() <= MOST_WAITING {
                self.waiting.insert(begins, payload.to_vec());
            }
            return Vec::new();
        }
        let known = usize::try_from(self.read - begins).unwrap_or(usize::MAX);
        let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) else {
            return self.records.again(within(begins, payload.len()));
        };
        let mut records = self.records.again(within(begins, known));
        records.extend(self.records.feed(new, known));
        self.read += new.len() as u64;
        while let Some((at, bytes)) = self.waiting.pop_first() {
            if at > self.read {
                self.waiting.insert(at, bytes);
                break;
            }
            let known = usize::try_from(self.read - at).unwrap_or(usize::MAX);
            if let Some(new) = bytes.get(known..) {
                self.records.feed(new, known);
                self.read += new.len() as u64;
            }
        }
        records
    }
}

/// A stretch of a stream.
fn within(begins: u64, length: usize) -> Range<u64> {
    begins..begins + length as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::event::{FrameId, MacAddress, TcpFlags};
    use glasstack_sim::attack::forge::{self, Control, Header};

    const SYN: u8 = TcpFlags::SYN;
    const ACK: u8 = TcpFlags::ACK;
    const FIN: u8 = TcpFlags::FIN | TcpFlags::ACK;

    /// A segment of a client (`true`) or its server.
    fn segment(
        streams: &mut Streams,
        is_clients: bool,
        flags: u8,
        seq: u32,
        ack: u32,
        data: &[u8],
    ) -> Segment {
        let (client, server) = ("10.0.0.1:50000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let (from, to) = if is_clients { (client, server) } else { (server, client) };
        let header = Header::new(MacAddress([2; 6]), MacAddress([4; 6]));
        let control = Control { seq, ack, flags: TcpFlags(flags), window: 1_000 };
        let bytes = forge::tcp(header, from, to, control, data);
        streams.on_frame(&FrameView::new(FrameId(1), &bytes)).unwrap()
    }

    #[test]
    fn data_segments_are_numbered_in_each_direction_and_keep_their_number() {
        // Sequence numbers wrap in the middle.
        let first = u32::MAX - 4;
        let mut streams = Streams::default();
        segment(&mut streams, true, SYN, first.wrapping_sub(1), 0, b"");
        let mut send = |at: u32, data: &[u8]| {
            let seen = segment(&mut streams, true, ACK, first.wrapping_add(at), 0, data);
            (seen.number, seen.is_again, seen.sent)
        };
        assert_eq!(send(0, b"hello"), (Some(1), false, 5));
        assert_eq!(send(5, b""), (None, false, 5));
        assert_eq!(send(5, b"there"), (Some(2), false, 10));
        assert_eq!(send(0, b"hello"), (Some(1), true, 10));
        assert_eq!(send(5, b"the"), (Some(2), true, 10));
        assert_eq!(send(15, b"behind a gap"), (Some(3), false, 27));
        assert_eq!(segment(&mut streams, false, ACK, 7, 0, b"answer").number, Some(1));
    }

    #[test]
    fn the_last_ack_is_that_of_the_second_fin_whenever_it_is_repeated() {
        let mut streams = Streams::default();
        let mut last =
            |is_clients, flags, seq, ack| segment(&mut streams, is_clients, flags, seq, ack, b"").is_last_ack;
        assert!(!last(true, SYN, 99, 0) && !last(false, SYN | ACK, 199, 100) && !last(true, ACK, 100, 200));
        assert!(!last(true, FIN, 100, 200));
        assert!(!last(false, ACK, 200, 101));
        assert!(!last(false, FIN, 200, 101));
        assert!(last(true, ACK, 101, 201));
        assert!(last(true, ACK, 101, 201));
        // A new connection on the same ports begins anew.
        assert!(!last(true, SYN, 5_000, 0) && !last(true, ACK, 5_001, 201));
    }

    #[test]
    fn records_are_seen_through_a_gap_that_is_filled_later() {
        let record = |content: u8| [&[23, 3, 3, 0, 3], [content; 3].as_slice()].concat();
        let mut streams = Streams::default();
        segment(&mut streams, true, SYN, 99, 0, b"");
        let mut numbers = |seq, data: &[u8]| {
            let seen = segment(&mut streams, true, ACK, seq, 0, data);
            seen.records.iter().map(|record| record.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(100, &record(1)), [1]);
        assert_eq!(numbers(116, &record(3)), [0; 0], "what comes before it is unknown");
        assert_eq!(numbers(108, &record(2)), [2]);
        assert_eq!(numbers(116, &record(3)), [3], "sent again");
        assert_eq!(numbers(124, &record(4)), [4]);
    }
}
