//! An answer, set by set: from the name asked for along its aliases to the records, or to the proof that
//! there are none (RFC 4035 5).

use crate::dnssec::chain::Job;
use crate::dnssec::denial::{Denial, NotProved, Proved};
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::link::{Link, Step};
use crate::dnssec::reason::{DenialFault, Reason};
use crate::dnssec::sets::{Section, SignedSet};
use crate::dnssec::{Security, SetJudged};
use crate::message::{Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What came of an answer.
pub(crate) struct Judgement {
    pub(crate) reason: Reason,
    /// Each set that was looked at, with the TTL that it may have.
    pub(crate) sets: Vec<(SetJudged, u32)>,
    /// The name at the end of the aliases, if the answer says nothing of it.
    pub(crate) open: Option<DnsName>,
}

/// An answer's sets, on the way through them.
struct Reading<'a> {
    answers: Vec<SignedSet>,
    authorities: Vec<SignedSet>,
    message: &'a Message,
    sets: Vec<(SetJudged, u32)>,
    /// Where each of these is.
    places: BTreeMap<(Section, DnsName, RecordType), usize>,
    /// The worst so far.
    worst: Option<Reason>,
}

impl Job<'_> {
    pub(crate) async fn judge(&mut self, question: &Question, message: &Message) -> Judgement {
        let mut reading = Reading {
            answers: SignedSet::of(Section::Answer, &message.answers),
            authorities: SignedSet::of(Section::Authority, &message.authorities),
            message,
            sets: Vec::new(),
            places: BTreeMap::new(),
            worst: None,
        };
        let open = self.follow(question, &mut reading).await;
        let reason = reading.worst.take().unwrap_or(Reason::NoAnchor { name: question.name.clone() });
        if reason.security() == Security::Secure {
            self.judge_the_rest(&mut reading);
        }
        Judgement { reason, sets: reading.sets, open }
    }

    /// From the name asked for to the end of its aliases. Gives the name there if nothing is said of it.
    async fn follow(&mut self, question: &Question, reading: &mut Reading<'_>) -> Option<DnsName> {
        let wanted = question.record_type;
        let mut name = question.name.clone();
        let code = reading.message.code;
        if !matches!(code, ResponseCode::NoError | ResponseCode::NxDomain | ResponseCode::YxDomain) {
            reading.note(Reason::NoAnswer { code });
            return None;
        }
        if wanted == RecordType::Rrsig && reading.message.answers.iter().any(|record| record.owner == name) {
            reading.note(Reason::SignaturesAsked { name });
            return None;
        }
        // Each alias is a set of its own, so there are no more of them than sets.
        for _ in 0..=reading.answers.len() {
            if wanted == RecordType::Any {
                let all: Vec<SignedSet> =
                    reading.answers.iter().filter(|set| set.name == name).cloned().collect();
                if !all.is_empty() {
                    for set in &all {
                        self.judge_set(set, reading).await;
                    }
                    return None;
                }
            }
            // What a DNAME stands for may itself be asked for, and is no better signed.
            let made = if wanted == RecordType::Cname { reading.made_alias(&name) } else { None };
            if let Some(set) = reading.answer(&name, wanted).filter(|_| made.is_none()) {
                self.judge_set(&set, reading).await;
                if code != ResponseCode::NoError {
                    reading.note(Reason::Contradiction { name, record_type: wanted, code });
                }
                return None;
            }
            let Some((set, target)) = reading.alias(&name) else { break };
            self.judge_set(&set, reading).await;
            if set.record_type == RecordType::Dname {
                reading.accept_synthesised(&name, &target, &set);
            }
            if reading.is_bogus() || made.is_some() {
                return None;
            }
            name = target;
        }
        // RFC 6672 2.2: the name that the DNAME makes is too long to be one.
        if code == ResponseCode::YxDomain
            && let Some(set) = reading.renaming(&name)
        {
            self.judge_set(&set, reading).await;
            return None;
        }
        // RFC 2308 2.2: without an SOA record of its zone nothing is said of the alias's target. (NSEC
        // records alone may belong to a wildcard on the way.)
        let is_soa = |set: &SignedSet| set.record_type == RecordType::Soa && name.is_within(&set.name);
        let says_nothing = !reading.authorities.iter().any(is_soa);
        if says_nothing && name != question.name && code == ResponseCode::NoError {
            return Some(name);
        }
        self.judge_denial(&name, wanted, reading).await;
        None
    }

    /// One set of the answer, with the proof that it needs where a wildcard made it.
    async fn judge_set(&mut self, set: &SignedSet, reading: &mut Reading<'_>) {
        let mut link =
            Link::new(&set.name, &set.name, Step::Records { record_type: set.record_type, wildcard: None });
        let result = match self.keys_of(set).await {
            Ok(keys) => {
                link.zone = keys.zone.clone();
                self.check_set(set, &keys, reading, &mut link)
            }
            Err(reason) => Err(reason),
        };
        let (reason, ttl) = match result {
            Ok((reason, ttl)) => (reason, ttl),
            Err(reason) => (reason, u32::MAX),
        };
        if reason.security() != Security::Secure {
            link.judge(&reason);
        }
        self.tell(link);
        reading.add(set, reason.security(), ttl);
        reading.note(reason);
    }

    fn check_set(
        &mut self,
        set: &SignedSet,
        keys: &TrustedKeys,
        reading: &Reading<'_>,
        link: &mut Link,
    ) -> Result<(Reason, u32), Reason> {
        let verified = self.verify(set, keys)?;
        link.signed_by = Some(verified.signed_by);
        let secure = Reason::Signed { anchor: keys.anchor.clone() };
        let Some(wildcard) = verified.wildcard else { return Ok((secure, verified.ttl)) };
        link.step = Step::Records { record_type: set.record_type, wildcard: Some(wildcard.clone()) };
        // RFC 4035 5.3.4: "the validator MUST ... verify that no closer match exists".
        let denials = self.denials(&reading.message.authorities, keys)?;
        let most = self.validator.limits().iterations;
        let proof =
            Denial::new(&keys.zone, &denials.records, most).expanded(&set.name, &wildcard, &mut self.checks);
        let proved = match proof {
            Ok(proved) => proved,
            Err(NotProved::Fault(_)) => {
                let fault = NotProved::Fault(DenialFault::WildcardUnjustified);
                return Err(denials.unusable.unwrap_or(fault.of(&set.name, set.record_type, &keys.zone)));
            }
            Err(exceeded) => return Err(exceeded.of(&set.name, set.record_type, &keys.zone)),
        };
        Ok((self.by_proof(proved, &set.name, keys), verified.ttl.min(denials.ttl)))
    }

    /// The keys of the zone that should have signed a set.
    async fn keys_of(&mut self, set: &SignedSet) -> Result<Arc<TrustedKeys>, Reason> {
        match set.signer() {
            Some(signer) => self.keys_for(&signer.clone()).await,
            None => self.keys_for(&home(&set.name, set.record_type)).await,
        }
    }

    /// That there is nothing of `name` and `wanted`.
    async fn judge_denial(&mut self, name: &DnsName, wanted: RecordType, reading: &mut Reading<'_>) {
        let no_name = reading.message.code == ResponseCode::NxDomain;
        let step = Step::Denial { record_type: wanted, no_name, hashed: false };
        let mut link = Link::new(name, name, step);
        let mut shown = Vec::new();
        let result = self.check_denial(name, wanted, reading, (&mut link, &mut shown)).await;
        let reason = result.unwrap_or_else(|reason| reason);
        if reason.security() != Security::Secure {
            link.judge(&reason);
        }
        let zone = link.zone.clone();
        self.tell(link);
        shown.into_iter().for_each(|what| self.tell(Link::new(name, &zone, Step::Shown { what })));
        // What a proof rests on is secure set by set (`judge_the_rest`): more may have been put beside it.
        if reason.security() != Security::Secure {
            let denying = reading.authorities.iter().filter(|set| set.record_type.denies());
            let denying: Vec<SignedSet> = denying.cloned().collect();
            denying.iter().for_each(|set| reading.add(set, reason.security(), u32::MAX));
        }
        reading.note(reason);
    }

    async fn check_denial(
        &mut self,
        name: &DnsName,
        wanted: RecordType,
        reading: &mut Reading<'_>,
        (link, shown): (&mut Link, &mut Vec<String>),
    ) -> Result<Reason, Reason> {
        let home = home(name, wanted);
        // The zone is that which signed the proof; where nothing is signed, that of the name.
        let signers = reading.authorities.iter().filter(|set| set.record_type.denies());
        let signer = signers.filter_map(SignedSet::signer).filter(|signer| home.is_within(signer));
        let signer = signer.max_by_key(|signer| signer.label_count()).cloned();
        let keys = self.keys_for(signer.as_ref().unwrap_or(&home)).await?;
        link.zone = keys.zone.clone();
        // RFC 4035 5.4 is about the proof; the SOA record says how long it may be kept (RFC 2308 5).
        for set in reading.authorities.iter().filter(|set| set.is_of(&keys.zone, RecordType::Soa)) {
            self.verify(set, &keys)?;
        }
        let denials = self.denials(&reading.message.authorities, &keys)?;
        link.signed_by.clone_from(&denials.signed_by);
        let most = self.validator.limits().iterations;
        let mut denial = Denial::new(&keys.zone, &denials.records, most);
        let no_name = reading.message.code == ResponseCode::NxDomain;
        link.step = Step::Denial { record_type: wanted, no_name, hashed: denial.is_hashed() };
        let proof = match no_name {
            true => denial.no_name(name, &mut self.checks),
            false => denial.no_data(name, wanted, &mut self.checks),
        };
        *shown = denial.shown(name, &mut self.checks);
        let reason = match proof {
            Ok(proved) => self.by_proof(proved, name, &keys),
            Err(not_proved) => {
                let reason = not_proved.of(name, wanted, &keys.zone);
                return Err(denials.unusable.unwrap_or(reason));
            }
        };
        Ok(reason)
    }

    fn by_proof(&self, proved: Proved, name: &DnsName, keys: &TrustedKeys) -> Reason {
        let zone = keys.zone.clone();
        match proved {
            Proved::Yes => Reason::Signed { anchor: keys.anchor.clone() },
            Proved::OptOut => Reason::OptOut { name: name.clone(), zone },
            Proved::TooManyIterations(iterations) => {
                Reason::TooManyIterations { zone, iterations, most: self.validator.limits().iterations }
            }
        }
    }

    /// What else came with a secure answer, as far as zones signed it whose keys are known by now.
    fn judge_the_rest(&mut self, reading: &mut Reading<'_>) {
        let additionals = SignedSet::of(Section::Additional, &reading.message.additionals);
        let rest: Vec<SignedSet> = reading.authorities.iter().cloned().chain(additionals).collect();
        for set in rest {
            if reading.has(&set) {
                continue;
            }
            let signer = set.signer();
            let keys = self.zones.iter().find(|keys| Some(&keys.zone) == signer).cloned();
            let Some(keys) = keys else { continue };
            if let Ok(verified) = self.verify(&set, &keys)
                && verified.wildcard.is_none()
            {
                reading.add(&set, Security::Secure, verified.ttl);
            }
        }
    }
}

