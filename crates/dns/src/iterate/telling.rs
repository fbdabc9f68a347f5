//! The walk as the journal tells it.

use super::Job;
use super::scrub::{Ignored, Why};
use super::slist::Slist;
use crate::cache::RrSet;
use crate::infrastructure::Choice;
use crate::memory::Learnt;
use crate::name::DnsName;
use crate::response::{name_server, records_of};
use crate::rounds::OfNoUse;
use glasstack_journal::event::{Dns, QueryReason, ServerKnown};
use std::net::SocketAddr;

/// Tells who is asked and why, and returns the reason.
pub(super) fn tell_choice(
    job: &Job,
    slist: &Slist,
    choice: &Choice,
    because: Option<SocketAddr>,
) -> QueryReason {
    let name_server = slist.name_of(choice.server);
    job.host.scope().record(|| Dns::ServerChosen {
        zone: slist.zone.to_string(),
        role: slist.role(),
        server: choice.server,
        name_server: name_server.clone(),
        why: choice.why.to_string(),
        candidates: choice
            .candidates
            .iter()
            .map(|(server, standing)| ServerKnown {
                server: *server,
                name: slist.name_of(*server),
                standing: standing.to_string(),
            })
            .collect(),
    });
    if let Some(OfNoUse::TimedOut { waited, .. }) = slist.last_failure(choice.server) {
        return QueryReason::Timeout { waited: *waited };
    }
    if let Some((server, failure)) = because.and_then(|at| Some((at, slist.last_failure(at)?))) {
        return QueryReason::NextServer { because: format!("{server}: {failure}") };
    }
    QueryReason::ServerOf { zone: slist.zone.to_string(), name_server, role: slist.role() }
}

pub(super) fn tell_ignored(job: &Job, from: SocketAddr, zone: &DnsName, ignored: Ignored) {
    let mut reasons: Vec<Why> = ignored.iter().map(|(why, _)| *why).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for why in reasons {
        job.host.scope().record(|| Dns::RecordsIgnored {
            from,
            records: ignored
                .iter()
                .filter(|(own, _)| *own == why)
                .map(|(_, record)| record.to_string())
                .collect(),
            why: why.say(zone),
        });
    }
}

pub(super) fn tell_believed(job: &Job, from: SocketAddr, zone: &DnsName, learnt: Learnt) {
    if !learnt.is_empty() {
        job.host.scope().record(|| Dns::Believed {
            from,
            zone: zone.to_string(),
            sets: learnt.into_iter().map(|(set, rank)| format!("{set} ({})", rank.in_words())).collect(),
        });
    }
}

pub(super) fn tell_referral(job: &Job, from: &DnsName, server: SocketAddr, servers: &RrSet, glue: &[RrSet]) {
    job.host.scope().record(|| Dns::ReferralFollowed {
        server,
        from: from.to_string(),
        to: servers.name.to_string(),
        name_servers: servers.records.iter().filter_map(name_server).map(ToString::to_string).collect(),
        glue: records_of(glue).iter().map(ToString::to_string).collect(),
    });
}
