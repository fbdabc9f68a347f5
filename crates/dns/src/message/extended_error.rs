//! Extended errors (RFC 8914): why an answer is what it is.

/// An extended error, an option of EDNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// The INFO-CODE (RFC 8914 4).
    pub code: u16,
    /// The EXTRA-TEXT: more of it in words; often empty.
    pub text: String,
}
