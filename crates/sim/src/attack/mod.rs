//! Nodes that mean harm, for worlds in memory alone: each says so by
//! [`Node::is_attacker`](crate::Node::is_attacker), and a world with a gate to a real network refuses it.
//!
//! ```text
//!   on the link     ArpSpoofer            answers for others; forwarding, a man in the middle
//!                   Volley::answers       DNS answers into the blue: port and id have to be guessed
//!                   Volley::resets        RSTs into the blue: port and sequence number likewise
//!                   Volley::redirects     ICMP: "a better way is through me"
//!                   Volley::syn_flood     connections that nobody will ever use
//!   on the path     ResetInjector         sees the segments and ends their connection
//! ```
//!
//! Read in this order: [`forge`] (frames made by hand), `station` (a card), then one file an attack.

mod arp;
pub mod forge;
mod injector;
mod station;
mod volley;

pub use arp::ArpSpoofer;
pub use injector::{Aim, ResetInjector};
pub use station::Sent;
pub use volley::{Pace, Volley};
