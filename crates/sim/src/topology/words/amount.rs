//! Durations, rates and shares: a number and its unit.

use super::Word;
use std::time::Duration;

const DURATIONS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl Word for Duration {
    const NOUN: &'static str = "a duration, as \"5ms\", \"150us\", \"1.5s\", \"3min\"";

    fn read(text: &str) -> Result<Self, String> {
        quantity(text, DURATIONS, Self::NOUN).map(Duration::from_nanos)
    }

    fn write(&self) -> String {
        with_unit(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX), &DURATIONS[..4])
    }
}

/// Bits a second: `10Mbit/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(
    /// Bits a second.
    pub u64,
);

const RATES: &[(&str, u64)] = &[
    ("bit/s", 1),
    ("kbit/s", 1_000),
    ("Mbit/s", 1_000_000),
    ("Gbit/s", 1_000_000_000),
    ("Tbit/s", 1_000_000_000_000),
];

impl Word for Rate {
    const NOUN: &'static str = "a rate, as \"56kbit/s\", \"10Mbit/s\", \"1Gbit/s\"";

    fn read(text: &str) -> Result<Self, String> {
        match quantity(text, RATES, Self::NOUN)? {
            0 => Err(format!(
                "`{text}`: at this rate no frame ever leaves; `up = false` is a cable that is not plugged in"
            )),
            rate => Ok(Self(rate)),
        }
    }

    fn write(&self) -> String {
        with_unit(self.0, RATES)
    }
}

/// A part of a whole, from 0.0 to 1.0: `1%`, or 0.01.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(
    /// From 0.0 (nothing) to 1.0 (everything).
    pub f64,
);

impl Word for Share {
    const NOUN: &'static str = "a share, as \"1%\" or 0.01";

    fn read(text: &str) -> Result<Self, String> {
        let (number, of) = match text.strip_suffix('%') {
            Some(percent) => (percent.trim(), 100.0),
            None => (text, 1.0),
        };
        let number: f64 = number.parse().map_err(|_| format!("`{text}` is not {}", Self::NOUN))?;
        Self::number(number / of).map_err(|_| no_share(text))
    }

    fn write(&self) -> String {
        let percent = format!("{}%", self.0 * 100.0);
        if Self::read(&percent) == Ok(*self) { percent } else { self.0.to_string() }
    }

    fn number(number: f64) -> Result<Self, String> {
        match number {
            0.0..=1.0 => Ok(Self(number)),
            _ => Err(no_share(&number.to_string())),
        }
    }
}

fn no_share(said: &str) -> String {
    format!("{said} is more than everything or less than nothing; a share is from 0 to 1, or 0% to 100%")
}

/// A number and its unit. Decimal fractions are exact down to the smallest unit.
fn quantity(text: &str, units: &[(&str, u64)], noun: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..split], text[split..].trim_start());
    let not = || format!("`{text}` is not {noun}");
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let known: Vec<_> = units.iter().map(|(name, _)| *name).collect();
        return Err(match unit {
            _ if number.is_empty() => not(),
            "" => format!(
                "`{text}` has no unit; write {text}{}, for example (known: {})",
                known[known.len() / 2],
                known.join(", ")
            ),
            _ => format!("`{unit}` in `{text}` is no unit known here; known: {}", known.join(", ")),
        });
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{part}").parse().map_err(|_| not())?;
    let scale =
        u32::try_from(part.len()).ok().and_then(|places| 10_u128.checked_pow(places)).ok_or_else(not)?;
    let value = digits.checked_mul(u128::from(*factor)).ok_or_else(not)? / scale;
    u64::try_from(value).map_err(|_| format!("`{text}` is too much"))
}

/// In the largest unit that needs no fraction.
fn with_unit(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().rev().find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    let (unit, factor) = fitting.or(units.get(units.len() / 2)).copied().unwrap_or(("", 1));
    format!("{}{unit}", value / factor)
}
