//! The page as SVG 1.1, with what a browser needs to show it by day and by night and to read it aloud.

use super::labels;
use super::layout::{Card, Carries, HEAD, MARGIN, Node, Page, Point, Way, Wire};
use super::strip::{CARD_HEIGHT, CARD_WIDTH, NODE_HEIGHT};
use super::tree::Forest;
use super::wording::{BOLD, LINE, SMALL, WireWords, cut, node_words, width};
use crate::topology::Topology;
use crate::topology::wiring::Socket;
use std::fmt::Write as _;

/// How round the corners of a cable's way are.
const ROUND: i64 = 8;

impl Topology {
    /// The network as a picture: routers are pills, switches boxes, hosts cards; addresses stand at the ports,
    /// and whatever is pointed at tells more. It needs nothing but itself, and follows the reader's choice of
    /// a light or dark page.
    pub fn as_svg(&self) -> String {
        let forest = Forest::of(self);
        let page = Page::of(self, &forest);
        let mut svg = String::new();
        self.head(&page, &mut svg);
        for wire in page.wires.iter().filter(|wire| wire.is_behind()) {
            self.wire(wire, &mut svg);
        }
        for wire in page.wires.iter().filter(|wire| !wire.is_behind()) {
            self.wire(wire, &mut svg);
        }
        for node in &page.nodes {
            self.node(node, &mut svg);
        }
        for card in &page.cards {
            self.card(card, &mut svg);
        }
        self.foot(&page, &mut svg);
        svg + "</svg>\n"
    }

    /// The cables beside which there is no room for words.
    fn foot(&self, page: &Page<'_>, svg: &mut String) {
        let mut y = page.foot + 4;
        for wire in page.wires.iter().filter(|wire| wire.is_mute()) {
            let Carries::Cable { cable, from, to, .. } = wire.what else { continue };
            let like = self.cables.get(cable).map(labels::cable).unwrap_or_default();
            let line = format!("{} - {}: {like}", self.end(from), self.end(to));
            let _ = writeln!(svg, "<text class=\"small\" x=\"{MARGIN}\" y=\"{y}\">{}</text>", escaped(&line));
            y += LINE;
        }
    }

