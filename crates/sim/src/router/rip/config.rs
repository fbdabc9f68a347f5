//! How a router speaks RIP.

use crate::router::RouterConfig;
use glasstack_stack::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a router speaks RIP: on every port, with the timers of RFC 2453 3.8, without a password.
///
/// ```
/// use glasstack_sim::{RipConfig, RouterConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// RouterConfig::new()
///     .port("10.0.1.1".parse()?, 24)
///     .port("10.0.2.1".parse()?, 24)
///     .rip(RipConfig::new().passive(0).password("secret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RipConfig {
    pub(super) passive: BTreeSet<usize>,
    pub(super) off: BTreeSet<usize>,
    pub(super) costs: BTreeMap<usize, u8>,
    pub(super) untold: Vec<Prefix>,
    pub(super) password: Option<String>,
    pub(super) timers: RipTimers,
}

/// The timers of RFC 2453 3.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RipTimers {
    /// How often everything is told; each time by up to a sixth sooner or later, so that routers do not
    /// fall into step. 30 s.
    pub update: Duration,
    /// How long a route is believed that nobody tells of any more. 180 s.
    pub timeout: Duration,
    /// How long it is told as unreachable after that. 120 s.
    pub garbage: Duration,
}

impl Default for RipTimers {
    fn default() -> Self {
        Self {
            update: Duration::from_secs(30),
            timeout: Duration::from_secs(180),
            garbage: Duration::from_secs(120),
        }
    }
}

impl Default for RipConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl RipConfig {
    /// RIP on every port.
    pub fn new() -> Self {
        Self {
            passive: BTreeSet::new(),
            off: BTreeSet::new(),
            costs: BTreeMap::new(),
            untold: Vec::new(),
            password: None,
            timers: RipTimers::default(),
        }
    }

    /// On this port, counted from 0, the router listens and says nothing unless it is asked from another
    /// UDP port than 520. Its network is told on the others.
    #[must_use]
    pub fn passive(mut self, port: usize) -> Self {
        self.passive.insert(port);
        self
    }

    /// On this port, counted from 0, RIP is neither spoken nor believed. Its network is told on the
    /// others.
    #[must_use]
    pub fn off(mut self, port: usize) -> Self {
        self.off.insert(port);
        self
    }

    /// What a hop by this port adds to the metric, 1 to 15. 1.
    #[must_use]
    pub fn cost(mut self, port: usize, cost: u8) -> Self {
        self.costs.insert(port, cost);
        self
    }

    /// The static route to `prefix` is the router's own affair: the neighbours are not told of it. Otherwise
    /// every static route is told; one that leads to a neighbour might come back from him.
    #[must_use]
    pub fn untold(mut self, prefix: Prefix) -> Self {
        self.untold.push(prefix);
        self
    }

    /// Every message carries this password of 16 bytes at most, and those that do not are discarded
    /// (RFC 2453 4.1). It travels in the clear: it keeps out mistakes, not attackers.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Other timers. All routers of a network should have the same.
    #[must_use]
    pub fn timers(self, timers: RipTimers) -> Self {
        Self { timers, ..self }
    }
}

impl RouterConfig {
    /// The router tells its neighbours of its networks, and learns of theirs (RFC 2453).
    #[must_use]
    pub fn rip(self, rip: RipConfig) -> Self {
        self.service(rip)
    }
}
