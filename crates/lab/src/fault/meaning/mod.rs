//! What sentences about frames mean: a fault on a cable that looks at each frame with the eyes of every
//! layer.
//!
//! [`stream`] keeps each TCP connection in mind, [`tls`] and [`http`] read what it carries, [`datagram`]
//! what UDP does; [`look`] answers whether a frame is meant, [`rewrite`] makes those that are put in its
//! place, and here it is decided.

mod datagram;
mod http;
mod look;
mod rewrite;
mod stream;
mod tls;

use super::spec::{CableFault, Frames, Mishap, Percent, Which};
use glasstack_journal::Instant;
use glasstack_sim::attack::forge;
use glasstack_sim::fault::{Bursts, Fault, GilbertElliott, bursts};
use glasstack_sim::{FrameView, Rng, Verdict};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stream::{Path, Segment, Streams};

/// How long a frame waits for the next one that it is to arrive behind.
const PATIENCE: Duration = Duration::from_millis(50);

/// A fault that strikes by meaning. It sees both directions of its cable, since a connection has two, as
/// two [`Half`]s of which one or both may strike.
struct Strike {
    mishap: Mishap,
    port: Option<u16>,
    from: Instant,
    until: Instant,
    /// Whether it takes more than a frame alone to tell what is meant.
    minds_streams: bool,
    streams: Streams,
    /// How many of the frames in question have passed.
    passed: u64,
    bursts: Option<Bursts>,
    /// Connections that are over, as their data went.
    over: BTreeSet<Path>,
    struck: Arc<AtomicU64>,
}

/// One direction of a [`Strike`].
struct Half {
    name: String,
    strike: Arc<Mutex<Strike>>,
    strikes: bool,
}

/// A fault for each direction of a cable, there and back; `heads` says which of them it strikes.
/// `struck` counts.
pub(super) fn halves(
    fault: &CableFault,
    name: &str,
    heads: [bool; 2],
    struck: Arc<AtomicU64>,
) -> [impl Fault + 'static; 2] {
    let strike = Strike {
        mishap: fault.mishap.clone(),
        port: fault.port,
        from: Instant::ZERO + fault.window.from,
        until: fault.window.until.map_or(Instant::MAX, |until| Instant::ZERO + until),
        minds_streams: minds_streams(&fault.mishap),
        streams: Streams::default(),
        passed: 0,
        bursts: match fault.mishap {
            Mishap::LoseInBursts { begins, ends } => {
                Some(bursts(GilbertElliott::gilbert(probability(begins), probability(ends))))
            }
            _ => None,
        },
        over: BTreeSet::new(),
        struck,
    };
    let strike = Arc::new(Mutex::new(strike));
    heads.map(|strikes| Half { name: name.to_owned(), strike: Arc::clone(&strike), strikes })
}

impl Fault for Half {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        self.strike.lock().unwrap_or_else(PoisonError::into_inner).judge(frame, now, rng, self.strikes)
    }

    fn injects(&self) -> bool {
        let strike = self.strike.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(
            strike.mishap,
            Mishap::Reset { .. }
                | Mishap::Close { .. }
                | Mishap::Answer { .. }
                | Mishap::Lie { .. }
                | Mishap::Truncate
                | Mishap::Corrupt { keeping_checksum: true, .. }
        )
    }
}

