use super::*;
use crate::record::Ds;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn ds() -> RecordData {
    RecordData::Ds(Ds { key_tag: 1, algorithm: 8, digest_type: 2, digest: vec![0] })
}

fn zone() -> Zone {
    Zone::new("example.test")
        .and_then(|zone| zone.with("@", RecordData::Ns(name("ns.example.test"))))
        .and_then(|zone| zone.with("ns", address(53)))
        .and_then(|zone| zone.with("www", address(80)))
        .and_then(|zone| zone.with("www", address(81)))
        .and_then(|zone| zone.with("alias", RecordData::Cname(name("www.example.test"))))
        .and_then(|zone| zone.with("a.b.deep", address(1)))
        .and_then(|zone| zone.with("*.wild", address(9)))
        .and_then(|zone| zone.with("host.wild", RecordData::text("here")))
        .and_then(|zone| zone.with("moved", RecordData::Dname(name("new.test"))))
        .and_then(|zone| zone.with("sub", RecordData::Ns(name("ns.sub.example.test"))))
        .and_then(|zone| zone.with("sub", ds()))
        .and_then(|zone| zone.with("ns.sub", address(54)))
        .unwrap()
}

/// What was found, in words: the data, or what there is instead.
fn find(text: &str, record_type: RecordType) -> String {
    let zone = zone();
    let data = |set: &Set| set.records().iter().map(|r| r.data.to_string()).collect::<Vec<_>>().join(" ");
    let by = |encloser: Option<&Node>| {
        encloser.map_or(String::new(), |node| format!(" by a wildcard of {}", node.name()))
    };
    match zone.find(&name(text), record_type) {
        Found::Records { set, encloser, .. } => data(set) + &by(encloser),
        Found::Signatures { .. } => "signatures".to_owned(),
        Found::Alias { set, encloser, .. } => format!("alias of {}{}", data(set), by(encloser)),
        Found::Renamed { set, node } => format!("{} is now {}", node.name(), data(set)),
        Found::NoData { encloser, .. } => format!("no data{}", by(encloser)),
        Found::NoName { encloser } => format!("no name below {}", encloser.name()),
        Found::Delegated { node, servers } => format!("{} is left to {}", node.name(), data(servers)),
        Found::Outside => "outside".to_owned(),
    }
}

#[test]
fn records_are_found_by_name_and_type() {
    assert_eq!(find("www.example.test", RecordType::A), "192.0.2.80 192.0.2.81");
    assert_eq!(find("www.example.test", RecordType::Aaaa), "no data");
    assert_eq!(find("no.example.test", RecordType::A), "no name below example.test");
    assert_eq!(find("example.test", RecordType::Ns), "ns.example.test.");
    assert_eq!(find("www.example.test", RecordType::Any), "192.0.2.80 192.0.2.81");
    assert_eq!(find("www.other.test", RecordType::A), "outside");
    assert_eq!(find("test", RecordType::A), "outside");
}

#[test]
fn a_name_that_has_only_names_below_it_exists() {
    assert_eq!(find("deep.example.test", RecordType::A), "no data");
    assert_eq!(find("b.deep.example.test", RecordType::Any), "no data");
    assert_eq!(find("c.deep.example.test", RecordType::A), "no name below deep.example.test");
}

#[test]
fn a_wildcard_stands_for_names_that_do_not_exist() {
    let nine = "192.0.2.9 by a wildcard of wild.example.test";
    assert_eq!(find("any.wild.example.test", RecordType::A), nine);
    assert_eq!(find("x.y.wild.example.test", RecordType::A), nine);
    assert_eq!(find("*.wild.example.test", RecordType::A), "192.0.2.9");
    // RFC 4592 2.2.1: a name that exists is not covered, even without that type.
    assert_eq!(find("host.wild.example.test", RecordType::A), "no data");
    assert_eq!(find("x.host.wild.example.test", RecordType::A), "no name below host.wild.example.test");
    assert_eq!(find("any.wild.example.test", RecordType::Mx), "no data by a wildcard of wild.example.test");
}

