//! What there is to know of a transfer, while it runs and when it is over: curl's `-w`, its progress
//! meter, `-i` and `-D` read it.

use glasstack_http::{Method, ResponseHead, Version, header};
use glasstack_journal::Instant;
use glasstack_tls::PeerCertificates;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// Watches one transfer. Clones watch the same one.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What is known but for the exchange that goes on.
    facts: Facts,
    /// The exchange that goes on.
    live: Option<glasstack_http::Progress>,
    /// When the last request began.
    began: Instant,
}

/// How far the bodies have come, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Sent.
    pub uploaded: u64,
    /// To be sent in all.
    pub upload_length: Option<u64>,
    /// Received, as transferred.
    pub downloaded: u64,
    /// To be received in all, as transferred.
    pub download_length: Option<u64>,
}

/// What is known of a transfer. With redirects, what is not said to be of all of them is of the last.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The method of the last request.
    pub method: Option<Method>,
    /// The URL of the last request.
    pub url: Option<Url>,
    /// The version of the last response.
    pub version: Option<Version>,
    /// The status code of the last response; 0: there was none.
    pub status: u16,
    /// The status code of a proxy's last answer to CONNECT; 0: there was none.
    pub connect_status: u16,
    /// `Content-Type` of the last response.
    pub content_type: Option<String>,
    /// Where the last response would redirect to, if nobody followed it.
    pub redirect_url: Option<Url>,
    /// What the last request said in `Referer`.
    pub referer: Option<String>,
    /// This end of the last connection.
    pub local: Option<SocketAddr>,
    /// Its other end: a proxy's where there is one.
    pub remote: Option<SocketAddr>,
    /// The server's certificates, its own first; none without TLS or when a session was resumed.
    pub certificates: PeerCertificates,
    /// New connections made, in all.
    pub connects: u32,
    /// Redirects followed.
    pub redirects: u32,
    /// Bytes of all heads received.
    pub header_bytes: u64,
    /// How many header fields the last response had.
    pub header_fields: usize,
    /// Bytes of all request heads sent.
    pub request_bytes: u64,
    /// Bytes of the body sent.
    pub uploaded: u64,
    /// How many that will be, if that is known.
    pub upload_length: Option<u64>,
    /// Bytes of the body received, as transferred.
    pub downloaded: u64,
    /// How many that will be, if that is known.
    pub download_length: Option<u64>,
    /// When what was done.
    pub timings: Timings,
    /// The heads received that nobody has taken yet; see [`Watch::take_heads`].
    pub heads: Vec<ReceivedHead>,
}

/// When what was done, as curl counts it: each from the beginning of the transfer, and with redirects
/// what the earlier ones took is in them. Zero: it was never reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// When it began.
    pub started: Instant,
    /// The host's name was resolved (`time_namelookup`).
    pub namelookup: Duration,
    /// The TCP connection was made (`time_connect`).
    pub connect: Duration,
    /// The TLS session was made (`time_appconnect`).
    pub appconnect: Duration,
    /// The request could be sent (`time_pretransfer`).
    pub pretransfer: Duration,
    /// The first byte of the response had come (`time_starttransfer`).
    pub starttransfer: Duration,
    /// All redirects were over and the last request began (`time_redirect`).
    pub redirect: Duration,
    /// All is done (`time_total`); zero until then.
    pub total: Duration,
}

/// A head as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedHead {
    /// To what it is the answer, or part of one.
    pub kind: HeadKind,
    /// The URL that was asked for.
    pub url: Url,
    /// Its status code.
    pub status: u16,
    /// The head as it came over the wire, up to and including the empty line.
    pub raw: Vec<u8>,
}

/// What a head was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// A proxy's answer to CONNECT.
    Connect,
    /// An interim one (1xx).
    Interim,
    /// A response's: whether it is the last one is known when the fetch is done.
    Response,
}

