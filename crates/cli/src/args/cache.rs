//! What commands have left behind in a file of `--dns-cache`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CacheOptions {
    #[command(subcommand)]
    pub(crate) command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print what is known, with what is left of its time, how far it is believed, and the servers' speeds
    Show(CacheFileOptions),
    /// Forget it
    Flush(CacheFileOptions),
}

#[derive(Debug, Args)]
pub(crate) struct CacheFileOptions {
    /// The name that it is about, and those below it [default: all]
    pub(crate) name: Option<String>,
    /// The file
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) dns_cache: PathBuf,
}
