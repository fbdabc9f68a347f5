//! What a segment's payload begins with: a TLS record (RFC 8446 5.1), an HTTP message (RFC 9112 2.1).

use crate::text::printable;

/// How many records of one segment are named one by one.
const NAMED: usize = 4;

/// A few words on what `payload` carries, if it shows.
pub(crate) fn contents(payload: &[u8]) -> Option<String> {
    tls(payload).or_else(|| http(payload))
}

/// The TLS records that begin in `payload`, as far as they can be told without a key.
fn tls(payload: &[u8]) -> Option<String> {
    let mut names = Vec::new();
    let mut rest = payload;
    while let Some((record, behind)) = next_record(rest) {
        names.push(record);
        rest = behind;
    }
    if names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("TLS {}{more}", names.join(", ")))
}

fn next_record(bytes: &[u8]) -> Option<(&'static str, &[u8])> {
    let (header, body) = bytes.split_at_checked(5)?;
    let [kind, major, minor, high, low] = *header else { return None };
    let length = usize::from(u16::from_be_bytes([high, low]));
    // RFC 8446 5.2: no longer than 2^14 + 256; RFC 5246 allowed 2^14 + 2048.
    if major != 3 || minor > 4 || length == 0 || length > (1 << 14) + 2048 {
        return None;
    }
    let name = match kind {
        20 => "ChangeCipherSpec",
        21 if length == 2 => "Alert",
        21 => "encrypted alert",
        22 => handshake(body),
        23 => "encrypted data",
        _ => return None,
    };
    Some((name, body.get(length..).unwrap_or_default()))
}

/// RFC 8446 4: a handshake message begins with its type and its length in 24 bits. What does not
/// fit is encrypted (TLS 1.2's Finished).
fn handshake(body: &[u8]) -> &'static str {
    match body {
        [1, 0, ..] => "ClientHello",
        [2, 0, ..] => "ServerHello",
        [4, 0, ..] => "NewSessionTicket",
        [11, 0, ..] => "Certificate",
        [12, 0, ..] => "ServerKeyExchange",
        [14, 0, 0, 0, ..] => "ServerHelloDone",
        [16, 0, ..] => "ClientKeyExchange",
        _ => "handshake message",
    }
}

/// The first line of an HTTP/1 message.
fn http(payload: &[u8]) -> Option<String> {
    let end = payload.iter().position(|byte| *byte == b'\r')?;
    let line = std::str::from_utf8(payload.get(..end)?).ok()?;
    let is_request = line.contains(" HTTP/1.") && line.starts_with(|c: char| c.is_ascii_uppercase());
    (line.starts_with("HTTP/1.") || is_request).then(|| printable(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_records_are_named_as_far_as_they_show() {
        let hello = [22, 3, 1, 0, 4, 1, 0, 0, 0];
        assert_eq!(contents(&hello).unwrap(), "TLS ClientHello");
        let flight =
            [&[22, 3, 3, 0, 4, 2, 0, 0, 0][..], &[20, 3, 3, 0, 1, 1], &[23, 3, 3, 0, 9, 1, 2]].concat();
        assert_eq!(contents(&flight).unwrap(), "TLS ServerHello, ChangeCipherSpec, encrypted data");
        assert_eq!(contents(&[22, 3]), None);
        assert_eq!(contents(&[22, 9, 9, 0, 4, 1]), None);
    }

    #[test]
    fn http_messages_are_known_by_their_first_line() {
        assert_eq!(contents(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap(), "GET / HTTP/1.1");
        assert_eq!(contents(b"HTTP/1.1 200 OK\r\n").unwrap(), "HTTP/1.1 200 OK");
        assert_eq!(contents(b"just text\r\n"), None);
        assert_eq!(contents(b"\xff\xfe\r\n"), None);
    }
}
