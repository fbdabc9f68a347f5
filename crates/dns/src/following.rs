//! From a name to the end of its aliases (RFC 1034 5.3.3): each is looked up in memory first, and asked for then.

use crate::answer::{AliasChain, AliasError, End, Meaning, interpret};
use crate::cache::{Found, Negative, RrSet};
use crate::error::ResolveError;
use crate::finding::Finding;
use crate::iterate::{Answered, Job};
use crate::memory::Memory;
use crate::message::Question;
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use futures_util::future::BoxFuture;
use glasstack_journal::event::{Dns, LookupSource};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::time::Duration;

/// Whoever is asked.
pub(crate) trait Ask: Send + Sync {
    /// What is said about the job's question, and who said so. What is learnt from it is remembered.
    fn ask<'a>(
        &'a self,
        job: &'a Job,
        chain: &'a AliasChain,
    ) -> BoxFuture<'a, Result<Answered, ResolveError>>;

    /// How many targets of aliases are asked for that came as a surprise.
    fn most_restarts(&self) -> u32;
}

/// The records of the job's name, behind however many aliases.
pub(crate) fn follow<'a>(
    memory: &'a Memory,
    source: &'a dyn Ask,
    job: &'a Job,
) -> BoxFuture<'a, Result<Finding, ResolveError>> {
    follow_on(memory, source, job, Recalled::NotYet)
}

/// What the cache knows of a name.
#[derive(Clone, Debug)]
pub(crate) enum Recalled {
    /// It has not been asked.
    NotYet,
    /// It knows nothing.
    Nothing,
    /// It knows this.
    Found(Found),
}

impl From<Option<Found>> for Recalled {
    fn from(found: Option<Found>) -> Self {
        found.map_or(Self::Nothing, Self::Found)
    }
}

/// The same, where it may be known already what the cache knows of the name itself.
pub(crate) fn follow_on<'a>(
    memory: &'a Memory,
    source: &'a dyn Ask,
    job: &'a Job,
    mut recalled: Recalled,
) -> BoxFuture<'a, Result<Finding, ResolveError>> {
    Box::pin(async move {
        let Question { name, record_type, .. } = &job.question;
        let host = &job.host;
        let mut chain = AliasChain::from(name.clone());
        let mut restarts = 0;
        let mut announced: Vec<DnsName> = Vec::new();
        let mut finding = Finding::new(name);
        let mut job = job.clone();
        loop {
            let fresh =
                |found: &Found| job.renew.is_zero() || Duration::from_secs(left(found).into()) > job.renew;
            let known = match std::mem::replace(&mut recalled, Recalled::NotYet) {
                Recalled::Found(known) => Some(known),
                Recalled::Nothing => None,
                Recalled::NotYet => recall(memory, host, chain.end(), *record_type),
            };
            let end = match known.filter(fresh) {
                Some(found) => {
                    let name = chain.end().clone();
                    finding.served_here = memory.served_here().zone(&name);
                    let end = finding.absorb_known(&found, &mut chain);
                    if matches!(end, Ok(End::Unknown)) {
                        finding.accompany_alias(memory, &name, host);
                    }
                    end
                }
                None => {
                    let end = chain.end().clone();
                    if end != job.question.name {
                        restarts += u32::from(!announced.contains(&end));
                        if restarts > source.most_restarts() {
                            return Err(leads_nowhere(
                                name,
                                &AliasError::TooManyRestarts(source.most_restarts()),
                            ));
                        }
                        let question = Question { name: end, ..job.question.clone() };
                        job.trail = job.trail.along(&question);
                        job.question = question;
                    }
                    let answered = match source.ask(&job, &chain).await {
                        Ok(answered) => answered,
                        Err(error) => {
                            let why = error.to_string();
                            tell_looked_up(host, &job.question, LookupSource::Server, false, why);
                            return Err(error);
                        }
                    };
                    let meaning = interpret(*record_type, &answered.response, &mut chain);
                    if let Ok(meaning) = &meaning {
                        tell_answer(host, &job.question, answered.server, meaning, &chain);
                    }
                    announced.clone_from(&answered.response.announced);
                    meaning.map(|meaning| finding.absorb(meaning, answered, &chain))
                }
            };
            match end {
                Ok(End::Unknown) => {}
                Ok(_) => {
                    if finding.server.is_none() {
                        finding.accompany(memory, chain.end(), *record_type, host);
                    }
                    return Ok(finding);
                }
                Err(error) => return Err(leads_nowhere(name, &error)),
            }
        }
    })
}

