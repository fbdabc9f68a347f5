//! `glasstack doctor`: which ways into a network work here, and what to do about those that don't.
//!
//! Three steps, in this order: [`probe`] asks the machine and changes nothing, [`judge`] draws the
//! conclusions, and here they are printed.

mod judge;
mod probe;
#[cfg(test)]
mod tests;
mod trials;

use crate::args::DoctorOptions;
use crate::output;
use anstyle::{AnsiColor, Style};
use judge::{Finding, Report, State, Way};
use serde_json::json;
use std::process::ExitCode;

/// The everyday ways, the lab or `--net user`, do not work.
const NOT_EVERY_DAY: u8 = 1;

pub(crate) fn run(options: &DoctorOptions) -> anyhow::Result<ExitCode> {
    let report = judge::judge(&probe::facts());
    if options.json {
        output::line(format_args!("{:#}", as_json(&report)))?;
    } else {
        report.findings.iter().try_for_each(print_finding)?;
        output::line("")?;
        report.ways.iter().try_for_each(print_way)?;
    }
    Ok(if report.works_every_day() { ExitCode::SUCCESS } else { NOT_EVERY_DAY.into() })
}

fn print_finding(finding: &Finding) -> anyhow::Result<()> {
    let (mark, colour) = match finding.state {
        State::Fine => ("fine", AnsiColor::Green),
        State::Note => ("note", AnsiColor::Cyan),
        State::ToDo => ("to do", AnsiColor::Yellow),
    };
    let style = Style::new().fg_color(Some(colour.into()));
    output::line(format_args!("{style}{mark:<6}{style:#} {:<18} {}", finding.topic, finding.text))?;
    match &finding.cure {
        Some(cure) => output::line(format_args!("{:<26}{cure}", "")),
        None => Ok(()),
    }
}

fn print_way(way: &Way) -> anyhow::Result<()> {
    let (mark, colour) = if way.works { ("works", AnsiColor::Green) } else { ("no", AnsiColor::Yellow) };
    let style = Style::new().fg_color(Some(colour.into()));
    output::line(format_args!("{:<26}{style}{mark:<6}{style:#} {}", way.name, way.because))
}

fn as_json(report: &Report) -> serde_json::Value {
    let findings = report.findings.iter().map(|finding| {
        let state = match finding.state {
            State::Fine => "fine",
            State::Note => "note",
            State::ToDo => "todo",
        };
        json!({ "topic": finding.topic, "state": state, "text": finding.text, "cure": finding.cure })
    });
    let ways =
        report.ways.iter().map(|way| json!({ "way": way.name, "works": way.works, "because": way.because }));
    json!({
        "findings": findings.collect::<Vec<_>>(),
        "ways": ways.collect::<Vec<_>>(),
        "works_every_day": report.works_every_day(),
    })
}
