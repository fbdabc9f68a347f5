//! What may be said of the lab on a command line, what is refused, and what `glasstack lab` shows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/ran.rs"]
mod ran;

use ran::Folder;

/// A network of two hosts in which nobody serves anything.
const TWO_HOSTS: &str = r#"
[host.client]
address = "10.0.0.1/24"

[host.other]
address = "10.0.0.2/24"

[[cable]]
between = ["client", "other"]
capture = true
"#;

/// A network whose user has to ask for an address.
const ASKING: &str = r#"
[host.client]
address = "dhcp"

[router.home]
ports = [{ address = "10.0.0.1/24" }]
dhcp = [{ port = 0, pool = "10.0.0.100-10.0.0.199" }]

[[cable]]
between = ["client", "home"]
"#;

#[test]
fn a_sentence_that_is_no_fault_is_shown_with_a_caret() {
    let folder = Folder::new("lab_options.fault");
    let fault = "lose SYNACK 1";
    for words in [
        &["get", "http://www.example.test/"][..],
        &["ping", "www.example.test"],
        &["resolve", "www.example.test"],
        &["traceroute", "www.example.test"],
        &["route", "get", "198.51.100.80"],
    ] {
        let ran = folder.run(&[words, &["--fault", fault]].concat()).exits(2).says(&format!("{fault}\n"));
        let caret = ran.err.lines().find(|line| line.contains('^')).unwrap();
        assert_eq!(caret.find('^'), fault.find("SYNACK"), "{}", ran.err);
        assert!(caret.contains("^^^^^^") && caret.contains("SYN-ACK"), "{}", ran.err);
    }
    folder.run(&["ping", "www.example.test", "--fault", "kill nobody"]).exits(2).says("nobody");
}

#[test]
fn a_fault_that_never_struck_is_told() {
    let folder = Folder::new("lab_options.never");
    let words = ["ping", "-c", "1", "www.example.test", "--fault", "lose client SYN-ACK 1"];
    folder.run(&words).exits(0).says("never struck");
    // Nor is it forgotten where a meter is shown instead of the story.
    let words = ["get", "http://www.example.test/", "-o", "x", "--fault", "lose client SYN-ACK 9"];
    folder.run(&words).exits(0).says("never struck");
}

#[test]
fn what_is_of_the_lab_means_the_lab_and_no_other_network() {
    let folder = Folder::new("lab_options.means");
    folder.write("net.toml", TWO_HOSTS);
    for option in [
        &["--fault", "lose client SYN 1"][..],
        &["--topology", "net.toml"],
        &["--client", "client"],
        &["--save", "run.toml"],
        &["--capture", "a.pcapng", "--capture-at", "all"],
    ] {
        for net in ["user", "tap", "tun"] {
            let words = [&["get", "http://10.0.0.2/", "--net", net], option].concat();
            let named = option.iter().rfind(|word| word.starts_with("--")).unwrap();
            folder.run(&words).exits(2).says(&format!("{named} is for the lab"));
        }
        // An address that `--net auto` would look for elsewhere.
        let words = [&["ping", "-c", "1", "203.0.113.53"], option].concat();
        let ran = folder.run(&words);
        assert!(ran.err.contains("client  interface eth0 is up: 1"), "{}: {}", ran.arguments, ran.err);
    }
}

#[test]
fn dhcp_is_asked_where_somebody_may_answer() {
    let folder = Folder::new("lab_options.dhcp");
    let ran = folder.line("get --dhcp http://www.example.test/ --capture a.pcapng").exits(0);
    ran.says("DHCPDISCOVER").says("192.168.1.100").says("TCP SYN").prints("see https://www.example.test/");
    folder
        .line("resolve --dhcp www.example.test")
        .exits(0)
        .says("query to 203.0.113.53")
        .prints("198.51.100.80");
    folder.line("resolve --dhcp --dns 192.5.5.241 www.example.test").says("query to 192.5.5.241");
    folder.line("route get --dhcp 198.51.100.80 --net lab").exits(0).prints("src 192.168.1.100");
    // What was leased once is leased again.
    folder.line("ping -c 1 --dhcp www.example.test --save run.toml --capture b.pcapng").exits(0);
    folder.line("lab run run.toml --capture c.pcapng").exits(0);
    assert!(folder.read("b.pcapng") == folder.read("c.pcapng"));
    // So it is where the topology says that the user's own host asks.
    folder.write("net.toml", ASKING);
    folder.line("ping -c 1 --topology net.toml 10.0.0.1 --save own.toml --capture b.pcapng").exits(0);
    folder.line("lab run own.toml --capture c.pcapng").exits(0);
    assert!(folder.read("b.pcapng") == folder.read("c.pcapng"));
    folder.line("ping --dhcp --net user 198.51.100.80").exits(2).says("--net user");
    folder.line("ping --dhcp --net tun 198.51.100.80").exits(2).says("a TUN");
    folder.line("ping --dhcp --net tap --addr 10.0.0.2/24 198.51.100.80").exits(2).says("--addr");
    let words = ["ping", "--dhcp", "www.example.test", "--fault", "kill home"];
    folder.run(&words).exits(2).says("no DHCP server answered");
}

