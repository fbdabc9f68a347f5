//! DER (X.690) as a tree that can be changed in its joints, and written again with lengths that are right.

use super::chance::Chance;

/// One element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) tag: u8,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Bytes(Vec<u8>),
    Elements(Vec<Tree>),
    /// An OCTET STRING or a BIT STRING (with its count of unused bits) that holds DER itself.
    Wrapped(&'static [u8], Vec<Tree>),
}

const BIT_STRING: u8 = 3;
const OCTET_STRING: u8 = 4;
const OID: u8 = 6;

/// Identifiers that mean something to whoever reads certificates, lists and answers.
const OIDS: [&[u8]; 26] = [
    &[0x55, 0x1d, 0x0e],
    &[0x55, 0x1d, 0x0f],
    &[0x55, 0x1d, 0x11],
    &[0x55, 0x1d, 0x13],
    &[0x55, 0x1d, 0x14],
    &[0x55, 0x1d, 0x15],
    &[0x55, 0x1d, 0x1b],
    &[0x55, 0x1d, 0x1c],
    &[0x55, 0x1d, 0x1d],
    &[0x55, 0x1d, 0x1e],
    &[0x55, 0x1d, 0x1f],
    &[0x55, 0x1d, 0x20],
    &[0x55, 0x1d, 0x23],
    &[0x55, 0x1d, 0x24],
    &[0x55, 0x1d, 0x25],
    &[0x55, 0x1d, 0x25, 0],
    &[0x2b, 6, 1, 5, 5, 7, 1, 1],
    &[0x2b, 6, 1, 5, 5, 7, 1, 24],
    &[0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[0x2b, 6, 1, 5, 5, 7, 3, 9],
    &[0x2b, 6, 1, 5, 5, 7, 0x30, 1],
    &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2],
    &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    &[0x2b, 0x65, 0x70],
];

const TAGS: [u8; 24] = [
    1, 2, 3, 4, 5, 6, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86,
    0x87, 0xa0, 0xa1, 0xa3,
];

/// Texts that mischief is made with.
const TEXTS: [&[u8]; 12] = [
    b"",
    b".",
    b"*",
    b"*.test",
    b"*.lab.test",
    b"..",
    b"www.lab.test\0.evil.test",
    b"\x1b[31m",
    b"\xe2\x80\xae",
    b"xn--",
    b"http://lab.test/",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];

impl Tree {
    pub(crate) fn new(tag: u8, elements: Vec<Tree>) -> Self {
        Self { tag, body: Body::Elements(elements) }
    }

    pub(crate) fn leaf(tag: u8, bytes: &[u8]) -> Self {
        Self { tag, body: Body::Bytes(bytes.to_vec()) }
    }

    /// The one element that `der` is.
    pub(crate) fn read(der: &[u8]) -> Self {
        Self::try_read(der).expect("good DER")
    }

    pub(crate) fn try_read(der: &[u8]) -> Option<Self> {
        read_all(der)?.try_into().ok().map(|[one]: [Self; 1]| one)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        let mut inner = Vec::new();
        let elements = match &self.body {
            Body::Bytes(bytes) => {
                inner.extend(bytes);
                &[][..]
            }
            Body::Elements(elements) => elements,
            Body::Wrapped(before, elements) => {
                inner.extend(*before);
                elements
            }
        };
        elements.iter().for_each(|element| element.write_to(&mut inner));
        out.push(self.tag);
        match inner.len() {
            short @ 0..0x80 => out.push(u8::try_from(short).unwrap()),
            long => {
                let bytes = long.to_be_bytes();
                let first = bytes.iter().position(|byte| *byte != 0).unwrap();
                out.push(0x80 | u8::try_from(bytes.len() - first).unwrap());
                out.extend(&bytes[first..]);
            }
        }
        out.extend(inner);
    }

    pub(crate) fn elements(&mut self) -> &mut Vec<Tree> {
        match &mut self.body {
            Body::Elements(elements) | Body::Wrapped(_, elements) => elements,
            Body::Bytes(_) => panic!("tag {} has no elements", self.tag),
        }
    }

    /// What is reached by going down along these indexes.
    pub(crate) fn at(&mut self, way: &[usize]) -> &mut Tree {
        way.iter().fold(self, |tree, index| &mut tree.elements()[*index])
    }

    fn count(&self) -> usize {
        1 + self.inside().iter().map(Self::count).sum::<usize>()
    }

    fn inside(&self) -> &[Tree] {
        match &self.body {
            Body::Bytes(_) => &[],
            Body::Elements(elements) | Body::Wrapped(_, elements) => elements,
        }
    }

