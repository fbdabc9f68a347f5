//! The usual topology, and the addresses in it that programs and tests name.

use glasstack_sim::topology::{BadTopology, Topology};
use std::net::Ipv4Addr;

/// The topology as it is written.
pub const INTERNET: &str = include_str!("internet.toml");

/// The topology that the lab is, unless another is brought.
pub fn internet() -> Result<Topology, BadTopology> {
    Topology::parse(INTERNET)
}

/// The client.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);
/// The home router, as the client sees it.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
/// The home router, as the Internet sees it, and everybody behind it.
pub const HOME: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The provider's router, as the home router sees it.
pub const ACCESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The local name server, at the provider's.
pub const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 53);
/// An address on the client's own link that nobody has: no ARP reply comes.
pub const NOBODY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 99);
/// The data centre's router, as the Internet sees it.
pub const HOSTING: Ipv4Addr = Ipv4Addr::new(198, 19, 1, 20);
/// The data centre's router, as the servers see it.
pub const HOSTING_INSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The web server.
pub const WEB: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 80);
/// The server that misbehaves.
pub const ODD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 66);
/// A host whose cable loses every TCP segment: no answer ever comes.
pub const SILENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 70);
/// An address in the data centre that nobody has: its router says so by ICMP.
pub const NOBODY_THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 99);
/// The router of Europe, as the exchange sees it.
pub const EUROPE: Ipv4Addr = Ipv4Addr::new(198, 19, 1, 1);
/// An address on no network: the router of Europe has no route and says so.
pub const NOWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// A web server 150 ms away.
pub const FAR: Ipv4Addr = Ipv4Addr::new(198, 18, 48, 80);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_those_of_the_topology() {
        let topology = internet().unwrap();
        let of = |host: &str| topology.hosts[host].address.to_string();
        for (host, address) in [
            ("client", CLIENT),
            ("resolver", NAME_SERVER),
            ("web", WEB),
            ("odd", ODD),
            ("silent", SILENT),
            ("far", FAR),
        ] {
            assert_eq!(of(host).split('/').next(), Some(address.to_string().as_str()), "{host}");
        }
        let port = |router: &str, port: usize| topology.routers[router].ports[port].address.address;
        assert_eq!((port("home", 0), port("home", 1), port("access", 0)), (GATEWAY, HOME, ACCESS));
        assert_eq!((port("hosting", 0), port("hosting", 1)), (HOSTING, HOSTING_INSIDE));
        assert_eq!(port("core-eu", 0), EUROPE);
    }

    #[test]
    fn every_name_of_a_web_server_is_a_site() {
        for (host, spec) in internet().unwrap().hosts {
            if spec.serve.iter().any(|word| word == "web" || word == "odd") {
                for name in spec.names {
                    assert!(crate::sites::find(&name).is_some(), "{name} of {host}");
                }
            }
        }
    }
}
