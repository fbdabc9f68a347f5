//! The command line, one file a command: the options with curl's letters have curl's meanings.

mod get;
mod net;
mod ping;
mod values;
mod watch;

pub(crate) use get::GetOptions;
pub(crate) use net::{NetChoice, NetOptions};
pub(crate) use ping::PingOptions;
pub(crate) use watch::WatchOptions;

use clap::{Args, Parser, Subcommand};
use std::net::IpAddr;

/// A see-through network stack: performs a whole web request, from the ARP question to the last
/// ACK, and says why every byte was sent.
#[derive(Debug, Parser)]
#[command(name = "glasstack", version, max_term_width = 100, args_override_self = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a URL: the body on stdout, the journey on stderr
    Get(Box<GetOptions>),
    /// Look a name up
    Resolve(ResolveOptions),
    /// Send ICMP echo requests
    Ping(PingOptions),
    /// Ask the routing table
    Route(RouteOptions),
    /// Show what the address bar makes of a text
    Url(UrlOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ResolveOptions {
    /// The name
    pub(crate) name: String,
    /// The record type
    #[arg(default_value = "A")]
    pub(crate) record_type: String,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RouteOptions {
    #[command(subcommand)]
    pub(crate) command: RouteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Which way packets for ADDRESS go, and why
    Get {
        /// The destination
        address: IpAddr,
        #[command(flatten)]
        net: NetOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UrlOptions {
    /// What would be typed into the address bar
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
