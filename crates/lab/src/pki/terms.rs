//! What servers order of the authorities, and what is wrong with it on purpose.

use std::collections::BTreeSet;

/// What is wrong with a server's certificate, its chain, or what is said about it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// It ended a month ago.
    Expired,
    /// It begins in a month.
    NotYetValid,
    /// It is for [`ANOTHER_NAME`].
    WrongName,
    /// Its root is none that the client trusts.
    UntrustedRoot,
    /// It vouches for itself.
    SelfSigned,
    /// It is shown without the intermediate.
    IncompleteChain,
    /// It has a common name and no other (RFC 9525 2: that is none).
    NoNames,
    /// It is for clients (RFC 5280 4.2.1.12).
    WrongPurpose,
    /// It has a critical extension that nobody knows (RFC 5280 4.2).
    UnknownExtension,
    /// A bit of its signature is flipped.
    BadSignature,
    /// Its authority may sign for other names alone (RFC 5280 4.2.1.10).
    NotPermitted,
    /// Its authority may sign for all names but these.
    Excluded,
    /// Its issuer is no authority (RFC 5280 4.2.1.9).
    NotACa,
    /// Its issuer is an authority below one that may have none below (RFC 5280 4.2.1.9).
    PathTooLong,
    /// Its issuer's key is not for signing certificates (RFC 5280 4.2.1.3).
    CaKeyUsage,
    /// Its issuer's certificate is signed with SHA-1.
    Sha1,
    /// It is on its authority's list. The responder's answer is of the day before, and knows nothing yet.
    Revoked,
    /// Its authority's responder says so. The list is of the day before, and knows nothing yet.
    RevokedByOcsp,
    /// The list that it names has ended.
    CrlStale,
    /// Where it says that its list is nobody listens.
    CrlDown,
    /// The list that it names is signed with another key than its authority's.
    CrlForged,
    /// What the responder says of it has ended.
    OcspStale,
    /// Where it says that its responder is nobody listens.
    OcspDown,
    /// What is said of it is signed by a stranger.
    OcspForged,
    /// The responder does not know it.
    OcspUnknown,
    /// The responder has no time.
    OcspTryLater,
    /// It says that an OCSP answer comes with it (RFC 7633), and none does.
    StapleMissing,
    /// The OCSP answer that comes with it has ended.
    StapleStale,
    /// The OCSP answer that comes with it is about another certificate.
    StapleOfAnother,
    /// The OCSP answer that comes with it says that it is revoked.
    StapleRevoked,
}

/// The name in a certificate that is for another name than it should be.
pub const ANOTHER_NAME: &str = "somebody-else.test";

/// What the key of a certificate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    /// Ed25519 in a world of a seed, ECDSA P-256 where real peers may be.
    #[default]
    Usual,
    /// ECDSA P-256.
    P256,
    /// ECDSA P-384.
    P384,
    /// RSA of 1024 bits, which is too weak.
    Rsa1024,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// A certificate that a server wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The names in it; the first is its subject's common name, too.
    pub names: Vec<String>,
    /// What is to be wrong with it.
    pub flaw: Option<Flaw>,
    /// Its key.
    pub key: KeyKind,
    /// It says that an OCSP answer comes with it (RFC 7633 4.2.3.1).
    pub must_staple: bool,
    /// An OCSP answer comes with it (RFC 6066 8).
    pub staple: bool,
    /// Who signs it, if nothing is wrong with it.
    pub by: Issuers,
}

/// Authorities whose good certificates differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Issuers {
    /// The issuing authority below the root.
    #[default]
    Issuing,
    /// The one that may sign for `permitted.badssl.test` alone, where that name is.
    Constrained,
    /// The one that two roots vouch for, one of which nobody trusts. Both of its certificates are shown, the
    /// useless one first.
    CrossSigned,
}

impl Order {
    /// A good certificate for these names.
    pub fn good(names: &[&str]) -> Self {
        Self { names: names.iter().map(|&name| name.to_owned()).collect(), ..Self::default() }
    }

    /// With this flaw.
    #[must_use]
    pub fn with(self, flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..self }
    }
}

/// How the authorities differ from the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PkiTerms {
    /// When the intermediate's certificate is good.
    pub intermediate: Validity,
    /// The root has taken the intermediate's certificate back: its list and its responder say so.
    pub revoke_intermediate: bool,
    /// Servers show their own certificate alone, as when somebody forgets to install the intermediate.
    pub omit_intermediate: bool,
    /// Names whose certificates the intermediate has taken back: its list and its responder say so.
    pub revoke: BTreeSet<String>,
    /// Names whose certificates are wrong.
    pub flaws: Vec<(String, Flaw)>,
}

/// When a certificate is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// Now.
    #[default]
    Current,
    /// Until a month ago.
    Expired,
    /// In a month.
    NotYetValid,
}
