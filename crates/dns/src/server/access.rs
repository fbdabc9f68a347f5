//! Who may ask: ranges of addresses, each with what is done about them, in unbound's words.

use crate::address_range::{AddressRange, AddressRangeError};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What is done about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It gets nothing: it cannot even see that there is a server.
    Deny,
    /// It is told that it may not (REFUSED).
    Refuse,
    /// It is answered; but what the server remembers of others is not told who only wants to know
    /// what that is (RD clear).
    Allow,
    /// It is answered, and may look into the cache.
    AllowSnoop,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Refuse => "refuse",
            Self::Allow => "allow",
            Self::AllowSnoop => "allow_snoop",
        })
    }
}

impl FromStr for Access {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        Ok(match text {
            "deny" => Self::Deny,
            "refuse" => Self::Refuse,
            "allow" => Self::Allow,
            "allow_snoop" => Self::AllowSnoop,
            other => return Err(AccessError::Action(other.to_owned())),
        })
    }
}

/// One line of an access list, written `10.0.0.0/8=allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// Which clients.
    pub range: AddressRange,
    /// What about them.
    pub access: Access,
}

impl fmt::Display for AccessRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.range, self.access)
    }
}

/// A text is no line of an access list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Something is missing.
    #[error("{0:?} is not PREFIX=ACTION, as 10.0.0.0/8=allow")]
    Shape(String),
    /// Not a range of addresses.
    #[error(transparent)]
    Range(#[from] AddressRangeError),
    /// Not an action.
    #[error("{0:?} is not an action: there are deny, refuse, allow and allow_snoop")]
    Action(String),
}

impl FromStr for AccessRule {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        // unbound.conf has a space between the two.
        let (range, access) =
            text.trim().split_once(['=', ' ']).ok_or_else(|| AccessError::Shape(text.to_owned()))?;
        Ok(Self { range: range.parse()?, access: access.trim().parse()? })
    }
}

/// Who may ask. The rule with the longest prefix counts; of equal ones the later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessList {
    rules: Vec<AccessRule>,
    otherwise: Access,
}

impl AccessList {
    /// Whoever no rule is about is treated as `otherwise` says.
    pub fn new(otherwise: Access) -> Self {
        Self { rules: Vec::new(), otherwise }
    }

    /// Everybody may ask, and look into the cache: for authorities, and for networks of one's own.
    pub fn everybody() -> Self {
        Self::new(Access::AllowSnoop)
    }

    /// This machine may ask and nobody else, as unbound has it by default: a recursive server that is
    /// open to all is used to flood others.
    pub fn localhost() -> Self {
        Self::new(Access::Refuse)
            .with(AddressRange::new(Ipv4Addr::LOCALHOST.into(), 8), Access::Allow)
            .with(IpAddr::from(Ipv6Addr::LOCALHOST).into(), Access::Allow)
    }

    /// The list with one rule more.
    #[must_use]
    pub fn with(mut self, range: AddressRange, access: Access) -> Self {
        self.add(AccessRule { range, access });
        self
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: AccessRule) {
        self.rules.push(rule);
    }

    /// What is done about a client.
    pub fn of(&self, client: IpAddr) -> Access {
        self.rule_of(client).map_or(self.otherwise, |rule| rule.access)
    }

    /// The line that decides about a client, as `10.0.0.0/8 refuse`.
    pub fn why(&self, client: IpAddr) -> String {
        self.rule_of(client)
            .map_or_else(|| format!("everybody else {}", self.otherwise), AccessRule::to_string)
    }

    fn rule_of(&self, client: IpAddr) -> Option<&AccessRule> {
        // RFC 4291 2.5.5.2: an IPv4 client of a socket for both.
        let client = client.to_canonical();
        self.rules.iter().filter(|rule| rule.range.contains(client)).max_by_key(|rule| rule.range.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rules: &[&str]) -> AccessList {
        let mut list = AccessList::new(Access::Deny);
        rules.iter().for_each(|rule| list.add(rule.parse().unwrap()));
        list
    }

    #[test]
    fn the_longest_prefix_decides_and_of_equal_ones_the_last() {
        let list = list(&[
            "192.0.2.0/24=allow",
            "0.0.0.0/0=refuse",
            "192.0.2.7=deny",
            "192.0.2.8 allow",
            "192.0.2.8/32=allow_snoop",
        ]);
        let of = |client: &str| list.of(client.parse().unwrap());
        assert_eq!(of("192.0.2.1"), Access::Allow);
        assert_eq!(of("192.0.2.7"), Access::Deny);
        assert_eq!(of("192.0.2.8"), Access::AllowSnoop);
        assert_eq!(of("10.0.0.1"), Access::Refuse);
        assert_eq!(of("2001:db8::1"), Access::Deny);
        assert_eq!(list.why("192.0.2.1".parse().unwrap()), "192.0.2.0/24 allow");
        assert_eq!(list.why("::1".parse().unwrap()), "everybody else deny");
    }

    #[test]
    fn this_machine_alone_may_use_a_recursive_server_unless_others_are_named() {
        let list = AccessList::localhost();
        let of = |client: &str| list.of(client.parse().unwrap());
        assert_eq!(
            (of("127.0.0.53"), of("::1"), of("::ffff:127.0.0.1")),
            (Access::Allow, Access::Allow, Access::Allow)
        );
        assert_eq!((of("10.0.0.1"), of("2001:db8::1")), (Access::Refuse, Access::Refuse));
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        let error = |text: &str| text.parse::<AccessRule>().unwrap_err();
        assert_eq!(error("10.0.0.0/8"), AccessError::Shape("10.0.0.0/8".into()));
        assert_eq!(error("10.0.0.0/8=permit"), AccessError::Action("permit".into()));
        assert!(matches!(error("10.0.0.0/40=allow"), AccessError::Range(AddressRangeError::Length(_))));
    }
}
