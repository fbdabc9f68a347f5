//! What does not fit together in a zone, or looks as if it were not meant, as `named-checkzone` has it
//! in its usual mode, without asking other servers.

use super::reader::{Loaded, Place};
use super::{BadZoneFile, Warning};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::zone::{Found, Zone};

const CDS: u16 = 59;
const CDNSKEY: u16 = 60;
const SPF: u16 = 99;

/// Checks a zone and the records that it was made of.
pub(super) fn check(zone: &Zone, loaded: &[Loaded], warnings: &mut Vec<Warning>) -> Result<(), BadZoneFile> {
    // RFC 1034 4.2.1: the zone's name servers are named at its top.
    if zone.rrset(zone.origin(), RecordType::Ns).is_none()
        && let Some(soa) = loaded.iter().find(|loaded| loaded.record.record_type() == RecordType::Soa)
    {
        let cause = format!("the zone {} has no NS record", zone.origin());
        return Err(soa.place.bad(cause, "add one for each of its name servers: @ NS ns"));
    }
    check_hashing(loaded)?;
    check_child_keys(zone, loaded)?;
    for Loaded { record, place, .. } in loaded {
        check_names(record, place, warnings);
        check_targets(zone, record, place, warnings)?;
        check_spf(zone, record, place, warnings);
        check_digest(record, place, warnings);
        check_iterations(record, place, warnings);
        check_dots(zone, record, place, warnings);
    }
    Ok(())
}

/// RFC 5155 11: only SHA-1 is known.
fn check_hashing(loaded: &[Loaded]) -> Result<(), BadZoneFile> {
    let mut unknown = None;
    for Loaded { record, place, .. } in loaded {
        match &record.data {
            RecordData::Nsec3Param(param) if param.hash_algorithm == 1 => return Ok(()),
            RecordData::Nsec3Param(param) => unknown = unknown.or(Some((place, param.hash_algorithm))),
            _ => {}
        }
    }
    match unknown {
        Some((place, algorithm)) => {
            Err(place.bad(format!("the NSEC3 hash algorithm {algorithm} is not known"), "use 1 (SHA-1)"))
        }
        None => Ok(()),
    }
}

/// RFC 7344 4.1, RFC 8078 4: of what is handed up as the zone's keys, each algorithm is one of its keys'; what
/// says that there are none stands alone.
fn check_child_keys(zone: &Zone, loaded: &[Loaded]) -> Result<(), BadZoneFile> {
    let top = |record_type| zone.rrset(zone.origin(), record_type).unwrap_or_default();
    let keys = top(RecordType::Dnskey);
    let has_key = |wanted: Option<&u8>| {
        keys.iter().any(|key| matches!(&key.data, RecordData::Dnskey(key) if wanted == Some(&key.algorithm)))
    };
    for (number, algorithm_at, none) in [(CDS, 2, [0, 0, 0, 0, 0]), (CDNSKEY, 3, [0, 0, 3, 0, 0])] {
        let set = top(RecordType::from_number(number));
        for Loaded { record, place, .. } in loaded {
            let RecordData::Other { number: this, bytes } = &record.data else { continue };
            if *this != number || record.owner != *zone.origin() {
                continue;
            }
            let fits = if *bytes == none { set.len() == 1 } else { has_key(bytes.get(algorithm_at)) };
            if !fits {
                let cause =
                    format!("a {} record that is of no DNSKEY record of the zone", record.record_type());
                return Err(place.bad(cause, "publish the key that it is of, or take it away"));
            }
        }
    }
    Ok(())
}

