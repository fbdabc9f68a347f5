//! Opens protected records (RFC 8446 5.2 and 5.3, RFC 5246 6.2.3.3).

use crate::observe::primitives::{Cipher, Sealed};
use crate::observe::records::Record;
use crate::observe::schedule::{Keys, Suite};

/// Opens the records of one end, one after another, as long as it keeps its keys.
pub(super) struct Protection {
    sealed: Sealed,
    cipher: Cipher,
    iv: Vec<u8>,
    tls13: bool,
    sequence: u64,
}

/// What a record contains, once it is opened.
pub(super) struct Content {
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
}

impl Protection {
    /// None if the keys are not of the cipher's length.
    pub(super) fn new(suite: Suite, keys: &Keys, tls13: bool) -> Option<Self> {
        let sealed = suite.cipher.with_key(&keys.key)?;
        Some(Self { sealed, cipher: suite.cipher, iv: keys.iv.clone(), tls13, sequence: 0 })
    }

    /// What `record` contains; none if it was not sealed with these keys as their next record.
    pub(super) fn open(&mut self, record: &Record) -> Option<Content> {
        let content = if self.tls13 { self.open_13(record) } else { self.open_12(record) }?;
        self.sequence += 1;
        Some(content)
    }

    /// RFC 8446 5.2.
    fn open_13(&self, record: &Record) -> Option<Content> {
        let mut bytes = self.sealed.open(self.counted()?, &record.header, &record.body)?;
        // struct TLSInnerPlaintext: content, ContentType, zeros
        let end = bytes.iter().rposition(|byte| *byte != 0)?;
        let kind = bytes.get(end).copied()?;
        bytes.truncate(end);
        Some(Content { kind, bytes })
    }

    /// RFC 5246 6.2.3.3 and RFC 5288 3 (the rest of the nonce goes with the record), RFC 7905 2 (it
    /// does not).
    fn open_12(&self, record: &Record) -> Option<Content> {
        const EXPLICIT: usize = 8;
        const TAG: usize = 16;
        let (nonce, sealed) = match self.cipher {
            Cipher::ChaCha20Poly1305 => (self.counted()?, &record.body[..]),
            Cipher::Aes128Gcm | Cipher::Aes256Gcm => {
                let (explicit, sealed) = record.body.split_at_checked(EXPLICIT)?;
                ([&self.iv, explicit].concat().try_into().ok()?, sealed)
            }
        };
        let length = u16::try_from(sealed.len().checked_sub(TAG)?).ok()?;
        let [kind, major, minor, ..] = record.header;
        let mut associated = self.sequence.to_be_bytes().to_vec();
        associated.extend([kind, major, minor]);
        associated.extend(length.to_be_bytes());
        let bytes = self.sealed.open(nonce, &associated, sealed)?;
        Some(Content { kind, bytes })
    }

    /// RFC 8446 5.3: the IV, with the record's number in its last eight bytes.
    fn counted(&self) -> Option<[u8; 12]> {
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().ok()?;
        for (byte, number) in nonce.iter_mut().skip(4).zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        Some(nonce)
    }
}

#[cfg(test)]
impl Protection {
    /// As [`Self::open`] undoes it, for TLS 1.3: the whole record.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let inner = [content, &[kind]].concat();
        let length = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
        let header = [23, 3, 3, length[0], length[1]];
        let sealed = self.sealed.seal(self.counted().unwrap(), &header, &inner);
        self.sequence += 1;
        [&header[..], &sealed].concat()
    }
}
