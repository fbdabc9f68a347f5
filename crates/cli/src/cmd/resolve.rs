//! `glasstack resolve`: a name and a record type, as `dig +short` with its reasons.

use crate::args::ResolveOptions;
use crate::failure::{ExitWith, FAILED_INIT};
use crate::names;
use crate::net::Net;
use crate::output;
use glasstack::dns::RecordType;
use glasstack::web::WebError;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run(options: &ResolveOptions) -> anyhow::Result<ExitCode> {
    record_type(options)?;
    output::only_one_on_stdout(&options.watch)?;
    let name = names::in_ascii(&options.name)?;
    let net = Net::open(&options.net, &options.watch, Some(&name), false)?;
    net.journey(false, |net| perform(options, net))
}

fn record_type(options: &ResolveOptions) -> anyhow::Result<RecordType> {
    options.record_type.parse().exit_with(FAILED_INIT)
}

/// The question alone, on a network that is there already.
pub(crate) fn perform(options: &ResolveOptions, net: &mut Net) -> anyhow::Result<u8> {
    let record_type = record_type(options)?;
    let name = names::in_ascii(&options.name)?;
    let resolver = net.resolver(&[])?;
    let result = net.run(async {
        match record_type {
            // Addresses come from everywhere: literal, cache, hosts file, server.
            RecordType::A => resolver.resolve(&name).await,
            _ => resolver.query(&name, record_type).await,
        }
    });
    let settled = net.settle(Duration::from_secs(1));
    let lookup = result?.map_err(WebError::from)?;
    for record in &lookup.records {
        output::line(record)?;
    }
    // Nobody but DNS has records.
    for address in lookup.addresses.iter().filter(|_| lookup.records.is_empty()) {
        output::line(address)?;
    }
    settled?;
    Ok(0)
}
