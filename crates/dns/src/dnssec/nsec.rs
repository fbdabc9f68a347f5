//! Proofs by NSEC records (RFC 4035 5.4): the names that exist, each with the next one.

use crate::dnssec::denial::{Cut, Proved, cut_at, has_alone, lacks, leads_away, right_side};
use crate::dnssec::reason::DenialFault;
use crate::dnssec::sets::common_ancestor;
use crate::name::DnsName;
use crate::record::{Nsec, RecordType};
use std::cmp::Ordering;
use std::fmt;

/// Verified NSEC records of one zone.
pub(crate) struct NsecProof<'a> {
    spans: Vec<Span<'a>>,
}

/// From a name that exists to the next one.
#[derive(Clone, Copy)]
struct Span<'a> {
    owner: &'a DnsName,
    nsec: &'a Nsec,
}

impl<'a> NsecProof<'a> {
    pub(crate) fn new(records: impl Iterator<Item = (&'a DnsName, &'a Nsec)>) -> Self {
        Self { spans: records.map(|(owner, nsec)| Span { owner, nsec }).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// RFC 4035 5.4: the name does not exist, nor any wildcard that could stand for it.
    pub(crate) fn no_name(&self, name: &DnsName) -> Result<Proved, DenialFault> {
        let encloser = self.encloser(name)?;
        let wildcard = encloser.wildcard().ok_or(DenialFault::WildcardNotCovered)?;
        let covered = self.spans.iter().any(|span| span.covers(&wildcard) && !span.is_empty_at(&wildcard));
        if covered { Ok(Proved::Yes) } else { Err(DenialFault::WildcardNotCovered) }
    }

    /// The name exists without such records; or it is empty, with others below it; or a wildcard stands
    /// for it that has none.
    pub(crate) fn no_data(&self, name: &DnsName, record_type: RecordType) -> Result<Proved, DenialFault> {
        if let Some(span) = self.at(name) {
            right_side(&span.nsec.types, name, record_type)?;
            return lacks(&span.nsec.types, record_type).map(|()| Proved::Yes);
        }
        if self.is_empty_name(name) {
            return Ok(Proved::Yes);
        }
        let wildcard = self.encloser(name)?.wildcard().ok_or(DenialFault::WildcardNotCovered)?;
        match self.at(&wildcard) {
            Some(span) => lacks(&span.nsec.types, record_type).map(|()| Proved::Yes),
            None if self.is_empty_name(&wildcard) => Ok(Proved::Yes),
            None => Err(DenialFault::WildcardNotCovered),
        }
    }

    /// RFC 4035 5.3.4: the name that a wildcard stands for does not exist, and the wildcard is the
    /// nearest.
    pub(crate) fn expanded(&self, name: &DnsName, wildcard: &DnsName) -> Result<Proved, DenialFault> {
        let encloser = self.encloser(name).map_err(|_| DenialFault::WildcardUnjustified)?;
        if wildcard.parent() == Some(encloser) {
            Ok(Proved::Yes)
        } else {
            Err(DenialFault::WildcardUnjustified)
        }
    }

    pub(crate) fn cut(&self, name: &DnsName) -> Result<Cut, DenialFault> {
        if let Some(span) = self.at(name) {
            return cut_at(&span.nsec.types, name);
        }
        if self.is_empty_name(name) {
            return Ok(Cut::None);
        }
        self.encloser(name).map(|_| Cut::NoName)
    }

    /// What each record that says something of `name` shows, in words.
    pub(crate) fn shown(&self, name: &DnsName) -> Vec<String> {
        if let Some(span) = self.at(name) {
            return vec![has_alone(&span.to_string(), name, &span.nsec.types)];
        }
        let covering = |name: &DnsName, what: &str| {
            let span = self.spans.iter().find(|span| span.covers(name))?;
            Some(match span.is_empty_at(name) {
                true => format!("{span}: {name} has nothing of its own, as the next name is below it"),
                false => format!("{span} covers {name}: {what}"),
            })
        };
        let mut shown: Vec<String> = covering(name, "it does not exist").into_iter().collect();
        if let Some(wildcard) = self.encloser(name).ok().and_then(|encloser| encloser.wildcard()) {
            shown.extend(match self.at(&wildcard) {
                Some(span) => Some(has_alone(&span.to_string(), &wildcard, &span.nsec.types)),
                None => covering(&wildcard, "no wildcard stands for it"),
            });
        }
        shown
    }

    fn at(&self, name: &DnsName) -> Option<&Span<'a>> {
        self.spans.iter().find(|span| span.owner == name)
    }

    /// The closest name above that exists, of a name that does not.
    pub(crate) fn encloser(&self, name: &DnsName) -> Result<DnsName, DenialFault> {
        let mut fault = DenialFault::NameNotCovered;
        for span in self.spans.iter().filter(|span| span.covers(name)) {
            if span.is_elsewhere(name) {
                fault = DenialFault::WrongSide;
            } else if !span.is_empty_at(name) {
                let by_owner = common_ancestor(name, span.owner);
                let by_next = common_ancestor(name, &span.nsec.next);
                return Ok(match by_owner.label_count() >= by_next.label_count() {
                    true => by_owner,
                    false => by_next,
                });
            }
        }
        Err(fault)
    }

    fn is_empty_name(&self, name: &DnsName) -> bool {
        self.spans.iter().any(|span| span.covers(name) && span.is_empty_at(name) && !span.is_elsewhere(name))
    }
}

impl fmt::Display for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} NSEC {}", self.owner, self.nsec.next)
    }
}

