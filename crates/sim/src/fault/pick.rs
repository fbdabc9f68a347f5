//! Which frames a fault acts on.

use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

type Predicate = Box<dyn FnMut(&FrameView<'_>) -> bool + Send>;

/// A choice of frames. Its conditions are asked in this order: the moment, what the frame is, the
/// how-many-th of those it is, chance. The predicate runs while the cable is held: it must not touch
/// that cable's handle.
pub struct Pick {
    from: Instant,
    until: Instant,
    predicate: Option<Predicate>,
    turns: Turns,
    probability: Option<f64>,
    matched: u64,
}

enum Turns {
    All,
    Nth(u64),
    First(u64),
}

impl Pick {
    /// Every frame.
    pub fn all() -> Self {
        Self {
            from: Instant::ZERO,
            until: Instant::MAX,
            predicate: None,
            turns: Turns::All,
            probability: None,
            matched: 0,
        }
    }

    /// The frames that `predicate` is true of.
    pub fn when(predicate: impl FnMut(&FrameView<'_>) -> bool + Send + 'static) -> Self {
        Self { predicate: Some(Box::new(predicate)), ..Self::all() }
    }

    /// Frames by chance: 0.05 is one in twenty. Below 0 is never, above 1 always.
    pub fn by_chance(probability: f64) -> Self {
        Self::all().chance(probability)
    }

    /// Of these, the `n`-th alone, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        Self { turns: Turns::Nth(n), ..self }
    }

    /// Of these, the first `n`.
    #[must_use]
    pub fn first(self, n: u64) -> Self {
        Self { turns: Turns::First(n), ..self }
    }

    /// Of these, each with this probability.
    #[must_use]
    pub fn chance(self, probability: f64) -> Self {
        Self { probability: Some(probability), ..self }
    }

    /// Of these, those sent at `from` or later and before `until`.
    #[must_use]
    pub fn between(self, from: Instant, until: Instant) -> Self {
        Self { from, until, ..self }
    }

    /// Whether `frame` is one of them. Asked once for every frame, since it counts.
    pub fn picks(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> bool {
        if now < self.from || now >= self.until {
            return false;
        }
        if let Some(predicate) = &mut self.predicate
            && !predicate(frame)
        {
            return false;
        }
        self.matched += 1;
        let its_turn = match self.turns {
            Turns::All => true,
            Turns::Nth(n) => self.matched == n,
            Turns::First(n) => self.matched <= n,
        };
        its_turn && self.probability.is_none_or(|probability| rng.chance(probability))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{syn, udp};
    use glasstack_journal::event::FrameId;

    fn picked(mut pick: Pick, frames: &[Vec<u8>]) -> Vec<u64> {
        let mut rng = Rng::new(1, "test");
        let mut is_picked = |n: u64, bytes: &[u8]| {
            pick.picks(&FrameView::new(FrameId(n), bytes), Instant::from_millis(n), &mut rng)
        };
        (0..).zip(frames).filter(|(n, bytes)| is_picked(*n, bytes)).map(|(n, _)| n).collect()
    }

    #[test]
    fn the_nth_counts_only_frames_that_match() {
        let frames = [udp(1), syn(), udp(1), syn(), syn()];
        assert_eq!(picked(Pick::when(|f| f.is_syn()).nth(2), &frames), [3]);
        assert_eq!(picked(Pick::when(|f| f.is_syn()).first(2), &frames), [1, 3]);
        assert_eq!(picked(Pick::all(), &frames), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_window_of_time_includes_its_beginning_and_excludes_its_end() {
        let window = Pick::all().between(Instant::from_millis(1), Instant::from_millis(3));
        assert_eq!(picked(window, &[udp(1), udp(1), udp(1), udp(1)]), [1, 2]);
    }

    #[test]
    fn chance_falls_the_same_way_with_the_same_seed() {
        let frames = vec![udp(1); 100];
        let first = picked(Pick::by_chance(0.2), &frames);
        assert_eq!(first, picked(Pick::by_chance(0.2), &frames));
        assert!((5..40).contains(&first.len()), "{} of 100 at 20 %", first.len());
    }
}
