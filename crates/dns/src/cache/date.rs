//! Dates as people write them (RFC 3339), in UTC.

use glasstack_journal::{CivilTime, WallTime};

/// As `2026-11-23T20:40:00Z`.
pub(super) fn to_text(time: WallTime) -> String {
    CivilTime::from(time).to_string()
}

/// None if it is not such a text, or names no day.
pub(super) fn from_text(text: &str) -> Option<WallTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let date = CivilTime { year: year.into(), month, day, hour, minute, second };
    let time = WallTime::from_unix_seconds(u64::try_from(date.unix_seconds()?).ok()?);
    // What does not come out again, as a leap second, was none.
    (to_text(time) == text).then_some(time)
}

fn numbers(text: &str, between: char) -> Option<[u32; 3]> {
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
