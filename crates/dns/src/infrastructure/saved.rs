//! A server as the file of a cache has it, in one line: `192.0.2.53:53 rtt 20103 4020 edns 1232`.

use super::EdnsSupport;
use std::fmt;
use std::net::SocketAddr;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

/// A server as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedServer {
    pub(crate) address: SocketAddr,
    /// Smoothed round-trip time and its variation; in the file in microseconds.
    pub(crate) measured: Option<(Duration, Duration)>,
    pub(crate) edns: EdnsSupport,
}

impl fmt::Display for SavedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some((srtt, variation)) = self.measured {
            write!(f, " rtt {} {}", srtt.as_micros(), variation.as_micros())?;
        }
        match self.edns {
            EdnsSupport::Unknown => Ok(()),
            EdnsSupport::Understood { udp_payload } => write!(f, " edns {udp_payload}"),
            EdnsSupport::Lacking => f.write_str(" no-edns"),
        }
    }
}

impl FromStr for SavedServer {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let word = words.next().ok_or("an address is missing")?;
        let address = word.parse().map_err(|_| format!("{word:?} is not an address with a port"))?;
        let mut server = Self { address, measured: None, edns: EdnsSupport::Unknown };
        while let Some(word) = words.next() {
            match word {
                "rtt" => {
                    let (srtt, variation) = (number(&mut words, "a time")?, number(&mut words, "a time")?);
                    server.measured = Some((Duration::from_micros(srtt), Duration::from_micros(variation)));
                }
                "edns" => {
                    let udp_payload = number(&mut words, "a size")?;
                    server.edns = EdnsSupport::Understood { udp_payload };
                }
                "no-edns" => server.edns = EdnsSupport::Lacking,
                other => return Err(format!("nothing is known of {other:?}")),
            }
        }
        Ok(server)
    }
}

fn number<T: FromStr>(words: &mut SplitWhitespace<'_>, what: &str) -> Result<T, String> {
    let word = words.next().ok_or_else(|| format!("{what} is missing"))?;
    word.parse().map_err(|_| format!("{word:?} is not {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_as_it_was_written() {
        for line in ["192.0.2.53:53 rtt 20103 4020 edns 1232", "[2001:db8::1]:53 no-edns", "192.0.2.53:53"] {
            assert_eq!(line.parse::<SavedServer>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let wrong = |line: &str| line.parse::<SavedServer>().unwrap_err();
        assert_eq!(wrong(""), "an address is missing");
        assert_eq!(wrong("192.0.2.53"), "\"192.0.2.53\" is not an address with a port");
        assert_eq!(wrong("192.0.2.53:53 rtt 1"), "a time is missing");
        assert_eq!(wrong("192.0.2.53:53 edns 70000"), "\"70000\" is not a size");
        assert_eq!(wrong("192.0.2.53:53 fast"), "nothing is known of \"fast\"");
    }
}
