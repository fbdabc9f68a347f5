//! Between a record's data and its bytes (RFC 1035 3.3, RFC 4034, RFC 5155).

use super::{Dnskey, Ds, Nsec, Nsec3, Nsec3Param, RecordData, RecordType, Rrsig, Soa};
use crate::name::DnsName;
use std::collections::BTreeSet;

/// Reads the name that begins so many bytes into the data; gives it and where it ends. It may point to
/// elsewhere in the message (RFC 1035 4.1.4), so only the message's reader can do it.
pub(crate) type NameAt<'a> = dyn FnMut(usize) -> Option<(DnsName, usize)> + 'a;

impl RecordData {
    /// The data in `bytes`. None where a name in it cannot be read, or something is missing around it:
    /// nobody can tell then what was meant. Bytes that are wrong in a type without names are kept as
    /// they are ([`RecordData::Other`]): they hurt nobody but who asks for them.
    pub(crate) fn read(record_type: RecordType, bytes: &[u8], name_at: &mut NameAt<'_>) -> Option<Self> {
        let mut fields = Fields { bytes, at: 0, name_at };
        let with_names = match record_type {
            RecordType::Ns => Self::Ns(fields.name()?),
            RecordType::Cname => Self::Cname(fields.name()?),
            RecordType::Ptr => Self::Ptr(fields.name()?),
            RecordType::Dname => Self::Dname(fields.name()?),
            RecordType::Mx => Self::Mx { preference: fields.u16()?, exchange: fields.name()? },
            RecordType::Soa => Self::Soa(fields.soa()?),
            RecordType::Srv => Self::Srv {
                priority: fields.u16()?,
                weight: fields.u16()?,
                port: fields.u16()?,
                target: fields.name()?,
            },
            RecordType::Rrsig => Self::Rrsig(fields.rrsig()?),
            RecordType::Nsec => Self::Nsec(Nsec { next: fields.name()?, types: fields.types()? }),
            other => {
                let as_it_is = || Self::Other { number: other.number(), bytes: bytes.to_vec() };
                let known = fields.without_names(other).filter(|_| fields.at == bytes.len());
                return Some(known.unwrap_or_else(as_it_is));
            }
        };
        (fields.at == bytes.len()).then_some(with_names)
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
            Self::Other { bytes, .. } => out.extend(bytes),
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

    fn without_names(&mut self, record_type: RecordType) -> Option<RecordData> {
        Some(match record_type {
            RecordType::A => RecordData::A(<[u8; 4]>::try_from(self.take(4)?).ok()?.into()),
            RecordType::Aaaa => RecordData::Aaaa(<[u8; 16]>::try_from(self.take(16)?).ok()?.into()),
            RecordType::Txt => {
                let mut strings = Vec::new();
                while self.at < self.bytes.len() {
                    strings.push(self.short()?);
                }
                RecordData::Txt(strings)
            }
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

    /// RFC 4034 4.1.2.
    fn types(&mut self) -> Option<BTreeSet<RecordType>> {
        let mut types = BTreeSet::new();
        while self.at < self.bytes.len() {
            let (window, length) = (self.u8()?, self.u8()?);
            if !(1..=32).contains(&length) {
                return None;
            }
            for (at, byte) in (0_u8..).zip(self.take(length.into())?) {
                let set = (0..8).filter(|bit| byte & (0x80 >> bit) != 0);
                types.extend(
                    set.map(|bit| RecordType::from_number(u16::from_be_bytes([window, at << 3 | bit]))),
                );
            }
        }
        Some(types)
    }
}
