//! From a name to what is at the end of its aliases: what is remembered, and whoever can be asked
//! (RFC 1034 5.3.3).

use crate::answer::{AliasChain, AliasError, End, Meaning, interpret};
use crate::cache::plain::Cache;
use crate::cache::{Cached, Negative};
use crate::error::ResolveError;
use crate::iterate::{Budget, Iterate};
use crate::lookup::Lookup;
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::record::{Record, RecordType};
use crate::stub::Stub;
use glasstack_journal::event::{Dns, LookupSource, QueryReason};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who can be asked what is not remembered.
pub(crate) enum Source {
    /// Servers that find out themselves.
    Servers(Stub),
    /// Everybody, from the root down.
    Tree(Iterate),
}

/// What is remembered, and who can be asked.
pub(crate) struct Knowledge {
    source: Source,
    cache: Mutex<Cache>,
}

/// What was found out about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The name at the end of the aliases.
    pub(crate) canonical: DnsName,
    /// The aliases, and behind them the records asked for.
    pub(crate) records: Vec<Record>,
    /// There is nothing at the end, and for how long that may be believed.
    pub(crate) nothing: Option<(Negative, Option<Record>)>,
    /// Who was asked last; nobody if all of it was remembered.
    pub(crate) server: Option<SocketAddr>,
}

impl Knowledge {
    pub(crate) fn new(source: Source, capacity: usize) -> Self {
        Self { source, cache: Mutex::new(Cache::new(capacity)) }
    }

    /// What can be found out about `name`.
    pub(crate) async fn find(
        &self,
        host: &Host,
        name: &DnsName,
        record_type: RecordType,
    ) -> Result<Finding, ResolveError> {
        let cached = self.recall(host, name, record_type);
        self.follow(host, name, record_type, cached).await
    }

    /// What is remembered of `name`, if all of it is.
    pub(crate) fn remember(&self, host: &Host, name: &DnsName, record_type: RecordType) -> Option<Finding> {
        let mut chain = AliasChain::from(name.clone());
        let mut records = Vec::new();
        loop {
            let cached = self.recall(host, chain.end(), record_type)?;
            let meaning = meaning_of(record_type, cached, &mut chain).ok()?;
            records.extend(meaning.aliases);
            match meaning.end {
                End::Records(found) => records.extend(found),
                End::Nothing { what, soa } => return Some(finding(&chain, records, Some((what, soa)), None)),
                End::Unknown => continue,
            }
            return Some(finding(&chain, records, None, None));
        }
    }

    /// What the cache knows about the name: the records, or that it is an alias.
    pub(crate) fn recall(&self, host: &Host, name: &DnsName, record_type: RecordType) -> Option<Cached> {
        let now = host.now();
        let cached = {
            let cache = self.cache();
            cache.get(name, record_type, now).or_else(|| cache.get_alias(name, now))
        };
        let (hit, detail) = match &cached {
            None => (false, "nothing is known about it".to_owned()),
            Some(Cached::Records(records)) => (true, list(records)),
            Some(Cached::Nothing { what, soa }) => {
                (true, format!("{}, for another {} s", phrase(*what), soa.ttl))
            }
        };
        tell_looked_up(host, name, LookupSource::Cache, hit, detail);
        cached
    }

    /// The records of the name, behind however many aliases. `cached` is what the cache knows of
    /// the name itself.
    pub(crate) async fn follow(
        &self,
        host: &Host,
        name: &DnsName,
        record_type: RecordType,
        mut cached: Option<Cached>,
    ) -> Result<Finding, ResolveError> {
        let mut chain = AliasChain::from(name.clone());
        let budget = self.budget();
        let mut records = Vec::new();
        let mut server = None;
        loop {
            let meaning = match cached.take() {
                Some(known) => meaning_of(record_type, known, &mut chain),
                None => {
                    let asked = self.ask(host, record_type, &mut chain, &budget).await?;
                    server = Some(asked.server);
                    asked.meaning
                }
            }
            .map_err(|error| leads_nowhere(name, &error))?;
            tell_aliases(host, &meaning.aliases, &chain);
            records.extend(meaning.aliases);
            match meaning.end {
                End::Records(found) => {
                    records.extend(found);
                    return Ok(finding(&chain, records, None, server));
                }
                End::Unknown => cached = self.recall(host, chain.end(), record_type),
                End::Nothing { what, soa } => {
                    return Ok(finding(&chain, records, Some((what, soa)), server));
                }
            }
        }
    }

    /// The servers nearest to the name that are known without asking, and their addresses (RFC 1034
    /// 4.3.1).
    pub(crate) fn nearest(&self, host: &Host, name: &DnsName) -> (Vec<Record>, Vec<Record>) {
        match &self.source {
            Source::Servers(_) => (Vec::new(), Vec::new()),
            Source::Tree(tree) => tree.nearest(host, name),
        }
    }

