//! What of a request may go before the TLS handshake is over (0-RTT, RFC 8446 2.3), and what waits.
//!
//! Whoever records it can send it once more. RFC 8470 3 leaves it to the client what may go all the same:
//! here the whole of a request that changes nothing, has no body, and says nothing of who asks.

use glasstack_http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use glasstack_http::{HeaderName, HttpError, Method, Request};
use std::fmt;

/// The fields by which a server knows who asks.
const CREDENTIALS: [(HeaderName, &str); 3] =
    [(AUTHORIZATION, "Authorization"), (COOKIE, "Cookie"), (PROXY_AUTHORIZATION, "Proxy-Authorization")];

/// What may go before the handshake is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Early {
    /// Nothing: nobody has asked for it.
    #[default]
    NotWanted,
    /// Nothing, although it was asked for.
    Waits(Waits),
    /// All of the request.
    Goes(Vec<u8>),
}

/// Why a request waits until the handshake is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// It may change something (RFC 9110 9.2.1), or is one of the rare ones that do not.
    Method(Method),
    Body,
    /// By this field the server knows who asks.
    Credentials(&'static str),
    /// By this it may know, too: a session that is taken up again has it.
    ClientCertificate,
    /// RFC 8470 5.2: it has been sent early, and must not be again.
    TooEarly,
}

impl Early {
    /// Of a request with or without a body, by a client that has a certificate to show or none.
    pub(crate) fn of(message: &Request, has_body: bool, has_identity: bool) -> Result<Self, HttpError> {
        let mut credentials = CREDENTIALS.iter().filter(|(field, _)| message.headers.contains(field));
        let credentials = credentials.next().map(|(_, name)| *name);
        let waits = match message.method {
            Method::GET | Method::HEAD if has_body => Some(Waits::Body),
            Method::GET | Method::HEAD if has_identity => Some(Waits::ClientCertificate),
            Method::GET | Method::HEAD => credentials.map(Waits::Credentials),
            ref method => Some(Waits::Method(method.clone())),
        };
        match waits {
            Some(why) => Ok(Self::Waits(why)),
            None => message.head().map(Self::Goes),
        }
    }

    /// The bytes that go.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Goes(bytes) => bytes,
            Self::NotWanted | Self::Waits(_) => &[],
        }
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing is sent early, since ")?;
        match self {
            Self::Method(method) => write!(f, "{method} is neither GET nor HEAD"),
            Self::Body => f.write_str("the request has a body"),
            Self::Credentials(field) => write!(f, "{field} says who asks"),
            Self::ClientCertificate => f.write_str("a client certificate says who asks"),
            Self::TooEarly => f.write_str("the server has said that it is too early"),
        }
    }
}
