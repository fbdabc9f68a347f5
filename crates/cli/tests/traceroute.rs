//! `glasstack traceroute`: in the lab, and on a TAP through two routers that are kernels.
//!
//! ```text
//!    glasstack 192.0.2.2 == glass0 192.0.2.1 | near        kernels that forward
//!                             203.0.113.1 ==veth== 203.0.113.2 | far
//!                                                    198.51.100.1 ==veth (MTU 1400)== 198.51.100.80 | host
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../uplink/tests/support/mod.rs"]
mod namespace;

use glasstack::netns::NetNs;
use namespace::{a_fresh_namespace, shell, skip};
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");

/// What the program prints on stdout, and its exit code.
fn glasstack(words: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(PROGRAM);
    let output = command.args(words).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    println!("{told}");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

fn traceroute(words: &[&str]) -> (Vec<String>, Option<i32>) {
    let (out, code) = glasstack(&[&["traceroute", "-s"], words].concat());
    (out.lines().map(str::to_owned).collect(), code)
}

/// A line without its times: `3  198.51.100.80`.
fn without_times(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_time = |at: usize| words.get(at + 1) == Some(&"ms") || words[at] == "ms";
    let kept: Vec<&str> = (0..words.len()).filter(|at| !is_time(*at)).map(|at| words[at]).collect();
    kept.join(" ")
}

// ---- in the lab

#[test]
fn the_lab_shows_the_routers_on_the_way_with_names_and_times() {
    let (lines, code) = traceroute(&["www.example.test"]);
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(lines[0], "traceroute to www.example.test (198.51.100.80), 30 hops max, 60 byte packets");
    assert!(lines[1].starts_with(" 1  ") && lines[1].contains("(192.168.1.1)"), "{}", lines[1]);
    assert_eq!(lines[1].matches(" ms").count(), 3);
    assert!(lines.last().unwrap().contains("(198.51.100.80)"), "{lines:#?}");
    assert!(lines.len() > 4, "a home, a provider and somebody behind it: {lines:#?}");
    // Who has a name is named.
    assert!(lines[2..].iter().any(|line| line.contains(".test (")), "{lines:#?}");
}

#[test]
fn every_kind_of_probe_finds_the_same_way_and_the_same_seed_the_same_times() {
    let udp = traceroute(&["-n", "www.example.test"]);
    let hops = |lines: &[String]| lines[1..].iter().map(|line| without_times(line)).collect::<Vec<_>>();
    for kind in ["-I", "-T"] {
        let (lines, code) = traceroute(&["-n", kind, "www.example.test"]);
        assert_eq!((hops(&lines), code), (hops(&udp.0), Some(0)), "{kind}");
    }
    assert_eq!(traceroute(&["-n", "www.example.test"]), udp);
    let at_once = traceroute(&["-n", "-N", "16", "www.example.test"]);
    assert_eq!(hops(&at_once.0), hops(&udp.0));
}

#[test]
fn first_and_last_hop_and_the_number_of_probes_are_as_said() {
    let (lines, code) = traceroute(&["-n", "-f", "2", "-m", "2", "-q", "1", "www.example.test"]);
    assert_eq!((lines.len(), code), (2, Some(1)), "the destination is further away: {lines:#?}");
    assert!(lines[0].contains(", 2 hops max, "));
    assert!(lines[1].starts_with(" 2  ") && lines[1].matches(" ms").count() == 1, "{}", lines[1]);
    let (_, code) = traceroute(&["-f", "9", "-m", "3", "www.example.test"]);
    assert_eq!(code, Some(2));
}

#[test]
fn who_is_not_there_is_told_by_the_last_router_and_silence_is_a_star() {
    let (lines, code) = traceroute(&["-n", "--net", "lab", "198.51.100.99"]);
    let last = lines.last().unwrap();
    assert!(last.ends_with(" !H") && code == Some(1), "{lines:#?}");
    let (lines, code) = traceroute(&["-n", "-w", "1", "-m", "9", "-T", "silent.test"]);
    assert!(lines.last().unwrap().ends_with(" * * *") && code == Some(1), "{lines:#?}");
}

#[test]
fn a_ping_that_may_not_go_far_enough_is_told_by_the_router_where_it_ended() {
    let (out, code) = glasstack(&["ping", "-s", "-c", "1", "-t", "1", "www.example.test"]);
    assert!(out.contains("198.51.100.80: time to live exceeded, says 192.168.1.1"), "{out}");
    assert_eq!(code, Some(1));
}

// ---- through kernels

/// A network namespace's neighbour: `here` and `there` on a cable between them.
fn cable(here: (&str, &str), far: &NetNs, there: (&str, &str), mtu: u16) {
    let path = far.path().display().to_string();
    let ((a, a_address), (b, b_address)) = (here, there);
    shell(&format!("ip link add {a} mtu {mtu} type veth peer name {b} mtu {mtu} netns {path}"));
    shell(&format!(
        "ip link set {a} addrgenmode none && ip addr add {a_address} dev {a} && ip link set {a} up"
    ));
    far.run(|| {
        shell(&format!(
            "ip link set {b} addrgenmode none; ip addr add {b_address} dev {b}; ip link set {b} up"
        ));
    })
    .unwrap();
}

fn forward() {
    shell("echo 1 > /proc/sys/net/ipv4/ip_forward");
    // Otherwise a kernel answers so many probes and no more.
    shell("echo 0 > /proc/sys/net/ipv4/icmp_ratelimit");
    let _ = Command::new("sh").args(["-c", "echo 100000 > /proc/sys/net/ipv4/icmp_msgs_per_sec"]).output();
}

/// Runs `body` beside the TAP, where all of the networks above are there; it is given the far router.
fn behind_two_kernels(body: impl FnOnce(&NetNs) + Send) {
    let namespaces = (a_fresh_namespace(), a_fresh_namespace(), a_fresh_namespace());
    let (Some(near), Some(far), Some(host)) = namespaces else { return };
    near.run(|| {
        forward();
        shell("ip tuntap add dev glass0 mode tap && ip link set glass0 addrgenmode none");
        shell("ip addr add 192.0.2.1/24 dev glass0 && ip link set glass0 up");
        cable(("up0", "203.0.113.1/24"), &far, ("down0", "203.0.113.2/24"), 1500);
        shell("ip route add default via 203.0.113.2");
        far.run(|| {
            forward();
            cable(("up0", "198.51.100.1/24"), &host, ("eth0", "198.51.100.80/24"), 1400);
            shell("ip route add 192.0.2.0/24 via 203.0.113.1");
            shell("ip route add unreachable 192.88.99.1 && ip route add prohibit 192.88.99.2");
        })
        .unwrap();
        host.run(|| {
            forward();
            shell("ip route add default via 198.51.100.1");
        })
        .unwrap();
        body(&far);
    })
    .unwrap();
}

/// Linux sends five errors about routes that lead nowhere, and then one a second (`ip_error` in its
/// net/ipv4/route.c).
const ONE_AT_A_TIME: [&str; 3] = ["-q1", "-N", "1"];

fn over_the_tap(words: &[&str]) -> (Vec<String>, Option<i32>) {
    let net = ["-n", "--net", "tap:glass0", "--addr", "192.0.2.2/24", "--gateway", "192.0.2.1"];
    traceroute(&[&net, words].concat())
}

#[test]
fn kernels_on_the_way_answer_each_kind_of_probe() {
    behind_two_kernels(|_| {
        for kind in ["-U", "-I", "-T"] {
            let (lines, code) = over_the_tap(&[kind, "198.51.100.80"]);
            let hops: Vec<String> = lines[1..].iter().map(|line| without_times(line)).collect();
            assert_eq!(hops, ["1 192.0.2.1", "2 203.0.113.2", "3 198.51.100.80"], "{kind}: {lines:#?}");
            assert_eq!(code, Some(0));
        }
    });
}

#[test]
fn what_kernels_say_stands_behind_the_times() {
    behind_two_kernels(|_| {
        let last = |words: &[&str]| {
            let (lines, _) = over_the_tap(&[&ONE_AT_A_TIME, words].concat());
            without_times(lines.last().unwrap())
        };
        assert_eq!(last(&["192.88.99.1"]), "2 203.0.113.2 !H");
        assert_eq!(last(&["192.88.99.2"]), "2 203.0.113.2 !X");
        assert_eq!(last(&["-F", "-l", "1500", "198.51.100.80"]), "3 203.0.113.2 !F-1400", "TTL first");
        assert_eq!(last(&["-l", "1500", "198.51.100.80"]), "3 198.51.100.80");
    });
}

/// Beside traceroute(8), which begins one router further on.
#[test]
fn the_hops_are_those_that_traceroute_shows_in_the_same_words() {
    if !Path::new("/usr/sbin/traceroute").exists() && !Path::new("/usr/bin/traceroute").exists() {
        return skip("the_hops_are_those_that_traceroute_shows_in_the_same_words", "needs traceroute");
    }
    behind_two_kernels(|_| {
        for (kind, to) in
            [("-U", "198.51.100.80"), ("-I", "198.51.100.80"), ("-U", "192.88.99.1"), ("-I", "192.88.99.2")]
        {
            let flags = if kind == "-U" { "" } else { kind };
            let theirs = shell(&format!("traceroute -n -f 2 -m 9 -q1 -N 1 {flags} {to} 60"));
            let (ours, _) = over_the_tap(&[&ONE_AT_A_TIME, &[kind, "-f", "3", "-m", "9", to][..]].concat());
            let words = |line: &str| without_times(line).split_once(' ').map(|(_, hop)| hop.to_owned());
            let end = |lines: Vec<&str>| lines.last().and_then(|line| words(line));
            assert_eq!(
                end(ours.iter().map(String::as_str).collect()),
                end(theirs.lines().collect()),
                "{kind} {to}:\n{theirs}\n{ours:#?}"
            );
            let head = theirs.lines().next().unwrap();
            assert_eq!(ours[0], head, "the first line");
        }
    });
}
