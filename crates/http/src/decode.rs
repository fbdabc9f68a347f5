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
        let mut codings = Vec::new();
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in String::from_utf8_lossy(value.as_bytes()).split(',') {
                match name.trim().to_ascii_lowercase().as_str() {
                    "" | "identity" => {}
                    "gzip" | "x-gzip" => codings.push(Self::Gzip),
                    "deflate" => codings.push(Self::Deflate),
                    "br" => codings.push(Self::Brotli),
                    "zstd" => codings.push(Self::Zstd),
                    other => return Err(DecodeError::UnknownCoding { coding: other.to_owned() }),
                }
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
    /// Undoes `codings`, the last applied first. Without any, the body passes as it is.
    pub fn new(body: Body, codings: Vec<Coding>, limits: DecodeLimits) -> Self {
        let scope = body.scope();
        let transferred = Arc::new(AtomicU64::new(0));
        let body = Arc::new(Mutex::new(body));
        let reader = (!codings.is_empty()).then(|| reader(&body, &transferred, &codings));
        Self { body, reader, codings, limits, transferred, decoded: 0, scope, stage: Stage::Decoding }
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

    async fn next(&mut self) -> Result<Option<Bytes>, DecodeError> {
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
    Running(Box<dyn AsyncRead + Send + Unpin>),
    Empty,
}

impl AsyncRead for Decoder {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Self::Undecided(coding, source) = this {
            let Some(waiting) = source.as_mut() else { return Poll::Ready(Ok(0)) };
            let first = ready!(Pin::new(waiting).poll_fill_buf(cx))?.first().copied();
            *this = match (first, source.take()) {
                (Some(first), Some(source)) => Self::Running(start(*coding, first, source)),
                _ => Self::Empty,
            };
        }
        match this {
            Self::Running(decoder) => Pin::new(decoder).poll_read(cx, buffer),
            Self::Undecided(..) | Self::Empty => Poll::Ready(Ok(0)),
        }
    }
}

fn start(coding: Coding, first: u8, source: BoxBufRead) -> Box<dyn AsyncRead + Send + Unpin> {
    match coding {
        Coding::Gzip => {
            let mut decoder = GzipDecoder::new(source);
            decoder.multiple_members(true);
            Box::new(decoder)
        }
        // RFC 1950 2.2: the low four bits of a zlib stream's first byte are 8. RFC 1951 3.2.3: in
        // bare deflate that would be a stored block with padding that is not zero.
        Coding::Deflate if first & 0x0f == 8 => Box::new(ZlibDecoder::new(source)),
        Coding::Deflate => Box::new(DeflateDecoder::new(source)),
        Coding::Brotli => Box::new(BrotliDecoder::new(source)),
        Coding::Zstd => {
            Box::new(ZstdDecoder::with_params(source, &[DParameter::window_log_max(ZSTD_WINDOW_LOG)]))
        }
    }
}
