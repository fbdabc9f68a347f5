//! The walk down from the root (RFC 1034 5.3.3): each server either knows, or says who knows more.
//!
//! ```text
//!   www.example.test A?   the nearest zone whose servers are known: the root, at first
//!        |
//!    +-> Slist            its servers: addresses that are known, names whose address is not
//!    |     |  one after the other, the fastest first; in rounds, each with more patience
//!    |   judge            an answer | a referral further down | of no use, and why
//!    |     |
//!    +-- referral         what is believed of it is remembered: servers, and glue
//!          answer         without what is none of the sender's business
//! ```
//!
//! Read in this order: this file, `judge` (what a response is worth), `delegations` (which servers
//! are known), `budget` (where it ends).

mod budget;
mod delegations;
mod judge;
mod options;

pub(crate) use budget::Budget;
pub use options::{IterateConfig, Minimisation, ServeStale, ZoneElsewhere};

use crate::asking::{Asking, Patience};
use crate::config::DNS_PORT;
use crate::error::ResolveError;
use crate::hints::RootHints;
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordType};
use crate::rounds::{Failure, Rounds};
use crate::upstream::Upstream;
use budget::Trail;
use delegations::{Delegations, Slist};
use futures_util::future::BoxFuture;
use glasstack_journal::SpanKind;
use glasstack_journal::event::{Dns, QueryReason};
use glasstack_stack::Host;
use judge::{Judged, Referral, Worth, judge};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Walks down from the root.
pub(crate) struct Iterate {
    config: IterateConfig,
    asking: Asking,
    delegations: Delegations,
}

/// One question on its way down.
struct Walk<'a> {
    host: &'a Host,
    question: &'a Question,
    budget: &'a Budget,
    trail: Trail<'a>,
}

/// Where a step down has led.
enum Step {
    Answer(Message, SocketAddr),
    Down(Slist),
}

impl Iterate {
    pub(crate) fn new(hints: RootHints, config: IterateConfig, upstream: Arc<dyn Upstream>) -> Self {
        let asking = Asking::new(upstream, false, config.edns, false);
        let delegations = Delegations::new(hints, config.capacity);
        Self { config, asking, delegations }
    }

