//! `--revocation-cache`: revocation lists and OCSP answers in a file, for as long as they are good.

use crate::failure::{ExitWith, FAILED_INIT};
use crate::files::{read_bounded, replace};
use anyhow::Context;
use glasstack::journal::{Note, Scope};
use glasstack::tls::revocation::RevocationCache;
use std::io::ErrorKind;
use std::path::Path;

/// The largest file, in bytes: what a cache holds at most, and some more.
const LARGEST: u64 = 65 << 20;

/// What is in a file; nothing if there is none yet, or if it is empty.
pub(crate) fn open(path: &Path, scope: &Scope) -> anyhow::Result<RevocationCache> {
    let cache = RevocationCache::default();
    let shown = || format!("--revocation-cache {}", path.display());
    let bytes = match read_bounded(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if is_missing(&error) => return Ok(cache),
        Err(error) => return Err(error).with_context(shown).exit_with(FAILED_INIT),
    };
    if bytes.is_empty() {
        return Ok(cache);
    }
    let unusable = cache.add_bytes(&bytes).with_context(shown).exit_with(FAILED_INIT)?;
    if unusable > 0 {
        let text = format!("{}: {unusable} of its entries cannot be used, and are left out", shown());
        scope.record(|| Note::warning(text));
    }
    Ok(cache)
}

/// Writes all that is known now.
pub(crate) fn save(path: &Path, cache: &RevocationCache) -> anyhow::Result<()> {
    let written = replace(path, &cache.to_bytes());
    written.with_context(|| format!("--revocation-cache: cannot write {}", path.display()))
}

fn is_missing(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|error| error.kind() == ErrorKind::NotFound)
}
