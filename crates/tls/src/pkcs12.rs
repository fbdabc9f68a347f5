//! PKCS#12 (RFC 7292): certificate, chain and key in one file under one password, as browsers and
//! Windows export them (`.p12`, `.pfx`).
//!
//! The format is p12-keystore's to read: PBES2 with AES as OpenSSL 3 writes it, and the triple DES and
//! 40-bit RC2 of older files; how often a password is hashed has a bound there. Here is chosen what of
//! it is the identity.

use crate::certificate::outer_fault;
use crate::identity_files::IdentityError;
use crate::private_key::{SHORT_VECTOR, has_short_vector};
use der::{Decode, Encode};
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The chain, its owner's own certificate first, and the key.
pub(crate) struct Opened {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

/// Opens `file`. A file without a password is opened with an empty one.
pub(crate) fn open(file: &[u8], password: Option<&str>) -> Result<Opened, IdentityError> {
    if has_short_vector(file) {
        return Err(IdentityError::Pkcs12Encryption { why: SHORT_VECTOR.to_owned() });
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password.unwrap_or_default())
        .map_err(|error| refused(&error, file, password))?;
    let key = archive.keys.first().ok_or(IdentityError::Pkcs12NoKey)?;
    let chain = chain_of(key, &archive.certs).ok_or(IdentityError::NoCertificate)?;
    let key = PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()).into();
    Ok(Opened { chain, key })
}

/// The key's own certificate, then who issued it, and so on, as far as the file goes. RFC 7292 4.2 and
/// PKCS#9: a key and its certificate have the same localKeyId; without one, the first certificate that
/// issued no other is it.
fn chain_of(key: &PrivateKeyBag, bags: &[CertificateBag]) -> Option<Vec<CertificateDer<'static>>> {
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let of_key = bags.iter().find(|bag| id.is_some() && bag.local_key_id.as_deref() == id);
    let issued_another = |bag: &CertificateBag| {
        bags.iter().any(|other| other != bag && other.cert.issuer() == bag.cert.subject())
    };
    let own = of_key.or_else(|| bags.iter().find(|bag| !issued_another(bag))).or(bags.first())?;
    let mut chain = vec![own];
    let mut last = own;
    while let Some(issuer) =
        bags.iter().find(|bag| !chain.contains(bag) && same_name(last.cert.as_der(), bag.cert.as_der()))
    {
        chain.push(issuer);
        last = issuer;
    }
    Some(chain.into_iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec())).collect())
}

/// RFC 5280 6.1.3 (a) (4): the issuer of the one is the subject of the other.
fn same_name(certificate: &[u8], issuer: &[u8]) -> bool {
    match (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer)) {
        (Ok((_, certificate)), Ok((_, issuer))) => certificate.issuer().as_raw() == issuer.subject().as_raw(),
        _ => false,
    }
}

/// What `error` means: the file is broken, the password is not its own, or it is encrypted in a way
/// that nobody here knows.
fn refused(error: &Error, file: &[u8], password: Option<&str>) -> IdentityError {
    let wrong = || match password {
        None => IdentityError::Pkcs12PasswordMissing,
        Some(_) => IdentityError::Pkcs12Password,
    };
    match error {
        // RFC 7292 5.1: the MAC is over everything, with a key from the password. Does the password
        // open what is inside, then it is right and the file was changed.
        Error::MacError(_) => {
            let opens = without_mac(file)
                .is_some_and(|file| Pkcs12Archive::from_pkcs12(&file, password.unwrap_or_default()).is_ok());
            if opens { IdentityError::Pkcs12Changed } else { wrong() }
        }
        // The MAC was right, or there is none.
        Error::Pkcs5Error(_) | Error::UnpadError => wrong(),
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm | Error::InvalidParameters => {
            IdentityError::Pkcs12Encryption { why: error.to_string() }
        }
        other => {
            let why =
                outer_fault(file).unwrap_or_else(|| format!("inside it is not as RFC 7292 has it ({other})"));
            IdentityError::Pkcs12Damaged { why }
        }
    }
}

/// The file without what protects it from changes (RFC 7292 4: `PFX ::= SEQUENCE { version, authSafe,
/// macData OPTIONAL }`), if anything is encrypted at all: what is open opens with every password.
fn without_mac(file: &[u8]) -> Option<Vec<u8>> {
    /// RFC 5652 8: encrypted-data, 1.2.840.113549.1.7.6.
    const ENCRYPTED_DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
    let encrypts = file.windows(ENCRYPTED_DATA.len()).any(|window| window == ENCRYPTED_DATA);
    let parts = Vec::<der::Any>::from_der(file).ok().filter(|_| encrypts)?;
    parts.get(..2)?.to_vec().to_der().ok()
}
