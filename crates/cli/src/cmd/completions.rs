//! `glasstack completions`: what a shell needs to complete our words, from the same definitions as
//! the options themselves.

use crate::args::{Cli, CompletionsOptions};
use crate::output;
use clap::CommandFactory;
use clap_complete::Shell;
use std::process::ExitCode;

pub(crate) fn run(options: &CompletionsOptions) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "glasstack", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if options.shell == Shell::Fish {
        // To fish a bare # begins a comment; clap_complete does not quote the letters of options.
        script = script.replace(" -s # ", " -s '#' ");
    }
    output::line(script.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
