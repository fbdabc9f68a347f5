//! The lab's certification authorities, and the certificates of its servers and clients.
//!
//! ```text
//!   glasstack lab root                     trusted by the lab's client
//!    +- glasstack lab issuing CA           the intermediate: shown by every server beside its own certificate
//!    |   +- www.example.test               for 90 days, as is usual
//!    |   +- glasstack lab OCSP responder   answers for the issuing CA
//!    |   +- glasstack lab CA too deep      there may be none below the issuing CA
//!    |   +- alice, bob, carol              clients
//!    +- CA for one name, CA for other names, CA without the right to sign, a server that signs
//!    +- glasstack lab RSA CA -- glasstack lab SHA-1 CA
//!    +- glasstack lab second CA            whom the other root vouches for, too
//!
//!   a root that nobody trusts
//!    +- untrusted-root.badssl.test, mallory
//! ```
//!
//! What an authority has taken back stands on its list ([`Pki::list`]) and is told by its responder
//! ([`Pki::answer`]); the lab's hosts `crl` and `ocsp` serve them. [`PkiTerms`] say what is wrong with the
//! authorities themselves, [`Order`] and [`Flaw`] what is wrong with a server's certificate.
//!
//! Nothing is made before somebody needs it, and each key and serial number is derived from the seed and the
//! name of its owner: it does not matter who is asked for first. Keys are Ed25519 (RFC 8410), whose
//! signatures need no randomness, so the same seed makes the same certificates, byte for byte. In a world
//! that is not of a seed they are ECDSA P-256, which browsers accept.
//!
//! Read in this order: `terms` (what can be ordered), `authority` and `leaf` (who signs what, with which
//! flaws), `draft` (how a certificate is put together), `key` and `rsa` (keys), `crl` and `ocsp` (what is
//! taken back), `export` (all of it as files).

mod authority;
mod crl;
mod draft;
mod export;
mod key;
mod leaf;
mod ocsp;
mod rsa;
mod terms;

pub use self::crl::RevocationList;
pub use self::leaf::{ClientKind, Issued};
pub use self::terms::{ANOTHER_NAME, Flaw, Issuers, KeyKind, Order, PkiTerms, Validity};

