//! Frames that get lost in bursts, as on radio links: the model of Gilbert and Elliott.
//!
//! ```text
//!            p                      in state good a frame gets through with probability k,
//!     good -----> bad               in state bad with probability h
//!          <-----
//!            r
//! ```

use super::{Fault, Verdict};
use crate::entropy::Rng;
use crate::view::FrameView;
use glasstack_journal::Instant;

/// The four probabilities of the Gilbert-Elliott model, each between 0 and 1, named as in E. O. Elliott,
/// "Estimates of Error Rates for Codes on Burst-Noise Channels" (1963), and in G. Haßlinger and
/// O. Hohlfeld, "The Gilbert-Elliott Model for Packet Loss in Real Time Services on the Internet" (2008).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GilbertElliott {
    /// To go from good to bad, at each frame.
    pub p: f64,
    /// To go from bad to good, at each frame: bad times last `1 / r` frames on average.
    pub r: f64,
    /// That a frame gets through in bad times.
    pub h: f64,
    /// That a frame gets through in good times.
    pub k: f64,
}

impl GilbertElliott {
    /// Gilbert's model: in good times every frame gets through, in bad times none.
    pub const fn gilbert(p: f64, r: f64) -> Self {
        Self { p, r, h: 0.0, k: 1.0 }
    }

    /// The share of frames that is lost in the long run; 0 if the state never changes.
    pub fn loss_rate(&self) -> f64 {
        let changes = self.p + self.r;
        if changes <= 0.0 {
            return 1.0 - self.k;
        }
        (self.r * (1.0 - self.k) + self.p * (1.0 - self.h)) / changes
    }
}

/// Loses frames in bursts; see [`bursts`].
pub struct Bursts {
    name: String,
    model: GilbertElliott,
    is_bad: bool,
}

/// Loses frames in bursts as `model` says, and begins in good times. The state changes with frames, not
/// with time, and is one for all directions that the fault sees.
pub fn bursts(model: GilbertElliott) -> Bursts {
    let name = format!("bursts p {} r {} h {} k {}", model.p, model.r, model.h, model.k);
    Bursts { name, model, is_bad: false }
}

impl Fault for Bursts {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&mut self, _frame: &FrameView<'_>, _now: Instant, rng: &mut Rng) -> Verdict {
        let GilbertElliott { p, r, h, k } = self.model;
        let (leaves, gets_through) = if self.is_bad { (r, h) } else { (p, k) };
        let passes = rng.chance(gets_through);
        self.is_bad ^= rng.chance(leaves);
        if passes { Verdict::Pass } else { Verdict::Drop }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::testing::{udp, verdicts};

    /// The lengths of the rows of losses among `frames` frames.
    fn rows_of_losses(model: GilbertElliott, frames: usize) -> Vec<usize> {
        let got = verdicts(&mut bursts(model), &vec![udp(1); frames]);
        let rows = got.split(|verdict| *verdict == Verdict::Pass).map(<[Verdict]>::len);
        rows.filter(|length| *length > 0).collect()
    }

    #[test]
    fn bursts_are_as_long_and_as_frequent_as_the_model_says() {
        let model = GilbertElliott::gilbert(0.02, 0.25);
        let frames = 100_000;
        let rows = rows_of_losses(model, frames);
        let lost: usize = rows.iter().sum();
        let (mean, share) = (lost as f64 / rows.len() as f64, lost as f64 / frames as f64);
        assert!((3.8..4.2).contains(&mean), "1 / r is 4, not {mean}");
        assert!((share - model.loss_rate()).abs() < 0.005, "{} is expected, not {share}", model.loss_rate());
        // Their lengths are geometric: one in (1 - r)^3 is longer than three.
        let longer = rows.iter().filter(|length| **length > 3).count() as f64 / rows.len() as f64;
        assert!((longer - 0.75_f64.powi(3)).abs() < 0.02, "{longer}");
    }

    #[test]
    fn in_bad_times_some_get_through_and_in_good_times_some_are_lost() {
        let model = GilbertElliott { p: 0.05, r: 0.2, h: 0.5, k: 0.99 };
        let frames = 100_000;
        let lost: usize = rows_of_losses(model, frames).iter().sum();
        // (0.2 * 0.01 + 0.05 * 0.5) / 0.25
        assert!((model.loss_rate() - 0.108).abs() < 1e-9);
        assert!((lost as f64 / frames as f64 - 0.108).abs() < 0.005, "{lost}");
    }

    #[test]
    fn the_extremes_lose_nothing_and_everything() {
        assert!(rows_of_losses(GilbertElliott::gilbert(0.0, 0.5), 1_000).is_empty());
        assert_eq!(rows_of_losses(GilbertElliott::gilbert(1.0, 0.0), 1_000), [999]);
        let rate = GilbertElliott::gilbert(0.0, 0.0).loss_rate();
        assert!(rate.abs() < f64::EPSILON);
    }
}
