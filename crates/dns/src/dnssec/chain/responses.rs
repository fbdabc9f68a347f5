//! What responses about DS and DNSKEY records say (RFC 4035 5.2).

use super::{Below, Job, Stepped, bogus, not_verified};
use crate::dnssec::checks::Checks;
use crate::dnssec::crypto;
use crate::dnssec::denial::{Cut, Denial};
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::link::{DsSeen, KeySeen, Link, Step};
use crate::dnssec::reason::{Check, Reason, SignatureFault};
use crate::dnssec::remembered::Found;
use crate::dnssec::sets::{Section, SignedSet};
use crate::dnssec::verify::NotVerified;
use crate::message::Message;
use crate::name::DnsName;
use crate::record::{Dnskey, Ds, Record, RecordData, RecordType};
use std::sync::Arc;

/// Who vouches for a zone's keys.
pub(super) struct Vouchers<'a> {
    pub(super) ds: &'a [Ds],
    pub(super) keys: &'a [Dnskey],
    /// Where that is traced to.
    pub(super) anchor: &'a DnsName,
    pub(super) is_anchor: bool,
}

impl Vouchers<'_> {
    /// None of `keys` is vouched for.
    fn nobody(&self, zone: &DnsName, keys: &[Dnskey]) -> Reason {
        let mut wanted: Vec<u16> = self.ds.iter().map(|ds| ds.key_tag).collect();
        wanted.extend(self.keys.iter().map(Dnskey::key_tag));
        wanted.sort_unstable();
        wanted.dedup();
        let found = keys.iter().map(Dnskey::key_tag).collect();
        Reason::NoSuchKey { zone: zone.clone(), wanted, found, anchor: self.is_anchor }
    }
}

