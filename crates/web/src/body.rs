//! The body of the last response, as it arrives.

use crate::address_bar::without_password;
use crate::error::WebError;
use crate::exchange::{FetchSpan, tell_failure};
use crate::patience::Patience;
use crate::pool::{Lease, Pool};
use crate::watch::Watch;
use bytes::Bytes;
use glasstack_http::{Decoded, HeaderMap};
use glasstack_journal::event::Page;
use glasstack_stack::Host;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// The body of the last response, decoded if that was asked for. To drop it before its end is to
/// give its connection up.
pub struct ResponseBody {
    pub(crate) decoded: Decoded,
    pub(crate) lease: Option<Lease>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) patience: Patience,
    pub(crate) span: Option<FetchSpan>,
    pub(crate) arrival: Arrival,
}

impl ResponseBody {
    /// The next chunk, of whatever size arrived; none at the end. After an error there is nothing
    /// more.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, WebError> {
        if self.lease.is_none() {
            return Ok(None);
        }
        let received = self.decoded.decoded();
        let result = match self.patience.bound_transfer(received, self.decoded.chunk()).await {
            Ok(result) => result.map_err(WebError::from),
            Err(out_of_patience) => Err(out_of_patience),
        };
        match &result {
            Ok(Some(_)) => {}
            Ok(None) => self.arrive(),
            Err(error) => {
                tell_failure(&self.arrival.host, error);
                self.give_up();
            }
        }
        result
    }

    /// Bytes of the body as transferred and as decoded, so far.
    pub fn received(&self) -> (u64, u64) {
        (self.decoded.transferred(), self.decoded.decoded())
    }

    /// The trailer fields that followed the last chunk (RFC 9112 7.1.2); known at the end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.decoded.trailers()
    }

    /// The same as they came, each line with CRLF; none where the body is wanted raw: there they are
    /// part of it.
    pub fn trailer_lines(&self) -> Vec<u8> {
        self.decoded.trailer_lines()
    }

    /// Nothing of it is wanted: its connection is given up.
    pub(crate) fn pass_over(&mut self) {
        self.arrival.tell(0);
        self.give_up();
    }

    fn arrive(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.pool.put(lease);
            let length = self.decoded.decoded();
            self.arrival.tell(length);
        }
        self.span = None;
        self.arrival.end();
    }

    fn give_up(&mut self) {
        self.lease = None;
        self.span = None;
        self.arrival.end();
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ResponseBody").field(&self.decoded).finish()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        // What has no body needs no reading.
        if self.decoded.is_complete() {
            self.arrive();
        }
        self.arrival.end();
    }
}

/// What is told when the last byte is there.
pub(crate) struct Arrival {
    pub(crate) host: Host,
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) watch: Watch,
}

impl Arrival {
    fn tell(&self, length: u64) {
        self.host.scope().record(|| Page::Arrived {
            url: without_password(&self.url),
            status: self.status,
            length,
        });
    }

    fn end(&self) {
        self.watch.end(self.host.now());
    }
}
