//! Whole networks as data: a file in TOML, or the same words in Rust.
//!
//! ```text
//!   TOML --parse--> Topology --build--> nodes and cables in a SimWorld, and a Network to find them by name
//!                      |
//!                      +--> to_toml
//! ```
//!
//! ```
//! use glasstack_sim::{SimWorld, topology::Topology};
//! use glasstack_stack::{PingOptions, World};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let topology = Topology::parse(r#"
//!     [host.client]
//!     address = "192.168.1.10/24"
//!     gateway = "192.168.1.1"
//!
//!     [router.home]
//!     ports = [{ address = "192.168.1.1/24" }, { address = "203.0.113.1/24" }]
//!
//!     [host.server]
//!     address = "203.0.113.80/24"
//!     gateway = "203.0.113.1"
//!
//!     [[cable]]
//!     between = ["client", "home:0"]
//!
//!     [[cable]]
//!     between = ["home:1", "server"]
//!     latency = "20ms"
//!     rate = "10Mbit/s"
//! "#)?;
//! let mut world = SimWorld::new(1);
//! let network = topology.build(&mut world)?;
//! let client = network.host("client").ok_or("no client")?.clone();
//! world.run(client.ping("203.0.113.80".parse()?, &PingOptions::default()))??;
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: `model`, `router`, `service` and `cable` (the parts), `words` (how values are written),
//! `parse` with `vocabulary` (which keys there are), `wiring` and `check` (what must hold) and `problem`
//! (how it is told), `mac`, `build`.

mod build;
mod cable;
mod check;
mod draw;
mod mac;
mod model;
mod parse;
mod problem;
mod router;
mod service;
mod vocabulary;
mod wiring;
mod words;

pub use build::{BuildError, CableName, Network};
pub use cable::{BurstsSpec, CableSpec, LaneSpec};
pub use model::{HostSpec, SwitchSpec, Topology};
pub use problem::{BadTopology, Problem, as_seen, excerpt};
pub use router::{ErrorRate, FilterSpec, NatSpec, PortSpec, RouterSpec, TimeoutsSpec};
pub use service::{DhcpSpec, RipSpec, RipTimersSpec};
pub use words::{BadWord, Cidr, End, HostAddress, Rate, RouteSpec, Share};
