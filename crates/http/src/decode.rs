//! Content codings undone as a stream (RFC 9110 8.4), with a guard against bombs.

use crate::body::Body;
use crate::error::HttpError;
use async_compression::futures::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use bytes::Bytes;
use futures_io::{AsyncBufRead, AsyncRead};
use futures_util::future::poll_fn;
use futures_util::io::BufReader;
use futures_util::stream::StreamExt;
use futures_util::{AsyncReadExt, TryStreamExt};
use glasstack_journal::Scope;
use glasstack_journal::event::Http;
use http::{HeaderMap, header};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

/// A content coding that is understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 1950, or the bare RFC 1951 that some servers mean by it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

impl Coding {
    /// What is understood, as `Accept-Encoding` says it (and as curl does).
    pub const ACCEPTED: &str = "deflate, gzip, br, zstd";

    /// The codings of a message, in the order in which they were applied.
    pub fn of(headers: &HeaderMap) -> Result<Vec<Self>, DecodeError> {
        let names: Vec<String> = headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        Self::named(names.iter().flat_map(|names| names.split(',')))
    }

    /// The codings of these names, in their order.
    pub(crate) fn named<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Self>, DecodeError> {
        let mut codings = Vec::new();
        for name in names {
            match name.trim().to_ascii_lowercase().as_str() {
                // curl's `none` is nobody else's word.
                "" | "identity" | "none" => {}
                "gzip" | "x-gzip" => codings.push(Self::Gzip),
                "deflate" => codings.push(Self::Deflate),
                "br" => codings.push(Self::Brotli),
                "zstd" => codings.push(Self::Zstd),
                other => return Err(DecodeError::UnknownCoding { coding: other.to_owned() }),
            }
        }
        if codings.len() > MAX_CODINGS {
            return Err(DecodeError::TooManyCodings { count: codings.len() });
        }
        Ok(codings)
    }
}

/// The coding's name in `Content-Encoding`.
impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        })
    }
}

/// One upon another, as curl allows them.
const MAX_CODINGS: usize = 5;

/// log2 of the largest zstd window, in bytes (RFC 9659 3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// How much a body may grow when it is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Decoded bytes that are never too many, however few were transferred. 64 MiB.
    pub free: u64,
    /// Beyond that: decoded bytes for each transferred one. 200.
    pub expansion: u64,
    /// Decoded bytes at most; none: as many as the above allows.
    pub max: Option<u64>,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self { free: 64 * 1024 * 1024, expansion: 200, max: None }
    }
}

/// A body could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It did not arrive.
    #[error(transparent)]
    Transfer(#[from] HttpError),
    /// A coding that is not understood here.
    #[error("content coding \"{coding}\" is not understood (deflate, gzip, br and zstd are)")]
    UnknownCoding {
        /// Its name.
        coding: String,
    },
    /// More codings than anybody needs.
    #[error("{count} content codings one upon another (at most {MAX_CODINGS})")]
    TooManyCodings {
        /// How many.
        count: usize,
    },
    /// The data are not what `Content-Encoding` says.
    #[error("the body is not valid {codings}: {source}")]
    Corrupt {
        /// The codings that were being undone.
        codings: String,
        /// What the decoder said.
        source: io::Error,
    },
    /// The coded data end before their own end.
    #[error("the {codings} data end too early")]
    EndsEarly {
        /// The codings that were being undone.
        codings: String,
    },
    /// Something follows the coded data. All of them have been delivered.
    #[error("something that is not {codings} follows the {codings} data")]
    Trailing {
        /// The codings that were being undone.
        codings: String,
    },
    /// It grows too much.
    #[error(
        "{transferred} bytes have grown to more than {limit} when decoded: refused as a decompression bomb"
    )]
    Bomb {
        /// Bytes transferred so far.
        transferred: u64,
        /// Decoded bytes allowed for them.
        limit: u64,
    },
}

