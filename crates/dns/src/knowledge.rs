//! From a name to what is at the end of its aliases (RFC 1034 5.3.3): what is remembered, whoever can be asked, and
//! whether it is what the zone's owner signed.

use crate::answer::{AliasChain, End, interpret};
use crate::cache::{Cache, Found, RrSet};
use crate::dnssec::{Fetch, Section, Security, Validated, Validator};
use crate::error::ResolveError;
use crate::finding::Finding;
use crate::following::{Ask, Recalled, follow, follow_on, recall};
use crate::infrastructure::Infrastructure;
use crate::iterate::{Answered, Budget, Iterate, IterateConfig, Job, Trail};
use crate::memory::{Circumstances, Memory};
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use crate::response::{Response, records_of};
use crate::stub::Stub;
use futures_util::future::BoxFuture;
use glasstack_journal::event::{Dns, QueryReason};
use glasstack_stack::Host;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a bogus answer is asked for again, of other servers (unbound's `val-max-restart` is 5).
const BOGUS_RETRIES: usize = 3;

/// Who can be asked what is not remembered.
pub(crate) enum Source {
    /// Servers that find out themselves.
    Servers(Box<Stub>),
    /// Everybody, from the root down.
    Tree(Arc<Iterate>),
}

/// What is remembered, and who can be asked.
pub(crate) struct Knowledge {
    source: Source,
    memory: Arc<Memory>,
    validator: Option<Validator>,
}

/// What is wanted to be known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) name: DnsName,
    pub(crate) record_type: RecordType,
    /// Whether the signatures are wanted, too.
    pub(crate) dnssec_ok: bool,
    /// Whether it is believed unchecked.
    pub(crate) checking_disabled: bool,
}

impl Wanted {
    pub(crate) fn new(name: &DnsName, record_type: RecordType) -> Self {
        Self { name: name.clone(), record_type, dnssec_ok: false, checking_disabled: false }
    }

    pub(crate) fn question(&self) -> Question {
        Question::new(self.name.clone(), self.record_type)
    }
}

impl Knowledge {
    pub(crate) fn new(source: Source, memory: Arc<Memory>, validator: Option<Validator>) -> Self {
        Self { source, memory, validator }
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What can be found out about `name`.
    pub(crate) async fn find(&self, host: &Host, wanted: &Wanted) -> Result<Finding, ResolveError> {
        self.find_fresher(host, wanted, Duration::ZERO).await
    }

    /// The same, where `recalled` is what the cache knows of the name itself.
    pub(crate) async fn find_beyond(
        &self,
        host: &Host,
        wanted: &Wanted,
        recalled: Option<Found>,
    ) -> Result<Finding, ResolveError> {
        self.find_out(host, wanted, Duration::ZERO, recalled.into()).await
    }

    /// The same; what is good for no longer than `renew` is not good enough.
    pub(crate) async fn find_fresher(
        &self,
        host: &Host,
        wanted: &Wanted,
        renew: Duration,
    ) -> Result<Finding, ResolveError> {
        self.find_out(host, wanted, renew, Recalled::NotYet).await
    }

    async fn find_out(
        &self,
        host: &Host,
        wanted: &Wanted,
        renew: Duration,
        mut recalled: Recalled,
    ) -> Result<Finding, ResolveError> {
        let mut asking = self.asking(host, wanted, renew);
        let mut tries = 0;
        let mut bogus_before = None;
        loop {
            let found = follow_on(&self.memory, &asking, &asking.job, recalled).await;
            recalled = Recalled::NotYet;
            // Where nobody else can be asked, what was found first is why there is no answer.
            let found = match (found, bogus_before.take()) {
                (Err(_), Some(bogus)) => return Err(bogus),
                (found, _) => found?,
            };
            let found = match &self.validator {
                Some(validator) if !wanted.checking_disabled => self.check(validator, &asking, found).await,
                _ => found,
            };
            let bogus = found.security == Security::Bogus && !wanted.checking_disabled;
            match found.server {
                _ if !bogus => return Ok(found),
                // RFC 4035 5.5, unbound: another server may have what was signed.
                Some(server) if tries < BOGUS_RETRIES && !asking.job.avoid.contains(&server) => {
                    tries += 1;
                    self.forget(&found, wanted);
                    bogus_before = Some(bogus_error(wanted, &found));
                    asking.job.avoid.push(server);
                }
                _ => return Err(bogus_error(wanted, &found)),
            }
        }
    }

    /// Whether answers are checked here.
    pub(crate) fn checks(&self) -> bool {
        self.validator.is_some()
    }

    /// What is remembered of `name`, if all of it is.
    pub(crate) fn remember(&self, host: &Host, wanted: &Wanted) -> Option<Finding> {
        let mut chain = AliasChain::from(wanted.name.clone());
        let mut finding = Finding::new(&wanted.name);
        loop {
            let found = recall(&self.memory, host, chain.end(), wanted.record_type)?;
            let name = chain.end().clone();
            let meaning = finding.absorb_known(&found, &mut chain).ok()?;
            if !matches!(meaning, End::Unknown) {
                finding.accompany(&self.memory, chain.end(), wanted.record_type, host);
                return Some(finding).filter(|finding| self.may_be_given(finding, wanted));
            }
            finding.accompany_alias(&self.memory, &name, host);
        }
    }

    /// What is remembered even though it has expired (RFC 8767), if all of it is.
    pub(crate) fn remember_stale(&self, host: &Host, wanted: &Wanted) -> Option<Finding> {
        let mut chain = AliasChain::from(wanted.name.clone());
        let mut finding = Finding::new(&wanted.name);
        finding.stale = true;
        loop {
            let found = self.memory.cache().lookup_stale(chain.end(), wanted.record_type, host.now())?;
            if !matches!(finding.absorb_known(&found, &mut chain).ok()?, End::Unknown) {
                return Some(finding).filter(|finding| self.may_be_given(finding, wanted));
            }
        }
    }

    /// Whether what is remembered may be given as it is: where answers are checked, neither what turned out to be
    /// bogus nor what nobody has looked at yet (RFC 4035 4.7).
    fn may_be_given(&self, finding: &Finding, wanted: &Wanted) -> bool {
        let checked = !matches!(finding.security, Security::Bogus | Security::Unchecked);
        checked || wanted.checking_disabled || self.validator.is_none()
    }

    /// What the cache knows about the name: the records, that it is an alias, or that there is nothing.
    pub(crate) fn recall(&self, host: &Host, name: &DnsName, record_type: RecordType) -> Option<Found> {
        recall(&self.memory, host, name, record_type)
    }

    /// The servers nearest to the name that are known without asking, and their addresses (RFC 1034
    /// 4.3.1).
    pub(crate) fn nearest(&self, host: &Host, name: &DnsName) -> (Vec<Record>, Vec<Record>) {
        match &self.source {
            Source::Servers(_) => (Vec::new(), Vec::new()),
            Source::Tree(tree) => tree.nearest(host, name),
        }
    }

    /// What is remembered.
    pub(crate) fn cache(&self) -> MutexGuard<'_, Cache> {
        self.memory.cache()
    }

