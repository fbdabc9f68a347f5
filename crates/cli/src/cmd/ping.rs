//! `glasstack ping`.

use crate::args::PingOptions;
use crate::net::Net;
use glasstack::stack::{Host, PingError};
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

/// ping(8): no reply at all.
const NO_REPLY: u8 = 1;

pub(crate) fn run(options: &PingOptions) -> anyhow::Result<ExitCode> {
    let mut net = Net::open(&options.net, &options.watch, Some(&options.host), false)?;
    let resolver = net.resolver(&[])?;
    let host = net.host.clone();
    let result = net.run(async move {
        let destination = resolver.resolve(&options.host).await.map_err(glasstack::web::WebError::from)?;
        let destination = destination.addresses.first().copied();
        let destination = destination.ok_or_else(|| anyhow::anyhow!("{} has no address", options.host))?;
        Ok::<_, anyhow::Error>(pings(&host, destination, options).await)
    });
    net.end(Duration::from_secs(1), false)?;
    let rtts = result??;
    let (sent, received) = (usize::from(options.count), rtts.len());
    anstream::println!("{sent} sent, {received} received, {} % lost", (sent - received) * 100 / sent);
    if let (Some(min), Some(max)) = (rtts.iter().min(), rtts.iter().max()) {
        let mean = rtts.iter().sum::<Duration>() / u32::try_from(received).unwrap_or(1);
        anstream::println!("rtt min/avg/max {}/{}/{} ms", millis(*min), millis(mean), millis(*max));
    }
    Ok(if rtts.is_empty() { NO_REPLY.into() } else { ExitCode::SUCCESS })
}

/// The round-trip times of the replies that came.
async fn pings(host: &Host, destination: IpAddr, options: &PingOptions) -> Vec<Duration> {
    let mut rtts = Vec::new();
    anstream::println!("PING {destination}: {} bytes of data", options.length);
    for seq in 1..=options.count {
        let begun = host.now();
        let echo = glasstack::stack::PingOptions {
            timeout: options.timeout,
            seq,
            length: options.length,
            ttl: options.ttl,
        };
        match host.ping(destination, &echo).await {
            Ok(reply) => {
                let (from, length, ttl) = (reply.from, reply.length, reply.ttl);
                anstream::println!(
                    "{length} bytes from {from}: seq={seq} ttl={ttl} time={} ms",
                    millis(reply.rtt)
                );
                rtts.push(reply.rtt);
            }
            Err(error @ (PingError::NoRoute(_) | PingError::TooLong(_))) => {
                anstream::println!("{error}");
                return rtts;
            }
            Err(error) => anstream::println!("{error}"),
        }
        if seq < options.count {
            let passed = host.now() - begun;
            host.sleep(options.interval.saturating_sub(passed)).await;
        }
    }
    rtts
}

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1_000.0)
}
