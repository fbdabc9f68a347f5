//! `glasstack get`: the main job.

use crate::args::{GetOptions, NetChoice, WatchOptions};
use crate::console;
use crate::failure::{ExitWith, FAILED_INIT, WRITE_ERROR, usage};
use crate::files::{self, read_bounded, replace, stdin, unbuffered_stdout};
use crate::net::Net;
use crate::transfer::client::Prepared;
use crate::transfer::meter::{Meter, Shown};
use crate::transfer::plan::{Destination, Plan};
use crate::transfer::request::{Template, typed};
use crate::transfer::run::{Operation, Runner, format_of, unstarted};
use anyhow::Context;
use futures_util::future::{Either, select};
use glasstack::journal::SpanKind;
use glasstack::stack::Host;
use glasstack::web::{AddressError, CookieJar, SharedJar, WebError, address_bar};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long connections may take to close once everything has arrived.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long when the user, or a limit of his, has ended the journey.
const SHORT_GOODBYE: Duration = Duration::from_secs(1);
/// The largest file of cookies, in bytes.
const LARGEST_JAR: u64 = 16 << 20;

/// A group before there is a network.
struct Group {
    options: GetOptions,
    plan: Plan,
    template: Template,
    prepared: Prepared,
}

/// A command that is ready to run: nothing is opened, let alone sent, for what makes no sense.
struct Job {
    groups: Vec<Group>,
    hosts: Hosts,
    shown: Shown,
}

pub(crate) fn run(options: GetOptions) -> anyhow::Result<ExitCode> {
    redirect_stderr(&options)?;
    let job = Job::prepare(options)?;
    let (Some(first), Hosts::Known { host, .. }) = (job.groups.first(), &job.hosts) else {
        return Ok(job.nothing_to_ask().into());
    };
    let linger = first.options.connection.linger;
    let watch = WatchOptions { untold: !job.shown.tells(), ..first.options.watch.clone() };
    let net = Net::open(&first.options.net, &watch, Some(host), true)?;
    net.journey(linger, |net| job.perform(net))
}

/// The command as a step of a run.
pub(crate) fn perform(options: GetOptions, net: &mut Net) -> anyhow::Result<u8> {
    let job = Job { shown: Shown::Nothing, ..Job::prepare(options)? };
    if matches!(job.hosts, Hosts::None(_)) { Ok(job.nothing_to_ask()) } else { job.perform(net) }
}

/// Whether the command could run, as far as can be said before it does; nothing is sent.
pub(crate) fn check(mut options: GetOptions) -> anyhow::Result<()> {
    options.watch.silent = true;
    options.behind.iter_mut().for_each(|behind| behind.watch.silent = true);
    match Job::prepare(options)?.hosts {
        Hosts::Known { .. } => Ok(()),
        Hosts::None(error) => Err(WebError::from(error).into()),
    }
}

impl Job {
    fn prepare(options: GetOptions) -> anyhow::Result<Self> {
        let groups = groups(options)?;
        let Some(first) = groups.first() else { return Err(usage("no URL: glasstack get URL")) };
        let transfers = groups.iter().fold(0_u64, |sum, group| sum.saturating_add(group.plan.how_many()));
        let shown = Shown::choose(&first.options, transfers);
        outputs_differ(&groups, &first.options.watch)?;
        let hosts = hosts(&groups)?;
        Ok(Self { groups, hosts, shown })
    }

