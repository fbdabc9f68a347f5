//! `glasstack cert show`: what is in a certificate, a list, an answer or a key, in a file or as a host
//! shows it. Nothing of it decides the exit status but whether it could be read and shown.
//!
//! ```text
//!   mod     what is meant: a file or a host; files
//!   host    a TLS handshake, whatever the certificates are worth; then the judgement
//! ```

mod host;

use crate::args::{CertCommand, CertOptions, NetChoice, ShowOptions};
use crate::failure::{FAILED_INIT, READ_ERROR, coded, usage};
use crate::files::{metadata, read_bounded, stdin};
use crate::net::Net;
use crate::{clock, output};
use anyhow::{Context, anyhow};
use glasstack::journal::WallTime;
use glasstack::tls::describe::{Described, describe};
use host::Asked;
use serde::Serialize;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest file that is read, in bytes: lists of revoked certificates are long.
const LARGEST: u64 = 64 << 20;

pub(crate) fn run(options: &CertOptions) -> anyhow::Result<ExitCode> {
    let CertCommand::Show(options) = &options.command;
    output::only_one_on_stdout(&options.watch)?;
    match Subject::of(options)? {
        // A world is needed for its time alone.
        Subject::File(path) if !means_the_lab(options) => {
            let now = options.time.unwrap_or_else(clock::now);
            Ok(show_file(options, &path, now)?.into())
        }
        Subject::File(_) => {
            let net = Net::open(&options.net, &options.watch, None, false)?;
            net.journey(false, |net| perform_show(options, net))
        }
        Subject::Host(asked) => {
            let net = Net::open(&options.net, &options.watch, Some(&asked.host), false)?;
            net.journey(false, |net| perform_show(options, net))
        }
    }
}

/// The command as a step of a run.
pub(crate) fn perform(options: &CertOptions, net: &mut Net) -> anyhow::Result<u8> {
    let CertCommand::Show(options) = &options.command;
    perform_show(options, net)
}

fn perform_show(options: &ShowOptions, net: &mut Net) -> anyhow::Result<u8> {
    match Subject::of(options)? {
        Subject::File(path) => {
            let now = options.time.unwrap_or_else(|| net.host.wall());
            show_file(options, &path, now)
        }
        Subject::Host(asked) => host::show(options, &asked, net).map(|()| 0),
    }
}

fn means_the_lab(options: &ShowOptions) -> bool {
    let said = options.net.lab.means_the_lab().or(options.watch.means_the_lab());
    options.net.net == NetChoice::Lab || said.is_some() || options.net.lab.seed.is_some()
}

/// What is to be shown.
enum Subject {
    /// A file's content; `-` is stdin.
    File(PathBuf),
    /// What a host shows.
    Host(Asked),
}

impl Subject {
    /// A file that is there is meant; then a host, unless it can be nothing but a file.
    fn of(options: &ShowOptions) -> anyhow::Result<Self> {
        let what = options.what.as_str();
        let path = Path::new(what);
        if what == "-" || metadata(path).is_ok() {
            return Self::file(options, path);
        }
        let is_url = what.contains("://");
        let is_path = what.contains('/') || is_called_like_a_file(what);
        if is_path && !is_url {
            let missing = metadata(path).err().map_or_else(|| anyhow!("it is not there"), anyhow::Error::new);
            return Err(coded(READ_ERROR, missing.context(format!("cannot read {what}"))));
        }
        Ok(Self::Host(Asked::of(what, options.name.as_deref())?))
    }

    fn file(options: &ShowOptions, path: &Path) -> anyhow::Result<Self> {
        for (option, is_said) in [("--name", options.name.is_some()), ("--cacert", options.cacert.is_some())]
        {
            if is_said {
                return Err(usage(format!(
                    "{option}: nothing is judged in a file that is shown (`glasstack verify` does it)"
                )));
            }
        }
        Ok(Self::File(path.to_owned()))
    }
}

/// What files are called and hosts are not: none of these is a top-level domain.
const FILES: &[&str] =
    &[".pem", ".crt", ".cer", ".der", ".crl", ".csr", ".key", ".p12", ".pfx", ".req", ".ors", ".orq"];

/// A file as programs read it.
#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    documents: &'a [Described],
}

/// The exit status: whether all of it could be read.
fn show_file(options: &ShowOptions, path: &Path, now: WallTime) -> anyhow::Result<u8> {
    let (name, bytes) = read(path)?;
    let described = described(&bytes, now, options.pass.as_deref());
    let described = described.with_context(|| called(&name)).map_err(|error| coded(FAILED_INIT, error))?;
    let status = if described.iter().all(|one| one.facts.is_ok()) { 0 } else { FAILED_INIT };
    if options.pem {
        return print_pem(&name, &described).map(|()| status);
    }
    if options.json {
        let file = File { file: &name, documents: &described };
        return output::line(serde_json::to_string_pretty(&file)?).map(|()| status);
    }
    let many = described.len();
    for (index, one) in described.iter().enumerate() {
        if index > 0 {
            output::line("")?;
        }
        let number = if many > 1 { format!("{} of {many}: ", index + 1) } else { String::new() };
        output::line(format_args!("{name}: {number}{}", one.to_string().trim_end()))?;
    }
    Ok(status)
}

/// A file; and how to ask the host of that name, where it could be one.
fn called(name: &str) -> String {
    let is_file = name.contains('/') || !name.contains('.') || is_called_like_a_file(name);
    if is_file { name.to_owned() } else { format!("{name}, a file here (the host is https://{name}/)") }
}

fn is_called_like_a_file(name: &str) -> bool {
    FILES.iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// What is in a file, at least one thing.
pub(crate) fn described(bytes: &[u8], now: WallTime, pass: Option<&str>) -> anyhow::Result<Vec<Described>> {
    let described = describe(bytes, now, pass);
    described.map_err(|error| cut_short(bytes).map_or_else(|| anyhow::Error::new(error), |why| anyhow!(why)))
}

/// Whether DER (X.690 8.1.3) says that it is longer than it is.
fn cut_short(bytes: &[u8]) -> Option<String> {
    let (own, rest) = match bytes {
        [0x30, short @ ..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x30, long, rest @ ..] => {
            let (length, rest) = rest
                .split_at_checked(usize::from(long & 0x7f))
                .filter(|(length, _)| matches!(length.len(), 1..=4))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let missing = own.checked_sub(rest.len()).filter(|missing| *missing > 0)?;
    Some(format!("it is DER that is cut short: {missing} of its {} bytes are missing", bytes.len() + missing))
}

/// A file's content, and what to call it.
fn read(path: &Path) -> anyhow::Result<(String, Vec<u8>)> {
    if path.as_os_str() != "-" {
        let bytes = read_bounded(path, LARGEST).map_err(|error| coded(READ_ERROR, error))?;
        return Ok((path.display().to_string(), bytes));
    }
    let mut bytes = Vec::new();
    let read = stdin().and_then(|input| input.take(LARGEST + 1).read_to_end(&mut bytes));
    read.context("cannot read stdin").map_err(|error| coded(READ_ERROR, error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(coded(READ_ERROR, anyhow!("stdin has more than {LARGEST} bytes")));
    }
    Ok(("stdin".to_owned(), bytes))
}

/// `--pem`.
fn print_pem(name: &str, described: &[Described]) -> anyhow::Result<()> {
    let sections: String = described.iter().filter_map(Described::to_pem).collect();
    if sections.is_empty() {
        return Err(usage(format!(
            "{name}: nothing in it is written as PEM (--pem): private keys are not shown"
        )));
    }
    output::line(sections.trim_end())
}
