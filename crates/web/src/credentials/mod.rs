//! Who asks: user and password, or a token (RFC 9110 11), and from where they are known.
//!
//! Read in this order: this file (what proves who asks), `netrc` (where it may stand), `identity` (who
//! to be for one request), `challenge` and `digest` (what a server wants to know, and what it is told).

mod challenge;
mod digest;
pub(crate) mod identity;
pub mod netrc;

pub use netrc::{Netrc, NetrcEntry, NetrcError, NetrcUse};

use std::fmt;

/// What proves who asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User and password (curl's `-u`), by this scheme.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
        /// How they are said.
        scheme: PasswordScheme,
    },
    /// A token (RFC 6750; curl's `--oauth2-bearer`).
    Bearer(String),
}

/// How user and password are said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordScheme {
    /// As they are (RFC 7617; curl's `--basic`, its default).
    #[default]
    Basic,
    /// As a hash over the server's challenge (RFC 7616; curl's `--digest`).
    Digest,
    /// As the server's challenge asks for (curl's `--anyauth`).
    Any,
}

impl Credentials {
    /// From `user:password` (curl's `-u`); without a colon the password is empty.
    pub fn basic(pair: &str) -> Self {
        let (user, password) = pair.split_once(':').unwrap_or((pair, ""));
        Self::Password { user: user.to_owned(), password: password.to_owned(), scheme: PasswordScheme::Basic }
    }
}

/// Neither password nor token.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, scheme, .. } => write!(f, "{scheme:?}({user}:***)"),
            Self::Bearer(_) => f.write_str("Bearer(***)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let shown =
            format!("{:?} {:?}", Credentials::basic("me:secret"), Credentials::Bearer("secret".into()));
        assert!(shown.contains("me") && !shown.contains("secret"), "{shown}");
    }
}