    fn head(&self, Page { width, height, .. }: &Page<'_>, svg: &mut String) {
        let title = escaped(self.title.as_deref().unwrap_or("Network"));
        let census = labels::census(self);
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{census}. {}</desc>\n{STYLE}\
             <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n\
             <text class=\"title\" x=\"{MARGIN}\" y=\"44\">{title}</text>\n\
             <text class=\"small\" x=\"{MARGIN}\" y=\"64\">{census}</text>\n",
            escaped(&self.in_prose()),
        );
        let mut x = width - MARGIN;
        for (kind, word) in [("host", "host"), ("switch", "switch"), ("router", "router")] {
            x -= 64;
            let _ = writeln!(svg, "<text class=\"small\" x=\"{}\" y=\"64\">{word}</text>", x + 20);
            icon(kind, (x, HEAD - 35), svg);
        }
        let kinds = [
            ("down", "unplugged", self.cables.iter().any(|cable| !cable.up)),
            ("bad", "loses frames", self.cables.iter().any(labels::is_bad)),
        ];
        for (class, word, _) in kinds.into_iter().filter(|(_, _, is_there)| *is_there) {
            x -= 114;
            let _ = writeln!(
                svg,
                "<path class=\"wire {class}\" d=\"M{x} 60h22\"/><text class=\"small\" x=\"{}\" y=\"64\">{word}</text>",
                x + 30
            );
        }
    }

    /// For those who do not see the picture.
    fn in_prose(&self) -> String {
        let cables = self
            .cables
            .iter()
            .map(|cable| format!("{} to {}: {}.", cable.between[0], cable.between[1], labels::cable(cable)));
        cables.collect::<Vec<_>>().join(" ")
    }

    fn wire(&self, wire: &Wire<'_>, svg: &mut String) {
        let Carries::Cable { cable, from, to, way } = wire.what else {
            let _ = writeln!(svg, "<path class=\"wire comb\" d=\"{}\"/>", path(&wire.points));
            return;
        };
        let Some(spec) = self.cables.get(cable) else { return };
        let class = match (spec.up, labels::is_bad(spec)) {
            (false, _) => "wire down",
            (true, true) => "wire bad",
            (true, false) => "wire",
        };
        let way_class = if way == Way::Behind { " behind" } else { "" };
        let d = match way {
            Way::Behind => curve(&wire.points),
            _ => path(&wire.points),
        };
        let _ = writeln!(
            svg,
            "<g><title>{}</title><path class=\"reach\" d=\"{d}\"/><path class=\"{class}{way_class}\" d=\"{d}\"/>",
            escaped(&self.told(cable, from, to)),
        );
        match way {
            Way::Down => self.words_down(cable, from, to, &wire.points, svg),
            Way::Across => self.words_across(cable, from, to, &wire.points, svg),
            Way::Behind => {
                let (start, end) = (wire.points[0], wire.points[wire.points.len() - 1]);
                for (x, y) in [start, end] {
                    let _ = writeln!(
                        svg,
                        "<rect class=\"port\" x=\"{}\" y=\"{}\" width=\"6\" height=\"6\"/>",
                        x - 3,
                        y - 3
                    );
                }
            }
            Way::Tooth | Way::Short => {}
        }
        svg.push_str("</g>\n");
    }

    /// Everything about a cable, one line each.
    fn told(&self, cable: usize, from: Socket<'_>, to: Socket<'_>) -> String {
        let end = |socket: Socket<'_>| {
            let address = self.address_at(socket).map(|address| format!(" ({address})")).unwrap_or_default();
            format!("{}:{}{address}", socket.node, socket.port)
        };
        let Some(spec) = self.cables.get(cable) else { return String::new() };
        let [there, back] = labels::directions(spec);
        let [first, second] = &spec.between;
        let mut told = format!("{} - {}", end(from), end(to));
        let _ = write!(told, "\n{} to {}: {}", first.node, second.node, there.join(" "));
        let _ = write!(told, "\n{} to {}: {}", second.node, first.node, back.join(" "));
        if !spec.up {
            told.push_str("\nunplugged");
        }
        if spec.capture {
            told.push_str("\ncaptured");
        }
        told
    }

    /// Beside the last stretch of a cable that leads down.
    fn words_down(&self, cable: usize, from: Socket<'_>, to: Socket<'_>, points: &[Point], svg: &mut String) {
        let Some(&(x, mut y)) = points.last() else { return };
        let WireWords { from, like, to } = WireWords::of(self, cable, from, to);
        let like = like.iter().rev().map(|line| ("small", line));
        let lines = [("mono", &to)].into_iter().chain(like).chain([("mono", &from)]);
        y -= 8;
        for (class, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let _ =
                writeln!(svg, "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{}</text>", x + 8, escaped(line));
            y -= LINE;
        }
    }

    /// Along a cable between two neighbours: addresses above its ends, what it is like below its middle.
    fn words_across(
        &self,
        cable: usize,
        from: Socket<'_>,
        to: Socket<'_>,
        points: &[Point],
        svg: &mut String,
    ) {
        let [(x1, y), (x2, _)] = points else { return };
        let WireWords { from, like, to } = WireWords::of(self, cable, from, to);
        let like = cut(&like.join(", "), usize::try_from((x2 - x1 - 16) * 10 / SMALL).unwrap_or(0));
        let mut line = |class: &str, x: i64, y: i64, text: &str| {
            let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
        };
        if width(&from, SMALL) + width(&to, SMALL) + 32 <= x2 - x1 {
            line("mono", x1 + 8, y - 7, &from);
            line("mono end", x2 - 8, y - 7, &to);
        }
        line("small middle", (x1 + x2) / 2, y + 16, &like);
    }

    fn node(&self, Node { name, at: (x, y), width, ports }: &Node<'_>, svg: &mut String) {
        let (kind, round) = match (self.routers.contains_key(*name), self.switches.contains_key(*name)) {
            (true, _) => ("router", NODE_HEIGHT / 2),
            (_, true) => ("switch", 2),
            _ => ("host", 8),
        };
        let _ = writeln!(svg, "<g><title>{}</title>", escaped(&self.node_told(name)));
        let _ = writeln!(
            svg,
            "<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{NODE_HEIGHT}\" rx=\"{round}\"/>"
        );
        icon(kind, (x + 18, y + 18), svg);
        let words = node_words(self, name);
        let (name_y, left) = (if words[1].0.is_empty() { y + 30 } else { y + 22 }, x + 42);
        let _ = writeln!(svg, "<text class=\"name\" x=\"{left}\" y=\"{name_y}\">{}</text>", escaped(name));
        if !words[1].0.is_empty() {
            let _ = writeln!(
                svg,
                "<text class=\"small\" x=\"{left}\" y=\"{}\">{}</text>",
                y + 38,
                escaped(&words[1].0)
            );
        }
        for port in ports {
            let _ = writeln!(
                svg,
                "<rect class=\"port\" x=\"{}\" y=\"{}\" width=\"8\" height=\"8\"/>",
                port - 4,
                y + NODE_HEIGHT - 4
            );
        }
        svg.push_str("</g>\n");
    }

    /// Everything about a router or switch, one line each.
    fn node_told(&self, name: &str) -> String {
        let mut told = vec![name.to_owned()];
        if let Some(router) = self.routers.get(name) {
            told.extend(labels::duties(router).into_iter().map(str::to_owned));
            told.extend(
                router.ports.iter().enumerate().map(|(n, port)| format!("port {n}: {}", port.address)),
            );
            told.extend(router.routes.iter().map(ToString::to_string));
        } else if let Some(switch) = self.switches.get(name) {
            told.extend(
                switch.vlans.iter().map(|(port, vlan)| {
                    format!("port {port}: {}", crate::topology::words::Word::write(vlan))
                }),
            );
        }
        told.join("\n")
    }

    fn card(&self, Card { name, at: (x, y), hung }: &Card<'_>, svg: &mut String) {
        let Some(host) = self.hosts.get(*name) else { return };
        let mut told = vec![(*name).to_owned(), labels::address(host)];
        told.extend(host.gateway.map(|gateway| format!("gateway {gateway}")));
        told.extend(host.serve.iter().map(|what| format!("serves {what}")));
        told.extend(host.names.iter().cloned());
        let _ = writeln!(svg, "<g><title>{}</title>", escaped(&told.join("\n")));
        let _ = writeln!(
            svg,
            "<rect class=\"host\" x=\"{x}\" y=\"{y}\" width=\"{CARD_WIDTH}\" height=\"{CARD_HEIGHT}\" rx=\"8\"/>"
        );
        let mut line = |class: &str, x: i64, y: i64, text: &str| {
            let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
        };
        let (left, right) = (x + 10, x + CARD_WIDTH - 10);
        let letters = |room: i64| usize::try_from(room * 10 / SMALL).unwrap_or(0);
        line("name", left, y + 18, &cut(name, 15));
        let cable = hung.and_then(|hung| self.cables.get(hung.cable)).map(labels::cable).unwrap_or_default();
        let name_width = width(&cut(name, 15), BOLD);
        let cable = cut(&cable.replace("bit/s", ""), letters(CARD_WIDTH - 28 - name_width));
        line("small end", right, y + 18, &cable);
        let address = labels::address(host);
        line("mono", left, y + 33, &address);
        let uplink = hung.and_then(|hung| self.address_at(hung.parent)).unwrap_or_default();
        let uplink = uplink.split('/').next().unwrap_or_default().to_owned();
        if width(&address, SMALL) + width(&uplink, SMALL) + 26 <= CARD_WIDTH {
            line("faint end", right, y + 33, &uplink);
        }
        line("purpose", left, y + 47, &cut(&labels::purpose(host), letters(CARD_WIDTH - 20)));
        svg.push_str("</g>\n");
    }
}

