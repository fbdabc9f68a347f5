//! glasstack: a see-through network stack in user space.
//!
//! One process owns every layer of a web request, from the ARP question to the last ACK, over a
//! Linux TUN/TAP device or over a virtual wire inside the process. Because it owns every layer it
//! can say why each byte was sent.
//!
//! ```text
//!    cli, your program
//!          |
//!        web          the address bar, the connector, the fetch
//!     /   |   \
//!   dns  tls  http    three neighbours that never see each other
//!     \   |   /
//!       stack         one host: routes, ARP, TCP, UDP, ICMP
//!     /       \
//!  uplink     sim     a TAP or TUN; a virtual wire under a virtual clock    (lab: a whole Internet on it)
//!     \       /
//!      journal -----> views     what happened, and what people look at
//! ```
//!
//! This crate gives all of them one name; each module is a crate of its own, to be read in this
//! order: [`journal`], [`stack`], [`dns`], [`tls`], [`http`], [`web`], then the two worlds that a
//! stack may live in, `sim` and `uplink`, then `lab` and `views`. Two modules of `uplink` have a second
//! name here: `blocking`, for programs that use the stack as they use `std::net`, and `netns`, for
//! tests that need a private network. What needs both worlds at once is here: `bridge`.
//!
//! Features: `lab`, `sim`, `uplink` and `views` (on by default) choose the modules of these names;
//! `tokio` gives the streams tokio's traits too; `webpki-roots` compiles Mozilla's root certificates
//! in. Without any of them a host can still be driven by a world of one's own.

#[cfg(all(feature = "sim", feature = "uplink"))]
pub mod bridge;

pub use glasstack_dns as dns;
pub use glasstack_http as http;
pub use glasstack_journal as journal;
pub use glasstack_stack as stack;
pub use glasstack_tls as tls;
pub use glasstack_web as web;

#[cfg(feature = "lab")]
pub use glasstack_lab as lab;
#[cfg(feature = "sim")]
pub use glasstack_sim as sim;
#[cfg(feature = "uplink")]
pub use glasstack_uplink as uplink;
#[cfg(feature = "uplink")]
pub use glasstack_uplink::{blocking, netns};
#[cfg(feature = "views")]
pub use glasstack_views as views;
