//! What validation comes to, in types and in a sentence, with the code of RFC 8914 that says it to
//! others.

use crate::dnssec::Security;
use crate::dnssec::link::{AlgorithmName, DigestName, Stamp};
use crate::message::ResponseCode;
use crate::name::DnsName;
use crate::record::RecordType;
use std::fmt;

/// Why an answer is secure, insecure, indeterminate or bogus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All that was asked for is signed, by keys that lead up to a trust anchor.
    Signed {
        /// Whose trust anchor it is.
        anchor: DnsName,
    },
    /// A signed zone proves that the zone below it is not (RFC 4035 5.2).
    UnsignedZone {
        /// The zone that is not signed.
        zone: DnsName,
        /// The zone that says so.
        parent: DnsName,
    },
    /// The proof covers names that need not be signed (RFC 5155 6, opt-out).
    OptOut {
        /// About whom.
        name: DnsName,
        /// Whose NSEC3 records say so.
        zone: DnsName,
    },
    /// RFC 4035 5.2: a zone that is signed only in ways we do not know counts as unsigned.
    UnknownAlgorithms {
        /// The zone.
        zone: DnsName,
        /// The algorithms that its DS records name.
        algorithms: Vec<u8>,
    },
    /// The same, for how its keys are vouched for.
    UnknownDigests {
        /// The zone.
        zone: DnsName,
        /// The digest types of its DS records.
        digests: Vec<u8>,
    },
    /// RFC 9276 3.2: so many rounds of hashing are nobody's duty.
    TooManyIterations {
        /// The zone.
        zone: DnsName,
        /// How many additional iterations its NSEC3 records ask for.
        iterations: u16,
        /// How many we are willing to make.
        most: u16,
    },
    /// The configuration says that a part of the tree is not to be checked (RFC 7646).
    NegativeAnchor {
        /// Its topmost name.
        zone: DnsName,
    },
    /// Signatures were asked for, and nobody signs these (RFC 4035 2.2).
    SignaturesAsked {
        /// Of whom.
        name: DnsName,
    },
    /// The response is no answer.
    NoAnswer {
        /// What it says instead.
        code: ResponseCode,
    },
    /// There is no trust anchor at the name or above it.
    NoAnchor {
        /// The name.
        name: DnsName,
    },
    /// Records of a signed zone come without a signature.
    Unsigned {
        /// Whose records.
        name: DnsName,
        /// Their type.
        record_type: RecordType,
        /// The zone that should have signed them.
        zone: DnsName,
    },
    /// No signature of some records is good.
    BadSignature {
        /// Whose records.
        name: DnsName,
        /// Their type.
        record_type: RecordType,
        /// The zone that should have signed them.
        zone: DnsName,
        /// What is wrong with the signature that came nearest.
        fault: SignatureFault,
    },
    /// A signed zone says that there is nothing, and the proof does not show it.
    NotProved {
        /// What is said not to be there.
        name: DnsName,
        /// With which type.
        record_type: RecordType,
        /// The zone.
        zone: DnsName,
        /// What is missing.
        fault: DenialFault,
    },
    /// The response has the records, and says that they do not exist.
    Contradiction {
        /// Whose records.
        name: DnsName,
        /// Their type.
        record_type: RecordType,
        /// What the response says.
        code: ResponseCode,
    },
    /// None of a zone's keys is one that its parent, or the trust anchor, vouches for.
    NoSuchKey {
        /// The zone.
        zone: DnsName,
        /// The key tags vouched for.
        wanted: Vec<u16>,
        /// The key tags of the keys there are.
        found: Vec<u16>,
        /// Whether a trust anchor names them, not the parent.
        anchor: bool,
    },
    /// The key that is vouched for may not sign the zone's data (RFC 4034 2.1.1).
    NotAZoneKey {
        /// The zone.
        zone: DnsName,
        /// The key's tag.
        key_tag: u16,
    },
    /// The keys of a zone, or what its parent says of them, cannot be had.
    Unavailable {
        /// The zone.
        zone: DnsName,
        /// DNSKEY or DS.
        record_type: RecordType,
        /// Why not.
        why: String,
    },
    /// Checking has cost more than one answer may (CVE-2023-50387, CVE-2023-50868).
    ChecksExceeded {
        /// What was bounded.
        what: Check,
        /// How many are allowed.
        most: u32,
    },
}

