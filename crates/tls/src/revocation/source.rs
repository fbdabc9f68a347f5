//! Who fetches lists and asks responders. Nothing in this crate does: it has no network.

use glasstack_journal::Scope;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Fetches what revocation needs.
///
/// Whoever implements it keeps to the limits of the request, and makes no connection that would have
/// its own revocation to be judged: plain `http` only.
pub trait RevocationSource: Send + Sync {
    /// Makes one request and gives the body of its answer, telling what it does below `scope`.
    fn fetch<'a>(&'a self, scope: &'a Scope, request: FetchRequest) -> Fetching<'a>;
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Who fetches, if anybody does.
pub type SharedSource = Arc<dyn RevocationSource>;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Where to, as a certificate says it: anything may stand in here.
    pub url: String,
    /// What to send: a body makes it a POST.
    pub body: Option<FetchBody>,
    /// How long the answer may be, in bytes.
    pub max_bytes: usize,
    /// How long it may take.
    pub timeout: Duration,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchBody {
    /// Its media type.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A fetch failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Nobody fetches here.
    #[error("nothing is fetched here")]
    Nobody,
    /// It is no URL.
    #[error("it is no URL")]
    Url,
    /// It is not fetched by that.
    #[error("{scheme} is not spoken for revocation: {why}")]
    Scheme {
        /// The URL's scheme.
        scheme: String,
        /// Why not.
        why: &'static str,
    },
    /// No answer came.
    #[error("{why}")]
    Failed {
        /// Why not.
        why: String,
    },
    /// The answer is none.
    #[error("the answer's status is {status}, not 200")]
    Status {
        /// What it is.
        status: u16,
    },
    /// It leads on too often.
    #[error("more than {limit} redirects")]
    Redirects {
        /// How many are followed.
        limit: u32,
    },
    /// It is too long.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
    /// Too much was fetched already for the same connection.
    #[error("more than {limit} bytes for one connection")]
    TooMuch {
        /// How much may be fetched.
        limit: usize,
    },
    /// It takes too long.
    #[error("no whole answer within {} s", limit.as_secs())]
    TimedOut {
        /// How long it may take.
        limit: Duration,
    },
}
