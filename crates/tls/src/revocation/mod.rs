//! Revocation: whether a certificate was taken back before its time.
//!
//! ```text
//!   path (leaf .. below the anchor) --.
//!   lists, answers, what was stapled --+--> judge::Question::judge --> checks, a problem,
//!   policy, time, algorithms ---------'             ^                  or what is missing
//!                                                   |                        |
//!              cache <-- what could be verified -- add <-- RevocationSource <-'
//! ```
//!
//! Two ways of asking: the issuer's list of all that it took back (CRL, RFC 5280), and a question
//! about the one certificate (OCSP, RFC 6960), whose answer the server may bring along itself
//! (stapled, RFC 6066 8).
//!
//! Read in this order: [`policy`] (how much is demanded), [`judge`] (the question and its answer),
//! `by_list` and `by_ocsp` (one certificate against one list, one answer), `crl` and `ocsp` (the two
//! formats), `facts` and `extension` (what a certificate says about it), `signature`;
//! [`lists`] (what a user gives), [`known`], [`cache`] and [`source`] (what is there, what is kept, who
//! fetches), `after_handshake` (the one place that waits); [`problem`] (every way in which it fails).
//!
//! Judging is a pure function. What must be fetched is fetched after the handshake and before
//! `connect` or `accept` returns, so before any byte of the application moves; a refusal then is told
//! to the peer by an alert: `certificate_revoked` for a certificate that was taken back,
//! `bad_certificate_status_response` where the stapled answer is at fault, `unknown_ca`
//! where it could not be known. Sessions that are taken up again are judged again, by the chain and the
//! answer of the first time. A client's early data (0-RTT) waits for this where something is demanded of
//! every peer.
//!
//! Differences from others: lists are in time to the second, as webpki has it; answers may be 5 minutes
//! off ([`SKEW`]), as openssl has it. Delta lists, and lists that somebody else than the
//! issuer keeps, are refused in words. Nothing is fetched over https (whose certificate would have to
//! be judged in turn) or ldap.

pub(crate) mod after_handshake;
mod by_list;
mod by_ocsp;
pub mod cache;
mod config;
mod crl;
mod extension;
mod facts;
pub mod judge;
pub mod known;
pub mod lists;
mod ocsp;
pub mod policy;
pub mod problem;
mod shown;
mod signature;
pub mod source;

pub use crate::der::{Algorithms, DerError};
pub use by_ocsp::{SKEW, UNDATED};
pub use cache::{BadCache, RevocationCache};
pub use config::RevocationConfig;
pub use judge::{Missing, Outcome, Question, Stapled, ocsp_request};
pub use known::{Kind, Known, Origin, Staple};
pub use lists::{RevocationError, RevocationLists};
pub use policy::{BadDemand, Demand, RevocationPolicy};
pub use problem::{Cause, Reason, RevocationProblem};
pub(crate) use shown::ShownLists;
pub use source::{FetchBody, FetchError, FetchRequest, Fetching, RevocationSource, SharedSource};
