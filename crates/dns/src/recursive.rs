//! The local name server: it walks for others and remembers (RFC 1034 4.3.1, recursive service).

use crate::cache::{Cache, CacheConfig, Kept, RrSet};
use crate::dnssec::{Limits, Security, TrustAnchors, Validator};
use crate::error::ResolveError;
use crate::finding::Finding;
use crate::hints::RootHints;
use crate::iterate::{Iterate, IterateConfig, ServeStale};
use crate::knowledge::{Knowledge, Source, Wanted};
use crate::known_here::{self, Told};
use crate::local_zones::{ServedHere, soa_of};
use crate::memory::Memory;
use crate::message::{ExtendedError, ResponseCode};
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordData, RecordType};
use crate::response::records_of;
use crate::server::{Asked, Authority, NameServer, Reply, ServeError, serve_within};
use crate::upstream::{Sockets, Upstream};
use crate::zone::DEFAULT_TTL;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use glasstack_journal::SpanKind;
use glasstack_journal::event::Dns;
use glasstack_stack::Host;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a recursive server goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecursorConfig {
    /// How the walk goes about it.
    pub iterate: IterateConfig,
    /// Check whether answers are what the zones' owners signed, from these trust anchors on. No.
    pub validate: Option<TrustAnchors>,
    /// What that may cost.
    pub validation: Limits,
    /// How long a client's question may take altogether. 9 s: less than stub resolvers wait.
    pub patience: Duration,
    /// How much is kept, and how long.
    pub cache: CacheConfig,
    /// Whether authority and additional sections are left out where they are not needed. Yes.
    pub minimal_responses: bool,
}

impl Default for RecursorConfig {
    fn default() -> Self {
        Self {
            iterate: IterateConfig::default(),
            validate: None,
            validation: Limits::default(),
            patience: Duration::from_secs(9),
            cache: CacheConfig::default(),
            minimal_responses: true,
        }
    }
}

/// Answers clients on `local`, over UDP and TCP, by walking from `hints` to whoever has authority.
/// Dropping what is returned stops the server.
pub fn serve_recursive(
    host: &Host,
    local: SocketAddr,
    hints: RootHints,
    config: RecursorConfig,
) -> Result<NameServer, ServeError> {
    let host = host.span(SpanKind::Service { name: "dns".to_owned(), local });
    let recursor = Recursor::new(host.clone(), hints, config);
    serve_within(&host, local, recursor)
}

/// What a recursive server knows, and can find out. Its spans open below those of the host it was
/// made with.
pub struct Recursor {
    inner: Arc<Inner>,
    /// Questions that are being looked up, so that equal ones are looked up once.
    under_way: Mutex<BTreeMap<Wanted, WeakShared<Search>>>,
}

struct Inner {
    host: Host,
    knowledge: Knowledge,
    patience: Duration,
    prefetch: bool,
    stale: Option<ServeStale>,
    minimal_responses: bool,
}

type Search = BoxFuture<'static, Result<Finding, Unanswered>>;

/// Why there is no answer.
#[derive(Clone, Debug)]
struct Unanswered {
    why: String,
    extended: Option<ExtendedError>,
    /// There is an answer, and it is bogus.
    bogus: bool,
}

impl Recursor {
    /// One that knows nothing yet but the root's servers.
    pub fn new(host: Host, hints: RootHints, config: RecursorConfig) -> Self {
        Self::with_upstream(host, hints, config, Arc::new(Sockets))
    }

    /// One whose queries `upstream` carries.
    pub fn with_upstream(
        host: Host,
        hints: RootHints,
        config: RecursorConfig,
        upstream: Arc<dyn Upstream>,
    ) -> Self {
        let RecursorConfig { iterate, validate, validation, patience, mut cache, minimal_responses } = config;
        let (prefetch, stale) = (iterate.prefetch, iterate.serve_stale);
        if let Some(stale) = stale {
            cache.serve_stale_for = cache.serve_stale_for.max(stale.max_age);
        }
        let served_here = ServedHere::of(&hints, &iterate).checked_by(validate.as_ref());
        let memory = Arc::new(Memory::new(Cache::new(cache), served_here));
        let tree = Arc::new(Iterate::new(hints, iterate, validate.clone(), upstream, Arc::clone(&memory)));
        let validator = validate.map(|anchors| Validator::new(anchors, validation));
        let knowledge = Knowledge::new(Source::Tree(tree), memory, validator);
        let inner = Inner { host, knowledge, patience, prefetch, stale, minimal_responses };
        Self { inner: Arc::new(inner), under_way: Mutex::default() }
    }

