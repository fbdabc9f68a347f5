//! Where in the lab frames are captured: what `--capture-at` says, as places that views know.

use crate::failure::usage;
use glasstack::lab::Lab;
use glasstack::sim::topology::{CableSpec, Topology};
use glasstack::views::Points;
use std::collections::BTreeMap;

/// The places of a run whose frames are captured.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    places: Vec<String>,
    /// The cables among them.
    cables: Vec<String>,
}

impl Captures {
    /// What the options say, in the words of the network; `all` is every cable. If they say nothing:
    /// the user's own host, and what the topology itself says.
    pub(crate) fn choose(said: &[String], topology: &Topology, client: &str) -> anyhow::Result<Self> {
        let cables = named(topology);
        let mut captures = Self::default();
        if said.is_empty() {
            captures.places.push(client.to_owned());
            let marked = cables.iter().filter(|(_, spec)| spec.capture);
            marked.for_each(|(name, _)| captures.add_cable(name));
        }
        for place in said {
            captures.add(place, topology, &cables)?;
        }
        Ok(captures)
    }

    fn add(
        &mut self,
        place: &str,
        topology: &Topology,
        cables: &[(String, &CableSpec)],
    ) -> anyhow::Result<()> {
        let ends_at = |spec: &CableSpec, node: &str| spec.between.iter().any(|end| end.node == node);
        if place == "all" {
            cables.iter().for_each(|(name, _)| self.add_cable(name));
        } else if let Some(name) = cable_called(place, cables) {
            self.add_cable(name);
        } else if ports_of(place, topology).is_some() {
            self.places.push(place.to_owned());
        } else if let Some((node, port)) = place.rsplit_once(':')
            && let Some(ports) = ports_of(node, topology)
        {
            self.places.push(port_called(node, port, ports)?);
        } else if topology.switches.contains_key(place) {
            // A switch has no card of its own: what passes it passes its cables.
            let its = cables.iter().filter(|(_, spec)| ends_at(spec, place));
            its.for_each(|(name, _)| self.add_cable(name));
        } else {
            return Err(nowhere(place, topology, cables));
        }
        Ok(())
    }

    fn add_cable(&mut self, name: &str) {
        self.places.push(name.to_owned());
        self.cables.push(name.to_owned());
    }

    /// For the view that writes them.
    pub(crate) fn points(&self) -> Points {
        if self.cables.is_empty() && self.places.iter().all(|place| !place.contains(':')) {
            Points::Nodes(self.places.clone())
        } else {
            Points::Only(self.places.clone())
        }
    }

    /// The cables begin to tell what passes them.
    pub(crate) fn begin(&self, lab: &Lab) {
        for cable in lab.network.cables().filter(|cable| self.cables.contains(&cable.name())) {
            cable.capture();
        }
    }
}

/// The cables by their names: `a <-> b`, the second between the same two `a <-> b #2`.
fn named(topology: &Topology) -> Vec<(String, &CableSpec)> {
    let mut twins: BTreeMap<String, usize> = BTreeMap::new();
    let name = |spec: &CableSpec| {
        let [first, second] = &spec.between;
        let name = format!("{} <-> {}", first.node, second.node);
        let twin = twins.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *twin == 1 { name } else { format!("{name} #{twin}") }
    };
    let names: Vec<String> = topology.cables.iter().map(name).collect();
    names.into_iter().zip(&topology.cables).collect()
}

/// The cable that is meant, from whichever end it is said.
fn cable_called<'a>(place: &str, cables: &'a [(String, &CableSpec)]) -> Option<&'a str> {
    let (one, rest) = place.split_once("<->")?;
    let (other, twin) =
        rest.split_once('#').map_or((rest, String::new()), |(other, twin)| (other, format!(" #{twin}")));
    let (one, other) = (one.trim(), other.trim());
    let spellings = [format!("{one} <-> {other}{twin}"), format!("{other} <-> {one}{twin}")];
    cables
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| spellings.iter().any(|spelling| spelling == name))
}

