//! What hangs where: a spanning tree of the routers and switches from the core outwards, with the hosts
//! as its leaves, and the cables that are not in it.

use crate::topology::Topology;
use crate::topology::wiring::{Socket, Wiring};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A node and what hangs on it.
pub(super) struct Branch<'a> {
    pub(super) name: &'a str,
    /// The cable that it hangs on; none for the root.
    pub(super) up: Option<Hung<'a>>,
    /// Routers and switches, in the order of the cables.
    pub(super) branches: Vec<Branch<'a>>,
    /// Hosts, likewise.
    pub(super) leaves: Vec<(&'a str, Hung<'a>)>,
}

/// The cable that a node hangs on.
#[derive(Clone, Copy)]
pub(super) struct Hung<'a> {
    /// Its index.
    pub(super) cable: usize,
    /// Where it is plugged in at the parent.
    pub(super) parent: Socket<'a>,
    /// Where it is plugged in at the node itself.
    pub(super) own: Socket<'a>,
}

/// The whole: a tree for each part that hangs together, and the cables that are in none.
pub(super) struct Forest<'a> {
    pub(super) trees: Vec<Branch<'a>>,
    pub(super) besides: Vec<(usize, [Socket<'a>; 2])>,
}

/// A cable as seen from one of its ends: its index, this end, the other.
type Edge<'a> = (usize, Socket<'a>, Socket<'a>);

impl<'a> Forest<'a> {
    pub(super) fn of(topology: &'a Topology) -> Self {
        let (wiring, _) = Wiring::of(topology);
        let mut edges: BTreeMap<&'a str, Vec<Edge<'a>>> = BTreeMap::new();
        let names = topology.hosts.keys().chain(topology.switches.keys()).chain(topology.routers.keys());
        for name in names {
            edges.insert(name, Vec::new());
        }
        for (cable, sockets) in wiring.sockets.iter().enumerate() {
            let Some([first, second]) = *sockets else { continue };
            edges.entry(first.node).or_default().push((cable, first, second));
            edges.entry(second.node).or_default().push((cable, second, first));
        }
        let mut grower = Grower { topology, edges, placed: BTreeSet::new(), used: BTreeSet::new() };
        let mut trees = Vec::new();
        while let Some(root) = grower.next_root() {
            trees.push(grower.grow(root));
        }
        let is_besides = |(cable, _): &(usize, &Option<[Socket<'a>; 2]>)| !grower.used.contains(cable);
        let besides = wiring.sockets.iter().enumerate().filter(is_besides);
        let besides = besides.filter_map(|(cable, sockets)| Some((cable, (*sockets)?))).collect();
        Self { trees, besides }
    }
}

struct Grower<'a> {
    topology: &'a Topology,
    edges: BTreeMap<&'a str, Vec<Edge<'a>>>,
    placed: BTreeSet<&'a str>,
    /// Cables that are in a tree.
    used: BTreeSet<usize>,
}

impl<'a> Grower<'a> {
    /// The middle of the next part that is in no tree yet: the router or switch from which the way to
    /// all others is shortest in sum; routers before switches, then by name. A part without either has a
    /// host.
    fn next_root(&self) -> Option<&'a str> {
        let first = *self.edges.keys().find(|name| !self.placed.contains(**name))?;
        let inner: Vec<&'a str> =
            self.reachable(first).into_iter().filter(|name| !self.is_host(name)).collect();
        let number = |name| inner.binary_search(&name).ok();
        let neighbours: Vec<Vec<usize>> = inner
            .iter()
            .map(|name| {
                self.edges.get(name).into_iter().flatten().filter_map(|(_, _, other)| number(other.node))
            })
            .map(Iterator::collect)
            .collect();
        // Of a very large part a sample is good enough: the drawing is none for the wall then.
        let step = inner.len().div_ceil(256).max(1);
        let far = |n: &usize| (far(*n, &neighbours), !self.topology.routers.contains_key(inner[*n]));
        (0..inner.len()).step_by(step).min_by_key(far).map(|n| inner[n]).or(Some(first))
    }

    /// Everything that hangs together with `from`, in the order of names.
    fn reachable(&self, from: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([from]);
        let mut queue = VecDeque::from([from]);
        while let Some(name) = queue.pop_front() {
            for (_, _, other) in self.edges.get(name).into_iter().flatten() {
                if found.insert(other.node) {
                    queue.push_back(other.node);
                }
            }
        }
        found
    }

    fn is_host(&self, name: &str) -> bool {
        self.topology.hosts.contains_key(name)
    }

    /// Breadth first, so that everything hangs as near to the root as its cables allow.
    fn grow(&mut self, root: &'a str) -> Branch<'a> {
        let mut hung: BTreeMap<&'a str, Vec<(&'a str, Hung<'a>)>> = BTreeMap::new();
        let mut queue = VecDeque::from([root]);
        self.placed.insert(root);
        while let Some(name) = queue.pop_front() {
            for (cable, parent, own) in self.edges.get(name).cloned().unwrap_or_default() {
                if self.placed.insert(own.node) {
                    self.used.insert(cable);
                    hung.entry(name).or_default().push((own.node, Hung { cable, parent, own }));
                    queue.push_back(own.node);
                }
            }
        }
        self.branch(root, None, &hung)
    }

    fn branch(
        &self,
        name: &'a str,
        up: Option<Hung<'a>>,
        hung: &BTreeMap<&'a str, Vec<(&'a str, Hung<'a>)>>,
    ) -> Branch<'a> {
        let mut branch = Branch { name, up, branches: Vec::new(), leaves: Vec::new() };
        for (child, cable) in hung.get(name).into_iter().flatten() {
            if self.is_host(child) && !hung.contains_key(child) {
                branch.leaves.push((child, *cable));
            } else {
                branch.branches.push(self.branch(child, Some(*cable), hung));
            }
        }
        branch
    }
}

/// How many cables away all others are, in sum.
fn far(from: usize, neighbours: &[Vec<usize>]) -> usize {
    let mut ways = vec![None; neighbours.len()];
    ways[from] = Some(0);
    let mut queue = VecDeque::from([from]);
    let mut sum = 0;
    while let Some(node) = queue.pop_front() {
        let way = ways[node].unwrap_or(0);
        sum += way;
        for other in &neighbours[node] {
            if ways[*other].is_none() {
                ways[*other] = Some(way + 1);
                queue.push_back(*other);
            }
        }
    }
    sum
}
