//! What a lookup has found.

use crate::dnssec::{Reason, Security};
use crate::record::Record;
use glasstack_journal::event::LookupSource;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What a name was resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The name asked for, as it was given.
    pub name: String,
    /// The name at the end of the aliases; that of the literal for a literal.
    pub canonical: String,
    /// The addresses, in the order in which they were given; never empty from
    /// [`Resolver::resolve`](crate::Resolver::resolve).
    pub addresses: Vec<IpAddr>,
    /// The records that say so, aliases first; empty where it was not DNS that knew.
    pub records: Vec<Record>,
    /// The signatures over them, where they came along (RFC 4034 3).
    pub signatures: Vec<Record>,
    /// How long this may be believed; zero where it was not DNS that knew.
    pub ttl: Duration,
    /// Who knew.
    pub source: LookupSource,
    /// Which name server, if one had to be asked.
    pub server: Option<SocketAddr>,
    /// What validation has found; [`Security::Unchecked`] where nobody has looked.
    pub security: Security,
    /// And why.
    pub reason: Option<Reason>,
}