/// A small picture of what a thing is.
fn icon(kind: &str, (x, y): Point, svg: &mut String) {
    let d = match kind {
        // A disc with arrows out to both sides and in from above and below.
        "router" => {
            "M8 0a8 8 0 1 0 .01 0M3 8h10M3 8l2-2M3 8l2 2M13 8l-2-2M13 8l-2 2M8 2.5v3.500M8 13.500v-3.500"
        }
        // Two arrows, one each way.
        "switch" => "M1 2h14v12h-14zM4 6h8M12 6l-2-2M12 10h-8M4 10l2 2",
        // A screen on its foot.
        _ => "M1 2h14v9h-14zM8 11v3M5 14h6",
    };
    let _ = writeln!(svg, "<path class=\"icon {kind}-icon\" transform=\"translate({x} {y})\" d=\"{d}\"/>");
}

/// A way with round corners.
fn path(points: &[Point]) -> String {
    let mut d = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| points.get(before));
        match (before, points.get(index + 1)) {
            (None, _) => d += &format!("M{x} {y}"),
            (Some(_), None) => d += &format!("L{x} {y}"),
            (Some(&before), Some(&after)) => {
                let (a, b) = (towards((x, y), before), towards((x, y), after));
                d += &format!("L{} {}Q{x} {y} {} {}", a.0, a.1, b.0, b.1);
            }
        }
    }
    d
}

