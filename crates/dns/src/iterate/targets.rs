//! Name servers whose addresses did not come along, and what is left where all servers are of no use.

use super::joined::{Join, Located, Missing, Sought, Waiting};
use super::minimise::Minimise;
use super::slist::Slist;
use super::walk::Step;
use super::{Iterate, Job};
use crate::cache::{Rank, RrSet};
use crate::error::ResolveError;
use crate::finding::Finding;
use crate::following::follow;
use crate::message::Question;
use crate::name::DnsName;
use crate::open_span::OpenSpan;
use crate::record::{Record, RecordType};
use futures_util::future::BoxFuture;
use glasstack_journal::SpanKind;
use glasstack_journal::event::{Dns, LookupSource};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

impl Iterate {
    /// Looks for the addresses of a name server, by a walk of its own. Whether somebody had to be asked.
    pub(super) async fn find_server(
        self: &Arc<Self>,
        job: &Job,
        slist: &mut Slist,
        name: &DnsName,
    ) -> Result<bool, ResolveError> {
        job.host
            .scope()
            .record(|| Dns::GlueMissing { zone: slist.zone.to_string(), name_server: name.to_string() });
        let mut asked = false;
        let mut why_not = None;
        for record_type in self.address_types() {
            let question = Question::new(name.clone(), record_type);
            match self.find_address(job, &question).await {
                Ok(located) => {
                    asked |= located.asked;
                    let Located { addresses, ttl, .. } = located;
                    if slist.add_addresses(Some(name), addresses.into_iter(), ttl, &self.reach) {
                        return Ok(asked);
                    }
                }
                Err(missing) => {
                    asked |= missing.asked;
                    why_not = why_not.or(Some(missing.why));
                }
            }
        }
        // What its parent said of it may still be known.
        let last = self.known_by_parent(job, name);
        if slist.add_addresses(Some(name), last.into_iter(), 0, &self.reach) {
            return Ok(asked);
        }
        slist.not_found(name, why_not.unwrap_or_else(|| "there is none that can be reached".to_owned()));
        if asked && let Err(why) = job.budget.missing() {
            slist.not_found(name, why);
            return Err(super::walk::nobody_of_use(job, slist));
        }
        Ok(asked)
    }

    /// The addresses of one type, for how many seconds, and whether anybody had to be asked.
    async fn find_address(self: &Arc<Self>, job: &Job, question: &Question) -> Sought {
        let now = job.host.now();
        let failed = self.memory.cache().failure(question, now).map(|failure| failure.why.clone());
        let nowhere = || {
            let known = self.parent_side().is_nowhere(&question.name, question.record_type, now);
            known.then(|| "it had no address a moment ago".to_owned())
        };
        if let Some(why) = failed.or_else(nowhere) {
            return Err(Missing::unasked(why));
        }
        let trail = job.trail.down(question, self.config().max_depth).map_err(Missing::unasked)?;
        job.budget.lookup().map_err(Missing::unasked)?;
        let key = (question.name.clone(), question.record_type, job.dnssec_ok);
        let question = question.clone();
        let (checking_disabled, avoid) = (self.anchors.is_some(), Vec::new());
        let below = Job { question, trail, checking_disabled, renew: Duration::ZERO, avoid, ..job.clone() };
        let own = Job { part_of: Some(key.clone()), ..below.clone() };
        let join = self.under_way().join(&key, job.part_of.as_ref(), self.seek(own));
        let shared = match join {
            Join::Alone => return self.seek(below).await,
            Join::Own(lookup) => {
                let _waiting = Waiting::for_own(self, job.part_of.as_ref(), &key);
                return lookup.await;
            }
            Join::Other(lookup) => lookup,
        };
        let (name, record_type) = (key.0.to_string(), key.1.to_string());
        job.host.scope().record(|| Dns::Joined { name, record_type });
        let joined = {
            let _waiting = Waiting::for_other(self, job.part_of.as_ref(), &key);
            shared.await
        };
        match joined {
            Ok(found) => Ok(found),
            // What somebody else could not afford any more, or could not find where he came from, may be found yet.
            Err(_) => self.seek(below).await,
        }
    }

