//! The lab's certification authorities, and the certificates of its servers.
//!
//! ```text
//!   glasstack lab root            trusted by the lab's client
//!      glasstack lab issuing CA   the intermediate: shown by every server beside its own certificate
//!         www.example.test        for 90 days, as is usual
//!
//!   a root that nobody trusts
//!      untrusted-root.badssl.test
//! ```
//!
//! Each authority has a list of what it took back ([`Pki::root_list`], [`Pki::issuing_list`]), which the
//! lab's `ca` serves. [`PkiTerms`] say what is wrong with the authorities themselves.
//!
//! Keys are Ed25519 (RFC 8410), whose signatures need no randomness, and every secret byte comes from
//! the world's entropy: the same seed makes the same certificates, byte for byte. In a world that is not
//! of a seed they are ECDSA P-256, which browsers accept.

use glasstack_journal::WallTime;
use glasstack_stack::Entropy;
use glasstack_tls::{Identity, IdentityError, TrustError, TrustStore};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, RevocationReason, RevokedCertParams, SerialNumber,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use time::{Duration, OffsetDateTime};

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It ended a month ago.
    Expired,
    /// It begins in a month.
    NotYetValid,
    /// It is for [`ANOTHER_NAME`].
    WrongName,
    /// Its root is none that the client trusts.
    UntrustedRoot,
    /// It vouches for itself.
    SelfSigned,
}

/// The name in a certificate that is for another name than it should be.
pub const ANOTHER_NAME: &str = "somebody-else.test";

/// How the authorities differ from the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PkiTerms {
    /// When the intermediate's certificate is good.
    pub intermediate: Validity,
    /// The root has taken the intermediate's certificate back: it is on the root's list.
    pub revoke_intermediate: bool,
    /// Servers show their own certificate alone, as when somebody forgets to install the intermediate.
    pub omit_intermediate: bool,
    /// Names whose certificates the intermediate has taken back: they are on its list.
    pub revoke: BTreeSet<String>,
    /// Names whose certificates are wrong.
    pub flaws: Vec<(String, Flaw)>,
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    #[default]
    Current,
    /// Until a month ago.
    Expired,
    /// In a month.
    NotYetValid,
}

/// Where the root's list of revoked certificates is (RFC 5280 4.2.1.13).
pub const ROOT_LIST: &str = "http://ca.test/root.crl";
/// Where the intermediate's is.
pub const ISSUING_LIST: &str = "http://ca.test/issuing.crl";

/// Everybody who signs certificates in the lab.
pub struct Pki {
    entropy: Arc<dyn Entropy>,
    now: OffsetDateTime,
    terms: PkiTerms,
    root: Authority,
    issuing: Authority,
    stranger: Authority,
    /// The names for which there are certificates.
    named: Mutex<BTreeSet<String>>,
    /// What the intermediate has taken back, in the order in which it was issued.
    taken_back: Mutex<Vec<SerialNumber>>,
}

impl Pki {
    /// The usual authorities, with keys from `entropy` and dates around `now`.
    pub fn new(entropy: Arc<dyn Entropy>, now: WallTime) -> Result<Self, PkiError> {
        Self::with(PkiTerms::default(), entropy, now)
    }

    /// Authorities on other terms. The keys are those of the usual ones.
    pub fn with(terms: PkiTerms, entropy: Arc<dyn Entropy>, now: WallTime) -> Result<Self, PkiError> {
        let now = i64::try_from(now.unix_seconds()).unwrap_or(i64::MAX);
        let now = OffsetDateTime::from_unix_timestamp(now).map_err(PkiError::Date)?;
        let (month, year) = (Duration::days(30), Duration::days(365));
        let root = Draft::authority("glasstack lab root", 1, now - year * 6, now + year * 14);
        let root = root.self_signed(&entropy)?;
        let (from, to) = match terms.intermediate {
            Validity::Current => (now - year, now + year * 4),
            Validity::Expired => (now - year * 5, now - month),
            Validity::NotYetValid => (now + month, now + year * 5),
        };
        let issuing = Draft::authority("glasstack lab issuing CA", 0, from, to).listed_at(ROOT_LIST);
        let issuing = issuing.signed_by(&root, &entropy)?;
        let stranger = Draft::authority("a root that nobody trusts", 0, now - year, now + year * 4);
        let stranger = stranger.self_signed(&entropy)?;
        Ok(Self {
            entropy,
            now,
            terms,
            root,
            issuing,
            stranger,
            named: Mutex::default(),
            taken_back: Mutex::default(),
        })
    }