    /// Everything it remembers of what servers have told, by name.
    pub fn remembered(&self) -> Vec<Kept> {
        self.inner.knowledge.memory().cache().entries(self.inner.host.now())
    }

    /// How much memory that takes, in bytes.
    pub fn remembered_bytes(&self) -> usize {
        self.inner.knowledge.memory().cache().bytes()
    }

    async fn reply(&self, asked: &Asked) -> Reply {
        let wanted = Wanted {
            dnssec_ok: asked.dnssec_ok,
            checking_disabled: asked.checking_disabled,
            ..Wanted::new(&asked.question.name, asked.question.record_type)
        };
        if let Some(reply) = special(&wanted) {
            return reply;
        }
        if !asked.recursion_desired {
            return self.inner.reply_from_memory(&wanted, asked);
        }
        if let Some(why) = self.inner.failed_lately(&wanted) {
            // What is not asked for again may be known all the same: where it was to be fetched ahead of its end.
            if let Some(finding) = self.inner.knowledge.remember(&self.inner.host, &wanted) {
                return self.inner.reply(finding, asked);
            }
            if let Some(stale) = self.inner.stale_reply(&wanted, asked) {
                return stale;
            }
            // RFC 8914 4.14: Cached Error.
            let error = ExtendedError::brief(13, &why);
            return Reply::empty(ResponseCode::ServFail, format!("it has just failed: {why}")).because(error);
        }
        let (lookup, joined) = self.lookup(&wanted);
        if joined {
            let (name, record_type) = (wanted.name.to_string(), wanted.record_type.to_string());
            self.inner.host.scope().record(|| Dns::Joined { name, record_type });
        }
        match self.wait(lookup, &wanted, asked).await {
            Waited::Found(finding) => {
                self.prefetch(&wanted, &finding);
                self.inner.reply(*finding, asked)
            }
            Waited::Stale(reply) => reply,
            Waited::Failed(failure) => {
                if let Some(stale) = self.inner.stale_reply(&wanted, asked) {
                    return stale;
                }
                let reply = Reply::empty(ResponseCode::ServFail, failure.why);
                failure.extended.into_iter().fold(reply, Reply::because)
            }
        }
    }

    /// RFC 8767 5: after a while what has expired will do; the lookup goes on behind the client's back.
    async fn wait(&self, lookup: Shared<Search>, wanted: &Wanted, asked: &Asked) -> Waited {
        let Some(stale) = self.inner.stale else { return Waited::from(lookup.await) };
        match self.inner.host.timeout(stale.client_timeout, lookup.clone()).await {
            Ok(found) => Waited::from(found),
            Err(_) => match self.inner.stale_reply(wanted, asked) {
                Some(reply) => {
                    self.inner.host.spawn(lookup.map(drop));
                    Waited::Stale(reply)
                }
                None => Waited::from(lookup.await),
            },
        }
    }

    /// The lookup of this question: the one that is under way if there is one, which is told.
    fn lookup(&self, wanted: &Wanted) -> (Shared<Search>, bool) {
        let mut under_way = self.under_way();
        // Only who waits for a lookup keeps it alive.
        under_way.retain(|_, lookup| lookup.upgrade().is_some());
        if let Some(lookup) = under_way.get(wanted).and_then(WeakShared::upgrade) {
            return (lookup, true);
        }
        let (inner, question) = (Arc::clone(&self.inner), wanted.clone());
        let lookup: Search = Box::pin(async move { inner.find(&question, Duration::ZERO).await });
        let lookup = lookup.shared();
        if let Some(weak) = lookup.downgrade() {
            under_way.insert(wanted.clone(), weak);
        }
        (lookup, false)
    }

