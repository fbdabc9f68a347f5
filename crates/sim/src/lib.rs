//! The virtual network: hosts of our own on cables of our own, under a clock that jumps from event
//! to event. It carries frames and knows nothing of names or requests.
//!
//! ```text
//!    Host        Host                       what programs touch (glasstack-stack)
//!   ---+-----------+-------------------------------------------------------------
//!    SimNic      SimNic    Switch   Router   Probe         nodes: things with ports
//!      |           |         | |      | |      |
//!      +-- Cable --+--- ... -+ +------+ +------+           latency, rate, queue, faults
//!   ------------------------------------------------------------------------------
//!    SimWorld: SimClock, SeededEntropy, Executor, Journal, Flights
//! ```
//!
//! Read in this order: [`world`] (what happens at one instant, and the jump to the next), [`node`]
//! (things with ports), [`nic`] (a host as a node), [`cable`], [`fault`] (one file each), [`switch`],
//! [`router`], [`probe`], [`gate`], [`view`] (how a frame is looked at), [`clock`] and [`entropy`] (time and
//! chance as inputs), [`topology`] (whole networks as files, and drawn).
//!
//! Two hosts, a cable that loses the first SYN, and what happens:
//!
//! ```
//! use futures_util::AsyncReadExt;
//! use glasstack_journal::{event::MacAddress, journal::Recorder};
//! use glasstack_sim::{Cable, SimWorld, fault};
//! use glasstack_stack::{HostConfig, World};
//! use glasstack_views::{LadderOptions, Layer, ladder};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let client = HostConfig::new("client", MacAddress([2, 0, 0, 0, 0, 1]), "10.0.0.1".parse()?, 24, None)?;
//! # let server = HostConfig::new("server", MacAddress([2, 0, 0, 0, 0, 2]), "10.0.0.2".parse()?, 24, None)?;
//! let recorder = Recorder::new();
//! let mut world = SimWorld::builder(7).observe(recorder.clone()).build();
//! let (client, server) = (world.add_host(client)?, world.add_host(server)?);
//! world.connect(&client, &server, Cable::new().fault(fault::drop_first_syn()))?;
//! let listener = server.listen("10.0.0.2:80".parse()?)?;
//! server.spawn(async move { drop(listener.accept().await) });
//! world.run(async {
//!     let mut stream = client.connect("10.0.0.2:80".parse()?).await?;
//!     stream.read_to_end(&mut Vec::new()).await?;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })??;
//! let tcp = LadderOptions { local: false, ..LadderOptions::only(&[Layer::Tcp]) };
//! assert_eq!(ladder(&recorder.records(), &tcp).lines().map(str::trim).collect::<Vec<_>>(), [
//!     "0.002000 client -> server  TCP SYN   x lost: drop_first_syn",
//!     "1.002000 client -> server  TCP SYN",
//!     "1.003000 server -> client  TCP SYN ACK",
//!     "1.004000 client -> server  TCP ACK",
//!     "1.005000 server -> client  TCP FIN ACK",
//!     "1.006000 client -> server  TCP ACK",
//! ]);
//! # Ok(())
//! # }
//! ```
//!
//! Same seed, same program: the same bytes at the same instants. Nothing here asks the operating
//! system for anything.

mod arp;
pub mod attack;
pub mod cable;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod fault;
mod flight;
pub mod gate;
pub mod nic;
pub mod node;
pub mod probe;
pub mod router;
mod schedule;
pub mod switch;
pub mod topology;
pub mod view;
pub mod world;

pub use cable::{Cable, CableHandle, Lane, Queue};
pub use clock::{DEFAULT_EPOCH, SimClock};
pub use entropy::{Rng, SeededEntropy};
pub use error::{SimError, TopologyError};
pub use fault::{Fault, Pick, Verdict};
pub use flight::Way;
pub use gate::Gate;
pub use nic::SimNic;
pub use node::{Node, NodeContext, Plug, WireFrame};
pub use probe::Probe;
pub use router::{DhcpConfig, Filter, Forward, NatConfig, RipConfig, RipTimers, RouterConfig};
pub use schedule::NodeBell;
pub use switch::{Switch, Vlan};
pub use view::FrameView;
pub use world::{SimWorld, SimWorldBuilder};
