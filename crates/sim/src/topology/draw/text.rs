//! A tree for a terminal, at most 100 columns wide.

use super::labels;
use super::tree::{Branch, Forest, Hung};
use crate::topology::Topology;
use crate::topology::wiring::Socket;

/// How wide the drawing may be, in characters.
const WIDTH: usize = 100;
/// Between two columns.
const GAP: usize = 2;

/// What is written about a node, in columns.
struct Row {
    /// What leads to it, and its name.
    name: String,
    /// The same without the name, for what does not fit into one line.
    rest: String,
    address: String,
    what: String,
    cable: String,
}

impl Topology {
    /// The network as a tree, for a terminal of 100 columns: names, addresses, what each is there for, and
    /// the cable that leads to it.
    ///
    /// ```text
    /// home          192.168.1.1/24    router, NAT
    /// |-- client    192.168.1.10/24   the user's own   100us 1Gbit/s
    /// ```
    pub fn as_text(&self) -> String {
        let forest = Forest::of(self);
        let mut rows = Vec::new();
        for tree in &forest.trees {
            self.rows(tree, "", "", &mut rows);
        }
        let mut text = String::new();
        if let Some(title) = &self.title {
            text += &format!("{}\n", labels::line(title));
        }
        text += &format!("{}\n\n", labels::census(self));
        let widest =
            |of: fn(&Row) -> &String| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
        let (name, address) = (widest(|row| &row.name), widest(|row| &row.address));
        let left = WIDTH.saturating_sub(name + address + 3 * GAP).max(40);
        let cable = widest(|row| &row.cable).min(left / 2);
        let widths = [name, address, (left - cable).min(widest(|row| &row.what)), cable];
        for row in &rows {
            text += &row.write(widths);
        }
        if !forest.besides.is_empty() {
            text += "\nbesides\n";
        }
        for (cable, [first, second]) in &forest.besides {
            let line = format!("{} - {}", self.end(*first), self.end(*second));
            let cable = self.cables.get(*cable).map(labels::cable).unwrap_or_default();
            text += &format!("    {line}  {cable}\n");
        }
        text
    }

    fn rows(&self, branch: &Branch<'_>, before: &str, below: &str, rows: &mut Vec<Row>) {
        rows.push(self.row(branch.name, branch.up, before, below));
        let children = branch.leaves.len() + branch.branches.len();
        let stems = (1..=children).map(|n| if n == children { ("`-- ", "    ") } else { ("|-- ", "|   ") });
        let mut stems = stems.map(|(stem, rest)| (format!("{below}{stem}"), format!("{below}{rest}")));
        for ((leaf, hung), (stem, rest)) in branch.leaves.iter().zip(stems.by_ref()) {
            rows.push(self.row(leaf, Some(*hung), &stem, &rest));
        }
        for (inner, (stem, rest)) in branch.branches.iter().zip(stems) {
            self.rows(inner, &stem, &rest, rows);
        }
    }

    fn row(&self, name: &str, up: Option<Hung<'_>>, before: &str, rest: &str) -> Row {
        let what = if let Some(host) = self.hosts.get(name) {
            labels::purpose(host)
        } else if let Some(switch) = self.switches.get(name) {
            labels::role("switch", &labels::vlans(switch), switch.about.as_deref())
        } else if let Some(router) = self.routers.get(name) {
            let duties: Vec<_> = labels::duties(router).into_iter().map(str::to_owned).collect();
            labels::role("router", &duties, router.about.as_deref())
        } else {
            String::new()
        };
        let own = up.map_or(Socket { node: name, port: 0 }, |hung| hung.own);
        let cable = up.and_then(|hung| self.cables.get(hung.cable)).map(labels::cable).unwrap_or_default();
        let address = self.address_at(own).unwrap_or_default();
        Row { name: format!("{before}{name}"), rest: rest.to_owned(), address, what, cable }
    }

    /// `core-us:1 198.19.0.5/30`, `switch:3`.
    pub(super) fn end(&self, socket: Socket<'_>) -> String {
        let address = self.address_at(socket).map(|address| format!(" {address}")).unwrap_or_default();
        format!("{}:{}{address}", socket.node, socket.port)
    }

    /// The address that a node has at one of its ports.
    pub(super) fn address_at(&self, Socket { node, port }: Socket<'_>) -> Option<String> {
        if let Some(host) = self.hosts.get(node) {
            return Some(labels::address(host));
        }
        self.routers.get(node)?.ports.get(port).map(|port| port.address.to_string())
    }
}

impl Row {
    /// The columns side by side; what is too long goes on below.
    fn write(&self, widths: [usize; 4]) -> String {
        let [name, address, what, cable] = widths;
        let (what_lines, cable_lines) = (wrap(&self.what, what), wrap(&self.cable, cable));
        let mut text = String::new();
        for line in 0..what_lines.len().max(cable_lines.len()).max(1) {
            let (head, here) = match line {
                0 => (self.name.as_str(), self.address.as_str()),
                _ => (self.rest.as_str(), ""),
            };
            let of = |lines: &[String]| lines.get(line).cloned().unwrap_or_default();
            let row =
                format!("{head:name$}  {here:address$}  {:what$}  {}", of(&what_lines), of(&cable_lines));
            text += row.trim_end();
            text.push('\n');
        }
        text
    }
}

/// Breaks a line between words; a word that is too long for a line keeps it for itself.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(labels::word) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}
