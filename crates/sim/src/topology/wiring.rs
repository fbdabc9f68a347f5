//! Which cable is in which port, and who can hear whom without a router between.

use super::problem::{Place, Problem, list, nearest};
use super::{End, Topology};
use crate::switch::Vlan;
use std::collections::{BTreeMap, BTreeSet};

/// A port of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Socket<'a> {
    pub(super) node: &'a str,
    pub(super) port: usize,
}

/// Every cable's two sockets, in the order of the cables; none for a cable that does not fit.
pub(super) struct Wiring<'a> {
    pub(super) sockets: Vec<Option<[Socket<'a>; 2]>>,
}

/// How many ports a node has.
pub(super) enum Ports {
    /// A host's one card.
    One,
    /// A router's.
    Some(usize),
    /// A switch has as many as are needed.
    Any,
}

impl<'a> Wiring<'a> {
    /// Finds a port for each end: those that are said first, then the lowest free ones for the others,
    /// in the order of the cables.
    pub(super) fn of(topology: &'a Topology) -> (Self, Vec<Problem>) {
        let mut wirer =
            Wirer { topology, taken: BTreeMap::new(), lowest: BTreeMap::new(), problems: Vec::new() };
        let ends: Vec<[&End; 2]> = topology.cables.iter().map(|cable| cable.between.each_ref()).collect();
        let said: Vec<_> = (0..).zip(&ends).map(|(cable, ends)| wirer.said(cable, *ends)).collect();
        let sockets = (0..).zip(&ends).zip(said).map(|((cable, ends), said)| wirer.rest(cable, *ends, said?));
        let sockets: Vec<_> = sockets.collect();
        let mut problems = wirer.problems;
        if !problems.is_empty() {
            // A cable that does not fit may be the one that a host lacks.
            return (Self { sockets }, problems);
        }
        let lonely =
            topology.hosts.keys().filter(|name| !ends.iter().flatten().any(|end| end.node == **name));
        problems.extend(lonely.map(|name| {
            let place = Place::top("host").at(name.as_str());
            Problem::new(
                place,
                format!("host `{name}` has no cable"),
                format!("add [[cable]] between = [\"{name}\", ...]"),
            )
        }));
        (Self { sockets }, problems)
    }

    /// Who hears whom: sets of the sockets of hosts and routers, joined by cables, switches and VLANs.
    pub(super) fn links(&self, topology: &'a Topology) -> Vec<BTreeSet<Socket<'a>>> {
        let mut joined = Joined::default();
        for [first, second] in self.sockets.iter().flatten() {
            let (first, second) = (Taps::of(*first, topology), Taps::of(*second, topology));
            if let (Some(a), Some(b)) = (first.untagged, second.untagged) {
                joined.join(a, b);
            }
            for id in first.tagged.iter().filter(|id| second.tagged.contains(id)) {
                joined.join(Tap::Vlan(first.node, *id), Tap::Vlan(second.node, *id));
            }
        }
        joined.links()
    }
}

struct Wirer<'a> {
    topology: &'a Topology,
    /// By which cable.
    taken: BTreeMap<Socket<'a>, usize>,
    /// Below this port none of a node's is free.
    lowest: BTreeMap<&'a str, usize>,
    problems: Vec<Problem>,
}

