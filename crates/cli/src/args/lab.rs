//! `glasstack lab`: the miniature Internet itself, looked at and run.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct LabCommandOptions {
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

/// One variant a file in `cmd/lab/`.
#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// List the lab's names, and what each is good for
    List(ListOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Tell it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