    fn perform(self, net: &mut Net) -> anyhow::Result<u8> {
        let Self { groups, hosts, shown } = self;
        let Hosts::Known { typed, .. } = hosts else { return Ok(0) };
        // All that follows is part of one journey.
        let host = net.host.span(SpanKind::Journey { typed });
        let jar = jar(&groups, &host)?;
        let operations = groups
            .into_iter()
            .map(|Group { options, plan, template, prepared }| {
                let client = prepared.client(&options, net, &host, jar.clone())?;
                Ok(Operation { options, plan, template, client })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let meter = Meter::new(shown, &host);
        let result = net.run(async {
            let runner = Runner::new(&host, &operations, &meter);
            let exit = match select(std::pin::pin!(runner.run()), std::pin::pin!(meter.watch())).await {
                Either::Left((exit, _)) => exit,
                Either::Right(((), _)) => 0,
            };
            for operation in &operations {
                operation.client.close().await;
            }
            exit
        });
        host.scope().close();
        let in_order = matches!(&result, Ok(0));
        let saved = jar.map_or(Ok(()), |jar| save_jar(&operations, &jar, &host));
        let settled = net.settle(if in_order { GOODBYE } else { SHORT_GOODBYE });
        let exit = result?;
        saved?;
        settled?;
        Ok(exit)
    }

    /// Nothing is opened for what is no URL; but it is told, and reported.
    fn nothing_to_ask(self) -> u8 {
        let Hosts::None(error) = self.hosts else { return 0 };
        let error = anyhow::Error::new(WebError::from(error));
        let mut exit = crate::failure::code(&error);
        for group in &self.groups {
            for transfer in group.plan.clone().take(1) {
                exit = unstarted(&group.options, &transfer, 0, &error);
            }
        }
        exit
    }
}

fn groups(mut options: GetOptions) -> anyhow::Result<Vec<Group>> {
    let behind = std::mem::take(&mut options.behind);
    let mut groups = Vec::new();
    for mut options in std::iter::once(options).chain(behind) {
        let (plan, warnings) = Plan::new(&options)?;
        if !options.watch.silent {
            warnings.iter().for_each(console::warn);
        }
        if let Some(format) = &options.output.write_out {
            options.output.write_out = Some(format_of(format)?);
        }
        let template = Template::new(&options)?;
        let prepared = Prepared::new(&options)?;
        groups.push(Group { options, plan, template, prepared });
    }
    Ok(groups)
}

/// Whom the command is about.
enum Hosts {
    /// The first host, which decides about the network; and all that was typed.
    Known { host: String, typed: String },
    /// Nothing of what was typed is a URL; why the last of it is none.
    None(AddressError),
}

fn hosts(groups: &[Group]) -> anyhow::Result<Hosts> {
    let mut hosts: Vec<String> = Vec::new();
    let mut failure = None;
    let mut shown = Vec::new();
    for group in groups {
        for text in group.plan.typed() {
            let text = typed(&group.options, &text);
            shown.push(address_bar::hide_password(&text));
            match address_bar::parse(&text) {
                Ok(address) => hosts.extend(address.url.host_str().map(str::to_owned)),
                Err(error) => failure = Some(error),
            }
        }
    }
    let is_lab = |host: &String| host.trim_end_matches('.').ends_with(".test");
    let is_mixed = hosts.iter().any(is_lab) && !hosts.iter().all(is_lab);
    if is_mixed && !is_chosen(groups) {
        return Err(usage(
            "some of these URLs are the built-in lab's (.test), and others are not: --net says which network is meant",
        ));
    }
    match (hosts.into_iter().next(), failure) {
        (Some(host), _) => Ok(Hosts::Known { host, typed: shown.join(" ") }),
        (None, Some(error)) => Ok(Hosts::None(error)),
        (None, None) => Err(usage("no URL: glasstack get URL")),
    }
}

/// Whether the options say which network is meant, or the run of which this is a step.
fn is_chosen(groups: &[Group]) -> bool {
    let says = |options: &GetOptions| {
        let means_the_lab = options.net.lab.means_the_lab().or(options.watch.means_the_lab());
        options.net.net != NetChoice::Auto || means_the_lab.is_some()
    };
    files::is_sandbox() || groups.iter().any(|group| says(&group.options))
}

/// The cookies, if anybody asked for some: those of the files, and those that come.
fn jar(groups: &[Group], host: &Host) -> anyhow::Result<Option<SharedJar>> {
    let is_file = |said: &&String| !said.contains('=');
    let is_wanted = groups.iter().any(|group| {
        let identity = &group.options.identity;
        identity.cookie_jar.is_some() || identity.cookie.iter().any(|said| is_file(&said))
    });
    if !is_wanted {
        return Ok(None);
    }
    let mut jar = CookieJar::new();
    for group in groups {
        let identity = &group.options.identity;
        for file in identity.cookie.iter().filter(is_file).filter(|file| !file.is_empty()) {
            // curl: a file that is not there is an empty one.
            let bytes = match file.as_str() {
                "-" => Some(
                    stdin().and_then(std::io::read_to_string).context("-b -").exit_with(FAILED_INIT)?.into(),
                ),
                file => read_bounded(Path::new(file), LARGEST_JAR).ok(),
            };
            match bytes {
                Some(bytes) => {
                    jar.load(&bytes, !identity.junk_session_cookies, host.wall());
                }
                None if !group.options.watch.silent => {
                    console::warn(format_args!(
                        "-b {file}: it cannot be read, and no cookies are taken from it"
                    ));
                }
                None => {}
            }
        }
    }
    Ok(Some(Arc::new(Mutex::new(jar))))
}

/// `-c`.
fn save_jar(operations: &[Operation], jar: &SharedJar, host: &Host) -> anyhow::Result<()> {
    let text = jar.lock().unwrap_or_else(PoisonError::into_inner).to_netscape(host.wall());
    let paths = operations.iter().filter_map(|operation| operation.options.identity.cookie_jar.as_ref());
    for path in paths.collect::<BTreeSet<&PathBuf>>() {
        let written = if path.as_os_str() == "-" {
            unbuffered_stdout().and_then(|mut out| out.write_all(text.as_bytes()))
        } else {
            replace(path, text.as_bytes())
        };
        if let Err(error) = written {
            // curl: a warning, and the exit code of the transfer.
            console::warn(format_args!("-c {}: the cookies cannot be saved: {error}", path.display()));
        }
    }
    Ok(())
}

/// `--stderr`.
fn redirect_stderr(options: &GetOptions) -> anyhow::Result<()> {
    let Some(name) = &options.output.stderr else { return Ok(()) };
    let file = if name == "-" { unbuffered_stdout() } else { File::create(name) };
    let file = file.with_context(|| format!("--stderr {}", name.display())).exit_with(WRITE_ERROR)?;
    console::redirect(file);
    Ok(())
}

/// Two outputs in one place would destroy each other.
fn outputs_differ(groups: &[Group], watch: &WatchOptions) -> anyhow::Result<()> {
    let mut outputs: Vec<(&str, PathBuf)> = Vec::new();
    for (name, path) in [("--capture", &watch.capture), ("--events", &watch.events)] {
        outputs.extend(path.clone().map(|path| (name, path)));
    }
    for group in groups {
        let options = &group.options.output;
        for transfer in group.plan.clone().take(LOOKED_AT) {
            match transfer.destination {
                Destination::File(name) => outputs.push(("-o", PathBuf::from(name))),
                Destination::Remote => {}
                Destination::Stdout | Destination::StdoutByName => {
                    outputs.push(("the body", PathBuf::from("-")))
                }
            }
        }
        let writes = options.write_out.is_some();
        outputs.extend(writes.then(|| ("what -w says", PathBuf::from("-"))));
        outputs.extend(options.dump_header.as_ref().map(|name| ("-D", PathBuf::from(name))));
    }
    for (index, (name, path)) in outputs.iter().enumerate().take(2) {
        let is_watch = name.starts_with("--");
        let twin = outputs.iter().skip(index + 1).find(|(_, other)| is_watch && other == path);
        if let Some((other, _)) = twin {
            let place = if path.as_os_str() == "-" { "to stdout".into() } else { path.display().to_string() };
            return Err(usage(format!(
                "{name} and {other} both go {place}: one of them needs another place"
            )));
        }
    }
    Ok(())
}

/// How many transfers are looked at for twin outputs: patterns may stand for very many.
const LOOKED_AT: usize = 1_000;
