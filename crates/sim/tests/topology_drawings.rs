//! Drawings of a topology, to the byte; `UPDATE_SNAPSHOTS=1` accepts what is meant to change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use glasstack_sim::topology::{CableSpec, HostSpec, RouterSpec, SwitchSpec, Topology};
use std::path::Path;

const HOME: &str = include_str!("drawings/home.toml");
const INTERNET: &str = include_str!("../../lab/src/internet.toml");

fn home() -> Topology {
    Topology::parse(HOME).unwrap_or_else(|bad| panic!("{bad}"))
}

#[track_caller]
fn is_drawing(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drawings").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name}, expected:\n{expected}\n{name}, actual:\n{actual}");
}

#[test]
fn as_text_it_fits_a_terminal_of_a_hundred_columns() {
    let text = home().as_text();
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns:\n{text}");
    is_drawing("home.txt", &text);
}

#[test]
fn as_svg_it_names_everything_and_is_well_formed() {
    let topology = home();
    let svg = topology.as_svg();
    let names = topology.hosts.keys().chain(topology.routers.keys()).chain(topology.switches.keys());
    for name in names {
        assert!(svg.contains(&format!(">{name}</text>")), "{name} is not drawn");
    }
    is_well_formed(&svg);
    is_drawing("home.svg", &svg);
}

#[test]
fn the_picture_in_the_docs_is_the_default_internet() {
    let internet = Topology::parse(INTERNET).unwrap_or_else(|bad| panic!("{bad}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/internet.svg");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, internet.as_svg()).unwrap();
    }
    let is_same = std::fs::read_to_string(&path).is_ok_and(|picture| picture == internet.as_svg());
    assert!(
        is_same,
        "docs/internet.svg shows another Internet than crates/lab/src/internet.toml; draw it again: \
         UPDATE_SNAPSHOTS=1 cargo test -p glasstack-sim --test topology_drawings"
    );
}

#[test]
fn on_the_drawing_of_the_default_internet_no_two_words_touch() {
    let internet = Topology::parse(INTERNET);
    for topology in [internet.unwrap_or_else(|bad| panic!("{bad}")), home()] {
        let svg = topology.as_svg();
        let words: Vec<_> =
            svg.lines().flat_map(|line| line.split("<text ").skip(1)).map(Word::read).collect();
        assert!(words.len() > 3 * topology.hosts.len());
        let width: f64 = attribute(&svg, "width=\"").parse().unwrap();
        for (n, word) in words.iter().enumerate() {
            assert!(word.left >= 0.0 && word.right <= width, "`{}` leaves the page", word.text);
            let touching = words[..n].iter().find(|other| other.touches(word));
            assert!(touching.is_none(), "`{}` touches {touching:?}", word.text);
        }
    }
}

/// A text of a drawing and about where it is.
#[derive(Debug)]
struct Word {
    text: String,
    left: f64,
    right: f64,
    base: f64,
}

impl Word {
    fn read(element: &str) -> Self {
        let (x, base): (f64, f64) =
            (attribute(element, "x=\"").parse().unwrap(), attribute(element, "y=\"").parse().unwrap());
        let text = element.split(['>', '<']).nth(1).unwrap().replace("&amp;", "&");
        let letter = match attribute(element, "class=\"") {
            "title" => 13.0,
            "name" => 7.8,
            _ => 6.2,
        };
        let width = text.chars().count() as f64 * letter;
        let left = match attribute(element, "class=\"") {
            class if class.ends_with("end") => x - width,
            class if class.ends_with("middle") => x - width / 2.0,
            _ => x,
        };
        Self { text, left, right: left + width, base }
    }

    fn touches(&self, other: &Self) -> bool {
        let is_beside = self.right <= other.left || other.right <= self.left;
        !is_beside && (self.base - other.base).abs() < 11.0
    }
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, rest) = element.split_once(name).unwrap_or_else(|| panic!("no {name} in {element}"));
    rest.split('"').next().unwrap()
}

#[test]
fn as_dot_it_is_a_graph() {
    let dot = home().as_dot();
    assert_eq!(dot.matches(" -- ").count(), home().cables.len());
    is_drawing("home.dot", &dot);
}

