//! Machines of all kinds, and what the doctor says of them.

use super::judge::{Finding, Report, State, judge};
use super::probe::{Device, Driver, Facts, Names, Trust, User, Wireshark};
use std::path::PathBuf;

/// An ordinary user on an ordinary machine, nothing set up, Wireshark installed.
fn ordinary() -> Facts {
    Facts {
        user: User { id: 1000, groups: vec![1000, 27], net_admin_possible: true, ..User::default() },
        tun_driver: Driver::Usable,
        tap: Device::Absent,
        tun: Device::Absent,
        no_user_namespace: None,
        forwards: Some(false),
        programs: vec![("nft".to_owned(), PathBuf::from("/usr/sbin/nft"))],
        ping_groups: Some((0, 2_147_483_647)),
        scripts: None,
        names: Names::Servers(vec!["192.0.2.53".parse().unwrap()]),
        trust: Trust { roots: 140, ..Trust::default() },
        wireshark: Wireshark { version: Some("4.0.17".to_owned()), extcap: vec![PathBuf::from("/x/extcap")] },
        loopback_up: true,
        lab_fails: None,
        user_net_fails: None,
    }
}

fn root() -> Facts {
    Facts { user: User { net_admin: true, net_admin_possible: true, ..User::default() }, ..ordinary() }
}

/// glass0 as `scripts/tap-up` leaves it.
fn prepared(owner: u32) -> Device {
    Device::There { owner: Some(owner), group: None, up: true, addresses: vec!["10.71.83.1/24".to_owned()] }
}

fn finding<'a>(report: &'a Report, topic: &str) -> &'a Finding {
    report.findings.iter().find(|finding| finding.topic == topic).unwrap()
}

/// The ways that work.
fn working(facts: &Facts) -> Vec<&'static str> {
    judge(facts).ways.iter().filter(|way| way.works).map(|way| way.name).collect()
}

/// The topic's finding calls for something to be done, and `cure` is in what helps.
fn helps(facts: &Facts, topic: &str, cure: &str) {
    let report = judge(facts);
    let finding = finding(&report, topic);
    assert_eq!(finding.state, State::ToDo, "{}", finding.text);
    let told = finding.cure.as_deref().unwrap();
    assert!(told.contains(cure), "{told}");
}

#[test]
fn an_ordinary_user_has_lab_user_and_tests_and_is_told_how_to_get_a_tap() {
    let facts = ordinary();
    assert_eq!(working(&facts), ["--net lab", "--net user", "networks for tests", "Wireshark"]);
    helps(&facts, "glass0", "sudo scripts/tap-up");
    // A TUN is rarely wanted: its absence is no task.
    assert_eq!(finding(&judge(&facts), "glasstun0").state, State::Note);
    assert!(judge(&facts).works_every_day());
}

#[test]
fn where_the_scripts_are_installed_their_place_is_told() {
    let facts = Facts { scripts: Some(PathBuf::from("/usr/share/glasstack")), ..ordinary() };
    helps(&facts, "glass0", "sudo /usr/share/glasstack/tap-up");
}

#[test]
fn a_prepared_device_makes_its_way_work_for_its_owner_alone() {
    assert!(working(&Facts { tap: prepared(1000), ..ordinary() }).contains(&"--net tap"));
    let others = Facts { tap: prepared(1001), ..ordinary() };
    assert!(!working(&others).contains(&"--net tap"));
    helps(&others, "glass0", "sudo scripts/tap-down glass0 && sudo scripts/tap-up glass0");
    let of_group =
        Device::There { owner: None, group: Some(27), up: true, addresses: vec!["10.0.0.1/24".into()] };
    assert!(working(&Facts { tun: of_group, ..ordinary() }).contains(&"--net tun"));
    let of_root = Device::There { owner: None, group: None, up: true, addresses: vec!["10.0.0.1/24".into()] };
    assert!(!working(&Facts { tap: of_root, ..ordinary() }).contains(&"--net tap"));
}

#[test]
fn a_prepared_device_that_is_down_or_has_no_address_is_made_anew() {
    for (up, addresses, text) in
        [(false, vec!["10.71.83.1/24".to_owned()], "down"), (true, vec![], "without an address")]
    {
        let tap = Device::There { owner: Some(1000), group: None, up, addresses };
        let facts = Facts { tap, ..ordinary() };
        helps(&facts, "glass0", "tap-up glass0");
        assert!(finding(&judge(&facts), "glass0").text.contains(text));
    }
}

