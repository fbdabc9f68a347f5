//! A body on its way out: pieces in memory, files, stdin; at no more than `--limit-rate`.

use super::pace::{Pace, step};
use crate::files::{open, stdin};
use glasstack::http::{BodySource, RequestBody};
use glasstack::stack::Host;
use glasstack::web::UploadBody;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How much is read at a time where nothing limits it, in bytes.
const PIECE: usize = 64 * 1024;
/// How many pieces of stdin may wait to be sent.
const WAITING: usize = 4;

/// Some of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// In memory.
    Bytes(Vec<u8>),
    /// A file, from an offset on; `length` bytes of it.
    File { path: PathBuf, offset: u64, length: u64 },
    /// What has no length that is known in advance: a pipe, a device.
    Pipe { path: PathBuf },
    /// The standard input.
    Stdin,
}

impl Segment {
    fn length(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File { length, .. } => Some(*length),
            Self::Pipe { .. } | Self::Stdin => None,
        }
    }
}

/// A body of these segments, which can be sent again unless stdin is among them; `host` keeps the
/// time for `limit_rate`, in bytes a second.
pub(crate) fn upload(segments: Vec<Segment>, host: &Host, limit_rate: Option<u64>) -> UploadBody {
    if let ([Segment::Bytes(bytes)], None) = (segments.as_slice(), limit_rate) {
        return UploadBody::Bytes(bytes.clone().into());
    }
    let host = host.clone();
    let is_spent = AtomicBool::new(false);
    let begin = if segments.contains(&Segment::Stdin) { place_in_stdin().ok() } else { None };
    UploadBody::Reopen(Arc::new(move || {
        if segments.contains(&Segment::Stdin) && is_spent.swap(true, Ordering::Relaxed) {
            rewind_stdin(begin)?;
        }
        let length = segments.iter().try_fold(0_u64, |sum, segment| Some(sum + segment.length()?));
        let source = Source {
            segments: segments.clone().into_iter(),
            current: Current::Nothing,
            pace: limit_rate.map(|limit| Pace::new(&host, limit)),
            pause: None,
            piece: step(limit_rate, PIECE),
            blocks: host.entropy().is_reproducible(),
        };
        Ok(RequestBody::Stream { length, source: Box::new(source) })
    }))
}

/// Where stdin stands, if it is a file: only then can it be read again.
fn place_in_stdin() -> io::Result<u64> {
    stdin()?.stream_position()
}

fn rewind_stdin(begin: Option<u64>) -> io::Result<()> {
    let Some(begin) = begin else {
        return Err(io::Error::other("stdin, which is no file, cannot be read a second time"));
    };
    stdin()?.seek(SeekFrom::Start(begin)).map(drop)
}

/// The segments, one after the other.
struct Source {
    segments: std::vec::IntoIter<Segment>,
    current: Current,
    pace: Option<Pace>,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// How much is read at a time, in bytes.
    piece: usize,
    /// In a virtual world nothing happens outside of it: whoever waits for stdin waits.
    blocks: bool,
}

enum Current {
    Nothing,
    Bytes(std::vec::IntoIter<Vec<u8>>),
    File { file: File, left: u64, path: PathBuf },
    Reader(Arc<Reader>),
}

impl BodySource for Source {
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<bytes::Bytes>>> {
        if let Some(pause) = &mut self.pause {
            match pause.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => self.pause = None,
            }
        }
        let chunk = loop {
            match self.poll_current(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(chunk)) => break chunk,
                Poll::Ready(None) => match self.segments.next() {
                    None => return Poll::Ready(None),
                    Some(segment) => match Current::begin(segment, self.piece, self.blocks) {
                        Ok(current) => self.current = current,
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    },
                },
            }
        };
        if let (Ok(chunk), Some(pace)) = (&chunk, &mut self.pace) {
            self.pause = pace.after(chunk.len() as u64);
        }
        Poll::Ready(Some(chunk.map(Into::into)))
    }
}

impl Source {
    fn poll_current(&mut self, cx: &Context<'_>) -> Poll<Option<io::Result<Vec<u8>>>> {
        match &mut self.current {
            Current::Nothing => Poll::Ready(None),
            Current::Bytes(pieces) => Poll::Ready(pieces.next().map(Ok)),
            Current::File { left: 0, .. } => Poll::Ready(None),
            Current::File { file, left, path } => {
                let most = usize::try_from(*left).unwrap_or(self.piece).min(self.piece);
                Poll::Ready(Some(match read_piece(file, most) {
                    // Its length was promised.
                    Ok(piece) if piece.is_empty() => Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        format!("{} has become {left} bytes shorter while it was sent", path.display()),
                    )),
                    Ok(piece) => {
                        *left -= piece.len() as u64;
                        Ok(piece)
                    }
                    Err(error) => Err(error),
                }))
            }
            Current::Reader(reader) => reader.poll(cx),
        }
    }
}

