//! PEM (RFC 7468): labelled sections of base64 in a text, other text between them.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A section.
pub(crate) struct Section {
    pub(crate) label: String,
    /// Its bytes, or what is wrong with it.
    pub(crate) der: Result<Vec<u8>, String>,
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// As written by others, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The sections of a text; none if it is no such text.
pub(crate) fn sections(text: &[u8]) -> Vec<Section> {
    let text = String::from_utf8_lossy(text);
    let mut sections = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else {
            continue;
        };
        let mut encoded = String::new();
        let mut wrong = Some("its end is missing".to_owned());
        for line in lines.by_ref() {
            if let Some(end) = line.strip_prefix(END) {
                wrong = (end.strip_suffix(DASHES) != Some(label))
                    .then(|| "it ends with another label".to_owned());
                break;
            }
            // RFC 1421 4.6: fields of a head, as OpenSSL's own way to encrypt has them.
            if line.contains(':') {
                if line.contains("ENCRYPTED") {
                    encoded.clear();
                    encoded.push('!');
                }
            } else if !encoded.starts_with('!') {
                encoded.push_str(line);
            }
        }
        let der = match (wrong, encoded.starts_with('!')) {
            (Some(wrong), _) => Err(wrong),
            (None, true) => Err("it is encrypted in OpenSSL's old way (Proc-Type: 4,ENCRYPTED)".to_owned()),
            (None, false) => BASE64.decode(&encoded).map_err(|error| error.to_string()),
        };
        sections.push(Section { label: label.to_owned(), der });
    }
    sections
}

/// One section.
pub(crate) fn section(label: &str, der: &[u8]) -> String {
    let mut text = format!("{BEGIN}{label}{DASHES}\n");
    let encoded = BASE64.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = others;
    }
    text + END + label + DASHES + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_as_it_was_written_and_what_is_around_it_is_passed_over() {
        let text =
            format!("# a note\n{}between\n{}", section("X509 CRL", &[7; 100]), section("CERTIFICATE", &[]));
        let sections = sections(text.as_bytes());
        assert_eq!(sections.len(), 2);
        assert_eq!((sections[0].label.as_str(), sections[0].der.clone()), ("X509 CRL", Ok(vec![7; 100])));
        assert_eq!(sections[1].der, Ok(vec![]));
    }

    #[test]
    fn a_section_that_is_wrong_does_not_hide_the_next() {
        let text = "-----BEGIN A-----\n????\n-----END A-----\n-----BEGIN B-----\nAAAA\n-----END C-----\n-----BEGIN D-----\nAAAA";
        let sections = sections(text.as_bytes());
        assert_eq!(sections.iter().map(|one| one.label.as_str()).collect::<Vec<_>>(), ["A", "B", "D"]);
        assert!(sections.iter().all(|one| one.der.is_err()));
    }
}
