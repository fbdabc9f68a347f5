//! Messages (RFC 1035 4): what goes over the wire.

mod edns_option;
mod extended_error;
mod truncation;
mod wire;
mod writer;

pub use edns_option::EdnsOption;
pub use extended_error::ExtendedError;

use crate::name::DnsName;
use crate::record::{Record, RecordType};
use std::fmt;

/// The port that name servers listen on (RFC 1035 4.2).
pub const DNS_PORT: u16 = 53;
/// The size of UDP answer we ask for and give, in bytes: it fits every path without fragmentation
/// (DNS flag day 2020; RFC 9715 3.2 recommends no more than 1 400).
pub const UDP_PAYLOAD: u16 = 1232;
/// What a UDP message may be without EDNS, in bytes (RFC 1035 4.2.1).
pub const PLAIN_UDP_PAYLOAD: u16 = 512;
/// The length of a message's header, in bytes (RFC 1035 4.1.1).
pub const HEADER: usize = 12;
/// Class IN, the only one in use (RFC 1035 3.2.4).
pub const CLASS_IN: u16 = 1;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About whom.
    pub name: DnsName,
    /// For which records.
    pub record_type: RecordType,
    /// In which class; [`CLASS_IN`].
    pub class: u16,
}

impl Question {
    /// A question in class IN.
    pub fn new(name: DnsName, record_type: RecordType) -> Self {
        Self { name, record_type, class: CLASS_IN }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.record_type)
    }
}

/// How a server came out of it (RFC 1035 4.1.1, RFC 6891 6.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponseCode {
    /// All is well, though there may be no record.
    NoError,
    /// The query was not understood.
    FormErr,
    /// The server has a problem of its own.
    ServFail,
    /// The name does not exist.
    NxDomain,
    /// The server cannot do such a thing.
    NotImp,
    /// The server will not.
    Refused,
    /// A DNAME makes a name that is too long (RFC 6672 2.2).
    YxDomain,
    /// The server has no authority over that, or who asks cannot show who it is (RFC 2136 2.2, RFC 8945 3).
    NotAuth,
    /// An EDNS version that the server does not know.
    BadVers,
    /// Any other, by number.
    Other(u16),
}

impl ResponseCode {
    /// The number on the wire, the eight bits of EDNS included.
    pub fn number(self) -> u16 {
        match self {
            Self::NoError => 0,
            Self::FormErr => 1,
            Self::ServFail => 2,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
            Self::YxDomain => 6,
            Self::NotAuth => 9,
            Self::BadVers => 16,
            Self::Other(number) => number,
        }
    }

    /// The code with this number.
    pub fn from_number(number: u16) -> Self {
        match number {
            0 => Self::NoError,
            1 => Self::FormErr,
            2 => Self::ServFail,
            3 => Self::NxDomain,
            4 => Self::NotImp,
            5 => Self::Refused,
            6 => Self::YxDomain,
            9 => Self::NotAuth,
            16 => Self::BadVers,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for ResponseCode {
    /// As `dig` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoError => "NOERROR",
            Self::FormErr => "FORMERR",
            Self::ServFail => "SERVFAIL",
            Self::NxDomain => "NXDOMAIN",
            Self::NotImp => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::BadVers => "BADVERS",
            Self::YxDomain => "YXDOMAIN",
            Self::NotAuth => "NOTAUTH",
            Self::Other(23) => "BADCOOKIE",
            Self::Other(number) => return write!(f, "RCODE{number}"),
        })
    }
}

/// What a message says about its sender's extensions (RFC 6891 6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edns {
    /// The largest UDP message that its sender can take in, in bytes; at least 512.
    pub udp_payload: u16,
    /// The version; 0 is the only one so far.
    pub version: u8,
    /// Whether DNSSEC records are wanted (RFC 3225).
    pub dnssec_ok: bool,
    /// What else there is to say about the answer (RFC 8914).
    pub extended_errors: Vec<ExtendedError>,
    /// Whatever else it says.
    pub options: Vec<EdnsOption>,
}

impl Default for Edns {
    fn default() -> Self {
        Self {
            udp_payload: UDP_PAYLOAD,
            version: 0,
            dnssec_ok: false,
            extended_errors: Vec::new(),
            options: Vec::new(),
        }
    }
}

