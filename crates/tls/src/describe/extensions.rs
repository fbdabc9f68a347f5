//! What extensions say (RFC 5280 4.2, 5.2 and 5.3, and others as named below): each known one decoded,
//! any other in hex.

use super::facts::{Extension, Fact, Facts, harmless};
use super::names::{general, generals, named, policy, purpose, relative};
use super::sct;
use super::{Read, time, unreadable};
use crate::certificate::rfc3339;
use crate::der::{self, Element, Reader, oid};

/// Extensions ::= SEQUENCE OF Extension; none is one too many here: who checks does not only look.
pub(crate) fn all(mut extensions: Reader<'_>) -> Read<Fact> {
    let mut list = Vec::new();
    while !extensions.is_empty() {
        list.push(Fact::Extension(Box::new(one(extensions.sequence("an extension")?)?)));
    }
    Ok(Fact::List(list))
}

fn one(mut fields: Reader<'_>) -> Read<Extension> {
    const WHAT: &str = "an extension";
    let oid = fields.oid(WHAT)?;
    let critical = match fields.optional(der::BOOLEAN, WHAT)? {
        Some(critical) => critical.truth(WHAT)?,
        None => false,
    };
    let content = fields.read(der::OCTET_STRING, WHAT)?.contents;
    let name = name(&oid);
    let value = match name.map(|name| value(name, content)) {
        Some(Ok(Some(fact))) => fact,
        Some(Err(why)) => Fact::Facts(
            Facts::default()
                .with("unreadable", Fact::text(why.to_string()))
                .with("bytes", Fact::bytes(content)),
        ),
        Some(Ok(None)) | None => Fact::bytes(content),
    };
    Ok(Extension { oid, name, critical, value })
}

/// The extension's name; [`value`] goes by it.
fn name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.29.9" => "subject_directory_attributes",
        "2.5.29.14" => "subject_key_identifier",
        "2.5.29.15" => "key_usage",
        "2.5.29.16" => "private_key_usage_period",
        "2.5.29.17" => "subject_alternative_name",
        "2.5.29.18" => "issuer_alternative_name",
        "2.5.29.19" => "basic_constraints",
        "2.5.29.20" => "crl_number",
        "2.5.29.21" => "reason_code",
        "2.5.29.24" => "invalidity_date",
        "2.5.29.27" => "delta_crl_indicator",
        "2.5.29.28" => "issuing_distribution_point",
        "2.5.29.29" => "certificate_issuer",
        "2.5.29.30" => "name_constraints",
        "2.5.29.31" => "crl_distribution_points",
        "2.5.29.32" => "certificate_policies",
        "2.5.29.33" => "policy_mappings",
        "2.5.29.35" => "authority_key_identifier",
        "2.5.29.36" => "policy_constraints",
        "2.5.29.37" => "extended_key_usage",
        "2.5.29.46" => "freshest_crl",
        "2.5.29.54" => "inhibit_any_policy",
        "1.3.6.1.5.5.7.1.1" => "authority_information_access",
        "1.3.6.1.5.5.7.1.3" => "qualified_certificate_statements",
        "1.3.6.1.5.5.7.1.11" => "subject_information_access",
        "1.3.6.1.5.5.7.1.24" => "tls_feature",
        "1.3.6.1.5.5.7.1.31" => "acme_identifier",
        "1.3.6.1.5.5.7.48.1.2" => "ocsp_nonce",
        "1.3.6.1.5.5.7.48.1.4" => "ocsp_acceptable_responses",
        "1.3.6.1.5.5.7.48.1.5" => "ocsp_no_check",
        "1.3.6.1.5.5.7.48.1.6" => "ocsp_archive_cutoff",
        "1.3.6.1.5.5.7.48.1.7" => "ocsp_service_locator",
        "1.3.6.1.5.5.7.48.1.8" => "ocsp_preferred_signature_algorithms",
        "1.3.6.1.4.1.11129.2.4.2" => "signed_certificate_timestamps",
        "1.3.6.1.4.1.11129.2.4.3" => "precertificate_poison",
        "1.3.6.1.4.1.11129.2.4.5" => "signed_certificate_timestamps_by_ocsp",
        "2.16.840.1.113730.1.1" => "netscape_certificate_type",
        "2.16.840.1.113730.1.13" => "netscape_comment",
        "1.3.6.1.4.1.311.20.2" => "microsoft_certificate_template_name",
        "1.3.6.1.4.1.311.21.1" => "microsoft_ca_version",
        "1.3.6.1.4.1.311.21.7" => "microsoft_certificate_template",
        "1.3.6.1.4.1.311.21.10" => "microsoft_application_policies",
        _ => return None,
    })
}

