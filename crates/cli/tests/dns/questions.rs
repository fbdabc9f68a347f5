//! Questions made from what a zone holds: names that are there, names that are not, below delegations,
//! under wildcards and between names that are there; all types; with DNSSEC and without.

use super::dig::Ask;
use std::collections::{BTreeMap, BTreeSet};

/// What a zone is asked for, from its records as `name class type data`.
pub(crate) fn for_zone(zone: &str, records: &[String]) -> Vec<Ask> {
    let mut asks = BTreeSet::new();
    for (at, (name, types)) in names(records).into_iter().enumerate() {
        let turn = |of: &[&'static str], step: usize| of[(at + step) % of.len()];
        types.iter().for_each(|record_type| add(&mut asks, &name, record_type));
        add(&mut asks, &name, "A");
        add(&mut asks, &name, turn(&EVERY_TYPE, 0));
        add(&mut asks, &name, turn(&EVERY_TYPE, 7));
        add(&mut asks, &upper(&name), "TXT");
        let own = name.trim_start_matches("*.");
        let below = if own == "." { String::new() } else { own.to_owned() };
        add(&mut asks, &format!("nobody.{below}"), turn(&["A", "DS", "MX", "CNAME"], 0));
        add(&mut asks, &format!("x.y.{below}"), turn(&["TXT", "A", "NS", "ANY"], 0));
        // Just behind it in canonical order (RFC 4034 6.1), and beside it.
        add(&mut asks, &format!("\\000.{below}"), turn(&["A", "AAAA", "SOA"], 0));
        if let Some((first, rest)) = own.split_once('.').filter(|_| own != zone && !own.contains('\\')) {
            add(&mut asks, &format!("{first}0.{rest}"), "A");
            add(&mut asks, &format!("*.{rest}"), turn(&["A", "TXT", "NSEC"], 0));
            add(&mut asks, rest, turn(&["A", "DS", "TXT"], 0));
        }
    }
    let plain = asks.iter().map(|(name, record_type)| format!("{name} {record_type} +norecurse +ignore"));
    plain
        .flat_map(|words| [format!("{words} +bufsize=4096").into(), format!("{words} +dnssec").into()])
        .collect()
}

const EVERY_TYPE: [&str; 19] = [
    "A",
    "AAAA",
    "NS",
    "SOA",
    "MX",
    "TXT",
    "CNAME",
    "DNAME",
    "DS",
    "DNSKEY",
    "NSEC",
    "NSEC3PARAM",
    "SRV",
    "PTR",
    "CAA",
    "HTTPS",
    "ANY",
    "RRSIG",
    "TYPE65280",
];

fn add(asks: &mut BTreeSet<(String, String)>, name: &str, record_type: &str) {
    if is_name(name) {
        asks.insert((name.to_owned(), record_type.to_owned()));
    }
}

/// RFC 1035 3.1: labels of at most 63 octets, 255 in all. An escape is one octet.
fn is_name(text: &str) -> bool {
    let (mut label, mut all) = (0, 1);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => label = 0,
            '\\' if letters.next().is_some_and(|next| next.is_ascii_digit()) => {
                letters.nth(1).map_or((), |_| label += 1)
            }
            _ => label += 1,
        }
        all += 1;
        if label > 63 || all > 255 {
            return false;
        }
    }
    true
}

/// Every name with its types, without the names of NSEC3 records.
fn names(records: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in records {
        let fields: Vec<&str> = record.split(' ').collect();
        let (name, record_type) = (fields[0], fields[2]);
        let of_nsec3 = record_type == "NSEC3" || (record_type == "RRSIG" && fields[3] == "NSEC3");
        if !of_nsec3 {
            names.entry(name.to_owned()).or_default().insert(record_type.to_owned());
        }
    }
    names
}

/// Names are compared without regard to case, and given back as they were asked for (RFC 4343).
fn upper(name: &str) -> String {
    name.chars().enumerate().map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c }).collect()
}
