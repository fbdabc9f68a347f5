//! The local name server: it walks for others and remembers (RFC 1034 4.3.1, recursive service).

use crate::cache::Negative;
use crate::hints::RootHints;
use crate::iterate::{Iterate, IterateConfig};
use crate::knowledge::{Finding, Knowledge, Source};
use crate::known_here;
use crate::message::ResponseCode;
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordData, RecordType};
use crate::server::zone::DEFAULT_TTL;
use crate::server::{Asked, Authority, NameServer, Reply, ServeError, serve_within};
use crate::upstream::{Sockets, Upstream};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use glasstack_journal::event::Dns;
use glasstack_journal::{Instant, SpanKind};
use glasstack_stack::Host;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a failure is remembered; a second at least (RFC 9520 3.2).
const FAILURE_LASTS: Duration = Duration::from_secs(1);
/// How many are.
const FAILURES: usize = 1_000;

/// How a recursive server goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecursorConfig {
    /// How the walk goes about it.
    pub iterate: IterateConfig,
    /// How long a client's question may take altogether. 9 s: less than stub resolvers wait.
    pub patience: Duration,
    /// How many answers are kept. 10 000.
    pub cache_capacity: usize,
    /// Whether authority and additional sections are left out where they are not needed. Yes.
    pub minimal_responses: bool,
}

impl Default for RecursorConfig {
    fn default() -> Self {
        Self {
            iterate: IterateConfig::default(),
            patience: Duration::from_secs(9),
            cache_capacity: 10_000,
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
    under_way: Mutex<BTreeMap<Key, WeakShared<Lookup>>>,
    /// Questions that could not be answered a moment ago, each with the end of that moment.
    failed: Mutex<BTreeMap<Key, (Instant, Failure)>>,
}

struct Inner {
    host: Host,
    knowledge: Knowledge,
    patience: Duration,
}

type Key = (DnsName, RecordType);
type Lookup = BoxFuture<'static, Result<Finding, Failure>>;

/// Why there is no answer, in words.
type Failure = String;

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
        let source = Source::Tree(Iterate::new(hints, config.iterate, upstream));
        let knowledge = Knowledge::new(source, config.cache_capacity);
        let inner = Arc::new(Inner { host, knowledge, patience: config.patience });
        Self { inner, under_way: Mutex::default(), failed: Mutex::default() }
    }

    async fn reply(&self, asked: &Asked) -> Reply {
        let question = &asked.question;
        let key = (question.name.clone(), question.record_type);
        if let Some(reply) = special(&key) {
            return reply;
        }
        if !asked.recursion_desired {
            return self.inner.reply_from_memory(&key);
        }
        if let Some(why) = self.failed_lately(&key) {
            return Reply::empty(ResponseCode::ServFail, format!("it has just failed: {why}"));
        }
        let (lookup, joined) = self.lookup(&key);
        if joined {
            self.inner
                .host
                .scope()
                .record(|| Dns::Joined { name: key.0.to_string(), record_type: key.1.to_string() });
        }
        let found = lookup.await;
        match found {
            Ok(finding) => reply(finding),
            Err(why) => {
                self.remember_failure(key, &why);
                Reply::empty(ResponseCode::ServFail, why)
            }
        }
    }

    /// RFC 9520 3.2: what has failed is not tried again at once, however many ask for it.
    fn failed_lately(&self, key: &Key) -> Option<Failure> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.host.now();
        failed.retain(|_, (until, _)| *until > now);
        failed.get(key).map(|(_, why)| why.clone())
    }

    fn remember_failure(&self, key: Key, why: &Failure) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.len() >= FAILURES {
            failed.pop_first();
        }
        failed.insert(key, (self.inner.host.now() + FAILURE_LASTS, why.clone()));
    }

    /// The lookup of this question: the one that is under way if there is one, which is told.
    fn lookup(&self, key: &Key) -> (Shared<Lookup>, bool) {
        let mut under_way = self.under_way();
        // Only who waits for a lookup keeps it alive.
        under_way.retain(|_, lookup| lookup.upgrade().is_some());
        if let Some(lookup) = under_way.get(key).and_then(WeakShared::upgrade) {
            return (lookup, true);
        }
        let (inner, question) = (Arc::clone(&self.inner), key.clone());
        let lookup: Lookup = Box::pin(async move { inner.find(&question).await });
        let lookup = lookup.shared();
        if let Some(weak) = lookup.downgrade() {
            under_way.insert(key.clone(), weak);
        }
        (lookup, false)
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeMap<Key, WeakShared<Lookup>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Finds out, in a span of its own.
    async fn find(&self, (name, record_type): &Key) -> Result<Finding, Failure> {
        let kind = SpanKind::Resolve { name: name.to_string(), record_type: record_type.to_string() };
        let span = OpenSpan::new(&self.host, kind);
        let finding = self.knowledge.find(span.host(), name, *record_type);
        let outcome = match self.host.timeout(self.patience, finding).await {
            Ok(found) => found.map_err(|error| error.to_string()),
            Err(elapsed) => {
                Err(format!("{name} could not be resolved within {} ms", elapsed.limit.as_millis()))
            }
        };
        span.scope().record(|| match &outcome {
            Ok(finding) => resolved(name, *record_type, finding),
            Err(why) => Dns::Failed { name: name.to_string(), why: why.clone() },
        });
        outcome
    }

    /// RFC 1034 4.3.2: without recursion only what is known here is an answer; otherwise the nearest
    /// servers that are known are named.
    fn reply_from_memory(&self, (name, record_type): &Key) -> Reply {
        if let Some(finding) = self.knowledge.remember(&self.host, name, *record_type) {
            return reply(finding);
        }
        let (authorities, additionals) = self.knowledge.nearest(&self.host, name);
        let why = "it is not known here, and recursion was not desired: these are the nearest servers known";
        Reply { authorities, additionals, ..Reply::empty(ResponseCode::NoError, why) }
    }
}

/// RFC 6761 6.3 and 6.4, RFC 7686 2: names that are special by themselves are asked of nobody.
fn special((name, record_type): &Key) -> Option<Reply> {
    match known_here::localhost(name, *record_type) {
        Some(Ok((_, known, why))) => {
            let record =
                |address| Record { owner: name.clone(), ttl: DEFAULT_TTL, data: RecordData::from(address) };
            let answers = known?.addresses.into_iter().map(record).collect();
            Some(Reply { answers, ..Reply::empty(ResponseCode::NoError, why) })
        }
        Some(Err(nothing)) => Some(Reply::empty(ResponseCode::NoError, nothing.to_string())),
        None => {
            let error = known_here::never_exists(name).err()?;
            Some(Reply::empty(ResponseCode::NxDomain, error.to_string()))
        }
    }
}

/// What was found out as a reply.
fn reply(finding: Finding) -> Reply {
    let who = finding.server.map_or_else(|| "it was known".to_owned(), |server| format!("{server} said so"));
    let (code, soa) = match finding.nothing {
        None => (ResponseCode::NoError, None),
        Some((Negative::NoName, soa)) => (ResponseCode::NxDomain, soa),
        Some((Negative::NoData, soa)) => (ResponseCode::NoError, soa),
    };
    // RFC 2308 6: a negative answer from the cache carries its SOA.
    Reply { answers: finding.records, authorities: soa.into_iter().collect(), ..Reply::empty(code, who) }
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
