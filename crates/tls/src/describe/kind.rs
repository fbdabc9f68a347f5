//! What a file, or a section of one, is: by its label, or by its shape.

use crate::der::{self, Element, Reader};
use std::fmt;

/// What can be described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RFC 5280 4.
    Certificate,
    /// RFC 2986: who asks for one.
    CertificateRequest,
    /// RFC 5280 5.
    RevocationList,
    /// RFC 6960 4.1.
    OcspRequest,
    /// RFC 6960 4.2.
    OcspResponse,
    /// RFC 5280 4.1.2.7.
    PublicKey,
    /// RFC 5958, RFC 8017 A.1.2 or RFC 5915.
    PrivateKey,
    /// RFC 5958 3.
    EncryptedPrivateKey,
    /// RFC 7292: certificates and keys under a password.
    Pkcs12,
    /// A section of PEM with another label.
    Unknown,
}

impl Kind {
    /// As programs call it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::CertificateRequest => "certificate_request",
            Self::RevocationList => "revocation_list",
            Self::OcspRequest => "ocsp_request",
            Self::OcspResponse => "ocsp_response",
            Self::PublicKey => "public_key",
            Self::PrivateKey => "private_key",
            Self::EncryptedPrivateKey => "encrypted_private_key",
            Self::Pkcs12 => "pkcs12",
            Self::Unknown => "unknown",
        }
    }

    /// The label by which it is written as PEM; none of keys that are private.
    pub(crate) fn label(self) -> Option<&'static str> {
        match self {
            Self::Certificate => Some("CERTIFICATE"),
            Self::CertificateRequest => Some("CERTIFICATE REQUEST"),
            Self::RevocationList => Some("X509 CRL"),
            Self::OcspRequest => Some("OCSP REQUEST"),
            Self::OcspResponse => Some("OCSP RESPONSE"),
            Self::PublicKey => Some("PUBLIC KEY"),
            Self::PrivateKey | Self::EncryptedPrivateKey | Self::Pkcs12 | Self::Unknown => None,
        }
    }

    /// RFC 7468, and what others write.
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        Some(match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Self::Certificate,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            "X509 CRL" => Self::RevocationList,
            "OCSP REQUEST" => Self::OcspRequest,
            "OCSP RESPONSE" => Self::OcspResponse,
            "PUBLIC KEY" => Self::PublicKey,
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => Self::PrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            _ => return None,
        })
    }

    /// What DER it is, by the values at its beginning; whether it is sound is another question.
    pub(crate) fn of_shape(bytes: &[u8]) -> Option<Self> {
        let mut outer = Reader::lenient(bytes).sequence("it").ok()?;
        let first = outer.any("its first").ok()?;
        let rest = tags(outer);
        match (first.tag, rest.as_slice()) {
            (der::ENUMERATED, _) => Some(Self::OcspResponse),
            (der::SEQUENCE, [der::SEQUENCE, der::BIT_STRING]) => of_signed(first),
            (der::SEQUENCE, [der::BIT_STRING]) => Some(Self::PublicKey),
            (der::SEQUENCE, [der::OCTET_STRING]) => Some(Self::EncryptedPrivateKey),
            (der::SEQUENCE, [] | [0xa0]) => Some(Self::OcspRequest),
            (der::INTEGER, [der::SEQUENCE, der::OCTET_STRING, ..]) => Some(Self::PrivateKey),
            (der::INTEGER, [der::SEQUENCE] | [der::SEQUENCE, der::SEQUENCE]) if first.contents == [3] => {
                Some(Self::Pkcs12)
            }
            (der::INTEGER, [der::OCTET_STRING, ..]) => Some(Self::PrivateKey),
            (der::INTEGER, [der::INTEGER, der::INTEGER, ..]) => Some(Self::PrivateKey),
            _ => None,
        }
    }
}

/// Certificate, list or request: all three are signed.
fn of_signed(signed: Element<'_>) -> Option<Kind> {
    let mut fields = signed.inside();
    match fields.peek()? {
        0xa0 => return Some(Kind::Certificate),
        // A list of version 1 begins with its algorithm.
        der::SEQUENCE => return Some(Kind::RevocationList),
        _ => fields.any("version or serial number").ok()?,
    };
    let second = fields.any("the second").ok()?;
    let is_algorithm = second.inside().peek() == Some(der::OID);
    fields.any("the third").ok()?;
    match (is_algorithm, fields.peek()) {
        (true, Some(der::UTC_TIME | der::GENERALIZED_TIME)) => Some(Kind::RevocationList),
        (true, _) => Some(Kind::Certificate),
        (false, _) => Some(Kind::CertificateRequest),
    }
}

fn tags(mut values: Reader<'_>) -> Vec<u8> {
    let mut tags = Vec::new();
    // More than these decide nothing.
    while tags.len() < 12 {
        match values.any("a value") {
            Ok(value) => tags.push(value.tag),
            Err(_) => break,
        }
    }
    tags
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OcspRequest => "OCSP request",
            Self::OcspResponse => "OCSP response",
            Self::CertificateRequest => "certificate request",
            Self::RevocationList => "revocation list",
            Self::PublicKey => "public key",
            Self::PrivateKey => "private key",
            Self::EncryptedPrivateKey => "encrypted private key",
            Self::Pkcs12 => "PKCS#12",
            Self::Certificate | Self::Unknown => self.code(),
        })
    }
}