impl Strike {
    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng, strikes: bool) -> Verdict {
        let segment = if self.minds_streams { self.streams.on_frame(frame) } else { None };
        if let Some(segment) = segment.as_ref().filter(|_| frame.is_syn()) {
            // A new connection on the ports of an old one.
            self.over.remove(&segment.path);
            self.over.remove(&segment.back());
        }
        if let Some(verdict) = self.after_the_end(frame, segment.as_ref()) {
            return verdict;
        }
        let is_time = self.from <= now && now < self.until;
        if !strikes || !is_time || self.port.is_some_and(|port| !frame.has_port(port)) {
            return Verdict::Pass;
        }
        let verdict = self.verdict(frame, segment.as_ref(), now, rng);
        if verdict != Verdict::Pass {
            self.struck.fetch_add(1, Ordering::Relaxed);
        }
        verdict
    }

    fn verdict(
        &mut self,
        frame: &FrameView<'_>,
        segment: Option<&Segment>,
        now: Instant,
        rng: &mut Rng,
    ) -> Verdict {
        let mishap = self.mishap.clone();
        let mut picks = |frames: &Frames| self.picks(frames, frame, segment, rng);
        match &mishap {
            Mishap::Lose(frames) if picks(frames) => Verdict::Drop,
            Mishap::Delay { frames, by } if picks(frames) => Verdict::Delay(*by),
            Mishap::Duplicate { frames, copies } if picks(frames) => Verdict::Duplicate(*copies),
            Mishap::Reorder(frames) if picks(frames) => Verdict::Behind(PATIENCE),
            Mishap::Corrupt { frames, part, keeping_checksum } => {
                let place = look::place(*part, frames, frame, segment);
                if place.is_empty() || !picks(frames) {
                    return Verdict::Pass;
                }
                let bits = u64::try_from(place.len() * 8).unwrap_or(u64::MAX);
                let bit = place.start * 8 + usize::try_from(rng.below(bits)).unwrap_or(0);
                if *keeping_checksum { replaced(corrupted(frame, bit)) } else { Verdict::Corrupt { bit } }
            }
            Mishap::LoseInBursts { .. } => {
                self.bursts.as_mut().map_or(Verdict::Pass, |bursts| bursts.judge(frame, now, rng))
            }
            Mishap::BlackHole { above } => {
                let length = frame.ip_len().and_then(|length| u32::try_from(length).ok());
                if length.is_some_and(|length| length > *above) { Verdict::Drop } else { Verdict::Pass }
            }
            Mishap::Reset { after } => {
                segment.map_or(Verdict::Pass, |segment| self.reset(frame, segment, *after))
            }
            Mishap::Close { after } => {
                segment.map_or(Verdict::Pass, |segment| self.close(frame, segment, *after))
            }
            Mishap::Answer { .. } | Mishap::Lie { .. } | Mishap::Truncate => {
                rewrite::answer(&mishap, frame).map_or(Verdict::Pass, replaced)
            }
            _ => Verdict::Pass,
        }
    }

    /// Whether a frame is one of those in question, and its turn has come.
    fn picks(
        &mut self,
        frames: &Frames,
        frame: &FrameView<'_>,
        segment: Option<&Segment>,
        rng: &mut Rng,
    ) -> bool {
        if !look::is(frames, frame, segment) {
            return false;
        }
        self.passed += 1;
        match frames.which {
            Which::All => true,
            // The first that bears the number, which has been looked at.
            Which::Nth(_) if look::is_numbered_within(frames) => self.passed == 1,
            Which::Nth(n) => self.passed == n,
            Which::First(n) => self.passed <= n,
            Which::Chance(chance) => rng.chance(probability(chance)),
        }
    }

    fn reset(&mut self, frame: &FrameView<'_>, segment: &Segment, after: u64) -> Verdict {
        let is_enough = segment.number.is_some() && segment.sent >= after;
        let (way, back) = (segment.path, segment.back());
        if !is_enough || self.over.contains(&way) || self.over.contains(&back) {
            return Verdict::Pass;
        }
        let Some((along, against)) = rewrite::resets(frame) else { return Verdict::Pass };
        self.over.insert(way);
        Verdict::Inject { along: vec![along], against: vec![against], pass: true }
    }

    fn close(&mut self, frame: &FrameView<'_>, segment: &Segment, after: u64) -> Verdict {
        let payload = frame.payload().len() as u64;
        if segment.number.is_none() || segment.is_again || segment.sent < after {
            return Verdict::Pass;
        }
        let length = after.saturating_sub(segment.sent.saturating_sub(payload));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some((along, against)) = rewrite::early_end(frame, length) else { return Verdict::Pass };
        self.over.insert(segment.path);
        Verdict::Inject { along: vec![along], against: vec![against], pass: false }
    }

    /// Of a connection that has been closed nothing more comes through; its receiver's end is acknowledged
    /// here.
    fn after_the_end(&self, frame: &FrameView<'_>, segment: Option<&Segment>) -> Option<Verdict> {
        let segment = segment.filter(|_| matches!(self.mishap, Mishap::Close { .. }))?;
        if self.over.contains(&segment.path) {
            return Some(Verdict::Drop);
        }
        self.over.get(&segment.back())?;
        let asks = frame.is_fin() || frame.is_tcp_data();
        let against = rewrite::acknowledgment(frame).filter(|_| asks && !frame.is_rst());
        Some(Verdict::Inject { along: vec![], against: against.into_iter().collect(), pass: false })
    }
}

fn minds_streams(mishap: &Mishap) -> bool {
    match mishap {
        Mishap::Lose(frames)
        | Mishap::Reorder(frames)
        | Mishap::Corrupt { frames, .. }
        | Mishap::Delay { frames, .. }
        | Mishap::Duplicate { frames, .. } => look::minds_streams(&frames.thing),
        Mishap::Reset { .. } | Mishap::Close { .. } => true,
        _ => false,
    }
}

fn probability(percent: Percent) -> f64 {
    f64::from(percent.0) / 1_000_000.0
}

/// This instead of the frame.
fn replaced(bytes: Vec<u8>) -> Verdict {
    Verdict::Inject { along: vec![bytes], against: vec![], pass: false }
}

/// The frame with one bit flipped and all checksums right.
fn corrupted(frame: &FrameView<'_>, bit: usize) -> Vec<u8> {
    let mut bytes = frame.bytes().to_vec();
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 0x80 >> (bit % 8);
    }
    forge::mend(&mut bytes);
    bytes
}
