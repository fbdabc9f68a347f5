//! Who asks: user and password, or a token (RFC 9110 11), and from where they are known.

pub mod netrc;

pub use netrc::{Netrc, NetrcEntry, NetrcError};

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
