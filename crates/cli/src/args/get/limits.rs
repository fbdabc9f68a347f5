//! How long, how fast, how often, how many at once.

use crate::args::values::{rate, seconds, size, transfers_at_once};
use clap::Args;
use std::time::Duration;

/// Times, speeds, retries, parallel transfers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits, retries and parallel transfers")]
pub(crate) struct LimitOptions {
    /// How long a transfer may take, in seconds
    #[arg(short = 'm', long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) max_time: Option<Duration>,
    /// How long connecting may take: name, TCP and TLS, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) connect_timeout: Option<Duration>,
    /// Give a transfer up that is slower than this for as long as -y says, in bytes a second
    #[arg(short = 'Y', long, value_name = "SPEED", value_parser = size)]
    pub(crate) speed_limit: Option<u64>,
    /// For how long a transfer may be slower than -Y says, in seconds [default: 30]
    #[arg(short = 'y', long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) speed_time: Option<Duration>,
    /// How fast a transfer may be at most, in bytes a second, as 200k
    #[arg(long, value_name = "SPEED", value_parser = size)]
    pub(crate) limit_rate: Option<u64>,
    /// How large a file may be, in bytes, as 10M
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub(crate) max_filesize: Option<u64>,
    /// How often to try again after a failure that may pass
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retry: u32,
    /// How long to wait before trying again, in seconds [default: 1, then twice as long each time]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) retry_delay: Option<Duration>,
    /// For how long to try again, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) retry_max_time: Option<Duration>,
    /// Try again where the connection was refused, too
    #[arg(long)]
    pub(crate) retry_connrefused: bool,
    /// Try again after whatever failure
    #[arg(long)]
    pub(crate) retry_all_errors: bool,
    /// How many transfers to begin in a time, one after the other, as 2/s or 10/m
    #[arg(long, value_name = "N/UNIT", value_parser = rate)]
    pub(crate) rate: Option<Duration>,
    /// Do several transfers at once
    #[arg(short = 'Z', long)]
    pub(crate) parallel: bool,
    /// How many at once [default: 50]
    #[arg(long, value_name = "N", value_parser = transfers_at_once)]
    pub(crate) parallel_max: Option<u16>,
    /// Rather open a connection than wait for one
    #[arg(long)]
    pub(crate) parallel_immediate: bool,
}
