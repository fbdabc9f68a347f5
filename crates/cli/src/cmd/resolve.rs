//! `glasstack resolve`: a name and a record type, as `dig +short` with its reasons.

use crate::args::ResolveOptions;
use crate::failure::{ExitWith, FAILED_INIT};
use crate::net::Net;
use crate::output;
use glasstack::dns::RecordType;
use glasstack::web::WebError;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run(options: &ResolveOptions) -> anyhow::Result<ExitCode> {
    let record_type: RecordType = options.record_type.parse().exit_with(FAILED_INIT)?;
    let mut net = Net::open(&options.net, &options.watch, Some(&options.name), false)?;
    let resolver = net.resolver(&[])?;
    let result = net.run(async {
        match record_type {
            // Addresses come from everywhere: literal, cache, hosts file, server.
            RecordType::A => resolver.resolve(&options.name).await,
            _ => resolver.query(&options.name, record_type).await,
        }
    });
    let ended = net.end(Duration::from_secs(1), false);
    let lookup = result?.map_err(WebError::from)?;
    for record in &lookup.records {
        output::line(record)?;
    }
    // Nobody but DNS has records.
    for address in lookup.addresses.iter().filter(|_| lookup.records.is_empty()) {
        output::line(address)?;
    }
    ended?;
    Ok(ExitCode::SUCCESS)
}
