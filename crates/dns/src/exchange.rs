//! One question to one server over one transport, and the answer to it.

use crate::error::NetworkError;
use crate::framing::{read_message, write_message};
use crate::matching::{Mismatch, Pending};
use crate::message::{HEADER, Message};
use crate::open_span::OpenSpan;
use crate::record::Record;
use crate::upstream::{NoAnswer, Query};
use glasstack_journal::event::{Dns, Transport};
use glasstack_journal::{Scope, SpanKind};
use glasstack_stack::{Entropy, Host, UdpSocket};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Asks, in a span of its own below `host`'s, and waits for the answer.
pub(crate) async fn run(host: &Host, query: &Query) -> Result<Message, NoAnswer> {
    if query.server.is_ipv6() {
        return Err(NetworkError::Ipv6.into());
    }
    let span = OpenSpan::new(host, SpanKind::Query { server: query.server });
    let host = span.host();
    // An id that nobody can guess (RFC 5452 4.2); the port is as unpredictable.
    let id = host.entropy().u16();
    let message = Message {
        recursion_desired: query.recursion_desired,
        checking_disabled: query.checking_disabled,
        ..Message::query(id, query.question.clone(), query.edns.clone())
    };
    let mut bytes = message.to_bytes().map_err(|error| NetworkError::Query(error.to_string()))?;
    if query.mixed_case {
        mix_case(&mut bytes, host.entropy().as_ref());
    }
    let sent_name = query.mixed_case.then(|| name_bytes(&bytes).to_vec());
    let pending = Pending { id, question: query.question.clone(), server: query.server, sent_name };
    let mut ignored = None;
    let exchange = Exchange { query, pending, bytes };
    let answer = async {
        match query.transport {
            Transport::Udp => exchange.over_udp(host, &mut ignored).await,
            Transport::Tcp => exchange.over_tcp(host, &mut ignored).await,
        }
    };
    match host.timeout(query.timeout, answer).await {
        Ok(result) => result,
        Err(_) => Err(NoAnswer::TimedOut { ignored }),
    }
}

/// A query on its way.
struct Exchange<'a> {
    query: &'a Query,
    pending: Pending,
    bytes: Vec<u8>,
}

impl Exchange<'_> {
    /// RFC 1035 4.2.1. The socket is made for this question alone, so each has its own port.
    async fn over_udp(&self, host: &Host, ignored: &mut Option<Mismatch>) -> Result<Message, NoAnswer> {
        let socket: UdpSocket = host.udp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))?;
        self.tell_sent(host.scope());
        let sent = host.now();
        socket.send_to(&self.bytes, self.query.server).await?;
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await?;
            let datagram = buffer.get(..length).unwrap_or_default();
            // RFC 5452 9.1: what does not match is as if it had never come.
            if let Some(message) = self.judge(host.scope(), from, datagram, ignored) {
                self.tell_received(host.scope(), &message, length, host.now().since(sent));
                return Ok(message);
            }
        }
    }

    /// RFC 7766: a connection for this question alone, closed by us when the answer is in.
    async fn over_tcp(&self, host: &Host, ignored: &mut Option<Mismatch>) -> Result<Message, NoAnswer> {
        let mut stream = host.connect(self.query.server).await?;
        self.tell_sent(host.scope());
        let sent = host.now();
        let broken = |error: std::io::Error| NetworkError::Broken(error.to_string());
        write_message(&mut stream, &self.bytes).await.map_err(broken)?;
        loop {
            let Some(bytes) = read_message(&mut stream).await.map_err(broken)? else {
                return Err(NetworkError::Broken("the server closed it".to_owned()).into());
            };
            if let Some(message) = self.judge(host.scope(), self.query.server, &bytes, ignored) {
                self.tell_received(host.scope(), &message, bytes.len(), host.now().since(sent));
                return Ok(message);
            }
        }
    }

    fn judge(
        &self,
        scope: &Scope,
        from: SocketAddr,
        bytes: &[u8],
        ignored: &mut Option<Mismatch>,
    ) -> Option<Message> {
        match self.pending.check(from, bytes) {
            Ok(message) => Some(message),
            Err(mismatch) => {
                scope.record(|| Dns::ResponseIgnored { from, why: mismatch.to_string() });
                *ignored = Some(mismatch);
                None
            }
        }
    }

    fn tell_sent(&self, scope: &Scope) {
        scope.record(|| Dns::QuerySent {
            id: self.pending.id,
            name: self.query.question.name.to_string(),
            record_type: self.query.question.record_type.to_string(),
            server: self.query.server,
            transport: self.query.transport,
            why: self.query.why.clone(),
        });
    }

    fn tell_received(&self, scope: &Scope, message: &Message, size: usize, rtt: Duration) {
        let words = |records: &[Record]| records.iter().map(ToString::to_string).collect();
        scope.record(|| Dns::ResponseReceived {
            id: message.id,
            name: self.query.question.name.to_string(),
            record_type: self.query.question.record_type.to_string(),
            server: self.query.server,
            transport: self.query.transport,
            code: message.code.to_string(),
            authoritative: message.authoritative,
            answers: words(&message.answers),
            authorities: words(&message.authorities),
            additionals: words(&message.additionals),
            size,
            truncated: message.truncated,
            rtt,
        });
    }
}

/// Gives each letter of the question's name its case by chance: one bit more that a forger must guess.
fn mix_case(message: &mut [u8], entropy: &dyn Entropy) {
    let length = name_bytes(message).len();
    for byte in message.iter_mut().skip(HEADER).take(length) {
        // Lengths of labels are below 64, so no letter.
        if byte.is_ascii_alphabetic() && entropy.below(2) == 1 {
            byte.make_ascii_uppercase();
        }
    }
}

/// The bytes of the question's name, the first thing behind the header and never compressed there.
pub(crate) fn name_bytes(message: &[u8]) -> &[u8] {
    let rest = message.get(HEADER..).unwrap_or_default();
    let mut at = 0;
    while let Some(length @ 1..=63) = rest.get(at) {
        at += 1 + usize::from(*length);
    }
    rest.get(..=at).unwrap_or_default()
}
