//! A way through an HTTP proxy that carries bytes and reads none: CONNECT (RFC 9110 9.3.6).

use super::{Proxy, Wire};
use crate::error::WebError;
use crate::headers::{HeaderEdit, PROXY_CONNECTION, append, basic};
use crate::watch::{HeadKind, Watch};
use glasstack_http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use glasstack_http::tunnel::connect;
use glasstack_http::{Connect, Fields, HeaderName, HeaderValue, Limits, Tunnel, Tunnelled, Version};
use glasstack_journal::Scope;
use glasstack_journal::event::Http;
use url::Url;

/// What is asked of a proxy, and how.
pub(crate) struct Gate<'a> {
    pub(crate) proxy: &'a Proxy,
    /// Host and port.
    pub(crate) to: String,
    pub(crate) credentials: Option<&'a (String, String)>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) edits: &'a [HeaderEdit],
    pub(crate) limits: &'a Limits,
}

/// Asks for a tunnel; behind the answer, the stream leads to its other end. `scope` is where it is
/// told.
pub(crate) async fn open<S: Wire + 'static>(
    scope: &Scope,
    stream: S,
    gate: Gate<'_>,
    watch: &Watch,
) -> Result<Tunnelled<S>, WebError> {
    let request = Connect {
        authority: gate.to.clone(),
        headers: gate.fields(),
        version: Version::HTTP_11,
        limits: gate.limits.clone(),
    };
    let fields: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    watch.on_request_bytes(("CONNECT  HTTP/1.1\r\n\r\n".len() + gate.to.len() + fields) as u64);
    let (head, stream) = match connect(scope, stream, &request).await? {
        Tunnel::Open { head, stream } => (head, Some(stream)),
        Tunnel::Refused { head, .. } => (head, None),
    };
    if let Ok(url) = Url::parse(&format!("http://{}", gate.to)) {
        watch.on_head(HeadKind::Connect, &url, &head);
    }
    scope.record(|| Http::TunnelAnswered {
        proxy: gate.proxy.to_string(),
        to: gate.to.clone(),
        answer: format!("{} {}", head.status.as_u16(), head.reason),
        open: stream.is_some(),
    });
    let refused =
        WebError::Tunnel { proxy: gate.proxy.to_string(), to: gate.to, status: head.status.as_u16() };
    stream.ok_or(refused)
}

impl Gate<'_> {
    /// curl's, in curl's order, changed as the user wants.
    fn fields(&self) -> Fields {
        let is_edited = |name: &HeaderName| self.edits.iter().any(|edit| edit.name() == name);
        let credentials =
            self.credentials.map(|(user, password)| basic(user.as_bytes(), password.as_bytes()));
        let usual = [
            (HOST, Some(self.to.clone())),
            (PROXY_AUTHORIZATION, credentials),
            (USER_AGENT, self.user_agent.map(str::to_owned)),
            (PROXY_CONNECTION, Some("Keep-Alive".to_owned())),
        ];
        let mut fields = Fields::new();
        for (name, value) in usual {
            let value = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
            if let (Some(value), false) = (value, is_edited(&name)) {
                fields.append(name, value);
            }
        }
        self.edits.iter().for_each(|edit| append(&mut fields, edit));
        fields
    }
}
