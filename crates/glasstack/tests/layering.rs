//! The architecture as docs/ARCHITECTURE.md tells it, compared with what is there: who depends on
//! whom by `cargo metadata`, and what must not be found by the sources themselves.

#![allow(clippy::panic, reason = "a test may fail")]

mod source;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A crate's or library's name, and the names beside it in a table.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_crate_depends_on_exactly_the_crates_that_the_table_names() {
    let told = table("## The crates", 0, 2);
    let metadata = metadata();
    let is: Table = members(&metadata)
        .map(|(name, package)| {
            let inner = normal_dependencies(package).filter_map(|dependency| short(&dependency));
            (name, inner.collect())
        })
        .collect();
    assert_eq!(is, told, "cargo metadata (left) against the table of docs/ARCHITECTURE.md (right)");
}

#[test]
fn a_library_that_belongs_to_one_crate_is_known_to_no_other() {
    let told = table("## What stays inside one crate", 0, 1);
    assert!(told.contains_key("smoltcp"), "the table was not found");
    let metadata = metadata();
    for (library, owners) in told {
        let knows = |package: &Package| normal_dependencies(package).any(|dependency| dependency == library);
        let knowing: BTreeSet<String> =
            members(&metadata).filter(|(_, package)| knows(package)).map(|(name, _)| name).collect();
        assert!(
            knowing.is_subset(&owners),
            "{library} is to be known to {owners:?} alone, not to {knowing:?}"
        );
    }
}

/// Paths that no source may name, the crates that may nevertheless, and why it is so.
const ABSENT: &[(&str, &[&str], &str)] = &[
    ("std::time::Instant", &["uplink", "cli"], "time is an input: the world's Clock"),
    ("SystemTime::now", &["uplink", "cli"], "time is an input: the world's Clock"),
    ("std::thread", &["uplink", "cli"], "a world is one thread"),
    ("net::TcpStream", &[], "connections are made on our own stack"),
    ("net::TcpListener", &[], "connections are accepted on our own stack"),
    ("net::UdpSocket", &[], "datagrams go over our own stack"),
    ("std::fs", &["uplink", "cli", "examples"], "files reach the libraries as bytes"),
    ("getrandom", &["uplink"], "chance is an input: the world's Entropy"),
    ("OsRng", &["uplink"], "chance is an input: the world's Entropy"),
    ("thread_rng", &["uplink"], "chance is an input: the world's Entropy"),
    ("std::process", &["uplink", "cli", "examples"], "a library neither ends the process nor starts another"),
    ("std::env", &["uplink", "cli", "examples"], "a library is told what it needs"),
];

#[test]
fn no_source_names_what_its_crate_must_not_touch() {
    let mut found = Vec::new();
    for_every_source(|krate, file, source| {
        for (path, allowed, why) in ABSENT {
            let gateways =
                path.starts_with("net::") && file.components().any(|part| part.as_os_str() == "os");
            let allowed = allowed.contains(&krate) || krate == "uplink" && gateways;
            if !allowed && source.names(path) {
                found.push(format!("{}: {path} ({why})", file.display()));
            }
        }
    });
    assert!(found.is_empty(), "outside tests:\n{}", found.join("\n"));
}

#[test]
fn only_the_virtual_network_has_randomness_that_can_be_repeated() {
    let mut answers = Vec::new();
    for_every_source(|krate, file, source| {
        for body in source.bodies_of("is_reproducible") {
            answers.push((krate.to_owned(), file.to_owned(), body));
        }
    });
    assert!(answers.iter().any(|(krate, ..)| krate == "uplink"), "none found in uplink: {answers:?}");
    for (krate, file, body) in answers {
        assert!(krate == "sim" || body == "false", "{}: is_reproducible gives {body}", file.display());
    }
}

/// Hands over every source file of every member, with its crate's short name.
fn for_every_source(mut visit: impl FnMut(&str, &Path, &Source)) {
    let metadata = metadata();
    for (name, package) in members(&metadata) {
        let folder = package.manifest_path.parent().expect("a manifest is in a folder").join("src");
        let mut files = Vec::new();
        collect(folder.as_std_path(), &mut files);
        assert!(!files.is_empty(), "{name} has no sources in {folder}");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            visit(
                &name,
                &file,
                &Source::parse(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display())),
            );
        }
    }
}

/// Rust sources below a folder. A file or folder called `tests` holds a module of tests.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("tests") => {}
            _ if path.is_dir() => collect(&path, files),
            _ if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            _ => {}
        }
    }
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo metadata works")
}

fn members(metadata: &Metadata) -> impl Iterator<Item = (String, &Package)> {
    metadata.workspace_packages().into_iter().map(|package| {
        let name = package.name.as_str();
        (short(name).unwrap_or_else(|| name.to_owned()), package)
    })
}

fn normal_dependencies(package: &Package) -> impl Iterator<Item = String> {
    let normal = |kind: DependencyKind| kind == DependencyKind::Normal;
    package.dependencies.iter().filter(move |one| normal(one.kind)).map(|one| one.name.clone())
}

/// `stack` of `glasstack-stack`; the facade's name is its own. None: another project's package.
fn short(package: &str) -> Option<String> {
    match package {
        "glasstack" => Some(package.to_owned()),
        _ => package.strip_prefix("glasstack-").map(str::to_owned),
    }
}

/// Two columns of the first table below `heading`: the name in one, the `quoted` names in the other.
fn table(heading: &str, key: usize, value: usize) -> Table {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("the page is there");
    let rows = text.lines().skip_while(|line| *line != heading).skip_while(|line| !line.starts_with('|'));
    rows.take_while(|line| line.starts_with('|'))
        .skip(2)
        .filter_map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            Some((quoted(cells.get(key)?).pop_first()?, quoted(cells.get(value)?)))
        })
        .collect()
}

fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
