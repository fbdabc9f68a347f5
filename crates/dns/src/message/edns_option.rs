//! Options of EDNS that are not extended errors (RFC 6891 6.1.2), as they stand on the wire.

/// An option of an OPT record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdnsOption {
    /// The OPTION-CODE.
    pub code: u16,
    /// The OPTION-DATA.
    pub data: Vec<u8>,
}

impl EdnsOption {
    /// Who answers, by a name of its own (RFC 5001).
    pub const NSID: u16 = 3;
    /// Proof that who asks has the address that it asks from (RFC 7873).
    pub const COOKIE: u16 = 10;
    /// How long a connection may be unused (RFC 7828).
    pub const TCP_KEEPALIVE: u16 = 11;
}
