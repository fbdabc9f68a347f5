//! The seam between a server and what it knows: a question in, a reply out.

use crate::message::{Question, ResponseCode};
use crate::record::Record;
use futures_util::future::BoxFuture;

/// What a name server knows, or can find out.
pub trait Authority: Send + Sync + 'static {
    /// Answers a question of class IN. It may take its time: others are answered meanwhile.
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply>;

    /// Whether it finds out what it does not know (RA, RFC 1035 4.1.1).
    fn recursion_available(&self) -> bool {
        false
    }
}

/// A question, and how it was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What is asked.
    pub question: Question,
    /// Whether the client wants the server to find the answer itself (RD, RFC 1035 4.1.1).
    pub recursion_desired: bool,
}

/// An answer, before it is a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it went.
    pub code: ResponseCode,
    /// Whether the server has authority over the name (AA).
    pub authoritative: bool,
    /// Records that answer.
    pub answers: Vec<Record>,
    /// The SOA of a negative answer, or the name servers of a referral.
    pub authorities: Vec<Record>,
    /// Records that may help; the first to be left out.
    pub additionals: Vec<Record>,
    /// Why this is the answer, in words.
    pub why: String,
}

impl Reply {
    /// A reply without records.
    pub fn empty(code: ResponseCode, why: impl Into<String>) -> Self {
        Self {
            code,
            authoritative: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            why: why.into(),
        }
    }
}
