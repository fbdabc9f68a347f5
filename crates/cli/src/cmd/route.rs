//! `glasstack route get`: which way packets go, and why.

use crate::args::{RouteCommand, RouteOptions, WatchOptions};
use crate::net::Net;
use crate::output;
use std::process::ExitCode;

pub(crate) fn run(options: &RouteOptions) -> anyhow::Result<ExitCode> {
    let RouteCommand::Get { net, .. } = &options.command;
    let silent = WatchOptions { silent: true, ..WatchOptions::default() };
    let mut net = Net::open(net, &silent, None, false)?;
    perform(options, &mut net).map(ExitCode::from)
}

/// The question alone, on a network that is there already.
pub(crate) fn perform(options: &RouteOptions, net: &mut Net) -> anyhow::Result<u8> {
    let RouteCommand::Get { address, .. } = &options.command;
    let decision = net.host.route(*address)?;
    let via = if decision.next_hop == decision.destination {
        "on the link".to_owned()
    } else {
        format!("via {}", decision.next_hop)
    };
    let (destination, interface, source) = (decision.destination, &decision.interface, decision.source);
    output::line(format_args!("{destination} {via} dev {interface} src {source}"))?;
    output::line(format_args!("  row {}: {}", decision.row.prefix, decision.why))?;
    for row in net.host.routes() {
        output::line(format_args!("  table: {row}"))?;
    }
    Ok(0)
}
