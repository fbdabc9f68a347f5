//! The command line, one file a command: the options with curl's letters have curl's meanings.

mod bridge;
mod cache;
mod cert;
mod config_file;
mod dnsd;
mod get;
mod lab;
mod line;
mod net;
mod ping;
pub(crate) mod refused;
mod resolve;
mod tools;
mod traceroute;
pub(crate) mod values;
mod verify;
mod watch;
mod words;

pub(crate) use bridge::BridgeOptions;
pub(crate) use cache::{CacheCommand, CacheFileOptions, CacheOptions};
pub(crate) use cert::{CertCommand, CertOptions, ShowOptions};
pub(crate) use dnsd::*;
pub(crate) use get::*;
pub(crate) use lab::*;
pub(crate) use line::step;
pub(crate) use net::{LabOptions, NetChoice, NetOptions};
pub(crate) use ping::PingOptions;
pub(crate) use resolve::ResolveOptions;
pub(crate) use tools::{CompletionsOptions, DoctorOptions, ManOptions};
pub(crate) use traceroute::TracerouteOptions;
pub(crate) use verify::{CheckChoice, PurposeChoice, VerifyOptions};
pub(crate) use watch::WatchOptions;

use crate::failure::{FAILED_INIT, READ_ERROR, coded, usage};
use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use glasstack::web::address_bar;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::net::IpAddr;

/// The largest file of options, in bytes.
const LARGEST_CONFIG: u64 = 16 << 20;

/// What the command line asks for. Help, and what clap refuses, end the program here.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> anyhow::Result<Command> {
    try_parse(words).or_else(|error| match error.downcast::<clap::Error>() {
        Ok(error) => error.exit(),
        Err(error) => Err(error),
    })
}

/// The same, but help, and what clap refuses, are clap's errors.
pub(crate) fn try_parse(words: impl IntoIterator<Item: Into<OsString>>) -> anyhow::Result<Command> {
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    if let Some(([program, command], rest)) = words.split_first_chunk::<2>()
        && command == "get"
    {
        return get_command(program, rest);
    }
    let mut command = Cli::try_parse_from(&words)?.command;
    if command.is_saved()
        && let Some(watch) = command.watch_mut()
    {
        watch.line = line::of_words(&words)?;
    }
    Ok(command)
}

/// `get` reads its words as curl does.
fn get_command(program: &OsStr, words: &[OsString]) -> anyhow::Result<Command> {
    let cli = Cli::command();
    let definition = cli.find_subcommand("get").context("the command `get` is not defined")?;
    let groups = match words::groups(definition, words.iter().cloned(), &mut read_config) {
        Ok(groups) => groups,
        Err(words::WordsError::Help(asked)) => {
            // The version is the program's, not the command's.
            let is_version = asked == "-V" || asked == "--version";
            let command = (!is_version).then(|| OsString::from("get"));
            let words = std::iter::once(program.to_owned()).chain(command).chain(std::iter::once(asked));
            return Ok(Cli::try_parse_from(words)?.command);
        }
        Err(error @ words::WordsError::File { .. }) => return Err(coded(READ_ERROR, error)),
        Err(error) => return Err(coded(FAILED_INIT, error)),
    };
    let mut first: Option<Box<GetOptions>> = None;
    for group in &groups {
        refuse_other_than_utf8(group)?;
        let words = [program.to_owned(), "get".into()].into_iter().chain(group.iter().cloned());
        match (Cli::try_parse_from(words)?.command, &mut first) {
            (Command::Get(options), None) => first = Some(options),
            (Command::Get(options), Some(first)) => first.behind.push(*options),
            _ => {}
        }
    }
    let mut options = first.context("the command line has no words")?;
    if options.watch.save.is_some() {
        options.watch.line = line::of_groups(&groups)?;
    }
    Ok(Command::Get(options))
}

/// Names the word that should be text and is not; clap refuses it without saying which. Names of
/// files may be any bytes.
fn refuse_other_than_utf8(group: &[OsString]) -> anyhow::Result<()> {
    let mut is_url = false;
    for word in group {
        if word.to_str().is_none() {
            let alone = ["glasstack", "get"].into_iter().chain(is_url.then_some("--")).map(OsString::from);
            let read = Cli::try_parse_from(alone.chain(std::iter::once(word.clone())));
            if read.is_err_and(|error| error.kind() == ErrorKind::InvalidUtf8) {
                let shown = word.to_string_lossy();
                // What stands behind an option may be secret.
                let option = shown.split('=').next().unwrap_or_default();
                let shown = if is_url { address_bar::hide_password(&shown) } else { option.to_owned() };
                let cure = if is_url { ", or write such bytes as %E9" } else { "" };
                return Err(usage(format!("{shown}: this is not UTF-8: convert it{cure}")));
            }
        }
        is_url |= word == "--";
    }
    Ok(())
}

/// A file of `-K`; `-` is stdin.
fn read_config(file: &OsStr) -> anyhow::Result<Vec<u8>> {
    if file == "-" {
        let mut bytes = Vec::new();
        let read = crate::files::stdin().and_then(|input| input.take(LARGEST_CONFIG).read_to_end(&mut bytes));
        read.context("cannot read stdin")?;
        return Ok(bytes);
    }
    crate::files::read_bounded(file.as_ref(), LARGEST_CONFIG)
}

/// A see-through network stack: performs a whole web request, from the ARP question to the last
/// ACK, and says why every byte was sent.
#[derive(Debug, Parser)]
#[command(
    name = "glasstack",
    version,
    propagate_version = true,
    max_term_width = 100,
    args_override_self = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a URL: the body on stdout, the journey on stderr
    Get(Box<GetOptions>),
    /// Look a name up
    Resolve(Box<ResolveOptions>),
    /// Look at what --dns-cache has kept, or forget it
    Cache(CacheOptions),
    /// Send ICMP echo requests
    Ping(PingOptions),
    /// Show the routers on the way to a host
    Traceroute(TracerouteOptions),
    /// Ask the routing table
    Route(RouteOptions),
    /// Show what the address bar makes of a text
    Url(UrlOptions),
    /// Serve names: zones of your own, answers found out for others, or both
    Dnsd(Box<DnsdOptions>),
    /// Judge certificates in files: which checks were made, and how each came out
    Verify(Box<VerifyOptions>),
    /// Show what is in certificates, revocation lists, OCSP messages and keys
    Cert(CertOptions),
    /// Look at the miniature Internet, and run what was saved of it
    Lab(LabCommandOptions),
    /// Find out which networks can be used here, and what to do about the others
    Doctor(DoctorOptions),
    /// Print what a shell needs to complete this program's words
    Completions(CompletionsOptions),
    /// Print the manual page, or write all of them into a folder
    Man(ManOptions),
}

#[derive(Debug, Args)]
pub(crate) struct RouteOptions {
    #[command(subcommand)]
    pub(crate) command: RouteCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RouteCommand {
    /// Which way packets for ADDRESS go, and why
    Get {
        /// The destination
        address: IpAddr,
        #[command(flatten)]
        net: NetOptions,
    },
}

#[derive(Debug, Args)]
pub(crate) struct UrlOptions {
    /// What would be typed into the address bar
    pub(crate) text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