#[test]
fn root_has_every_way_and_is_not_told_to_use_sudo() {
    assert_eq!(working(&root()).len(), 6);
    let broken = Facts { tun_driver: Driver::Absent, wireshark: Wireshark::default(), ..root() };
    let report = judge(&broken);
    assert!(report.findings.iter().filter_map(|one| one.cure.as_ref()).all(|cure| !cure.contains("sudo")));
    assert_eq!(working(&broken), ["--net lab", "--net user"]);
}

#[test]
fn root_in_a_container_lacks_the_capability() {
    let facts = Facts { user: User::default(), ..ordinary() };
    helps(&facts, "CAP_NET_ADMIN", "--cap-add NET_ADMIN");
    assert!(!working(&facts).contains(&"--net tap"));
}

#[test]
fn the_root_of_a_user_namespace_makes_no_device_in_a_network_that_is_not_its_own() {
    let user = User { net_admin_elsewhere: true, ..User::default() };
    let facts = Facts { user, ..ordinary() };
    assert!(!working(&facts).contains(&"--net tap"));
    assert_eq!(finding(&judge(&facts), "CAP_NET_ADMIN").state, State::Note);
}

#[test]
fn an_interface_of_another_kind_is_in_the_way_even_for_root() {
    let facts = Facts { tap: Device::Foreign, ..root() };
    assert!(!working(&facts).contains(&"--net tap"));
    assert!(working(&facts).contains(&"--net tun"));
}

#[test]
fn without_the_driver_no_device_works_and_the_command_is_told() {
    let tap = prepared(1000);
    let facts = Facts { tun_driver: Driver::Forbidden, tap, ..ordinary() };
    assert_eq!(working(&facts), ["--net lab", "--net user", "Wireshark"]);
    helps(&facts, "/dev/net/tun", "sudo chmod 0666 /dev/net/tun");
    helps(&Facts { tun_driver: Driver::Absent, ..facts.clone() }, "/dev/net/tun", "sudo modprobe tun");
    // What needs no device does not suffer.
    assert!(judge(&facts).works_every_day());
}

#[test]
fn what_forbids_user_namespaces_is_told_with_what_allows_them() {
    let why = "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone is 0): \
               `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows it";
    let facts = Facts { no_user_namespace: Some(why.to_owned()), ..ordinary() };
    helps(&facts, "user namespaces", "sudo sysctl -w kernel.unprivileged_userns_clone=1");
    assert!(!working(&facts).contains(&"networks for tests"));
    let facts = Facts { no_user_namespace: Some(why.to_owned()), ..root() };
    assert!(working(&facts).contains(&"networks for tests"));
    assert_eq!(finding(&judge(&facts), "user namespaces").state, State::Note);
}

#[test]
fn ping_needs_one_of_the_users_groups_in_the_range() {
    let range = |from, to| Facts { ping_groups: Some((from, to)), ..ordinary() };
    assert_eq!(finding(&judge(&range(27, 27)), "ping sockets").state, State::Fine);
    // The kernel's default: an empty range.
    helps(&range(1, 0), "ping sockets", "sudo sysctl -w net.ipv4.ping_group_range");
}

#[test]
fn names_certificates_and_wireshark_are_looked_at() {
    let facts = Facts {
        names: Names::Servers(vec![]),
        trust: Trust::default(),
        wireshark: Wireshark { version: Some("2.6.20".to_owned()), extcap: vec![] },
        ..ordinary()
    };
    helps(&facts, "/etc/resolv.conf", "--dns IP");
    helps(&facts, "trust store", "sudo apt install ca-certificates");
    helps(&facts, "Wireshark", "apt install tshark");
    assert!(!working(&facts).contains(&"Wireshark"));
    for (version, reads) in [("3.0.0", true), ("10.1", true), ("2.99", false), ("", false), ("dev", false)] {
        let wireshark = Wireshark { version: Some(version.to_owned()), extcap: vec![] };
        assert_eq!(working(&Facts { wireshark, ..ordinary() }).contains(&"Wireshark"), reads, "{version}");
    }
}

#[test]
fn everyday_ways_that_fail_are_told_with_their_cause_and_make_the_verdict() {
    let facts = Facts { user_net_fails: Some("no socket".to_owned()), ..ordinary() };
    let report = judge(&facts);
    assert!(!report.works_every_day());
    assert!(finding(&report, "--net user").text.ends_with("no socket"));
    helps(&Facts { loopback_up: false, ..facts }, "--net user", "sudo ip link set lo up");
    assert!(!judge(&Facts { lab_fails: Some("odd".to_owned()), ..ordinary() }).works_every_day());
}
