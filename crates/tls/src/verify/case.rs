//! A case to judge as JSON: with the fields of C2SP's x509-limbo, and a few more.
//!
//! | field | meaning |
//! |---|---|
//! | `id` | repeated in the answer |
//! | `validation_kind`, `purpose` | `SERVER` or `CLIENT`, in any case; a server's if absent |
//! | `trusted_certs` | the roots, PEM; one that cannot be a root is told and left out |
//! | `untrusted_intermediates` | PEM, in any order |
//! | `peer_certificate` | PEM; or `chain`: the peer's own certificate and others, PEM |
//! | `validation_time`, `time` | RFC 3339, or seconds since 1970; now if absent |
//! | `expected_peer_name`, `expected_peer_names` | `{"kind": "DNS" or "IP" or "RFC822", "value": ...}`; the certificate must be for all of them |
//! | `name` | a host name or an IP address |
//! | `key_usage` | names of RFC 5280 4.2.1.3 that the peer's own certificate must have, if it says what it is for |
//! | `extended_key_usage` | names of RFC 5280 4.2.1.12, of which it must have one, if it says what it is for |
//! | `signature_algorithms` | the only ones to be used below the root (names as `ECDSA_WITH_SHA256`) |
//! | `max_chain_depth` | how many CAs may stand between the peer's own certificate and the root |
//! | `crls` | revocation lists, PEM: then every certificate below the root must be covered |
//! | `ocsp` | OCSP answers, DER in base64 |
//! | `strict` | enforces what is otherwise only told |
//!
//! All other fields (`features`, `expected_result`, `description` and so on) are passed over.

use super::judgement::{Check, Judgement};
use super::names::Name;
use super::usage::is_bit;
use super::{KeyPurpose, Purpose, Verifier};
use crate::problem::{CertificateProblem, Rule};
use crate::revocation::{RevocationConfig, RevocationLists};
use crate::trust::TrustStore;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_parser::time::ASN1Time;

/// One case, as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Case {
    /// What to call it.
    pub id: Option<String>,
    #[serde(alias = "purpose")]
    validation_kind: Option<String>,
    trusted_certs: Vec<String>,
    #[serde(deserialize_with = "some")]
    untrusted_intermediates: Vec<String>,
    peer_certificate: Option<String>,
    chain: Option<String>,
    #[serde(alias = "time")]
    validation_time: Option<Moment>,
    expected_peer_name: Option<PeerName>,
    #[serde(deserialize_with = "some")]
    expected_peer_names: Vec<PeerName>,
    name: Option<String>,
    #[serde(deserialize_with = "some")]
    key_usage: Vec<String>,
    #[serde(deserialize_with = "some")]
    extended_key_usage: Vec<String>,
    #[serde(deserialize_with = "some")]
    signature_algorithms: Vec<String>,
    max_chain_depth: Option<usize>,
    #[serde(deserialize_with = "some")]
    crls: Vec<String>,
    #[serde(deserialize_with = "some")]
    ocsp: Vec<String>,
    /// Whether what is otherwise only told is enforced ([`Verifier::strict`]).
    pub strict: bool,
}

/// A list, or null, which is an empty one.
fn some<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Text(String),
}

#[derive(Clone, Debug, Deserialize)]
struct PeerName {
    kind: String,
    value: String,
}

/// The answer to a case.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The case's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The judgement.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// A case that cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// Neither SERVER nor CLIENT.
    #[error("validation_kind is {0:?}, and must be SERVER or CLIENT")]
    Kind(String),
    /// No certificate to judge.
    #[error("there is no certificate to judge: give peer_certificate or chain, in PEM")]
    NoCertificate,
    /// A text that is no PEM.
    #[error("{field} holds what is no certificate in PEM: {why}")]
    Pem {
        /// Where.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A time that is none.
    #[error(
        "validation_time is {0:?}, and must be as RFC 3339 has it (2026-06-01T12:00:00Z), or seconds since 1970"
    )]
    Time(String),
    /// A kind of name that is not known.
    #[error("a name of the kind {0:?} is asked for, and must be of DNS, IP or RFC822")]
    NameKind(String),
    /// A key usage that is none.
    #[error("{0:?} is no key usage of RFC 5280 4.2.1.3 or 4.2.1.12")]
    Usage(String),
    /// A signature algorithm that is not known by this name.
    #[error("{0:?} is no signature algorithm that is known here by name")]
    Algorithm(String),
    /// A list that cannot be read.
    #[error("crls: {0}")]
    Crl(String),
    /// An answer that cannot be read.
    #[error("ocsp: one is not base64")]
    Ocsp,
}