/// How many ports a host or a router has.
fn ports_of(node: &str, topology: &Topology) -> Option<usize> {
    let router = || topology.routers.get(node).map(|router| router.ports.len());
    topology.hosts.get(node).map(|_| 1).or_else(router)
}

/// `home:eth1`, whether said so or as in a topology, `home:1`.
fn port_called(node: &str, port: &str, ports: usize) -> anyhow::Result<String> {
    let names: Vec<String> = (0..ports).map(|number| format!("{node}:eth{number}")).collect();
    let number = port.strip_prefix("eth").unwrap_or(port).parse::<usize>().ok();
    let name = number.and_then(|number| names.get(number));
    name.cloned().ok_or_else(|| {
        usage(format!("--capture-at: `{node}` has no port `{port}`; there are: {}", names.join(", ")))
    })
}

fn nowhere(place: &str, topology: &Topology, cables: &[(String, &CableSpec)]) -> anyhow::Error {
    let cables: Vec<&str> = cables.iter().map(|(name, _)| name.as_str()).collect();
    let nodes = [
        topology.hosts.keys().cloned().collect::<Vec<_>>(),
        topology.switches.keys().cloned().collect(),
        topology.routers.keys().cloned().collect(),
    ]
    .concat();
    let ends: Vec<&str> = place.split("<->").map(str::trim).collect();
    let near: Vec<&str> = cables
        .iter()
        .filter(|name| ends.iter().any(|end| name.split(' ').any(|word| word == *end)))
        .copied()
        .collect();
    let known = if near.is_empty() { nodes.join(", ") } else { near.join(", ") };
    usage(format!("--capture-at: there is no `{place}` in this network; there are: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(said: &[&str]) -> anyhow::Result<Captures> {
        let topology = Topology::parse(
            r#"
            [host.a]
            address = "10.0.0.1/24"
            [host.b]
            address = "10.0.0.2/24"
            [switch.s]
            [router.r]
            ports = [{ address = "10.0.0.3/24" }]
            [[cable]]
            between = ["a", "s"]
            [[cable]]
            between = ["b", "s"]
            capture = true
            [[cable]]
            between = ["s", "r:0"]
            "#,
        )?;
        let said: Vec<String> = said.iter().map(|place| (*place).to_owned()).collect();
        Captures::choose(&said, &topology, "a")
    }

    #[test]
    fn places_are_nodes_ports_and_cables_from_either_end() {
        let places = |said: &[&str]| choose(said).unwrap().places;
        assert_eq!(places(&[]), ["a", "b <-> s"]);
        assert_eq!(places(&["s<->a", "r:eth0"]), ["a <-> s", "r:eth0"]);
        assert_eq!(places(&["all"]), ["a <-> s", "b <-> s", "s <-> r"]);
        assert_eq!(places(&["s", "b"]), ["a <-> s", "b <-> s", "s <-> r", "b"]);
    }

    #[test]
    fn ports_are_called_as_in_captures_or_as_in_topologies() {
        assert_eq!(choose(&["r:0", "r:eth0", "b:0"]).unwrap().places, ["r:eth0", "r:eth0", "b:eth0"]);
        for port in ["r:7", "r:eth1", "r:", "r:wlan0"] {
            let told = choose(&[port]).unwrap_err().to_string();
            assert!(told.contains("`r` has no port") && told.ends_with("there are: r:eth0"), "{told}");
        }
    }

    #[test]
    fn what_is_nowhere_is_told_with_what_is_there() {
        let told = choose(&["a <-> b"]).unwrap_err().to_string();
        assert!(told.contains("a <-> s, b <-> s"), "{told}");
        let told = choose(&["c"]).unwrap_err().to_string();
        assert!(told.contains("a, b, s, r"), "{told}");
    }
}
