//! Zone files with a mistake in them, made at random out of those of `zone_files/`: ours and BIND's
//! `named-checkzone` have to take the same ones, with the same records.
//!
//! `ZONE_MUTATIONS` says how many (60), `ZONE_MUTATIONS_FROM` which is the first.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test")]

use glasstack_dns::{BadZoneFile, Zone, ZoneFileOptions};
use glasstack_dns::{DnsName, Record};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The numbers of one case, the same in each run (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zone_files")
}

/// Files of the zone example.test, without what they say about themselves.
fn corpus() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "zone"));
    files.sort();
    let texts = files.into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    texts.filter(|(_, text)| !text.starts_with("; origin") && !text.contains("\n; origin")).collect()
}

/// A text with something changed in it.
fn mutated(text: &str, others: &[(String, String)], chance: &mut Chance) -> String {
    const WORDS: [&str; 34] = [
        "A",
        "AAAA",
        "NS",
        "CNAME",
        "MX",
        "TXT",
        "SOA",
        "IN",
        "CH",
        "@",
        ".",
        "*",
        "192.0.2.9",
        "::1",
        "60",
        "1h",
        "-1",
        "0",
        "65536",
        "4294967296",
        "$TTL",
        "$ORIGIN",
        "sub",
        "x.",
        "\"q q\"",
        "\\#",
        "(",
        ")",
        ";",
        "DS",
        "SRV",
        "PTR",
        "\\000",
        "a..b",
    ];
    const CHARACTERS: [&str; 20] = [
        "\n", " ", "\t", "\"", "\\", "(", ")", ";", ".", "@", "$", "*", "0", "9", "a", "-", "_", "/", "=",
        ",",
    ];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=chance.below(2) {
        let at = chance.below(lines.len());
        match chance.below(8) {
            0 => {
                lines.remove(at);
            }
            1 => {
                let line = lines[at].clone();
                lines.insert(chance.below(lines.len()), line);
            }
            2 => {
                let (_, other) = chance.one_of(others);
                let other: Vec<&str> = other.lines().collect();
                let line = chance.one_of(&other).to_owned();
                lines.insert(at, line);
            }
            3 | 4 => {
                let mut words: Vec<String> = lines[at].split(' ').map(str::to_owned).collect();
                let place = chance.below(words.len());
                match chance.below(3) {
                    0 => words[place] = chance.one_of(&WORDS).to_owned(),
                    1 => words.insert(place, chance.one_of(&WORDS).to_owned()),
                    _ => {
                        words.remove(place);
                    }
                }
                lines[at] = words.join(" ");
            }
            5 => lines[at].push_str(chance.one_of(&CHARACTERS)),
            _ => {
                let places: Vec<usize> = lines[at].char_indices().map(|(at, _)| at).collect();
                if places.is_empty() {
                    continue;
                }
                let place = chance.one_of(&places);
                if chance.below(2) == 0 {
                    lines[at].remove(place);
                }
                lines[at].insert_str(place, chance.one_of(&CHARACTERS));
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n") + "\n"
}

fn parse(text: &str) -> Result<Zone, BadZoneFile> {
    let origin = DnsName::parse("example.test").unwrap();
    let include = |path: &str| fs::read_to_string(folder().join(path)).map_err(|error| error.to_string());
    let options = ZoneFileOptions { include: &include, ..ZoneFileOptions::new(&origin, "mutated") };
    Zone::parse(text, &options).map(|(zone, _)| zone)
}

fn named_checkzone(path: &Path) -> Result<String, String> {
    let output = Command::new("named-checkzone")
        .args(["-i", "local", "-D", "-o", "-", "example.test"])
        .arg(path)
        .current_dir(folder())
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(out) } else { Err(err + &out) }
}

fn records(zone: &Zone) -> BTreeSet<String> {
    zone.records().map(Record::to_string).collect()
}

/// What is judged otherwise, and why.
fn is_meant(ours: Option<&BadZoneFile>, theirs: Option<&str>) -> bool {
    // BIND's EUI48 and EUI64 end where a number does, whatever follows.
    let lax = ours.is_some_and(|error| error.cause.contains("in hexadecimal with hyphens between"));
    let _ = theirs;
    lax
}

#[test]
fn files_with_mistakes_are_judged_as_bind_judges_them() {
    if !Command::new("named-checkzone").arg("-v").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: named-checkzone is not installed (package bind9-utils)");
        return;
    }
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (from, many) = (number("ZONE_MUTATIONS_FROM", 0), number("ZONE_MUTATIONS", 60));
    let corpus = corpus();
    let good: Vec<(String, String)> =
        corpus.iter().filter(|(name, _)| !name.starts_with("bad_")).cloned().collect();
    let path = std::env::temp_dir().join(format!("glasstack-mutated-{}.zone", std::process::id()));
    let mut taken = 0;
    let mut failures = Vec::new();
    for case in from..from + many {
        let mut chance = Chance(case);
        let (name, text) = chance.one_of(&good);
        let text = mutated(&text, &corpus, &mut chance);
        fs::write(&path, &text).unwrap();
        let why = match (parse(&text), named_checkzone(&path)) {
            (Err(_), Err(_)) => continue,
            (Ok(zone), Ok(dump)) => {
                taken += 1;
                match parse(&dump) {
                    Ok(theirs) if records(&theirs) == records(&zone) => continue,
                    Ok(theirs) => {
                        let (ours, theirs) = (records(&zone), records(&theirs));
                        let only = |these: &BTreeSet<String>, those| {
                            these.difference(those).cloned().collect::<Vec<_>>().join("\n")
                        };
                        format!("only ours: {}\nonly BIND's: {}", only(&ours, &theirs), only(&theirs, &ours))
                    }
                    Err(error) => format!("BIND's dump is refused: {error}"),
                }
            }
            (Err(error), Ok(_)) if is_meant(Some(&error), None) => continue,
            (Ok(_), Err(error)) if is_meant(None, Some(&error)) => continue,
            (Err(error), Ok(_)) => format!("only BIND takes it: {error}"),
            (Ok(_), Err(error)) => format!("only BIND refuses it: {error}"),
        };
        failures.push(format!("--- {case} from {name}: {why}\n{text}"));
    }
    let _ = fs::remove_file(&path);
    eprintln!("{taken} of {many} taken by both");
    assert!(failures.is_empty(), "{}\n{} differ", failures.join("\n"), failures.len());
}
