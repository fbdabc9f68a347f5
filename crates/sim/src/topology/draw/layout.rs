//! Where everything is on the page: routers and switches in layers, the core on top, each above what hangs
//! on it; hosts as cards in columns, their cables as a comb.
//!
//! ```text
//!              ( core )
//!         .------+ | +-------.        tracks: one cable each, none crosses another
//!         |        |         |        drops: what is written about the cable
//!     [ switch ] ( router )  |
//!       |          |         +- card
//!       +- card   ...        +- card
//! ```
//!
//! Every subtree has a strip of the page for itself, as wide as what is written in it may be, so that no
//! two things overlap. Lengths are in units of the drawing, about a pixel each.

use super::labels;
use super::strip::{
    BACK, CARD_GAP, CARD_HEIGHT, CARD_WIDTH, COLUMN_GAP, NODE_HEIGHT, PORT_GAP, Strip, TEETH, TRACK,
};
use super::tree::{Forest, Hung};
use super::wording::{LINE, SMALL, TITLE, WireWords, width};
use crate::topology::Topology;
use crate::topology::wiring::Socket;

pub(super) const MARGIN: i64 = 32;
/// Title and census.
pub(super) const HEAD: i64 = 84;

/// The words and pictures to the right of the census, all of them.
const LEGEND: i64 = 420;

/// A point: to the right, and down.
pub(super) type Point = (i64, i64);

/// Everything on the page.
pub(super) struct Page<'a> {
    pub(super) width: i64,
    pub(super) height: i64,
    /// Where there is room for what is said about cables beside which there is none.
    pub(super) foot: i64,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) cards: Vec<Card<'a>>,
    pub(super) wires: Vec<Wire<'a>>,
}

/// A router or a switch (or a host that more hangs on), from its upper left corner.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) at: Point,
    pub(super) width: i64,
    /// Where cables leave downwards.
    pub(super) ports: Vec<i64>,
}

/// A host, from its upper left corner.
pub(super) struct Card<'a> {
    pub(super) name: &'a str,
    pub(super) at: Point,
    pub(super) hung: Option<Hung<'a>>,
}

/// A cable, or the back of a comb, which is several.
pub(super) struct Wire<'a> {
    /// The corners of its way.
    pub(super) points: Vec<Point>,
    pub(super) what: Carries<'a>,
}

pub(super) enum Carries<'a> {
    /// The cables of a column of hosts.
    Column,
    /// A cable, its socket at the upper or left end, and that at the other.
    Cable { cable: usize, from: Socket<'a>, to: Socket<'a>, way: Way },
}

impl Wire<'_> {
    /// Whether it is drawn behind everything else.
    pub(super) fn is_behind(&self) -> bool {
        matches!(self.what, Carries::Cable { way: Way::Behind, .. })
    }

    /// Whether there is no room for words beside it.
    pub(super) fn is_mute(&self) -> bool {
        matches!(self.what, Carries::Cable { way: Way::Behind | Way::Short, .. })
    }
}

/// How a cable runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Down to a node, with room for words beside it.
    Down,
    /// From a comb's back to a card.
    Tooth,
    /// Between two neighbours of one layer, with so much room between.
    Across,
    /// Between two neighbours that are too near to each other for words.
    Short,
    /// Anywhere, behind everything else.
    Behind,
}

impl<'a> Page<'a> {
    pub(super) fn of(topology: &'a Topology, forest: &Forest<'a>) -> Self {
        let strips: Vec<_> =
            forest.trees.iter().map(|tree| Strip::of(topology, tree, &forest.besides)).collect();
        let mut layers = Vec::new();
        strips.iter().for_each(|strip| strip.layers(0, &mut layers));
        let mut tops = vec![HEAD];
        for gap in layers {
            tops.push(tops.last().copied().unwrap_or(HEAD) + NODE_HEIGHT + gap);
        }
        let mut page =
            Self { width: 0, height: 0, foot: 0, nodes: Vec::new(), cards: Vec::new(), wires: Vec::new() };
        let drawing = strips.iter().map(|strip| strip.width + 2 * COLUMN_GAP).sum::<i64>() - 2 * COLUMN_GAP;
        let title = topology.title.as_deref().unwrap_or_default();
        // The census and the legend stand side by side, the title above them.
        let head = width(&labels::census(topology), SMALL) + LEGEND + MARGIN;
        page.width = drawing.max(head).max(width(title, TITLE)) + 2 * MARGIN;
        let mut x = (page.width - drawing) / 2;
        for strip in &strips {
            page.place(strip, x, 0, &tops);
            x += strip.width + 2 * COLUMN_GAP;
        }
        for (cable, ends) in &forest.besides {
            page.lay_besides(topology, *cable, *ends);
        }
        let cards = page.cards.iter().map(|card| card.at.1 + CARD_HEIGHT);
        let bottoms = cards.chain(page.nodes.iter().map(|node| node.at.1 + NODE_HEIGHT));
        page.foot = bottoms.max().unwrap_or(HEAD) + MARGIN;
        let mute = page.wires.iter().filter(|wire| wire.is_mute()).count() as i64;
        page.height = page.foot + mute * LINE + MARGIN.min(mute * MARGIN);
        page
    }

