//! One revocation list (RFC 5280 5): what is in it, read in place.
//!
//! ```text
//!   CertificateList ::= SEQUENCE {
//!     tbsCertList  SEQUENCE { version, signature, issuer, thisUpdate, nextUpdate,
//!                             revokedCertificates  SEQUENCE OF { serial, date, extensions },
//!                             [0] extensions: number, scope (IDP), delta }
//!     signatureAlgorithm, signature }
//! ```
//!
//! The entries are walked through when a serial number is looked for and never built: a list of a
//! million entries costs a walk, and no memory.

use super::extension::Extensions;
use super::facts::{DistributionPoint, directory_names};
use super::problem::Reason;
use crate::der::DerError;
use crate::der::Signed;
use crate::der::{self, Element, Reader};

/// A list, as far as it is read before anything is looked for in it.
pub(crate) struct Crl<'a> {
    pub(crate) signed: Signed<'a>,
    /// The whole Name.
    pub(crate) issuer: &'a [u8],
    /// Unix seconds.
    pub(crate) this_update: i64,
    /// Unix seconds.
    pub(crate) next_update: Option<i64>,
    /// The contents of the CRL number (5.2.3).
    pub(crate) number: Option<&'a [u8]>,
    /// 5.2.4: it says only what has changed.
    pub(crate) is_delta: bool,
    pub(crate) scope: Option<Scope<'a>>,
    /// The first critical extension that is not understood (its identifier's contents).
    pub(crate) not_understood: Option<&'a [u8]>,
    entries: Reader<'a>,
}

/// The issuing distribution point (5.2.5): what the list is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope<'a> {
    pub(crate) point: Option<DistributionPoint<'a>>,
    pub(crate) only_users: bool,
    pub(crate) only_cas: bool,
    pub(crate) only_attributes: bool,
    pub(crate) is_indirect: bool,
    /// Named bits.
    pub(crate) only_reasons: Option<u64>,
}

/// What a list says of one serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked {
    /// Unix seconds.
    pub(crate) since: i64,
    pub(crate) reason: Reason,
}

/// What stands in the way of looking something up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookupError<'a> {
    Der(DerError),
    /// A critical extension of an entry (its identifier's contents).
    Critical(&'a [u8]),
}

impl From<DerError> for LookupError<'_> {
    fn from(error: DerError) -> Self {
        Self::Der(error)
    }
}

const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
const DELTA: &[u8] = &[0x55, 0x1d, 0x1b];
const ISSUING_POINT: &[u8] = &[0x55, 0x1d, 0x1c];
const REASON: &[u8] = &[0x55, 0x1d, 0x15];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 0x1d];

impl<'a> Crl<'a> {
    pub(crate) fn read(der: &'a [u8]) -> Result<Self, DerError> {
        const WHAT: &str = "the list";
        let mut outer = Reader::only(der, der::SEQUENCE, WHAT)?.inside();
        let (signed, body) = Signed::read(&mut outer, WHAT)?;
        outer.end(WHAT)?;
        let mut fields = body.inside();
        // 5.1.2.1: version 2, written as 1; version 1 has no field, and no extensions.
        if let Some(version) = fields.optional(der::INTEGER, "the version")?
            && version.contents != [1]
        {
            return Err(DerError::Value { what: "the version" });
        }
        // 5.1.1.2: both places name the same algorithm.
        if fields.read(der::SEQUENCE, "the signature's algorithm")?.contents != signed.algorithm {
            return Err(DerError::Value { what: "the signature's algorithm, which is named twice" });
        }
        let issuer = fields.read(der::SEQUENCE, "the issuer")?.whole;
        let this_update = fields.any("thisUpdate")?.time("thisUpdate")?;
        let next_update = if fields.next_is(der::UTC_TIME) || fields.next_is(der::GENERALIZED_TIME) {
            Some(fields.any("nextUpdate")?.time("nextUpdate")?)
        } else {
            None
        };
        let entries = match fields.optional(der::SEQUENCE, "the entries")? {
            Some(entries) => entries.inside(),
            None => Reader::new(&[]),
        };
        let mut list = Self {
            signed,
            issuer,
            this_update,
            next_update,
            number: None,
            is_delta: false,
            scope: None,
            not_understood: None,
            entries,
        };
        if let Some(tagged) = fields.optional(der::constructed(0), "the extensions")? {
            list.extensions(Extensions::within(&tagged)?)?;
        }
        fields.end(WHAT)?;
        Ok(list)
    }

