//! How people call what certificates name by numbers, and who is named in them.

use super::facts::{Fact, Facts, harmless};
use super::{Read, unreadable};
use crate::der::{self, Element, Reader, oid};
use crate::hex::with_colons;
use std::net::IpAddr;

/// A distinguished name (RFC 5280 4.1.2.4), in its own order: `C=DE, O=Example, CN=www.example.test`.
/// What would make it another name is escaped (RFC 4514 2.4).
pub(crate) fn distinguished(name: Element<'_>) -> Read<String> {
    const WHAT: &str = "a name";
    if name.tag != der::SEQUENCE {
        return unreadable(WHAT, format!("tag 0x{:02x} begins none", name.tag));
    }
    let mut parts = Vec::new();
    let mut sets = name.inside();
    while !sets.is_empty() {
        parts.push(relative(sets.read(der::SET, WHAT)?)?);
    }
    Ok(parts.join(", "))
}

/// A part of it: attributes that belong together.
pub(crate) fn relative(set: Element<'_>) -> Read<String> {
    const WHAT: &str = "a name's part";
    let mut attributes = Vec::new();
    let mut values = set.inside();
    while !values.is_empty() {
        let mut attribute = values.sequence(WHAT)?;
        let kind = attribute.oid(WHAT)?;
        let value = attribute.any(WHAT)?;
        // RFC 4514 2.4: what is no string of characters is written in hex.
        let value =
            value.text().map_or_else(|| format!("#{}", with_colons(value.whole)), |text| escaped(&text));
        attributes.push(format!("{}={value}", attribute_name(&kind).unwrap_or(&kind)));
    }
    Ok(attributes.join("+"))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        let at_an_end = (index == 0 && matches!(c, ' ' | '#')) || (index == last && c == ' ');
        if at_an_end || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            out.push('\\');
        }
        out.push(c);
    }
    harmless(&out)
}

/// A GeneralName (RFC 5280 4.2.1.6): its kind, and who it is. `constraint`: an address has a mask (4.2.1.10).
pub(crate) fn general(name: Element<'_>, constraint: bool) -> Read<Facts> {
    const WHAT: &str = "a general name";
    let text = || Fact::text(harmless(&String::from_utf8_lossy(name.contents)));
    let (kind, fact) = match name.tag & 0x1f {
        0 => return other_name(name.inside()),
        1 => ("email", text()),
        2 => ("dns", text()),
        4 => ("directory_name", Fact::text(distinguished(name.inside().any(WHAT)?)?)),
        6 => ("uri", text()),
        7 => ("ip", Fact::text(address(name.contents, constraint))),
        8 => ("registered_id", Fact::text(oid(name.contents)?)),
        3 => ("x400_address", Fact::bytes(name.contents)),
        5 => ("edi_party_name", Fact::bytes(name.contents)),
        other => return unreadable(WHAT, format!("there is none of kind {other}")),
    };
    Ok(Facts::default().with(kind, fact))
}

/// Some of them, one after another.
pub(crate) fn generals(mut names: Reader<'_>, constraint: bool) -> Read<Vec<Fact>> {
    let mut all = Vec::new();
    while !names.is_empty() {
        all.push(Fact::Facts(general(names.any("a general name")?, constraint)?));
    }
    Ok(all)
}

fn other_name(mut inside: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "another name";
    let kind = inside.oid(WHAT)?;
    let value = inside.read(der::constructed(0), WHAT)?.inside().any(WHAT)?;
    let name = match kind.as_str() {
        "1.3.6.1.4.1.311.20.2.3" => "user_principal_name",
        "1.3.6.1.5.5.7.8.9" => "email_in_utf8",
        "1.3.6.1.5.5.7.8.7" => "service",
        _ => "other_name",
    };
    let value = value.text().map_or_else(|| with_colons(value.whole), |text| harmless(&text));
    let facts =
        if name == "other_name" { Facts::default().with("kind", Fact::text(kind)) } else { Facts::default() };
    Ok(facts.with(name, Fact::text(value)))
}

/// 4 or 16 bytes, twice that with a mask.
fn address(bytes: &[u8], constraint: bool) -> String {
    let plain = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    };
    let halves = bytes.split_at_checked(bytes.len() / 2).filter(|_| constraint);
    let (address, mask) = halves.map_or((bytes, None), |(address, mask)| (address, Some(mask)));
    match (plain(address), mask) {
        (Some(address), None) => address.to_string(),
        (Some(address), Some(mask)) => {
            let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
            let leading = mask.iter().scan(true, |whole, byte| {
                let ones = if *whole { byte.leading_ones() } else { 0 };
                *whole &= *byte == 0xff;
                Some(ones)
            });
            if leading.sum::<u32>() == ones {
                format!("{address}/{ones}")
            } else {
                format!("{address}/{}", with_colons(mask))
            }
        }
        (None, _) => format!("no address: {}", with_colons(bytes)),
    }
}

/// RFC 4519 and others.
fn attribute_name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.15" => "businessCategory",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.44" => "generationQualifier",
        "2.5.4.45" => "x500UniqueIdentifier",
        "2.5.4.46" => "dnQualifier",
        "2.5.4.65" => "pseudonym",
        "2.5.4.97" => "organizationIdentifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "1.2.840.113549.1.9.2" => "unstructuredName",
        "1.3.6.1.4.1.311.60.2.1.1" => "jurisdictionL",
        "1.3.6.1.4.1.311.60.2.1.2" => "jurisdictionST",
        "1.3.6.1.4.1.311.60.2.1.3" => "jurisdictionC",
        _ => return None,
    })
}

