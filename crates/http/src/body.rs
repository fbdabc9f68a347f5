//! A body that is arriving, and how its end is known (RFC 9112 6.3).

use crate::client::Grip;
use crate::error::{HttpError, in_full};
use crate::io::Witness;
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::future::poll_fn;
use glasstack_journal::Scope;
use glasstack_journal::event::{Framing, Http};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// A body as transferred, chunk by chunk. To drop it before its end is to give up the connection
/// that it comes over.
pub struct Body {
    incoming: Incoming,
    framing: Framing,
    received: u64,
    limit: Option<u64>,
    trailers: Option<HeaderMap>,
    witness: Arc<Witness>,
    progress: Arc<Progress>,
    scope: Option<Scope>,
    /// Keeps the connection's driver going; none where the driver does not ask.
    _grip: Option<Arc<Grip>>,
}

/// How far a body has come, for the connection that carries it.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Stage>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Arriving,
    Complete,
    Dropped,
    Failed,
}

impl Progress {
    pub(crate) fn stage(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reach(&self, stage: Stage) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == Stage::Arriving {
            *current = stage;
        }
    }
}

impl Body {
    pub(crate) fn new(
        incoming: Incoming,
        framing: Framing,
        limit: Option<u64>,
        witness: Arc<Witness>,
        scope: Option<Scope>,
        grip: Option<Arc<Grip>>,
    ) -> Self {
        let body = Self {
            incoming,
            framing,
            received: 0,
            limit,
            trailers: None,
            witness,
            progress: Arc::default(),
            scope,
            _grip: grip,
        };
        if body.incoming.is_end_stream() {
            body.progress.reach(Stage::Complete);
        }
        body
    }

    /// How its end is known.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Bytes received so far, without chunk headers.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether it has been read to its end, as an empty one has been from the beginning.
    pub fn is_complete(&self) -> bool {
        self.progress.stage() == Stage::Complete
    }

    /// The trailer fields that followed the last chunk (RFC 9112 7.1.2); known at the end.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// The next chunk, of whatever size arrived; none at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// The whole body, if it is no longer than `limit` bytes.
    pub async fn read_all(&mut self, limit: u64) -> Result<Bytes, HttpError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() as u64 + chunk.len() as u64 > limit {
                return Err(self.fail(HttpError::BodyTooLarge { limit }));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.scope.clone()
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, HttpError>> {
        if self.progress.stage() == Stage::Complete {
            return Poll::Ready(Ok(None));
        }
        loop {
            let frame = match ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Err(self.explain(&error))),
                None => {
                    self.progress.reach(Stage::Complete);
                    return Poll::Ready(Ok(None));
                }
            };
            match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Poll::Ready(self.on_data(data)),
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
    }

    fn on_data(&mut self, data: Bytes) -> Result<Option<Bytes>, HttpError> {
        self.received += data.len() as u64;
        match self.limit {
            Some(limit) if self.received > limit => Err(self.fail(HttpError::BodyTooLarge { limit })),
            _ => Ok(Some(data)),
        }
    }

    fn explain(&mut self, error: &hyper::Error) -> HttpError {
        let received = self.received;
        let why = if let Some(broken) = self.witness.error() {
            HttpError::broken(&broken, received)
        } else if self.witness.ended() {
            let expected = match self.framing {
                Framing::Length(length) => Some(length),
                _ => None,
            };
            HttpError::Truncated { received, expected }
        } else {
            HttpError::MalformedBody { received, why: in_full(error) }
        };
        self.fail(why)
    }

    fn fail(&mut self, error: HttpError) -> HttpError {
        self.progress.reach(Stage::Failed);
        if let Some(scope) = &self.scope {
            scope.record(|| Http::Failed { why: in_full(&error) });
        }
        error
    }
}

impl Stream for Body {
    type Item = Result<Bytes, HttpError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.progress.stage() == Stage::Failed {
            return Poll::Ready(None);
        }
        this.poll_chunk(cx).map(Result::transpose)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.progress.reach(Stage::Dropped);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("framing", &self.framing)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

/// How the end of a response's body is known. RFC 9112 6.3, in its order.
pub(crate) fn response_framing(method: &Method, status: StatusCode, headers: &HeaderMap) -> Framing {
    // 1. No body by nature, whatever the header fields say.
    if method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        return Framing::None;
    }
    // 3. and 4. Transfer-Encoding overrides Content-Length; what does not end in `chunked` lasts
    // until the connection closes.
    if headers.contains_key(TRANSFER_ENCODING) {
        return if ends_in_chunked(headers) { Framing::Chunked } else { Framing::UntilClose };
    }
    // 6. Content-Length. 8. Otherwise until the connection closes.
    content_length(headers).map_or(Framing::UntilClose, Framing::Length)
}

/// How the end of a request's body is known: as above, but without a length there is none (7.).
pub(crate) fn request_framing(headers: &HeaderMap) -> Framing {
    if ends_in_chunked(headers) {
        return Framing::Chunked;
    }
    content_length(headers).map_or(Framing::None, Framing::Length)
}

fn ends_in_chunked(headers: &HeaderMap) -> bool {
    headers
        .get_all(TRANSFER_ENCODING)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|codings| codings.rsplit(',').next())
        .is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.split(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
            .into_iter()
            .collect()
    }

    #[test]
    fn the_framing_of_a_response_follows_rfc_9112_section_6_3() {
        let ok = StatusCode::OK;
        let length = headers(&[("content-length", "5")]);
        let both = headers(&[("content-length", "5"), ("transfer-encoding", "gzip, chunked")]);
        let odd = headers(&[("transfer-encoding", "gzip")]);
        assert_eq!(response_framing(&Method::GET, ok, &length), Framing::Length(5));
        assert_eq!(response_framing(&Method::HEAD, ok, &length), Framing::None);
        assert_eq!(response_framing(&Method::GET, StatusCode::NOT_MODIFIED, &length), Framing::None);
        assert_eq!(response_framing(&Method::GET, StatusCode::NO_CONTENT, &both), Framing::None);
        assert_eq!(response_framing(&Method::GET, ok, &both), Framing::Chunked);
        assert_eq!(response_framing(&Method::GET, ok, &odd), Framing::UntilClose);
        assert_eq!(response_framing(&Method::GET, ok, &headers(&[])), Framing::UntilClose);
    }
}