#[test]
fn any_host_may_be_the_users_own() {
    let folder = Folder::new("lab_options.client");
    folder
        .line("get -L --client laptop http://www.example.test/")
        .exits(0)
        .says("laptop  TCP SYN")
        .prints("It works");
    folder.line("ping -c 1 --client nobody www.example.test").exits(2).says("no host called `nobody`");
}

#[test]
fn frames_are_captured_where_the_user_says() {
    let folder = Folder::new("lab_options.capture");
    let frames = |place: &str| {
        let words = [
            "get",
            "-s",
            "http://www.example.test/",
            "-o",
            "x",
            "--capture",
            "a.pcapng",
            "--capture-at",
            place,
        ];
        folder.run(&words).exits(0);
        folder.read("a.pcapng").len()
    };
    let client = frames("client");
    assert!(frames("client <-> home-switch") > client / 2);
    assert!(frames("all") > 2 * client && frames("home:eth0") > client / 2);
    let has = |name: &str| folder.read("a.pcapng").windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(has("eth0") && !has("client <-> home-switch"));
    frames("home-switch <-> client");
    assert!(has("client <-> home-switch"));
    let words = ["ping", "www.example.test", "--capture", "a.pcapng", "--capture-at", "client <-> web"];
    folder.run(&words).exits(2).says("there are: client <-> home-switch");
    folder.run(&["ping", "www.example.test", "--capture-at", "all"]).exits(2).says("--capture says where");
    // What the topology marks is captured without being asked for.
    folder.write("net.toml", TWO_HOSTS);
    folder.line("ping -s -c 1 --topology net.toml 10.0.0.2 --capture a.pcapng").exits(0);
    assert!(has("client <-> other"));
}

#[test]
fn a_bad_topology_is_told_with_its_line() {
    let folder = Folder::new("lab_options.topology");
    folder.write("bad.toml", TWO_HOSTS.replace("10.0.0.2/24", "10.0.0.2/44"));
    for line in ["ping --topology bad.toml 10.0.0.2", "lab graph --topology bad.toml"] {
        folder.line(line).exits(2).says("bad.toml").says("line 6, column 11");
    }
    folder.line("lab check bad.toml").exits(2).prints("line 6, column 11");
    folder.write("worse.toml", TWO_HOSTS.replace("address", "adress"));
    let ran = folder.line("lab check worse.toml").exits(2);
    assert!(ran.out.matches("worse.toml, line").count() >= 2, "{}", ran.out);
    folder.write("good.toml", TWO_HOSTS);
    folder.line("lab check good.toml").exits(0).prints("2 hosts and 1 cable, and nothing wrong");
    folder.write("unserved.toml", TWO_HOSTS.replace("[host.other]", "[host.other]\nserve = [\"wbe\"]"));
    folder.line("lab check unserved.toml").exits(2).prints("line 6: ").prints("nothing is called `wbe`");
    folder.line("lab check /no/such/file").exits(2).says("/no/such/file");
}

#[test]
fn what_a_strangers_file_says_does_nothing_to_the_terminal() {
    let folder = Folder::new("lab_options.harmless");
    let escape = r"\u001b[2J\n\u009b31m";
    let about =
        format!("[host.other]\nabout = \"{escape}\"\nnames = [\"{escape}.test\"]\nserve = [\"{escape}\"]");
    folder.write("net.toml", format!("title = \"{escape}\"\n{}", TWO_HOSTS.replace("[host.other]", &about)));
    let steps = format!("\"get http://{escape}/\", \"unplug {escape} <-> b\", \"plug in {escape} <-> b\"");
    folder.write("run.toml", format!("version = 1\nfaults = [\"lose {escape}\"]\nscript = [{steps}]\n"));
    folder.write("steps.toml", format!("version = 1\nscript = [{steps}]\n"));
    folder.write("raw.toml", "version = 1\nscript = ['pong \u{1b}[2J']\n[host.\u{1b}[2J]\n");
    folder.write("raw.net", "\t[host.\u{1b}[2J]\n");
    for line in [
        "lab list --topology net.toml",
        "lab graph --topology net.toml",
        "lab graph --topology net.toml --format dot",
        "lab check net.toml",
        "lab check run.toml",
        "lab check steps.toml",
        "lab check raw.toml",
        "lab check raw.net",
        "lab run run.toml",
        "lab run steps.toml",
        "lab run raw.toml",
        "lab graph --topology raw.net",
        "ping --capture-at \u{1b}[2J --capture x --topology net.toml 10.0.0.2",
        "ping --fault \u{1b}[2J --topology net.toml 10.0.0.2",
        "lab check \u{1b}[2J",
    ] {
        let ran = folder.line(line);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(!told.contains(['\u{1b}', '\u{9b}']) && !told.is_empty(), "{line}: {told:?}");
    }
    let list = folder.line("lab list --topology net.toml").exits(0);
    assert_eq!(list.out.lines().count(), 2, "{}", list.out);
}

