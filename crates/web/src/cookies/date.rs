//! Dates in cookies (RFC 6265bis 5.1.1): parts are looked for in whatever order they come.

use crate::date::{month_of, unix_seconds};
use glasstack_journal::WallTime;

/// The date that `Expires` says. What was before 1970 is 1970.
pub(super) fn parse(text: &str) -> Option<WallTime> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if let (None, Some(found)) = (time, time_of(token)) {
            time = Some(found);
        } else if let (None, Some(found)) = (day, number(token, 1..=2)) {
            day = Some(found);
        } else if let (None, Some(found)) = (month, month_of(token)) {
            month = Some(found);
        } else if let (None, Some(found)) = (year, number(token, 2..=4)) {
            year = Some(match found {
                0..=69 => found + 2000,
                70..=99 => found + 1900,
                _ => found,
            });
        }
    }
    let (year, (hour, minute, second)) = (year?, time?);
    if year < 1601 || second > 59 {
        return None;
    }
    let seconds = unix_seconds(i64::from(year), month?, day?, (hour, minute, second))?;
    Some(WallTime::from_unix_seconds(u64::try_from(seconds).unwrap_or_default()))
}

/// RFC 6265bis 5.1.1, `delimiter`.
fn is_delimiter(letter: char) -> bool {
    matches!(letter, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// So many digits, and then no further digit.
fn number(token: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let digits = token.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(token.len());
    length.contains(&digits).then(|| token.get(..digits)?.parse().ok())?
}

/// `hms-time`: one or two digits each, and then no further digit.
fn time_of(token: &str) -> Option<(u32, u32, u32)> {
    let (hour, rest) = token.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let exactly = |part: &str| number(part, 1..=2).filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    Some((exactly(hour)?, exactly(minute)?, number(second, 1..=2)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_may_stand_in_any_order_and_between_any_delimiters() {
        for text in [
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "21-Oct-15 07:28:00",
            "2015/Oct/21 7:28:0",
            "October 21 07:28:00abc 2015 whatever",
            "07:28:00 21 oct 2015 22 Nov 2016 08:00:00",
        ] {
            assert_eq!(parse(text), Some(WallTime::from_unix_seconds(1_445_412_480)), "{text}");
        }
        assert_eq!(parse("01 Jan 1969 00:00:00"), Some(WallTime::from_unix_seconds(0)));
        assert_eq!(parse("01 Jan 70 00:00:00"), Some(WallTime::from_unix_seconds(0)));
    }

    #[test]
    fn a_part_that_is_missing_or_impossible_makes_no_date() {
        for text in [
            "",
            "21 Oct 2015",
            "Oct 2015 07:28:00",
            "21 2015 07:28:00",
            "31 Feb 2015 07:28:00",
            "21 Oct 1600 07:28:00",
            "21 Oct 2015 24:00:00",
            "21 Oct 2015 07:60:00",
            "21 Oct 2015 007:28:00",
            "211 Oct 20155 07:28:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
