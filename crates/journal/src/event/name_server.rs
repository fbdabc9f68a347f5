//! What a name server does not answer, or not in full: each case typed, told and counted.

use serde::Serialize;
use std::fmt;

/// What a client got instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    /// Nothing at all.
    Silence,
    /// A response that says no.
    Refusal,
    /// An empty response with TC set: who really asked comes back over TCP.
    Truncation,
    /// An empty response with a cookie (BADCOOKIE): who really asked comes back with it.
    Cookie,
    /// The end of its connection.
    TheEnd,
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silence => "not answered",
            Self::Refusal => "refused",
            Self::Truncation => "sent to TCP",
            Self::Cookie => "given a cookie",
            Self::TheEnd => "disconnected",
        })
    }
}

/// Why a name server withheld an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// It is too short to have an id that could be answered.
    TooShort,
    /// It is a response itself: two servers that answer each other's answers would never stop.
    Response,
    /// It says that it comes from port 0, which nobody can be answered on.
    PortZero,
    /// The access list says so.
    Access {
        /// The line of the list, as `10.0.0.0/8 refuse`.
        rule: String,
    },
    /// The client may ask for answers, but not look into the cache (RD is clear).
    CacheSnooping,
    /// The client may not have the zone as a whole.
    Transfer,
    /// The client asks too often.
    QueriesPerSecond {
        /// What it is allowed.
        limit: u32,
    },
    /// Too many questions of the client wait for their answers.
    QueriesUnderWay {
        /// What it is allowed.
        limit: usize,
    },
    /// The client has too many connections.
    Connections {
        /// What it is allowed.
        limit: usize,
    },
    /// The same was answered too often to the client's network (response rate limiting).
    ResponseRate {
        /// What is the same, as `NXDOMAIN below example.test`.
        about: String,
        /// How many a second are allowed.
        limit: u32,
    },
    /// The connection was not used any more.
    Idle,
    /// A message was begun and not ended in time, or its answer not taken.
    Slow,
    /// The connection lasted as long as one may.
    TooOld,
    /// The message on the connection is too short to be one, or is a response: what follows makes no
    /// sense either.
    Nonsense,
    /// The answer could not be written.
    Unwritable,
}

impl Withheld {
    /// The reason without its particulars, to count by: one or two words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooShort => "too short",
            Self::Response => "a response",
            Self::PortZero => "port 0",
            Self::Access { .. } => "access",
            Self::CacheSnooping => "cache snooping",
            Self::Transfer => "transfer",
            Self::QueriesPerSecond { .. } => "queries per second",
            Self::QueriesUnderWay { .. } => "queries under way",
            Self::Connections { .. } => "connections",
            Self::ResponseRate { .. } => "response rate",
            Self::Idle => "idle",
            Self::Slow => "slow",
            Self::TooOld => "too old",
            Self::Nonsense => "nonsense",
            Self::Unwritable => "unwritable",
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("it is too short to have an id that could be answered"),
            Self::Response => f.write_str("it is a response"),
            Self::PortZero => f.write_str("nobody can be answered on port 0"),
            Self::Access { rule } => write!(f, "the access list says {rule}"),
            Self::CacheSnooping => {
                f.write_str("without recursion desired it looks into the cache, which takes allow_snoop")
            }
            Self::Transfer => f.write_str("zones are not transferred to this client"),
            Self::QueriesPerSecond { limit } => write!(f, "it asks more than {limit} times a second"),
            Self::QueriesUnderWay { limit } => write!(f, "{limit} questions of it are under way already"),
            Self::Connections { limit } => write!(f, "it has {limit} connections already"),
            Self::ResponseRate { about, limit } => {
                write!(f, "its network was told of {about} more than {limit} times a second")
            }
            Self::Idle => f.write_str("the connection is not used"),
            Self::Slow => f.write_str("a message takes too long"),
            Self::TooOld => f.write_str("the connection has lasted as long as one may"),
            Self::Nonsense => f.write_str("what comes over the connection is not a query"),
            Self::Unwritable => f.write_str("the answer cannot be written"),
        }
    }
}
