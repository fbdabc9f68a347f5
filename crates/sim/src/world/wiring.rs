//! Who is in the world, and which cables there are between them.

use super::{Laid, SimWorld, Slot};
use crate::cable::{Cable, CableHandle};
use crate::entropy::Rng;
use crate::error::TopologyError;
use crate::flight::Way;
use crate::gate::Gate;
use crate::nic::{HostNode, SimNic};
use crate::node::{Node, NodeContext, Plug, PlugNode};
use crate::probe::{Probe, ProbeNode};
use crate::router::{Router, RouterConfig};
use crate::switch::Switch;
use glasstack_journal::event::MacAddress;
use glasstack_journal::{Clock, NodeId, Scope};
use glasstack_stack::{Entropy, Host, HostConfig};
use std::collections::BTreeMap;
use std::sync::Arc;

impl SimWorld {
    /// A MAC address that no other call returns: `06:00:00:00:00:01` and on, locally
    /// administered. It leaves `02:...` to those who number their stations by hand.
    pub fn next_mac(&mut self) -> MacAddress {
        self.next_mac += 1;
        let [a, b, c, d] = self.next_mac.to_be_bytes();
        MacAddress([6, 0, a, b, c, d])
    }

    /// Puts a host into the world, with a card named `eth0` and an MTU of 1 500 bytes. Connect it
    /// before it is to reach anybody.
    pub fn add_host(&mut self, config: HostConfig) -> Result<Host, TopologyError> {
        self.add_host_with(config, SimNic::default())
    }

    /// Puts a host with a card of its own into the world.
    pub fn add_host_with(&mut self, config: HostConfig, nic: SimNic) -> Result<Host, TopologyError> {
        let name = self.free_name(&config.name)?;
        let (host, runner) = Host::new(&self.environment(&name), config, nic)
            .map_err(|source| TopologyError::Host { name: name.clone(), source })?;
        let scope = self.scope(host.scope().node());
        self.push_node(name, scope, Box::new(HostNode::new(runner)));
        Ok(host)
    }

    /// Puts a learning switch into the world, with as many ports as it gets cables.
    pub fn add_switch(&mut self, name: &str) -> Result<NodeId, TopologyError> {
        self.add_node(name, Switch::new())
    }

    /// Puts a bare port into the world that keeps what it receives and sends what it is told to.
    pub fn add_probe(&mut self, name: &str) -> Result<Probe, TopologyError> {
        let name = self.free_name(name)?;
        let scope = self.introduce(&name);
        let context = NodeContext { scope: &scope, plugged: &[], outputs: Vec::new() };
        let (node, probe) = ProbeNode::new(&name, &context);
        self.push_node(name, scope, Box::new(node));
        Ok(probe)
    }

    /// Puts a gate to a real network into the world: a port like a probe's, whose frames the caller
    /// carries across. Its world must not take its randomness from the seed, since a real peer could then
    /// foresee ports, sequence numbers and keys; and nobody in it may be an attacker.
    pub fn add_gate(&mut self, name: &str) -> Result<Gate, TopologyError> {
        let is_foreseeable = |entropy: &Arc<dyn Entropy>| entropy.is_reproducible();
        if self.entropy.as_ref().is_none_or(is_foreseeable) {
            return Err(TopologyError::SeededGate(name.to_owned()));
        }
        let forging = self.cables.iter().find(|laid| laid.handle.injects()).map(|laid| laid.handle.name());
        if let Some(attacker) = self.attackers.first().cloned().or(forging) {
            return Err(TopologyError::NoAttacksOnARealNetwork(attacker));
        }
        let port = self.add_probe(name)?;
        self.flights.lead_outside = true;
        Ok(Gate::new(port))
    }

    /// Takes note of somebody who attacks, unless a real network is within reach.
    fn admit_attacker(&mut self, who: &str) -> Result<(), TopologyError> {
        if self.flights.lead_outside {
            return Err(TopologyError::NoAttacksOnARealNetwork(who.to_owned()));
        }
        self.attackers.push(who.to_owned());
        Ok(())
    }