    /// What is remembered of servers.
    pub(crate) fn infrastructure(&self) -> MutexGuard<'_, Infrastructure> {
        match &self.source {
            Source::Servers(stub) => stub.infrastructure(),
            Source::Tree(tree) => tree.infrastructure(),
        }
    }

    /// How many entries are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.memory.cache().len()
    }

    fn asking(&self, host: &Host, wanted: &Wanted, renew: Duration) -> Inquiry<'_> {
        let question = wanted.question();
        let budget = match &self.source {
            Source::Servers(_) => Budget::new(&IterateConfig::default()),
            Source::Tree(tree) => Budget::new(tree.config()),
        };
        let job = Job {
            host: host.clone(),
            trail: Trail::begin(&question),
            question,
            budget,
            dnssec_ok: wanted.dnssec_ok || self.validator.is_some(),
            checking_disabled: wanted.checking_disabled || self.validator.is_some(),
            renew,
            avoid: Vec::new(),
            part_of: None,
        };
        Inquiry { knowledge: self, job, answered: Mutex::default() }
    }

    async fn check(&self, validator: &Validator, asking: &Inquiry<'_>, mut found: Finding) -> Finding {
        if found.security != Security::Unchecked {
            return found;
        }
        let host = &asking.job.host;
        let question = &asking.job.question;
        let message = found.to_message(question);
        let mut validated = validator.validate(host, asking, question, message).await;
        tell_validated(host, question, &validated);
        // That there is nothing at the end of the aliases needs a proof of its own, and no more is to come.
        if let Some(end) = validated.open.take().filter(|_| found.nothing.is_some()) {
            let question = Question { name: end, ..question.clone() };
            let rest = Message { answers: Vec::new(), ..found.to_message(&question) };
            let rest = validator.validate(host, asking, &question, rest).await;
            tell_validated(host, &question, &rest);
            if rest.security > validated.security {
                (validated.security, validated.reason) = (rest.security, rest.reason);
            }
        }
        self.judge(host, question, &found, &validated);
        found.judged(validated);
        found
    }

    /// Remembers what validation has found.
    fn judge(&self, host: &Host, question: &Question, found: &Finding, validated: &Validated) {
        let now = host.now();
        let mut cache = self.memory.cache();
        // With times to live no longer than the signatures allow (RFC 4035 5.3.3).
        let answers = RrSet::group(&validated.message.answers);
        let authorities = RrSet::group(&validated.message.authorities);
        let of = |section: Section, sets: &[RrSet]| {
            let keyed = |(at, set): (usize, &RrSet)| ((section, set.name.clone(), set.record_type), at);
            sets.iter().enumerate().map(keyed).collect::<Vec<_>>()
        };
        let places = [of(Section::Answer, &answers), of(Section::Authority, &authorities)].concat();
        let places: BTreeMap<_, usize> = places.into_iter().collect();
        for judged in &validated.sets {
            let section = match judged.section {
                Section::Answer => &answers,
                Section::Authority => &authorities,
                Section::Additional => continue,
            };
            let place = places.get(&(judged.section, judged.name.clone(), judged.record_type));
            if let Some(set) = place.and_then(|place| section.get(*place)) {
                cache.judged(set, judged.security, now);
            }
        }
        if let Some(what) = found.nothing {
            let name = &found.canonical;
            let proof = records_of(&authorities);
            cache.put_negative(name, question.record_type, what, &proof, validated.security, now);
        }
    }

    fn forget(&self, found: &Finding, wanted: &Wanted) {
        let mut cache = self.memory.cache();
        found.answers.iter().for_each(|set| cache.forget(&set.name, set.record_type));
        if found.nothing.is_some() {
            cache.forget(&found.canonical, wanted.record_type);
        }
    }
}