use self::authority::Ca;
use self::crl::Edition;
use self::draft::{Places, Signed};
use self::key::Secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use glasstack_journal::WallTime;
use glasstack_stack::Entropy;
use glasstack_tls::{IdentityError, TrustError, TrustStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// Where the root's list of revoked certificates is (RFC 5280 4.2.1.13).
pub const ROOT_LIST: &str = "http://crl.test/root.crl";
/// Where the intermediate's is.
pub const ISSUING_LIST: &str = "http://crl.test/issuing.crl";
/// Who answers OCSP for all authorities.
pub const RESPONDER: &str = "http://ocsp.test/";
/// A place where nobody listens.
const NOBODY_LISTENS: &str = "http://refused.test/";

/// Everybody who signs certificates in the lab. Clones are the same authorities.
#[derive(Clone)]
pub struct Pki(Arc<Office>);

/// What the authorities know.
struct Office {
    secrets: Secrets,
    now: OffsetDateTime,
    terms: PkiTerms,
    root: Arc<Signed>,
    issuing: Arc<Signed>,
    root_pem: String,
    issuing_pem: String,
    /// The others, as far as they have been needed.
    authorities: Mutex<BTreeMap<Ca, Arc<Signed>>>,
    /// What servers have ordered, by the name of the site.
    orders: Mutex<BTreeMap<String, Order>>,
    /// What has been made of it so far.
    issued: Mutex<BTreeMap<String, Arc<Issued>>>,
}

impl Pki {
    /// The usual authorities, with keys from `entropy` and dates around `now`.
    pub fn new(entropy: Arc<dyn Entropy>, now: WallTime) -> Result<Self, PkiError> {
        Self::with(PkiTerms::default(), entropy, now)
    }

    /// Authorities on other terms. The keys are those of the usual ones.
    pub fn with(terms: PkiTerms, entropy: Arc<dyn Entropy>, now: WallTime) -> Result<Self, PkiError> {
        let mut seed = [0; 32];
        entropy.fill(&mut seed);
        let secrets = Secrets::new(seed, entropy.is_reproducible());
        let now = date(now)?;
        let root = Ca::Root.sign(None, &terms, now, &secrets)?;
        let issuing = Ca::Issuing.sign(Some(&root), &terms, now, &secrets)?;
        let (root_pem, issuing_pem) = (show("CERTIFICATE", &root.der), show("CERTIFICATE", &issuing.der));
        let (root, issuing) = (Arc::new(root), Arc::new(issuing));
        Ok(Self(Arc::new(Office {
            secrets,
            now,
            terms,
            root,
            issuing,
            root_pem,
            issuing_pem,
            authorities: Mutex::default(),
            orders: Mutex::default(),
            issued: Mutex::default(),
        })))
    }

    /// The root certificate as PEM (RFC 7468): what `--cacert` takes.
    pub fn root_pem(&self) -> &str {
        &self.0.root_pem
    }

    /// The root certificate as DER.
    pub fn root_der(&self) -> &[u8] {
        &self.0.root.der
    }

    /// The intermediate's certificate as PEM.
    pub fn intermediate_pem(&self) -> &str {
        &self.0.issuing_pem
    }

    /// The intermediate's certificate as DER.
    pub fn intermediate_der(&self) -> &[u8] {
        &self.0.issuing.der
    }

    /// What the root has taken back: its list (RFC 5280 5), good for a month.
    pub fn root_list(&self) -> Result<RevocationList, PkiError> {
        self.0.list(Ca::Root, Edition::Current)
    }

    /// What the intermediate has taken back of what was ordered so far.
    pub fn issuing_list(&self) -> Result<RevocationList, PkiError> {
        self.0.list(Ca::Issuing, Edition::Current)
    }

    /// Both lists as PEM: what `--crlfile` takes.
    pub fn lists_pem(&self) -> Result<String, PkiError> {
        Ok(self.root_list()?.pem + &self.issuing_list()?.pem)
    }

    /// A list by the name of its file without the end: that of an authority ([`Pki::authorities`]), `stale`
    /// (the issuing authority's, which ended a week ago) or `forged` (the same, signed with another key).
    pub fn list(&self, name: &str) -> Result<Option<RevocationList>, PkiError> {
        let list = match name {
            "stale" => Some((Ca::Issuing, Edition::Stale)),
            "forged" => Some((Ca::Issuing, Edition::Forged)),
            _ => ca(name).map(|ca| (ca, Edition::Current)),
        };
        list.map(|(ca, edition)| self.0.list(ca, edition)).transpose()
    }

    /// The names of all authorities, as their files have them.
    pub fn authorities(&self) -> impl Iterator<Item = &'static str> {
        Ca::ALL.into_iter().map(Ca::label)
    }

    /// The certificate of an authority, in DER.
    pub fn authority(&self, name: &str) -> Result<Option<Vec<u8>>, PkiError> {
        ca(name).map(|ca| Ok(self.0.authority(ca)?.der.clone())).transpose()
    }

    /// The same as PEM.
    pub fn authority_pem(&self, name: &str) -> Result<Option<String>, PkiError> {
        Ok(self.authority(name)?.map(|der| show("CERTIFICATE", &der)))
    }

    /// The answer to an OCSP request (RFC 6960), both in DER. What cannot be answered is answered with an
    /// error, in DER, too.
    pub fn answer(&self, request: &[u8], at: WallTime) -> Result<Vec<u8>, PkiError> {
        Ok(self.0.answer(request, date(at)?))
    }

    /// Who the lab's client believes: the root alone.
    pub fn trust(&self) -> Result<TrustStore, PkiError> {
        Ok(TrustStore::from_der([&self.0.root.der])?)
    }

    /// A server will want a certificate like this. [`Pki::issue`] makes it, once it is needed.
    pub fn order(&self, site: &str, order: Order) {
        self.0.orders().insert(site.to_owned(), order);
    }

    /// Whether a server has ordered a certificate that is, or should be, good for this name.
    pub fn is_certified(&self, name: &str) -> bool {
        self.0.orders().iter().any(|(site, order)| leaf::is_of(site, order, name))
    }

    /// The certificate that was ordered for a site: made now, if it was not before. The [terms](PkiTerms) may
    /// give it another flaw.
    pub fn issue(&self, site: &str) -> Result<Arc<Issued>, PkiError> {
        let lock = || self.0.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = lock().get(site) {
            return Ok(Arc::clone(issued));
        }
        let order = self.0.orders().get(site).cloned();
        let order = order.ok_or_else(|| PkiError::NotOrdered(site.to_owned()))?;
        let issued = Arc::new(self.0.make(site, &order)?);
        Ok(Arc::clone(lock().entry(site.to_owned()).or_insert(issued)))
    }

    /// The OCSP answer that a site's server sends with its certificate at this time, if it sends one.
    pub fn staple(&self, site: &str, at: WallTime) -> Result<Option<Vec<u8>>, PkiError> {
        let order = self.0.orders().get(site).cloned();
        let Some(order) = order.filter(|order| order.staple) else { return Ok(None) };
        let flaw = self.0.flaw(site, &order);
        let about = match flaw {
            Some(Flaw::StapleOfAnother) => ClientKind::Good.owner(),
            _ => leaf::owner(site),
        };
        let serial = self.0.secrets.serial(&about);
        self.0.answer_about(leaf::issuer(&order, flaw), serial, date(at)?).map(Some)
    }

    /// A client's certificate and key.
    pub fn client(&self, kind: ClientKind) -> Result<Issued, PkiError> {
        self.0.make_client(kind)
    }
}

