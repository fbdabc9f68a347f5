//! The chain of trust (RFC 4035 5.2): from an anchor down to the zone that a name is in, by the DS and
//! DNSKEY records on the way. What the responses about these say is in `responses`.

mod responses;

use crate::dnssec::anchors::{Anchor, Nearest};
use crate::dnssec::checks::Checks;
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::link::{Link, SignedBy, Step};
use crate::dnssec::reason::{Check, Reason, SignatureFault};
use crate::dnssec::remembered::{Entry, Found};
use crate::dnssec::sets::{Section, SignedSet};
use crate::dnssec::validator::{Fetch, Validator};
use crate::dnssec::verify::{NotVerified, Verified, verify};
use crate::error::ResolveError;
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::record::{Dnskey, Ds, Record, RecordType, Rrsig};
use glasstack_stack::Host;
use responses::{Vouchers, knows};
use std::sync::Arc;
use std::time::Duration;

/// One question being looked into.
pub(crate) struct Job<'a> {
    pub(crate) validator: &'a Validator,
    pub(crate) host: &'a Host,
    pub(crate) fetch: &'a dyn Fetch,
    /// By which signatures are judged, in seconds since 1970, modulo 2^32.
    pub(crate) now: u32,
    pub(crate) checks: Checks,
    pub(crate) chain: Vec<Link>,
    /// The zones whose keys were needed.
    pub(crate) zones: Vec<Arc<TrustedKeys>>,
}

/// How many more servers are asked for keys when those that came do not hold: one of a zone's servers
/// may be wrong.
const ELSEWHERE: u32 = 3;

/// Keys of a zone that are remembered, in bytes; who has more has them checked anew for every question. Eight RSA keys
/// of 4096 bits are less.
const LARGEST: usize = 8 * 1024;

/// A step down, how long it may be remembered, and how it was made.
struct Stepped {
    found: Found,
    /// In seconds.
    ttl: u32,
    links: Vec<Link>,
}

/// What is below a zone.
enum Below {
    /// A zone that is signed by one of these keys.
    Signed { ds: Vec<Ds>, ttl: u32, link: Link },
    /// Nothing that has to be asked further.
    Known(Stepped),
}

/// Verified records that deny something, and for how long they hold.
pub(crate) struct Denials {
    pub(crate) records: Vec<Record>,
    pub(crate) ttl: u32,
    pub(crate) signed_by: Option<SignedBy>,
    /// What is wrong with one that could not be used.
    pub(crate) unusable: Option<Reason>,
}

