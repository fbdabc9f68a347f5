//! How much is demanded.

use std::fmt;
use std::str::FromStr;

/// How much is demanded of one way of asking whether a certificate has been revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// It is not asked.
    #[default]
    Off,
    /// It is asked, and "revoked" refuses; what cannot be known is told, and passes.
    Try,
    /// It is asked, and whatever does not prove a certificate good refuses it.
    Require,
}

impl FromStr for Demand {
    type Err = BadDemand;

    fn from_str(text: &str) -> Result<Self, BadDemand> {
        match text {
            "off" => Ok(Self::Off),
            "try" => Ok(Self::Try),
            "require" => Ok(Self::Require),
            _ => Err(BadDemand { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Try => "try",
            Self::Require => "require",
        })
    }
}

/// Not one of the three.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is none of off, try, require")]
pub struct BadDemand {
    /// What was given.
    pub text: String,
}

/// What is demanded of each way.
///
/// Each way that is required must itself prove every certificate below the anchor good: a good OCSP
/// answer does not make up for a missing list where lists are required, nor the other way round. A
/// definite "revoked", by whichever way it is known, always refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationPolicy {
    /// Lists (RFC 5280). Off. Whatever stands here, lists that are given are required.
    pub crl: Demand,
    /// Responders (RFC 6960). Off. A stapled answer that proves a certificate good is one of theirs,
    /// and then nobody is asked about it again.
    pub ocsp: Demand,
    /// Stapled answers (RFC 6066 8), for the server's own certificate: `Try` takes a missing one as it
    /// is and refuses a bad one, since it is the server that shows it; `Require` is curl's
    /// `--cert-status`. Must-staple (RFC 7633) holds in any case. Try.
    pub staple: Demand,
    /// Whether a responder must repeat the nonce (RFC 9654). Most do not: they sign their answers in
    /// advance. With it, answers that were kept or stapled, which carry none of ours, do not spare the
    /// question; those that are given count all the same. No.
    pub nonce: bool,
}

impl Default for RevocationPolicy {
    fn default() -> Self {
        Self { crl: Demand::Off, ocsp: Demand::Off, staple: Demand::Try, nonce: false }
    }
}
