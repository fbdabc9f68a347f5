//! Keys of a zone: their tags, their digests, and which of them may sign what.

use crate::dnssec::crypto;
use crate::dnssec::link::KeySeen;
use crate::name::DnsName;
use crate::record::{Dnskey, Ds, RecordData};

/// The flag of a key that signs a zone's records (RFC 4034 2.1.1).
const ZONE_KEY: u16 = 0x0100;
/// The flag of a key that others should point at (RFC 4034 2.1.1).
const SECURE_ENTRY_POINT: u16 = 0x0001;
/// The flag of a key that is no longer used (RFC 5011 2.1).
const REVOKED: u16 = 0x0080;
/// The only protocol (RFC 4034 2.1.2).
const PROTOCOL: u8 = 3;

impl Dnskey {
    /// The tag that signatures and DS records call it by (RFC 4034 B). Several keys may share one.
    pub fn key_tag(&self) -> u16 {
        key_tag(&self.canonical_data())
    }

    /// Whether it may sign the records of a zone.
    pub fn is_zone_key(&self) -> bool {
        self.flags & ZONE_KEY != 0 && self.protocol == PROTOCOL
    }

    /// Whether it is meant to be pointed at by a DS record or a trust anchor.
    pub fn is_entry_point(&self) -> bool {
        self.flags & SECURE_ENTRY_POINT != 0
    }

    /// Whether its owner has taken it out of use (RFC 5011 2.1).
    pub fn is_revoked(&self) -> bool {
        self.flags & REVOKED != 0
    }

    /// The DS record with which the parent of `zone` vouches for it (RFC 4034 5.1.4); none for a
    /// digest type that is unknown here.
    pub fn to_ds(&self, zone: &DnsName, digest_type: u8) -> Option<Ds> {
        let mut data = zone.to_wire();
        data.extend(self.canonical_data());
        let digest = crypto::digest(digest_type, &data)?;
        Some(Ds { key_tag: self.key_tag(), algorithm: self.algorithm, digest_type, digest })
    }

    pub(crate) fn seen(&self) -> KeySeen {
        KeySeen { key_tag: self.key_tag(), algorithm: self.algorithm, flags: self.flags }
    }

    fn canonical_data(&self) -> Vec<u8> {
        RecordData::Dnskey(self.clone()).canonical_bytes()
    }
}

/// RFC 4034 B: a sum of the data, two bytes each.
fn key_tag(data: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in data.chunks(2) {
        let high = pair.first().copied().unwrap_or(0);
        let low = pair.get(1).copied().unwrap_or(0);
        sum = sum.wrapping_add(u32::from(u16::from_be_bytes([high, low])));
    }
    sum = sum.wrapping_add(sum >> 16 & 0xffff);
    u16::try_from(sum & 0xffff).unwrap_or(0)
}

/// The keys of a zone that is known to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedKeys {
    pub(crate) zone: DnsName,
    /// Those that may sign the zone's records, by their tags.
    pub(crate) keys: Vec<(u16, Dnskey)>,
    /// Those of the zone that may not, as they are revoked.
    pub(crate) revoked: Vec<u16>,
    /// Whose trust anchor they are traced to.
    pub(crate) anchor: DnsName,
}

impl TrustedKeys {
    /// Those of `set` that may sign.
    pub(crate) fn new(zone: DnsName, anchor: DnsName, set: &[Dnskey]) -> Self {
        let tagged = |key: &Dnskey| (key.key_tag(), key.clone());
        let keys = set.iter().filter(|key| key.is_zone_key() && !key.is_revoked()).map(tagged).collect();
        let revoked = set.iter().filter(|key| key.is_revoked()).map(Dnskey::key_tag).collect();
        Self { zone, keys, revoked, anchor }
    }

    /// How much memory the keys take, about, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let each = |(_, key): &(u16, Dnskey)| size_of::<(u16, Dnskey)>() + key.public_key.len();
        self.keys.iter().map(each).sum::<usize>() + self.revoked.len() * size_of::<u16>()
    }

    /// The keys that a signature may mean: tags are no more than a hint (RFC 4034 B).
    pub(crate) fn candidates(&self, key_tag: u16, algorithm: u8) -> impl Iterator<Item = &Dnskey> {
        self.keys
            .iter()
            .filter(move |(tag, key)| *tag == key_tag && key.algorithm == algorithm)
            .map(|(_, key)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::{base64, hex, name};

    /// RFC 4034 5.4: a key and its DS record.
    fn example_key() -> Dnskey {
        let key = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx\
                   egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
        Dnskey { flags: 256, protocol: 3, algorithm: 5, public_key: base64(key) }
    }

    #[test]
    fn a_key_has_the_tag_and_the_digest_of_rfc_4034() {
        assert_eq!(example_key().key_tag(), 60_485);
        let ds = example_key().to_ds(&name("dskey.example.com"), 1).unwrap();
        assert_eq!(ds.digest, hex("2BB183AF5F22588179A53B0A98631FAD1A292118"));
        // RFC 4509 2.3
        let ds = example_key().to_ds(&name("dskey.example.com"), 2).unwrap();
        assert_eq!(ds.digest, hex("D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A"));
        assert_eq!(example_key().to_ds(&name("dskey.example.com"), 3), None);
    }

    #[test]
    fn flags_say_what_a_key_may() {
        let key = |flags| Dnskey { flags, ..example_key() };
        assert!(key(256).is_zone_key() && !key(256).is_entry_point());
        assert!(key(257).is_entry_point() && !key(257).is_revoked());
        assert!(key(385).is_revoked());
        assert!(!key(0).is_zone_key());
        assert!(!Dnskey { protocol: 1, ..key(256) }.is_zone_key());
        let trusted = TrustedKeys::new(name("x"), name("."), &[key(256), key(385), key(0)]);
        assert_eq!(trusted.keys.len(), 1);
        assert_eq!(trusted.revoked, [key(385).key_tag()]);
    }
}
