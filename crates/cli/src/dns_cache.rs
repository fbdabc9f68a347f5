//! `--dns-cache`: what a command has learnt is known to the next one.

use crate::failure::{ExitWith, FAILED_INIT};
use crate::files::{self, read_bounded};
use anyhow::Context;
use glasstack::dns::cache::file::Provenance;
use glasstack::dns::{Resolver, ResolverConfig};
use std::path::{Path, PathBuf};

/// The largest file, in bytes.
const LARGEST: u64 = 256 << 20;

/// A resolver whose cache is kept in a file.
pub(crate) struct DnsCache {
    path: PathBuf,
    provenance: Provenance,
    resolver: Resolver,
}

impl DnsCache {
    /// Lets `resolver` know what is in the file, if it is there.
    pub(crate) fn open(path: &Path, provenance: Provenance, resolver: &Resolver) -> anyhow::Result<Self> {
        if files::metadata(path).is_ok() {
            let text = text_of(path)?;
            if !is_empty(&text) {
                let loaded = resolver.load_cache(&text, &provenance);
                loaded.with_context(|| format!("--dns-cache {}", path.display())).exit_with(FAILED_INIT)?;
            }
        }
        Ok(Self { path: path.to_owned(), provenance, resolver: resolver.clone() })
    }

    /// Writes down what is known by now.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let text = self.resolver.save_cache(&self.provenance);
        let cannot = || format!("--dns-cache: cannot write {}", self.path.display());
        files::replace(&self.path, text.as_bytes()).with_context(cannot)
    }
}

/// Whether nothing is known of anything, as in a file that has been flushed or just made.
pub(crate) fn is_empty(text: &str) -> bool {
    text.trim().is_empty()
}

/// What the file holds, whatever that is.
pub(crate) fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_bounded(path, LARGEST)
}

/// What the file says.
pub(crate) fn text_of(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(bytes_of(path)?).map_err(|_| {
        anyhow::anyhow!(
            "{}: it is no DNS cache: it is not even text (UTF-8); name another file",
            path.display()
        )
    });
    text.exit_with(FAILED_INIT)
}

/// Whose word a resolver of this kind takes, on the network that `place` names (`lab, seed 1, `; nothing for
/// the real one).
pub(crate) fn provenance(place: &str, config: &ResolverConfig) -> Provenance {
    let (who, addresses) = match &config.iterate {
        Some(walk) => {
            let servers = walk.hints.servers().iter().flat_map(|server| server.addresses.iter());
            ("the root servers", servers.map(ToString::to_string).collect::<Vec<_>>())
        }
        None => {
            let servers = config.servers.iter().map(ToString::to_string).collect();
            (if config.servers.len() == 1 { "name server" } else { "name servers" }, servers)
        }
    };
    let source = match addresses.is_empty() {
        true => format!("{place}nobody"),
        false => format!("{place}{who} {}", addresses.join(" ")),
    };
    let anchors = config.validate.as_ref();
    Provenance { source, trust_anchors: anchors.map_or("none".to_owned(), ToString::to_string) }
}
