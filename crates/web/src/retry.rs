//! Whether a failure may be a passing one, and when to ask again: curl's `--retry`, as data.

use crate::error::WebError;
use glasstack_http::HeaderMap;
use glasstack_journal::WallTime;
use std::time::Duration;

/// How often and when to ask again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often at most (`--retry`). 0.
    pub retries: u32,
    /// Whether a refused connection counts as a passing failure (`--retry-connrefused`).
    pub refused: bool,
    /// Whether any failure does (`--retry-all-errors`).
    pub all_errors: bool,
    /// How long to wait between two attempts (`--retry-delay`); none: 1 s, doubled each time, 10
    /// minutes at most.
    pub delay: Option<Duration>,
    /// After how long in all nothing is asked again (`--retry-max-time`); none: however long.
    pub max_time: Option<Duration>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// With a response.
    Response {
        /// Its status code.
        status: u16,
        /// Its header fields: `Retry-After` is among them, or not.
        headers: &'a HeaderMap,
    },
    /// With an error.
    Failed(&'a WebError),
}

/// What to do after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Ask again.
    Again {
        /// After this.
        after: Duration,
        /// Why, in words.
        because: String,
    },
    /// Leave it at that.
    Enough {
        /// Why, in words.
        because: String,
    },
}

impl RetryPolicy {
    /// What to do after attempt number `attempts` (from 1 on), `elapsed` after the beginning of the
    /// first.
    pub fn judge(&self, outcome: Outcome<'_>, attempts: u32, elapsed: Duration, now: WallTime) -> Verdict {
        let _ = (outcome, attempts, elapsed, now);
        Verdict::Enough { because: "not written yet".to_owned() }
    }
}
