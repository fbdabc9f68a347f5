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
//! [`router`], [`probe`], [`view`] (how a frame is looked at), [`clock`] and [`entropy`] (time and chance as inputs).
//!
//! Same seed, same program: the same bytes at the same instants. Nothing here asks the operating
//! system for anything.

pub mod cable;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod fault;
mod flight;
pub mod nic;
pub mod node;
pub mod probe;
pub mod router;
pub mod switch;
pub mod view;
pub mod world;

pub use cable::{Cable, CableHandle, Lane, QueueLimit, Way};
pub use clock::{DEFAULT_EPOCH, SimClock};
pub use entropy::{Rng, SeededEntropy};
pub use error::{SimError, TopologyError};
pub use fault::{Fault, Pick, Verdict};
pub use nic::SimNic;
pub use node::{Node, NodeContext, Plug, WireFrame};
pub use probe::Probe;
pub use router::RouterConfig;
pub use switch::Switch;
pub use view::FrameView;
pub use world::{SimWorld, SimWorldBuilder};
