//! What is said on the connections of a measurement, and both of its sides as the kernel's sockets
//! say it.

use crate::figures::Outcome;
use nix::sched::{CloneFlags, setns};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes handed over or taken at a time.
pub(crate) const CHUNK: usize = 64 * 1024;

/// As the client sees it. Whoever receives a stream takes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Conversation {
    /// The server sends for so long, then closes.
    Receive(Duration),
    /// The client sends for so long, then closes.
    Send(Duration),
    /// So many bytes go there and back, one by one.
    RoundTrips(u32),
    /// So many connections are opened and closed in order by both, one after another.
    Connections(u32),
}

impl Conversation {
    /// The client's side, by the kernel's sockets. The server's is known when it ends.
    pub(crate) fn by_the_kernel(self, from: IpAddr, server: SocketAddr) -> Outcome {
        let begun = Instant::now();
        match self {
            Self::Receive(_) => receive(&mut connect(from, server)),
            Self::Send(lasts) => {
                let mut stream = connect(from, server);
                send(&mut stream, lasts);
                // The receiver says how it went.
                let mut report = [0; 16];
                stream.read_exact(&mut report).unwrap();
                read_report(report)
            }
            Self::RoundTrips(count) => {
                let mut stream = connect(from, server);
                stream.set_nodelay(true).unwrap();
                let begun = Instant::now();
                for _ in 0..count {
                    stream.write_all(b"?").unwrap();
                    stream.read_exact(&mut [0]).unwrap();
                }
                Outcome { count: count.into(), took: begun.elapsed() }
            }
            Self::Connections(count) => {
                for _ in 0..count {
                    let mut stream = connect(from, server);
                    stream.shutdown(Shutdown::Write).unwrap();
                    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
                }
                Outcome { count: count.into(), took: begun.elapsed() }
            }
        }
    }

    /// The server's side of the one connection, or of all.
    fn serve(self, listener: &TcpListener) {
        match self {
            Self::Receive(lasts) => {
                let (mut stream, _) = listener.accept().unwrap();
                send(&mut stream, lasts);
            }
            Self::Send(_) => {
                let (mut stream, _) = listener.accept().unwrap();
                let outcome = receive(&mut stream);
                stream.write_all(&report(outcome)).unwrap();
            }
            Self::RoundTrips(_) => {
                let (mut stream, _) = listener.accept().unwrap();
                stream.set_nodelay(true).unwrap();
                let mut byte = [0];
                while stream.read(&mut byte).unwrap() == 1 {
                    stream.write_all(&byte).unwrap();
                }
            }
            Self::Connections(count) => {
                for _ in 0..count {
                    let (mut stream, _) = listener.accept().unwrap();
                    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
                }
            }
        }
    }
}

/// A server on a thread of its own, in this network namespace or another.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Served {
    pub(crate) fn start(conversation: Conversation, at: IpAddr, namespace: Option<File>) -> Self {
        let (told, address) = mpsc::channel();
        let thread = thread::spawn(move || {
            if let Some(namespace) = namespace {
                setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            }
            let listener = TcpListener::bind((at, 0)).unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            conversation.serve(&listener);
        });
        Self { address: address.recv().unwrap(), thread }
    }

    pub(crate) fn end(self) {
        self.thread.join().unwrap();
    }
}

fn connect(from: IpAddr, server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    assert_eq!(stream.local_addr().unwrap().ip(), from, "over the network that is measured");
    stream
}

fn send(stream: &mut TcpStream, lasts: Duration) {
    let chunk = vec![0x67; CHUNK];
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        stream.write_all(&chunk).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
}

fn receive(stream: &mut TcpStream) -> Outcome {
    let mut chunk = vec![0; CHUNK];
    let mut count = u64::try_from(stream.read(&mut chunk).unwrap()).unwrap();
    let begun = Instant::now();
    loop {
        match stream.read(&mut chunk).unwrap() {
            0 => return Outcome { count, took: begun.elapsed() },
            length => count += u64::try_from(length).unwrap(),
        }
    }
}

fn report(outcome: Outcome) -> [u8; 16] {
    let nanos = u64::try_from(outcome.took.as_nanos()).unwrap();
    let mut report = [0; 16];
    report[..8].copy_from_slice(&outcome.count.to_be_bytes());
    report[8..].copy_from_slice(&nanos.to_be_bytes());
    report
}

/// What the receiver of a stream says of it.
pub(crate) fn read_report(report: [u8; 16]) -> Outcome {
    let number = |at| u64::from_be_bytes(report[at..at + 8].try_into().unwrap());
    Outcome { count: number(0), took: Duration::from_nanos(number(8)) }
}
