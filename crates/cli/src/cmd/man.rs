//! `glasstack man`: manual pages, from the same definitions as the options themselves.

use crate::args::{Cli, ManOptions};
use crate::failure::{ExitWith, WRITE_ERROR};
use crate::output;
use anyhow::Context;
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The program's own page on stdout, or all pages in a folder.
pub(crate) fn run(options: &ManOptions) -> anyhow::Result<ExitCode> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    match &options.folder {
        Some(folder) => {
            make(folder).exit_with(WRITE_ERROR)?;
            write_pages(&program, folder)?;
        }
        None => output::line(String::from_utf8_lossy(&page(&program)?).trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder, if need be, but none above it: those are likely a mistake of spelling.
fn make(folder: &Path) -> anyhow::Result<()> {
    let Err(error) = fs::create_dir(folder) else { return Ok(()) };
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Ok(());
    }
    let shown = folder.display();
    let is_lost = folder.parent().is_some_and(|above| !above.as_os_str().is_empty() && !above.exists());
    let cure = if is_lost {
        format!(": the folder above it is not there (mkdir -p {shown})")
    } else {
        String::new()
    };
    Err(error).with_context(|| format!("cannot make the folder {shown}{cure}"))
}

/// A page for the command and one for each below it, as `glasstack-route-get.1`.
fn write_pages(command: &clap::Command, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(Man::new(command.clone()).get_filename());
    let write = || fs::write(&file, page(command)?);
    write().with_context(|| format!("cannot write {}", file.display())).exit_with(WRITE_ERROR)?;
    let below = command.get_subcommands().filter(|one| !one.is_hide_set());
    below.into_iter().try_for_each(|one| write_pages(one, folder))
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .source(concat!("glasstack ", env!("CARGO_PKG_VERSION")))
        .manual("glasstack");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut page)?;
    }
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    closing(command).to_writer(&mut page)?;
    Ok(page)
}

/// As `--help` has it: clap_mangen would name all hundred options of `get`.
fn synopsis(command: &clap::Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let mut page = Roff::new();
    page.control("SH", ["SYNOPSIS"]).text([roman(usage)]);
    page
}

/// What the definitions don't say.
fn closing(command: &clap::Command) -> Roff {
    let mut page = Roff::new();
    let examples = EXAMPLES.iter().filter(|(name, ..)| *name == command.get_name());
    if examples.clone().next().is_some() {
        page.control("SH", ["EXAMPLES"]);
        for (_, line, meaning) in examples {
            page.control("TP", []).text([bold(*line)]).text([roman(*meaning)]);
        }
    }
    page.control("SH", ["EXIT STATUS"]).text([roman(match command.get_name() {
        "glasstack-doctor" | "doctor" => "0 when the lab and --net user work, 1 otherwise.",
        _ => "0 is success, everything else is curl's: glasstack's docs/cli.md has the table.",
    })]);
    if command.get_name() == "glasstack" {
        page.control("SH", ["ENVIRONMENT"]);
        for (name, meaning) in ENVIRONMENT {
            page.control("TP", []).text([bold(*name)]).text([roman(*meaning)]);
        }
    }
    page.control("SH", ["SEE ALSO"]).text([roman("glasstack(1), curl(1), wireshark(1), ip-tuntap(8)")]);
    page
}

const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "glasstack",
        "glasstack get -L http://www.example.test/",
        "A whole request in the built-in lab, with a redirect to HTTPS.",
    ),
    (
        "glasstack",
        "glasstack get http://localhost:8080/",
        "A server on this machine, without root: --net user.",
    ),
    ("glasstack", "glasstack doctor", "Which networks can be used here, and what to do about the others."),
    (
        "get",
        "glasstack get --capture journey.pcapng -o page.html https://www.example.test/",
        "The page in one file, the journey for Wireshark in another.",
    ),
    ("get", "glasstack get -s -w '%{http_code} %{time_total}\\n' -o /dev/null URL", "As with curl."),
    (
        "get",
        "glasstack get --fault 'lose client SYN-ACK 1' --save run.toml http://www.example.test/",
        "Something goes wrong in the lab, and what happens is saved, to be done again.",
    ),
    ("run", "glasstack lab run run.toml", "The same run again, byte for byte."),
    ("run", "glasstack lab run --seed 2 run.toml", "The same with other chance."),
    ("graph", "glasstack lab graph --format svg -o internet.svg", "A picture of the lab."),
    ("get", "glasstack get --net tap http://10.71.83.1:8000/", "Over the TAP that tap-up made."),
];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("SSLKEYLOGFILE", "A file that TLS secrets are appended to."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "The certificate authorities believed, in the place of the system's."),
    ("http_proxy, https_proxy, all_proxy, no_proxy", "The proxies, as for curl; not in the lab."),
    ("NO_COLOR", "If set, nothing is coloured."),
];
