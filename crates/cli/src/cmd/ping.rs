//! `glasstack ping`.

use crate::args::PingOptions;
use crate::net::Net;
use crate::output;
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
        pings(&host, destination, options).await
    });
    net.end(Duration::from_secs(1), false)?;
    let rtts = result??;
    let (sent, received) = (usize::from(options.count), rtts.len());
    let lost = (sent - received) * 100 / sent;
    output::line(format_args!("{sent} sent, {received} received, {lost} % lost"))?;
    if let (Some(min), Some(max)) = (rtts.iter().min(), rtts.iter().max()) {
        let mean = rtts.iter().sum::<Duration>() / u32::try_from(received).unwrap_or(1);
        let (min, mean, max) = (millis(*min), millis(mean), millis(*max));
        output::line(format_args!("rtt min/avg/max {min}/{mean}/{max} ms"))?;
    }
    Ok(if rtts.is_empty() { NO_REPLY.into() } else { ExitCode::SUCCESS })
}

/// The round-trip times of the replies that came.
async fn pings(host: &Host, destination: IpAddr, options: &PingOptions) -> anyhow::Result<Vec<Duration>> {
    let mut rtts = Vec::new();
    output::line(format_args!("PING {destination}: {} bytes of data", options.length))?;
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
                let time = millis(reply.rtt);
                output::line(format_args!("{length} bytes from {from}: seq={seq} ttl={ttl} time={time} ms"))?;
                rtts.push(reply.rtt);
            }
            Err(error @ (PingError::NoRoute(_) | PingError::TooLong(_))) => {
                output::line(error)?;
                return Ok(rtts);
            }
            Err(error) => output::line(error)?,
        }
        if seq < options.count {
            let passed = host.now() - begun;
            host.sleep(options.interval.saturating_sub(passed)).await;
        }
    }
    Ok(rtts)
}

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1_000.0)
}
