//! OCSP (RFC 6960): the question about one certificate, and the answer read in place.
//!
//! ```text
//!   OCSPRequest  { tbsRequest { requestList { CertID } , [2] nonce } }
//!   OCSPResponse { status, BasicOCSPResponse {
//!                    ResponseData { responder, producedAt,
//!                                   SingleResponse { CertID, status, thisUpdate, nextUpdate } ...,
//!                                   [1] nonce },
//!                    signatureAlgorithm, signature, [0] the responder's certificates } }
//! ```

use super::extension::Extensions;
use super::problem::Reason;
use crate::der::DerError;
use crate::der::{self, Element, Reader};
use crate::der::{KeyInfo, Signed};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
const NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
const SHA1_OID: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];

/// How many of the responder's certificates are looked at.
const MAX_CERTIFICATES: usize = 8;

/// Whom a question is about: a certificate by its issuer and number (RFC 6960 4.1.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The issuer's whole Name.
    pub(crate) issuer: &'a [u8],
    /// The issuer's whole SubjectPublicKeyInfo.
    pub(crate) issuer_key: &'a [u8],
    /// The contents of the serial number.
    pub(crate) serial: &'a [u8],
}

impl Asked<'_> {
    /// The CertID, with SHA-1, which every responder knows (RFC 5019 2.1.1).
    pub(crate) fn id(&self) -> Result<Vec<u8>, DerError> {
        let key = KeyInfo::read(self.issuer_key)?;
        let hash = |bytes| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
        let algorithm = der::write(der::SEQUENCE, &[&der::write(der::OID, &[SHA1_OID]), &[5, 0]]);
        let name = der::write(der::OCTET_STRING, &[hash(self.issuer).as_ref()]);
        let key = der::write(der::OCTET_STRING, &[hash(key.bits).as_ref()]);
        let serial = der::write(der::INTEGER, &[self.serial]);
        Ok(der::write(der::SEQUENCE, &[&algorithm, &name, &key, &serial]))
    }

    /// The request, with a nonce (RFC 9654) or without one.
    pub(crate) fn request(&self, nonce: Option<&[u8]>) -> Result<Vec<u8>, DerError> {
        let one = der::write(der::SEQUENCE, &[&self.id()?]);
        let list = der::write(der::SEQUENCE, &[&one]);
        let extensions = match nonce {
            None => Vec::new(),
            Some(nonce) => {
                let value = der::write(der::OCTET_STRING, &[&der::write(der::OCTET_STRING, &[nonce])]);
                let extension = der::write(der::SEQUENCE, &[&der::write(der::OID, &[NONCE]), &value]);
                der::write(der::constructed(2), &[&der::write(der::SEQUENCE, &[&extension])])
            }
        };
        let body = der::write(der::SEQUENCE, &[&list, &extensions]);
        Ok(der::write(der::SEQUENCE, &[&body]))
    }

    /// Whether this is the CertID of it, by whichever hash.
    fn is(&self, id: &Element<'_>) -> Result<bool, DerError> {
        const WHAT: &str = "a CertID";
        let mut fields = id.inside();
        let mut algorithm = fields.read(der::SEQUENCE, WHAT)?.inside();
        let hash = algorithm.read(der::OID, WHAT)?.contents;
        let name = fields.read(der::OCTET_STRING, WHAT)?.contents;
        let key = fields.read(der::OCTET_STRING, WHAT)?.contents;
        let serial = fields.read(der::INTEGER, WHAT)?.contents;
        fields.end(WHAT)?;
        let Some(hash) = hash_of(hash) else { return Ok(false) };
        Ok(serial == self.serial
            && digest(hash, self.issuer).as_ref() == name
            && digest(hash, KeyInfo::read(self.issuer_key)?.bits).as_ref() == key)
    }
}

fn hash_of(oid: &[u8]) -> Option<&'static Algorithm> {
    match oid {
        SHA1_OID => Some(&SHA1_FOR_LEGACY_USE_ONLY),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] => Some(&SHA256),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Some(&SHA384),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Some(&SHA512),
        _ => None,
    }
}

/// What a responder sent.
pub(crate) enum Response<'a> {
    /// An answer.
    Basic(Basic<'a>),
    /// RFC 6960 4.2.1: a status that is no answer, and what it means.
    Refused(&'static str, &'static str),
}

