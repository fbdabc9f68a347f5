//! `scripts/tap-up` and `scripts/tap-down` on a machine of their own, with an Internet behind it.
//!
//! ```text
//!    the user's machine                                         the Internet
//!   +----------------------------------------------------+    +---------------------------------+
//!   | nobody's glasstack 10.71.83.2 == glass0 10.71.83.1  |    |                                 |
//!   |                                   up0 203.0.113.10 ==|veth|== eth0 203.0.113.1, 198.51.100.80 |
//!   +----------------------------------------------------+    +---------------------------------+
//! ```
//!
//! The Internet has no route to 10.71.83.0/24: what is not masqueraded gets no answer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the Internet is made of the kernel's own sockets")]
#![allow(clippy::disallowed_methods, reason = "the Internet's server has a thread of its own")]

#[path = "../../uplink/tests/support/desktop.rs"]
mod desktop;
#[path = "../../uplink/tests/support/mod.rs"]
mod namespace;

use glasstack::netns::NetNs;
use glasstack::stack::FrameDevice;
use glasstack::uplink::{TapConfig, TapDevice};
use namespace::{a_fresh_namespace, script, shell, skip};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::thread::JoinHandle;

const OURS: &str = "203.0.113.10";
/// The program under test, where everybody may run it.
const PROGRAM: &str = "/dev/net/glasstack";
const URL: &str = "http://198.51.100.80/";

/// Runs `body` on the user's machine, where `programs` are there; it is given the Internet.
fn on_a_machine(programs: &[&str], body: impl FnOnce(&NetNs) + Send) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    for program in ["ip", "flock", "setpriv", "unshare"].iter().chain(programs) {
        if !is_there(program) {
            return skip(&test, &format!("needs {program}"));
        }
    }
    let (Some(machine), Some(internet)) = (a_fresh_namespace(), a_fresh_namespace()) else { return };
    let path = internet.path().display().to_string();
    machine
        .run(|| {
            desktop::as_on_a_desktop();
            // The build's folder may be closed to others; a bind mount has only its own permissions.
            let built = env!("CARGO_BIN_EXE_glasstack");
            shell(&format!("touch {PROGRAM} && mount --bind '{built}' {PROGRAM}"));
            shell(&format!("ip link add up0 type veth peer name eth0 netns {path}"));
            // No address of which the kernel finds out in its own time whether it is free.
            shell("ip link set up0 addrgenmode none");
            shell(&format!("ip addr add {OURS}/24 dev up0 && ip link set up0 up"));
            internet
                .run(|| {
                    shell("ip addr add 203.0.113.1/24 dev eth0 && ip addr add 198.51.100.80/32 dev eth0");
                    shell("ip link set eth0 up");
                })
                .unwrap();
            shell("ip route add default via 203.0.113.1");
            body(&internet);
        })
        .unwrap();
}

/// A script's output on both streams, if it succeeds as root on behalf of nobody.
#[track_caller]
fn run(line: &str) -> String {
    let (code, said) = attempt(line, |_| {});
    assert_eq!(code, Some(0), "{line}: {said}");
    said
}

