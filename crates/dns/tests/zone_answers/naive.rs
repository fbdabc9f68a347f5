//! Any name in any zone against a search that looks at every record (RFC 1034 4.3.2 in prose).

use glasstack_dns::Zone;
use glasstack_dns::zone::Found;
use glasstack_dns::{DnsName, Record, RecordData, RecordType};
use proptest::prelude::*;

/// What both sides say, in one form.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Records(Vec<RecordData>),
    Alias(RecordData),
    Renamed(DnsName, RecordData),
    NoData,
    NoName,
    Delegated(DnsName),
    Outside,
}

fn said(found: Found<'_>) -> Said {
    let data = |records: &[Record]| records.iter().map(|record| record.data.clone()).collect::<Vec<_>>();
    match found {
        Found::Records { set, .. } => Said::Records(data(set.records())),
        Found::Signatures { .. } => Said::Records(Vec::new()),
        Found::Alias { set, .. } => Said::Alias(set.records()[0].data.clone()),
        Found::Renamed { set, node } => Said::Renamed(node.name().clone(), set.records()[0].data.clone()),
        Found::NoData { .. } => Said::NoData,
        Found::NoName { .. } => Said::NoName,
        Found::Delegated { node, .. } => Said::Delegated(node.name().clone()),
        Found::Outside => Said::Outside,
    }
}

/// The name and its ancestors down to the origin, the topmost first.
fn from_the_top(name: &DnsName, origin: &DnsName) -> Vec<DnsName> {
    let mut all: Vec<DnsName> = std::iter::successors(Some(name.clone()), DnsName::parent)
        .take_while(|name| name.is_within(origin))
        .collect();
    all.reverse();
    all
}

fn naive(records: &[Record], origin: &DnsName, name: &DnsName, record_type: RecordType) -> Said {
    if !name.is_within(origin) {
        return Said::Outside;
    }
    let of = |owner: &DnsName, record_type: RecordType| -> Vec<RecordData> {
        let same = |record: &&Record| record.owner == *owner && record.record_type() == record_type;
        records.iter().filter(same).map(|record| record.data.clone()).collect()
    };
    let exists = |name: &DnsName| records.iter().any(|record| record.owner.is_within(name));
    for above in from_the_top(name, origin) {
        let is_name = above == *name;
        if above != *origin
            && !of(&above, RecordType::Ns).is_empty()
            && !(is_name && record_type == RecordType::Ds)
        {
            return Said::Delegated(above);
        }
        let renamed = of(&above, RecordType::Dname);
        if !is_name && !renamed.is_empty() {
            return Said::Renamed(above, renamed[0].clone());
        }
    }
    let source = if exists(name) {
        name.clone()
    } else {
        let encloser = from_the_top(name, origin).into_iter().rev().find(|above| exists(above)).unwrap();
        let wildcard = encloser.wildcard().unwrap();
        if !exists(&wildcard) {
            return Said::NoName;
        }
        wildcard
    };
    let answer = of(&source, record_type);
    let alias = of(&source, RecordType::Cname);
    match (answer.is_empty(), alias.first()) {
        (false, _) => Said::Records(answer),
        (true, Some(alias)) => Said::Alias(alias.clone()),
        (true, None) => Said::NoData,
    }
}

/// Names of few labels out of few, so that they meet.
fn owner() -> impl Strategy<Value = String> {
    let label = prop_oneof![4 => "[ab]", 1 => Just("*".to_owned()), 1 => Just(r"a\000".to_owned())];
    proptest::collection::vec(label, 0..4).prop_map(|labels| {
        let labels: Vec<String> = labels.into_iter().chain(["test.".to_owned()]).collect();
        labels.join(".")
    })
}

fn data() -> impl Strategy<Value = RecordData> {
    let host = || owner().prop_map(|text| DnsName::parse(&text).unwrap());
    prop_oneof![
        3 => (0_u8..3).prop_map(|last| RecordData::A([192, 0, 2, last].into())),
        2 => Just(RecordData::text("x")),
        1 => host().prop_map(RecordData::Cname),
        1 => host().prop_map(RecordData::Ns),
        1 => host().prop_map(RecordData::Dname),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn any_lookup_finds_what_a_plain_search_finds(
        records in proptest::collection::vec((owner(), data()), 0..12),
        asked in proptest::collection::vec((owner(), 0_usize..6), 1..12),
    ) {
        let origin = DnsName::parse("a.test").unwrap();
        let mut zone = Zone::new("a.test").unwrap();
        for (owner, data) in records {
            // What cannot be there is refused, and leaves the zone as it was.
            let _ = zone.add(&owner, 60, data);
        }
        let all: Vec<Record> = zone.records().cloned().collect();
        let types = [RecordType::A, RecordType::Txt, RecordType::Cname, RecordType::Ns, RecordType::Ds, RecordType::Soa];
        for (asked, at) in asked {
            let name = DnsName::parse(&asked).unwrap();
            let expected = naive(&all, &origin, &name, types[at]);
            prop_assert_eq!(said(zone.find(&name, types[at])), expected, "{} {} in\n{}", name, types[at], zone);
        }
        let names: Vec<&DnsName> = zone.nodes().map(|node| node.name()).collect();
        prop_assert!(names.is_sorted_by(|one, other| one.canonical_cmp(other).is_lt()));
        for node in zone.nodes() {
            let is_cut = |name: &DnsName| *name != origin && zone.rrset(name, RecordType::Ns).is_some();
            let delegated = from_the_top(node.name(), &origin).iter().any(is_cut);
            prop_assert_eq!(zone.is_delegated(node.name()), delegated);
        }
    }
}
