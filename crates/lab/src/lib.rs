//! The miniature Internet: homes, providers, continents, name servers from the root down, and web
//! sites, on virtual wires inside the process.
//!
//! ```text
//!   client --+                        resolver
//!            +-- home-switch -- home --- access --- exchange --- hosting -- dc-switch -- web, odd, ca, ...
//!   laptop --+             (NAT, DHCP)                 |
//!                                                   core-eu ----- core-us -- a to h, com, org, arpa, us-web
//!                                     i, k, test-tld   |         /
//!                                                      |  (RIP) /
//!                                                   core-asia -+-- j, l, m, far
//! ```
//!
//! That is the topology [`plan::INTERNET`], unless [`LabBuilder::topology`] brings another; what each host
//! serves is said there in a few [words](serve). `.test` belongs to nobody (RFC 6761 6.2), the
//! addresses are for documentation and laboratories (RFC 5737, RFC 2544) or those that the root servers
//! really have, and the certificates come from the lab's own root. Same seed, same bytes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use glasstack_dns::{Resolver, ResolverConfig};
//! use glasstack_lab::{Lab, plan};
//! use glasstack_stack::World;
//!
//! let mut lab = Lab::new(1)?;
//! // The client asks the resolver, the resolver a root server, one of test's, and one of example.test's.
//! let config = ResolverConfig { servers: vec![lab.name_server], ..ResolverConfig::default() };
//! let resolver = Resolver::new(lab.client.clone(), config);
//! let found = lab.world.run(resolver.resolve("www.example.test"))??;
//! assert_eq!(found.addresses, [plan::WEB]);
//! # Ok(())
//! # }
//! ```
//!
//! A network of one's own needs no roots: a `resolver` without them knows every name itself.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use glasstack_lab::Lab;
//! use glasstack_sim::topology::Topology;
//!
//! let lab = Lab::builder(1).topology(Topology::parse(r#"
//!     [host.client]
//!     address = "10.0.0.1/24"
//!
//!     [host.shop]
//!     address = "10.0.0.2/24"
//!     names = ["www.shop.test"]
//!     serve = ["web", "resolver"]
//!
//!     [[cable]]
//!     between = ["client", "shop"]
//!     latency = "5ms"
//! "#)?).build()?;
//! assert_eq!(lab.name_server.to_string(), "10.0.0.2:53");
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: [`internet`] (the whole, as a program uses it), [`plan`] (who is where),
//! [`serve`] (what runs on whom), `zones` (what the name servers know), [`sites`] (the names that the web
//! servers know, one row each), [`pages`] (what the well-behaved answer), then `web_server`, `odd_server`,
//! `ca_server` and `echo_server` (who answers), [`pki`] (certificates), [`fault`] (what goes wrong on
//! demand) and [`run`] (the whole as a small file).

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
mod shelf;
mod signing;
pub mod sites;
mod web_server;
mod zones;

pub use fault::{BadFault, FaultSpec};
pub use internet::{Lab, LabBuilder, LabError};
pub use pki::{Flaw, Pki, PkiError, PkiTerms, Validity};
pub use sites::{SITES, Site};
