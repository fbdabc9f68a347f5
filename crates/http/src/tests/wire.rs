//! Two ends of a stream in memory, a world to run them in, and peers that follow a script.

use crate::{Connection, Fields, HttpError, Limits, Request, Response};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::future::BoxFuture;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Instant, Journal, Record, Scope, WallTime};
use glasstack_stack::executor::Progress;
use glasstack_stack::{Executor, TcpError};
use http::Method;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use url::Url;

/// Time that jumps to the next timer, and an executor.
pub(super) struct World {
    clock: Arc<TestClock>,
    pub(super) executor: Executor,
    pub(super) scope: Scope,
    recorder: Recorder,
}

#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        WallTime::from_unix_seconds(784_111_777) + self.now().since(Instant::ZERO)
    }
}

impl World {
    pub(super) fn new() -> Self {
        let clock = Arc::new(TestClock::default());
        let executor = Executor::new(Arc::clone(&clock) as Arc<dyn Clock>, || ());
        let journal = Journal::new(WallTime::default());
        let recorder = Recorder::new();
        journal.attach(Box::new(recorder.clone()));
        let node = journal.node(Instant::ZERO, "test");
        let scope = Scope::new(journal, Arc::clone(&clock) as Arc<dyn Clock>, node);
        Self { clock, executor, scope, recorder }
    }

    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut main = self.executor.main(future);
        loop {
            match self.executor.run_ready(&mut main, 100_000) {
                Progress::Done(done) => return done,
                Progress::Busy => panic!("the world spins"),
                Progress::Idle(_) => {
                    let next = self.executor.next_timer().expect("nothing can ever happen again");
                    self.clock.0.store(next.as_nanos(), Ordering::Relaxed);
                    self.executor.fire_timers(next);
                }
            }
        }
    }

    /// Who waits for a time.
    pub(super) fn sleep(&self) -> impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static {
        let executor = self.executor.clone();
        move |duration| {
            let executor = executor.clone();
            Box::pin(async move { executor.sleep(duration).await })
        }
    }

    pub(super) fn records(&self) -> Vec<Record> {
        self.recorder.records()
    }

    /// A client whose peer is `peer`.
    pub(super) async fn client<F: Future<Output = ()> + Send + 'static>(
        &self,
        limits: Limits,
        peer: impl FnOnce(End) -> F,
    ) -> Connection {
        let (near, far) = pipe();
        self.executor.spawn(peer(far));
        let (connection, driver) = Connection::start(near, limits, self.sleep()).await.unwrap();
        self.executor.spawn(driver);
        connection
    }

    /// What a GET gets from a peer that says `wire` once it has read the request's head, and then
    /// ends as told.
    pub(super) fn get(&self, wire: &'static [u8], ending: Ending) -> Result<(Response, Vec<u8>), HttpError> {
        self.ask(get("/"), wire, ending, Limits::default())
    }

    pub(super) fn ask(
        &self,
        request: Request,
        wire: &'static [u8],
        ending: Ending,
        limits: Limits,
    ) -> Result<(Response, Vec<u8>), HttpError> {
        self.run(async {
            let mut connection = self.client(limits, |end| say(end, wire, ending)).await;
            let mut response = connection.send(&self.scope, request).await?;
            let body = response.body.read_all(u64::MAX).await?;
            Ok((response, body.to_vec()))
        })
    }
}

/// How a scripted peer ends.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    Fin,
    Reset,
    Silence,
}

pub(super) async fn say(mut end: End, wire: &'static [u8], ending: Ending) {
    read_head(&mut end).await;
    end.write_all(wire).await.unwrap();
    match ending {
        Ending::Fin => end.close().await.unwrap(),
        Ending::Reset => end.reset(),
        Ending::Silence => return end.hold(),
    }
    // Hears the other side out, as a kernel would.
    let _ = end.read_to_end(&mut Vec::new()).await;
}

/// Reads up to the end of a head; empty when the other side has closed.
pub(super) async fn read_head(end: &mut End) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match end.read(&mut byte).await {
            Ok(1) => head.extend_from_slice(&byte),
            _ => break,
        }
    }
    String::from_utf8(head).unwrap()
}

pub(super) fn get(path: &str) -> Request {
    request(Method::GET, path, b"")
}

pub(super) fn request(method: Method, path: &str, body: &'static [u8]) -> Request {
    let headers = Fields::from_iter([(http::header::HOST, "h.test".parse().unwrap())]);
    let url = Url::parse("http://h.test").unwrap().join(path).unwrap();
    Request { headers, body: body.into(), ..Request::new(method, url) }
}

/// One end of a stream in memory.
pub(super) struct End {
    incoming: Arc<Mutex<Half>>,
    outgoing: Arc<Mutex<Half>>,
}

#[derive(Default)]
struct Half {
    bytes: VecDeque<u8>,
    closed: bool,
    reset: bool,
    deaf: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Bytes under way at most.
const ROOM: usize = 64 * 1024;

pub(super) fn pipe() -> (End, End) {
    let (a, b) = (Arc::<Mutex<Half>>::default(), Arc::<Mutex<Half>>::default());
    let far = End { incoming: Arc::clone(&b), outgoing: Arc::clone(&a) };
    (End { incoming: a, outgoing: b }, far)
}

impl End {
    /// As a RST would: what is under way arrives first.
    pub(super) fn reset(&self) {
        let mut out = self.outgoing.lock().unwrap();
        out.reset = true;
        wake(&mut out.reader);
    }

    /// Neither closes nor listens, ever.
    pub(super) fn hold(self) {
        std::mem::forget(self);
    }

    /// Nothing that the other side writes from now on is taken.
    pub(super) fn break_writes(&self) {
        let mut half = self.incoming.lock().unwrap();
        half.deaf = true;
        wake(&mut half.writer);
    }

    pub(super) fn is_closed_by_peer(&self) -> bool {
        self.incoming.lock().unwrap().closed
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut half = self.incoming.lock().unwrap();
        let count = half.bytes.len().min(buffer.len());
        if count == 0 {
            if half.reset {
                return Poll::Ready(Err(TcpError::Reset { peer: "10.0.0.2:80".parse().unwrap() }.into()));
            }
            if half.closed {
                return Poll::Ready(Ok(0));
            }
            half.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        for (slot, byte) in buffer.iter_mut().zip(half.bytes.drain(..count)) {
            *slot = byte;
        }
        wake(&mut half.writer);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut half = self.outgoing.lock().unwrap();
        if half.closed || half.deaf {
            return Poll::Ready(Err(TcpError::Closed.into()));
        }
        let count = (ROOM - half.bytes.len()).min(data.len());
        if count == 0 {
            half.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        half.bytes.extend(&data[..count]);
        wake(&mut half.reader);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut half = self.outgoing.lock().unwrap();
        half.closed = true;
        wake(&mut half.reader);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut half = self.outgoing.lock().unwrap();
        half.closed = true;
        wake(&mut half.reader);
        let mut half = self.incoming.lock().unwrap();
        half.bytes.clear();
        wake(&mut half.writer);
    }
}

/// The seed with a few of its bytes changed, a few hundred times; the same every time it runs.
pub(super) fn mutations(seed: &'static [u8], mut state: u64) -> impl Iterator<Item = &'static [u8]> {
    std::iter::repeat_with(move || {
        let mut wire = seed.to_vec();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state % seed.len() as u64).unwrap();
            wire[at] = state.to_le_bytes()[5];
        }
        &*wire.leak()
    })
    .take(400)
}
