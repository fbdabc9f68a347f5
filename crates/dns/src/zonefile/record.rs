//! A record on a line of its own, complete, as other files than zones have it.

use super::reader::Reader;
use super::{BadZoneFile, ZoneFileOptions};
use crate::name::DnsName;
use crate::record::Record;
use std::str::FromStr;

/// A text is not one record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}; {cure}")]
pub struct BadRecord {
    /// What is the matter.
    pub cause: String,
    /// What to do about it.
    pub cure: String,
}

impl FromStr for Record {
    type Err = BadRecord;

    /// One record as a zone file has it, with owner and TTL: `www.example.test. 300 IN A 192.0.2.80`.
    fn from_str(text: &str) -> Result<Self, BadRecord> {
        let cure = || "write one, like this: www.example.test. 300 IN A 192.0.2.80".to_owned();
        if text.trim_start().starts_with('$') || text.contains('\n') {
            return Err(BadRecord { cause: "it is not one record".to_owned(), cure: cure() });
        }
        let root = DnsName::root();
        let options = ZoneFileOptions::new(&root, "");
        let mut reader = Reader::new(&options);
        reader
            .read_all(text, &root.clone().into())
            .map_err(|BadZoneFile { cause, cure, .. }| BadRecord { cause, cure })?;
        let loaded = reader.loaded.into_iter().next().map(|loaded| loaded.record);
        loaded.ok_or_else(|| BadRecord { cause: "there is no record".to_owned(), cure: cure() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_is_printed() {
        for text in [
            "www.example.test. 300 IN A 192.0.2.80",
            ". 3600000 IN NS a.root-servers.net.",
            "example.test. 60 IN SOA ns.example.test. admin.example.test. 1 2 3 4 5",
            "example.test. 60 IN MX 10 mail.example.test.",
            r#"example.test. 60 IN TXT "a; b" "\"c\"""#,
            "x.example.test. 0 IN TYPE65280 \\# 3 0001AB",
        ] {
            assert_eq!(text.parse::<Record>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_record_is_refused_with_cause_and_cure() {
        for text in
            ["", "; nothing", "$INCLUDE x", "a. 1 IN A 1.1.1.1\nb. 1 IN A 1.1.1.1", "x. 60 IN A 1.2.3"]
        {
            let error = text.parse::<Record>().unwrap_err();
            assert!(!error.cause.is_empty() && !error.cure.is_empty(), "{text:?}: {error}");
        }
    }
}
