//! Where an address leads, seen from the network behind the gateway.

use glasstack_stack::{Prefix, Unreachable};
use std::net::{IpAddr, Ipv4Addr};

/// Who has which address behind the gateway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The network's own prefix.
    pub(super) network: Prefix,
    /// The gateway's address in it.
    pub(super) gateway: Ipv4Addr,
}

impl Plan {
    /// The address that the operating system is to be asked for, or what the sender is told: a
    /// router sends nothing on that is for nobody, for everybody, or for the network it came from.
    pub(super) fn onward(&self, to: IpAddr) -> Result<Ipv4Addr, Unreachable> {
        let IpAddr::V4(to) = to else { return Err(Unreachable::Network) };
        // The machine itself: the gateway stands for it.
        if to == self.gateway {
            return Ok(Ipv4Addr::LOCALHOST);
        }
        // RFC 1122 3.2.1.3 (g): loopback addresses stay within a host, and this one is meant.
        if to.is_loopback() {
            return Ok(to);
        }
        // RFC 1122 3.2.1.3 (a), (b): "this host on this network". Linux would take 0.0.0.0 for the
        // machine itself.
        let is_this_network = to.octets()[0] == 0;
        // RFC 1812 5.3.4, RFC 1112 4: what goes to many does not go over one connection.
        let is_for_many = to.is_multicast() || to.is_broadcast();
        // RFC 1112 4, RFC 1812 5.3.7: class E is nobody's.
        let is_reserved = to.octets()[0] >= 240;
        if is_this_network || is_for_many || is_reserved {
            return Err(Unreachable::Host);
        }
        // Whoever is in the network behind the gateway is not beyond it. So nothing that was sent
        // on can ever come back.
        if self.network.contains(to) {
            return Err(Unreachable::Host);
        }
        Ok(to)
    }

    /// The address that a peer of this machine has behind the gateway: its own where that can be,
    /// else the gateway's.
    pub(super) fn inward(&self, peer: IpAddr) -> Ipv4Addr {
        match peer {
            IpAddr::V4(peer) if self.onward(peer.into()) == Ok(peer) && !peer.is_loopback() => peer,
            _ => self.gateway,
        }
    }
}

impl Plan {
    /// Whether a peer would be seen as the gateway, as this machine's own programs are, although it is
    /// none of them.
    pub(super) fn is_stranger(&self, peer: IpAddr) -> bool {
        !peer.to_canonical().is_loopback() && self.inward(peer) == self.gateway
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let gateway = Ipv4Addr::new(10, 71, 84, 1);
        Plan { network: Prefix::new(gateway, 24).unwrap(), gateway }
    }

    fn onward(to: &str) -> Result<String, Unreachable> {
        plan().onward(to.parse().unwrap()).map(|address| address.to_string())
    }

    #[test]
    fn the_gateway_and_loopback_addresses_are_this_machine_and_all_others_are_themselves() {
        assert_eq!(onward("10.71.84.1").unwrap(), "127.0.0.1");
        assert_eq!(onward("127.0.0.1").unwrap(), "127.0.0.1");
        assert_eq!(onward("127.53.0.9").unwrap(), "127.53.0.9");
        assert_eq!(onward("192.0.2.7").unwrap(), "192.0.2.7");
    }

    #[test]
    fn nothing_is_sent_on_to_nobody_to_everybody_or_back_where_it_came_from() {
        for to in ["0.0.0.0", "0.1.2.3", "224.0.0.251", "255.255.255.255", "240.0.0.1"] {
            assert_eq!(onward(to), Err(Unreachable::Host), "{to}");
        }
        for own in ["10.71.84.0", "10.71.84.2", "10.71.84.77", "10.71.84.255"] {
            assert_eq!(onward(own), Err(Unreachable::Host), "{own}");
        }
        assert_eq!(onward("2001:db8::1"), Err(Unreachable::Network));
    }

    #[test]
    fn a_peer_of_this_machine_keeps_its_address_where_that_can_be_answered() {
        let inward = |peer: &str| plan().inward(peer.parse().unwrap()).to_string();
        assert_eq!(inward("192.0.2.7"), "192.0.2.7");
        for peer in ["127.0.0.1", "10.71.84.9", "::1", "2001:db8::7"] {
            assert_eq!(inward(peer), "10.71.84.1", "{peer}");
        }
        let strangers =
            |peers: &[&str]| peers.iter().filter(|peer| plan().is_stranger(peer.parse().unwrap())).count();
        assert_eq!(strangers(&["127.0.0.1", "::1", "192.0.2.7"]), 0);
        assert_eq!(strangers(&["10.71.84.9", "10.71.84.1", "2001:db8::7", "240.0.0.1"]), 4);
    }
}