#[test]
fn check_tells_all_that_is_wrong_with_a_run() {
    let folder = Folder::new("lab_options.check");
    folder.write("run.toml", "version = 1\nfaults = ['loose it']\nscript = [\n'pong',\n'wait long',\n]\n");
    let ran = folder.line("lab check run.toml").exits(2);
    for line in ["run.toml, line 2", "run.toml, line 4", "run.toml, line 5"] {
        assert!(ran.out.contains(line), "{}", ran.out);
    }
    folder.write("run.toml", "version = 1\nfaults = ['kill nobody']\nscript = ['ping www.example.test']\n");
    folder.line("lab check run.toml").exits(2).prints("nobody");
    let script = "['unplug client <-> home', 'fault lose nobody SYN 1', 'wait 1s']";
    folder.write("run.toml", format!("version = 1\nscript = {script}\n"));
    let ran = folder.line("lab check run.toml").exits(2);
    ran.prints("line 2, column 12: there is no cable client <-> home").prints("there is no nobody");
}

#[test]
fn check_finds_what_would_fail_once_it_runs() {
    let folder = Folder::new("lab_options.cannot");
    let check = |text: &str| {
        folder.write("it.toml", text);
        folder.line("lab check it.toml")
    };
    check("").exits(2).prints("there is nothing in it");
    check("title = 'x'").exits(2).prints("it has no host at all");
    let run = "version = 1\nscript = [\n'get',\n'get -d @none http://www.example.test/',\n'get http://',\n'plug in a <-> b',\n]";
    let ran = check(run).exits(2);
    for told in
        ["line 3, column 2: no URL", "line 4, column 2: ", "holds none called none", "line 5", "line 6"]
    {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    // A file that a step writes may be there for the next.
    check("version = 1\nscript = ['get -o x http://www.example.test/', 'get -d @x http://echo.test/']")
        .exits(0);
    let ran = check("version = 1\nfaults = ['kill far', 'lose nobody SYN 1']\n").exits(2);
    ran.prints("line 2, column 24: there is no nobody in this network");
    check("version = 1\nclient = 'nope'\n").exits(2).prints("line 2, column 11: the topology has no host");
    let both = TWO_HOSTS.replace("[host.other]", "[host.other]\nserve = ['root', 'resolver']");
    check(&both).exits(2).prints("UDP port 53 is taken");
    let named = TWO_HOSTS.replace("[host.other]", "[host.other]\nnames = ['a b']");
    check(&named).exits(2).prints("`a b` is not a host's name");
}

#[test]
fn the_lab_is_listed_and_drawn() {
    let folder = Folder::new("lab_options.shown");
    let list =
        folder.line("lab list").exits(0).prints("www.example.test").prints("a small page").prints("resolver");
    // No line is wider than a screen, however many names a host has and zones it serves.
    assert!(list.out.lines().all(|line| line.len() < 140), "{}", list.out);
    assert!(list.out.contains("k-root") && list.out.contains("193.0.14.129"), "{}", list.out);
    let json: serde_json::Value = serde_json::from_str(&folder.line("lab list --json").exits(0).out).unwrap();
    assert!(json["sites"].as_array().unwrap().len() > 30 && json["hosts"].as_array().unwrap().len() > 20);
    folder.write("net.toml", TWO_HOSTS);
    let list = folder.line("lab list --topology net.toml").exits(0).prints("10.0.0.2");
    assert!(!list.out.contains("www.example.test"), "{}", list.out);
    folder.line("lab graph").exits(0).prints("home-switch");
    for (format, begin) in [("text", "A small"), ("svg", "<svg"), ("dot", "graph"), ("containerlab", "name:")]
    {
        folder.line(&format!("lab graph --format {format} -o drawing")).exits(0);
        let drawing = folder.text("drawing");
        assert!(drawing.contains(begin) && drawing.contains("a-root"), "{format}: {drawing}");
    }
    folder.line("lab graph -o /no/such/folder/x").exits(23).says("/no/such/folder/x");
    folder.line("lab graph --format png").exits(2).says("containerlab");
}
