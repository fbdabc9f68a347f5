//! What is written on the page, and how wide it may come out.

use super::labels;
use crate::topology::Topology;
use crate::topology::wiring::Socket;

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

    pub(super) fn width(&self) -> i64 {
        self.lines().map(|line| width(line, SMALL)).max().unwrap_or(0)
    }

    /// How much room a cable between two neighbours needs for them.
    pub(super) fn width_across(&self) -> i64 {
        let like = width(&self.like.join(", "), SMALL);
        (width(&self.from, SMALL) + width(&self.to, SMALL) + 40).max(like + 24)
    }

    pub(super) fn height(&self) -> i64 {
        self.lines().count() as i64 * LINE
    }
}

/// The widths of letters, in tenths of a unit: wide enough for any common font.
pub(super) const SMALL: i64 = 63;
pub(super) const BOLD: i64 = 82;
pub(super) const TITLE: i64 = 140;

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
