//! One question to one server, in whatever way it can take it.

use crate::exchange::{Exchange, NoAnswer};
use crate::message::{Edns, Message, Question, ResponseCode};
use crate::rounds::Failure;
use glasstack_journal::event::{QueryReason, Transport};
use glasstack_stack::Host;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How servers are asked, and what was learnt about them meanwhile.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Whether the server is asked to find the answer itself (RD).
    recursion_desired: bool,
    /// Whether EDNS(0) is offered.
    edns: bool,
    /// Whether everything is asked over TCP.
    use_tcp: bool,
    /// Servers that were found not to understand EDNS.
    without_edns: Mutex<BTreeSet<SocketAddr>>,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) udp: Duration,
    /// A connection takes a round trip before the first byte.
    pub(crate) tcp: Duration,
}

impl Asking {
    pub(crate) fn new(recursion_desired: bool, edns: bool, use_tcp: bool) -> Self {
        Self { recursion_desired, edns, use_tcp, without_edns: Mutex::default() }
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
        let mut exchange = Exchange {
            question,
            server,
            transport: if self.use_tcp { Transport::Tcp } else { Transport::Udp },
            recursion_desired: self.recursion_desired,
            edns: (self.edns && !self.lacks_edns(server)).then(Edns::default),
            timeout: if self.use_tcp { patience.tcp } else { patience.udp },
            why,
        };
        loop {
            let message = exchange.run(host).await.map_err(|error| match error {
                NoAnswer::TimedOut { ignored } => Failure::TimedOut { waited: exchange.timeout, ignored },
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
                exchange.timeout = patience.tcp;
                exchange.why = QueryReason::Truncated;
                continue;
            }
            return Ok(message);
        }
    }

    fn lacks_edns(&self, server: SocketAddr) -> bool {
        self.without_edns.lock().unwrap_or_else(PoisonError::into_inner).contains(&server)
    }

    fn remember_lack_of_edns(&self, server: SocketAddr) {
        self.without_edns.lock().unwrap_or_else(PoisonError::into_inner).insert(server);
    }
}
