//! Whether a list or an answer was signed by a key, in words.

use crate::der::{Algorithms, Held, KeyInfo, Signed};

impl Signed<'_> {
    /// By the key of this SubjectPublicKeyInfo.
    pub(crate) fn verify(&self, key_info: &[u8], algorithms: Algorithms<'_>) -> Result<(), &'static str> {
        const UNREADABLE: &str = "cannot be verified: its issuer's key cannot be read";
        let key = KeyInfo::read(key_info).map_err(|_| UNREADABLE)?;
        match self.held(&key, algorithms) {
            Held::Yes => Ok(()),
            Held::No => Err("was not signed by the issuer's key: a forgery, or another key of the same name"),
            Held::OtherKey => Err("was not signed by the issuer's key, which is of another kind"),
            Held::UnknownAlgorithm => {
                Err("is signed by an algorithm that is not accepted here, such as one with SHA-1")
            }
        }
    }
}
