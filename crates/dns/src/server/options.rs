//! How a server goes about it.

use super::access::{Access, AccessList};
use super::limits::{ClientLimits, ResponseRateLimit};
use crate::message::UDP_PAYLOAD;

/// How a server goes about it. By default everybody may ask and nobody may have a whole zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Who may ask.
    pub access: AccessList,
    /// Who may have a zone as a whole (AXFR): whoever it allows.
    pub transfers: AccessList,
    /// What a client may take.
    pub limits: ClientLimits,
    /// How often the same may be told to the same network. No limit.
    pub rate_limit: Option<ResponseRateLimit>,
    /// The largest response over UDP, in bytes, and what the server says it takes in itself. 1232.
    pub udp_payload: u16,
    /// Whether clients with EDNS are told why they get what they get (RFC 8914; unbound's `ede`). Yes.
    pub extended_errors: bool,
    /// What `id.server` and `hostname.bind` are told (RFC 4892). Nothing.
    pub identity: Option<String>,
    /// What clients are told who ask which server this is, among many with one address (NSID, RFC 5001). Nothing.
    pub nsid: Option<String>,
    /// What `version.server` and `version.bind` are told. Nothing.
    pub version: Option<String>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            access: AccessList::everybody(),
            transfers: AccessList::new(Access::Refuse),
            limits: ClientLimits::default(),
            rate_limit: None,
            udp_payload: UDP_PAYLOAD,
            extended_errors: true,
            identity: None,
            nsid: None,
            version: None,
        }
    }
}