impl Job<'_> {
    /// What a response about DS says; the error is a bogus step.
    pub(super) fn read_ds(
        &mut self,
        name: &DnsName,
        above: &TrustedKeys,
        response: &Message,
    ) -> Result<Below, Stepped> {
        let sets = SignedSet::of(Section::Answer, &response.answers);
        if let Some(set) = sets.iter().find(|set| set.is_of(name, RecordType::Ds)) {
            return self.read_ds_set(name, above, set);
        }
        // An alias is no zone cut (RFC 2181 10.1).
        if let Some(set) = sets.iter().find(|set| set.is_of(name, RecordType::Cname)) {
            let link = Link::new(name, &above.zone, Step::NoCut);
            return match self.verify_exact(set, above) {
                Ok(verified) => Ok(Below::Known(Stepped {
                    found: Found::SameZone,
                    ttl: verified.ttl,
                    links: vec![link.signed(verified.signed_by)],
                })),
                Err(reason) => Err(bogus(link, reason)),
            };
        }
        self.read_no_ds(name, above, response).map(Below::Known)
    }

    fn read_ds_set(
        &mut self,
        name: &DnsName,
        above: &TrustedKeys,
        set: &SignedSet,
    ) -> Result<Below, Stepped> {
        let all: Vec<Ds> = set.records.iter().filter_map(ds_of).cloned().collect();
        let records = all.iter().map(|ds| DsSeen {
            key_tag: ds.key_tag,
            algorithm: ds.algorithm,
            digest_type: ds.digest_type,
        });
        let link = Link::new(name, &above.zone, Step::Ds { records: records.collect() });
        let verified = match self.verify_exact(set, above) {
            Ok(verified) => verified,
            Err(reason) => return Err(bogus(link, reason)),
        };
        let mut link = link.signed(verified.signed_by);
        let ds = usable_ds(&all, &self.checks);
        if !ds.is_empty() {
            return Ok(Below::Signed { ds, ttl: verified.ttl, link });
        }
        // RFC 4035 5.2: "If the validator does not support any of the algorithms listed in an
        // authenticated DS RRset, then ... treat the child zone as if it were unsigned."
        let known = |ds: &&Ds| self.checks.knows_algorithm(ds.algorithm);
        let reason = if all.iter().any(|ds| known(&ds)) {
            let digests = all.iter().filter(known).map(|ds| ds.digest_type).collect();
            Reason::UnknownDigests { zone: name.clone(), digests }
        } else {
            let algorithms = all.iter().map(|ds| ds.algorithm).collect();
            Reason::UnknownAlgorithms { zone: name.clone(), algorithms }
        };
        link.judge(&reason);
        Ok(Below::Known(Stepped { found: Found::Insecure(reason), ttl: verified.ttl, links: vec![link] }))
    }

    fn read_no_ds(
        &mut self,
        name: &DnsName,
        above: &TrustedKeys,
        response: &Message,
    ) -> Result<Stepped, Stepped> {
        let mut link = Link::new(name, &above.zone, Step::NoDs);
        let denials = match self.denials(&response.authorities, above) {
            Ok(denials) => denials,
            Err(reason) => return Err(bogus(link, reason)),
        };
        link.signed_by.clone_from(&denials.signed_by);
        let most = self.validator.limits().iterations;
        let cut = Denial::new(&above.zone, &denials.records, most).cut(name, &mut self.checks);
        let zone = || above.zone.clone();
        let found = match cut {
            Ok(Cut::None) => Found::SameZone,
            Ok(Cut::NoName) => Found::Nothing,
            Ok(Cut::Unsigned) => Found::Insecure(Reason::UnsignedZone { zone: name.clone(), parent: zone() }),
            Ok(Cut::OptOut) => Found::Insecure(Reason::OptOut { name: name.clone(), zone: zone() }),
            Ok(Cut::TooManyIterations(iterations)) => {
                Found::Insecure(Reason::TooManyIterations { zone: zone(), iterations, most })
            }
            Err(not_proved) => {
                let reason = not_proved.of(name, RecordType::Ds, &above.zone);
                return Err(bogus(link, denials.unusable.unwrap_or(reason)));
            }
        };
        match &found {
            Found::Insecure(reason) => link.judge(reason),
            _ => link.step = Step::NoCut,
        }
        Ok(Stepped { found, ttl: denials.ttl, links: vec![link] })
    }

    /// What a response about DNSKEY says; the error is a bogus step.
    pub(super) fn read_keys(
        &mut self,
        zone: &DnsName,
        vouchers: &Vouchers<'_>,
        ttl: u32,
        response: &Message,
    ) -> Result<Stepped, Stepped> {
        let mut link = Link::new(zone, zone, Step::Keys { keys: Vec::new(), vouched: None });
        let sets = SignedSet::of(Section::Answer, &response.answers);
        let Some(set) = sets.iter().find(|set| set.is_of(zone, RecordType::Dnskey)) else {
            return Err(bogus(link, vouchers.nobody(zone, &[])));
        };
        let keys: Vec<Dnskey> = set.records.iter().filter_map(key_of).cloned().collect();
        let seen: Vec<KeySeen> = keys.iter().map(Dnskey::seen).collect();
        link.step = Step::Keys { keys: seen.clone(), vouched: None };
        let named = match self.vouched(zone, vouchers, &keys) {
            Ok(named) if named.is_empty() => return Err(bogus(link, vouchers.nobody(zone, &keys))),
            Ok(named) => named,
            Err(reason) => return Err(bogus(link, reason)),
        };
        // RFC 4035 5.2: "The matching DNSKEY RR in the child's apex DNSKEY RRset has the Zone Flag bit set".
        let Some(first) = named.iter().find(|key| key.is_zone_key() && !key.is_revoked()) else {
            let key_tag = named.first().map_or(0, Dnskey::key_tag);
            let revoked = named.iter().any(Dnskey::is_revoked);
            let fault = SignatureFault::Revoked { key_tag };
            let reason = match revoked {
                true => not_verified(NotVerified::Fault(fault), set, zone),
                false => Reason::NotAZoneKey { zone: zone.clone(), key_tag },
            };
            return Err(bogus(link, reason));
        };
        let entry = TrustedKeys::new(zone.clone(), vouchers.anchor.clone(), &named);
        let verified = self.verify_exact(set, &entry);
        let by = verified.as_ref().map_or(first.key_tag(), |verified| verified.signed_by.key_tag);
        link.step = Step::Keys { keys: seen, vouched: Some(by) };
        match verified {
            Ok(verified) => {
                let keys = TrustedKeys::new(zone.clone(), vouchers.anchor.clone(), &keys);
                Ok(Stepped {
                    found: Found::Zone(Arc::new(keys)),
                    ttl: ttl.min(verified.ttl),
                    links: vec![link.signed(verified.signed_by)],
                })
            }
            Err(reason) => Err(bogus(link, reason)),
        }
    }

    /// Those of a zone's keys that somebody vouches for (RFC 4035 5.2).
    fn vouched(
        &mut self,
        zone: &DnsName,
        vouchers: &Vouchers<'_>,
        keys: &[Dnskey],
    ) -> Result<Vec<Dnskey>, Reason> {
        let mut named: Vec<Dnskey> = Vec::new();
        for key in keys {
            let key_tag = key.key_tag();
            let mut is_named = vouchers.keys.contains(key);
            let about_it = |ds: &&Ds| ds.key_tag == key_tag && ds.algorithm == key.algorithm;
            for ds in vouchers.ds.iter().filter(about_it) {
                if is_named {
                    break;
                }
                self.checks.spend(Check::Digests, 1)?;
                is_named = key.to_ds(zone, ds.digest_type).is_some_and(|made| made.digest == ds.digest);
            }
            if is_named {
                named.push(key.clone());
            }
        }
        Ok(named)
    }
}

/// The DS records that count: those that we know, and of these no SHA-1 where there is better
/// (RFC 4509 3).
fn usable_ds(all: &[Ds], checks: &Checks) -> Vec<Ds> {
    let known = || all.iter().filter(|ds| knows(ds, checks));
    let better = known().any(|ds| ds.digest_type != crypto::SHA_1);
    known().filter(|ds| !better || ds.digest_type != crypto::SHA_1).cloned().collect()
}

pub(super) fn knows(ds: &Ds, checks: &Checks) -> bool {
    checks.knows_algorithm(ds.algorithm) && crypto::knows_digest(ds.digest_type)
}

fn ds_of(record: &Record) -> Option<&Ds> {
    match &record.data {
        RecordData::Ds(ds) => Some(ds),
        _ => None,
    }
}

fn key_of(record: &Record) -> Option<&Dnskey> {
    match &record.data {
        RecordData::Dnskey(key) => Some(key),
        _ => None,
    }
}
