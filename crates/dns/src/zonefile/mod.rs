//! Zone files (RFC 1035 5, RFC 2308 4): text to a [`Zone`], checked as `named-checkzone` checks it.
//!
//! ```text
//!   text -> tokens -> reader -> rdata -> assemble -> check -> Zone
//!            |          |         |         |          |
//!            |          |         |         |          what does not fit together, or looks wrong
//!            |          |         |         one SOA, the zone's own names, one TTL a set
//!            |          |         a record's data: NLnet Labs' `domain`, and what it does not know
//!            |          directives, owners, TTLs and classes left out, $GENERATE, $INCLUDE
//!            words with their lines: quotes, escapes, parentheses, comments
//! ```

mod assemble;
mod check;
mod generate;
mod mistakes;
mod rdata;
mod reader;
mod record;
mod tokens;
mod words;

pub use record::BadRecord;

use crate::name::DnsName;
use crate::zone::Zone;
use reader::Reader;
use std::fmt;

/// How a zone file is to be read.
#[derive(Clone, Copy)]
pub struct ZoneFileOptions<'a> {
    /// The zone's topmost name, below which relative names are.
    pub origin: &'a DnsName,
    /// What the file is called, for messages.
    pub file: &'a str,
    /// Gives the text of a file that `$INCLUDE` names, or why it cannot be had.
    pub include: &'a dyn Fn(&str) -> Result<String, String>,
    /// The TTL of records before any `$TTL` and any record that has one, in seconds. Without it that is
    /// the SOA record's last number (RFC 1035 5.2).
    pub default_ttl: Option<u32>,
}

impl<'a> ZoneFileOptions<'a> {
    /// A file of one piece: it may include no other.
    pub fn new(origin: &'a DnsName, file: &'a str) -> Self {
        Self {
            origin,
            file,
            include: &|_| Err("other files are not read here".to_owned()),
            default_ttl: None,
        }
    }
}

impl fmt::Debug for ZoneFileOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneFileOptions").field("origin", &self.origin).field("file", &self.file).finish()
    }
}

/// Something in a zone file that is probably not meant, but does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is the matter.
    pub cause: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.cause)
    }
}

/// A text is no zone file, or what it says is no zone. Printed it has a line for each thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {cause}; {cure}{}", Others(.others))]
pub struct BadZoneFile {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is the matter.
    pub cause: String,
    /// What to do about it.
    pub cure: String,
    /// What else is wrong further on, as far as it was read: at most 20 things altogether are told.
    pub others: Vec<Self>,
}

/// Lines behind the first.
struct Others<'a>(&'a [BadZoneFile]);

impl fmt::Display for Others<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl Zone {
    /// Reads a zone file. What is merely suspicious comes along as warnings.
    pub fn parse(text: &str, options: &ZoneFileOptions<'_>) -> Result<(Self, Vec<Warning>), BadZoneFile> {
        let mut reader = Reader::new(options);
        reader.read_all(text, &options.origin.clone().into())?;
        let Reader { loaded, mut warnings, .. } = reader;
        let zone = assemble::zone(&loaded, options)?;
        check::check(&zone, &loaded, &mut warnings)?;
        Ok((zone, warnings))
    }
}
