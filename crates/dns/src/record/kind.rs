//! The types of records, by number and by name.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The type of a record, or the type asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordType {
    /// An IPv4 address (RFC 1035 3.4.1).
    A,
    /// A name server (RFC 1035 3.3.11).
    Ns,
    /// The canonical name of an alias (RFC 1035 3.3.1).
    Cname,
    /// The start of a zone of authority (RFC 1035 3.3.13).
    Soa,
    /// A pointer, as from an address to a name (RFC 1035 3.3.12).
    Ptr,
    /// A mail exchange (RFC 1035 3.3.9).
    Mx,
    /// Text (RFC 1035 3.3.14).
    Txt,
    /// An IPv6 address (RFC 3596).
    Aaaa,
    /// A service (RFC 2782).
    Srv,
    /// The name under which everything below is found instead (RFC 6672).
    Dname,
    /// The digest of a key of the zone below (RFC 4034 5).
    Ds,
    /// A signature (RFC 4034 3).
    Rrsig,
    /// The next name that exists, and the types at this one (RFC 4034 4).
    Nsec,
    /// A key of the zone (RFC 4034 2).
    Dnskey,
    /// The same as NSEC, of hashed names (RFC 5155 3).
    Nsec3,
    /// How the zone hashes names (RFC 5155 4).
    Nsec3Param,
    /// Every type at once (RFC 8482); only asked for.
    Any,
    /// Any other, by number.
    Other(u16),
}

/// The types that are only a name and a number here (IANA, "Domain Name System (DNS) Parameters").
const NAMED: [(u16, &str); 68] = [
    (3, "MD"),
    (4, "MF"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (13, "HINFO"),
    (14, "MINFO"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (40, "SINK"),
    (41, "OPT"),
    (42, "APL"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (49, "DHCID"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (57, "RKEY"),
    (58, "TALINK"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (256, "URI"),
    (257, "CAA"),
    (258, "AVC"),
    (259, "DOA"),
    (260, "AMTRELAY"),
    (261, "RESINFO"),
    (262, "WALLET"),
    (32_768, "TA"),
    (32_769, "DLV"),
];

impl RecordType {
    /// A transfer of what has changed in a zone (RFC 1995); only asked for.
    pub const IXFR: Self = Self::Other(251);
    /// A transfer of a whole zone (RFC 5936); only asked for.
    pub const AXFR: Self = Self::Other(252);
    /// The pseudo-record that carries EDNS (RFC 6891 6.1.1).
    pub const OPT: Self = Self::Other(41);
    /// How a service is reached (RFC 9460).
    pub const SVCB: Self = Self::Other(64);
    /// How an origin is reached over HTTP (RFC 9460 9).
    pub const HTTPS: Self = Self::Other(65);
    /// Who may issue certificates (RFC 8659).
    pub const CAA: Self = Self::Other(257);
    /// The certificate of a service (RFC 6698).
    pub const TLSA: Self = Self::Other(52);

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Srv => 33,
            Self::Dname => 39,
            Self::Ds => 43,
            Self::Rrsig => 46,
            Self::Nsec => 47,
            Self::Dnskey => 48,
            Self::Nsec3 => 50,
            Self::Nsec3Param => 51,
            Self::Any => 255,
            Self::Other(number) => number,
        }
    }

    /// The type with this number.
    pub const fn from_number(number: u16) -> Self {
        match number {
            1 => Self::A,
            2 => Self::Ns,
            5 => Self::Cname,
            6 => Self::Soa,
            12 => Self::Ptr,
            15 => Self::Mx,
            16 => Self::Txt,
            28 => Self::Aaaa,
            33 => Self::Srv,
            39 => Self::Dname,
            43 => Self::Ds,
            46 => Self::Rrsig,
            47 => Self::Nsec,
            48 => Self::Dnskey,
            50 => Self::Nsec3,
            51 => Self::Nsec3Param,
            255 => Self::Any,
            other => Self::Other(other),
        }
    }

    /// The name by which it is known; none for a type that is only a number.
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::A => "A",
            Self::Ns => "NS",
            Self::Cname => "CNAME",
            Self::Soa => "SOA",
            Self::Ptr => "PTR",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
            Self::Dname => "DNAME",
            Self::Ds => "DS",
            Self::Rrsig => "RRSIG",
            Self::Nsec => "NSEC",
            Self::Dnskey => "DNSKEY",
            Self::Nsec3 => "NSEC3",
            Self::Nsec3Param => "NSEC3PARAM",
            Self::Any => "ANY",
            Self::Other(number) => NAMED.iter().find(|(known, _)| *known == number)?.1,
        })
    }

    /// Whether it stands only in questions, or carries something about the message itself, so that
    /// no zone holds records of it (RFC 6895 3.1: meta-types and QTYPEs).
    pub fn is_meta(self) -> bool {
        matches!(self.number(), 41 | 128..=255)
    }
}

impl PartialOrd for RecordType {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RecordType {
    /// By number, as type bitmaps are ordered (RFC 4034 4.1.2).
    fn cmp(&self, other: &Self) -> Ordering {
        let is_other = |this: &Self| matches!(this, Self::Other(_));
        self.number().cmp(&other.number()).then(is_other(self).cmp(&is_other(other)))
    }
}

impl fmt::Display for RecordType {
    /// `A`, `MX`, or `TYPE731` for what has no name (RFC 3597 5).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "TYPE{}", self.number()),
        }
    }
}

/// A text names no record type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a record type (A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT, ..., or TYPE and a number)")]
pub struct UnknownRecordType(pub String);

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    fn from_str(text: &str) -> Result<Self, UnknownRecordType> {
        const VARIANTS: [u16; 17] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 43, 46, 47, 48, 50, 51, 255];
        let known = VARIANTS.into_iter().chain(NAMED.iter().map(|(number, _)| *number));
        let mut known = known.map(Self::from_number);
        let named = |known: &Self| known.name().is_some_and(|name| name.eq_ignore_ascii_case(text));
        if let Some(known) = known.find(named) {
            return Ok(known);
        }
        let number = text.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("TYPE")).and(text.get(4..));
        match number.and_then(|number| number.parse().ok()) {
            Some(number) => Ok(Self::from_number(number)),
            None => Err(UnknownRecordType(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_name_and_by_number() {
        assert_eq!("aaaa".parse(), Ok(RecordType::Aaaa));
        assert_eq!("TYPE28".parse(), Ok(RecordType::Aaaa));
        assert_eq!("type65".parse(), Ok(RecordType::HTTPS));
        assert_eq!("nsec3param".parse(), Ok(RecordType::Nsec3Param));
        assert!("TYPE".parse::<RecordType>().is_err());
        assert!("TYPE65536".parse::<RecordType>().is_err());
        assert!("BOGUS".parse::<RecordType>().is_err());
        assert!("日本".parse::<RecordType>().is_err());
        assert_eq!(RecordType::Other(65).to_string(), "HTTPS");
        assert_eq!(RecordType::Other(731).to_string(), "TYPE731");
    }

    #[test]
    fn every_type_comes_back_from_its_number_and_from_its_name() {
        for number in 0..=u16::MAX {
            let record_type = RecordType::from_number(number);
            assert_eq!(record_type.number(), number);
            if number < 300 {
                assert_eq!(record_type.to_string().parse(), Ok(record_type));
            }
        }
    }

    #[test]
    fn types_are_ordered_by_number() {
        assert!(RecordType::Aaaa < RecordType::Other(29) && RecordType::Other(29) < RecordType::Srv);
        assert!(RecordType::Any < RecordType::CAA && RecordType::AXFR < RecordType::Any);
    }
}
