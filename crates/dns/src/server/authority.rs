//! The seam between a server and what it knows: a question in, a reply out.

use crate::message::{ExtendedError, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::Record;
use futures_util::future::BoxFuture;
use glasstack_journal::event::Transport;
use std::net::{Ipv4Addr, SocketAddr};

/// What a name server knows, or can find out.
pub trait Authority: Send + Sync + 'static {
    /// Answers a question of class IN. It may take its time: others are answered meanwhile.
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply>;

    /// The same where it is known without waiting; none sends the server to
    /// [`answer`](Self::answer). What a busy server gives most of its answers by: no future, no box.
    fn answer_now(&self, _asked: &Asked) -> Option<Reply> {
        None
    }

    /// Whether it finds out what it does not know (RA, RFC 1035 4.1.1).
    fn recursion_available(&self) -> bool {
        false
    }

    /// Whether what it says of `name` is its own and not what it remembers of others: a client that
    /// may not look into the cache may still ask for it without wanting recursion.
    fn is_own(&self, _name: &DnsName) -> bool {
        !self.recursion_available()
    }

    /// All records of the zone with this origin, the SOA first and once more at the end
    /// (RFC 5936 2.2); none if there is no such zone here. Whether the client may have them has been
    /// decided before.
    fn transfer(&self, _origin: &DnsName) -> Option<Transfer<'_>> {
        None
    }
}

/// The records of a zone, one after the other.
pub type Transfer<'a> = Box<dyn Iterator<Item = Record> + Send + 'a>;

/// A question, and how it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// Who asks.
    pub client: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// Whether the client wants the server to find the answer itself (RD, RFC 1035 4.1.1).
    pub recursion_desired: bool,
    /// Whether it wants DNSSEC's records (DO, RFC 3225 3).
    pub dnssec_ok: bool,
    /// Whether it wants to check signatures itself, so that nothing bogus is kept from it
    /// (CD, RFC 4035 3.2.2).
    pub checking_disabled: bool,
    /// Whether it understands the AD bit without wanting the records (AD, RFC 6840 5.7).
    pub authentic_data: bool,
}

impl Asked {
    /// A plain question over UDP, of nobody in particular, who wants recursion.
    pub fn new(question: Question) -> Self {
        Self {
            question,
            client: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            transport: Transport::Udp,
            recursion_desired: true,
            dnssec_ok: false,
            checking_disabled: false,
            authentic_data: false,
        }
    }
}

/// An answer, before it is a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub code: ResponseCode,
    /// Whether the server has authority over the name (AA).
    pub authoritative: bool,
    /// Whether all of it has been validated (AD, RFC 4035 3.2.3). It is said only to clients that
    /// can be expected to understand it.
    pub authentic_data: bool,
    /// Records that answer.
    pub answers: Vec<Record>,
    /// The SOA of a negative answer, or the name servers of a referral.
    pub authorities: Vec<Record>,
    /// Records that may help; the first to be left out.
    pub additionals: Vec<Record>,
    /// Why this is the answer, for clients with EDNS (RFC 8914).
    pub extended_errors: Vec<ExtendedError>,
    /// The wildcard that the answer was made from: all its answers count as one where responses are
    /// limited.
    pub wildcard: Option<DnsName>,
    /// Why this is the answer, in words.
    pub why: String,
}

impl Reply {
    /// A reply without records.
    pub fn empty(code: ResponseCode, why: impl Into<String>) -> Self {
        Self {
            code,
            authoritative: false,
            authentic_data: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            extended_errors: Vec::new(),
            wildcard: None,
            why: why.into(),
        }
    }

    /// The reply with a reason for clients with EDNS (RFC 8914).
    #[must_use]
    pub fn because(mut self, error: ExtendedError) -> Self {
        self.extended_errors.push(error);
        self
    }
}
