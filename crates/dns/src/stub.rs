//! The stub resolver (RFC 1034 5.3.1): it asks the configured servers, who do the walking.

use crate::error::{ResolveError, ServerProblem};
use crate::exchange::{Exchange, NoAnswer};
use crate::message::{Edns, Message, Question, ResponseCode};
use crate::rounds::{Failure, Rounds};
use glasstack_journal::event::{QueryReason, Transport};
use glasstack_stack::Host;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The servers, and how they are asked.
#[derive(Debug)]
pub(crate) struct Stub {
    servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: u32,
    edns: bool,
    use_tcp: bool,
    /// Servers that were found not to understand EDNS.
    without_edns: Mutex<BTreeSet<SocketAddr>>,
}

impl Stub {
    pub(crate) fn new(
        servers: Vec<SocketAddr>,
        timeout: Duration,
        attempts: u32,
        edns: bool,
        use_tcp: bool,
    ) -> Self {
        Self { servers, timeout, attempts, edns, use_tcp, without_edns: Mutex::default() }
    }

    /// Asks one server after the other until one answers; tells which.
    pub(crate) async fn ask(
        &self,
        host: &Host,
        question: &Question,
        why: QueryReason,
    ) -> Result<(Message, SocketAddr), ResolveError> {
        let mut rounds = Rounds::new(&self.servers, self.attempts, why);
        while let Some((server, why)) = rounds.next() {
            match self.ask_server(host, question, server, why).await {
                Ok(message) => return Ok((message, server)),
                Err(failure) => rounds.failed(failure),
            }
        }
        Err(rounds.into_error(&question.name, self.timeout))
    }

    /// Asks one server, in another way if it wishes so.
    async fn ask_server(
        &self,
        host: &Host,
        question: &Question,
        server: SocketAddr,
        why: QueryReason,
    ) -> Result<Message, Failure> {
        let mut exchange = Exchange {
            question,
            server,
            transport: if self.use_tcp { Transport::Tcp } else { Transport::Udp },
            edns: (self.edns && !self.lacks_edns(server)).then(Edns::default),
            timeout: self.timeout,
            why,
        };
        loop {
            let message = exchange.run(host).await.map_err(|error| match error {
                NoAnswer::TimedOut { ignored } => Failure::TimedOut { waited: self.timeout, ignored },
                NoAnswer::Network(error) => Failure::Network(error),
            })?;
            // RFC 6891 7: a server from before EDNS says that it does not understand; so the question is asked again
            // without, and from now on always.
            let not_understood =
                matches!(message.code, ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BadVers);
            if exchange.edns.is_some() && not_understood {
                self.remember_lack_of_edns(server);
                exchange.edns = None;
                exchange.why = QueryReason::WithoutEdns;
                continue;
            }
            // RFC 1035 4.2.1, RFC 7766 5: what did not fit is fetched over TCP.
            if message.truncated && exchange.transport == Transport::Udp {
                exchange.transport = Transport::Tcp;
                exchange.why = QueryReason::Truncated;
                continue;
            }
            return accept(message);
        }
    }

    fn lacks_edns(&self, server: SocketAddr) -> bool {
        self.without_edns.lock().unwrap_or_else(PoisonError::into_inner).contains(&server)
    }

    fn remember_lack_of_edns(&self, server: SocketAddr) {
        self.without_edns.lock().unwrap_or_else(PoisonError::into_inner).insert(server);
    }
}

/// Whether a response says something about the name at all.
fn accept(message: Message) -> Result<Message, Failure> {
    match message.code {
        // RFC 1034 4.3.1: without recursion there may be a referral instead of an answer.
        ResponseCode::NoError if message.is_referral() => Err(Failure::Problem(ServerProblem::NotRecursive)),
        ResponseCode::NoError | ResponseCode::NxDomain => Ok(message),
        code => Err(Failure::Problem(ServerProblem::Code(code))),
    }
}
