//! The words for how a host gets its address.

use super::{Line, bad, good, normal, verbose, warning};
use crate::text::lasting;
use glasstack_journal::event::Dhcp;
use std::fmt::Display;
use std::net::Ipv4Addr;

/// A client's story is told aloud; what a server decides is for those who asked for more.
pub(super) fn tell_dhcp(dhcp: &Dhcp) -> Line {
    match dhcp {
        Dhcp::StateChanged { from, to, why } => normal(format!("DHCP state {from} -> {to}: {why}")),
        Dhcp::Sent { kind, to, about, attempt, .. } => {
            let to = if to.is_broadcast() { "everybody".to_owned() } else { to.to_string() };
            let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
            let line = normal(format!("{kind} to {to}{}{again}", about_address(*about)));
            if *attempt > 1 { warning(line.text) } else { line }
        }
        Dhcp::Received { kind, server, about, text, .. } => {
            let text = text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
            normal(format!("{kind} from {server}{}{text}", about_address(*about)))
        }
        Dhcp::Offer { server, address, seconds, taken, why } => {
            let verb = if *taken { "takes" } else { "passes over" };
            normal(format!("DHCP: {verb} {address} for {} from {server}: {why}", lasting(*seconds)))
        }
        Dhcp::Probing { address } => normal(format!("DHCP: does anybody use {address} already?")),
        Dhcp::InUse { address, by } => warning(format!("DHCP: {address} is used by {by} already: declined")),
        Dhcp::Leased { address, prefix_len, server, seconds, renew_after, again, .. } => {
            let verb = if *again { "stays" } else { "is this host's" };
            let renewal = match *seconds {
                u32::MAX => String::new(),
                _ => format!(", renewed after {}", lasting(*renew_after)),
            };
            let (lease, extras) = (lasting(*seconds), extras(dhcp));
            good(format!("DHCP: {address}/{prefix_len} {verb} for {lease}{renewal}, says {server}{extras}"))
        }
        Dhcp::Lost { address, why } => bad(format!("DHCP: {address} is lost: {why}")),
        Dhcp::Released { address, server } => normal(format!("DHCP: {address} is given back to {server}")),
        Dhcp::Failed { why } => bad(format!("DHCP: no address: {why}")),
        Dhcp::Served { client, asked, answered, about, why } => {
            let answer = answered.map_or_else(|| "no answer".to_owned(), |kind| kind.to_string());
            verbose(format!("{asked} from {client}: {answer}{} ({why})", about_address(*about)))
        }
    }
}

/// Gateway, name servers, domain.
fn extras(lease: &Dhcp) -> String {
    let Dhcp::Leased { router, name_servers, domain, .. } = lease else { return String::new() };
    let mut text = router.map(|router| format!("; gateway {router}")).unwrap_or_default();
    if !name_servers.is_empty() {
        text.push_str(&format!("; name server {}", joined(name_servers)));
    }
    if let Some(domain) = domain {
        text.push_str(&format!("; domain {domain}"));
    }
    text
}

fn joined(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn about_address(address: Option<Ipv4Addr>) -> String {
    address.map(|address| format!(" about {address}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::event::{DhcpKind, DhcpState, FrameId, MacAddress};

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);
    const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    #[track_caller]
    fn check(fact: &Dhcp, words: &str) {
        assert_eq!(tell_dhcp(fact).text, words);
    }

    #[test]
    fn a_client_tells_what_it_asks_and_what_it_gets() {
        let (frame, transaction) = (FrameId(1), 7);
        let (kind, about) = (DhcpKind::Discover, None);
        let to = Ipv4Addr::BROADCAST;
        check(
            &Dhcp::Sent { frame, kind, transaction, to, about, attempt: 2 },
            "DHCPDISCOVER to everybody, attempt 2",
        );
        let (server, text) = (SERVER, Some("it is another's".to_owned()));
        check(
            &Dhcp::Received { frame, kind: DhcpKind::Nak, transaction, server, about: Some(ADDRESS), text },
            "DHCPNAK from 192.168.1.1 about 192.168.1.100: it is another's",
        );
        let (from, to) = (DhcpState::Selecting, DhcpState::Requesting);
        check(
            &Dhcp::StateChanged { from, to, why: "an offer is there".to_owned() },
            "DHCP state SELECTING -> REQUESTING: an offer is there",
        );
        check(
            &Dhcp::Leased {
                address: ADDRESS,
                prefix_len: 24,
                router: Some(SERVER),
                name_servers: vec![SERVER, Ipv4Addr::new(192, 0, 2, 53)],
                domain: Some("lab.test".to_owned()),
                server: SERVER,
                seconds: 3600,
                renew_after: 1800,
                rebind_after: 3150,
                again: false,
            },
            "DHCP: 192.168.1.100/24 is this host's for 3600 s, renewed after 1800 s, says 192.168.1.1; \
             gateway 192.168.1.1; name server 192.168.1.1, 192.0.2.53; domain lab.test",
        );
    }

    #[test]
    fn a_server_tells_what_it_decides_to_those_who_want_to_know() {
        let served = Dhcp::Served {
            client: MacAddress([2, 0, 0, 0, 0, 7]),
            asked: DhcpKind::Discover,
            answered: None,
            about: None,
            why: "no address is free".to_owned(),
        };
        check(&served, "DHCPDISCOVER from 02:00:00:00:00:07: no answer (no address is free)");
    }
}