    /// The root certificate as PEM (RFC 7468): what `--cacert` takes.
    pub fn root_pem(&self) -> &str {
        &self.root.pem
    }

    /// The root certificate as DER.
    pub fn root_der(&self) -> &[u8] {
        &self.root.der
    }

    /// The intermediate's certificate as PEM.
    pub fn intermediate_pem(&self) -> &str {
        &self.issuing.pem
    }

    /// The intermediate's certificate as DER.
    pub fn intermediate_der(&self) -> &[u8] {
        &self.issuing.der
    }

    /// What the root has taken back: its list (RFC 5280 5), good for a month.
    pub fn root_list(&self) -> Result<RevocationList, PkiError> {
        let revoked = self.terms.revoke_intermediate.then_some(&self.issuing);
        self.list(&self.root, revoked.and_then(Authority::serial).into_iter().collect())
    }

    /// What the intermediate has taken back of what it has issued so far.
    pub fn issuing_list(&self) -> Result<RevocationList, PkiError> {
        let taken_back = self.taken_back.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.list(&self.issuing, taken_back)
    }

    /// Both lists as PEM: what `--crlfile` takes.
    pub fn lists_pem(&self) -> Result<String, PkiError> {
        Ok(self.root_list()?.pem + &self.issuing_list()?.pem)
    }

    /// Who the lab's client believes: the root alone.
    pub fn trust(&self) -> Result<TrustStore, PkiError> {
        Ok(TrustStore::from_der([&self.root.der])?)
    }

    /// Whether a server has been given a certificate that is, or should be, good for this name.
    pub fn is_certified(&self, name: &str) -> bool {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// A server's certificate, good for `names`, and its key. The [terms](PkiTerms) may give it
    /// another flaw.
    pub fn identity(&self, names: &[&str], flaw: Option<Flaw>) -> Result<Identity, PkiError> {
        let is_named = |name: &str| names.contains(&name);
        let owned = names.iter().map(|&name| name.to_owned());
        self.named.lock().unwrap_or_else(PoisonError::into_inner).extend(owned);
        let other = self.terms.flaws.iter().find(|(name, _)| is_named(name)).map(|(_, flaw)| *flaw);
        let flaw = other.or(flaw);
        let days = |from: i64, to: i64| (self.now + Duration::days(from), self.now + Duration::days(to));
        let dates = match flaw {
            Some(Flaw::Expired) => days(-120, -30),
            Some(Flaw::NotYetValid) => days(30, 120),
            _ => days(-30, 60),
        };
        let shown = if flaw == Some(Flaw::WrongName) { &[ANOTHER_NAME] } else { names };
        let draft = Draft::server(shown, dates)?;
        let (own, mut chain) = match flaw {
            Some(Flaw::SelfSigned) => (draft.self_signed(&self.entropy)?, vec![]),
            Some(Flaw::UntrustedRoot) => {
                (draft.signed_by(&self.stranger, &self.entropy)?, vec![self.stranger.der.clone()])
            }
            _ => {
                let own = draft.listed_at(ISSUING_LIST).signed_by(&self.issuing, &self.entropy)?;
                if self.terms.revoke.iter().any(|name| is_named(name)) {
                    let mut taken_back = self.taken_back.lock().unwrap_or_else(PoisonError::into_inner);
                    taken_back.extend(own.serial());
                }
                (own, vec![self.issuing.der.clone()])
            }
        };
        if self.terms.omit_intermediate {
            chain.clear();
        }
        let key = own.issuer.key().serialize_der();
        chain.insert(0, own.der);
        Ok(Identity::from_der(chain, key)?)
    }

    fn list(&self, by: &Authority, revoked: Vec<SerialNumber>) -> Result<RevocationList, PkiError> {
        let day = Duration::days(1);
        let entry = |serial_number| RevokedCertParams {
            serial_number,
            revocation_time: self.now - day * 2,
            reason_code: Some(RevocationReason::KeyCompromise),
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: self.now - day,
            next_update: self.now + day * 30,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&by.issuer)?;
        Ok(RevocationList { der: list.der().to_vec(), pem: list.pem()? })
    }
}

/// An authority's list of certificates it has taken back (RFC 5280 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// As an HTTP server serves it (RFC 2585 4.2: `application/pkix-crl`).
    pub der: Vec<u8>,
    /// As `--crlfile` takes it (RFC 7468 6).
    pub pem: String,
}

