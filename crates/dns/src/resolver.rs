//! The resolver: one place after the other is asked until one knows.

use crate::answer::{AliasChain, AliasError, End, Meaning, interpret};
use crate::cache::{Cache, Cached, Negative};
use crate::config::ResolverConfig;
use crate::error::ResolveError;
use crate::known_here::{self, Known};
use crate::lookup::Lookup;
use crate::message::Question;
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordType};
use crate::stub::Stub;
use glasstack_journal::event::{Dns, LookupSource, QueryReason};
use glasstack_journal::{Scope, SpanKind};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Turns names into addresses. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct Resolver {
    host: Host,
    shared: Arc<Shared>,
}

struct Shared {
    config: ResolverConfig,
    stub: Stub,
    cache: Mutex<Cache>,
}

impl Resolver {
    /// A resolver on `host`, with an empty cache. Its spans open below `host`'s own.
    pub fn new(host: Host, config: ResolverConfig) -> Self {
        let stub =
            Stub::new(config.servers.clone(), config.timeout, config.attempts, config.edns, config.use_tcp);
        let cache = Mutex::new(Cache::new(config.cache_capacity));
        Self { host, shared: Arc::new(Shared { config, stub, cache }) }
    }

    /// The same resolver, its spans opening below those of `host`, which must be the same host.
    #[must_use]
    pub fn within(&self, host: &Host) -> Self {
        Self { host: host.clone(), shared: Arc::clone(&self.shared) }
    }

    /// The addresses of a host, for whatever port. Asked in this order, each step recorded with hit
    /// or miss: the name itself (is it an address?), the overrides, the cache, the hosts file, the
    /// name servers.
    pub async fn resolve(&self, name: &str) -> Result<Lookup, ResolveError> {
        self.resolve_for(name, None).await
    }

    /// The addresses of a host for a connection to `port`: overrides are about one port.
    pub async fn resolve_port(&self, name: &str, port: u16) -> Result<Lookup, ResolveError> {
        self.resolve_for(name, Some(port)).await
    }

    /// The records of any type, from the cache or from the name servers. Of names that are special
    /// by themselves (RFC 6761) the answer is known: `localhost` has addresses and no records, those
    /// below `invalid` and `onion` do not exist.
    pub async fn query(&self, name: &str, record_type: RecordType) -> Result<Lookup, ResolveError> {
        let span = self.open(name, record_type);
        let result = match DnsName::parse(name) {
            Ok(parsed) => self.find_records(span.host(), &parsed, record_type).await,
            Err(source) => Err(ResolveError::InvalidName { text: name.to_owned(), source }),
        };
        tell_outcome(span.scope(), name, result)
    }

    /// How many answers the cache holds.
    pub fn cached(&self) -> usize {
        self.cache().len()
    }

    async fn resolve_for(&self, text: &str, port: Option<u16>) -> Result<Lookup, ResolveError> {
        let span = self.open(text, RecordType::A);
        let result = self.find_addresses(span.host(), text, port).await;
        tell_outcome(span.scope(), text, result)
    }

    async fn find_records(
        &self,
        host: &Host,
        name: &DnsName,
        record_type: RecordType,
    ) -> Result<Lookup, ResolveError> {
        if let Some(here) = known_here::localhost(name, record_type) {
            let text = name.to_string();
            if let Some(known) = tell(host.scope(), &text, here?) {
                return Ok(known_here::without_asking(&text, known));
            }
        }
        known_here::never_exists(name)?;
        let search = Search { resolver: self, host, asked: name };
        let cached = search.in_cache(name, record_type);
        search.follow(record_type, cached).await
    }

    async fn find_addresses(
        &self,
        host: &Host,
        text: &str,
        port: Option<u16>,
    ) -> Result<Lookup, ResolveError> {
        let config = &self.shared.config;
        if let Some(known) = tell(host.scope(), text, known_here::literal(text)) {
            return known_here::lookup(text, known);
        }
        let name = DnsName::host(text)
            .map_err(|source| ResolveError::InvalidName { text: text.to_owned(), source })?;
        let said = known_here::overridden(&config.overrides, &name, port);
        if let Some(known) = said.and_then(|said| tell(host.scope(), text, said)) {
            return known_here::lookup(text, known);
        }
        let mut as_it_stands = None;
        for candidate in candidates(text, &name, config) {
            let search = Search { resolver: self, host, asked: &candidate };
            match search.addresses(text).await {
                Err(error @ (ResolveError::NotFound { .. } | ResolveError::NoAddress { .. })) => {
                    if candidate == name || as_it_stands.is_none() {
                        as_it_stands = Some(error);
                    }
                }
                other => return other,
            }
        }
        // There is always the name itself among the candidates.
        Err(as_it_stands.unwrap_or(ResolveError::NoServers { name }))
    }

