//! Trust anchors (RFC 4033 2): the keys that are believed without proof.

use crate::dnssec::text;
use crate::name::DnsName;
use crate::record::{Dnskey, Ds, Record, RecordData};
use data_encoding::{BASE64, HEXUPPER};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The root's keys as IANA publishes them (root-anchors.xml): that of 2017, and that of 2024 which is
/// to follow it.
const IANA: &str = "\
. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D
. IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16
";

/// The keys that are believed without proof, by zone, and the zones that are not to be checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustAnchors {
    anchors: BTreeMap<DnsName, Anchor>,
    unchecked: BTreeSet<DnsName>,
}

/// What is believed of one zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) ds: Vec<Ds>,
    pub(crate) keys: Vec<Dnskey>,
}

/// A text is not a list of trust anchors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}: write DS or DNSKEY records, as in `. IN DS 20326 8 2 E06D44B8...`")]
pub struct BadTrustAnchor {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: String,
}

impl TrustAnchors {
    /// The root's, as IANA publishes them.
    pub fn iana() -> Self {
        Self::new(IANA.lines().filter_map(|line| text::record(line).ok()))
    }

    /// These DS and DNSKEY records; others are left out.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut anchors: BTreeMap<DnsName, Anchor> = BTreeMap::new();
        for record in records {
            match record.data {
                RecordData::Ds(ds) => anchors.entry(record.owner).or_default().ds.push(ds),
                RecordData::Dnskey(key) => anchors.entry(record.owner).or_default().keys.push(key),
                _ => {}
            }
        }
        Self { anchors, unchecked: BTreeSet::new() }
    }

    /// DS and DNSKEY records, as in the files that `unbound-anchor` and `dig` write: one a line, a
    /// semicolon before a comment, parentheses around what is broken into lines. Quotation marks, as in
    /// unbound's `trust-anchor: "..."`, are passed over, and so are keys that unbound's comments mark as not
    /// trusted yet, or no longer (RFC 5011 4.2).
    pub fn parse(text: &str) -> Result<Self, BadTrustAnchor> {
        let mut records = Vec::new();
        let (mut pending, mut begun, mut open) = (String::new(), 0, 0_usize);
        for (line, content) in (1..).zip(text.lines()) {
            let (content, comment) = content.split_once(';').unwrap_or((content, ""));
            if pending.trim().is_empty() {
                begun = line;
            }
            for c in content.chars() {
                match c {
                    '(' => open += 1,
                    ')' => open = open.saturating_sub(1),
                    '"' => {}
                    c => pending.push(c),
                }
            }
            pending.push(' ');
            if open == 0 {
                let record = std::mem::take(&mut pending);
                if !record.trim().is_empty() && is_trusted(comment) {
                    records
                        .push(text::record(&record).map_err(|cause| BadTrustAnchor { line: begun, cause })?);
                }
            }
        }
        if !pending.trim().is_empty() {
            return Err(BadTrustAnchor { line: begun, cause: "a parenthesis is not closed".to_owned() });
        }
        Ok(Self::new(records))
    }

    /// The same and those of `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        for (zone, more) in others.anchors {
            let anchor = self.anchors.entry(zone).or_default();
            anchor.ds.extend(more.ds);
            anchor.keys.extend(more.keys);
        }
        self.unchecked.extend(others.unchecked);
        self
    }

    /// The same, but what is at `zone` or below it is not to be checked, unless a trust anchor further
    /// down says otherwise (RFC 7646, "negative trust anchor").
    #[must_use]
    pub fn without(mut self, zone: DnsName) -> Self {
        self.unchecked.insert(zone);
        self
    }

    /// As a `trust-anchors` clause of BIND's, which `delv -a`, named and unbound's `trusted-keys-file` take.
    pub fn to_bind(&self) -> String {
        let mut text = "trust-anchors {\n".to_owned();
        for (zone, anchor) in &self.anchors {
            for Ds { key_tag, algorithm, digest_type, digest } in &anchor.ds {
                let digest = HEXUPPER.encode(digest);
                text +=
                    &format!("\t\"{zone}\" static-ds {key_tag} {algorithm} {digest_type} \"{digest}\";\n");
            }
            for Dnskey { flags, protocol, algorithm, public_key } in &anchor.keys {
                let key = BASE64.encode(public_key);
                text += &format!("\t\"{zone}\" static-key {flags} {protocol} {algorithm} \"{key}\";\n");
            }
        }
        text + "};\n"
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The zones that have one.
    pub fn zones(&self) -> impl Iterator<Item = &DnsName> {
        self.anchors.keys()
    }

    /// The zones that are not to be checked.
    pub(crate) fn unchecked(&self) -> impl Iterator<Item = &DnsName> {
        self.unchecked.iter()
    }

    /// The nearest at `name` or above it.
    pub(crate) fn nearest(&self, name: &DnsName) -> Nearest<'_> {
        let mut at = Some(name.clone());
        while let Some(name) = at {
            if let Some((zone, anchor)) = self.anchors.get_key_value(&name) {
                return Nearest::Anchor(zone, anchor);
            }
            if let Some(zone) = self.unchecked.get(&name) {
                return Nearest::Unchecked(zone);
            }
            at = name.parent();
        }
        Nearest::None
    }
}