impl<'a> Wirer<'a> {
    /// The ports that are said. None if the cable does not fit.
    fn said(&mut self, cable: usize, ends: [&'a End; 2]) -> Option<[Option<Socket<'a>>; 2]> {
        let place = Place::top("cable").at(cable).at("between");
        let mut sockets = [None, None];
        let mut fits = true;
        for (index, end) in ends.into_iter().enumerate() {
            match self.end(cable, end) {
                Ok(socket) => sockets[index] = socket,
                Err((what, cure)) => {
                    self.problems.push(Problem::new(place.at(index), what, cure));
                    fits = false;
                }
            }
        }
        if fits && ends[0].node == ends[1].node {
            let what = format!("both ends of this cable are at `{}`", ends[0].node);
            self.problems.push(Problem::new(place, what, "a cable connects two nodes"));
            fits = false;
        }
        fits.then_some(sockets)
    }

    fn end(&mut self, cable: usize, end: &'a End) -> Result<Option<Socket<'a>>, (String, String)> {
        let node = end.node.as_str();
        let Some(ports) = self.topology.ports_of(node) else {
            let topology = self.topology;
            let names = topology.hosts.keys().chain(topology.switches.keys()).chain(topology.routers.keys());
            let names = names.map(String::as_str);
            let cure = match nearest(node, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", list(names)),
            };
            return Err((format!("no host, switch or router is named `{node}`"), cure));
        };
        let Some(port) = end.port else { return Ok(None) };
        let last = match ports {
            Ports::One => Some(0),
            Ports::Some(count) => count.checked_sub(1),
            Ports::Any => Some(usize::MAX),
        };
        if last.is_none_or(|last| port > last) {
            let cure = match ports {
                Ports::One => format!("a host has one port: write \"{node}\""),
                _ => match last {
                    Some(last) => format!("its ports are 0 to {last}"),
                    None => "it has no ports".to_owned(),
                },
            };
            return Err((format!("`{node}` has no port {port}"), cure));
        }
        let socket = Socket { node, port };
        match self.taken.get(&socket) {
            Some(by) => Err((format!("port {port} of `{node}` is taken"), self.by(*by))),
            None => {
                self.taken.insert(socket, cable);
                Ok(Some(socket))
            }
        }
    }

    /// The lowest free ports for the ends that say none.
    fn rest(
        &mut self,
        cable: usize,
        ends: [&'a End; 2],
        said: [Option<Socket<'a>>; 2],
    ) -> Option<[Socket<'a>; 2]> {
        let mut sockets = Vec::new();
        for (index, (end, said)) in ends.into_iter().zip(said).enumerate() {
            match said.map_or_else(|| self.lowest_free(&end.node), Ok) {
                Ok(socket) => {
                    self.taken.insert(socket, cable);
                    sockets.push(socket);
                }
                Err((what, cure)) => {
                    let place = Place::top("cable").at(cable).at("between").at(index);
                    self.problems.push(Problem::new(place, what, cure));
                }
            }
        }
        <[_; 2]>::try_from(sockets).ok()
    }

    fn lowest_free(&mut self, node: &'a str) -> Result<Socket<'a>, (String, String)> {
        let count = match self.topology.ports_of(node) {
            Some(Ports::Any) => usize::MAX,
            Some(Ports::Some(count)) => count,
            _ => 1,
        };
        // No port is ever given back, so below the last that was found none is free.
        let from = self.lowest.get(node).copied().unwrap_or(0);
        if let Some(port) = (from..count).find(|port| !self.taken.contains_key(&Socket { node, port: *port }))
        {
            self.lowest.insert(node, port);
            return Ok(Socket { node, port });
        }
        let what = match count {
            1 => format!("the port of `{node}` is taken"),
            _ => format!("all {count} ports of `{node}` are taken"),
        };
        let cure = match self.taken.get(&Socket { node, port: 0 }) {
            Some(by) if count == 1 => self.by(*by),
            _ => "put a switch between, or give it one more port".to_owned(),
        };
        Err((what, cure))
    }

    fn by(&self, cable: usize) -> String {
        match self.topology.cables.get(cable) {
            Some(other) => {
                format!("by the cable between \"{}\" and \"{}\"", other.between[0], other.between[1])
            }
            None => String::new(),
        }
    }
}

impl Topology {
    /// How many ports the node of this name has; none if there is no such node.
    pub(super) fn ports_of(&self, node: &str) -> Option<Ports> {
        if self.hosts.contains_key(node) {
            Some(Ports::One)
        } else if self.switches.contains_key(node) {
            Some(Ports::Any)
        } else {
            self.routers.get(node).map(|router| Ports::Some(router.ports.len()))
        }
    }
}

/// Where frames come out of a cable's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tap<'a> {
    Station(Socket<'a>),
    Vlan(&'a str, u16),
}

/// What a socket does with frames with and without tags.
struct Taps<'a> {
    node: &'a str,
    untagged: Option<Tap<'a>>,
    tagged: Vec<u16>,
}

impl<'a> Taps<'a> {
    fn of(socket: Socket<'a>, topology: &'a Topology) -> Self {
        let Socket { node, port } = socket;
        let (untagged, tagged) = match topology.switches.get(node).map(|switch| switch.vlans.get(&port)) {
            None => (Some(Tap::Station(socket)), Vec::new()),
            Some(None) => (Some(Tap::Vlan(node, 1)), Vec::new()),
            Some(Some(Vlan::Access(id))) => (Some(Tap::Vlan(node, *id)), Vec::new()),
            Some(Some(Vlan::Trunk { native, tagged })) => {
                (native.map(|id| Tap::Vlan(node, id)), tagged.clone())
            }
        };
        Self { node, untagged, tagged }
    }
}

/// Sets that grow together.
#[derive(Default)]
struct Joined<'a> {
    numbers: BTreeMap<Tap<'a>, usize>,
    parents: Vec<usize>,
}

impl<'a> Joined<'a> {
    fn join(&mut self, a: Tap<'a>, b: Tap<'a>) {
        let (a, b) = (self.number(a), self.number(b));
        let (a, b) = (self.root(a), self.root(b));
        self.parents[b] = a;
    }

    fn number(&mut self, tap: Tap<'a>) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(tap).or_insert(next);
        if number == next {
            self.parents.push(number);
        }
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn links(mut self) -> Vec<BTreeSet<Socket<'a>>> {
        let mut links: BTreeMap<usize, BTreeSet<Socket<'a>>> = BTreeMap::new();
        for (tap, number) in std::mem::take(&mut self.numbers) {
            if let Tap::Station(socket) = tap {
                let root = self.root(number);
                links.entry(root).or_default().insert(socket);
            }
        }
        links.into_values().collect()
    }
}