    fn open(&self, name: &str, record_type: RecordType) -> OpenSpan {
        let record_type = record_type.to_string();
        OpenSpan::new(&self.host, SpanKind::Resolve { name: name.to_owned(), record_type })
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The search for one fully qualified name.
struct Search<'a> {
    resolver: &'a Resolver,
    host: &'a Host,
    asked: &'a DnsName,
}

impl Search<'_> {
    /// Cache, hosts file, servers: the addresses of the name.
    async fn addresses(&self, text: &str) -> Result<Lookup, ResolveError> {
        let cached = self.in_cache(self.asked, RecordType::A);
        if cached.is_none() {
            let hosts = known_here::in_hosts_file(&self.resolver.shared.config.hosts, self.asked);
            if let Some(known) = tell(self.host.scope(), &self.asked.to_string(), hosts) {
                return known_here::lookup(text, known);
            }
            known_here::never_exists(self.asked)?;
        }
        match self.follow(RecordType::A, cached).await {
            Ok(lookup) => Ok(Lookup { name: text.to_owned(), ..lookup }),
            // Only to be able to say which it is: without any address, or with one that cannot be used yet.
            Err(ResolveError::NoRecords { name, said_by, .. }) => {
                let cached = self.in_cache(self.asked, RecordType::Aaaa);
                match self.follow(RecordType::Aaaa, cached).await {
                    Ok(Lookup { addresses, .. }) if !addresses.is_empty() => {
                        known_here::usable(text, &addresses)?;
                        Err(ResolveError::NoAddress { name, said_by })
                    }
                    _ => Err(ResolveError::NoAddress { name, said_by }),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The records of the name, behind however many aliases. `cached` is what the cache knows of
    /// the name itself.
    async fn follow(&self, record_type: RecordType, cached: Option<Cached>) -> Result<Lookup, ResolveError> {
        let mut chain = AliasChain::from(self.asked.clone());
        let mut records = Vec::new();
        let mut server = None;
        let mut cached = cached;
        loop {
            let (meaning, said_by) = match cached.take() {
                Some(known) => {
                    from_cache(record_type, known, &mut chain).map(|m| (m, "this process's cache".to_owned()))
                }
                None => {
                    let asked = self.ask(record_type, &mut chain).await?;
                    server = Some(asked.server);
                    asked.meaning.map(|meaning| (meaning, asked.server.to_string()))
                }
            }
            .map_err(|error| self.leads_nowhere(&error))?;
            self.tell_aliases(&meaning.aliases, &chain);
            records.extend(meaning.aliases);
            match meaning.end {
                End::Records(found) => {
                    records.extend(found);
                    return Ok(self.lookup(&chain, records, server));
                }
                End::Unknown => cached = self.in_cache(chain.end(), record_type),
                End::Nothing { what, .. } => {
                    return Err(ResolveError::nothing(what, self.asked, chain.end(), record_type, said_by));
                }
            }
        }
    }

    /// Asks the servers about the chain's end and learns what they say.
    async fn ask(&self, record_type: RecordType, chain: &mut AliasChain) -> Result<Asked, ResolveError> {
        let name = chain.end().clone();
        let why = match chain.last_alias() {
            Some(alias) => QueryReason::Alias { from: alias.to_string() },
            None => QueryReason::First,
        };
        let question = Question::new(name.clone(), record_type);
        let answered = self.resolver.shared.stub.ask(self.host, &question, why).await;
        let (message, server) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                self.tell_looked_up(&name, LookupSource::Server, false, error.to_string());
                return Err(error);
            }
        };
        let meaning = interpret(record_type, &message, chain);
        if let Ok(meaning) = &meaning {
            self.learn(record_type, meaning, chain);
            let (hit, detail) = match &meaning.end {
                End::Records(records) => (true, format!("{server} has {}", list(records))),
                End::Unknown => (true, format!("{server} has an alias")),
                End::Nothing { what, .. } => (false, format!("{server} says {}", phrase(*what))),
            };
            self.tell_looked_up(&name, LookupSource::Server, hit, detail);
        }
        Ok(Asked { meaning, server })
    }

    fn learn(&self, record_type: RecordType, meaning: &Meaning, chain: &AliasChain) {
        let now = self.host.now();
        let mut cache = self.resolver.cache();
        for alias in &meaning.aliases {
            cache.learn(&alias.owner, RecordType::Cname, std::slice::from_ref(alias), now);
        }
        match &meaning.end {
            // RFC 8482: what comes for ANY is not all there is.
            End::Records(_) if record_type == RecordType::Any => {}
            End::Records(records) => cache.learn(chain.end(), record_type, records, now),
            End::Nothing { what, ttl: Some(ttl) } => {
                cache.learn_nothing(chain.end(), record_type, *what, *ttl, now);
            }
            End::Nothing { ttl: None, .. } | End::Unknown => {}
        }
    }

    /// What the cache knows about the name: the records, or that it is an alias.
    fn in_cache(&self, name: &DnsName, record_type: RecordType) -> Option<Cached> {
        let now = self.host.now();
        let cached = {
            let cache = self.resolver.cache();
            cache.get(name, record_type, now).or_else(|| cache.get_alias(name, now))
        };
        let (hit, detail) = match &cached {
            None => (false, "nothing is known about it".to_owned()),
            Some(Cached::Records(records)) => (true, list(records)),
            Some(Cached::Nothing { what, left }) => {
                (true, format!("{}, for another {} s", phrase(*what), left.as_secs()))
            }
        };
        self.tell_looked_up(name, LookupSource::Cache, hit, detail);
        cached
    }

    fn lookup(&self, chain: &AliasChain, records: Vec<Record>, server: Option<SocketAddr>) -> Lookup {
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        Lookup {
            name: self.asked.to_string(),
            canonical: chain.end().to_string(),
            addresses: records.iter().filter_map(Record::address).collect(),
            records,
            ttl: Duration::from_secs(ttl.into()),
            source: if server.is_some() { LookupSource::Server } else { LookupSource::Cache },
            server,
        }
    }

    fn leads_nowhere(&self, error: &AliasError) -> ResolveError {
        let what = match error {
            AliasError::Loop(name) => format!("its chain of aliases comes back to {name}"),
            AliasError::TooLong(most) => format!("its chain of aliases is longer than {most}"),
        };
        ResolveError::CnameLoop { name: self.asked.clone(), what }
    }

    fn tell_aliases(&self, aliases: &[Record], chain: &AliasChain) {
        for (at, alias) in aliases.iter().enumerate() {
            let to = aliases.get(at + 1).map_or(chain.end(), |next| &next.owner).to_string();
            self.host.scope().record(|| Dns::AliasFollowed { from: alias.owner.to_string(), to });
        }
    }

    fn tell_looked_up(&self, name: &DnsName, source: LookupSource, hit: bool, detail: String) {
        self.host.scope().record(|| Dns::LookedUp { name: name.to_string(), source, hit, detail });
    }
}

struct Asked {
    meaning: Result<Meaning, AliasError>,
    server: SocketAddr,
}

/// What the cache's knowledge about the chain's end means.
fn from_cache(record_type: RecordType, known: Cached, chain: &mut AliasChain) -> Result<Meaning, AliasError> {
    match known {
        Cached::Nothing { what, left } => {
            Ok(Meaning { aliases: Vec::new(), end: End::Nothing { what, ttl: Some(left) } })
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

/// The names that `text` may stand for (resolv.conf(5)): as it is first if it has dots enough, then
/// with each domain of the search list behind it. A final dot says that it is complete.
fn candidates(text: &str, name: &DnsName, config: &ResolverConfig) -> Vec<DnsName> {
    if text.ends_with('.') || config.search.is_empty() {
        return vec![name.clone()];
    }
    let mut candidates: Vec<DnsName> =
        config.search.iter().filter_map(|domain| name.below(domain).ok()).collect();
    let dots = name.label_count() - 1;
    let place = if dots >= config.ndots { 0 } else { candidates.len() };
    candidates.insert(place, name.clone());
    candidates
}

/// Records whether a place knew; what it knew is passed on.
fn tell(scope: &Scope, name: &str, answer: (LookupSource, Option<Known>, String)) -> Option<Known> {
    let (source, known, detail) = answer;
    let hit = known.is_some();
    scope.record(|| Dns::LookedUp { name: name.to_owned(), source, hit, detail });
    known
}

fn tell_outcome(
    scope: &Scope,
    name: &str,
    result: Result<Lookup, ResolveError>,
) -> Result<Lookup, ResolveError> {
    scope.record(|| match &result {
        Ok(lookup) => Dns::Resolved {
            name: name.to_owned(),
            addresses: lookup.addresses.clone(),
            ttl: lookup.ttl,
            source: lookup.source,
        },
        Err(error) => Dns::Failed { name: name.to_owned(), why: error.to_string() },
    });
    result
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates_of(text: &str, ndots: usize) -> Vec<String> {
        let search = vec![DnsName::host("a.test").unwrap(), DnsName::host("b.test").unwrap()];
        let config = ResolverConfig { search, ndots, ..ResolverConfig::default() };
        let name = DnsName::host(text).unwrap();
        candidates(text, &name, &config).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_short_name_is_tried_in_the_search_domains_first() {
        assert_eq!(candidates_of("www", 1), ["www.a.test", "www.b.test", "www"]);
        assert_eq!(candidates_of("www.x", 1), ["www.x", "www.x.a.test", "www.x.b.test"]);
        assert_eq!(candidates_of("www.x", 2), ["www.x.a.test", "www.x.b.test", "www.x"]);
        assert_eq!(candidates_of("www.", 1), ["www"]);
    }
}
