//! How the lab's zones are signed: by Ed25519 keys from the seed, on demand, rightly or wrongly.

use crate::fault::SigningFlaw;
use glasstack_dns::dnssec::TrustAnchors;
use glasstack_dns::dnssec::signer::{Denial, Flaw, FlawAt, Nsec3Settings, SignOptions, Signer, ZoneKeys};
use glasstack_dns::{DnsName, Record};
use glasstack_dns::{Zone, ZoneError};
use glasstack_journal::WallTime;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// How long signatures hold.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long before or after that those hold that are expired or not yet valid.
const FAR_OFF: Duration = Duration::from_secs(60 * 24 * 3600);
/// The TTL of DS records, in seconds: a day, as those of the root.
const DS_TTL: u32 = 86_400;

/// How one zone is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Rightly, and what is not there is denied by NSEC (RFC 4034 4).
    #[default]
    Usual,
    /// Rightly, and what is not there is denied by NSEC3 (RFC 5155).
    Nsec3,
    /// Wrongly, or not at all.
    Flawed(SigningFlaw),
}

impl Manner {
    /// What a topology may say.
    pub(crate) const WORDS: [&str; 7] =
        ["nsec3", "expired", "postdated", "omitted", "forged", "wrong-ds", "unsigned"];
}

impl FromStr for Manner {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "nsec3" => Self::Nsec3,
            "expired" => Self::Flawed(SigningFlaw::Expired),
            "postdated" => Self::Flawed(SigningFlaw::NotYetValid),
            "omitted" => Self::Flawed(SigningFlaw::Omitted),
            "forged" => Self::Flawed(SigningFlaw::Forged),
            "wrong-ds" => Self::Flawed(SigningFlaw::WrongDs),
            "unsigned" => Self::Flawed(SigningFlaw::Unsigned),
            _ => return Err(format!("`{word}` is no way to sign a zone: {}", Self::WORDS.join(", "))),
        })
    }
}

/// Who signs the zones, and how.
pub(crate) struct Signing {
    seed: [u8; 32],
    now: WallTime,
    manners: BTreeMap<DnsName, Manner>,
}

impl Signing {
    /// Everybody signs rightly, but for these.
    pub(crate) fn new(seed: [u8; 32], now: WallTime, flaws: BTreeMap<DnsName, SigningFlaw>) -> Self {
        let manners = flaws.into_iter().map(|(zone, flaw)| (zone, Manner::Flawed(flaw))).collect();
        Self { seed, now, manners }
    }

    /// A zone is signed in this way, unless a fault says otherwise.
    pub(crate) fn by_the_topology(&mut self, zone: &DnsName, manner: Manner) {
        self.manners.entry(zone.clone()).or_insert(manner);
    }

    /// What the zone above says of this one's keys: nothing of a zone that is not signed.
    pub(crate) fn ds(&self, zone: &DnsName) -> Option<Record> {
        // They do not speak of the key that signs the rest.
        let keys = || ZoneKeys::single_from_seed(zone, &self.seed);
        match self.manner(zone) {
            Manner::Flawed(SigningFlaw::Unsigned) => None,
            Manner::Flawed(SigningFlaw::WrongDs) => keys().wrong_ds_record(DS_TTL),
            _ => keys().ds_record(DS_TTL),
        }
    }

    /// Whom a resolver trusts that begins at the root; nobody, where the root is not signed.
    pub(crate) fn trust_anchors(&self) -> TrustAnchors {
        TrustAnchors::new(self.ds(&DnsName::root()))
    }

    /// The zone with its keys, and signatures as soon as somebody asks for them.
    pub(crate) fn sign(&self, zone: Zone) -> Result<Zone, ZoneError> {
        let manner = self.manner(zone.origin());
        if manner == Manner::Flawed(SigningFlaw::Unsigned) {
            return Ok(zone);
        }
        let mut options = SignOptions::from(self.now, LIFETIME);
        if manner == Manner::Nsec3 {
            options.denial = Denial::Nsec3(Nsec3Settings::default());
        }
        let flaw = match manner {
            Manner::Flawed(SigningFlaw::Omitted) => Some(Flaw::Missing),
            Manner::Flawed(SigningFlaw::Forged) => Some(Flaw::Forged),
            Manner::Flawed(SigningFlaw::Expired) => {
                let then = self.now.unix_seconds().saturating_sub(FAR_OFF.as_secs());
                options = SignOptions::from(WallTime::from_unix_seconds(then), LIFETIME);
                None
            }
            Manner::Flawed(SigningFlaw::NotYetValid) => {
                options = SignOptions::from(self.now + FAR_OFF, LIFETIME);
                None
            }
            _ => None,
        };
        let mut signer = Signer::new(ZoneKeys::from_seed(zone.origin(), &self.seed), options);
        if let Some(flaw) = flaw {
            signer = signer.with_flaw(FlawAt { flaw, name: None, record_type: None });
        }
        signer.sign_zone(zone)
    }

    fn manner(&self, zone: &DnsName) -> Manner {
        self.manners.get(zone).copied().unwrap_or_default()
    }
}
