//! HTTP/1.1 over any stream (RFC 9110, RFC 9112), on hyper.
//!
//! ```text
//!   Request -> Connection::send -> Response { interim, head, body }    the client, over a stream
//!      |            |                 |                   |
//!   compose        Wire             head               Body -> decode::Decoded -> bytes
//!                    |                \-> redirect::next
//!                  hyper
//!
//!   stream -> server::serve -> Handler::handle(Received) -> Answer            the server
//! ```
//!
//! Read in this order: [`message`] (what is sent and received), [`fields`] and [`upload`] (its parts),
//! [`client`] (one connection, many requests), and inside it `compose` (a request's head in bytes),
//! `wire` and `desk` (where the stream meets hyper: heads are ours, bodies are hyper's), `head` (a
//! response's head, read as patiently as curl reads it), `framing` (how a body's end is known); then [`body`]
//! (as it arrives), [`decode`] (content codings, with a guard against bombs), [`progress`] (how far
//! it has come), [`redirect`] (where to go next, as pure policy), [`tunnel`] (CONNECT), [`server`],
//! and `io` (what is remembered of a stream's death) and [`error`].
//!
//! This crate knows no names, no certificates and no clock but its scope's: it is given a stream
//! and does not ask how it came about. hyper stays inside: no public item names one of its types
//! (`http`'s methods, status codes and header maps are vocabulary, not hyper). One thing alone waits
//! for a time, a body for `100 Continue`; everything else the caller bounds with `Host::timeout`.
//!
//! # Differences from curl 7.88
//!
//! Heads are read as curl reads them, and its exit codes are kept (`tests/leniency.rs`). What is
//! left, and why:
//!
//! | what comes | curl | here | because |
//! |---|---|---|---|
//! | a head cut short behind its status line | 0 | 18 | half an answer is not an answer |
//! | gzip data cut short | 0 | 61 | what is missing may be the point |
//! | a second gzip member | 23 | decoded | RFC 1952 2.2: members follow one another |
//! | chunk lines that end in a bare LF | 0 | 56 | RFC 9112 7.1 has CRLF; hyper reads chunks |
//! | a chunk size of 2^63 or more | 56 | 18 | the body ends before such a chunk does |
//! | a first field that begins with white space | 43 | 8 | 43 is curl's word for its own mistakes |
//! | a body over the limit, of unknown length | 0 | 63 | a limit is a limit (later curls agree) |
//! | `417` to a body that waited | same connection | a new one | who knows where the server reads on |
//! | a POST without a body | no length | `Content-Length: 0` | RFC 9110 8.6 |

pub mod body;
mod chunks;
pub mod client;
mod compose;
pub mod decode;
mod desk;
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
pub use client::{Connection, Response};
pub use decode::{Coding, DecodeError, DecodeLimits, Decoded};
pub use error::HttpError;
pub use fields::Fields;
pub use framing::NotReusable;
pub use limits::Limits;
pub use message::{Reading, Request, ResponseHead, Target};
pub use progress::{Progress, Snapshot};
pub use redirect::{Redirect, RedirectError, RedirectPolicy};
pub use server::{Answer, AnswerBody, Handler, Received, ServerOptions};
pub use tunnel::{Connect, Tunnel, Tunnelled};
pub use upload::{BodySource, RequestBody};

pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
