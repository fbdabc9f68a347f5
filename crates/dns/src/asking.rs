//! One question to one server, in whatever way it can take it.

use crate::message::{Edns, Message, Question, ResponseCode};
use crate::rounds::Failure;
use crate::standing::Standings;
use crate::upstream::{NoAnswer, Query, Upstream};
use glasstack_journal::Instant;
use glasstack_journal::event::{QueryReason, Transport};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How servers are asked, and what was learnt about them meanwhile.
pub(crate) struct Asking {
    upstream: Arc<dyn Upstream>,
    /// Whether the server is asked to find the answer itself (RD).
    recursion_desired: bool,
    /// Whether EDNS(0) is offered.
    edns: bool,
    /// Whether everything is asked over TCP.
    use_tcp: bool,
    standings: Mutex<Standings>,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) udp: Duration,
    /// A connection takes a round trip before the first byte.
    pub(crate) tcp: Duration,
}

impl Asking {
    pub(crate) fn new(
        upstream: Arc<dyn Upstream>,
        recursion_desired: bool,
        edns: bool,
        use_tcp: bool,
    ) -> Self {
        Self { upstream, recursion_desired, edns, use_tcp, standings: Mutex::default() }
    }

    /// Asks `server`, in another way if it wishes so. What it says may be no answer at all.
    pub(crate) async fn ask(
        &self,
        host: &Host,
        question: &Question,
        server: SocketAddr,
        patience: Patience,
        why: QueryReason,
    ) -> Result<Message, Failure> {
        let mut query = Query {
            question: question.clone(),
            server,
            transport: if self.use_tcp { Transport::Tcp } else { Transport::Udp },
            recursion_desired: self.recursion_desired,
            checking_disabled: false,
            mixed_case: false,
            edns: (self.edns && !self.standings().lacks_edns(server)).then(Edns::default),
            timeout: if self.use_tcp { patience.tcp } else { patience.udp },
            why,
        };
        loop {
            let begun = host.now();
            let message = match self.upstream.exchange(host, &query).await {
                Ok(message) => message,
                Err(why) => {
                    self.standings().note_silence(server, host.now());
                    return Err(match why {
                        NoAnswer::TimedOut { ignored } => {
                            Failure::TimedOut { waited: query.timeout, ignored }
                        }
                        NoAnswer::Network(error) => Failure::Network(error),
                    });
                }
            };
            if query.transport == Transport::Udp {
                self.standings().note_answer(server, host.now().since(begun));
            }
            // RFC 6891 7: a server from before EDNS says that it does not understand; so the question is asked again
            // without, and from now on always.
            let not_understood =
                matches!(message.code, ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BadVers);
            if query.edns.is_some() && not_understood {
                self.standings().note_lack_of_edns(server);
                query.edns = None;
                query.why = QueryReason::WithoutEdns;
                continue;
            }
            // RFC 1035 4.2.1, RFC 7766 5: what did not fit is fetched over TCP.
            if message.truncated && query.transport == Transport::Udp {
                query.transport = Transport::Tcp;
                query.timeout = patience.tcp;
                query.why = QueryReason::Truncated;
                continue;
            }
            return Ok(message);
        }
    }

    /// Which of two servers should be asked sooner: the one of the lower rank.
    pub(crate) fn rank(&self, server: SocketAddr, now: Instant) -> impl Ord + use<> {
        self.standings().rank(server, now)
    }

    fn standings(&self) -> MutexGuard<'_, Standings> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