/// A query or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Chosen by who asks, repeated by who answers.
    pub id: u16,
    /// Whether it is a response (QR).
    pub is_response: bool,
    /// What kind of query (OPCODE); 0 is the standard one.
    pub opcode: u8,
    /// Whether the responder has authority over the name (AA).
    pub authoritative: bool,
    /// Whether this is only the beginning of the answer (TC).
    pub truncated: bool,
    /// Whether the server is asked to find the answer itself (RD).
    pub recursion_desired: bool,
    /// Whether the server would do so (RA).
    pub recursion_available: bool,
    /// Whether all of it is authentic to the responder; in a query, whether its sender would like to
    /// know (AD; RFC 4035 3.2.3, RFC 6840 5.7).
    pub authentic_data: bool,
    /// Whether the sender checks signatures itself and wants even what fails (CD; RFC 4035 3.2.2).
    pub checking_disabled: bool,
    /// How it went; [`ResponseCode::NoError`] in a query.
    pub code: ResponseCode,
    /// The question; a few responses to what was not understood have none.
    pub question: Option<Question>,
    /// Records that answer. Records of other classes than IN are left out, in every section.
    pub answers: Vec<Record>,
    /// Records about the authority: the SOA of a negative answer, the name servers of a referral.
    pub authorities: Vec<Record>,
    /// Records that may help.
    pub additionals: Vec<Record>,
    /// Extensions.
    pub edns: Option<Edns>,
    /// Whether its sender has signed it with a key that it shares with somebody (TSIG, RFC 8945). Such a signature
    /// is neither kept nor written.
    pub has_tsig: bool,
}

/// Bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// There is not even a header.
    #[error("{0} bytes are too few for a DNS message (a header has 12)")]
    TooShort(usize),
    /// RFC 9619: a standard query has one question.
    #[error("it holds {0} questions")]
    Questions(u16),
    /// The records cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// It cannot be written.
    #[error("it cannot be encoded: {0}")]
    Encode(String),
}

impl Message {
    /// Why the answer is what it is, as far as its sender says so (RFC 8914).
    pub fn extended_errors(&self) -> &[ExtendedError] {
        self.edns.as_ref().map(|edns| edns.extended_errors.as_slice()).unwrap_or_default()
    }

    /// A standard query.
    pub fn query(id: u16, question: Question, edns: Option<Edns>) -> Self {
        Self {
            id,
            is_response: false,
            opcode: 0,
            authoritative: false,
            truncated: false,
            recursion_desired: true,
            recursion_available: false,
            authentic_data: false,
            checking_disabled: false,
            code: ResponseCode::NoError,
            question: Some(question),
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            edns,
            has_tsig: false,
        }
    }

    /// An empty response to this query.
    pub fn response(&self, code: ResponseCode) -> Self {
        Self {
            is_response: true,
            recursion_available: false,
            authoritative: false,
            truncated: false,
            authentic_data: false,
            code,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            has_tsig: false,
            // RFC 6891 6.1.1: whoever sends an OPT record gets one back. RFC 3225 3: with the same DO.
            edns: self.edns.as_ref().map(|edns| Edns { dnssec_ok: edns.dnssec_ok, ..Edns::default() }),
            ..self.clone()
        }
    }

    /// Reads a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let header = RawHeader::read(bytes).ok_or(MessageError::TooShort(bytes.len()))?;
        if header.questions > 1 {
            return Err(MessageError::Questions(header.questions));
        }
        wire::decode(bytes)
    }

    /// The bytes of it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MessageError> {
        truncation::encode(self, usize::MAX)
    }

    /// The bytes of it, at most `limit` of them. What may be left out is left out; if the answer
    /// itself does not fit, the message is marked as truncated and carries no record at all, so
    /// that nobody takes a part for the whole (RFC 2181 9).
    pub fn to_bytes_within(&self, limit: usize) -> Result<Vec<u8>, MessageError> {
        truncation::encode(self, limit)
    }

    /// Whether it answers nothing but names the servers of a zone below (RFC 1034 4.3.2).
    pub fn is_referral(&self) -> bool {
        let has = |wanted| self.authorities.iter().any(|record| record.record_type() == wanted);
        self.code == ResponseCode::NoError
            && !self.authoritative
            && self.answers.is_empty()
            && has(RecordType::Ns)
            && !has(RecordType::Soa)
    }
}

/// A header as it stands on the wire (RFC 1035 4.1.1), readable even where the rest is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawHeader {
    /// The id.
    pub id: u16,
    /// QR.
    pub is_response: bool,
    /// OPCODE.
    pub opcode: u8,
    /// RD.
    pub recursion_desired: bool,
    /// How many questions follow.
    pub questions: u16,
}

impl RawHeader {
    /// The header at the beginning of `bytes`; none if they are too few.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [id0, id1, flags, _, questions0, questions1, ..] = *bytes.get(..HEADER)? else { return None };
        Some(Self {
            id: u16::from_be_bytes([id0, id1]),
            is_response: flags & 0x80 != 0,
            opcode: flags >> 3 & 0x0f,
            recursion_desired: flags & 0x01 != 0,
            questions: u16::from_be_bytes([questions0, questions1]),
        })
    }
}

#[cfg(test)]
mod tests;
