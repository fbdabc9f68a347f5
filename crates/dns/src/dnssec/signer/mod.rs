//! Signing a zone: keys from a seed, signatures made when they are asked for, the chain of names that
//! exist, and mistakes made on purpose.
//!
//! ```text
//!   ZoneKeys::from_seed --- ds() ---> a record for the zone above, or a trust anchor
//!        |
//!   Signer --- sign_zone(zone) ---> the zone with DNSKEY, and NSEC or NSEC3 records;
//!        |                          it asks the signer for its signatures when it answers
//!        +---- signed_text(zone) -> the whole zone with all signatures, as a file
//! ```
//!
//! The same seed makes the same keys, and the same keys make the same signatures, byte for byte.

mod chain;
mod flaw;
mod keys;

pub use chain::{Denial, Nsec3Settings};
pub use flaw::{Flaw, FlawAt};
pub use keys::ZoneKeys;

use crate::dnssec::sets::signed_data;
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType, Rrsig};
use crate::zone::{Sign, Zone, ZoneError};
use glasstack_journal::WallTime;
use keys::SigningKey;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many signatures are remembered; then they are made anew.
const REMEMBERED: usize = 100_000;

/// How a zone is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOptions {
    /// Since when signatures hold.
    pub inception: WallTime,
    /// Until when.
    pub expiration: WallTime,
    /// How the zone proves that something does not exist.
    pub denial: Denial,
    /// The TTL of the DNSKEY records, in seconds.
    pub key_ttl: u32,
}

impl SignOptions {
    /// Signatures that hold from an hour before `now` (clocks differ) until `lifetime` after it, and
    /// NSEC records.
    pub fn from(now: WallTime, lifetime: Duration) -> Self {
        Self {
            inception: WallTime::from_unix_seconds(now.unix_seconds().saturating_sub(3600)),
            expiration: now + lifetime,
            denial: Denial::Nsec,
            key_ttl: 3600,
        }
    }
}

/// Signs the sets of one zone, and remembers the signatures.
pub struct Signer {
    keys: ZoneKeys,
    options: SignOptions,
    flaws: Vec<FlawAt>,
    made: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Signer {
    /// One with these keys.
    pub fn new(keys: ZoneKeys, options: SignOptions) -> Self {
        Self { keys, options, flaws: Vec::new(), made: Mutex::default() }
    }

    /// One that makes a mistake besides; the first that fits a set is made.
    #[must_use]
    pub fn with_flaw(mut self, flaw: FlawAt) -> Self {
        self.flaws.push(flaw);
        self
    }

    /// The keys.
    pub fn keys(&self) -> &ZoneKeys {
        &self.keys
    }

    /// The zone with DNSKEY records and the chain of its names, which asks this signer for signatures.
    /// What is added to it afterwards is not in the chain. The zone must be that of the keys.
    pub fn sign_zone(self, zone: Zone) -> Result<Zone, ZoneError> {
        let zone = self.prepare(zone)?;
        Ok(zone.signed_by(Arc::new(self)))
    }

    /// All records of the zone with their signatures, as a zone file: what `ldns-verify-zone` and
    /// `dnssec-verify` judge.
    pub fn signed_text(&self, zone: Zone) -> Result<String, ZoneError> {
        Ok(self.signed_records(zone)?.iter().map(|record| format!("{record}\n")).collect())
    }

    /// All records of the zone with their signatures.
    pub fn signed_records(&self, zone: Zone) -> Result<Vec<Record>, ZoneError> {
        let zone = self.prepare(zone)?;
        let records: Vec<Record> = zone.records().cloned().collect();
        let mut sets: BTreeMap<(Vec<u8>, u16), Vec<Record>> = BTreeMap::new();
        for record in &records {
            let key = (record.owner.to_wire(), record.record_type().number());
            sets.entry(key).or_default().push(record.clone());
        }
        let mut all = records.clone();
        for set in sets.values() {
            let Some(first) = set.first() else { continue };
            if chain::is_signed(&zone, &first.owner, first.record_type()) {
                all.extend(self.sign(set));
            }
        }
        Ok(all)
    }

    /// The zone with DNSKEY records and the chain of its names, and nothing signed.
    pub fn prepare(&self, mut zone: Zone) -> Result<Zone, ZoneError> {
        if zone.origin() != self.keys.zone() {
            let (name, origin) = (self.keys.zone().clone(), zone.origin().clone());
            return Err(ZoneError::Outside { name, origin });
        }
        for record in self.keys.dnskey_records(self.options.key_ttl) {
            zone.add_record(record)?;
        }
        chain::add(&mut zone, &self.options.denial)?;
        Ok(zone)
    }

    fn sign_with(&self, key: &SigningKey, set: &[Record], flaw: Option<Flaw>) -> Option<Record> {
        let first = set.first()?;
        let (inception, expiration) = (seconds(self.options.inception), seconds(self.options.expiration));
        let mut rrsig = Rrsig {
            type_covered: first.record_type(),
            algorithm: key.algorithm(),
            labels: u8::try_from(labels(&first.owner)).ok()?,
            original_ttl: first.ttl,
            expiration,
            inception,
            key_tag: key.key_tag(),
            signer: self.keys.zone().clone(),
            signature: Vec::new(),
        };
        if let Some(flaw) = flaw {
            flaw.before(&mut rrsig);
        }
        let data = signed_data(&rrsig, &first.owner, set)?;
        rrsig.signature = self.signature(key, data);
        if let Some(flaw) = flaw {
            flaw.after(&mut rrsig);
        }
        Some(Record { owner: first.owner.clone(), ttl: first.ttl, data: RecordData::Rrsig(rrsig) })
    }

    fn signature(&self, key: &SigningKey, data: Vec<u8>) -> Vec<u8> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signature) = made.get(&data) {
            return signature.clone();
        }
        if made.len() >= REMEMBERED {
            made.clear();
        }
        let signature = key.sign(&data);
        made.insert(data, signature.clone());
        signature
    }
}

impl Sign for Signer {
    fn sign(&self, set: &[Record]) -> Vec<Record> {
        let Some(first) = set.first() else { return Vec::new() };
        let flaw =
            self.flaws.iter().find(|flaw| flaw.fits(&first.owner, first.record_type())).map(|at| at.flaw);
        if flaw == Some(Flaw::Missing) {
            return Vec::new();
        }
        let is_keys = first.record_type() == RecordType::Dnskey;
        self.keys.signing(is_keys).filter_map(|key| self.sign_with(key, set, flaw)).collect()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("keys", &self.keys)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// RFC 4034 3.1.5: modulo 2^32.
fn seconds(time: WallTime) -> u32 {
    u32::try_from(time.unix_seconds() & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

/// RFC 4034 3.1.3: a wildcard's asterisk is not counted.
fn labels(owner: &DnsName) -> usize {
    owner.label_count() - usize::from(owner.is_wildcard())
}
