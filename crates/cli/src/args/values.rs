//! What stands behind an option: times, sizes, speeds, as curl writes them.

use crate::transfer::PARALLEL_MAX;
use glasstack::journal::{CivilTime, WallTime};
use std::time::Duration;

/// A number of seconds, as 5 or 0.25.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a number of seconds, as 5 or 0.25");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// A number of seconds that is not 0.
pub(super) fn some_seconds(text: &str) -> Result<Duration, String> {
    let time = seconds(text)?;
    if time.is_zero() {
        Err(format!("`{text}` is no time at all: nothing could happen in it"))
    } else {
        Ok(time)
    }
}

/// A number of bytes, as 1000, 64k, 10M or 2G; the letters count in 1024s.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a number of bytes, as 1000, 64k, 10M or 2G");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit: u64 = match text.strip_prefix(digits).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        "p" => 1 << 50,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// How many transfers run at once; as in curl, 0 is the usual number, and there are 300 at most.
pub(super) fn transfers_at_once(text: &str) -> Result<u16, String> {
    match text.parse::<u64>() {
        Ok(0) => Ok(PARALLEL_MAX),
        Ok(number) => Ok(u16::try_from(number).unwrap_or(u16::MAX).min(300)),
        Err(_) => Err(format!("`{text}` is no number of transfers, from 1 to 300")),
    }
}

/// The time from one transfer's begin to the next one's, from 10/m (ten a minute), 3/s, 100/h, 5/d
/// or 7200 (an hour, which is curl's unit where none is said); 2/5s is two in five seconds.
pub(super) fn rate(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no rate of transfers, as 2/s, 10/m, 100/h or 5/d");
    let (count, period) = text.split_once('/').unwrap_or((text, "h"));
    let count: u32 = count.parse().map_err(|_| wrong())?;
    let unit = period.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let times = period.strip_suffix(unit).unwrap_or_default();
    let times: u64 = if times.is_empty() { 1 } else { times.parse().map_err(|_| wrong())? };
    let unit: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let seconds = times.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(wrong)?;
    Duration::from_secs(seconds).checked_div(count).ok_or_else(wrong)
}

/// Ports to choose from: 5000 or 5000-5010.
pub(super) fn ports(text: &str) -> Result<(u16, u16), String> {
    let wrong = || format!("`{text}` is no port and no range of ports, as 5000 or 5000-5010");
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high): (u16, u16) =
        (low.trim().parse().map_err(|_| wrong())?, high.trim().parse().map_err(|_| wrong())?);
    if low == 0 || low > high { Err(wrong()) } else { Ok((low, high)) }
}

/// A point in time, as RFC 3339 writes it: 2026-06-01T12:00:00Z, or with +02:00 behind it.
pub(crate) fn moment(text: &str) -> Result<WallTime, String> {
    let wrong = || format!("`{text}` is no time, as 2026-06-01T12:00:00Z (RFC 3339)");
    let part = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let read = || {
        let marks = text.as_bytes();
        let is_marked = [(4, b"-"), (7, b"-"), (13, b":"), (16, b":")]
            .iter()
            .all(|(at, mark)| marks.get(*at) == mark.first());
        let is_joined = matches!(marks.get(10), Some(b'T' | b't' | b' '));
        let civil = CivilTime {
            year: part(0, 4)?.into(),
            month: part(5, 7)?,
            day: part(8, 10)?,
            hour: part(11, 13)?,
            minute: part(14, 16)?,
            second: part(17, 19)?,
        };
        let behind = text.get(19..)?;
        let zone = match behind.strip_prefix('.') {
            Some(fraction) => {
                let zone = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
                (zone.len() < fraction.len()).then_some(zone)?
            }
            None => behind,
        };
        let seconds = civil.unix_seconds()?.checked_sub(offset(zone)?)?;
        (is_marked && is_joined).then(|| u64::try_from(seconds).ok()).flatten()
    };
    let seconds = read().ok_or_else(wrong)?;
    let moment = WallTime::from_unix_seconds(seconds);
    if moment.unix_seconds() != seconds {
        return Err(format!(
            "`{text}` is too late: {} is the last moment that is counted here",
            CivilTime::from(moment)
        ));
    }
    Ok(moment)
}

/// RFC 3339 5.6, time-offset: how far a clock is before UTC, in seconds.
fn offset(zone: &str) -> Option<i64> {
    let (sign, time) = match zone {
        "Z" | "z" => return Some(0),
        _ => (if zone.starts_with('-') { -1 } else { 1 }, zone.strip_prefix(['+', '-'])?),
    };
    let (hours, minutes) = time.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u8>().ok()).flatten().map(i64::from);
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// A file's permissions in octal, as 640.
pub(super) fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| format!("`{text}` is no file mode in octal, as 640"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_fractions() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert!(seconds("-1").is_err() && seconds("soon").is_err() && seconds("1e30").is_err());
    }

    #[test]
    fn sizes_have_letters_that_count_in_1024s() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("3B"), Ok(3));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("2G"), Ok(2 << 30));
        for wrong in ["", "k", "-1", "1x", "1kb", "99999999P", "1 k"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_pause() {
        assert_eq!(rate("2/s"), Ok(Duration::from_millis(500)));
        assert_eq!(rate("10/m"), Ok(Duration::from_secs(6)));
        assert_eq!(rate("3600"), Ok(Duration::from_secs(1)));
        assert_eq!(rate("1/5s"), Ok(Duration::from_secs(5)));
        for wrong in ["", "0/s", "2/", "2/w", "x/s", "1/0s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ports_are_one_or_a_range() {
        assert_eq!(ports("80"), Ok((80, 80)));
        assert_eq!(ports("5000-5010"), Ok((5000, 5010)));
        assert!(ports("0").is_err() && ports("2-1").is_err() && ports("70000").is_err());
    }

    #[test]
    fn a_moment_is_written_as_rfc_3339_has_it() {
        let seconds = |text: &str| moment(text).map(WallTime::unix_seconds);
        assert_eq!(seconds("2026-06-01T12:00:00Z"), Ok(1_780_315_200));
        assert_eq!(seconds("2026-06-01t14:00:00.25+02:00"), Ok(1_780_315_200));
        assert_eq!(seconds("2026-06-01 10:30:00-01:30"), Ok(1_780_315_200));
        for wrong in [
            "",
            "now",
            "2026-06-01",
            "2026-06-01T12:00:00",
            "2026-13-01T12:00:00Z",
            "2026-06-01T12:00:00.Z",
            "2026-06-01T12:00:00+2",
            "2026-06-01T12:00:00Zx",
            "1969-06-01T12:00:00Z",
            "+026-06-01T12:00:00Z",
            "2026-06-01T12:0é",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_moment_too_late_to_be_counted_is_refused_and_not_taken_for_an_earlier_one() {
        assert!(moment("2554-07-21T23:34:33Z").is_ok());
        for late in ["2554-07-21T23:34:34Z", "2700-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            let why = moment(late).unwrap_err();
            assert!(why.contains("2554-07-21T23:34:33Z is the last moment"), "{why}");
        }
    }

    #[test]
    fn a_file_mode_is_octal() {
        assert_eq!(file_mode("0640"), Ok(0o640));
        assert!(file_mode("8").is_err() && file_mode("1777").is_err());
    }
}