    /// What one question may cost.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.config.max_queries)
    }

    /// What whoever has authority says about the question, as far as it is that one's business, and
    /// who said so. Aliases are not followed further than the answer does.
    pub(crate) async fn ask(
        &self,
        host: &Host,
        question: &Question,
        budget: &Budget,
    ) -> Result<(Message, SocketAddr), ResolveError> {
        self.walk(Walk { host, question, budget, trail: Trail::begin(question) }).await
    }

    /// The servers of the nearest zone that are known without asking, and their addresses, as in a
    /// referral.
    pub(crate) fn nearest(&self, host: &Host, name: &DnsName) -> (Vec<Record>, Vec<Record>) {
        self.delegations.nearest(name, host.now()).to_records()
    }

    fn walk<'a>(&'a self, walk: Walk<'a>) -> BoxFuture<'a, Result<(Message, SocketAddr), ResolveError>> {
        Box::pin(async move {
            let mut slist = self.delegations.nearest(&walk.question.name, walk.host.now());
            loop {
                match self.step(&walk, slist).await? {
                    Step::Answer(message, server) => return Ok((message, server)),
                    // Each referral leads at least a label further down, so this comes to an end.
                    Step::Down(further) => slist = further,
                }
            }
        })
    }

    /// Asks the servers of one zone until one is of use.
    async fn step(&self, walk: &Walk<'_>, mut slist: Slist) -> Result<Step, ResolveError> {
        slist.shuffle(walk.host.entropy().as_ref());
        let mut servers = slist.addresses();
        let now = walk.host.now();
        servers.sort_by_key(|server| self.asking.rank(*server, now));
        let mut rounds = Rounds::new(servers, self.config.rounds);
        let mut missing = slist.missing().into_iter().take(self.config.max_missing);
        let mut not_found = Vec::new();
        loop {
            let Some((server, again)) = rounds.next_of_round() else {
                // First those whose addresses are known; then those that have to be looked for.
                if let Some(name_server) = missing.next() {
                    walk.budget.spend(walk.question)?;
                    match self.find_server(walk, &slist.zone, &name_server).await {
                        Ok(addresses) => addresses.into_iter().for_each(|address| {
                            let server = SocketAddr::new(address, DNS_PORT);
                            slist.learn(&name_server, server);
                            rounds.add(server);
                        }),
                        Err(why) => not_found.push((name_server, why)),
                    }
                    continue;
                }
                if rounds.begin_round() {
                    continue;
                }
                return Err(nobody_of_use(walk, &slist, &rounds, &not_found));
            };
            walk.budget.spend(walk.question)?;
            let why = again.unwrap_or_else(|| QueryReason::ServerOf {
                zone: slist.zone.to_string(),
                name_server: slist.name_of(server),
            });
            let asked = self.asking.ask(walk.host, walk.question, server, self.patience(&rounds), why).await;
            match asked.and_then(|message| self.weigh(walk, &slist.zone, server, message)) {
                Ok(step) => return Ok(step),
                Err(failure) => {
                    walk.host.scope().record(|| Dns::ServerUseless {
                        server,
                        zone: slist.zone.to_string(),
                        why: failure.to_string(),
                    });
                    rounds.failed(failure);
                }
            }
        }
    }

    /// Twice as long each round.
    fn patience(&self, rounds: &Rounds) -> Patience {
        let udp = self.config.timeout * 2_u32.saturating_pow(rounds.round().min(16));
        Patience { udp, tcp: self.config.tcp_timeout.max(udp) }
    }

    /// Takes what is believed of a response, and says where it leads.
    fn weigh(
        &self,
        walk: &Walk<'_>,
        zone: &DnsName,
        server: SocketAddr,
        message: Message,
    ) -> Result<Step, Failure> {
        let Judged { worth, foreign } = judge(zone, walk.question, message);
        if !foreign.is_empty() {
            walk.host.scope().record(|| Dns::RecordsIgnored {
                from: server,
                records: foreign.iter().map(ToString::to_string).collect(),
                why: format!("a server of {zone} has no say about names outside of it"),
            });
        }
        match worth {
            Worth::Answer(message) => Ok(Step::Answer(message, server)),
            Worth::Nothing(problem) => Err(Failure::Problem(problem)),
            Worth::Referral(referral) => {
                tell_referral(walk.host, zone, server, &referral);
                Ok(Step::Down(self.delegations.learn(&referral, walk.host.now())))
            }
        }
    }

    /// The address of a name server that nobody has told; found by a walk of its own.
    async fn find_server(
        &self,
        walk: &Walk<'_>,
        zone: &DnsName,
        name_server: &DnsName,
    ) -> Result<Vec<IpAddr>, String> {
        let question = Question::new(name_server.clone(), RecordType::A);
        let trail = walk.trail.down(&question, self.config.max_depth)?;
        walk.host
            .scope()
            .record(|| Dns::GlueMissing { zone: zone.to_string(), name_server: name_server.to_string() });
        let record_type = RecordType::A.to_string();
        let span = OpenSpan::new(walk.host, SpanKind::Resolve { name: name_server.to_string(), record_type });
        let below = Walk { host: span.host(), question: &question, budget: walk.budget, trail };
        let (message, server) = self.walk(below).await.map_err(|error| error.to_string())?;
        let records: Vec<Record> = message
            .answers
            .into_iter()
            .filter(|record| record.owner == *name_server && record.record_type() == RecordType::A)
            .collect();
        // RFC 2181 10.3: the name of a name server "must not be an alias".
        if records.is_empty() {
            return Err(format!("{server} has no address of it"));
        }
        self.delegations.learn_addresses(name_server, &records, walk.host.now());
        let addresses: Vec<IpAddr> = records.iter().filter_map(Record::address).collect();
        let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
        span.scope().record(|| Dns::Resolved {
            name: name_server.to_string(),
            addresses: addresses.clone(),
            ttl: Duration::from_secs(ttl.into()),
            source: glasstack_journal::event::LookupSource::Server,
        });
        Ok(addresses)
    }
}

/// Why a zone's servers were of no use, each with its reason.
fn nobody_of_use(
    walk: &Walk<'_>,
    slist: &Slist,
    rounds: &Rounds,
    not_found: &[(DnsName, String)],
) -> ResolveError {
    let asked =
        rounds.failures().map(|(server, failure)| format!("{} ({server}): {failure}", slist.name_of(server)));
    let sought = not_found.iter().map(|(name, why)| format!("{name}: its address is not known ({why})"));
    ResolveError::NobodyOfUse {
        name: walk.question.name.clone(),
        zone: slist.zone.clone(),
        tried: asked.chain(sought).collect(),
    }
}

fn tell_referral(host: &Host, from: &DnsName, server: SocketAddr, referral: &Referral) {
    host.scope().record(|| Dns::ReferralFollowed {
        server,
        from: from.to_string(),
        to: referral.zone.to_string(),
        name_servers: referral.names().map(ToString::to_string).collect(),
        glue: referral.glue.iter().map(ToString::to_string).collect(),
    });
}