impl DecodeError {
    /// The exit code that curl 7.88 has for this.
    pub fn curl_exit_code(&self) -> u8 {
        match self {
            Self::Transfer(error) => error.curl_exit_code(),
            Self::Trailing { .. } => 23,
            Self::Bomb { .. } => 63,
            Self::UnknownCoding { .. }
            | Self::TooManyCodings { .. }
            | Self::Corrupt { .. }
            | Self::EndsEarly { .. } => 61,
        }
    }
}

/// A body with its content codings undone, chunk by chunk. It reads the body to its end even where
/// the coded data end earlier, so that the connection may be used again.
pub struct Decoded {
    body: Arc<Mutex<Body>>,
    reader: Option<Box<dyn AsyncRead + Send + Unpin>>,
    codings: Vec<Coding>,
    limits: DecodeLimits,
    transferred: Arc<AtomicU64>,
    decoded: u64,
    scope: Option<Scope>,
    stage: Stage,
    /// What is told instead of the first chunk.
    refusal: Option<DecodeError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Decoding,
    Draining,
    Done,
}

/// A chunk's size at most, in bytes.
const CHUNK: usize = 32 * 1024;

impl Decoded {
    /// Undoes `codings`, the last applied first, and before them the body's own transfer codings
    /// ([`Body::transfer_codings`]). Without any, the body passes as it is.
    pub fn new(body: Body, codings: Vec<Coding>, limits: DecodeLimits) -> Self {
        Self::undoing(body, Ok(codings), limits)
    }

    /// Undoes what the head of the body's message names in `Content-Encoding`. A coding that is not
    /// understood is an error of the first chunk, so that the head can be shown before, unless
    /// there is no body.
    pub fn by_head(body: Body, headers: &HeaderMap, limits: DecodeLimits) -> Self {
        Self::undoing(body, Coding::of(headers), limits)
    }

    fn undoing(body: Body, codings: Result<Vec<Coding>, DecodeError>, limits: DecodeLimits) -> Self {
        let scope = body.scope();
        let codings = codings.and_then(|mut codings| {
            codings.extend(Coding::named(body.transfer_codings().iter().map(String::as_str))?);
            Ok(codings)
        });
        let (codings, refusal) = match codings {
            Ok(codings) => (codings, None),
            Err(_) if body.is_complete() => (Vec::new(), None),
            Err(refusal) => (Vec::new(), Some(refusal)),
        };
        let transferred = Arc::new(AtomicU64::new(0));
        let body = Arc::new(Mutex::new(body));
        let reader = (!codings.is_empty()).then(|| reader(&body, &transferred, &codings));
        Self {
            body,
            reader,
            codings,
            limits,
            transferred,
            decoded: 0,
            scope,
            stage: Stage::Decoding,
            refusal,
        }
    }

