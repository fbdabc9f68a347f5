//! The resolver: one place after the other is asked until one knows.

use crate::answer::{AliasChain, End};
use crate::cache::file::{self, BadCacheFile, Loaded, Moment, Provenance};
use crate::cache::{Cache, Found, RrSet};
use crate::config::{Iterating, ResolverConfig};
use crate::dnssec::{Security, Validator};
use crate::error::ResolveError;
use crate::finding::Finding;
use crate::iterate::Iterate;
use crate::knowledge::{Knowledge, Source, Wanted};
use crate::known_here::{self, Known, Told};
use crate::local_zones::ServedHere;
use crate::lookup::Lookup;
use crate::memory::Memory;
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordData, RecordType};
use crate::stub::Stub;
use crate::upstream::{Sockets, Upstream};
use glasstack_journal::event::Dns;
use glasstack_journal::{Scope, SpanKind};
use glasstack_stack::Host;
use std::net::IpAddr;
use std::sync::Arc;

/// Turns names into addresses. Cheap to clone; clones share the cache.
#[derive(Clone)]
pub struct Resolver {
    host: Host,
    shared: Arc<Shared>,
}

struct Shared {
    config: ResolverConfig,
    knowledge: Knowledge,
}

impl Resolver {
    /// A resolver on `host`, with an empty cache. Its spans open below `host`'s own.
    pub fn new(host: Host, config: ResolverConfig) -> Self {
        Self::with_upstream(host, config, Arc::new(Sockets))
    }

    /// One whose queries `upstream` carries.
    pub fn with_upstream(host: Host, config: ResolverConfig, upstream: Arc<dyn Upstream>) -> Self {
        let walk = config.iterate.as_ref();
        let served_here =
            walk.map_or_else(ServedHere::none, |walk| ServedHere::of(&walk.hints, &walk.config));
        let served_here = served_here.checked_by(config.validate.as_ref());
        let memory = Arc::new(Memory::new(Cache::new(config.cache.clone()), served_here));
        let anchors = config.validate.clone();
        let source = match config.iterate.clone() {
            Some(Iterating { hints, config: walk }) => {
                let tree = Iterate::new(hints, walk, anchors.clone(), upstream, Arc::clone(&memory));
                Source::Tree(Arc::new(tree))
            }
            None => Source::Servers(Box::new(Stub::new(&config, upstream))),
        };
        let validator = anchors.map(|anchors| Validator::new(anchors, config.validation.clone()));
        let knowledge = Knowledge::new(source, memory, validator);
        Self { host, shared: Arc::new(Shared { config, knowledge }) }
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

    /// What shows that there are no such records of a name, or of what it is an alias of, if that is
    /// remembered: the SOA record of the zone, the NSEC or NSEC3 records, and their signatures; and what
    /// validation has found of it.
    pub fn denial(&self, name: &DnsName, record_type: RecordType) -> Option<(Security, Vec<Record>)> {
        let memory = self.shared.knowledge.memory();
        let mut chain = AliasChain::from(name.clone());
        let mut finding = Finding::new(name);
        loop {
            let found = memory.lookup(chain.end(), record_type, self.host.now());
            if !matches!(finding.absorb_known(&found?, &mut chain).ok()?, End::Unknown) {
                break;
            }
        }
        finding.nothing?;
        let of_a_set = |set: RrSet| set.records.into_iter().chain(set.signatures);
        Some((finding.security, finding.authorities.into_iter().flat_map(of_a_set).collect()))
    }

    /// The name that an address goes by (RFC 1035 3.5), as its PTR records say; nobody has to have set one.
    pub async fn name_of(&self, address: IpAddr) -> Result<DnsName, ResolveError> {
        let reverse = DnsName::reverse(address);
        let lookup = self.query(&reverse.to_string(), RecordType::Ptr).await?;
        let pointed = lookup.records.into_iter().find_map(|record| match record.data {
            RecordData::Ptr(name) => Some(name),
            _ => None,
        });
        let said_by = lookup.server.map_or("this process's cache".to_owned(), |server| server.to_string());
        pointed.ok_or(ResolveError::NoRecords { name: reverse, record_type: RecordType::Ptr, said_by })
    }

    /// What it knows, as a file that [`load_cache`](Self::load_cache) reads.
    pub fn save_cache(&self, provenance: &Provenance) -> String {
        let knowledge = &self.shared.knowledge;
        file::save(provenance, &knowledge.cache(), Some(&knowledge.infrastructure()), self.moment())
    }

    /// Knows what a file holds, in place of what it knew.
    pub fn load_cache(&self, text: &str, provenance: &Provenance) -> Result<Loaded, BadCacheFile> {
        let knowledge = &self.shared.knowledge;
        let (mut cache, mut infrastructure) = (knowledge.cache(), knowledge.infrastructure());
        file::load(text, Some(provenance), &mut cache, Some(&mut infrastructure), self.moment())
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.host.wall(), now: self.host.now() }
    }

    /// How many entries the cache holds.
    pub fn cached(&self) -> usize {
        self.shared.knowledge.remembered()
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
        if let Some(here) = known_here::special(name, record_type) {
            let text = name.to_string();
            if let Some(known) = tell(host.scope(), &text, record_type, here?) {
                return Ok(known_here::without_asking(&text, known));
            }
        }
        let wanted = Wanted::new(name, record_type);
        self.shared.knowledge.find(host, &wanted).await?.into_lookup(name, record_type)
    }

    async fn find_addresses(
        &self,
        host: &Host,
        text: &str,
        port: Option<u16>,
    ) -> Result<Lookup, ResolveError> {
        let config = &self.shared.config;
        if let Some(known) = tell(host.scope(), text, RecordType::A, known_here::literal(text)) {
            return known_here::lookup(text, known);
        }
        let name = DnsName::host(text)
            .map_err(|source| ResolveError::InvalidName { text: text.to_owned(), source })?;
        let said = known_here::overridden(&config.overrides, &name, port);
        if let Some(known) = said.and_then(|said| tell(host.scope(), text, RecordType::A, said)) {
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
        let recalled = self.recall(RecordType::A);
        if recalled.is_none() {
            let hosts = known_here::in_hosts_file(&self.resolver.shared.config.hosts, self.asked);
            if let Some(known) = tell(self.host.scope(), &self.asked.to_string(), RecordType::A, hosts) {
                return known_here::lookup(text, known);
            }
            known_here::never_exists(self.asked)?;
        }
        match self.follow(RecordType::A, recalled).await {
            Ok(lookup) => Ok(Lookup { name: text.to_owned(), ..lookup }),
            // Only to be able to say which it is: without any address, or with one that cannot be used yet.
            Err(ResolveError::NoRecords { name, said_by, .. }) => {
                match self.follow(RecordType::Aaaa, self.recall(RecordType::Aaaa)).await {
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

    fn recall(&self, record_type: RecordType) -> Option<Found> {
        self.resolver.shared.knowledge.recall(self.host, self.asked, record_type)
    }

    async fn follow(&self, record_type: RecordType, recalled: Option<Found>) -> Result<Lookup, ResolveError> {
        let wanted = Wanted::new(self.asked, record_type);
        let finding = self.resolver.shared.knowledge.find_beyond(self.host, &wanted, recalled).await?;
        finding.into_lookup(self.asked, record_type)
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
fn tell(scope: &Scope, name: &str, record_type: RecordType, answer: Told) -> Option<Known> {
    let Told { source, known, detail } = answer;
    let hit = known.is_some();
    let record_type = record_type.to_string();
    scope.record(|| Dns::LookedUp { name: name.to_owned(), record_type, source, hit, detail });
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
