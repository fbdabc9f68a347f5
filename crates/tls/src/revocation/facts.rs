//! What a certificate says about its own revocation, and what a responder's says about itself.

use super::extension::Extensions;
use crate::der::DerError;
use crate::der::Signed;
use crate::der::{self, Element, Reader};

/// Of a certificate (RFC 5280 4.1), what revocation asks for.
pub(crate) struct Facts<'a> {
    pub(crate) signed: Signed<'a>,
    /// The contents of the serial number.
    pub(crate) serial: &'a [u8],
    /// The whole Name.
    pub(crate) issuer: &'a [u8],
    /// Unix seconds.
    pub(crate) not_before: i64,
    /// Unix seconds.
    pub(crate) not_after: i64,
    /// The whole Name.
    pub(crate) subject: &'a [u8],
    /// The whole SubjectPublicKeyInfo.
    pub(crate) key: &'a [u8],
    /// Basic constraints: cA.
    pub(crate) is_ca: bool,
    /// Key usage, if present: whether cRLSign (bit 6) is among it.
    pub(crate) signs_lists: Option<bool>,
    /// Extended key usage: whether id-kp-OCSPSigning is among it.
    pub(crate) signs_ocsp: bool,
    /// id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1).
    pub(crate) unchecked: bool,
    pub(crate) points: Vec<DistributionPoint<'a>>,
    /// Where OCSP responders are (RFC 5280 4.2.2.1).
    pub(crate) responders: Vec<&'a str>,
    /// TLS features (RFC 7633), sorted; an error where they are there and cannot be read.
    pub(crate) features: Result<Vec<u16>, DerError>,
    /// What is wrong with the first other extension that cannot be read: what it says is not known.
    pub(crate) unreadable: Option<DerError>,
}

/// RFC 5280 4.2.1.13: where a list is to be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct DistributionPoint<'a> {
    /// The whole GeneralNames of its name, and the RDN contents where it is given relative to the
    /// issuer.
    pub(crate) names: Vec<&'a [u8]>,
    pub(crate) relative: Option<&'a [u8]>,
    /// Its URIs.
    pub(crate) uris: Vec<&'a str>,
    /// Which reasons it covers (named bits); none: all.
    pub(crate) reasons: Option<u64>,
    /// Who keeps the list, where that is not the issuer: the whole Names.
    pub(crate) keepers: Vec<&'a [u8]>,
}

/// How many points, names and URLs of one certificate are looked at.
const MAX_PLACES: usize = 16;

const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const CRL_POINTS: &[u8] = &[0x55, 0x1d, 0x1f];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const AUTHORITY_ACCESS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
const OCSP_NOCHECK: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5];
const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

/// GeneralName (RFC 5280 4.2.1.6): directoryName and uniformResourceIdentifier.
const DIRECTORY_NAME: u8 = der::constructed(4);
const URI: u8 = der::primitive(6);

impl<'a> Facts<'a> {
    pub(crate) fn read(certificate: &'a [u8]) -> Result<Self, DerError> {
        const WHAT: &str = "the certificate";
        let mut outer = Reader::only(certificate, der::SEQUENCE, WHAT)?.inside();
        let (signed, body) = Signed::read(&mut outer, WHAT)?;
        outer.end(WHAT)?;
        let mut fields = body.inside();
        fields.optional(der::constructed(0), "the version")?;
        let serial = fields.read(der::INTEGER, "the serial number")?.contents;
        fields.read(der::SEQUENCE, "the signature's algorithm")?;
        let issuer = fields.read(der::SEQUENCE, "the issuer")?.whole;
        let mut validity = fields.read(der::SEQUENCE, "the validity")?.inside();
        let not_before = validity.any("the validity")?.time("the validity")?;
        let not_after = validity.any("the validity")?.time("the validity")?;
        let subject = fields.read(der::SEQUENCE, "the subject")?.whole;
        let key = fields.read(der::SEQUENCE, "the public key")?.whole;
        fields.optional(der::primitive(1), "the issuer's unique identifier")?;
        fields.optional(der::primitive(2), "the subject's unique identifier")?;
        let mut facts = Self {
            signed,
            serial,
            issuer,
            not_before,
            not_after,
            subject,
            key,
            is_ca: false,
            signs_lists: None,
            signs_ocsp: false,
            unchecked: false,
            points: Vec::new(),
            responders: Vec::new(),
            features: Ok(Vec::new()),
            unreadable: None,
        };
        if let Some(tagged) = fields.optional(der::constructed(3), "the extensions")? {
            for extension in Extensions::within(&tagged)? {
                let extension = extension?;
                if let Err(error) = facts.take(extension.oid, extension.value) {
                    facts.unreadable.get_or_insert(error);
                }
            }
        }
        Ok(facts)
    }