    /// What is asked for in the last tenth of its time is asked for anew, behind the client's back.
    fn prefetch(&self, wanted: &Wanted, finding: &Finding) {
        let Some(left) = finding.nearly_over.filter(|_| self.inner.prefetch && finding.server.is_none())
        else {
            return;
        };
        let (name, record_type) = (wanted.name.to_string(), wanted.record_type.to_string());
        self.inner.host.scope().record(|| Dns::Prefetched { name, record_type, left });
        let (inner, question) = (Arc::clone(&self.inner), wanted.clone());
        self.inner.host.spawn(async move {
            let _ = inner.find(&question, left).await;
        });
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<Wanted, WeakShared<Search>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of waiting for a lookup.
enum Waited {
    Found(Box<Finding>),
    Stale(Reply),
    Failed(Unanswered),
}

impl From<Result<Finding, Unanswered>> for Waited {
    fn from(found: Result<Finding, Unanswered>) -> Self {
        match found {
            Ok(finding) => Self::Found(Box::new(finding)),
            Err(failure) => Self::Failed(failure),
        }
    }
}

impl Inner {
    /// Finds out, in a span of its own; what is good for no longer than `renew` is not good enough.
    async fn find(&self, wanted: &Wanted, renew: Duration) -> Result<Finding, Unanswered> {
        let Wanted { name, record_type, .. } = wanted;
        let kind = SpanKind::Resolve { name: name.to_string(), record_type: record_type.to_string() };
        let span = OpenSpan::new(&self.host, kind);
        let finding = self.knowledge.find_fresher(span.host(), wanted, renew);
        let outcome = match self.host.timeout(self.patience, finding).await {
            Ok(found) => found.map_err(Unanswered::from),
            Err(elapsed) => {
                let why = format!("{name} could not be resolved within {} ms", elapsed.limit.as_millis());
                // RFC 8914 4.23: No Reachable Authority.
                let extended = Some(ExtendedError::brief(22, &why));
                Err(Unanswered { why, extended, bogus: false })
            }
        };
        if let Err(failure) = &outcome {
            // RFC 9520 3.2: what has failed is not tried again at once, however many ask for it.
            let (mut cache, now) = (self.knowledge.memory().cache(), self.host.now());
            // Who was asked may have found it bogus.
            let checked_by_others = !self.knowledge.checks() && !wanted.checking_disabled;
            // Who asks again is told the same.
            let why = failure.extended.as_ref().map_or(&failure.why, |extended| &extended.text);
            match failure.bogus || checked_by_others {
                true => cache.put_bogus(&wanted.question(), why, now),
                false => cache.put_failure(&wanted.question(), why, now),
            };
        }
        span.scope().record(|| match &outcome {
            Ok(finding) => resolved(name, *record_type, finding),
            Err(failure) => Dns::Failed { name: name.to_string(), why: failure.why.clone() },
        });
        outcome
    }

    fn failed_lately(&self, wanted: &Wanted) -> Option<String> {
        let cache = self.knowledge.memory().cache();
        let failure = cache.failure(&wanted.question(), self.host.now())?;
        // RFC 4035 3.2.2: what is bogus is for those who want it unchecked to see.
        let of_no_concern = failure.bogus && wanted.checking_disabled;
        (!of_no_concern).then(|| failure.why.clone())
    }

    /// RFC 1034 4.3.2: without recursion only what is known here is an answer; otherwise the nearest
    /// servers that are known are named.
    fn reply_from_memory(&self, wanted: &Wanted, asked: &Asked) -> Reply {
        if let Some(finding) = self.knowledge.remember(&self.host, wanted) {
            return self.reply(finding, asked);
        }
        let (authorities, additionals) = self.knowledge.nearest(&self.host, &wanted.name);
        let why = "it is not known here, and recursion was not desired: these are the nearest servers known";
        Reply { authorities, additionals, ..Reply::empty(ResponseCode::NoError, why) }
    }

    /// What has expired, if that is wished for and there is anything.
    fn stale_reply(&self, wanted: &Wanted, asked: &Asked) -> Option<Reply> {
        let stale = self.stale?;
        let mut finding = self.knowledge.remember_stale(&self.host, wanted)?;
        let (name, record_type) = (wanted.name.to_string(), wanted.record_type.to_string());
        self.host.scope().record(|| Dns::StaleServed { name, record_type });
        let ttl = u32::try_from(stale.ttl.as_secs()).unwrap_or(u32::MAX);
        for set in finding.answers.iter_mut().chain(&mut finding.authorities) {
            set.records.iter_mut().chain(&mut set.signatures).for_each(|record| record.ttl = ttl);
        }
        // RFC 8914 4.4: Stale Answer; 4.20: Stale NXDomain Answer.
        let code = if finding.code == ResponseCode::NxDomain { 19 } else { 3 };
        let text = "nothing newer could be had in time".to_owned();
        Some(self.reply(finding, asked).because(ExtendedError { code, text }))
    }

    /// What was found out as a reply.
    fn reply(&self, finding: Finding, asked: &Asked) -> Reply {
        let who =
            finding.server.map_or_else(|| "it was known".to_owned(), |server| format!("{server} said so"));
        let understands = asked.dnssec_ok || asked.authentic_data;
        let authentic_data = understands
            && finding.security == Security::Secure
            && !finding.stale
            && !finding.answers_nobody();
        let all = |sets: Vec<RrSet>| match asked.dnssec_ok {
            true => records_of(&sets),
            // RFC 4035 3.2.1: who does not ask for them does not get them.
            false => sets.into_iter().flat_map(|set| set.records).collect(),
        };
        let proves = |set: &RrSet| matches!(set.record_type, RecordType::Nsec | RecordType::Nsec3);
        let negative = finding.nothing.is_some();
        let mut authorities = finding.authorities;
        authorities.retain(|set| {
            let needed = negative && set.record_type == RecordType::Soa;
            needed || if proves(set) { asked.dnssec_ok } else { !self.minimal_responses }
        });
        let mut additionals = finding.additionals;
        if self.minimal_responses && asked.question.record_type != RecordType::Ns {
            additionals.clear();
        }
        let reason = finding.reason.filter(|_| finding.security != Security::Secure);
        let extended = reason.and_then(|reason| {
            reason.extended_error().map(|code| ExtendedError::brief(code, &reason.to_string()))
        });
        let reply = Reply {
            authentic_data,
            answers: all(finding.answers),
            authorities: all(authorities),
            additionals: all(additionals),
            ..Reply::empty(finding.code, who)
        };
        extended.into_iter().fold(reply, Reply::because)
    }
}

impl From<ResolveError> for Unanswered {
    fn from(error: ResolveError) -> Self {
        let bogus = matches!(error, ResolveError::Bogus { .. });
        Self { why: error.to_string(), extended: error.extended_error(), bogus }
    }
}

/// RFC 6761 6.3 and 6.4, RFC 7686 2: names that are special by themselves are asked of nobody.
fn special(wanted: &Wanted) -> Option<Reply> {
    let name = &wanted.name;
    match known_here::special(name, wanted.record_type)? {
        Ok(Told { known, detail: why, .. }) => {
            let record =
                |address| Record { owner: name.clone(), ttl: DEFAULT_TTL, data: RecordData::from(address) };
            let answers = known?.addresses.into_iter().map(record).collect();
            Some(Reply { answers, ..Reply::empty(ResponseCode::NoError, why) })
        }
        Err(nothing) => {
            let code = match nothing {
                ResolveError::NotFound { .. } => ResponseCode::NxDomain,
                _ => ResponseCode::NoError,
            };
            let top = name.suffixes().last().and_then(|top| DnsName::parse(top).ok());
            let authorities = top.as_ref().and_then(soa_of).into_iter().collect();
            Some(Reply { authorities, ..Reply::empty(code, nothing.to_string()) })
        }
    }
}

fn resolved(name: &DnsName, record_type: RecordType, finding: &Finding) -> Dns {
    match finding.clone().into_lookup(name, record_type) {
        Ok(lookup) => Dns::Resolved {
            name: name.to_string(),
            addresses: lookup.addresses,
            ttl: lookup.ttl,
            source: lookup.source,
        },
        Err(error) => Dns::Failed { name: name.to_string(), why: error.to_string() },
    }
}

impl Authority for Recursor {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        Box::pin(self.reply(asked))
    }

    fn recursion_available(&self) -> bool {
        true
    }
}
