//! What is borrowed: hash, HMAC and AEAD, from a library. Everything built of them is in this folder.

use ring::{aead, digest, hmac};

/// A hash function of TLS 1.2's and 1.3's suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
        }
    }

    /// The length of its output, in bytes.
    pub(super) fn length(self) -> usize {
        self.algorithm().output_len()
    }

    pub(super) fn start(self) -> Hashing {
        Hashing(digest::Context::new(self.algorithm()))
    }

    pub(super) fn hmac(self, key: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
        pieces.iter().for_each(|piece| context.update(piece));
        context.sign().as_ref().to_vec()
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        }
    }
}

/// A hash under way.
#[derive(Clone)]
pub(super) struct Hashing(digest::Context);

impl Hashing {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of what has been put in so far; more may follow.
    pub(super) fn so_far(&self) -> Vec<u8> {
        self.0.clone().finish().as_ref().to_vec()
    }
}

/// An AEAD cipher (RFC 5116, RFC 8439).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

impl Cipher {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes256Gcm => "AES-256-GCM",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305",
        }
    }

    /// The length of its key, in bytes.
    pub(super) fn key_length(self) -> usize {
        self.algorithm().key_len()
    }

    /// None if `key` is not of its length.
    pub(super) fn with_key(self, key: &[u8]) -> Option<Sealed> {
        let key = aead::UnboundKey::new(self.algorithm(), key).ok()?;
        Some(Sealed(aead::LessSafeKey::new(key)))
    }

    fn algorithm(self) -> &'static aead::Algorithm {
        match self {
            Self::Aes128Gcm => &aead::AES_128_GCM,
            Self::Aes256Gcm => &aead::AES_256_GCM,
            Self::ChaCha20Poly1305 => &aead::CHACHA20_POLY1305,
        }
    }
}

/// A cipher with its key.
pub(super) struct Sealed(aead::LessSafeKey);

impl Sealed {
    /// The contents of `sealed`; none if they were not sealed with this key, `nonce` and `associated`.
    pub(super) fn open(&self, nonce: [u8; 12], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut contents = sealed.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let length = self.0.open_in_place(nonce, aead::Aad::from(associated), &mut contents).ok()?.len();
        contents.truncate(length);
        Some(contents)
    }

    /// As [`Self::open`] undoes it: contents and tag.
    #[cfg(test)]
    pub(super) fn seal(&self, nonce: [u8; 12], associated: &[u8], contents: &[u8]) -> Vec<u8> {
        let mut sealed = contents.to_vec();
        let nonce = aead::Nonce::assume_unique_for_key(nonce);
        let _ = self.0.seal_in_place_append_tag(nonce, aead::Aad::from(associated), &mut sealed);
        sealed
    }
}
