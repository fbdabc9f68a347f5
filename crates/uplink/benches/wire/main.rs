//! Measures our stack on a plain TAP against the kernel's over a veth pair, our stack behind a gateway
//! in the process against the kernel's on the loopback interface, and one program against another.
//! `scripts/bench` makes the networks, runs this in them and says what the figures mean.
//!
//! ```text
//!    near (we start here)                                   far
//!   +--------------------------------------+      +------------------+
//!   | our stack == TAP == kernel == veth =================== kernel  |
//!   +--------------------------------------+      +------------------+
//!        glasstack's column: our stack <-> the near kernel, over the TAP
//!        the kernel's column: near kernel <-> far kernel, over the veth pair
//!
//!        our stack == wire in the process == gateway -- a socket on the loopback interface -- kernel
//! ```
//!
//! Read in this order: `main` (what is measured), [`figures`] (how repeats become a row),
//! [`conversation`] (what is said on each connection, by the kernel's sockets), [`ours`] (the same by
//! ours), [`programs`] (whole processes).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on ends with its cause")]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and has threads")]
#![allow(clippy::disallowed_types, reason = "the kernel's side is made of its own sockets")]

mod conversation;
mod figures;
mod ours;
mod programs;

use conversation::{Conversation, Served};
use figures::{Row, Sample, Unit};
use std::env;
use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long a stream runs.
const STREAM: Duration = Duration::from_millis(1_000);
const ROUND_TRIPS: u32 = 5_000;
const CONNECTIONS: u32 = 1_000;

const USAGE: &str = "nothing measured: this needs the networks that `sudo scripts/bench` makes.
usage: wire network REPEATS TAP OUR_CIDR TAP_ADDRESS NEAR_ADDRESS FAR_ADDRESS FAR_NAMESPACE
       wire user REPEATS MTU
       wire programs REPEATS WHAT -- PROGRAM ARGUMENTS... -- PROGRAM ARGUMENTS...
       wire rates REPEATS WHAT -- DNSPERF|S_TIME ARGUMENTS... -- DNSPERF|S_TIME ARGUMENTS...";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["network", repeats, tap, cidr, tap_address, near, far, namespace] => {
            let networks = Networks {
                tap: (*tap).to_owned(),
                ours: cidr.parse().unwrap(),
                tap_address: tap_address.parse().unwrap(),
                near: near.parse().unwrap(),
                far: far.parse().unwrap(),
                far_namespace: PathBuf::from(namespace),
            };
            measure_networks(repeats.parse().unwrap(), &networks);
        }
        ["user", repeats, mtu] => measure_gateway(repeats.parse().unwrap(), mtu.parse().unwrap()),
        [how @ ("programs" | "rates"), repeats, what, "--", rest @ ..] => {
            let mut commands = rest.split(|word| *word == "--");
            let (Some(ours), Some(other)) = (commands.next(), commands.next()) else {
                panic!("two programs are needed\n{USAGE}");
            };
            let compare = if *how == "rates" { programs::compare_rates } else { programs::compare };
            println!("{}", compare(repeats.parse().unwrap(), what, ours, other));
        }
        // As `cargo bench` calls it.
        ["--bench"] | [] => println!("{USAGE}"),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// What is there to measure on.
struct Networks {
    /// The TAP device's name.
    tap: String,
    /// Our stack's address on it.
    ours: glasstack_uplink::InterfaceAddress,
    /// The near kernel's address on it.
    tap_address: IpAddr,
    /// The near kernel's address on the veth pair.
    near: IpAddr,
    /// The far kernel's.
    far: IpAddr,
    /// Where the far kernel is found.
    far_namespace: PathBuf,
}

const MEASUREMENTS: [(Conversation, &str, Unit); 4] = [
    (Conversation::Receive(STREAM), "one TCP stream in", Unit::GigabitsPerSecond),
    (Conversation::Send(STREAM), "one TCP stream out", Unit::GigabitsPerSecond),
    (Conversation::RoundTrips(ROUND_TRIPS), "1-byte round trip", Unit::Microseconds),
    (Conversation::Connections(CONNECTIONS), "connections, one after another", Unit::PerSecond),
];

/// Ours and the kernel's turn by turn, so that what disturbs the machine disturbs both.
fn measure_networks(repeats: usize, networks: &Networks) {
    for (conversation, what, unit) in MEASUREMENTS {
        let samples = (0..repeats).map(|_| {
            // A fresh port each time: no connection meets one that is in TIME-WAIT.
            let server = Served::start(conversation, networks.tap_address, None);
            let ours = ours::converse(networks, conversation, server.address);
            server.end();
            let server = Served::start(conversation, networks.far, Some(far(networks)));
            let kernel = conversation.by_the_kernel(networks.near, server.address);
            server.end();
            Sample { ours: unit.of(ours), other: unit.of(kernel) }
        });
        println!("{}", Row { what: what.to_owned(), unit, samples: samples.collect() });
    }
}

/// Our client behind a gateway in this process against the kernel's, both to a server of the kernel's
/// on the loopback interface. Needs no privilege and no network.
fn measure_gateway(repeats: usize, mtu: usize) {
    let loopback = IpAddr::from([127, 0, 0, 1]);
    for (conversation, what, unit) in MEASUREMENTS {
        let samples = (0..repeats).map(|_| {
            let server = Served::start(conversation, loopback, None);
            let ours = ours::converse_over_gateway(mtu, conversation, server.address);
            server.end();
            let server = Served::start(conversation, loopback, None);
            let kernel = conversation.by_the_kernel(loopback, server.address);
            server.end();
            Sample { ours: unit.of(ours), other: unit.of(kernel) }
        });
        let what = format!("user network: {what}");
        println!("{}", Row { what, unit, samples: samples.collect() });
    }
}

fn far(networks: &Networks) -> File {
    File::open(&networks.far_namespace).unwrap()
}