impl Case {
    /// Judges it, at `now` (Unix seconds) if it has no time of its own.
    pub fn judge(&self, algorithms: WebPkiSupportedAlgorithms, now: i64) -> Result<Answer, CaseError> {
        let (trust, left_out) = self.trust();
        let mut verifier = Verifier::new(trust, self.purpose()?, algorithms);
        verifier.max_depth = self.max_chain_depth;
        verifier.strict = self.strict;
        verifier.key_purposes = self.purposes()?;
        if let Some(unknown) = self.key_usage.iter().find(|usage| !is_bit(usage)) {
            return Err(CaseError::Usage(unknown.clone()));
        }
        verifier.key_usages = self.key_usage.clone();
        let (chain, shown) = self.chain()?;
        verifier.shown_by_peer = Some(shown);
        let verifier = verifier.with_revocation(self.revocation()?);
        let time = self.time()?.unwrap_or(now);
        let mut judgement = match self.names()? {
            Ok(names) => verifier.judge(&chain, &names, time),
            Err(problem) => {
                let check = Check::failed("name", "RFC 9525 6", problem.clone());
                Judgement { checks: vec![check], ..Judgement::refusal(problem) }
            }
        };
        if let Some(check) = self.other_algorithm(&judgement)? {
            let problem = check.problem.clone();
            judgement.add(vec![check], problem);
        }
        judgement.checks.extend(left_out);
        Ok(Answer { id: self.id.clone(), judgement })
    }

    fn purpose(&self) -> Result<Purpose, CaseError> {
        let kind = self.validation_kind.as_deref().unwrap_or("SERVER");
        match kind.to_ascii_uppercase().as_str() {
            "SERVER" => Ok(Purpose::Server),
            "CLIENT" => Ok(Purpose::Client),
            _ => Err(CaseError::Kind(kind.to_owned())),
        }
    }

    /// The roots, and what is to be said of those that cannot be any.
    fn trust(&self) -> (TrustStore, Vec<Check>) {
        let (mut trust, mut left_out) = (TrustStore::empty(), Vec::new());
        for (index, text) in self.trusted_certs.iter().enumerate() {
            match TrustStore::from_pem(text.as_bytes()) {
                Ok(one) => trust.add(&one.from_origin(&format!("trusted_certs {index}"))),
                Err(error) => {
                    let why = format!("trusted_certs {index} is left out: {error}");
                    left_out.push(Check::skipped("trust", "RFC 5280 6.1.1", why));
                }
            }
        }
        (trust, left_out)
    }

    /// All certificates, and how many of them the peer shows.
    fn chain(&self) -> Result<(Vec<CertificateDer<'static>>, usize), CaseError> {
        let (mut chain, mut shown) = (Vec::new(), 0);
        let own = self.peer_certificate.iter().map(|text| ("peer_certificate", text));
        let beside = self.chain.iter().map(|text| ("chain", text));
        let others = self.untrusted_intermediates.iter().map(|text| ("untrusted_intermediates", text));
        for (field, text) in own.chain(beside).chain(others) {
            for section in CertificateDer::pem_slice_iter(text.as_bytes()) {
                chain.push(section.map_err(|error| CaseError::Pem { field, why: error.to_string() })?);
            }
            if field != "untrusted_intermediates" {
                shown = chain.len();
            }
            if chain.is_empty() {
                return Err(CaseError::Pem {
                    field,
                    why: "it begins with -----BEGIN CERTIFICATE-----".to_owned(),
                });
            }
        }
        if chain.is_empty() { Err(CaseError::NoCertificate) } else { Ok((chain, shown)) }
    }

