//! A tunnel through an HTTP proxy: `CONNECT` (RFC 9110 9.3.6).
//!
//! It is not a request like others: after a 2xx answer the connection speaks no HTTP any more, and
//! not one byte behind that answer may be lost. So it is spoken here, on the bare stream.

use crate::compose::write_head;
use crate::error::{HttpError, in_full};
use crate::fields::Fields;
use crate::framing::{persistence, response_framing};
use crate::head::{HeadReader, Step};
use crate::io::{SCRATCH, Stream};
use crate::limits::Limits;
use crate::message::{Reading, ResponseHead, as_pairs};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::{Framing, Http};
use glasstack_journal::{Note, Scope};
use http::{Method, StatusCode, Version};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What a proxy is asked for.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Host and port, as `www.example.test:443`; an IPv6 address in brackets.
    pub authority: String,
    /// The header fields, `Host` included, in their order and spelling.
    pub headers: Fields,
    /// `HTTP_11`, or `HTTP_10` for a proxy that speaks only that.
    pub version: Version,
    /// How much the proxy may say before it opens the tunnel.
    pub limits: Limits,
}

/// What a proxy made of it.
pub enum Tunnel<S> {
    /// The tunnel is open: what is sent from here on reaches the other end.
    Open {
        /// The proxy's answer.
        head: ResponseHead,
        /// The stream, with what came behind the answer in front of it.
        stream: Tunnelled<S>,
    },
    /// The proxy answered something else.
    Refused {
        /// The proxy's answer.
        head: ResponseHead,
        /// The stream, if the proxy would listen to another `CONNECT` on it: one with credentials,
        /// when it has asked for them (407). Its answer's body has been read and thrown away.
        stream: Option<Tunnelled<S>>,
    },
}

impl<S> fmt::Debug for Tunnel<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { head, stream } => write!(f, "Open({}, {stream:?})", head.status),
            Self::Refused { head, stream } => write!(f, "Refused({}, {stream:?})", head.status),
        }
    }
}

/// Read and thrown away of a refusal's body, at most, in bytes.
const REFUSAL: u64 = 64 * 1024;

/// Asks the proxy at the other end of `stream` for a tunnel. `scope` is where it is told. Bound it in
/// time (`Host::timeout`): a proxy may take as long as it likes.
pub async fn connect<S: Stream>(scope: &Scope, stream: S, request: &Connect) -> Result<Tunnel<S>, HttpError> {
    let result = ask(scope, stream, request).await;
    if let Err(error) = &result {
        scope.record(|| Http::Failed { why: in_full(error) });
    }
    result
}

async fn ask<S: Stream>(scope: &Scope, mut stream: S, request: &Connect) -> Result<Tunnel<S>, HttpError> {
    let version = if request.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
    // RFC 9112 3.2.3: the target is the authority alone.
    if request.authority.is_empty() || request.authority.chars().any(|c| c.is_control() || c == ' ') {
        let authority = request.authority.escape_debug();
        return Err(HttpError::BadRequest { why: format!("\"{authority}\" is no host and port") });
    }
    let head = write_head(&Method::CONNECT, &request.authority, version, &request.headers);
    scope.record(|| Http::RequestSent {
        method: Method::CONNECT.to_string(),
        url: request.authority.clone(),
        version: version.to_owned(),
        headers: as_pairs(&request.headers),
        body_length: 0,
    });
    let broken = |error: io::Error| HttpError::broken(&Arc::new(error), 0);
    stream.write_all(&head).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let (head, rest) = read_head(scope, &mut stream, request).await?;
    // RFC 9110 9.3.6: a 2xx answer has no body, whatever its fields say.
    let is_open = head.status.is_success();
    let framing =
        if is_open { Framing::None } else { response_framing(&Method::GET, &head, Reading::default()) };
    scope.record(|| Http::ResponseReceived {
        status: head.status.as_u16(),
        reason: head.reason.clone(),
        version: head.version_text().to_owned(),
        headers: head.headers_as_sent(),
        framing,
    });
    let mut stream = Tunnelled { stream, rest, used: 0 };
    if is_open {
        return Ok(Tunnel::Open { head, stream });
    }
    let persists = persistence(&request.headers, &head, framing).is_ok();
    let stream = if persists && skip(&mut stream, framing).await { Some(stream) } else { None };
    Ok(Tunnel::Refused { head, stream })
}

/// The first head that is final, and what came behind it.
async fn read_head<S: Stream>(
    scope: &Scope,
    stream: &mut S,
    request: &Connect,
) -> Result<(ResponseHead, Vec<u8>), HttpError> {
    let mut reader = HeadReader::new(request.limits.clone(), false);
    let mut scratch = vec![0; SCRATCH];
    let mut received = 0;
    loop {
        let count =
            stream.read(&mut scratch).await.map_err(|error| HttpError::broken(&Arc::new(error), received))?;
        received += count as u64;
        let mut data = scratch.get(..count).unwrap_or_default();
        if data.is_empty() {
            return Err(HttpError::NoTunnel { why: "it closed the connection".to_owned() });
        }
        while !data.is_empty() {
            match reader.on_bytes(data).map_err(no_tunnel)? {
                Step::More => break,
                Step::Head(head, used) => {
                    data = data.get(used..).unwrap_or_default();
                    if !head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS {
                        return Ok((head, data.to_vec()));
                    }
                    let status = head.status;
                    scope
                        .record(|| Note::detail(format!("interim response {status}: the final one follows")));
                }
                // There is none: it was not allowed.
                Step::Body(_) => break,
            }
        }
    }
}

fn no_tunnel(error: HttpError) -> HttpError {
    HttpError::NoTunnel { why: error.to_string() }
}

/// Reads a refusal's body to its end; false if that takes too long, or its end cannot be known.
async fn skip<S: Stream>(stream: &mut Tunnelled<S>, framing: Framing) -> bool {
    let mut left = match framing {
        Framing::None => 0,
        Framing::Length(length) if length <= REFUSAL => length,
        _ => return false,
    };
    let mut scratch = vec![0; SCRATCH];
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(scratch.len());
        let Some(scratch) = scratch.get_mut(..room) else { return false };
        match stream.read(scratch).await {
            Ok(count) if count > 0 => left = left.saturating_sub(count as u64),
            _ => return false,
        }
    }
    true
}

/// A stream, with bytes in front of it that have been read already.
pub struct Tunnelled<S> {
    stream: S,
    rest: Vec<u8>,
    used: usize,
}

impl<S> Tunnelled<S> {
    /// The stream beneath; what came already and was not read yet is lost.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Bytes that came behind the proxy's answer and were not read yet.
    pub fn waiting(&self) -> usize {
        self.rest.len().saturating_sub(self.used)
    }
}

impl<S> fmt::Debug for Tunnelled<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnelled").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tunnelled<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let rest = this.rest.get(this.used..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buffer);
        }
        let count = rest.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(rest) {
            *slot = *byte;
        }
        this.used += count;
        if this.used == this.rest.len() {
            (this.rest, this.used) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tunnelled<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }
}
