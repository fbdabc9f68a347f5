//! The proof that there is nothing: what NSEC and NSEC3 records, whose signatures are good, show.

use crate::dnssec::checks::{Checks, Exceeded};
use crate::dnssec::nsec::NsecProof;
use crate::dnssec::nsec3::Nsec3Proof;
use crate::dnssec::reason::{DenialFault, Reason};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use std::collections::BTreeSet;

/// What a proof shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proved {
    /// That it is so.
    Yes,
    /// That it may be so: unsigned delegations are left out of the proof (RFC 5155 6).
    OptOut,
    /// Nothing, as it would take so many rounds of hashing (RFC 9276 3.2).
    TooManyIterations(u16),
}

/// What is shown of a zone cut at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is one, and the zone below is not signed.
    Unsigned,
    /// It may be one; if so, the zone below is not signed.
    OptOut,
    /// It is none.
    None,
    /// It is none, and there is nothing below it either.
    NoName,
    /// Nothing, as it would take so many rounds of hashing.
    TooManyIterations(u16),
}

/// Why nothing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotProved {
    Fault(DenialFault),
    Exceeded(Exceeded),
}

impl From<DenialFault> for NotProved {
    fn from(fault: DenialFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Exceeded> for NotProved {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded(exceeded)
    }
}

impl NotProved {
    /// The reason that `zone` has not shown what it says of `name` and `record_type`.
    pub(crate) fn of(self, name: &DnsName, record_type: RecordType, zone: &DnsName) -> Reason {
        match self {
            Self::Fault(fault) => {
                Reason::NotProved { name: name.clone(), record_type, zone: zone.clone(), fault }
            }
            Self::Exceeded(exceeded) => exceeded.into(),
        }
    }
}

/// The verified NSEC and NSEC3 records of one zone.
pub(crate) struct Denial<'a> {
    nsec: NsecProof<'a>,
    nsec3: Nsec3Proof<'a>,
}

impl<'a> Denial<'a> {
    /// Those of `records`, all of `zone`.
    pub(crate) fn new(zone: &'a DnsName, records: &'a [Record], most_iterations: u16) -> Self {
        let nsec = records.iter().filter_map(|record| match &record.data {
            RecordData::Nsec(nsec) => Some((&record.owner, nsec)),
            _ => None,
        });
        let nsec3 = records.iter().filter_map(|record| match &record.data {
            RecordData::Nsec3(nsec3) => Some((&record.owner, nsec3)),
            _ => None,
        });
        Self { nsec: NsecProof::new(nsec), nsec3: Nsec3Proof::new(zone, nsec3, most_iterations) }
    }

    /// Whether it is NSEC3 that it rests on.
    pub(crate) fn is_hashed(&self) -> bool {
        self.nsec.is_empty()
    }

    /// By NSEC records, the closest name above that exists, of a name that does not; none if that is not shown.
    pub(crate) fn encloser(&self, name: &DnsName) -> Option<DnsName> {
        self.nsec.encloser(name).ok()
    }

    /// That `name` does not exist, and that no wildcard stands for it.
    pub(crate) fn no_name(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Proved, NotProved> {
        match self.nsec.is_empty() {
            true => self.nsec3.no_name(name, checks),
            false => self.nsec.no_name(name).map_err(NotProved::from),
        }
    }

    /// That `name`, or the wildcard that stands for it, has no such records.
    pub(crate) fn no_data(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        checks: &mut Checks,
    ) -> Result<Proved, NotProved> {
        match self.nsec.is_empty() {
            true => self.nsec3.no_data(name, record_type, checks),
            false => self.nsec.no_data(name, record_type).map_err(NotProved::from),
        }
    }

    /// What each record that says something of `name` shows, in words.
    pub(crate) fn shown(&mut self, name: &DnsName, checks: &mut Checks) -> Vec<String> {
        match self.nsec.is_empty() {
            true => self.nsec3.shown(name, checks),
            false => self.nsec.shown(name),
        }
    }

    /// That `name` does not exist itself, so that what `wildcard` has stands for it.
    pub(crate) fn expanded(
        &mut self,
        name: &DnsName,
        wildcard: &DnsName,
        checks: &mut Checks,
    ) -> Result<Proved, NotProved> {
        match self.nsec.is_empty() {
            true => self.nsec3.expanded(name, wildcard, checks),
            false => self.nsec.expanded(name, wildcard).map_err(NotProved::from),
        }
    }

    /// What is shown of a zone cut at `name`, that has no DS records.
    pub(crate) fn cut(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Cut, NotProved> {
        match self.nsec.is_empty() {
            true => self.nsec3.cut(name, checks),
            false => self.nsec.cut(name).map_err(NotProved::from),
        }
    }
}

/// That a record is about a name that exists, and which types alone that has.
pub(crate) fn has_alone(record: &str, name: &DnsName, types: &BTreeSet<RecordType>) -> String {
    let types = types.iter().map(ToString::to_string).collect::<Vec<_>>();
    let types = if types.is_empty() { "nothing".to_owned() } else { format!("{} alone", types.join(", ")) };
    format!("{record} is about {name}: it has {types}")
}

/// Whether the types at a name show that it has no `wanted` ones. RFC 6840 4.3: nor may it be an alias.
pub(crate) fn lacks(types: &BTreeSet<RecordType>, wanted: RecordType) -> Result<(), DenialFault> {
    if types.contains(&wanted) {
        return Err(DenialFault::TypeExists);
    }
    if types.contains(&RecordType::Cname) {
        return Err(DenialFault::AliasExists);
    }
    Ok(())
}

/// Whether the types at a name are those of the right side of a zone cut. RFC 6840 4.1, RFC 5155 8.6:
/// about DS the parent is asked, about all else the child.
pub(crate) fn right_side(
    types: &BTreeSet<RecordType>,
    name: &DnsName,
    wanted: RecordType,
) -> Result<(), DenialFault> {
    let wrong = match wanted {
        RecordType::Ds => types.contains(&RecordType::Soa) && !name.is_root(),
        _ => is_delegation(types),
    };
    if wrong { Err(DenialFault::WrongSide) } else { Ok(()) }
}

/// Whether these are the types of a zone cut seen from above.
pub(crate) fn is_delegation(types: &BTreeSet<RecordType>) -> bool {
    types.contains(&RecordType::Ns) && !types.contains(&RecordType::Soa)
}

/// Whether all below a name with these types is elsewhere (RFC 6840 4.1).
pub(crate) fn leads_away(types: &BTreeSet<RecordType>) -> bool {
    is_delegation(types) || types.contains(&RecordType::Dname)
}

/// What the types at a name that exists say of a zone cut there.
pub(crate) fn cut_at(types: &BTreeSet<RecordType>, name: &DnsName) -> Result<Cut, DenialFault> {
    right_side(types, name, RecordType::Ds)?;
    if types.contains(&RecordType::Ds) {
        return Err(DenialFault::TypeExists);
    }
    Ok(if types.contains(&RecordType::Ns) { Cut::Unsigned } else { Cut::None })
}
