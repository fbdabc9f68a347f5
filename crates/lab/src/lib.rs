//! The miniature Internet: every name under `.test`, on a virtual wire inside the process.
//!
//! ```text
//!   client ------+                                     +------ web        the sites
//!   192.0.2.2    |                                     |       198.51.100.80
//!             [switch] ---- gateway ---- [backbone] ---+------ odd        servers that misbehave
//!                |     192.0.2.1  198.51.100.1         |       198.51.100.66
//!   names -------+                                     +------ silent     never answers
//!   192.0.2.53                                                 198.51.100.70
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

pub mod fault;
pub mod internet;
mod names;
mod odd_server;
pub mod pages;
pub mod pki;
pub mod plan;
pub mod run;
pub mod sites;
mod web_server;

pub use fault::{BadFault, FaultSpec};
pub use internet::{Lab, LabBuilder, LabError};
pub use pki::{Flaw, Pki, PkiError, PkiTerms, Validity};
pub use sites::{SITES, Site};
