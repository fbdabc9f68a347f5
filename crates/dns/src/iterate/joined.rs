//! Lookups of name servers' addresses that are under way: whoever needs the same one waits for it, unless that one
//! waits for him.
//!
//! ```text
//!   a.one.test A ---> ns.hoster.com A <--- a.two.test A      asked for once
//!   ns.one.test A --> ns.two.test A --> ns.one.test A        a circle: the second asks for itself
//! ```

use super::Iterate;
use crate::name::DnsName;
use crate::record::RecordType;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{MutexGuard, PoisonError};

/// What came of looking for a name server's addresses.
pub(super) type Sought = Result<Located, Missing>;

/// Where a name server is.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) addresses: Vec<IpAddr>,
    /// For how many seconds.
    pub(super) ttl: u32,
    /// Whether anybody had to be asked.
    pub(super) asked: bool,
}

/// That it has not been found.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    pub(super) why: String,
    /// Whether anybody had to be asked.
    pub(super) asked: bool,
}

impl Missing {
    /// Nobody was asked, since that would have been in vain.
    pub(super) fn unasked(why: String) -> Self {
        Self { why, asked: false }
    }
}

/// What is looked for: the name, the type, and whether with signatures.
pub(crate) type Key = (DnsName, RecordType, bool);

type Search = BoxFuture<'static, Sought>;

/// The lookups that are under way, and who waits for which.
#[derive(Default)]
pub(super) struct UnderWay {
    lookups: BTreeMap<Key, WeakShared<Search>>,
    /// Which lookup waits for which.
    waits: BTreeMap<Key, Key>,
}

/// How a lookup is to be made.
pub(super) enum Join {
    /// By waiting for the one that is under way.
    Other(Shared<Search>),
    /// As one that others may wait for.
    Own(Shared<Search>),
    /// By oneself: the one that is under way waits for whoever asks.
    Alone,
}

impl UnderWay {
    /// The lookup of `key` that is under way; `new` where there is none. It is `by` who is going to wait.
    pub(super) fn join(&mut self, key: &Key, by: Option<&Key>, new: Search) -> Join {
        if self.lookups.contains_key(key) && self.waits_for(key, by) {
            return Join::Alone;
        }
        if let Some(lookup) = self.lookups.get(key).and_then(WeakShared::upgrade) {
            return Join::Other(lookup);
        }
        let lookup = new.shared();
        if let Some(weak) = lookup.downgrade() {
            self.lookups.insert(key.clone(), weak);
        }
        Join::Own(lookup)
    }

    /// Whether `key` waits for `by`, however many others lie between.
    fn waits_for(&self, key: &Key, by: Option<&Key>) -> bool {
        let mut at = Some(key);
        // Nobody waits in a circle, as this is asked before anybody waits.
        while let Some(key) = at {
            if Some(key) == by {
                return true;
            }
            at = self.waits.get(key);
        }
        false
    }
}

/// As long as it is there, one lookup is known to wait for another.
pub(super) struct Waiting<'a> {
    tree: &'a Iterate,
    who: Option<Key>,
    /// The lookup that is under way for as long.
    own: Option<Key>,
}

impl<'a> Waiting<'a> {
    /// `who` waits for `key`.
    pub(super) fn for_other(tree: &'a Iterate, who: Option<&Key>, key: &Key) -> Self {
        if let Some(who) = who {
            tree.under_way().waits.insert(who.clone(), key.clone());
        }
        Self { tree, who: who.cloned(), own: None }
    }

    /// The same where it makes that lookup: when it goes, nobody else is to join it any more.
    pub(super) fn for_own(tree: &'a Iterate, who: Option<&Key>, key: &Key) -> Self {
        let mut waiting = Self::for_other(tree, who, key);
        waiting.own = Some(key.clone());
        waiting
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut under_way = self.tree.under_way();
        if let Some(who) = &self.who {
            under_way.waits.remove(who);
        }
        if let Some(own) = &self.own {
            under_way.lookups.remove(own);
        }
    }
}

impl Iterate {
    pub(super) fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
