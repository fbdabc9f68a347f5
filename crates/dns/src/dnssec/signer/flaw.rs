//! Mistakes made on purpose, for lessons and tests: each makes an answer bogus for a reason of its own.

use crate::name::DnsName;
use crate::record::{RecordType, Rrsig};

/// A day, in seconds.
const DAY: u32 = 24 * 3600;

/// What is wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There is none.
    Missing,
    /// It does not fit the records.
    Forged,
    /// It has ended the day before signatures began to hold.
    Expired,
    /// It begins the day after they cease to.
    NotYetValid,
    /// The zone has no such key.
    UnknownKey,
    /// Nobody knows its algorithm.
    UnknownAlgorithm,
    /// It claims to be another zone's: that above.
    ForeignSigner,
}

/// Where a mistake is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlawAt {
    /// The mistake.
    pub flaw: Flaw,
    /// With whose records; with all if none is given.
    pub name: Option<DnsName>,
    /// With records of which type; with all if none is given.
    pub record_type: Option<RecordType>,
}

impl FlawAt {
    pub(super) fn fits(&self, name: &DnsName, record_type: RecordType) -> bool {
        self.name.as_ref().is_none_or(|wanted| wanted == name)
            && self.record_type.is_none_or(|wanted| wanted == record_type)
    }
}

impl Flaw {
    /// What is done before the signature is made.
    pub(super) fn before(self, rrsig: &mut Rrsig) {
        match self {
            Self::Expired => {
                rrsig.expiration = rrsig.inception.wrapping_sub(DAY);
                rrsig.inception = rrsig.expiration.wrapping_sub(DAY);
            }
            Self::NotYetValid => {
                rrsig.inception = rrsig.expiration.wrapping_add(DAY);
                rrsig.expiration = rrsig.inception.wrapping_add(DAY);
            }
            Self::UnknownKey => rrsig.key_tag ^= 0x5555,
            Self::UnknownAlgorithm => rrsig.algorithm = 250,
            Self::ForeignSigner => rrsig.signer = rrsig.signer.parent().unwrap_or_else(DnsName::root),
            Self::Missing | Self::Forged => {}
        }
    }

    /// What is done to the signature.
    pub(super) fn after(self, rrsig: &mut Rrsig) {
        if self == Self::Forged
            && let Some(byte) = rrsig.signature.first_mut()
        {
            *byte = !*byte;
        }
    }
}
