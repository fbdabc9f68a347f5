//! The miniature Internet: every name under `.test`, on a virtual wire inside the process.
//!
//! ```text
//!   client --+                        resolver
//!            +-- home-switch -- home --- access --- exchange --- hosting -- dc-switch -- web, odd, silent, ...
//!   laptop --+                 (NAT)                   |
//!                                                   core-eu ------ core-us -- a to h, com, org, arpa, us-switch
//!                                          i, k, test-tld  \\        /
//!                                                         core-asia -- j, l, m, far
//! ```
//!
//! `.test` belongs to nobody (RFC 6761 6.2), the addresses are for documentation (RFC 5737), and the
//! certificates come from the lab's own root. Same seed, same bytes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use glasstack_lab::Lab;
//! use glasstack_stack::{PingOptions, World};
//!
//! let mut lab = Lab::new(1)?;
//! let client = lab.client.clone();
//! let reply = lab.world.run(client.ping(glasstack_lab::plan::GATEWAY.into(), &PingOptions::default()))??;
//! assert_eq!(reply.from, std::net::IpAddr::from(glasstack_lab::plan::GATEWAY));
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: [`internet`] (the whole, as a program uses it), [`plan`] (who is where),
//! [`sites`] (the names, one row each), [`pages`] (what the well-behaved answer), then `web_server`
//! and `odd_server` (who answers), [`pki`] (certificates), `names` (what the name server knows), and [`fault`] (what goes wrong
//! on demand).

mod ca_server;
mod echo_server;
pub mod fault;
pub mod internet;
mod odd_server;
pub mod pages;
pub mod pki;
pub mod plan;
pub mod run;
pub mod serve;
pub mod sites;
mod web_server;
mod zones;

pub use fault::{BadFault, FaultSpec};
pub use internet::{Lab, LabBuilder, LabError};
pub use pki::{Flaw, Pki, PkiError, PkiTerms, Validity};
pub use sites::{SITES, Site};
