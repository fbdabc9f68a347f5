//! Puts handshake messages together from records: one may fill several, several may share one
//! (RFC 8446 5.1, RFC 5246 6.2.1).

use glasstack_journal::event::Place;

/// A message is at most this long, header included; those that anybody sends are far shorter.
const LONGEST: usize = 1 << 16;

/// One end's messages.
#[derive(Default)]
pub(super) struct Assembly {
    buffer: Vec<u8>,
    /// Where the message under way begins.
    place: Place,
}

/// A message is longer than anybody sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) usize);

impl Assembly {
    /// Takes the content of record `number`, which begins at byte `at`, and gives the messages that
    /// are whole now.
    pub(super) fn push(
        &mut self,
        number: u64,
        at: u64,
        content: &[u8],
    ) -> Result<Vec<(Place, Vec<u8>)>, TooLong> {
        if self.buffer.is_empty() {
            self.place = Place { record: number, at, offset: 0, ..Place::default() };
        }
        self.buffer.extend_from_slice(content);
        let mut whole = Vec::new();
        while let Some([_, high, middle, low]) = self.buffer.first_chunk::<4>() {
            let length = 4 + u32::from_be_bytes([0, *high, *middle, *low]) as usize;
            if length > LONGEST {
                return Err(TooLong(length));
            }
            if self.buffer.len() < length {
                break;
            }
            let message: Vec<u8> = self.buffer.drain(..length).collect();
            let records = number.saturating_sub(self.place.record) + 1;
            whole.push((Place { records, length, ..self.place }, message));
            let offset = content.len().saturating_sub(self.buffer.len());
            self.place = Place { record: number, at, offset, ..Place::default() };
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_put_together_and_each_has_its_place() {
        let mut assembly = Assembly::default();
        assert!(assembly.push(3, 100, &[1, 0, 0, 2, 7]).unwrap().is_empty());
        let whole = assembly.push(4, 110, &[8, 20, 0, 0, 0, 11, 0]).unwrap();
        let first = Place { record: 3, records: 2, at: 100, offset: 0, length: 6 };
        let second = Place { record: 4, records: 1, at: 110, offset: 1, length: 4 };
        assert_eq!(whole, [(first, vec![1, 0, 0, 2, 7, 8]), (second, vec![20, 0, 0, 0])]);
        let whole = assembly.push(5, 122, &[0, 1, 9]).unwrap();
        let third = Place { record: 4, records: 2, at: 110, offset: 5, length: 5 };
        assert_eq!(whole, [(third, vec![11, 0, 0, 1, 9])]);
        assert_eq!(assembly.push(6, 130, &[11, 255, 0, 0]), Err(TooLong(4 + 0xff_0000)));
    }
}
