//! `glasstack cache`: what `--dns-cache` has kept for the next command.

use crate::args::{CacheCommand, CacheFileOptions, CacheOptions};
use crate::dns_cache::{bytes_of, is_empty, text_of};
use crate::failure::{ExitWith, FAILED_INIT};
use crate::{clock, files, names, output};
use anyhow::Context;
use glasstack::dns::DnsName;
use glasstack::dns::cache::file::{self, BadCacheFile, Loaded, Moment};
use glasstack::dns::cache::{Cache, CacheConfig, Kept, Negative};
use glasstack::dns::infrastructure::{EdnsSupport, Infrastructure, InfrastructureConfig, Standing};
use glasstack::journal::{Instant, WallTime};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(options: &CacheOptions) -> anyhow::Result<ExitCode> {
    match &options.command {
        CacheCommand::Show(options) => show(options)?,
        CacheCommand::Flush(options) => flush(options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What a file holds.
struct Opened {
    cache: Cache,
    servers: Infrastructure,
    loaded: Loaded,
    moment: Moment,
}

impl Opened {
    fn of(text: &str, path: &Path) -> anyhow::Result<Self> {
        let shown = || path.display().to_string();
        let wall = wall(text).with_context(shown).exit_with(FAILED_INIT)?;
        let mut cache = Cache::new(CacheConfig { max_bytes: usize::MAX, ..CacheConfig::default() });
        let mut servers = Infrastructure::new(InfrastructureConfig::default());
        let moment = Moment { wall, now: Instant::from_millis(1) };
        let loaded = file::load(text, None, &mut cache, Some(&mut servers), moment);
        let loaded = loaded.with_context(shown).exit_with(FAILED_INIT)?;
        Ok(Self { cache, servers, loaded, moment })
    }
}

/// The time that counts: the lab's stands still between two commands.
fn wall(text: &str) -> Result<WallTime, file::BadCacheFile> {
    let mut cache = Cache::new(CacheConfig::default());
    let loaded =
        file::load(text, None, &mut cache, None, Moment { wall: WallTime::default(), now: Instant::ZERO })?;
    if loaded.provenance.source.starts_with("lab, ") {
        return Ok(loaded.saved);
    }
    Ok(clock::now())
}

fn name_of(options: &CacheFileOptions) -> anyhow::Result<Option<DnsName>> {
    let Some(name) = &options.name else { return Ok(None) };
    let parsed = DnsName::parse(&names::of_a_domain(name)?);
    Ok(Some(parsed.with_context(|| format!("`{name}` is no name")).exit_with(FAILED_INIT)?))
}

fn show(options: &CacheFileOptions) -> anyhow::Result<()> {
    let name = name_of(options)?;
    let text = text_of(&options.dns_cache)?;
    if is_empty(&text) {
        return output::line("; it is empty");
    }
    let Opened { cache, servers, loaded, moment } = Opened::of(&text, &options.dns_cache)?;
    let Loaded { provenance, saved, expired, .. } = loaded;
    output::line(format_args!("; learnt from {}", provenance.source))?;
    output::line(format_args!("; trust anchors: {}", provenance.trust_anchors))?;
    output::line(format_args!("; saved at {}, {expired} expired since", file::date_of(saved)))?;
    for entry in cache.entries(moment.now) {
        if name.as_ref().is_none_or(|name| entry.name().is_within(name)) {
            output::line("")?;
            show_entry(&entry)?;
        }
    }
    let mut known = servers.servers(moment.now).peekable();
    if name.is_none() && known.peek().is_some() {
        output::line("\n; servers")?;
        for (server, standing, edns) in known {
            let speed = match standing {
                Standing::Measured { srtt, .. } => format!("{:.1} ms", srtt.as_secs_f64() * 1e3),
                other => other.to_string(),
            };
            let edns = match edns {
                EdnsSupport::Unknown => String::new(),
                EdnsSupport::Understood { udp_payload } => format!(", EDNS ({udp_payload} bytes)"),
                EdnsSupport::Lacking => ", no EDNS".to_owned(),
            };
            output::line(format_args!("{server} {speed}{edns}"))?;
        }
    }
    Ok(())
}

/// As in a zone file, the TTL being what is left of it; behind it how far that is believed.
fn show_entry(entry: &Kept) -> anyhow::Result<()> {
    match entry {
        Kept::Records(known) => {
            for record in known.records().iter().chain(&known.signatures()) {
                output::line(format_args!("{record} ; {}, {}", known.rank, known.security()))?;
            }
        }
        Kept::Nothing(nothing, record_type) => {
            let what = match nothing.what {
                Negative::NoName => "does not exist".to_owned(),
                Negative::NoData => format!("has no {record_type}"),
            };
            let (name, ttl, security) = (&nothing.name, nothing.ttl, nothing.security);
            output::line(format_args!("; {name} {what}, for {ttl} s, {security}:"))?;
            nothing.proof().iter().try_for_each(output::line)?;
        }
    }
    Ok(())
}

fn flush(options: &CacheFileOptions) -> anyhow::Result<()> {
    let path = &options.dns_cache;
    let shown = path.display();
    let cannot = || format!("cannot write {shown}");
    let Some(name) = name_of(options)? else {
        is_one(path)?;
        files::replace(path, b"").with_context(cannot)?;
        return output::line(format_args!("{shown} is empty now"));
    };
    let text = text_of(path)?;
    let mut count = 0;
    if !is_empty(&text) {
        let Opened { mut cache, servers, loaded, moment } = Opened::of(&text, path)?;
        count = cache.remove(&name, true);
        let text = file::save(&loaded.provenance, &cache, Some(&servers), moment);
        files::replace(path, text.as_bytes()).with_context(cannot)?;
    }
    let are = if count == 1 { "entry is" } else { "entries are" };
    output::line(format_args!("{count} {are} forgotten"))
}

/// Whose word it was does not matter to who forgets it, nor whether all of it can be read; but a file that
/// never was a cache is not emptied.
fn is_one(path: &Path) -> anyhow::Result<()> {
    let bytes = bytes_of(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut cache = Cache::new(CacheConfig::default());
    let moment = Moment { wall: WallTime::default(), now: Instant::ZERO };
    match file::load(&text, None, &mut cache, None, moment) {
        Err(error @ BadCacheFile::NotOne) if !is_empty(&text) => {
            Err(error).with_context(|| path.display().to_string()).exit_with(FAILED_INIT)
        }
        _ => Ok(()),
    }
}
