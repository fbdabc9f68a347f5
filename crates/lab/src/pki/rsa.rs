//! RSA signatures (RFC 8017) with keys that everybody knows.
//!
//! The keys are fixtures, in the open: the lab needs RSA certificates, weak ones too, and libraries make
//! neither keys of 1024 bits nor signatures with SHA-1. So nothing in here hides how long it takes, and it
//! must never see a key that is worth hiding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The key of a server, too weak for today.
pub(super) const RSA_1024: &str = include_str!("rsa/rsa1024.pem");
/// The key of a server.
pub(super) const RSA_2048: &str = include_str!("rsa/rsa2048.pem");
/// The key of a server.
pub(super) const RSA_4096: &str = include_str!("rsa/rsa4096.pem");
/// The key of an authority.
pub(super) const AUTHORITY: &str = include_str!("rsa/authority.pem");

/// RFC 8017 9.2, note 1: DigestInfo in front of a hash.
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0, 4, 0x14];
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
/// Bytes of a SHA-256 hash, and of the salt in PSS (RFC 8446 4.2.3: as long as the hash).
const HASH: usize = 32;

/// A private key.
#[derive(Debug)]
pub(super) struct RsaKey {
    pem: &'static str,
    pkcs1: Vec<u8>,
    public: Vec<u8>,
    modulus: BigUint,
    exponent: BigUint,
}

impl RsaKey {
    /// From PEM with RSAPrivateKey in it (RFC 8017 A.1.2). None if it is anything else.
    pub(super) fn from_pem(pem: &'static str) -> Option<Self> {
        let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pkcs1 = STANDARD.decode(text).ok()?;
        let numbers = yasna::parse_der(&pkcs1, |reader| {
            reader.read_sequence(|reader| {
                let _version = reader.next().read_bigint_bytes()?;
                let modulus = reader.next().read_bigint_bytes()?.0;
                let public = reader.next().read_bigint_bytes()?.0;
                let private = reader.next().read_bigint_bytes()?.0;
                // The primes are not needed by whoever has time.
                for _ in 0..5 {
                    reader.next().read_bigint_bytes()?;
                }
                Ok((modulus, public, private))
            })
        });
        let (modulus, public, private) = numbers.ok()?;
        let public = yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_bigint_bytes(&modulus, true);
                writer.next().write_bigint_bytes(&public, true);
            });
        });
        let (modulus, exponent) = (BigUint::from_bytes_be(&modulus), BigUint::from_bytes_be(&private));
        Some(Self { pem, pkcs1, public, modulus, exponent })
    }

    /// The fixture.
    pub(super) fn pem(&self) -> &'static str {
        self.pem
    }

    /// RSAPublicKey (RFC 8017 A.1.1).
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 8.2.1).
    pub(super) fn sign_sha256(&self, message: &[u8]) -> Vec<u8> {
        self.sign_digest(&SHA256_INFO, &Sha256::digest(message))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-1.
    pub(super) fn sign_sha1(&self, message: &[u8]) -> Vec<u8> {
        self.sign_digest(&SHA1_INFO, &Sha1::digest(message))
    }

    /// RSASSA-PSS with SHA-256 (RFC 8017 8.1.1). The salt is a hash of the message and the key: the same
    /// message has the same signature.
    pub(super) fn sign_pss(&self, message: &[u8]) -> Vec<u8> {
        // RFC 8017 9.1.1.
        let salt = Sha256::new().chain_update(&self.pkcs1).chain_update(message).finalize();
        let hash = Sha256::digest(message);
        let hash = Sha256::new().chain_update([0; 8]).chain_update(hash).chain_update(salt).finalize();
        let bits = self.modulus.bits() - 1;
        let length = usize::try_from(bits.div_ceil(8)).unwrap_or_default();
        let block = length.saturating_sub(HASH + 1);
        let mut data = vec![0; block.saturating_sub(HASH + 1)];
        data.push(1);
        data.extend(salt);
        let mask = mask(&hash, block);
        data.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        if let Some(first) = data.first_mut() {
            *first &= 0xff >> (8 * length as u64 - bits);
        }
        data.extend(hash);
        data.push(0xbc);
        self.raw(&data)
    }

    /// RFC 8017 9.2.
    fn sign_digest(&self, info: &[u8], hash: &[u8]) -> Vec<u8> {
        let padding = self.size().saturating_sub(3 + info.len() + hash.len());
        self.raw(&[&[0, 1], vec![0xff; padding].as_slice(), &[0], info, hash].concat())
    }

    /// RFC 8017 5.2.1: the message to the private power.
    fn raw(&self, message: &[u8]) -> Vec<u8> {
        let bytes = BigUint::from_bytes_be(message).modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut signature = vec![0; self.size().saturating_sub(bytes.len())];
        signature.extend(bytes);
        signature
    }

    /// Bytes of the modulus.
    fn size(&self) -> usize {
        usize::try_from(self.modulus.bits().div_ceil(8)).unwrap_or_default()
    }
}

/// MGF1 (RFC 8017 B.2.1).
fn mask(seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    let block =
        move |count: u32| Sha256::new().chain_update(seed).chain_update(count.to_be_bytes()).finalize();
    (0..).flat_map(block).take(length)
}