impl Watch {
    /// What is known now.
    pub fn facts(&self) -> Facts {
        self.lock().merged()
    }

    /// Bytes of the bodies so far, and how many there will be, where that is known.
    pub fn progress(&self) -> Progress {
        let inner = self.lock();
        let facts = &inner.facts;
        let mut progress = Progress {
            uploaded: facts.uploaded,
            upload_length: facts.upload_length,
            downloaded: facts.downloaded,
            download_length: facts.download_length,
        };
        if let Some(live) = inner.live.as_ref().map(glasstack_http::Progress::look) {
            progress.uploaded = live.uploaded;
            progress.upload_length = live.upload_length;
            progress.downloaded = live.downloaded;
        }
        progress
    }

    /// The heads that have come since the last time this was asked, in order: those of a proxy's
    /// answer to CONNECT, interim ones (1xx), those of redirects, the final one.
    pub fn take_heads(&self) -> Vec<ReceivedHead> {
        std::mem::take(&mut self.lock().facts.heads)
    }

    /// The transfer begins: what an earlier attempt left is forgotten.
    pub(crate) fn begin(&self, now: Instant) {
        let mut inner = self.lock();
        *inner = Inner { began: now, ..Inner::default() };
        inner.facts.timings.started = now;
    }

    /// The next request begins.
    pub(crate) fn begin_request(&self, now: Instant, method: &Method, url: &Url) {
        let mut inner = self.lock();
        inner.fold();
        inner.began = now;
        let facts = &mut inner.facts;
        facts.method = Some(method.clone());
        facts.url = Some(url.clone());
        (facts.uploaded, facts.upload_length) = (0, None);
        (facts.downloaded, facts.download_length) = (0, None);
    }

    /// A redirect is followed.
    pub(crate) fn on_redirect(&self, now: Instant) {
        let mut inner = self.lock();
        inner.facts.redirects += 1;
        inner.facts.timings.redirect = now.since(inner.facts.timings.started);
    }

    /// A time is known: what `which` chooses.
    pub(crate) fn reach(&self, now: Instant, which: impl FnOnce(&mut Timings) -> &mut Duration) {
        let mut inner = self.lock();
        let passed = passed(inner.began, now);
        *which(&mut inner.facts.timings) += passed;
    }

    /// TCP has a new connection; what is spoken over it may fail yet.
    pub(crate) fn on_dialled(&self, local: SocketAddr, remote: SocketAddr) {
        let mut inner = self.lock();
        inner.facts.connects += 1;
        (inner.facts.local, inner.facts.remote) = (Some(local), Some(remote));
    }

    /// A connection with these ends can be used, new or kept.
    pub(crate) fn on_connection(&self, (local, remote): (SocketAddr, SocketAddr), of: &PeerCertificates) {
        let mut inner = self.lock();
        (inner.facts.local, inner.facts.remote) = (Some(local), Some(remote));
        inner.facts.certificates = of.clone();
    }

    /// From here on this tells how far the exchange has come.
    pub(crate) fn track(&self, live: glasstack_http::Progress) {
        let mut inner = self.lock();
        inner.fold();
        inner.live = Some(live);
    }

