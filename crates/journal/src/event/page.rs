//! The browser's part: the address bar.

use serde::Serialize;

/// What happened in the address bar.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// What was typed makes a URL.
    AddressParsed {
        /// What was typed.
        typed: String,
        /// The absolute URL.
        url: String,
        /// Why the scheme is what it is.
        scheme_because: String,
    },
    /// What was typed makes none.
    AddressRefused {
        /// What was typed.
        typed: String,
        /// Why not, and what to do.
        why: String,
    },
    /// The journey is over.
    Arrived {
        /// The last URL, after redirects.
        url: String,
        /// The last status code.
        status: u16,
        /// The body's length, decoded, in bytes.
        length: u64,
    },
}