    /// How many answers are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.cache().len()
    }

    /// Asks about the chain's end and learns what is said.
    async fn ask(
        &self,
        host: &Host,
        record_type: RecordType,
        chain: &mut AliasChain,
        budget: &Budget,
    ) -> Result<Asked, ResolveError> {
        let name = chain.end().clone();
        let question = Question::new(name.clone(), record_type);
        let (message, server) = match self.ask_source(host, &question, chain, budget).await {
            Ok(answered) => answered,
            Err(error) => {
                tell_looked_up(host, &name, LookupSource::Server, false, error.to_string());
                return Err(error);
            }
        };
        let meaning = interpret(record_type, &message, chain);
        if let Ok(meaning) = &meaning {
            self.learn(host, record_type, meaning, chain);
            let (hit, detail) = match &meaning.end {
                End::Records(records) => (true, format!("{server} has {}", list(records))),
                End::Unknown => (true, format!("{server} has an alias")),
                End::Nothing { what, .. } => (false, format!("{server} says {}", phrase(*what))),
            };
            tell_looked_up(host, &name, LookupSource::Server, hit, detail);
        }
        Ok(Asked { meaning, server })
    }

    async fn ask_source(
        &self,
        host: &Host,
        question: &Question,
        chain: &AliasChain,
        budget: &Budget,
    ) -> Result<(Message, SocketAddr), ResolveError> {
        match &self.source {
            Source::Servers(stub) => {
                let why = match chain.last_alias() {
                    Some(alias) => QueryReason::Alias { from: alias.to_string() },
                    None => QueryReason::First,
                };
                stub.ask(host, question, why).await
            }
            Source::Tree(tree) => tree.ask(host, question, budget).await,
        }
    }

    fn budget(&self) -> Budget {
        match &self.source {
            Source::Servers(_) => Budget::default(),
            Source::Tree(tree) => tree.budget(),
        }
    }

    fn learn(&self, host: &Host, record_type: RecordType, meaning: &Meaning, chain: &AliasChain) {
        let now = host.now();
        let mut cache = self.cache();
        for alias in &meaning.aliases {
            cache.learn(&alias.owner, RecordType::Cname, std::slice::from_ref(alias), now);
        }
        match &meaning.end {
            // RFC 8482: what comes for ANY is not all there is.
            End::Records(_) if record_type == RecordType::Any => {}
            End::Records(records) => cache.learn(chain.end(), record_type, records, now),
            End::Nothing { what, soa: Some(soa) } => {
                cache.learn_nothing(chain.end(), record_type, *what, soa, now);
            }
            End::Nothing { soa: None, .. } | End::Unknown => {}
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Finding {
    /// What it is to whoever asked for `asked`; that there is nothing is an error to them.
    pub(crate) fn into_lookup(
        self,
        asked: &DnsName,
        record_type: RecordType,
    ) -> Result<Lookup, ResolveError> {
        if let Some((what, _)) = self.nothing {
            let said_by = self.server.map_or("this process's cache".to_owned(), |server| server.to_string());
            return Err(ResolveError::nothing(what, asked, &self.canonical, record_type, said_by));
        }
        let ttl = self.records.iter().map(|record| record.ttl).min().unwrap_or_default();
        Ok(Lookup {
            name: asked.to_string(),
            canonical: self.canonical.to_string(),
            addresses: self.records.iter().filter_map(Record::address).collect(),
            records: self.records,
            ttl: Duration::from_secs(ttl.into()),
            source: if self.server.is_some() { LookupSource::Server } else { LookupSource::Cache },
            server: self.server,
        })
    }
}

struct Asked {
    meaning: Result<Meaning, AliasError>,
    server: SocketAddr,
}

fn finding(
    chain: &AliasChain,
    records: Vec<Record>,
    nothing: Option<(Negative, Option<Record>)>,
    server: Option<SocketAddr>,
) -> Finding {
    Finding { canonical: chain.end().clone(), records, nothing, server }
}

/// What the cache's knowledge about the chain's end means.
fn meaning_of(record_type: RecordType, known: Cached, chain: &mut AliasChain) -> Result<Meaning, AliasError> {
    match known {
        Cached::Nothing { what, soa } => {
            Ok(Meaning { aliases: Vec::new(), end: End::Nothing { what, soa: Some(soa) } })
        }
        Cached::Records(records) => match records.first().and_then(Record::alias) {
            Some(target) if record_type != RecordType::Cname => {
                chain.follow(target)?;
                Ok(Meaning { aliases: records, end: End::Unknown })
            }
            _ => Ok(Meaning { aliases: Vec::new(), end: End::Records(records) }),
        },
    }
}

fn leads_nowhere(name: &DnsName, error: &AliasError) -> ResolveError {
    let what = match error {
        AliasError::Loop(name) => format!("its chain of aliases comes back to {name}"),
        AliasError::TooLong(most) => format!("its chain of aliases is longer than {most}"),
    };
    ResolveError::CnameLoop { name: name.clone(), what }
}

fn tell_aliases(host: &Host, aliases: &[Record], chain: &AliasChain) {
    for (at, alias) in aliases.iter().enumerate() {
        let to = aliases.get(at + 1).map_or(chain.end(), |next| &next.owner).to_string();
        host.scope().record(|| Dns::AliasFollowed { from: alias.owner.to_string(), to });
    }
}

fn tell_looked_up(host: &Host, name: &DnsName, source: LookupSource, hit: bool, detail: String) {
    host.scope().record(|| Dns::LookedUp { name: name.to_string(), source, hit, detail });
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
