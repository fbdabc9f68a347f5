//! What the data of types consists of that are only a name and a number here: how it is printed, and
//! where names stand in it.

/// One piece of a record's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    U8,
    U16,
    U32,
    /// Seconds since 1970, printed as a date.
    Time,
    /// A record type.
    Type,
    Name,
    V4,
    /// A string with its length before it.
    Text,
    /// Such strings up to the end; at least one.
    Texts,
    /// One string up to the end.
    RestText,
    /// A word with its length before it.
    Tag,
    /// Bytes up to the end; at least one.
    Hex,
    /// Bytes up to the end as a single number.
    LongHex,
    /// Bytes up to the end.
    Base64,
    /// So many bytes, hyphens between them.
    Dashed(usize),
    /// 64 bits in four words.
    Locator,
    /// A type bitmap.
    Types,
    /// A kind of certificate (RFC 4398 2.1).
    Certificate,
    /// An algorithm by its name.
    Algorithm,
    Location,
    Prefixes,
    Gateway,
    HostIdentity,
    Parameters,
}

/// The kinds of certificates that have names (RFC 4398 2.1).
pub(super) const CERTIFICATES: [(u16, &str); 10] = [
    (1, "PKIX"),
    (2, "SPKI"),
    (3, "PGP"),
    (4, "IPKIX"),
    (5, "ISPKI"),
    (6, "IPGP"),
    (7, "ACPKIX"),
    (8, "IACPKIX"),
    (253, "URI"),
    (254, "OID"),
];

/// The name of a signature algorithm, where one is used in place of the number (RFC 4034 A.1 and IANA).
pub(super) fn algorithm(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "RSAMD5",
        2 => "DH",
        3 => "DSA",
        5 => "RSASHA1",
        6 => "NSEC3DSA",
        7 => "NSEC3RSASHA1",
        8 => "RSASHA256",
        10 => "RSASHA512",
        12 => "ECCGOST",
        13 => "ECDSAP256SHA256",
        14 => "ECDSAP384SHA384",
        15 => "ED25519",
        16 => "ED448",
        252 => "INDIRECT",
        253 => "PRIVATEDNS",
        254 => "PRIVATEOID",
        _ => return None,
    })
}

/// The fields of a type's data; none where they are not known.
pub(super) fn layout(number: u16) -> Option<&'static [Field]> {
    use Field::{
        Algorithm, Base64, Certificate, Dashed, Gateway, Hex, HostIdentity, Location, Locator, LongHex, Name,
        Parameters, Prefixes, RestText, Tag, Text, Texts, Time, Type, Types, U8, U16, U32, V4,
    };
    Some(match number {
        // MD, MF, MB, MG, MR (RFC 1035 3.3), NSAP-PTR (RFC 1706 6)
        3 | 4 | 7..=9 | 23 => &[Name],
        // HINFO (RFC 1035 3.3.2)
        13 => &[Text, Text],
        // MINFO (RFC 1035 3.3.7), RP (RFC 1183 2.2), TALINK
        14 | 17 | 58 => &[Name, Name],
        // AFSDB (RFC 1183 1), RT (RFC 1183 3.3), KX (RFC 2230 3.1), LP (RFC 6742 2.4)
        18 | 21 | 36 | 107 => &[U16, Name],
        // X25 (RFC 1183 3.1)
        19 => &[Text],
        // ISDN (RFC 1183 3.2), NINFO, SPF (RFC 7208 3.1), AVC, RESINFO (RFC 9606 4), WALLET
        20 | 56 | 99 | 258 | 261 | 262 => &[Texts],
        // NSAP (RFC 1706 5)
        22 => &[LongHex],
        // SIG (RFC 2535 4)
        24 => &[Type, U8, U8, U32, Time, Time, U16, Name, Base64],
        // KEY (RFC 2535 3), RKEY, CDNSKEY (RFC 7344 3.2)
        25 | 57 | 60 => &[U16, U8, U8, Base64],
        // PX (RFC 2163 4)
        26 => &[U16, Name, Name],
        // GPOS (RFC 1712 3)
        27 => &[Text, Text, Text],
        // LOC (RFC 1876 2)
        29 => &[Location],
        // NAPTR (RFC 3403 4.1)
        35 => &[U16, U16, Text, Text, Text, Name],
        // CERT (RFC 4398 2)
        37 => &[Certificate, U16, Algorithm, Base64],
        // APL (RFC 3123 4)
        42 => &[Prefixes],
        // SSHFP (RFC 4255 3.1)
        44 => &[U8, U8, Hex],
        // IPSECKEY (RFC 4025 2)
        45 => &[U8, Gateway, Base64],
        // DHCID (RFC 4701 3.1), OPENPGPKEY (RFC 7929 2.1)
        49 | 61 => &[Base64],
        // TLSA (RFC 6698 2.1), SMIMEA (RFC 8162 2)
        52 | 53 => &[U8, U8, U8, Hex],
        // HIP (RFC 8005 5)
        55 => &[HostIdentity],
        // CDS (RFC 7344 3.1), TA, DLV (RFC 4431 2)
        59 | 32_768 | 32_769 => &[U16, U8, U8, Hex],
        // CSYNC (RFC 7477 2.1)
        62 => &[U32, U16, Types],
        // ZONEMD (RFC 8976 2.2)
        63 => &[U32, U8, U8, Hex],
        // SVCB, HTTPS (RFC 9460 2.2)
        64 | 65 => &[U16, Name, Parameters],
        // NID (RFC 6742 2.1), L64 (RFC 6742 2.3)
        104 | 106 => &[U16, Locator],
        // L32 (RFC 6742 2.2)
        105 => &[U16, V4],
        // EUI48, EUI64 (RFC 7043 3, 4)
        108 => &[Dashed(6)],
        109 => &[Dashed(8)],
        // URI (RFC 7553 4.5)
        256 => &[U16, U16, RestText],
        // CAA (RFC 8659 4.1)
        257 => &[U8, Tag, RestText],
        _ => return None,
    })
}
