//! The resolver's configuration file (resolv.conf(5)).

use crate::hosts_file::LineWarning;
use crate::name::DnsName;
use std::net::IpAddr;
use std::time::Duration;

/// How many name servers are used; the C library stops there, too (MAXNS).
const MAX_SERVERS: usize = 3;

/// A resolv.conf, read. What it does not say has resolv.conf(5)'s defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvConf {
    /// `nameserver`: whom to ask, in this order.
    pub servers: Vec<IpAddr>,
    /// `search`, or `domain`: what is tried behind a short name.
    pub search: Vec<DnsName>,
    /// `options ndots:N`: a name with at least so many dots is tried as it stands first. 1.
    pub ndots: usize,
    /// `options timeout:N`: how long a server is given. 5 s, at most 30 s.
    pub timeout: Duration,
    /// `options attempts:N`: how often each server is asked. 2, at most 5.
    pub attempts: u32,
    /// `options use-vc`: always over TCP.
    pub use_tcp: bool,
    /// What was passed over.
    pub warnings: Vec<LineWarning>,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            use_tcp: false,
            warnings: Vec::new(),
        }
    }
}

impl ResolvConf {
    /// Reads a file; what cannot be understood is passed over with a warning.
    pub fn parse(text: &str) -> Self {
        let mut conf = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            // A comment begins at the first column; further on, ; and # do as well in practice.
            let text = text.split([';', '#']).next().unwrap_or_default();
            let mut fields = text.split_whitespace();
            match fields.next() {
                Some("nameserver") => conf.read_server(line, fields.next().unwrap_or_default()),
                Some("search" | "domain") => conf.read_search(line, fields),
                Some("options") => fields.for_each(|option| conf.read_option(line, option)),
                Some("sortlist") | None => {}
                Some(other) => conf.warn(line, format!("{other:?} is not known")),
            }
        }
        conf
    }

    fn read_server(&mut self, line: usize, text: &str) {
        match text.split('%').next().unwrap_or_default().parse() {
            Ok(_) if self.servers.len() == MAX_SERVERS => {
                self.warn(line, format!("{text} is one too many: only {MAX_SERVERS} name servers are asked"));
            }
            Ok(server) => self.servers.push(server),
            Err(_) => self.warn(line, format!("{text:?} is not an IP address")),
        }
    }

    /// The last `search` or `domain` line counts.
    fn read_search<'a>(&mut self, line: usize, domains: impl Iterator<Item = &'a str>) {
        self.search.clear();
        for domain in domains {
            match DnsName::parse(domain) {
                Ok(domain) => self.search.push(domain),
                Err(error) => self.warn(line, format!("{domain:?} is not a domain: {error}")),
            }
        }
    }

    fn read_option(&mut self, line: usize, option: &str) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        let number = value.parse::<u32>();
        match (name, number) {
            ("ndots", Ok(number)) => self.ndots = number.min(15) as usize,
            ("timeout", Ok(seconds)) => self.timeout = Duration::from_secs(seconds.clamp(1, 30).into()),
            ("attempts", Ok(number)) => self.attempts = number.clamp(1, 5),
            ("use-vc", _) => self.use_tcp = true,
            ("ndots" | "timeout" | "attempts", Err(_)) => {
                self.warn(line, format!("option {option:?} needs a number"));
            }
            // The others are about the C library's own ways.
            _ => {}
        }
    }

    fn warn(&mut self, line: usize, problem: String) {
        self.warnings.push(LineWarning { line, problem });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_usual_file_is_understood() {
        let conf = ResolvConf::parse(
            "# made by hand\nnameserver 10.0.0.53\nnameserver fe80::1%eth0 ; the router\nsearch a.test b.test\n\
             options timeout:2 attempts:9 ndots:2 edns0 trust-ad use-vc\n",
        );
        assert_eq!(conf.servers, ["10.0.0.53".parse::<IpAddr>().unwrap(), "fe80::1".parse().unwrap()]);
        assert_eq!(conf.search, [DnsName::host("a.test").unwrap(), DnsName::host("b.test").unwrap()]);
        assert_eq!((conf.timeout, conf.attempts, conf.ndots), (Duration::from_secs(2), 5, 2));
        assert!(conf.use_tcp);
        assert!(conf.warnings.is_empty());
    }

    #[test]
    fn what_is_wrong_is_passed_over_with_its_line() {
        let conf = ResolvConf::parse(
            "nameserver ten\nnameserver\nwhatever 1\noptions timeout:soon\nsearch a..b\n\
             nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
        );
        let lines: Vec<usize> = conf.warnings.iter().map(|warning| warning.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 9]);
        assert_eq!(conf.servers.len(), 3);
        assert_eq!(conf.timeout, Duration::from_secs(5));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_gives_a_configuration(text in ".{0,200}") {
            let _ = ResolvConf::parse(&text);
        }
    }
}