    /// Puts an IPv4 router into the world. Its first port is `eth0`, and so on; which cable is on which
    /// port is what [`connect`](Self::connect) says: `connect((router, 1), &server, ..)`.
    pub fn add_router(&mut self, name: &str, config: RouterConfig) -> Result<NodeId, TopologyError> {
        let name = self.free_name(name)?;
        let scope = self.introduce(&name);
        let id = scope.node();
        let context = NodeContext { scope: &scope, plugged: &[], outputs: Vec::new() };
        let rng = Rng::new(self.seed, &format!("router {name}"));
        let router = Router::new(config, || self.next_mac(), rng, &context)
            .map_err(|why| TopologyError::Router { name: name.clone(), why })?;
        self.push_node(name, scope, Box::new(router));
        Ok(id)
    }

    /// Puts any other kind of node into the world.
    pub fn add_node(&mut self, name: &str, node: impl Node + 'static) -> Result<NodeId, TopologyError> {
        let name = self.free_name(name)?;
        if node.is_attacker() {
            self.admit_attacker(&name)?;
        }
        let scope = self.introduce(&name);
        let id = scope.node();
        self.push_node(name, scope, Box::new(node));
        Ok(id)
    }

    /// Lays a cable from `a` (its first end) to `b` (its second).
    pub fn connect(
        &mut self,
        a: impl Into<Plug>,
        b: impl Into<Plug>,
        cable: Cable,
    ) -> Result<CableHandle, TopologyError> {
        let a = self.find_port(&a.into(), None)?;
        let b = self.find_port(&b.into(), Some(a))?;
        let index = self.cables.len();
        let name = format!("{} <-> {}", self.nodes[a.0].name, self.nodes[b.0].name);
        if cable.injects() {
            self.admit_attacker(&name)?;
        }
        // A second cable between the same two has faults and dice of its own.
        let twins = self.cable_names.entry(name.clone()).or_default();
        *twins += 1;
        let name = if *twins == 1 { name } else { format!("{name} #{twins}") };
        let scope = self.introduce(&name);
        let handle = CableHandle::new(cable, index, name, scope, self.seed, self.carriers.clone());
        for ((node, port), way) in [(a, Way::There), (b, Way::Back)] {
            let slot = &mut self.nodes[node];
            slot.cables.insert(port, (index, way));
            slot.plugged = slot.cables.keys().copied().collect();
        }
        self.cables.push(Laid { handle: handle.clone(), ends: [a, b] });
        Ok(handle)
    }

    fn free_name(&self, name: &str) -> Result<String, TopologyError> {
        if self.nodes.iter().any(|slot| slot.name == name) {
            return Err(TopologyError::NameTaken(name.to_owned()));
        }
        Ok(name.to_owned())
    }

    /// Tells the journal of a node or a cable.
    fn introduce(&self, name: &str) -> Scope {
        self.scope(self.journal.node(self.clock.now(), name))
    }

    fn scope(&self, node: NodeId) -> Scope {
        Scope::new(self.journal.clone(), Arc::clone(&self.clock) as Arc<dyn Clock>, node)
    }

    fn push_node(&mut self, name: String, scope: Scope, mut node: Box<dyn Node>) {
        node.attach(self.schedule.add());
        self.nodes.push(Slot { name, scope, node, cables: BTreeMap::new(), plugged: Vec::new() });
    }

    /// The node and the port that a plug fits into; `taken` is where the cable's first end is.
    fn find_port(&self, plug: &Plug, taken: Option<(usize, usize)>) -> Result<(usize, usize), TopologyError> {
        let is_meant = |slot: &Slot| match &plug.node {
            PlugNode::Id(id) => slot.scope.node() == *id,
            PlugNode::Name(name) => slot.name == *name,
        };
        let Some(index) = self.nodes.iter().position(is_meant) else {
            return Err(TopologyError::UnknownNode(match &plug.node {
                PlugNode::Id(id) => format!("number {}", id.0),
                PlugNode::Name(name) => format!("named {name}"),
            }));
        };
        let slot = &self.nodes[index];
        let ports = slot.node.ports();
        let is_free = |port: &usize| !slot.cables.contains_key(port) && taken != Some((index, *port));
        let bad = |port, why| TopologyError::BadPort { node: slot.name.clone(), port, why };
        match plug.port {
            Some(port) if port >= ports => Err(bad(port, "not there")),
            Some(port) if !is_free(&port) => Err(bad(port, "taken by another cable")),
            Some(port) => Ok((index, port)),
            None => match (0..ports).find(is_free) {
                Some(port) => Ok((index, port)),
                None => Err(TopologyError::NoFreePort { node: slot.name.clone(), ports }),
            },
        }
    }
}
