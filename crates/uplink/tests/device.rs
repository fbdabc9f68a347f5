//! The device and the kernel's side of it: opened, configured, read back, and refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/desktop.rs"]
mod desktop;
mod support;

use desktop::as_on_a_desktop;
use glasstack_journal::event::Medium;
use glasstack_stack::{Frame, FrameDevice, Prefix};
use glasstack_uplink::{Addressing, InterfaceAddress, Mode, Netlink, OpenError, TapConfig, TapDevice};
use std::os::unix::process::CommandExt;
use std::process::Command;
use support::{in_a_fresh_namespace, script, shell};

fn named(name: &str) -> TapConfig {
    TapConfig { name: Some(name.to_owned()), ..TapConfig::default() }
}

fn cidr(text: &str) -> InterfaceAddress {
    text.parse().unwrap()
}

fn frame(bytes: &[u8]) -> Frame {
    Frame { id: None, bytes: bytes.to_vec() }
}

#[test]
fn a_new_tap_is_up_with_the_default_address_and_vanishes_when_closed() {
    in_a_fresh_namespace(|| {
        let device = TapDevice::open(&TapConfig::default()).unwrap();
        assert_eq!((device.name(), device.medium(), device.mtu()), ("glass0", Medium::Ethernet, 1500));
        assert_eq!(device.host_side(), Some(cidr("10.71.83.1/24")));
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("glass0").unwrap().unwrap();
        assert!(link.up && !link.is_enslaved && link.mac.is_some());
        assert_eq!((link.mode, link.mtu), (Some(Mode::Tap), 1500));
        assert_eq!(link.addresses, [cidr("10.71.83.1/24")]);
        assert!(shell("ip route").contains("10.71.83.0/24 dev glass0"));
        drop(device);
        assert_eq!(netlink.link("glass0").unwrap(), None);
    });
}

#[test]
fn a_tun_carries_ip_packets_and_has_no_mac_address() {
    in_a_fresh_namespace(|| {
        let device = TapDevice::open(&TapConfig { mode: Mode::Tun, ..TapConfig::default() }).unwrap();
        assert_eq!((device.name(), device.medium()), ("glasstun0", Medium::Ip));
        let link = Netlink::open().unwrap().link("glasstun0").unwrap().unwrap();
        assert_eq!((link.mode, link.mac), (Some(Mode::Tun), None));
    });
}

#[test]
fn the_address_and_the_mtu_are_as_asked_for() {
    in_a_fresh_namespace(|| {
        let config = TapConfig {
            host_side: Some(cidr("192.0.2.129/25")),
            mtu: Some(9000),
            ..named("fifteen-bytes-x")
        };
        let device = TapDevice::open(&config).unwrap();
        assert_eq!((device.name(), device.mtu()), ("fifteen-bytes-x", 9000));
        let link = Netlink::open().unwrap().link("fifteen-bytes-x").unwrap().unwrap();
        assert_eq!((link.mtu, link.addresses), (9000, vec![cidr("192.0.2.129/25")]));
        assert!(shell("ip -4 addr show fifteen-bytes-x").contains("brd 192.0.2.255"));
    });
}

#[test]
fn the_kernels_side_of_a_new_device_faces_the_address_the_stack_is_to_have() {
    in_a_fresh_namespace(|| {
        let (stack, gateway) = (cidr("10.9.9.2/24"), "10.9.9.1".parse().unwrap());
        let device = TapDevice::open(&TapConfig::default().facing(stack, Some(gateway))).unwrap();
        assert_eq!(device.host_side(), Some(cidr("10.9.9.1/24")));
        let addressing = Addressing::choose(device.host_side(), Some(stack), None).unwrap();
        assert_eq!(addressing.gateway, Some(gateway));
    });
}

#[test]
fn an_mtu_the_kernel_does_not_allow_is_an_error_that_says_so() {
    in_a_fresh_namespace(|| {
        let error = TapDevice::open(&TapConfig { mtu: Some(70_000), ..named("t") }).unwrap_err();
        assert!(error.to_string().contains("cannot set the MTU of t to 70000"), "{error}");
    });
}

#[test]
fn a_route_through_the_stack_is_set_and_replaced() {
    in_a_fresh_namespace(|| {
        let _device = TapDevice::open(&TapConfig::default()).unwrap();
        let mut netlink = Netlink::open().unwrap();
        let link = netlink.link("glass0").unwrap().unwrap();
        let to = Prefix::new("10.99.0.0".parse().unwrap(), 16).unwrap();
        let row = || shell("ip route show 10.99.0.0/16");
        netlink.set_route(&link, to, Some("10.71.83.2".parse().unwrap())).unwrap();
        assert!(row().starts_with("10.99.0.0/16 via 10.71.83.2 dev glass0"), "{}", row());
        netlink.set_route(&link, to, Some("10.71.83.3".parse().unwrap())).unwrap();
        assert!(row().starts_with("10.99.0.0/16 via 10.71.83.3 dev glass0"), "{}", row());
        let error = netlink.set_route(&link, to, Some("192.0.2.1".parse().unwrap())).unwrap_err();
        assert!(error.to_string().contains("cannot route 10.99.0.0/16 via 192.0.2.1 on glass0"), "{error}");
    });
}

#[test]
fn two_devices_get_two_subnets() {
    in_a_fresh_namespace(|| {
        let first = TapDevice::open(&TapConfig::default()).unwrap();
        let second = TapDevice::open(&TapConfig::default()).unwrap();
        assert_eq!((first.name(), second.name()), ("glass0", "glass1"));
        assert_eq!(second.host_side(), Some(cidr("10.71.84.1/24")));
    });
}

