//! How far it has come, as curl shows it: its meter, its bar, and the meter of parallel transfers.

use std::time::Duration;

/// What there is to show of one transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Since it began.
    pub(crate) elapsed: Duration,
    /// Bytes received, and how many there will be.
    pub(crate) down: (u64, Option<u64>),
    /// Bytes sent, and how many there will be.
    pub(crate) up: (u64, Option<u64>),
    /// Bytes a second just now.
    pub(crate) speed: u64,
}

/// The two lines above curl's meter.
pub(crate) const METER_HEAD: &str = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n";

/// The line above the meter of parallel transfers.
pub(crate) const PARALLEL_HEAD: &str = "DL% UL%  Dled  Uled  Xfers  Live Total     Current  Left    Speed\n";

impl Sample {
    /// The line of curl's meter, which begins where the last one did.
    pub(crate) fn meter(&self) -> String {
        let expected = self.down.1.unwrap_or(self.down.0) + self.up.1.unwrap_or(self.up.0);
        let moved = self.down.0 + self.up.0;
        let times = self.times();
        format!(
            "\r{:3} {}  {:3} {}  {:3} {}  {}  {} {} {} {} {}",
            percent(moved, expected),
            short(expected),
            self.down.1.map_or(0, |total| percent(self.down.0, total)),
            short(self.down.0),
            self.up.1.map_or(0, |total| percent(self.up.0, total)),
            short(self.up.0),
            short(self.average(self.down.0)),
            short(self.average(self.up.0)),
            times[0],
            times[1],
            times[2],
            short(self.speed),
        )
    }

    /// A bar of this width in columns; none where nothing says how much there will be.
    pub(crate) fn bar(&self, width: usize) -> Option<String> {
        let total = self.down.1.unwrap_or(0) + self.up.1.unwrap_or(0);
        let moved = self.down.0 + self.up.0;
        // A server may send more than it says.
        let total = if total == 0 { return None } else { total.max(moved) };
        let width = width.saturating_sub(7);
        let filled = u128::from(moved) * width as u128 / u128::from(total);
        let filled = usize::try_from(filled).unwrap_or(width);
        let tenths = u128::from(moved) * 1_000 / u128::from(total);
        Some(format!("\r{:<width$} {:3}.{}%", "#".repeat(filled), tenths / 10, tenths % 10))
    }

    fn average(&self, bytes: u64) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(bytes) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    /// In all, spent, left; by the slower of the two ways.
    fn times(&self) -> [String; 3] {
        let way = |(moved, total): (u64, Option<u64>)| {
            let speed = self.average(moved);
            total.filter(|_| speed > 0).map_or(0, |total| total / speed)
        };
        let total = way(self.down).max(way(self.up));
        let spent = self.elapsed.as_secs();
        [time(total), time(spent), time(if total > 0 { total.saturating_sub(spent) } else { 0 })]
    }
}

/// What there is to show of several transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parallel {
    /// All together; the totals only if all are known.
    pub(crate) sum: Sample,
    /// Transfers begun, and those of them that are under way.
    pub(crate) transfers: (u64, u64),
}

impl Parallel {
    /// The line of curl's meter for parallel transfers.
    pub(crate) fn meter(&self) -> String {
        let part = |(moved, total): (u64, Option<u64>)| match total {
            Some(total) if total > 0 => percent(moved, total).to_string(),
            _ => "--".to_owned(),
        };
        let times = self.sum.times();
        format!(
            "\r{:<3} {:<3} {} {} {:5} {:5}  {} {} {} {}",
            part(self.sum.down),
            part(self.sum.up),
            short(self.sum.down.0),
            short(self.sum.up.0),
            self.transfers.0,
            self.transfers.1,
            times[0],
            times[1],
            times[2],
            short(self.sum.speed),
        )
    }
}

/// The speed of the last seconds, from samples of how much has been moved.
#[derive(Debug, Default)]
pub(crate) struct Speedometer {
    samples: std::collections::VecDeque<(Duration, u64)>,
}

/// How far back it looks.
const WINDOW: Duration = Duration::from_secs(5);

impl Speedometer {
    /// The speed in bytes a second, now that `moved` bytes have been moved.
    pub(crate) fn speed(&mut self, now: Duration, moved: u64) -> u64 {
        self.samples.push_back((now, moved));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(then, _)| *then + WINDOW < now) {
            self.samples.pop_front();
        }
        let (then, before) = self.samples.front().copied().unwrap_or_default();
        let (then, before) = if self.samples.len() > 1 { (then, before) } else { (Duration::ZERO, 0) };
        let micros = now.saturating_sub(then).as_micros();
        if micros == 0 {
            return 0;
        }
        let bytes = u128::from(moved.saturating_sub(before));
        u64::try_from(bytes * 1_000_000 / micros).unwrap_or(u64::MAX)
    }
}

fn percent(moved: u64, total: u64) -> u64 {
    match total {
        0 => 0,
        // curl's rounding, without its overflow.
        1..=10_000 => moved.saturating_mul(100) / total,
        _ => moved / (total / 100),
    }
}

