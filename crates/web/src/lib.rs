//! The browser's part: from what somebody typed to the bytes of a page.
//!
//! ```text
//!   "www.example.test"
//!         |  address_bar::parse          what was typed -> URL, or a refusal that says why
//!         v
//!   Client::fetch                        one request, its redirects, one body at the end
//!         |-- exchange                   one request and the head of its answer, twice if it asks
//!         |     |-- connector            proxy or none -> addresses -> TCP -> TLS -> HTTP
//!         |     |-- pool                 a connection that is there already, or why not
//!         |     |-- headers              what is said in the request: credentials, cookies, parts
//!         |     |-- early_data           what of it may go before the TLS handshake is over
//!         |     '-- lesson               a challenge answered, an expectation given up
//!         |-- conditions                 is that what was asked for?
//!         v
//!   Response { url, head, hops, body }   the body streams, decoded, as it arrives
//! ```
//!
//! Read in this order: [`address_bar`], [`request`] and [`config`] (what is wanted), [`fetch`],
//! `exchange`, `early_data`, `lesson`, [`headers`], [`credentials`], [`cookies`], [`proxy`], [`connector`],
//! [`pool`], [`conditions`] and [`date`], `patience` (how long, how slow), [`body`], [`watch`] (what is
//! known of a transfer at any time), [`retry`] (whether to ask again), [`revocation`] (what `tls` needs fetched), [`error`] (everything that can
//! go wrong, and curl's exit code for it).
//!
//! Here `dns`, `tls` and `http`, which know nothing of each other, are wired together.

pub mod address_bar;
pub mod body;
pub mod conditions;
pub mod config;
pub mod connector;
pub mod cookies;
pub mod credentials;
pub mod date;
mod early_data;
pub mod error;
mod exchange;
pub mod fetch;
pub mod headers;
mod lesson;
mod patience;
pub mod pool;
pub mod proxy;
pub mod request;
pub mod retry;
pub mod revocation;
pub mod watch;

pub use address_bar::{Address, AddressError};
pub use body::ResponseBody;
pub use conditions::PassedOver;
pub use config::{
    BadConnectTo, BadSchemes, ClientConfig, ConnectTo, KeepPost, LowSpeed, Schemes, TcpOptions,
};
pub use cookies::{Cookie, CookieJar, SharedJar};
pub use credentials::{Credentials, Netrc, NetrcError, NetrcUse, PasswordScheme};
pub use error::{ConnectFailure, WebError};
pub use fetch::{Client, Hop, Response};
pub use headers::{BadHeader, HeaderEdit};
pub use proxy::{BadProxy, NoProxy, Proxy, ProxyRules, ProxyScheme, SocksError};
pub use request::{Request, TimeCondition, UploadBody};
pub use retry::{Outcome, RetryPolicy, Verdict};
pub use revocation::HttpRevocationSource;
pub use watch::{Facts, HeadKind, Progress, ReceivedHead, Timings, Watch};

pub use glasstack_http as http;