/// RFC 1123 2.1: whose addresses or mail is spoken of is a host; and so is who is named as one.
fn check_names(record: &Record, place: &Place, warnings: &mut Vec<Warning>) {
    let owner = &record.owner;
    if owner.to_labels().iter().skip(1).any(|label| label == b"*") {
        // RFC 4592 2.1.3: only a name's first label makes a wildcard.
        warnings.push(
            place.warning(format!("the asterisk in {owner} is not at its beginning, so it is no wildcard")),
        );
    }
    let is_host = matches!(record.record_type(), RecordType::A | RecordType::Aaaa | RecordType::Mx);
    if is_host && !is_host_name(owner, true) {
        warnings.push(place.warning(format!(
            "{owner} is not a host's name, which {} records are about",
            record.record_type()
        )));
    }
    let named = match &record.data {
        RecordData::Ns(host) => Some(host),
        RecordData::Mx { exchange, .. } => Some(exchange),
        RecordData::Srv { target, .. } => Some(target),
        RecordData::Soa(soa) => Some(&soa.primary),
        RecordData::Ptr(host) if is_reverse(owner) => Some(host),
        _ => None,
    };
    if let Some(host) = named.filter(|host| !is_host_name(host, false)) {
        warnings.push(place.warning(format!("{host} is not a host's name")));
    }
}

/// Whether addresses are looked up below this name.
fn is_reverse(name: &DnsName) -> bool {
    ["in-addr.arpa", "ip6.arpa"]
        .iter()
        .any(|zone| DnsName::parse(zone).is_ok_and(|zone| name.is_within(&zone)))
}

/// Letters, digits and hyphens, the hyphens inside (RFC 952, RFC 1123 2.1).
fn is_host_name(name: &DnsName, wildcard: bool) -> bool {
    let labels = name.to_labels();
    let labels = if wildcard && name.is_wildcard() { labels.get(1..).unwrap_or_default() } else { &labels };
    labels.iter().all(|label| {
        let inside = label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        inside && !label.starts_with(b"-") && !label.ends_with(b"-")
    })
}

/// Whether the hosts that a record names have addresses (RFC 1034 4.2.1, RFC 2181 10.3).
fn check_targets(
    zone: &Zone,
    record: &Record,
    place: &Place,
    warnings: &mut Vec<Warning>,
) -> Result<(), BadZoneFile> {
    // What is below a cut is not this zone's to answer for.
    let delegated = zone.is_delegated(&record.owner);
    let (host, record_type) = match &record.data {
        RecordData::Ns(host) => (host, "NS"),
        RecordData::Mx { exchange, .. } if !delegated => (exchange, "MX"),
        RecordData::Srv { target, .. } if !delegated => (target, "SRV"),
        _ => return Ok(()),
    };
    if !host.is_within(zone.origin()) || host.is_root() {
        return Ok(());
    }
    let Some(problem) = problem_with(zone, &record.owner, host) else { return Ok(()) };
    let cause =
        format!("the host {host}, which an {record_type} record of {} names, {problem}", record.owner);
    if record_type == "NS" && record.owner == *zone.origin() && problem != Problem::MissingGlue {
        let cure = match without_dot(zone, host) {
            Some(meant) => format!("write {meant}. with a final dot, if that is meant"),
            None => "name a host that has an A or AAAA record".to_owned(),
        };
        return Err(place.bad(cause, cure));
    }
    let is_cut = zone.node(&record.owner).is_some_and(|node| node.has(RecordType::Ns));
    let needed = record_type == "NS" && is_cut && record.owner != *zone.origin();
    if problem != Problem::MissingGlue || needed {
        warnings.push(place.warning(cause));
    }
    Ok(())
}

/// What is wrong with a host that is in the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoAddress,
    MissingGlue,
    Alias,
    Renamed,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "has no A or AAAA record",
            Self::MissingGlue => "is below a zone cut and has no glue: no A or AAAA record",
            Self::Alias => "is an alias, which it must not be",
            Self::Renamed => "is below a DNAME record, which it must not be",
        })
    }
}

fn problem_with(zone: &Zone, _owner: &DnsName, host: &DnsName) -> Option<Problem> {
    match zone.find(host, RecordType::A) {
        Found::Records { .. } | Found::Outside => None,
        Found::Alias { .. } => Some(Problem::Alias),
        Found::Renamed { .. } => Some(Problem::Renamed),
        Found::Delegated { .. } => {
            let glue = zone.addresses(host).next();
            glue.is_none().then_some(Problem::MissingGlue)
        }
        _ => match zone.find(host, RecordType::Aaaa) {
            Found::Records { .. } => None,
            _ => Some(Problem::NoAddress),
        },
    }
}

