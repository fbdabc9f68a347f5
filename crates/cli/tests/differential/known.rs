//! The differences between curl and `glasstack get` that are meant, or not worth mending, each with
//! its reason. `differential.rs` fails when one of them no longer shows.

/// Why two outcomes differ, and where: the request, and which of its outcomes (`exit code`, `stdout`,
/// `file NAME`, `-w NAME`, `sent N`, `uploaded NAME`; a star at the end stands for anything).
struct Known {
    reason: &'static str,
    shows: &'static [(&'static str, &'static str)],
}

/// Whose habits these are: Debian 12's curl. Others have others.
pub(crate) const CURL: &str = "curl 7.88.";

const KNOWN: &[Known] = &[];

/// The requests and outcomes of all.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().flat_map(|known| known.shows.iter().copied())
}

/// The outcomes of a request that are known to differ, each with its reason.
pub(crate) fn of(case: &str) -> Vec<(&'static str, &'static str)> {
    let rows = KNOWN
        .iter()
        .flat_map(|known| known.shows.iter().map(|(name, things)| (*name, *things, known.reason)));
    rows.filter(|(name, _, _)| *name == case).map(|(_, things, reason)| (things, reason)).collect()
}