impl Reading<'_> {
    fn answer(&self, name: &DnsName, record_type: RecordType) -> Option<SignedSet> {
        self.answers.iter().find(|set| set.is_of(name, record_type)).cloned()
    }

    /// The set that says that `name` is called otherwise, and how: a CNAME of its own, or the DNAME of a
    /// name above, from which servers make CNAME records that nobody signs (RFC 6672 5.3.1).
    fn alias(&self, name: &DnsName) -> Option<(SignedSet, DnsName)> {
        self.made_alias(name).or_else(|| {
            let own = self.answer(name, RecordType::Cname)?;
            let target = own.records.first()?.alias()?.clone();
            Some((own, target))
        })
    }

    /// The DNAME that a CNAME of `name` was made from, if it has no signature of its own.
    fn made_alias(&self, name: &DnsName) -> Option<(SignedSet, DnsName)> {
        if self.answer(name, RecordType::Cname).is_some_and(|own| !own.signatures.is_empty()) {
            return None;
        }
        let set = self.renaming(name)?;
        let RecordData::Dname(target) = &set.records.first()?.data else { return None };
        let target = name.substitute(&set.name, target)?;
        Some((set, target))
    }

    /// The DNAME of a name above.
    fn renaming(&self, name: &DnsName) -> Option<SignedSet> {
        let above = |set: &&SignedSet| {
            set.record_type == RecordType::Dname && set.name != *name && name.is_within(&set.name)
        };
        self.answers.iter().find(above).cloned()
    }

    /// The CNAME record that a DNAME stands for is as good as that.
    fn accept_synthesised(&mut self, name: &DnsName, target: &DnsName, dname: &SignedSet) {
        let Some((security, ttl)) = self.judged(dname) else { return };
        let Some(set) = self.answer(name, RecordType::Cname) else { return };
        let fits = set.records.iter().all(|record| record.alias() == Some(target));
        if fits {
            self.add(&set, security, ttl);
        } else {
            self.note(Reason::Unsigned {
                name: name.clone(),
                record_type: RecordType::Cname,
                zone: dname.name.clone(),
            });
        }
    }

    fn judged(&self, set: &SignedSet) -> Option<(Security, u32)> {
        let place = self.places.get(&(set.section, set.name.clone(), set.record_type))?;
        self.sets.get(*place).map(|(judged, ttl)| (judged.security, *ttl))
    }

    fn has(&self, set: &SignedSet) -> bool {
        self.judged(set).is_some()
    }

    fn add(&mut self, set: &SignedSet, security: Security, ttl: u32) {
        if !self.has(set) {
            let (section, name, record_type) = (set.section, set.name.clone(), set.record_type);
            self.places.insert((section, name.clone(), record_type), self.sets.len());
            self.sets.push((SetJudged { section, name, record_type, security }, ttl));
        }
    }

    /// The worst reason is that of the whole; of two alike the first.
    fn note(&mut self, reason: Reason) {
        let is_worse = self.worst.as_ref().is_none_or(|worst| reason.security() > worst.security());
        if is_worse {
            self.worst = Some(reason);
        }
    }

    fn is_bogus(&self) -> bool {
        self.worst.as_ref().is_some_and(|worst| worst.security() == Security::Bogus)
    }
}

