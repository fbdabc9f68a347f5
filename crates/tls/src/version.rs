//! The versions of TLS that are spoken here, and how they are asked for.

use std::fmt;

/// A version of TLS that is spoken here. Older ones are not (RFC 8996).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246, with ECDHE and AEAD suites only.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// The lowest version to offer for one that is asked for as `1.0` to `1.3` *or later*, as curl's
    /// `--tlsv1.2` does: no lower one than TLS 1.2, which is what 1.0 and 1.1 give.
    pub fn at_least(text: &str) -> Result<Self, VersionError> {
        match text {
            "1" | "1.0" | "1.1" | "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(VersionError::Unknown { text: text.to_owned() }),
        }
    }

    /// The highest version to offer, as `1.2`, `1.3` or `default`: curl's `--tls-max`.
    pub fn at_most(text: &str) -> Result<Self, VersionError> {
        match text {
            "default" | "1.3" => Ok(Self::Tls13),
            "1.2" => Ok(Self::Tls12),
            "1.0" | "1.1" => Err(VersionError::TooOld { text: text.to_owned() }),
            _ => Err(VersionError::Unknown { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// A version of TLS cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Too old.
    #[error(
        "TLS {text} is not spoken here: rustls has nothing older than TLS 1.2, since 1.0 and 1.1 rely on MD5 and SHA-1 \
         and must not be used (RFC 8996)"
    )]
    TooOld {
        /// What was given.
        text: String,
    },
    /// None.
    #[error("{text:?} is no version of TLS: 1.2 or 1.3")]
    Unknown {
        /// What was given.
        text: String,
    },
}
