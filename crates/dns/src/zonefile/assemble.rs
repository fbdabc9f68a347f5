//! From records to a zone: one SOA, one TTL a set, and nothing beside an alias.

use super::reader::{Loaded, Place};
use super::{BadZoneFile, ZoneFileOptions};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use crate::zone::{Zone, ZoneError};
use std::collections::{BTreeMap, BTreeSet};

/// Sets with at least so many records are looked through by an index for what is in them twice.
const MANY: usize = 64;
/// The most that the data of a set may take, in bytes: no message holds more (RFC 1035 4.2.2).
const LARGEST_SET: usize = u16::MAX as usize;

/// The zone that the records make.
pub(super) fn zone(loaded: &[Loaded], options: &ZoneFileOptions<'_>) -> Result<Zone, BadZoneFile> {
    let mut sets = sets(loaded);
    let soa = the_soa(loaded, options)?;
    let ttl = sets.get(&set_of(&soa.record)).map_or(soa.record.ttl, |set| set.ttl);
    let mut zone = Zone::of_soa(Record { ttl, ..soa.record.clone() });
    for Loaded { record, place, .. } in loaded.iter().filter(|loaded| !is_soa(loaded)) {
        allowed(record, place, options.origin)?;
        let Some(set) = sets.get_mut(&set_of(record)) else { continue };
        let bytes = record.data.canonical_bytes();
        set.bytes += bytes.len();
        if set.bytes > LARGEST_SET {
            let of = format!("the {} records of {}", record.record_type(), record.owner);
            let cause = format!("{of} have more than {LARGEST_SET} bytes together, which no message holds");
            return Err(place.bad(cause, "spread them over several names"));
        }
        let with_ttl = Record { ttl: set.ttl, ..record.clone() };
        let added = match set.count < MANY {
            true => zone.add_record(with_ttl),
            false if set.seen.insert(bytes) => zone.add_new_record(with_ttl),
            false => Ok(()),
        };
        added.map_err(|error| misplaced(place, error))?;
    }
    Ok(zone)
}

/// RFC 1035 5.2: "Exactly one SOA RR should be present at the top of the zone."
fn the_soa<'l>(loaded: &'l [Loaded], options: &ZoneFileOptions<'_>) -> Result<&'l Loaded, BadZoneFile> {
    let mut all = loaded.iter().filter(|loaded| is_soa(loaded));
    let Some(first) = all.next() else {
        let place = Place { file: options.file.into(), line: 1 };
        let cure = "begin it with: @ IN SOA ns hostmaster 1 2h 1h 2w 1h";
        return Err(place.bad(format!("the zone {} has no SOA record", options.origin), cure));
    };
    for soa in std::iter::once(first).chain(all) {
        if soa.record.owner != *options.origin {
            return Err(misplaced(&soa.place, ZoneError::SoaBelowOrigin(soa.record.owner.clone())));
        }
        if soa.record.data != first.record.data {
            return Err(soa.place.bad("a second SOA record", "leave one of the two"));
        }
    }
    Ok(first)
}

fn is_soa(loaded: &Loaded) -> bool {
    loaded.record.record_type() == RecordType::Soa
}

/// A set: its owner, its type, and for signatures the type that they cover.
type SetKey<'l> = (&'l DnsName, RecordType, Option<RecordType>);

fn set_of(record: &Record) -> SetKey<'_> {
    let covered = match &record.data {
        RecordData::Rrsig(signature) => Some(signature.type_covered),
        _ => None,
    };
    (&record.owner, record.record_type(), covered)
}

/// What is known of a set.
#[derive(Default)]
struct SetOf {
    /// In seconds.
    ttl: u32,
    /// The last run of records that it is in.
    run: usize,
    count: usize,
    /// How many bytes of data are in the zone so far, and which, where they are many.
    bytes: usize,
    seen: BTreeSet<Vec<u8>>,
}

/// RFC 2181 5.2: all records of a set have the same TTL. Where a name comes again later in the file, what
/// is said there counts for the whole set, as with BIND.
fn sets(loaded: &[Loaded]) -> BTreeMap<SetKey<'_>, SetOf> {
    let mut sets: BTreeMap<_, SetOf> = BTreeMap::new();
    for Loaded { record, run, .. } in loaded {
        let set = sets.entry(set_of(record)).or_default();
        set.count += 1;
        if set.run <= *run {
            (set.run, set.ttl) = (*run, record.ttl);
        }
    }
    sets
}

/// What cannot stand at a name, whatever else is there.
fn allowed(record: &Record, place: &Place, origin: &DnsName) -> Result<(), BadZoneFile> {
    let record_type = record.record_type();
    let covered = match &record.data {
        RecordData::Rrsig(signature) => signature.type_covered,
        _ => record_type,
    };
    // RFC 4592 4.2, 4.6: what a wildcard would mean there is undefined.
    if record.owner.is_wildcard() && matches!(covered, RecordType::Ns | RecordType::Nsec3) {
        let cause = format!("{} is a wildcard, which cannot have {covered} records", record.owner);
        return Err(place.bad(cause, "name what is meant"));
    }
    // RFC 5155 3: "The owner name for the NSEC3 RR is the base32 encoding of the hashed owner name".
    if record_type == RecordType::Nsec3 && !begins_with_a_hash(&record.owner) {
        let cause = format!("{} does not begin with a hash, so it cannot have an NSEC3 record", record.owner);
        return Err(place.bad(cause, "leave it out, and let a signer make it"));
    }
    // RFC 4034 5: they are the upper zone's.
    if covered == RecordType::Ds && record.owner == *origin {
        let cause = format!("{record_type} records of {origin} itself, which belong into the zone above");
        return Err(place.bad(cause, "hand them to whoever keeps the zone above"));
    }
    Ok(())
}

/// Whether the first label is bytes in base 32 with the extended alphabet (RFC 4648 7).
fn begins_with_a_hash(name: &DnsName) -> bool {
    let label = name.as_str().split('.').next().unwrap_or_default();
    !label.is_empty() && label.len().is_multiple_of(8) && label.chars().all(|c| c.is_digit(32))
}

/// Why a record cannot be in the zone, and what to do.
fn misplaced(place: &Place, error: ZoneError) -> BadZoneFile {
    let cure = match &error {
        ZoneError::AliasWithOthers(_) => "leave the CNAME record or the others",
        ZoneError::SecondDname(_) => "leave one of the two",
        ZoneError::SoaBelowOrigin(_) => "leave it out, or make it a zone of its own",
        ZoneError::Name(..) | ZoneError::Outside { .. } => "leave it out",
    };
    place.bad(error.to_string(), cure)
}