    /// The element of this number, counted as they are written.
    fn nth(&mut self, mut number: usize) -> &mut Tree {
        if number == 0 {
            return self;
        }
        number -= 1;
        for element in self.elements() {
            let count = element.count();
            if number < count {
                return element.nth(number);
            }
            number -= count;
        }
        panic!("no such element")
    }

    /// Any of its elements.
    pub(crate) fn any(&self, chance: &mut Chance) -> Tree {
        let number = chance.below(self.count());
        self.clone().nth(number).clone()
    }

    /// Changes one thing or a few; `donor` is what pieces are taken from.
    pub(crate) fn mutate(&mut self, chance: &mut Chance, donor: &Tree) {
        let most = if chance.once_in(3) { 4 } else { 1 };
        for _ in 0..=chance.below(most) {
            let number = chance.below(self.count());
            let kind = chance.below(14);
            self.nth(number).change(kind, chance, donor);
        }
    }

    fn change(&mut self, kind: usize, chance: &mut Chance, donor: &Tree) {
        match (kind, &mut self.body) {
            (0, _) => self.tag = *chance.one_of(&TAGS),
            (1, _) => *self = donor.any(chance),
            (2, _) if self.tag == OID => self.body = Body::Bytes(chance.one_of(&OIDS).to_vec()),
            (3, Body::Bytes(bytes)) => *bytes = chance.one_of(&TEXTS).to_vec(),
            (4, _) if chance.once_in(4) => {
                // Deep inside of nothing.
                let deep = if chance.once_in(8) { 3_000 } else { 20 };
                for _ in 0..=chance.below(deep) {
                    let inner = std::mem::replace(self, Self::leaf(5, &[]));
                    *self = Self::new(if chance.once_in(20) { 0xa0 } else { 0x30 }, vec![inner]);
                }
            }
            (5, Body::Bytes(bytes)) if chance.once_in(8) => {
                let most = if chance.once_in(10) { 70_000 } else { 600 };
                let times = chance.below(most);
                *bytes = bytes.iter().copied().cycle().take(times).collect();
            }
            (6, Body::Elements(elements)) if chance.once_in(4) && !elements.is_empty() => {
                let most = if chance.once_in(10) { 2_000 } else { 100 };
                let one = elements[chance.below(elements.len())].clone();
                let times = chance.below((most * 40 / (one.write().len() + 1)).max(2));
                elements.extend(std::iter::repeat_n(one, times));
            }
            (7, Body::Elements(elements) | Body::Wrapped(_, elements)) if elements.len() > 1 => {
                let (one, other) = (chance.below(elements.len()), chance.below(elements.len()));
                elements.swap(one, other);
            }
            (8, Body::Elements(elements) | Body::Wrapped(_, elements)) if !elements.is_empty() => {
                let which = chance.below(elements.len());
                elements.remove(which);
            }
            (9, Body::Elements(elements) | Body::Wrapped(_, elements)) => {
                let where_to = chance.below(elements.len() + 1);
                elements.insert(where_to, donor.any(chance));
            }
            (10, Body::Elements(elements)) if !elements.is_empty() => {
                let which = chance.below(elements.len());
                let twice = elements[which].clone();
                elements.insert(which, twice);
            }
            (11, Body::Elements(elements)) if chance.once_in(3) => elements.clear(),
            (_, Body::Bytes(bytes)) => chance.mutate(bytes, &OIDS),
            (_, Body::Elements(_) | Body::Wrapped(..)) => {
                let bytes = chance.bytes(8);
                if chance.once_in(4) {
                    self.body = Body::Bytes(bytes);
                }
            }
        }
    }
}

/// The elements that `der` consists of; none if it does not.
fn read_all(mut der: &[u8]) -> Option<Vec<Tree>> {
    let mut all = Vec::new();
    while !der.is_empty() {
        let (tag, first) = (*der.first()?, usize::from(*der.get(1)?));
        let (header, length) = match first {
            0..=0x7f => (2, first),
            0x81..=0x83 => {
                let bytes = der.get(2..2 + (first & 0x7f))?;
                (2 + bytes.len(), bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
            }
            _ => return None,
        };
        let content = der.get(header..header + length)?;
        der = &der[header + length..];
        let wrapped = |before: &'static [u8]| {
            let inside = read_all(content.strip_prefix(before)?)?;
            (inside.len() == 1).then_some(Body::Wrapped(before, inside))
        };
        let body = match tag {
            _ if tag & 0x20 != 0 => Body::Elements(read_all(content)?),
            OCTET_STRING => wrapped(&[]).unwrap_or_else(|| Body::Bytes(content.to_vec())),
            BIT_STRING => wrapped(&[0]).unwrap_or_else(|| Body::Bytes(content.to_vec())),
            _ => Body::Bytes(content.to_vec()),
        };
        all.push(Tree { tag, body });
    }
    Some(all)
}
