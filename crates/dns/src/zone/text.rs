//! A zone as a file (RFC 1035 5).

use super::Zone;
use std::fmt;

impl Zone {
    /// The zone as a file: one record a line, names complete, the SOA first. What [`Zone::parse`] makes
    /// of it is this zone again.
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.records().try_for_each(|record| writeln!(f, "{record}"))
    }
}
