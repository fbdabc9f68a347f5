//! Words and numbers as people read them. What comes from the wire is made harmless here.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

/// The longest text that is shown of anything that a peer chose, in characters.
const LONGEST: usize = 1_000;

/// `text` on one line, without anything that a terminal would act on: control characters (ESC,
/// newline, C1) and those that turn the direction of writing are shown escaped; the rest of what is
/// too long is left out.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for (index, c) in text.chars().enumerate() {
        if index == LONGEST {
            let _ = write!(out, "... ({} bytes in all)", text.len());
            break;
        }
        if is_dangerous(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `0.402 ms`, `1.204 s`.
pub(crate) fn time(duration: Duration) -> String {
    if duration >= Duration::from_secs(1) {
        let seconds = duration.as_secs_f64();
        if duration.subsec_nanos() == 0 { format!("{seconds} s") } else { format!("{seconds:.3} s") }
    } else {
        format!("{:.3} ms", duration.as_secs_f64() * 1_000.0)
    }
}

/// `1 byte`, `2 bytes`, `1 460 bytes`.
pub(crate) fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// `20 480`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// How long an address is lent: `3600 s`, or for ever.
pub(crate) fn lasting(seconds: u32) -> String {
    if seconds == u32::MAX { "ever".to_owned() } else { format!("{seconds} s") }
}

/// What came of a lookup: the addresses, or, where other records were asked for, that they are known.
pub(crate) fn resolved(name: &str, addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return format!("the records of {name} are known");
    }
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    format!("{name} is {}", addresses.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(printable("a\x1b[31mb\r\nc"), "a\\u{1b}[31mb\\r\\nc");
        assert_eq!(printable("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(printable("grüße ✓"), "grüße ✓");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = "x".repeat(5_000);
        assert!(printable(&long).ends_with("x... (5000 bytes in all)"));
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(time(Duration::from_micros(402)), "0.402 ms");
        assert_eq!(time(Duration::from_millis(1_204)), "1.204 s");
        assert_eq!(time(Duration::from_secs(60)), "60 s");
        assert_eq!(count(1, "byte"), "1 byte");
        assert_eq!(count(1_048_576, "byte"), "1 048 576 bytes");
    }

    #[test]
    fn a_lookup_of_other_records_than_addresses_does_not_end_in_nothing() {
        assert_eq!(resolved("a.test", &[]), "the records of a.test are known");
        let addresses = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        assert_eq!(resolved("a.test", &addresses), "a.test is 192.0.2.1, 192.0.2.2");
    }
}
