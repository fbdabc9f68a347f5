//! The stub resolver (RFC 1034 5.3.1): it asks the configured servers, who do the walking.

use crate::asking::{Asking, Manner};
use crate::config::ResolverConfig;
use crate::error::{ResolveError, ServerProblem};
use crate::infrastructure::{Infrastructure, InfrastructureConfig};
use crate::iterate::Job;
use crate::message::{Message, ResponseCode, UDP_PAYLOAD};
use crate::rounds::{OfNoUse, Rounds};
use crate::upstream::Upstream;
use glasstack_journal::event::QueryReason;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

/// The servers, and how they are asked.
pub(crate) struct Stub {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
    edns: bool,
    use_tcp: bool,
    asking: Asking,
}

impl Stub {
    pub(crate) fn new(config: &ResolverConfig, upstream: Arc<dyn Upstream>) -> Self {
        Self {
            servers: config.servers.clone(),
            timeout: config.timeout,
            attempts: config.attempts,
            edns: config.edns,
            use_tcp: config.use_tcp,
            asking: Asking::new(upstream, InfrastructureConfig::default()),
        }
    }

    /// What is remembered of the servers.
    pub(crate) fn infrastructure(&self) -> MutexGuard<'_, Infrastructure> {
        self.asking.known()
    }

    /// Asks one server after the other until one answers; tells which.
    pub(crate) async fn ask(
        &self,
        job: &Job,
        why: QueryReason,
    ) -> Result<(Message, SocketAddr), ResolveError> {
        let mut rounds = Rounds::new(self.servers.clone(), self.attempts);
        let manner = Manner {
            recursion_desired: true,
            // RFC 4035 4.9.1: who validates wants what is bogus, too, to see it.
            checking_disabled: job.checking_disabled,
            edns: self.edns.then_some(UDP_PAYLOAD),
            dnssec_ok: job.dnssec_ok,
            tcp: self.use_tcp,
            mixed_case: false,
            udp_timeout: self.timeout,
            tcp_timeout: self.timeout,
            silences: 0,
        };
        while let Some((server, again)) = rounds.next() {
            let why = again.unwrap_or_else(|| why.clone());
            let answered = self.asking.ask(&job.host, &job.question, server, &manner, why).await;
            match answered.and_then(accept) {
                Ok(message) => return Ok((message, server)),
                Err(failure) => rounds.failed(failure),
            }
        }
        Err(rounds.into_error(&job.question.name, self.timeout))
    }
}

/// Whether a response says something about the name at all.
fn accept(message: Message) -> Result<Message, OfNoUse> {
    match message.code {
        // RFC 1034 4.3.1: without recursion there may be a referral instead of an answer.
        ResponseCode::NoError if message.is_referral() => Err(OfNoUse::Problem(ServerProblem::NotRecursive)),
        ResponseCode::NoError | ResponseCode::NxDomain => Ok(message),
        _ => Err(OfNoUse::Problem(ServerProblem::of(&message))),
    }
}
