//! DHCP (RFC 2131): how a host without an address gets one.
//!
//! ```text
//!   client                        server
//!     | DHCPDISCOVER  who has an address for me?   -> everybody
//!     |                  this one, if you like    DHCPOFFER |
//!     | DHCPREQUEST   that one, of that server     -> everybody
//!     |              yours, for so many seconds     DHCPACK |
//! ```
//!
//! [`message`] is what stands in a datagram; [`client`] decides what a client asks, [`server`] what
//! a server answers. None of them touches a socket or a clock: datagrams and times are given in,
//! what is to be done comes out. [`Host::dhcp`](crate::Host::dhcp) and [`serve`] do it on a host.

pub mod client;
mod driver;
pub mod lease;
pub mod message;
pub mod server;
mod service;

pub use client::{Action, Client, ClientConfig, Rejection};
pub use lease::{DhcpError, DhcpOptions, Lease};
pub use message::{BadMessage, Kind, Message};
pub use server::{Answer, Server, ServerConfig};
pub use service::serve;

/// Where servers listen (RFC 2131 4.1).
pub const SERVER_PORT: u16 = 67;
/// Where clients listen.
pub const CLIENT_PORT: u16 = 68;
