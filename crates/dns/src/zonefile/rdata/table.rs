//! The types that are a row of fields and that `domain` does not know.

use super::fields::{BadData, Fields};
use crate::record::RecordType;

/// A field of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    U8(&'static str),
    Algorithm,
    U16(&'static str),
    Number(&'static str),
    Time(&'static str),
    Name(&'static str),
    String(&'static str),
    /// The same, where nothing may follow.
    OptionalString,
    /// As many as there are, at least one.
    Strings,
    Ipv4,
    Ipv6,
    /// Four groups of four hexadecimal digits (RFC 6742 2.1).
    Locator,
    /// So many bytes in hexadecimal, with hyphens between (RFC 7043).
    Hyphened(usize),
    /// Bytes without a length, in one word.
    Text(&'static str),
    Hex,
    Base64,
}

use Field::{
    Algorithm, Base64, Hex, Hyphened, Ipv4, Ipv6, Locator, Name, Number, OptionalString, String as Str,
    Strings, Text, Time, U8, U16,
};

/// The fields of each type.
const TABLE: &[(u16, &[Field])] = &[
    // Addresses stand as they are, without escapes (RFC 1035 3.4.1, RFC 3596 2.4).
    (1, &[Ipv4]),
    (28, &[Ipv6]),
    // RFC 1035 3.3.13; BIND takes its units here as well.
    (
        6,
        &[
            Name("the primary name server"),
            Name("the mailbox"),
            Number("the serial number"),
            Time("the refresh time"),
            Time("the retry time"),
            Time("the expiry time"),
            Time("the negative TTL"),
        ],
    ),
    // RFC 1035 3.3.9
    (15, &[U16("the preference"), Name("the host")]),
    // RFC 1183
    (18, &[U16("the subtype"), Name("the host")]),
    (19, &[Str("the address")]),
    (20, &[Str("the address"), OptionalString]),
    (21, &[U16("the preference"), Name("the host")]),
    // RFC 1706
    (23, &[Name("the owner")]),
    // RFC 2535 3; the same as DNSKEY, for other purposes
    (25, &[U16("the flags"), U8("the protocol"), Algorithm, Base64]),
    // RFC 2163
    (26, &[U16("the preference"), Name("the domain"), Name("the X.400 domain")]),
    // RFC 1712
    (27, &[Str("the longitude"), Str("the latitude"), Str("the altitude")]),
    // RFC 2782
    (33, &[U16("the priority"), U16("the weight"), U16("the port"), Name("the host")]),
    // RFC 3403 4.1
    (
        35,
        &[
            U16("the order"),
            U16("the preference"),
            Str("the flags"),
            Str("the services"),
            Str("the regular expression"),
            Name("the replacement"),
        ],
    ),
    // RFC 2230
    (36, &[U16("the preference"), Name("the exchanger")]),
    // RFC 4701
    (49, &[Base64]),
    // RFC 6698, RFC 8162
    (52, &[U8("the usage"), U8("the selector"), U8("the matching type"), Hex]),
    (53, &[U8("the usage"), U8("the selector"), U8("the matching type"), Hex]),
    // draft-reid-dnsext-zs, draft-reid-dnsext-rkey, draft-wijngaards-dnsop-trust-history
    (56, &[Strings]),
    (57, &[U16("the flags"), U8("the protocol"), Algorithm, Base64]),
    (58, &[Name("the previous name"), Name("the next name")]),
    // RFC 7208
    (99, &[Strings]),
    // RFC 6742
    (104, &[U16("the preference"), Locator]),
    (105, &[U16("the preference"), Ipv4]),
    (106, &[U16("the preference"), Locator]),
    (107, &[U16("the preference"), Name("the host")]),
    // RFC 7043
    (108, &[Hyphened(6)]),
    (109, &[Hyphened(8)]),
    // RFC 7553
    (256, &[U16("the priority"), U16("the weight"), Text("the URI")]),
    // draft-cisco-avc, RFC 9606, WALLET
    (258, &[Strings]),
    (261, &[Strings]),
    (262, &[Strings]),
    // DNSSEC Lookaside Validation and its forerunner (RFC 4431)
    (32_768, &[U16("the key tag"), U8("the algorithm"), U8("the digest type"), Hex]),
    (32_769, &[U16("the key tag"), U8("the algorithm"), U8("the digest type"), Hex]),
];

/// The fields of a type, if it is in the table.
pub(super) fn row(record_type: RecordType) -> Option<&'static [Field]> {
    let number = record_type.number();
    TABLE.iter().find(|(known, _)| *known == number).map(|(_, row)| *row)
}

pub(super) fn parse(row: &[Field], fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    let mut bytes = Vec::new();
    for field in row {
        match field {
            U8(what) => bytes.push(fields.number(what)?),
            Algorithm => bytes.push(fields.algorithm()?),
            U16(what) => bytes.extend(fields.number::<u16>(what)?.to_be_bytes()),
            Number(what) => bytes.extend(fields.number::<u32>(what)?.to_be_bytes()),
            Time(what) => bytes.extend(fields.time(what)?.to_be_bytes()),
            Name(what) => bytes.extend(fields.name(what)?.to_wire()),
            Str(what) => bytes.extend(fields.string(what)?),
            OptionalString => {
                if fields.peek().is_some() {
                    bytes.extend(fields.string("the subaddress")?);
                }
            }
            Strings => {
                bytes.extend(fields.string("a string")?);
                while fields.peek().is_some() {
                    bytes.extend(fields.string("a string")?);
                }
            }
            Ipv4 => bytes.extend(fields.ipv4()?.octets()),
            Ipv6 => bytes.extend(fields.ipv6()?.octets()),
            Locator => bytes.extend(fields.locator()?),
            Hyphened(length) => bytes.extend(fields.hyphened(*length)?),
            Text(what) => bytes.extend(fields.bytes(what)?),
            Hex => bytes.extend(fields.hex_rest()?),
            Base64 => bytes.extend(fields.base64_rest()?),
        }
    }
    Ok(bytes)
}

impl Fields<'_> {
    pub(super) fn ipv4(&mut self) -> Result<std::net::Ipv4Addr, BadData> {
        let word = self.plain_word("an IPv4 address")?;
        word.text.parse().map_err(|_| self.bad(format!("{:?} is not an IPv4 address", word.text)))
    }

    pub(super) fn ipv6(&mut self) -> Result<std::net::Ipv6Addr, BadData> {
        let word = self.plain_word("an IPv6 address")?;
        word.text.parse().map_err(|_| self.bad(format!("{:?} is not an IPv6 address", word.text)))
    }

    fn locator(&mut self) -> Result<Vec<u8>, BadData> {
        let word = self.word("a locator")?;
        let groups: Option<Vec<u16>> =
            word.text.split(':').map(|group| u16::from_str_radix(group, 16).ok()).collect();
        match groups {
            Some(groups) if groups.len() == 4 => Ok(groups.into_iter().flat_map(u16::to_be_bytes).collect()),
            _ => Err(self.bad(format!("{:?} is not four groups of hexadecimal digits", word.text))),
        }
    }

    fn hyphened(&mut self, length: usize) -> Result<Vec<u8>, BadData> {
        let word = self.word("an address")?;
        let byte = |pair: &str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
        let bytes: Option<Vec<u8>> = word.text.split('-').map(byte).collect();
        bytes.filter(|bytes| bytes.len() == length).ok_or_else(|| {
            self.bad(format!("{:?} is not {length} bytes in hexadecimal with hyphens between", word.text))
        })
    }
}