/// What a known one says; none where the name is all that is known.
fn value(name: &'static str, content: &[u8]) -> Read<Option<Fact>> {
    let value = || Reader::lenient(content).whole(name);
    Ok(Some(match name {
        "subject_key_identifier" | "ocsp_nonce" => match value() {
            Ok(value) if value.tag == der::OCTET_STRING => Fact::bytes(value.contents),
            // RFC 8954 2.1: older nonces are bare bytes.
            _ if name == "ocsp_nonce" => Fact::bytes(content),
            _ => return unreadable(name, "it is no OCTET STRING"),
        },
        "authority_key_identifier" => authority_key(sequence(content, name)?)?,
        "key_usage" => bits(value()?, name, KEY_USAGE)?,
        "netscape_certificate_type" => bits(value()?, name, NETSCAPE_TYPES)?,
        "subject_alternative_name" | "issuer_alternative_name" | "certificate_issuer" => {
            Fact::List(generals(sequence(content, name)?, false)?)
        }
        "basic_constraints" => basic_constraints(sequence(content, name)?)?,
        "crl_number" | "delta_crl_indicator" => integer(value()?, name)?,
        "inhibit_any_policy" => Fact::Number(value()?.number(name)?),
        "reason_code" => Fact::text(reason(value()?.number(name)?)),
        "invalidity_date" | "ocsp_archive_cutoff" => Fact::text(rfc3339(time(value()?, name)?)),
        "private_key_usage_period" => period(sequence(content, name)?)?,
        "issuing_distribution_point" => issuing_point(sequence(content, name)?)?,
        "crl_distribution_points" | "freshest_crl" => {
            each(sequence(content, name)?, name, distribution_point)?
        }
        "name_constraints" => name_constraints(sequence(content, name)?)?,
        "certificate_policies" | "microsoft_application_policies" => {
            each(sequence(content, name)?, name, policy_information)?
        }
        "policy_mappings" => each(sequence(content, name)?, name, policy_mapping)?,
        "policy_constraints" => policy_constraints(sequence(content, name)?)?,
        "extended_key_usage" => oids(sequence(content, name)?, name, purpose)?,
        "ocsp_acceptable_responses" => {
            oids(sequence(content, name)?, name, |oid| (oid == "1.3.6.1.5.5.7.48.1.1").then_some("basic"))?
        }
        "authority_information_access" | "subject_information_access" => {
            each(sequence(content, name)?, name, access)?
        }
        "tls_feature" => features(sequence(content, name)?)?,
        "ocsp_no_check" => Fact::text("the responder's own certificate need not be checked for revocation"),
        "precertificate_poison" => Fact::text("this was made for the logs alone, and is no certificate"),
        "signed_certificate_timestamps" | "signed_certificate_timestamps_by_ocsp" => {
            sct::list(value()?.contents)?
        }
        "acme_identifier" => Fact::bytes(value()?.contents),
        "netscape_comment" | "microsoft_certificate_template_name" => match value()?.text() {
            Some(text) => Fact::text(harmless(&text)),
            None => return unreadable(name, "it is no text"),
        },
        _ => return Ok(None),
    }))
}

fn sequence<'a>(content: &'a [u8], what: &'static str) -> Read<Reader<'a>> {
    let mut values = Reader::lenient(content);
    let inside = values.sequence(what)?;
    values.end(what)?;
    Ok(inside)
}

