//! What there is to know of a transfer, while it runs and when it is over: curl's `-w`, its progress
//! meter, `-i` and `-D` read it.

use glasstack_http::{Method, Version};
use glasstack_journal::Instant;
use glasstack_tls::CertificateInfo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// Watches one transfer. Clones watch the same one.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    facts: Arc<Mutex<Facts>>,
}

impl Watch {
    /// What is known now.
    pub fn facts(&self) -> Facts {
        self.lock().clone()
    }

    /// Bytes of the body so far: uploaded and, as transferred, downloaded; and how many each way
    /// there will be, where that is known.
    pub fn progress(&self) -> Progress {
        let facts = self.lock();
        Progress {
            uploaded: facts.uploaded,
            upload_length: facts.upload_length,
            downloaded: facts.downloaded,
            download_length: facts.download_length,
        }
    }

    /// The heads that have come since the last time this was asked, in order: those of a proxy's
    /// answer to CONNECT, interim ones (1xx), those of redirects, the final one.
    pub fn take_heads(&self) -> Vec<ReceivedHead> {
        std::mem::take(&mut self.lock().heads)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    pub certificates: Vec<CertificateInfo>,
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
    /// The trailer fields of a chunked body (RFC 9112 7.1.2).
    Trailers,
}
