//! How the walk goes about it. What unbound has an option for is named as there.

use crate::address_range::AddressRange;
use crate::infrastructure::InfrastructureConfig;
use crate::name::DnsName;
use std::net::SocketAddr;
use std::time::Duration;

/// How the walk goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IterateConfig {
    /// How long a server is given for an answer of which nothing is known yet. 400 ms.
    pub timeout: Duration,
    /// How long an answer over TCP may take. 3 s.
    pub tcp_timeout: Duration,
    /// How often the servers of a zone are gone round. 3: RFC 9520 3.1 allows no more.
    pub rounds: u32,
    /// Whether EDNS(0) is offered (RFC 6891). Yes.
    pub edns: bool,
    /// The size of UDP answer that is asked for, in bytes. 1232.
    pub edns_buffer_size: u16,
    /// Whether everything is asked over TCP. No.
    pub tcp_upstream: bool,

    /// How much of the name a server is told (RFC 9156).
    pub qname_minimisation: Minimisation,
    /// Whether the letters of names are sent in random case (0x20, unbound's `use-caps-for-id`). No.
    pub mixed_case: bool,
    /// Whether servers are asked over IPv4. Yes.
    pub ipv4: bool,
    /// Whether servers are asked over IPv6. No: the stack does not speak it.
    pub ipv6: bool,
    /// Servers known over IPv4 only are asked through this NAT64 (RFC 6052). None.
    pub nat64: Option<AddressRange>,
    /// Whether the root's servers are asked for the root's NS records before anything else (RFC 9609). Yes.
    pub prime: bool,
    /// Zones that are asked about elsewhere than the tree says.
    pub zones: Vec<ZoneElsewhere>,
    /// Whether zones that mean another thing in every network (RFC 6303) are asked about at all. Not below the
    /// Internet's root.
    pub local_zones: LocalZones,
    /// For how many names of servers addresses are looked for ahead of time, at each depth of lookups of
    /// servers' addresses; -1 for all of them (unbound's `target-fetch-policy`). None.
    pub target_fetch: Vec<i32>,

    /// Servers in these ranges are never asked. None.
    pub do_not_query: Vec<AddressRange>,
    /// Whether servers on the loopback addresses are never asked either. Yes.
    pub do_not_query_localhost: bool,
    /// Addresses that no name of the public tree may have (against rebinding). None.
    pub private_addresses: Vec<AddressRange>,
    /// Names below which private addresses are allowed all the same.
    pub private_domains: Vec<DnsName>,

    /// Whether glue outside of the zone referred to is looked up before it is used. No.
    pub harden_unverified_glue: bool,
    /// How many NS records of a set are kept. 20.
    pub scrub_ns: usize,
    /// How many CNAME records of an answer are kept. 11.
    pub scrub_cname: usize,
    /// Whether NS records in the authority section of an answer are taken only where they are asked for
    /// (against promiscuous authority sections). Yes.
    pub scrub_promiscuous: bool,

    /// How many queries one question may cause altogether. 200 (unbound's `max-global-quota`).
    pub max_queries: u32,
    /// How many queries may be sent for one name and type at one zone before it is given up. 32.
    pub max_sent: u32,
    /// How often a question starts over at the target of an alias of which the response before did not say that it is
    /// an alias, too. 11.
    pub max_query_restarts: u32,
    /// How many referrals one name may be sent along. 130.
    pub max_referrals: u32,
    /// How deep lookups of name servers' addresses may be nested. 7.
    pub max_depth: u32,
    /// How many servers of one zone are looked for whose addresses did not come along. 6: more would
    /// only help those who want others to be flooded (NXNSAttack, CVE-2020-12662).
    pub max_missing: usize,
    /// How many lookups of name servers' addresses one question may cause. 64.
    pub max_target_queries: u32,
    /// How many names of name servers may turn out not to exist before one question is given up. 5.
    pub max_target_nx: u32,

    /// How servers are remembered.
    pub infrastructure: InfrastructureConfig,
    /// Whether what is asked for often is asked for again shortly before it expires. No.
    pub prefetch: bool,
    /// Whether what has expired is given where nothing newer can be had (RFC 8767). No.
    pub serve_stale: Option<ServeStale>,
}