    /// A head came.
    pub(crate) fn on_head(&self, kind: HeadKind, url: &Url, head: &ResponseHead) {
        let mut inner = self.lock();
        let facts = &mut inner.facts;
        let status = head.status.as_u16();
        facts.heads.push(ReceivedHead { kind, url: url.clone(), status, raw: head.raw.clone() });
        match kind {
            HeadKind::Connect => {
                facts.connect_status = status;
                facts.header_fields = fields_in(&head.raw);
                facts.header_bytes += head.raw.len() as u64;
            }
            HeadKind::Interim => {}
            HeadKind::Response => {
                facts.status = status;
                facts.version = Some(head.version);
                facts.header_fields = fields_in(&head.raw);
                // curl: of several the last.
                let content_type = head.headers.get_all(header::CONTENT_TYPE).iter().next_back();
                facts.content_type =
                    content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
        }
    }

    /// The exchange failed: what came of a head is kept, as far as it came.
    pub(crate) fn on_failure(&self, url: &Url) {
        let mut inner = self.lock();
        let Some(raw) = inner.live.as_ref().map(|live| live.look().heads.to_vec()) else { return };
        if raw.is_empty() {
            return;
        }
        let status = status_of(&raw);
        inner.facts.status = status;
        inner.facts.version = version_of(&raw).or(inner.facts.version);
        inner.facts.header_fields = fields_in(&raw);
        let head = ReceivedHead { kind: HeadKind::Response, url: url.clone(), status, raw };
        inner.facts.heads.push(head);
    }

    /// Bytes of a request that no exchange counts: CONNECT.
    pub(crate) fn on_request_bytes(&self, bytes: u64) {
        self.lock().facts.request_bytes += bytes;
    }

    /// Other facts.
    pub(crate) fn learn(&self, learn: impl FnOnce(&mut Facts)) {
        learn(&mut self.lock().facts);
    }

    /// All is done, or nothing more will be; only the first time counts.
    pub(crate) fn end(&self, now: Instant) {
        let mut inner = self.lock();
        inner.fold();
        if inner.facts.timings.total.is_zero() {
            inner.facts.timings.total = passed(inner.facts.timings.started, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// With what is known of the exchange that goes on.
    fn merged(&self) -> Facts {
        let mut facts = self.facts.clone();
        if let Some(live) = self.live.as_ref().map(glasstack_http::Progress::look) {
            facts.request_bytes += live.request_head;
            facts.header_bytes += live.heads.len() as u64;
            facts.uploaded = live.uploaded;
            facts.upload_length = live.upload_length;
            facts.downloaded = live.downloaded;
            if let Some(first) = live.first_byte {
                facts.timings.starttransfer += passed(self.began, first);
            }
        }
        facts
    }

    fn fold(&mut self) {
        self.facts = self.merged();
        self.live = None;
    }
}

/// The status code of the last status line among these lines; 0: there is none.
fn status_of(raw: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(raw);
    let mut codes = text.lines().filter_map(|line| line.strip_prefix("HTTP/")?.split_whitespace().nth(1));
    codes.next_back().and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// How many fields the last head among these lines has: as curl counts them, also those that nobody
/// can read.
fn fields_in(raw: &[u8]) -> usize {
    let mut count = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        match line {
            line if line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/")) => count = 0,
            // The end, or more of the field before (RFC 9112 5.2).
            [b'\r' | b'\n' | b' ' | b'\t', ..] => {}
            _ => count += 1,
        }
    }
    count
}

/// The version of the last status line among these lines.
fn version_of(raw: &[u8]) -> Option<Version> {
    let text = String::from_utf8_lossy(raw);
    let line = text.lines().rfind(|line| line.starts_with("HTTP/"))?;
    match line.split_whitespace().next()? {
        "HTTP/1.0" => Some(Version::HTTP_10),
        "HTTP/1.1" => Some(Version::HTTP_11),
        "HTTP/2" | "HTTP/2.0" => Some(Version::HTTP_2),
        _ => None,
    }
}

/// As in curl: what was reached took at least a microsecond.
fn passed(from: Instant, to: Instant) -> Duration {
    to.since(from).max(Duration::from_micros(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_last_head_is_a_field_but_what_continues_one() {
        let raw = b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.0 200 OK\r\nX: a\r\n b\r\n\x01odd\r\nY:\r\n";
        assert_eq!(fields_in(raw), 3);
        assert_eq!((status_of(raw), version_of(raw)), (200, Some(Version::HTTP_10)));
        assert_eq!(fields_in(b"http/1.1 200\r\nX: y\r\n\r\n"), 1);
        assert_eq!((fields_in(b""), status_of(b""), version_of(b"")), (0, 0, None));
    }
}
