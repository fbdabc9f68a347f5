//! Which of the lists that are given webpki is shown.
//!
//! Of several lists that are about a certificate webpki asks the first, and refuses if that one is out
//! of date or forged. So where several of one issuer are given it is shown those that say something. A
//! list that it is not shown is judged all the same: here, by the whole of RFC 5280 6.3.

use super::crl::Crl;
use super::lists::RevocationLists;
use crate::der::{Algorithms, Held, KeyInfo};
use std::sync::Arc;
use webpki::{CertRevocationList, OwnedCertRevocationList};

/// Of so many keys of one name a list is tried with each; past that, webpki is not shown it.
const MAX_KEYS: usize = 8;

/// The lists, as webpki reads them.
#[derive(Default)]
pub(crate) struct ShownLists {
    lists: Vec<One>,
    /// Whether there are others, which webpki does not take.
    left: bool,
}

struct One {
    der: Arc<[u8]>,
    crl: CertRevocationList<'static>,
    /// Whether its issuer has others.
    is_one_of_several: bool,
}

/// What webpki is shown for one judgement.
pub(crate) struct Selection<'a> {
    pub(crate) lists: Vec<&'a CertRevocationList<'static>>,
    /// Whether there are others, so that webpki cannot tell that something is covered by none.
    pub(crate) left: bool,
}

impl ShownLists {
    pub(crate) fn new(lists: Option<&RevocationLists>) -> Self {
        let mut shown = Self::default();
        let ders: Vec<_> = lists.into_iter().flat_map(RevocationLists::ders).collect();
        let issuers: Vec<_> = ders.iter().map(|der| Crl::read(der).ok().map(|list| list.issuer)).collect();
        for (der, issuer) in ders.iter().zip(&issuers) {
            // RFC 5280 6.3.3 (k): to webpki an entry that takes another back is one like all others.
            let takes_back = Crl::read(der).is_ok_and(|list| list.takes_back());
            match OwnedCertRevocationList::from_der(der) {
                Ok(list) if !takes_back => shown.lists.push(One {
                    der: Arc::clone(der),
                    crl: list.into(),
                    is_one_of_several: issuers.iter().filter(|other| *other == issuer).count() > 1,
                }),
                _ => shown.left = true,
            }
        }
        shown
    }

    /// Those for a judgement at `now` (Unix seconds). `keys` finds the keys (whole SubjectPublicKeyInfo)
    /// of everybody at hand who has this name.
    pub(crate) fn at(
        &self,
        now: i64,
        keys: impl Fn(&[u8]) -> Vec<Vec<u8>>,
        algorithms: Algorithms<'_>,
    ) -> Selection<'_> {
        let mut selection = Selection { lists: Vec::new(), left: self.left };
        for one in &self.lists {
            if !one.is_one_of_several || one.says_something(now, &keys, algorithms) {
                selection.lists.push(&one.crl);
            } else {
                selection.left = true;
            }
        }
        selection
    }
}

impl One {
    /// RFC 5280 6.3.3 (a), (g): it is in time, and by somebody of the issuer's name.
    fn says_something(
        &self,
        now: i64,
        keys: impl Fn(&[u8]) -> Vec<Vec<u8>>,
        algorithms: Algorithms<'_>,
    ) -> bool {
        let Ok(list) = Crl::read(&self.der) else { return false };
        let signed = |key: &Vec<u8>| {
            KeyInfo::read(key).is_ok_and(|key| list.signed.held(&key, algorithms) == Held::Yes)
        };
        list.this_update <= now
            && list.next_update.is_some_and(|next_update| now < next_update)
            && keys(list.issuer).iter().take(MAX_KEYS).any(signed)
    }
}
