//! The data of a record, from words.
//!
//! Read in this order: this file, `scanner` (our words as the records of NLnet Labs' `domain` want them),
//! `table` (the types that `domain` does not know), `special` (those that are more than a row of fields).

mod fields;
mod mnemonics;
mod scanner;
mod special;
mod table;

pub(super) use fields::{BadData, Fields};

use super::tokens::Word;
use crate::name::SpelledName;
use crate::record::{RecordData, RecordType};
use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData;
use domain::rdata::ZoneRecordData;

/// The longest data of a record, in bytes: its length has two of them (RFC 1035 3.2.1).
const MAX_DATA: usize = 65_535;

/// The data of a record of this type. Names that are not complete are below the origin.
pub(super) fn parse(
    record_type: RecordType,
    words: &[Word<'_>],
    origin: &SpelledName,
) -> Result<RecordData, BadData> {
    let mut held = Vec::new();
    let words = mnemonics::as_numbers(record_type, words, &mut held);
    let mut fields = Fields::new(&words, origin);
    let bytes = match fields.generic()? {
        Some(bytes) => bytes,
        None => {
            let bytes = of_type(record_type, &mut fields)?;
            fields.end()?;
            bytes
        }
    };
    if bytes.len() > MAX_DATA {
        return Err(fields.bad(format!("{} bytes are too many for a record (at most 65535)", bytes.len())));
    }
    let data = RecordData::read(record_type, &bytes, &mut |at| name_at(&bytes, at));
    // RFC 3597 5: the generic form of a known type must be what that type can be.
    let data =
        data.filter(|data| data.record_type() == record_type && !is_misread(record_type, data)).ok_or_else(
            || fields.bad(format!("these {} bytes are not the data of {record_type}", bytes.len())),
        )?;
    check_digest(&data, &fields)?;
    match &data {
        // RFC 4034 4.1.2: NSEC and RRSIG at least.
        RecordData::Nsec(nsec) if nsec.types.is_empty() => Err(fields.bad("it names no type")),
        RecordData::Rrsig(rrsig) if rrsig.signature.is_empty() => Err(fields.bad("the signature is missing")),
        // RFC 5155 3.1.7: a SHA-1 hash.
        RecordData::Nsec3(nsec3) if nsec3.hash_algorithm == 1 && nsec3.next_hashed.len() != 20 => {
            Err(fields
                .bad(format!("the next hash has {} bytes, and should have 20", nsec3.next_hashed.len())))
        }
        _ => Ok(data),
    }
}

/// The bytes of data in the type's own form.
fn of_type(record_type: RecordType, fields: &mut Fields<'_>) -> Result<Vec<u8>, BadData> {
    if let Some(bytes) = special::parse(record_type, fields)? {
        return Ok(bytes);
    }
    if let Some(row) = table::row(record_type) {
        return table::parse(row, fields);
    }
    let data = ZoneRecordData::scan(Rtype::from_int(record_type.number()), fields)?;
    let mut bytes = Vec::new();
    data.compose_rdata(&mut bytes).map_err(|_| fields.bad("it is too long"))?;
    Ok(bytes)
}

/// RFC 3658 2.4, RFC 4509 2.2, RFC 6605 2, RFC 4255 3.1.2, RFC 6594 4, RFC 8976 2.2.4: each kind of digest has its
/// length. (TLSA's and SMIMEA's are not looked at, as BIND does not.)
fn check_digest(data: &RecordData, fields: &Fields<'_>) -> Result<(), BadData> {
    const SSHFP: u16 = 44;
    const CDS: u16 = 59;
    const ZONEMD: u16 = 63;
    const TA: u16 = 32_768;
    const DLV: u16 = 32_769;
    let kind_at = |bytes: &[u8], at: usize| {
        let kind = bytes.get(at).copied().unwrap_or_default();
        (kind, bytes.len().saturating_sub(at + 1))
    };
    let ((kind, length), wanted, least): (_, &[(u8, usize)], _) = match data {
        RecordData::Ds(ds) => ((ds.digest_type, ds.digest.len()), &DS_DIGESTS, 1),
        RecordData::Other { number: CDS | TA | DLV, bytes } => (kind_at(bytes, 3), &DS_DIGESTS, 1),
        RecordData::Other { number: SSHFP, bytes } => (kind_at(bytes, 1), &HOST_KEY_DIGESTS, 0),
        RecordData::Other { number: ZONEMD, bytes } => (kind_at(bytes, 5), &ZONE_DIGESTS, 12),
        _ => return Ok(()),
    };
    match wanted.iter().find(|(known, _)| *known == kind) {
        Some((_, wanted)) if *wanted != length => {
            Err(fields.bad(format!("a digest of type {kind} has {wanted} bytes, and this one {length}")))
        }
        None if length == 0 && least > 0 => Err(fields.bad("the digest is missing")),
        None if length < least => {
            Err(fields.bad(format!("a digest has at least {least} bytes, and this one {length}")))
        }
        _ => Ok(()),
    }
}

/// How long the digests of a key are, by their types.
const DS_DIGESTS: [(u8, usize); 4] = [(1, 20), (2, 32), (3, 32), (4, 48)];
/// How long the digests of a host's key are.
const HOST_KEY_DIGESTS: [(u8, usize); 2] = [(1, 20), (2, 32)];
/// How long the digests of a zone are.
const ZONE_DIGESTS: [(u8, usize); 2] = [(1, 48), (2, 64)];

/// Whether data of a type that has a form of its own is only bytes.
fn is_misread(record_type: RecordType, data: &RecordData) -> bool {
    !matches!(record_type, RecordType::Other(_)) && matches!(data, RecordData::Other { .. })
}

/// The name that begins at this place, uncompressed, and where it ends.
fn name_at(bytes: &[u8], mut at: usize) -> Option<(SpelledName, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            return Some((SpelledName::from_labels(labels).ok()?, at));
        }
        labels.push(bytes.get(at..at + length)?);
        at += length;
    }
}