pub(crate) fn recall(memory: &Memory, host: &Host, name: &DnsName, record_type: RecordType) -> Option<Found> {
    let found = memory.lookup(name, record_type, host.now());
    let (hit, detail) = match &found {
        None => (false, "nothing is known about it".to_owned()),
        Some(Found::Records(known) | Found::Alias(known) | Found::Redirect(known)) => {
            (true, list(&known.records()))
        }
        Some(Found::Nothing(nothing)) => {
            let how = if nothing.by_others { ", as was proved for other names (RFC 8198)" } else { "" };
            (true, format!("{}{how}, for another {} s", phrase(nothing.what), nothing.ttl))
        }
    };
    let detail = match memory.served_here().zone(name) {
        Some(zone) => format!("{detail}: {zone} is served here (RFC 6303)"),
        None => detail,
    };
    let question = Question::new(name.clone(), record_type);
    tell_looked_up(host, &question, LookupSource::Cache, hit, detail);
    found
}

/// For how many seconds it is good.
fn left(found: &Found) -> u32 {
    match found {
        Found::Records(known) | Found::Alias(known) | Found::Redirect(known) => known.ttl,
        Found::Nothing(nothing) => nothing.ttl,
    }
}

fn leads_nowhere(name: &DnsName, error: &AliasError) -> ResolveError {
    let what = match error {
        AliasError::Loop(name) => format!("its chain of aliases comes back to {name}"),
        AliasError::Itself => "it is an alias of itself".to_owned(),
        AliasError::TooLong(most) => format!("its chain of aliases is longer than {most}"),
        AliasError::TooManyRestarts(most) => {
            format!("its aliases lead on to other names more than {most} times")
        }
    };
    ResolveError::CnameLoop { name: name.clone(), what }
}

fn tell_answer(host: &Host, question: &Question, server: SocketAddr, meaning: &Meaning, chain: &AliasChain) {
    let records = |sets: &[RrSet]| sets.iter().flat_map(|set| set.records.clone()).collect::<Vec<_>>();
    let (hit, detail) = match &meaning.end {
        End::Records(sets) => (true, format!("{server} has {}", list(&records(sets)))),
        End::Unknown => (true, format!("{server} has an alias")),
        End::Nothing { what, .. } => (false, format!("{server} says {}", phrase(*what))),
        End::Circle => (true, format!("{server} has an alias of itself")),
        End::TooLong => (false, format!("{server} says YXDOMAIN: the name that it stands for is too long")),
    };
    tell_looked_up(host, question, LookupSource::Server, hit, detail);
    let aliases: Vec<Record> =
        records(&meaning.aliases).into_iter().filter(|one| one.alias().is_some()).collect();
    tell_aliases(host, &aliases, chain.end());
}

fn tell_aliases(host: &Host, aliases: &[Record], end: &DnsName) {
    for (at, alias) in aliases.iter().enumerate() {
        let to = aliases.get(at + 1).map_or(end, |next| &next.owner).to_string();
        host.scope().record(|| Dns::AliasFollowed { from: alias.owner.to_string(), to });
    }
}

fn tell_looked_up(host: &Host, question: &Question, source: LookupSource, hit: bool, detail: String) {
    host.scope().record(|| Dns::LookedUp {
        name: question.name.to_string(),
        record_type: question.record_type.to_string(),
        source,
        hit,
        detail,
    });
}

fn phrase(what: Negative) -> &'static str {
    match what {
        Negative::NoName => "NXDOMAIN: the name does not exist",
        Negative::NoData => "NODATA: the name has no such record",
    }
}

fn list(records: &[Record]) -> String {
    let data: Vec<String> =
        records.iter().map(|record| format!("{} {}", record.record_type(), record.data)).collect();
    let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
    format!("{}, for {ttl} s", data.join(", "))
}
