//! unbound's scenarios, played with our recursive resolver. They are not part of this project: they are
//! read where they are, in `../shared/data/rpl` from the project's root or where `RPL_DIR` says; where
//! there are none, the test passes with a message. `RPL_ONLY=iter_cycle` plays those whose name contains
//! the word and tells how each of them went, step by step.
//!
//! Read in this order: `scenario` and `packet` (the files), `settings` (what their configuration means to
//! us), `play` (a scenario from beginning to end), `stage` (the servers), `compare` (whether a message is
//! the one that was wanted), `known` (what fails, and why).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: what is in its way shall stop it; files and the environment are where scenarios are"
)]

mod compare;
mod known;
mod packet;
mod play;
mod scenario;
mod settings;
mod stage;

use play::{Outcome, play};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints a line even where the harness keeps the output of tests that pass to itself: this is a report.
macro_rules! say {
    ($($text:tt)*) => { writeln!(std::io::stdout(), $($text)*).unwrap() };
}

/// At least so many of a hundred have to pass.
const ENOUGH: usize = 80;

#[test]
fn scenarios_of_unbound_end_as_they_should() {
    let folder = std::env::var_os("RPL_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rpl"),
        PathBuf::from,
    );
    let only = std::env::var("RPL_ONLY").unwrap_or_default();
    let files = files(&folder);
    if files.is_empty() {
        say!("skipped: no scenarios (*.rpl) in {}; RPL_DIR names another folder", folder.display());
        return;
    }
    let known: BTreeMap<&str, &str> = known::FAILING.iter().copied().collect();
    let (mut passed, mut surprises) = (0, Vec::new());
    let chosen = files.iter().filter(|(name, _)| name.contains(&only));
    for (name, path) in chosen {
        let bytes = std::fs::read(path).unwrap();
        let outcome = play(&String::from_utf8_lossy(&bytes));
        let expected = known.get(name.as_str());
        match &outcome {
            Outcome::Passed => {
                passed += 1;
                say!("{name}: passed");
            }
            Outcome::Failed { why, story } => {
                if !only.is_empty() {
                    story.iter().for_each(|line| say!("    {line}"));
                }
                say!("{name}: failed: {why}");
            }
            Outcome::Declined(why) => say!("{name}: declined: {why}"),
        }
        match (matches!(outcome, Outcome::Passed), expected) {
            (true, Some(_)) => surprises.push(format!("{name} passes, but is listed as failing")),
            (false, None) => surprises.push(format!("{name} does not pass, and is not listed as failing")),
            (true, None) => {}
            (false, Some(why)) => say!("    (known: {why})"),
        }
    }
    if !only.is_empty() {
        return;
    }
    let total = files.len();
    say!("passed {passed} of {total}");
    assert!(passed * 100 >= total * ENOUGH, "passed {passed} of {total}: fewer than {ENOUGH} %");
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// The scenarios in a folder, in the order of their names.
fn files(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let paths = entries.map(|entry| entry.path());
    let scenarios = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rpl"));
    scenarios.filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path.clone()))).collect()
}
