//! Cuts what one end sends into records (RFC 8446 5.1, RFC 5246 6.2.1).

use std::fmt;

/// RFC 5246 6.2.3: a protected record is at most this long; RFC 8446 5.2 allows less.
const LONGEST: usize = (1 << 14) + 2048;

/// The record's types (RFC 8446 5.1).
pub(super) mod kind {
    pub(crate) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(crate) const ALERT: u8 = 21;
    pub(crate) const HANDSHAKE: u8 = 22;
    pub(crate) const APPLICATION_DATA: u8 = 23;
}

/// A record as it stood on the wire.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Its number among those of its sender, from 0.
    pub(super) number: u64,
    /// Where it begins, in bytes from the first that its sender sent.
    pub(super) at: u64,
    pub(super) header: [u8; 5],
    pub(super) body: Vec<u8>,
}

impl Record {
    pub(super) fn kind(&self) -> u8 {
        self.header[0]
    }
}

/// What comes is no TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRecord {
    header: [u8; 5],
    at: u64,
}

impl fmt::Display for NoRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, at } = self;
        write!(f, "no TLS record begins at byte {at}: {header:02x?}")
    }
}

/// What has come of one end so far and is not a whole record yet.
#[derive(Default)]
pub(super) struct Records {
    buffer: Vec<u8>,
    at: u64,
    number: u64,
}

impl Records {
    /// Takes `bytes` and gives the records that are whole now. Never keeps more than a record.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Record)) -> Result<(), NoRecord> {
        self.buffer.extend_from_slice(bytes);
        let mut taken = 0;
        while let Some((header, rest)) = self.buffer.get(taken..).unwrap_or_default().split_first_chunk::<5>()
        {
            let [kind, major, _, high, low] = *header;
            let length = usize::from(u16::from_be_bytes([high, low]));
            let at = self.at;
            // RFC 8446 5.1: the version says nothing any more; that it begins with 3, nobody has changed.
            if !(kind::CHANGE_CIPHER_SPEC..=24).contains(&kind) || major != 3 || length > LONGEST {
                return Err(NoRecord { header: *header, at });
            }
            let Some(body) = rest.get(..length) else { break };
            each(Record { number: self.number, at, header: *header, body: body.to_vec() });
            self.number += 1;
            self.at += 5 + length as u64;
            taken += 5 + length;
        }
        self.buffer.drain(..taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_cut_wherever_the_bytes_break() {
        let stream = [&[22, 3, 1, 0, 2, 7, 8][..], &[23, 3, 3, 0, 0], &[21, 3, 3, 0, 2, 1, 0]].concat();
        for portion in 1..=stream.len() {
            let mut records = Records::default();
            let mut found = Vec::new();
            for piece in stream.chunks(portion) {
                records.push(piece, |record| found.push((record.number, record.at, record.body))).unwrap();
            }
            assert_eq!(found, [(0, 0, vec![7, 8]), (1, 7, vec![]), (2, 12, vec![1, 0])]);
        }
    }

    #[test]
    fn what_is_no_record_is_said() {
        let mut records = Records::default();
        let error = records.push(b"HTTP/1.1", |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no TLS record begins at byte 0: [48, 54, 54, 50, 2f]");
    }
}
