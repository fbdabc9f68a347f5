//! The lab's certification authorities, and the certificates of its servers.
//!
//! ```text
//!   glasstack lab root            trusted by the lab's client
//!      glasstack lab issuing CA   shown by every server beside its own certificate
//!         www.example.test        for 90 days, as is usual
//!
//!   a root that nobody trusts
//!      untrusted-root.badssl.test
//! ```
//!
//! Keys are Ed25519 (RFC 8410), whose signatures need no randomness, and every secret byte comes from
//! the world's entropy: the same seed makes the same certificates, byte for byte.

use glasstack_journal::WallTime;
use glasstack_stack::Entropy;
use glasstack_tls::{Identity, IdentityError, TrustError, TrustStore};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, SerialNumber,
};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It ended a month ago.
    Expired,
    /// It begins in a month.
    NotYetValid,
    /// Its root is none that the client trusts.
    UntrustedRoot,
    /// It vouches for itself.
    SelfSigned,
}

/// Everybody who signs certificates in the lab.
pub struct Pki {
    entropy: Arc<dyn Entropy>,
    now: OffsetDateTime,
    root: Authority,
    issuing: Authority,
    stranger: Authority,
}

impl Pki {
    /// Authorities with keys from `entropy` and dates around `now`.
    pub fn new(entropy: Arc<dyn Entropy>, now: WallTime) -> Result<Self, PkiError> {
        let now = i64::try_from(now.unix_seconds()).unwrap_or(i64::MAX);
        let now = OffsetDateTime::from_unix_timestamp(now).map_err(PkiError::Date)?;
        let years = |years: i64| Duration::days(365 * years);
        let root = Draft::authority("glasstack lab root", 1, now - years(6), now + years(14));
        let root = root.self_signed(&entropy)?;
        let issuing = Draft::authority("glasstack lab issuing CA", 0, now - years(1), now + years(4));
        let issuing = issuing.signed_by(&root, &entropy)?;
        let stranger = Draft::authority("a root that nobody trusts", 0, now - years(1), now + years(4));
        let stranger = stranger.self_signed(&entropy)?;
        Ok(Self { entropy, now, root, issuing, stranger })
    }

    /// The root certificate as PEM (RFC 7468): what `--cacert` takes.
    pub fn root_pem(&self) -> &str {
        &self.root.pem
    }

    /// The root certificate as DER.
    pub fn root_der(&self) -> &[u8] {
        &self.root.der
    }

    /// Who the lab's client believes: the root alone.
    pub fn trust(&self) -> Result<TrustStore, PkiError> {
        Ok(TrustStore::from_der([&self.root.der])?)
    }

    /// A server's certificate, good for `names`, and its key.
    pub fn identity(&self, names: &[&str], flaw: Option<Flaw>) -> Result<Identity, PkiError> {
        let days = |from: i64, to: i64| (self.now + Duration::days(from), self.now + Duration::days(to));
        let dates = match flaw {
            Some(Flaw::Expired) => days(-120, -30),
            Some(Flaw::NotYetValid) => days(30, 120),
            _ => days(-30, 60),
        };
        let draft = Draft::server(names, dates)?;
        let (own, mut chain) = match flaw {
            Some(Flaw::SelfSigned) => (draft.self_signed(&self.entropy)?, vec![]),
            Some(Flaw::UntrustedRoot) => {
                (draft.signed_by(&self.stranger, &self.entropy)?, vec![self.stranger.der.clone()])
            }
            _ => (draft.signed_by(&self.issuing, &self.entropy)?, vec![self.issuing.der.clone()]),
        };
        let key = own.issuer.key().serialize_der();
        chain.insert(0, own.der);
        Ok(Identity::from_der(chain, key)?)
    }
}

/// A certificate and the key that belongs to it.
struct Authority {
    der: Vec<u8>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate before it is signed.
struct Draft(CertificateParams);

impl Draft {
    /// An authority with at most `below` authorities below it (RFC 5280 4.2.1.9).
    fn authority(name: &str, below: u8, from: OffsetDateTime, to: OffsetDateTime) -> Self {
        let mut params = dated(name, from, to);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(params)
    }

