//! Between a record's data and its bytes (RFC 1035 3.3, RFC 4034, RFC 5155).

use super::{Dnskey, Ds, Nsec, Nsec3, Nsec3Param, RecordData, RecordType, Rrsig, Soa};
use crate::name::{DnsName, SpelledName};
use std::collections::BTreeSet;

/// Reads the name that begins so many bytes into the data; gives it and where it ends. It may point to
/// elsewhere in the message (RFC 1035 4.1.4), so only the message's reader can do it.
pub(crate) type NameAt<'a> = dyn FnMut(usize) -> Option<(SpelledName, usize)> + 'a;

impl RecordData {
    /// The data in `bytes`; none where a name in it cannot be read, for nobody can tell then what was
    /// meant. Bytes that are otherwise not what they should be are kept as they are
    /// ([`RecordData::Other`]): they hurt nobody but who asks for them, and must not hide the records
    /// beside them. (This is unbound's way: it reads the names that may be compressed, and nothing else.)
    pub(crate) fn read(record_type: RecordType, bytes: &[u8], name_at: &mut NameAt<'_>) -> Option<Self> {
        let mut fields = Fields { bytes, at: 0, name_at };
        let known = fields.read(record_type);
        if known.is_some() && fields.at == bytes.len() {
            return known;
        }
        let number = record_type.number();
        let bytes = match names_in(record_type) {
            Some(place) => Fields { bytes, at: 0, name_at }.with_names_in_full(place)?,
            None => bytes.to_vec(),
        };
        Some(Self::Other { number, bytes })
    }

    /// Data of which no name points elsewhere: that of a zone file, a cache or a signature.
    pub fn from_wire(record_type: RecordType, bytes: &[u8]) -> Option<Self> {
        let mut name_at = |at: usize| {
            let (name, length) = SpelledName::from_wire(bytes.get(at..)?)?;
            Some((name, at + length))
        };
        Self::read(record_type, bytes, &mut name_at)
    }

    /// Appends the canonical form.
    pub(crate) fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::A(address) => out.extend(address.octets()),
            Self::Aaaa(address) => out.extend(address.octets()),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) | Self::Dname(name) => name.write_wire(out),
            Self::Mx { preference, exchange } => {
                out.extend(preference.to_be_bytes());
                exchange.write_wire(out);
            }
            Self::Txt(strings) => strings.iter().for_each(|string| {
                // RFC 1035 3.3: a string has at most 255 bytes.
                let string = string.get(..255).unwrap_or(string);
                out.push(u8::try_from(string.len()).unwrap_or(u8::MAX));
                out.extend(string);
            }),
            Self::Soa(soa) => {
                soa.primary.write_wire(out);
                soa.mailbox.write_wire(out);
                [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]
                    .into_iter()
                    .for_each(|number| out.extend(number.to_be_bytes()));
            }
            Self::Srv { priority, weight, port, target } => {
                [priority, weight, port].into_iter().for_each(|number| out.extend(number.to_be_bytes()));
                target.write_wire(out);
            }
            Self::Ds(ds) => {
                out.extend(ds.key_tag.to_be_bytes());
                out.extend([ds.algorithm, ds.digest_type]);
                out.extend(&ds.digest);
            }
            Self::Dnskey(key) => {
                out.extend(key.flags.to_be_bytes());
                out.extend([key.protocol, key.algorithm]);
                out.extend(&key.public_key);
            }
            Self::Rrsig(rrsig) => {
                rrsig.write_unsigned(out);
                out.extend(&rrsig.signature);
            }
            Self::Nsec(nsec) => {
                // RFC 6840 5.1: not in lower case, other than RFC 4034 6.2 says.
                nsec.next.write_wire(out);
                write_types(&nsec.types, out);
            }
            Self::Nsec3(nsec3) => {
                write_hashing(nsec3.hash_algorithm, nsec3.flags, nsec3.iterations, &nsec3.salt, out);
                write_short(&nsec3.next_hashed, out);
                write_types(&nsec3.types, out);
            }
            Self::Nsec3Param(param) => {
                write_hashing(param.hash_algorithm, param.flags, param.iterations, &param.salt, out);
            }
            Self::Other { number, bytes } => match Self::from_wire(RecordType::from_number(*number), bytes) {
                // RFC 4034 6.2: the names of old types count in lower case.
                Some(Self::Other { bytes, .. }) => out.extend(bytes),
                _ => out.extend(bytes),
            },
        }
    }
}