impl fmt::Display for TrustAnchors {
    /// In one line, each zone with its keys' tags: `. 20326 38696`; `none` where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let zone = |(zone, anchor): (&DnsName, &Anchor)| {
            let tags: Vec<String> = anchor.key_tags().iter().map(ToString::to_string).collect();
            format!("{zone} {}", tags.join(" "))
        };
        let except = self.unchecked.iter().map(|zone| format!("without {zone}"));
        let all: Vec<String> = self.anchors.iter().map(zone).chain(except).collect();
        f.write_str(&all.join(", "))
    }
}

/// Whether unbound's comment behind a key, if there is one, marks it as valid or missing (`;;state=2`, 3).
fn is_trusted(comment: &str) -> bool {
    match comment.split_once(";;state=") {
        Some((_, state)) => state.starts_with(['2', '3']),
        None => true,
    }
}

/// What the anchors say of a name.
pub(crate) enum Nearest<'a> {
    Anchor(&'a DnsName, &'a Anchor),
    Unchecked(&'a DnsName),
    None,
}

impl Anchor {
    /// The tags of the keys that are believed.
    pub(crate) fn key_tags(&self) -> Vec<u16> {
        let ds = self.ds.iter().map(|ds| ds.key_tag);
        ds.chain(self.keys.iter().map(Dnskey::key_tag)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::name;

    fn tags(anchors: &TrustAnchors, of: &str) -> Vec<u16> {
        match anchors.nearest(&name(of)) {
            Nearest::Anchor(_, anchor) => anchor.key_tags(),
            _ => Vec::new(),
        }
    }

    /// As they are in the root zone.
    const ROOT_KEYS: [&str; 2] = [
        ". IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7S \
         WXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3 \
         rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilB \
         mSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=",
        ". IN DNSKEY 257 3 8 AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHsp \
         aQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qy \
         JNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNa \
         tX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc=",
    ];

    #[test]
    fn the_roots_keys_are_built_in() {
        let built_in = TrustAnchors::iana();
        assert_eq!(tags(&built_in, "www.example.test"), [20_326, 38_696]);
        let Nearest::Anchor(root, anchor) = built_in.nearest(&name("test")) else { panic!() };
        for (ds, text) in anchor.ds.iter().zip(ROOT_KEYS) {
            let RecordData::Dnskey(key) = text::record(text).unwrap().data else { panic!() };
            assert_eq!(key.to_ds(root, ds.digest_type).as_ref(), Some(ds));
        }
    }

    #[test]
    fn a_file_of_unbounds_is_read() {
        let text = format!(
            "; // The following lines are managed by unbound-anchor\n;;id: . 1\n\
             {} ;{{id = 20326 (ksk), size = 2048b}} ;;state=2\n",
            ROOT_KEYS[0].replacen(' ', "\t86400\t", 1)
        );
        assert_eq!(tags(&TrustAnchors::parse(&text).unwrap(), "."), [20_326]);
        let not_yet = text.replace("state=2", "state=1 [ ADDPEND ]");
        assert!(TrustAnchors::parse(&not_yet).unwrap().is_empty());
    }

    #[test]
    fn a_ds_may_be_broken_into_lines_and_quoted() {
        let anchors = TrustAnchors::parse(
            "\n\"example.com.    3600    IN      DS      2854 13 2 (\n46e4 ffc6e9a4\n )\"\n",
        );
        let anchors = anchors.unwrap();
        assert_eq!(tags(&anchors, "www.example.com"), [2854]);
        assert!(tags(&anchors, "example").is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let error = |text| TrustAnchors::parse(text).unwrap_err();
        assert_eq!(error("\n. IN A 192.0.2.1").line, 2);
        assert!(error(". DS 1 8 2 xyz").to_string().contains("hexadecimal"));
        assert!(error(". DS 1 eight 2 00").to_string().contains("\"eight\" is not an algorithm's number"));
        assert!(error(". DNSKEY 257 3 8 (\nAwEA").to_string().contains("parenthesis"));
        assert!(error(". DNSKEY 257 3 8").to_string().contains("base 64"));
    }

    #[test]
    fn the_nearest_counts_and_so_does_what_is_not_to_be_checked() {
        let anchors =
            TrustAnchors::parse(". DS 1 8 2 00\na.b.test. DS 2 8 2 00").unwrap().without(name("b.test"));
        assert_eq!(tags(&anchors, "test"), [1]);
        assert_eq!(tags(&anchors, "x.a.b.test"), [2]);
        assert!(
            matches!(anchors.nearest(&name("x.b.test")), Nearest::Unchecked(zone) if *zone == name("b.test"))
        );
    }
}
