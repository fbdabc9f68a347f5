//! `glasstack lab check`: all that is wrong with a topology or a run.

use super::run::{MOST_TOLD, bad_steps};
use crate::args::{self, CheckOptions, Command};
use crate::cmd::get;
use crate::failure::{FAILED_INIT, harmless, in_a_line};
use crate::files::enter_sandbox;
use crate::output;
use crate::scene;
use glasstack::lab::fault::CannotStrike;
use glasstack::lab::run::{BadRun, DEFAULT_SEED, Places, Run, Step};
use glasstack::lab::{Lab, LabError, serve};
use glasstack::sim::topology::Topology;
use std::process::ExitCode;

pub(crate) fn run(options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let text = scene::text_of(&options.file)?;
    let (what, wrong) = if text.trim().is_empty() {
        let missing =
            "there is nothing in it: a topology has hosts, as [host.client], and a run `version = 1`";
        (String::new(), vec![missing.to_owned()])
    } else if is_run(&text) {
        check_run(&text)?
    } else {
        check_topology(&text)
    };
    let file = options.file.display();
    for wrong in &wrong {
        output::line(harmless(&format!("{file}, {wrong}")))?;
    }
    if wrong.is_empty() {
        output::line(harmless(&format!("{file}: {what}, and nothing wrong with it")))?;
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
    let mut wrong = bad_steps(&run, &places);
    wrong.extend(bad_commands(&run, &places));
    // Names that lead nowhere are found by whoever builds the network.
    let built = scene::build(&run, |_| Ok(()));
    let mut told = Vec::new();
    match built {
        Ok(mut lab) => wrong.extend(bad_acts(&run, &places, &mut lab)),
        Err(error) => match placed(&error, &run, &places) {
            Some(bad) => wrong.push(bad),
            None => told.push(in_a_line(&error)),
        },
    }
    wrong.sort_by_key(|bad| (bad.line, bad.column));
    told.extend(wrong.iter().map(ToString::to_string));
    let wrong = told;
    Ok((format!("a run of {}", count(run.script.len(), "step")), wrong))
}

/// The commands that fail before they send anything.
fn bad_commands(run: &Run, places: &Places) -> Vec<BadRun> {
    let mut bad = Vec::new();
    let mut is_first = true;
    for (number, step) in run.script.iter().enumerate() {
        if bad.len() == MOST_TOLD {
            break;
        }
        let Step::Command(words) = step else { continue };
        let Ok(Command::Get(options)) = args::step(words) else { continue };
        if let Err(error) = get::check(*options) {
            // What an earlier step writes is there by then.
            if is_first || !is_about_files(&error) {
                bad.extend(places.bad_step(number, in_a_line(&error), ""));
            }
        } else {
            is_first = false;
        }
    }
    bad
}

fn is_about_files(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<std::io::Error>())
}

/// The place in the file that keeps the lab from being built.
fn placed(error: &anyhow::Error, run: &Run, places: &Places) -> Option<BadRun> {
    match error.downcast_ref::<LabError>()? {
        LabError::NoClient { .. } => places.bad_client(in_a_line(error), ""),
        LabError::Fault(cannot) => {
            let number = run.faults.iter().position(|fault| fault.to_string() == cannot.fault())?;
            places.bad_fault(number, unquoted(cannot), "")
        }
        _ => None,
    }
}

/// Why a fault has no place, where its sentence stands below.
fn unquoted(cannot: &CannotStrike) -> String {
    let text = cannot.to_string();
    text.strip_prefix(&format!("`{}`: ", cannot.fault())).unwrap_or(&text).to_owned()
}

/// The steps that are about nothing in this lab.
fn bad_acts(run: &Run, places: &Places, lab: &mut Lab) -> Vec<BadRun> {
    let mut bad = Vec::new();
    for (number, step) in run.script.iter().enumerate() {
        if bad.len() == MOST_TOLD {
            break;
        }
        let possible = match step {
            Step::Unplug(cable) | Step::PlugIn(cable) => {
                scene::cable(lab, cable).map(drop).map_err(|error| in_a_line(&error))
            }
            Step::Fault(fault) => match lab.strike(fault.clone()) {
                Err(LabError::Fault(cannot)) => Err(unquoted(&cannot)),
                struck => struck.map_err(|error| error.to_string()),
            },
            Step::Command(_) | Step::Wait(_) => Ok(()),
        };
        bad.extend(possible.err().and_then(|why| places.bad_step(number, why, "")));
    }
    bad
}

fn check_topology(text: &str) -> (String, Vec<String>) {
    let topology = match Topology::read(text) {
        Ok(topology) => topology,
        Err(bad) => return (String::new(), bad.iter().map(ToString::to_string).collect()),
    };
    let (hosts, cables) = (topology.hosts.len(), topology.cables.len());
    let what = format!("a topology of {} and {}", count(hosts, "host"), count(cables, "cable"));
    if topology.hosts.is_empty() {
        return (what, vec!["it has no host at all: write [host.client]".to_owned()]);
    }
    // What hosts serve is the lab's business.
    let unserved = serve::check(&topology);
    if !unserved.is_empty() {
        let told = unserved.iter().map(|bad| match bad.line_in(text) {
            Some(line) => format!("line {line}: {bad}"),
            None => bad.to_string(),
        });
        return (what, told.collect());
    }
    // Whatever else is wrong is found by whoever builds it; any host that has a cable may be the user's own.
    let ends = topology.cables.iter().flat_map(|cable| &cable.between).map(|end| end.node.clone());
    let client = ends.into_iter().find(|node| topology.hosts.contains_key(node));
    let built = client.map(|client| {
        let run = Run { client: Some(client), topology: Some(topology), ..Run::new(DEFAULT_SEED) };
        scene::build(&run, |_| Ok(()))
    });
    let wrong = built.and_then(Result::err).map(|error| in_a_line(&error));
    (what, wrong.into_iter().collect())
}

fn count(many: usize, what: &str) -> String {
    format!("{many} {what}{}", if many == 1 { "" } else { "s" })
}