#[test]
fn a_device_in_use_or_of_another_kind_is_refused() {
    in_a_fresh_namespace(|| {
        let _tap = TapDevice::open(&named("mine")).unwrap();
        let busy = TapDevice::open(&named("mine")).unwrap_err();
        assert!(matches!(busy, OpenError::Busy { .. }), "{busy:?}");
        let tun = TapDevice::open(&TapConfig { mode: Mode::Tun, ..named("mine") }).unwrap_err();
        assert!(matches!(tun, OpenError::WrongKind { .. }), "{tun:?}");
        let lo = TapDevice::open(&named("lo")).unwrap_err();
        assert!(matches!(lo, OpenError::WrongKind { .. }), "{lo:?}");
    });
}

#[test]
fn a_new_device_is_silent_until_somebody_speaks() {
    in_a_fresh_namespace(|| {
        let mut device = TapDevice::open(&TapConfig::default()).unwrap();
        assert!(device.recv().unwrap().is_none(), "no router solicitation, no multicast report");
        shell("ip neigh flush dev glass0; bash -c 'echo hello >/dev/udp/10.71.83.2/9'");
        let arp = device.recv().unwrap().expect("the kernel asks who has 10.71.83.2");
        assert_eq!(arp.bytes.get(12..14), Some(&[0x08, 0x06][..]));
    });
}

#[test]
fn a_frame_the_kernel_refuses_is_counted_and_no_error() {
    in_a_fresh_namespace(|| {
        let mut device = TapDevice::open(&TapConfig::default()).unwrap();
        device.send(frame(&[1, 2, 3])).unwrap();
        device.send(frame(&[])).unwrap();
        assert_eq!(device.counters().refused(), 2);
        device.send(frame(&[0xff; 60])).unwrap();
        assert_eq!(device.counters().refused(), 2);
    });
}

#[test]
fn an_interface_that_goes_down_or_away_is_an_error_that_says_so() {
    in_a_fresh_namespace(|| {
        let mut device = TapDevice::open(&TapConfig::default()).unwrap();
        shell("ip link set glass0 down");
        let down = device.send(frame(&[0xff; 60])).unwrap_err();
        assert!(down.to_string().starts_with("network device glass0: the interface is down"), "{down}");
        shell("ip link set glass0 up");
        device.send(frame(&[0xff; 60])).unwrap();
        shell("ip link delete glass0");
        let gone = device.recv().unwrap_err();
        assert!(gone.to_string().contains("was removed while it was in use"), "{gone}");
    });
}

#[test]
fn a_port_of_a_bridge_keeps_without_an_address() {
    in_a_fresh_namespace(|| {
        shell("ip link add br0 type bridge && ip link set br0 up");
        shell("ip tuntap add port0 mode tap && ip link set port0 master br0 up");
        let device = TapDevice::open(&named("port0")).unwrap();
        assert_eq!(device.host_side(), None);
    });
}

#[test]
fn an_ordinary_user_takes_the_device_that_tap_up_prepared() {
    in_a_fresh_namespace(|| {
        as_on_a_desktop();
        shell(&format!("{} --user nobody --addr 10.20.30.1/24", script("tap-up")));
        assert_eq!(opened_by_an_ordinary_user(""), "opened glass0 10.20.30.1/24\n");
        shell(&script("tap-down"));
        assert_eq!(Netlink::open().unwrap().link("glass0").unwrap(), None);
    });
}

#[test]
fn an_ordinary_user_without_a_prepared_device_is_told_what_to_do() {
    in_a_fresh_namespace(|| {
        as_on_a_desktop();
        let told = opened_by_an_ordinary_user("");
        assert!(told.contains("not permitted; run `scripts/tap-up` once as root"), "{told}");
        shell("ip tuntap add halfway mode tap user nobody");
        let told = opened_by_an_ordinary_user("halfway");
        assert!(told.contains("halfway is not ready (it is down, it has no address)"), "{told}");
        shell("chmod 600 /dev/net/tun");
        let told = opened_by_an_ordinary_user("");
        assert!(told.contains("/dev/net/tun: permission denied"), "{told}");
        shell("rm /dev/net/tun");
        let told = opened_by_an_ordinary_user("");
        assert!(told.contains("modprobe tun"), "{told}");
    });
}

/// Starts this test binary once more as nobody, in the calling thread's namespaces, and returns
/// what it says of the device called `name` (of the default one, if that is empty).
fn opened_by_an_ordinary_user(name: &str) -> String {
    const NOBODY: u32 = 65_534;
    // The build's folder may be closed to others; this one is gone with the namespace.
    let program = "/dev/net/again";
    // Copied by another process: a file that a child forked just now still has open for writing
    // cannot be executed (ETXTBSY).
    shell(&format!("cp -f '{}' {program}", std::env::current_exe().unwrap().display()));
    let mut again = Command::new(program);
    again.args(["--exact", "second_half_run_as_another_user", "--nocapture", "--quiet"]);
    again.env(DEVICE, name).uid(NOBODY).gid(NOBODY).current_dir("/");
    let output = again.output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = out.lines().filter_map(|line| line.split_once("device: ").map(|(_, told)| told));
    told.map(|told| format!("{told}\n")).collect()
}

const DEVICE: &str = "GLASSTACK_TEST_DEVICE";

#[test]
fn second_half_run_as_another_user() {
    let Ok(name) = std::env::var(DEVICE) else { return };
    let config = if name.is_empty() { TapConfig::default() } else { named(&name) };
    match TapDevice::open(&config) {
        Ok(device) => println!("device: opened {} {}", device.name(), device.host_side().unwrap()),
        Err(error) => println!("device: {error}"),
    }
}
