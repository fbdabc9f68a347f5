//! Reassembly of fragmented datagrams, bounded in every direction (RFC 791 3.2, RFC 815,
//! RFC 1122 3.3.2).
//!
//! Fragments that contradict each other end their datagram: nobody sends such for a good reason
//! (RFC 5722 4 rules so for IPv6; the attacks of RFC 1858 and RFC 3128 are the same here).

use crate::fragment::{seal, set};
use crate::ingress::{Discard, Ipv4Packet};
use glasstack_journal::Instant;
use glasstack_journal::event::{DropReason, FrameId};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// The longest payload that an IPv4 total length can hold behind the shortest header.
const LARGEST_PAYLOAD: usize = 65_535 - 20;

/// Pieces of one datagram: 64 KiB in packets of 576 bytes make 119.
const MOST_FRAGMENTS: usize = 1024;

/// What the waiting fragments may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Datagrams that wait for their fragments.
    pub(crate) datagrams: usize,
    /// Bytes of all waiting fragments together.
    pub(crate) bytes: usize,
    /// How long a datagram may wait, from its first fragment on.
    pub(crate) lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { datagrams: 64, bytes: 1 << 20, lifetime: Duration::from_secs(30) }
    }
}

/// RFC 791 3.2: what fragments of one datagram have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    identification: u16,
}

/// The datagrams that wait for their fragments.
#[derive(Default)]
pub(crate) struct Reassembler {
    limits: Limits,
    waiting: BTreeMap<Key, Partial>,
    bytes: usize,
    /// What has given way and is still to be told.
    given_up: Vec<(FrameId, Discard)>,
}

/// Reassembly for a node that is no host, as a router, which puts together what is for itself (RFC 1812
/// 4.2.2.7); with the limits that hosts have.
#[derive(Default)]
pub struct Reassembly {
    reassembler: Reassembler,
}

impl Reassembly {
    /// Takes a fragment, from its IP header on. Returns the packet if it is whole now; the error says
    /// why the fragment is discarded.
    pub fn push(
        &mut self,
        now: Instant,
        fragment: &[u8],
        frame: FrameId,
    ) -> Result<Option<Vec<u8>>, (DropReason, String)> {
        let whole = Ipv4Packet::parse(fragment)
            .and_then(|fragment| self.reassembler.push(now, &fragment, frame))
            .map_err(|discard| (discard.reason, discard.detail))?;
        Ok(whole.map(|whole| whole.packet))
    }

    /// Gives up what has waited for too long: the first frame of each datagram, and why.
    pub fn expire(&mut self, now: Instant) -> Vec<(FrameId, DropReason, String)> {
        let given_up = self.reassembler.expire(now).into_iter();
        given_up.map(|(frame, discard)| (frame, discard.reason, discard.detail)).collect()
    }

    /// When [`expire`](Self::expire) has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.reassembler.next_deadline()
    }
}

/// What has come of one datagram.
struct Partial {
    began: Instant,
    first_frame: FrameId,
    /// By offset; they do not overlap.
    pieces: BTreeMap<usize, Vec<u8>>,
    /// The first fragment's header.
    header: Option<Vec<u8>>,
    /// The payload's length, known from the last fragment.
    length: Option<usize>,
    /// Its fragments have contradicted each other.
    spoilt: bool,
}

/// A datagram that is whole again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reassembled {
    /// The packet, as if it had never been cut.
    pub(crate) packet: Vec<u8>,
    /// How many fragments it came in.
    pub(crate) fragments: usize,
    /// How long after the first.
    pub(crate) after: Duration,
}

impl Reassembler {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a fragment. Returns the datagram if it is whole now.
    pub(crate) fn push(
        &mut self,
        now: Instant,
        packet: &Ipv4Packet<'_>,
        frame: FrameId,
    ) -> Result<Option<Reassembled>, Discard> {
        let bad = |detail: String| Discard::new(DropReason::BadFragment, detail);
        let (offset, length) = (packet.fragment_offset, packet.payload.len());
        if length == 0 || packet.more_fragments && length % 8 != 0 {
            return Err(bad(format!("{length} bytes, and more to follow: not a multiple of 8")));
        }
        if offset + length > LARGEST_PAYLOAD {
            return Err(bad(format!("it would end at byte {} of a datagram", offset + length)));
        }
        let key = Key {
            source: packet.source,
            destination: packet.destination,
            protocol: packet.protocol,
            identification: packet.identification,
        };
        let is_new = !self.waiting.contains_key(&key);
        self.make_room(&key, length, is_new);
        let partial = self.waiting.entry(key).or_insert_with(|| Partial::new(now, frame));
        match partial.add(packet) {
            Ok(added) => self.bytes += added,
            Err(why) => {
                self.spoil(&key);
                return Err(bad(why));
            }
        }
        let Some(partial) = self.waiting.get(&key).filter(|partial| partial.is_whole()) else {
            return Ok(None);
        };
        let whole = partial.join(now);
        self.forget(&key);
        match whole {
            Some(whole) => Ok(Some(whole)),
            None => Err(bad("header and payload together exceed 65535 bytes".to_owned())),
        }
    }