impl Default for IterateConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(400),
            tcp_timeout: Duration::from_secs(3),
            rounds: 3,
            edns: true,
            edns_buffer_size: crate::message::UDP_PAYLOAD,
            tcp_upstream: false,
            qname_minimisation: Minimisation::Relaxed,
            mixed_case: false,
            ipv4: true,
            ipv6: false,
            nat64: None,
            prime: true,
            zones: Vec::new(),
            local_zones: LocalZones::BelowTheInternetsRoot,
            target_fetch: Vec::new(),
            do_not_query: Vec::new(),
            do_not_query_localhost: true,
            private_addresses: Vec::new(),
            private_domains: Vec::new(),
            harden_unverified_glue: false,
            scrub_ns: 20,
            scrub_cname: 11,
            scrub_promiscuous: true,
            max_queries: 200,
            max_sent: 32,
            max_query_restarts: 11,
            max_referrals: 130,
            max_depth: 7,
            max_missing: 6,
            max_target_queries: 64,
            max_target_nx: 5,
            infrastructure: InfrastructureConfig::default(),
            prefetch: false,
            serve_stale: None,
        }
    }
}

/// How much of a name the servers on the way down are told (RFC 9156).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Minimisation {
    /// All of it.
    Off,
    /// One label more than the zone has; all of it where a server does not cope with that.
    #[default]
    Relaxed,
    /// One label more than the zone has; what a server says to that counts.
    Strict,
}

/// Whether the zones that every name server should serve by itself are served here: the reverse zones of private
/// and other special addresses (RFC 6303, RFC 7793), `home.arpa` (RFC 8375) and `test` (RFC 6761 6.2). A zone that
/// [`IterateConfig::zones`] says where to ask for never is, nor what is below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalZones {
    /// Only by who begins at IANA's root servers: another root may well know them.
    #[default]
    BelowTheInternetsRoot,
    /// By everybody.
    Always,
    /// By nobody: the tree is asked.
    Never,
}

/// A zone that is asked about elsewhere than the tree says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneElsewhere {
    /// These have authority over it (unbound's `stub-zone`).
    Stub {
        /// The zone; the names below it are meant, too.
        zone: DnsName,
        /// Where the servers are.
        servers: Vec<SocketAddr>,
        /// Servers that are known by name only.
        names: Vec<DnsName>,
        /// Whether they are only asked for the zone's NS records, which count from then on.
        prime: bool,
        /// Whether the tree is asked where they are of no use.
        first: bool,
        /// Whether they are asked over TCP.
        tcp: bool,
    },
    /// These find out themselves (unbound's `forward-zone`).
    Forward {
        /// The zone; the names below it are meant, too.
        zone: DnsName,
        /// Where the servers are.
        servers: Vec<SocketAddr>,
        /// Servers that are known by name only.
        names: Vec<DnsName>,
        /// Whether the tree is asked where they are of no use.
        first: bool,
        /// Whether they are asked over TCP.
        tcp: bool,
    },
}

impl ZoneElsewhere {
    /// The zone.
    pub fn zone(&self) -> &DnsName {
        match self {
            Self::Stub { zone, .. } | Self::Forward { zone, .. } => zone,
        }
    }
}

/// What has expired may be better than nothing (RFC 8767).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeStale {
    /// How long a client waits for something newer; zero: not at all, it is asked for behind its back.
    /// 1.8 s.
    pub client_timeout: Duration,
    /// The TTL that what has expired is given with. 30 s.
    pub ttl: Duration,
    /// How long ago it may have expired. A day.
    pub max_age: Duration,
}

impl Default for ServeStale {
    fn default() -> Self {
        Self {
            client_timeout: Duration::from_millis(1800),
            ttl: Duration::from_secs(30),
            max_age: Duration::from_secs(24 * 3600),
        }
    }
}
