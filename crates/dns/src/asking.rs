//! One question to one server, in whatever way it can take it.

use crate::error::NetworkError;
use crate::infrastructure::{EdnsSupport, Infrastructure, InfrastructureConfig};
use crate::matching::Mismatch;
use crate::message::{Edns, Message, PLAIN_UDP_PAYLOAD, Question, ResponseCode};
use crate::rounds::OfNoUse;
use crate::upstream::{NoAnswer, Query, Upstream};
use glasstack_journal::event::{QueryReason, Transport};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How servers are asked, and what was learnt about them meanwhile.
pub(crate) struct Asking {
    upstream: Arc<dyn Upstream>,
    infrastructure: Mutex<Infrastructure>,
}

/// How a question is asked.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Whether the server is asked to find the answer itself (RD).
    pub(crate) recursion_desired: bool,
    /// Whether the server is asked not to validate (CD).
    pub(crate) checking_disabled: bool,
    /// Whether EDNS(0) is offered, and answers of how many bytes.
    pub(crate) edns: Option<u16>,
    /// Whether signatures are wanted (DO).
    pub(crate) dnssec_ok: bool,
    /// Whether it is asked over TCP.
    pub(crate) tcp: bool,
    /// Whether the letters are sent in random case.
    pub(crate) mixed_case: bool,
    /// How long an answer over UDP may take.
    pub(crate) udp_timeout: Duration,
    /// How long one over TCP may take: a connection takes a round trip before the first byte.
    pub(crate) tcp_timeout: Duration,
    /// How often the server was silent to this question before.
    pub(crate) silences: u32,
}

impl Asking {
    pub(crate) fn new(upstream: Arc<dyn Upstream>, config: InfrastructureConfig) -> Self {
        let infrastructure = Mutex::new(Infrastructure::new(config));
        Self { upstream, infrastructure }
    }

    /// Asks `server`, in another way if it wishes so. What it says may be no answer at all.
    pub(crate) async fn ask(
        &self,
        host: &Host,
        question: &Question,
        server: SocketAddr,
        manner: &Manner,
        why: QueryReason,
    ) -> Result<Message, OfNoUse> {
        let mut query = self.query(host, question, server, manner, why);
        loop {
            let begun = host.now();
            let message = match self.upstream.exchange(host, &query).await {
                Ok(message) => message,
                Err(NoAnswer::TimedOut { ignored: Some(Mismatch::Case) }) if query.mixed_case => {
                    // What does not repeat the letters may be an honest server or a forger; TCP tells them apart.
                    self.known().note_case(server, false, host.now());
                    query.mixed_case = false;
                    over_tcp(&mut query, manner, QueryReason::CaseNotKept);
                    continue;
                }
                Err(NoAnswer::TimedOut { ignored }) => {
                    if query.transport == Transport::Udp {
                        let mut known = self.known();
                        known.note_timeout(server, query.timeout, host.now());
                        known.note_type(server, question.record_type, false, host.now());
                    }
                    return Err(OfNoUse::TimedOut { waited: query.timeout, ignored });
                }
                Err(NoAnswer::Network(error)) => {
                    // A connection that breaks says nothing about how far it is.
                    if !matches!(error, NetworkError::Broken(_)) {
                        self.known().note_unreachable(server, host.now());
                    }
                    return Err(OfNoUse::Network(error));
                }
            };
            self.note(host, &query, &message, host.now().since(begun));
            // RFC 6891 7: a server from before EDNS says that it does not understand; so the question is asked again
            // without, and from now on always.
            let not_understood =
                matches!(message.code, ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BadVers);
            if query.edns.is_some() && not_understood {
                self.known().note_edns(server, EdnsSupport::Lacking, host.now());
                query.edns = None;
                query.why = QueryReason::WithoutEdns;
                continue;
            }
            // RFC 1035 4.2.1, RFC 7766 5: what did not fit is fetched over TCP.
            if message.truncated && query.transport == Transport::Udp {
                over_tcp(&mut query, manner, QueryReason::Truncated);
                continue;
            }
            return Ok(message);
        }
    }

    /// What is remembered of servers.
    pub(crate) fn known(&self) -> MutexGuard<'_, Infrastructure> {
        self.infrastructure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn query(
        &self,
        host: &Host,
        question: &Question,
        server: SocketAddr,
        manner: &Manner,
        why: QueryReason,
    ) -> Query {
        let now = host.now();
        let (support, keeps_case) = {
            let known = self.known();
            (known.edns(server, now), known.keeps_case(server, now))
        };
        let edns = manner.edns.filter(|_| support != EdnsSupport::Lacking).map(|most| {
            // RFC 6891 6.2.5: what gets no answer may be too large for the path; a small one gets through.
            let udp_payload = if manner.silences > 0 { PLAIN_UDP_PAYLOAD } else { most };
            Edns { udp_payload, dnssec_ok: manner.dnssec_ok, ..Edns::default() }
        });
        Query {
            question: question.clone(),
            server,
            transport: if manner.tcp { Transport::Tcp } else { Transport::Udp },
            recursion_desired: manner.recursion_desired,
            checking_disabled: manner.checking_disabled,
            edns,
            mixed_case: manner.mixed_case && !manner.tcp && keeps_case != Some(false),
            timeout: if manner.tcp { manner.tcp_timeout } else { manner.udp_timeout },
            why,
        }
    }

    fn note(&self, host: &Host, query: &Query, message: &Message, rtt: Duration) {
        let (now, server) = (host.now(), query.server);
        let mut known = self.known();
        if query.transport == Transport::Udp {
            known.note_answer(server, rtt, now);
            known.note_type(server, query.question.record_type, true, now);
        }
        if query.mixed_case {
            known.note_case(server, true, now);
        }
        if let (Some(asked), Some(_)) = (&query.edns, &message.edns) {
            known.note_edns(server, EdnsSupport::Understood { udp_payload: asked.udp_payload }, now);
        }
    }
}

fn over_tcp(query: &mut Query, manner: &Manner, why: QueryReason) {
    query.transport = Transport::Tcp;
    query.timeout = manner.tcp_timeout;
    query.mixed_case = false;
    query.why = why;
}