impl Span<'_> {
    /// Whether `name` lies strictly inside, in canonical order (RFC 4034 6.1).
    fn covers(&self, name: &DnsName) -> bool {
        let next: &DnsName = &self.nsec.next;
        if self.owner.canonical_cmp(name) != Ordering::Less {
            return false;
        }
        match self.owner.canonical_cmp(next) {
            Ordering::Less => name.canonical_cmp(next) == Ordering::Less,
            // The last one leads back to the zone's own name.
            _ => name.is_within(next) && name != next,
        }
    }

    /// Whether `name`, inside, exists nevertheless, as the next name is below it (RFC 4592 2.2.2).
    fn is_empty_at(&self, name: &DnsName) -> bool {
        self.nsec.next.is_within(name)
    }

    /// RFC 6840 4.1: what is below a zone cut, or below a DNAME, is not this zone's to deny.
    fn is_elsewhere(&self, name: &DnsName) -> bool {
        name.is_within(self.owner) && leads_away(&self.nsec.types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::{name, nsec};
    use crate::record::{Record, RecordData};

    /// The zone of RFC 4035 appendix A.
    fn example() -> Vec<Record> {
        vec![
            nsec("example", "a.example", "NS SOA MX RRSIG NSEC DNSKEY"),
            nsec("a.example", "ai.example", "NS DS RRSIG NSEC"),
            nsec("ai.example", "b.example", "A HINFO AAAA RRSIG NSEC"),
            nsec("b.example", "ns1.example", "NS RRSIG NSEC"),
            nsec("ns1.example", "ns2.example", "A RRSIG NSEC"),
            nsec("ns2.example", "*.w.example", "A RRSIG NSEC"),
            nsec("*.w.example", "x.w.example", "MX RRSIG NSEC"),
            nsec("x.w.example", "x.y.w.example", "MX RRSIG NSEC"),
            nsec("x.y.w.example", "xx.example", "MX RRSIG NSEC"),
            nsec("xx.example", "example", "A HINFO AAAA RRSIG NSEC"),
        ]
    }

    fn with<T>(owners: &[&str], look: impl FnOnce(&NsecProof<'_>) -> T) -> T {
        let records: Vec<Record> =
            example().into_iter().filter(|record| owners.contains(&record.owner.as_str())).collect();
        let spans = records.iter().filter_map(|record| match &record.data {
            RecordData::Nsec(nsec) => Some((&record.owner, nsec)),
            _ => None,
        });
        look(&NsecProof::new(spans))
    }

    #[test]
    fn a_name_error_needs_the_name_and_the_wildcard_covered() {
        // RFC 4035 B.2
        let ml = name("ml.example");
        assert_eq!(with(&["b.example", "example"], |proof| proof.no_name(&ml)), Ok(Proved::Yes));
        let without_wildcard = with(&["b.example"], |proof| proof.no_name(&ml));
        assert_eq!(without_wildcard, Err(DenialFault::WildcardNotCovered));
        let without_name = with(&["example"], |proof| proof.no_name(&ml));
        assert_eq!(without_name, Err(DenialFault::NameNotCovered));
    }

    #[test]
    fn what_each_record_shows_is_said() {
        let shown = |owners: &[&str], text: &str| with(owners, |proof| proof.shown(&name(text)));
        assert_eq!(
            shown(&["b.example", "example"], "ml.example"),
            [
                "b.example NSEC ns1.example covers ml.example: it does not exist",
                "example NSEC a.example covers *.example: no wildcard stands for it"
            ]
        );
        assert_eq!(
            shown(&["ns1.example"], "ns1.example"),
            ["ns1.example NSEC ns2.example is about ns1.example: it has A, RRSIG, NSEC alone"]
        );
        assert_eq!(
            shown(&["ns2.example"], "w.example"),
            ["ns2.example NSEC *.w.example: w.example has nothing of its own, as the next name is below it"]
        );
        assert_eq!(shown(&["ns1.example"], "z.example"), [""; 0]);
    }

    #[test]
    fn no_data_needs_the_names_own_record() {
        // RFC 4035 B.3
        let no_data =
            |text: &str, record_type| with(&["ns1.example"], |proof| proof.no_data(&name(text), record_type));
        assert_eq!(no_data("ns1.example", RecordType::Mx), Ok(Proved::Yes));
        assert_eq!(no_data("ns1.example", RecordType::A), Err(DenialFault::TypeExists));
        assert_eq!(no_data("ns9.example", RecordType::A), Err(DenialFault::NameNotCovered));
    }

    #[test]
    fn what_is_delegated_without_ds_is_an_unsigned_zone() {
        // RFC 4035 B.5
        assert_eq!(with(&["b.example"], |proof| proof.cut(&name("b.example"))), Ok(Cut::Unsigned));
        let signed = with(&["a.example"], |proof| proof.cut(&name("a.example")));
        assert_eq!(signed, Err(DenialFault::TypeExists));
        assert_eq!(with(&["ns1.example"], |proof| proof.cut(&name("ns1.example"))), Ok(Cut::None));
        assert_eq!(with(&["ns1.example"], |proof| proof.cut(&name("ns1x.example"))), Ok(Cut::NoName));
    }

    #[test]
    fn a_wildcard_stands_only_for_names_that_do_not_exist() {
        // RFC 4035 B.6
        let (expanded, wildcard) = (name("a.z.w.example"), name("*.w.example"));
        let proof = with(&["x.y.w.example"], |proof| proof.expanded(&expanded, &wildcard));
        assert_eq!(proof, Ok(Proved::Yes));
        let proof = with(&["ns1.example"], |proof| proof.expanded(&expanded, &wildcard));
        assert_eq!(proof, Err(DenialFault::WildcardUnjustified));
        let wrong = with(&["x.y.w.example"], |proof| proof.expanded(&expanded, &name("*.example")));
        assert_eq!(wrong, Err(DenialFault::WildcardUnjustified));
    }

    #[test]
    fn a_wildcard_may_lack_the_type_too() {
        // RFC 4035 B.7
        let no_data = |owners: &[&str], record_type| {
            with(owners, |proof| proof.no_data(&name("a.z.w.example"), record_type))
        };
        let both = ["x.y.w.example", "*.w.example"];
        assert_eq!(no_data(&both, RecordType::Aaaa), Ok(Proved::Yes));
        assert_eq!(no_data(&both, RecordType::Mx), Err(DenialFault::TypeExists));
        assert_eq!(no_data(&both[..1], RecordType::Aaaa), Err(DenialFault::WildcardNotCovered));
    }

    #[test]
    fn the_childs_side_says_nothing_of_ds() {
        // RFC 4035 B.8
        let at_apex = with(&["example"], |proof| proof.no_data(&name("example"), RecordType::Ds));
        assert_eq!(at_apex, Err(DenialFault::WrongSide));
        // Nor the parent's of anything else.
        let at_cut = with(&["b.example"], |proof| proof.no_data(&name("b.example"), RecordType::Mx));
        assert_eq!(at_cut, Err(DenialFault::WrongSide));
    }

    #[test]
    fn a_zone_cut_denies_nothing_below_it() {
        // RFC 6840 4.1
        let below = with(&["b.example", "example"], |proof| proof.no_name(&name("www.b.example")));
        assert_eq!(below, Err(DenialFault::WrongSide));
    }

    #[test]
    fn a_name_with_only_names_below_it_exists() {
        let empty = with(&["x.w.example"], |proof| proof.no_data(&name("y.w.example"), RecordType::A));
        assert_eq!(empty, Ok(Proved::Yes));
        let denied = with(&["x.w.example", "example"], |proof| proof.no_name(&name("y.w.example")));
        assert_eq!(denied, Err(DenialFault::NameNotCovered));
    }

    #[test]
    fn the_last_record_covers_to_the_end_of_the_zone_and_no_further() {
        let after = with(&["xx.example", "example"], |proof| proof.no_name(&name("zz.example")));
        assert_eq!(after, Ok(Proved::Yes));
        let outside = with(&["xx.example", "example"], |proof| proof.no_name(&name("zz.test")));
        assert_eq!(outside, Err(DenialFault::NameNotCovered));
    }
}
