//! The one cache, and what of a response goes into it how far believed (RFC 2181 5.4.1).

use crate::answer::{End, Meaning};
use crate::cache::{Cache, Found, Negative, Put, Rank, RrSet, are_among};
use crate::dnssec::Security;
use crate::local_zones::ServedHere;
use crate::message::{Question, ResponseCode};
use crate::name::DnsName;
use crate::record::RecordType;
use crate::response::{Response, records_of};
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is remembered.
#[derive(Debug)]
pub(crate) struct Memory {
    cache: Mutex<Cache>,
    /// What came along with which answer; by name and type.
    companies: Mutex<BTreeMap<(DnsName, RecordType), Vec<Companion>>>,
    served_here: ServedHere,
}

/// How many answers' companies are remembered.
const COMPANIES: usize = 2_000;

/// How many sets of each: more come with nothing that is meant well.
const LARGEST_COMPANY: usize = 32;

/// A set that came along with an answer.
#[derive(Clone, Debug)]
pub(crate) struct Companion {
    pub(crate) name: DnsName,
    pub(crate) record_type: RecordType,
    /// Whether in the additional section; in the authority section otherwise.
    pub(crate) additional: bool,
}

/// In which circumstances a response came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) now: Instant,
    /// Who serves the zone is known until then: what it says of zones below counts no longer (ghost domains).
    pub(crate) until: Option<Instant>,
    /// What is good for less long than this is replaced even by what says the same.
    pub(crate) renew: Duration,
}

/// What has been learnt, as the journal tells it: a set, and how far it is believed.
pub(crate) type Learnt = Vec<(String, Rank)>;

impl Memory {
    pub(crate) fn new(cache: Cache, served_here: ServedHere) -> Self {
        Self { cache: Mutex::new(cache), companies: Mutex::default(), served_here }
    }

