//! The recursive server that the options describe.

use super::places::Place;
use crate::args::{DnsdOptions, OnOff, RecursionOptions, ServerOf};
use crate::dns_files;
use crate::failure::{ExitWith, FAILED_INIT, usage};
use anyhow::Context;
use glasstack::dns::config::DNS_PORT;
use glasstack::dns::dnssec::TrustAnchors;
use glasstack::dns::iterate::{ServeStale, ZoneElsewhere};
use glasstack::dns::{DnsName, IterateConfig, LocalZones, Recursor, RecursorConfig};
use glasstack::stack::Host;
use std::net::SocketAddr;

/// Whether somebody is to be asked at all.
pub(super) fn is_wanted(options: &DnsdOptions) -> bool {
    options.recursive || !options.recursion.forward.is_empty()
}

/// The first option that means nothing without recursion.
pub(super) fn first_option(options: &RecursionOptions) -> Option<&'static str> {
    let said = [
        ("--root-hints", options.root_hints.is_some()),
        ("--stub", !options.stub.is_empty()),
        ("--dnssec on", options.dnssec == Some(OnOff::On)),
        ("--trust-anchor", options.trust_anchor.is_some()),
        ("--serve-stale", options.serve_stale),
        ("--prefetch", options.prefetch),
        ("--mixed-case", options.mixed_case),
        ("--ipv6 on", options.ipv6 == OnOff::On),
    ];
    said.into_iter().find_map(|(option, is_said)| is_said.then_some(option))
}

/// Who finds out.
pub(super) fn recursor(
    options: &RecursionOptions,
    place: &mut Place,
    host: &Host,
) -> anyhow::Result<Recursor> {
    let hints = match &options.root_hints {
        Some(path) => dns_files::root_hints(path)?,
        None => place.root_hints()?,
    };
    let zones = elsewhere(options)?;
    let validate = trust_anchors(options, place)?;
    let asked = hints.servers().iter().flat_map(|server| server.addresses.iter().copied());
    let asked = asked.chain(options.forward.iter().chain(&options.stub).map(|server| server.address.address));
    let asks_loopback = asked.into_iter().any(|address| address.is_loopback());
    let iterate = IterateConfig {
        qname_minimisation: options.qname_minimisation.into(),
        mixed_case: options.mixed_case,
        ipv6: options.ipv6 == OnOff::On,
        prefetch: options.prefetch,
        serve_stale: options.serve_stale.then(ServeStale::default),
        zones,
        local_zones: if place.is_lab() { LocalZones::Never } else { LocalZones::default() },
        // Who names a server on this machine means it.
        do_not_query_localhost: !asks_loopback,
        ..IterateConfig::default()
    };
    let config = RecursorConfig { iterate, validate, ..RecursorConfig::default() };
    Ok(Recursor::with_upstream(host.clone(), hints, config, place.upstream()))
}

/// `--forward` and `--stub`: servers of one zone are told together.
fn elsewhere(options: &RecursionOptions) -> anyhow::Result<Vec<ZoneElsewhere>> {
    let mut zones: Vec<ZoneElsewhere> = Vec::new();
    let all = options.forward.iter().map(|server| (server, true));
    for (server, is_forward) in all.chain(options.stub.iter().map(|server| (server, false))) {
        let ServerOf { zone, address } = server;
        let option = if is_forward { "--forward" } else { "--stub" };
        let zone = match zone {
            Some(zone) => DnsName::parse(zone).with_context(|| format!("{option} {zone}: this is no name")),
            None if is_forward => Ok(DnsName::root()),
            None => Err(usage(format!(
                "--stub {}: which zone has it authority over? Write --stub ZONE=ADDR",
                address.address
            ))),
        };
        put(&mut zones, zone.exit_with(FAILED_INIT)?, address.or_port(DNS_PORT), is_forward);
    }
    Ok(zones)
}

fn put(zones: &mut Vec<ZoneElsewhere>, of: DnsName, server: SocketAddr, is_forward: bool) {
    for other in zones.iter_mut() {
        match other {
            ZoneElsewhere::Forward { zone, servers, .. } if is_forward && *zone == of => {
                return servers.push(server);
            }
            ZoneElsewhere::Stub { zone, servers, .. } if !is_forward && *zone == of => {
                return servers.push(server);
            }
            _ => {}
        }
    }
    let (servers, names) = (vec![server], Vec::new());
    zones.push(if is_forward {
        ZoneElsewhere::Forward { zone: of, servers, names, first: false, tcp: false }
    } else {
        ZoneElsewhere::Stub { zone: of, servers, names, prime: false, first: false, tcp: false }
    });
}

/// Whom to believe; none: nothing is checked. A root of one's own is not signed by whom the Internet's is.
fn trust_anchors(options: &RecursionOptions, place: &mut Place) -> anyhow::Result<Option<TrustAnchors>> {
    if options.dnssec == Some(OnOff::Off) {
        return Ok(None);
    }
    if let Some(path) = &options.trust_anchor {
        return dns_files::trust_anchors(path).map(Some);
    }
    let asked_elsewhere = options.forward.iter().any(|server| server.zone.is_none());
    let is_the_networks_own = options.root_hints.is_none() && !asked_elsewhere;
    let checks = options.dnssec == Some(OnOff::On) || is_the_networks_own;
    checks.then(|| place.trust_anchors()).transpose()
}
