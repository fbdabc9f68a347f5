//! What a first answer teaches: when the same request is worth sending again, and how.

use crate::credentials::identity::Identity;
use crate::request::Request;
use glasstack_http::header::WWW_AUTHENTICATE;
use glasstack_http::{Method, ResponseHead, StatusCode, Target};
use glasstack_stack::Entropy;

/// How the next attempt is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// 417: the server does not want to be asked whether it wants the body.
    pub(crate) without_expect: bool,
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

    /// How to ask again, and why; none: the answer stands. `expected`: the body waited for
    /// `100 Continue`.
    pub(crate) fn learn(
        &self,
        request: &Request,
        identity: Option<&Identity>,
        head: &ResponseHead,
        expected: bool,
        entropy: &dyn Entropy,
    ) -> Option<(Self, String)> {
        if head.status == StatusCode::EXPECTATION_FAILED && expected && !self.without_expect {
            // RFC 9110 10.1.1: the same again without the expectation.
            let why = "417: the server does not understand Expect, and is asked again without it";
            return Some((Self { without_expect: true, ..self.clone() }, why.to_owned()));
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
