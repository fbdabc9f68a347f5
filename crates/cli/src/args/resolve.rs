//! Looking names up: what is asked, of whom, how, and how it is told.

use super::{MinimisationChoice, NetOptions, OnOff, WatchOptions};
use clap::Args;
use std::net::IpAddr;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(override_usage = "glasstack resolve [OPTIONS] NAME [TYPE]... [@SERVER]
       glasstack resolve [OPTIONS] -x ADDRESS [TYPE]... [@SERVER]")]
pub(crate) struct ResolveOptions {
    /// The name, and the record types [default: A], before it or behind; @SERVER among them is who is asked
    #[arg(value_name = "NAME|TYPE|@SERVER", required_unless_present = "reverse")]
    pub(crate) words: Vec<String>,
    /// Which name ADDRESS has: asks for its PTR records
    #[arg(short = 'x', long, value_name = "ADDRESS")]
    pub(crate) reverse: Option<IpAddr>,
    #[command(flatten)]
    pub(crate) how: HowOptions,
    #[command(flatten)]
    pub(crate) shape: ShapeOptions,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

impl ResolveOptions {
    /// Whether it is to be proved, and signatures shown.
    pub(crate) fn wants_proof(&self) -> bool {
        self.net.dnssec == Some(OnOff::On)
    }
}

/// How it is asked.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is asked")]
pub(crate) struct HowOptions {
    /// Ask no name server, but walk down from the root, and tell each step as dig +trace does
    #[arg(long)]
    pub(crate) iterate: bool,
    /// Where --iterate begins, as in named.root [default: the thirteen root servers]
    #[arg(long, value_name = "FILE")]
    pub(crate) root_hints: Option<PathBuf>,
    /// Tell servers on the way down no more of the name than they need
    #[arg(long, value_name = "on|off|strict", default_value = "on")]
    pub(crate) qname_minimisation: MinimisationChoice,
    /// Send the name in random upper and lower case (--iterate, --all)
    #[arg(long = "0x20", value_name = "on|off", default_value = "off")]
    pub(crate) mixed_case: OnOff,
    /// Ask over TCP
    #[arg(long)]
    pub(crate) tcp: bool,
    /// Ask for what the server knows itself, and show its whole message
    #[arg(long)]
    pub(crate) norecurse: bool,
}

/// How it is told.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is told")]
pub(crate) struct ShapeOptions {
    /// Say why each server, why each question, what was believed and what not, and what was proved
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print nothing but the records' data
    #[arg(long, conflicts_with_all = ["explain", "all"])]
    pub(crate) short: bool,
    /// Ask one server, without cache and hosts file, and print its whole message as dig does
    #[arg(long, conflicts_with_all = ["iterate", "explain"])]
    pub(crate) all: bool,
}
