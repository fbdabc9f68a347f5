//! From options to transfers.
//!
//! ```text
//!   GetOptions           one group of the command line (args)
//!       |  plan          URLs with their outputs and uploads; sets and ranges expanded one by one
//!       v
//!   Transfer             one URL, where its body goes, what is sent
//!       |  request       the request that the options describe: data, form, body
//!       |  client        the client that the options describe: TLS, proxies, cookies, limits
//!       v
//!   run                  one after the other, or several at once; attempts; what is left to do
//!       |  output        files and their names (naming), heads
//!       |  report        what -w says (writeout)
//!       |  meter         how far it has come (progress)
//! ```
//!
//! Read in this order. Without a network: `glob`, `naming`, `data`, `form`, `writeout`, `progress`.

pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod data;
pub(crate) mod form;
pub(crate) mod glob;
pub(crate) mod meter;
pub(crate) mod naming;
pub(crate) mod output;
pub(crate) mod pace;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod run;
mod verify_result;
pub(crate) mod writeout;

/// curl: how many transfers run at once unless `--parallel-max` says it.
pub(crate) const PARALLEL_MAX: u16 = 50;
/// curl: the proxy is none.
pub(crate) const BAD_PROXY: u8 = 5;
/// curl: a file of passwords cannot be read.
pub(crate) const LOGIN_FILE: u8 = 26;
/// curl: there is no TLS that both sides, or the options, agree on.
pub(crate) const SSL_CONNECT_ERROR: u8 = 35;
/// curl: an option's value is not written as it should be.
pub(crate) const SETOPT_SYNTAX: u8 = 49;
/// curl: a user where none is allowed.
pub(crate) const LOGIN_DENIED: u8 = 67;
/// curl: the pinned key cannot be used.
pub(crate) const PINNED_KEY: u8 = 90;

/// Files of the tests' own.
#[cfg(test)]
pub(crate) mod testing {
    use std::path::PathBuf;

    /// A path that no other test, and no other run of this one, uses.
    pub(crate) fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("glasstack-{}-{name}", std::process::id()))
    }
}
