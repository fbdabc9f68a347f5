//! Where the server is: on this machine's ports, on a device, or in the lab.

use super::over_ipv6::OverIpv6;
use super::{PORT, means_the_lab};
use crate::args::{DnsdOptions, NetChoice, NetOptions, OnOff, PlaceOptions, ServerNet, WatchOptions};
use crate::failure::usage;
use crate::net::Net;
use anyhow::bail;
use glasstack::dns::dnssec::TrustAnchors;
use glasstack::dns::upstream::{Sockets, Upstream};
use glasstack::dns::{AddressRange, RootHints};
use glasstack::stack::Prefix;
use glasstack::uplink::UserNet;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// A place to serve at.
pub(super) struct Place {
    pub(super) net: Net,
    /// Where the server listens on the stack.
    pub(super) local: SocketAddr,
    kind: Kind,
}

enum Kind {
    /// This machine's ports lead to the stack.
    Host(UserNet),
    Device,
    Lab,
}

/// Which network is meant.
fn choice(options: &DnsdOptions) -> ServerNet {
    match (&options.place.net, means_the_lab(options)) {
        (Some(net), _) => net.clone(),
        (None, Some(_)) => ServerNet::Other(NetChoice::Lab),
        (None, None) => ServerNet::Host,
    }
}

/// What is not said well.
pub(super) fn check(options: &DnsdOptions) -> anyhow::Result<()> {
    let net = choice(options);
    let place = &options.place;
    let is_lab = net == ServerNet::Other(NetChoice::Lab);
    if let Some(option) = means_the_lab(options).filter(|_| !is_lab) {
        bail!(usage(format!("{option} is for the lab: no other network is the program's own")));
    }
    if (place.addr.is_some() || place.gateway.is_some()) && !net.is_device() {
        bail!(usage("--addr and --gateway are for TAP and TUN: elsewhere the stack's address is given"));
    }
    let end = &options.end;
    if is_lab && end.query.is_empty() && end.queries.is_none() && end.seconds.is_none() {
        bail!(usage(
            "in the lab nobody else asks this server: ask it yourself, with --query 'NAME TYPE' or --queries FILE"
        ));
    }
    if net != ServerNet::Host && place.listen.len() > 1 {
        bail!(usage(
            "--listen: on the stack itself there is one place to listen; several are for --net host"
        ));
    }
    let mut listens = place.listen.iter().map(|listen| listen.or_port(PORT)).filter(|at| at.port() != 0);
    let mut seen = BTreeSet::new();
    if let Some(at) = listens.find(|at| !seen.insert(*at)) {
        bail!(usage(format!("--listen {at}: once is enough")));
    }
    let twice = |v4: bool| place.outgoing.iter().filter(|address| address.is_ipv4() == v4).count() > 1;
    if twice(true) || twice(false) {
        bail!(usage("--outgoing: one address of each family is enough"));
    }
    if options.recursion.ipv6 == OnOff::On && net != ServerNet::Host {
        bail!(usage(
            "--ipv6 on: the stack speaks only IPv4; with --net host the gateway asks over IPv6 in its place"
        ));
    }
    // The machine's ports lead to the stack, where a client by IPv6 would look like this machine.
    let far = |address: IpAddr| address.is_ipv6() && !address.is_loopback();
    if let Some(listen) = place.listen.iter().find(|listen| far(listen.address)) {
        bail!(usage(format!(
            "--listen {}: clients over IPv6 cannot be told apart yet, so that no access list could hold: \
             listen on an IPv4 address or on ::1",
            listen.address
        )));
    }
    Ok(())
}