impl Rrsig {
    /// Appends all but the signature: what is signed begins with it (RFC 4034 3.1.8.1).
    pub(crate) fn write_unsigned(&self, out: &mut Vec<u8>) {
        out.extend(self.type_covered.number().to_be_bytes());
        out.extend([self.algorithm, self.labels]);
        [self.original_ttl, self.expiration, self.inception]
            .into_iter()
            .for_each(|number| out.extend(number.to_be_bytes()));
        out.extend(self.key_tag.to_be_bytes());
        self.signer.write_wire(out);
    }
}

fn write_hashing(algorithm: u8, flags: u8, iterations: u16, salt: &[u8], out: &mut Vec<u8>) {
    out.extend([algorithm, flags]);
    out.extend(iterations.to_be_bytes());
    write_short(salt, out);
}

/// Bytes with their number before them; at most 255.
fn write_short(bytes: &[u8], out: &mut Vec<u8>) {
    let bytes = bytes.get(..255).unwrap_or(bytes);
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend(bytes);
}

/// A type bitmap (RFC 4034 4.1.2): a block of at most 32 bytes for each 256 types.
fn write_types(types: &BTreeSet<RecordType>, out: &mut Vec<u8>) {
    let mut numbers = types.iter().map(|record_type| record_type.number()).peekable();
    while let Some(window) = numbers.peek().map(|number| number >> 8) {
        let mut bitmap = [0_u8; 32];
        let mut length = 0;
        while let Some(number) = numbers.next_if(|number| number >> 8 == window) {
            let [_, low] = number.to_be_bytes();
            let at = usize::from(low >> 3);
            if let Some(byte) = bitmap.get_mut(at) {
                *byte |= 0x80 >> (low & 7);
            }
            length = at + 1;
        }
        let [_, window] = window.to_be_bytes();
        out.extend([window, u8::try_from(length).unwrap_or(32)]);
        out.extend(bitmap.get(..length).unwrap_or_default());
    }
}

/// The data's bytes, read from left to right.
struct Fields<'b, 'n, 'f> {
    bytes: &'b [u8],
    at: usize,
    name_at: &'n mut NameAt<'f>,
}

