//! `glasstack completions`: what a shell needs to complete our words, from the same definitions as
//! the options themselves.

use crate::args::{Cli, CompletionsOptions};
use crate::output;
use clap::CommandFactory;
use std::process::ExitCode;

pub(crate) fn run(options: &CompletionsOptions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "glasstack", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
