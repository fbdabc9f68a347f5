//! The default journey in the lab, from an empty process to the last ACK: how long it takes in real time.
//!
//! Prints `what<TAB>value` lines, in milliseconds of real time; `--quick` for fewer repeats.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark")]

use glasstack_dns::{Resolver, ResolverConfig};
use glasstack_lab::Lab;
use glasstack_stack::World;
use glasstack_tls::{TlsClient, TlsClientConfig};
use glasstack_web::{Client, ClientConfig, Request, address_bar};
use std::time::{Duration, Instant};

fn main() {
    let repeats = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 41 };
    let millis = |began: Instant| began.elapsed().as_secs_f64() * 1e3;
    let mut rows: [(&str, Vec<f64>); 3] = [
        ("making the default Internet, ms", Vec::new()),
        ("the journey over HTTP, world and all, ms", Vec::new()),
        ("the journey over HTTPS, world and all, ms", Vec::new()),
    ];
    for seed in 0..repeats {
        let began = Instant::now();
        drop(Lab::new(seed).unwrap());
        rows[0].1.push(millis(began));
        for (row, url) in [(1, "http://echo.test/"), (2, "https://www.example.test/")] {
            let began = Instant::now();
            journey(seed, url);
            rows[row].1.push(millis(began));
        }
    }
    for (what, mut took) in rows {
        took.sort_by(f64::total_cmp);
        println!("{what}\t{:.2}\t{:.2}\t{:.2}", took[took.len() / 2], took[0], took[took.len() - 1]);
    }
}

fn journey(seed: u64, url: &str) {
    let mut lab = Lab::new(seed).unwrap();
    let names = ResolverConfig { servers: vec![lab.name_server], ..ResolverConfig::default() };
    let host = lab.client.clone();
    let tls = TlsClientConfig::new(lab.trust().unwrap());
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
    let client = Client::new(&host, ClientConfig::new(Resolver::new(host.clone(), names), tls));
    let request = Request::get(address_bar::parse(url).unwrap().url);
    let length = lab.world.run(async {
        let mut response = client.fetch(request).await.unwrap();
        let mut length = 0;
        while let Some(chunk) = response.body.chunk().await.unwrap() {
            length += chunk.len();
        }
        client.close().await;
        length
    });
    assert!(length.unwrap() > 0, "a page has arrived");
    assert!(lab.world.drain(Duration::from_secs(30)).unwrap(), "every FIN is acknowledged");
}
