//! Civil dates: a point in time as year, month and day, in UTC and the Gregorian calendar.

use crate::time::WallTime;
use std::fmt;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// A date and a time of day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    /// The year.
    pub year: i64,
    /// From 1 on.
    pub month: u32,
    /// From 1 on.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 60: a leap second is the next minute's first.
    pub second: u32,
}

impl CivilTime {
    /// Seconds since 1970-01-01T00:00:00Z, fewer than 0 before; none if there is no such day or time.
    pub fn unix_seconds(self) -> Option<i64> {
        let Self { year, month, day, hour, minute, second } = self;
        let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let last = match month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=last).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        // Years are counted from March, so that the leap day is the last of its year.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = i64::from((153 * month + 2) / 5 + day - 1);
        let days = era.checked_mul(ERA)? + 365 * of_era + of_era / 4 - of_era / 100 + of_year;
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        (days - EPOCH).checked_mul(86_400)?.checked_add(of_day)
    }

    /// Of seconds since 1970-01-01T00:00:00Z, fewer than 0 before.
    pub fn of_unix_seconds(seconds: i64) -> Self {
        let of_day = u32::try_from(seconds.rem_euclid(86_400)).unwrap_or_default();
        let days = seconds.div_euclid(86_400) + EPOCH;
        let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = u32::try_from(of_era - (365 * year + year / 4 - year / 100)).unwrap_or_default();
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = era * 400 + year + i64::from(month <= 2);
        Self { year, month, day, hour: of_day / 3600, minute: of_day / 60 % 60, second: of_day % 60 }
    }
}

impl From<WallTime> for CivilTime {
    fn from(time: WallTime) -> Self {
        Self::of_unix_seconds(i64::try_from(time.unix_seconds()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for CivilTime {
    /// As `2026-11-23T20:40:00Z` (RFC 3339).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_counted_forth_and_back() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_466_400, "2026-11-23T20:40:00Z"),
        ] {
            let date = CivilTime::from(WallTime::from_unix_seconds(seconds));
            assert_eq!(date.to_string(), text);
            assert_eq!(date.unix_seconds(), i64::try_from(seconds).ok());
        }
    }

    #[test]
    fn what_is_no_day_or_no_time_is_none() {
        let noon = CivilTime { year: 2000, month: 2, day: 29, hour: 12, minute: 0, second: 0 };
        assert_eq!(noon.unix_seconds(), Some(951_825_600));
        assert_eq!(CivilTime { year: 1969, month: 12, day: 31, ..noon }.unix_seconds(), Some(-43_200));
        assert_eq!(CivilTime::of_unix_seconds(-43_200), CivilTime { year: 1969, month: 12, day: 31, ..noon });
        assert_eq!(CivilTime { second: 60, ..noon }.unix_seconds(), Some(951_825_660), "a leap second");
        for wrong in [
            CivilTime { year: 1900, ..noon },
            CivilTime { day: 30, ..noon },
            CivilTime { month: 13, ..noon },
            CivilTime { day: 0, ..noon },
            CivilTime { hour: 24, ..noon },
            CivilTime { minute: 60, ..noon },
            CivilTime { year: i64::MAX, ..noon },
            CivilTime { year: i64::MIN, month: 1, ..noon },
        ] {
            assert_eq!(wrong.unix_seconds(), None, "{wrong}");
        }
    }
}
