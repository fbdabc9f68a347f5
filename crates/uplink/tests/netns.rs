//! The guard for private networks: what is inside, what is not, and what is left of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the kernel's side is made of its own sockets")]

#[path = "support/desktop.rs"]
mod desktop;
mod support;

use desktop::as_on_a_desktop;
use glasstack_uplink::netns::{NetNs, NetNsError, Obstacle, in_a_private_network, user_namespaces};
use glasstack_uplink::{InterfaceAddress, Netlink, OpenError, TapConfig};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use support::{a_fresh_namespace, in_a_fresh_namespace, shell, skip};

fn cidr(text: &str) -> InterfaceAddress {
    text.parse().unwrap()
}

/// What a command line prints inside.
fn inside(ns: &NetNs, line: &str) -> String {
    let output = ns.output(Command::new("sh").args(["-c", line])).unwrap();
    assert!(output.status.success(), "`{line}`: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_new_namespace_has_loopback_alone_and_no_route_out_of_it() {
    let Some(ns) = a_fresh_namespace() else { return };
    let links = inside(&ns, "ip -br link");
    assert_eq!(links.lines().count(), 1, "{links}");
    assert!(links.starts_with("lo "), "{links}");
    assert_eq!(inside(&ns, "ip route"), "");
    let outward = ns.run(|| UdpSocket::bind("0.0.0.0:0").unwrap().connect("192.0.2.1:9")).unwrap();
    assert_eq!(outward.unwrap_err().kind(), ErrorKind::NetworkUnreachable);
    let server = ns.run(|| TcpListener::bind("127.0.0.1:80").unwrap()).unwrap();
    ns.run(|| TcpStream::connect(server.local_addr().unwrap()).unwrap()).unwrap();
}

#[test]
fn two_namespaces_and_their_machine_do_not_see_each_other() {
    let (Some(one), Some(other)) = (a_fresh_namespace(), a_fresh_namespace()) else { return };
    let _device = one.tap(&TapConfig { name: Some("here0".to_owned()), ..TapConfig::default() }).unwrap();
    let sees = |ns: &NetNs| ns.run(|| Netlink::open().unwrap().link("here0").unwrap().is_some()).unwrap();
    assert!(sees(&one));
    assert!(!sees(&other));
    assert_eq!(Netlink::open().unwrap().link("here0").unwrap(), None);
}

#[test]
fn addresses_are_given_and_an_interface_that_is_not_there_is_an_error() {
    let Some(ns) = a_fresh_namespace() else { return };
    ns.add_address("lo", cidr("198.51.100.80/32")).unwrap();
    ns.run(|| TcpListener::bind("198.51.100.80:80").unwrap()).unwrap();
    let error = ns.add_address("eth0", cidr("198.51.100.81/32")).unwrap_err();
    assert_eq!(error.to_string(), "there is no interface eth0 in the namespace");
    let error = ns.tap(&TapConfig { name: Some("a/b".to_owned()), ..TapConfig::default() }).unwrap_err();
    assert!(matches!(error, NetNsError::Device(OpenError::Name { .. })), "{error:?}");
}

#[test]
fn a_program_started_inside_talks_to_a_server_inside_and_is_killed_with_its_guard() {
    let Some(ns) = a_fresh_namespace() else { return };
    let server = ns.run(|| TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let port = server.local_addr().unwrap().port();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; exec sleep 600");
    let program = ns.spawn(Command::new("bash").args(["-c", &script])).unwrap();
    let (mut stream, _) = server.accept().unwrap();
    drop(program);
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0, "its connection is closed with it");
    let error = ns.spawn(&mut Command::new("no-such-program")).unwrap_err();
    assert!(error.to_string().starts_with("cannot start `no-such-program` in the namespace"), "{error}");
}

#[test]
fn a_panic_inside_is_a_panic_of_the_test_and_the_namespace_goes_on() {
    let Some(ns) = a_fresh_namespace() else { return };
    let caught = std::panic::catch_unwind(|| ns.run(|| panic!("on purpose")));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    assert_eq!(inside(&ns, "echo well"), "well\n");
}

#[test]
fn another_programs_cable_is_plugged_in_by_the_path_and_nothing_is_left_of_it() {
    let (Some(here), Some(there)) = (a_fresh_namespace(), a_fresh_namespace()) else { return };
    let path = there.path().display().to_string();
    inside(&here, &format!("ip link add a0 type veth peer name b0 netns {path}"));
    assert!(inside(&there, "ip -br link").contains("b0"));
    drop(there);
    // The kernel takes a namespace down in its own time, and the far end of the cable with it.
    inside(&here, "for i in $(seq 600); do ip link show a0 2>/dev/null || exit 0; sleep 0.05; done; exit 1");
}

#[test]
fn without_a_user_namespace_around_it_an_ordinary_user_is_told_what_to_do() {
    in_a_fresh_namespace(|| {
        as_on_a_desktop();
        let told = as_an_ordinary_user("second_half_that_may_not_make_a_namespace", |_| {});
        let cure = "unshare --user --map-root-user --net cargo test";
        assert!(told.contains(cure), "{told}");
        let told = as_an_ordinary_user("second_half_that_may_not_make_a_namespace", |command| {
            command.env("PATH", "/nowhere");
        });
        assert!(told.contains("install util-linux"), "{told}");
    });
}

#[test]
fn second_half_that_may_not_make_a_namespace() {
    if std::env::var_os(ORDINARY).is_none() {
        return;
    }
    println!("told: {}", NetNs::new().unwrap_err());
}

#[test]
fn an_ordinary_users_test_runs_in_a_user_namespace_with_a_tap_in_it() {
    in_a_fresh_namespace(|| {
        if let Err(obstacle) = user_namespaces() {
            return skip(
                "an_ordinary_users_test_runs_in_a_user_namespace_with_a_tap_in_it",
                &obstacle.to_string(),
            );
        }
        as_on_a_desktop();
        let told = as_an_ordinary_user("second_half_in_a_private_network", |_| {});
        assert_eq!(told, "told: as expected\n");
        let told = as_an_ordinary_user("second_half_in_a_private_network", |command| {
            command.arg("--test-threads=1");
        });
        assert_eq!(told, "told: as expected\n", "on the main thread, but by name");
        let told = as_an_ordinary_user("second_half_in_a_private_network", |command| {
            command.env(FAILING, "1");
        });
        assert!(told.contains("failed in its user namespace"), "{told}");
        assert!(told.contains("on purpose"), "what the test printed is there: {told}");
    });
}

#[test]
fn second_half_in_a_private_network() {
    if std::env::var_os(ORDINARY).is_none() {
        return;
    }
    let outcome = in_a_private_network(|ns| {
        let device = ns.tap(&TapConfig::default()).unwrap();
        assert_eq!(device.host_side(), Some(cidr("10.71.83.1/24")));
        assert!(inside(ns, "ip route").contains("10.71.83.0/24 dev glass0"));
        assert!(std::env::var_os(FAILING).is_none(), "on purpose");
    });
    match outcome {
        Ok(()) if !nix::unistd::geteuid().is_root() => println!("told: as expected"),
        Ok(()) => {}
        Err(error) => println!("told: {}", error.to_string().replace('\n', " ")),
    }
}

#[test]
fn every_obstacle_says_how_root_removes_it() {
    for (obstacle, cure) in [
        (Obstacle::SwitchedOff, "sysctl -w user.max_user_namespaces="),
        (Obstacle::OnlyRoot, "sysctl -w kernel.unprivileged_userns_clone=1"),
        (Obstacle::AppArmor, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
        (Obstacle::NoUnshare(ErrorKind::NotFound.into()), "install util-linux"),
    ] {
        assert!(obstacle.to_string().contains(cure), "{obstacle}");
        let obstacle = Some(obstacle);
        let error = NetNsError::NotPermitted { obstacle, source: ErrorKind::PermissionDenied.into() };
        assert!(error.to_string().contains("; but here "), "{error}");
    }
}

/// Tells the second halves that they are run as somebody else.
const ORDINARY: &str = "GLASSTACK_TEST_ORDINARY";
/// Makes the second half in a private network fail.
const FAILING: &str = "GLASSTACK_TEST_FAILING";

/// Runs one test of this binary as nobody; its lines that begin with `told: `.
fn as_an_ordinary_user(test: &str, prepare: impl FnOnce(&mut Command)) -> String {
    const NOBODY: u32 = 65_534;
    // The build's folder may be closed to others; this one is gone with the mount namespace.
    let program = "/dev/net/again";
    shell(&format!("cp -f '{}' {program}", std::env::current_exe().unwrap().display()));
    let mut again = Command::new(program);
    again.args(["--exact", test, "--nocapture", "--quiet"]).env(ORDINARY, "1");
    prepare(again.uid(NOBODY).gid(NOBODY).current_dir("/").stdin(Stdio::null()));
    let output = again.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let told: Vec<_> =
        out.lines().filter_map(|line| line.find("told: ").and_then(|at| line.get(at..))).collect();
    told.into_iter().map(|line| format!("{line}\n")).collect()
}
