//! A DHCP server on a port of the router (RFC 2131), as home routers have one: it gives addresses of
//! the port's network, and itself for the gateway. What it answers, [`Server`] decides.

use super::RouterConfig;
use super::service::{Datagram, Desk, Outgoing, Service, ServiceConfig};
use glasstack_journal::event::{DropReason, Link};
use glasstack_stack::dhcp::{SERVER_PORT, Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What most links carry: an MTU that needs no telling.
const USUAL_MTU: usize = 1_500;
/// Hops that an answer may take (RFC 1340: 64 is the recommended value).
const TTL: u8 = 64;

/// What a router's DHCP server gives; the network, the gateway and the MTU are its port's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpConfig {
    /// The addresses to give, first and last.
    pub pool: RangeInclusive<Ipv4Addr>,
    /// How long an address is the client's; whole seconds. A day.
    pub lease: Duration,
    /// The name servers, the best first.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain for names without a dot.
    pub domain: Option<String>,
}

impl DhcpConfig {
    /// Addresses from `first` to `last`, for a day, and no name server.
    pub fn new(first: Ipv4Addr, last: Ipv4Addr) -> Self {
        Self {
            pool: first..=last,
            lease: Duration::from_secs(86_400),
            name_servers: Vec::new(),
            domain: None,
        }
    }

    /// How long an address is the client's; whole seconds.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// One more name server.
    #[must_use]
    pub fn name_server(mut self, address: Ipv4Addr) -> Self {
        self.name_servers.push(address);
        self
    }

    /// The domain for names without a dot.
    #[must_use]
    pub fn domain(self, domain: &str) -> Self {
        Self { domain: Some(domain.to_owned()), ..self }
    }
}

impl RouterConfig {
    /// Gives hosts on the network of `port` (counted from 0) their addresses by DHCP. Several ports may
    /// have a server each.
    #[must_use]
    pub fn dhcp(self, port: usize, config: DhcpConfig) -> Self {
        self.service(OnPort { port, config })
    }
}

#[derive(Clone, Debug)]
struct OnPort {
    port: usize,
    config: DhcpConfig,
}

impl ServiceConfig for OnPort {
    fn start(&self, desk: &mut Desk<'_>) -> Result<Box<dyn Service>, String> {
        let (index, config) = (self.port, &self.config);
        let port = desk.port(index).ok_or(format!("no port {index} to serve DHCP on"))?;
        let (first, last) = (config.pool.start(), config.pool.end());
        if first > last {
            return Err(format!("a DHCP pool from {first} to {last}: the first comes after the last"));
        }
        if let Some(outside) = [first, last].into_iter().find(|address| !port.network.contains(**address)) {
            return Err(format!(
                "{outside} of the DHCP pool is not in {}, port {index}'s network",
                port.network
            ));
        }
        if config.lease.as_secs() == 0 {
            return Err("a DHCP lease of less than a second".to_owned());
        }
        let mtu = (port.mtu != USUAL_MTU).then(|| u16::try_from(port.mtu).ok()).flatten();
        let server = ServerConfig {
            server: port.address,
            prefix_len: port.network.prefix_len(),
            pool: config.pool.clone(),
            router: Some(port.address),
            name_servers: config.name_servers.clone(),
            domain: config.domain.clone(),
            mtu,
            lease: config.lease,
        };
        Ok(Box::new(DhcpService { port: index, address: port.address, server: Server::new(server) }))
    }
}

struct DhcpService {
    port: usize,
    address: Ipv4Addr,
    server: Server,
}

impl Service for DhcpService {
    fn udp_port(&self) -> u16 {
        SERVER_PORT
    }

    fn router_port(&self) -> Option<usize> {
        Some(self.port)
    }

    fn on_datagram(&mut self, datagram: &Datagram<'_>, desk: &mut Desk<'_>) {
        match self.server.answer(datagram.payload, desk.now()) {
            Ok(answer) => {
                desk.record(|| answer.fact());
                if let Some(reply) = &answer.reply {
                    desk.send(Outgoing {
                        port: Some(self.port),
                        mac: Some(answer.station),
                        source: SocketAddrV4::new(self.address, SERVER_PORT),
                        destination: answer.to,
                        ttl: TTL,
                        payload: reply.emit(),
                    });
                }
            }
            Err(error) => desk.record(|| Link::Dropped {
                frame: Some(datagram.frame),
                reason: DropReason::BadDhcp,
                detail: error.to_string(),
            }),
        }
    }
}
