//! Bytes in hex.

/// `01ff`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(digits).collect()
}

/// `01:ff`, as fingerprints and serial numbers are shown.
pub(crate) fn with_colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(':');
        }
        text.extend(digits(byte));
    }
    text
}

/// Without a formatter: secrets and whole messages are told so.
fn digits(byte: &u8) -> [char; 2] {
    [byte >> 4, byte & 0xf].map(|nibble| char::from_digit(nibble.into(), 16).unwrap_or('?'))
}
