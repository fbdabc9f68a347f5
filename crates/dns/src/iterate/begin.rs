//! Where the walk begins (RFC 1034 5.3.3 step 2): the servers nearest to the name, or those that the configuration
//! names.

use super::minimise::Minimise;
use super::slist::{Kind, Slist};
use super::{Iterate, Job, Minimisation, ZoneElsewhere};
use crate::error::ResolveError;
use crate::message::Question;
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::Instant;
use glasstack_journal::event::Dns;
use std::sync::Arc;
use std::time::Duration;

impl Iterate {
    /// RFC 1034 5.3.3 step 2: the servers nearest to the name.
    pub(super) async fn begin(self: &Arc<Self>, job: &Job) -> Result<Slist, ResolveError> {
        let name = begin_at(&job.question);
        let now = job.host.now();
        match self.elsewhere.nearest(&name) {
            Some(ZoneElsewhere::Forward { zone, servers, names, tcp, .. }) => {
                let mut slist =
                    Slist::of_configured(zone, Kind::Forwarder, servers, names, *tcp, &self.reach);
                self.add_remembered(job, &mut slist);
                Ok(slist)
            }
            Some(ZoneElsewhere::Stub { zone, servers, names, prime, tcp, .. }) if !zone.is_root() => {
                let known = self.nearest_known(&name, now, job.renew);
                let mut stub = Slist::of_configured(zone, Kind::Authority, servers, names, *tcp, &self.reach);
                self.add_remembered(job, &mut stub);
                match known {
                    Some(known) if known.zone.is_within(zone) && (*prime || known.zone != *zone) => Ok(known),
                    _ if *prime => self.prime(job, stub).await,
                    _ => Ok(stub),
                }
            }
            _ => self.begin_in_tree(job).await,
        }
    }

    pub(super) async fn begin_in_tree(self: &Arc<Self>, job: &Job) -> Result<Slist, ResolveError> {
        let name = begin_at(&job.question);
        match self.nearest_known(&name, job.host.now(), job.renew) {
            Some(known) => Ok(known),
            None => {
                let hints = Slist::of_hints(&self.hints, &self.reach);
                let question = Question::new(DnsName::root(), RecordType::Ns);
                let failed = self.memory.cache().failure(&question, job.host.now()).is_some();
                match self.config().prime && !failed {
                    true => self.prime(job, hints).await,
                    false => Ok(hints),
                }
            }
        }
    }

    pub(super) fn elsewhere_first(&self, slist: &Slist) -> bool {
        match self.elsewhere.nearest(&slist.zone) {
            Some(ZoneElsewhere::Forward { zone, first, .. } | ZoneElsewhere::Stub { zone, first, .. }) => {
                *first && *zone == slist.zone
            }
            None => false,
        }
    }

    /// RFC 9609: those who are known from the configuration say who really serves the zone; themselves if they do
    /// not say. Where all of them are silent they are so to any question.
    async fn prime(self: &Arc<Self>, job: &Job, mut slist: Slist) -> Result<Slist, ResolveError> {
        let question = Question::new(slist.zone.clone(), RecordType::Ns);
        let Ok(trail) = job.trail.down(&question, u32::MAX) else { return Ok(slist) };
        let asked = question.clone();
        let below = Job { question: question.clone(), trail, ..job.clone() };
        // Who does not say who serves the zone may know what is in it all the same.
        let unasked = slist.clone();
        slist.shuffle(job.host.entropy().as_ref());
        let mut minimise = Minimise::new(&question, Minimisation::Off);
        let primed = Box::pin(self.one_of(&below, &mut slist, question, &mut minimise)).await;
        let now = job.host.now();
        let known = self.nearest_known(&slist.zone, now, Duration::ZERO).filter(|_| primed.is_ok());
        let found = known.filter(|known| known.zone == slist.zone);
        if found.is_none() {
            self.memory.cache().put_failure(&asked, "nobody says who serves it", now);
        }
        job.host.scope().record(|| Dns::Primed {
            zone: slist.zone.to_string(),
            name_servers: found.iter().flat_map(Slist::names).map(ToString::to_string).collect(),
        });
        match (found, primed) {
            (Some(found), _) => Ok(found),
            (None, Err(ResolveError::NobodyOfUse { zone, role, tried, silent: true, .. })) => {
                let name = job.question.name.clone();
                Err(ResolveError::NobodyOfUse { name, zone, role, tried, silent: true })
            }
            (None, _) => Ok(unasked),
        }
    }

    /// The servers of the nearest zone at or above `name` that can be asked, or found; what is good for no longer
    /// than `renew` is left aside.
    pub(super) fn nearest_known(&self, name: &DnsName, now: Instant, renew: Duration) -> Option<Slist> {
        let mut at = Some(name.clone());
        while let Some(name) = at {
            let delegation = self.memory.cache().nearest_delegation(&name, now)?;
            let lasts = renew.is_zero() || Duration::from_secs(delegation.name_servers.ttl.into()) > renew;
            let mut slist = Slist::of_delegation(&delegation, &self.reach, now);
            if slist.zone.is_root() {
                slist.add_hints(&self.hints, &self.reach);
            }
            if lasts && slist.can_be_reached() {
                return Some(slist);
            }
            at = delegation.zone.parent();
        }
        None
    }
}

/// RFC 4035 2.4: DS records lie on the parent's side of the cut.
fn begin_at(question: &Question) -> DnsName {
    match question.record_type {
        RecordType::Ds => question.name.parent().unwrap_or_else(DnsName::root),
        _ => question.name.clone(),
    }
}