    fn server(names: &[&str], (from, to): (OffsetDateTime, OffsetDateTime)) -> Result<Self, PkiError> {
        let named = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
        let mut params = dated(names.first().copied().unwrap_or("nobody"), from, to);
        params.subject_alt_names = named.subject_alt_names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(Self(params))
    }

    fn self_signed(mut self, entropy: &Arc<dyn Entropy>) -> Result<Authority, PkiError> {
        let key = self.prepare(entropy)?;
        let certificate = self.0.self_signed(&key)?;
        Ok(self.finish(&certificate, key))
    }

    fn signed_by(mut self, authority: &Authority, entropy: &Arc<dyn Entropy>) -> Result<Authority, PkiError> {
        let key = self.prepare(entropy)?;
        let certificate = self.0.signed_by(&key, &authority.issuer)?;
        Ok(self.finish(&certificate, key))
    }

    /// Gives it its serial number, and makes its key.
    fn prepare(&mut self, entropy: &Arc<dyn Entropy>) -> Result<KeyPair, PkiError> {
        // RFC 5280 4.1.2.2: positive, at most 20 bytes; unpredictable as the CA/Browser Forum asks.
        let mut serial = [0; 16];
        entropy.fill(&mut serial);
        serial[0] = serial[0] & 0x7f | 0x40;
        self.0.serial_number = Some(SerialNumber::from_slice(&serial));
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        // RFC 8410 7: PKCS#8 around the 32 bytes of an Ed25519 private key.
        let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        der.extend(secret);
        Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_ED25519)?)
    }

    fn finish(self, certificate: &rcgen::Certificate, key: KeyPair) -> Authority {
        Authority {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            issuer: Issuer::new(self.0, key),
        }
    }
}

fn dated(name: &str, from: OffsetDateTime, to: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (from, to);
    params
}

/// The lab's certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The world's wall clock shows no date that a certificate can hold.
    #[error("the world's date cannot stand in a certificate: {0}")]
    Date(#[source] time::error::ComponentRange),
    /// A certificate could not be signed, or a name in it is none.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// What was signed cannot be shown by a server.
    #[error("a certificate cannot be used: {0}")]
    Identity(#[from] IdentityError),
    /// The root cannot be trusted.
    #[error("the root certificate cannot be used: {0}")]
    Trust(#[from] TrustError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    const NOW: WallTime = WallTime::from_unix_seconds(1_780_315_200);

    struct Counting(AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        fn is_reproducible(&self) -> bool {
            true
        }
    }

    fn pki(start: u8) -> Pki {
        Pki::new(Arc::new(Counting(AtomicU8::new(start))), NOW).unwrap()
    }

    #[test]
    fn the_same_entropy_makes_the_same_certificates() {
        assert_eq!(pki(0).root_der(), pki(0).root_der());
        assert_ne!(pki(0).root_der(), pki(1).root_der());
        let shown = |pki: Pki| pki.identity(&["www.example.test"], None).unwrap().certificate().clone();
        assert_eq!(shown(pki(0)), shown(pki(0)));
    }

    #[test]
    fn a_server_is_good_now_for_its_names_and_an_expired_one_is_not_for_now() {
        let pki = pki(0);
        let good = pki.identity(&["example.test", "www.example.test"], None).unwrap();
        assert_eq!(good.names(), ["example.test", "www.example.test"]);
        let certificate = good.certificate();
        assert_eq!(certificate.issuer, "CN=glasstack lab issuing CA");
        let now = i64::try_from(NOW.unix_seconds()).unwrap();
        assert!(certificate.not_before < now && now < certificate.not_after, "{certificate:?}");
        let expired = pki.identity(&["expired.test"], Some(Flaw::Expired)).unwrap();
        assert!(expired.certificate().not_after < now);
        let stranger = pki.identity(&["stranger.test"], Some(Flaw::UntrustedRoot)).unwrap();
        assert_eq!(stranger.certificate().issuer, "CN=a root that nobody trusts");
        assert_eq!(pki.trust().unwrap().len(), 1);
        assert!(pki.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    }
}
