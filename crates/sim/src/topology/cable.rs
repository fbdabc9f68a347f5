//! A cable as data.

use super::router::is_false;
use super::words::{self, End, Rate, Share};
use crate::cable::Queue;
use crate::fault::GilbertElliott;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A cable: two ends, what both directions have in common, and where they differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "CableTable", into = "CableTable")]
pub struct CableSpec {
    /// Its first end and its second.
    pub between: [End; 2],
    /// Both directions.
    pub lanes: LaneSpec,
    /// From the first end to the second: what differs.
    pub there: LaneSpec,
    /// From the second end to the first: what differs.
    pub back: LaneSpec,
    /// Whether it is plugged in at the beginning. Yes.
    pub up: bool,
    /// Whether what passes on it is captured. No.
    pub capture: bool,
}

/// One direction of a cable, or both. What is not said is as is usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneSpec {
    /// How long a bit travels. 1 ms.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
    /// Each frame is late by a random time up to this. None.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Duration>,
    /// Whether frames keep their order in spite of jitter. Yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_order: Option<bool>,
    /// How many bits leave in a second; without end if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// What becomes of frames that must wait for their turn. All wait, without end.
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Each frame is lost with this probability. None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Share>,
    /// Frames are lost in bursts. They are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bursts: Option<BurstsSpec>,
}

/// Loss in bursts, after Gilbert and Elliott: at each frame good times may turn into bad ones and back. Each
/// direction has times of its own. See [`GilbertElliott`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurstsSpec {
    /// To go from good to bad, at each frame.
    pub p: Share,
    /// To go from bad to good, at each frame: bad times last `1 / r` frames on average.
    pub r: Share,
    /// That a frame gets through in bad times. 0%.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub h: Share,
    /// That a frame gets through in good times. 100%.
    #[serde(default = "everything", skip_serializing_if = "is_everything")]
    pub k: Share,
}

impl From<GilbertElliott> for BurstsSpec {
    fn from(model: GilbertElliott) -> Self {
        let GilbertElliott { p, r, h, k } = model;
        Self { p: Share(p), r: Share(r), h: Share(h), k: Share(k) }
    }
}

impl From<BurstsSpec> for GilbertElliott {
    fn from(spec: BurstsSpec) -> Self {
        Self { p: spec.p.0, r: spec.r.0, h: spec.h.0, k: spec.k.0 }
    }
}

fn nothing() -> Share {
    Share(0.0)
}

fn everything() -> Share {
    Share(1.0)
}

fn is_nothing(share: &Share) -> bool {
    *share == nothing()
}

fn is_everything(share: &Share) -> bool {
    *share == everything()
}

impl CableSpec {
    /// A cable as is usual: 1 ms each way, no limit, no loss.
    pub fn new(first: impl Into<End>, second: impl Into<End>) -> Self {
        Self {
            between: [first.into(), second.into()],
            lanes: LaneSpec::new(),
            there: LaneSpec::new(),
            back: LaneSpec::new(),
            up: true,
            capture: false,
        }
    }

    /// What differs from the first end to the second.
    #[must_use]
    pub fn there(self, there: LaneSpec) -> Self {
        Self { there, ..self }
    }

    /// What differs from the second end to the first.
    #[must_use]
    pub fn back(self, back: LaneSpec) -> Self {
        Self { back, ..self }
    }

    /// Not plugged in at the beginning.
    #[must_use]
    pub fn down(self) -> Self {
        Self { up: false, ..self }
    }

    /// What passes on it is captured.
    #[must_use]
    pub fn capture(self) -> Self {
        Self { capture: true, ..self }
    }
}

impl LaneSpec {
    /// A direction in which everything is as is usual.
    pub fn new() -> Self {
        Self::default()
    }

    /// The words of `own`, and this one's where it says nothing.
    pub(super) fn overridden_by(&self, own: &Self) -> Self {
        Self {
            latency: own.latency.or(self.latency),
            jitter: own.jitter.or(self.jitter),
            keeps_order: own.keeps_order.or(self.keeps_order),
            rate: own.rate.or(self.rate),
            queue: own.queue.or(self.queue),
            loss: own.loss.or(self.loss),
            bursts: own.bursts.or(self.bursts),
        }
    }
}

/// The words that a lane has are a cable's words, too.
macro_rules! lane_words {
    ($($(#[$doc:meta])* $word:ident($value:ident: $type:ty) $make:expr;)*) => {
        impl LaneSpec {$(
            $(#[$doc])*
            #[must_use]
            pub fn $word(self, $value: $type) -> Self {
                Self { $word: Some($make), ..self }
            }
        )*}

        impl CableSpec {$(
            $(#[$doc])*
            #[must_use]
            pub fn $word(self, $value: $type) -> Self {
                Self { lanes: self.lanes.$word($value), ..self }
            }
        )*}
    };
}

lane_words! {
    /// How long a bit travels.
    latency(latency: Duration) latency;
    /// Each frame is late by a random time up to this.
    jitter(jitter: Duration) jitter;
    /// Whether frames keep their order in spite of jitter.
    keeps_order(keeps_order: bool) keeps_order;
    /// How many bits leave in a second.
    rate(bits_per_second: u64) Rate(bits_per_second);
    /// What becomes of frames that must wait for their turn.
    queue(queue: Queue) queue;
    /// Each frame is lost with this probability, from 0.0 to 1.0.
    loss(probability: f64) Share(probability);
    /// Frames are lost in bursts.
    bursts(bursts: BurstsSpec) bursts;
}

/// `[[cable]]` as it is written: what both directions have in common stands beside the rest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "cable")]
pub(super) struct CableTable {
    #[serde(with = "words::ends")]
    between: [End; 2],
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    latency: Option<Duration>,
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    jitter: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keeps_order: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate: Option<Rate>,
    #[serde(default, with = "words::maybe", skip_serializing_if = "Option::is_none")]
    queue: Option<Queue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss: Option<Share>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bursts: Option<BurstsSpec>,
    #[serde(default, skip_serializing_if = "is_usual")]
    there: LaneSpec,
    #[serde(default, skip_serializing_if = "is_usual")]
    back: LaneSpec,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    up: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    capture: bool,
}

impl From<CableTable> for CableSpec {
    fn from(table: CableTable) -> Self {
        let CableTable {
            between,
            latency,
            jitter,
            keeps_order,
            rate,
            queue,
            loss,
            bursts,
            there,
            back,
            up,
            capture,
        } = table;
        Self {
            between,
            lanes: LaneSpec { latency, jitter, keeps_order, rate, queue, loss, bursts },
            there,
            back,
            up,
            capture,
        }
    }
}

impl From<CableSpec> for CableTable {
    fn from(cable: CableSpec) -> Self {
        let CableSpec { between, lanes, there, back, up, capture } = cable;
        let LaneSpec { latency, jitter, keeps_order, rate, queue, loss, bursts } = lanes;
        Self { between, latency, jitter, keeps_order, rate, queue, loss, bursts, there, back, up, capture }
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

fn is_usual(lane: &LaneSpec) -> bool {
    *lane == LaneSpec::new()
}
