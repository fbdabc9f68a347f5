//! TCP as in `std::net`: a stream that reads and writes, and a listener.

use super::Reach;
use super::error::network_down;
use futures_io::{AsyncRead, AsyncWrite};
use glasstack_stack as stack;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// An open connection. As with std's, `&TcpStream` reads and writes as well, so that one thread
/// can read while another writes; [`try_clone`](Self::try_clone) gives each a handle of its own.
/// When the last handle is dropped the connection is closed: FIN in the background, RST if data is
/// unread.
#[derive(Debug)]
pub struct TcpStream {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Locked for a poll at a time.
    stream: Mutex<stack::TcpStream>,
    /// Who reads; the stack knows one waker a direction, so others wait for their turn.
    reading: Mutex<()>,
    /// Who writes.
    writing: Mutex<()>,
    timeouts: Mutex<Timeouts>,
    read_shut: AtomicBool,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, Default)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl TcpStream {
    pub(super) fn new(stream: stack::TcpStream, reach: Reach) -> Self {
        Self {
            shared: Arc::new(Shared {
                stream: Mutex::new(stream),
                reading: Mutex::default(),
                writing: Mutex::default(),
                timeouts: Mutex::default(),
                read_shut: AtomicBool::new(false),
                reach,
            }),
        }
    }

    /// Another handle to the same connection: what one reads the other does not get, and options
    /// set through one hold for both.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { shared: Arc::clone(&self.shared) })
    }

    /// This end.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(lock(&self.shared.stream).local_addr())
    }

    /// The other end.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(lock(&self.shared.stream).peer_addr())
    }

    /// How long a read may wait before it fails with [`TimedOut`](io::ErrorKind::TimedOut); none,
    /// the default: for ever. Zero is an error, as with std's.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        lock(&self.shared.timeouts).read = checked(limit)?;
        Ok(())
    }

    /// How long a write may wait for room before it fails with
    /// [`TimedOut`](io::ErrorKind::TimedOut); none, the default: for ever. Zero is an error.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        lock(&self.shared.timeouts).write = checked(limit)?;
        Ok(())
    }

    /// How long a read may wait.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(lock(&self.shared.timeouts).read)
    }

    /// How long a write may wait.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        Ok(lock(&self.shared.timeouts).write)
    }

    /// Whether small segments are sent at once instead of waiting for company (Nagle's algorithm
    /// off). They wait by default.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        lock(&self.shared.stream).set_nodelay(nodelay);
        Ok(())
    }

    /// `Write` sends a FIN behind what was written; `Read` makes later reads here come to the end
    /// at once (the peer is not told).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            self.shared.read_shut.store(true, Ordering::SeqCst);
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            // A FIN is queued at once; it waits for nothing.
            let _ = self.shared.on_stream(&mut Context::from_waker(Waker::noop()), AsyncWrite::poll_close);
        }
        Ok(())
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let shared = &self.shared;
        if buffer.is_empty() || shared.read_shut.load(Ordering::SeqCst) {
            return Ok(0);
        }
        let _turn = lock(&shared.reading);
        let limit = lock(&shared.timeouts).read;
        shared.wait(limit, |cx| shared.on_stream(cx, |stream, cx| stream.poll_read(cx, buffer)))
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let shared = &self.shared;
        if data.is_empty() {
            return Ok(0);
        }
        let _turn = lock(&shared.writing);
        let limit = lock(&shared.timeouts).write;
        shared.wait(limit, |cx| shared.on_stream(cx, |stream, cx| stream.poll_write(cx, data)))
    }

    /// Written is done, as in a kernel: there is nothing to flush.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn on_stream<T>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut stack::TcpStream>, &mut Context<'_>) -> T,
    ) -> T {
        poll(Pin::new(&mut *lock(&self.stream)), cx)
    }

    fn wait<T>(
        &self,
        limit: Option<Duration>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> io::Result<T> {
        // Mostly there is data, or room: no need to tell anybody who waits.
        if let Poll::Ready(done) = poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
        self.reach.wait(limit, poll_fn(poll))
    }
}

/// Accepts connections on a port, on as many threads as like to. Dropping it stops listening and
/// resets what was never accepted.
pub struct TcpListener {
    listener: stack::TcpListener,
    reach: Reach,
}

impl TcpListener {
    pub(super) fn new(listener: stack::TcpListener, reach: Reach) -> Self {
        Self { listener, reach }
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.listener.local_addr())
    }

    /// Waits for the next connection, which is established already.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = self.reach.world.block_on(self.listener.accept()).map_err(network_down)?;
        let peer = stream.peer_addr();
        Ok((TcpStream::new(stream, self.reach.clone()), peer))
    }

    /// One connection after the other; it ends only with the world, whose end is an error each time.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpListener({})", self.listener.local_addr())
    }
}

/// Connections as they come, from [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

pub(super) fn checked(limit: Option<Duration>) -> io::Result<Option<Duration>> {
    if limit == Some(Duration::ZERO) {
        let why = "a timeout of zero: say None to wait for ever";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(limit)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
