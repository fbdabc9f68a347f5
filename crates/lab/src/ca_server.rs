//! The certification authorities' servers: certificates, lists of what was taken back, and who tells whether
//! a certificate is still good.

use crate::pki::{Pki, PkiError};
use crate::web_server::{options, service};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;
use glasstack_http::server::{self, Handler};
use glasstack_http::{Answer, HeaderValue, Method, Received, StatusCode, header};
use glasstack_journal::Clock;
use glasstack_stack::{Host, ListenError};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// RFC 2585 4.1.
const CERTIFICATE: &str = "application/pkix-cert";
/// RFC 2585 4.2.
const LIST: &str = "application/pkix-crl";
/// RFC 8555 9.1.
const PEM: &str = "application/pem-certificate-chain";
/// RFC 6960 C.1, C.2.
const OCSP_REQUEST: &str = "application/ocsp-request";
const OCSP_RESPONSE: &str = "application/ocsp-response";
/// How long an answer may be kept, in seconds: an hour for what changes daily, a day for what does not.
const AN_HOUR: u32 = 3600;
const A_DAY: u32 = 86_400;
/// The longest OCSP request that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Certificates (`/NAME.crt`, `/NAME.pem`) and lists (`/NAME.crl`).
pub(crate) fn start(host: &Host, pki: &Pki) -> Result<(), ListenError> {
    let pki = pki.clone();
    listen(host, Arc::new(move |request: Received| filed(&pki, &request).unwrap_or_else(failed)))
}

/// Lists alone.
pub(crate) fn start_lists(host: &Host, pki: &Pki) -> Result<(), ListenError> {
    let pki = pki.clone();
    let answer = move |request: Received| match request.path().ends_with(".crl") {
        true => filed(&pki, &request).unwrap_or_else(failed),
        false => Answer::not_found("here are lists alone, as /root.crl"),
    };
    listen(host, Arc::new(answer))
}

/// OCSP over HTTP (RFC 6960 A).
pub(crate) fn start_responder(host: &Host, pki: &Pki) -> Result<(), ListenError> {
    listen(host, Arc::new(Responder { pki: pki.clone(), clock: Arc::clone(host.scope().clock()) }))
}

fn listen(host: &Host, handler: Arc<dyn Handler>) -> Result<(), ListenError> {
    let http = service(host, "http", 80)?;
    http.host.spawn(server::listen(http.host.clone(), http.listener, handler, options()));
    Ok(())
}

/// A file of an authority's.
fn filed(pki: &Pki, request: &Received) -> Result<Answer, PkiError> {
    let path = request.path().trim_start_matches('/');
    let found = match path.rsplit_once('.') {
        Some((name, "crl")) => pki.list(name)?.map(|list| (LIST, list.der, AN_HOUR)),
        Some((name, "crt")) => pki.authority(name)?.map(|der| (CERTIFICATE, der, A_DAY)),
        Some((name, "pem")) => pki.authority_pem(name)?.map(|pem| (PEM, pem.into_bytes(), A_DAY)),
        _ => None,
    };
    Ok(match found {
        Some((media_type, bytes, keep)) => kept(request, media_type, bytes, keep),
        None => {
            let names = pki.authorities().collect::<Vec<_>>().join(", ");
            Answer::not_found(format!("there is no /{path}; there are .crt, .pem and .crl of {names}"))
        }
    })
}

/// Answers questions about certificates. What it answers to POST is for who asked, what to GET is for
/// everybody (RFC 5019 5).
struct Responder {
    pki: Pki,
    clock: Arc<dyn Clock>,
}

impl Handler for Responder {
    fn handle(&self, mut request: Received) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let question = match request.method {
                Method::POST => {
                    let media_type = request.headers.get(header::CONTENT_TYPE);
                    if media_type.is_none_or(|given| given.as_bytes() != OCSP_REQUEST.as_bytes()) {
                        return refused(
                            StatusCode::UNSUPPORTED_MEDIA_TYPE,
                            &format!("POST {OCSP_REQUEST}, as RFC 6960 A.1 has it"),
                        );
                    }
                    match request.body.read_all(LONGEST).await {
                        Ok(body) => body.to_vec(),
                        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
                    }
                }
                Method::GET => match in_path(request.path()) {
                    Some(question) => question,
                    None => {
                        return refused(
                            StatusCode::BAD_REQUEST,
                            "no OCSP request in base64 stands in the path",
                        );
                    }
                },
                _ => return refused(StatusCode::METHOD_NOT_ALLOWED, "OCSP is asked by GET or POST"),
            };
            match self.pki.answer(&question, self.clock.wall()) {
                Err(error) => failed(error),
                Ok(answer) if request.method == Method::GET => kept(&request, OCSP_RESPONSE, answer, AN_HOUR),
                Ok(answer) => Answer::ok(OCSP_RESPONSE, answer)
                    .with_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            }
        })
    }
}

/// RFC 6960 A.1: the base64 of the request, percent-encoded, behind the responder's own path.
fn in_path(path: &str) -> Option<Vec<u8>> {
    let text = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    STANDARD.decode(text.as_bytes()).ok().filter(|question| !question.is_empty())
}

/// With what caches need (RFC 5019 6.2, RFC 9111 5.2.2): for how many seconds, and whether it has changed.
fn kept(request: &Received, media_type: &'static str, bytes: Vec<u8>, seconds: u32) -> Answer {
    let hash = Sha256::digest(&bytes);
    let tag: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::try_from(format!("\"{tag}\"")).ok();
    let is_known = tag.is_some() && request.headers.get(header::IF_NONE_MATCH) == tag.as_ref();
    let answer = match is_known {
        true => Answer::new(StatusCode::NOT_MODIFIED, "it has not changed"),
        false => Answer::ok(media_type, bytes),
    };
    let keep =
        HeaderValue::try_from(format!("max-age={seconds}, public, no-transform, must-revalidate")).ok();
    let fields = [(header::ETAG, tag), (header::CACHE_CONTROL, keep)];
    fields.into_iter().fold(answer, |answer, (name, value)| match value {
        Some(value) => answer.with_header(name, value),
        None => answer,
    })
}

fn refused(status: StatusCode, why: &str) -> Answer {
    Answer::text(status, why, format!("{why}\n"))
}

fn failed(error: PkiError) -> Answer {
    refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_the_path_may_have_its_base64_escaped() {
        // RFC 6960 A.1. 0xfb 0xff is "+/8=".
        assert_eq!(in_path("/%2B%2F8%3D"), Some(vec![0xfb, 0xff]));
        assert_eq!(in_path("/+/8="), Some(vec![0xfb, 0xff]));
        assert_eq!(in_path("/"), None);
        assert_eq!(in_path("/?"), None);
    }
}
