//! A thousand hosts behind a hundred routers, each pinging another once a virtual second.
//!
//! ```text
//!   10 hosts -- switch -- edge router --+
//!   10 hosts -- switch -- edge router --+-- core router        a hundred times
//!   ...                                 |
//! ```
//!
//! Prints `what<TAB>median<TAB>lowest<TAB>highest` lines: how much faster than real time it runs, and how
//! many frames come out of a cable in a second of real time. `--quick` for fewer repeats.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark")]

use glasstack_sim::{Cable, RouterConfig, SimWorld};
use glasstack_stack::{Host, HostConfig, PingOptions, Prefix};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const ROUTERS: u8 = 100;
const HOSTS_EACH: u8 = 10;
/// Cables between two hosts of different networks.
const CABLES_AWAY: u64 = 6;

/// Of one run.
const VIRTUAL_SECONDS: u64 = 10;

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 9 };
    let mut took: Vec<f64> = (0..repeats).map(|_| run()).collect();
    took.sort_by(f64::total_cmp);
    // The longest run is the slowest.
    let frames = u64::from(ROUTERS) * u64::from(HOSTS_EACH) * VIRTUAL_SECONDS * 2 * CABLES_AWAY;
    for (what, amount, decimals) in [
        ("1000 hosts behind 100 routers ping each second, times real time", VIRTUAL_SECONDS as f64, 0),
        ("the same, million frames a second", frames as f64 / 1e6, 2),
    ] {
        let [median, lowest, highest] =
            [took[took.len() / 2], took[took.len() - 1], took[0]].map(|seconds| amount / seconds);
        println!("{what}\t{median:.decimals$}\t{lowest:.decimals$}\t{highest:.decimals$}");
    }
}

/// Seconds of real time for the virtual ones, after the first round has taught everybody the addresses.
fn run() -> f64 {
    let (mut world, hosts) = network();
    let replies = Arc::new(AtomicU64::new(0));
    for (index, host) in hosts.iter().enumerate() {
        let peer = hosts[(index + usize::from(HOSTS_EACH)) % hosts.len()].address();
        let (host, replies) = (host.clone(), Arc::clone(&replies));
        let pinging = host.clone();
        host.spawn(async move {
            for seq in 1.. {
                let options = PingOptions { seq, ..PingOptions::default() };
                let began = pinging.now();
                pinging.ping(peer, &options).await.unwrap();
                replies.fetch_add(1, Ordering::Relaxed);
                pinging.sleep(Duration::from_secs(1).saturating_sub(pinging.now().since(began))).await;
            }
        });
    }
    world.run_for(Duration::from_millis(500)).unwrap();
    let before = replies.load(Ordering::Relaxed);
    assert_eq!(before, hosts.len() as u64, "everybody has had one reply");
    let began = Instant::now();
    world.run_for(Duration::from_secs(VIRTUAL_SECONDS)).unwrap();
    let took = began.elapsed().as_secs_f64();
    let pings = replies.load(Ordering::Relaxed) - before;
    assert_eq!(pings, hosts.len() as u64 * VIRTUAL_SECONDS, "and one more a second");
    took
}

fn network() -> (SimWorld, Vec<Host>) {
    let mut world = SimWorld::new(1);
    let mut core = RouterConfig::new();
    for n in 0..ROUTERS {
        core = core
            .port(Ipv4Addr::new(10, 255, n, 1), 30)
            .route(Prefix::new(Ipv4Addr::new(10, n, 0, 0), 24).unwrap(), Ipv4Addr::new(10, 255, n, 2));
    }
    let core = world.add_router("core", core).unwrap();
    let mut hosts = Vec::new();
    for n in 0..ROUTERS {
        let edge = RouterConfig::new()
            .port(Ipv4Addr::new(10, n, 0, 1), 24)
            .port(Ipv4Addr::new(10, 255, n, 2), 30)
            .route(Prefix::new(Ipv4Addr::UNSPECIFIED, 0).unwrap(), Ipv4Addr::new(10, 255, n, 1));
        let edge = world.add_router(&format!("edge-{n}"), edge).unwrap();
        world.connect((core, usize::from(n)), (edge, 1), Cable::new()).unwrap();
        let switch = world.add_switch(&format!("switch-{n}")).unwrap();
        world.connect((edge, 0), switch, Cable::new()).unwrap();
        for m in 0..HOSTS_EACH {
            let address = Ipv4Addr::new(10, n, 0, 10 + m);
            let gateway = Ipv4Addr::new(10, n, 0, 1).into();
            let mac = world.next_mac();
            let config =
                HostConfig::new(&format!("host-{n}-{m}"), mac, address.into(), 24, Some(gateway)).unwrap();
            let host = world.add_host(config).unwrap();
            world.connect(&host, switch, Cable::new()).unwrap();
            hosts.push(host);
        }
    }
    (world, hosts)
}
