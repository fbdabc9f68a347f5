//! The zone files of `zone_files.txt`, as files, with named-checkzone's judgement.

use crate::support::{Network, Ran};
use std::collections::BTreeSet;
use std::process::Command;

const CORPUS: &str = include_str!("zone_files.txt");
const SOA: &str = "@ SOA ns hostmaster 1 3600 600 86400 60";
const NS: &str = "@ NS ns\nns A 192.0.2.53";
/// What the zones are called in the texts; here each has a name of its own, as long as this.
const ORIGIN: &str = "example.test";
const INCLUDED: &str = "in A 192.0.2.11\n  TXT \"included\"\n@ TXT \"at the origin\"\n";

/// A zone file.
pub(crate) struct ZoneFile {
    /// What is particular about it.
    pub(crate) name: &'static str,
    /// The zone's name.
    pub(crate) origin: String,
    /// Where it lies.
    pub(crate) path: String,
    /// Its records with their TTL, if named-checkzone accepts it, and what that says.
    pub(crate) judged: Result<BTreeSet<String>, String>,
}

/// All of them, written into the network's folder.
pub(crate) fn all(network: &Network) -> Vec<ZoneFile> {
    network.write("corpus/included.zone", INCLUDED);
    let files = CORPUS.split("\n### ").skip(1).enumerate();
    files
        .map(|(number, text)| {
            let (name, text) = text.split_once('\n').unwrap_or((text, ""));
            let text = text.split("<END>").next().unwrap_or_default();
            let text = text.replace("<SOA>", SOA).replace("<NS>", NS).replace("<CR>", "\r");
            let text = text.replace("<63>", &"x".repeat(63)).replace("<255>", &"y".repeat(255));
            let label = format!("zone-{number:02}");
            let text = text.replace("<NAME>", &label).replace("<FOLDER>", &network.path("corpus"));
            let origin = format!("{label}.test");
            let path = network.write(&format!("corpus/{origin}"), text.replace(ORIGIN, &origin));
            let judged = check(&origin, &path, &network.path("corpus"));
            ZoneFile { name, origin, path, judged }
        })
        .collect()
}

/// Those with which the library is tested, under names of their own; without those that include others, and
/// those with single records of DNSSEC that sign nothing.
pub(crate) fn of_the_library(network: &Network) -> Vec<ZoneFile> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../dns/tests/zone_files");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zone"));
    paths.sort();
    let texts = paths.iter().map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
    let special = ["$INCLUDE", "; origin ", "NSEC", " DS "];
    let usual = texts.filter(|text| !special.iter().any(|word| text.contains(word)));
    usual
        .enumerate()
        .map(|(number, text)| {
            let origin = format!("file-{number:02}.test");
            let path = network.write(&format!("library/{origin}"), text.replace(ORIGIN, &origin));
            let judged = check(&origin, &path, &network.path("library"));
            ZoneFile { name: "", origin, path, judged }
        })
        .collect()
}

impl ZoneFile {
    /// Where the zone lies as named-checkzone writes it, without directives.
    pub(crate) fn written(&self) -> String {
        format!("{}.dump", self.path)
    }
}

/// named-checkzone's judgement, and the zone as it writes it.
fn check(origin: &str, path: &str, folder: &str) -> Result<BTreeSet<String>, String> {
    let dump = format!("{path}.dump");
    let mut command = Command::new("named-checkzone");
    command.args(["-w", folder, "-D", "-s", "full", "-o", &dump, origin, path]);
    let ran = Ran::of(&mut command);
    if ran.code != Some(0) {
        return Err(ran.out + &ran.err);
    }
    let text = std::fs::read_to_string(&dump).unwrap();
    Ok(text.lines().filter_map(super::dig::record).map(|(ttl, record)| plain(ttl, &record)).collect())
}

/// A record without the spaces that may stand anywhere in keys and signatures.
pub(crate) fn plain(ttl: u32, record: &str) -> String {
    format!("{ttl} {}", record.replace(' ', ""))
}

impl ZoneFile {
    /// The line at which named-checkzone found something wrong, if it was at one.
    pub(crate) fn wrong_line(&self) -> Option<&str> {
        let said = self.judged.as_ref().err()?;
        let (_, behind) = said.split_once(&format!("{}:", self.path))?;
        behind.split(':').next()
    }
}
