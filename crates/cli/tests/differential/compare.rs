//! Two outcomes beside each other, and the table of known differences beside them.

use super::folder::Folder;
use super::known;
use super::peers::{Certificates, Peers};
use super::run::{Case, Client, Outcome, run};
use super::support;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// How many requests are made at the same time.
const AT_ONCE: usize = 3;
/// How much of what differs is shown.
const SHOWN: usize = 600;

/// Makes every request with both clients. What differs must be known, and what is known must differ.
pub(crate) fn all(cases: &[Case]) {
    if let Some(missing) = ["curl", "nginx", "python3", "timeout"].iter().find(|it| !support::is_there(it)) {
        let test = thread::current().name().unwrap_or("a test").to_owned();
        return support::skip(&test, &format!("needs {missing}"));
    }
    let wanted = std::env::var("DIFFER").unwrap_or_default();
    let waiting = cases.iter().filter(|case| case.name.contains(&wanted)).collect::<VecDeque<_>>();
    let waiting = Mutex::new(waiting);
    let told = Mutex::new(BTreeMap::new());
    let certificates = Certificates::new();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let served = Folder::new();
                let mut peers = Peers::start(&served, &certificates);
                loop {
                    let Some(case) = waiting.lock().unwrap().pop_front() else { break };
                    let curl = run(Client::Curl, case, &mut peers, &served, &certificates);
                    let ours = run(Client::Glasstack, case, &mut peers, &served, &certificates);
                    told.lock().unwrap().insert(case.name, judge(case, &curl, &ours));
                }
            });
        }
    });
    report(told.into_inner().unwrap());
}

/// Prints the known differences, and fails where there is anything else.
fn report(verdicts: BTreeMap<&str, Verdict>) {
    let known: String = verdicts.values().map(|verdict| verdict.known.as_str()).collect();
    println!("\nKnown differences among {} requests:\n{known}", verdicts.len());
    let wrong: Vec<&str> =
        verdicts.values().map(|it| it.wrong.as_str()).filter(|it| !it.is_empty()).collect();
    let text = format!(
        "{} of {} requests are not as they should be\n\n{}",
        wrong.len(),
        verdicts.len(),
        wrong.concat()
    );
    let curl = Command::new("curl").arg("--version").output().unwrap();
    if !String::from_utf8_lossy(&curl.stdout).starts_with(known::CURL) {
        // Each version differs from the last: what is new is shown, and nobody's fault.
        println!("this is not {}, so nothing is judged: {text}", known::CURL);
        return;
    }
    assert!(wrong.is_empty(), "{text}");
}

/// What there is to say of a request.
struct Verdict {
    known: String,
    wrong: String,
}

fn judge(case: &Case, curl: &Outcome, ours: &Outcome) -> Verdict {
    let names: BTreeSet<&String> = curl.keys().chain(ours.keys()).collect();
    let compared = names.into_iter().filter(|name| !name.starts_with('('));
    let differing: Vec<&String> = compared.filter(|name| curl.get(*name) != ours.get(*name)).collect();
    let mut verdict = Verdict { known: String::new(), wrong: String::new() };
    let expected = known::of(case.name);
    for name in &differing {
        let (curls, our) = (shown(curl.get(*name), ours.get(*name)), shown(ours.get(*name), curl.get(*name)));
        match expected.iter().find(|(things, _)| matches(things, name)) {
            Some((_, reason)) => {
                let _ = writeln!(verdict.known, "  {}, {name}: {reason}", case.name);
            }
            None => {
                let _ = writeln!(verdict.wrong, "  {name}\n    curl      {curls}\n    glasstack {our}");
            }
        }
    }
    for (things, reason) in &expected {
        for thing in things.split(", ") {
            if !differing.iter().any(|name| matches(thing, name)) {
                let _ = writeln!(verdict.wrong, "  `{thing}` no longer differs; known.rs says: {reason}");
            }
        }
    }
    if !verdict.wrong.is_empty() {
        let said = String::from_utf8_lossy(ours.get("(stderr)").map_or(&[][..], Vec::as_slice)).into_owned();
        verdict.wrong =
            format!("{}: {}\n{}    said      {}\n", case.name, case.words, verdict.wrong, said.trim());
    }
    verdict
}

/// Whether one of `things`, a list with commas, is `name`; `-w *` is all that begins so.
fn matches(things: &str, name: &str) -> bool {
    things.split(", ").any(|thing| match thing.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => thing == name,
    })
}

/// A value from a little before where the two part.
fn shown(value: Option<&Vec<u8>>, other: Option<&Vec<u8>>) -> String {
    let Some(value) = value else { return "(nothing)".to_owned() };
    let same = other.map_or(0, |other| value.iter().zip(other).take_while(|(a, b)| a == b).count());
    let start = if value.len() > SHOWN { same.saturating_sub(SHOWN / 4) } else { 0 };
    let end = value.len().min(start + SHOWN);
    let (before, behind) = (if start > 0 { "... " } else { "" }, if end < value.len() { " ..." } else { "" });
    format!("{before}\"{}\"{behind} ({} bytes)", value[start..end].escape_ascii(), value.len())
}