#[test]
fn for_containerlab_it_tells_what_containers_do_not_have() {
    let yaml = home().as_containerlab();
    for lost in
        ["virtual time", "keeps_order", "queue codel", "errors_per_second", "rip", "dhcp", "nat.filtering"]
    {
        assert!(yaml.contains(lost), "{lost} was dropped silently:\n{yaml}");
    }
    let topology = home();
    for name in topology.hosts.keys().chain(topology.routers.keys()) {
        assert!(yaml.contains(&format!("\n    \"{name}\":\n      kind: linux\n")), "{name} is no container");
    }
    assert_eq!(yaml.matches("      kind: bridge\n").count(), topology.switches.len());
    assert_eq!(yaml.matches("    - endpoints: [\"").count(), topology.cables.len());
    is_drawing("home.clab.yml", &yaml);
}

#[test]
fn words_that_mean_something_to_xml_dot_or_yaml_are_only_words() {
    let nasty = "<b> & \"q\" \\ 'x' \u{1} --> ]]>";
    let topology = Topology::new()
        .title(nasty)
        .host("a", HostSpec::new("10.0.0.1/24".parse().unwrap()).about(nasty).serve(nasty).name(nasty))
        .switch("s", SwitchSpec::new().about(nasty))
        .router("r", RouterSpec::new().port("10.0.0.2/24".parse().unwrap()).about(nasty))
        .cable(CableSpec::new("a", "s"))
        .cable(CableSpec::new("r", "s"));
    is_well_formed(&topology.as_svg());
    assert!(topology.as_dot().contains(r#"<b> & \"q\" \\ 'x'"#));
    assert!(topology.as_containerlab().contains(r#""<b> & \"q\" \\ 'x' \u0001 --> ]]>""#));
    assert_eq!(Topology::parse(&topology.to_toml()), Ok(topology));
}

#[test]
fn what_a_stranger_writes_into_a_topology_does_nothing_to_a_terminal() {
    let mut topology = home();
    let odd = "one\u{1b}[2J\u{9b}31m\rtwo\nthree\u{202e}\u{7f}".to_owned();
    topology.title = Some(odd.clone());
    for host in topology.hosts.values_mut() {
        (host.about, host.names, host.serve) = (Some(odd.clone()), vec![odd.clone()], vec![odd.clone()]);
    }
    topology.routers.values_mut().for_each(|router| router.about = Some(odd.clone()));
    topology.switches.values_mut().for_each(|switch| switch.about = Some(odd.clone()));
    let drawings = [topology.as_text(), topology.as_svg(), topology.as_dot(), topology.as_containerlab()];
    for drawing in drawings {
        let is_harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!drawing.contains(is_harmful), "{drawing:?}");
    }
    assert!(topology.as_text().starts_with("one\\u{1b}[2J\\u{9b}31m two three\\u{202e}\\u{7f}\n"));
    assert_eq!(topology.as_text().lines().filter(|line| line.starts_with("three")).count(), 0);
}

#[test]
fn networks_of_every_shape_can_be_drawn() {
    let host = |n: usize| HostSpec::new(format!("10.0.{}.{}/16", n / 200, n % 200 + 1).parse().unwrap());
    let pair = Topology::new().host("a", host(0)).host("b", host(1)).cable(CableSpec::new("a", "b"));
    let star = (0..50).fold(Topology::new().switch("s", SwitchSpec::new()), |topology, n| {
        topology.host(&format!("h{n}"), host(n)).cable(CableSpec::new(format!("h{n}"), "s"))
    });
    let ring = (0..9).fold(Topology::new(), |topology, n| {
        let name = format!("s{n}");
        topology
            .switch(&name, SwitchSpec::new())
            .cable(CableSpec::new(name.as_str(), format!("s{}", (n + 1) % 9)))
    });
    for topology in [Topology::new(), pair, star, ring] {
        is_well_formed(&topology.as_svg());
        assert!(topology.as_text().contains(" cable"));
        assert!(topology.as_dot().ends_with("}\n") && topology.as_containerlab().contains("links:"));
    }
}

/// Every element is closed, and by its own name; every bare `&` and `<` is escaped.
fn is_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let style = xml.find("<style>").zip(xml.find("</style>"));
    let (before, after) = match style {
        Some((from, to)) => (&xml[..from], &xml[to + "</style>".len()..]),
        None => (xml, ""),
    };
    for tag in before.split('<').skip(1).chain(after.split('<').skip(1)) {
        let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("an open tag: {tag}"));
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        assert!(!text.contains('>') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
        let entities = text.matches('&').count();
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"].map(|entity| text.matches(entity).count());
        assert_eq!(entities, known.iter().sum::<usize>(), "{text:?}");
    }
    assert!(open.is_empty(), "left open: {open:?}");
}
