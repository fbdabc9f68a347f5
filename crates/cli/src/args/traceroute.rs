//! `glasstack traceroute`: the letters of traceroute(8).

use super::values::some_seconds;
use super::{NetOptions, WatchOptions};
use clap::Args;
use glasstack::stack::ProbeKind;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct TracerouteOptions {
    /// A name or an address
    pub(crate) host: String,
    /// Probes are datagrams to ports where nobody should be; so they are unless something else is said
    #[arg(short = 'U', long, overrides_with_all = ["icmp", "tcp"])]
    pub(crate) udp: bool,
    /// Probes are echo requests
    #[arg(short = 'I', long, overrides_with_all = ["udp", "tcp"])]
    pub(crate) icmp: bool,
    /// Probes are SYNs; what would become a connection is reset
    #[arg(short = 'T', long, overrides_with_all = ["udp", "icmp"])]
    pub(crate) tcp: bool,
    /// Do not look the names of addresses up
    #[arg(short = 'n', long)]
    pub(crate) numeric: bool,
    /// Probes a hop
    #[arg(short = 'q', long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) queries: u8,
    /// Probes at once [default: 1 in the lab, 16 elsewhere]
    #[arg(short = 'N', long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) sim_queries: Option<u8>,
    /// The time to live of the first probes, in hops
    #[arg(short = 'f', long, value_name = "FIRST", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) first: u8,
    /// The time to live of the last probes, in hops
    #[arg(short = 'm', long, value_name = "MAX", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) max_hops: u8,
    /// How long an answer may take, in seconds
    #[arg(short = 'w', long, value_name = "SECONDS", default_value = "5", value_parser = some_seconds)]
    pub(crate) wait: Duration,
    /// The destination port: of the first datagram, one more for each further one, or of every SYN; the
    /// first sequence number of echo requests [default: 33434 for UDP, 80 for TCP, 1 for ICMP]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// The whole packet, in bytes (UDP, ICMP)
    #[arg(short = 'l', long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(28..))]
    pub(crate) length: u16,
    /// Routers must not fragment the probes: the link that is too small is found
    #[arg(short = 'F', long)]
    pub(crate) dont_fragment: bool,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

impl TracerouteOptions {
    pub(crate) fn kind(&self) -> ProbeKind {
        match (self.icmp, self.tcp) {
            (true, _) => ProbeKind::Echo,
            (_, true) => ProbeKind::TcpSyn,
            _ => ProbeKind::Udp,
        }
    }
}
