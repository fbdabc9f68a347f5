//! The authorities: who they are, who vouches for them, and what each may do.

use super::draft::{Draft, Signed, with_sha1};
use super::key::Secrets;
use super::terms::{KeyKind, PkiTerms, Validity};
use super::{PkiError, places};
use rcgen::{IsCa, KeyUsagePurpose};
use time::{Duration, OffsetDateTime};

/// Everybody who signs certificates in the lab, authority or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ca {
    /// Trusted by the lab's client. It answers OCSP itself.
    Root,
    /// Signs what servers show. Somebody else answers OCSP for it.
    Issuing,
    /// May sign for `permitted.badssl.test` alone.
    Constrained,
    /// May sign for all but `badssl.test`.
    Excluding,
    /// Two roots vouch for it; this is what the good one says.
    Second,
    /// This is what the root that nobody trusts says of the same key.
    SecondByStranger,
    /// Has an RSA key.
    Rsa,
    /// Its certificate is signed with SHA-1.
    Sha1,
    /// Stands below an authority that may have none below.
    TooDeep,
    /// Is no authority.
    Server,
    /// Is one, but its key is not for certificates.
    Unentitled,
    /// A root that nobody trusts.
    Stranger,
}

impl Ca {
    pub(super) const ALL: [Self; 12] = [
        Self::Root,
        Self::Issuing,
        Self::Constrained,
        Self::Excluding,
        Self::Second,
        Self::SecondByStranger,
        Self::Rsa,
        Self::Sha1,
        Self::TooDeep,
        Self::Server,
        Self::Unentitled,
        Self::Stranger,
    ];

    /// What its files are called.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Issuing => "issuing",
            Self::Constrained => "constrained",
            Self::Excluding => "excluding",
            Self::Second => "second",
            Self::SecondByStranger => "second-by-stranger",
            Self::Rsa => "rsa",
            Self::Sha1 => "sha1",
            Self::TooDeep => "too-deep",
            Self::Server => "not-a-ca",
            Self::Unentitled => "ca-key-usage",
            Self::Stranger => "stranger",
        }
    }

    /// The common name of its subject.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Root => "glasstack lab root",
            Self::Issuing => "glasstack lab issuing CA",
            Self::Constrained => "glasstack lab CA for one name",
            Self::Excluding => "glasstack lab CA for other names",
            Self::Second | Self::SecondByStranger => "glasstack lab second CA",
            Self::Rsa => "glasstack lab RSA CA",
            Self::Sha1 => "glasstack lab SHA-1 CA",
            Self::TooDeep => "glasstack lab CA too deep",
            Self::Server => "glasstack lab server that signs",
            Self::Unentitled => "glasstack lab CA without the right to sign",
            Self::Stranger => "a root that nobody trusts",
        }
    }

    /// Who vouches for it; nobody for a root.
    pub(super) fn parent(self) -> Option<Self> {
        match self {
            Self::Root | Self::Stranger => None,
            Self::SecondByStranger => Some(Self::Stranger),
            Self::Sha1 => Some(Self::Rsa),
            Self::TooDeep => Some(Self::Issuing),
            _ => Some(Self::Root),
        }
    }

    /// Whose key it has.
    fn key_owner(self) -> String {
        let owner = if self == Self::SecondByStranger { Self::Second } else { self };
        owner.owner()
    }

    /// What its key and serial number are derived from.
    pub(super) fn owner(self) -> String {
        format!("authority {}", self.label())
    }

    /// What stands between a certificate of this authority and the root, as its server shows it.
    pub(super) fn chain(self) -> Vec<Self> {
        match self {
            Self::Second => vec![Self::SecondByStranger, Self::Second],
            Self::Stranger => vec![Self::Stranger],
            _ => {
                let above = |ca: &Self| ca.parent().filter(|parent| *parent != Self::Root);
                std::iter::successors(Some(self), above).collect()
            }
        }
    }

    /// Its certificate; `parent` is who vouches for it.
    pub(super) fn sign(
        self,
        parent: Option<&Signed>,
        terms: &PkiTerms,
        now: OffsetDateTime,
        secrets: &Secrets,
    ) -> Result<Signed, PkiError> {
        let owner = self.owner();
        let draft = self.draft(terms, now);
        let Some((parent, by)) = parent.zip(self.parent()) else { return draft.self_signed(&owner, secrets) };
        let key = match self {
            Self::Rsa => Secrets::rsa_authority()?,
            _ => secrets.key(&self.key_owner(), KeyKind::Usual)?,
        };
        let mut signed = draft.found_at(&places(by)).signed_by(parent, &owner, key, secrets)?;
        if self == Self::Sha1 {
            signed.der = with_sha1(&signed.der, &parent.key).ok_or(PkiError::Key)?;
        }
        Ok(signed)
    }

    fn draft(self, terms: &PkiTerms, now: OffsetDateTime) -> Draft {
        let (month, year) = (Duration::days(30), Duration::days(365));
        let usual = (now - year, now + year * 4);
        let dates = match (self, terms.intermediate) {
            (Self::Root, _) => (now - year * 6, now + year * 14),
            (Self::Issuing, Validity::Expired) => (now - year * 5, now - month),
            (Self::Issuing, Validity::NotYetValid) => (now + month, now + year * 5),
            _ => usual,
        };
        let authority = |below| Draft::authority(self.name(), below, dates);
        match self {
            Self::Root | Self::Stranger => authority(None),
            Self::Rsa => authority(Some(1)),
            Self::Constrained => authority(Some(0)).constrained(&["permitted.badssl.test"], &[]),
            Self::Excluding => authority(Some(0)).constrained(&[], &["badssl.test"]),
            Self::Server => authority(None).edit(|params| params.is_ca = IsCa::ExplicitNoCa),
            Self::Unentitled => authority(Some(0)).edit(|params| {
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::CrlSign];
            }),
            _ => authority(Some(0)),
        }
    }
}
