//! What is wrong with a topology's file is told with the line, the place in it, and what would be right.
//! `topology_errors.txt` has the cases: lines of a good file, what they are changed to, and the message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use glasstack_sim::topology::Topology;

/// What a small home network is like, for the tests to break.
const HOME: &str = r#"[host.client]
address = "192.168.1.10/24"
gateway = "192.168.1.1"
[host.web]
address = "203.0.113.80/24"
gateway = "203.0.113.1"
[switch.hub]
[router.home]
ports = [{ address = "192.168.1.1/24" }, { address = "203.0.113.1/24" }]
[[cable]]
between = ["client", "hub"]
[[cable]]
between = ["hub", "home:0"]
[[cable]]
between = ["home:1", "web"]
"#;

/// The cases: what stands in HOME, what is written instead, and the message.
const CASES: &str = include_str!("topology_errors.txt");

struct Case {
    old: String,
    new: String,
    message: String,
}

/// `- ` before lines of HOME, `+ ` before what is written instead, then the message; an empty line ends it.
fn cases() -> Vec<Case> {
    let prefixed = |case: &str, prefix: &str| {
        let lines: Vec<_> = case.lines().filter_map(|line| line.strip_prefix(prefix)).collect();
        lines.join("\n")
    };
    let blocks = CASES.split("\n\n").map(str::trim_end);
    let case = |block: &str| {
        let is_message = |line: &&str| !line.starts_with("- ") && !line.starts_with("+ ") && *line != "+";
        let message = block.lines().filter(is_message).collect::<Vec<_>>().join("\n");
        Case { old: prefixed(block, "- "), new: prefixed(block, "+ "), message }
    };
    blocks.map(case).collect()
}

#[test]
fn every_mistake_is_told_with_its_line_and_its_cure() {
    assert!(Topology::parse(HOME).is_ok());
    let mut wrong = String::new();
    for Case { old, new, message } in cases() {
        assert!(HOME.contains(&old), "HOME has no {old:?}");
        let told = match Topology::parse(&HOME.replacen(&old, &new, 1)) {
            Ok(_) => "no error".to_owned(),
            Err(bad) => bad.to_string(),
        };
        if told != message {
            let marked = |sign: &str, text: &str| {
                text.lines().map(|line| format!("{sign} {line}\n")).collect::<String>()
            };
            wrong += &format!("{}{}{told}\n\n", marked("-", &old), marked("+", &new));
        }
    }
    assert!(wrong.is_empty(), "these cases of topology_errors.txt read now:\n\n{wrong}");
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_text() {
    let keys = HOME.replace("gateway", "gatway").replace("[switch.hub]", "[swich.hub]");
    let lines = |text: &str| Topology::read(text).unwrap_err().iter().map(|bad| bad.line).collect::<Vec<_>>();
    assert_eq!(lines(&keys), [3, 6, 7]);
    let values = HOME.replace("gateway = \"203.0.113.1\"", "mtu = 9").replace("web\"]", "wbe\"]");
    assert_eq!(lines(&values), [6, 15]);
}