    fn time(&self) -> Result<Option<i64>, CaseError> {
        match &self.validation_time {
            None => Ok(None),
            Some(Moment::Seconds(seconds)) => Ok(Some(*seconds)),
            Some(Moment::Text(text)) => {
                seconds_of(text).map(Some).ok_or_else(|| CaseError::Time(text.clone()))
            }
        }
    }

    /// The names, or why no certificate can be for one of them.
    fn names(&self) -> Result<Result<Vec<Name>, CertificateProblem>, CaseError> {
        let mut names = Vec::new();
        let given = self.expected_peer_name.iter().chain(&self.expected_peer_names);
        for PeerName { kind, value } in given {
            match kind.to_ascii_uppercase().as_str() {
                // x509-limbo has addresses among the names of hosts.
                "DNS" | "IP" => names.push(Name::parse(value)),
                "RFC822" => names.push(Ok(Name::email(value))),
                _ => return Err(CaseError::NameKind(kind.clone())),
            }
        }
        names.extend(self.name.iter().map(|name| Name::parse(name)));
        Ok(names.into_iter().collect())
    }

    fn purposes(&self) -> Result<Vec<KeyPurpose>, CaseError> {
        let named = |name: &String| KeyPurpose::by_name(name).ok_or_else(|| CaseError::Usage(name.clone()));
        self.extended_key_usage.iter().map(named).collect()
    }

    fn revocation(&self) -> Result<RevocationConfig, CaseError> {
        let mut config = RevocationConfig::default();
        for text in &self.crls {
            let lists = RevocationLists::from_pem(text.as_bytes())
                .map_err(|error| CaseError::Crl(error.to_string()))?;
            config.lists = Some(match config.lists {
                Some(others) => others.and(&lists),
                None => lists,
            });
        }
        for text in &self.ocsp {
            config.answers.push(BASE64_STANDARD.decode(text.trim()).map_err(|_| CaseError::Ocsp)?);
        }
        Ok(config)
    }

    /// The first certificate of the path that is signed by an algorithm other than those allowed.
    fn other_algorithm(&self, judgement: &Judgement) -> Result<Option<Check>, CaseError> {
        const RFC: &str = "RFC 5280 4.1.1.2";
        if self.signature_algorithms.is_empty() {
            return Ok(None);
        }
        let allowed = self
            .signature_algorithms
            .iter()
            .map(|name| algorithm(name).ok_or_else(|| CaseError::Algorithm(name.clone())));
        let allowed = allowed.collect::<Result<Vec<_>, _>>()?;
        for link in &judgement.path {
            let der = CertificateDer::from(link.certificate.as_slice());
            let Some(x509) = super::reading::read(&der) else {
                continue;
            };
            let oid = x509.signature_algorithm.algorithm.to_id_string();
            if !allowed.contains(&oid.as_str()) {
                let problem = CertificateProblem::Rule {
                    certificate: link.label.clone(),
                    rule: Rule::UnsupportedAlgorithm,
                    why: format!(
                        "is signed with the algorithm {oid}, and only {} are allowed",
                        self.signature_algorithms.join(", ")
                    ),
                };
                return Ok(Some(Check::failed("signature_algorithms", RFC, problem).of(&link.label)));
            }
        }
        let names = self.signature_algorithms.join(", ");
        Ok(Some(Check::passed("signature_algorithms", RFC, format!("all are signed with one of {names}"))))
    }
}