    /// One lookup of a name server's address.
    fn seek(self: &Arc<Self>, below: Job) -> BoxFuture<'static, Sought> {
        let tree = Arc::clone(self);
        Box::pin(async move { tree.seek_address(below).await })
    }

    async fn seek_address(self: Arc<Self>, mut job: Job) -> Sought {
        let question = job.question.clone();
        let record_type = question.record_type.to_string();
        let span =
            OpenSpan::new(&job.host, SpanKind::Resolve { name: question.name.to_string(), record_type });
        job.host = span.host().clone();
        let sought = self.follow_to_address(&job).await;
        span.scope().record(|| match &sought {
            Ok(Located { addresses, ttl, asked }) => Dns::Resolved {
                name: question.name.to_string(),
                addresses: addresses.clone(),
                ttl: Duration::from_secs((*ttl).into()),
                source: if *asked { LookupSource::Server } else { LookupSource::Cache },
            },
            Err(missing) => Dns::Failed { name: question.name.to_string(), why: missing.why.clone() },
        });
        sought
    }

    async fn follow_to_address(self: &Arc<Self>, job: &Job) -> Sought {
        let question = &job.question;
        match follow(&self.memory, self, job).await {
            Ok(finding) => {
                let addresses = addresses_of(&finding);
                let asked = finding.server.is_some();
                if addresses.is_empty() {
                    let who = finding.server.map_or("the cache".to_owned(), |server| server.to_string());
                    self.parent_side().note_nowhere(&question.name, question.record_type, job.host.now());
                    return Err(Missing { why: format!("{who} has no address of it"), asked });
                }
                let ttl = finding.answers.iter().map(RrSet::ttl).min().unwrap_or_default();
                Ok(Located { addresses, ttl, asked })
            }
            Err(error) => Err(Missing { why: error.to_string(), asked: true }),
        }
    }

    fn address_types(&self) -> impl Iterator<Item = RecordType> + use<> {
        let a = self.reach.wants_ipv4().then_some(RecordType::A);
        let aaaa = self.reach.ipv6.then_some(RecordType::Aaaa);
        a.into_iter().chain(aaaa)
    }

    /// Glue, whoever contradicts it.
    fn known_by_parent(&self, job: &Job, name: &DnsName) -> Vec<IpAddr> {
        let now = job.host.now();
        let mut addresses = self.parent_side().addresses(name, now);
        for record_type in [RecordType::A, RecordType::Aaaa] {
            if let Some(known) = self.memory.cache().get(name, record_type, Rank::Additional, now) {
                addresses.extend(known.set.records.iter().filter_map(Record::address));
            }
        }
        addresses
    }

    /// All servers were of no use. A zone's own data about its servers may be wrong: what the zone above says of them
    /// is tried. Whether that gives anybody more to ask.
    pub(super) async fn last_resort(self: &Arc<Self>, job: &Job, slist: &mut Slist) -> bool {
        let now = job.host.now();
        if slist.configured || self.elsewhere.only(&slist.zone) {
            return false;
        }
        let mut news = false;
        let fresh = slist.from_parent;
        if slist.zone.is_root() {
            for server in self.hints.servers() {
                let addresses = server.addresses.iter().copied();
                news |= slist.add_addresses(Some(&server.name), addresses, 0, &self.reach);
            }
        } else if !slist.from_parent {
            slist.from_parent = true;
            let known = self.parent_side().servers(&slist.zone, now);
            let named = match known {
                Some(named) => Some(named),
                None => self.ask_parent(job, &slist.zone).await,
            };
            if let Some(named) = named {
                let before = slist.names().count();
                slist.add_names(&named);
                news |= slist.names().count() > before;
            }
        }
        news |= self.add_known_by_parent(job, slist);
        // Addresses that came along once may be over before the zone's delegation is.
        if !news && !fresh && !slist.asked_anew && slist.lacks_addresses() {
            slist.asked_anew = true;
            if let Some(named) = self.ask_parent(job, &slist.zone).await {
                slist.add_names(&named);
                news |= self.add_known_by_parent(job, slist);
            }
        }
        if news {
            job.host.scope().record(|| Dns::LastResort { zone: slist.zone.to_string() });
        }
        news
    }

    fn add_known_by_parent(&self, job: &Job, slist: &mut Slist) -> bool {
        let names: Vec<DnsName> = slist.names().cloned().collect();
        names.into_iter().fold(false, |news, name| {
            let addresses = self.known_by_parent(job, &name);
            slist.add_addresses(Some(&name), addresses.into_iter(), 0, &self.reach) || news
        })
    }

    /// Looks for addresses ahead of time, behind the question's back (unbound's `target-fetch-policy`).
    pub(super) fn fetch_ahead(self: &Arc<Self>, job: &Job, slist: &Slist) {
        let depth = usize::try_from(job.trail.depth()).unwrap_or(usize::MAX);
        let most = match self.config().target_fetch.get(depth) {
            Some(all) if *all < 0 => usize::MAX,
            Some(most) => usize::try_from(*most).unwrap_or_default(),
            None => 0,
        };
        for name in slist.missing().take(most) {
            for record_type in self.address_types() {
                let (tree, job) = (Arc::clone(self), Job { part_of: None, ..job.clone() });
                let question = Question::new(name.clone(), record_type);
                job.host.clone().spawn(async move {
                    let _ = tree.find_address(&job, &question).await;
                });
            }
        }
    }

    /// What the cache knows of the servers' addresses.
    pub(super) fn add_remembered(&self, job: &Job, slist: &mut Slist) {
        let names: Vec<DnsName> = slist.names().cloned().collect();
        for name in names {
            for record_type in self.address_types() {
                let known = self.memory.cache().get(&name, record_type, Rank::Additional, job.host.now());
                if let Some(known) = known {
                    let addresses = known.set.records.iter().filter_map(Record::address);
                    slist.add_addresses(Some(&name), addresses, known.ttl, &self.reach);
                }
            }
        }
    }

    /// Whom the zone above names as servers of `zone`, asked anew the question that led there.
    async fn ask_parent(self: &Arc<Self>, job: &Job, zone: &DnsName) -> Option<RrSet> {
        let marker = Question::new(zone.clone(), RecordType::Ns);
        let trail = job.trail.down(&marker, self.config().max_depth).ok()?;
        let below = Job { trail, ..job.clone() };
        let at = Question::new(zone.parent()?, RecordType::Ns);
        let mut slist = Box::pin(self.begin(&Job { question: at, ..below.clone() })).await.ok()?;
        let mut minimise = Minimise::new(&below.question, self.config().qname_minimisation);
        for _ in 0..self.config().max_referrals {
            match Box::pin(self.step(&below, slist, &mut minimise)).await.ok()? {
                Step::Down(further) if further.zone == *zone => {
                    return self.parent_side().servers(zone, job.host.now());
                }
                Step::Down(further) => slist = further,
                Step::Answer(_) => return None,
            }
        }
        None
    }
}

fn addresses_of(finding: &Finding) -> Vec<IpAddr> {
    finding.answers.iter().flat_map(|set| &set.records).filter_map(Record::address).collect()
}
