//! One host in user space: what a kernel does between a program and a network card.
//!
//! ```text
//!   program          Host  TcpStream  TcpListener  UdpSocket      (async; any thread)
//!   ----------------------------------------------------------------------------------
//!                      |  one Core behind a lock
//!                 +----+-----------------------------------------------+
//!   demultiplexer |  4-tuple -> Flow (its own smoltcp interface)       |
//!                 |  port    -> UDP endpoint     front: ARP, ICMP, RST |
//!                 |  Neighbours (ARP)  RouteTable  reassembly          |
//!                 +----+-----------------------------------------------+
//!   ----------------------------------------------------------------------------------
//!   world           Runner::poll(now) -> next deadline       (one thread: a World's)
//!                      |
//!                   FrameDevice                    (TAP, TUN, a port on a virtual wire)
//! ```
//!
//! Read in this order: [`environment`] (time, chance and the journal are inputs), [`device`],
//! [`host`] (what programs touch), [`tcp`], [`udp`], [`ping`], [`probe`], [`dhcp`] (where its address comes
//! from), [`runner`] (what the world touches),
//! then what is inside: the demultiplexer and its parts.
//!
//! smoltcp stays inside: no public item of this crate names one of its types.

pub mod checksum;
pub mod config;
pub mod device;
pub mod dhcp;
pub mod environment;
pub mod error;
pub mod executor;
mod fragment;
pub mod host;
mod icmp_error;
mod ingress;
mod inner;
pub mod ping;
pub mod probe;
mod reassembly;
pub mod route;
pub mod runner;
pub mod tcp;
pub mod transit;
pub mod udp;
mod why;
pub mod world;

pub use config::{Addressing, ArpConfig, ConnectOptions, Counters, FlowInfo, HostConfig, TcpConfig};
pub use device::{DeviceError, Frame, FrameDevice};
pub use dhcp::{DhcpError, DhcpOptions, Lease};
pub use environment::{Entropy, Environment};
pub use error::{
    BindError, ConfigError, ConnectError, ListenError, PingError, ProbeError, TcpError, UdpError,
};
pub use executor::{Executor, Sleep, give_way};
pub use host::{Elapsed, Host};
pub use inner::rate::TokenBucket;
pub use ping::{PingOptions, PingReply};
pub use probe::{ProbeAnswer, ProbeKind, ProbeOptions, ProbeReply, Unreachability};
pub use reassembly::Reassembly;
pub use route::{NoRoute, Prefix, Route, RouteDecision, RouteTable};
pub use runner::Runner;
pub use tcp::{TcpListener, TcpStream};
pub use transit::{Knock, Passing, PassingDatagram, PassingEcho, Transit, TransitError, Unreachable};
pub use udp::UdpSocket;
pub use world::World;

pub use glasstack_journal as journal;
