//! Lists of revoked certificates (CRLs, RFC 5280 5).

use super::certificate::due;
use super::extensions;
use super::facts::{Fact, Facts};
use super::names::{algorithm, distinguished};
use super::{Read, time};
use crate::certificate::rfc3339;
use crate::der::{self, Reader};
use crate::digest;

/// A list, at a time in seconds since the Unix epoch.
pub(crate) fn list(der: &[u8], now: i64) -> Read<Facts> {
    const WHAT: &str = "the revocation list";
    let mut fields = Reader::lenient(der).whole(WHAT)?.inside();
    let mut signed = fields.sequence("what is signed")?;
    let signature = algorithm(fields.sequence("the signature's algorithm")?)?;
    let version = match signed.optional(der::INTEGER, "the version")? {
        Some(version) => version.number("the version")?,
        None => 0,
    };
    signed.sequence("the signature's algorithm")?;
    let issuer = signed.read(der::SEQUENCE, "the issuer")?;
    let mut facts = Facts::default().with("version", Fact::Number(version.saturating_add(1)));
    facts.push("issuer", Fact::text(distinguished(issuer)?));
    facts.push("this_update", Fact::text(rfc3339(time(signed.any("thisUpdate")?, "thisUpdate")?)));
    if matches!(signed.peek(), Some(der::UTC_TIME | der::GENERALIZED_TIME)) {
        let next = time(signed.any("nextUpdate")?, "nextUpdate")?;
        facts.push("next_update", Fact::aside(rfc3339(next), due(next, now)));
    }
    facts.push("signature", Fact::text(signature));
    facts.push("sha256", Fact::bytes(&digest::sha256(der)));
    let revoked = signed.optional(der::SEQUENCE, "the revoked certificates")?;
    if let Some(list) = signed.optional(der::constructed(0), "the extensions")? {
        let mut list = list.inside();
        facts.push("extensions", extensions::all(list.sequence("the extensions")?)?);
    }
    let mut entries = Vec::new();
    if let Some(revoked) = revoked {
        let mut revoked = revoked.inside();
        while !revoked.is_empty() {
            entries.push(Fact::Facts(entry(revoked.sequence("a revoked certificate")?)?));
        }
    }
    facts.push_silent("count", Fact::Number(entries.len() as u64));
    facts.push("revoked", Fact::List(entries));
    Ok(facts)
}

fn entry(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "a revoked certificate";
    let serial = fields.read(der::INTEGER, WHAT)?;
    let at = time(fields.any(WHAT)?, WHAT)?;
    let mut facts =
        Facts::default().with("serial", Fact::serial(serial.contents)).with("at", Fact::text(rfc3339(at)));
    let Some(own) = fields.optional(der::SEQUENCE, WHAT)? else { return Ok(facts) };
    let Fact::List(own) = extensions::all(own.inside())? else { return Ok(facts) };
    for extension in own {
        match extension {
            // What everybody says is said in a word.
            Fact::Extension(extension) if !extension.critical && extension.name.is_some() => {
                facts.push(extension.name.unwrap_or_default(), extension.value);
            }
            other => facts.push("extension", other),
        }
    }
    Ok(facts)
}
