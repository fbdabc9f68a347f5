//! Dates as people write them (RFC 3339), in UTC.

use glasstack_journal::WallTime;

/// As `2026-11-23T20:40:00Z`.
pub(super) fn to_text(time: WallTime) -> String {
    let seconds = time.unix_seconds();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Years are counted from March, so that the leap day is the last of its year; 400 of them repeat.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_cycle = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_cycle + of_cycle / 4 - of_cycle / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + of_cycle + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// None if it is not such a text, or names no day.
pub(super) fn from_text(text: &str) -> Option<WallTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let (counted, march) =
        if month > 2 { (year, month.checked_sub(3)?) } else { (year.checked_sub(1)?, month.checked_add(9)?) };
    let (era, of_cycle) = (counted / 400, counted % 400);
    let of_year = (153 * march + 2) / 5 + day.checked_sub(1)?;
    let days = era * 146_097 + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
    let seconds = days.checked_sub(719_468)? * 86_400 + hour * 3600 + minute * 60 + second;
    let time = WallTime::from_unix_seconds(seconds);
    // What does not come out again, as a 30th of February, was none.
    (to_text(time) == text).then_some(time)
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut numbers = text.split(between).map(|number| number.parse().ok().filter(|number| *number < 10_000));
    let three = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_466_400, "2026-11-23T20:40:00Z"),
        ] {
            assert_eq!(to_text(WallTime::from_unix_seconds(seconds)), text);
            assert_eq!(from_text(text), Some(WallTime::from_unix_seconds(seconds)));
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-11-23 20:40:00",
            "1969-12-31T23:59:59Z",
            "2026-00-01T00:00:00Z",
            "99999999999999-01-01T00:00:00Z",
            "2026-11-23T20:61:00Z",
            "2026-1-2T3:4:5Z",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
