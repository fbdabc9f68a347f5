//! `glasstack resolve`: names looked up, and the whole way there told as dig does, with its reasons.
//!
//! ```text
//!   asked     what the words on the command line ask for
//!   mod       a resolver made as the options say it; what it finds, in lines
//!   told      what happened on the way, from the journal
//!   trace       as `dig +trace` prints it
//!   explain     with the reasons
//!   whole     one question to one server, and its whole message as `dig` prints it
//! ```

mod asked;
mod explain;
mod told;
mod trace;
mod whole;

use crate::args::{OnOff, ResolveOptions, WatchOptions};
use crate::dns_files::root_hints;
use crate::failure::usage;
use crate::net::Net;
use crate::output;
use asked::Asked;
use glasstack::dns::config::Iterating;
use glasstack::dns::dnssec::Security;
use glasstack::dns::{DnsName, Record, RecordData, RecordType};
use glasstack::dns::{IterateConfig, Lookup, ResolveError, Resolver, ResolverConfig};
use glasstack::journal::event::Dns;
use glasstack::web::WebError;
use std::process::ExitCode;
use std::time::Duration;
use told::Told;

/// Why something is secure or not, where it was not just found out.
const FOUND_EARLIER: &str = "it was found so earlier, which is remembered with it";

pub(crate) fn run(options: &ResolveOptions) -> anyhow::Result<ExitCode> {
    let asked = Asked::of(options)?;
    output::only_one_on_stdout(&options.watch)?;
    let watch = WatchOptions { untold: tells_itself(options), ..options.watch.clone() };
    let net = Net::open(&options.net, &watch, Some(&asked.name), false)?;
    net.journey(false, |net| perform(options, net))
}

/// Whether what is printed is the whole story, so that the journal would only be in its way.
fn tells_itself(options: &ResolveOptions) -> bool {
    let (how, shape, watch) = (&options.how, &options.shape, &options.watch);
    let is_whole = shape.explain || shape.short || shape.all || how.iterate || how.norecurse;
    is_whole && !watch.verbose && !watch.ladder
}

/// The questions alone, on a network that is there already.
pub(crate) fn perform(options: &ResolveOptions, net: &mut Net) -> anyhow::Result<u8> {
    let asked = Asked::of(options)?;
    if options.shape.all || options.how.norecurse {
        return whole::perform(options, &asked, net);
    }
    if options.how.mixed_case == OnOff::On && !walks(options) {
        return Err(usage(
            "--0x20 on is for --iterate and --all: a name server is asked once, by its own resolver",
        ));
    }
    let config = config(options, &asked, net)?;
    let resolver = net.resolver_with(config)?;
    let told = Told::listen(net);
    let mut code = 0;
    for record_type in &asked.types {
        let result = net.run(look_up(&resolver, &asked, *record_type))?;
        let settled = net.settle(Duration::from_secs(1));
        let events = told.take();
        print_way(options, &asked.name, *record_type, &events)?;
        if result.is_err() {
            let name = DnsName::parse(&asked.name).ok();
            print_denial(options, name.and_then(|name| resolver.denial(&name, *record_type)), &events)?;
        }
        match result {
            Ok(lookup) => print(options, &lookup)?,
            // With several types one may well be missing.
            Err(error) if asked.types.len() > 1 => {
                let error = anyhow::Error::from(WebError::from(error));
                crate::failure::tell(&error);
                code = crate::failure::code(&error);
            }
            Err(error) => return Err(WebError::from(error).into()),
        }
        settled?;
    }
    Ok(code)
}

async fn look_up(
    resolver: &Resolver,
    asked: &Asked,
    record_type: RecordType,
) -> Result<Lookup, ResolveError> {
    match record_type {
        // Addresses come from everywhere: literal, cache, hosts file, server.
        RecordType::A if asked.is_plain => resolver.resolve(&asked.name).await,
        _ => resolver.query(&asked.name, record_type).await,
    }
}

