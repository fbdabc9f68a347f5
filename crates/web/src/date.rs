//! Dates as people and servers write them.

use glasstack_journal::{CivilTime, WallTime};

/// A date in any of the ways that curl's `-z` takes: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `06-Nov-94 08:49:37`, `Nov 6 1994`, `1994 Nov 6 08:49`, `19941106 08:49:37 +0200`, and the like.
/// Without a time it is midnight, without a zone UTC. What was before 1970 is 1970.
pub fn parse(text: &str) -> Option<WallTime> {
    let mut date = Date::default();
    let mut before = ' ';
    let mut rest = text;
    for _ in 0..MOST_PARTS {
        let start = rest.find(|letter: char| letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (skipped, from_here) = rest.split_at(start);
        before = skipped.chars().next_back().unwrap_or(before);
        rest = from_here;
        if rest.is_empty() {
            break;
        }
        let length = if rest.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            date.on_word(run(rest, |letter| letter.is_ascii_alphabetic()))?
        } else {
            date.on_number(rest, before)?
        };
        rest = rest.get(length..)?;
        before = ' ';
    }
    date.instant()
}

/// A date has no more: weekday, day, month, year, time, zone.
const MOST_PARTS: usize = 6;

/// What has been read of a date so far.
#[derive(Default)]
struct Date {
    has_weekday: bool,
    day: Option<u32>,
    /// From 1 on.
    month: Option<u32>,
    year: Option<i64>,
    time: Option<(u32, u32, u32)>,
    /// What is to be added to get UTC, in seconds.
    zone: Option<i64>,
}

impl Date {
    /// Reads a word; gives its length.
    fn on_word(&mut self, word: &str) -> Option<usize> {
        if !self.has_weekday && is_weekday(word) {
            self.has_weekday = true;
        } else if let (None, Some(month)) = (self.month, month_of(word)) {
            self.month = Some(month);
        } else if let (None, Some(zone)) = (self.zone, zone_of(word)) {
            self.zone = Some(zone);
        } else {
            return None;
        }
        Some(word.len())
    }

    /// Reads what begins with a digit; gives its length.
    fn on_number(&mut self, rest: &str, before: char) -> Option<usize> {
        if let (None, Some((time, length))) = (self.time, time_of(rest)) {
            self.time = Some(time);
            return Some(length);
        }
        let digits = run(rest, |letter| letter.is_ascii_digit());
        let number: u32 = digits.parse().ok()?;
        let is_zone = digits.len() == 4 && number <= 1400 && matches!(before, '+' | '-');
        if is_zone && self.zone.is_none() {
            let seconds = i64::from(number / 100 * 60 + number % 100) * 60;
            self.zone = Some(if before == '+' { -seconds } else { seconds });
        } else if digits.len() == 8 && (self.year, self.month, self.day) == (None, None, None) {
            self.year = Some(i64::from(number / 10_000));
            self.month = Some(number / 100 % 100);
            self.day = Some(number % 100);
        } else if self.day.is_none() && (1..32).contains(&number) {
            self.day = Some(number);
        } else if self.year.is_none() {
            self.year = Some(full_year(number));
        } else {
            return None;
        }
        Some(digits.len())
    }

    fn instant(&self) -> Option<WallTime> {
        let (year, month, day) = (self.year?, self.month?, self.day?);
        let (hour, minute, second) = self.time.unwrap_or_default();
        let seconds = unix_seconds(year, month, day, (hour, minute, second))? + self.zone.unwrap_or_default();
        // The Gregorian calendar begins then.
        (year >= 1583).then(|| WallTime::from_unix_seconds(u64::try_from(seconds).unwrap_or_default()))
    }
}

/// Two digits are of this century or of the last.
fn full_year(number: u32) -> i64 {
    match number {
        0..=70 => i64::from(number) + 2000,
        71..=99 => i64::from(number) + 1900,
        _ => i64::from(number),
    }
}

