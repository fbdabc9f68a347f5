//! Zone files: read, checked, and what is wrong with them told by file and line.

use super::{BAD_ZONE, warn};
use crate::args::ZoneFile;
use crate::failure::{coded, tell};
use crate::files::read_bounded;
use crate::output;
use anyhow::{Context, anyhow};
use glasstack::dns::DnsName;
use glasstack::dns::server::Zones;
use glasstack::dns::{Zone, ZoneFileOptions};
use std::path::Path;

/// The largest zone file, in bytes.
const LARGEST_ZONE_FILE: u64 = 1 << 30;

/// The zones in the files.
pub(super) fn load(files: &[ZoneFile]) -> anyhow::Result<Zones> {
    let mut zones: Vec<Zone> = Vec::new();
    for file in files {
        let zone = zone(file).and_then(|zone| only_once(file, zone, zones.iter().map(Zone::origin)));
        zones.push(zone.map_err(|error| coded(BAD_ZONE, error))?);
    }
    Ok(Zones::new(zones))
}

/// Says of each file which zone it holds, or what is wrong with it, as named-checkzone does. The exit code.
pub(super) fn check(files: &[ZoneFile]) -> anyhow::Result<u8> {
    let mut origins: Vec<DnsName> = Vec::new();
    let mut code = 0;
    for file in files {
        match zone(file).and_then(|zone| only_once(file, zone, origins.iter())) {
            Ok(zone) => {
                output::line(format_args!("zone {}/IN: loaded serial {}", zone.origin(), zone.serial()))?;
                origins.push(zone.origin().clone());
            }
            Err(error) => {
                tell(&error);
                code = BAD_ZONE;
            }
        }
    }
    if code == 0 {
        output::line("OK")?;
    }
    Ok(code)
}

fn only_once<'z>(
    file: &ZoneFile,
    zone: Zone,
    mut others: impl Iterator<Item = &'z DnsName>,
) -> anyhow::Result<Zone> {
    let (path, origin) = (file.path.display(), zone.origin());
    anyhow::ensure!(!others.any(|other| other == origin), "{path}: the zone {origin} is given twice");
    Ok(zone)
}

fn zone(file: &ZoneFile) -> anyhow::Result<Zone> {
    let text = text_of(&file.path)?;
    let shown = file.path.display().to_string();
    let origin = match &file.name {
        Some(name) => DnsName::parse(name).with_context(|| format!("--zone {name}: this is no name"))?,
        None => origin_in(&text).with_context(|| {
            format!("{shown}: the file does not say which zone it is: say it, as --zone example.test={shown}")
        })?,
    };
    let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
    let include = |path: &str| text_of(&folder.join(path)).map_err(|error| format!("{error:#}"));
    let options = ZoneFileOptions { origin: &origin, file: &shown, include: &include, default_ttl: None };
    let (zone, warnings) = Zone::parse(&text, &options)?;
    warnings.iter().for_each(warn);
    Ok(zone)
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let bytes = read_bounded(path, LARGEST_ZONE_FILE)?;
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        anyhow!("{}:{line}: this is not UTF-8: write such bytes as \\DDD, in decimal", path.display())
    })
}

/// The name of the zone in a file: the first `$ORIGIN`, or whose SOA record it is, if that is complete.
fn origin_in(text: &str) -> Option<DnsName> {
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let named = if first.eq_ignore_ascii_case("$ORIGIN") {
            words.next()
        } else if words.any(|word| word.eq_ignore_ascii_case("SOA")) && !line.starts_with([' ', '\t']) {
            Some(first)
        } else {
            continue;
        };
        return named.filter(|name| name.ends_with('.')).and_then(|name| DnsName::parse(name).ok());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_file_says_which_zone_it_is_by_its_origin_or_its_soa() {
        let origin = |text: &str| origin_in(text).map(|name| name.to_string());
        assert_eq!(origin("; a zone\n$TTL 300\n$ORIGIN Example.test.\n@ SOA ...").unwrap(), "example.test");
        assert_eq!(origin("example.test. 300 IN soa ns ...\n$ORIGIN other.test.").unwrap(), "example.test");
        assert_eq!(origin(". SOA a. b. 1 2 3 4 5").unwrap(), ".");
        assert_eq!(origin("@ IN SOA ns hostmaster 1 2 3 4 5"), None);
        assert_eq!(origin("$ORIGIN example.test\n@ SOA ..."), None, "relative to what?");
    }
}