/// What is wrong with a signature. The later ones came nearer to being good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignatureFault {
    /// RFC 4035 5.3.1: the signer must be the zone that the records are in.
    Signer {
        /// Who says to have signed.
        signer: DnsName,
    },
    /// RFC 4035 5.3.1: it claims more labels than the owner has.
    Labels {
        /// How many it claims.
        claimed: u8,
        /// How many there are.
        labels: usize,
    },
    /// An algorithm that we cannot check.
    Algorithm {
        /// Its number.
        algorithm: u8,
    },
    /// The zone has no such key.
    NoKey {
        /// The key's tag.
        key_tag: u16,
        /// Its algorithm.
        algorithm: u8,
    },
    /// RFC 5011 2.1: a revoked key signs nothing any more.
    Revoked {
        /// The key's tag.
        key_tag: u16,
    },
    /// The time it is good for has not begun.
    NotYetValid {
        /// The key's tag.
        key_tag: u16,
        /// When it begins, in seconds (RFC 4034 3.1.5).
        inception: u32,
        /// When it was looked at.
        now: u32,
    },
    /// The time it is good for is over.
    Expired {
        /// The key's tag.
        key_tag: u16,
        /// When it ended, in seconds (RFC 4034 3.1.5).
        expiration: u32,
        /// When it was looked at.
        now: u32,
    },
    /// It does not fit what was signed: one of the two has been changed.
    Mismatch {
        /// The key's tag.
        key_tag: u16,
        /// Its algorithm.
        algorithm: u8,
    },
}

/// What a proof that there is nothing lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialFault {
    /// There is no signed NSEC or NSEC3 record at all.
    None,
    /// Nothing shows that the name does not exist.
    NameNotCovered,
    /// Nothing shows that no wildcard stands for it (RFC 4035 5.4).
    WildcardNotCovered,
    /// The record about the name shows that the type is there.
    TypeExists,
    /// The record about the name shows that it is an alias.
    AliasExists,
    /// The record is of the other side of a zone cut (RFC 6840 4.1, 4.4).
    WrongSide,
    /// No NSEC3 record matches a name above, so that it is not shown how much of the name exists
    /// (RFC 5155 8.3).
    NoEncloser,
    /// What was made from a wildcard needs the proof that the name itself does not exist.
    WildcardUnjustified,
}

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Checks of signatures.
    Signatures,
    /// Checks of signatures that turned out wrong.
    WrongSignatures,
    /// Comparisons of keys with DS records.
    Digests,
    /// Rounds of hashing for NSEC3.
    HashRounds,
    /// Questions for DS and DNSKEY records.
    Fetches,
}

/// Who alone can help where signatures are wrong, and how.
pub(crate) const MEND: &str = "whoever runs the zone must mend its signatures";

impl Reason {
    /// What it makes of the answer.
    pub fn security(&self) -> Security {
        match self {
            Self::Signed { .. } => Security::Secure,
            Self::UnsignedZone { .. }
            | Self::OptOut { .. }
            | Self::UnknownAlgorithms { .. }
            | Self::UnknownDigests { .. }
            | Self::TooManyIterations { .. }
            | Self::NegativeAnchor { .. }
            | Self::SignaturesAsked { .. } => Security::Insecure,
            Self::NoAnchor { .. } | Self::NoAnswer { .. } => Security::Indeterminate,
            Self::Unsigned { .. }
            | Self::BadSignature { .. }
            | Self::NotProved { .. }
            | Self::Contradiction { .. }
            | Self::NoSuchKey { .. }
            | Self::NotAZoneKey { .. }
            | Self::Unavailable { .. }
            | Self::ChecksExceeded { .. } => Security::Bogus,
        }
    }

