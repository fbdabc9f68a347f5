//! Where a chunked body ends (RFC 9112 7.1). hyper undoes the chunks; this only counts, so that
//! what comes behind the last one is known to belong to no response.

/// Follows the chunks. What breaks the rules is left to hyper, who tells it.
#[derive(Debug, Default)]
pub(crate) struct ChunkScanner {
    stage: Stage,
    /// The lines of the trailer section so far, whatever ended them; the empty one is not among them.
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// In a size, of so many digits, or in the extension behind it.
    Size { value: u64, digits: u32, is_over: bool },
    /// In a chunk's data, of which so many bytes are missing.
    Data(u64),
    /// In the line end behind the data.
    DataEnd,
    /// In a line of the trailer section (7.1.2) that has so many bytes so far.
    Trailer(usize),
    /// Behind the empty line that ends it all.
    Ended,
    /// The rules are broken, and nobody knows where it ends.
    Lost,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Size { value: 0, digits: 0, is_over: false }
    }
}

impl ChunkScanner {
    /// How many of these bytes belong to the body.
    pub(crate) fn on_bytes(&mut self, data: &[u8]) -> usize {
        let mut at = 0;
        while let Some(byte) = data.get(at) {
            match &mut self.stage {
                Stage::Ended => return at,
                Stage::Lost => return data.len(),
                Stage::Data(left) => {
                    let rest = data.len() - at;
                    let step = usize::try_from(*left).unwrap_or(rest).min(rest);
                    at += step;
                    *left -= step as u64;
                    if *left == 0 {
                        self.stage = Stage::DataEnd;
                    }
                }
                stage => {
                    match (&stage, byte) {
                        (Stage::Trailer(1..), b'\n') => self.trailers.extend_from_slice(b"\r\n"),
                        (Stage::Trailer(0), b'\n') | (_, b'\r') => {}
                        (Stage::Trailer(_), _) => self.trailers.push(*byte),
                        _ => {}
                    }
                    *stage = stage.after(*byte);
                    at += 1;
                }
            }
        }
        at
    }

    /// The lines of the trailer section as they came, each with CRLF.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }
}

impl Stage {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size { digits: 0, .. }, b'\n') => Self::Lost,
            (Self::Size { value: 0, .. }, b'\n') => Self::Trailer(0),
            (Self::Size { value, .. }, b'\n') => Self::Data(value),
            (Self::Size { value, digits, is_over: false }, digit) if digit.is_ascii_hexdigit() => {
                let digit = char::from(digit).to_digit(16).unwrap_or_default();
                match value.checked_mul(16) {
                    Some(value) => {
                        Self::Size { value: value + u64::from(digit), digits: digits + 1, is_over: false }
                    }
                    None => Self::Lost,
                }
            }
            (Self::Size { value, digits, .. }, _) => Self::Size { value, digits, is_over: true },
            (Self::DataEnd, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::default(),
            (Self::Trailer(0), b'\n') => Self::Ended,
            (Self::Trailer(_), b'\n') => Self::Trailer(0),
            (Self::Trailer(length), b'\r') => Self::Trailer(length),
            (Self::Trailer(length), _) => Self::Trailer(length + 1),
            (Self::Ended, _) => Self::Ended,
            (Self::DataEnd | Self::Data(_) | Self::Lost, _) => Self::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(wire: &[u8]) -> usize {
        let whole = ChunkScanner::default().on_bytes(wire);
        let mut scanner = ChunkScanner::default();
        let by_byte: usize = wire.iter().map(|byte| scanner.on_bytes(&[*byte])).sum();
        assert_eq!(whole, by_byte, "{}", wire.escape_ascii());
        whole
    }

    #[test]
    fn the_end_is_behind_the_trailers_wherever_the_bytes_are_cut() {
        for body in
            ["0\r\n\r\n", "2;a=b\r\nhi\r\n0\r\n\r\n", "00A \r\n0123456789\r\n0\r\nX: y\r\nZ: 0\r\n\r\n"]
        {
            assert_eq!(end_of(body.as_bytes()), body.len());
            assert_eq!(end_of(format!("{body}HTTP/1.1 200 OK").as_bytes()), body.len());
        }
    }

    #[test]
    fn the_lines_behind_the_last_chunk_are_kept_as_they_came() {
        let mut scanner = ChunkScanner::default();
        for byte in b"2\r\nhi\r\n0;x\r\nX-Sum:42\r\nx-b: c\n  d\r\n\r\nHTTP" {
            scanner.on_bytes(&[*byte]);
        }
        assert_eq!(scanner.trailers(), b"X-Sum:42\r\nx-b: c\r\n  d\r\n");
    }

    #[test]
    fn what_breaks_the_rules_has_no_end() {
        for body in ["zz\r\n0\r\n\r\n more", "2\r\nhiXX0\r\n\r\n more", "fffffffffffffffff\r\n0\r\n\r\n more"]
        {
            assert_eq!(end_of(body.as_bytes()), body.len());
        }
    }
}
