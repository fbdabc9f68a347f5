//! The pages of `docs/` and the README, held against what they are about: files, functions,
//! records, links, options, exit codes, and the lines that the program prints.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");

#[test]
fn every_source_file_that_a_page_names_exists() {
    let mut missing = String::new();
    for page in pages() {
        for span in page.text.lines().flat_map(code_spans) {
            let is_path = span.contains('/') && (span.contains("/src/") || span.ends_with(".rs"));
            if is_path && !root().join(span).exists() && !root().join("crates").join(span).exists() {
                writeln!(missing, "{}: {span}", page.name).unwrap();
            }
        }
    }
    assert_eq!(missing, "", "no such files");
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut dead = String::new();
    for page in pages() {
        let folder = page.path.parent().unwrap();
        for target in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            if !target.contains("://") && !folder.join(file).exists() {
                writeln!(dead, "{}: {target}", page.name).unwrap();
            }
        }
    }
    assert_eq!(dead, "", "links that lead nowhere");
}

#[test]
fn the_walk_names_functions_and_records_that_exist() {
    let walk = read("docs/life-of-a-request.md");
    let journal = sources_below("crates/journal/src");
    let mut unknown = String::new();
    let mut checked = 0;
    for line in walk.lines() {
        if let Some(list) = line.strip_prefix("Code: ") {
            let mut file = ("", String::new());
            for span in code_spans(list) {
                if span.contains('/') {
                    file = (span, read(span));
                } else if !defines(&file.1, span) {
                    writeln!(unknown, "{} has no {span}", file.0).unwrap();
                }
                checked += 1;
            }
        } else if let Some(list) = line.strip_prefix("Records: ") {
            for span in code_spans(list) {
                let (family, fact) = span.split_once("::").expect("a record is written Family::Fact");
                if !has_word(&journal, family) || !has_word(&journal, fact) {
                    writeln!(unknown, "the journal has no {span}").unwrap();
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "the lists were not found");
    assert_eq!(unknown, "");
}

#[test]
fn the_walk_shows_what_the_program_prints_and_writes() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (events, capture) = (folder.join("walk.jsonl"), folder.join("walk.pcapng"));
    let run = Command::new(PROGRAM)
        .args(["get", "-L", "-v", "http://www.example.test/", "--events"])
        .arg(&events)
        .arg("--capture")
        .arg(&capture)
        .env_remove("SSLKEYLOGFILE")
        .output()
        .unwrap();
    assert!(run.status.success());
    let told = String::from_utf8(run.stderr).unwrap();
    let events = std::fs::read_to_string(events).unwrap();
    let capture = std::fs::read(capture).unwrap();
    let in_capture = |line: &str| capture.windows(line.len()).any(|bytes: &[u8]| bytes == line.as_bytes());
    let mut differs = String::new();
    for (kind, line) in fenced_lines(&read("docs/life-of-a-request.md")) {
        let is_there = match kind.as_str() {
            "text" => told.lines().any(|told| told == line),
            // The numbers in front, of record and span, change with whatever is told before it.
            "json" => line.find("\"event\"").is_some_and(|at| events.contains(&line[at..])),
            "comments" => in_capture(&line),
            _ => true,
        };
        if !is_there {
            writeln!(differs, "{line}").unwrap();
        }
    }
    assert_eq!(differs, "", "docs/life-of-a-request.md shows lines that are not there any more");
}

#[test]
fn the_page_of_options_has_all_of_them_and_no_other() {
    let page = read("docs/cli.md");
    let rows = page.lines().filter(|line| line.starts_with("| `-"));
    let told: BTreeSet<String> = rows.flat_map(|row| options_in(row.split('|').nth(1).unwrap())).collect();
    let mut known = known_options();
    known.retain(|option| !["-h", "--help", "-V", "--version"].contains(&option.as_str()));
    assert_eq!(told, known, "docs/cli.md (left), --help (right)");
}

#[test]
fn command_lines_use_options_that_exist() {
    let known = known_options();
    let mut wrong = String::new();
    for page in pages() {
        for (_, line) in fenced_lines(&page.text) {
            let behind_cargo = line.strip_prefix("cargo run --release -- ");
            let Some(arguments) = behind_cargo.or_else(|| line.strip_prefix("glasstack ")) else { continue };
            // What stands behind `--` is another program's.
            let command = arguments.split(" #").next().unwrap().split(" -- ").next().unwrap();
            for option in options_in(command).filter(|option| !known.contains(option)) {
                writeln!(wrong, "{}: {option} in {line}", page.name).unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn exit_codes_are_as_the_page_tells_them() {
    let page = read("docs/cli.md");
    let mut tried = 0;
    let mut wrong = String::new();
    for row in page.lines() {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [code, _, examples] = cells[..] else { continue };
        let Ok(code) = code.trim_matches('`').parse::<i32>() else { continue };
        for example in code_spans(examples) {
            let run = Command::new(PROGRAM).args(example.split(' ')).output().unwrap();
            tried += 1;
            if run.status.code() != Some(code) {
                writeln!(wrong, "glasstack {example}: {}, not {code}", run.status).unwrap();
            }
        }
    }
    assert!(tried > 15, "the table was not found");
    assert_eq!(wrong, "");
}

struct Page {
    name: String,
    path: PathBuf,
    text: String,
}

fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md")];
    for folder in ["docs", "docs/decisions"] {
        let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.sort();
    let page = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        Page { name, path, text }
    };
    paths.into_iter().map(page).collect()
}

/// What stands between single backticks on a line.
fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    let is_fence = line.starts_with("```");
    line.split('`').skip(1).step_by(2).filter(move |_| !is_fence)
}

/// The lines of all fenced blocks, each with the word behind its fence.
fn fenced_lines(text: &str) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut inside: Option<String> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &inside) {
            (Some(kind), None) => inside = Some(kind.to_owned()),
            (Some(_), Some(_)) => inside = None,
            (None, Some(kind)) => lines.push((kind.clone(), line.to_owned())),
            (None, None) => {}
        }
    }
    lines
}

/// Whether a source defines a function or type; `Flow::open` is looked for as `open`.
fn defines(source: &str, item: &str) -> bool {
    let name = item.rsplit("::").next().unwrap();
    ["fn", "struct", "enum", "trait"].iter().any(|kind| {
        source.match_indices(&format!("{kind} {name}")).any(|(at, found)| {
            !source[at + found.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    })
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
}

/// Words that are options, without what is behind them.
fn options_in(text: &str) -> impl Iterator<Item = String> {
    let words = text.split([' ', '`', ',', '|']);
    let is_option = |word: &&str| {
        let name = word.trim_start_matches('-');
        word.starts_with('-') && name.starts_with(|letter: char| letter.is_ascii_alphabetic())
    };
    // `--dnssec[=on|off]`
    words.filter(is_option).map(|word| word.split("[=").next().unwrap_or(word).to_owned())
}

fn known_options() -> BTreeSet<String> {
    let commands = [
        &["get"][..],
        &["resolve"],
        &["cache", "show"],
        &["cache", "flush"],
        &["ping"],
        &["traceroute"],
        &["route", "get"],
        &["url"],
        &["dnsd"],
        &["verify"],
        &["cert", "show"],
        &["doctor"],
        &["lab", "list"],
        &["lab", "graph"],
        &["lab", "run"],
        &["lab", "check"],
        &["lab", "pki"],
        &["lab", "bridge"],
    ];
    let helps = commands.map(|command| {
        let help = Command::new(PROGRAM).args(command).arg("--help").output().unwrap();
        String::from_utf8(help.stdout).unwrap()
    });
    let is_entry = |line: &&str| line.trim_start().starts_with('-');
    // `-o, --output <FILE>`; a description follows two spaces on.
    let entry = |line: &str| options_in(line.trim().split("  ").next().unwrap()).collect::<Vec<_>>();
    helps.iter().flat_map(|help| help.lines().filter(is_entry).flat_map(entry)).collect()
}

fn sources_below(folder: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
