//! Cookies (RFC 6265bis): what a server says, what is kept, what is sent.

use glasstack_journal::WallTime;
use std::sync::{Arc, Mutex};
use url::Url;

/// A jar that several clients may share.
pub type SharedJar = Arc<Mutex<CookieJar>>;

/// The cookies of one user.
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
}

/// One cookie (RFC 6265bis 5.7).
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name; may be empty.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The domain, in lower case and without a dot in front.
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

/// The value is the user's business alone.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cookie({}=*** for {}{})", self.name, self.domain, self.path)
    }
}

impl CookieJar {
    /// A jar without cookies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts in what a file holds: Netscape's format as curl writes it, or lines `Set-Cookie: ...`
    /// (curl's `-b FILE`). Lines that are neither are passed over. Without `session` those that would
    /// end with their session are left out (curl's `-j`). Gives how many there were.
    pub fn load(&mut self, file: &[u8], session: bool, now: WallTime) -> usize {
        let _ = (file, session, now);
        0
    }

    /// The file that curl's `-c` would write.
    pub fn to_netscape(&self, now: WallTime) -> String {
        let _ = now;
        String::new()
    }

    /// What it holds, oldest first.
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }

    /// The cookies that go with a request for `url`, in the order in which they are sent.
    pub fn matching(&self, url: &Url, now: WallTime) -> Vec<&Cookie> {
        let _ = (url, now);
        Vec::new()
    }
}