impl<'b> Fields<'b, '_, '_> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(taken)
    }

    fn rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at = self.bytes.len();
        rest.to_vec()
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes with their number before them.
    fn short(&mut self) -> Option<Vec<u8>> {
        let length = self.u8()?;
        Some(self.take(length.into())?.to_vec())
    }

    fn name(&mut self) -> Option<DnsName> {
        Some(self.spelled_name()?.into_name())
    }

    fn spelled_name(&mut self) -> Option<SpelledName> {
        let (name, end) = (self.name_at)(self.at).filter(|(_, end)| *end <= self.bytes.len())?;
        self.at = end;
        Some(name)
    }

    fn soa(&mut self) -> Option<Soa> {
        Some(Soa {
            primary: self.name()?,
            mailbox: self.name()?,
            serial: self.u32()?,
            refresh: self.u32()?,
            retry: self.u32()?,
            expire: self.u32()?,
            minimum: self.u32()?,
        })
    }

    fn rrsig(&mut self) -> Option<Rrsig> {
        Some(Rrsig {
            type_covered: RecordType::from_number(self.u16()?),
            algorithm: self.u8()?,
            labels: self.u8()?,
            original_ttl: self.u32()?,
            expiration: self.u32()?,
            inception: self.u32()?,
            key_tag: self.u16()?,
            signer: self.name()?,
            signature: self.rest(),
        })
    }

    /// The data of a type that has a variant of its own.
    fn read(&mut self, record_type: RecordType) -> Option<RecordData> {
        Some(match record_type {
            RecordType::A => RecordData::A(<[u8; 4]>::try_from(self.take(4)?).ok()?.into()),
            RecordType::Aaaa => RecordData::Aaaa(<[u8; 16]>::try_from(self.take(16)?).ok()?.into()),
            RecordType::Ns => RecordData::Ns(self.name()?),
            RecordType::Cname => RecordData::Cname(self.name()?),
            RecordType::Ptr => RecordData::Ptr(self.name()?),
            RecordType::Dname => RecordData::Dname(self.name()?),
            RecordType::Mx => RecordData::Mx { preference: self.u16()?, exchange: self.name()? },
            RecordType::Soa => RecordData::Soa(self.soa()?),
            RecordType::Srv => RecordData::Srv {
                priority: self.u16()?,
                weight: self.u16()?,
                port: self.u16()?,
                target: self.name()?,
            },
            RecordType::Txt => RecordData::Txt(self.texts()?),
            RecordType::Ds => RecordData::Ds(Ds {
                key_tag: self.u16()?,
                algorithm: self.u8()?,
                digest_type: self.u8()?,
                digest: self.rest(),
            }),
            RecordType::Dnskey => RecordData::Dnskey(Dnskey {
                flags: self.u16()?,
                protocol: self.u8()?,
                algorithm: self.u8()?,
                public_key: self.rest(),
            }),
            RecordType::Rrsig => RecordData::Rrsig(self.rrsig()?),
            RecordType::Nsec => RecordData::Nsec(Nsec { next: self.spelled_name()?, types: self.types()? }),
            RecordType::Nsec3 => RecordData::Nsec3(Nsec3 {
                hash_algorithm: self.u8()?,
                flags: self.u8()?,
                iterations: self.u16()?,
                salt: self.short()?,
                next_hashed: self.short()?,
                types: self.types()?,
            }),
            RecordType::Nsec3Param => RecordData::Nsec3Param(Nsec3Param {
                hash_algorithm: self.u8()?,
                flags: self.u8()?,
                iterations: self.u16()?,
                salt: self.short()?,
            }),
            _ => return None,
        })
    }

    fn texts(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut strings = Vec::new();
        while self.at < self.bytes.len() {
            strings.push(self.short()?);
        }
        Some(strings)
    }

    fn types(&mut self) -> Option<BTreeSet<RecordType>> {
        let types = read_types(self.bytes.get(self.at..)?)?;
        self.at = self.bytes.len();
        Some(types)
    }

    /// The bytes, with the names in them written out.
    fn with_names_in_full(&mut self, place: Names) -> Option<Vec<u8>> {
        let mut out = self.take(place.before)?.to_vec();
        for _ in 0..place.strings {
            let string = self.short()?;
            write_short(&string, &mut out);
        }
        for _ in 0..place.names {
            let name = self.spelled_name()?;
            match place.lower_case {
                true => name.into_name().write_wire(&mut out),
                false => name.write_wire(&mut out),
            }
        }
        out.extend(self.rest());
        Some(out)
    }
}

/// Where names stand in a type's data: behind so many bytes and strings.
#[derive(Clone, Copy)]
struct Names {
    before: usize,
    strings: usize,
    names: usize,
    /// Whether they count in lower case (RFC 4034 6.2).
    lower_case: bool,
}

/// The types of whose data names may be compressed (RFC 3597 4), and DNSSEC's, whose names may not be
/// but are read all the same.
fn names_in(record_type: RecordType) -> Option<Names> {
    let names = |before, strings, names| Some(Names { before, strings, names, lower_case: true });
    match record_type.number() {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, NXT, DNAME
        2..=5 | 7..=9 | 12 | 30 | 39 => names(0, 0, 1),
        // NSEC (RFC 6840 5.1)
        47 => Some(Names { before: 0, strings: 0, names: 1, lower_case: false }),
        // SOA, MINFO, RP
        6 | 14 | 17 => names(0, 0, 2),
        // MX, AFSDB, RT, KX
        15 | 18 | 21 | 36 => names(2, 0, 1),
        // SIG, RRSIG
        24 | 46 => names(18, 0, 1),
        // PX
        26 => names(2, 0, 2),
        // SRV
        33 => names(6, 0, 1),
        // NAPTR
        35 => names(4, 3, 1),
        _ => None,
    }
}

/// A type bitmap (RFC 4034 4.1.2).
pub(super) fn read_types(mut bytes: &[u8]) -> Option<BTreeSet<RecordType>> {
    let mut types = BTreeSet::new();
    while let [window, length, rest @ ..] = bytes {
        let (bitmap, rest) = rest.split_at_checked(usize::from(*length))?;
        if !(1..=32).contains(length) {
            return None;
        }
        bytes = rest;
        for (at, byte) in (0_u8..).zip(bitmap) {
            let set = (0..8).filter(|bit| byte & (0x80 >> bit) != 0);
            types
                .extend(set.map(|bit| RecordType::from_number(u16::from_be_bytes([*window, at << 3 | bit]))));
        }
    }
    bytes.is_empty().then_some(types)
}