    /// Where a fragment would exceed the limits, the datagrams that have waited longest give way: who
    /// sends first pieces alone cannot keep others out.
    fn make_room(&mut self, key: &Key, length: usize, is_new: bool) {
        while self.bytes + length > self.limits.bytes || is_new && self.waiting.len() >= self.limits.datagrams
        {
            let others = self.waiting.iter().filter(|(other, _)| *other != key);
            let Some(oldest) = others.min_by_key(|(_, partial)| partial.began).map(|(oldest, _)| *oldest)
            else {
                return;
            };
            if let Some(partial) = self.forget(&oldest) {
                let detail = format!("fragments from {} gave way to newer ones", oldest.source);
                let discard = Discard::new(DropReason::ReassemblyFull, detail);
                self.given_up.push((partial.first_frame, discard));
            }
        }
    }

    /// Gives up what has waited for too long; what has given way is told, too.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(FrameId, Discard)> {
        let lifetime = self.limits.lifetime;
        let old: Vec<Key> = self
            .waiting
            .iter()
            .filter(|(_, partial)| now >= partial.began + lifetime)
            .map(|(key, _)| *key)
            .collect();
        let mut gone = std::mem::take(&mut self.given_up);
        gone.extend(old.into_iter().filter_map(|key| {
            let partial = self.forget(&key)?;
            let detail = format!(
                "{} fragments from {} waited {} s for the rest",
                partial.pieces.len(),
                key.source,
                lifetime.as_secs()
            );
            Some((partial.first_frame, Discard::new(DropReason::ReassemblyTimeout, detail)))
        }));
        gone
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|partial| partial.began + self.limits.lifetime).min()
    }

    /// Lets go of what has come of a datagram, but not of its name: what follows of it is refused.
    fn spoil(&mut self, key: &Key) {
        if let Some(partial) = self.waiting.get_mut(key) {
            self.bytes -= partial.pieces.values().map(Vec::len).sum::<usize>();
            partial.pieces.clear();
            partial.spoilt = true;
        }
    }

    fn forget(&mut self, key: &Key) -> Option<Partial> {
        let partial = self.waiting.remove(key)?;
        self.bytes -= partial.pieces.values().map(Vec::len).sum::<usize>();
        Some(partial)
    }
}

impl Partial {
    fn new(began: Instant, first_frame: FrameId) -> Self {
        Self { began, first_frame, pieces: BTreeMap::new(), header: None, length: None, spoilt: false }
    }

    /// Adds a piece; how many bytes that took, or what it contradicts.
    fn add(&mut self, packet: &Ipv4Packet<'_>) -> Result<usize, String> {
        if self.spoilt {
            return Err("earlier fragments of this datagram contradicted each other".to_owned());
        }
        if self.pieces.len() >= MOST_FRAGMENTS {
            return Err(format!("more than {MOST_FRAGMENTS} fragments"));
        }
        let start = packet.fragment_offset;
        let end = start + packet.payload.len();
        // An exact repetition is what a duplicating path makes, and harmless.
        if self.pieces.get(&start).is_some_and(|piece| piece == packet.payload) {
            return Ok(0);
        }
        let before = self.pieces.range(..end).next_back();
        if before.is_some_and(|(at, piece)| at + piece.len() > start) {
            return Err(format!("bytes {start} to {end} overlap a fragment that came before"));
        }
        let known_end = self.pieces.last_key_value().map_or(0, |(at, piece)| at + piece.len());
        match (self.length, packet.more_fragments) {
            (Some(length), false) if length != end => {
                return Err(format!("two last fragments, ending at {length} and {end}"));
            }
            (Some(length), true) if end > length => {
                return Err(format!("a fragment ends at {end}, behind the last one at {length}"));
            }
            (None, false) if known_end > end => {
                return Err(format!("the last fragment ends at {end}, before byte {known_end}"));
            }
            (None, false) => self.length = Some(end),
            _ => {}
        }
        if start == 0 {
            self.header = Some(packet.header.to_vec());
        }
        self.pieces.insert(start, packet.payload.to_vec());
        Ok(packet.payload.len())
    }

    /// Pieces never overlap, so their lengths add up to the whole only if none is missing.
    fn is_whole(&self) -> bool {
        !self.spoilt && self.length == Some(self.pieces.values().map(Vec::len).sum())
    }

    fn join(&self, now: Instant) -> Option<Reassembled> {
        let header = self.header.as_ref()?;
        let mut packet = header.clone();
        self.pieces.values().for_each(|piece| packet.extend(piece));
        let total = u16::try_from(packet.len()).ok()?;
        set(&mut packet, 2, total);
        set(&mut packet, 6, 0);
        seal(&mut packet, header.len());
        Some(Reassembled { packet, fragments: self.pieces.len(), after: now - self.began })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::fragment;
    use proptest::prelude::*;

    fn datagram(length: usize) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        bytes.extend((0..length).map(|n| u8::try_from(n % 251).unwrap()));
        let total = u16::try_from(bytes.len()).unwrap();
        set(&mut bytes, 2, total);
        seal(&mut bytes, 20);
        bytes
    }

