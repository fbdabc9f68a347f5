//! Sessions taken up again: what either end keeps between connections, and data before the handshake.
//!
//! ```text
//!   TLS 1.3 (RFC 8446 2.2)   server -- NewSessionTicket -->  client      after the handshake
//!                            client -- pre_shared_key ---->  server      in the next ClientHello
//!   TLS 1.2 (RFC 5246 7.3)   a session id, whose state the server keeps
//!           (RFC 5077)       a ticket, in which the server wraps the state for the client to keep
//! ```
//!
//! A session is taken up only by the client that made it, so under the same trust and the same
//! settings, and with a server of the same name. The certificate is not shown again; what revocation
//! says of it is asked again.

pub(crate) mod client;
pub mod early;
pub mod server;
mod tickets;

pub use early::EarlyData;
pub use server::ServerSessions;
