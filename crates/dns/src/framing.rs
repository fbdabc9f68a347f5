//! Messages over TCP: each has its length before it, in two bytes (RFC 1035 4.2.2, RFC 7766 8).

use futures_util::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;

/// Writes one message, length and all in one piece, so that they may share a segment (RFC 7766 8).
pub(crate) async fn write_message<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a DNS message has at most 65535 bytes"))?;
    let mut framed = Vec::with_capacity(2 + message.len());
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    stream.write_all(&framed).await?;
    stream.flush().await
}

/// Reads one message; none if the peer has ended the connection between two.
pub(crate) async fn read_message<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    let first = stream.read(&mut length[..1]).await?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[1..]).await?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::io::Cursor;

    fn read(bytes: &[u8]) -> Vec<io::Result<Option<Vec<u8>>>> {
        let mut stream = Cursor::new(bytes);
        let mut read = Vec::new();
        loop {
            let message = read_message(&mut stream).now_or_never().expect("a cursor never waits");
            let more = matches!(message, Ok(Some(_)));
            read.push(message);
            if !more {
                return read;
            }
        }
    }

    #[test]
    fn messages_follow_each_other() {
        let mut stream = Cursor::new(Vec::new());
        for message in [&b"one"[..], b"", b"three"] {
            write_message(&mut stream, message).now_or_never().unwrap().unwrap();
        }
        assert_eq!(stream.get_ref(), b"\0\x03one\0\0\0\x05three");
        let messages = read(stream.get_ref());
        assert_eq!(messages[0].as_ref().unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(messages[1].as_ref().unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(messages[2].as_ref().unwrap().as_deref(), Some(&b"three"[..]));
        assert_eq!(messages[3].as_ref().unwrap(), &None);
    }

    #[test]
    fn a_connection_that_ends_inside_a_message_is_an_error() {
        for cut in [&b"\0"[..], b"\0\x03", b"\0\x03on"] {
            assert_eq!(read(cut)[0].as_ref().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn what_is_longer_than_the_length_can_say_is_refused() {
        let mut stream = Cursor::new(Vec::new());
        let result = write_message(&mut stream, &vec![0; 65_536]).now_or_never().unwrap();
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
