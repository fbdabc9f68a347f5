//! What is asked for: one request as the user wants it, before any redirect has changed it.

use crate::credentials::{Credentials, PasswordScheme};
use crate::headers::HeaderEdit;
use crate::watch::Watch;
use bytes::Bytes;
use glasstack_http::{Method, Redirect, RequestBody};
use glasstack_journal::WallTime;
use std::io;
use std::sync::Arc;
use url::Url;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The URL; its user and password become credentials, its fragment is not sent.
    pub url: Url,
    /// The method.
    pub method: Method,
    /// Whether the user named the method, so that no redirect changes it (curl's `-X`).
    pub method_by_name: bool,
    /// What the user wants of the header fields (curl's `-H`).
    pub headers: Vec<HeaderEdit>,
    /// The body; its type is a form's unless `headers` or `body_type` say otherwise.
    pub body: Option<UploadBody>,
    /// What `Content-Type` says of the body unless `headers` say otherwise; none: nothing.
    /// A form's by default; curl's `-T` says nothing.
    pub body_type: Option<String>,
    /// Who asks (curl's `-u`, `--oauth2-bearer`); they win over the URL's and over a netrc file's.
    pub credentials: Option<Credentials>,
    /// How user and password of the URL or of a netrc file are said (curl's `--digest`, `--anyauth`).
    /// `credentials` say it themselves.
    pub password_scheme: PasswordScheme,
    /// Cookies said as they are (curl's `-b "a=1; b=2"`), behind those of the jar.
    pub cookie: Option<String>,
    /// What is said in `Referer` (curl's `-e`); a redirect may say another, see
    /// [`ClientConfig::referer_auto`](crate::ClientConfig::referer_auto).
    pub referer: Option<String>,
    /// Which bytes, as `0-499` or `-500` (curl's `-r`).
    pub range: Option<String>,
    /// The transfer begins at this byte (curl's `-C`): of what is downloaded, or of what is uploaded
    /// if there is a body, which then begins there itself.
    pub resume: Option<u64>,
    /// Only if newer, or only if older (curl's `-z`).
    pub time_condition: Option<TimeCondition>,
    /// The request target, if it is not to be the URL's path (curl's `--request-target`).
    pub target: Option<String>,
    /// Who watches: the same watch that the response has, and that knows what there is to know even
    /// if there never is one.
    pub watch: Watch,
}

impl Request {
    /// A GET.
    pub fn get(url: Url) -> Self {
        Self {
            url,
            method: Method::GET,
            method_by_name: false,
            headers: Vec::new(),
            body: None,
            body_type: Some(FORM.to_owned()),
            credentials: None,
            password_scheme: PasswordScheme::Basic,
            cookie: None,
            referer: None,
            range: None,
            resume: None,
            time_condition: None,
            target: None,
            watch: Watch::default(),
        }
    }

    /// A HEAD.
    pub fn head(url: Url) -> Self {
        Self { method: Method::HEAD, ..Self::get(url) }
    }

    /// A POST of a form, or of whatever the header fields say.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: Some(UploadBody::Bytes(body.into())), ..Self::get(url) }
    }

    /// A PUT of a body whose type is not said (curl's `-T`).
    pub fn put(url: Url, body: UploadBody) -> Self {
        Self { method: Method::PUT, body: Some(body), body_type: None, ..Self::get(url) }
    }

    /// The request that a redirect makes of this one. `trusted`: what authenticates goes along even
    /// to another origin (curl's `--location-trusted`).
    pub(crate) fn redirected(mut self, redirect: Redirect, trusted: bool) -> Self {
        if redirect.drop_body {
            self.body = None;
            self.headers.retain(|edit| !edit.describes_body());
        }
        let mut url = redirect.url;
        if redirect.cross_origin && !trusted {
            self.headers.retain(|edit| !edit.stays_with_origin());
            self.credentials = None;
            self.cookie = None;
        } else if url.username().is_empty() && url.password().is_none() {
            // These fail only for URLs that have no host.
            let _ = url.set_username(self.url.username());
            let _ = url.set_password(self.url.password());
        }
        Self { url, method: redirect.method, ..self }
    }
}

/// What curl says of a body that nobody has said anything about.
const FORM: &str = "application/x-www-form-urlencoded";

/// A body that can be sent more than once: a redirect, a retry or an answered challenge sends it
/// again.
#[derive(Clone)]
pub enum UploadBody {
    /// These bytes.
    Bytes(Bytes),
    /// What this opens, each time from the beginning.
    Reopen(Arc<dyn Fn() -> io::Result<RequestBody> + Send + Sync>),
}

impl UploadBody {
    /// The body, from the beginning.
    pub(crate) fn open(&self) -> io::Result<RequestBody> {
        match self {
            Self::Bytes(bytes) => Ok(RequestBody::Bytes(bytes.clone())),
            Self::Reopen(open) => open(),
        }
    }
}

impl std::fmt::Debug for UploadBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "UploadBody({} bytes)", bytes.len()),
            Self::Reopen(_) => f.write_str("UploadBody(opened when it is sent)"),
        }
    }
}

/// A condition on when the resource last changed (RFC 9110 13.1.3, 13.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeCondition {
    /// Only if it changed after this (curl's `-z DATE`).
    IfModifiedSince(WallTime),
    /// Only if it has not changed since this (curl's `-z -DATE`).
    IfUnmodifiedSince(WallTime),
}
