//! The `glasstack` program: a thin layer over the library. One file a subcommand in `cmd`, the
//! networks it runs on in `net`, what is shown and saved in `watch`, results in `output`.

mod args;
mod cmd;
mod failure;
mod net;
mod output;
mod watch;

use args::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Get(options) => cmd::get::run(*options),
        Command::Resolve(options) => cmd::resolve::run(&options),
        Command::Ping(options) => cmd::ping::run(&options),
        Command::Route(options) => cmd::route::run(&options),
        Command::Url(options) => cmd::url::run(&options),
    };
    match result {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}
