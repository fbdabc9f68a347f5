//! The chain from the trust anchor to the answer as data, a link each for who vouches for whom.

use crate::dnssec::{Reason, Security};
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::{CivilTime, WallTime};
use std::fmt;

/// One step of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose records it is about.
    pub name: DnsName,
    /// Which zone should have signed them; that of the anchor for an anchor.
    pub zone: DnsName,
    /// What the step is.
    pub step: Step,
    /// The signature that was found good.
    pub signed_by: Option<SignedBy>,
    /// What came of it.
    pub security: Security,
    /// Why, where it is not simply secure.
    pub reason: Option<Reason>,
    /// Whether it was known from an earlier question.
    pub remembered: bool,
}

impl Link {
    pub(crate) fn new(name: &DnsName, zone: &DnsName, step: Step) -> Self {
        let (name, zone) = (name.clone(), zone.clone());
        Self {
            name,
            zone,
            step,
            signed_by: None,
            security: Security::Secure,
            reason: None,
            remembered: false,
        }
    }

    pub(crate) fn signed(mut self, by: SignedBy) -> Self {
        self.signed_by = Some(by);
        self
    }

    pub(crate) fn judge(&mut self, reason: &Reason) {
        self.security = reason.security();
        self.reason = Some(reason.clone());
    }
}

/// What a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Where the chain begins.
    Anchor {
        /// The keys that are trusted, by tag.
        key_tags: Vec<u16>,
    },
    /// The keys of a zone.
    Keys {
        /// All of them.
        keys: Vec<KeySeen>,
        /// The tag of the one that a DS record or the anchor names.
        vouched: Option<u16>,
    },
    /// What a zone says of the keys of the zone below.
    Ds {
        /// Each record.
        records: Vec<DsSeen>,
    },
    /// The proof that there is no DS record, so that the zone below is not signed.
    NoDs,
    /// The name is in the same zone as the one above it.
    NoCut,
    /// Records of the answer.
    Records {
        /// Their type.
        record_type: RecordType,
        /// The wildcard that they were made from.
        wildcard: Option<DnsName>,
    },
    /// The proof that there is nothing of that name or that type.
    Denial {
        /// The type asked for.
        record_type: RecordType,
        /// Whether the name itself does not exist.
        no_name: bool,
        /// Whether NSEC3 records prove it, not NSEC records.
        hashed: bool,
    },
    /// A record of that proof, and what it shows.
    Shown {
        /// In words, as `noarp.test NSEC plain-on-443.test covers nobody.test: it does not exist`.
        what: String,
    },
}

impl fmt::Display for Link {
    /// In one line, as `test. DS 2854 (ED25519, SHA-256): signed by key 31406 of .`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Subject(self))?;
        match (&self.reason, &self.signed_by) {
            (Some(reason), _) => write!(f, ": {}: {reason}", self.security)?,
            (None, Some(by)) => {
                write!(f, ": signed by key {} of {} ({})", by.key_tag, by.zone, AlgorithmName(by.algorithm))?;
                write!(f, " until {}", Stamp(by.expiration))?;
            }
            (None, None) => {}
        }
        match self.remembered {
            true => f.write_str(" (known)"),
            false => Ok(()),
        }
    }
}

/// What a link is about.
struct Subject<'a>(&'a Link);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Link { name, zone, step, .. } = self.0;
        match step {
            Step::Anchor { key_tags } => write!(f, "{name} trust anchor {}", list(key_tags)),
            Step::Keys { keys, vouched } => {
                write!(f, "{name} DNSKEY {}", list(keys))?;
                match vouched {
                    Some(key_tag) => write!(f, ", of which {key_tag} is vouched for"),
                    None => Ok(()),
                }
            }
            Step::Ds { records } => write!(f, "{name} DS {}", list(records)),
            Step::NoDs => write!(f, "{name} has no DS record in {zone}"),
            Step::NoCut => write!(f, "{name} is in the zone {zone}"),
            Step::Shown { what } => write!(f, "  {what}"),
            Step::Records { record_type, wildcard: None } => write!(f, "{name} {record_type}"),
            Step::Records { record_type, wildcard: Some(wildcard) } => {
                write!(f, "{name} {record_type} from {wildcard}")
            }
            Step::Denial { record_type, no_name, hashed } => {
                let by = if *hashed { "NSEC3" } else { "NSEC" };
                match no_name {
                    true => write!(f, "{name} does not exist, by {by}"),
                    false => write!(f, "{name} has no {record_type}, by {by}"),
                }
            }
        }
    }
}

impl fmt::Display for KeySeen {
    /// As `20326 (RSASHA256, 257)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.key_tag, AlgorithmName(self.algorithm), self.flags)
    }
}

impl fmt::Display for DsSeen {
    /// As `20326 (RSASHA256, SHA-256)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.key_tag, AlgorithmName(self.algorithm), DigestName(self.digest_type))
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    match items {
        [] => "none".to_owned(),
        items => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// A signature that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Whose key.
    pub zone: DnsName,
    /// The key's tag.
    pub key_tag: u16,
    /// Its algorithm.
    pub algorithm: u8,
    /// Until when, in seconds (RFC 4034 3.1.5).
    pub expiration: u32,
}

/// A key of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySeen {
    /// Its tag.
    pub key_tag: u16,
    /// Its algorithm.
    pub algorithm: u8,
    /// Its flags (RFC 4034 2.1.1); 257 signs keys, 256 the rest.
    pub flags: u16,
}

/// A DS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DsSeen {
    /// The tag of the key that it names.
    pub key_tag: u16,
    /// That key's algorithm.
    pub algorithm: u8,
    /// How the digest is made.
    pub digest_type: u8,
}

/// An algorithm as `dig` and the registry call it.
#[derive(Clone, Copy, Debug)]
pub struct AlgorithmName(pub u8);

impl fmt::Display for AlgorithmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "RSAMD5",
            3 => "DSA",
            5 => "RSASHA1",
            6 => "DSA-NSEC3-SHA1",
            7 => "RSASHA1-NSEC3-SHA1",
            8 => "RSASHA256",
            10 => "RSASHA512",
            12 => "ECC-GOST",
            13 => "ECDSAP256SHA256",
            14 => "ECDSAP384SHA384",
            15 => "ED25519",
            16 => "ED448",
            other => return write!(f, "algorithm {other}"),
        })
    }
}

/// A digest type as the registry calls it.
#[derive(Clone, Copy, Debug)]
pub struct DigestName(pub u8);

impl fmt::Display for DigestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "SHA-1",
            2 => "SHA-256",
            3 => "GOST R 34.11-94",
            4 => "SHA-384",
            other => return write!(f, "digest type {other}"),
        })
    }
}

/// A time of a signature, in seconds since 1970, as `2026-11-23 20:13:43 UTC`.
#[derive(Clone, Copy, Debug)]
pub struct Stamp(pub u32);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = CivilTime::from(WallTime::from_unix_seconds(self.0.into()));
        let CivilTime { year, month, day, hour, minute, second } = date;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_as_a_date() {
        assert_eq!(Stamp(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Stamp(951_827_696).to_string(), "2000-02-29 12:34:56 UTC");
        assert_eq!(Stamp(u32::MAX).to_string(), "2106-02-07 06:28:15 UTC");
    }
}