/// An answer.
pub(crate) struct Basic<'a> {
    pub(crate) signed: Signed<'a>,
    pub(crate) responder: Responder<'a>,
    pub(crate) nonce: Option<&'a [u8]>,
    /// The first critical extension that is not understood (its identifier's contents).
    pub(crate) not_understood: Option<&'a [u8]>,
    /// The responder's certificates, whole.
    pub(crate) certificates: Vec<&'a [u8]>,
    singles: Reader<'a>,
}

/// Who says that he made an answer (RFC 6960 4.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Responder<'a> {
    /// The whole Name.
    Name(&'a [u8]),
    /// SHA-1 of the key's bits.
    Key(&'a [u8]),
}

/// What an answer says of one certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single<'a> {
    pub(crate) status: Status,
    /// Unix seconds.
    pub(crate) this_update: i64,
    /// Unix seconds.
    pub(crate) next_update: Option<i64>,
    /// The first critical extension that is not understood (its identifier's contents).
    pub(crate) not_understood: Option<&'a [u8]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Good,
    Revoked { since: i64, reason: Reason },
    Unknown,
}

impl<'a> Response<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, DerError> {
        const WHAT: &str = "the response";
        let mut outer = Reader::only(bytes, der::SEQUENCE, WHAT)?.inside();
        let status = outer.read(der::ENUMERATED, "the response's status")?;
        match status.small("the response's status")? {
            0 => {}
            number => {
                let (name, meaning) = refusal(number);
                return Ok(Self::Refused(name, meaning));
            }
        }
        let tagged = outer.read(der::constructed(0), WHAT)?;
        outer.end(WHAT)?;
        let mut fields = Reader::only(tagged.contents, der::SEQUENCE, WHAT)?.inside();
        if fields.read(der::OID, "the response's type")?.contents != BASIC {
            return Err(DerError::Value { what: "the response's type" });
        }
        let inner = fields.read(der::OCTET_STRING, WHAT)?.contents;
        fields.end(WHAT)?;
        Basic::read(inner).map(Self::Basic)
    }
}

/// RFC 6960 4.2.1, 2.3.
fn refusal(status: u32) -> (&'static str, &'static str) {
    match status {
        1 => ("malformedRequest", "the responder could not read the request"),
        2 => ("internalError", "something is wrong inside the responder"),
        3 => ("tryLater", "the responder is busy"),
        5 => ("sigRequired", "the responder answers signed requests only, and ours are not signed"),
        6 => {
            ("unauthorized", "the responder does not answer this client, or knows nothing of the certificate")
        }
        _ => ("a status of a number that is not assigned", "the responder does not keep to RFC 6960"),
    }
}

impl<'a> Basic<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, DerError> {
        const WHAT: &str = "the basic response";
        let mut outer = Reader::only(bytes, der::SEQUENCE, WHAT)?.inside();
        let (signed, data) = Signed::read(&mut outer, WHAT)?;
        let mut certificates = Vec::new();
        if let Some(tagged) = outer.optional(der::constructed(0), "the responder's certificates")? {
            let mut list = Reader::only(tagged.contents, der::SEQUENCE, WHAT)?.inside();
            while !list.is_empty() && certificates.len() < MAX_CERTIFICATES {
                certificates.push(list.read(der::SEQUENCE, "the responder's certificate")?.whole);
            }
        }
        outer.end(WHAT)?;
        let mut fields = data.inside();
        if let Some(version) = fields.optional(der::constructed(0), "the version")?
            && version.contents != [2, 1, 0]
        {
            return Err(DerError::Value { what: "the version" });
        }
        let responder = fields.any("the responder's identifier")?;
        let responder = match responder.tag {
            tag if tag == der::constructed(1) => {
                let name = Reader::only(responder.contents, der::SEQUENCE, "the responder's name")?;
                Responder::Name(name.whole)
            }
            tag if tag == der::constructed(2) => {
                let key = Reader::only(responder.contents, der::OCTET_STRING, "the responder's key")?;
                Responder::Key(key.contents)
            }
            tag => return Err(DerError::Unexpected { what: "the responder's identifier", tag }),
        };
        fields.read(der::GENERALIZED_TIME, "producedAt")?.time("producedAt")?;
        let singles = fields.read(der::SEQUENCE, "the single responses")?.inside();
        let mut basic = Self { signed, responder, nonce: None, not_understood: None, certificates, singles };
        if let Some(tagged) = fields.optional(der::constructed(1), "the extensions")? {
            for extension in Extensions::within(&tagged)? {
                let extension = extension?;
                match extension.oid {
                    NONCE => basic.nonce = Some(nonce(extension.value)),
                    oid if extension.critical => {
                        basic.not_understood.get_or_insert(oid);
                    }
                    _ => {}
                }
            }
        }
        fields.end(WHAT)?;
        Ok(basic)
    }

    /// RFC 6960 3.2: what it says of this certificate. Of several, the latest; of several at once,
    /// "revoked".
    pub(crate) fn about(&self, asked: &Asked<'_>) -> Result<Option<Single<'a>>, DerError> {
        let mut singles = self.singles;
        let mut found: Option<Single<'a>> = None;
        while !singles.is_empty() {
            let mut fields = singles.read(der::SEQUENCE, "a single response")?.inside();
            let id = fields.read(der::SEQUENCE, "a CertID")?;
            if !asked.is(&id)? {
                continue;
            }
            let single = Single::read(&mut fields)?;
            let weight =
                |single: &Single<'_>| (single.this_update, matches!(single.status, Status::Revoked { .. }));
            if found.is_none_or(|earlier| weight(&earlier) < weight(&single)) {
                found = Some(single);
            }
        }
        Ok(found)
    }
}

