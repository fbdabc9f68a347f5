//! Questions about revocation and the answers to them (OCSP, RFC 6960 4).

use super::certificate::{certificate, due, or_why};
use super::extensions;
use super::facts::{Fact, Facts};
use super::names::{algorithm, distinguished, general, hash, named};
use super::{Read, time};
use crate::certificate::rfc3339;
use crate::der::{self, Reader};
use crate::digest;

/// OCSPRequest (RFC 6960 4.1.1).
pub(crate) fn request(der: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the OCSP request";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let mut asked = fields.sequence(WHAT)?;
    let mut facts = Facts::default();
    asked.optional(der::constructed(0), "the version")?;
    if let Some(name) = asked.optional(der::constructed(1), "the requestor's name")? {
        facts.push("requestor", Fact::Facts(general(name.inside().any("the requestor's name")?, false)?));
    }
    let mut list = Vec::new();
    let mut requests = asked.sequence("the certificates asked about")?;
    while !requests.is_empty() {
        let mut request = requests.sequence("a certificate asked about")?;
        let mut about = certificate_id(request.sequence("a certificate's id")?)?;
        if let Some(own) = request.optional(der::constructed(0), "the extensions")? {
            let mut own = own.inside();
            about.push("extensions", extensions::all(own.sequence("the extensions")?)?);
        }
        list.push(Fact::Facts(about));
    }
    facts.push("about", Fact::List(list));
    if let Some(own) = asked.optional(der::constructed(2), "the extensions")? {
        let mut own = own.inside();
        facts.push("extensions", extensions::all(own.sequence("the extensions")?)?);
    }
    facts.push("signed", Fact::Truth(!fields.is_empty()));
    Ok(facts)
}

/// CertID.
fn certificate_id(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "a certificate's id";
    let kind = fields.sequence(WHAT)?.oid(WHAT)?;
    let name = hash(&kind);
    Ok(Facts::default()
        .with("hash", named(kind, name))
        .with("issuer_name_hash", Fact::bytes(fields.read(der::OCTET_STRING, WHAT)?.contents))
        .with("issuer_key_hash", Fact::bytes(fields.read(der::OCTET_STRING, WHAT)?.contents))
        .with("serial", Fact::serial(fields.read(der::INTEGER, WHAT)?.contents)))
}

/// OCSPResponse (RFC 6960 4.2.1), at a time in seconds since the Unix epoch.
pub(crate) fn response(der: &[u8], now: i64) -> Read<Facts> {
    const WHAT: &str = "the OCSP response";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let status = match fields.read(der::ENUMERATED, "the status")?.number("the status")? {
        0 => "successful".to_owned(),
        1 => "malformedRequest".to_owned(),
        2 => "internalError".to_owned(),
        3 => "tryLater".to_owned(),
        5 => "sigRequired".to_owned(),
        6 => "unauthorized".to_owned(),
        other => format!("status {other}"),
    };
    let facts = Facts::default().with("status", Fact::text(status));
    let Some(bytes) = fields.optional(der::constructed(0), WHAT)? else { return Ok(facts) };
    let mut bytes = bytes.inside().sequence(WHAT)?;
    let kind = bytes.oid(WHAT)?;
    let answer = bytes.read(der::OCTET_STRING, WHAT)?.contents;
    if kind != "1.3.6.1.5.5.7.48.1.1" {
        return Ok(facts.with("kind", Fact::text(kind)).with("bytes", Fact::bytes(answer)));
    }
    Ok(facts.joined(basic(answer, now)?))
}

/// BasicOCSPResponse.
pub(crate) fn basic(der: &[u8], now: i64) -> Read<Facts> {
    const WHAT: &str = "the OCSP answer";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let mut data = fields.sequence("what is signed")?;
    let signature = algorithm(fields.sequence("the signature's algorithm")?)?;
    fields.read(der::BIT_STRING, "the signature")?;
    data.optional(der::constructed(0), "the version")?;
    let responder = data.any("the responder")?;
    let inner = responder.inside().any("the responder")?;
    let responder = match responder.tag & 0x1f {
        1 => Facts::default().with("name", Fact::text(distinguished(inner)?)),
        _ => Facts::default().with("key_hash", Fact::bytes(inner.contents)),
    };
    let produced = time(data.any("producedAt")?, "producedAt")?;
    let mut facts = Facts::default()
        .with("responder", Fact::Facts(responder))
        .with("produced_at", Fact::text(rfc3339(produced)))
        .with("signature", Fact::text(signature))
        .with("sha256", Fact::bytes(&digest::sha256(der)));
    let mut answers = Vec::new();
    let mut singles = data.sequence("the answers")?;
    while !singles.is_empty() {
        answers.push(Fact::Facts(single(singles.sequence("an answer")?, now)?));
    }
    facts.push("answers", Fact::List(answers));
    if let Some(own) = data.optional(der::constructed(1), "the extensions")? {
        let mut own = own.inside();
        facts.push("extensions", extensions::all(own.sequence("the extensions")?)?);
    }
    if let Some(certificates) = fields.optional(der::constructed(0), "the certificates")? {
        let mut certificates = certificates.inside().sequence("the certificates")?;
        let mut list = Vec::new();
        while !certificates.is_empty() {
            list.push(or_why(certificate(certificates.any("a certificate")?.whole, now)));
        }
        facts.push("certificates", Fact::List(list));
    }
    Ok(facts)
}

/// SingleResponse.
fn single(mut fields: Reader<'_>, now: i64) -> Read<Facts> {
    const WHAT: &str = "an answer";
    let id = certificate_id(fields.sequence("a certificate's id")?)?;
    let status = fields.any("the certificate's status")?;
    let mut facts = Facts::default();
    match status.tag & 0x1f {
        0 => facts.push("status", Fact::text("good")),
        1 => {
            let mut revoked = status.inside();
            facts.push("status", Fact::text("revoked"));
            facts.push("revoked_at", Fact::text(rfc3339(time(revoked.any(WHAT)?, WHAT)?)));
            if let Some(reason) = revoked.optional(der::constructed(0), WHAT)? {
                let code = reason.inside().read(der::ENUMERATED, WHAT)?.number(WHAT)?;
                facts.push("reason", Fact::text(extensions::reason(code)));
            }
        }
        _ => facts.push("status", Fact::text("unknown")),
    }
    facts.push("this_update", Fact::text(rfc3339(time(fields.any("thisUpdate")?, "thisUpdate")?)));
    if let Some(next) = fields.optional(der::constructed(0), "nextUpdate")? {
        let next = time(next.inside().any("nextUpdate")?, "nextUpdate")?;
        facts.push("next_update", Fact::aside(rfc3339(next), due(next, now)));
    }
    let mut facts = facts.joined(id);
    if let Some(own) = fields.optional(der::constructed(1), "the extensions")? {
        let mut own = own.inside();
        facts.push("extensions", extensions::all(own.sequence("the extensions")?)?);
    }
    Ok(facts)
}
