//! `glasstack lab check`: all that is wrong with a topology or a run.

use super::run::bad_steps;
use crate::args::CheckOptions;
use crate::failure::FAILED_INIT;
use crate::files::enter_sandbox;
use crate::output;
use crate::scene;
use glasstack::lab::run::Run;
use glasstack::sim::topology::Topology;
use std::process::ExitCode;

pub(crate) fn run(options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let text = scene::text_of(&options.file)?;
    let (what, wrong) = if is_run(&text) { check_run(&text)? } else { check_topology(&text) };
    let file = options.file.display();
    for wrong in &wrong {
        output::line(format_args!("{file}, {wrong}"))?;
    }
    if wrong.is_empty() {
        output::line(format_args!("{file}: {what}, and nothing wrong with it"))?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(FAILED_INIT.into())
}

/// A run has a script, a topology has none.
fn is_run(text: &str) -> bool {
    text.lines().any(|line| ["version", "script"].iter().any(|key| is_assignment(line, key)))
}

fn is_assignment(line: &str, key: &str) -> bool {
    line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// What it is, and what is wrong with it.
fn check_run(text: &str) -> anyhow::Result<(String, Vec<String>)> {
    let (run, places) = match Run::read(text) {
        Ok(read) => read,
        Err(bad) => return Ok((String::new(), bad.iter().map(ToString::to_string).collect())),
    };
    let _sandbox = enter_sandbox(&run.files, None)?;
    let mut wrong: Vec<String> = bad_steps(&run, &places).iter().map(ToString::to_string).collect();
    if wrong.is_empty() {
        // Names in topology and faults that lead nowhere are found by whoever builds the network.
        wrong.extend(scene::build(&run, |_| Ok(())).err().map(|error| format!("{error:#}")));
    }
    let steps = if run.script.len() == 1 { "step" } else { "steps" };
    Ok((format!("a run of {} {steps}", run.script.len()), wrong))
}

fn check_topology(text: &str) -> (String, Vec<String>) {
    match Topology::read(text) {
        Ok(topology) => {
            let (hosts, cables) = (topology.hosts.len(), topology.cables.len());
            let count = |many, what| format!("{many} {what}{}", if many == 1 { "" } else { "s" });
            (format!("a topology of {} and {}", count(hosts, "host"), count(cables, "cable")), Vec::new())
        }
        Err(bad) => (String::new(), bad.iter().map(ToString::to_string).collect()),
    }
}
