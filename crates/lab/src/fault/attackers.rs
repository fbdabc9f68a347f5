//! Puts attackers into a lab: which node of [`glasstack_sim::attack`], where, and against whom.

use super::install::{CannotStrike, One, Stage, ends_of};
use super::spec::{Attack, Deed};
use glasstack_dns::{DnsName, Message, Question, Record, RecordData, RecordType, ResponseCode};
use glasstack_journal::Instant;
use glasstack_journal::event::MacAddress;
use glasstack_sim::Cable;
use glasstack_sim::attack::{ArpSpoofer, Pace, Sent, Volley};
use glasstack_sim::topology::Network;
use glasstack_stack::{Entropy, Host, RouteDecision};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

/// Forged packets a second, and in all, unless the sentence says it.
const VOLLEY: (u32, u32) = (500, 2_000);
/// ICMP redirects: as many as a gateway might send.
const REDIRECTS: (u32, u32) = (10, 20);
/// The ports of the web server that are attacked.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// The attacker's own address on its link, where it needs one: this number in the victim's /24.
const OWN_NUMBER: u8 = 250;
/// An address on no link (RFC 5737).
const FAR_AWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// How long forged answers may be remembered, in seconds.
const TTL: u32 = 3_600;

/// Plugs the attacker into its switch.
pub(super) fn install(one: &One, attack: &Attack, stage: &mut Stage<'_>) -> Result<(), CannotStrike> {
    let network = stage.network;
    // Off-path answers and resets go to the client; they would not get past a NAT from elsewhere.
    let victim = match &attack.deed {
        Deed::DuplicateArp | Deed::ForgeDns { .. } | Deed::ForgeResets { .. } => stage.client,
        Deed::SpoofArp { of, .. } | Deed::SynFlood { of, .. } | Deed::Redirect { of } => of,
    };
    let switch = match &attack.at {
        Some(switch) if network.switch(switch).is_some() => switch.clone(),
        Some(other) => return Err(no_switch(one, attack, other)),
        None => switch_beside(victim, network).ok_or_else(|| match network.cables_of(victim).next() {
            Some(_) => no_switch(one, attack, victim),
            None => one.no_such_node(victim, network),
        })?,
    };
    let plot = Plot {
        one,
        network,
        client: stage.client,
        switch: &switch,
        mac: stage.world.next_mac(),
        entropy: stage.world.environment(&attack.by).entropy,
        name_server: stage.name_server,
        from: Instant::ZERO + attack.window.from,
        until: attack.window.until.map_or(Instant::MAX, |until| Instant::ZERO + until),
    };
    let topology = |source| CannotStrike::Topology { fault: one.sentence.clone(), source };
    let node = match plot.station(&attack.deed)? {
        Attacker::Spoofer(spoofer) => stage.world.add_node(&attack.by, spoofer),
        Attacker::Volley(volley) => stage.world.add_node(&attack.by, volley),
    };
    let node = node.map_err(topology)?;
    stage.world.connect(node, switch.as_str(), Cable::new()).map_err(topology)?;
    Ok(())
}

/// A node that means harm.
enum Attacker {
    Spoofer(ArpSpoofer),
    Volley(Volley),
}

/// What an attacker knows before it begins.
struct Plot<'a> {
    one: &'a One,
    network: &'a Network,
    /// The name of the user's own host.
    client: &'a str,
    switch: &'a str,
    mac: MacAddress,
    entropy: Arc<dyn Entropy>,
    name_server: SocketAddr,
    from: Instant,
    until: Instant,
}