impl Office {
    fn authority(&self, ca: Ca) -> Result<Arc<Signed>, PkiError> {
        let lock = || self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        match ca {
            Ca::Root => return Ok(Arc::clone(&self.root)),
            Ca::Issuing => return Ok(Arc::clone(&self.issuing)),
            _ => {}
        }
        if let Some(known) = lock().get(&ca) {
            return Ok(Arc::clone(known));
        }
        let parent = ca.parent().map(|parent| self.authority(parent)).transpose()?;
        let signed = Arc::new(ca.sign(parent.as_deref(), &self.terms, self.now, &self.secrets)?);
        Ok(Arc::clone(lock().entry(ca).or_insert(signed)))
    }

    fn orders(&self) -> MutexGuard<'_, BTreeMap<String, Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ca(label: &str) -> Option<Ca> {
    Ca::ALL.into_iter().find(|ca| ca.label() == label)
}

/// Where things about what `ca` has signed are.
fn places(ca: Ca) -> Places {
    Places {
        list: list_at(ca.label()),
        responder: RESPONDER.to_owned(),
        issuer: format!("http://ca.test/{}.crt", ca.label()),
    }
}

fn list_at(name: &str) -> String {
    format!("http://crl.test/{name}.crl")
}

fn date(time: WallTime) -> Result<OffsetDateTime, PkiError> {
    let seconds = i64::try_from(time.unix_seconds()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).map_err(PkiError::Date)
}

