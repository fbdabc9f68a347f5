//! How one client or server goes about revocation.

use super::cache::RevocationCache;
use super::known::Known;
use super::lists::RevocationLists;
use super::policy::RevocationPolicy;
use super::source::SharedSource;
use std::fmt;

/// How one client or server goes about revocation: by default it judges what is stapled, and asks
/// nobody.
#[derive(Clone, Default)]
pub struct RevocationConfig {
    /// How much is demanded.
    pub policy: RevocationPolicy,
    /// Lists that the user gave. With them, each certificate below the anchor must be on a path of
    /// lists that are in time, and on none of them; webpki checks them, too, as far as it can.
    pub lists: Option<RevocationLists>,
    /// OCSP answers (DER) that the user gave: one of them must prove the peer's own certificate good.
    pub answers: Vec<Vec<u8>>,
    /// What was fetched earlier. Clones share it.
    pub cache: RevocationCache,
    /// Who fetches. Nobody.
    pub source: Option<SharedSource>,
}

impl RevocationConfig {
    /// What the user gave.
    pub(crate) fn known(&self) -> Known {
        Known::given(self.lists.as_ref(), &self.answers)
    }
}

impl From<RevocationLists> for RevocationConfig {
    /// Requires these lists, and nothing else.
    fn from(lists: RevocationLists) -> Self {
        Self { lists: Some(lists), ..Self::default() }
    }
}

impl fmt::Debug for RevocationConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationConfig")
            .field("policy", &self.policy)
            .field("lists", &self.lists.as_ref().map_or(0, RevocationLists::len))
            .field("answers", &self.answers.len())
            .field("cache", &self.cache)
            .field("fetches", &self.source.is_some())
            .finish()
    }
}
