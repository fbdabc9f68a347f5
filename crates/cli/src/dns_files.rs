//! Files that say how names are found out: whom to believe, where the walk down begins.

use crate::args::MinimisationChoice;
use crate::failure::{ExitWith, FAILED_INIT, usage};
use crate::files::read_bounded;
use anyhow::Context;
use glasstack::dns::RootHints;
use glasstack::dns::dnssec::TrustAnchors;
use glasstack::dns::iterate::Minimisation;
use std::path::Path;

/// The largest file of root hints or trust anchors, in bytes.
const LARGEST: u64 = 1 << 20;

/// `--trust-anchor`: DS or DNSKEY records.
pub(crate) fn trust_anchors(path: &Path) -> anyhow::Result<TrustAnchors> {
    let shown = || format!("--trust-anchor {}", path.display());
    let anchors = TrustAnchors::parse(&text_of(path)?).with_context(shown).exit_with(FAILED_INIT)?;
    if anchors.is_empty() {
        return Err(usage(format!("{}: it holds no DS and no DNSKEY record", shown())));
    }
    Ok(anchors)
}

/// `--root-hints`: NS records of the root and their addresses, as in named.root.
pub(crate) fn root_hints(path: &Path) -> anyhow::Result<RootHints> {
    let shown = || format!("--root-hints {}", path.display());
    RootHints::parse(&text_of(path)?).with_context(shown).exit_with(FAILED_INIT)
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    Ok(String::from_utf8_lossy(&read_bounded(path, LARGEST)?).into_owned())
}

impl From<MinimisationChoice> for Minimisation {
    fn from(choice: MinimisationChoice) -> Self {
        match choice {
            MinimisationChoice::On => Self::Relaxed,
            MinimisationChoice::Off => Self::Off,
            MinimisationChoice::Strict => Self::Strict,
        }
    }
}
