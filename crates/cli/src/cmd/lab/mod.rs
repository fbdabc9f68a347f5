//! `glasstack lab`: one file a subcommand.

mod list;

use crate::args::{LabCommand, LabCommandOptions};
use std::process::ExitCode;

pub(crate) fn run(options: LabCommandOptions) -> anyhow::Result<ExitCode> {
    match options.command {
        LabCommand::List(options) => list::run(&options),
    }
}
