use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// The run's own network in the tests.
const TWO_HOSTS: &str = r#"
title = "two hosts"

[host.client]
address = "10.0.0.1/24"

[host.server]
address = "10.0.0.2/24"
serve = ["web"]

[[cable]]
between = ["client", "server"]
latency = "5ms"
"#;

fn fault(sentence: &str) -> FaultSpec {
    FaultSpec::parse(sentence).unwrap()
}

fn command(line: &str) -> Step {
    line.parse().unwrap()
}

fn wrong(text: &str) -> Vec<String> {
    Run::read(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let run = Run {
        epoch: WallTime::from_unix_seconds(1_000_000_007),
        topology: Some(Topology::parse(TWO_HOSTS).unwrap()),
        client: Some("server".to_owned()),
        dhcp: true,
        faults: vec![fault("lose client SYN-ACK 1")],
        script: vec![
            command("get -L 'http://www.example.test/a b' --data=@a.json"),
            Step::Wait(Duration::from_millis(1_500)),
            Step::Unplug("client <-> server".to_owned()),
            Step::PlugIn("client <-> server".to_owned()),
            Step::Fault(fault("lose client SYN-ACK 1")),
        ],
        files: BTreeMap::from([
            ("-".to_owned(), KeptFile { bytes: vec![0xff, 0, 1], modified: None }),
            ("a.json".to_owned(), KeptFile { bytes: b"{\n  \"a\": 1\n}\n".to_vec(), modified: Some(7) }),
        ]),
        ..Run::new(u64::MAX)
    };
    let text = run.to_toml();
    assert_eq!(Run::parse(&text), Ok(run), "{text}");
}

#[test]
fn a_run_by_hand_needs_a_version_and_nothing_else() {
    assert_eq!(Run::parse("version = 1"), Ok(Run::new(DEFAULT_SEED)));
}

#[test]
fn lines_are_steps() {
    for line in [
        "get -L http://www.example.test/",
        "ping -c 1 www.example.test",
        "wait 3s",
        "wait 1500ms",
        "unplug client <-> home-switch",
        "plug in client <-> home-switch",
        "fault lose client SYN-ACK 1",
    ] {
        assert_eq!(command(line).to_string(), line);
    }
    let words = ["get", "-H", "X: 'a' \"b\"", "", "a#b", "http://www.example.test/?a&b"];
    let step = Step::Command(words.map(str::to_owned).to_vec());
    assert_eq!(step.to_string().parse(), Ok(step));
    assert_eq!(command("plug in  a<->b ").to_string(), "plug in a <-> b");
}

#[test]
fn all_that_is_wrong_is_told_in_the_order_of_the_file() {
    let text = r#"version = 1
seed = -1
faults = [
    "loose client SYN-ACK 1",
]
script = [
    "pong www.example.test",
    "wait for it",
    "unplug client",
    "plug client <-> home",
    "get 'a b",
    "",
]

[files.a]
base64 = "?"

[files.b]
"#;
    let wrong = wrong(text);
    let lines: Vec<&str> = wrong.iter().map(|bad| bad.split(',').next().unwrap()).collect();
    let expected = [2, 4, 7, 8, 9, 10, 11, 12, 16, 18].map(|line| format!("line {line}"));
    assert_eq!(lines, expected, "{wrong:#?}");
    assert_eq!(
        wrong[2],
        "line 7, column 6: `pong` is no step of a run\n\
         7 |     \"pong www.example.test\",\n\
         \x20 |      ^^^^ get, ping, traceroute, resolve, route, wait, unplug, plug in and fault are"
    );
    assert!(wrong[3].contains("`for it` is no time"), "{}", wrong[3]);
    assert!(wrong[5].contains("^^^^^^"), "{}", wrong[5]);
}

#[test]
fn what_toml_refuses_has_its_line_too() {
    for (text, said) in [
        ("version = 1\nscript = [", "line 2"),
        ("version = 1\nfautls = []", "`fautls`"),
        ("version = 1\nseed = 'x'", "this is no seed"),
        ("script = []", "`version`"),
        ("version = 2\nscript = ['pong']", "this is a run of version 2"),
        ("version = 1\nepoch = 1960-01-01T00:00:00Z", "cannot begin then"),
    ] {
        let wrong = wrong(text);
        assert!(wrong.len() == 1 && wrong[0].contains(said), "{text}: {wrong:?}");
    }
}

#[test]
fn another_default_internet_is_another_run() {
    let text = Run::new(1).to_toml();
    let other = text.replace(&internet_digest(), "0123456789abcdef");
    assert!(wrong(&other)[0].contains("the default Internet was another"), "{other}");
    let without: String =
        text.lines().filter(|line| !line.starts_with("internet")).collect::<Vec<_>>().join("\n");
    assert_eq!(Run::parse(&without), Ok(Run::new(1)));
    // A run with a network of its own has nothing to do with the default one.
    let own = Run { topology: Some(Topology::parse(TWO_HOSTS).unwrap()), ..Run::new(1) };
    assert!(!own.to_toml().contains("internet"));
}

#[test]
fn what_is_wrong_with_the_topology_is_told_where_it_stands_in_the_run() {
    let own = Run { topology: Some(Topology::parse(TWO_HOSTS).unwrap()), ..Run::new(1) };
    let text = own.to_toml().replace("10.0.0.2/24", "10.0.0.2/99");
    let line = text.lines().position(|line| line.contains("/99")).unwrap();
    let wrong = wrong(&text);
    let place = format!("line {}, column 11", line + 1);
    assert!(wrong[0].starts_with(&place) && wrong[0].contains("address = \"10.0.0.2/99\""), "{}", wrong[0]);
    let text = "version = 1\ntopology = { title = 'x' }\n";
    assert!(self::wrong(text)[0].contains("written as tables"));
}

fn steps_on_a_line(many: usize) -> String {
    format!("version = 1\nscript = [{}]", vec!["\"wait 1s\""; many].join(","))
}

#[test]
fn a_script_has_an_end() {
    assert_eq!(Run::parse(&steps_on_a_line(MOST_STEPS)).unwrap().script.len(), MOST_STEPS);
    let wrong = wrong(&steps_on_a_line(MOST_STEPS + 1));
    assert!(wrong.len() == 1 && wrong[0].contains("10001 steps, and 10000 is the most"), "{wrong:?}");
}

#[test]
fn of_a_long_line_only_what_is_around_the_place_is_shown() {
    let text = steps_on_a_line(5_000).replacen("wait 1s", "\u{1b}ait 1s", 4_000).replacen(
        "\u{1b}ait",
        "wait",
        3_999,
    );
    let (_, places) = Run::read(&steps_on_a_line(5_000)).unwrap();
    let told = places.bad_step(3_999, "no", "yes").unwrap().to_string();
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() < 220), "{told}");
    let caret = lines[2].find('^').unwrap();
    assert_eq!(lines[1].get(caret..caret + 7), Some("wait 1s"), "{told}");
    // What TOML itself refuses is cut as well, and its bytes do nothing to the terminal.
    let told = wrong(&text).remove(0);
    assert!(told.len() < 1_000 && told.contains('\u{fffd}') && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn what_looks_like_a_table_in_a_string_is_none() {
    let text = "version = 1\n\
                [files.a]\n\
                text = \"\"\"\n[topology.host.a]\naddress = 'no'\n\"\"\"\n\
                [topology]\n";
    let own = Topology::parse(TWO_HOSTS).unwrap().to_toml().replace("[host", "[topology.host");
    let run = Run::parse(&format!("{text}{}", own.replace("[[cable", "[[topology.cable"))).unwrap();
    assert_eq!(run.topology.unwrap().hosts.keys().collect::<Vec<_>>(), ["client", "server"]);
    assert_eq!(run.files["a"].bytes, b"[topology.host.a]\naddress = 'no'\n");
}

fn any_file() -> impl Strategy<Value = KeptFile> {
    let bytes = prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)];
    (bytes, any::<Option<u32>>())
        .prop_map(|(bytes, modified)| KeptFile { bytes, modified: modified.map(u64::from) })
}

