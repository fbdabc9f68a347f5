//! Who may ask, and how much: the options of unbound and NSD as the server's terms.

use super::places::Place;
use super::recursion;
use crate::args::{ClientOptions, DnsdOptions};
use crate::failure::usage;
use anyhow::bail;
use glasstack::dns::server::{Access, AccessList, ClientLimits, ResponseRateLimit, ServeOptions};
use std::net::{IpAddr, Ipv4Addr};

/// What the options allow.
pub(super) fn terms(options: &DnsdOptions, place: &Place) -> anyhow::Result<ServeOptions> {
    let clients = &options.clients;
    if clients.rate_limit == Some(0) || clients.ip_ratelimit == Some(0) {
        bail!(usage(
            "--rate-limit and --ip-ratelimit: nobody would be answered; without them there is no limit"
        ));
    }
    let rate_limit = clients.rate_limit.map(|limit| ResponseRateLimit {
        slip: clients.slip,
        exempt: clients.rate_limit_exempt.clone(),
        ..ResponseRateLimit::of(limit)
    });
    Ok(ServeOptions {
        access: seen_from(access(clients, recursion::is_wanted(options), place), place),
        transfers: seen_from(transfers(clients), place),
        limits: ClientLimits { queries_per_second: clients.ip_ratelimit, ..ClientLimits::default() },
        rate_limit,
        udp_payload: clients.max_udp_size,
        identity: clients.identity.clone(),
        nsid: clients.nsid.clone(),
        version: clients.server_version.clone(),
        ..ServeOptions::default()
    })
}

fn access(clients: &ClientOptions, finds_out: bool, place: &Place) -> AccessList {
    let mut list = if finds_out {
        let own = place.own_networks().into_iter();
        own.fold(AccessList::localhost(), |list, range| list.with(range, Access::Allow))
    } else {
        AccessList::everybody()
    };
    clients.access_control.iter().for_each(|rule| list.add(*rule));
    list
}

fn transfers(clients: &ClientOptions) -> AccessList {
    let list = AccessList::new(Access::Refuse);
    clients.allow_axfr.iter().fold(list, |list, range| list.with(*range, Access::Allow))
}

/// Behind this machine's ports its own programs have the gateway's address, and `--query` asks from the stack's
/// own: both are treated as this machine's.
fn seen_from(list: AccessList, place: &Place) -> AccessList {
    let access = list.of(IpAddr::from(Ipv4Addr::LOCALHOST));
    place.this_machine().into_iter().fold(list, |list, address| list.with(address.into(), access))
}
