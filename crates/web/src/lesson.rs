//! What a first answer teaches: when the same request is worth sending again, and how.

use crate::credentials::identity::Identity;
use crate::request::Request;
use glasstack_http::header::WWW_AUTHENTICATE;
use glasstack_http::{Method, ResponseHead, StatusCode, Target};
use glasstack_stack::Entropy;

/// How an attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The body waited for `100 Continue`.
    pub(crate) expected: bool,
    /// The server took it before the TLS handshake was over.
    pub(crate) early: bool,
}

/// How the next attempt is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// 417: the server does not want to be asked whether it wants the body.
    pub(crate) without_expect: bool,
    /// 425: the server waits for the end of the TLS handshake, and so does the request.
    pub(crate) not_early: bool,
    /// What `Authorization` says.
    pub(crate) authorization: Option<String>,
    /// The body stays here until it is known over what its sender's password is hashed.
    pub(crate) without_body: bool,
    /// How many challenges have been answered. A second 401 is a refusal, unless it says that the
    /// first answer came too late; a third one is.
    answered: u8,
}

impl Lesson {
    /// Before the first attempt.
    pub(crate) fn first(request: &Request, identity: Option<&Identity>) -> Self {
        let is_bodiless = matches!(request.method, Method::GET | Method::HEAD);
        Self {
            authorization: identity.and_then(Identity::unasked),
            without_body: !is_bodiless && identity.is_some_and(|identity| !identity.sends_body_unasked()),
            ..Self::default()
        }
    }

    /// How to ask again, and why; none: the answer stands.
    pub(crate) fn learn(
        &self,
        request: &Request,
        identity: Option<&Identity>,
        head: &ResponseHead,
        asked: Asked,
        entropy: &dyn Entropy,
    ) -> Option<(Self, String)> {
        if head.status == StatusCode::EXPECTATION_FAILED && asked.expected && !self.without_expect {
            // RFC 9110 10.1.1: the same again without the expectation.
            let why = "417: the server does not understand Expect, and is asked again without it";
            return Some((Self { without_expect: true, ..self.clone() }, why.to_owned()));
        }
        if head.status == StatusCode::TOO_EARLY && asked.early {
            // RFC 8470 5.2: again by itself, and not early.
            let why = "425: what was sent early was too early, and is sent once more behind the handshake";
            return Some((Self { not_early: true, ..self.clone() }, why.to_owned()));
        }
        if head.status == StatusCode::UNAUTHORIZED && self.answered < 2 {
            let uri = glasstack_http::Request {
                target: request.target.clone().map_or(Target::Origin, Target::Custom),
                ..glasstack_http::Request::new(request.method.clone(), request.url.clone())
            };
            let fields = head.headers.get_all(WWW_AUTHENTICATE);
            let (field, scheme) = identity?.answer(
                fields.iter().map(|value| value.as_bytes()),
                request.method.as_str(),
                &uri.target_text(),
                &cnonce(entropy),
                self.answered > 0,
            )?;
            let answered = self.answered + 1;
            let next = Self { authorization: Some(field), without_body: false, answered, ..self.clone() };
            return Some((next, format!("401: the server's challenge is answered by {scheme}")));
        }
        if head.status.is_success() && self.without_body {
            let why = "the server asks for no password, and now gets the body";
            return Some((Self { without_body: false, ..self.clone() }, why.to_owned()));
        }
        None
    }
}

/// RFC 7616 5.8: what no server could foresee.
fn cnonce(entropy: &dyn Entropy) -> String {
    format!("{:016x}{:016x}", entropy.u64(), entropy.u64())
}
