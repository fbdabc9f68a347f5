//! Name constraints (RFC 5280 4.2.1.10): which names the certificates below a CA may have.
//!
//! They are compared as webpki compares them: host names and IP addresses. A limit on any other kind
//! (directory names, URIs, mailboxes, others) refuses whatever has a name of that kind, since nobody
//! here can tell whether it is inside; every certificate has a directory name, its subject. Limits
//! hold for self-issued certificates, too, though the RFC excuses those of CAs.

use super::judgement::Check;
use super::reading::Reading;
use crate::certificate::printable;
use crate::problem::{CertificateProblem, Rule, some_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints, ParsedExtension};

pub(super) const CHECK: &str = "name_constraints";
const RFC: &str = "RFC 5280 4.2.1.10";

/// As webpki, and as Go's `crypto/x509`.
const MOST_COMPARISONS: usize = 250_000;

/// The limits of one CA (`ca`) on all certificates below it.
pub(super) fn check(ca: &str, constraints: &NameConstraints<'_>, below: &[&Reading<'_>]) -> Check {
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    let mut left = MOST_COMPARISONS;
    for certificate in below {
        let named = certificate.named();
        let alternative = names(certificate);
        let all = alternative.iter().map(Some).chain([None]);
        for name in all {
            left = match left.checked_sub(permitted.len() + excluded.len()) {
                Some(left) => left,
                None => {
                    let why = format!("has more names than can be compared with the limits of {ca}");
                    return failed(&named, Rule::TooMuchWork, why);
                }
            };
            if let Some((rule, why)) = outside(name, permitted, excluded, ca) {
                return failed(&named, rule, why);
            }
        }
    }
    let evidence = format!(
        "{ca} permits {} and excludes {}; all names below it keep to that",
        if permitted.is_empty() { "all".to_owned() } else { list(permitted) },
        if excluded.is_empty() { "none".to_owned() } else { list(excluded) }
    );
    Check::passed(CHECK, RFC, evidence).of(ca)
}

fn failed(named: &str, rule: Rule, why: String) -> Check {
    let problem = CertificateProblem::Rule { certificate: named.to_owned(), rule, why };
    Check::failed(CHECK, RFC, problem).of(named)
}

/// The subject alternative names.
fn names<'a>(certificate: &'a Reading<'_>) -> &'a [GeneralName<'a>] {
    let extensions = certificate.x509.as_ref().map(|x509| x509.extensions()).unwrap_or_default();
    let found = extensions.iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SubjectAlternativeName(names) => Some(names.general_names.as_slice()),
        _ => None,
    });
    found.unwrap_or_default()
}

