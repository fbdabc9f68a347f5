//! A graph for Graphviz (<https://graphviz.org/doc/info/lang.html>).

use super::labels;
use crate::topology::Topology;
use crate::topology::wiring::Wiring;

impl Topology {
    /// The network in the DOT language, for Graphviz: `dot -Tsvg`. Hosts are boxes with round corners,
    /// switches boxes, routers ellipses; a cable's ends have their addresses, its middle what it is like.
    pub fn as_dot(&self) -> String {
        let title = self.title.as_deref().unwrap_or("network");
        let mut dot = format!("graph {} {{\n", quoted(title));
        dot += "    graph [overlap=false, splines=true, rankdir=LR]\n";
        dot += "    node [fontname=\"sans-serif\", fontsize=11, style=filled, fillcolor=white]\n";
        dot += "    edge [fontname=\"sans-serif\", fontsize=9, labelfontsize=8]\n\n";
        for (name, host) in &self.hosts {
            let label = lines([name.clone(), labels::address(host), labels::purpose(host)]);
            let tooltip = lines(host.names.iter().chain(&host.serve).cloned());
            dot += &format!(
                "    {} [shape=box, style=\"rounded,filled\", label={label}, tooltip={tooltip}]\n",
                quoted(name)
            );
        }
        for (name, switch) in &self.switches {
            let role = labels::role("switch", &labels::vlans(switch), switch.about.as_deref());
            let label = lines([name.clone(), role]);
            dot += &format!("    {} [shape=box, fillcolor=\"#e7f0e4\", label={label}]\n", quoted(name));
        }
        for (name, router) in &self.routers {
            let duties: Vec<_> = labels::duties(router).into_iter().map(str::to_owned).collect();
            let label = lines([name.clone(), labels::role("router", &duties, router.about.as_deref())]);
            dot += &format!("    {} [shape=ellipse, fillcolor=\"#e3ecf7\", label={label}]\n", quoted(name));
        }
        dot.push('\n');
        let (wiring, _) = Wiring::of(self);
        for (cable, sockets) in self.cables.iter().zip(&wiring.sockets) {
            let Some([first, second]) = sockets else { continue };
            let address = |socket| self.address_at(socket).unwrap_or_default();
            let [there, back] = labels::directions(cable);
            let tooltip = lines([
                format!("{} to {}: {}", first.node, second.node, there.join(" ")),
                format!("{} to {}: {}", second.node, first.node, back.join(" ")),
            ]);
            let style = if cable.up { "" } else { ", style=dashed" };
            dot += &format!(
                "    {} -- {} [taillabel={}, headlabel={}, label={}, edgetooltip={tooltip}{style}]\n",
                quoted(first.node),
                quoted(second.node),
                quoted(&router_address(self, first.node, address(*first))),
                quoted(&router_address(self, second.node, address(*second))),
                quoted(&labels::cable(cable)),
            );
        }
        dot + "}\n"
    }
}

/// A host's address stands in the host.
fn router_address(topology: &Topology, node: &str, address: String) -> String {
    if topology.routers.contains_key(node) { address } else { String::new() }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A label of several lines; empty ones are left out.
fn lines(lines: impl IntoIterator<Item = String>) -> String {
    let lines = lines.into_iter().filter(|line| !line.is_empty()).map(|line| escaped(&line));
    format!("\"{}\"", lines.collect::<Vec<_>>().join("\\n"))
}

fn escaped(text: &str) -> String {
    // DOT has no escapes for what cannot be seen.
    let seen = |c: char| match c {
        c if c.is_whitespace() => ' ',
        c if labels::is_unseen(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let text: String = text.chars().map(seen).collect();
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
