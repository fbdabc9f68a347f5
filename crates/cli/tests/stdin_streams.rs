//! What comes on stdin is sent as it comes, and the world goes on meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the server is made of the kernel's own sockets")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Far beyond what anything here takes.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads until `text` has come.
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut all = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&all).contains(text) {
        assert!(stream.read(&mut byte).unwrap() > 0, "it ended before {text}");
        all.push(byte[0]);
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn a_piece_of_stdin_arrives_before_the_next_one_is_written() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up/", listener.local_addr().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_glasstack"))
        .args(["get", "-s", "-T", "-", "-H", "Expect:", "-w", "%{size_upload}", &url])
        .env_remove("SSLKEYLOGFILE")
        .env("no_proxy", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").to_lowercase();
    assert!(
        head.starts_with("put /up/ http/1.1\r\n") && head.contains("transfer-encoding: chunked"),
        "{head}"
    );
    for piece in ["first", "second", "third"] {
        input.write_all(piece.as_bytes()).unwrap();
        // Nothing else is written before this has come.
        read_until(&mut stream, &format!("{piece}\r\n"));
    }
    drop(input);
    read_until(&mut stream, "0\r\n\r\n");
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n").unwrap();
    drop(stream);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("ok\n"));
}
