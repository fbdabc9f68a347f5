//! Servers that are asked over IPv6 although the stack speaks IPv4: the gateway lends an address that
//! stands in for theirs.

use futures_util::future::BoxFuture;
use glasstack::dns::Message;
use glasstack::dns::upstream::{NoAnswer, Query, Sockets, Upstream};
use glasstack::stack::Host;
use glasstack::uplink::UserNet;
use std::net::{IpAddr, SocketAddr};

/// Sockets of the stack, behind a gateway that speaks IPv6 for it.
pub(super) struct OverIpv6(pub(super) UserNet);

impl Upstream for OverIpv6 {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        let IpAddr::V6(address) = query.server.ip() else { return Sockets.exchange(host, query) };
        let stand_in = SocketAddr::new(self.0.lend(address).into(), query.server.port());
        let query = Query { server: stand_in, ..query.clone() };
        Box::pin(async move { Sockets.exchange(host, &query).await })
    }
}
