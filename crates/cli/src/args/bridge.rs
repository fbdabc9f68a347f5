//! `glasstack lab bridge`.

use super::values::some_seconds;
use super::{LabOptions, WatchOptions};
use clap::Args;
use glasstack::uplink::InterfaceAddress;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct BridgeOptions {
    /// A program to run in a network of its own which is nothing but the lab; the bridge ends with it
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<String>,
    /// The TAP device [default: the prepared one, or a new one]
    #[arg(long, value_name = "NAME")]
    pub(crate) tap: Option<String>,
    /// The switch of the lab that this machine's kernel joins, as `home-switch` or with a port, as
    /// `home-switch:5` [default: the client's]
    #[arg(long, value_name = "SWITCH")]
    pub(crate) at: Option<String>,
    /// The kernel's address there [default: the first that is free]
    #[arg(long, value_name = "CIDR")]
    pub(crate) addr: Option<InterfaceAddress>,
    /// Let the default route lead into the lab; meant for a network namespace, elsewhere it cuts the
    /// machine off
    #[arg(long)]
    pub(crate) route: bool,
    /// Write the lab's root certificate as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Write the key of the lab's DNS root, as delv -a, named and unbound's trusted-keys-file take it
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// End after so long, in seconds, and with the program [default: when it is interrupted]
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    pub(crate) seconds: Option<Duration>,
    #[command(flatten)]
    pub(crate) lab: LabOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}