/// The same, whatever comes of it.
fn attempt(line: &str, prepare: impl FnOnce(&mut Command)) -> (Option<i32>, String) {
    let mut words = line.split_whitespace();
    let mut command = Command::new(script(words.next().unwrap()));
    command.args(words).env("SUDO_USER", "nobody");
    prepare(&mut command);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// `glasstack` with these words, run by nobody; its exit code, and what it printed on stdout.
fn as_nobody(words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args(["--no-new-privs", PROGRAM]).args(words).current_dir("/").env("HOME", "/nonexistent");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A web server on the Internet for one guest; ends with the guest's address.
fn serve_one(internet: &NetNs) -> JoinHandle<IpAddr> {
    let listener = internet.run(|| TcpListener::bind("198.51.100.80:80").unwrap()).unwrap();
    std::thread::spawn(move || {
        let (mut stream, guest) = listener.accept().unwrap();
        let mut head = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while head.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nfar away")
            .unwrap();
        guest.ip()
    })
}

#[track_caller]
fn nobody_gets_a_page_under_the_machines_address(internet: &NetNs) {
    let server = serve_one(internet);
    let (code, page) = as_nobody(&["get", "-s", "--net", "tap", URL]);
    assert_eq!((code, page.as_str()), (Some(0), "far away"));
    assert_eq!(server.join().unwrap(), OURS.parse::<IpAddr>().unwrap());
}

/// All that the scripts may touch: interfaces, routes, firewall, forwarding, /run.
fn everything() -> String {
    let mut all = shell("ip addr; ip route show table all; ls -lAR /run | grep -v ^total");
    if is_there("nft") {
        // Counters go on.
        all += &shell("nft list ruleset 2>/dev/null | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'");
    }
    all += &shell("cd /proc/sys/net/ipv4; grep . ip_forward conf/*/forwarding conf/*/accept_redirects");
    // How much longer an address is valid is no state, and whether somebody is at the other end of a
    // cable the kernel notices in its own time.
    let mut lines = String::new();
    for line in all.lines().filter(|line| !line.contains("valid_lft") && !line.starts_with("multicast")) {
        let line = line.replace("NO-CARRIER,", "").replace(",LOWER_UP", "").replace(" linkdown", "");
        lines += &["DOWN", "UP", "UNKNOWN"]
            .iter()
            .fold(line, |line, state| line.replace(&format!(" state {state}"), ""));
        lines.push('\n');
    }
    lines
}

/// Everything is as it was.
#[track_caller]
fn is_as(before: &str) {
    let now = everything();
    let only = |one: &str, other: &str| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|known| known == *line)).map(str::to_owned).collect()
    };
    let (gone, new) = (only(before, &now), only(&now, before));
    assert!(now == before, "gone: {gone:#?}\nnew: {new:#?}\nall:\n{now}");
}

fn ip_forward() -> String {
    fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap().trim().to_owned()
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).any(|program| program.is_file())
}

#[test]
fn without_nat_a_plain_user_reaches_the_machine_alone_and_nothing_else_is_touched() {
    on_a_machine(&[], |_| {
        let before = everything();
        assert!(run("tap-up").contains("glass0: a TAP for nobody, kernel's side 10.71.83.1/24, up"));
        let (code, told) = as_nobody(&["ping", "--net", "tap", "-c", "1", "10.71.83.1"]);
        assert_eq!(code, Some(0), "{told}");
        let (code, _) = as_nobody(&["get", "-s", "--net", "tap", "-m", "2", URL]);
        assert_eq!(code, Some(28), "forwarding is off");
        assert_eq!(ip_forward(), "0");
        run("tap-down");
        is_as(&before);
    });
}

#[test]
fn with_nat_by_nft_a_plain_user_reaches_the_internet_and_tap_down_leaves_no_trace() {
    on_a_machine(&["nft"], |internet| {
        let before = everything();
        let said = run("tap-up --nat");
        assert!(said.contains("under this machine's address, by nft"), "{said}");
        assert!(said.contains("ip_forward: was 0, is 1 until tap-down"), "{said}");
        nobody_gets_a_page_under_the_machines_address(internet);
        assert!(run("tap-down").contains("ip_forward: 0 again"));
        is_as(&before);
    });
}

