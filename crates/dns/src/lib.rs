//! Names to addresses: messages, a stub resolver with cache and hosts file, and a plain name server.
//!
//! ```text
//!   "www.example.test" -> Resolver                                       zones -> Authority
//!      known_here   is it an address? overrides, hosts file                         |
//!      cache        positive and negative, by the world's clock                 server
//!      stub         rounds over the servers, EDNS, TCP after truncation             |
//!      exchange     one question: id, port, matching  -------- UDP, TCP ------------+
//! ```
//!
//! Read in this order: [`name`] and [`record`] (the vocabulary), [`message`] (what goes over the
//! wire; the only module that knows hickory-proto), [`resolver`] (the order of a lookup) with
//! [`config`], [`hosts_file`], [`resolv_conf`], [`cache`] and [`error`]; then what it is made of:
//! `stub` and `rounds` (whom to ask next, and why), `exchange` and `matching` (whether an answer is
//! one), `answer` (what it means). [`server`] is the other end.

mod answer;
mod asking;
pub mod cache;
pub mod config;
pub mod error;
mod exchange;
mod framing;
pub mod hints;
pub mod hosts_file;
pub mod iterate;
mod knowledge;
mod known_here;
mod lookup;
mod matching;
pub mod message;
pub mod name;
mod open_span;
pub mod record;
pub mod recursive;
pub mod resolv_conf;
pub mod resolver;
mod rounds;
pub mod server;
mod stub;

pub use config::{Override, ResolverConfig};
pub use error::ResolveError;
pub use hints::RootHints;
pub use hosts_file::HostsFile;
pub use iterate::IterateConfig;
pub use lookup::Lookup;
pub use message::{Message, Question, ResponseCode};
pub use name::DnsName;
pub use record::{Record, RecordData, RecordType};
pub use recursive::{Recursor, RecursorConfig, serve_recursive};
pub use resolv_conf::ResolvConf;
pub use resolver::Resolver;
pub use server::{Asked, Authority, NameServer, Reply, Zone, Zones, serve};
