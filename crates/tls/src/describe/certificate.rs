//! Certificates (RFC 5280 4) and requests for them (RFC 2986).

use super::extensions;
use super::facts::{Fact, Facts};
use super::key;
use super::names::{algorithm, distinguished};
use super::{Read, time, unreadable};
use crate::certificate::rfc3339;
use crate::der::{self, Reader};
use crate::digest;

/// A certificate, at a time in seconds since the Unix epoch.
pub(crate) fn certificate(der: &[u8], now: i64) -> Read<Facts> {
    const WHAT: &str = "the certificate";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let mut signed = fields.sequence("what is signed")?;
    let signature = algorithm(fields.sequence("the signature's algorithm")?)?;
    let version = match signed.optional(der::constructed(0), "the version")? {
        Some(version) => version.inside().read(der::INTEGER, "the version")?.number("the version")?,
        None => 0,
    };
    let serial = signed.read(der::INTEGER, "the serial number")?;
    signed.sequence("the signature's algorithm")?;
    let issuer = signed.read(der::SEQUENCE, "the issuer")?;
    let mut validity = signed.sequence("the validity")?;
    let not_before = time(validity.any("notBefore")?, "notBefore")?;
    let not_after = time(validity.any("notAfter")?, "notAfter")?;
    let subject = signed.read(der::SEQUENCE, "the subject")?;
    let public_key = signed.read(der::SEQUENCE, "the public key")?;
    let (_issuer_id, _subject_id) =
        (signed.optional(0x81, "the issuer's id")?, signed.optional(0x82, "the subject's id")?);

    let mut facts = Facts::default().with("version", Fact::Number(version.saturating_add(1)));
    facts.push("subject", Fact::text(distinguished(subject)?));
    facts.push("issuer", self_or(distinguished(issuer)?, issuer.whole == subject.whole));
    facts.push("serial", Fact::serial(serial.contents));
    facts.push("not_before", Fact::aside(rfc3339(not_before), begun(not_before, now)));
    facts.push("not_after", Fact::aside(rfc3339(not_after), left(not_after, now)));
    let state = match (now < not_before, now > not_after) {
        (true, _) => "not_yet_valid",
        (_, true) => "expired",
        _ => "valid",
    };
    facts.push_silent("state", Fact::text(state));
    facts.push("key", or_why(key::public(public_key.whole)));
    facts.push("signature", Fact::text(signature));
    facts.push("sha1", Fact::bytes(&digest::sha1(der)));
    facts.push("sha256", Fact::bytes(&digest::sha256(der)));
    if let Some(list) = signed.optional(der::constructed(3), "the extensions")? {
        let mut list = list.inside();
        facts.push("extensions", extensions::all(list.sequence("the extensions")?)?);
    }
    Ok(facts)
}

/// Who asks for a certificate, and what for.
pub(crate) fn request(der: &[u8]) -> Read<Facts> {
    const WHAT: &str = "the certificate request";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let mut signed = fields.sequence("what is signed")?;
    let signature = algorithm(fields.sequence("the signature's algorithm")?)?;
    let version = signed.read(der::INTEGER, "the version")?.number("the version")?;
    let subject = signed.read(der::SEQUENCE, "the subject")?;
    let public_key = signed.read(der::SEQUENCE, "the public key")?;
    let mut facts = Facts::default().with("version", Fact::Number(version.saturating_add(1)));
    facts.push("subject", Fact::text(distinguished(subject)?));
    facts.push("key", or_why(key::public(public_key.whole)));
    facts.push("signature", Fact::text(signature));
    facts.push("sha256", Fact::bytes(&digest::sha256(der)));
    if let Some(attributes) = signed.optional(der::constructed(0), "the attributes")? {
        let mut attributes = attributes.inside();
        while !attributes.is_empty() {
            let (name, fact) = attribute(attributes.sequence("an attribute")?)?;
            facts.push(name, fact);
        }
    }
    Ok(facts)
}

/// RFC 2985 5.4.
fn attribute(mut fields: Reader<'_>) -> Read<(String, Fact)> {
    const WHAT: &str = "an attribute";
    let oid = fields.oid(WHAT)?;
    let mut values = fields.read(der::SET, WHAT)?.inside();
    match oid.as_str() {
        "1.2.840.113549.1.9.14" => {
            Ok(("requested_extensions".to_owned(), extensions::all(values.sequence(WHAT)?)?))
        }
        // It is a password.
        "1.2.840.113549.1.9.7" => Ok(("challenge_password".to_owned(), Fact::text("there is one"))),
        _ if values.is_empty() => unreadable(WHAT, format!("{oid} has no value")),
        _ => Ok((format!("attribute_{oid}"), Fact::bytes(values.any(WHAT)?.whole))),
    }
}

/// What a part says, or why it cannot be read: the rest may be readable all the same.
pub(crate) fn or_why(read: Read<Facts>) -> Fact {
    Fact::Facts(read.unwrap_or_else(|why| Facts::default().with("unreadable", Fact::text(why.to_string()))))
}

fn self_or(issuer: String, is_itself: bool) -> Fact {
    if is_itself { Fact::aside(issuer, "itself") } else { Fact::text(issuer) }
}

fn begun(time: i64, now: i64) -> String {
    if time > now { format!("it begins in {}", span(time, now)) } else { format!("{} ago", span(now, time)) }
}

/// Until a certificate ends.
fn left(time: i64, now: i64) -> String {
    if time < now { format!("it ended {} ago", span(now, time)) } else { format!("{} left", span(time, now)) }
}

/// Until the next list or answer is due.
pub(crate) fn due(time: i64, now: i64) -> String {
    if time < now { format!("overdue by {}", span(now, time)) } else { format!("{} left", span(time, now)) }
}

/// The time from `earlier` to `later`, roughly.
fn span(later: i64, earlier: i64) -> String {
    let seconds = later.saturating_sub(earlier);
    let (unit, length) = match seconds {
        0..120 => ("second", 1),
        120..7_200 => ("minute", 60),
        7_200..172_800 => ("hour", 3_600),
        172_800..63_072_000 => ("day", 86_400),
        _ => ("year", 31_556_952),
    };
    let count = seconds / length;
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