/// RFC 1035 5.1: names that do not end in a dot are below the origin, also those that look complete.
fn check_dots(zone: &Zone, record: &Record, place: &Place, warnings: &mut Vec<Warning>) {
    let owner = Some(&record.owner).filter(|_| zone.origin().label_count() > 1);
    let named: [Option<&DnsName>; 2] = match &record.data {
        RecordData::Cname(name) | RecordData::Dname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => {
            [Some(name), None]
        }
        RecordData::Mx { exchange: host, .. } | RecordData::Srv { target: host, .. } => [Some(host), None],
        RecordData::Soa(soa) => [Some(&soa.primary), Some(&soa.mailbox)],
        _ => [None, None],
    };
    let missing = |name: &&DnsName| matches!(zone.find(name, RecordType::A), Found::NoName { .. });
    let named = named.into_iter().flatten().filter(missing);
    let is_data = !matches!(record.data, RecordData::Rrsig(_) | RecordData::Nsec(_) | RecordData::Nsec3(_));
    for name in owner.into_iter().filter(|_| is_data).chain(named) {
        if let Some(meant) = without_dot(zone, name) {
            warnings.push(place.warning(format!(
                "{name} has the zone's name twice at its end: write {meant}. with a final dot, if that is meant"
            )));
        }
    }
}

/// What was probably meant by a name that ends in the zone's own twice.
fn without_dot(zone: &Zone, name: &DnsName) -> Option<DnsName> {
    let origin = zone.origin();
    let twice = origin.below(origin).ok().filter(|_| !origin.is_root())?;
    let meant = name.as_str().strip_suffix(origin.as_str())?.strip_suffix('.');
    meant.filter(|_| name.is_within(&twice)).and_then(|meant| DnsName::parse(meant).ok())
}

/// RFC 8624 3.1, 3.3: what is not to be used any more.
fn check_digest(record: &Record, place: &Place, warnings: &mut Vec<Warning>) {
    const OLD_ALGORITHMS: [u8; 6] = [1, 3, 5, 6, 7, 12];
    const SHA_1: u8 = 1;
    let RecordData::Ds(ds) = &record.data else { return };
    if OLD_ALGORITHMS.contains(&ds.algorithm) {
        warnings.push(place.warning(format!(
            "{} is signed with the algorithm {}, which is given up",
            record.owner, ds.algorithm
        )));
    }
    if ds.digest_type == SHA_1 {
        warnings
            .push(place.warning(format!("a digest of {} made with SHA-1, which is given up", record.owner)));
    }
}

/// RFC 9276 3.1: further iterations are work for everybody and protect nobody.
fn check_iterations(record: &Record, place: &Place, warnings: &mut Vec<Warning>) {
    let RecordData::Nsec3Param(param) = &record.data else { return };
    if param.iterations > 0 {
        warnings.push(place.warning(format!(
            "NSEC3 with {} iterations more than one, so that every denial costs as many: resolvers may take the zone \
             for unsigned",
            param.iterations
        )));
    }
}

/// RFC 7208 3.1: the SPF type is given up, and only TXT is looked at.
fn check_spf(zone: &Zone, record: &Record, place: &Place, warnings: &mut Vec<Warning>) {
    if record.record_type().number() != SPF || zone.is_delegated(&record.owner) {
        return;
    }
    let texts = zone.rrset(&record.owner, RecordType::Txt).unwrap_or_default();
    let is_spf = |text: &Record| match &text.data {
        RecordData::Txt(strings) => {
            strings.first().is_some_and(|first| first.to_ascii_lowercase().starts_with(b"v=spf1"))
        }
        _ => false,
    };
    if !texts.iter().any(is_spf) {
        warnings.push(
            place.warning(format!("{} has an SPF record and no TXT record that says the same", record.owner)),
        );
    }
}
