//! A request on its way to its answer: where it came from, how far it has come, and what comes of it.

use super::authority::Asked;
use super::extensions::Extensions;
use super::limits::clients::Permit;
use super::transfer::Outgoing;
use crate::message::{Edns, HEADER, Message, PLAIN_UDP_PAYLOAD};
use glasstack_journal::Instant;
use glasstack_journal::event::Transport;
use std::net::SocketAddr;
use std::time::Duration;

/// How far a request has come without waiting.
pub(super) enum Begun<'a> {
    /// All the way.
    Done(Outcome),
    /// The authority has to find the answer out.
    Waiting(Waiting),
    /// A whole zone is to be sent.
    Transfer(Outgoing<'a>),
}

/// What comes of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A response.
    Send(Vec<u8>),
    /// Nothing.
    Silence,
    /// Nothing, and what follows on the same connection makes no sense either.
    End,
}

impl Outcome {
    /// Of the response, in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Send(response) => response.len(),
            Self::Silence | Self::End => 0,
        }
    }
}

/// A request whose answer has to be found out.
pub(super) struct Waiting {
    pub(super) asked: Asked,
    /// What a response repeats of it.
    pub(super) query: Message,
    pub(super) sender: Sender,
    /// Its bytes as far as the question goes, for its letters.
    pub(super) request: Vec<u8>,
    pub(super) arrived: Instant,
    /// It counts as under way as long as this lives.
    _permit: Permit,
}

/// No question ends behind this: a header, a name of 255 bytes, type and class.
const LONGEST_QUESTION: usize = HEADER + 255 + 4;

impl Waiting {
    /// Keeps of the request, which may have 65 535 bytes, no more than its response needs: there may be very
    /// many that wait.
    pub(super) fn new(
        asked: Asked,
        query: Message,
        sender: Sender,
        request: &[u8],
        arrived: Instant,
        permit: Permit,
    ) -> Self {
        let edns = query.edns.map(|edns| Edns { extended_errors: Vec::new(), options: Vec::new(), ..edns });
        let (answers, authorities, additionals) = (Vec::new(), Vec::new(), Vec::new());
        let query = Message { answers, authorities, additionals, edns, ..query };
        let request = request.iter().copied().take(LONGEST_QUESTION).collect();
        Self { asked, query, sender, request, arrived, _permit: permit }
    }
}

/// What a request came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// A datagram.
    Udp,
    /// A connection.
    Tcp {
        /// How long it may be unused.
        idle: Duration,
    },
}

impl Over {
    pub(super) fn transport(self) -> Transport {
        match self {
            Self::Udp => Transport::Udp,
            Self::Tcp { .. } => Transport::Tcp,
        }
    }
}

/// Where a request came from.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) client: SocketAddr,
    pub(super) transport: Transport,
    /// The largest response that it takes, in bytes.
    pub(super) takes: usize,
    /// What it is answered by EDNS.
    pub(super) extensions: Extensions,
}

impl Sender {
    /// One that has not said what it takes.
    pub(super) fn new(client: SocketAddr, transport: Transport) -> Self {
        let takes = match transport {
            Transport::Udp => usize::from(PLAIN_UDP_PAYLOAD),
            Transport::Tcp => usize::from(u16::MAX),
        };
        Self { client, transport, takes, extensions: Extensions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{EdnsOption, Question};
    use crate::name::DnsName;
    use crate::record::{Record, RecordData, RecordType};
    use crate::server::limits::clients::{Clients, Kind};

    #[test]
    fn of_a_long_request_that_waits_no_more_is_kept_than_its_answer_needs() {
        let question = Question::new(DnsName::parse("www.example.test").unwrap(), RecordType::A);
        let options = vec![EdnsOption { code: 65_001, data: vec![7; 30_000] }];
        let long = RecordData::Txt(vec![vec![b'x'; 255]; 100]);
        let record = Record { owner: question.name.clone(), ttl: 1, data: long };
        let edns = Some(Edns { options, dnssec_ok: true, ..Edns::default() });
        let query = Message { answers: vec![record], ..Message::query(7, question.clone(), edns) };
        let request = query.to_bytes().unwrap();
        let client = SocketAddr::from(([192, 0, 2, 1], 4711));
        let permit = Clients::default().take(client.ip(), Kind::Query, 1).unwrap();
        let sender = Sender::new(client, Transport::Tcp);
        let asked = Asked::new(question);
        let waiting = Waiting::new(asked, query.clone(), sender, &request, Instant::ZERO, permit);
        assert_eq!(waiting.request, request[..LONGEST_QUESTION]);
        assert!(waiting.query.to_bytes().unwrap().len() < 60);
        let code = crate::message::ResponseCode::NoError;
        assert_eq!(waiting.query.response(code), query.response(code));
    }
}
