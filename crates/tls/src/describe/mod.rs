//! What is in a certificate, a list, an answer or a key: every field and extension, decoded and named,
//! for people and for programs. Nothing is judged here ([`crate::verify`] does that).
//!
//! ```text
//!   a file, or what a server sent
//!        |  pem, or DER by its shape        pem, kind
//!        v
//!   certificate, request, list, ocsp, key   each a function from bytes to facts
//!        |  extensions, names, sct          what they consist of
//!        v
//!   Facts                                   printed, or serialised: the same facts
//! ```
//!
//! All of it was written by strangers: every text is escaped, every length is checked, and what cannot
//! be read is told beside what can.

mod certificate;
mod extensions;
mod facts;
mod key;
mod kind;
mod list;
pub(crate) mod names;
mod ocsp;
mod pem;
mod sct;
mod unreadable;

pub use facts::{Extension, Fact, Facts};
pub use kind::Kind;

use crate::der::Reader;
use crate::identity_files::FileFormat;
use crate::pkcs12::{self, Opened};
use crate::private_key;
use facts::harmless;
use glasstack_journal::WallTime;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;
use unreadable::{Read, time, unreadable};

/// How many things of one file are described.
const MOST: usize = 100_000;

/// Something that was described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What it is.
    pub kind: Kind,
    /// Its bytes (DER); none where not even they could be read.
    pub der: Vec<u8>,
    /// What is in it, or why that cannot be told.
    pub facts: Result<Facts, String>,
}

/// What the bytes of a file are: the sections of a PEM text, or one thing in DER. `password` opens a
/// private key that is encrypted.
pub fn describe(bytes: &[u8], now: WallTime, password: Option<&str>) -> Result<Vec<Described>, Nondescript> {
    let sections = pem::sections(bytes);
    if !sections.is_empty() {
        let described = sections.into_iter().take(MOST).map(|section| of_section(section, now, password));
        return Ok(described.collect());
    }
    match (bytes, Kind::of_shape(bytes)) {
        ([], _) => Err(Nondescript::Empty),
        (_, Some(Kind::Pkcs12)) => Ok(of_pkcs12(bytes, now, password)),
        (_, Some(kind)) => Ok(vec![of_kind(kind, bytes, now, password)]),
        _ => Err(Nondescript::Neither),
    }
}

/// A certificate (DER).
pub fn describe_certificate(der: &[u8], now: WallTime) -> Described {
    of_kind(Kind::Certificate, der, now, None)
}

/// An OCSP response (DER), as a server staples it.
pub fn describe_ocsp_response(der: &[u8], now: WallTime) -> Described {
    of_kind(Kind::OcspResponse, der, now, None)
}

/// There is nothing in a file that could be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nondescript {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is of no kind that is known.
    #[error(
        "it is neither PEM (-----BEGIN ...) nor the DER of a certificate, request, revocation list, OCSP message or \
         key"
    )]
    Neither,
}

impl Described {
    /// As PEM (RFC 7468); none of what must not be shown.
    pub fn to_pem(&self) -> Option<String> {
        let label = self.kind.label()?;
        (!self.der.is_empty()).then(|| pem::section(label, &self.der))
    }

    /// With another fact behind the others.
    #[must_use]
    pub fn with(mut self, name: &'static str, text: &str) -> Self {
        if let Ok(facts) = &mut self.facts {
            facts.push(name, Fact::strange(text));
        }
        self
    }
}

/// Printed: its kind, and what is in it, indented.
impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.kind)?;
        let mut text = String::new();
        match &self.facts {
            Ok(facts) => facts.print(2, &mut text),
            Err(why) => text = format!("  unreadable: {why}\n"),
        }
        f.write_str(&text)
    }
}

/// Serialised: the facts, and `kind`; `error` where it cannot be read.
impl Serialize for Described {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", self.kind.code())?;
        match &self.facts {
            Ok(facts) => facts.serialize_into(&mut map)?,
            Err(why) => map.serialize_entry("error", why)?,
        }
        map.end()
    }
}

fn of_section(section: pem::Section, now: WallTime, password: Option<&str>) -> Described {
    let kind = Kind::of_label(&section.label);
    match (section.der, kind) {
        (Ok(der), Some(kind)) => {
            // OpenSSL's TRUSTED CERTIFICATE has what its owner thinks of it behind it.
            let first = Reader::lenient(&der).any("it").map_or(der.as_slice(), |value| value.whole);
            of_kind(kind, if section.label.starts_with("TRUSTED") { first } else { &der }, now, password)
        }
        (Err(why), kind) => {
            let label = harmless(&section.label);
            Described {
                kind: kind.unwrap_or(Kind::Unknown),
                der: Vec::new(),
                facts: Err(format!("{label}: {why}")),
            }
        }
        (Ok(der), None) => {
            let facts = Facts::default()
                .with("label", Fact::strange(&section.label))
                .with("length", Fact::Number(der.len() as u64));
            Described { kind: Kind::Unknown, der, facts: Ok(facts) }
        }
    }
}

fn of_kind(kind: Kind, der: &[u8], now: WallTime, password: Option<&str>) -> Described {
    let now = i64::try_from(now.unix_seconds()).unwrap_or(i64::MAX);
    let facts = match kind {
        Kind::Certificate => certificate::certificate(der, now),
        Kind::CertificateRequest => certificate::request(der),
        Kind::RevocationList => list::list(der, now),
        Kind::OcspRequest => ocsp::request(der),
        Kind::OcspResponse => ocsp::response(der, now),
        Kind::PublicKey => key::public(der),
        Kind::PrivateKey => key::private(der),
        Kind::EncryptedPrivateKey => key::encrypted(der),
        Kind::Pkcs12 | Kind::Unknown => Ok(Facts::default().with("length", Fact::Number(der.len() as u64))),
    };
    let facts = facts.map_err(|why| harmless(&why.to_string()));
    let described = Described { kind, der: der.to_vec(), facts };
    match (kind, password) {
        (Kind::EncryptedPrivateKey, Some(_)) => opened(described, password),
        _ => described,
    }
}

/// What is in a PKCS#12 file: the chain, and its key.
fn of_pkcs12(bytes: &[u8], now: WallTime, password: Option<&str>) -> Vec<Described> {
    match pkcs12::open(bytes, password) {
        Ok(Opened { chain, key }) => {
            let certificates = chain.iter().map(|der| of_kind(Kind::Certificate, der, now, None));
            certificates.chain([of_kind(Kind::PrivateKey, key.secret_der(), now, None)]).collect()
        }
        Err(why) => {
            let facts = Err(harmless(&why.to_string()));
            vec![Described { kind: Kind::Pkcs12, der: bytes.to_vec(), facts }]
        }
    }
}

/// An encrypted key, and what is in it.
fn opened(described: Described, password: Option<&str>) -> Described {
    let facts = match private_key::read(&described.der, FileFormat::Der, password) {
        Err(why) => Err(why.to_string()),
        Ok(key) => key::private(key.secret_der()).map_err(|why| why.to_string()),
    };
    let encrypted = described.facts.clone().unwrap_or_default();
    let facts = facts.map(|inside| encrypted.with("inside", Fact::Facts(inside)));
    Described { facts, ..described }
}
