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
        FileFormat::Der if has_short_vector(file) => Err(short_vector()),
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
    if has_short_vector(der) {
        return Err(short_vector());
    }
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der)
        .map_err(|error| IdentityError::Encryption { why: error.to_string() })?;
    let password = password.ok_or(IdentityError::PasswordMissing)?;
    within_reason(&encrypted)?;
    let open = encrypted.decrypt(password).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => IdentityError::Password,
        pkcs8::Error::EncryptedPrivateKey(error) => IdentityError::Encryption { why: error.to_string() },
        // One wrong password in 256 gives something that is no key.
        _ => IdentityError::Password,
    })?;
    Ok(PrivatePkcs8KeyDer::from(open.as_bytes().to_vec()).into())
}

/// How often a password is hashed at most: some seconds. What is made today asks for 600 000.
const MOST_ITERATIONS: u32 = 10_000_000;
/// How much memory it may take to hash it, in bytes: 512 MiB. OpenSSL asks for 16 MiB.
const MOST_MEMORY: u64 = 512 << 20;
/// How often that work is done at most.
const MOST_PARALLEL: u16 = 16;

/// A file says itself how much work it is to open it (RFC 8018 5.2, RFC 7914 2).
fn within_reason(encrypted: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), IdentityError> {
    let refused = |why: String| Err(IdentityError::Encryption { why });
    let Some(parameters) = encrypted.encryption_algorithm.pbes2() else { return Ok(()) };
    if let Some(pbkdf2) = parameters.kdf.pbkdf2()
        && pbkdf2.iteration_count > MOST_ITERATIONS
    {
        let times = pbkdf2.iteration_count;
        return refused(format!("the password is hashed {times} times, and {MOST_ITERATIONS} are the most"));
    }
    if let Some(scrypt) = parameters.kdf.scrypt() {
        let memory = scrypt.cost_parameter.saturating_mul(128).saturating_mul(scrypt.block_size.into());
        if memory > MOST_MEMORY || scrypt.parallelization > MOST_PARALLEL {
            let times = scrypt.parallelization;
            return refused(format!(
                "hashing the password takes {memory} bytes {times} times, and {MOST_MEMORY} bytes {MOST_PARALLEL} \
                 times are the most"
            ));
        }
    }
    Ok(())
}

/// Whether a file says that something in it is encrypted with triple DES (RFC 8018 B.2.2) and gives an
/// initialization vector of fewer than 8 bytes: pkcs5 0.8 panics at that.
pub(crate) fn has_short_vector(file: &[u8]) -> bool {
    /// des-EDE3-CBC, 1.2.840.113549.3.7, and the tag of an OCTET STRING.
    const TRIPLE_DES: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7, 4];
    let windows = file.windows(TRIPLE_DES.len() + 1);
    windows.filter_map(|window| window.strip_prefix(TRIPLE_DES)).any(|length| length < [8].as_slice())
}

fn short_vector() -> IdentityError {
    IdentityError::Encryption { why: SHORT_VECTOR.to_owned() }
}

/// Why a file with such a vector is refused.
pub(crate) const SHORT_VECTOR: &str = "its initialization vector is too short for triple DES";
