//! Random journeys: where to, what goes wrong on the way, and what may come of it.

use std::fmt;

/// Where the journeys lead to.
pub(crate) const SITES: &[&str] = &[
    "http://echo.test/",
    "https://www.example.test/",
    "http://www.example.test/",
    "http://bytes.test/30000",
    "https://bytes.test/30000",
    "http://redirects.test/2",
    "http://alias.test/",
];

/// What may come of a journey, by curl's exit codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The page.
    Page,
    /// The page, or one of these errors.
    PageOr(Vec<u8>),
    /// One of these errors.
    Error(Vec<u8>),
}

/// A journey and what goes wrong on it.
#[derive(Clone, Debug)]
pub(crate) struct Misfortune {
    pub(crate) seed: u64,
    pub(crate) url: String,
    pub(crate) faults: Vec<String>,
    pub(crate) expected: Expected,
}

/// Names cannot be looked up; nobody answers; the time is up; TLS fails; the connection breaks.
const RESOLVE: u8 = 6;
const CONNECT: u8 = 7;
const PARTIAL: u8 = 18;
const TIME: u8 = 28;
const HANDSHAKE: u8 = 35;
const EMPTY: u8 = 52;
const RECEIVE: u8 = 56;
const CERTIFICATE: u8 = 60;

impl Misfortune {
    /// A journey on which all goes well.
    pub(crate) fn none(url: &str) -> Self {
        Self { seed: 1, url: url.to_owned(), faults: Vec::new(), expected: Expected::Page }
    }

    /// The one that belongs to `seed`: one to three faults.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let url = SITES[dice.below(SITES.len())].to_owned();
        let mut misfortune = Self { seed, url, faults: Vec::new(), expected: Expected::Page };
        for _ in 0..=dice.below(3) {
            let (fault, outcome) = misfortune.fault(&mut dice);
            if !misfortune.faults.contains(&fault) {
                misfortune.faults.push(fault);
                misfortune.expected = misfortune.expected.and(outcome);
            }
        }
        misfortune
    }

    /// One fault, and what may come of it alone.
    fn fault(&self, dice: &mut Dice) -> (String, Expected) {
        use Expected::{Error, Page, PageOr};
        let secure = self.url.starts_with("https") || self.url == "http://www.example.test/";
        let long = self.url.contains("30000");
        let n = dice.between(1, 5);
        match dice.below(24) {
            // One frame, or some, at the wrong time: everything recovers.
            0 => ("lose client SYN 1".to_owned(), Page),
            1 => ("lose client SYN-ACK 1".to_owned(), Page),
            2 => ("lose the last ACK".to_owned(), Page),
            3 => (format!("lose segment {n}"), Page),
            4 => (format!("corrupt TCP payload of segment {n}"), Page),
            5 => (format!("duplicate segment {n}"), Page),
            6 => (format!("reorder {}%", dice.between(1, 20)), Page),
            7 => (format!("delay DNS answers {}ms", dice.between(10, 1_500)), Page),
            8 => (format!("delay HTTP responses {}s", dice.between(1, 20)), Page),
            9 => ("lose ARP request 1".to_owned(), Page),
            10 => ("kill root all but k".to_owned(), PageOr(vec![RESOLVE])),
            11 => (format!("duplicate {}%", dice.between(1, 20)), Page),
            // Much at the wrong time: patience may end.
            12 => (format!("lose {}%", dice.between(1, 8)), PageOr(vec![RESOLVE, CONNECT, TIME])),
            13 => ("lose in bursts 2% 30%".to_owned(), PageOr(vec![RESOLVE, CONNECT, TIME])),
            14 => (
                format!("unplug client at {}ms for {}s", dice.between(0, 400), dice.between(1, 10)),
                PageOr(vec![RESOLVE, CONNECT, TIME]),
            ),
            15 => (format!("corrupt {}%", dice.between(1, 8)), PageOr(vec![RESOLVE, CONNECT, TIME])),
            16 => ("black hole above 1400".to_owned(), PageOr(vec![TIME, HANDSHAKE, RECEIVE])),
            // What cannot end well.
            17 => ("kill resolver".to_owned(), Error(vec![RESOLVE])),
            18 => ("kill web".to_owned(), Error(vec![CONNECT, TIME])),
            19 => {
                ("answer NXDOMAIN for www.example.test".to_owned(), self.names("www.example.test", RESOLVE))
            }
            20 if secure => ("expire the intermediate".to_owned(), Error(vec![CERTIFICATE])),
            20 => ("expire the intermediate".to_owned(), Page),
            21 if long => ("reset after 10kB".to_owned(), Error(vec![RECEIVE, HANDSHAKE, PARTIAL, EMPTY])),
            21 => ("reset after 10kB".to_owned(), Page),
            22 => {
                ("duplicate ARP reply from mallory".to_owned(), PageOr(vec![RESOLVE, CONNECT, TIME, RECEIVE]))
            }
            _ => ("truncate DNS answers".to_owned(), Page),
        }
    }

    /// The error, if the journey leads to this name.
    fn names(&self, name: &str, code: u8) -> Expected {
        if self.url.contains(name) { Expected::Error(vec![code]) } else { Expected::Page }
    }
}

/// A run file's content would say the same.
impl fmt::Display for Misfortune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "glasstack get {} --net lab -L --seed {}", self.url, self.seed)?;
        self.faults.iter().try_for_each(|fault| write!(f, " --fault '{fault}'"))
    }
}

impl Expected {
    /// What may come of both.
    fn and(self, other: Self) -> Self {
        let is_error = [&self, &other].iter().any(|one| matches!(one, Self::Error(_)));
        let mut codes = self.codes();
        codes.extend(other.codes());
        codes.sort_unstable();
        codes.dedup();
        match (is_error, codes.is_empty()) {
            (true, _) => Self::Error(codes),
            (false, true) => Self::Page,
            (false, false) => Self::PageOr(codes),
        }
    }

    fn codes(self) -> Vec<u8> {
        match self {
            Self::Page => Vec::new(),
            Self::PageOr(codes) | Self::Error(codes) => codes,
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same dice for the same seed, whatever the libraries do.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }
}