/// A little way from a corner, but no further than half of the stretch.
fn towards((x, y): Point, (to_x, to_y): Point) -> Point {
    let step = |from: i64, to: i64| (to - from).signum() * ROUND.min((to - from).abs() / 2);
    (x + step(x, to_x), y + step(y, to_y))
}

/// An arc from the first point to the last; it hangs down between two of one height.
fn curve(points: &[Point]) -> String {
    let (Some(&(x1, y1)), Some(&(x2, y2))) = (points.first(), points.last()) else { return String::new() };
    let reach = ((x2 - x1).abs() / 3).max(40);
    if y1 == y2 {
        let depth = y1 + 24 + (x2 - x1).abs() / 12;
        return format!("M{x1} {y1}C{} {depth} {} {depth} {x2} {y2}", x1 + reach / 2, x2 - reach / 2);
    }
    format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + reach, x2 - reach)
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 2.2 has no other control characters.
            c if labels::is_unseen(c) && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

const STYLE: &str = "<style>
text { font-family: ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif; fill: #1d2430; }
.title { font-size: 22px; font-weight: 600; }
.name { font-size: 13px; font-weight: 600; }
.small { font-size: 11px; fill: #5b6675; }
.mono { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 10.5px; }
.faint { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 10.5px; fill: #8a94a3; }
.purpose { font-size: 11px; fill: #93500f; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.page { fill: #fafaf8; }
.host { fill: #ffffff; stroke: #c5ccd6; }
.switch { fill: #e8f3e4; stroke: #568f47; }
.router { fill: #e4eefb; stroke: #3f74bb; stroke-width: 1.4; }
.port { fill: #fafaf8; stroke: #66707f; }
.wire { fill: none; stroke: #8792a2; stroke-width: 1.4; }
.comb { stroke-width: 2.2; stroke-linecap: round; }
.bad { stroke: #c2560c; stroke-width: 2; }
.down { stroke: #b3261e; stroke-dasharray: 5 4; }
.behind { stroke-dasharray: 1 4; stroke-linecap: round; stroke-width: 2; }
.reach { fill: none; stroke: transparent; stroke-width: 12; pointer-events: stroke; }
.icon { fill: none; stroke: #66707f; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }
.router-icon { stroke: #3f74bb; }
.switch-icon { stroke: #568f47; }
g:hover > .wire { stroke: #1d63c9; stroke-width: 2.6; }
g:hover > rect.host, g:hover > rect.router, g:hover > rect.switch { stroke-width: 2.4; }
@media (prefers-color-scheme: dark) {
text { fill: #e7eaf0; }
.small { fill: #a0abba; }
.faint { fill: #7d8896; }
.purpose { fill: #efb27a; }
.page { fill: #14171b; }
.host { fill: #1d2128; stroke: #414b59; }
.switch { fill: #18281a; stroke: #78b868; }
.router { fill: #17263c; stroke: #6ea2e6; }
.port { fill: #14171b; stroke: #8e99a8; }
.wire { stroke: #67727f; }
.bad { stroke: #f59243; }
.down { stroke: #f2746b; }
.icon { stroke: #8e99a8; }
.router-icon { stroke: #6ea2e6; }
.switch-icon { stroke: #78b868; }
g:hover > .wire { stroke: #7fb2ff; }
}
</style>
";
