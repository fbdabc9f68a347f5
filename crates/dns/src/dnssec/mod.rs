//! DNSSEC (RFC 4033, 4034, 4035, 5155): who signed an answer, whether that can be traced to a key that
//! is trusted beforehand, and the other end: signing a zone.
//!
//! ```text
//!   trust anchor    . DS 20326                     anchors
//!        |  digest of
//!   .            DNSKEY   signed by itself         chain: fetched, checked, remembered
//!        |  signs
//!   test.        DS       or the proof of none     denial: nsec, nsec3
//!        |  digest of
//!   test.        DNSKEY
//!        |  signs
//!   www.test.    A + RRSIG                         verify: one set, its signatures, a zone's keys
//! ```
//!
//! Read in this order: [`reason`] (what may come of it), [`anchors`], [`validator`] and what it is made
//! of: `judge` (an answer set by set), `chain` (from the anchor down to a zone's keys) with `remembered`
//! and `checks` (what it may cost), `verify` (one set and its signatures) with `sets`, `keys` and `good_signatures`,
//! `denial` with `nsec` and `nsec3` (the proof of nothing); [`link`] (the walk as data); [`signer`] (the other end).
//! `crypto` is the only place that knows a library.

pub mod anchors;
mod chain;
mod checks;
mod crypto;
mod denial;
mod good_signatures;
mod judge;
mod keys;
pub mod link;
mod nsec;
mod nsec3;
pub mod reason;
mod remembered;
mod sets;
pub mod signer;
#[cfg(test)]
mod testing;
mod text;
pub mod validator;
#[cfg(test)]
mod vectors;
mod verify;

pub use anchors::TrustAnchors;
pub(crate) use checks::Checks;
pub(crate) use crypto::nsec3_hash;
pub(crate) use denial::{Denial, Proved};
pub use link::Link;
pub(crate) use nsec3::{HASH_SHA_1, OPT_OUT, hash_of_owner, next_closer};
pub use reason::Reason;
pub use sets::Section;
pub use signer::{SignOptions, Signer, ZoneKeys};
pub use validator::{Fetch, Limits, SetJudged, Validated, Validator};

use std::fmt;

/// What validation says of records (RFC 4035 4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Security {
    /// Signed, and the signature traced to a trust anchor.
    Secure,
    /// Proved to be in a part of the tree that nobody signs, or signs in a way that we know.
    Insecure,
    /// There is no trust anchor above them.
    Indeterminate,
    /// Nobody has looked.
    #[default]
    Unchecked,
    /// They should be signed, and are not, or wrongly.
    Bogus,
}

impl Security {
    /// Of two parts' security, that of the whole.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secure => "secure",
            Self::Insecure => "insecure",
            Self::Indeterminate => "indeterminate",
            Self::Unchecked => "unchecked",
            Self::Bogus => "bogus",
        })
    }
}
