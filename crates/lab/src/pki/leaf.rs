//! What servers and clients get: each order made into a certificate, with all that is to be wrong with it.

use super::authority::Ca;
use super::draft::{Draft, Places};
use super::key::Key;
use super::ocsp::Manner;
use super::terms::{ANOTHER_NAME, Flaw, Issuers, KeyKind, Order};
use super::{NOBODY_LISTENS, Office, PkiError, list_at, places, show};
use glasstack_tls::Identity;
use rcgen::ExtendedKeyUsagePurpose;
use std::sync::Arc;
use time::Duration;

/// A certificate with what stands between it and the root, as its owner shows it, and its key.
pub struct Issued {
    chain: Vec<Vec<u8>>,
    key: Arc<Key>,
}

impl Issued {
    /// The chain, the owner's own certificate first, each in DER.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The chain as PEM (RFC 7468), in the same order.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| show("CERTIFICATE", der)).collect()
    }

    /// The key as PEM: PKCS#8, of RSA PKCS#1.
    pub fn key_pem(&self) -> Result<String, PkiError> {
        self.key.pem()
    }

    /// What a server or a client shows.
    pub fn identity(&self) -> Result<Identity, PkiError> {
        self.key.identity(self.chain.clone())
    }
}

/// Clients that the lab has certificates for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientKind {
    /// Alice, whose certificate is good.
    Good,
    /// Bob, whose certificate ended a month ago.
    Expired,
    /// Carol, whose certificate is on the list, and the responder says so, too.
    Revoked,
    /// Mallory, for whom a root vouches that nobody trusts.
    Stranger,
}

impl ClientKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Good, Self::Expired, Self::Revoked, Self::Stranger];

    /// The common name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "alice",
            Self::Expired => "bob",
            Self::Revoked => "carol",
            Self::Stranger => "mallory",
        }
    }

    pub(super) fn issuer(self) -> Ca {
        if self == Self::Stranger { Ca::Stranger } else { Ca::Issuing }
    }

    /// What the key and the serial number are derived from.
    pub(super) fn owner(self) -> String {
        format!("client {}", self.name())
    }
}

/// What the serial number and the key of a site's certificate are derived from.
pub(super) fn owner(site: &str) -> String {
    format!("site {site}")
}

impl Office {
    pub(super) fn make_client(&self, kind: ClientKind) -> Result<Issued, PkiError> {
        let days = |from: i64, to: i64| (self.now + Duration::days(from), self.now + Duration::days(to));
        let dates = if kind == ClientKind::Expired { days(-120, -30) } else { days(-30, 60) };
        let (ca, owner) = (kind.issuer(), kind.owner());
        let authority = self.authority(ca)?;
        let draft = Draft::client(kind.name(), dates).found_at(&places(ca));
        let key = self.secrets.key(&owner, KeyKind::Usual)?;
        let signed = draft.signed_by(&authority, &owner, key, &self.secrets)?;
        self.with_chain(signed.der, signed.key, &ca.chain())
    }

    pub(super) fn make(&self, site: &str, order: &Order) -> Result<Issued, PkiError> {
        let flaw = self.flaw(site, order);
        let owner = owner(site);
        let draft = self.draft(order, flaw)?;
        if flaw == Some(Flaw::SelfSigned) {
            let signed = draft.self_signed(&owner, &self.secrets)?;
            return self.with_chain(signed.der, signed.key, &[]);
        }
        let ca = issuer(order, flaw);
        let draft = draft.found_at(&whereabouts(ca, flaw));
        let key = self.secrets.key(&owner, order.key)?;
        let authority = self.authority(ca)?;
        let mut signed = draft.signed_by(&authority, &owner, key, &self.secrets)?;
        if flaw == Some(Flaw::BadSignature) {
            // Well within the signature, which is what a certificate ends with.
            let at = signed.der.len().saturating_sub(40);
            signed.der.get_mut(at).into_iter().for_each(|byte| *byte ^= 1);
        }
        let is_alone = flaw == Some(Flaw::IncompleteChain) || self.terms.omit_intermediate;
        let above = if is_alone { vec![] } else { ca.chain() };
        self.with_chain(signed.der, signed.key, &above)
    }

