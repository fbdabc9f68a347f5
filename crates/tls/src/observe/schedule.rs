//! From secrets to keys: TLS 1.3 (RFC 8446 7) and TLS 1.2 (RFC 5246 5, 6.3 and 7.4.9).
//!
//! ```text
//!            TLS 1.3                                          TLS 1.2
//!   (shared secret, PSK: not told)                    (pre_master_secret: not told)
//!              |                                                 |
//!   Handshake Secret, Master Secret: not told            master_secret            CLIENT_RANDOM
//!              | Derive-Secret(label, transcript)                | PRF "key expansion"
//!   c hs traffic, s hs traffic,                             key_block
//!   c ap traffic, s ap traffic     ..._TRAFFIC_SECRET...         |
//!              | HKDF-Expand-Label                               |
//!   key, iv, finished                                 write keys and IVs of both ends
//! ```

use crate::observe::names;
use crate::observe::primitives::{Cipher, Hash};
use glasstack_journal::event::Party;

/// What a cipher suite names, as far as keys are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) hash: Hash,
    pub(super) cipher: Cipher,
}

impl Suite {
    /// By its number; none for those that are not read along.
    pub(super) fn of(code: u64) -> Option<Self> {
        let name = names::suite(code);
        let (hash, cipher) = if name.ends_with("_AES_128_GCM_SHA256") {
            (Hash::Sha256, Cipher::Aes128Gcm)
        } else if name.ends_with("_AES_256_GCM_SHA384") {
            (Hash::Sha384, Cipher::Aes256Gcm)
        } else if name.ends_with("_CHACHA20_POLY1305_SHA256") {
            (Hash::Sha256, Cipher::ChaCha20Poly1305)
        } else {
            return None;
        };
        Some(Self { hash, cipher })
    }
}

/// RFC 5869 2.3: as many bytes as are asked for, up to 255 hashes.
fn hkdf_expand(hash: Hash, secret: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let mut output = Vec::new();
    let mut block = Vec::new();
    for counter in 1..=u8::MAX {
        if output.len() >= length {
            break;
        }
        block = hash.hmac(secret, &[&block, info, &[counter]]);
        output.extend_from_slice(&block);
    }
    output.truncate(length);
    output
}

/// RFC 8446 7.1.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, context: &[u8], length: usize) -> Vec<u8> {
    // struct HkdfLabel: uint16 length, label<7..255>, context<0..255>
    let label = [b"tls13 ", label.as_bytes()].concat();
    let prefix = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    let mut info = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    info.push(prefix(&label));
    info.extend_from_slice(&label);
    info.push(prefix(context));
    info.extend_from_slice(context);
    hkdf_expand(hash, secret, &info, length)
}

/// RFC 8446 7.1: what the secrets are made with that rustls does not tell. Kept for those who know the
/// inputs: the tests do, from RFC 8448.
#[cfg(test)]
pub(super) fn derive_secret(hash: Hash, secret: &[u8], label: &str, transcript: &[u8]) -> Vec<u8> {
    expand_label(hash, secret, label, transcript, hash.length())
}

/// RFC 5869 2.2.
#[cfg(test)]
pub(super) fn hkdf_extract(hash: Hash, salt: &[u8], input: &[u8]) -> Vec<u8> {
    hash.hmac(salt, &[input])
}

/// What one end seals its records with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) key: Vec<u8>,
    pub(super) iv: Vec<u8>,
}

/// RFC 8446 7.3.
pub(super) fn traffic_keys(suite: Suite, secret: &[u8]) -> Keys {
    let expand = |label, length| expand_label(suite.hash, secret, label, &[], length);
    Keys { key: expand("key", suite.cipher.key_length()), iv: expand("iv", 12) }
}

/// RFC 8446 7.2: the secret that takes over after a KeyUpdate.
pub(super) fn next_secret(hash: Hash, secret: &[u8]) -> Vec<u8> {
    expand_label(hash, secret, "traffic upd", &[], hash.length())
}

/// RFC 8446 4.4.4.
pub(super) fn finished_key(hash: Hash, secret: &[u8]) -> Vec<u8> {
    expand_label(hash, secret, "finished", &[], hash.length())
}

/// RFC 8446 4.4.4.
pub(super) fn finished_13(hash: Hash, secret: &[u8], transcript: &[u8]) -> Vec<u8> {
    hash.hmac(&finished_key(hash, secret), &[transcript])
}

