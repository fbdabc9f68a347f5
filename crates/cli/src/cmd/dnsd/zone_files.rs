//! Zone files: read, checked, and what is wrong with them told by file and line.

use super::{BAD_ZONE, warn};
use crate::args::ZoneFile;
use crate::failure::coded;
use crate::files::read_bounded;
use crate::output;
use anyhow::{Context, anyhow};
use glasstack::dns::server::{Zone, ZoneFileOptions, Zones};
use glasstack::dns::{DnsName, RecordData};
use std::path::Path;

/// The largest zone file, in bytes.
const LARGEST_ZONE_FILE: u64 = 1 << 30;

/// The zones in the files. `told`: what was read is said, as named-checkzone says it.
pub(super) fn load(files: &[ZoneFile], told: bool) -> anyhow::Result<Zones> {
    let mut zones: Vec<Zone> = Vec::new();
    for file in files {
        let zone = zone(file).map_err(|error| coded(BAD_ZONE, error))?;
        if zones.iter().any(|other| other.origin() == zone.origin()) {
            let text = format!("{}: the zone {} is in another file, too", file.path.display(), zone.origin());
            return Err(coded(BAD_ZONE, anyhow!(text)));
        }
        if told {
            let serial = match &zone.soa().data {
                RecordData::Soa(soa) => soa.serial,
                _ => 0,
            };
            output::line(format_args!("zone {}/IN: loaded serial {serial}", zone.origin()))?;
        }
        zones.push(zone);
    }
    if told {
        output::line("OK")?;
    }
    Ok(Zones::new(zones))
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
