//! Zone files, one by one: what ours makes of them and what BIND's `named-checkzone` does.
//!
//! Each file of `zone_files/` says in its first comments what is expected: `origin NAME` (example.test if
//! it is not said), `bad TEXT` for what the error must hold, `warning TEXT` likewise, `differs REASON`
//! where BIND judges otherwise and we mean to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use glasstack_dns::zonefile::Warning;
use glasstack_dns::{BadZoneFile, Zone, ZoneFileOptions};
use glasstack_dns::{DnsName, Record};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file and what it says about itself.
struct Case {
    path: PathBuf,
    text: String,
    origin: DnsName,
    bad: Option<String>,
    warnings: Vec<String>,
    differs: bool,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap();
        let said = |word: &str| {
            let head = text.lines().take_while(|line| line.starts_with("; "));
            let found: Vec<String> = head
                .filter_map(|line| line.strip_prefix("; ")?.strip_prefix(word)?.strip_prefix(' '))
                .map(str::to_owned)
                .collect();
            found
        };
        let origin = said("origin").pop().unwrap_or_else(|| "example.test".to_owned());
        Self {
            origin: DnsName::parse(&origin).unwrap(),
            bad: said("bad").pop(),
            warnings: said("warning"),
            differs: !said("differs").is_empty(),
            path,
            text,
        }
    }

    fn name(&self) -> &str {
        self.path.file_stem().and_then(|name| name.to_str()).unwrap()
    }

    fn parse(&self, text: &str) -> Result<(Zone, Vec<Warning>), BadZoneFile> {
        let include =
            |path: &str| fs::read_to_string(folder().join(path)).map_err(|error| error.kind().to_string());
        let options =
            ZoneFileOptions { include: &include, ..ZoneFileOptions::new(&self.origin, self.name()) };
        Zone::parse(text, &options)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zone_files")
}

fn cases() -> Vec<Case> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "zone")).collect();
    files.sort();
    files.into_iter().map(Case::read).collect()
}

/// What BIND says: its dump, or what it has against the file.
fn named_checkzone(origin: &DnsName, path: &Path) -> Result<String, String> {
    let output = Command::new("named-checkzone")
        .args(["-i", "local", "-D", "-o", "-", &origin.to_string()])
        .arg(path)
        .current_dir(folder())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr) + &text(output.stdout))
    }
}

fn is_installed() -> bool {
    Command::new("named-checkzone").arg("-v").output().is_ok_and(|output| output.status.success())
}

