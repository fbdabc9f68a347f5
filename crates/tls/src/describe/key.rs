//! Keys: what of them may be known to everybody.

use super::facts::{Fact, Facts};
use super::names::curve;
use super::{Read, unreadable};
use crate::der::{self, Reader};
use crate::pin::hash_of;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A SubjectPublicKeyInfo (RFC 5280 4.1.2.7), with its hash as `--pinnedpubkey` takes it.
pub(crate) fn public(info: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the public key";
    let mut fields = Reader::lenient(info).whole(WHAT)?.inside();
    let algorithm = fields.sequence(WHAT)?;
    let (key, _) = fields.read(der::BIT_STRING, WHAT)?.bits(WHAT)?;
    fields.end(WHAT)?;
    Ok(kind(algorithm, key)?.with("pin", Fact::text(hash_of(info))))
}

fn kind(mut algorithm: Reader<'_>, key: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the public key's algorithm";
    let oid = algorithm.oid(WHAT)?;
    let named = |name: &str| Facts::default().with("algorithm", Fact::text(name));
    let of_bits = |name: &str, bits| named(name).with("bits", Fact::Number(bits));
    Ok(match oid.as_str() {
        // RFC 8017 A.1.1, RFC 4055 1.2.
        RSA => rsa(Reader::lenient(key).sequence(WHAT)?, "RSA")?,
        "1.2.840.113549.1.1.10" => rsa(Reader::lenient(key).sequence(WHAT)?, "RSA-PSS")?,
        // RFC 5480 2.1.1.
        "1.2.840.10045.2.1" => match algorithm.optional(der::OID, WHAT)? {
            Some(own) => of_curve(&der::oid(own.contents)?),
            None => named("ECDSA, with a curve of its own"),
        },
        // RFC 8410 3.
        "1.3.101.112" => of_bits("Ed25519", 256),
        "1.3.101.113" => of_bits("Ed448", 456),
        "1.3.101.110" => of_bits("X25519", 256),
        "1.3.101.111" => of_bits("X448", 448),
        // RFC 9881, RFC 9935.
        "2.16.840.1.101.3.4.3.17" => named("ML-DSA-44"),
        "2.16.840.1.101.3.4.3.18" => named("ML-DSA-65"),
        "2.16.840.1.101.3.4.3.19" => named("ML-DSA-87"),
        "2.16.840.1.101.3.4.4.1" => named("ML-KEM-512"),
        "2.16.840.1.101.3.4.4.2" => named("ML-KEM-768"),
        "2.16.840.1.101.3.4.4.3" => named("ML-KEM-1024"),
        "1.2.840.10040.4.1" => named("DSA"),
        "1.2.840.113549.1.3.1" | "1.2.840.10046.2.1" => named("Diffie-Hellman"),
        _ => named("unknown").with("oid", Fact::text(oid)),
    })
}

fn of_curve(oid: &str) -> Facts {
    match curve(oid) {
        Some((name, bits)) => Facts::default()
            .with("algorithm", Fact::text(format!("ECDSA {name}")))
            .with("bits", Fact::Number(bits)),
        None => Facts::default().with("algorithm", Fact::text(format!("ECDSA on the curve {oid}"))),
    }
}

/// RSAPublicKey.
fn rsa(mut key: Reader<'_>, name: &'static str) -> Read<Facts> {
    const WHAT: &str = "the RSA key";
    let modulus = key.read(der::INTEGER, WHAT)?.contents;
    let exponent = key.read(der::INTEGER, WHAT)?;
    let modulus: Vec<u8> = modulus.iter().copied().skip_while(|byte| *byte == 0).collect();
    let unused = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (modulus.len() as u64 * 8).saturating_sub(u64::from(unused));
    let exponent = exponent.number(WHAT).map_or_else(|_| Fact::bytes(exponent.contents), Fact::Number);
    let algorithm = Facts::default().with("algorithm", Fact::text(name));
    Ok(algorithm.with("bits", Fact::Number(bits)).with("exponent", exponent))
}