/// Seconds since 1970 of a time as RFC 3339 writes it; fractions of a second do not count.
pub fn seconds_of(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let at = |index: usize| text.as_bytes().get(index).copied();
    if at(4)? != b'-'
        || at(7)? != b'-'
        || !matches!(at(10)?, b'T' | b't' | b' ')
        || at(13)? != b':'
        || at(16)? != b':'
    {
        return None;
    }
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let rest = text.get(19..)?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let seconds =
                rest.get(1..3)?.parse::<i64>().ok()? * 3_600 + rest.get(4..6)?.parse::<i64>().ok()? * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    // Nothing is later than what a certificate can say.
    ASN1Time::from_timestamp(seconds).ok().map(|_| seconds)
}

/// Days since 1970 in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let before = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    before + of_year - 719_468
}

/// By the names that pyca's `cryptography` gives them, too.
fn algorithm(name: &str) -> Option<&'static str> {
    Some(match name {
        "RSA_WITH_MD5" => "1.2.840.113549.1.1.4",
        "RSA_WITH_SHA1" => "1.2.840.113549.1.1.5",
        "RSA_WITH_SHA224" => "1.2.840.113549.1.1.14",
        "RSA_WITH_SHA256" => "1.2.840.113549.1.1.11",
        "RSA_WITH_SHA384" => "1.2.840.113549.1.1.12",
        "RSA_WITH_SHA512" => "1.2.840.113549.1.1.13",
        "RSA_WITH_SHA3_224" => "2.16.840.1.101.3.4.3.13",
        "RSA_WITH_SHA3_256" => "2.16.840.1.101.3.4.3.14",
        "RSA_WITH_SHA3_384" => "2.16.840.1.101.3.4.3.15",
        "RSA_WITH_SHA3_512" => "2.16.840.1.101.3.4.3.16",
        "RSASSA_PSS" => "1.2.840.113549.1.1.10",
        "ECDSA_WITH_SHA1" => "1.2.840.10045.4.1",
        "ECDSA_WITH_SHA224" => "1.2.840.10045.4.3.1",
        "ECDSA_WITH_SHA256" => "1.2.840.10045.4.3.2",
        "ECDSA_WITH_SHA384" => "1.2.840.10045.4.3.3",
        "ECDSA_WITH_SHA512" => "1.2.840.10045.4.3.4",
        "ECDSA_WITH_SHA3_224" => "2.16.840.1.101.3.4.3.9",
        "ECDSA_WITH_SHA3_256" => "2.16.840.1.101.3.4.3.10",
        "ECDSA_WITH_SHA3_384" => "2.16.840.1.101.3.4.3.11",
        "ECDSA_WITH_SHA3_512" => "2.16.840.1.101.3.4.3.12",
        "DSA_WITH_SHA1" => "1.2.840.10040.4.3",
        "DSA_WITH_SHA224" => "2.16.840.1.101.3.4.3.1",
        "DSA_WITH_SHA256" => "2.16.840.1.101.3.4.3.2",
        "DSA_WITH_SHA384" => "2.16.840.1.101.3.4.3.3",
        "DSA_WITH_SHA512" => "2.16.840.1.101.3.4.3.4",
        "ED25519" => "1.3.101.112",
        "ED448" => "1.3.101.113",
        "GOSTR3411_94_WITH_3410_2001" => "1.2.643.2.2.3",
        "GOSTR3410_2012_WITH_3411_2012_256" => "1.2.643.7.1.1.3.2",
        "GOSTR3410_2012_WITH_3411_2012_512" => "1.2.643.7.1.1.3.3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_rfc_3339_writes_it_and_fractions_are_left_out() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T12:00:01+00:00", 1_709_208_001),
            ("2024-03-01T00:00:00.999Z", 1_709_251_200),
            ("2024-03-01 01:00:00+01:00", 1_709_251_200),
            ("1969-12-31T23:59:59Z", -1),
            ("2969-05-03T00:00:01Z", 31_536_000_001),
        ] {
            assert_eq!(seconds_of(text), Some(seconds), "{text}");
        }
        for none in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2024-03-01T00:00:00",
            "2024-03-01T24:00:00Z",
            "é024-03-01T00:00:00Z",
        ] {
            assert_eq!(seconds_of(none), None, "{none}");
        }
    }
}
