//! What happens within a node and deserves a line between the rungs.

use super::Layer;
use crate::text::{count, lasting, resolved, time};
use glasstack_journal::event::{Arp, Dhcp, Direction, Dns, Event, Http, Rip, Tcp, TcpState, Tls};

/// The layer that tells, and the words.
pub(super) fn happened(event: &Event) -> Option<(Layer, String)> {
    Some(match event {
        Event::Arp(Arp::Failed { next_hop, attempts }) => {
            let requests = count(u64::from(*attempts), "request");
            (Layer::Arp, format!("no ARP reply from {next_hop} after {requests}"))
        }
        Event::Tcp(tcp) => (Layer::Tcp, of_tcp(tcp)?),
        Event::Dhcp(dhcp) => (Layer::Udp, of_dhcp(dhcp)?),
        Event::Rip(rip) => (Layer::Routing, of_rip(rip)?),
        Event::Dns(Dns::Resolved { name, addresses, .. }) => (Layer::Udp, resolved(name, addresses)),
        Event::Dns(Dns::Failed { name, why }) => (Layer::Udp, format!("{name} not resolved: {why}")),
        Event::Dns(Dns::Validated { name, security, reason, .. }) if security == "bogus" => {
            (Layer::Udp, format!("{name} is bogus: {reason}"))
        }
        Event::Tls(Tls::Alert(alert)) if alert.direction == Direction::In && alert.code != 0 => {
            (Layer::Tls, format!("TLS alert from the {}: {}", alert.from, alert.name))
        }
        Event::Tls(Tls::Established { version, .. }) => (Layer::Tls, format!("{version} established")),
        Event::Tls(Tls::Failed { why }) => (Layer::Tls, format!("TLS failed: {why}")),
        Event::Tls(Tls::Truncated) => (Layer::Tls, "TLS ended without close_notify".to_owned()),
        Event::Http(Http::RequestSent { method, url, .. }) => (Layer::Http, format!("{method} {url}")),
        Event::Http(Http::ResponseReceived { status, reason, .. }) => {
            (Layer::Http, format!("{status} {reason}"))
        }
        Event::Http(Http::Failed { why }) => (Layer::Http, format!("HTTP failed: {why}")),
        _ => return None,
    })
}

fn of_dhcp(dhcp: &Dhcp) -> Option<String> {
    Some(match dhcp {
        Dhcp::Offer { address, server, taken: false, why, .. } => {
            format!("passes over {address} of {server}: {why}")
        }
        Dhcp::InUse { address, by } => format!("{address} is used by {by}"),
        Dhcp::Leased { address, prefix_len, seconds, again: false, .. } => {
            format!("has {address}/{prefix_len} for {}", lasting(*seconds))
        }
        Dhcp::Leased { address, seconds, again: true, .. } => {
            format!("keeps {address} for {}", lasting(*seconds))
        }
        Dhcp::Lost { address, why } => format!("has {address} no longer: {why}"),
        Dhcp::Released { address, .. } => format!("gives {address} back"),
        Dhcp::Failed { why } => format!("no address: {why}"),
        _ => return None,
    })
}

fn of_rip(rip: &Rip) -> Option<String> {
    Some(match rip {
        Rip::Learned { prefix, via, metric, .. } => format!("{prefix} via {via}, metric {metric}"),
        Rip::Changed { prefix, via, metric, metric_before, .. } => {
            format!("{prefix} via {via}, metric {metric}, was {metric_before}")
        }
        Rip::Lost { prefix, why, .. } => format!("{prefix} cannot be reached: {why}"),
        Rip::Forgotten { prefix } => format!("{prefix} is forgotten"),
        Rip::EntryIgnored { entry, reason, .. } => format!("ignores {entry}: {reason}"),
        Rip::Asked { .. } | Rip::Told { .. } => return None,
    })
}

fn of_tcp(tcp: &Tcp) -> Option<String> {
    Some(match tcp {
        // RFC 9293 3.3.2: the side that sent the first SYN comes from SYN-SENT (or, after a
        // simultaneous open, from SYN-RECEIVED as the listener does).
        Tcp::StateChanged { from: TcpState::SynSent, to: TcpState::Established, .. } => {
            "connected".to_owned()
        }
        Tcp::StateChanged { from: TcpState::SynReceived, to: TcpState::Established, .. } => {
            "accepted".to_owned()
        }
        Tcp::MtuLowered { from, to, .. } => format!("path MTU {from} -> {to}"),
        Tcp::TimeWaitEntered { lasts, .. } => format!("TIME-WAIT for {}", time(*lasts)),
        Tcp::TimeWaitOver { .. } => "TIME-WAIT over".to_owned(),
        Tcp::Closed { error: Some(error), .. } => error.clone(),
        Tcp::Closed { error: None, .. } => "closed".to_owned(),
        _ => return None,
    })
}
