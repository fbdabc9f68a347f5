//! What need not be asked of anybody: addresses, what the user said, the hosts file, names that are
//! special by themselves (RFC 6761).

use crate::config::{Override, parse_address};
use crate::error::ResolveError;
use crate::hosts_file::HostsFile;
use crate::lookup::Lookup;
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::event::LookupSource;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// Addresses known without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) source: LookupSource,
}

/// What a place was found to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Where was looked.
    pub(crate) source: LookupSource,
    pub(crate) known: Option<Known>,
    /// The evidence, in words.
    pub(crate) detail: String,
}

impl Told {
    fn nothing(source: LookupSource, detail: &str) -> Self {
        Self { source, known: None, detail: detail.to_owned() }
    }
}

/// Whether the name is an address already.
pub(crate) fn literal(text: &str) -> Told {
    match parse_address(text) {
        Some(address) => told(LookupSource::Literal, vec![address], "it is an address already".to_owned()),
        None => Told::nothing(LookupSource::Literal, "it is not an IP address"),
    }
}

/// Whether the user gave addresses by hand; none if he gave no name any.
pub(crate) fn overridden(overrides: &[Override], name: &DnsName, port: Option<u16>) -> Option<Told> {
    if overrides.is_empty() {
        return None;
    }
    // As with curl, the last one said counts.
    Some(match overrides.iter().rev().find(|entry| entry.matches(name, port)) {
        Some(entry) => {
            let detail =
                entry.port.map_or_else(|| "for every port".to_owned(), |port| format!("for port {port}"));
            told(LookupSource::Override, entry.addresses.clone(), detail)
        }
        None => Told::nothing(LookupSource::Override, "no --resolve is about this name and port"),
    })
}

/// Whether the hosts file has it.
pub(crate) fn in_hosts_file(hosts: &HostsFile, name: &DnsName) -> Told {
    let entries = hosts.lookup(name);
    if let Some(first) = entries.first() {
        let addresses = entries.iter().map(|entry| entry.address).collect();
        return told(LookupSource::HostsFile, addresses, format!("line {}", first.line));
    }
    // RFC 6761 6.3: "Name resolution APIs and libraries SHOULD recognize localhost names as special and SHOULD always
    // return the IP loopback address".
    if is_special(name, "localhost") {
        let detail = "not there, but localhost is always this host itself (RFC 6761 6.3)".to_owned();
        return told(LookupSource::HostsFile, vec![Ipv4Addr::LOCALHOST.into()], detail);
    }
    let detail = if hosts.is_empty() { "there is none, or it is empty" } else { "it is not there" };
    Told::nothing(LookupSource::HostsFile, detail)
}

/// What is known of a name that is special by itself, or that it does not exist; none if it is like any other.
pub(crate) fn special(name: &DnsName, record_type: RecordType) -> Option<Result<Told, ResolveError>> {
    localhost(name, record_type).or_else(|| never_exists(name).err().map(Err))
}

/// What records of `localhost` there are; none if the name is another one.
fn localhost(name: &DnsName, record_type: RecordType) -> Option<Result<Told, ResolveError>> {
    if !is_special(name, "localhost") {
        return None;
    }
    // RFC 6761 6.3: "SHOULD always return the IP loopback address for address queries and negative responses for all
    // other query types. Name resolution APIs SHOULD NOT send queries for localhost names to their configured caching
    // DNS server(s)."
    let address: IpAddr = match record_type {
        RecordType::A => Ipv4Addr::LOCALHOST.into(),
        RecordType::Aaaa => Ipv6Addr::LOCALHOST.into(),
        _ => {
            let said_by = "localhost is always this host itself, RFC 6761 6.3".to_owned();
            return Some(Err(ResolveError::NoRecords { name: name.clone(), record_type, said_by }));
        }
    };
    let detail = "localhost is always this host itself, RFC 6761 6.3";
    Some(Ok(told(LookupSource::HostsFile, vec![address], detail.to_owned())))
}

/// Names that exist nowhere and are asked of nobody.
pub(crate) fn never_exists(name: &DnsName) -> Result<(), ResolveError> {
    let said_by = if is_special(name, "invalid") {
        // RFC 6761 6.4: "SHOULD recognize "invalid" names as special and always return immediate negative responses".
        "names below invalid never exist, RFC 6761 6.4"
    } else if is_special(name, "onion") {
        // RFC 7686 2: "applications that do not implement the Tor protocol SHOULD generate an error".
        "names below onion exist in Tor only, RFC 7686"
    } else {
        return Ok(());
    };
    Err(ResolveError::NotFound { name: name.clone(), target: None, said_by: said_by.to_owned() })
}

