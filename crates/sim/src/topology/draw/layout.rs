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
use super::tree::{Branch, Forest, Hung};
use crate::topology::Topology;
use crate::topology::wiring::Socket;

pub(super) const MARGIN: i64 = 32;
/// Title and census.
pub(super) const HEAD: i64 = 84;
pub(super) const CARD_WIDTH: i64 = 204;
pub(super) const CARD_HEIGHT: i64 = 54;
const CARD_GAP: i64 = 8;
/// From a comb's back to its cards.
const TEETH: i64 = 16;
const COLUMN_GAP: i64 = 22;
pub(super) const NODE_HEIGHT: i64 = 50;
const SMALLEST_NODE: i64 = 132;
/// Between two ports of a node.
const PORT_GAP: i64 = 16;
const TRACK: i64 = 9;
/// Hosts in a column at most; more make more columns.
const COLUMN: usize = 8;

/// A point: to the right, and down.
pub(super) type Point = (i64, i64);

/// Everything on the page.
pub(super) struct Page<'a> {
    pub(super) width: i64,
    pub(super) height: i64,
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

/// How a cable runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Down to a node, with room for words beside it.
    Down,
    /// From a comb's back to a card.
    Tooth,
    /// Between two neighbours of one layer, with so much room between.
    Across,
    /// Anywhere, behind everything else.
    Behind,
}

/// A subtree and how wide it is.
struct Strip<'a, 'b> {
    branch: &'b Branch<'a>,
    /// The node's own width.
    node: i64,
    /// The whole's.
    width: i64,
    /// The height of what is written beside its cable.
    drop: i64,
    inner: Vec<Strip<'a, 'b>>,
    columns: Vec<&'b [(&'a str, Hung<'a>)]>,
}

impl<'a> Page<'a> {
    pub(super) fn of(topology: &'a Topology, forest: &Forest<'a>) -> Self {
        let strips: Vec<_> = forest.trees.iter().map(|tree| Strip::of(topology, tree)).collect();
        let mut layers = Vec::new();
        strips.iter().for_each(|strip| strip.layers(0, &mut layers));
        let mut tops = vec![HEAD];
        for gap in layers {
            tops.push(tops.last().copied().unwrap_or(HEAD) + NODE_HEIGHT + gap);
        }
        let mut page = Self { width: 0, height: 0, nodes: Vec::new(), cards: Vec::new(), wires: Vec::new() };
        let mut x = MARGIN;
        for strip in &strips {
            page.place(strip, x, 0, &tops);
            x += strip.width + 2 * COLUMN_GAP;
        }
        for (cable, ends) in &forest.besides {
            page.lay_besides(*cable, *ends);
        }
        let cards = page.cards.iter().map(|card| card.at.1 + CARD_HEIGHT);
        let bottoms = cards.chain(page.nodes.iter().map(|node| node.at.1 + NODE_HEIGHT));
        page.height = bottoms.max().unwrap_or(HEAD) + MARGIN;
        page.width = (x - 2 * COLUMN_GAP + MARGIN).max(520);
        page
    }

    /// Puts a subtree into its strip, which begins at `x`. The middle of its node.
    fn place(&mut self, strip: &Strip<'a, '_>, x: i64, depth: usize, tops: &[i64]) -> i64 {
        let top = |depth: usize| tops.get(depth).or(tops.last()).copied().unwrap_or(HEAD);
        let (y, below) = (top(depth), top(depth + 1));
        let needed = strip.needed();
        let mut left = x + (strip.width - needed) / 2;
        let mut anchors = Vec::new();
        for inner in &strip.inner {
            anchors.push(self.place(inner, left, depth + 1, tops));
            left += inner.width + COLUMN_GAP;
        }
        for column in &strip.columns {
            anchors.push(left + 2);
            self.place_column(column, left, below);
            left += TEETH + CARD_WIDTH + COLUMN_GAP;
        }
        let half = strip.node / 2;
        let middle = match (anchors.first(), anchors.last()) {
            // A lone column hangs under the node's left part, so that its cards are under the node.
            (Some(_), _) if anchors.len() == 1 && strip.inner.is_empty() => x + strip.width / 2,
            (Some(first), Some(last)) => {
                ((first + last) / 2).clamp(x + half, (x + strip.width - half).max(x + half))
            }
            _ => x + strip.width / 2,
        };
        let ports = ports(middle, &anchors);
        self.route(strip, &ports, &anchors, y + NODE_HEIGHT, below);
        self.nodes.push(Node { name: strip.branch.name, at: (middle - half, y), width: strip.node, ports });
        middle
    }

