//! Words that stand for numbers in DNSSEC's records.

use super::fields::{BadData, Fields};
use crate::record::RecordType;
use crate::zonefile::tokens::Word;

/// IANA, "DNS Security Algorithm Numbers".
const ALGORITHMS: [(&str, u8); 16] = [
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("NSEC3DSA", 6),
    ("NSEC3RSASHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECCGOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// IANA, "DS RR Type Digest Algorithms".
const DIGESTS: [(&str, u8); 6] =
    [("SHA-1", 1), ("SHA1", 1), ("SHA-256", 2), ("SHA256", 2), ("SHA-384", 4), ("SHA384", 4)];

impl Fields<'_> {
    /// An algorithm, by its number or its name.
    pub(super) fn algorithm(&mut self) -> Result<u8, BadData> {
        self.number_or("the algorithm", &ALGORITHMS)
    }
}

/// The words of a record's data with numbers in the place of names, where the type allows names.
pub(super) fn as_numbers<'w>(
    record_type: RecordType,
    words: &[Word<'w>],
    held: &'w mut Vec<String>,
) -> Vec<Word<'w>> {
    const CDS: u16 = 59;
    const CDNSKEY: u16 = 60;
    let places: &[(usize, &[(&str, u8)])] = match record_type.number() {
        43 | CDS => &[(1, &ALGORITHMS), (2, &DIGESTS)],
        48 | CDNSKEY => &[(2, &ALGORITHMS)],
        46 => &[(1, &ALGORITHMS)],
        _ => &[],
    };
    let number = |at: usize| {
        let (_, known) = places.iter().find(|(place, _)| *place == at)?;
        let word = words.get(at)?;
        known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.text)).map(|(_, number)| (at, number))
    };
    let found: Vec<(usize, &u8)> = (0..3).filter_map(number).collect();
    held.extend(found.iter().map(|(_, number)| number.to_string()));
    let mut words = words.to_vec();
    for ((at, _), text) in found.iter().zip(held.iter()) {
        if let Some(word) = words.get_mut(*at) {
            word.text = text;
        }
    }
    words
}