fn any_step() -> impl Strategy<Value = Step> {
    let commands = (proptest::sample::select(COMMANDS), any::<Vec<String>>());
    prop_oneof![
        commands.prop_map(|(first, rest)| {
            Step::Command(std::iter::once(first.to_string()).chain(rest).collect())
        }),
        any::<u32>().prop_map(|millis| Step::Wait(Duration::from_millis(millis.into()))),
        ("[a-z-]{1,9}", "[a-z-]{1,9}").prop_map(|(a, b)| Step::Unplug(format!("{a} <-> {b}"))),
        ("[a-z-]{1,9}", "[a-z-]{1,9}").prop_map(|(a, b)| Step::PlugIn(format!("{a} <-> {b}"))),
        Just(Step::Fault(fault("lose client SYN-ACK 1"))),
    ]
}

fn any_run() -> impl Strategy<Value = Run> {
    let files = proptest::collection::btree_map(any::<String>(), any_file(), 0..3);
    let script = proptest::collection::vec(any_step(), 0..5);
    (any::<u64>(), any::<u32>(), any::<bool>(), any::<Option<String>>(), any::<bool>(), script, files)
        .prop_map(|(seed, epoch, has_own, client, dhcp, script, files)| Run {
            seed,
            epoch: WallTime::from_unix_seconds(epoch.into()),
            topology: has_own.then(|| Topology::parse(TWO_HOSTS).unwrap()),
            client,
            dhcp,
            faults: vec![fault("lose client SYN-ACK 1")],
            script,
            files,
        })
}

proptest! {
    #[test]
    fn any_run_is_read_as_it_was_written(run in any_run()) {
        let text = run.to_toml();
        prop_assert_eq!(Run::parse(&text), Ok(run), "{}", text);
    }

    #[test]
    fn no_text_is_a_panic(text in any::<String>(), cut in any::<proptest::sample::Index>()) {
        let _ = Run::read(&text);
        let _ = text.parse::<Step>();
        let whole = Run { topology: Some(Topology::parse(TWO_HOSTS).unwrap()), ..Run::new(1) }.to_toml();
        let at = whole.floor_char_boundary(cut.index(whole.len()));
        let _ = Run::read(&format!("{}{text}{}", &whole[..at], &whole[at..]));
        let _ = Run::read(&format!("version = 1\nscript = ['''{text}''', '''wait {text}''']\n[topology{text}"));
    }
}
