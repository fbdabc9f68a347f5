//! Hosts that are reached without a proxy, as curl (7.86 and later) understands `--noproxy`.

use std::net::IpAddr;

/// Hosts that are reached without a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    entries: Vec<String>,
}

impl NoProxy {
    /// A list as curl's `--noproxy` takes it: hosts with their subdomains, addresses, networks
    /// (`10.0.0.0/8`), separated by commas or spaces; `*` alone: every host. Ports are not among
    /// them.
    pub fn parse(text: &str) -> Self {
        let words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        Self { entries: words.map(str::to_owned).collect() }
    }

    /// The entry that covers `host` (an IPv6 address with or without its brackets).
    pub fn covers(&self, host: &str) -> Option<&str> {
        let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        if let [only] = self.entries.as_slice()
            && only == "*"
        {
            return Some(only);
        }
        let covers = |entry: &&String| match host.parse::<IpAddr>() {
            Ok(address) => covers_address(entry, address),
            Err(_) => covers_name(entry, host),
        };
        self.entries.iter().find(covers).map(String::as_str)
    }
}

/// A name covers itself and what is below it; dots around it make no difference.
fn covers_name(entry: &str, host: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(start) = host.len().checked_sub(entry.len()) else { return false };
    let is_suffix = host.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(entry));
    is_suffix && !entry.is_empty() && (start == 0 || host.as_bytes().get(start - 1) == Some(&b'.'))
}

/// An address, or a network as `10.0.0.0/8`.
fn covers_address(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => match bits.parse::<u32>() {
            Ok(bits) => (network, Some(bits)),
            Err(_) => return false,
        },
        None => (entry, None),
    };
    let network = network.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(network);
    match (network.parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => {
            let bits = bits.unwrap_or(32);
            let differ = u32::from(network) ^ u32::from(address);
            bits <= 32 && differ.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => {
            let bits = bits.unwrap_or(128);
            let differ = u128::from(network) ^ u128::from(address);
            bits <= 128 && differ.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_itself_and_what_is_below_it() {
        let list = NoProxy::parse("h.test, .below.test  dotted.test.,");
        for host in ["h.test", "H.TEST", "www.h.test", "h.test.", "below.test", "x.below.test", "dotted.test"]
        {
            assert!(list.covers(host).is_some(), "{host}");
        }
        for host in ["xh.test", "test", "h.test.net", "10.0.0.1", ""] {
            assert!(list.covers(host).is_none(), "{host}");
        }
    }

    #[test]
    fn a_star_alone_is_every_host_and_among_others_it_is_nothing() {
        assert_eq!(NoProxy::parse("*").covers("h.test"), Some("*"));
        assert_eq!(NoProxy::parse("*,x").covers("h.test"), None);
        assert_eq!(NoProxy::parse("").covers("h.test"), None);
    }

    #[test]
    fn addresses_are_covered_by_themselves_and_by_their_networks() {
        let list = NoProxy::parse("10.0.0.0/8,192.168.1.7,[::1],fd00::/8,1.2.3.4/33,0x1/8");
        for host in ["10.1.2.3", "192.168.1.7", "[::1]", "::1", "fdab::1"] {
            assert!(list.covers(host).is_some(), "{host}");
        }
        for host in ["11.0.0.1", "192.168.1.8", "::2", "fe80::1", "1.2.3.4"] {
            assert!(list.covers(host).is_none(), "{host}");
        }
        assert!(NoProxy::parse("0.0.0.0/0").covers("9.9.9.9").is_some());
    }
}
