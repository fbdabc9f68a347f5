//! Servers that do what no real one does on purpose, on the kernel's sockets.

use super::WEB;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A server for one connection, on a thread of its own, and what it returned.
pub(crate) struct OddServer<T> {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> OddServer<T> {
    pub(crate) fn start(speak: impl FnOnce(TcpStream) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind((WEB, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            speak(stream)
        });
        Self { address, thread }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn end(self) -> T {
        self.thread.join().unwrap()
    }
}

/// Reads up to the end of a request's head.
pub(crate) fn request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads the request, says `answer` and closes.
pub(crate) fn says(answer: &'static str) -> OddServer<()> {
    OddServer::start(move |mut stream| {
        request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
    })
}

/// Reads the request, says `answer` and sends a RST.
pub(crate) fn says_and_resets(answer: &'static str) -> OddServer<()> {
    OddServer::start(move |mut stream| {
        request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        // Closing it now resets it.
        let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        setsockopt(&stream, sockopt::Linger, &at_once).unwrap();
    })
}

/// Reads the request, says `answer` and then nothing until the client goes.
pub(crate) fn says_and_waits(answer: &'static str) -> OddServer<()> {
    OddServer::start(move |mut stream| {
        request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        let _ = stream.read(&mut [0]);
    })
}

/// Sends without an end; until the client ends it.
pub(crate) fn never_ends() -> OddServer<()> {
    OddServer::start(|mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
        let chunk = [b'x'; 0x4000];
        // Fails once the client, which has gone, has reset the connection.
        let error = loop {
            if let Err(error) = stream.write_all(&chunk) {
                break error;
            }
        };
        assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    })
}
