//! Frames that get lost.

use super::{Fault, Pick, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

/// Loses frames; see [`lose`].
pub struct Lose {
    name: String,
    pick: Pick,
}

/// Loses the frames that `pick` picks.
pub fn lose(pick: Pick) -> Lose {
    Lose { name: "drop".to_owned(), pick }
}

/// Loses each frame with this probability: 0.05 is 5 %.
pub fn loss(probability: f64) -> Lose {
    Lose {
        name: format!("loss {:.3} %", probability * 100.0).replace(".000", ""),
        pick: Pick::by_chance(probability),
    }
}

/// Loses every frame that `predicate` is true of.
pub fn drop_when(predicate: impl FnMut(&FrameView<'_>) -> bool + Send + 'static) -> Lose {
    lose(Pick::when(predicate))
}

/// Loses the `n`-th frame that `predicate` is true of, counted from 1, in whichever directions the
/// fault sees.
pub fn drop_nth(n: u64, predicate: impl FnMut(&FrameView<'_>) -> bool + Send + 'static) -> Lose {
    let name = match n {
        1 => "drop_first".to_owned(),
        2 => "drop_second".to_owned(),
        3 => "drop_third".to_owned(),
        _ => format!("drop_nth {n}"),
    };
    Lose { name, pick: Pick::when(predicate).nth(n) }
}

/// Loses the first TCP SYN.
pub fn drop_first_syn() -> Lose {
    Lose { name: "drop_first_syn".to_owned(), pick: Pick::when(|frame| frame.is_syn()).nth(1) }
}

impl Fault for Lose {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, frame: &FrameView<'_>, now: Instant, rng: &mut Rng) -> Verdict {
        if self.pick.picks(frame, now, rng) { Verdict::Drop } else { Verdict::Pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{syn, udp, verdicts};

    #[test]
    fn only_the_first_syn_is_lost() {
        let frames = [udp(3), syn(), syn()];
        assert_eq!(verdicts(&mut drop_first_syn(), &frames), [Verdict::Pass, Verdict::Drop, Verdict::Pass]);
    }

    #[test]
    fn names_say_what_is_lost() {
        assert_eq!(loss(0.05).name(), "loss 5 %");
        assert_eq!(loss(0.001).name(), "loss 0.100 %");
        assert_eq!(drop_nth(2, |f| f.is_fin()).name(), "drop_second");
        assert_eq!(drop_nth(1, |f| f.is_fin()).named("drop_first_fin").name(), "drop_first_fin");
    }
}
