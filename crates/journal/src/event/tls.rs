//! TLS (RFC 8446, RFC 5246) and certificates (RFC 5280).

mod message;

pub use message::{Alert, Field, HandshakeMessage, Party, Place, RecordRange, Remark, TrafficKeys, Value};

use serde::Serialize;
use std::fmt;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not made, because the user said so or because it does not apply.
    Skipped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

/// What happened in TLS.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// A handshake began.
    HandshakeStarted {
        /// Whether this node is the server.
        server: bool,
        /// The name asked for (SNI), if known yet.
        server_name: Option<String>,
        /// Versions offered, best first.
        versions: Vec<String>,
        /// Cipher suites offered, best first.
        suites: Vec<String>,
        /// Key exchange groups offered, best first.
        groups: Vec<String>,
        /// Application protocols offered (ALPN), best first.
        alpn: Vec<String>,
    },
    /// A secret was derived: one line of an `SSLKEYLOGFILE`.
    Secret {
        /// The line, without its end.
        line: String,
    },
    /// The peer showed a certificate.
    CertificateReceived {
        /// Its place in the chain, 0 being the peer's own.
        index: usize,
        /// The subject, as `CN=www.example.test`.
        subject: String,
        /// The issuer.
        issuer: String,
        /// The serial number, in hex.
        serial: String,
        /// From when it is good (RFC 3339).
        not_before: String,
        /// Until when it is good (RFC 3339).
        not_after: String,
        /// Names and addresses it is good for.
        names: Vec<String>,
        /// The public key's algorithm and size.
        key: String,
        /// The signature's algorithm.
        signature: String,
    },
    /// One check of the peer's certificate.
    CertificateJudged {
        /// Which, as `chain`, `validity`, `name`, `usage`, `signature`.
        check: &'static str,
        /// How it came out.
        verdict: Verdict,
        /// The evidence, in words.
        evidence: String,
    },
    /// A server chose which certificate to show.
    IdentityChosen {
        /// The name the client asked for (SNI), if any.
        asked: Option<String>,
        /// The subject of the certificate chosen.
        subject: String,
        /// Why this one, in words.
        why: String,
    },
    /// A client shows a certificate of its own to a server that asks for one.
    ClientIdentityShown {
        /// Its subject.
        subject: String,
        /// What the server asks for, in words.
        why: String,
    },
    /// The handshake is complete.
    Established {
        /// Whether this node is the server.
        server: bool,
        /// The version agreed on, as `TLS 1.3`.
        version: String,
        /// The cipher suite agreed on.
        suite: String,
        /// The key exchange group agreed on.
        group: Option<String>,
        /// The application protocol agreed on.
        alpn: Option<String>,
        /// Whether an earlier session was taken up again.
        resumed: bool,
    },
    /// The handshake failed, or the session did later.
    Failed {
        /// Why, with cause.
        why: String,
    },
    /// A handshake message went over the wire, with all its fields.
    Message(Box<HandshakeMessage>),
    /// An alert went over the wire.
    Alert(Alert),
    /// One end's keys are known from here on.
    KeysDerived(Box<TrafficKeys>),
    /// The connection is over: which records its keys protected. Told once.
    RecordsCounted {
        /// The records of both ends, in runs of the same protection.
        ranges: Vec<RecordRange>,
        /// Records that could not be opened.
        unread: u64,
    },
    /// What goes over the wire is not read any further. The connection itself goes on.
    ReadingGivenUp {
        /// Why, in words.
        why: String,
    },
    /// This side said that it will send no more (RFC 8446 6.1).
    CloseNotifySent,
    /// The peer said that it will send no more.
    CloseNotifyReceived,
    /// The connection ended without close_notify: the data may have been cut short.
    Truncated,
}
