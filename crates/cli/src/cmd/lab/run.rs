//! `glasstack lab run`: what a file says is done, one step after the other in one world.

use crate::args::{self, RunOptions};
use crate::cmd;
use crate::console::Console;
use crate::failure::{self, usage};
use crate::files::{self, enter_sandbox};
use crate::net::Net;
use crate::output;
use crate::scene;
use glasstack::lab::run::{BadRun, Places, Run, Step};
use glasstack::sim::SimError;
use glasstack::views::printable;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(options: &RunOptions) -> anyhow::Result<ExitCode> {
    output::only_one_on_stdout(&options.watch)?;
    let (run, places) = read(&options.file)?;
    let run = overridden(run, options)?;
    let _sandbox = enter_sandbox(&run.files, options.files.as_deref())?;
    if let Some(bad) = bad_steps(&run, &places).first() {
        return Err(shown(&options.file, bad));
    }
    let has_a_get = run.script.iter().any(|step| matches!(step, Step::Command(words) if is_get(words)));
    let mut net = Net::of_run(&run, &options.watch, has_a_get)?;
    net.save_as(options.watch.save.as_deref(), &run);
    net.journey(false, |net| all(&run.script, net, options.watch.silent))
}

/// The run in a file, and where its steps stand.
fn read(path: &Path) -> anyhow::Result<(Run, Places)> {
    Run::read(&scene::text_of(path)?).map_err(|bad| match bad.first() {
        Some(bad) => shown(path, bad),
        None => usage(format!("{}: this is no run", path.display())),
    })
}

/// What the command line says of it beside.
fn overridden(mut run: Run, options: &RunOptions) -> anyhow::Result<Run> {
    run.seed = options.seed.unwrap_or(run.seed);
    run.faults.extend(scene::faults(&options.fault)?);
    Ok(run)
}

fn is_get(words: &[String]) -> bool {
    words.first().is_some_and(|word| word == "get")
}

/// All steps; the exit code of the first that failed.
fn all(script: &[Step], net: &mut Net, is_silent: bool) -> anyhow::Result<u8> {
    let mut exit = 0;
    for (number, step) in script.iter().enumerate() {
        let place = format!("step {} of {}", number + 1, script.len());
        if !is_silent {
            // Where it cannot be told, the steps are done all the same.
            let _ = writeln!(Console, "{place}: {}", printable(&step.to_string()));
        }
        let code = match one(step, net) {
            Ok(code) => code,
            // There is no world left for the steps behind it.
            Err(error) if error.chain().any(|cause| cause.is::<SimError>()) => return Err(error),
            Err(error) => {
                failure::tell(&error);
                failure::code(&error)
            }
        };
        if code != 0 && !is_silent {
            let _ = writeln!(Console, "{place}: exit code {code}");
        }
        if exit == 0 {
            exit = code;
        }
    }
    Ok(exit)
}

fn one(step: &Step, net: &mut Net) -> anyhow::Result<u8> {
    match step {
        Step::Command(words) => return cmd::perform(args::step(words)?, net),
        Step::Wait(time) => {
            let host = net.host.clone();
            net.run(host.sleep(*time))?;
        }
        Step::Unplug(cable) => scene::cable(net.the_lab()?, cable)?.unplug(),
        Step::PlugIn(cable) => scene::cable(net.the_lab()?, cable)?.plug_in(),
        Step::Fault(fault) => net.the_lab()?.strike(fault.clone())?,
    }
    Ok(0)
}

/// How many bad steps of one file are told.
pub(super) const MOST_TOLD: usize = 100;

/// The steps that make no command. The run's files must be laid out: words may be read from them.
pub(super) fn bad_steps(run: &Run, places: &Places) -> Vec<BadRun> {
    debug_assert!(files::is_sandbox(), "the run's files are not laid out");
    let mut bad = Vec::new();
    for (number, step) in run.script.iter().enumerate() {
        if bad.len() == MOST_TOLD {
            break;
        }
        if let Step::Command(words) = step
            && let Err(error) = args::step(words)
        {
            bad.extend(places.bad_step(number, failure::in_a_line(&error), ""));
        }
    }
    bad
}

/// What is wrong with a file, as an error.
pub(super) fn shown(path: &Path, bad: &BadRun) -> anyhow::Error {
    usage(format!("{}, {bad}", path.display()))
}