impl Basic<'_> {
    /// From when and until when its first part is good (Unix seconds).
    pub(crate) fn first_dates(&self) -> Option<(i64, i64)> {
        let mut fields = self.singles.clone().read(der::SEQUENCE, "a single response").ok()?.inside();
        fields.read(der::SEQUENCE, "a CertID").ok()?;
        let single = Single::read(&mut fields).ok()?;
        Some((single.this_update, single.until()))
    }
}

/// The extension's value is an OCTET STRING of its own; before RFC 6960 some responders sent it bare.
fn nonce(value: &[u8]) -> &[u8] {
    Reader::only(value, der::OCTET_STRING, "the nonce").map_or(value, |inner| inner.contents)
}

impl<'a> Single<'a> {
    /// What follows the CertID.
    fn read(fields: &mut Reader<'a>) -> Result<Self, DerError> {
        const WHAT: &str = "a single response";
        let status = fields.any("a certificate's status")?;
        let status = match status.tag {
            tag if tag == der::primitive(0) => Status::Good,
            tag if tag == der::constructed(1) => {
                let mut revoked = status.inside();
                let since = revoked.read(der::GENERALIZED_TIME, WHAT)?.time("the revocation's time")?;
                let reason = match revoked.optional(der::constructed(0), WHAT)? {
                    Some(tagged) => {
                        let code = Reader::only(tagged.contents, der::ENUMERATED, "the reason")?;
                        Some(code.small("the reason")?)
                    }
                    None => None,
                };
                revoked.end(WHAT)?;
                Status::Revoked { since, reason: Reason(reason) }
            }
            tag if tag == der::primitive(2) => Status::Unknown,
            tag => return Err(DerError::Unexpected { what: "a certificate's status", tag }),
        };
        let this_update = fields.read(der::GENERALIZED_TIME, "thisUpdate")?.time("thisUpdate")?;
        let next_update = match fields.optional(der::constructed(0), "nextUpdate")? {
            Some(tagged) => {
                let time = Reader::only(tagged.contents, der::GENERALIZED_TIME, "nextUpdate")?;
                Some(time.time("nextUpdate")?)
            }
            None => None,
        };
        let mut not_understood = None;
        if let Some(tagged) = fields.optional(der::constructed(1), "the extensions")? {
            for extension in Extensions::within(&tagged)? {
                let extension = extension?;
                if extension.critical {
                    not_understood.get_or_insert(extension.oid);
                }
            }
        }
        fields.end(WHAT)?;
        Ok(Self { status, this_update, next_update, not_understood })
    }
}

impl Responder<'_> {
    /// Whether it is who has this name and key.
    pub(crate) fn is(&self, name: &[u8], key_info: &[u8]) -> bool {
        match self {
            Self::Name(own) => *own == name,
            Self::Key(hash) => KeyInfo::read(key_info)
                .is_ok_and(|key| digest(&SHA1_FOR_LEGACY_USE_ONLY, key.bits).as_ref() == *hash),
        }
    }
}
