//! What is known when revocation is judged: lists, answers, and what became of asking.

use super::lists::RevocationLists;
use super::problem::Cause;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The two kinds of what can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A list.
    Crl,
    /// An OCSP answer.
    Ocsp,
}

/// Where a list or an answer came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user gave it.
    Given,
    /// It was fetched earlier.
    Cached,
    /// It was fetched from here.
    Fetched(String),
    /// The server stapled it to its certificate.
    Stapled,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("given"),
            Self::Cached => f.write_str("cached"),
            Self::Fetched(url) => f.write_str(url),
            Self::Stapled => f.write_str("stapled"),
        }
    }
}

/// A list or an answer.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) der: Arc<[u8]>,
    pub(crate) origin: Origin,
    /// Which certificate of the path it was fetched for; none: it may be about any.
    pub(crate) about: Option<usize>,
    /// The nonce that it must not contradict.
    pub(crate) nonce: Option<Vec<u8>>,
    /// What a list says of that certificate, once it was asked: its signature is not verified twice for
    /// one connection, nor its entries walked through.
    pub(crate) said: OnceLock<Result<Option<Clears>, Cause>>,
}

/// How a list tells that a certificate has not been revoked.
#[derive(Clone, Debug)]
pub(crate) struct Clears {
    /// For which reasons (named bits).
    pub(crate) reasons: u64,
    /// The list.
    pub(crate) list: String,
    /// What it has, or does not have.
    pub(crate) words: String,
}

impl Found {
    /// It may be about any certificate of the path, and nobody has asked for it with a nonce.
    pub(crate) fn new(der: Arc<[u8]>, origin: Origin) -> Self {
        Self { der, origin, about: None, nonce: None, said: OnceLock::new() }
    }

    /// For this certificate of the path alone.
    pub(crate) fn about(self, index: usize) -> Self {
        Self { about: Some(index), ..self }
    }
}

/// What the server stapled to its certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Staple {
    /// There was no handshake: nobody can tell.
    #[default]
    NotAsked,
    /// Nothing.
    Absent,
    /// Nothing, as always when a session is resumed.
    Resumed,
    /// This (DER).
    Present(Vec<u8>),
}

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(crate) lists: Vec<Found>,
    pub(crate) answers: Vec<Found>,
    pub(crate) staple: Staple,
    /// What was asked for in vain, by certificate of the path and kind.
    pub(crate) attempts: BTreeMap<(usize, Kind), Vec<String>>,
}

impl Known {
    /// Lists and OCSP answers (DER) that the user gave.
    pub fn given(lists: Option<&RevocationLists>, answers: &[Vec<u8>]) -> Self {
        let given = |der: Arc<[u8]>| Found::new(der, Origin::Given);
        Self {
            lists: lists.iter().flat_map(|lists| lists.ders()).cloned().map(given).collect(),
            answers: answers.iter().map(|answer| given(answer.as_slice().into())).collect(),
            ..Self::default()
        }
    }

    /// The same, and what the server stapled to its certificate.
    #[must_use]
    pub fn stapled(self, staple: Staple) -> Self {
        Self { staple, ..self }
    }

    pub(crate) fn add(&mut self, kind: Kind, found: Found) {
        match kind {
            Kind::Crl => self.lists.push(found),
            Kind::Ocsp => self.answers.push(found),
        }
    }

    pub(crate) fn has_given(&self, kind: Kind) -> bool {
        let all = match kind {
            Kind::Crl => &self.lists,
            Kind::Ocsp => &self.answers,
        };
        all.iter().any(|found| found.origin == Origin::Given)
    }
}
