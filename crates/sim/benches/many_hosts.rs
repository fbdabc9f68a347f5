//! A thousand hosts behind a hundred routers, each pinging another once a virtual second.
//!
//! ```text
//!   10 hosts -- switch -- edge router --+
//!   10 hosts -- switch -- edge router --+-- core router        a hundred times
//!   ...                                 |
//! ```
//!
//! Prints `name value unit` lines: how much faster than real time it runs, and how many frames cross a
//! cable in a second of real time.
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

fn main() {
    let virtual_seconds =
        if std::env::args().any(|arg| arg == "--quick") { 3 } else { 20 };
    let began = Instant::now();
    let (mut world, hosts) = network();
    println!("build {:.1} ms", began.elapsed().as_secs_f64() * 1e3);

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
    world.run_for(Duration::from_secs(virtual_seconds)).unwrap();
    let took = began.elapsed().as_secs_f64();
    let pings = replies.load(Ordering::Relaxed) - before;
    assert_eq!(pings, hosts.len() as u64 * virtual_seconds, "and one more a second");
    let frames = pings * 2 * CABLES_AWAY;
    println!("times real time {:.1} x", virtual_seconds as f64 / took);
    println!("frames a second {:.0} frames/s", frames as f64 / took);
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
