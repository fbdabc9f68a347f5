//! `glasstack lab`: one file a subcommand.

mod bridge;
mod check;
mod graph;
mod list;
mod pki;
mod run;

use crate::args::{LabCommand, LabCommandOptions};
use std::process::ExitCode;

pub(crate) fn run(options: LabCommandOptions) -> anyhow::Result<ExitCode> {
    match options.command {
        LabCommand::List(options) => list::run(&options),
        LabCommand::Graph(options) => graph::run(&options),
        LabCommand::Run(options) => run::run(&options),
        LabCommand::Bridge(options) => bridge::run(&options),
        LabCommand::Check(options) => check::run(&options),
        LabCommand::Pki(options) => pki::run(&options),
    }
}
