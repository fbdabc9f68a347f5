//! How single values are written in a topology: `"192.168.1.10/24"`, `"5ms"`, `"10Mbit/s"`, `"1%"`,
//! `"0.0.0.0/0 via 203.0.113.1"`. Each has one way to be read and one to be written, and what cannot
//! be read is answered with what would be right.
//!
//! Here is how words meet serde; `address`, `amount`, `link` and `rule` have one `impl Word` each kind of
//! value.

mod address;
mod amount;
mod link;
mod rule;

pub use address::{Cidr, End, HostAddress, RouteSpec};
pub use amount::{Rate, Share};

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A value that stands in a topology as a string.
pub(in crate::topology) trait Word: Sized {
    /// What it is and how it looks, as in `an address in CIDR form, as "192.168.1.10/24"`.
    const NOUN: &'static str;
    /// Reads it. The error says what is wrong with the text and what would be right.
    fn read(text: &str) -> Result<Self, String>;
    /// Writes it so that it reads the same.
    fn write(&self) -> String;
    /// Reads a number without quotes, if it makes sense.
    fn number(number: f64) -> Result<Self, String> {
        Err(format!("{number} is not {}", Self::NOUN))
    }
}

/// A value in words, for serde.
struct InWords<T>(T);

impl<T: Word> Serialize for InWords<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

impl<'de, T: Word> Deserialize<'de> for InWords<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(std::marker::PhantomData<T>);
        impl<T: Word> Visitor<'_> for Reads<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::NOUN)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                T::read(text).map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
                T::number(number).map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
                T::number(number as f64).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reads(std::marker::PhantomData)).map(Self)
    }
}

/// `#[serde(with = "words::maybe")]`: perhaps a value.
pub(in crate::topology) mod maybe {
    use super::*;

    pub(in crate::topology) fn serialize<T: Word, S: Serializer>(
        value: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(InWords).serialize(s)
    }

    pub(in crate::topology) fn deserialize<'de, T: Word, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<T>, D::Error> {
        InWords::deserialize(d).map(|word| Some(word.0))
    }
}

/// `#[serde(with = "words::many")]`: a list of values.
pub(in crate::topology) mod many {
    use super::*;

    pub(in crate::topology) fn serialize<T: Word, S: Serializer>(
        values: &[T],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(values.iter().map(InWords))
    }

    pub(in crate::topology) fn deserialize<'de, T: Word, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<InWords<T>>::deserialize(d)?.into_iter().map(|word| word.0).collect())
    }
}

/// `#[serde(with = "words::one")]`: a value.
pub(in crate::topology) mod one {
    use super::*;

    pub(in crate::topology) fn serialize<T: Word, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        InWords(value).serialize(s)
    }

    pub(in crate::topology) fn deserialize<'de, T: Word, D: Deserializer<'de>>(d: D) -> Result<T, D::Error> {
        InWords::deserialize(d).map(|word| word.0)
    }
}

/// `#[serde(with = "words::by_port")]`: values by the number of a port. TOML's keys are strings.
pub(in crate::topology) mod by_port {
    use super::*;

    pub(in crate::topology) fn serialize<T: Word, S: Serializer>(
        values: &BTreeMap<usize, T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(values.iter().map(|(port, value)| (port.to_string(), InWords(value))))
    }

    pub(in crate::topology) fn deserialize<'de, T: Word, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<usize, T>, D::Error> {
        let by_key = BTreeMap::<String, InWords<T>>::deserialize(d)?;
        by_key.into_iter().map(|(key, word)| Ok((port(&key)?, word.0))).collect()
    }
}

/// `#[serde(with = "words::numbers_by_port")]`: numbers by the number of a port.
pub(in crate::topology) mod numbers_by_port {
    use super::*;

    pub(in crate::topology) fn serialize<S: Serializer>(
        numbers: &BTreeMap<usize, u8>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_map(numbers.iter().map(|(port, number)| (port.to_string(), number)))
    }

    pub(in crate::topology) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<BTreeMap<usize, u8>, D::Error> {
        let by_key = BTreeMap::<String, u8>::deserialize(d)?;
        by_key.into_iter().map(|(key, number)| Ok((port(&key)?, number))).collect()
    }
}

/// A key that is the number of a port.
fn port<E: de::Error>(key: &str) -> Result<usize, E> {
    key.parse().map_err(|_| E::custom(format!("`{key}` is not the number of a port; they begin with 0")))
}

/// `#[serde(with = "words::ends")]`: the two ends of a cable.
pub(in crate::topology) mod ends {
    use super::*;

    pub(in crate::topology) fn serialize<S: Serializer>(ends: &[End; 2], s: S) -> Result<S::Ok, S::Error> {
        ends.serialize(s)
    }

    pub(in crate::topology) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[End; 2], D::Error> {
        let ends = Vec::<End>::deserialize(d)?;
        <[End; 2]>::try_from(ends).map_err(|ends| {
            de::Error::custom(format!(
                "a cable has two ends, not {}; write between = [\"a\", \"b\"]",
                ends.len()
            ))
        })
    }
}

/// Display, `parse` and serde as the words say.
macro_rules! in_words {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.write())
            }
        }

        impl FromStr for $type {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                Self::read(text).map_err(BadWord)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                InWords(self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                InWords::deserialize(deserializer).map(|word| word.0)
            }
        }
    )*};
}

in_words!(Cidr, HostAddress, RouteSpec, End, Rate, Share);

/// A value of a topology cannot be read; the text says why and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadWord(String);
