//! `glasstack resolve`, `cache`, `cert show` and `verify` in the lab, to the letter: each file in `transcripts` holds commands
//! and all that they print. The variable `UPDATE_TRANSCRIPTS` writes them anew; what has changed is then to be read
//! in the difference.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "whether to write is said from outside")]

#[path = "support/ran.rs"]
mod ran;

use ran::Folder;
use std::fmt::Write;
use std::path::Path;

/// A command, then its lines: as they are on stdout, behind `! ` on stderr, and `? ` and the exit code if that is
/// not 0.
fn played(name: &str, transcript: &str) -> String {
    let folder = Folder::new(&format!("transcript-{name}"));
    let mut text = String::new();
    for line in transcript.lines() {
        if line.starts_with('#') {
            writeln!(text, "{line}").unwrap();
        }
        let Some(command) = line.strip_prefix("$ ") else { continue };
        writeln!(text, "{line}").unwrap();
        let arguments = command.strip_prefix("glasstack ").expect("only this program is run here");
        let ran = folder.line(arguments);
        text.push_str(&ran.out);
        ran.err.lines().for_each(|line| writeln!(text, "! {line}").unwrap());
        if ran.code != Some(0) {
            writeln!(text, "? {}", ran.code.unwrap()).unwrap();
        }
        text.push('\n');
    }
    text
}

fn compare(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/transcripts/{name}.txt"));
    let expected = std::fs::read_to_string(&path).unwrap();
    let actual = played(name, &expected);
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        return std::fs::write(path, actual).unwrap();
    }
    if actual != expected {
        let at = actual.lines().zip(expected.lines()).position(|(one, other)| one != other);
        let at = at.unwrap_or(actual.lines().count().min(expected.lines().count()));
        let from = |text: &str| text.lines().skip(at).take(5).collect::<Vec<_>>().join("\n");
        panic!(
            "{name}, from line {}: expected\n{}\nbut there is\n{}\n(UPDATE_TRANSCRIPTS=1 writes it anew)",
            at + 1,
            from(&expected),
            from(&actual)
        );
    }
}

#[test]
fn a_name_is_looked_up_in_any_shape_that_dig_has() {
    compare("resolve");
}

#[test]
fn a_walk_down_from_the_root_is_told_as_dig_traces_it() {
    compare("iterate");
}

#[test]
fn each_step_of_a_walk_has_its_reasons() {
    compare("explain");
}

#[test]
fn what_is_signed_is_validated_and_what_is_bogus_refused_with_the_reason() {
    compare("dnssec");
}

#[test]
fn one_command_after_another_profits_from_what_was_learnt() {
    compare("cache");
}

#[test]
fn certificates_are_shown_and_judged_line_by_line() {
    compare("certificates");
}

#[test]
fn a_story_that_is_printed_is_not_told_a_second_time_unless_that_is_asked_for() {
    let folder = Folder::new("transcript-told-once");
    for shape in ["--iterate", "--explain", "--short", "--all", "--norecurse"] {
        let line = format!("resolve --net lab www.example.test {shape}");
        let ran = folder.line(&line).exits(0);
        assert_eq!(ran.err, "", "{line}");
        folder.line(&format!("{line} -v")).exits(0).says("ARP request");
    }
    folder.line("resolve --net lab www.example.test").exits(0).says("ARP request");
}

#[test]
fn a_cache_that_cannot_be_read_is_flushed_and_what_never_was_one_stays() {
    let folder = Folder::new("transcript-flushed");
    folder.write("names", "");
    folder.line("cache show --dns-cache names").exits(0).prints("; it is empty");
    folder.line("cache flush example.test --dns-cache names").exits(0).prints("0 entries");
    folder.line("resolve -s --net lab --dns-cache names www.example.test").exits(0);
    let whole = folder.text("names");
    let (first, _) = whole.split_once('\n').unwrap();
    for broken in
        [format!("{first}\nwhat is this?\n").into_bytes(), [first.as_bytes(), b"\n\xff\xfe"].concat()]
    {
        folder.write("names", broken);
        folder.line("cache show --dns-cache names").exits(2);
        folder.line("cache flush --dns-cache names").exits(0).prints("names is empty now");
        folder.line("cache show --dns-cache names").exits(0).prints("; it is empty");
    }
    folder.line("resolve -s --net lab --dns-cache names www.example.test").exits(0);
    for other in [b"#!/bin/sh\n".as_slice(), b"\xff\xfe\n"] {
        folder.write("other", other);
        folder.line("cache flush --dns-cache other").exits(2).says("it is no DNS cache");
        assert_eq!(folder.read("other"), other);
    }
}
