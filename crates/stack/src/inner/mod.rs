//! The inside of a host, behind one lock.
//!
//! ```text
//!   core ---- demultiplexes frames, owns everything below, keeps the deadlines
//!    |-- flow ------ one TCP connection: engine, history, what its program waits for
//!    |    `- engine  smoltcp's TCP behind an interface of its own
//!    |-- backlog --- listeners: half-open and unaccepted connections
//!    |-- time_wait - connections that are over but for stray segments
//!    |-- datagram -- UDP ports and pings: queues, and what they send
//!    |-- probes ---- probes under way, and what comes back for them
//!    |-- passing --- what a transparent host hands to its gateway
//!    |-- errors_in - ICMP errors: whom they are about, and what they do
//!    |-- address --- the host's address: given, changed, taken away
//!    |-- dhcp ------ what a DHCP client needs before there is an address
//!    |-- neighbours  ARP: who has asked, who waits, what is known
//!    |-- front ----- the interface that answers for the host: echo, resets, ICMP errors
//!    `- wire ------- from the interfaces to the wire: ARP, fragments, loopback, records
//! ```

pub(crate) mod address;
pub(crate) mod backlog;
pub(crate) mod core;
pub(crate) mod datagram;
pub(crate) mod demux;
pub(crate) mod dhcp;
pub(crate) mod engine;
pub(crate) mod errors_in;
pub(crate) mod flow;
pub(crate) mod front;
pub(crate) mod neighbours;
pub(crate) mod passing;
pub(crate) mod port;
pub(crate) mod probes;
pub(crate) mod rate;
pub(crate) mod shared;
pub(crate) mod time_wait;
pub(crate) mod timers;
pub(crate) mod tuple;
pub(crate) mod wire;
