//! Controlled delay (RFC 8289). A queue that empties now and then absorbs bursts and does no harm; one
//! that stands makes every frame late. What tells them apart is how long frames have waited when they
//! leave: if that was above `target` for a whole `interval`, the queue stands, and a frame is lost to tell
//! its sender; the next one sooner, as long as it goes on.
//!
//! The names are those of the pseudocode in RFC 8289 5.

use super::queue::{Dequeued, Fifo};
use crate::node::WireFrame;
use glasstack_journal::Instant;
use std::time::Duration;

/// MAXPACKET: the longest frame, in bytes. A queue no longer than that does not stand.
const MAX_PACKET: usize = 1_514;

/// What CoDel remembers from one frame to the next.
#[derive(Debug, Default)]
pub(super) struct CoDel {
    /// When it is time to drop if the sojourn time stays above `target` until then; none while it is
    /// below.
    first_above_time: Option<Instant>,
    /// When the next frame is to be dropped, while `dropping`.
    drop_next: Instant,
    /// How many have been dropped since `dropping` began.
    count: u32,
    /// `count` at the time `dropping` began last.
    last_count: u32,
    dropping: bool,
}

/// `dodequeue_result`.
#[derive(Default)]
struct Candidate {
    frame: Option<(Instant, WireFrame)>,
    ok_to_drop: bool,
}

impl CoDel {
    /// RFC 8289 5.5: whose turn it is.
    pub(super) fn dequeue(
        &mut self,
        fifo: &mut Fifo,
        target: Duration,
        interval: Duration,
        now: Instant,
    ) -> Dequeued {
        let mut dropped = Vec::new();
        let mut drop = |candidate: Candidate| {
            dropped.extend(candidate.frame.map(|(since, frame)| (frame.id, now.since(since))));
        };
        let mut next = self.do_dequeue(fifo, target, interval, now);
        if self.dropping {
            if !next.ok_to_drop {
                self.dropping = false;
            }
            // A large backlog may have several drops due by now.
            while self.dropping && now >= self.drop_next {
                drop(std::mem::take(&mut next));
                self.count = self.count.saturating_add(1);
                next = self.do_dequeue(fifo, target, interval, now);
                if next.ok_to_drop {
                    self.drop_next = control_law(self.drop_next, interval, self.count);
                } else {
                    self.dropping = false;
                }
            }
        } else if next.ok_to_drop {
            drop(std::mem::take(&mut next));
            next = self.do_dequeue(fifo, target, interval, now);
            self.dropping = true;
            // The drop rate that controlled the queue until lately is where to go on from.
            let delta = self.count.saturating_sub(self.last_count);
            let is_recent = now.since(self.drop_next) < interval.saturating_mul(16);
            self.count = if delta > 1 && is_recent { delta } else { 1 };
            self.drop_next = control_law(now, interval, self.count);
            self.last_count = self.count;
        }
        Dequeued { frame: next.frame.map(|(_, frame)| frame), dropped }
    }

    /// RFC 8289 5.6: the frame at the head, and whether it may be dropped.
    fn do_dequeue(
        &mut self,
        fifo: &mut Fifo,
        target: Duration,
        interval: Duration,
        now: Instant,
    ) -> Candidate {
        let Some((since, frame)) = fifo.pop() else {
            self.first_above_time = None;
            return Candidate::default();
        };
        let sojourn_time = now.since(since);
        let mut ok_to_drop = false;
        if sojourn_time < target || fifo.bytes() <= MAX_PACKET {
            self.first_above_time = None;
        } else {
            match self.first_above_time {
                None => self.first_above_time = Some(now + interval),
                Some(first_above_time) => ok_to_drop = now >= first_above_time,
            }
        }
        Candidate { frame: Some((since, frame)), ok_to_drop }
    }
}