    /// Cards one below the other.
    fn place_column(&mut self, column: &[(&'a str, Hung<'a>)], x: i64, top: i64) {
        for (row, (name, hung)) in (0..).zip(column) {
            let at = (x + TEETH, top + row * (CARD_HEIGHT + CARD_GAP));
            let y = at.1 + CARD_HEIGHT / 2;
            let what = Carries::Cable { cable: hung.cable, from: hung.parent, to: hung.own, way: Way::Tooth };
            self.wires.push(Wire { points: vec![(x + 2, y), (at.0, y)], what });
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
    fn lay_besides(&mut self, cable: usize, [first, second]: [Socket<'a>; 2]) {
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
                matches!(wire.what, Carries::Cable { way: Way::Across, .. })
                    && wire.points.first() == Some(&start)
            });
        let way = if start.1 == end.1 && start.0 < end.0 && is_free { Way::Across } else { Way::Behind };
        self.wires.push(Wire { points: vec![start, end], what: Carries::Cable { cable, from, to, way } });
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

impl<'a, 'b> Strip<'a, 'b> {
    fn of(topology: &Topology, branch: &'b Branch<'a>) -> Self {
        let inner: Vec<_> = branch.branches.iter().map(|inner| Strip::of(topology, inner)).collect();
        let count = branch.leaves.len();
        let columns: Vec<_> = match count {
            0 => Vec::new(),
            _ => branch.leaves.chunks(count.div_ceil(count.div_ceil(rows(count)))).collect(),
        };
        let ports = (inner.len() + columns.len()) as i64;
        let words = node_words(topology, branch.name).iter().map(|(_, width)| *width).max().unwrap_or(0);
        let node = SMALLEST_NODE.max(words + 56).max(ports * PORT_GAP + 32);
        // What is written about its cable stands to the right of the cable, above the node's right half.
        let above = branch
            .up
            .map_or(0, |hung| WireWords::of(topology, hung.cable, hung.parent, hung.own).width() + 14);
        let drop =
            branch.up.map_or(0, |hung| WireWords::of(topology, hung.cable, hung.parent, hung.own).height());
        let mut strip = Self { branch, node, width: 0, drop, inner, columns };
        strip.width = strip.needed().max(node).max(2 * above);
        strip
    }

    /// How much room what is below takes.
    fn needed(&self) -> i64 {
        let inner = self.inner.iter().map(|strip| strip.width);
        let columns = self.columns.iter().map(|_| TEETH + CARD_WIDTH);
        inner.chain(columns).map(|width| width + COLUMN_GAP).sum::<i64>() - COLUMN_GAP
    }

    /// The room between each layer and the next, in which there are tracks and drops.
    fn layers(&self, depth: usize, gaps: &mut Vec<i64>) {
        let below = self.inner.len() + self.columns.len();
        if below == 0 {
            return;
        }
        if gaps.len() <= depth {
            gaps.resize(depth + 1, 0);
        }
        let drop = self.inner.iter().map(|inner| inner.drop).max().unwrap_or(0);
        gaps[depth] = gaps[depth].max(20 + below as i64 * TRACK + drop + 10);
        self.inner.iter().for_each(|inner| inner.layers(depth + 1, gaps));
    }
}

/// How many hosts a column has: few make one column, very many a square.
fn rows(count: usize) -> usize {
    COLUMN.max((count * 3).isqrt())
}

/// The lines in a node, and how wide they are.
pub(super) fn node_words(topology: &Topology, name: &str) -> Vec<(String, i64)> {
    let about = if let Some(router) = topology.routers.get(name) {
        let duties = labels::duties(router).join(", ");
        [duties, router.about.clone().unwrap_or_default()]
    } else if let Some(switch) = topology.switches.get(name) {
        [labels::vlans(switch).join(", "), switch.about.clone().unwrap_or_default()]
    } else {
        [topology.hosts.get(name).map(labels::address).unwrap_or_default(), String::new()]
    };
    let about = about.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" - ");
    let about = cut(&about, 36);
    let small = width(&about, SMALL);
    vec![(name.to_owned(), width(name, BOLD)), (about, small)]
}

/// The lines beside a cable.
pub(super) struct WireWords {
    /// The address at its upper or left end.
    pub(super) from: String,
    /// What it is like.
    pub(super) like: Vec<String>,
    /// The address at its other end.
    pub(super) to: String,
}

/// The height of a line beside a cable.
pub(super) const LINE: i64 = 16;

impl WireWords {
    pub(super) fn of(topology: &Topology, cable: usize, from: Socket<'_>, to: Socket<'_>) -> Self {
        let address = |socket| topology.address_at(socket).unwrap_or_default();
        let like = topology.cables.get(cable).map(labels::cable).unwrap_or_default();
        let like = like.split(", ").map(|line| cut(line, 36)).collect();
        Self { from: address(from), like, to: address(to) }
    }

    fn lines(&self) -> impl Iterator<Item = &String> {
        let lines = [&self.from].into_iter().chain(&self.like).chain([&self.to]);
        lines.filter(|line| !line.is_empty())
    }

    fn width(&self) -> i64 {
        self.lines().map(|line| width(line, SMALL)).max().unwrap_or(0)
    }

    fn height(&self) -> i64 {
        self.lines().count() as i64 * LINE
    }
}

/// The widths of letters, in tenths of a unit: wide enough for any common font.
pub(super) const SMALL: i64 = 63;
pub(super) const BOLD: i64 = 82;

/// How wide a line may come out.
pub(super) fn width(text: &str, letter: i64) -> i64 {
    (text.chars().count() as i64 * letter).div_euclid(10)
}

/// A line of at most `most` letters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.chars().count() <= most {
        true => text.to_owned(),
        false => text.chars().take(most.saturating_sub(1)).collect::<String>().trim_end().to_owned() + "…",
    }
}