/// A certificate and the key that belongs to it.
struct Authority {
    der: Vec<u8>,
    pem: String,
    serial: Option<SerialNumber>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn serial(&self) -> Option<SerialNumber> {
        self.serial.clone()
    }
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

    /// Names the list on which it would be, were it taken back.
    fn listed_at(mut self, uri: &str) -> Self {
        self.0.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![uri.to_owned()] }];
        self
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
        if !entropy.is_reproducible() {
            // What browsers accept: they refuse Ed25519 (CA/Browser Forum, Baseline Requirements 6.1.5).
            return Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?);
        }
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
            serial: self.0.serial_number.clone(),
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

    struct Counting(AtomicU8, bool);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        fn is_reproducible(&self) -> bool {
            self.1
        }
    }

    fn pki(start: u8) -> Pki {
        Pki::new(Arc::new(Counting(AtomicU8::new(start), true)), NOW).unwrap()
    }

    #[test]
    fn the_same_entropy_makes_the_same_certificates() {
        assert_eq!(pki(0).root_der(), pki(0).root_der());
        assert_ne!(pki(0).root_der(), pki(1).root_der());
        let shown = |pki: Pki| pki.identity(&["www.example.test"], None).unwrap().certificate().clone();
        assert_eq!(shown(pki(0)), shown(pki(0)));
    }

    #[test]
    fn where_real_peers_are_keys_are_of_a_kind_that_browsers_accept() {
        let real = Pki::new(Arc::new(Counting(AtomicU8::new(0), false)), NOW).unwrap();
        let shown = |pki: &Pki| pki.identity(&["www.example.test"], None).unwrap().certificate().key.clone();
        assert_eq!((shown(&real), shown(&pki(0))), ("ECDSA 256 bits".to_owned(), "Ed25519".to_owned()));
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

    #[test]
    fn the_lists_hold_what_the_terms_take_back_and_keys_do_not_depend_on_them() {
        let with = |terms| Pki::with(terms, Arc::new(Counting(AtomicU8::new(0), true)), NOW).unwrap();
        let (usual, revoked) = (
            with(PkiTerms::default()),
            with(PkiTerms {
                revoke_intermediate: true,
                revoke: BTreeSet::from(["www.example.test".to_owned()]),
                ..PkiTerms::default()
            }),
        );
        assert_eq!(usual.intermediate_der(), revoked.intermediate_der());
        assert_ne!(usual.root_list().unwrap(), revoked.root_list().unwrap());
        assert_eq!(usual.issuing_list().unwrap(), revoked.issuing_list().unwrap());
        revoked.identity(&["www.example.test"], None).unwrap();
        assert_ne!(usual.issuing_list().unwrap(), revoked.issuing_list().unwrap());
        let lists =
            glasstack_tls::RevocationLists::from_pem(revoked.lists_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(lists.len(), 2);
    }
}
