//! The files that make an identity, and what can be wrong with them.

use rustls::pki_types::pem;
use std::str::FromStr;

/// The contents of files that make an identity together.
#[derive(Clone, Copy)]
pub struct IdentityFiles<'a> {
    /// The chain, its owner's own certificate first; in DER one certificate. In PEM the key may be
    /// here, too.
    pub certificate: &'a [u8],
    /// How the certificate is written.
    pub certificate_format: FileFormat,
    /// The private key (PKCS#8, PKCS#1 or SEC1); none when it is in the certificate's file.
    pub key: Option<&'a [u8]>,
    /// How the key is written.
    pub key_format: FileFormat,
    /// Opens the key if it is encrypted (PKCS#8 with PBES2), or the PKCS#12 file.
    pub password: Option<&'a str>,
}

impl<'a> IdentityFiles<'a> {
    /// One PEM text with everything, not encrypted.
    pub fn pem(certificate: &'a [u8]) -> Self {
        let format = FileFormat::Pem;
        Self { certificate, certificate_format: format, key: None, key_format: format, password: None }
    }
}

/// How a certificate or key is written in its file: curl's `--cert-type` and `--key-type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// RFC 7468.
    #[default]
    Pem,
    /// X.690.
    Der,
    /// RFC 7292: PKCS#12, with the key and the chain in the one file.
    Pkcs12,
}

impl FromStr for FileFormat {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        match text.to_ascii_uppercase().as_str() {
            "PEM" => Ok(Self::Pem),
            "DER" => Ok(Self::Der),
            "P12" => Ok(Self::Pkcs12),
            _ => Err(IdentityError::FileFormat { text: text.to_owned() }),
        }
    }
}

/// A certificate and key cannot be an identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The chain's framing is broken.
    #[error("certificate {position} of the chain is not valid PEM: {source}")]
    Pem {
        /// Which of the certificates, counted from 1.
        position: usize,
        /// What is wrong.
        source: pem::Error,
    },
    /// The chain is empty.
    #[error("no certificate found: a PEM certificate begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// The server's own certificate makes no sense.
    #[error("the first certificate of the chain cannot be read: {why}")]
    Certificate {
        /// What is wrong.
        why: String,
    },
    /// No key in the PEM text, or broken framing.
    #[error("no private key found ({0}): it begins with -----BEGIN PRIVATE KEY-----")]
    Key(#[source] pem::Error),
    /// An encrypted key without its password.
    #[error("the private key is encrypted: give its password with --pass, or with --cert FILE:PASSWORD")]
    PasswordMissing,
    /// Another password.
    #[error("the private key is encrypted with another password (is the one given with --pass the key's?)")]
    Password,
    /// An encryption that is not known here.
    #[error(
        "the private key is encrypted in a way that is not known here ({why}): \
         `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem` encrypts it anew"
    )]
    Encryption {
        /// What is wrong.
        why: String,
    },
    /// OpenSSL's encryption of old.
    #[error(
        "the private key is encrypted in OpenSSL's old way (Proc-Type: 4,ENCRYPTED), which is too weak to be read \
         here: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem` encrypts it anew"
    )]
    TraditionalEncryption,
    /// Certificate and key in one binary file where a text was expected.
    #[error("the file is PKCS#12, not PEM: say --cert-type P12")]
    Pkcs12ForPem,
    /// A PKCS#12 file without its password.
    #[error("the PKCS#12 file has a password: give it with --pass, or with --cert FILE:PASSWORD")]
    Pkcs12PasswordMissing,
    /// Another password.
    #[error("the PKCS#12 file has another password (is the one given with --pass the file's?)")]
    Pkcs12Password,
    /// The password is right, and the content is not what was put in.
    #[error(
        "the PKCS#12 file was changed after it was made: its password opens it, and its MAC does not fit its content \
         (export it anew)"
    )]
    Pkcs12Changed,
    /// It is no PKCS#12, or a broken one.
    #[error("the PKCS#12 file is damaged, or none: {why}")]
    Pkcs12Damaged {
        /// What is wrong.
        why: String,
    },
    /// It is encrypted, or protected, in a way that is not known here.
    #[error(
        "the PKCS#12 file is encrypted in a way that is not known here ({why}): `openssl pkcs12 -in OLD.p12 -nodes \
         | openssl pkcs12 -export -out NEW.p12` makes it anew"
    )]
    Pkcs12Encryption {
        /// What is wrong.
        why: String,
    },
    /// Certificates without a key.
    #[error("the PKCS#12 file has no private key in it")]
    Pkcs12NoKey,
    /// A binary certificate where a text was expected.
    #[error("the certificate is in DER, not in PEM: say --cert-type DER")]
    DerForPem,
    /// No format that is known.
    #[error(
        "{text:?} is no format of a certificate or key: PEM, DER or P12 (engines and providers of OpenSSL are not used)"
    )]
    FileFormat {
        /// What was given.
        text: String,
    },
    /// Not DER of a kind known.
    #[error("the private key is neither PKCS#8 nor PKCS#1 nor SEC1")]
    KeyFormat,
    /// A key of another kind.
    #[error(
        "the private key cannot be used ({0}): use Ed25519, ECDSA P-256 or P-384, or RSA of 2048 bits up"
    )]
    UnsupportedKey(#[source] rustls::Error),
    /// It is to be made when it is first needed, and was not.
    #[error("it could not be made: {why}")]
    NotMade {
        /// What went wrong.
        why: String,
    },
    /// The two don't belong together.
    #[error("the private key does not belong to the certificate {subject}")]
    Mismatch {
        /// The certificate's subject.
        subject: String,
    },
}