#[test]
fn an_alias_is_an_alias_unless_it_is_asked_for() {
    assert_eq!(find("alias.example.test", RecordType::A), "alias of www.example.test.");
    assert_eq!(find("alias.example.test", RecordType::Cname), "www.example.test.");
}

#[test]
fn what_lies_below_a_dname_is_renamed_and_its_owner_is_not() {
    assert_eq!(find("www.moved.example.test", RecordType::A), "moved.example.test is now new.test.");
    assert_eq!(find("moved.example.test", RecordType::A), "no data");
    assert_eq!(find("moved.example.test", RecordType::Dname), "new.test.");
}

#[test]
fn what_lies_below_a_zone_cut_is_delegated() {
    let referral = "sub.example.test is left to ns.sub.example.test.";
    assert_eq!(find("www.sub.example.test", RecordType::A), referral);
    assert_eq!(find("sub.example.test", RecordType::Ns), referral);
    assert_eq!(find("ns.sub.example.test", RecordType::A), referral);
    assert_eq!(find("ds.sub.example.test", RecordType::Ds), referral);
    // RFC 4035 3.1.4.1: the DS records of a zone are those of the zone above.
    assert_eq!(find("sub.example.test", RecordType::Ds), "1 8 2 00");
    let zone = zone();
    let cuts: Vec<_> = zone.delegations().map(|node| node.name().as_str()).collect();
    assert_eq!(cuts, ["sub.example.test"]);
    assert!(zone.is_delegated(&name("ns.sub.example.test")) && !zone.is_delegated(&name("www.example.test")));
}

#[test]
fn names_come_in_canonical_order_with_the_empty_ones() {
    let zone = zone();
    let names: Vec<_> = zone.nodes().map(|node| node.name().as_str().replace("example.test", "@")).collect();
    let expected =
        "@ alias.@ deep.@ b.deep.@ a.b.deep.@ moved.@ ns.@ sub.@ ns.sub.@ wild.@ *.wild.@ host.wild.@ www.@";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn a_set_has_one_ttl_and_nothing_twice() {
    let mut zone = zone();
    zone.add("www", 60, address(82)).unwrap();
    zone.add("www", 60, address(80)).unwrap();
    let set = zone.rrset(&name("www.example.test"), RecordType::A).unwrap();
    assert_eq!(set.iter().map(|record| record.ttl).collect::<Vec<_>>(), [DEFAULT_TTL; 3]);
}

#[test]
fn a_zone_is_transferred_between_two_copies_of_its_soa() {
    let zone = zone();
    let records: Vec<Record> = zone.transfer().collect();
    assert_eq!((records.first(), records.last()), (Some(zone.soa()), Some(zone.soa())));
    assert_eq!(records.len(), zone.records().count() + 1);
    assert_eq!(zone.to_text().lines().count(), zone.records().count());
}

#[test]
fn a_zone_refuses_what_cannot_be_in_it() {
    let add = |owner: &str, data: RecordData| zone().add(owner, 60, data).unwrap_err();
    let a = RecordData::from(address(1));
    let cname = RecordData::Cname(name("x.test"));
    assert!(matches!(add("www.other.test.", a.clone()), ZoneError::Outside { .. }));
    assert_eq!(add("alias", a), ZoneError::AliasWithOthers(name("alias.example.test")));
    assert_eq!(add("www", cname.clone()), ZoneError::AliasWithOthers(name("www.example.test")));
    assert_eq!(add("alias", cname), ZoneError::AliasWithOthers(name("alias.example.test")));
    let dname = RecordData::Dname(name("x.test"));
    assert_eq!(add("moved", dname), ZoneError::SecondDname(name("moved.example.test")));
    assert!(matches!(add("a..b", RecordData::text("x")), ZoneError::Name(..)));
    let RecordData::Soa(soa) = zone().soa.data else { panic!() };
    assert!(matches!(add("www", RecordData::Soa(soa)), ZoneError::SoaBelowOrigin(_)));
}