    /// Puts a subtree into its strip, which begins at `x`.
    fn place(&mut self, strip: &Strip<'a, '_>, x: i64, depth: usize, tops: &[i64]) {
        let top = |depth: usize| tops.get(depth).or(tops.last()).copied().unwrap_or(HEAD);
        let (y, below) = (top(depth), top(depth + 1));
        for (inner, left) in strip.inner.iter().zip(&strip.lefts) {
            self.place(inner, x + left, depth + 1, tops);
        }
        for (column, left) in strip.columns.iter().zip(&strip.lefts[strip.inner.len()..]) {
            self.place_column(column, x + left, below);
        }
        let middle = x + strip.middle;
        let anchors: Vec<_> = strip.anchors().map(|anchor| x + anchor).collect();
        let ports = ports(middle, &anchors);
        self.route(strip, &ports, &anchors, y + NODE_HEIGHT, below);
        let at = (middle - strip.node / 2, y);
        self.nodes.push(Node { name: strip.branch.name, at, width: strip.node, ports });
    }

    /// Cards one below the other.
    fn place_column(&mut self, column: &[(&'a str, Hung<'a>)], x: i64, top: i64) {
        for (row, (name, hung)) in (0..).zip(column) {
            let at = (x + TEETH, top + row * (CARD_HEIGHT + CARD_GAP));
            let y = at.1 + CARD_HEIGHT / 2;
            let what = Carries::Cable { cable: hung.cable, from: hung.parent, to: hung.own, way: Way::Tooth };
            self.wires.push(Wire { points: vec![(x + BACK, y), (at.0, y)], what });
            self.cards.push(Card { name, at, hung: Some(*hung) });
        }
    }

    /// From ports to what is below, each on a track of its own: of those that go to the left the leftmost
    /// has the highest, of those that go to the right the rightmost.
    fn route(&mut self, strip: &Strip<'a, '_>, ports: &[i64], anchors: &[i64], from: i64, to: i64) {
        for (index, (port, anchor)) in ports.iter().zip(anchors).enumerate() {
            let track = track(index, ports, anchors);
            let turn = from + 12 + track * TRACK;
            let column = index.checked_sub(strip.inner.len()).and_then(|column| strip.columns.get(column));
            let (end, what) = match (strip.inner.get(index).and_then(|inner| inner.branch.up), column) {
                (Some(hung), _) => {
                    let way = Way::Down;
                    (to, Carries::Cable { cable: hung.cable, from: hung.parent, to: hung.own, way })
                }
                (None, column) => {
                    let rows = column.map_or(1, |column| column.len()) as i64;
                    (to + (rows - 1) * (CARD_HEIGHT + CARD_GAP) + CARD_HEIGHT / 2, Carries::Column)
                }
            };
            let points = match port == anchor {
                true => vec![(*port, from), (*anchor, end)],
                false => vec![(*port, from), (*port, turn), (*anchor, turn), (*anchor, end)],
            };
            self.wires.push(Wire { points, what });
        }
    }

    /// A cable that is in no tree: straight across if nothing is between, else behind everything.
    fn lay_besides(&mut self, topology: &Topology, cable: usize, [first, second]: [Socket<'a>; 2]) {
        let place = |name: &str| {
            let node = self
                .nodes
                .iter()
                .find(|node| node.name == name)
                .map(|node| (node.at, node.width, NODE_HEIGHT));
            let card = || {
                self.cards
                    .iter()
                    .find(|card| card.name == name)
                    .map(|card| (card.at, CARD_WIDTH, CARD_HEIGHT))
            };
            node.or_else(card)
        };
        let (Some(a), Some(b)) = (place(first.node), place(second.node)) else { return };
        let (from, to, a, b) = if a.0.0 <= b.0.0 { (first, second, a, b) } else { (second, first, b, a) };
        let start = (a.0.0 + a.1, a.0.1 + a.2 / 2);
        let end = (b.0.0, b.0.1 + b.2 / 2);
        let is_between = |at: Point, width: i64, height: i64| {
            at.0 < end.0 && at.0 + width > start.0 && at.1 - 20 < start.1 && at.1 + height + 20 > start.1
        };
        let is_free = !self.nodes.iter().any(|node| is_between(node.at, node.width, NODE_HEIGHT))
            && !self.cards.iter().any(|card| is_between(card.at, CARD_WIDTH, CARD_HEIGHT))
            && !self.wires.iter().any(|wire| {
                matches!(wire.what, Carries::Cable { way: Way::Across | Way::Short, .. })
                    && wire.points.first() == Some(&start)
            });
        let room = WireWords::of(topology, cable, from, to).width_across();
        let way = match start.1 == end.1 && start.0 < end.0 && is_free {
            true if start.0 + room <= end.0 => Way::Across,
            true => Way::Short,
            false => Way::Behind,
        };
        let points = match way {
            // Out of the lower edges, so that it is seen that it leads somewhere else.
            Way::Behind if start.1 == end.1 => {
                let down = a.2 / 2;
                vec![(start.0 - a.1 / 4, start.1 + down), (end.0 + b.1 / 4, end.1 + down)]
            }
            _ => vec![start, end],
        };
        self.wires.push(Wire { points, what: Carries::Cable { cable, from, to, way } });
    }
}

/// Side by side under the middle of a node, in the order of what they lead to. A lone one is right above it
/// if the node is.
fn ports(middle: i64, anchors: &[i64]) -> Vec<i64> {
    let count = anchors.len() as i64;
    (0..count).map(|n| middle - (count - 1) * PORT_GAP / 2 + n * PORT_GAP).collect()
}

/// The track of one of the cables under a node, from the top.
fn track(index: usize, ports: &[i64], anchors: &[i64]) -> i64 {
    let goes_left = |n: &usize| anchors[*n] < ports[*n];
    let goes_right = |n: &usize| anchors[*n] > ports[*n];
    let others = if goes_left(&index) {
        (0..index).filter(goes_left).count()
    } else {
        (index + 1..ports.len()).filter(goes_right).count()
    };
    others as i64
}