    /// What can be done about an answer that is bogus for it.
    pub(crate) fn cure(&self) -> &'static str {
        match self {
            Self::NoSuchKey { anchor: true, .. } => "trust a key that it has (--trust-anchor FILE)",
            Self::BadSignature { fault: SignatureFault::Expired { .. }, .. } => {
                "whoever runs the zone must sign it anew"
            }
            Self::BadSignature { fault: SignatureFault::NotYetValid { .. }, .. } => "is the clock right?",
            _ => MEND,
        }
    }

    /// The code that tells it to a client (RFC 8914 4); none where nothing is remarkable.
    pub fn extended_error(&self) -> Option<u16> {
        Some(match self {
            Self::Signed { .. } | Self::UnsignedZone { .. } | Self::OptOut { .. } => return None,
            Self::NegativeAnchor { .. } | Self::SignaturesAsked { .. } | Self::NoAnswer { .. } => {
                return None;
            }
            Self::UnknownAlgorithms { .. } => 1,
            Self::UnknownDigests { .. } => 2,
            Self::TooManyIterations { .. } => 27,
            Self::NoAnchor { .. } => 5,
            Self::Unsigned { .. } => 10,
            Self::BadSignature { fault, .. } => match fault {
                SignatureFault::Expired { .. } => 7,
                SignatureFault::NotYetValid { .. } => 8,
                SignatureFault::NoKey { .. } => 9,
                _ => 6,
            },
            Self::NotProved { fault: DenialFault::None, .. } => 12,
            Self::NotProved { fault: DenialFault::WildcardUnjustified, .. } => 12,
            Self::NotProved { .. } => 6,
            Self::NoSuchKey { .. } => 9,
            Self::NotAZoneKey { .. } => 11,
            Self::Unavailable { record_type: RecordType::Dnskey, .. } => 9,
            Self::Contradiction { .. } | Self::Unavailable { .. } | Self::ChecksExceeded { .. } => 6,
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed { anchor } => {
                write!(f, "every signature is good, from the trust anchor of {anchor} down")
            }
            Self::UnsignedZone { zone, parent } => {
                write!(f, "{zone} is not signed: {parent} proves that it has no DS record for it")
            }
            Self::OptOut { name, zone } => {
                write!(f, "{zone} leaves {name} out of its proofs (NSEC3 opt-out), so it may be unsigned")
            }
            Self::UnknownAlgorithms { zone, algorithms } => {
                let names = list(algorithms.iter().map(|number| AlgorithmName(*number)));
                write!(f, "{zone} is signed only with {names}, which cannot be checked here")
            }
            Self::UnknownDigests { zone, digests } => {
                let names = list(digests.iter().map(|number| DigestName(*number)));
                write!(
                    f,
                    "the keys of {zone} are vouched for only with {names}, which cannot be checked here"
                )
            }
            Self::TooManyIterations { zone, iterations, most } => write!(
                f,
                "{zone} asks for {iterations} rounds of hashing in its NSEC3 records, more than {most} (RFC 9276): \
                 whoever runs it should ask for 0"
            ),
            Self::NegativeAnchor { zone } => write!(f, "{zone} is not to be checked: so it is configured"),
            Self::SignaturesAsked { name } => {
                write!(f, "the signatures at {name} were asked for, and signatures are not signed themselves")
            }
            Self::NoAnswer { code } => write!(f, "the response is no answer: {code}"),
            Self::NoAnchor { name } => write!(f, "there is no trust anchor for {name} nor above it"),
            Self::Unsigned { name, record_type, zone } => {
                write!(f, "{name} {record_type} has no signature, though {zone} is signed")
            }
            Self::BadSignature { name, record_type, zone, fault } if name == zone => {
                write!(f, "{name} {record_type} is not validly signed: {fault}")
            }
            Self::BadSignature { name, record_type, zone, fault } => {
                write!(f, "{name} {record_type} is not validly signed by {zone}: {fault}")
            }
            Self::NotProved { name, record_type, zone, fault } => {
                write!(f, "{zone} does not prove what it says of {name} {record_type}: {fault}")
            }
            Self::Contradiction { name, record_type, code } => {
                write!(f, "the response holds {name} {record_type} and says {code} all the same")
            }
            Self::NoSuchKey { zone, wanted, found, anchor } => {
                let who = if *anchor { "the trust anchor" } else { "the DS record" };
                // RFC 4034 B: different keys may have the same tag.
                let alike = wanted.iter().any(|tag| found.contains(tag));
                let but = if alike { "but its digest is not of that one: " } else { "but " };
                let has = if found.is_empty() { "none".to_owned() } else { list(found.iter()) };
                write!(f, "{who} of {zone} names the key {}, {but}the zone has {has}", list(wanted.iter()))
            }
            Self::NotAZoneKey { zone, key_tag } => {
                write!(f, "the key {key_tag} of {zone} that the DS record names is not marked as a zone key")
            }
            Self::Unavailable { zone, record_type, why } => {
                write!(f, "the {record_type} records of {zone} cannot be had: {why}")
            }
            Self::ChecksExceeded { what, most } => {
                write!(f, "checking it would take more than {most} {what}: the answer is made to cost much")
            }
        }
    }
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signer { signer } => write!(f, "{signer} says to have signed it, and is not its zone"),
            Self::Labels { claimed, labels } => {
                write!(f, "the signature is for a name of {claimed} labels, and this one has {labels}")
            }
            Self::Algorithm { algorithm } => {
                write!(f, "it is signed with {}, which cannot be checked here", AlgorithmName(*algorithm))
            }
            Self::NoKey { key_tag, algorithm } => {
                write!(
                    f,
                    "it is signed with key {key_tag} ({}), which the zone has not",
                    AlgorithmName(*algorithm)
                )
            }
            Self::Revoked { key_tag } => write!(f, "it is signed with key {key_tag}, which is revoked"),
            Self::NotYetValid { key_tag, inception, now } => write!(
                f,
                "the signature of key {key_tag} begins on {}, and it is {}",
                Stamp(*inception),
                Stamp(*now)
            ),
            Self::Expired { key_tag, expiration, now } => write!(
                f,
                "the signature of key {key_tag} ended on {}, and it is {}",
                Stamp(*expiration),
                Stamp(*now)
            ),
            Self::Mismatch { key_tag, algorithm } => write!(
                f,
                "the signature of key {key_tag} ({}) does not fit: the records or it have been changed",
                AlgorithmName(*algorithm)
            ),
        }
    }
}

impl fmt::Display for DenialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "there is no signed NSEC or NSEC3 record",
            Self::NameNotCovered => "no NSEC or NSEC3 record shows that the name does not exist",
            Self::WildcardNotCovered => "no NSEC or NSEC3 record shows that no wildcard stands for it",
            Self::TypeExists => "the NSEC or NSEC3 record of the name shows that it has that type",
            Self::AliasExists => "the NSEC or NSEC3 record of the name shows that it is an alias",
            Self::WrongSide => "the NSEC or NSEC3 record is from the other side of a zone cut",
            Self::NoEncloser => "no NSEC3 record matches a name above it",
            Self::WildcardUnjustified => {
                "it was made from a wildcard, and nothing shows that the name itself does not exist"
            }
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signatures => "checks of signatures",
            Self::WrongSignatures => "checks of signatures that turn out wrong",
            Self::Digests => "comparisons of keys with DS records",
            Self::HashRounds => "rounds of hashing for NSEC3",
            Self::Fetches => "questions for keys",
        })
    }
}

fn list<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