fn each(mut values: Reader<'_>, what: &'static str, one: impl Fn(Reader<'_>) -> Read<Facts>) -> Read<Fact> {
    let mut list = Vec::new();
    while !values.is_empty() {
        list.push(Fact::Facts(one(values.sequence(what)?)?));
    }
    Ok(Fact::List(list))
}

fn oids(mut values: Reader<'_>, what: &'static str, name: fn(&str) -> Option<&'static str>) -> Read<Fact> {
    let mut list = Vec::new();
    while !values.is_empty() {
        let oid = values.oid(what)?;
        // What everybody calls by name needs no number beside it.
        list.push(Fact::text(name(&oid).map_or(oid, str::to_owned)));
    }
    Ok(Fact::List(list))
}

/// RFC 5280 4.2.1.3.
const KEY_USAGE: &[&str] = &[
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
];

const NETSCAPE_TYPES: &[&str] =
    &["sslClient", "sslServer", "smime", "objectSigning", "reserved", "sslCA", "smimeCA", "objectSigningCA"];

/// RFC 5280 4.2.1.13.
const REASONS: &[&str] = &[
    "unused",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
];

fn bits(value: Element<'_>, what: &'static str, names: &[&'static str]) -> Read<Fact> {
    let named = |bit: usize| names.get(bit).map_or_else(|| format!("bit {bit}"), |name| (*name).to_owned());
    let set = value.named_bits(what)?;
    let bits = (0..64).filter(|bit| set >> bit & 1 == 1);
    Ok(Fact::List(bits.map(|bit| Fact::text(named(bit))).collect()))
}

/// An INTEGER of any size: as a number where it is small.
fn integer(value: Element<'_>, what: &'static str) -> Read<Fact> {
    Ok(value.number(what).map_or_else(|_| Fact::bytes(value.contents), Fact::Number))
}

/// RFC 5280 5.3.1.
pub(crate) fn reason(code: u64) -> String {
    match code {
        0 => "unspecified",
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        6 => "certificateHold",
        8 => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        other => return format!("reason {other}"),
    }
    .to_owned()
}

/// RFC 5280 4.2.1.1.
fn authority_key(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "authority_key_identifier";
    let mut facts = Facts::default();
    if let Some(id) = fields.optional(der::primitive(0), WHAT)? {
        facts.push("key_id", Fact::bytes(id.contents));
    }
    if let Some(issuer) = fields.optional(der::constructed(1), WHAT)? {
        facts.push("issuer", Fact::List(generals(issuer.inside(), false)?));
    }
    if let Some(serial) = fields.optional(der::primitive(2), WHAT)? {
        facts.push("serial", Fact::serial(serial.contents));
    }
    Ok(Fact::Facts(facts))
}

/// RFC 5280 4.2.1.9.
fn basic_constraints(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "basic_constraints";
    let ca = match fields.optional(der::BOOLEAN, WHAT)? {
        Some(ca) => ca.truth(WHAT)?,
        None => false,
    };
    let mut facts = Facts::default().with("ca", Fact::Truth(ca));
    if let Some(length) = fields.optional(der::INTEGER, WHAT)? {
        facts.push("path_length", Fact::Number(length.number(WHAT)?));
    }
    Ok(Fact::Facts(facts))
}

fn period(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "private_key_usage_period";
    let mut facts = Facts::default();
    for (number, name) in [(0, "not_before"), (1, "not_after")] {
        if let Some(at) = fields.optional(der::primitive(number), WHAT)? {
            let at = time(at.implicitly(der::GENERALIZED_TIME), WHAT)?;
            facts.push(name, Fact::text(rfc3339(at)));
        }
    }
    Ok(Fact::Facts(facts))
}

/// RFC 5280 4.2.1.13.
fn distribution_point(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "a distribution point";
    let mut facts = Facts::default();
    if let Some(point) = fields.optional(der::constructed(0), WHAT)? {
        point_name(point, &mut facts)?;
    }
    if let Some(reasons) = fields.optional(der::primitive(1), WHAT)? {
        facts.push("reasons", bits(reasons, WHAT, REASONS)?);
    }
    if let Some(issuer) = fields.optional(der::constructed(2), WHAT)? {
        facts.push("crl_issuer", Fact::List(generals(issuer.inside(), false)?));
    }
    Ok(facts)
}

fn point_name(point: Element<'_>, facts: &mut Facts) -> Read<()> {
    const WHAT: &str = "a distribution point's name";
    let name = point.inside().any(WHAT)?;
    if name.tag == der::constructed(1) {
        facts.push("relative_to_issuer", Fact::text(relative(name)?));
        return Ok(());
    }
    let mut names = name.inside();
    while !names.is_empty() {
        *facts = std::mem::take(facts).joined(general(names.any(WHAT)?, false)?);
    }
    Ok(())
}

/// RFC 5280 5.2.5.
fn issuing_point(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "issuing_distribution_point";
    let mut facts = Facts::default();
    if let Some(point) = fields.optional(der::constructed(0), WHAT)? {
        point_name(point, &mut facts)?;
    }
    for (number, name) in [(1, "only_user_certificates"), (2, "only_ca_certificates")] {
        if let Some(only) = fields.optional(der::primitive(number), WHAT)? {
            facts.push(name, Fact::Truth(only.truth(WHAT)?));
        }
    }
    if let Some(reasons) = fields.optional(der::primitive(3), WHAT)? {
        facts.push("only_some_reasons", bits(reasons, WHAT, REASONS)?);
    }
    for (number, name) in [(4, "indirect"), (5, "only_attribute_certificates")] {
        if let Some(only) = fields.optional(der::primitive(number), WHAT)? {
            facts.push(name, Fact::Truth(only.truth(WHAT)?));
        }
    }
    Ok(Fact::Facts(facts))
}

/// RFC 5280 4.2.1.10; minimum and maximum are always 0 and absent there.
fn name_constraints(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "name_constraints";
    let mut facts = Facts::default();
    for (number, name) in [(0, "permitted"), (1, "excluded")] {
        let Some(subtrees) = fields.optional(der::constructed(number), WHAT)? else { continue };
        facts.push(name, each(subtrees.inside(), WHAT, |mut subtree| general(subtree.any(WHAT)?, true))?);
    }
    Ok(Fact::Facts(facts))
}

/// RFC 5280 4.2.1.4.
fn policy_information(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "a policy";
    let oid = fields.oid(WHAT)?;
    let mut facts = Facts::default();
    match policy(&oid) {
        Some(name) => {
            facts.push("policy", Fact::aside(name, oid.clone()));
            facts.push_silent("oid", Fact::text(oid));
        }
        None => facts.push("oid", Fact::text(oid)),
    }
    if let Some(qualifiers) = fields.optional(der::SEQUENCE, WHAT)? {
        let mut qualifiers = qualifiers.inside();
        while !qualifiers.is_empty() {
            let mut qualifier = qualifiers.sequence(WHAT)?;
            let kind = qualifier.oid(WHAT)?;
            let value = qualifier.any(WHAT)?;
            match (kind.as_str(), value.text()) {
                ("1.3.6.1.5.5.7.2.1", Some(uri)) => facts.push("statement", Fact::strange(&uri)),
                ("1.3.6.1.5.5.7.2.2", _) => facts.push("notice", notice(value)?),
                _ => facts.push("qualifier", Fact::bytes(value.whole)),
            }
        }
    }
    Ok(facts)
}

fn notice(value: Element<'_>) -> Read<Fact> {
    let mut fields = value.inside();
    while !fields.is_empty() {
        let field = fields.any("a policy's notice")?;
        if let Some(text) = field.text() {
            return Ok(Fact::text(harmless(&text)));
        }
    }
    Ok(Fact::bytes(value.contents))
}

fn policy_mapping(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "a policy's mapping";
    let (theirs, ours) = (fields.oid(WHAT)?, fields.oid(WHAT)?);
    let fact = |oid: String| {
        let name = policy(&oid);
        named(oid, name)
    };
    Ok(Facts::default().with("issuer_policy", fact(theirs)).with("subject_policy", fact(ours)))
}

fn policy_constraints(mut fields: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "policy_constraints";
    let mut facts = Facts::default();
    for (number, name) in [(0, "require_explicit_policy_after"), (1, "inhibit_mapping_after")] {
        if let Some(skip) = fields.optional(der::primitive(number), WHAT)? {
            facts.push(name, Fact::Number(skip.number(WHAT)?));
        }
    }
    Ok(Fact::Facts(facts))
}

/// RFC 5280 4.2.2.1 and 4.2.2.2.
fn access(mut fields: Reader<'_>) -> Read<Facts> {
    const WHAT: &str = "an access description";
    let method = oid(fields.read(der::OID, WHAT)?.contents)?;
    let name = match method.as_str() {
        "1.3.6.1.5.5.7.48.1" => Some("ocsp"),
        "1.3.6.1.5.5.7.48.2" => Some("issuer_certificate"),
        "1.3.6.1.5.5.7.48.3" => Some("time_stamping"),
        "1.3.6.1.5.5.7.48.5" => Some("ca_repository"),
        _ => None,
    };
    let location = general(fields.any(WHAT)?, false)?;
    Ok(match (name, location.get("uri")) {
        (Some(name), Some(uri)) => Facts::default().with(name, uri.clone()),
        (Some(name), None) => Facts::default().with(name, Fact::Facts(location)),
        (None, _) => Facts::default().with("method", Fact::text(method)).joined(location),
    })
}

/// RFC 7633 4.2.1.
fn features(mut values: Reader<'_>) -> Read<Fact> {
    const WHAT: &str = "tls_feature";
    let mut list = Vec::new();
    while !values.is_empty() {
        list.push(match values.read(der::INTEGER, WHAT)?.number(WHAT)? {
            5 => Fact::aside("status_request", "must-staple: the server must show an OCSP answer"),
            17 => Fact::aside("status_request_v2", "the server must show several OCSP answers"),
            other => Fact::Number(other),
        });
    }
    Ok(Fact::List(list))
}