/// Opens the network.
pub(super) fn open(options: &DnsdOptions) -> anyhow::Result<Place> {
    let watch =
        WatchOptions { untold: !options.watch.verbose && !options.watch.ladder, ..options.watch.clone() };
    let choice = match choice(options) {
        ServerNet::Other(choice) => choice,
        ServerNet::Host => {
            let (net, user) = Net::behind_this_machine(&watch, options.place.outgoing.clone())?;
            let local = SocketAddr::new(net.host.address(), PORT);
            return Ok(Place { net, local, kind: Kind::Host(user) });
        }
    };
    let kind = if choice == NetChoice::Lab { Kind::Lab } else { Kind::Device };
    let net = NetOptions {
        net: choice,
        addr: options.place.addr,
        gateway: options.place.gateway,
        dns: Vec::new(),
        dnssec: None,
        trust_anchor: None,
        dns_cache: None,
        hosts: None,
        dhcp: false,
        lab: options.lab.clone(),
    };
    let net = Net::open(&net, &watch, None, false)?;
    check_outgoing(&options.place, net.host.address())?;
    let local = match options.place.listen.first() {
        Some(listen) => listen.or_port(PORT),
        None => SocketAddr::new(net.host.address(), PORT),
    };
    Ok(Place { net, local, kind })
}

/// The stack has one address, which others are asked from.
fn check_outgoing(place: &PlaceOptions, own: IpAddr) -> anyhow::Result<()> {
    match place.outgoing.iter().find(|address| **address != own) {
        Some(address) => Err(usage(format!(
            "--outgoing {address}: the stack has no address but {own}: --addr gives it another"
        ))),
        None => Ok(()),
    }
}

impl Place {
    /// From now on this machine's ports lead to the server, if they are to. Where it can be reached.
    pub(super) fn publish(&self, options: &PlaceOptions) -> anyhow::Result<Vec<SocketAddr>> {
        let Kind::Host(user) = &self.kind else { return Ok(vec![self.local]) };
        let mut places: Vec<SocketAddr> = options.listen.iter().map(|listen| listen.or_port(PORT)).collect();
        if places.is_empty() {
            places.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
        }
        let mut published = Vec::new();
        for place in places {
            let tcp = user.publish_tcp(place, self.local.port())?;
            // Where the machine chose the port, it is the same for both.
            let udp = user.publish_udp(SocketAddr::new(place.ip(), tcp.port()), self.local.port())?;
            published.push(udp);
        }
        Ok(published)
    }

    /// How servers are asked.
    pub(super) fn upstream(&self) -> Arc<dyn Upstream> {
        match &self.kind {
            Kind::Host(user) => Arc::new(OverIpv6(user.clone())),
            Kind::Device | Kind::Lab => Arc::new(Sockets),
        }
    }

    pub(super) fn is_lab(&self) -> bool {
        matches!(self.kind, Kind::Lab)
    }

    /// The root's servers of this network.
    pub(super) fn root_hints(&mut self) -> anyhow::Result<RootHints> {
        if !self.is_lab() {
            return Ok(RootHints::iana());
        }
        let hints = self.net.the_lab()?.root_hints.clone();
        hints.ok_or_else(|| usage("this network has no root server: --root-hints FILE, or --forward ADDR"))
    }

    /// Whom it trusts.
    pub(super) fn trust_anchors(&mut self) -> anyhow::Result<TrustAnchors> {
        Ok(if self.is_lab() { self.net.the_lab()?.trust_anchors.clone() } else { TrustAnchors::iana() })
    }

    /// The addresses that programs of this machine have for the server, this one included, if they are not
    /// their own.
    pub(super) fn this_machine(&self) -> Vec<IpAddr> {
        match &self.kind {
            Kind::Host(user) => vec![user.gateway(), self.net.host.address()],
            Kind::Device | Kind::Lab => Vec::new(),
        }
    }

    /// The networks that the stack is on itself.
    pub(super) fn own_networks(&self) -> Vec<AddressRange> {
        if let Kind::Host(_) = self.kind {
            return Vec::new();
        }
        let range = |network: Prefix| AddressRange::new(network.network().into(), network.prefix_len());
        self.net.host.networks().into_iter().map(range).collect()
    }
}
