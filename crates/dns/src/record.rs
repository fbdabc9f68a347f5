//! Resource records (RFC 1035 3.2) as this crate's users see them.

mod data;
mod dnssec;
mod fields;
mod kind;
mod presentation;
mod svcb;

pub use dnssec::{Dnskey, Ds, Nsec, Nsec3, Nsec3Param, Rrsig};
pub use kind::{RecordType, UnknownRecordType};

use crate::name::DnsName;
use presentation::Absolute;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The owner is an alias of this name.
    Cname(DnsName),
    /// A name server of the zone.
    Ns(DnsName),
    /// A name elsewhere in the tree.
    Ptr(DnsName),
    /// A mail exchange.
    Mx {
        /// The lowest is tried first.
        preference: u16,
        /// The host.
        exchange: DnsName,
    },
    /// Strings of at most 255 bytes each.
    Txt(Vec<Vec<u8>>),
    /// The start of a zone.
    Soa(Soa),
    /// A service.
    Srv {
        /// The lowest is tried first.
        priority: u16,
        /// Share among equals.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: DnsName,
    },
    /// Everything below the owner is found below this name instead.
    Dname(DnsName),
    /// The digest of a key of the zone below.
    Ds(Ds),
    /// A signature.
    Rrsig(Rrsig),
    /// The next name, and the types of this one.
    Nsec(Nsec),
    /// A key of the zone.
    Dnskey(Dnskey),
    /// The next hashed name, and the types of this one.
    Nsec3(Nsec3),
    /// How names are hashed.
    Nsec3Param(Nsec3Param),
    /// Any other type: its number and its bytes (RFC 3597). Also a type from above whose bytes are not
    /// what they should be.
    Other {
        /// The type's number.
        number: u16,
        /// The data, names uncompressed.
        bytes: Vec<u8>,
    },
}

/// The start of a zone of authority (RFC 1035 3.3.13). Times are in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The primary name server.
    pub primary: DnsName,
    /// The mailbox of who is responsible, its first dot for the at sign.
    pub mailbox: DnsName,
    /// The zone's version.
    pub serial: u32,
    /// How often secondaries look for a new version.
    pub refresh: u32,
    /// How soon they look again if that failed.
    pub retry: u32,
    /// When they give the zone up.
    pub expire: u32,
    /// How long a negative answer may be kept (RFC 2308 4).
    pub minimum: u32,
}

impl RecordData {
    /// The type that says such things.
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Cname(_) => RecordType::Cname,
            Self::Ns(_) => RecordType::Ns,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Mx { .. } => RecordType::Mx,
            Self::Txt(_) => RecordType::Txt,
            Self::Soa(_) => RecordType::Soa,
            Self::Srv { .. } => RecordType::Srv,
            Self::Dname(_) => RecordType::Dname,
            Self::Ds(_) => RecordType::Ds,
            Self::Rrsig(_) => RecordType::Rrsig,
            Self::Nsec(_) => RecordType::Nsec,
            Self::Dnskey(_) => RecordType::Dnskey,
            Self::Nsec3(_) => RecordType::Nsec3,
            Self::Nsec3Param(_) => RecordType::Nsec3Param,
            Self::Other { number, .. } => RecordType::from_number(*number),
        }
    }

    /// Its bytes in canonical form (RFC 4034 6.2, RFC 6840 5.1): names in full, and in the data of old types in
    /// lower case. Signatures and digests are made of these, and records of one set are ordered by them.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_canonical(&mut bytes);
        bytes
    }

    /// A text record of one string, cut into pieces of 255 bytes where it is longer.
    pub fn text(text: &str) -> Self {
        if text.is_empty() {
            return Self::Txt(vec![Vec::new()]);
        }
        Self::Txt(text.as_bytes().chunks(255).map(<[u8]>::to_vec).collect())
    }
}

impl From<IpAddr> for RecordData {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::A(address),
            IpAddr::V6(address) => Self::Aaaa(address),
        }
    }
}

/// One resource record of class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whom it is about.
    pub owner: DnsName,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

impl Record {
    /// The record's type.
    pub fn record_type(&self) -> RecordType {
        self.data.record_type()
    }

    /// The name that its owner is an alias of, if it is a CNAME record.
    pub fn alias(&self) -> Option<&DnsName> {
        match &self.data {
            RecordData::Cname(target) => Some(target),
            _ => None,
        }
    }

    /// The address in it, if it holds one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.data {
            RecordData::A(address) => Some(address.into()),
            RecordData::Aaaa(address) => Some(address.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Record {
    /// As in a zone file: `www.example.test. 300 IN A 192.0.2.80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} IN {} {}", Absolute(&self.owner), self.ttl, self.record_type(), self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    #[test]
    fn records_print_as_in_a_zone_file() {
        let print = |data| Record { owner: name("x.test"), ttl: 60, data }.to_string();
        assert_eq!(print(RecordData::A([192, 0, 2, 80].into())), "x.test. 60 IN A 192.0.2.80");
        assert_eq!(
            print(RecordData::Mx { preference: 10, exchange: name("mail.x.test") }),
            "x.test. 60 IN MX 10 mail.x.test."
        );
        assert_eq!(print(RecordData::text("say \"hi\"\n")), r#"x.test. 60 IN TXT "say \"hi\"\010""#);
        assert_eq!(
            print(RecordData::Other { number: 731, bytes: vec![0, 1, 0xab] }),
            r"x.test. 60 IN TYPE731 \# 3 0001AB"
        );
    }
}
