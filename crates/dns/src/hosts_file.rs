//! The hosts file (hosts(5)): names that no server is asked for.

use crate::name::DnsName;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A hosts file, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsFile {
    entries: BTreeMap<DnsName, Vec<HostsEntry>>,
    warnings: Vec<LineWarning>,
}

/// An address in a hosts file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostsEntry {
    /// The address.
    pub address: IpAddr,
    /// Where it stands, the first line being 1.
    pub line: usize,
}

/// Something in a file that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineWarning {
    /// Where, the first line being 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for LineWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl HostsFile {
    /// Reads a file: an address and its names on each line, `#` begins a comment. What cannot be
    /// understood is passed over with a warning, as every resolver does.
    pub fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for (line, text) in (1..).zip(text.lines()) {
            file.read_line(line, text);
        }
        file
    }

    /// Reads a file of bytes; what is not UTF-8 can only be in a comment or is warned of.
    pub fn parse_bytes(bytes: &[u8]) -> Self {
        Self::parse(&String::from_utf8_lossy(bytes))
    }

    /// The addresses of `name`, in the file's order; empty if it is not there.
    pub fn lookup(&self, name: &DnsName) -> &[HostsEntry] {
        self.entries.get(name).map_or(&[], Vec::as_slice)
    }

    /// How many names it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no name at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What was passed over.
    pub fn warnings(&self) -> &[LineWarning] {
        &self.warnings
    }

    fn read_line(&mut self, line: usize, text: &str) {
        let mut fields = text.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = fields.next() else { return };
        // A link-local address may carry its interface: fe80::1%lo.
        let Ok(address) = address.split('%').next().unwrap_or_default().parse() else {
            return self.warn(line, format!("{address:?} is not an IP address"));
        };
        let mut names = 0;
        for name in fields {
            names += 1;
            match DnsName::host(name) {
                Ok(name) => {
                    let entries = self.entries.entry(name).or_default();
                    if entries.iter().all(|entry| entry.address != address) {
                        entries.push(HostsEntry { address, line });
                    }
                }
                Err(error) => self.warn(line, format!("{name:?} is not a host name: {error}")),
            }
        }
        if names == 0 {
            self.warn(line, format!("{address} has no name"));
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

    fn lookup(file: &HostsFile, name: &str) -> Vec<String> {
        let entries = file.lookup(&DnsName::host(name).unwrap());
        entries.iter().map(|entry| format!("{}@{}", entry.address, entry.line)).collect()
    }

    #[test]
    fn a_line_gives_an_address_several_names() {
        let file = HostsFile::parse(
            "# a comment\n127.0.0.1\tlocalhost\n\n  192.0.2.80 www.Example.test www # the site\r\n192.0.2.81 www\n",
        );
        assert_eq!(lookup(&file, "www.example.test"), ["192.0.2.80@4"]);
        assert_eq!(lookup(&file, "www"), ["192.0.2.80@4", "192.0.2.81@5"]);
        assert_eq!(lookup(&file, "localhost"), ["127.0.0.1@2"]);
        assert!(lookup(&file, "site").is_empty());
        assert!(file.warnings().is_empty());
    }

    #[test]
    fn what_is_wrong_is_passed_over_with_its_line() {
        let file = HostsFile::parse("bogus www\n192.0.2.1\n192.0.2.2 good b*d\nfe80::1%lo0 local\n");
        let warnings: Vec<String> = file.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "line 1: \"bogus\" is not an IP address",
                "line 2: 192.0.2.1 has no name",
                "line 3: \"b*d\" is not a host name: '*' cannot be in a host name (letters, digits, hyphens and dots \
                 can)",
            ]
        );
        assert_eq!(lookup(&file, "good"), ["192.0.2.2@3"]);
        assert_eq!(lookup(&file, "local"), ["fe80::1@4"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_give_a_file(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = HostsFile::parse_bytes(&bytes);
        }
    }
}
