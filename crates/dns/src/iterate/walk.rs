//! The story (RFC 1034 5.3.3): find the nearest servers, ask them, weigh what they say, go where it leads.

use super::judge::{Worth, judge};
use super::minimise::Minimise;
use super::scrub::scrub;
use super::slist::{Kind, Slist};
use super::telling::{tell_believed, tell_choice, tell_ignored, tell_referral};
use super::{Answered, Iterate, Job};
use crate::asking::Manner;
use crate::cache::{Found, Negative, Rank, RrSet};
use crate::error::{ResolveError, ServerProblem};
use crate::infrastructure::{Choice, Standing, WhyServer};
use crate::memory::{Circumstances, Learnt};
use crate::message::{Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::RecordType;
use crate::response::Response;
use crate::rounds::OfNoUse;
use futures_util::future::BoxFuture;
use glasstack_journal::event::{Dns, QueryReason};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What a zone's servers have led to.
pub(super) enum Step {
    Answer(Answered),
    /// To servers further down.
    Down(Slist),
}

/// What a response of use is.
pub(super) enum Useful {
    Answer,
    Referral(DnsName),
}

/// A response of use.
pub(super) struct Said {
    question: Question,
    response: Response,
    server: SocketAddr,
    what: Useful,
}

impl Iterate {
    /// What whoever has authority says about the question. Aliases are not followed.
    pub(crate) fn ask<'a>(
        self: &'a Arc<Self>,
        job: &'a Job,
    ) -> BoxFuture<'a, Result<Answered, ResolveError>> {
        Box::pin(async move {
            let slist = self.begin(job).await?;
            let elsewhere_first = self.elsewhere_first(&slist);
            match self.walk(job, slist).await {
                // unbound's forward-first and stub-first: the tree, where they are of no use.
                Err(_) if elsewhere_first => {
                    let slist = self.begin_in_tree(job).await?;
                    self.walk(job, slist).await
                }
                done => done,
            }
        })
    }

    /// RFC 1034 5.3.3 steps 2 to 4.
    async fn walk(self: &Arc<Self>, job: &Job, mut slist: Slist) -> Result<Answered, ResolveError> {
        let mut minimise = Minimise::new(&job.question, self.config().qname_minimisation);
        for _ in 0..self.config().max_referrals {
            if slist.kind == Kind::Forwarder {
                minimise.stop();
            }
            match self.step(job, slist, &mut minimise).await? {
                Step::Answer(answered) => return Ok(answered),
                // Each referral leads at least a label further down, so this comes to an end.
                Step::Down(further) => slist = further,
            }
        }
        let (name, queries) = (job.question.name.clone(), self.config().max_referrals);
        Err(ResolveError::TooMuchWork { name, queries })
    }

    /// Asks the servers of one zone, for as much of the name as they are told, until they lead further.
    pub(super) async fn step(
        self: &Arc<Self>,
        job: &Job,
        mut slist: Slist,
        minimise: &mut Minimise,
    ) -> Result<Step, ResolveError> {
        slist.shuffle(job.host.entropy().as_ref());
        slist.signed = self.expects_signatures(job, &slist);
        self.fetch_ahead(job, &slist);
        let mut looked_below = false;
        loop {
            let question = self.next_question(job, &slist, minimise);
            let found = self.one_of(job, &mut slist, question, minimise).await?;
            if let Useful::Referral(zone) = &found.what {
                return Ok(Step::Down(self.refer(job, &slist, zone, &found)));
            }
            if minimise.is_minimised(&found.question) {
                // RFC 9156 3: what does not exist may only seem so to servers that are too simple.
                let nothing = found.response.code == ResponseCode::NxDomain;
                match nothing {
                    true if minimise.gives_way() => minimise.stop(),
                    true => return Ok(answer(found)),
                    false => {}
                }
                continue;
            }
            // RFC 4035 3.1.4.1: a server of both sides of a cut may answer for the child, which has no DS records.
            if !looked_below && is_of_the_child(&job.question, &slist.zone, &found.response) {
                looked_below = true;
                minimise.force();
                continue;
            }
            return Ok(answer(found));
        }
    }

    /// As much of the name as has to be told next; what is known about it need not be asked.
    fn next_question(&self, job: &Job, slist: &Slist, minimise: &mut Minimise) -> Question {
        loop {
            let question = minimise.next(&slist.zone);
            if !minimise.is_minimised(&question) {
                return question;
            }
            let found = self.memory.lookup(&question.name, question.record_type, job.host.now());
            let exists = match found {
                Some(Found::Records(_) | Found::Alias(_)) => true,
                Some(Found::Nothing(nothing)) => {
                    nothing.name == question.name && nothing.what == Negative::NoData
                }
                Some(Found::Redirect(_)) | None => false,
            };
            if !exists {
                job.host.scope().record(|| Dns::Minimised {
                    asked: question.to_string(),
                    instead_of: job.question.to_string(),
                    zone: slist.zone.to_string(),
                });
                return question;
            }
        }
    }

    /// Asks one server after the other until one is of use; looks for those whose addresses are not known.
    pub(super) async fn one_of(
        self: &Arc<Self>,
        job: &Job,
        slist: &mut Slist,
        mut question: Question,
        minimise: &mut Minimise,
    ) -> Result<Said, ResolveError> {
        slist.begin();
        let mut because: Option<SocketAddr> = None;
        let mut empty = None;
        let mut sought = 0;
        let mut sent = 0;
        loop {
            let candidates = slist.candidates();
            let missing = sought < self.config().max_missing && slist.missing().next().is_some();
            let choice = self.choose(job, slist, &question, &candidates, missing);
            let Some(choice) = choice.filter(|_| sent < self.config().max_sent) else {
                if missing && let Some(name) = slist.next_missing() {
                    let asked = self.find_server(job, slist, &name).await?;
                    sought += usize::from(asked);
                    continue;
                }
                if sent < self.config().max_sent {
                    if slist.begin_round(self.config().rounds) {
                        continue;
                    }
                    if empty.is_none() && self.last_resort(job, slist).await {
                        continue;
                    }
                }
                return empty.ok_or_else(|| nobody_of_use(job, slist));
            };
            job.budget.query(&job.question)?;
            let why = tell_choice(job, slist, &choice, because);
            slist.try_one(choice.server);
            sent += 1;
            let said = self.send(job, slist, &question, &choice, why).await;
            match said.and_then(|message| self.weigh(job, slist, &question, choice.server, &message)) {
                Ok((response, Some(what))) => {
                    return Ok(Said { question, response, server: choice.server, what });
                }
                // Nothing at all may be a mistake; should nobody say more, it is what there is.
                Ok((response, None)) => {
                    let (server, what) = (choice.server, Useful::Answer);
                    empty = empty.or(Some(Said { question: question.clone(), response, server, what }));
                    self.useless(job, slist, choice.server, OfNoUse::Problem(ServerProblem::Empty));
                }
                Err(failure) => {
                    if self.tell_more(slist, minimise, &question, choice.server, &failure) {
                        question = minimise.next(&slist.zone);
                        continue;
                    }
                    self.useless(job, slist, choice.server, failure);
                }
            }
            because = Some(choice.server);
        }
    }

    /// Who is asked next; nobody if those who might be of use have to be found first.
    fn choose(
        &self,
        job: &Job,
        slist: &mut Slist,
        question: &Question,
        candidates: &[SocketAddr],
        missing: bool,
    ) -> Option<Choice> {
        let now = job.host.now();
        let known = self.asking.known();
        let mut usable = Vec::new();
        for server in candidates.iter().filter(|server| !job.avoid.contains(server)) {
            match known.standing(*server, &slist.zone, now) {
                Standing::Lame if !slist.is_recursive() => slist.only_recursive(*server),
                Standing::LeftAlone { .. } if slist.round() > 0 => {}
                standing => {
                    let alone = matches!(standing, Standing::LeftAlone { .. });
                    let first = slist.last_failure(*server).is_none();
                    if alone || first && known.is_silent_to(*server, question.record_type, now) {
                        slist.once(*server);
                    }
                    usable.push(*server);
                }
            }
        }
        let choice = known.choose(&usable, &slist.zone, now, job.host.entropy().as_ref())?;
        let hopeless = choice.why == WhyServer::LeastBad && !slist.is_recursive();
        (!(hopeless && missing)).then_some(choice)
    }

    async fn send(
        &self,
        job: &Job,
        slist: &Slist,
        question: &Question,
        choice: &Choice,
        why: QueryReason,
    ) -> Result<Message, OfNoUse> {
        let config = self.config();
        let now = job.host.now();
        let doubled = 2_u32.saturating_pow(slist.round().min(16));
        let standing = choice.candidates.iter().find(|(server, _)| *server == choice.server);
        // RFC 6298: a little more than it usually takes; of which nothing is known, twice as long each round.
        let udp_timeout = match standing {
            Some((_, Standing::Measured { rto, .. })) => *rto * doubled.min(4),
            Some((_, Standing::LeftAlone { .. })) => {
                self.asking.known().rto(choice.server, now).min(config.tcp_timeout)
            }
            _ => config.timeout * doubled,
        };
        let manner = Manner {
            recursion_desired: slist.is_recursive(),
            checking_disabled: slist.is_recursive() && job.checking_disabled,
            edns: config.edns.then_some(config.edns_buffer_size),
            dnssec_ok: job.dnssec_ok,
            tcp: slist.tcp || config.tcp_upstream,
            mixed_case: config.mixed_case,
            udp_timeout,
            tcp_timeout: config.tcp_timeout.max(udp_timeout),
            silences: slist.round(),
        };
        self.asking.ask(&job.host, question, choice.server, &manner, why).await
    }

    /// Takes what is believed of a response, and says where it leads; nowhere if it is empty.
    fn weigh(
        &self,
        job: &Job,
        slist: &mut Slist,
        question: &Question,
        server: SocketAddr,
        message: &Message,
    ) -> Result<(Response, Option<Useful>), OfNoUse> {
        // RFC 5452 9.1: it must say what it answers.
        if message.question.is_none()
            && matches!(message.code, ResponseCode::NoError | ResponseCode::NxDomain)
        {
            return Err(OfNoUse::Problem(ServerProblem::NoQuestion));
        }
        let (mut response, ignored) = scrub(&slist.zone, question, message, self.config());
        tell_ignored(job, server, &slist.zone, ignored);
        let what = match judge(&slist.zone, question, &response, slist.is_recursive()) {
            Worth::Answer | Worth::Alias => Useful::Answer,
            // Who is to find out for others names nobody else: what is forwarded goes nowhere else.
            Worth::Referral(_) if slist.kind == Kind::Forwarder => {
                return Err(OfNoUse::Problem(ServerProblem::NotRecursive));
            }
            Worth::Referral(zone) => Useful::Referral(zone),
            Worth::Empty => return Ok((response, None)),
            Worth::Nothing(problem) => return Err(OfNoUse::Problem(problem)),
            Worth::Lame(problem) => {
                self.asking.known().note_lame(server, &slist.zone, job.host.now());
                return Err(OfNoUse::Problem(problem));
            }
            Worth::OnlyRecursive => {
                self.asking.known().note_lame(server, &slist.zone, job.host.now());
                slist.only_recursive(server);
                return Err(OfNoUse::Problem(ServerProblem::OnlyRecursive { zone: slist.zone.clone() }));
            }
        };
        // RFC 4035 4.2: who is asked for signatures and has none may be of the time before DNSSEC; another one may have
        // them.
        if slist.signed && !response.is_signed() {
            return Err(OfNoUse::Problem(ServerProblem::Unsigned { zone: slist.zone.clone() }));
        }
        // Name servers of a zone above show that somebody has no authority; believed they are not.
        response.authorities.retain(|set| set.name.is_within(&slist.zone));
        // RFC 4035 4.7: what somebody else was not to check, and nobody checks here, is for who asked for that alone.
        let unchecked = slist.is_recursive() && job.checking_disabled && self.anchors.is_none();
        let learnt = match &what {
            Useful::Answer if unchecked => Learnt::new(),
            Useful::Answer => self.memory.learn(question, &mut response, self.circumstances(job, slist)),
            Useful::Referral(_) => Learnt::new(),
        };
        tell_believed(job, server, &slist.zone, learnt);
        Ok((response, Some(what)))
    }

    /// Whether a server that did not like a part of the name is told more of it.
    fn tell_more(
        &self,
        slist: &mut Slist,
        minimise: &mut Minimise,
        question: &Question,
        server: SocketAddr,
        failure: &OfNoUse,
    ) -> bool {
        if !minimise.is_minimised(question) {
            return false;
        }
        let more = match failure {
            OfNoUse::Problem(ServerProblem::Code { .. }) if minimise.gives_way() => {
                minimise.stop();
                true
            }
            OfNoUse::TimedOut { .. } => minimise.timed_out(),
            _ => false,
        };
        if more {
            slist.again(server);
        }
        more
    }

    fn useless(&self, job: &Job, slist: &mut Slist, server: SocketAddr, failure: OfNoUse) {
        job.host.scope().record(|| Dns::ServerUseless {
            server,
            zone: slist.zone.to_string(),
            why: failure.to_string(),
        });
        slist.failed(server, failure);
    }

    /// RFC 1034 5.3.3 4b: learns from a referral, and says whom it names.
    fn refer(&self, job: &Job, slist: &Slist, zone: &DnsName, found: &Said) -> Slist {
        let now = job.host.now();
        let servers = found.response.authorities.iter().chain(&found.response.answers);
        let servers = servers.into_iter().find(|set| set.record_type == RecordType::Ns && set.name == *zone);
        let mut response = found.response.clone();
        if let Some(servers) = servers {
            self.parent_side().learn(servers, &response.additionals, now);
            tell_referral(job, &slist.zone, found.server, servers, &response.additionals);
        }
        // What an answer section holds of a zone below is a referral's, too.
        response.authorities.append(&mut response.answers);
        response.authoritative = false;
        let verified = |set: &RrSet| !self.config().harden_unverified_glue || set.name.is_within(zone);
        response.additionals.retain(verified);
        let question = Question { record_type: RecordType::Ns, ..found.question.clone() };
        // Servers that the cache believes more than those named, it believes when it is asked.
        let named = servers.cloned();
        let learnt = self.memory.learn(&question, &mut response, self.circumstances(job, slist));
        tell_believed(job, found.server, &slist.zone, learnt);
        let known = self.nearest_known(zone, now, Duration::ZERO).filter(|known| known.zone == *zone);
        let mut further = known.unwrap_or_else(|| Slist::of_referral(zone, named.as_ref(), now));
        if let Some(named) = &named {
            further.add_names(named);
        }
        // Glue with a TTL of zero is good for this once.
        for set in &response.additionals {
            let addresses = set.records.iter().filter_map(crate::record::Record::address);
            further.add_addresses(Some(&set.name), addresses, set.ttl(), &self.reach);
        }
        further.from_parent = true;
        // It is the zone above that says so, whoever said so before.
        let said = servers.map(|set| now + Duration::from_secs(set.ttl().into()));
        further.until = match (said, slist.until) {
            (Some(said), Some(until)) => Some(said.min(until)),
            (said, until) => said.or(until),
        };
        further
    }

    /// Whether what the servers say has to be signed: a trust anchor, or the zone above, says so.
    fn expects_signatures(&self, job: &Job, slist: &Slist) -> bool {
        let Some(anchors) = &self.anchors else { return false };
        let zone = &slist.zone;
        if !job.dnssec_ok
            || slist.kind == Kind::Forwarder
            || !anchors.zones().any(|above| zone.is_within(above))
        {
            return false;
        }
        let now = job.host.now();
        let vouched = || self.memory.cache().get(zone, RecordType::Ds, Rank::Additional, now).is_some();
        anchors.zones().any(|own| own == zone) || vouched()
    }

    fn circumstances(&self, job: &Job, slist: &Slist) -> Circumstances {
        Circumstances { now: job.host.now(), until: slist.until, renew: job.renew }
    }
}

/// Whether what is said about DS records is the child's word rather than its parent's.
fn is_of_the_child(question: &Question, zone: &DnsName, response: &Response) -> bool {
    let parent = question.name.parent();
    if question.record_type != RecordType::Ds || parent.as_ref() == Some(zone) {
        return false;
    }
    if response.answer(&question.name, RecordType::Ds).is_some() {
        return false;
    }
    let soa = response.authorities.iter().find(|set| set.record_type == RecordType::Soa);
    !response.answers.is_empty() || soa.is_none_or(|soa| soa.name.is_within(&question.name))
}

fn answer(found: Said) -> Step {
    Step::Answer(Answered { response: found.response, server: found.server })
}

/// Why a zone's servers were of no use, each with its reason.
pub(super) fn nobody_of_use(job: &Job, slist: &Slist) -> ResolveError {
    ResolveError::NobodyOfUse {
        name: job.question.name.clone(),
        zone: slist.zone.clone(),
        role: slist.role(),
        tried: slist.tried(&job.avoid),
        silent: !slist.problems().any(OfNoUse::is_answer),
    }
}