    /// The zones that are not asked about.
    pub(crate) fn served_here(&self) -> &ServedHere {
        &self.served_here
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What answers the question, if it is known.
    pub(crate) fn lookup(&self, name: &DnsName, record_type: RecordType, now: Instant) -> Option<Found> {
        if let Some(found) = self.served_here.lookup(name, record_type) {
            return Some(found);
        }
        let found = self.cache().lookup(name, record_type, now)?;
        // A DNAME that nobody has signed may have been made up for this one name; the next name is asked for.
        let proved = |found: &Found| match found {
            Found::Redirect(redirect) => redirect.security() == Security::Secure,
            _ => true,
        };
        Some(found).filter(proved).filter(|found| !self.served_here.is_out_of_place(name, found))
    }

    /// Learns from a response to `question`, and puts what is believed more into its place.
    pub(crate) fn learn(
        &self,
        question: &Question,
        response: &mut Response,
        circumstances: Circumstances,
    ) -> Learnt {
        let authoritative = response.authoritative;
        let (answer, authority) = match authoritative {
            true => (Rank::AnswerAuthoritative, Rank::AuthorityAuthoritative),
            false => (Rank::AnswerNotAuthoritative, Rank::AuthorityOfReferral),
        };
        if !response.answers.is_empty() {
            self.remember_company(question, response);
        }
        // RFC 4035 3.1.3.3: behind an answer from a wildcard they prove that the name itself does not exist.
        let proves_answer = !response.answers.is_empty();
        let mut cache = self.cache();
        let mut learnt = Vec::new();
        self.learn_nothing(&mut cache, question, response, circumstances.now, &mut learnt);
        let sections = [
            (&mut response.answers, answer),
            (&mut response.authorities, authority),
            (&mut response.additionals, Rank::Additional),
        ];
        for (section, rank) in sections {
            for set in section {
                // The SOA of a negative answer and its proofs are kept with it.
                let of_denial = match set.record_type {
                    RecordType::Nsec | RecordType::Nsec3 => !proves_answer,
                    record_type => matches!(record_type, RecordType::Soa | RecordType::Rrsig),
                };
                if of_denial && rank == authority {
                    continue;
                }
                if take(&mut cache, set, rank, circumstances) {
                    learnt.push((format!("{} {}", set.name, set.record_type), rank));
                }
            }
        }
        learnt
    }

    /// Learns from somebody who finds out for others: what it says in answer to the question, and no more.
    pub(crate) fn learn_secondhand(
        &self,
        meaning: &Meaning,
        name: &DnsName,
        record_type: RecordType,
        circumstances: Circumstances,
    ) {
        let mut cache = self.cache();
        let records = match &meaning.end {
            // RFC 8482: what comes for ANY is not all there is.
            End::Records(sets) if record_type != RecordType::Any => sets.as_slice(),
            _ => &[],
        };
        for set in meaning.aliases.iter().chain(records) {
            take(&mut cache, &mut set.clone(), Rank::AnswerNotAuthoritative, circumstances);
        }
        if let End::Nothing { what, proof } = &meaning.end {
            let proof = records_of(proof);
            cache.put_negative(name, record_type, *what, &proof, Security::Unchecked, circumstances.now);
        }
    }

    /// What came along when this was learnt.
    pub(crate) fn company(&self, name: &DnsName, record_type: RecordType) -> Vec<Companion> {
        let companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        companies.get(&(name.clone(), record_type)).cloned().unwrap_or_default()
    }

    fn remember_company(&self, question: &Question, response: &Response) {
        let all = |sets: &[RrSet], additional| {
            let companion = |set: &RrSet| {
                let (name, record_type) = (set.name.clone(), set.record_type);
                Companion { name, record_type, additional }
            };
            sets.iter().map(companion).collect::<Vec<_>>()
        };
        let mut company = [all(&response.authorities, false), all(&response.additionals, true)].concat();
        company.truncate(LARGEST_COMPANY);
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        // An alias answers whatever is asked for, and its proof comes with each.
        let alias = response.answer(&question.name, RecordType::Cname).map(|_| RecordType::Cname);
        for record_type in [Some(question.record_type), alias].into_iter().flatten() {
            let key = (question.name.clone(), record_type);
            if company.is_empty() {
                companies.remove(&key);
                continue;
            }
            if companies.len() >= COMPANIES && !companies.contains_key(&key) {
                companies.pop_first();
            }
            companies.insert(key, company.clone());
        }
    }

    fn learn_nothing(
        &self,
        cache: &mut Cache,
        question: &Question,
        response: &Response,
        now: Instant,
        learnt: &mut Learnt,
    ) {
        let what = match response.code {
            ResponseCode::NxDomain => Negative::NoName,
            ResponseCode::NoError => Negative::NoData,
            _ => return,
        };
        if !response.answers.is_empty() || response.soa(&question.name).is_none() {
            return;
        }
        let proof: Vec<RrSet> = response
            .authorities
            .iter()
            .filter(|set| matches!(set.record_type, RecordType::Soa | RecordType::Nsec | RecordType::Nsec3))
            .cloned()
            .collect();
        let proof = records_of(&proof);
        let Question { name, record_type, .. } = question;
        let put = cache.put_negative(name, *record_type, what, &proof, Security::Unchecked, now);
        if put == Put::Taken {
            let word = if what == Negative::NoName { "does not exist" } else { "has none" };
            let rank =
                if response.authoritative { Rank::AnswerAuthoritative } else { Rank::AnswerNotAuthoritative };
            learnt.push((format!("{question} {word}"), rank));
        }
    }
}

/// Whether `new` comes with no other signatures than `known`. Those that were sent last count: their keys may be
/// the only ones that are still there.
fn has_signed_the_same(new: &RrSet, known: &RrSet) -> bool {
    are_among(&new.signatures, &known.signatures)
}

/// Learns one set, which becomes what is believed of it.
fn take(cache: &mut Cache, set: &mut RrSet, rank: Rank, circumstances: Circumstances) -> bool {
    let Circumstances { now, until, renew } = circumstances;
    if let Some(known) = cache.get(&set.name, set.record_type, Rank::Additional, now) {
        let lasts = Duration::from_secs(known.ttl.into()) > renew;
        // The same from the same kind of place does not become fresher by being sent again.
        let same = known.set.says_the_same_as(set) && has_signed_the_same(set, &known.set);
        if lasts && known.rank == rank && same && known.ttl > 0 {
            set.records = known.records();
            set.signatures = known.signatures();
            set.security = known.security();
            return false;
        }
        if !lasts && known.rank <= rank {
            cache.forget(&set.name, set.record_type);
        }
    }
    let mut kept = set.clone();
    if let Some(until) = until.filter(|_| set.record_type == RecordType::Ns) {
        let most = u32::try_from(until.since(now).as_secs()).unwrap_or(u32::MAX);
        kept.records.iter_mut().for_each(|record| record.ttl = record.ttl.min(most));
    }
    let put = cache.put(&kept, rank, now);
    if put == Put::NotKept {
        return false;
    }
    if let Some(known) = cache.get(&set.name, set.record_type, Rank::Additional, now) {
        set.records = known.records();
        set.signatures = known.signatures();
        set.security = known.security();
    }
    put == Put::Taken
}
