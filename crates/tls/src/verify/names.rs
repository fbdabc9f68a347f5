//! Names (RFC 9525): which are asked for, and whether the peer's certificate has them.
//!
//! Only subject alternative names count. A wildcard is the whole leftmost label, stands for exactly
//! one label, and needs two more labels behind it. An IP address is compared with addresses alone.
//! Names are compared in ASCII: what is asked for in other letters is converted (IDNA, UTS 46).

use super::judgement::Check;
use super::reading::Reading;
use crate::certificate::printable;
use crate::problem::{CertificateProblem, some_of};
use rustls::pki_types::{DnsName, ServerName};
use std::fmt;
use std::net::IpAddr;
use webpki::EndEntityCert;
use x509_parser::extensions::GeneralName;

pub(super) const CHECK: &str = "name";
const RFC: &str = "RFC 9525 6";

/// A name that a certificate must be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    asked: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Server(ServerName<'static>),
    Email(String),
}

impl Name {
    /// A host name or an IP address. A trailing dot, which no certificate has, is left out; letters
    /// beyond ASCII are converted.
    pub fn parse(asked: &str) -> Result<Self, CertificateProblem> {
        let unusable =
            |why: &str| CertificateProblem::UnusableName { asked: printable(asked), why: why.to_owned() };
        let literal = asked.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(asked);
        if let Ok(address) = literal.parse::<IpAddr>() {
            let kind = Kind::Server(ServerName::IpAddress(address.into()));
            return Ok(Self { asked: address.to_string(), kind });
        }
        let relative = asked.strip_suffix('.').unwrap_or(asked);
        let name = if relative.is_ascii() {
            relative.to_owned()
        } else {
            idna::domain_to_ascii(relative)
                .map_err(|_| unusable("it cannot be written as an internationalised host name (IDNA)"))?
        };
        let name =
            DnsName::try_from(name).map_err(|_| unusable("it is neither a host name nor an IP address"))?;
        Ok(Self { asked: printable(asked), kind: Kind::Server(ServerName::DnsName(name)) })
    }

    /// A mailbox, as client certificates have it (RFC 5280 4.2.1.6, rfc822Name).
    pub fn email(asked: &str) -> Self {
        Self { asked: printable(asked), kind: Kind::Email(asked.to_owned()) }
    }

    pub(crate) fn of(name: &ServerName<'_>) -> Self {
        Self { asked: name.to_str().into_owned(), kind: Kind::Server(name.to_owned()) }
    }

    /// Whether the certificate has it. webpki's word for hosts and addresses.
    pub(super) fn fits(&self, own: &EndEntityCert<'_>, mailboxes: impl FnOnce() -> Vec<String>) -> bool {
        match &self.kind {
            Kind::Server(name) => own.verify_is_valid_for_subject_name(name).is_ok(),
            Kind::Email(asked) => mailboxes().iter().any(|mailbox| same_mailbox(mailbox, asked)),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.asked)?;
        match &self.kind {
            Kind::Server(ServerName::DnsName(name)) if !self.asked.is_ascii() => {
                write!(f, " ({})", name.as_ref())
            }
            _ => Ok(()),
        }
    }
}

/// One check a name; and if none is asked for, that is said.
pub(super) fn checks(own: &Reading<'_>, names: &[Name]) -> Vec<Check> {
    if names.is_empty() {
        return vec![Check::skipped(CHECK, RFC, "not checked: no name was given")];
    }
    let Some(parsed) = own.end_entity() else {
        return vec![Check::skipped(CHECK, RFC, "no names to be read")];
    };
    names.iter().map(|name| check(own, &parsed, name).of(own.named())).collect()
}

fn check(own: &Reading<'_>, parsed: &EndEntityCert<'_>, name: &Name) -> Check {
    let valid_for = valid_for(own);
    let asked = name.to_string();
    if name.fits(parsed, || mailboxes(own)) {
        return Check::passed(CHECK, RFC, format!("{asked} is among the names {}", some_of(&valid_for)));
    }
    let names_hosts = !own.info.names.is_empty();
    let problem = if valid_for.is_empty() || (!names_hosts && matches!(name.kind, Kind::Server(_))) {
        CertificateProblem::NoNames { asked, common_name: fitting_common_name(own, name) }
    } else {
        CertificateProblem::WrongName { asked, valid_for }
    };
    Check::failed(CHECK, RFC, problem)
}

/// Its subject alternative names of all kinds.
fn valid_for(own: &Reading<'_>) -> Vec<String> {
    let mut names = own.info.names.clone();
    // RFC 9525 6.5: an address counts only as one.
    let as_dns: Vec<_> = alternative_names(own)
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) if name.parse::<IpAddr>().is_ok() => Some(*name),
            _ => None,
        })
        .collect();
    for name in &mut names {
        if as_dns.contains(&name.as_str()) {
            name.push_str(" (as a DNS name, which does not count for an address)");
        }
    }
    names.extend(mailboxes(own));
    names
}

fn alternative_names<'r>(own: &'r Reading<'_>) -> &'r [GeneralName<'r>] {
    let names = own.x509.as_ref().and_then(|x509| x509.subject_alternative_name().ok().flatten());
    names.map(|names| names.value.general_names.as_slice()).unwrap_or_default()
}

pub(super) fn mailboxes(own: &Reading<'_>) -> Vec<String> {
    let mailbox = |name: &GeneralName<'_>| match name {
        GeneralName::RFC822Name(mailbox) => Some(printable(mailbox)),
        _ => None,
    };
    alternative_names(own).iter().filter_map(mailbox).collect()
}

/// RFC 5280 7.5: the part before the sign counts letter by letter, the host does not.
fn same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((user, host)), Some((other_user, other_host))) => {
            user == other_user && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

fn fitting_common_name(own: &Reading<'_>, name: &Name) -> Option<String> {
    let Kind::Server(server) = &name.kind else {
        return None;
    };
    let asked = server.to_str();
    let common = own.x509.as_ref()?.subject().iter_common_name();
    let mut common = common.filter_map(|attribute| attribute.as_str().ok());
    let fits = |common: &&str| match common.strip_prefix("*.") {
        Some(rest) => asked.split_once('.').is_some_and(|(_, behind)| behind.eq_ignore_ascii_case(rest)),
        None => asked.eq_ignore_ascii_case(common),
    };
    common.find(fits).map(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_other_letters_is_asked_for_in_ascii_and_told_in_both() {
        assert_eq!(
            Name::parse("bücher.example").unwrap().to_string(),
            "bücher.example (xn--bcher-kva.example)"
        );
        assert_eq!(Name::parse("Example.COM.").unwrap().to_string(), "Example.COM.");
        assert_eq!(Name::parse("[2001:DB8::1]").unwrap().to_string(), "2001:db8::1");
    }

    #[test]
    fn what_no_certificate_can_be_for_is_told_as_such() {
        for nothing in ["", ".", "a..b", "*.example.test", "-a.test", "a b", "\u{1b}[31m.test"] {
            let problem = Name::parse(nothing).unwrap_err();
            assert_eq!(problem.code(), "unusable_name", "{nothing:?}");
            assert!(!problem.to_string().contains('\u{1b}'));
        }
    }

    #[test]
    fn of_a_mailbox_only_the_host_may_differ_in_case() {
        assert!(same_mailbox("user@Example.com", "user@example.COM"));
        assert!(!same_mailbox("User@example.com", "user@example.com"));
        assert!(!same_mailbox("example.com", "example.com"));
    }
}