/// RFC 8289 5.4: drops come closer by the square root of their number, which lowers the throughput of TCP
/// by the same amount each time.
fn control_law(t: Instant, interval: Duration, count: u32) -> Instant {
    t + interval.div_f64(f64::from(count.max(1)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::event::FrameId;

    const TARGET: Duration = Duration::from_millis(5);
    const INTERVAL: Duration = Duration::from_millis(100);

    /// Frames of 1 000 bytes come at every `gap`, and one leaves every 2 ms, for `millis`: when frames
    /// were dropped, and how long the last one that left had waited.
    fn overfill(gap: Duration, millis: u64) -> (Vec<(u64, Duration)>, Duration) {
        let (mut codel, mut fifo) = (CoDel::default(), Fifo::default());
        let (mut drops, mut comes, mut last) = (Vec::new(), Instant::ZERO, Duration::ZERO);
        let mut came = Vec::new();
        for now in (0..millis).step_by(2).map(Instant::from_millis) {
            while comes <= now {
                let id = FrameId(came.len() as u64);
                fifo.push(WireFrame { id, bytes: vec![0; 1_000] }, comes);
                came.push(comes);
                comes = comes + gap;
            }
            let dequeued = codel.dequeue(&mut fifo, TARGET, INTERVAL, now);
            let at = now.since(Instant::ZERO).as_millis() as u64;
            drops.extend(dequeued.dropped.iter().map(|(_, sojourn)| (at, *sojourn)));
            if let Some(frame) = dequeued.frame {
                last = now.since(came[frame.id.0 as usize]);
            }
        }
        (drops, last)
    }

    #[test]
    fn nothing_is_dropped_while_frames_come_no_faster_than_they_leave() {
        assert_eq!(overfill(Duration::from_millis(2), 10_000).0, []);
    }

    #[test]
    fn the_first_drop_comes_an_interval_after_frames_began_to_wait_too_long() {
        // They come in 1.5 ms and leave in 2 ms, so the n-th waits n / 2 ms: the tenth leaves after 5 ms of
        // waiting, at 20 ms.
        let (drops, _) = overfill(Duration::from_micros(1_500), 1_000);
        let (first, sojourn) = drops[0];
        assert_eq!(first, 20 + 100);
        assert!(sojourn >= Duration::from_millis(25), "{sojourn:?}");
    }

    #[test]
    fn drops_come_closer_by_the_square_root_of_their_number() {
        let (drops, _) = overfill(Duration::from_micros(1_000), 1_500);
        let gaps: Vec<u64> = drops.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        let law = |n: u64| (100.0 / (n as f64).sqrt()) as u64;
        for (n, gap) in (1..).zip(&gaps).take(20) {
            assert!(gap.abs_diff(law(n)) <= 2, "gap {n} is {gap} ms, not {} ms", law(n));
        }
    }

    #[test]
    fn a_queue_that_stands_is_brought_back_to_the_target() {
        // A tenth too much.
        let (drops, last) = overfill(Duration::from_micros(1_800), 60_000);
        let share = drops.len() as f64 / 33_333.0;
        assert!((0.09..0.12).contains(&share), "{share}");
        assert!(last < Duration::from_millis(100), "the last frame waited {last:?}");
    }

    #[test]
    fn a_queue_of_one_frame_does_not_stand_however_slow_the_link() {
        let (mut codel, mut fifo) = (CoDel::default(), Fifo::default());
        fifo.push(WireFrame { id: FrameId(0), bytes: vec![0; 1_500] }, Instant::ZERO);
        for n in 1..100 {
            let now = Instant::from_millis(n * 50);
            fifo.push(WireFrame { id: FrameId(n), bytes: vec![0; 1_500] }, now);
            assert!(codel.dequeue(&mut fifo, TARGET, INTERVAL, now).dropped.is_empty(), "{n}");
        }
    }

    #[test]
    fn a_burst_that_drains_within_the_interval_loses_nothing() {
        let (mut codel, mut fifo) = (CoDel::default(), Fifo::default());
        for n in 0..40 {
            fifo.push(WireFrame { id: FrameId(n), bytes: vec![0; 1_000] }, Instant::ZERO);
        }
        for millis in (0..80).step_by(2) {
            let dequeued = codel.dequeue(&mut fifo, TARGET, INTERVAL, Instant::from_millis(millis));
            assert!(dequeued.frame.is_some() && dequeued.dropped.is_empty());
        }
    }
}
