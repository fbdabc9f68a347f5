//! The `glasstack` program: a thin layer over the library. One file a subcommand in `cmd`, the
//! networks it runs on in `net`, what is shown and saved in `watch`, results in `output`, files in
//! `files`.

mod args;
mod capture;
mod clock;
mod cmd;
mod console;
mod dns_cache;
mod dns_exchange;
mod dns_files;
mod failure;
mod files;
mod names;
mod net;
mod output;
mod revocation_cache;
mod scene;
mod transfer;
mod watch;

use args::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    match args::parse(std::env::args_os()).and_then(run) {
        Ok(code) => code,
        Err(error) => failure::report(&error),
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    if command.is_saved() {
        files::keep();
    }
    match command {
        Command::Get(options) => cmd::get::run(*options),
        Command::Resolve(options) => cmd::resolve::run(&options),
        Command::Cache(options) => cmd::cache::run(&options),
        Command::Ping(options) => cmd::ping::run(&options),
        Command::Traceroute(options) => cmd::traceroute::run(&options),
        Command::Route(options) => cmd::route::run(&options),
        Command::Url(options) => cmd::url::run(&options),
        Command::Dnsd(options) => cmd::dnsd::run(&options),
        Command::Verify(options) => cmd::verify::run(&options),
        Command::Cert(options) => cmd::cert::run(&options),
        Command::Lab(options) => cmd::lab::run(options),
        Command::Doctor(options) => cmd::doctor::run(&options),
        Command::Completions(options) => cmd::completions::run(&options),
        Command::Man(options) => cmd::man::run(&options),
    }
}
