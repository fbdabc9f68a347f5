//! A server that misbehaves, each name in its own way.

use crate::sites::{self, Leads, Oddity};
use crate::web_server::service;
use futures_util::io::{AsyncReadExt, AsyncWriteExt};
use glasstack_stack::{Host, ListenError, TcpListener, TcpStream};
use std::io;
use std::time::Duration;

/// The most that is read of a request's head.
const LARGEST_HEAD: usize = 16 * 1024;

/// Opens the ports of HTTP and HTTPS.
pub(crate) fn start(host: &Host) -> Result<(), ListenError> {
    for port in [80, 443] {
        let service = service(host, "odd", port)?;
        let host = service.host.clone();
        service.host.spawn(listen(host, service.listener));
    }
    Ok(())
}

/// Takes connections for as long as it is polled.
async fn listen(host: Host, listener: TcpListener) {
    loop {
        let mut stream = listener.accept().await;
        let within = host.within(stream.scope().clone());
        host.spawn(async move {
            // A client that goes away early is the point of some of these.
            let _ = misbehave(&within, &mut stream).await;
        });
    }
}

async fn misbehave(host: &Host, stream: &mut TcpStream) -> io::Result<()> {
    let head = read_head(stream).await?;
    match oddity_of(&head) {
        Oddity::Truncates => {
            send(stream, "Content-Length: 1000\r\n", &[b'.'; 100]).await?;
            stream.close().await
        }
        Oddity::TruncatesChunks => {
            send(stream, "Transfer-Encoding: chunked\r\n", b"a\r\n0123456789\r\n64\r\ncut ").await?;
            stream.close().await
        }
        Oddity::Resets => {
            stream.abort();
            Ok(())
        }
        Oddity::ResetsMidway => {
            send(stream, "Content-Length: 1000\r\n", &[b'.'; 100]).await?;
            // The body has arrived before the reset does: what a peer has read, it may keep.
            host.sleep(Duration::from_millis(500)).await;
            stream.abort();
            Ok(())
        }
        Oddity::ClosesUnanswered => stream.close().await,
        Oddity::Hangs => wait_for_goodbye(stream).await,
        Oddity::NeverCloses => {
            send(stream, "Connection: close\r\n", b"there is more to come\n").await?;
            wait_for_goodbye(stream).await
        }
        Oddity::Trickles => {
            send(stream, "Content-Length: 50\r\nConnection: close\r\n", b"").await?;
            for _ in 0..50 {
                host.sleep(Duration::from_millis(200)).await;
                stream.write_all(b".").await?;
            }
            stream.close().await
        }
        Oddity::Babbles => {
            stream.write_all(b"220 this is no web server\r\n").await?;
            stream.close().await
        }
        Oddity::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"X-More: and more and more and more and more and more\r\n").await?;
            }
        }
    }
}

async fn send(stream: &mut TcpStream, fields: &str, body: &[u8]) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{fields}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await
}

/// Reads up to the empty line, or whatever comes first: the client's FIN, or a record of TLS.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await?;
        head.extend(buffer.iter().take(count));
        let is_complete = head.windows(4).any(|four| four == b"\r\n\r\n");
        // RFC 8446 5.1: a handshake record begins with 22.
        if count == 0 || is_complete || head.first() == Some(&22) || head.len() > LARGEST_HEAD {
            return Ok(head);
        }
    }
}

async fn wait_for_goodbye(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// What the name in the `Host` field asks for.
fn oddity_of(head: &[u8]) -> Oddity {
    let head = String::from_utf8_lossy(head);
    let host = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    match host.and_then(sites::find).map(|site| &site.leads) {
        Some(Leads::Odd(oddity)) => *oddity,
        _ => Oddity::Babbles,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_field_says_how_to_misbehave() {
        assert_eq!(oddity_of(b"GET / HTTP/1.1\r\nhost: Reset.test:80\r\n\r\n"), Oddity::Resets);
        assert_eq!(oddity_of(b"GET / HTTP/1.1\r\nHost: www.example.test\r\n\r\n"), Oddity::Babbles);
        assert_eq!(oddity_of(b"\x16\x03\x01"), Oddity::Babbles);
    }
}