/// RFC 7468 2.
fn show(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem + &format!("-----END {label}-----\n")
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
    /// The seed gives no such key: it happens once in 2^32 seeds or less.
    #[error("a key could not be made of this seed: take another")]
    Key,
    /// Nobody has ordered a certificate for this site.
    #[error("no server has ordered a certificate for {0}")]
    NotOrdered(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
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

    fn with(start: u8, is_reproducible: bool, terms: PkiTerms) -> Pki {
        let entropy = Arc::new(Counting(AtomicU8::new(start), is_reproducible));
        let pki = Pki::with(terms, entropy, NOW).unwrap();
        pki.order("www.example.test", Order::good(&["www.example.test", "example.test"]));
        pki.order("expired.test", Order::good(&["expired.test"]).with(Flaw::Expired));
        pki.order("stranger.test", Order::good(&["stranger.test"]).with(Flaw::UntrustedRoot));
        pki
    }

    fn pki(start: u8) -> Pki {
        with(start, true, PkiTerms::default())
    }

    #[test]
    fn the_same_seed_makes_the_same_certificates_whoever_is_asked_for_first() {
        assert_eq!(pki(0).root_der(), pki(0).root_der());
        assert_ne!(pki(0).root_der(), pki(1).root_der());
        let (one, other) = (pki(0), pki(0));
        let chain = |pki: &Pki, site: &str| pki.issue(site).unwrap().chain().to_vec();
        other.client(ClientKind::Stranger).unwrap();
        let there = ["www.example.test", "expired.test"].map(|site| chain(&one, site));
        let back = ["expired.test", "www.example.test"].map(|site| chain(&other, site));
        assert_eq!(there[0], back[1]);
        assert_eq!(there[1], back[0]);
        assert_ne!(chain(&one, "www.example.test"), chain(&pki(1), "www.example.test"));
    }

    #[test]
    fn where_real_peers_are_keys_are_of_a_kind_that_browsers_accept() {
        let key =
            |pki: &Pki| pki.issue("www.example.test").unwrap().identity().unwrap().certificate().key.clone();
        let real = with(0, false, PkiTerms::default());
        assert_eq!((key(&real), key(&pki(0))), ("ECDSA 256 bits".to_owned(), "Ed25519".to_owned()));
    }

    #[test]
    fn a_server_is_good_now_for_its_names_and_an_expired_one_is_not_for_now() {
        let pki = pki(0);
        let shown = |site: &str| pki.issue(site).unwrap().identity().unwrap();
        let good = shown("www.example.test");
        assert_eq!(good.names(), ["www.example.test", "example.test"]);
        let certificate = good.certificate();
        assert_eq!(certificate.issuer, "CN=glasstack lab issuing CA");
        let now = i64::try_from(NOW.unix_seconds()).unwrap();
        assert!(certificate.not_before < now && now < certificate.not_after, "{certificate:?}");
        assert!(shown("expired.test").certificate().not_after < now);
        assert_eq!(shown("stranger.test").certificate().issuer, "CN=a root that nobody trusts");
        assert_eq!(pki.trust().unwrap().len(), 1);
        assert!(pki.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(pki.is_certified("example.test") && !pki.is_certified("nobody.test"));
        assert!(matches!(pki.issue("nobody.test"), Err(PkiError::NotOrdered(_))));
    }

    #[test]
    fn the_lists_hold_what_the_terms_take_back_and_keys_do_not_depend_on_them() {
        let revoked = with(
            0,
            true,
            PkiTerms {
                revoke_intermediate: true,
                revoke: BTreeSet::from(["example.test".to_owned()]),
                ..PkiTerms::default()
            },
        );
        let usual = pki(0);
        assert_eq!(usual.intermediate_der(), revoked.intermediate_der());
        assert_ne!(usual.root_list().unwrap(), revoked.root_list().unwrap());
        assert_ne!(usual.issuing_list().unwrap(), revoked.issuing_list().unwrap());
        assert_eq!(
            usual.issue("www.example.test").unwrap().chain(),
            revoked.issue("www.example.test").unwrap().chain()
        );
        let lists =
            glasstack_tls::RevocationLists::from_pem(revoked.lists_pem().unwrap().as_bytes()).unwrap();
        assert_eq!(lists.len(), 2);
    }

    #[test]
    fn an_ocsp_request_that_is_none_is_answered_with_an_error() {
        // RFC 6960 4.2.1: malformedRequest.
        assert_eq!(pki(0).answer(b"what?", NOW).unwrap(), [0x30, 3, 10, 1, 1]);
        assert_eq!(pki(0).answer(&[], NOW).unwrap(), [0x30, 3, 10, 1, 1]);
    }
}
