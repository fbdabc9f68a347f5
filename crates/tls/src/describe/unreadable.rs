//! What could not be read, and why.

use crate::der::{DerError, Element};

/// A part that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub(crate) struct Unreadable {
    /// The part, as the RFC names it.
    what: &'static str,
    why: String,
}

pub(crate) type Read<T> = Result<T, Unreadable>;

pub(crate) fn unreadable<T>(what: &'static str, why: impl Into<String>) -> Read<T> {
    Err(Unreadable { what, why: why.into() })
}

impl From<DerError> for Unreadable {
    fn from(error: DerError) -> Self {
        let (what, why) = match error {
            DerError::Framing { what } => (what, "it is missing, cut short, or not DER".to_owned()),
            DerError::Unexpected { what, tag } => (what, format!("tag 0x{tag:02x} is in its place")),
            DerError::Trailing { what, bytes } => (what, format!("{bytes} bytes follow it")),
            DerError::Value { what } => (what, "it has a value that it cannot have".to_owned()),
        };
        Self { what, why }
    }
}

/// UTCTime or GeneralizedTime (RFC 5280 4.1.2.5), in Unix seconds.
pub(crate) fn time(element: Element<'_>, what: &'static str) -> Read<i64> {
    element.time(what).or_else(|_| {
        let said = String::from_utf8_lossy(element.contents);
        unreadable(what, format!("`{}` is no time", said.escape_debug()))
    })
}
