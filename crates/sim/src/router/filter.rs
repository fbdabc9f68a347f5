//! A stateful packet filter: ordered rules, the first that fits decides, a policy for what fits none.

use glasstack_stack::Prefix;
use std::ops::RangeInclusive;

/// What passes a router, and what does not. Each packet that the router forwards is shown to the rules
/// in order; the router's own packets and what is addressed to it are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What becomes of what no rule fits.
    pub policy: Action,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

impl Filter {
    /// A filter without rules.
    pub fn new(policy: Action) -> Self {
        Self { policy, rules: Vec::new() }
    }

    /// One more rule, behind the others.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Allow,
    /// It is discarded.
    Drop,
    /// It is discarded and its sender told: by a RST if it is TCP, else by ICMP "communication
    /// administratively prohibited" (RFC 1812 5.2.7.1).
    Reject,
}

/// One rule. What is none fits everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What becomes of packets that fit.
    pub action: Action,
    /// Packets of a connection that has been answered, and errors about one.
    pub established: bool,
    /// Packets of this protocol.
    pub protocol: Option<Protocol>,
    /// Packets from here.
    pub from: Side,
    /// Packets to there.
    pub to: Side,
    /// Packets that came in by this port of the router, from 0.
    pub in_by: Option<usize>,
    /// Packets that are to leave by this port of the router, from 0.
    pub out_by: Option<usize>,
}

/// A protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Number 6.
    Tcp,
    /// Number 17.
    Udp,
    /// Number 1.
    Icmp,
    /// Any other, by its number.
    Number(u8),
}

/// One end of a packet's way.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Side {
    /// Addresses.
    pub network: Option<Prefix>,
    /// TCP or UDP ports.
    pub ports: Option<RangeInclusive<u16>>,
}