    fn draft(&self, order: &Order, flaw: Option<Flaw>) -> Result<Draft, PkiError> {
        let days = |from: i64, to: i64| (self.now + Duration::days(from), self.now + Duration::days(to));
        let dates = match flaw {
            Some(Flaw::Expired) => days(-120, -30),
            Some(Flaw::NotYetValid) => days(30, 120),
            _ => days(-30, 60),
        };
        let another = [ANOTHER_NAME.to_owned()];
        let names = if flaw == Some(Flaw::WrongName) { &another[..] } else { &order.names };
        let draft = Draft::server(names, dates)?;
        let draft = if order.must_staple { draft.must_staple() } else { draft };
        Ok(match flaw {
            Some(Flaw::NoNames) => draft.edit(|params| params.subject_alt_names.clear()),
            Some(Flaw::WrongPurpose) => {
                draft.edit(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
            }
            Some(Flaw::UnknownExtension) => draft.with_unknown_extension(),
            _ => draft,
        })
    }

    fn with_chain(&self, own: Vec<u8>, key: Arc<Key>, above: &[Ca]) -> Result<Issued, PkiError> {
        let mut chain = vec![own];
        for ca in above {
            chain.push(self.authority(*ca)?.der.clone());
        }
        Ok(Issued { chain, key })
    }

    /// What is wrong with a site's certificate: what the terms say, or what was ordered.
    pub(super) fn flaw(&self, site: &str, order: &Order) -> Option<Flaw> {
        let of_terms = self.terms.flaws.iter().find(|(name, _)| is_of(site, order, name));
        of_terms.map(|(_, flaw)| *flaw).or(order.flaw)
    }

    /// Whether the terms have a certificate taken back.
    pub(super) fn is_taken_back(&self, site: &str, order: &Order) -> bool {
        self.terms.revoke.iter().any(|name| is_of(site, order, name))
    }
}

/// Whether a name is that of a site or in its certificate.
pub(super) fn is_of(site: &str, order: &Order, name: &str) -> bool {
    site == name || order.names.iter().any(|own| own == name)
}

/// Who signs.
pub(super) fn issuer(order: &Order, flaw: Option<Flaw>) -> Ca {
    match (flaw, order.by) {
        (Some(Flaw::UntrustedRoot), _) => Ca::Stranger,
        (Some(Flaw::NotPermitted), _) => Ca::Constrained,
        (Some(Flaw::Excluded), _) => Ca::Excluding,
        (Some(Flaw::NotACa), _) => Ca::Server,
        (Some(Flaw::PathTooLong), _) => Ca::TooDeep,
        (Some(Flaw::CaKeyUsage), _) => Ca::Unentitled,
        (Some(Flaw::Sha1), _) => Ca::Sha1,
        (_, Issuers::Issuing) => Ca::Issuing,
        (_, Issuers::Constrained) => Ca::Constrained,
        (_, Issuers::CrossSigned) => Ca::Second,
    }
}

/// Where the certificate says that its list and its responder are.
fn whereabouts(ca: Ca, flaw: Option<Flaw>) -> Places {
    let usual = places(ca);
    match flaw {
        Some(Flaw::CrlStale) => Places { list: list_at("stale"), ..usual },
        Some(Flaw::CrlForged) => Places { list: list_at("forged"), ..usual },
        Some(Flaw::CrlDown) => Places { list: format!("{NOBODY_LISTENS}{}.crl", ca.label()), ..usual },
        Some(Flaw::OcspDown) => Places { responder: NOBODY_LISTENS.to_owned(), ..usual },
        _ => usual,
    }
}

/// What the responder says of a certificate with this flaw.
pub(super) fn manner(flaw: Option<Flaw>, is_taken_back: bool) -> Manner {
    match flaw {
        Some(Flaw::Revoked) => Manner::Early,
        Some(Flaw::RevokedByOcsp | Flaw::StapleRevoked) => Manner::Revoked,
        Some(Flaw::OcspStale | Flaw::StapleStale) => Manner::Stale,
        Some(Flaw::OcspForged) => Manner::Forged,
        Some(Flaw::OcspUnknown) => Manner::Unknown,
        Some(Flaw::OcspTryLater) => Manner::TryLater,
        _ if is_taken_back => Manner::Revoked,
        _ => Manner::Good,
    }
}