/// RFC 5246 5: P_hash of label and seed.
pub(super) fn prf(hash: Hash, secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
    let seed = [label.as_bytes(), seed].concat();
    let mut output = Vec::new();
    let mut a = hash.hmac(secret, &[&seed]);
    while output.len() < length {
        output.extend_from_slice(&hash.hmac(secret, &[&a, &seed]));
        a = hash.hmac(secret, &[&a]);
    }
    output.truncate(length);
    output
}

/// The hellos' randoms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Randoms {
    pub(super) client: Vec<u8>,
    pub(super) server: Vec<u8>,
}

/// RFC 5246 6.3, with no MAC keys: RFC 5288 3 (an implicit nonce of 4 bytes) and RFC 7905 2 (12).
pub(super) fn key_block(suite: Suite, master_secret: &[u8], randoms: &Randoms, of: Party) -> Keys {
    let key = suite.cipher.key_length();
    let iv = if suite.cipher == Cipher::ChaCha20Poly1305 { 12 } else { 4 };
    let seed = [&randoms.server[..], &randoms.client].concat();
    let block = prf(suite.hash, master_secret, "key expansion", &seed, 2 * (key + iv));
    // client_write_key, server_write_key, client_write_IV, server_write_IV
    let part = |from: usize, length: usize| block.get(from..from + length).unwrap_or_default().to_vec();
    match of {
        Party::Client => Keys { key: part(0, key), iv: part(2 * key, iv) },
        Party::Server => Keys { key: part(key, key), iv: part(2 * key + iv, iv) },
    }
}

/// RFC 5246 7.4.9.
pub(super) fn finished_12(hash: Hash, master_secret: &[u8], from: Party, transcript: &[u8]) -> Vec<u8> {
    let label = match from {
        Party::Client => "client finished",
        Party::Server => "server finished",
    };
    prf(hash, master_secret, label, transcript, 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::hex;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// RFC 5869 A.1 and A.3.
    #[test]
    fn hkdf_gives_what_rfc_5869_gives() {
        let secret = hkdf_extract(Hash::Sha256, &bytes("000102030405060708090a0b0c"), &[0x0b; 22]);
        assert_eq!(hex(&secret), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        assert_eq!(
            hex(&hkdf_expand(Hash::Sha256, &secret, &bytes("f0f1f2f3f4f5f6f7f8f9"), 42)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        let secret = hkdf_extract(Hash::Sha256, &[], &[0x0b; 22]);
        assert_eq!(
            hex(&hkdf_expand(Hash::Sha256, &secret, &[], 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    /// The vectors for TLS 1.2's PRF that the TLS working group's list agreed on for SHA-256
    /// (https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms/).
    #[test]
    fn the_prf_of_tls_1_2_gives_what_its_vector_gives() {
        let output = prf(
            Hash::Sha256,
            &bytes("9bbe436ba940f017b17652849a71db35"),
            "test label",
            &bytes("a0ba9f936cda311827a6f796ffd5198c"),
            100,
        );
        assert_eq!(
            hex(&output),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9\
             af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110ff\
             f70187347b66"
        );
    }

    /// RFC 8448 3.
    #[test]
    fn the_schedule_of_tls_1_3_gives_what_rfc_8448_gives() {
        let hash = Hash::Sha256;
        let empty = hash.start().so_far();
        let early = hkdf_extract(hash, &[0; 32], &[0; 32]);
        assert_eq!(hex(&early), "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
        let salt = derive_secret(hash, &early, "derived", &empty);
        assert_eq!(hex(&salt), "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
        let shared = bytes("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
        let handshake = hkdf_extract(hash, &salt, &shared);
        assert_eq!(hex(&handshake), "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
        let hellos = bytes("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
        assert_eq!(hellos.len(), 32);
        let client = derive_secret(hash, &handshake, "c hs traffic", &hellos);
        assert_eq!(hex(&client), "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
        let suite = Suite::of(0x1301).unwrap();
        let server = bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let keys = traffic_keys(suite, &server);
        assert_eq!(hex(&keys.key), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(hex(&keys.iv), "5d313eb2671276ee13000b30");
        assert_eq!(
            hex(&finished_key(hash, &server)),
            "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8"
        );
    }

    #[test]
    fn suites_are_known_by_what_their_names_end_in() {
        assert_eq!(Suite::of(0x1302), Some(Suite { hash: Hash::Sha384, cipher: Cipher::Aes256Gcm }));
        assert_eq!(Suite::of(0xcca9).map(|suite| suite.cipher), Some(Cipher::ChaCha20Poly1305));
        assert_eq!((Suite::of(0xc013), Suite::of(0x1304), Suite::of(0x0a0a)), (None, None, None));
    }
}