/// Which limit a name breaks. Nothing stands for the subject, a directory name.
fn outside(
    name: Option<&GeneralName<'_>>,
    permitted: &[GeneralSubtree<'_>],
    excluded: &[GeneralSubtree<'_>],
    ca: &str,
) -> Option<(Rule, String)> {
    let kind = name.map_or(Kind::Directory, Kind::of);
    let shown = name.map_or_else(|| "a subject".to_owned(), show);
    let of_kind = |subtree: &&GeneralSubtree<'_>| Kind::of(&subtree.base) == kind;
    let excluded: Vec<_> = excluded.iter().filter(of_kind).collect();
    let permitted: Vec<_> = permitted.iter().filter(of_kind).collect();
    if excluded.is_empty() && permitted.is_empty() {
        return None;
    }
    if !matches!(kind, Kind::Dns | Kind::Ip) {
        let limits: Vec<_> = permitted.iter().chain(&excluded).map(|subtree| show(&subtree.base)).collect();
        let why = format!(
            "has {shown}, and {ca} limits names of that kind ({}), which are not compared here",
            some_of(&limits)
        );
        return Some((Rule::UnsupportedNameConstraint, why));
    }
    let name = name?;
    let compare = |subtree: &&GeneralSubtree<'_>, expand| matches(name, &subtree.base, expand);
    for subtree in &excluded {
        match compare(subtree, true) {
            Some(true) => {
                let why = format!(
                    "has the name {shown}, which {ca} excludes ({}) (its owner needs one without that name)",
                    show(&subtree.base)
                );
                return Some((Rule::NameExcluded, why));
            }
            Some(false) => {}
            None => return Some((Rule::BadNameConstraint, incomparable(&shown, subtree, ca))),
        }
    }
    let mut inside = permitted.is_empty();
    for subtree in &permitted {
        match compare(subtree, false) {
            Some(holds) => inside |= holds,
            None => return Some((Rule::BadNameConstraint, incomparable(&shown, subtree, ca))),
        }
    }
    if inside {
        return None;
    }
    let limits: Vec<_> = permitted.iter().map(|subtree| show(&subtree.base)).collect();
    let why = format!(
        "has the name {shown}, and {ca} permits only {} (its owner needs a certificate of another CA for it)",
        some_of(&limits)
    );
    Some((Rule::NameNotPermitted, why))
}

fn incomparable(shown: &str, subtree: &GeneralSubtree<'_>, ca: &str) -> String {
    format!("has the name {shown}, which cannot be compared with the limit {} of {ca}", show(&subtree.base))
}

/// The kinds of names that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Other,
    Mailbox,
    Dns,
    X400,
    Directory,
    Edi,
    Uri,
    Ip,
    Registered,
}

impl Kind {
    fn of(name: &GeneralName<'_>) -> Self {
        match name {
            GeneralName::OtherName(..) => Self::Other,
            GeneralName::RFC822Name(_) => Self::Mailbox,
            GeneralName::DNSName(_) => Self::Dns,
            GeneralName::X400Address(_) => Self::X400,
            GeneralName::DirectoryName(_) => Self::Directory,
            GeneralName::EDIPartyName(_) => Self::Edi,
            GeneralName::URI(_) => Self::Uri,
            GeneralName::IPAddress(_) => Self::Ip,
            GeneralName::RegisteredID(_) => Self::Registered,
            GeneralName::Invalid(tag, _) => match tag.0 {
                1 => Self::Mailbox,
                2 => Self::Dns,
                4 => Self::Directory,
                6 => Self::Uri,
                7 => Self::Ip,
                _ => Self::Other,
            },
        }
    }
}

/// Whether a name is inside; nothing where one of the two cannot be read.
fn matches(name: &GeneralName<'_>, base: &GeneralName<'_>, expand: bool) -> Option<bool> {
    match (name, base) {
        (GeneralName::DNSName(name), GeneralName::DNSName(base)) => host_inside(name, base, expand),
        (GeneralName::IPAddress(name), GeneralName::IPAddress(base)) => address_inside(name, base),
        _ => None,
    }
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side".
/// A limit that begins with a dot, which the RFC does not know, needs at least one more label. To
/// `expand` is to ask whether a wildcard could stand for something inside.
fn host_inside(name: &str, base: &str, expand: bool) -> Option<bool> {
    let host = name.strip_prefix("*.").unwrap_or(name);
    if host.is_empty()
        || host.starts_with('.')
        || host.contains('*')
        || !host.is_ascii()
        || base.contains('*')
    {
        return None;
    }
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.is_empty() {
        return Some(true);
    }
    if let Some(dotted) = base.strip_prefix('.') {
        return Some(
            name.strip_suffix(dotted).is_some_and(|labels| labels.ends_with('.') && labels.len() > 1),
        );
    }
    let inside = name == base || name.strip_suffix(&base).is_some_and(|labels| labels.ends_with('.'));
    let reaches_in = || {
        let behind = name.strip_prefix("*.");
        behind.is_some_and(|behind| base.split_once('.').is_some_and(|(_, rest)| rest == behind))
    };
    Some(inside || expand && reaches_in())
}

/// An address and a mask; one of the other family is outside.
fn address_inside(name: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(name.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    let ones: String = mask.iter().map(|byte| format!("{byte:08b}")).collect();
    if ones.contains("01") {
        return None;
    }
    if network.len() != name.len() {
        return Some(false);
    }
    let mut bytes = name.iter().zip(network).zip(mask);
    Some(bytes.all(|((byte, network), mask)| byte & mask == network & mask))
}

fn list(subtrees: &[GeneralSubtree<'_>]) -> String {
    let names: Vec<_> = subtrees.iter().map(|subtree| show(&subtree.base)).collect();
    some_of(&names)
}

fn show(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName("") => "(every host)".to_owned(),
        GeneralName::DNSName(name) => printable(name),
        GeneralName::IPAddress(bytes) => show_address(bytes),
        GeneralName::DirectoryName(name) => format!("the directory name {}", printable(&name.to_string())),
        GeneralName::RFC822Name(name) => format!("the mailbox {}", printable(name)),
        GeneralName::URI(name) => format!("the URI {}", printable(name)),
        GeneralName::OtherName(oid, _) => format!("another name ({})", oid.to_id_string()),
        GeneralName::RegisteredID(oid) => format!("the registered number {}", oid.to_id_string()),
        GeneralName::X400Address(_) => "an X.400 address".to_owned(),
        GeneralName::EDIPartyName(_) => "an EDI party".to_owned(),
        GeneralName::Invalid(..) => "a name that cannot be read".to_owned(),
    }
}

fn show_address(bytes: &[u8]) -> String {
    let address = |bytes: &[u8]| -> Option<IpAddr> {
        match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
            16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
            _ => None,
        }
    };
    if let Some(address) = address(bytes) {
        return address.to_string();
    }
    let (network, mask) = bytes.split_at(bytes.len() / 2);
    match address(network) {
        Some(network) => {
            let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
            format!("{network}/{ones}")
        }
        None => format!("(an address of {} bytes)", bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_inside_with_any_number_of_labels_more() {
        for inside in ["example.com", "www.example.com", "a.b.EXAMPLE.com", "*.example.com"] {
            assert_eq!(host_inside(inside, "Example.com", false), Some(true), "{inside}");
        }
        for outside in ["badexample.com", "example.org", "com", "*.com"] {
            assert_eq!(host_inside(outside, "example.com", false), Some(false), "{outside}");
        }
        assert_eq!(host_inside("www.example.com", "", false), Some(true));
        assert_eq!(host_inside(".example.com", "example.com", false), None);
        assert_eq!(host_inside("example.com", ".example.com", false), Some(false));
        assert_eq!(host_inside("www.example.com", ".example.com", false), Some(true));
    }

    #[test]
    fn a_wildcard_that_could_stand_for_an_excluded_host_is_excluded_and_is_not_permitted_by_it() {
        assert_eq!(host_inside("*.example.com", "bar.example.com", true), Some(true));
        assert_eq!(host_inside("*.example.com", "bar.example.com", false), Some(false));
        assert_eq!(host_inside("*.example.com", "a.bar.example.com", true), Some(false));
    }

    #[test]
    fn an_address_is_inside_of_its_network_and_a_mask_has_no_holes() {
        let network = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(address_inside(&[192, 0, 2, 7], &network), Some(true));
        assert_eq!(address_inside(&[192, 0, 3, 7], &network), Some(false));
        assert_eq!(address_inside(&[0; 16], &network), Some(false));
        assert_eq!(address_inside(&[192, 0, 2, 7], &[192, 0, 2, 0]), None);
        assert_eq!(address_inside(&[192, 0, 2, 7], &[192, 0, 2, 0, 255, 0, 255, 0]), None);
        assert_eq!(show_address(&network), "192.0.2.0/24");
    }
}
