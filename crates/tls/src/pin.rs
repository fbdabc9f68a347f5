//! Public keys that a server must have one of, as curl's `--pinnedpubkey` takes them.

use crate::digest::sha256;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

/// The keys that are believed, whatever certificate they come in (RFC 7469 2.4 describes the hashes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedKeys(Pins);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pins {
    /// SHA-256 of a SubjectPublicKeyInfo.
    Hashes(Vec<Vec<u8>>),
    /// The SubjectPublicKeyInfo itself.
    Key(Vec<u8>),
}

/// How a hash begins.
const PREFIX: &str = "sha256//";
/// SHA-256's, in bytes.
const HASH_LENGTH: usize = 32;

impl PinnedKeys {
    /// Whether `text` is a list of hashes rather than a file's name.
    pub fn is_hashes(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Hashes of keys: `sha256//` and the hash in base64 (RFC 4648 4), with `;` between them.
    pub fn from_hashes(text: &str) -> Result<Self, PinError> {
        let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
        let hashes = items.map(|item| {
            let wrong = || PinError::Hash { text: item.to_owned() };
            let bytes = BASE64_STANDARD.decode(item.strip_prefix(PREFIX).ok_or_else(wrong)?);
            bytes.ok().filter(|bytes| bytes.len() == HASH_LENGTH).ok_or_else(wrong)
        });
        let hashes = hashes.collect::<Result<Vec<_>, _>>()?;
        if hashes.is_empty() {
            Err(PinError::Hash { text: text.to_owned() })
        } else {
            Ok(Self(Pins::Hashes(hashes)))
        }
    }

    /// A file with one public key, in PEM (`-----BEGIN PUBLIC KEY-----`) or DER.
    pub fn from_file(bytes: &[u8]) -> Result<Self, PinError> {
        if let Ok(key) = SubjectPublicKeyInfoDer::from_pem_slice(bytes) {
            return Ok(Self(Pins::Key(key.to_vec())));
        }
        match SubjectPublicKeyInfo::from_der(bytes) {
            Ok(([], _)) => Ok(Self(Pins::Key(bytes.to_vec()))),
            _ => Err(PinError::File),
        }
    }

    /// Whether a key with this SubjectPublicKeyInfo is among them.
    pub(crate) fn has(&self, key: &[u8]) -> bool {
        match &self.0 {
            Pins::Hashes(hashes) => hashes.contains(&sha256(key)),
            Pins::Key(pinned) => pinned == key,
        }
    }
}

/// The SubjectPublicKeyInfo of a certificate; empty where it cannot be read, which no pin is.
pub(crate) fn key_of<'c>(certificate: &'c CertificateDer<'_>) -> &'c [u8] {
    match X509Certificate::from_der(certificate) {
        Ok((_, read)) => read.tbs_certificate.subject_pki.raw,
        Err(_) => &[],
    }
}

/// The hash by which a key is pinned, as it is written.
pub(crate) fn hash_of(key: &[u8]) -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(sha256(key)))
}

/// A key cannot be pinned as given (curl: 90).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// No hash.
    #[error(
        "{text:?} is no hash of a key: write sha256// and 44 characters of base64, with ; between several"
    )]
    Hash {
        /// What was given.
        text: String,
    },
    /// No key in the file.
    #[error(
        "it holds no public key: it begins with -----BEGIN PUBLIC KEY----- or is DER (a certificate's key is told \
         by `openssl x509 -in CERTIFICATE -noout -pubkey`)"
    )]
    File,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Ed25519 key of zeros (RFC 8410 4).
    const KEY: [u8; 44] = {
        let mut key = [0; 44];
        let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        let mut at = 0;
        while at < head.len() {
            key[at] = head[at];
            at += 1;
        }
        key
    };

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-4's example.
        let digest = sha256(b"abc");
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest.len(), HASH_LENGTH);
    }

    #[test]
    fn one_of_several_hashes_is_enough() {
        let other = hash_of(b"another key");
        let pins = PinnedKeys::from_hashes(&format!("{other};{}", hash_of(&KEY))).unwrap();
        assert!(pins.has(&KEY));
        assert!(!PinnedKeys::from_hashes(&other).unwrap().has(&KEY));
    }

    #[test]
    fn a_file_holds_the_key_in_pem_or_der() {
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(KEY)
        );
        for bytes in [pem.as_bytes(), &KEY] {
            let pins = PinnedKeys::from_file(bytes).unwrap();
            assert!(pins.has(&KEY) && !pins.has(b"another key"));
        }
        for bytes in [&b""[..], b"hello", &KEY[..40]] {
            assert_eq!(PinnedKeys::from_file(bytes), Err(PinError::File));
        }
    }

    #[test]
    fn what_is_no_hash_is_said_to_be_none() {
        assert!(PinnedKeys::is_hashes("sha256//AAAA") && !PinnedKeys::is_hashes("key.pem"));
        for text in ["", ";", "sha256//", "sha256//AAAA", "sha256//!", "sha1//AAAA"] {
            let error = PinnedKeys::from_hashes(text).unwrap_err();
            assert!(error.to_string().contains("44 characters"), "{error}");
        }
    }
}
