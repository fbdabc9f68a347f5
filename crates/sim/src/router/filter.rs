//! A stateful packet filter: ordered rules, the first that fits decides, a policy for what fits none.
//!
//! A rule is written `ACTION [established] [tcp|udp|icmp|NUMBER] [from NETWORK|any [port N[-M]]]
//! [to NETWORK|any [port N[-M]]] [in by PORT] [out by PORT]`:
//!
//! ```
//! use glasstack_sim::router::{Action, Filter, Rule};
//!
//! # fn main() -> Result<(), glasstack_sim::router::BadRule> {
//! let filter = Filter::new(Action::Drop)
//!     .rule("allow established".parse()?)
//!     .rule("allow tcp from 192.168.1.0/24 to any port 443".parse()?)
//!     .rule("reject udp to any port 53".parse()?);
//! let bad = "allow tcp form any".parse::<Rule>().unwrap_err();
//! assert_eq!(bad.column, 11);
//! # assert_eq!(filter.rules.len(), 3);
//! # Ok(())
//! # }
//! ```

mod text;

pub use text::BadRule;

use super::packet::{ICMP, TCP, UDP};
use super::tuple::Tuple;
use glasstack_stack::Prefix;
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;

/// What passes a router, and what does not. Each packet that the router forwards is shown to the rules
/// in order, with the addresses that those inside know: before a NAT translates its source, and after it has
/// translated its destination. The router's own packets and what is addressed to it are not shown; nor are
/// later fragments, which follow their first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What becomes of what no rule fits.
    pub policy: Action,
    /// The rules, in order.
    pub rules: Vec<Rule>,
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

/// What a filter sees of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) tuple: Tuple,
    pub(super) established: bool,
    pub(super) in_by: usize,
    pub(super) out_by: usize,
}

/// What a filter says of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: Action,
    /// Which rule said so.
    pub(super) why: String,
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

    /// What the first rule that fits says, or else the policy.
    pub(super) fn judge(&self, look: &Look) -> Verdict {
        match self.rules.iter().enumerate().find(|(_, rule)| rule.fits(look)) {
            Some((n, rule)) => {
                Verdict { action: rule.action, why: format!("{}: rule {}, `{rule}`", look.tuple, n + 1) }
            }
            None => Verdict { action: self.policy, why: format!("{}: no rule fits", look.tuple) },
        }
    }
}

impl Rule {
    /// A rule that fits everything.
    pub fn new(action: Action) -> Self {
        Self {
            action,
            established: false,
            protocol: None,
            from: Side::default(),
            to: Side::default(),
            in_by: None,
            out_by: None,
        }
    }

    fn fits(&self, look: &Look) -> bool {
        let Tuple { protocol, source, destination } = look.tuple;
        (!self.established || look.established)
            && self.protocol.is_none_or(|wanted| wanted.number() == protocol)
            && self.from.fits(protocol, source)
            && self.to.fits(protocol, destination)
            && self.in_by.is_none_or(|port| port == look.in_by)
            && self.out_by.is_none_or(|port| port == look.out_by)
    }
}

impl Protocol {
    /// Its number (IANA, "Assigned Internet Protocol Numbers").
    pub fn number(self) -> u8 {
        match self {
            Self::Tcp => TCP,
            Self::Udp => UDP,
            Self::Icmp => ICMP,
            Self::Number(number) => number,
        }
    }
}

impl Side {
    fn fits(&self, protocol: u8, end: SocketAddrV4) -> bool {
        self.network.is_none_or(|network| network.contains(*end.ip()))
            && self
                .ports
                .as_ref()
                .is_none_or(|ports| [TCP, UDP].contains(&protocol) && ports.contains(&end.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(protocol: u8, source: &str, destination: &str, established: bool) -> Look {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        Look { tuple: Tuple { protocol, source, destination }, established, in_by: 0, out_by: 1 }
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_the_policy_for_the_rest() {
        let filter =
            ["allow established", "drop tcp to any port 25", "allow tcp from 192.168.1.0/24 port 1024-65535"];
        let filter = filter
            .iter()
            .fold(Filter::new(Action::Reject), |filter, rule| filter.rule(rule.parse().unwrap()));
        let says = |look: &Look| filter.judge(look).action;
        assert_eq!(says(&look(TCP, "192.168.1.7:5000", "198.51.100.1:80", false)), Action::Allow);
        assert_eq!(says(&look(TCP, "192.168.1.7:5000", "198.51.100.1:25", false)), Action::Drop);
        assert_eq!(says(&look(TCP, "192.168.1.7:5000", "198.51.100.1:25", true)), Action::Allow);
        assert_eq!(says(&look(TCP, "192.168.2.7:5000", "198.51.100.1:80", false)), Action::Reject);
        assert_eq!(says(&look(TCP, "192.168.1.7:999", "198.51.100.1:80", false)), Action::Reject);
        let why = filter.judge(&look(TCP, "192.168.1.7:5000", "198.51.100.1:25", false)).why;
        assert_eq!(why, "TCP 192.168.1.7:5000 -> 198.51.100.1:25: rule 2, `drop tcp to any port 25`");
    }

    #[test]
    fn ports_of_the_router_and_of_what_has_none_are_told_apart() {
        let rule: Rule = "allow icmp in by 0 out by 1".parse().unwrap();
        let echo = look(ICMP, "10.0.0.1:7", "10.0.1.1:0", false);
        assert!(rule.fits(&echo));
        assert!(!rule.fits(&Look { in_by: 1, ..echo }) && !rule.fits(&Look { out_by: 0, ..echo }));
        let by_port: Rule = "allow from any port 7".parse().unwrap();
        assert!(!by_port.fits(&echo), "an identifier is no port");
    }
}
