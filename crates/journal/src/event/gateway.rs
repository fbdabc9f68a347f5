//! The gateway of a user-mode network: what it carried on over the operating system's own sockets,
//! and what it turned away.

use serde::Serialize;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What a gateway did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gateway {
    /// Something goes on over a socket of the operating system.
    Carried {
        /// What.
        passage: Passage,
        /// Where to, where that is not the address it was sent to: the gateway's own address means
        /// the machine's loopback.
        onward: Option<SocketAddr>,
        /// The machine's own end of it.
        via: Option<SocketAddr>,
    },
    /// Something goes no further.
    TurnedAway {
        /// What.
        passage: Passage,
        /// Why, as `connection refused` or `1024 connections are open already`.
        why: String,
        /// What its sender was told.
        answer: Answer,
    },
    /// Something that was carried on is over.
    Ended {
        /// What.
        passage: Passage,
        /// Payload carried from who began it, in bytes.
        up: u64,
        /// Payload carried back, in bytes.
        down: u64,
        /// How, as `closed by both` or `reset by 192.0.2.7:80`.
        how: String,
    },
    /// A port of the machine leads into the network from now on.
    Published {
        /// `TCP` or `UDP`.
        protocol: &'static str,
        /// Where the machine listens.
        on: SocketAddr,
        /// Who is called within.
        to: SocketAddr,
    },
    /// A question to the name server of the network was passed on to one of the machine's.
    QuestionPassedOn {
        /// Who asks.
        from: SocketAddr,
        /// The machine's name server.
        server: SocketAddr,
        /// How many were asked before and kept silent.
        after: usize,
    },
    /// No name server of the machine has answered a question.
    QuestionUnanswered {
        /// Who asked.
        from: SocketAddr,
        /// Why, as `3 name servers are silent`.
        why: String,
    },
}

/// What passes a gateway: from whom, to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// A connection.
    Tcp {
        /// Who opened it.
        from: SocketAddr,
        /// Who was called.
        to: SocketAddr,
    },
    /// Datagrams between two ports.
    Udp {
        /// Who sent the first.
        from: SocketAddr,
        /// For whom.
        to: SocketAddr,
    },
    /// An echo request.
    Echo {
        /// Who sent it.
        from: IpAddr,
        /// For whom.
        to: IpAddr,
    },
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { from, to } => write!(f, "TCP {from} -> {to}"),
            Self::Udp { from, to } => write!(f, "UDP {from} -> {to}"),
            Self::Echo { from, to } => write!(f, "echo {from} -> {to}"),
        }
    }
}

/// What the sender of something that goes no further is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A RST.
    Reset,
    /// An ICMP error.
    Icmp(&'static str),
    /// Nothing, as when nobody is there.
    Silence,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("RST"),
            Self::Icmp(what) => write!(f, "ICMP {what}"),
            Self::Silence => f.write_str("silence"),
        }
    }
}
