//! What can go wrong with a virtual network.

use glasstack_journal::Instant;
use glasstack_stack::{ConfigError, DeviceError};
use std::time::Duration;

/// The network cannot be built like this.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// The host cannot be as configured.
    #[error("host {name}: {source}")]
    Host {
        /// Its name.
        name: String,
        /// Why.
        source: ConfigError,
    },
    /// Two nodes of one name could not be told apart in the journal.
    #[error("there is a node named {0} already; give this one another name")]
    NameTaken(String),
    /// No such node in this world.
    #[error("no node {0} in this world; add it before connecting it")]
    UnknownNode(String),
    /// Every port has a cable.
    #[error("{node} has no free port ({ports} in all); put a switch between")]
    NoFreePort {
        /// The node.
        node: String,
        /// How many ports it has.
        ports: usize,
    },
    /// This port has a cable, or does not exist.
    #[error("port {port} of {node} is {why}")]
    BadPort {
        /// The node.
        node: String,
        /// The port, from 0.
        port: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A gate to a real network in a world whose randomness comes from its seed.
    #[error(
        "{0} would lead to a real network, where a peer could foresee what comes from a seed: ports, sequence \
         numbers, keys; give the world the operating system's randomness (SimWorldBuilder::entropy)"
    )]
    SeededGate(String),
    /// An attacker and a gate to a real network in one world.
    #[error(
        "{0}: attacks and forged frames exist in memory only, never in a world with a gate to a real network"
    )]
    NoAttacksOnARealNetwork(String),
    /// A router cannot be as configured.
    #[error("router {name}: {why}")]
    Router {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

/// The world cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The program waits and nothing can ever happen again: no frame is on its way, no timer is set.
    #[error("stuck at {at} s: nothing can ever happen again, yet {waiting}")]
    Stuck {
        /// When.
        at: Instant,
        /// Who waits, and what might be missing.
        waiting: String,
    },
    /// Things keep happening, but time does not pass.
    #[error("spinning at {at} s: {turns} turns without time passing, the last by {by}")]
    Spinning {
        /// When.
        at: Instant,
        /// How many frames, polls of nodes and polls of tasks there were.
        turns: usize,
        /// Who had the last turn.
        by: String,
    },
    /// One run lasted longer than the world's time limit.
    #[error(
        "still not done after {} virtual seconds, the limit of one run; raise it with SimWorldBuilder::time_limit \
         if that is meant",
        limit.as_secs()
    )]
    TooLong {
        /// The limit.
        limit: Duration,
    },
    /// A node's device broke.
    #[error(transparent)]
    Device(#[from] DeviceError),
}
