//! Cookies (RFC 6265bis): what a server says, what is kept, what is sent.
//!
//! ```text
//!   Set-Cookie -> set_cookie::parse -> CookieJar::store -> Judged       kept or not, and why
//!                                          |
//!   file <-> netscape                  CookieJar
//!                                          |
//!                        CookieJar::choose(url) -> Chosen               sent or not, and why
//! ```
//!
//! Read in this order: this file (a cookie, and every reason there is), `jar` (the store),
//! `set_cookie`, `date` (what a server says), `domain` (who may), `netscape` (the file). Nothing here
//! asks what time it is.

mod date;
mod domain;
mod jar;
mod netscape;
mod set_cookie;

pub use jar::CookieJar;

use glasstack_journal::WallTime;
use std::fmt;
use std::sync::{Arc, Mutex};

/// A jar that several clients may share.
pub type SharedJar = Arc<Mutex<CookieJar>>;

/// One cookie (RFC 6265bis 5.7).
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name; may be empty.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The domain, in lower case and without a dot in front; empty: any, which only a file of
    /// `Set-Cookie` lines makes, since it does not say whose they were.
    pub domain: String,
    /// Whether only the domain itself gets it, and no host below it.
    pub host_only: bool,
    /// The path that it is for, and what is below.
    pub path: String,
    /// When it ends; none: with the session.
    pub expires: Option<WallTime>,
    /// Whether it is sent over TLS only.
    pub secure: bool,
    /// Whether it is for HTTP only, and not for a page's scripts.
    pub http_only: bool,
    /// To which requests from other sites it is sent. There are none here: it is kept, not asked.
    pub same_site: SameSite,
    /// Which of the jar's cookies was there first: earlier ones have smaller numbers.
    pub creation: u64,
    /// When it was last sent or stored.
    pub last_access: WallTime,
}

impl Cookie {
    /// Whether its time is over.
    pub fn is_expired(&self, now: WallTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The value is the user's business alone.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookie({}=*** for {}{})", self.name, self.domain, self.path)
    }
}

/// RFC 6265bis 5.6.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Nothing was said.
    #[default]
    Unspecified,
    /// `None`.
    None,
    /// `Lax`.
    Lax,
    /// `Strict`.
    Strict,
}

/// What became of one `Set-Cookie`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The cookie's name, as far as it could be read.
    pub name: String,
    /// What became of it.
    pub verdict: Stored,
}

/// What became of a cookie that a server set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is kept.
    Kept {
        /// Its domain, with a dot in front if hosts below get it, too.
        domain: String,
        /// Its path.
        path: String,
        /// When it ends; none: with the session.
        expires: Option<WallTime>,
        /// Whether it stands for an earlier one of the same name, domain and path.
        replaced: bool,
        /// How many others had to go for it.
        evicted: usize,
    },
    /// Its time is over: that is how a server takes one back.
    Ended {
        /// Whether there was one.
        existed: bool,
    },
    /// It is not kept.
    Refused(Refusal),
}

/// Why a cookie is not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// RFC 6265bis 5.6, 1.
    #[error("it has the control character 0x{byte:02x}")]
    ControlCharacter {
        /// Which.
        byte: u8,
    },
    /// Neither name nor value.
    #[error("it has neither a name nor a value")]
    Empty,
    /// RFC 6265bis 5.6, 5.
    #[error("its name and value have {bytes} bytes together, and {limit} are allowed")]
    TooLong {
        /// How long they are.
        bytes: usize,
        /// How long they may be.
        limit: usize,
    },
    /// RFC 6265bis 5.7: the server is not of the domain.
    #[error("it is for {domain}, and {host} is not of that domain")]
    ForeignDomain {
        /// What the cookie says.
        domain: String,
        /// Who said it.
        host: String,
    },
    /// RFC 6265bis 5.7: the domain belongs to many.
    #[error("it is for all of {domain}, which is a public suffix: it would go to strangers")]
    PublicSuffix {
        /// What the cookie says.
        domain: String,
    },
    /// RFC 6265bis 5.7: a domain in any other letters than a URL's host has.
    #[error("its domain is not in ASCII")]
    DomainNotAscii,
    /// RFC 6265bis 5.7: `Secure` from http.
    #[error("it is Secure and came over http: whoever was on the way may have set it")]
    SecureOverHttp,
    /// RFC 6265bis 5.7: a secure one of this name is there.
    #[error("it came over http, and there is a Secure one of that name that it would hide")]
    WouldHideSecure,
    /// RFC 6265bis 4.1.3: what a name promises.
    #[error("its name begins with {prefix}, and {lacks}")]
    Prefix {
        /// `__Secure-` or `__Host-`.
        prefix: &'static str,
        /// What the name promises and the cookie does not keep.
        lacks: &'static str,
    },
    /// One response set more than anybody needs.
    #[error("{limit} cookies of the same response came before it")]
    TooMany {
        /// How many one response may set.
        limit: usize,
    },
}

impl Stored {
    /// Whether it is in the jar now.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }
}

/// In words, as `kept for .h.test/ until the session ends`.
impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept { domain, path, expires, replaced, evicted } => {
                write!(f, "kept for {domain}{path} until ")?;
                match expires {
                    Some(expires) => f.write_str(&crate::date::http(*expires))?,
                    None => f.write_str("the session ends")?,
                }
                if *replaced {
                    f.write_str(", in place of an earlier one")?;
                }
                match evicted {
                    0 => Ok(()),
                    1 => f.write_str("; the jar was full, and the one used longest ago went"),
                    more => write!(f, "; the jar was full, and the {more} used longest ago went"),
                }
            }
            Self::Ended { existed: true } => f.write_str("taken back: its time is over"),
            Self::Ended { existed: false } => f.write_str("not kept: its time is over"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

/// The cookies for a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Those that are sent, in their order.
    pub sent: Vec<Cookie>,
    /// Those of the same site that are not: the name, and why not.
    pub withheld: Vec<(String, Withheld)>,
}

impl Chosen {
    /// The value of the `Cookie` field; none if nothing is sent.
    pub fn field(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .sent
            .iter()
            .map(|cookie| match cookie.name.as_str() {
                // RFC 6265bis 5.8.3: without a name there is no equals sign.
                "" => cookie.value.clone(),
                name => format!("{name}={}", cookie.value),
            })
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Why a cookie is not sent although its site is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// Its time is over.
    #[error("its time is over")]
    Expired,
    /// It is for another path.
    #[error("it is for {path} and what is below")]
    OtherPath {
        /// Which.
        path: String,
    },
    /// It is for another host of the site.
    #[error("it is for {domain} alone")]
    OtherHost {
        /// Which.
        domain: String,
    },
    /// It goes over TLS only.
    #[error("it is Secure, and this is http")]
    NotSecure,
    /// There are too many.
    #[error("a request carries at most {cookies} cookies and {bytes} bytes of them")]
    NoRoom {
        /// How many.
        cookies: usize,
        /// How long together.
        bytes: usize,
    },
}