/// A dump's records, a line each, without what only the eye needs.
fn lines(dump: &str) -> BTreeSet<String> {
    let lines = dump.lines().filter(|line| !line.starts_with(';'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()).collect()
}

fn records(zone: &Zone) -> BTreeSet<String> {
    zone.records().map(Record::to_string).collect()
}

#[test]
fn each_file_is_taken_or_refused_as_it_says() {
    let mut failures = Vec::new();
    for case in cases() {
        let said = match case.parse(&case.text) {
            Ok((_, warnings)) if case.bad.is_none() => {
                let all: Vec<String> = warnings.iter().map(ToString::to_string).collect();
                let missing = case.warnings.iter().find(|w| !all.iter().any(|said| said.contains(*w)));
                missing.map(|missing| format!("no warning says {missing:?}: {all:#?}"))
            }
            Ok(_) => Some("taken".to_owned()),
            Err(error) => {
                let text = error.to_string();
                let expected = case.bad.as_ref().is_some_and(|bad| text.contains(bad));
                (!expected).then_some(text)
            }
        };
        failures.extend(said.map(|said| format!("{}: {said}", case.name())));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn all_bad_records_of_a_file_are_told_of_up_to_twenty() {
    let top = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n";
    let origin = DnsName::parse("example.test").unwrap();
    let lines = |text: &str| -> Vec<usize> {
        let error = Zone::parse(text, &ZoneFileOptions::new(&origin, "f")).unwrap_err();
        assert_eq!(error.to_string().lines().count(), 1 + error.others.len());
        std::iter::once(error.line).chain(error.others.iter().map(|other| other.line)).collect()
    };
    assert_eq!(lines(&format!("{top}a AA 1.2.3.4\nb A 192.0.2.1\n AAAA ::x\nc 1x A 192.0.2.1\n")), [5, 7, 8]);
    assert_eq!(lines(&format!("{top}{}", "a A b\n".repeat(100))), (5..25).collect::<Vec<_>>());
    // What comes behind is read as it is not meant.
    assert_eq!(lines(&format!("{top}a A b\n$ORIGIN x..y\nc A d\n")), [5, 6]);
    // One thing is told once.
    assert_eq!(lines("a A 192.0.2.1\nb A 192.0.2.1\n"), [1]);
}

/// docs/dnsd.md shows what a zone file may hold.
#[test]
fn the_zone_file_of_the_page_about_dnsd_is_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dnsd.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, text) = page.split_once("```text\n$ORIGIN").unwrap();
    let text = format!("$ORIGIN{}", text.split_once("```").unwrap().0);
    let origin = DnsName::parse("example.test").unwrap();
    let include = |_: &str| Ok("gate A 192.0.2.7\n".to_owned());
    let options = ZoneFileOptions { include: &include, ..ZoneFileOptions::new(&origin, "page") };
    let (zone, warnings) = Zone::parse(&text, &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    let records = zone.to_text();
    for expected in [
        "*.pages.example.test. 3600 IN CNAME www.example.test.",
        "www.example.test. 60 IN AAAA 2001:db8::80",
        "gate.lab.example.test. 3600 IN A 192.0.2.7",
        "pc-3.example.test. 3600 IN A 192.0.2.3",
        r#"text.example.test. 3600 IN TXT "one string; with a semicolon" "and \"another\"" "dA""#,
        r"what.example.test. 3600 IN TYPE731 \# 3 abcdef",
    ] {
        assert!(records.lines().any(|line| line.eq_ignore_ascii_case(expected)), "{expected}\n{records}");
    }
}

#[test]
fn a_zone_written_out_is_read_again_as_the_same_zone() {
    for case in cases() {
        let Ok((zone, _)) = case.parse(&case.text) else { continue };
        let (again, warnings) = case.parse(&zone.to_text()).unwrap();
        assert_eq!(records(&again), records(&zone), "{}", case.name());
        let about_form = |warning: &&Warning| warning.cause.contains("TTL");
        assert_eq!(warnings.iter().find(about_form), None, "{}", case.name());
    }
}

#[test]
fn bind_judges_each_file_alike_and_finds_the_same_records() {
    if !is_installed() {
        eprintln!("skipped: named-checkzone is not installed (package bind9-utils)");
        return;
    }
    let mut failures = Vec::new();
    let written = std::env::temp_dir().join(format!("glasstack-zone-{}", std::process::id()));
    for case in cases().into_iter().filter(|case| !case.differs) {
        let name = case.name();
        match (case.parse(&case.text), named_checkzone(&case.origin, &case.path)) {
            (Err(_), Err(_)) => {}
            (Ok(_), Err(why)) => failures.push(format!("{name}: BIND refuses it: {why}")),
            (Err(why), Ok(_)) => failures.push(format!("{name}: BIND takes it, and we say {why}")),
            (Ok((zone, _)), Ok(dump)) => {
                match case.parse(&dump) {
                    Ok((theirs, _)) if records(&theirs) == records(&zone) => {}
                    Ok((theirs, _)) => failures.push(difference(name, &records(&zone), &records(&theirs))),
                    Err(error) => failures.push(format!("{name}: BIND's dump is refused: {error}")),
                }
                // BIND reads what we write, and dumps it as it dumps the file.
                fs::write(&written, zone.to_text()).unwrap();
                match named_checkzone(&case.origin, &written) {
                    Ok(ours) if lines(&ours) == lines(&dump) => {}
                    Ok(ours) => failures.push(difference(name, &lines(&ours), &lines(&dump))),
                    Err(why) => failures.push(format!("{name}: BIND refuses what we write: {why}")),
                }
            }
        }
    }
    let _ = fs::remove_file(written);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn difference(name: &str, ours: &BTreeSet<String>, theirs: &BTreeSet<String>) -> String {
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).cloned().collect::<Vec<_>>().join("\n    ")
    };
    format!("{name}: only ours\n    {}\n  only BIND's\n    {}", only(ours, theirs), only(theirs, ours))
}
