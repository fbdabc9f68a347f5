//! Who has authority over which zones: servers of the same ones share them, and sign them when the first
//! question comes.

use crate::zones::Book;
use futures_util::future::{BoxFuture, FutureExt, ready};
use glasstack_dns::ZoneError;
use glasstack_dns::server::{Asked, Authority, Reply, Zones};
use glasstack_dns::{DnsName, ResponseCode};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// All that has been handed out.
pub(crate) struct Shelf {
    book: Arc<Book>,
    handed_out: BTreeMap<Vec<DnsName>, Arc<Opened>>,
}

/// An authority over some zones of a book.
pub(crate) struct Shared(Arc<Opened>);

struct Opened {
    book: Arc<Book>,
    names: Vec<DnsName>,
    zones: OnceLock<Result<Zones, ZoneError>>,
}

impl Shelf {
    pub(crate) fn new(book: Arc<Book>) -> Self {
        Self { book, handed_out: BTreeMap::new() }
    }

    /// Authority over these zones.
    pub(crate) fn zones(&mut self, mut names: Vec<DnsName>) -> Shared {
        names.sort();
        names.dedup();
        let opened = self.handed_out.entry(names).or_insert_with_key(|names| {
            Arc::new(Opened { book: Arc::clone(&self.book), names: names.clone(), zones: OnceLock::new() })
        });
        Shared(Arc::clone(opened))
    }
}

impl Opened {
    fn zones(&self) -> Result<&Zones, &ZoneError> {
        self.zones.get_or_init(|| self.book.zones(&self.names)).as_ref()
    }
}

impl Authority for Shared {
    fn answer<'a>(&'a self, asked: &'a Asked) -> BoxFuture<'a, Reply> {
        match self.0.zones() {
            Ok(zones) => zones.answer(asked),
            Err(error) => {
                let why = format!("the zone cannot be signed: {error}");
                ready(Reply::empty(ResponseCode::ServFail, why)).boxed()
            }
        }
    }

    fn answer_now(&self, asked: &Asked) -> Option<Reply> {
        self.0.zones().ok()?.answer_now(asked)
    }

    fn is_own(&self, name: &DnsName) -> bool {
        self.0.zones().is_ok_and(|zones| zones.is_own(name))
    }
}
