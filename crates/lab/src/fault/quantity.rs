//! Numbers with units: read from a word, and written so that they are read again.

use super::spec::Percent;
use std::time::Duration;

/// Nanoseconds in each unit of time, the largest first.
const TIMES: [(&str, u128); 6] = [
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
/// Bytes in each unit of size, the largest first; those that are written, then those that are read.
const SIZES: [(&str, u128); 8] = [
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1_024),
    ("MiB", 1_048_576),
    ("GiB", 1_073_741_824),
];
/// Millionths in one percent.
const PERCENT: u128 = 10_000;

/// A time: `3s`, `1.5ms`, `150us`.
pub(crate) fn duration(word: &str) -> Option<Duration> {
    let nanos = with_unit(word, &TIMES)?;
    Some(Duration::from_nanos(u64::try_from(nanos).ok()?))
}

/// The time in the largest unit of which it is a whole number.
pub(crate) fn show_duration(duration: Duration) -> String {
    show(duration.as_nanos(), "s", &TIMES)
}

/// A size in bytes: `10kB`, `1MiB`, `500B`.
pub(super) fn size(word: &str) -> Option<u64> {
    u64::try_from(with_unit(word, &SIZES)?).ok()
}

/// The size in the largest decimal unit of which it is a whole number.
pub(super) fn show_size(bytes: u64) -> String {
    show(bytes.into(), "B", &SIZES[..4])
}

/// A probability: `5%`, `0.1%`; not above 100 %.
pub(super) fn percent(word: &str) -> Option<Percent> {
    let millionths = decimal(word.strip_suffix('%')?, PERCENT)?;
    u32::try_from(millionths).ok().filter(|all| *all <= 1_000_000).map(Percent)
}

/// The probability with as many places as it takes.
pub(super) fn show_percent(percent: Percent) -> String {
    let (whole, part) = (u128::from(percent.0) / PERCENT, u128::from(percent.0) % PERCENT);
    let text = format!("{whole}.{part:04}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A whole number, decimal digits alone.
pub(super) fn number(word: &str) -> Option<u64> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) { word.parse().ok() } else { None }
}

/// `first`, `second`, ..., `tenth`, or digits and their ending: `1st`, `22nd`.
pub(super) fn ordinal(word: &str) -> Option<u64> {
    const NAMES: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    let word = word.to_ascii_lowercase();
    if let Some(n) = (1..).zip(NAMES).find_map(|(n, name)| (name == word).then_some(n)) {
        return Some(n);
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending))?;
    number(digits).filter(|n| *n > 0)
}

fn with_unit(word: &str, units: &[(&str, u128)]) -> Option<u128> {
    let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (amount, unit) = word.split_at(digits);
    let (_, worth) = units.iter().find(|(name, _)| *name == unit)?;
    decimal(amount, *worth)
}

/// A decimal number of things each worth so many; none unless that makes a whole number.
fn decimal(text: &str, worth: u128) -> Option<u128> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() && (text.len() == whole.len() || !places.is_empty());
    // Twelve places are more than any unit here can be divided into.
    if !has_digits || !are_digits(whole) || !are_digits(places) || whole.len() > 18 || places.len() > 12 {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(places.len()).ok()?);
    let places: u128 = if places.is_empty() { 0 } else { places.parse().ok()? };
    let parts = whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(places)?.checked_mul(worth)?;
    (parts % scale == 0).then_some(parts / scale)
}

fn show(amount: u128, of_nothing: &str, units: &[(&str, u128)]) -> String {
    let largest = units.iter().find(|(_, worth)| amount != 0 && amount.is_multiple_of(*worth));
    largest.map_or_else(|| format!("0{of_nothing}"), |(unit, worth)| format!("{}{unit}", amount / worth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_they_are_written() {
        for text in ["3s", "150us", "1500ms", "2min", "0s", "1ns"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
        for text in ["10kB", "1234B", "5MB", "0B"] {
            assert_eq!(show_size(size(text).unwrap()), text);
        }
        for text in ["5%", "0.1%", "100%", "0.0001%", "12.5%"] {
            assert_eq!(show_percent(percent(text).unwrap()), text);
        }
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1_500)));
        assert_eq!(size("1.5KiB"), Some(1_536));
        assert_eq!((ordinal("third"), ordinal("22nd"), ordinal("0th")), (Some(3), Some(22), None));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in
            ["", "s", "3", "3 s", "-1s", "1.s", ".5s", "1.0000000001s", "99999999999999999999s", "1e3s"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["101%", "5", "%", "0.00001%", "-5%"] {
            assert_eq!(percent(text), None, "{text}");
        }
        assert_eq!((number("+5"), number(""), number("18446744073709551616")), (None, None, None));
    }
}
