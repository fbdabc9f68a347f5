//! What the tests of this module write records with.

use crate::name::DnsName;
use crate::record::{Nsec, Record, RecordData, RecordType};
use std::collections::BTreeSet;

pub(crate) fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// Record types by name, with blanks between.
pub(crate) fn types(text: &str) -> BTreeSet<RecordType> {
    text.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

pub(crate) fn nsec(owner: &str, next: &str, bitmap: &str) -> Record {
    let data = RecordData::Nsec(Nsec { next: name(next).into(), types: types(bitmap) });
    Record { owner: name(owner), ttl: 3600, data }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    super::text::from_base64(text).unwrap()
}