/// What keys may be for (RFC 5280 4.2.1.12), and what else is named among it.
pub(crate) fn purpose(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.29.37.0" => "any",
        "1.3.6.1.5.5.7.3.1" => "serverAuth",
        "1.3.6.1.5.5.7.3.2" => "clientAuth",
        "1.3.6.1.5.5.7.3.3" => "codeSigning",
        "1.3.6.1.5.5.7.3.4" => "emailProtection",
        "1.3.6.1.5.5.7.3.5" => "ipsecEndSystem",
        "1.3.6.1.5.5.7.3.6" => "ipsecTunnel",
        "1.3.6.1.5.5.7.3.7" => "ipsecUser",
        "1.3.6.1.5.5.7.3.8" => "timeStamping",
        "1.3.6.1.5.5.7.3.9" => "OCSPSigning",
        "1.3.6.1.5.5.7.3.17" => "ipsecIKE",
        "1.3.6.1.5.5.7.3.21" => "secureShellClient",
        "1.3.6.1.5.5.7.3.22" => "secureShellServer",
        "1.3.6.1.5.5.7.3.36" => "documentSigning",
        "1.3.6.1.5.2.3.4" => "pkinitClient",
        "1.3.6.1.5.2.3.5" => "pkinitKdc",
        "1.3.6.1.4.1.311.10.3.3" => "microsoftServerGatedCrypto",
        "1.3.6.1.4.1.311.10.3.4" => "microsoftEncryptedFileSystem",
        "1.3.6.1.4.1.311.20.2.2" => "microsoftSmartcardLogon",
        "2.16.840.1.113730.4.1" => "netscapeServerGatedCrypto",
        "1.3.6.1.4.1.11129.2.4.4" => "precertificateSigning",
        _ => return None,
    })
}

/// RFC 5280 4.2.1.4, and what the CA/Browser Forum's Baseline Requirements (7.1.6.1) have beside it.
pub(crate) fn policy(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.29.32.0" => "any",
        "2.23.140.1.1" => "extended validation",
        "2.23.140.1.2.1" => "domain validated",
        "2.23.140.1.2.2" => "organization validated",
        "2.23.140.1.2.3" => "individual validated",
        _ => return None,
    })
}

/// RFC 8017, RFC 5758, RFC 8410, RFC 9881.
pub(crate) fn signature(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.1.1.2" => "RSA with MD2",
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA with SHA-256",
        "1.2.840.113549.1.1.12" => "RSA with SHA-384",
        "1.2.840.113549.1.1.13" => "RSA with SHA-512",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => return hash(oid),
    })
}

/// Hashes, as OCSP and RSA-PSS name them (RFC 8017 B.1).
pub(crate) fn hash(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "1.2.840.113549.2.5" => "MD5",
        "1.3.14.3.2.26" => "SHA-1",
        "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "2.16.840.1.101.3.4.2.3" => "SHA-512",
        "2.16.840.1.101.3.4.2.4" => "SHA-224",
        _ => return None,
    })
}

/// Curves (RFC 5480 2.1.1.1, RFC 5639): their name, and the size of a key in bits.
pub(crate) fn curve(oid: &str) -> Option<(&'static str, u64)> {
    Some(match oid {
        "1.2.840.10045.3.1.1" => ("P-192", 192),
        "1.3.132.0.33" => ("P-224", 224),
        "1.2.840.10045.3.1.7" => ("P-256", 256),
        "1.3.132.0.34" => ("P-384", 384),
        "1.3.132.0.35" => ("P-521", 521),
        "1.3.132.0.10" => ("secp256k1", 256),
        "1.3.36.3.3.2.8.1.1.7" => ("brainpoolP256r1", 256),
        "1.3.36.3.3.2.8.1.1.11" => ("brainpoolP384r1", 384),
        "1.3.36.3.3.2.8.1.1.13" => ("brainpoolP512r1", 512),
        _ => return None,
    })
}

/// An object identifier with its name, where it has one.
pub(crate) fn named(oid: String, name: Option<&'static str>) -> Fact {
    match name {
        Some(name) => Fact::aside(name, oid),
        None => Fact::text(oid),
    }
}

/// An AlgorithmIdentifier (RFC 5280 4.1.1.2) as signatures have it.
pub(crate) fn algorithm(mut identifier: Reader<'_>) -> Read<String> {
    const WHAT: &str = "the signature's algorithm";
    let oid = identifier.oid(WHAT)?;
    let Some(name) = signature(&oid) else { return Ok(format!("algorithm {oid}")) };
    if name != "RSA-PSS" {
        return Ok(name.to_owned());
    }
    // RFC 4055 3.1: SHA-1 where nothing is said.
    let mut hash_name = Some("SHA-1");
    if let Some(parameters) = identifier.optional(der::SEQUENCE, WHAT)?
        && let Some(own) = parameters.inside().optional(der::constructed(0), WHAT)?
    {
        hash_name = hash(&own.inside().sequence(WHAT)?.oid(WHAT)?);
    }
    Ok(format!("RSA-PSS with {}", hash_name.unwrap_or("another hash")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_make_it_another_name_is_escaped() {
        assert_eq!(escaped("a, O=b"), "a\\, O\\=b");
        assert_eq!(escaped(" #x\u{1b} "), "\\ #x\\u{1b}\\ ");
    }

    #[test]
    fn an_address_in_a_constraint_has_a_mask() {
        assert_eq!(address(&[10, 0, 0, 0, 255, 0, 0, 0], true), "10.0.0.0/8");
        assert_eq!(address(&[10, 0, 0, 0, 255, 0, 255, 0], true), "10.0.0.0/ff:00:ff:00");
        assert_eq!(address(&[10, 0, 0, 1], false), "10.0.0.1");
        assert_eq!(address(&[1, 2, 3], false), "no address: 01:02:03");
    }
}