fn run(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `8:49` or `08:49:37`, and its length.
fn time_of(text: &str) -> Option<((u32, u32, u32), usize)> {
    let whole = run(text, |letter| letter.is_ascii_digit() || letter == ':');
    let mut numbers = whole.split(':').map(|part| match part.len() {
        1 | 2 => part.parse::<u32>().ok(),
        _ => None,
    });
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = match numbers.next() {
        Some(second) => second?,
        None => 0,
    };
    numbers.next().is_none().then_some(((hour, minute, second), whole.len()))
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.iter().any(|name| {
        word.eq_ignore_ascii_case(name) || name.get(..3).is_some_and(|short| word.eq_ignore_ascii_case(short))
    })
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A month by the three letters that it begins with; January is 1.
pub(crate) fn month_of(word: &str) -> Option<u32> {
    let short = word.get(..3)?;
    let at = MONTHS.iter().position(|name| short.eq_ignore_ascii_case(name))?;
    u32::try_from(at + 1).ok()
}

/// What is to be added in this zone to get UTC, in seconds.
fn zone_of(word: &str) -> Option<i64> {
    const HOUR: i64 = 3600;
    let west = match word.to_ascii_uppercase().as_str() {
        "GMT" | "UT" | "UTC" | "WET" | "Z" => 0,
        "AST" => 4,
        "ADT" => 3,
        "EST" => 5,
        "EDT" => 4,
        "CST" => 6,
        "CDT" => 5,
        "MST" => 7,
        "MDT" => 6,
        "PST" => 8,
        "PDT" => 7,
        "BST" | "CET" | "MET" | "MEWT" | "WEST" => -1,
        "CEST" | "MEST" | "EET" => -2,
        "EEST" => -3,
        _ => return None,
    };
    Some(west * HOUR)
}

/// Seconds since the Unix epoch; none if there is no such day or time. A leap second is the next
/// minute's first.
pub(crate) fn unix_seconds(year: i64, month: u32, day: u32, time: (u32, u32, u32)) -> Option<i64> {
    let (hour, minute, second) = time;
    CivilTime { year, month, day, hour, minute, second }.unix_seconds()
}

/// A date as HTTP says it (RFC 9110 5.6.7), as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http(at: WallTime) -> String {
    let CivilTime { year, month, day, hour, minute, second } = at.into();
    // 1970-01-01 was a Thursday.
    let weekday = WEEKDAYS.get((at.unix_seconds() / 86_400 + 3) as usize % 7).copied().unwrap_or_default();
    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    format!(
        "{}, {day:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT",
        capital(weekday),
        capital(name)
    )
}

/// The first three letters, the first one large.
fn capital(word: &str) -> String {
    let mut short: String = word.chars().take(3).collect();
    if let Some(first) = short.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_however_it_is_written() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "06 Nov 1994 08:49:37 GMT",
            "1994 Nov 6 08:49:37",
            "Nov 6 1994 8:49:37",
            "19941106 08:49:37",
            "06 Nov 1994 10:49:37 +0200",
            "06 Nov 1994 03:49:37 EST",
            "November 6 1994 08:49:37",
        ] {
            assert_eq!(parse(text), Some(WallTime::from_unix_seconds(784_111_777)), "{text}");
        }
        assert_eq!(parse("1 Jan 1970"), Some(WallTime::from_unix_seconds(0)));
        assert_eq!(parse("1 Jan 1600"), Some(WallTime::from_unix_seconds(0)));
        assert_eq!(parse("2000-02-29"), None, "a month has letters, as in curl");
        assert_eq!(parse("29 Feb 2000 00:01"), Some(WallTime::from_unix_seconds(951_782_460)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "6 Nov",
            "32 Nov 1994",
            "30 Feb 2000",
            "6 Nov 1994 25:00:00",
            "6 Nov 1994 08:49:37 1 2 3 4 5",
            "99999999999999999999 Nov 1",
            "6 Nov 1994 \u{e9}\u{e9}t\u{e9}",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(http(WallTime::from_unix_seconds(784_111_777)), "Sun, 06 Nov 1994 08:49:37 GMT");
        for seconds in [0, 86_399, 951_782_400, 4_107_542_399, 16_725_225_600] {
            let at = WallTime::from_unix_seconds(seconds);
            assert_eq!(parse(&http(at)), Some(at), "{}", http(at));
        }
    }
}
