//! The private key in a file: which kind it is, and how an encrypted one is opened.

use crate::identity_files::{FileFormat, IdentityError};
use crate::pkcs12;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The label of an encrypted key (RFC 7468 11).
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// The first private key in `file`; `password` opens it when it is encrypted, and is not looked at
/// otherwise.
pub(crate) fn read(
    file: &[u8],
    format: FileFormat,
    password: Option<&str>,
) -> Result<PrivateKeyDer<'static>, IdentityError> {
    match format {
        FileFormat::Pem => from_pem(file, password),
        FileFormat::Der => match EncryptedPrivateKeyInfoRef::try_from(file) {
            Ok(_) => decrypt(file, password),
            Err(_) => PrivateKeyDer::try_from(file.to_vec()).map_err(|_| IdentityError::KeyFormat),
        },
        FileFormat::Pkcs12 => pkcs12::open(file, password).map(|opened| opened.key),
    }
}

fn from_pem(text: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let text = String::from_utf8_lossy(text);
    if let Some(section) = encrypted_section(&text) {
        // The PEM reader passes over labels that it does not know, so it is given one that it does.
        let relabelled = section.replace(ENCRYPTED, "PRIVATE KEY");
        let der = PrivatePkcs8KeyDer::from_pem_slice(relabelled.as_bytes()).map_err(IdentityError::Key)?;
        return decrypt(der.secret_pkcs8_der(), password);
    }
    // RFC 1421 4.6.1.1: OpenSSL's own way before PKCS#8.
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(IdentityError::TraditionalEncryption);
    }
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(IdentityError::Key)
}

/// The encrypted key with its boundaries, unless an open one stands before it.
fn encrypted_section(text: &str) -> Option<&str> {
    let begin = text.find(&format!("-----BEGIN {ENCRYPTED}-----"))?;
    let opened = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let before = text.get(..begin)?;
    if opened.iter().any(|label| before.contains(&format!("-----BEGIN {label}-----"))) {
        return None;
    }
    text.get(begin..)
}

/// RFC 8018 6.2 (PBES2).
fn decrypt(der: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, IdentityError> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|error| IdentityError::Encryption { why: error.to_string() })?;
    let password = password.ok_or(IdentityError::PasswordMissing)?;
    let open = encrypted.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => IdentityError::Password,
        pkcs8::Error::EncryptedPrivateKey(error) => IdentityError::Encryption { why: error.to_string() },
        // One wrong password in 256 gives something that is no key.
        _ => IdentityError::Password,
    })?;
    Ok(PrivatePkcs8KeyDer::from(open.as_bytes().to_vec()).into())
}