/// A private key: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 A.1.2) or SEC1 (RFC 5915). Nothing of what is
/// private in it is told.
pub(crate) fn private(der: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the private key";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let version = fields.read(der::INTEGER, WHAT)?;
    let format = match (fields.peek(), version.number(WHAT)?) {
        (Some(der::SEQUENCE), _) => "PKCS#8",
        (Some(der::INTEGER), _) => "PKCS#1",
        (Some(der::OCTET_STRING), 1) => "SEC1",
        _ => return unreadable(WHAT, "it is neither PKCS#8 nor PKCS#1 nor SEC1"),
    };
    let facts = Facts::default().with("format", Fact::text(format));
    // Whoever can use it knows its public half.
    if let Some(info) = public_half(der, format) {
        return Ok(facts.joined(public(&info)?));
    }
    let mut kind = match format {
        "PKCS#8" => pkcs8(fields)?,
        "PKCS#1" => rsa_public(fields)?,
        _ => sec1(fields)?,
    };
    if kind.get("pin").is_none() {
        kind.push("public_key", Fact::text("not told in it"));
    }
    Ok(facts.joined(kind))
}

/// rsaEncryption (RFC 8017 A.1).
const RSA: &str = "1.2.840.113549.1.1.1";

/// The public half of an RSA key that nobody uses any more: its first two numbers.
fn rsa_public(mut key: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "the RSA key";
    // AlgorithmIdentifier { rsaEncryption, NULL }.
    const ALGORITHM: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let (modulus, exponent) = (key.read(der::INTEGER, WHAT)?, key.read(der::INTEGER, WHAT)?);
    let numbers = der::write(der::SEQUENCE, &[modulus.whole, exponent.whole]);
    let bits = der::write(der::BIT_STRING, &[&[0], &numbers]);
    public(&der::write(der::SEQUENCE, &[ALGORITHM, &bits]))
}

/// The SubjectPublicKeyInfo of a key that TLS can use here.
fn public_half(der: &[u8], format: &str) -> Option<Vec<u8>> {
    let der = der.to_vec();
    let key = match format {
        "PKCS#8" => PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der)),
        _ => PrivateKeyDer::try_from(der).ok()?,
    };
    let key = crate::provider::signing_key(&key).ok()?;
    key.public_key().map(|info| info.to_vec())
}

fn pkcs8(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "the private key";
    let mut algorithm = fields.sequence(WHAT)?;
    let peeked = algorithm;
    let key = fields.read(der::OCTET_STRING, WHAT)?.contents;
    if algorithm.oid(WHAT)? == RSA {
        let mut inside = Reader::lenient(key).sequence(WHAT)?;
        inside.read(der::INTEGER, WHAT)?;
        return rsa_public(inside);
    }
    kind(peeked, key)
}

/// RFC 5915 3.
fn sec1(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "the private key";
    fields.read(der::OCTET_STRING, WHAT)?;
    match fields.optional(der::constructed(0), WHAT)? {
        Some(parameters) => Ok(of_curve(&parameters.inside().oid(WHAT)?)),
        None => Ok(Facts::default().with("algorithm", Fact::text("ECDSA"))),
    }
}

/// EncryptedPrivateKeyInfo (RFC 5958 3).
pub(crate) fn encrypted(der: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the encrypted private key";
    let mut algorithm = Reader::lenient(der).whole(WHAT)?.inside().sequence(WHAT)?;
    let oid = algorithm.oid(WHAT)?;
    let (name, scheme) = match oid.as_str() {
        // RFC 8018 A.4.
        "1.2.840.113549.1.5.13" => ("PBES2", pbes2(algorithm).ok()),
        _ => ("another way", Some(oid)),
    };
    let encryption =
        scheme.map_or_else(|| Fact::text(name), |scheme| Fact::text(format!("{name}, {scheme}")));
    Ok(Facts::default().with("format", Fact::text("PKCS#8")).with("encryption", encryption))
}

fn pbes2(mut algorithm: Reader<'_>) -> Read<String> {
    const WHAT: &str = "the encryption";
    let mut parameters = algorithm.sequence(WHAT)?;
    let derivation = parameters.sequence(WHAT)?.oid(WHAT)?;
    let cipher = parameters.sequence(WHAT)?.oid(WHAT)?;
    let derivation = match derivation.as_str() {
        "1.2.840.113549.1.5.12" => "PBKDF2",
        "1.3.6.1.4.1.11591.4.11" => "scrypt",
        _ => "another derivation",
    };
    let cipher = match cipher.as_str() {
        "2.16.840.1.101.3.4.1.2" => "AES-128-CBC",
        "2.16.840.1.101.3.4.1.22" => "AES-192-CBC",
        "2.16.840.1.101.3.4.1.42" => "AES-256-CBC",
        "1.2.840.113549.3.7" => "triple DES",
        other => other,
    };
    Ok(format!("{derivation} and {cipher}"))
}