fn walks(options: &ResolveOptions) -> bool {
    options.how.iterate || options.net.walks()
}

/// How names are to be resolved, by all that the options say.
fn config(options: &ResolveOptions, asked: &Asked, net: &mut Net) -> anyhow::Result<ResolverConfig> {
    let how = &options.how;
    let mut config = ResolverConfig { use_tcp: how.tcp, ..net.names() };
    if walks(options) {
        if asked.server.is_some() {
            return Err(usage(
                "@SERVER and --iterate: from the root down everybody is asked, not one server",
            ));
        }
        let hints = how.root_hints.as_deref().map(root_hints).transpose()?;
        let hints = hints.unwrap_or_else(|| net.root_hints());
        let walk = IterateConfig {
            qname_minimisation: how.qname_minimisation.into(),
            mixed_case: how.mixed_case == OnOff::On,
            tcp_upstream: how.tcp,
            local_zones: net.local_zones(),
            ..IterateConfig::default()
        };
        config.iterate = Some(Iterating { hints, config: walk });
    } else if how.root_hints.is_some() {
        return Err(usage("--root-hints: that is where --iterate begins"));
    }
    if let Some(server) = asked::server(asked, net)? {
        config.servers = vec![server];
    }
    Ok(config)
}

/// What happened on the way, if that is wanted.
fn print_way(
    options: &ResolveOptions,
    name: &str,
    record_type: RecordType,
    events: &[Dns],
) -> anyhow::Result<()> {
    if options.shape.explain {
        explain::print(name, record_type, events)
    } else if options.how.iterate && !options.shape.short {
        trace::print(record_type, events)
    } else {
        Ok(())
    }
}

/// That there is nothing may be proved, too; of a walk the proof has been told already.
fn print_denial(
    options: &ResolveOptions,
    remembered: Option<(Security, Vec<Record>)>,
    events: &[Dns],
) -> anyhow::Result<()> {
    if !options.wants_proof() || options.shape.short {
        return Ok(());
    }
    let just_found = events.iter().rev().find_map(|event| match event {
        Dns::Validated { security, reason, .. } => Some(format!("{security}: {reason}")),
        _ => None,
    });
    let (security, records) = remembered.unwrap_or((Security::Unchecked, Vec::new()));
    if options.shape.explain && !records.is_empty() {
        output::line("")?;
    }
    if options.shape.explain || !options.how.iterate {
        records.iter().try_for_each(output::line)?;
    }
    match just_found {
        Some(found) => output::line(format_args!(";; validation: {found}")),
        None if security != Security::Unchecked => {
            output::line(format_args!(";; validation: {security}: {FOUND_EARLIER}"))
        }
        None => Ok(()),
    }
}

/// What was found; of a walk all of it has been told already.
fn print(options: &ResolveOptions, lookup: &Lookup) -> anyhow::Result<()> {
    let shape = &options.shape;
    let is_told = (options.how.iterate || shape.explain) && !shape.short && !lookup.records.is_empty();
    if shape.explain && is_told {
        output::line("")?;
    }
    let signatures = lookup.signatures.iter().filter(|_| options.wants_proof());
    for record in lookup.records.iter().chain(signatures).filter(|_| shape.explain || !is_told) {
        match (shape.short, &record.data) {
            (true, RecordData::Rrsig(_)) => {}
            (true, data) => output::line(data)?,
            (false, _) => output::line(record)?,
        }
    }
    // Nobody but DNS has records.
    for address in lookup.addresses.iter().filter(|_| lookup.records.is_empty()) {
        output::line(address)?;
    }
    if options.wants_proof() && !shape.short && lookup.security != Security::Unchecked {
        let reason = lookup.reason.as_ref().map_or_else(|| FOUND_EARLIER.to_owned(), ToString::to_string);
        output::line(format_args!(";; validation: {}: {reason}", lookup.security))?;
    }
    Ok(())
}
