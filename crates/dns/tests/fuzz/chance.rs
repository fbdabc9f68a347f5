//! Chance from a seed, and what it does to bytes.

/// SplitMix64: plain and quick, and good enough to break things with.
pub(crate) struct Chance(u64);

/// Numbers that stand at borders.
const BORDERS: [u16; 12] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff, 0x100, 0x7fff, 0x8000, 0xffff];

impl Chance {
    /// That of one case.
    pub(crate) fn of(seed: u64, case: u64) -> Self {
        let mut chance =
            Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ case.wrapping_mul(0xd134_2543_de82_ef95));
        chance.u64();
        chance
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::try_from(self.u64() % bound as u64).unwrap() }
    }

    /// Once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.u64().to_be_bytes()[0]
    }

    pub(crate) fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.byte()).collect()
    }

    /// Changes a few bytes, and their number.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        let most = if self.once_in(3) { 6 } else { 1 };
        for _ in 0..=self.below(most) {
            // A change that leaves all else in its place is the likeliest to get far.
            let kind = if self.once_in(2) { self.below(3) } else { self.below(9) };
            self.change(kind, bytes, words);
        }
    }

    fn change(&mut self, kind: usize, bytes: &mut Vec<u8>, words: &[&[u8]]) {
        let at = self.below(bytes.len());
        let some = self.below(12).min(bytes.len() - at);
        match kind {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.byte(),
            2 if at + 2 <= bytes.len() => {
                let border = self.one_of(&BORDERS).to_be_bytes();
                bytes[at..at + 2].copy_from_slice(&border);
            }
            3 => drop(bytes.drain(at..at + some)),
            4 => {
                let more = self.bytes(6);
                bytes.splice(at..at, more);
            }
            // What stands in one place may stand in another.
            5 => {
                let (piece, to) = (bytes[at..at + some].to_vec(), self.below(bytes.len()));
                bytes.splice(to..to, piece);
            }
            6 => {
                let (piece, to) = (bytes[at..at + some].to_vec(), self.below(bytes.len()));
                let end = (to + some).min(bytes.len());
                bytes.splice(to..end, piece);
            }
            7 if self.once_in(6) => bytes.truncate(at),
            _ if words.is_empty() => {}
            _ => {
                let word = self.one_of(words).to_vec();
                bytes.splice(at..at, word);
            }
        }
    }
}