impl Job<'_> {
    /// The keys of the zone that `name` is in; of the zone that it is the topmost name of, if it is
    /// that. Otherwise why there are none.
    pub(crate) async fn keys_for(&mut self, name: &DnsName) -> Result<Arc<TrustedKeys>, Reason> {
        let validator = self.validator;
        let (top, anchor) = match validator.anchors().nearest(name) {
            Nearest::Anchor(zone, anchor) => (zone, anchor),
            Nearest::Unchecked(zone) => return Err(Reason::NegativeAnchor { zone: zone.clone() }),
            Nearest::None => return Err(Reason::NoAnchor { name: name.clone() }),
        };
        let mut keys = match self.look(top, None, anchor).await {
            Found::Zone(keys) => keys,
            Found::Insecure(reason) | Found::Bogus(reason) => return Err(reason),
            Found::SameZone | Found::Nothing => return Err(Reason::NoAnchor { name: name.clone() }),
        };
        // From the anchor down, a label each.
        let mut below: Vec<DnsName> = Vec::new();
        let mut at = name.clone();
        while at != *top {
            let Some(parent) = at.parent() else { break };
            below.push(std::mem::replace(&mut at, parent));
        }
        for child in below.into_iter().rev() {
            match self.look(&child, Some(&keys), anchor).await {
                Found::Zone(of_child) => keys = of_child,
                Found::SameZone => {}
                Found::Nothing => break,
                Found::Insecure(reason) | Found::Bogus(reason) => return Err(reason),
            }
        }
        self.use_zone(&keys);
        Ok(keys)
    }

    /// What is known of `name`, or found out now: below `above`, or at the anchor.
    async fn look(&mut self, name: &DnsName, above: Option<&Arc<TrustedKeys>>, anchor: &Anchor) -> Found {
        let now = self.host.now();
        if let Some(entry) = self.validator.remembered().get(name, now) {
            let links = entry.links.iter().map(|link| Link { remembered: true, ..link.clone() });
            let links: Vec<Link> = links.collect();
            let found = entry.found.clone();
            links.into_iter().for_each(|link| self.tell(link));
            return found;
        }
        let stepped = match above {
            Some(above) => self.step(name, above).await,
            None => self.begin(name, anchor).await,
        };
        let limits = self.validator.limits();
        let lifetime = match &stepped.found {
            // What this question could not afford, or did not get, the next one may.
            Found::Bogus(Reason::ChecksExceeded { .. } | Reason::Unavailable { .. }) => Duration::ZERO,
            Found::Bogus(_) => limits.bogus_ttl,
            // So many zones are remembered that each must be small.
            Found::Zone(keys) if keys.bytes() > LARGEST => Duration::ZERO,
            _ => Duration::from_secs(stepped.ttl.into()).min(limits.longest),
        };
        let now = self.host.now();
        let (found, links) = (stepped.found.clone(), stepped.links.clone());
        let entry = Entry { found, links, expires: now + lifetime };
        self.validator.remembered().put(name.clone(), entry, now);
        stepped.links.into_iter().for_each(|link| self.tell(link));
        stepped.found
    }

    /// The zone of a trust anchor: its keys, signed by one that is trusted.
    async fn begin(&mut self, zone: &DnsName, anchor: &Anchor) -> Stepped {
        let mut link = Link::new(zone, zone, Step::Anchor { key_tags: anchor.key_tags() });
        let vouched: Vec<Ds> = anchor.ds.iter().filter(|ds| knows(ds, &self.checks)).cloned().collect();
        let keys: Vec<Dnskey> =
            anchor.keys.iter().filter(|key| self.checks.knows_key(key)).cloned().collect();
        if vouched.is_empty() && keys.is_empty() {
            let algorithms = anchor.ds.iter().map(|ds| ds.algorithm);
            let algorithms = algorithms.chain(anchor.keys.iter().map(|key| key.algorithm)).collect();
            let reason = Reason::UnknownAlgorithms { zone: zone.clone(), algorithms };
            link.judge(&reason);
            return Stepped { found: Found::Insecure(reason), ttl: u32::MAX, links: vec![link] };
        }
        let vouchers = Vouchers { ds: &vouched, keys: &keys, anchor: zone, is_anchor: true };
        let mut stepped = self.zone_keys(zone, &vouchers, u32::MAX).await;
        stepped.links.insert(0, link);
        stepped
    }

    /// From the zone above down to `name`: its DS records, or the proof that there are none.
    async fn step(&mut self, name: &DnsName, above: &Arc<TrustedKeys>) -> Stepped {
        let mut response = self.ask(name, RecordType::Ds).await;
        let mut tries = 0;
        let below = loop {
            let read = match &response {
                Ok(response) => self.read_ds(name, above, response),
                Err(reason) => Err(bogus(Link::new(name, &above.zone, Step::NoDs), reason.clone())),
            };
            match read {
                Ok(below) => break below,
                Err(bogus) => match self.ask_elsewhere(name, RecordType::Ds, &bogus, &mut tries).await {
                    Some(other) => response = other,
                    None => return bogus,
                },
            }
        };
        match below {
            Below::Signed { ds, ttl, link } => {
                let vouchers = Vouchers { ds: &ds, keys: &[], anchor: &above.anchor, is_anchor: false };
                let mut stepped = self.zone_keys(name, &vouchers, ttl).await;
                stepped.links.insert(0, link);
                stepped
            }
            Below::Known(stepped) => stepped,
        }
    }

    /// The keys of `zone`: the set must be signed by one that is vouched for.
    async fn zone_keys(&mut self, zone: &DnsName, vouchers: &Vouchers<'_>, ttl: u32) -> Stepped {
        let mut response = self.ask(zone, RecordType::Dnskey).await;
        let mut tries = 0;
        loop {
            let read = match &response {
                Ok(response) => self.read_keys(zone, vouchers, ttl, response),
                Err(reason) => {
                    let step = Step::Keys { keys: Vec::new(), vouched: None };
                    Err(bogus(Link::new(zone, zone, step), reason.clone()))
                }
            };
            match read {
                Ok(stepped) => return stepped,
                Err(bogus) => match self.ask_elsewhere(zone, RecordType::Dnskey, &bogus, &mut tries).await {
                    Some(other) => response = other,
                    None => return bogus,
                },
            }
        }
    }

    /// The verified NSEC and NSEC3 records of a section that `keys` signed. Those that cannot be used
    /// are left out: without them the proof will not hold.
    pub(crate) fn denials(&mut self, section: &[Record], keys: &TrustedKeys) -> Result<Denials, Reason> {
        let mut denials = Denials { records: Vec::new(), ttl: u32::MAX, signed_by: None, unusable: None };
        for set in SignedSet::of(Section::Authority, section) {
            if !matches!(set.record_type, RecordType::Nsec | RecordType::Nsec3) {
                continue;
            }
            // Those of other zones are about other parts of the answer.
            let foreign = |(signature, _): &(Rrsig, u32)| signature.signer != keys.zone;
            if !set.signatures.is_empty() && set.signatures.iter().all(foreign) {
                continue;
            }
            match self.verify(&set, keys) {
                // What was made from a wildcard says nothing of the name that it stands at.
                Ok(verified) if verified.wildcard.is_some() => {}
                Ok(verified) => {
                    denials.ttl = denials.ttl.min(verified.ttl);
                    denials.signed_by = Some(verified.signed_by);
                    denials.records.extend(set.records);
                }
                Err(reason @ Reason::ChecksExceeded { .. }) => return Err(reason),
                Err(reason) => denials.unusable = Some(reason),
            }
        }
        Ok(denials)
    }

    pub(crate) fn verify(&mut self, set: &SignedSet, keys: &TrustedKeys) -> Result<Verified, Reason> {
        verify(set, keys, self.now, &mut self.checks).map_err(|why| not_verified(why, set, &keys.zone))
    }

    /// The same, for what no wildcard can stand for.
    fn verify_exact(&mut self, set: &SignedSet, keys: &TrustedKeys) -> Result<Verified, Reason> {
        let verified = self.verify(set, keys)?;
        let Some(wildcard) = &verified.wildcard else { return Ok(verified) };
        let claimed = u8::try_from(wildcard.label_count().saturating_sub(1)).unwrap_or(u8::MAX);
        let fault = SignatureFault::Labels { claimed, labels: set.name.label_count() };
        Err(not_verified(NotVerified::Fault(fault), set, &keys.zone))
    }

    async fn ask(&mut self, name: &DnsName, record_type: RecordType) -> Result<Message, Reason> {
        self.checks.spend(Check::Fetches, 1)?;
        let question = Question::new(name.clone(), record_type);
        let response = self.fetch.fetch(self.host, &question).await;
        response.map_err(|error| unavailable(&question, &error))
    }

    /// The same from another server, where what came last did not hold. Whoever has been asked in vain is
    /// not asked again, so neither is anybody where nothing could be had.
    async fn ask_elsewhere(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        last: &Stepped,
        tries: &mut u32,
    ) -> Option<Result<Message, Reason>> {
        let in_vain = match &last.found {
            Found::Bogus(Reason::ChecksExceeded { .. } | Reason::Unavailable { .. }) => true,
            _ => *tries >= ELSEWHERE,
        };
        if in_vain {
            return None;
        }
        *tries += 1;
        self.checks.spend(Check::Fetches, 1).ok()?;
        let question = Question::new(name.clone(), record_type);
        let response = self.fetch.fetch_elsewhere(self.host, &question).await?;
        response.ok().map(Ok)
    }

    /// Adds a step to the story, unless it has been told.
    pub(crate) fn tell(&mut self, link: Link) {
        let told = |known: &Link| known.name == link.name && known.step == link.step;
        if !self.chain.iter().any(told) {
            self.chain.push(link);
        }
    }

    fn use_zone(&mut self, keys: &Arc<TrustedKeys>) {
        if !self.zones.iter().any(|known| known.zone == keys.zone) {
            self.zones.push(Arc::clone(keys));
        }
    }
}

fn bogus(mut link: Link, reason: Reason) -> Stepped {
    link.judge(&reason);
    Stepped { found: Found::Bogus(reason), ttl: 0, links: vec![link] }
}

fn unavailable(question: &Question, error: &ResolveError) -> Reason {
    let (zone, record_type) = (question.name.clone(), question.record_type);
    Reason::Unavailable { zone, record_type, why: error.to_string() }
}

fn not_verified(why: NotVerified, set: &SignedSet, zone: &DnsName) -> Reason {
    let (name, record_type, zone) = (set.name.clone(), set.record_type, zone.clone());
    match why {
        NotVerified::Unsigned => Reason::Unsigned { name, record_type, zone },
        NotVerified::Fault(fault) => Reason::BadSignature { name, record_type, zone, fault },
        NotVerified::Exceeded(exceeded) => exceeded.into(),
    }
}