    fn push(to: &mut Reassembler, at: u64, piece: &[u8]) -> Result<Option<Reassembled>, Discard> {
        to.push(Instant::from_millis(at), &Ipv4Packet::parse(piece).unwrap(), FrameId(at))
    }

    #[test]
    fn a_missing_fragment_times_out_after_thirty_seconds() {
        let mut reassembler = Reassembler::default();
        let pieces = fragment(&datagram(3000), 1500, 7).unwrap();
        assert_eq!(push(&mut reassembler, 5, &pieces[0]), Ok(None));
        let deadline = reassembler.next_deadline().unwrap();
        assert_eq!(deadline, Instant::from_millis(30_005));
        let (frame, discard) = reassembler.expire(deadline).pop().unwrap();
        assert_eq!((frame, discard.reason), (FrameId(5), DropReason::ReassemblyTimeout));
        assert_eq!(reassembler.bytes, 0);
    }

    #[test]
    fn fragments_that_contradict_each_other_end_their_datagram() {
        let mut reassembler = Reassembler::default();
        let pieces = fragment(&datagram(3000), 1500, 7).unwrap();
        push(&mut reassembler, 0, &pieces[0]).unwrap();
        let mut other = pieces[0].clone();
        other[30] ^= 1;
        let discard = push(&mut reassembler, 0, &other).unwrap_err();
        assert_eq!(discard.reason, DropReason::BadFragment);
        assert_eq!(reassembler.bytes, 0);
        // What follows of it does not begin it anew.
        assert!(pieces.iter().all(|piece| push(&mut reassembler, 1, piece).is_err()));
        assert_eq!(reassembler.expire(Instant::from_millis(30_000)).len(), 1);
        assert!(reassembler.waiting.is_empty());
    }

    #[test]
    fn a_datagram_never_grows_beyond_64_kib() {
        let mut piece = fragment(&datagram(3000), 1500, 7).unwrap().remove(1);
        set(&mut piece, 6, 0x1fff);
        seal(&mut piece, 20);
        assert!(push(&mut Reassembler::default(), 0, &piece).is_err());
    }

    #[test]
    fn a_header_with_options_counts_towards_the_64_kib() {
        let mut pieces = fragment(&datagram(65_512), 1500, 7).unwrap();
        let mut first = pieces.remove(0);
        first.splice(20..20, [1; 4]);
        first[0] = 0x46;
        let total = u16::try_from(first.len()).unwrap();
        set(&mut first, 2, total);
        seal(&mut first, 24);
        let mut reassembler = Reassembler::default();
        for piece in &pieces {
            assert_eq!(push(&mut reassembler, 0, piece), Ok(None));
        }
        assert_eq!(push(&mut reassembler, 0, &first).unwrap_err().reason, DropReason::BadFragment);
        assert_eq!(reassembler.bytes, 0);
    }

    #[test]
    fn strangers_cannot_make_it_hold_more_than_its_limits() {
        let limits = Limits { datagrams: 4, ..Limits::default() };
        let mut reassembler = Reassembler::new(limits);
        for id in 0..10 {
            let piece = fragment(&datagram(3000), 1500, id).unwrap().remove(0);
            assert_eq!(push(&mut reassembler, id.into(), &piece), Ok(None));
        }
        let gone = reassembler.expire(Instant::ZERO);
        assert!(gone.iter().all(|(_, discard)| discard.reason == DropReason::ReassemblyFull));
        // The oldest, and each is told once.
        assert_eq!(gone.iter().map(|(frame, _)| frame.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
        assert_eq!((reassembler.waiting.len(), reassembler.bytes), (4, 4 * 1480));
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_and_twice_make_the_datagram_again(
            length in 1_usize..20_000,
            mtu in 68_usize..1500,
            order in any::<u64>(),
        ) {
            let whole = datagram(length);
            let mut pieces = fragment(&whole, mtu, 5).unwrap();
            prop_assume!(pieces.len() > 1);
            // A permutation from the seed.
            pieces.sort_by_key(|piece| {
                let at = Ipv4Packet::parse(piece).unwrap().fragment_offset as u64;
                (at ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            let mut reassembler = Reassembler::default();
            let mut result = None;
            for piece in &pieces {
                result = push(&mut reassembler, 0, piece).unwrap().or(result);
                if reassembler.waiting.is_empty() {
                    break;
                }
                prop_assert_eq!(push(&mut reassembler, 0, piece), Ok(None));
            }
            let result = result.unwrap();
            prop_assert_eq!(result.fragments, pieces.len());
            prop_assert_eq!(&result.packet[20..], &whole[20..]);
            prop_assert!(Ipv4Packet::parse(&result.packet).is_ok_and(|packet| !packet.is_fragment()));
        }
    }
}
