//! `glasstack ping`.

use super::values::{seconds, some_seconds};
use super::{NetOptions, WatchOptions};
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct PingOptions {
    /// A name or an address
    pub(crate) host: String,
    /// How many
    #[arg(short = 'c', long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) count: u16,
    /// Between two requests, in seconds
    #[arg(short = 'i', long, default_value = "1", value_parser = seconds)]
    pub(crate) interval: Duration,
    /// How long a reply may take, in seconds
    #[arg(short = 'W', long, default_value = "1", value_parser = some_seconds)]
    pub(crate) timeout: Duration,
    /// Payload, in bytes
    #[arg(short = 'l', long, default_value_t = 56, value_parser = clap::value_parser!(u16).range(..=65_507))]
    pub(crate) length: u16,
    /// Time to live, in hops
    #[arg(short = 't', long, default_value_t = 64, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) ttl: u8,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}