    fn take(&mut self, oid: &[u8], value: &'a [u8]) -> Result<(), DerError> {
        match oid {
            // RFC 5280 4.2.1.9
            BASIC_CONSTRAINTS => {
                const WHAT: &str = "the basic constraints";
                let mut fields = Reader::only(value, der::SEQUENCE, WHAT)?.inside();
                self.is_ca = match fields.optional(der::BOOLEAN, WHAT)? {
                    Some(ca) => ca.truth(WHAT)?,
                    None => false,
                };
            }
            // RFC 5280 4.2.1.3
            KEY_USAGE => {
                let bits = Reader::only(value, der::BIT_STRING, "the key usage")?;
                self.signs_lists = Some(bits.named_bits("the key usage")? & 1 << 6 != 0);
            }
            EXTENDED_KEY_USAGE => {
                let mut purposes = Reader::only(value, der::SEQUENCE, "the extended key usage")?.inside();
                while !purposes.is_empty() {
                    self.signs_ocsp |=
                        purposes.read(der::OID, "the extended key usage")?.contents == OCSP_SIGNING;
                }
            }
            OCSP_NOCHECK => self.unchecked = true,
            CRL_POINTS => self.points = points(value)?,
            AUTHORITY_ACCESS => self.responders = responders(value)?,
            TLS_FEATURE => self.features = features(value),
            _ => {}
        }
        Ok(())
    }
}

/// Whether TLS features may be among the extensions of a certificate: if their identifier is nowhere in
/// it, they are not. This reads nothing, so nothing that cannot be read can hide them.
pub(crate) fn may_have_features(certificate: &[u8]) -> bool {
    certificate.windows(TLS_FEATURE.len()).any(|window| window == TLS_FEATURE)
}

/// RFC 5280 4.2.1.13.
fn points(value: &[u8]) -> Result<Vec<DistributionPoint<'_>>, DerError> {
    const WHAT: &str = "the CRL distribution points";
    let mut list = Reader::only(value, der::SEQUENCE, WHAT)?.inside();
    let mut points = Vec::new();
    while !list.is_empty() && points.len() < MAX_PLACES {
        let mut fields = list.read(der::SEQUENCE, WHAT)?.inside();
        let mut point = DistributionPoint::default();
        if let Some(name) = fields.optional(der::constructed(0), WHAT)? {
            point.name(&name)?;
        }
        if let Some(reasons) = fields.optional(der::primitive(1), WHAT)? {
            point.reasons = Some(reasons.named_bits(WHAT)?);
        }
        if let Some(keepers) = fields.optional(der::constructed(2), WHAT)? {
            point.keepers = directory_names(&keepers)?;
        }
        fields.end(WHAT)?;
        points.push(point);
    }
    Ok(points)
}

impl<'a> DistributionPoint<'a> {
    /// DistributionPointName, explicitly tagged, being a CHOICE.
    pub(crate) fn name(&mut self, tagged: &Element<'a>) -> Result<(), DerError> {
        const WHAT: &str = "a distribution point's name";
        let mut inner = tagged.inside();
        let name = inner.any(WHAT)?;
        inner.end(WHAT)?;
        match name.tag {
            tag if tag == der::constructed(0) => {
                let mut names = name.inside();
                while !names.is_empty() && self.names.len() < MAX_PLACES {
                    let one = names.any(WHAT)?;
                    if one.tag == URI
                        && let Ok(uri) = std::str::from_utf8(one.contents)
                    {
                        self.uris.push(uri);
                    }
                    self.names.push(one.whole);
                }
            }
            tag if tag == der::constructed(1) => self.relative = Some(name.contents),
            tag => return Err(DerError::Unexpected { what: WHAT, tag }),
        }
        Ok(())
    }
}

/// The directoryNames among GeneralNames, each a whole Name.
pub(crate) fn directory_names<'a>(names: &Element<'a>) -> Result<Vec<&'a [u8]>, DerError> {
    const WHAT: &str = "a general name";
    let mut all = names.inside();
    let mut found = Vec::new();
    while !all.is_empty() && found.len() < MAX_PLACES {
        let name = all.any(WHAT)?;
        if name.tag == DIRECTORY_NAME {
            found.push(Reader::only(name.contents, der::SEQUENCE, WHAT)?.whole);
        }
    }
    Ok(found)
}

/// RFC 5280 4.2.2.1: the URIs of id-ad-ocsp.
fn responders(value: &[u8]) -> Result<Vec<&str>, DerError> {
    const WHAT: &str = "the authority information access";
    let mut list = Reader::only(value, der::SEQUENCE, WHAT)?.inside();
    let mut found = Vec::new();
    while !list.is_empty() && found.len() < MAX_PLACES {
        let mut fields = list.read(der::SEQUENCE, WHAT)?.inside();
        let method = fields.read(der::OID, WHAT)?.contents;
        let place = fields.any(WHAT)?;
        fields.end(WHAT)?;
        if method == OCSP
            && place.tag == URI
            && let Ok(uri) = std::str::from_utf8(place.contents)
        {
            found.push(uri);
        }
    }
    Ok(found)
}

/// RFC 7633 4.1: `SEQUENCE OF INTEGER`, the numbers of TLS extensions.
fn features(value: &[u8]) -> Result<Vec<u16>, DerError> {
    const WHAT: &str = "the TLS features";
    let mut list = Reader::only(value, der::SEQUENCE, WHAT)?.inside();
    let mut found = Vec::new();
    while !list.is_empty() {
        let number = list.read(der::INTEGER, WHAT)?.number(WHAT)?;
        found.push(u16::try_from(number).map_err(|_| DerError::Value { what: WHAT })?);
    }
    found.sort_unstable();
    Ok(found)
}
