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
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use x509_parser::extensions::{GeneralName, GeneralSubtree, NameConstraints, ParsedExtension};

pub(super) const CHECK: &str = "name_constraints";
const RFC: &str = "RFC 5280 4.2.1.10";

/// As webpki, and as Go's `crypto/x509`.
const MOST_COMPARISONS: usize = 250_000;

/// What was compared in one explanation. All its paths together may cost [`MOST_COMPARISONS`], and what
/// one CA says of one certificate is found once, in however many paths the two stand.
pub(super) struct Compared {
    left: usize,
    /// By the CA and the certificate, told apart by where they are in memory.
    known: BTreeMap<(*const u8, *const u8), Option<(Rule, String)>>,
}

impl Compared {
    pub(super) fn new() -> Self {
        Self { left: MOST_COMPARISONS, known: BTreeMap::new() }
    }

    /// Which limit a certificate breaks, if it breaks one.
    fn breaks(&mut self, limits: &Limits<'_>, certificate: &Reading<'_>) -> Option<(Rule, String)> {
        let pair = (limits.place, certificate.der.as_ptr());
        if let Some(known) = self.known.get(&pair) {
            return known.clone();
        }
        let names = names(certificate);
        let each = limits.permitted.len().saturating_add(limits.excluded.len());
        let found = match self.left.checked_sub(each.saturating_mul(names.len().saturating_add(1))) {
            Some(left) => {
                self.left = left;
                names.iter().map(Some).chain([None]).find_map(|name| outside(name, limits))
            }
            None => {
                let why = format!("has more names than can be compared with the limits of {}", limits.ca);
                Some((Rule::TooMuchWork, why))
            }
        };
        self.known.insert(pair, found.clone());
        found
    }
}

/// The limits of one CA.
pub(super) struct Limits<'a> {
    /// What to call it.
    ca: &'a str,
    /// Tells it from others.
    place: *const u8,
    permitted: &'a [GeneralSubtree<'a>],
    excluded: &'a [GeneralSubtree<'a>],
}

impl<'a> Limits<'a> {
    /// Those of `ca`, whose certificate or name is at `place`.
    pub(super) fn new(ca: &'a str, place: *const u8, constraints: &'a NameConstraints<'a>) -> Self {
        let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
        let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
        Self { ca, place, permitted, excluded }
    }
}

/// The limits of one CA on all certificates below it.
pub(super) fn check(limits: &Limits<'_>, below: &[&Reading<'_>], compared: &mut Compared) -> Check {
    for certificate in below {
        if let Some((rule, why)) = compared.breaks(limits, certificate) {
            return failed(&certificate.named(), rule, why);
        }
    }
    let Limits { ca, permitted, excluded, .. } = limits;
    let evidence = format!(
        "{ca} permits {} and excludes {}; all names below it keep to that",
        if permitted.is_empty() { "all".to_owned() } else { list(permitted) },
        if excluded.is_empty() { "none".to_owned() } else { list(excluded) }
    );
    Check::passed(CHECK, RFC, evidence).of(*ca)
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
fn outside(name: Option<&GeneralName<'_>>, limits: &Limits<'_>) -> Option<(Rule, String)> {
    let kind = name.map_or(Kind::Directory, Kind::of);
    let of_kind = |subtree: &&GeneralSubtree<'_>| Kind::of(&subtree.base) == kind;
    let excluded = || limits.excluded.iter().filter(of_kind);
    let permitted = || limits.permitted.iter().filter(of_kind);
    if excluded().next().is_none() && permitted().next().is_none() {
        return None;
    }
    let (ca, shown) = (limits.ca, || name.map_or_else(|| "a subject".to_owned(), show));
    if !matches!(kind, Kind::Dns | Kind::Ip) {
        let limits: Vec<_> = permitted().chain(excluded()).map(|subtree| show(&subtree.base)).collect();
        let why = format!(
            "has {}, and {ca} limits names of that kind ({}), which are not compared here",
            shown(),
            some_of(&limits)
        );
        return Some((Rule::UnsupportedNameConstraint, why));
    }
    let name = name?;
    for subtree in excluded() {
        match matches(name, &subtree.base, true) {
            Some(true) => {
                let why = format!("has the name {}, which {ca} excludes ({})", shown(), show(&subtree.base));
                return Some((Rule::NameExcluded, why));
            }
            Some(false) => {}
            None => return Some((Rule::BadNameConstraint, incomparable(&shown(), subtree, ca))),
        }
    }
    let mut inside = permitted().next().is_none();
    for subtree in permitted() {
        match matches(name, &subtree.base, false) {
            Some(holds) => inside |= holds,
            None => return Some((Rule::BadNameConstraint, incomparable(&shown(), subtree, ca))),
        }
    }
    if inside {
        return None;
    }
    let limits: Vec<_> = permitted().map(|subtree| show(&subtree.base)).collect();
    let why = format!("has the name {}, and {ca} permits only {}", shown(), some_of(&limits));
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
    if base.is_empty() {
        return Some(true);
    }
    if let Some(dotted) = base.strip_prefix('.') {
        return Some(before(name, dotted).is_some_and(|labels| labels.ends_with('.') && labels.len() > 1));
    }
    let inside = before(name, base).is_some_and(|labels| labels.is_empty() || labels.ends_with('.'));
    let reaches_in = || {
        let behind = name.strip_prefix("*.");
        behind.is_some_and(|behind| {
            base.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(behind))
        })
    };
    Some(inside || expand && reaches_in())
}

/// What stands before the end of a name, whatever its case; nothing is copied.
fn before<'n>(name: &'n str, end: &str) -> Option<&'n str> {
    let (labels, rest) = name.split_at_checked(name.len().checked_sub(end.len())?)?;
    rest.eq_ignore_ascii_case(end).then_some(labels)
}

/// An address and a mask; one of the other family is outside.
fn address_inside(name: &[u8], base: &[u8]) -> Option<bool> {
    if !matches!(name.len(), 4 | 16) || !matches!(base.len(), 8 | 32) {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    // All ones of a mask stand before all zeros.
    let behind = mask.iter().skip_while(|byte| **byte == 0xff);
    if behind
        .enumerate()
        .any(|(at, byte)| if at == 0 { byte.leading_ones() + byte.trailing_zeros() < 8 } else { *byte != 0 })
    {
        return None;
    }
    if network.len() != name.len() {
        return Some(false);
    }
    let mut bytes = name.iter().zip(network).zip(mask);
    Some(bytes.all(|((byte, network), mask)| byte & mask == network & mask))
}

fn list(subtrees: &[GeneralSubtree<'_>]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<_> = subtrees.iter().take(SHOWN).map(|subtree| show(&subtree.base)).collect();
    match subtrees.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
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