impl Plot<'_> {
    fn station(&self, deed: &Deed) -> Result<Attacker, CannotStrike> {
        let sent = Sent::into(Arc::clone(&self.one.struck));
        let entropy = Arc::clone(&self.entropy);
        let volley = match deed {
            Deed::DuplicateArp => {
                let spoofer = ArpSpoofer::second_answer(self.mac).between(self.from, self.until);
                return Ok(Attacker::Spoofer(spoofer.counted(sent)));
            }
            Deed::SpoofArp { of, forwarding } => {
                let spoofer =
                    ArpSpoofer::claiming(self.mac, [self.address(of)?]).between(self.from, self.until);
                let spoofer = if *forwarding { spoofer.forwarding() } else { spoofer };
                return Ok(Attacker::Spoofer(spoofer.counted(sent)));
            }
            Deed::ForgeDns { name, address } => {
                let (name, address) = (name.clone(), *address);
                let payload = move |entropy: &dyn Entropy| forged_answer(&name, address, entropy);
                let from = self.name_server()?;
                Volley::answers(
                    self.mac,
                    from,
                    self.address(self.client)?,
                    self.pace(VOLLEY),
                    entropy,
                    payload,
                )
            }
            Deed::ForgeResets { of } => {
                let from = SocketAddrV4::new(self.address(of)?, HTTPS);
                Volley::resets(self.mac, from, self.address(self.client)?, self.pace(VOLLEY), entropy)
            }
            Deed::SynFlood { of, rate, count } => {
                let to = SocketAddrV4::new(self.address(of)?, HTTP);
                Volley::syn_flood(self.mac, self.next_hop(of)?, to, self.pace((*rate, *count)), entropy)
            }
            Deed::Redirect { of } => {
                let victim = self.address(of)?;
                let [a, b, c, _] = victim.octets();
                let own = Ipv4Addr::new(a, b, c, OWN_NUMBER);
                let (gateway, to) = (self.gateway(of)?, *self.name_server()?.ip());
                Volley::redirects(self.mac, own, victim, gateway, to, self.pace(REDIRECTS))
            }
        };
        Ok(Attacker::Volley(volley.counted(sent)))
    }

    fn pace(&self, (rate, count): (u32, u32)) -> Pace {
        Pace { from: self.from, until: self.until, rate, count }
    }

    fn name_server(&self) -> Result<SocketAddrV4, CannotStrike> {
        match self.name_server {
            SocketAddr::V4(server) => Ok(server),
            SocketAddr::V6(server) => Err(self.no_address(&server.to_string())),
        }
    }

    /// A host's address; that of a router is the one by which the attacker's link leaves.
    fn address(&self, name: &str) -> Result<Ipv4Addr, CannotStrike> {
        match self.network.host(name).map(Host::address) {
            Some(IpAddr::V4(address)) if !address.is_unspecified() => Ok(address),
            Some(_) => Err(self.no_address(name)),
            None if self.network.router(name).is_some() => {
                let beside = self.hosts_beside().next().ok_or_else(|| self.no_address(name))?;
                self.gateway(beside)
            }
            None => Err(self.one.no_such_node(name, self.network)),
        }
    }

    /// Whom the attacker has to send to, so that something comes to a host.
    fn next_hop(&self, name: &str) -> Result<Ipv4Addr, CannotStrike> {
        if self.hosts_beside().any(|beside| beside == name) {
            return self.address(name);
        }
        let beside = self.hosts_beside().next().ok_or_else(|| self.no_address(name))?;
        self.gateway(beside)
    }

    /// Through whom a host reaches what is not on its link.
    fn gateway(&self, host: &str) -> Result<Ipv4Addr, CannotStrike> {
        let routes = self.network.host(host).map(|host| host.route(IpAddr::V4(FAR_AWAY)));
        match routes {
            Some(Ok(RouteDecision { next_hop: IpAddr::V4(gateway), .. })) => Ok(gateway),
            _ => Err(self.no_address(host)),
        }
    }

    /// The hosts on the attacker's switch.
    fn hosts_beside(&self) -> impl Iterator<Item = &str> {
        let at_switch = |host: &str| self.network.cable((host, self.switch)).is_some();
        self.network.hosts().map(|(name, _)| name).filter(move |name| at_switch(name))
    }

    fn no_address(&self, name: &str) -> CannotStrike {
        CannotStrike::NoAddress { fault: self.one.sentence.clone(), name: name.to_owned() }
    }
}

/// An answer that gives `address` for `name`, with an id that has to be guessed.
fn forged_answer(name: &DnsName, address: Ipv4Addr, entropy: &dyn Entropy) -> Vec<u8> {
    let mut id = [0; 2];
    entropy.fill(&mut id);
    let question = Question::new(name.clone(), RecordType::A);
    let mut answer = Message::query(u16::from_be_bytes(id), question, None).response(ResponseCode::NoError);
    answer.recursion_available = true;
    answer.answers = vec![Record { owner: name.clone(), ttl: TTL, data: RecordData::A(address) }];
    // A name that stands in a sentence can stand in a message.
    answer.to_bytes().unwrap_or_default()
}

/// The switch at the other end of a node's cable.
fn switch_beside(node: &str, network: &Network) -> Option<String> {
    network.cables_of(node).find_map(|(cable, _)| {
        let name = cable.name();
        let (first, second) = ends_of(&name);
        let other = if first == node { second } else { first };
        network.switch(other).map(|_| other.to_owned())
    })
}

fn no_switch(one: &One, attack: &Attack, beside: &str) -> CannotStrike {
    CannotStrike::NoSwitch { fault: one.sentence.clone(), by: attack.by.clone(), beside: beside.to_owned() }
}
