//! A command as a step of a run: its words without those that say which world it runs in, and what is
//! shown and saved of it. Those are the run's own, or of whoever does it again.

use super::{CertCommand, Cli, Command, NetChoice, NetOptions, WatchOptions};
use crate::failure::usage;
use anyhow::Context;
use clap::{CommandFactory, parser::ValueSource};
use std::ffi::{OsStr, OsString};

/// Options that are of the run and not of a step.
const NOT_OF_A_STEP: &[&str] = &[
    "net",
    "addr",
    "gateway",
    "dhcp",
    "seed",
    "topology",
    "fault",
    "client",
    "save",
    "capture",
    "capture-at",
    "events",
    "silent",
    "verbose",
    "ladder",
    "show-keys",
    "stderr",
];

/// The groups of `get`, as [`words::groups`](super::words::groups) spells them, as one line.
pub(super) fn of_groups(groups: &[Vec<OsString>]) -> anyhow::Result<Vec<String>> {
    let mut line = vec!["get".to_owned()];
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            line.push("--next".to_owned());
        }
        let is_behind = |word: &&OsString| *word != "--";
        let options = group.iter().take_while(is_behind);
        let urls = group.iter().skip_while(is_behind).skip(1);
        let options = options.filter(|word| is_of_a_step(word)).map(|word| text(word));
        push(&mut line, options, urls.map(|word| text(word)).collect::<anyhow::Result<_>>()?)?;
    }
    Ok(line)
}

/// The words of any other command, the program's name first, as one line.
pub(super) fn of_words(words: &[OsString]) -> anyhow::Result<Vec<String>> {
    let mut definition = &Cli::command();
    let whole = definition.clone().try_get_matches_from(words)?;
    let mut matches = &whole;
    let mut line = Vec::new();
    while let Some((name, below)) = matches.subcommand() {
        definition = definition.find_subcommand(name).context("a command without a definition")?;
        matches = below;
        line.push(name.to_owned());
    }
    let (mut options, mut others) = (Vec::new(), Vec::new());
    for argument in definition.get_arguments() {
        let id = argument.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let values = matches.get_raw(id).into_iter().flatten().map(text);
        match argument.get_long() {
            None => others.extend(values.collect::<anyhow::Result<Vec<_>>>()?),
            Some(long) if NOT_OF_A_STEP.contains(&long) => {}
            Some(long) if argument.get_action().takes_values() => {
                options.extend(values.map(|value| Ok(format!("--{long}={}", value?))));
            }
            Some(long) => options.push(Ok(format!("--{long}"))),
        }
    }
    push(&mut line, options, others)?;
    Ok(line)
}

fn push(
    line: &mut Vec<String>,
    options: impl IntoIterator<Item = anyhow::Result<String>>,
    others: Vec<String>,
) -> anyhow::Result<()> {
    for option in options {
        line.push(option?);
    }
    if others.iter().any(|word| word.starts_with('-')) {
        line.push("--".to_owned());
    }
    line.extend(others);
    Ok(())
}

fn is_of_a_step(word: &OsStr) -> bool {
    let word = word.to_string_lossy();
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    !NOT_OF_A_STEP.contains(&name)
}

fn text(word: &OsStr) -> anyhow::Result<String> {
    let unusable = || usage(format!("--save: {}: a run holds nothing but UTF-8", word.to_string_lossy()));
    word.to_str().map(str::to_owned).ok_or_else(unusable)
}

/// The command that a step's words make.
pub(crate) fn step(words: &[String]) -> anyhow::Result<Command> {
    let program = std::iter::once("glasstack".into());
    let command = super::try_parse(program.chain(words.iter().map(OsString::from)))?;
    match command.of_the_run() {
        Some(option) => Err(usage(format!("{option} is of the whole run, and stands in no step"))),
        None => Ok(command),
    }
}

impl Command {
    /// Whether the run that this is, is to be saved.
    pub(crate) fn is_saved(&self) -> bool {
        self.watch().is_some_and(|watch| watch.save.is_some())
    }

    fn watch(&self) -> Option<&WatchOptions> {
        match self {
            Self::Get(options) => Some(&options.watch),
            Self::Resolve(options) => Some(&options.watch),
            Self::Ping(options) => Some(&options.watch),
            Self::Traceroute(options) => Some(&options.watch),
            Self::Cert(options) => {
                let CertCommand::Show(options) = &options.command;
                Some(&options.watch)
            }
            _ => None,
        }
    }

    pub(super) fn watch_mut(&mut self) -> Option<&mut WatchOptions> {
        match self {
            Self::Get(options) => Some(&mut options.watch),
            Self::Resolve(options) => Some(&mut options.watch),
            Self::Ping(options) => Some(&mut options.watch),
            Self::Traceroute(options) => Some(&mut options.watch),
            Self::Cert(options) => {
                let CertCommand::Show(options) = &mut options.command;
                Some(&mut options.watch)
            }
            _ => None,
        }
    }

    /// Which network, if the command uses one.
    pub(crate) fn net(&self) -> Option<&NetOptions> {
        match self {
            Self::Get(options) => Some(&options.net),
            Self::Resolve(options) => Some(&options.net),
            Self::Ping(options) => Some(&options.net),
            Self::Traceroute(options) => Some(&options.net),
            Self::Cert(options) => {
                let CertCommand::Show(options) = &options.command;
                Some(&options.net)
            }
            Self::Route(options) => {
                let super::RouteCommand::Get { net, .. } = &options.command;
                Some(net)
            }
            _ => None,
        }
    }

    /// An option of this command that no step has.
    fn of_the_run(&self) -> Option<&'static str> {
        let of_get = match self {
            Self::Get(options) if options.output.stderr.is_some() => Some("--stderr"),
            _ => None,
        };
        let of_net = self.net().and_then(|net| {
            let said = [
                ("--net", net.net != NetChoice::Auto),
                ("--addr", net.addr.is_some()),
                ("--gateway", net.gateway.is_some()),
                ("--dhcp", net.dhcp),
                ("--seed", net.lab.seed.is_some()),
            ];
            let said = said.into_iter().find_map(|(option, is_said)| is_said.then_some(option));
            said.or(net.lab.means_the_lab())
        });
        let of_watch = self.watch().and_then(|watch| {
            let said = [
                ("--capture", watch.capture.is_some()),
                ("--events", watch.events.is_some()),
                ("-s", watch.silent),
                ("-v", watch.verbose),
                ("--ladder", watch.ladder),
                ("--show-keys", watch.show_keys),
            ];
            let said = said.into_iter().find_map(|(option, is_said)| is_said.then_some(option));
            said.or(watch.means_the_lab())
        });
        of_get.or(of_net).or(of_watch)
    }
}
