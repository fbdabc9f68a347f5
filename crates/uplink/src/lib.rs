//! The operating system's network: TAP, TUN, netlink and the mio world.
//!
//! This is the only library of the project that asks the operating system for anything: frames,
//! time, randomness, signals.
//!
//! ```text
//!                     program: async fns over Host, TcpStream, ...
//!   -----------------------------------------------------------------------------
//!    TapWorld   executor <- Bell <- wakers (any thread)
//!               runner of each host      OsClock   OsEntropy   Signals
//!                  |  one mio loop: frames, timers, bell, signals
//!               TapDevice                          (configured through Netlink)
//!   ------------- | /dev/net/tun --------------------------------------------------
//!    kernel     glass0  10.71.83.1/24  <- we are 10.71.83.2 on this link, it is our gateway
//! ```
//!
//! Read in this order: [`addressing`] (who has which address on the link), [`tap`] (opening and
//! configuring the device, frames in and out), [`netlink`] (what the kernel knows of it),
//! [`world`] (the loop, which the `bell` wakes), [`thread`] (the loop on a thread of its own), then its inputs: [`clock`],
//! [`entropy`], [`signals`]. A network without a device: [`wire`], and on it [`user`], whose gateway
//! carries on over the machine's own sockets, which [`reactor`] puts into the loop. For other
//! people's programs and tests: [`blocking`] (connections as in `std::net`), [`netns`] (a private
//! network).
//!
//! ```no_run
//! use glasstack_stack::{PingOptions, World};
//! use glasstack_uplink::{Addressing, TapConfig, TapDevice, TapWorld};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = TapDevice::open(&TapConfig::default())?;
//! let addressing = Addressing::choose(device.host_side(), None, None)?;
//! let mut world = TapWorld::new()?;
//! let host = world.add_host(addressing.host_config("me")?, device)?;
//! let reply = world.run(host.ping("10.71.83.1".parse()?, &PingOptions::default()))??;
//! println!("{reply:?}");
//! # Ok(()) }
//! ```

pub mod addressing;
mod bell;
pub mod blocking;
pub mod clock;
pub mod entropy;
pub mod netlink;
pub mod netns;
mod os;
pub mod reactor;
pub mod signals;
pub mod tap;
pub mod thread;
pub mod user;
pub mod wire;
pub mod world;

pub use addressing::{Addressing, AddressingError, InterfaceAddress};
pub use clock::OsClock;
pub use entropy::OsEntropy;
pub use netlink::{LinkState, Netlink, NetlinkError};
pub use netns::{NetNs, NetNsError};
pub use reactor::Reactor;
pub use signals::Signal;
pub use tap::{DeviceCounters, Mode, OpenError, TapConfig, TapDevice};
pub use thread::WorldThread;
pub use user::{ServeOnError, UserNet, UserNetConfig, UserNetError};
pub use wire::WireEnd;
pub use world::{AddHostError, Guest, TapWorld, WorldError};
