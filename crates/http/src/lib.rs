//! HTTP/1.1 over any stream (RFC 9110, RFC 9112), on hyper.
//!
//! ```text
//!   Request -> Connection::send -> Response { head, body }        the client, over a stream
//!                                    |        |
//!              redirect::next <------+        +-> Body -> decode::Decoded -> bytes
//!
//!   stream -> server::serve -> Handler::handle(Received) -> Answer            the server
//! ```
//!
//! Read in this order: [`message`] (what is sent and received), [`body`] (how its end is known),
//! [`client`] (one connection, many requests), [`decode`] (content codings, with a guard against
//! bombs), [`redirect`] (where to go next, as pure policy), [`server`], and, inside, `io` (how a
//! stream meets hyper, and what is remembered of its death) and [`error`].
//!
//! This crate knows no names, no certificates and no clock but its scope's: it is given a stream
//! and does not ask how it came about. hyper stays inside: no public item names one of its types
//! (`http`'s methods, status codes and header maps are vocabulary, not hyper). Nothing in here
//! waits for a time: whoever calls bounds the call with `Host::timeout`.

pub mod body;
pub mod client;
mod compose;
pub mod decode;
pub mod error;
pub mod fields;
mod framing;
mod head;
mod io;
pub mod limits;
pub mod message;
pub mod progress;
pub mod redirect;
pub mod server;
#[cfg(test)]
mod tests;
pub mod tunnel;
pub mod upload;
mod wire;

pub use body::Body;
pub use client::Connection;
pub use decode::{Coding, DecodeError, DecodeLimits, Decoded};
pub use error::HttpError;
pub use fields::Fields;
pub use framing::NotReusable;
pub use limits::Limits;
pub use message::{Reading, Request, Response, ResponseHead, Target};
pub use progress::{Progress, Snapshot};
pub use redirect::{Redirect, RedirectError, RedirectPolicy};
pub use server::{Answer, AnswerBody, Handler, Received, ServerOptions};
pub use tunnel::{Connect, Tunnel, Tunnelled};
pub use upload::{BodySource, RequestBody};

pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
