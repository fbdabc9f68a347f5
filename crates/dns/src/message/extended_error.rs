//! Extended errors (RFC 8914): why an answer is what it is.

use std::fmt::{self, Write};

/// Why an answer is what it is (RFC 8914 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// The kind of trouble (RFC 8914 4).
    pub code: u16,
    /// For people to read; may be empty.
    pub text: String,
}

/// So much of a text is sent, in bytes: the rest of a datagram is for records.
const BRIEF: usize = 100;

impl ExtendedError {
    /// One whose text is cut behind a word if it is long.
    pub fn brief(code: u16, text: &str) -> Self {
        if text.len() <= BRIEF {
            return Self { code, text: text.to_owned() };
        }
        let begun = text.char_indices().take_while(|(at, _)| *at <= BRIEF);
        let word = begun.filter(|(_, letter)| *letter == ' ').last().map_or(0, |(at, _)| at);
        let kept = text.get(..word).unwrap_or_default().trim_end_matches([':', ';', ',', '(']);
        Self { code, text: format!("{kept}...") }
    }

    /// Whether it says that signatures or proofs do not hold, or cannot be had.
    pub fn is_about_signatures(&self) -> bool {
        matches!(self.code, 1 | 2 | 5..=12 | 25 | 27)
    }

    /// What the code says (IANA, "Extended DNS Error Codes"); none where it is not known.
    pub fn purpose(&self) -> Option<&'static str> {
        const PURPOSES: [&str; 31] = [
            "Other",
            "Unsupported DNSKEY Algorithm",
            "Unsupported DS Digest Type",
            "Stale Answer",
            "Forged Answer",
            "DNSSEC Indeterminate",
            "DNSSEC Bogus",
            "Signature Expired",
            "Signature Not Yet Valid",
            "DNSKEY Missing",
            "RRSIGs Missing",
            "No Zone Key Bit Set",
            "NSEC Missing",
            "Cached Error",
            "Not Ready",
            "Blocked",
            "Censored",
            "Filtered",
            "Prohibited",
            "Stale NXDomain Answer",
            "Not Authoritative",
            "Not Supported",
            "No Reachable Authority",
            "Network Error",
            "Invalid Data",
            "Signature Expired before Valid",
            "Too Early",
            "Unsupported NSEC3 Iterations Value",
            "Unable to conform to policy",
            "Synthesized",
            "Invalid Query Type",
        ];
        PURPOSES.get(usize::from(self.code)).copied()
    }
}

impl fmt::Display for ExtendedError {
    /// As `dig` prints it: `22 (No Reachable Authority): (at delegation example.test)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(purpose) = self.purpose() {
            write!(f, " ({purpose})")?;
        }
        if !self.text.is_empty() {
            f.write_str(": (")?;
            for letter in self.text.chars() {
                // It comes from anybody, and is shown on terminals.
                match letter.is_control() {
                    true => write!(f, "{}", letter.escape_default())?,
                    false => f.write_char(letter)?,
                }
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_behind_a_word() {
        let cut = |text: &str| ExtendedError::brief(0, text).text;
        assert_eq!(cut("as it is"), "as it is");
        let short = "x".repeat(BRIEF);
        assert_eq!(cut(&short), short);
        assert_eq!(cut(&format!("no server was of use: {short}")), "no server was of use...");
        assert!(cut(&"words ".repeat(50)).len() <= BRIEF + 3);
        assert_eq!(cut(&"\u{e9}".repeat(BRIEF)), "...", "a word without end");
    }
}