impl Current {
    fn begin(segment: Segment, piece: usize, blocks: bool) -> io::Result<Self> {
        match segment {
            Segment::Bytes(bytes) => {
                let pieces: Vec<Vec<u8>> = bytes.chunks(piece).map(<[u8]>::to_vec).collect();
                Ok(Self::Bytes(pieces.into_iter()))
            }
            Segment::File { path, offset, length } => {
                let mut file = open(&path)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Self::File { file, left: length, path })
            }
            Segment::Pipe { path } => Reader::begin(move || open(&path), piece, blocks),
            Segment::Stdin => Reader::begin(stdin, piece, blocks),
        }
    }
}

fn read_piece(from: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut piece = vec![0; most];
    loop {
        match from.read(&mut piece) {
            Ok(count) => {
                piece.truncate(count);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What may keep whoever reads it waiting, read by a thread of its own: the world goes on.
struct Reader {
    pieces: Mutex<Receiver<io::Result<Vec<u8>>>>,
    waker: Mutex<Option<Waker>>,
    blocks: bool,
}

impl Reader {
    fn begin<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        most: usize,
        blocks: bool,
    ) -> io::Result<Current> {
        let (sender, receiver) = sync_channel(WAITING);
        let reader = Arc::new(Self { pieces: Mutex::new(receiver), waker: Mutex::default(), blocks });
        let weak = Arc::downgrade(&reader);
        let read = move || {
            let wake = || {
                if let Some(waker) = weak.upgrade().and_then(|reader| lock(&reader.waker).take()) {
                    waker.wake();
                }
            };
            let mut input = match open() {
                Ok(input) => input,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return wake();
                }
            };
            loop {
                let piece = read_piece(&mut input, most);
                let is_last = !matches!(&piece, Ok(piece) if !piece.is_empty());
                let is_told = matches!(&piece, Ok(piece) if piece.is_empty()) || sender.send(piece).is_ok();
                if is_last || !is_told {
                    drop(sender);
                    return wake();
                }
                wake();
            }
        };
        std::thread::Builder::new().name("input".to_owned()).spawn(read)?;
        Ok(Current::Reader(reader))
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Option<io::Result<Vec<u8>>>> {
        if self.blocks {
            return Poll::Ready(lock(&self.pieces).recv().ok());
        }
        // The waker first: a piece that comes in between finds it.
        *lock(&self.waker) = Some(cx.waker().clone());
        match lock(&self.pieces).try_recv() {
            Ok(piece) => Poll::Ready(Some(piece)),
            Err(TryRecvError::Empty) => Poll::Pending,
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;

    struct Count(std::sync::atomic::AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn source(segments: Vec<Segment>, blocks: bool) -> Source {
        Source {
            segments: segments.into_iter(),
            current: Current::Nothing,
            pace: None,
            pause: None,
            piece: PIECE,
            blocks,
        }
    }

    fn drain(mut source: Source) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            match source.poll_chunk(&mut cx) {
                Poll::Ready(None) => return Ok(all),
                Poll::Ready(Some(chunk)) => all.extend(chunk?),
                Poll::Pending => std::thread::yield_now(),
            }
        }
    }

    fn file(name: &str, content: &[u8]) -> PathBuf {
        let path = crate::transfer::testing::path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn segments_follow_each_other() {
        let content: Vec<u8> = (0..=250).cycle().take(PIECE * 2 + 7).collect();
        let path = file("segments", &content);
        let length = content.len() as u64 - 5;
        let segments = vec![
            Segment::Bytes(b"head".to_vec()),
            Segment::File { path: path.clone(), offset: 5, length },
            Segment::Bytes(Vec::new()),
            Segment::Bytes(b"tail".to_vec()),
        ];
        let sent = drain(source(segments, true)).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(sent == [b"head", &content[5..], b"tail"].concat());
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_not_a_short_body() {
        let path = file("shrinks", b"12345");
        let segment = Segment::File { path: path.clone(), offset: 0, length: 9 };
        let error = drain(source(vec![segment], true)).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.to_string().contains("4 bytes shorter"), "{error}");
    }

    #[test]
    fn a_pipe_is_read_by_a_thread_that_wakes_whoever_waits() {
        let path = file("pipe", &[7; PIECE * 6]);
        for blocks in [false, true] {
            let segment = Segment::Pipe { path: path.clone() };
            assert_eq!(drain(source(vec![segment], blocks)).unwrap().len(), PIECE * 6);
        }
        let count = Arc::new(Count(0.into()));
        let waker = Waker::from(Arc::clone(&count));
        let mut waiting = source(vec![Segment::Pipe { path: path.clone() }], false);
        let mut cx = Context::from_waker(&waker);
        let mut polls = 0;
        while !matches!(waiting.poll_chunk(&mut cx), Poll::Ready(None)) {
            polls += 1;
            while polls > 100_000 && count.0.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(drain(source(vec![Segment::Pipe { path: "/no/such/pipe".into() }], false)).is_err());
    }
}