/// A number of bytes in five columns.
fn short(bytes: u64) -> String {
    const K: u64 = 1 << 10;
    const M: u64 = 1 << 20;
    const G: u64 = 1 << 30;
    const T: u64 = 1 << 40;
    const P: u64 = 1 << 50;
    if bytes < 100_000 {
        format!("{bytes:5}")
    } else if bytes < 10_000 * K {
        format!("{:4}k", bytes / K)
    } else if bytes < 100 * M {
        format!("{:2}.{}M", bytes / M, (bytes % M) / (M / 10))
    } else if bytes < 10_000 * M {
        format!("{:4}M", bytes / M)
    } else if bytes < 100 * G {
        format!("{:2}.{}G", bytes / G, (bytes % G) / (G / 10))
    } else if bytes < 10_000 * G {
        format!("{:4}G", bytes / G)
    } else if bytes < 10_000 * T {
        format!("{:4}T", bytes / T)
    } else {
        format!("{:4}P", bytes / P)
    }
}

/// A number of seconds in eight columns.
fn time(seconds: u64) -> String {
    let (hours, days) = (seconds / 3_600, seconds / 86_400);
    match seconds {
        0 => "--:--:--".to_owned(),
        _ if hours <= 99 => format!("{hours:2}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        _ if days <= 999 => format!("{days:3}d {:02}h", hours % 24),
        _ => format!("{days:7}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As curl 7.88.1 printed it.
    #[test]
    fn the_meter_is_curls() {
        let idle = "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
        assert_eq!(Sample::default().meter(), idle);
        let known = Sample { down: (0, Some(5_000)), ..Sample::default() };
        assert_eq!(
            known.meter(),
            "\r  0  5000    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
        );
        let done = Sample {
            elapsed: Duration::from_micros(3_376),
            down: (5_000, Some(5_000)),
            up: (0, None),
            speed: 1_666_048,
        };
        assert_eq!(
            done.meter(),
            "\r100  5000  100  5000    0     0  1446k      0 --:--:-- --:--:-- --:--:-- 1627k"
        );
    }

    #[test]
    fn times_are_what_is_left_at_this_speed() {
        let half = Sample {
            elapsed: Duration::from_secs(100),
            down: (1_000_000, Some(2_000_000)),
            up: (0, None),
            speed: 10_000,
        };
        assert_eq!(
            half.meter(),
            "\r 50 1953k   50  976k    0     0  10000      0  0:03:20  0:01:40  0:01:40 10000"
        );
    }

    /// As curl 7.88.1 printed it.
    #[test]
    fn the_meter_of_parallel_transfers_is_curls() {
        let none = Parallel { transfers: (2, 2), ..Parallel::default() };
        assert_eq!(none.meter(), "\r--  --      0     0     2     2  --:--:-- --:--:-- --:--:--     0");
        let done = Parallel {
            sum: Sample {
                down: (10_000, Some(10_000)),
                speed: 200_000,
                elapsed: Duration::from_millis(50),
                up: (0, None),
            },
            transfers: (2, 0),
        };
        assert_eq!(done.meter(), "\r100 --  10000     0     2     0  --:--:-- --:--:-- --:--:--  195k");
    }

    #[test]
    fn the_bar_is_curls() {
        let bar = |moved, total| Sample { down: (moved, total), ..Sample::default() }.bar(79);
        assert_eq!(bar(5_000, Some(5_000)), Some(format!("\r{} 100.0%", "#".repeat(72))));
        assert_eq!(bar(1, Some(3)), Some(format!("\r{}{}  33.3%", "#".repeat(24), " ".repeat(48))));
        assert_eq!(bar(7, Some(5)), Some(format!("\r{} 100.0%", "#".repeat(72))));
        assert_eq!(bar(7, None), None);
    }

    #[test]
    fn numbers_and_times_fit_their_columns() {
        for (bytes, shown) in [
            (99_999, "99999"),
            (100_000, "  97k"),
            (10_240_000, " 9.7M"),
            (104_857_600, " 100M"),
            (10_485_760_000, " 9.7G"),
            (u64::MAX, "16383P"),
        ] {
            assert_eq!(short(bytes), shown);
        }
        for (seconds, shown) in [(59, " 0:00:59"), (360_000, "  4d 04h"), (86_400_000, "   1000d")] {
            assert_eq!(time(seconds), shown);
        }
    }

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let mut meter = Speedometer::default();
        assert_eq!(meter.speed(Duration::from_secs(1), 1_000), 1_000);
        for second in 2..=10 {
            meter.speed(Duration::from_secs(second), second * 1_000);
        }
        // It stands still from now on.
        let stopped: Vec<u64> =
            (11..=17).map(|second| meter.speed(Duration::from_secs(second), 10_000)).collect();
        assert!(stopped.is_sorted_by(|left, right| left >= right), "{stopped:?}");
        assert_eq!(stopped.last(), Some(&0));
        assert_eq!(meter.speed(Duration::from_secs(17), 10_000), 0);
    }
}
