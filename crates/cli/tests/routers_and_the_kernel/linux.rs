//! A Linux namespace that forwards between two TAPs.

use super::cases::{Case, echo};
use super::wire::{MTU, PORTS, ROUTER, arp_answer, describe};
use glasstack::netns::NetNs;
use glasstack::stack::{Frame, FrameDevice};
use glasstack::uplink::{TapConfig, TapDevice};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Who asks the router for an echo behind each case, to know that the case is over.
const MARKER: [u8; 4] = [10, 0, 1, 250];
/// How long it may take the kernel: an ARP request that nobody answers is repeated twice.
const PATIENCE: Duration = Duration::from_secs(5);
const A_MOMENT: Duration = Duration::from_micros(200);

/// What is seen of each case. `expected` tells how much there is to wait for; less is waited out.
pub(crate) fn run(ns: &NetNs, cases: &[Case], expected: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut taps = [0, 1].map(|side| tap(ns, side));
    // No limits of rate: they are compared with nothing. No IPv6: it would speak unasked.
    let settings = [
        "net.ipv4.ip_forward=1",
        "net.ipv4.icmp_ratelimit=0",
        "net.ipv4.icmp_msgs_per_sec=1000000",
        "net.ipv4.icmp_msgs_burst=1000000",
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
        "net.ipv4.neigh.tap0.retrans_time_ms=50",
        "net.ipv4.neigh.tap1.retrans_time_ms=50",
        "net.ipv6.conf.all.disable_ipv6=1",
        "net.ipv6.conf.default.disable_ipv6=1",
    ];
    for (side, mac) in ROUTER.iter().enumerate() {
        let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
        shell(ns, &format!("ip link set tap{side} address {mac} mtu {}", MTU[side]));
    }
    for setting in settings {
        let (name, value) = setting.split_once('=').unwrap();
        let path = name.replace('.', "/");
        shell(ns, &format!("if [ -e /proc/sys/{path} ]; then echo {value} > /proc/sys/{path}; fi"));
    }
    for side in ["tap0", "tap1"] {
        shell(ns, &format!("echo 0 > /proc/sys/net/ipv4/conf/{side}/rp_filter"));
    }
    shell(ns, "ip route add 10.0.3.0/24 via 10.0.2.9 && ip route add 10.0.4.0/24 via 10.0.1.9");
    cases.iter().zip(expected).map(|(case, expected)| one(&mut taps, case, expected.len())).collect()
}

fn tap(ns: &NetNs, side: usize) -> TapDevice {
    let [a, b, c, d] = PORTS[side];
    let config = TapConfig {
        name: Some(format!("tap{side}")),
        host_side: Some(format!("{a}.{b}.{c}.{d}/24").parse().unwrap()),
        ..TapConfig::default()
    };
    ns.tap(&config).unwrap()
}

fn one(taps: &mut [TapDevice; 2], case: &Case, expected: usize) -> Vec<String> {
    let mut seen = [Vec::new(), Vec::new()];
    let mut count = 0;
    for frame in &case.frames {
        send(&mut taps[0], frame.clone());
    }
    let mut waited = Duration::ZERO;
    while count < expected && waited < PATIENCE {
        count += receive(taps, &mut seen);
        sleep(A_MOMENT);
        waited += A_MOMENT;
    }
    // The kernel takes frames in their order: what the case did is done when this is answered.
    send(&mut taps[0], echo(MARKER, PORTS[0], 64).frame());
    let is_marked = |words: &String| words.contains("> 10.0.1.250 ");
    while !seen[0].iter().any(is_marked) {
        receive(taps, &mut seen);
        sleep(A_MOMENT);
        waited += A_MOMENT;
        assert!(waited < 2 * PATIENCE, "{}: Linux answers no echo request any more", case.name);
    }
    let [left, right] = seen;
    left.into_iter().filter(|words| !is_marked(words)).chain(right).collect()
}

/// Takes what is there, and answers ARP.
fn receive(taps: &mut [TapDevice; 2], seen: &mut [Vec<String>; 2]) -> usize {
    let mut count = 0;
    for (side, tap) in taps.iter_mut().enumerate() {
        while let Some(frame) = tap.recv().unwrap() {
            if let Some(answer) = arp_answer(side, &frame.bytes) {
                send(tap, answer);
            }
            if let Some(words) = describe(side, &frame.bytes) {
                seen[side].push(words);
                count += 1;
            }
        }
    }
    count
}

fn send(tap: &mut TapDevice, bytes: Vec<u8>) {
    tap.send(Frame { id: None, bytes }).unwrap();
}

fn shell(ns: &NetNs, line: &str) {
    let output = ns.output(Command::new("sh").arg("-c").arg(line)).unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{line}`: {}\n{out}{err}", output.status);
}
