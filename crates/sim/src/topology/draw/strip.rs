//! How wide the subtrees are: every one has a strip of the page for itself, in which nothing overlaps.

use super::tree::{Branch, Hung};
use super::wording::{WireWords, node_words};
use crate::topology::Topology;
use crate::topology::wiring::Socket;

pub(super) const CARD_WIDTH: i64 = 204;
pub(super) const CARD_HEIGHT: i64 = 54;
pub(super) const CARD_GAP: i64 = 8;
/// From the left of a column to the back of its comb, and to its cards.
pub(super) const BACK: i64 = 2;
pub(super) const TEETH: i64 = 16;
pub(super) const COLUMN_GAP: i64 = 22;
pub(super) const NODE_HEIGHT: i64 = 50;
const SMALLEST_NODE: i64 = 132;
/// Between two ports of a node.
pub(super) const PORT_GAP: i64 = 16;
/// Between two cables side by side.
pub(super) const TRACK: i64 = 9;
/// Hosts in a column at most; more make more columns.
const COLUMN: usize = 8;

/// A subtree and how wide it is. Lengths are counted from its left.
pub(super) struct Strip<'a, 'b> {
    pub(super) branch: &'b Branch<'a>,
    /// The node's own width.
    pub(super) node: i64,
    /// Where the node's middle is.
    pub(super) middle: i64,
    /// The whole's width.
    pub(super) width: i64,
    /// The height of what is written beside its cable.
    drop: i64,
    /// Subtrees in it.
    pub(super) inner: Vec<Strip<'a, 'b>>,
    /// Hosts in it.
    pub(super) columns: Vec<&'b [(&'a str, Hung<'a>)]>,
    /// Where the subtrees and then the columns begin.
    pub(super) lefts: Vec<i64>,
}

/// A cable that is in no tree, and its ends.
type Besides<'a> = (usize, [Socket<'a>; 2]);

impl<'a, 'b> Strip<'a, 'b> {
    pub(super) fn of(topology: &Topology, branch: &'b Branch<'a>, besides: &[Besides<'a>]) -> Self {
        let inner: Vec<_> = branch.branches.iter().map(|inner| Strip::of(topology, inner, besides)).collect();
        let count = branch.leaves.len();
        let columns: Vec<_> = match count {
            0 => Vec::new(),
            _ => branch.leaves.chunks(count.div_ceil(count.div_ceil(rows(count)))).collect(),
        };
        let ports = (inner.len() + columns.len()) as i64;
        let words = node_words(topology, branch.name).iter().map(|(_, width)| *width).max().unwrap_or(0);
        let node = SMALLEST_NODE.max(words + 56).max(ports * PORT_GAP + 32);
        let above = branch.up.map(|hung| WireWords::of(topology, hung.cable, hung.parent, hung.own));
        let drop = above.as_ref().map_or(0, WireWords::height);
        let mut strip = Self { branch, node, middle: 0, width: 0, drop, inner, columns, lefts: Vec::new() };
        strip.arrange(topology, besides, above.map_or(0, |words| words.width() + 14));
        strip
    }

    /// Puts what hangs on the node side by side and the node above its middle. What is written beside the
    /// node's own cable stands to the right of it and is `above` wide.
    fn arrange(&mut self, topology: &Topology, besides: &[Besides<'a>], above: i64) {
        let mut right = 0;
        for (index, strip) in self.inner.iter().enumerate() {
            self.lefts.push(right);
            let next = self.inner.get(index + 1);
            right += strip.width + next.map_or(COLUMN_GAP, |next| gap(topology, besides, strip, next));
        }
        for _ in &self.columns {
            self.lefts.push(right);
            right += TEETH + CARD_WIDTH + COLUMN_GAP;
        }
        let below = right - COLUMN_GAP;
        let anchors: Vec<_> = self.anchors().collect();
        self.middle = match anchors.as_slice() {
            [] => self.node / 2,
            // A lone column hangs to the left, so that its cards are under the node.
            [_] if self.inner.is_empty() => below / 2,
            [first, .., last] => (first + last) / 2,
            [only] => *only,
        };
        // What is above may need more room to the left or to the right than what is below.
        let shift = (self.node / 2 - self.middle).max(0);
        self.lefts.iter_mut().for_each(|left| *left += shift);
        self.middle += shift;
        self.width = (below + shift).max(self.middle + above.max(self.node / 2));
    }

    /// Where the cables to what hangs on the node come down.
    pub(super) fn anchors(&self) -> impl Iterator<Item = i64> {
        let (inner, columns) = self.lefts.split_at(self.inner.len().min(self.lefts.len()));
        let inner = inner.iter().zip(&self.inner).map(|(left, strip)| left + strip.middle);
        inner.chain(columns.iter().map(|left| left + BACK))
    }

    /// The room between each layer and the next, in which there are tracks and words.
    pub(super) fn layers(&self, depth: usize, gaps: &mut Vec<i64>) {
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

/// Between two neighbours: wide enough for what is written about a cable from the one to the other.
fn gap(topology: &Topology, besides: &[Besides<'_>], left: &Strip<'_, '_>, right: &Strip<'_, '_>) -> i64 {
    let names = [left.branch.name, right.branch.name];
    let across = besides.iter().find(|(_, ends)| ends.iter().all(|end| names.contains(&end.node)));
    let words =
        across.map_or(0, |(cable, [from, to])| WireWords::of(topology, *cable, *from, *to).width_across());
    let there_is = (left.width - left.middle - left.node / 2) + (right.middle - right.node / 2);
    COLUMN_GAP.max(words - there_is)
}

/// How many hosts a column has: few make one column, very many a square.
fn rows(count: usize) -> usize {
    COLUMN.max((count * 3).isqrt())
}
