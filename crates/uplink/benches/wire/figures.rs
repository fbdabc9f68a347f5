//! From repeats to a row of the table: medians, and from the lowest to the highest.

use std::fmt;
use std::time::Duration;

/// What a conversation was worth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Bytes, round trips or connections.
    pub(crate) count: u64,
    /// What they took.
    pub(crate) took: Duration,
}

/// How an outcome is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Of payload.
    GigabitsPerSecond,
    /// For one.
    Microseconds,
    /// For one.
    Milliseconds,
    /// How many.
    PerSecond,
}

impl Unit {
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub(crate) fn of(self, outcome: Outcome) -> f64 {
        let (count, seconds) = (outcome.count as f64, outcome.took.as_secs_f64());
        match self {
            Self::GigabitsPerSecond => count * 8.0 / seconds / 1e9,
            Self::Microseconds => seconds * 1e6 / count,
            Self::Milliseconds => seconds * 1e3 / count,
            Self::PerSecond => count / seconds,
        }
    }

    fn decimals(self) -> usize {
        match self {
            Self::GigabitsPerSecond | Self::Milliseconds => 2,
            Self::Microseconds => 1,
            Self::PerSecond => 0,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GigabitsPerSecond => "Gb/s",
            Self::Microseconds => "µs",
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
        })
    }
}

/// Ours and the other's, measured one right after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) ours: f64,
    pub(crate) other: f64,
}

/// One measurement with its repeats; shown as a row of a Markdown table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) samples: Vec<Sample>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = |f: fn(&Sample) -> f64, decimals| {
            let mut values: Vec<f64> = self.samples.iter().map(f).collect();
            values.sort_by(f64::total_cmp);
            match (values.first(), values.get(values.len() / 2), values.last()) {
                (Some(low), Some(median), Some(high)) => {
                    format!("{median:.decimals$} ({low:.decimals$}–{high:.decimals$})")
                }
                _ => "-".to_owned(),
            }
        };
        let decimals = self.unit.decimals();
        write!(
            f,
            "| {}, {} | {} | {} | {} |",
            self.what,
            self.unit,
            column(|sample| sample.ours, decimals),
            column(|sample| sample.other, decimals),
            column(|sample| sample.ours / sample.other, 2)
        )
    }
}