/// iptables makes its tables when it is first asked to write into them, and never removes them.
fn wake_iptables() {
    shell(
        "for t in nat:POSTROUTING filter:FORWARD; do
        iptables -w -t ${t%:*} -A ${t#*:} -j ACCEPT && iptables -w -t ${t%:*} -D ${t#*:} -j ACCEPT
    done",
    );
}

#[test]
fn with_nat_by_iptables_it_is_the_same() {
    on_a_machine(&["iptables"], |internet| {
        wake_iptables();
        let before = everything();
        assert!(run("tap-up --nat --firewall iptables").contains("by iptables"));
        nobody_gets_a_page_under_the_machines_address(internet);
        run("tap-down");
        is_as(&before);
    });
}

#[test]
fn a_machine_whose_iptables_forward_nothing_by_policy_as_dockers_and_ufws_do_lets_ours_pass() {
    on_a_machine(&["nft", "iptables", "iptables-legacy"], |internet| {
        wake_iptables();
        for (whose, masquerading) in
            [("iptables", "nft"), ("iptables", "iptables"), ("iptables-legacy", "nft")]
        {
            let saved = || shell(&format!("{whose} -w -S FORWARD"));
            shell(&format!("{whose} -w -P FORWARD DROP"));
            shell(&format!("{whose} -w -N DOCKER-USER && {whose} -w -A FORWARD -j DOCKER-USER"));
            let (before, rules) = (everything(), saved());
            run(&format!("tap-up --nat --firewall {masquerading}"));
            nobody_gets_a_page_under_the_machines_address(internet);
            run("tap-down");
            is_as(&before);
            assert_eq!(saved(), rules);
            shell(&format!(
                "{whose} -w -F FORWARD && {whose} -w -X DOCKER-USER && {whose} -w -P FORWARD ACCEPT"
            ));
        }
    });
}

#[test]
fn a_firewall_of_nft_that_drops_or_rejects_what_it_does_not_know_lets_ours_pass() {
    on_a_machine(&["nft"], |internet| {
        for rules in [
            "chain forward { type filter hook forward priority 0; policy drop; }",
            "chain forward { type filter hook forward priority 0; ct state established accept; \
             ip daddr { 192.0.2.1, 192.0.2.2 } accept; counter reject with icmpx admin-prohibited; }",
        ] {
            shell(&format!("echo 'table inet strict {{\n{rules}\n}}' | nft -f -"));
            let before = everything();
            run("tap-up --nat");
            assert!(everything().contains("comment \"glasstack glass0\""));
            nobody_gets_a_page_under_the_machines_address(internet);
            run("tap-up --nat");
            assert_eq!(everything().matches("comment \"glasstack glass0\"").count(), 2);
            run("tap-down");
            is_as(&before);
            shell("nft delete table inet strict");
        }
    });
}

#[test]
fn a_machine_that_forwarded_already_goes_on_as_it_did() {
    on_a_machine(&["nft"], |internet| {
        shell("echo 1 >/proc/sys/net/ipv4/ip_forward");
        let before = everything();
        let said = run("tap-up --nat");
        assert!(!said.contains("ip_forward"), "{said}");
        assert!(!everything().contains("table ip glasstack"), "others go on to be forwarded");
        nobody_gets_a_page_under_the_machines_address(internet);
        run("tap-down");
        is_as(&before);
        assert_eq!(ip_forward(), "1");
    });
}

#[test]
fn settings_that_the_kernel_changes_along_with_ip_forward_are_set_back() {
    on_a_machine(&["nft"], |_| {
        shell("echo 1 >/proc/sys/net/ipv4/conf/up0/forwarding");
        shell("echo 0 >/proc/sys/net/ipv4/conf/all/accept_redirects");
        let before = everything();
        run("tap-up --nat");
        assert!(everything().contains("iifname \"up0\" accept"), "it forwarded from up0 before");
        run("tap-down");
        is_as(&before);
    });
}

#[test]
fn forwarding_stays_for_the_second_device_until_that_goes_too() {
    on_a_machine(&["nft"], |_| {
        let before = everything();
        run("tap-up --nat");
        let one = everything();
        assert!(run("tap-up other --nat").contains("kernel's side 10.71.84.1/24"));
        assert!(!run("tap-down other").contains("ip_forward"));
        is_as(&one);
        run("tap-up other --nat");
        run("tap-down glass0");
        assert_eq!(ip_forward(), "1");
        run("tap-down other");
        is_as(&before);
    });
}

#[test]
fn the_machine_becomes_no_router_for_others_and_nobody_outside_reaches_the_stack_unasked() {
    on_a_machine(&["nft"], |internet| {
        // A stranger on another network of the machine's, who takes it for his router.
        let Some(stranger) = a_fresh_namespace() else { return };
        let path = stranger.path().display().to_string();
        shell(&format!("ip link add side0 type veth peer name eth0 netns {path}"));
        shell("ip addr add 192.0.2.1/24 dev side0 && ip link set side0 up");
        stranger
            .run(|| shell("ip addr add 192.0.2.9/24 dev eth0; ip link set eth0 up; ip route add default via 192.0.2.1"))
            .unwrap();
        internet
            .run(|| {
                shell(
                    "ip route add 192.0.2.0/24 via 203.0.113.10; ip route add 10.71.83.0/24 via 203.0.113.10",
                )
            })
            .unwrap();
        let to_the_internet = UdpInbox::new(internet, "198.51.100.80:9");
        let fence = TcpListener::bind("0.0.0.0:99").unwrap();

        run("tap-up --nat");
        shell("ip neigh replace 10.71.83.2 lladdr 02:67:0a:47:53:02 dev glass0");
        let mut stack =
            TapDevice::open(&TapConfig { name: Some("glass0".to_owned()), ..TapConfig::default() }).unwrap();
        let mut outcome = || {
            send(&stranger, "198.51.100.80:9", "192.0.2.1:99", &fence);
            send(internet, "10.71.83.2:9", "203.0.113.10:99", &fence);
            let mut frames = std::iter::from_fn(|| stack.recv().unwrap());
            (to_the_internet.has_mail(), frames.any(|frame| frame.bytes.ends_with(b"unasked")))
        };
        assert_eq!(outcome(), (false, false));
        // Without the rules both would have passed: the test sees what it looks for.
        shell("nft delete table ip glasstack && nft delete table inet glasstack_glass0");
        assert_eq!(outcome(), (true, true));
        drop(stack);
        run("tap-down");
    });
}

/// Sends a datagram, and comes back when a connection by the same way has come through behind it.
fn send(from: &NetNs, to: &str, by: &str, fence: &TcpListener) {
    from.run(|| {
        UdpSocket::bind("0.0.0.0:0").unwrap().send_to(b"unasked", to).unwrap();
        TcpStream::connect(by).unwrap()
    })
    .unwrap();
    fence.accept().unwrap();
}

struct UdpInbox(UdpSocket);

impl UdpInbox {
    fn new(at: &NetNs, address: &str) -> Self {
        let socket = at.run(|| UdpSocket::bind(address).unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    fn has_mail(&self) -> bool {
        let received: Result<(usize, SocketAddr), _> = self.0.recv_from(&mut [0; 64]);
        received.is_ok()
    }
}

#[test]
fn names_are_asked_of_the_servers_behind_systemds_stub_and_without_it_another_is_asked_for() {
    on_a_machine(&["nft"], |internet| {
        let stub = "/dev/net/resolv.conf";
        fs::write(stub, "nameserver 127.0.0.53\n").unwrap();
        shell(&format!("mount --bind {stub} $(readlink -f /etc/resolv.conf)"));
        assert!(run("tap-up --nat").contains("give glasstack another, as --dns"));
        fs::create_dir_all("/run/systemd/resolve").unwrap();
        fs::write("/run/systemd/resolve/resolv.conf", "nameserver 198.51.100.80\n").unwrap();
        assert!(!run("tap-up --nat").contains("--dns"));

        let server = internet.run(|| UdpSocket::bind("198.51.100.80:53").unwrap()).unwrap();
        let answered = std::thread::spawn(move || {
            let mut message = [0; 512];
            let (length, guest) = server.recv_from(&mut message).unwrap();
            // A response: there is no such name (RFC 1035 4.1.1).
            (message[2], message[3]) = (0x81, 0x83);
            server.send_to(&message[..length], guest).unwrap();
            guest.ip()
        });
        let (code, _) = as_nobody(&["get", "-s", "--net", "tap", "http://nobody.example/"]);
        assert_eq!(code, Some(6));
        assert_eq!(answered.join().unwrap(), OURS.parse::<IpAddr>().unwrap());
        run("tap-down");
    });
}

#[test]
fn what_fails_half_way_leaves_nothing_behind() {
    on_a_machine(&["nft"], |_| {
        fs::create_dir("/dev/net/bin").unwrap();
        let real = shell("PATH=$PATH:/usr/sbin:/sbin command -v nft");
        let nft = format!("#!/bin/sh\ncase $1 in -f) exit 1 ;; esac\nexec {} \"$@\"\n", real.trim());
        fs::write("/dev/net/bin/nft", nft).unwrap();
        shell("chmod +x /dev/net/bin/nft");
        let before = everything();
        let with_that_nft = |command: &mut Command| {
            let path = format!("/dev/net/bin:{}", std::env::var("PATH").unwrap());
            command.env("PATH", path);
        };
        let (code, said) = attempt("tap-up --nat", with_that_nft);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("nft does not take the rules for glass0"), "{said}");
        is_as(&before);

        run("tap-up");
        let device_alone = everything();
        let (code, _) = attempt("tap-up --nat", with_that_nft);
        assert_eq!(code, Some(1), "and a device that was there before stays");
        is_as(&device_alone);
        run("tap-down");
    });
}

#[test]
fn to_run_either_twice_is_to_run_it_once() {
    on_a_machine(&["nft"], |internet| {
        let before = everything();
        run("tap-up --owner nobody --addr 10.9.8.1/24");
        assert!(run("tap-up").contains("glass0: up already, a TAP for nobody, kernel's side 10.9.8.1/24"));
        run("tap-up --nat");
        let up = everything();
        run("tap-up --nat");
        is_as(&up);
        nobody_gets_a_page_under_the_machines_address(internet);
        run("tap-down");
        assert!(run("tap-down").contains("glass0: there is none, nothing to do"));
        // A device that was removed by hand leaves the rest for tap-down, or for the next tap-up.
        run("tap-up --nat");
        shell("ip link delete glass0");
        run("tap-up --nat");
        nobody_gets_a_page_under_the_machines_address(internet);
        shell("ip link delete glass0");
        run("tap-down");
        is_as(&before);
    });
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    on_a_machine(&[], |_| {
        let before = everything();
        shell("ip tuntap add mine0 mode tap");
        for (line, why) in [
            ("tap-up mine0", "mine0 exists already, and was not made by tap-up"),
            ("tap-down mine0", "mine0 was not made by tap-up (there is no /run/glasstack/mine0): left alone"),
            ("tap-up --owner nobody-at-all", "there is no user 'nobody-at-all'"),
            ("tap-up --addr 10.0.0.1", "'10.0.0.1' is not an IPv4 address with a prefix length"),
            ("tap-up --addr 10.0.0.256/24", "'10.0.0.256/24' is not an IPv4 address"),
            ("tap-up sixteen-bytes-xx", "cannot be this interface's name"),
            ("tap-up .hidden", "cannot be this interface's name"),
            ("tap-up --firewall pf", "--firewall is nft or iptables, not pf"),
            ("tap-up --gnat", "unknown option --gnat (see --help)"),
            ("tap-down --all", "unknown option --all (see --help)"),
            ("tap-up one two", "one name only"),
        ] {
            let (code, said) = attempt(line, |_| {});
            assert_eq!(code, Some(1), "{line}: {said}");
            assert!(said.contains(why), "{line}: {said}");
        }
        shell("ip link delete mine0");
        is_as(&before);

        run("tap-up");
        let (_, said) = attempt("tap-up --owner root", |_| {});
        assert!(said.contains("glass0 is up already with owner nobody, not root"), "{said}");
        run("tap-down");
        for help in ["tap-up --help", "tap-down --help"] {
            assert!(run(help).starts_with("usage: scripts/tap-"));
        }
    });
}

#[test]
fn both_scripts_are_clean_to_shellcheck() {
    if !is_there("shellcheck") {
        return skip("both_scripts_are_clean_to_shellcheck", "needs shellcheck");
    }
    shell(&format!("shellcheck {} {}", script("tap-up"), script("tap-down")));
}