impl Ask for Arc<Iterate> {
    fn ask<'a>(
        &'a self,
        job: &'a Job,
        _chain: &'a AliasChain,
    ) -> BoxFuture<'a, Result<Answered, ResolveError>> {
        Iterate::ask(self, job)
    }

    fn most_restarts(&self) -> u32 {
        self.config().max_query_restarts
    }
}

/// A question that knowledge is asked, and all that it leads to.
struct Inquiry<'k> {
    knowledge: &'k Knowledge,
    job: Job,
    /// Who answered what validation asked for.
    answered: Mutex<Vec<(Question, SocketAddr)>>,
}

impl Ask for Inquiry<'_> {
    fn ask<'a>(
        &'a self,
        job: &'a Job,
        chain: &'a AliasChain,
    ) -> BoxFuture<'a, Result<Answered, ResolveError>> {
        match &self.knowledge.source {
            Source::Tree(tree) => tree.ask(job),
            Source::Servers(stub) => Box::pin(async move {
                let why = match chain.last_alias() {
                    Some(alias) => QueryReason::Alias { from: alias.to_string() },
                    None => QueryReason::First,
                };
                let (message, server) = stub.ask(job, why).await?;
                let record_type = job.question.record_type;
                let response = Response::new(&message, record_type);
                let mut ahead = chain.clone();
                if let Ok(meaning) = interpret(record_type, &response, &mut ahead) {
                    let circumstances = Circumstances { now: job.host.now(), until: None, renew: job.renew };
                    self.knowledge.memory.learn_secondhand(&meaning, ahead.end(), record_type, circumstances);
                }
                Ok(Answered { response, server })
            }),
        }
    }

    fn most_restarts(&self) -> u32 {
        match &self.knowledge.source {
            Source::Tree(tree) => tree.most_restarts(),
            Source::Servers(_) => IterateConfig::default().max_query_restarts,
        }
    }
}

impl Inquiry<'_> {
    /// What validation needs, from anybody but these servers.
    async fn fetch_from_others(
        &self,
        host: &Host,
        question: &Question,
        avoid: Vec<SocketAddr>,
    ) -> Result<Message, ResolveError> {
        let job = Job {
            host: host.clone(),
            question: question.clone(),
            trail: self.job.trail.along(question),
            dnssec_ok: true,
            renew: Duration::ZERO,
            avoid,
            ..self.job.clone()
        };
        let found = follow(&self.knowledge.memory, self, &job).await?;
        if let Some(server) = found.server {
            self.answered().push((question.clone(), server));
        }
        Ok(found.to_message(question))
    }

    fn answered(&self) -> MutexGuard<'_, Vec<(Question, SocketAddr)>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch for Inquiry<'_> {
    fn fetch<'a>(
        &'a self,
        host: &'a Host,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Message, ResolveError>> {
        Box::pin(self.fetch_from_others(host, question, self.job.avoid.clone()))
    }

    fn fetch_elsewhere<'a>(
        &'a self,
        host: &'a Host,
        question: &'a Question,
    ) -> BoxFuture<'a, Option<Result<Message, ResolveError>>> {
        self.knowledge.memory.cache().forget(&question.name, question.record_type);
        let mut avoid = self.job.avoid.clone();
        let asked_before = |(asked, server): &(Question, SocketAddr)| (asked == question).then_some(*server);
        avoid.extend(self.answered().iter().filter_map(asked_before));
        Box::pin(async move {
            let response = self.fetch_from_others(host, question, avoid.clone()).await;
            // Somebody who has been asked answers only where there is nobody else.
            let again = self.answered().last().is_some_and(|(_, server)| avoid.contains(server));
            (!again).then_some(response)
        })
    }
}

fn bogus_error(wanted: &Wanted, found: &Finding) -> ResolveError {
    let (name, record_type) = (wanted.name.clone(), wanted.record_type);
    ResolveError::Bogus { name, record_type, reason: found.reason.clone().map(Box::new) }
}

fn tell_validated(host: &Host, question: &Question, validated: &Validated) {
    host.scope().record(|| Dns::Validated {
        name: question.name.to_string(),
        record_type: question.record_type.to_string(),
        security: validated.security.to_string(),
        reason: validated.reason.to_string(),
        chain: validated.chain.iter().map(ToString::to_string).collect(),
    });
}
