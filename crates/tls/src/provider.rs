//! The cryptography, and where its randomness comes from.

use glasstack_journal::Clock;
use glasstack_stack::Entropy;
use rustls::crypto::ring;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
    WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::sign::SigningKey;
use rustls::time_provider::TimeProvider;
use rustls::{Error, NamedGroup, PeerMisbehaved};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use x25519_dalek::{PublicKey, StaticSecret};

/// The cryptography of a world: aws-lc's in a real one; in a virtual one ring's, with all randomness
/// taken from `entropy`, so that the same seed gives the same handshake byte for byte. (Why there are
/// two: `docs/decisions/0016-two-libraries-of-cryptography.md`.)
///
/// In a real world `entropy` is not used at all: aws-lc asks the operating system itself, and no key
/// can depend on how this process keeps its random numbers. Only [`Entropy::is_reproducible`], which
/// a virtual world alone answers with yes, replaces the two places where a handshake is random:
/// - `SecureRandom`: hello randoms, session ids, the order of extensions, tickets;
/// - the key exchange: X25519 alone (ring's groups make their ephemeral keys from the operating
///   system's randomness and cannot be told otherwise).
///
/// What remains is the server's signature. Ed25519 (RFC 8032) needs no randomness; ECDSA and RSA-PSS
/// do, and ask the operating system: with such a key only the signature and what is encrypted after it
/// differ from run to run, and the server says so.
///
/// Each call in a virtual world leaks a few bytes and one reference to `entropy`: rustls wants both
/// sources for ever (`&'static`). A client or server calls it once.
pub fn provider(entropy: &Arc<dyn Entropy>) -> Arc<CryptoProvider> {
    if !entropy.is_reproducible() {
        return Arc::new(real());
    }
    let seeded: &'static Seeded = Box::leak(Box::new(Seeded(entropy.clone())));
    let groups: Vec<&'static dyn SupportedKxGroup> = vec![seeded];
    Arc::new(CryptoProvider { secure_random: seeded, kx_groups: groups, ..ring::default_provider() })
}

/// The signatures that are verified in a real world: for certificates that come from files.
pub fn signature_algorithms() -> WebPkiSupportedAlgorithms {
    real().signature_verification_algorithms
}

/// The real world's. The hybrid of X25519 and ML-KEM-768 comes first: who records the traffic today
/// cannot read it with a quantum computer later.
#[cfg(not(target_family = "wasm"))]
fn real() -> CryptoProvider {
    use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
    let kx_groups = vec![
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
        kx_group::SECP256R1MLKEM768,
    ];
    CryptoProvider { kx_groups, ..default_provider() }
}

/// aws-lc cannot be built for WebAssembly.
#[cfg(target_family = "wasm")]
fn real() -> CryptoProvider {
    ring::default_provider()
}

/// A private key, ready to sign. Which library signs is all the same to a virtual world: Ed25519 makes
/// the same bytes in both.
pub(crate) fn signing_key(key: &PrivateKeyDer<'_>) -> Result<Arc<dyn SigningKey>, Error> {
    #[cfg(not(target_family = "wasm"))]
    return rustls::crypto::aws_lc_rs::sign::any_supported_type(key);
    #[cfg(target_family = "wasm")]
    return ring::sign::any_supported_type(key);
}

/// The virtual world's randomness, as rustls wants it: as bytes and as X25519 keys.
struct Seeded(Arc<dyn Entropy>);

impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeded")
    }
}

impl SecureRandom for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl SupportedKxGroup for Seeded {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = [0; 32];
        self.0.fill(&mut bytes);
        let secret = StaticSecret::from(bytes);
        let public = PublicKey::from(&secret);
        Ok(Box::new(Exchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

struct Exchange {
    secret: StaticSecret,
    public: PublicKey,
}

impl ActiveKeyExchange for Exchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let refused = || Error::from(PeerMisbehaved::InvalidKeyShare);
        let peer: [u8; 32] = peer.try_into().map_err(|_| refused())?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        // RFC 8446 7.4.2: an all-zero shared secret means a peer key of small order.
        if !shared.was_contributory() {
            return Err(refused());
        }
        Ok(SharedSecret::from(shared.as_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// The world's wall clock, as rustls wants it.
pub(crate) struct WallClock(pub(crate) Arc<dyn Clock>);

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.wall().unix_seconds())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(bool);
    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
        fn is_reproducible(&self) -> bool {
            self.0
        }
    }

    fn groups(reproducible: bool) -> Vec<NamedGroup> {
        let entropy: Arc<dyn Entropy> = Arc::new(Constant(reproducible));
        provider(&entropy).kx_groups.iter().map(|group| group.name()).collect()
    }

    #[test]
    fn a_virtual_world_draws_keys_from_its_seed_alone() {
        let entropy: Arc<dyn Entropy> = Arc::new(Constant(true));
        let provider = provider(&entropy);
        let keys: Vec<Vec<u8>> = (0..2)
            .map(|_| provider.kx_groups[0].start().map(|exchange| exchange.pub_key().to_vec()).unwrap())
            .collect();
        assert_eq!(keys[0], keys[1]);
        assert_eq!(groups(true), [NamedGroup::X25519]);
    }

    #[test]
    fn a_real_world_draws_nothing_from_its_entropy_and_prefers_the_hybrid_group() {
        let spoken = groups(false);
        assert_eq!(spoken[..2], [NamedGroup::X25519MLKEM768, NamedGroup::X25519]);
        let entropy: Arc<dyn Entropy> = Arc::new(Constant(false));
        let mut bytes = [0; 32];
        assert!(provider(&entropy).secure_random.fill(&mut bytes).is_ok());
        assert_ne!(bytes, [7; 32]);
    }

    #[test]
    fn a_peer_key_of_small_order_is_refused() {
        let exchange = Seeded(Arc::new(Constant(true))).start().unwrap();
        assert!(exchange.complete(&[0; 32]).is_err());
        let exchange = Seeded(Arc::new(Constant(true))).start().unwrap();
        assert!(exchange.complete(&[9; 31]).is_err());
    }
}
