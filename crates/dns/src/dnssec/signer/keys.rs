//! The keys of a zone that we sign ourselves.

use crate::dnssec::TrustAnchors;
use crate::dnssec::crypto::{self, ED25519, PrivateKey, SHA_256};
use crate::name::DnsName;
use crate::record::{Dnskey, Ds, Record, RecordData};
use std::fmt;
use std::sync::Arc;

/// A zone's keys, private parts and all: Ed25519 (RFC 8080).
#[derive(Clone)]
pub struct ZoneKeys {
    zone: DnsName,
    /// Signs the keys; the rest as well if there is no other.
    key_signing: Arc<SigningKey>,
    zone_signing: Option<Arc<SigningKey>>,
}

/// One key.
pub(super) struct SigningKey {
    private: PrivateKey,
    public: Dnskey,
    key_tag: u16,
}

impl ZoneKeys {
    /// Two keys: one signs the keys, and others point at it; the other signs the rest (RFC 6781 3.1).
    /// Every zone and every seed has its own.
    pub fn from_seed(zone: &DnsName, seed: &[u8; 32]) -> Self {
        let zone_signing = Some(Arc::new(SigningKey::derive(zone, seed, 256)));
        Self { zone_signing, ..Self::single_from_seed(zone, seed) }
    }

    /// One key that signs everything.
    pub fn single_from_seed(zone: &DnsName, seed: &[u8; 32]) -> Self {
        let key_signing = Arc::new(SigningKey::derive(zone, seed, 257));
        Self { zone: zone.clone(), key_signing, zone_signing: None }
    }

    /// The zone.
    pub fn zone(&self) -> &DnsName {
        &self.zone
    }

    /// The public keys.
    pub fn dnskeys(&self) -> Vec<Dnskey> {
        self.all().map(|key| key.public.clone()).collect()
    }

    /// The public keys as the zone's records; `ttl` is in seconds.
    pub fn dnskey_records(&self, ttl: u32) -> Vec<Record> {
        let record = |key| Record { owner: self.zone.clone(), ttl, data: RecordData::Dnskey(key) };
        self.dnskeys().into_iter().map(record).collect()
    }

    /// What the zone above says of them.
    pub fn ds(&self) -> Option<Ds> {
        self.key_signing.public.to_ds(&self.zone, SHA_256)
    }

    /// The same as a record for the zone above; `ttl` is in seconds.
    pub fn ds_record(&self, ttl: u32) -> Option<Record> {
        Some(Record { owner: self.zone.clone(), ttl, data: RecordData::Ds(self.ds()?) })
    }

    /// A DS record that fits no key, as after a change of keys that the zone above was not told of.
    pub fn wrong_ds_record(&self, ttl: u32) -> Option<Record> {
        let mut ds = self.ds()?;
        ds.digest.iter_mut().for_each(|byte| *byte = !*byte);
        Some(Record { owner: self.zone.clone(), ttl, data: RecordData::Ds(ds) })
    }

    /// The trust anchor for whoever trusts this zone.
    pub fn trust_anchor(&self) -> TrustAnchors {
        TrustAnchors::new(self.ds_record(0))
    }

    /// The keys that sign the key set, or everything else.
    pub(super) fn signing(&self, the_keys: bool) -> impl Iterator<Item = &SigningKey> {
        let key = match &self.zone_signing {
            Some(zone_signing) if !the_keys => zone_signing,
            _ => &self.key_signing,
        };
        std::iter::once(&**key)
    }

    fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&*self.key_signing).chain(self.zone_signing.as_deref())
    }
}

impl fmt::Debug for ZoneKeys {
    /// The tags alone: private keys are not for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<u16> = self.all().map(|key| key.key_tag).collect();
        write!(f, "ZoneKeys({} {tags:?})", self.zone)
    }
}

impl SigningKey {
    /// The key of these flags that belongs to the zone and the seed.
    fn derive(zone: &DnsName, seed: &[u8; 32], flags: u16) -> Self {
        let mut from = seed.to_vec();
        from.extend(flags.to_be_bytes());
        from.extend(zone.to_wire());
        let private = PrivateKey::from_seed(&crypto::sha256(&from));
        let public = Dnskey { flags, protocol: 3, algorithm: ED25519, public_key: private.public() };
        let key_tag = public.key_tag();
        Self { private, public, key_tag }
    }

    pub(super) fn algorithm(&self) -> u8 {
        self.public.algorithm
    }

    pub(super) fn key_tag(&self) -> u16 {
        self.key_tag
    }

    pub(super) fn sign(&self, data: &[u8]) -> Vec<u8> {
        self.private.sign(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::name;

    #[test]
    fn a_seed_makes_the_same_keys_again_and_other_ones_for_another_zone() {
        let keys = |zone: &str, seed| ZoneKeys::from_seed(&name(zone), &[seed; 32]).dnskeys();
        assert_eq!(keys("test", 1), keys("test", 1));
        assert_ne!(keys("test", 1), keys("test", 2));
        assert_ne!(keys("test", 1), keys("example", 1));
        assert_ne!(keys("test", 1)[0].public_key, keys("test", 1)[1].public_key);
    }

    #[test]
    fn what_is_said_of_keys_shows_no_secret() {
        let keys = ZoneKeys::from_seed(&name("test"), &[1; 32]);
        let tags: Vec<u16> = keys.dnskeys().iter().map(Dnskey::key_tag).collect();
        assert_eq!(format!("{keys:?}"), format!("ZoneKeys(test {tags:?})"));
    }
}
