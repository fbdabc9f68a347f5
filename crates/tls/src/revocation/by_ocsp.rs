//! A certificate against OCSP answers (RFC 6960 3.2).

use super::facts::Facts;
use super::judge::{Subject, Weighed, name};
use super::known::{Found, Origin};
use super::ocsp::{Asked, Basic, Responder, Response, Single, Status};
use super::problem::Cause;
use crate::certificate::rfc3339;
use crate::der;
use crate::der::Algorithms;

/// How far the responder's clock may be from ours, in seconds: 5 minutes, as openssl has it.
pub const SKEW: i64 = 300;
/// How long an answer is good that does not say so, in seconds: a day. By RFC 6960 4.2.2.1 a newer one
/// is then to be had at any time.
pub const UNDATED: i64 = 86_400;

/// What the answers say together of one certificate: a "revoked" wins, then a "good".
pub(crate) fn weigh(
    subject: &Subject<'_>,
    answers: &[Found],
    must_repeat: bool,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Weighed {
    let mut good = None;
    let mut obstacle = None;
    for found in answers.iter().filter(|found| found.about.is_none_or(|about| about == subject.index)) {
        match weigh_one(subject, found, must_repeat, algorithms, now) {
            Ok(evidence) => {
                good.get_or_insert(evidence);
            }
            Err(cause @ Cause::RevokedByOcsp { .. }) => return Weighed::Bad(cause),
            // One that was given, or remembered, may be about another certificate of the path.
            Err(Cause::OcspWrongCertificate { .. }) if found.about.is_none() => {}
            Err(cause) => {
                obstacle.get_or_insert(cause);
            }
        }
    }
    match (good, obstacle) {
        (Some(evidence), _) => Weighed::Good(evidence),
        (None, Some(cause)) => Weighed::Bad(cause),
        (None, None) => Weighed::Nothing,
    }
}

/// How one answer tells that the certificate is good.
pub(crate) fn weigh_one(
    subject: &Subject<'_>,
    found: &Found,
    must_repeat: bool,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Result<String, Cause> {
    let origin = &found.origin;
    let unlabelled = || format!("the OCSP answer ({origin})");
    let malformed =
        |error: super::DerError| Cause::OcspMalformed { answer: unlabelled(), why: error.to_string() };
    let basic = match Response::read(&found.der).map_err(malformed)? {
        Response::Basic(basic) => basic,
        Response::Refused(status, meaning) => {
            return Err(Cause::OcspRefused { answer: unlabelled(), status, meaning });
        }
    };
    // 3.2 (1)
    let asked = subject.asked();
    let Some(single) = basic.about(&asked).map_err(malformed)? else {
        return Err(Cause::OcspWrongCertificate { answer: unlabelled() });
    };
    let label = label(&basic, &single, &origin.to_string());
    // 3.2 (2), (3), (4)
    let signer = authorize(subject, &basic, &label, algorithms, now)?;
    if let Some(oid) = basic.not_understood.or(single.not_understood) {
        return Err(Cause::OcspCritical { answer: label, extension: der::dotted(oid) });
    }
    // Who gives an answer vouches for it himself.
    let must_repeat = must_repeat && *origin != Origin::Given;
    repeated(found.nonce.as_deref(), basic.nonce, must_repeat)
        .map_err(|why| Cause::OcspNonce { answer: label.clone(), why })?;
    // 3.2 (5), (6)
    in_time(&single, &label, now)?;
    match single.status {
        Status::Good => {
            let serial = der::hex(subject.facts.serial);
            Ok(format!("{label}, {signer}, says \"good\" of serial 0x{serial}"))
        }
        Status::Revoked { since, reason } => Err(Cause::RevokedByOcsp { answer: label, since, reason }),
        Status::Unknown => Err(Cause::OcspUnknown { answer: label }),
    }
}

/// RFC 6960 4.2.2.2: signed by the issuer, or by whom the issuer has authorized. How it was, in words.
fn authorize(
    subject: &Subject<'_>,
    basic: &Basic<'_>,
    label: &str,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Result<String, Cause> {
    let answer = || label.to_owned();
    let unsigned = |why| Cause::OcspBadSignature { answer: label.to_owned(), why };
    let (issuer, key) = (&subject.link.issuer, &subject.link.issuer_key);
    let by_issuer = basic.responder.is(issuer, key);
    if by_issuer && basic.signed.verify(key, algorithms).is_ok() {
        return Ok("signed by the issuer itself".to_owned());
    }
    let mut why_not = None;
    for certificate in &basic.certificates {
        let Ok(facts) = Facts::read(certificate) else {
            why_not.get_or_insert_with(|| "its certificate cannot be read".to_owned());
            continue;
        };
        if !basic.responder.is(facts.subject, facts.key) || facts.key == *key {
            continue;
        }
        match delegated(subject, &facts, algorithms, now) {
            Ok(words) => {
                basic.signed.verify(facts.key, algorithms).map_err(unsigned)?;
                return Ok(words);
            }
            Err(why) => drop(why_not.get_or_insert(why)),
        }
    }
    if by_issuer && why_not.is_none() {
        return basic.signed.verify(key, algorithms).map_err(unsigned).map(|()| String::new());
    }
    let why = why_not.unwrap_or_else(|| {
        "it is not the issuer, and shows no certificate of its own from the issuer".to_owned()
    });
    Err(Cause::OcspResponderNotAuthorized { answer: answer(), why })
}

/// RFC 6960 4.2.2.2: a responder whose certificate was issued for that by the very CA.
fn delegated(
    subject: &Subject<'_>,
    facts: &Facts<'_>,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Result<String, String> {
    let who = name(facts.subject);
    if facts.issuer != subject.link.issuer
        || facts.signed.verify(&subject.link.issuer_key, algorithms).is_err()
    {
        return Err(format!("the certificate of {who} was not issued by the certificate's own issuer"));
    }
    if !facts.signs_ocsp {
        return Err(format!("the extended key usage of {who} lacks OCSPSigning"));
    }
    if now < facts.not_before || now > facts.not_after {
        return Err(format!(
            "the certificate of {who} is valid from {} to {}, and it is now {}",
            rfc3339(facts.not_before),
            rfc3339(facts.not_after),
            rfc3339(now)
        ));
    }
    // 4.2.2.2.1
    let own = if facts.unchecked {
        "which the issuer lets pass unchecked (nocheck)"
    } else {
        "whose own revocation is not checked"
    };
    Ok(format!("signed by {who}, authorized by the issuer, {own}"))
}

/// RFC 9654 2.1: a nonce that was sent comes back as it was, or (from who signs in advance) not at
/// all.
fn repeated(sent: Option<&[u8]>, came: Option<&[u8]>, must_repeat: bool) -> Result<(), &'static str> {
    match (sent, came) {
        (Some(sent), Some(came)) if sent != came => {
            Err("has another nonce than the request: it answers another question, perhaps an old one")
        }
        (Some(_), None) if must_repeat => {
            Err("does not repeat the request's nonce, as is required: it may be an old one")
        }
        (None, _) if must_repeat => {
            Err("was not asked for with a nonce now, as is required: it may be an old one")
        }
        _ => Ok(()),
    }
}

/// RFC 6960 4.2.2.1.
fn in_time(single: &Single<'_>, label: &str, now: i64) -> Result<(), Cause> {
    let answer = || label.to_owned();
    if single.this_update > now.saturating_add(SKEW) {
        return Err(Cause::OcspNotYetValid { answer: answer(), this_update: single.this_update, now });
    }
    let until = single.until();
    if until.saturating_add(SKEW) < now {
        return Err(Cause::OcspStale { answer: answer(), until, now });
    }
    Ok(())
}

impl Single<'_> {
    /// Until when it is good (Unix seconds).
    pub(crate) fn until(&self) -> i64 {
        self.next_update.unwrap_or_else(|| self.this_update.saturating_add(UNDATED))
    }
}

/// Until when what an answer says of the certificate is good (Unix seconds).
pub(crate) fn until(subject: &Subject<'_>, answer: &[u8]) -> Option<i64> {
    let Ok(Response::Basic(basic)) = Response::read(answer) else { return None };
    Some(basic.about(&subject.asked()).ok()??.until())
}

/// An answer by who made it, and when.
fn label(basic: &Basic<'_>, single: &Single<'_>, origin: &str) -> String {
    let who = match basic.responder {
        Responder::Name(own) => name(own),
        Responder::Key(hash) => format!("the responder with the key {}", der::hex(hash)),
    };
    let due = single.next_update.map(|due| format!(", good until {}", rfc3339(due))).unwrap_or_default();
    format!("the OCSP answer by {who}, of {}{due} ({origin})", rfc3339(single.this_update))
}

/// Whom to ask about: for requests and for the cache.
impl Subject<'_> {
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked { issuer: &self.link.issuer, issuer_key: &self.link.issuer_key, serial: self.facts.serial }
    }
}