/// What is known, if it can be used.
pub(crate) fn lookup(name: &str, known: Known) -> Result<Lookup, ResolveError> {
    let addresses = usable(name, &known.addresses)?;
    Ok(without_asking(name, Known { addresses, ..known }))
}

/// What is known, whether or not it can be used.
pub(crate) fn without_asking(name: &str, known: Known) -> Lookup {
    Lookup {
        name: name.to_owned(),
        canonical: name.to_owned(),
        addresses: known.addresses,
        records: Vec::new(),
        signatures: Vec::new(),
        ttl: Duration::ZERO,
        source: known.source,
        server: None,
        security: crate::dnssec::Security::Unchecked,
        reason: None,
    }
}

/// The IPv4 addresses among these; that there are none but IPv6 ones is an error of its own.
pub(crate) fn usable(name: &str, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, ResolveError> {
    let ipv4: Vec<IpAddr> = addresses.iter().copied().filter(IpAddr::is_ipv4).collect();
    match addresses.first() {
        Some(first) if ipv4.is_empty() => {
            Err(ResolveError::AaaaOnly { name: name.to_owned(), address: *first })
        }
        _ => Ok(ipv4),
    }
}

fn told(source: LookupSource, addresses: Vec<IpAddr>, detail: String) -> Told {
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let detail = format!("{} ({detail})", list.join(", "));
    Told { source, known: Some(Known { addresses, source }), detail }
}

/// Whether `name` is the top-level domain `special` or below it.
fn is_special(name: &DnsName, special: &str) -> bool {
    DnsName::parse(special).is_ok_and(|special| name.is_within(&special))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::host(text).unwrap()
    }

    #[test]
    fn an_address_is_its_own_answer_with_brackets_or_without() {
        assert_eq!(literal("192.0.2.80").known.unwrap().addresses, ["192.0.2.80".parse::<IpAddr>().unwrap()]);
        assert_eq!(literal("[::1]").known.unwrap().addresses, ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(literal("www.test").known, None);
        assert_eq!(literal("[192.0.2.80]").known, None);
    }

    #[test]
    fn only_ipv6_is_an_error_that_names_the_address() {
        let error = lookup("[::1]", literal("[::1]").known.unwrap()).unwrap_err();
        assert!(matches!(&error, ResolveError::AaaaOnly { address, .. } if address.is_ipv6()));
        let both = HostsFile::parse("::1 both\n10.0.0.1 both\n");
        let found = lookup("both", in_hosts_file(&both, &name("both")).known.unwrap()).unwrap();
        assert_eq!(found.addresses, ["10.0.0.1".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn localhost_is_this_host_whatever_the_file_says_of_others() {
        let loopback = |text| in_hosts_file(&HostsFile::default(), &name(text)).known.unwrap().addresses;
        assert_eq!(loopback("localhost"), [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(loopback("a.LOCALHOST."), [IpAddr::from([127, 0, 0, 1])]);
        let file = HostsFile::parse("127.0.0.9 localhost\n");
        let Told { known, detail, .. } = in_hosts_file(&file, &name("localhost"));
        assert_eq!(known.unwrap().addresses, [IpAddr::from([127, 0, 0, 9])]);
        assert_eq!(detail, "127.0.0.9 (line 1)");
        assert_eq!(in_hosts_file(&file, &name("mylocalhost")).known, None);
    }

    #[test]
    fn the_last_override_counts() {
        let overrides: Vec<Override> = ["www.test:80:10.0.0.1", "*:80:10.0.0.2", "other.test:80:10.0.0.3"]
            .map(|o| o.parse().unwrap())
            .into();
        let Told { known, detail, .. } = overridden(&overrides, &name("www.test"), Some(80)).unwrap();
        assert_eq!(known.unwrap().addresses, [IpAddr::from([10, 0, 0, 2])]);
        assert_eq!(detail, "10.0.0.2 (for port 80)");
        assert_eq!(overridden(&overrides, &name("www.test"), Some(443)).unwrap().known, None);
        assert_eq!(overridden(&[], &name("www.test"), Some(80)), None);
    }

    #[test]
    fn names_that_never_exist_are_asked_of_nobody() {
        assert!(never_exists(&name("www.invalid")).is_err());
        assert!(never_exists(&name("x.onion")).is_err());
        assert!(never_exists(&name("www.example.test")).is_ok());
    }
}