    /// The next chunk; none at the end. After an error there is nothing more.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let result = self.next().await;
        match &result {
            Ok(Some(_)) => {}
            Ok(None) => self.on_end(),
            Err(error) => self.on_error(error),
        }
        result
    }

    /// Bytes of the body as transferred, so far.
    pub fn transferred(&self) -> u64 {
        self.transferred.load(Ordering::Relaxed)
    }

    /// Bytes as decoded, so far.
    pub fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Whether the body has been read to its end, as one that is empty has been from the beginning.
    pub fn is_complete(&self) -> bool {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).is_complete()
    }

    /// The trailer fields that followed the last chunk; known at the end.
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).trailers().cloned()
    }

    /// The same as they came, each line with CRLF; none where the body is wanted raw, and on the
    /// server's side.
    pub fn trailer_lines(&self) -> Vec<u8> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner).trailer_lines().to_vec()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        if self.stage == Stage::Decoding {
            let chunk = match &mut self.reader {
                Some(_) => self.decode().await?,
                None => raw_chunk(&self.body, &self.transferred).await?,
            };
            if let Some(chunk) = chunk {
                self.decoded += chunk.len() as u64;
                self.check_growth()?;
                return Ok(Some(chunk));
            }
            self.stage = Stage::Draining;
        }
        while self.stage == Stage::Draining && raw_chunk(&self.body, &self.transferred).await?.is_some() {}
        Ok(None)
    }

    async fn decode(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let mut buffer = vec![0; CHUNK];
        match reader.read(&mut buffer).await {
            Ok(0) => Ok(None),
            Ok(count) => {
                buffer.truncate(count);
                Ok(Some(buffer.into()))
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    fn check_growth(&self) -> Result<(), DecodeError> {
        let transferred = self.transferred();
        let mut limit = self.limits.free.max(transferred.saturating_mul(self.limits.expansion));
        if self.codings.is_empty() {
            limit = u64::MAX;
        }
        limit = self.limits.max.map_or(limit, |max| limit.min(max));
        if self.decoded > limit { Err(DecodeError::Bomb { transferred, limit }) } else { Ok(()) }
    }

    fn explain(&self, error: io::Error) -> DecodeError {
        match error.downcast::<HttpError>() {
            Ok(transfer) => DecodeError::Transfer(transfer),
            Err(error) if is_trailing(&error) => DecodeError::Trailing { codings: self.names() },
            Err(error) if ends_early(&error) => DecodeError::EndsEarly { codings: self.names() },
            Err(source) => DecodeError::Corrupt { codings: self.names(), source },
        }
    }

    fn on_end(&mut self) {
        if self.stage != Stage::Done
            && let Some(scope) = &self.scope
        {
            scope.record(|| Http::BodyReceived {
                transferred: self.transferred(),
                decoded: self.decoded,
                coding: (!self.codings.is_empty()).then(|| self.names()),
            });
        }
        self.stage = Stage::Done;
    }

    fn on_error(&mut self, error: &DecodeError) {
        self.stage = Stage::Done;
        // The body has told its own failures already.
        if !matches!(error, DecodeError::Transfer(_))
            && let Some(scope) = &self.scope
        {
            scope.record(|| Http::Failed { why: error.to_string() });
        }
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.codings.iter().map(Coding::to_string).collect();
        names.join(", ")
    }
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded")
            .field("codings", &self.codings)
            .field("decoded", &self.decoded)
            .finish_non_exhaustive()
    }
}

/// What [`Decoder`] says when the coded data are over and the body is not.
#[derive(Debug, thiserror::Error)]
#[error("something follows the coded data")]
struct TrailingData;

fn is_trailing(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TrailingData>())
}

/// The deflate decoders have words of their own for it: no progress without more input.
fn ends_early(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || error.to_string() == "unexpected BufError"
}

async fn raw_chunk(body: &Mutex<Body>, transferred: &AtomicU64) -> Result<Option<Bytes>, HttpError> {
    poll_fn(|cx| {
        let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ready!(body.poll_next_unpin(cx)).transpose();
        transferred.store(body.received(), Ordering::Relaxed);
        Poll::Ready(next)
    })
    .await
}

/// The decoders, one upon another, on a stream of the body's chunks.
fn reader(
    body: &Arc<Mutex<Body>>,
    transferred: &Arc<AtomicU64>,
    codings: &[Coding],
) -> Box<dyn AsyncRead + Send + Unpin> {
    let (body, transferred) = (Arc::clone(body), Arc::clone(transferred));
    let chunks = futures_util::stream::poll_fn(move |cx| {
        let mut body = body.lock().unwrap_or_else(PoisonError::into_inner);
        let next = ready!(body.poll_next_unpin(cx));
        transferred.store(body.received(), Ordering::Relaxed);
        Poll::Ready(next)
    });
    let mut source: BoxBufRead = Box::new(chunks.map_err(io::Error::other).into_async_read());
    for coding in codings.iter().rev() {
        source = Box::new(BufReader::with_capacity(CHUNK, Decoder::Undecided(*coding, Some(source))));
    }
    Box::new(source)
}

