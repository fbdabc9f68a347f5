//! The stream below: small pieces are written together, and whoever watches hears what passes.

use crate::observe::Tap;
use futures_io::{AsyncRead, AsyncWrite};
use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

/// Pieces are copied together up to this many bytes, about one record (RFC 8446 5.1).
const TOGETHER: usize = 16 * 1024;

/// Hands several records to `S` in one write even where `S` takes only one slice at a time.
///
/// A handshake that fails gets one last write, and in TLS 1.3 the alert that says why stands in it
/// behind a change_cipher_spec of six bytes: written slice by slice, the peer would never hear it.
pub(crate) struct Gather<S> {
    pub(crate) stream: S,
    heard: Heard,
    last_word: LastWord,
}

/// The alert that is sent where rustls would send access_denied in the open: to a client for which
/// there is no certificate, it knows no other. None: 0, which refuses nobody (close_notify).
pub(crate) type LastWord = Arc<AtomicU8>;

/// RFC 8446 5.1 and 6: the record of a fatal access_denied (49) that is not encrypted.
const ACCESS_DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];

/// The tap, if anybody watches; told when the connection is given up.
struct Heard(Option<Tap>);

impl Drop for Heard {
    fn drop(&mut self) {
        if let Some(tap) = &self.0 {
            tap.finish();
        }
    }
}

impl<S> Gather<S> {
    /// `tap` hears what passes.
    pub(crate) fn new(stream: S, tap: Option<Tap>) -> Self {
        Self { stream, heard: Heard(tap), last_word: LastWord::default() }
    }

    /// The same, with an alert of its own for clients for which there is no certificate.
    pub(crate) fn with_last_word(self, last_word: LastWord) -> Self {
        Self { last_word, ..self }
    }

    /// `data`, unless it is the alert that is to be another.
    fn worded<'a>(&self, data: &'a [u8]) -> Cow<'a, [u8]> {
        match (self.last_word.load(Ordering::Relaxed), data) {
            (alert @ 1.., data) if data == ACCESS_DENIED => {
                let mut record = ACCESS_DENIED;
                record[6] = alert;
                Cow::Owned(record.to_vec())
            }
            _ => Cow::Borrowed(data),
        }
    }

    /// Nothing more will pass: what was heard is summed up now, while its span is open.
    pub(crate) fn finish(&self) {
        if let Some(tap) = &self.heard.0 {
            tap.finish();
        }
    }

    fn sent(&self, data: &[u8], written: &Poll<io::Result<usize>>) {
        if let (Some(tap), Poll::Ready(Ok(count))) = (&self.heard.0, written) {
            tap.sent(data.get(..*count).unwrap_or_default());
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gather<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let (Some(tap), Poll::Ready(Ok(count))) = (&self.heard.0, &read) {
            tap.received(buffer.get(..*count).unwrap_or_default());
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gather<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let data = self.worded(data);
        let written = Pin::new(&mut self.stream).poll_write(cx, &data);
        self.sent(&data, &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pieces = slices.iter().filter(|slice| !slice.is_empty());
        let first: &[u8] = pieces.next().map_or(&[], |slice| slice);
        let mut gathered = Vec::new();
        for piece in pieces {
            let so_far = gathered.len().max(first.len());
            if so_far + piece.len() > TOGETHER {
                break;
            }
            if gathered.is_empty() {
                gathered.extend_from_slice(first);
            }
            gathered.extend_from_slice(piece);
        }
        let data = if gathered.is_empty() { first } else { &gathered };
        let data = self.worded(data);
        let written = Pin::new(&mut self.stream).poll_write(cx, &data);
        self.sent(&data, &written);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
