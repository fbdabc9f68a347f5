//! Names to addresses: messages, a stub resolver with cache and hosts file, the walk down from the root,
//! and name servers, authoritative and recursive.
//!
//! ```text
//!   "www.example.test" -> Resolver                 Recursor <- clients        zones -> Zones
//!      known_here   is it an address?                 |                           |
//!         |         overrides, hosts file             |                           |
//!         +---------- knowledge ----------------------+                           |
//!           memory    one ranked cache: answers, referrals, that there is nothing |
//!           dnssec    is it what the zone's owner signed?                         |
//!           stub      rounds over configured servers     }  asking             server
//!           iterate   from the root to the authority     }     |                  |
//!                                           upstream: exchange +--- UDP, TCP -----+
//! ```
//!
//! Read in this order: [`name`] and [`record`] (the vocabulary), [`message`] (what goes over the
//! wire), [`resolver`] (the order of a lookup) with [`config`], [`hosts_file`], [`resolv_conf`] and [`error`];
//! then what it is made of: `knowledge`, `following` and `finding` (validation, aliases, what is found), [`cache`] and
//! `memory` (what is remembered, and how far it is believed), `local_zones` (what nobody else is asked about), `stub`
//! and `rounds` (whom to ask next, and why), `asking` and [`infrastructure`] (EDNS or not, UDP or TCP, how fast),
//! [`upstream`], `exchange` and `matching` (whether an answer is one), `response` (what came, as sets of records),
//! `answer` (what it means). [`hints`] and [`iterate`] walk down from the root, [`dnssec`] up to a trust anchor. [`zone`]
//! and [`zonefile`] are what an authority knows; [`server`] is the other end, and [`recursive`] both.

pub mod address_range;
mod answer;
mod asking;
pub mod cache;
pub mod config;
pub mod dnssec;
pub mod error;
mod exchange;
mod finding;
mod following;
mod framing;
pub mod hints;
pub mod hosts_file;
pub mod infrastructure;
pub mod iterate;
mod knowledge;
mod known_here;
mod local_zones;
mod lookup;
mod matching;
mod memory;
pub mod message;
pub mod name;
mod open_span;
pub mod record;
pub mod recursive;
pub mod resolv_conf;
pub mod resolver;
mod response;
mod rounds;
pub mod server;
mod stub;
pub mod upstream;
pub mod zone;
pub mod zonefile;

pub use address_range::AddressRange;
pub use config::{Iterating, Override, ResolverConfig};
pub use error::ResolveError;
pub use hints::RootHints;
pub use hosts_file::HostsFile;
pub use iterate::{IterateConfig, LocalZones, Minimisation, ServeStale, ZoneElsewhere};
pub use lookup::Lookup;
pub use message::{Message, Question, ResponseCode};
pub use name::DnsName;
pub use record::{Record, RecordData, RecordType};
pub use recursive::{Recursor, RecursorConfig, serve_recursive};
pub use resolv_conf::ResolvConf;
pub use resolver::Resolver;
pub use server::{Asked, Authority, NameServer, Reply, ServeOptions, Zones, serve, serve_with};
pub use upstream::{NoAnswer, Query, Sockets, Upstream};
pub use zone::{Zone, ZoneError};
pub use zonefile::{BadZoneFile, ZoneFileOptions};