    /// 5.2.
    fn extensions(&mut self, extensions: Extensions<'a>) -> Result<(), DerError> {
        for extension in extensions {
            let extension = extension?;
            match extension.oid {
                NUMBER => {
                    self.number = Some(Reader::only(extension.value, der::INTEGER, "the number")?.contents);
                }
                DELTA => self.is_delta = true,
                ISSUING_POINT => self.scope = Some(scope(extension.value)?),
                AUTHORITY_KEY => {}
                oid if extension.critical => {
                    self.not_understood.get_or_insert(oid);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// 6.3.3 (j): the entry of `issuer`'s certificate `serial`. In an indirect list an entry may name
    /// whose certificate it is about, and so do all after it until the next that does (5.3.3). One that
    /// only takes an earlier one back comes after all others.
    pub(crate) fn find(&self, issuer: &[u8], serial: &[u8]) -> Result<Option<Revoked>, LookupError<'a>> {
        let is_indirect = self.scope.as_ref().is_some_and(|scope| scope.is_indirect);
        let mut entries = self.entries;
        let mut about = self.issuer;
        let mut taken_back = None;
        while !entries.is_empty() {
            let mut fields = entries.read(der::SEQUENCE, "an entry")?.inside();
            let number = fields.read(der::INTEGER, "an entry's serial number")?.contents;
            let date = fields.any("an entry's date")?;
            let mut reason = Reason(None);
            if let Some(extensions) = fields.optional(der::SEQUENCE, "an entry's extensions")? {
                about = entry(Extensions::new(&extensions), is_indirect, about, &mut reason)?;
            }
            fields.end("an entry")?;
            if number == serial && about == issuer {
                let found = Revoked { since: date.time("an entry's date")?, reason };
                if !reason.takes_back() {
                    return Ok(Some(found));
                }
                taken_back = Some(found);
            }
        }
        Ok(taken_back)
    }

    /// Whether an entry takes an earlier one back, as only those of delta lists should (5.3.1).
    pub(crate) fn takes_back(&self) -> bool {
        let mut entries = self.entries;
        while let Ok(mut fields) = entries.read(der::SEQUENCE, "an entry").map(|entry| entry.inside()) {
            let mut reason = Reason(None);
            let found = fields
                .read(der::INTEGER, "an entry's serial number")
                .and_then(|_| fields.any("an entry's date"))
                .and_then(|_| fields.optional(der::SEQUENCE, "an entry's extensions"));
            if let Ok(Some(extensions)) = found
                && entry(Extensions::new(&extensions), true, self.issuer, &mut reason).is_ok()
                && reason.takes_back()
            {
                return true;
            }
        }
        false
    }
}

/// 5.3: an entry's reason, and whose certificate it is about.
fn entry<'a>(
    extensions: Extensions<'a>,
    is_indirect: bool,
    about: &'a [u8],
    reason: &mut Reason,
) -> Result<&'a [u8], LookupError<'a>> {
    const WHAT: &str = "an entry's extension";
    let mut about = about;
    for extension in extensions {
        let extension = extension?;
        match extension.oid {
            REASON => {
                let code = Reader::only(extension.value, der::ENUMERATED, WHAT)?;
                *reason = Reason(Some(code.small(WHAT)?));
            }
            INVALIDITY_DATE => {}
            CERTIFICATE_ISSUER if is_indirect => {
                let names: Element<'a> = Reader::only(extension.value, der::SEQUENCE, WHAT)?;
                about = directory_names(&names)?.first().copied().unwrap_or(&[]);
            }
            oid if extension.critical => return Err(LookupError::Critical(oid)),
            _ => {}
        }
    }
    Ok(about)
}

/// 5.2.5.
fn scope(value: &[u8]) -> Result<Scope<'_>, DerError> {
    const WHAT: &str = "the issuing distribution point";
    let mut fields = Reader::only(value, der::SEQUENCE, WHAT)?.inside();
    let mut scope = Scope::default();
    if let Some(name) = fields.optional(der::constructed(0), WHAT)? {
        let mut point = DistributionPoint::default();
        point.name(&name)?;
        scope.point = Some(point);
    }
    let mut flag = |number| match fields.optional(der::primitive(number), WHAT)? {
        Some(flag) => flag.truth(WHAT),
        None => Ok(false),
    };
    scope.only_users = flag(1)?;
    scope.only_cas = flag(2)?;
    if let Some(reasons) = fields.optional(der::primitive(3), WHAT)? {
        scope.only_reasons = Some(reasons.named_bits(WHAT)?);
    }
    let mut flag = |number| match fields.optional(der::primitive(number), WHAT)? {
        Some(flag) => flag.truth(WHAT),
        None => Ok(false),
    };
    scope.is_indirect = flag(4)?;
    scope.only_attributes = flag(5)?;
    fields.end(WHAT)?;
    Ok(scope)
}
