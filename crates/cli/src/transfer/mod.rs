//! From options to transfers.
//!
//! ```text
//!   GetOptions           one group of the command line (args)
//!       |  plan          URLs with their outputs and uploads; globs expanded one by one
//!       v
//!   Transfer             one URL, where its body goes, what is sent
//!       |  request       the request that the options describe
//!       |  run           one after the other, or several at once; retries; limits
//!       v
//!   output, writeout     files, heads, what -w says;  meter: how far it has come
//! ```
//!
//! Without a network: `glob`, `naming`, `data`, `form`, `writeout`, `progress`.

pub(crate) mod body;
pub(crate) mod data;
pub(crate) mod form;
pub(crate) mod glob;
pub(crate) mod naming;
pub(crate) mod pace;
pub(crate) mod progress;
pub(crate) mod writeout;
