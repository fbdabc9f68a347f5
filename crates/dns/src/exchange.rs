//! One question to one server over one transport, and the answer to it.

use crate::error::NetworkError;
use crate::framing::{read_message, write_message};
use crate::matching::Pending;
use crate::message::{Edns, Message, Question};
use crate::open_span::OpenSpan;
use glasstack_journal::event::{Dns, QueryReason, Transport};
use glasstack_journal::{Scope, SpanKind};
use glasstack_stack::{Host, UdpSocket};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What is asked of whom, and how.
#[derive(Clone, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) question: &'a Question,
    pub(crate) server: SocketAddr,
    pub(crate) transport: Transport,
    /// Whether the server is asked to find the answer itself (RD).
    pub(crate) recursion_desired: bool,
    pub(crate) edns: Option<Edns>,
    /// How long it may take.
    pub(crate) timeout: Duration,
    /// Why it is asked.
    pub(crate) why: QueryReason,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The time is up. Which check the last thing failed that came in meanwhile, if any did.
    TimedOut { ignored: Option<String> },
    /// The server cannot be reached.
    Network(NetworkError),
}

impl<E: Into<NetworkError>> From<E> for NoAnswer {
    fn from(error: E) -> Self {
        Self::Network(error.into())
    }
}

impl Exchange<'_> {
    /// Asks, in a span of its own below `host`'s, and waits for the answer.
    pub(crate) async fn run(&self, host: &Host) -> Result<Message, NoAnswer> {
        if self.server.is_ipv6() {
            return Err(NetworkError::Ipv6.into());
        }
        let span = OpenSpan::new(host, SpanKind::Query { server: self.server });
        let host = span.host();
        // An id that nobody can guess (RFC 5452 4.2); the port is as unpredictable.
        let pending =
            Pending { id: host.entropy().u16(), question: self.question.clone(), server: self.server };
        let query = Message {
            recursion_desired: self.recursion_desired,
            ..Message::query(pending.id, pending.question.clone(), self.edns)
        };
        let query = query.to_bytes().map_err(|error| NetworkError::Query(error.to_string()))?;
        let mut ignored = None;
        let exchange = async {
            match self.transport {
                Transport::Udp => self.over_udp(host, &pending, &query, &mut ignored).await,
                Transport::Tcp => self.over_tcp(host, &pending, &query, &mut ignored).await,
            }
        };
        match host.timeout(self.timeout, exchange).await {
            Ok(result) => result,
            Err(_) => Err(NoAnswer::TimedOut { ignored }),
        }
    }

    /// RFC 1035 4.2.1. The socket is made for this question alone, so each has its own port.
    async fn over_udp(
        &self,
        host: &Host,
        pending: &Pending,
        query: &[u8],
        ignored: &mut Option<String>,
    ) -> Result<Message, NoAnswer> {
        let socket: UdpSocket = host.udp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))?;
        self.tell_sent(host.scope(), pending);
        let sent = host.now();
        socket.send_to(query, self.server).await?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            let datagram = buffer.get(..length).unwrap_or_default();
            // RFC 5452 9.1: what does not match is as if it had never come.
            if let Some(message) = self.judge(host.scope(), pending, from, datagram, ignored) {
                self.tell_received(host.scope(), &message, host.now().since(sent));
                return Ok(message);
            }
        }
    }

    /// RFC 7766: a connection for this question alone, closed by us when the answer is in.
    async fn over_tcp(
        &self,
        host: &Host,
        pending: &Pending,
        query: &[u8],
        ignored: &mut Option<String>,
    ) -> Result<Message, NoAnswer> {
        let mut stream = host.connect(self.server).await?;
        self.tell_sent(host.scope(), pending);
        let sent = host.now();
        let broken = |error: std::io::Error| NetworkError::Broken(error.to_string());
        write_message(&mut stream, query).await.map_err(broken)?;
        loop {
            let Some(bytes) = read_message(&mut stream).await.map_err(broken)? else {
                return Err(NetworkError::Broken("the server closed it".to_owned()).into());
            };
            if let Some(message) = self.judge(host.scope(), pending, self.server, &bytes, ignored) {
                self.tell_received(host.scope(), &message, host.now().since(sent));
                return Ok(message);
            }
        }
    }

    fn judge(
        &self,
        scope: &Scope,
        pending: &Pending,
        from: SocketAddr,
        bytes: &[u8],
        ignored: &mut Option<String>,
    ) -> Option<Message> {
        match pending.check(from, bytes) {
            Ok(message) => Some(message),
            Err(mismatch) => {
                let why = mismatch.to_string();
                scope.record(|| Dns::ResponseIgnored { from, why: why.clone() });
                *ignored = Some(why);
                None
            }
        }
    }

    fn tell_sent(&self, scope: &Scope, pending: &Pending) {
        scope.record(|| Dns::QuerySent {
            id: pending.id,
            name: self.question.name.to_string(),
            record_type: self.question.record_type.to_string(),
            server: self.server,
            transport: self.transport,
            why: self.why.clone(),
        });
    }

    fn tell_received(&self, scope: &Scope, message: &Message, rtt: Duration) {
        scope.record(|| Dns::ResponseReceived {
            id: message.id,
            name: self.question.name.to_string(),
            record_type: self.question.record_type.to_string(),
            server: self.server,
            transport: self.transport,
            code: message.code.to_string(),
            answers: message.answers.iter().map(ToString::to_string).collect(),
            truncated: message.truncated,
            rtt,
        });
    }
}
