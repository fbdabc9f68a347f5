//! Names as people write them, made into names as DNS has them.

use crate::failure::{FAILED_INIT, coded};
use anyhow::anyhow;
use glasstack::dns::DnsName;
use std::net::IpAddr;

/// The name in ASCII: letters of other alphabets become `xn--` (UTS 46), as in the address bar.
pub(crate) fn in_ascii(typed: &str) -> anyhow::Result<String> {
    let name = typed.trim();
    let refused = |why: &str| Err(coded(FAILED_INIT, anyhow!("`{typed}` is no name and no address: {why}")));
    if name.is_empty() {
        return refused("it is empty");
    }
    if name.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return refused("there is a blank or a control character in it");
    }
    if name.contains("://") || name.contains('/') {
        return refused("it looks like a URL (`glasstack get` takes those)");
    }
    if name.is_ascii() {
        return Ok(name.to_owned());
    }
    match url::Host::parse(name) {
        Ok(host) => Ok(host.to_string()),
        Err(error) => refused(&error.to_string()),
    }
}

/// Any domain name, or an address, in ASCII: what a zone may hold is more than the names of hosts.
pub(crate) fn of_a_domain(typed: &str) -> anyhow::Result<String> {
    let name = typed.trim();
    // RFC 2317 4: zones of less than 256 addresses are called as `0/25.2.0.192.in-addr.arpa`.
    let is_reverse = name.trim_end_matches('.').to_ascii_lowercase().ends_with(".arpa");
    let has_escape = name.contains('\\');
    let name = if (is_reverse || has_escape) && name.is_ascii() && !name.contains("://") {
        name.to_owned()
    } else {
        in_ascii(name)?
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(name);
    }
    match DnsName::parse(&name) {
        Ok(_) => Ok(name),
        Err(error) => Err(coded(FAILED_INIT, anyhow!("`{typed}` is no domain name: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_alphabets_become_ascii() {
        assert_eq!(in_ascii("b\u{fc}cher.test").unwrap(), "xn--bcher-kva.test");
        for name in ["www.Example.test.", "192.0.2.1", "2001:db8::1", "_dmarc.example.test"] {
            assert_eq!(in_ascii(name).unwrap(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_named() {
        for (name, why) in [
            ("", "empty"),
            (" ", "empty"),
            ("a b", "blank"),
            ("http://a/", "URL"),
            ("\u{fffd}", "`\u{fffd}`"),
        ] {
            let told = in_ascii(name).unwrap_err().to_string();
            assert!(told.contains(why) && told.contains(&format!("`{name}`")), "{told}");
        }
    }

    #[test]
    fn a_domain_may_have_a_name_that_no_host_can_have() {
        for name in [
            ".",
            "*.example.test",
            r"a\.b.example.test",
            r"a\/b.test",
            "0/25.2.0.192.in-addr.arpa",
            "_dmarc.example.test.",
            "192.0.2.1",
            "[2001:db8::1]",
        ] {
            assert_eq!(of_a_domain(name).unwrap(), name);
        }
    }

    #[test]
    fn what_is_no_domain_name_is_told_with_the_reason() {
        for (name, why) in [
            ("a..b", "empty label"),
            ("..", "empty label"),
            ("", "empty"),
            ("www.example.test/", "URL"),
            (r"a\", "backslash"),
            (&"x".repeat(64), "too long"),
        ] {
            let told = of_a_domain(name).unwrap_err().to_string();
            assert!(told.contains(why) && told.contains(&format!("`{name}`")), "{told}");
        }
    }
}
