//! `glasstack get`.

use super::values::seconds;
use super::{NetOptions, WatchOptions};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct GetOptions {
    /// What would be typed into the address bar
    pub(crate) url: String,
    /// Write the body to FILE instead of stdout
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Ask for the head only, and show it
    #[arg(short = 'I', long)]
    pub(crate) head: bool,
    /// Follow redirects
    #[arg(short = 'L', long)]
    pub(crate) location: bool,
    /// How many redirects to follow; -1 for any number
    #[arg(long, value_name = "N", default_value_t = 50, allow_negative_numbers = true)]
    pub(crate) max_redirs: i64,
    /// The method
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,
    /// A header field, as "Name: value"; "Name:" takes one away, "Name;" sends it empty
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(crate) header: Vec<String>,
    /// Send a body, by POST; repeated ones are joined by &
    #[arg(short = 'd', long, value_name = "DATA")]
    pub(crate) data: Vec<String>,
    /// The User-Agent field
    #[arg(short = 'A', long, value_name = "NAME")]
    pub(crate) user_agent: Option<String>,
    /// Accept any certificate
    #[arg(short = 'k', long)]
    pub(crate) insecure: bool,
    /// Believe the certificate authorities in FILE (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// Ask for a compressed body, and decompress it
    #[arg(long)]
    pub(crate) compressed: bool,
    /// Fail on a status of 400 and above, without its body
    #[arg(short = 'f', long)]
    pub(crate) fail: bool,
    /// How long everything may take, in seconds
    #[arg(short = 'm', long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,
    /// How long connecting may take: name, TCP and TLS, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Take ADDRESS for HOST at PORT
    #[arg(long, value_name = "HOST:PORT:ADDRESS[,ADDRESS]")]
    pub(crate) resolve: Vec<String>,
    /// Wait until TIME-WAIT is over (TAP, TUN; in the lab time costs nothing)
    #[arg(long)]
    pub(crate) linger: bool,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}
