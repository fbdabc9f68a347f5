//! `glasstack ping`.

use crate::args::PingOptions;
use crate::names;
use crate::net::Net;
use crate::output;
use glasstack::stack::{Host, PingError};
use std::cell::RefCell;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::Duration;

/// ping(8): no reply at all.
const NO_REPLY: u8 = 1;

/// What has become of the requests so far; a signal leaves it as it is.
#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    rtts: Vec<Duration>,
}

pub(crate) fn run(options: &PingOptions) -> anyhow::Result<ExitCode> {
    output::only_one_on_stdout(&options.watch)?;
    let name = names::in_ascii(&options.host)?;
    let net = Net::open(&options.net, &options.watch, Some(&name), false)?;
    net.journey(false, |net| perform(options, net))
}

/// The requests alone, on a network that is there already.
pub(crate) fn perform(options: &PingOptions, net: &mut Net) -> anyhow::Result<u8> {
    let name = names::in_ascii(&options.host)?;
    let resolver = net.resolver(&[])?;
    let host = net.host.clone();
    let tally = RefCell::new(Tally::default());
    let result = net.run(async {
        let destination = resolver.resolve(&name).await.map_err(glasstack::web::WebError::from)?;
        let destination = destination.addresses.first().copied();
        let destination = destination.ok_or_else(|| anyhow::anyhow!("{name} has no address"))?;
        pings(&host, destination, options, &tally).await
    });
    let settled = net.settle(Duration::from_secs(1));
    let tally = tally.into_inner();
    if tally.sent > 0 {
        tell(&tally)?;
    }
    result??;
    settled?;
    Ok(if tally.rtts.is_empty() { NO_REPLY } else { 0 })
}

fn tell(tally: &Tally) -> anyhow::Result<()> {
    let (sent, received) = (tally.sent, tally.rtts.len());
    let lost = sent.saturating_sub(received) * 100 / sent.max(1);
    output::line(format_args!("{sent} sent, {received} received, {lost} % lost"))?;
    if let (Some(min), Some(max)) = (tally.rtts.iter().min(), tally.rtts.iter().max()) {
        let mean = tally.rtts.iter().sum::<Duration>() / u32::try_from(received).unwrap_or(1);
        let (min, mean, max) = (millis(*min), millis(mean), millis(*max));
        output::line(format_args!("rtt min/avg/max {min}/{mean}/{max} ms"))?;
    }
    Ok(())
}

/// Sends the requests, one after the other.
async fn pings(
    host: &Host,
    destination: IpAddr,
    options: &PingOptions,
    tally: &RefCell<Tally>,
) -> anyhow::Result<()> {
    output::line(format_args!("PING {destination}: {} bytes of data", options.length))?;
    for seq in 1..=options.count {
        let begun = host.now();
        let echo = glasstack::stack::PingOptions {
            timeout: options.timeout,
            seq,
            length: options.length.into(),
            ttl: options.ttl,
        };
        tally.borrow_mut().sent += 1;
        match host.ping(destination, &echo).await {
            Ok(reply) => {
                let (from, length, ttl) = (reply.from, reply.length, reply.ttl);
                let time = millis(reply.rtt);
                output::line(format_args!("{length} bytes from {from}: seq={seq} ttl={ttl} time={time} ms"))?;
                tally.borrow_mut().rtts.push(reply.rtt);
            }
            Err(error @ (PingError::NoRoute(_) | PingError::TooLong(_))) => return output::line(error),
            Err(error) => output::line(error)?,
        }
        if seq < options.count {
            let passed = host.now() - begun;
            host.sleep(options.interval.saturating_sub(passed)).await;
        }
    }
    Ok(())
}

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1_000.0)
}