type BoxBufRead = Box<dyn AsyncBufRead + Send + Unpin>;

/// One coding's decoder, chosen when the first byte is there: an empty body is empty in every
/// coding, and `deflate` means two formats.
enum Decoder {
    Undecided(Coding, Option<BoxBufRead>),
    Running(Running),
    Empty,
}

enum Running {
    Gzip(GzipDecoder<BoxBufRead>),
    Zlib(ZlibDecoder<BoxBufRead>),
    Deflate(DeflateDecoder<BoxBufRead>),
    Brotli(BrotliDecoder<BoxBufRead>),
    Zstd(ZstdDecoder<BoxBufRead>),
}

impl AsyncRead for Decoder {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            match this {
                Self::Empty => return Poll::Ready(Ok(0)),
                Self::Undecided(coding, source) => {
                    let Some(waiting) = source.as_mut() else { return Poll::Ready(Ok(0)) };
                    let first = ready!(Pin::new(waiting).poll_fill_buf(cx))?.first().copied();
                    *this = match (first, source.take()) {
                        (Some(first), Some(source)) => Self::Running(start(*coding, first, source)),
                        _ => Self::Empty,
                    };
                }
                Self::Running(running) => {
                    let count = ready!(running.poll_read(cx, buffer))?;
                    if count > 0 || buffer.is_empty() {
                        return Poll::Ready(Ok(count));
                    }
                    ready!(this.poll_next_member(cx))?;
                }
            }
        }
    }
}

impl Decoder {
    /// The coded data have ended. Another gzip member (RFC 1952 2.2) or zstd frame (RFC 8878 3.1) may
    /// follow; anything else is an error, as in curl.
    fn poll_next_member(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self::Running(running) = self else { return Poll::Ready(Ok(())) };
        let next = ready!(Pin::new(running.source()).poll_fill_buf(cx))?.first().copied();
        *self = match (next, std::mem::replace(self, Self::Empty)) {
            (Some(0x1f), Self::Running(Running::Gzip(decoder))) => {
                Self::Undecided(Coding::Gzip, Some(decoder.into_inner()))
            }
            (Some(0x28), Self::Running(Running::Zstd(decoder))) => {
                Self::Undecided(Coding::Zstd, Some(decoder.into_inner()))
            }
            (Some(_), _) => return Poll::Ready(Err(io::Error::other(TrailingData))),
            (None, _) => Self::Empty,
        };
        Poll::Ready(Ok(()))
    }
}

impl Running {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Gzip(decoder) => Pin::new(decoder).poll_read(cx, buffer),
            Self::Zlib(decoder) => Pin::new(decoder).poll_read(cx, buffer),
            Self::Deflate(decoder) => Pin::new(decoder).poll_read(cx, buffer),
            Self::Brotli(decoder) => Pin::new(decoder).poll_read(cx, buffer),
            Self::Zstd(decoder) => Pin::new(decoder).poll_read(cx, buffer),
        }
    }

    fn source(&mut self) -> &mut BoxBufRead {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Zlib(decoder) => decoder.get_mut(),
            Self::Deflate(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

fn start(coding: Coding, first: u8, source: BoxBufRead) -> Running {
    match coding {
        Coding::Gzip => Running::Gzip(GzipDecoder::new(source)),
        // RFC 1950 2.2: the low four bits of a zlib stream's first byte are 8. RFC 1951 3.2.3: in
        // bare deflate that would be a stored block with padding that is not zero.
        Coding::Deflate if first & 0x0f == 8 => Running::Zlib(ZlibDecoder::new(source)),
        Coding::Deflate => Running::Deflate(DeflateDecoder::new(source)),
        Coding::Brotli => Running::Brotli(BrotliDecoder::new(source)),
        Coding::Zstd => {
            Running::Zstd(ZstdDecoder::with_params(source, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]))
        }
    }
}