impl RecordType {
    /// Whether such records stand in an answer that says that there is nothing.
    fn denies(self) -> bool {
        matches!(self, Self::Soa | Self::Nsec | Self::Nsec3)
    }
}

/// The name whose zone holds such records of `name`: DS records are in the zone above.
fn home(name: &DnsName, record_type: RecordType) -> DnsName {
    match record_type {
        RecordType::Ds => name.parent().unwrap_or_else(DnsName::root),
        _ => name.clone(),
    }
}

impl Message {
    /// The message with what validation leaves of it: TTLs no longer than signatures allow, and, of a
    /// secure one, nothing that is not secure itself (RFC 4035 3.2.3).
    pub(crate) fn after(mut self, sets: &[(SetJudged, u32)], security: Security) -> Self {
        let sections = [
            (Section::Answer, &mut self.answers),
            (Section::Authority, &mut self.authorities),
            (Section::Additional, &mut self.additionals),
        ];
        for (section, records) in sections {
            let of_section = sets.iter().filter(|(set, _)| set.section == section);
            let of_section: BTreeMap<(&DnsName, RecordType), &(SetJudged, u32)> =
                of_section.map(|judged| ((&judged.0.name, judged.0.record_type), judged)).collect();
            let judged = |record: &Record| {
                let record_type = match &record.data {
                    RecordData::Rrsig(signature) => signature.type_covered,
                    data => data.record_type(),
                };
                of_section.get(&(&record.owner, record_type)).copied()
            };
            for record in records.iter_mut() {
                if let Some((_, ttl)) = judged(record) {
                    record.ttl = record.ttl.min(*ttl);
                }
            }
            if security == Security::Secure {
                records
                    .retain(|record| judged(record).is_some_and(|(set, _)| set.security == Security::Secure));
            }
        }
        self
    }
}
