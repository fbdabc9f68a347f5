//! Runs that are saved and done again: the same bytes, whatever was in them, and nothing of this
//! machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/ran.rs"]
mod ran;

use ran::{Folder, Ran, program};
use std::process::Stdio;

/// Another Internet: a router between the user and a web server.
const TOPOLOGY: &str = r#"
title = "one router"

[host.me]
address = "10.0.0.2/24"
gateway = "10.0.0.1"
name_servers = ["198.51.100.53"]

[router.gate]
ports = [{ address = "10.0.0.1/24" }, { address = "198.51.100.1/24" }]

[switch.backbone]

[host.names]
address = "198.51.100.53/24"
gateway = "198.51.100.1"
serve = ["authority example.test"]

[host.web]
address = "198.51.100.80/24"
gateway = "198.51.100.1"
names = ["www.example.test"]
serve = ["web"]

[[cable]]
between = ["me", "gate:0"]
latency = "7ms"
loss = "5%"

[[cable]]
between = ["gate:1", "backbone"]

[[cable]]
between = ["names", "backbone"]

[[cable]]
between = ["web", "backbone"]
rate = "10Mbit/s"
"#;

/// Runs the command with `--save`, and what was saved, in another folder; their captures must be the same.
fn twice(folder: &Folder, command: &str, code: i32) -> (Ran, Ran) {
    let arguments: Vec<&str> =
        command.split(' ').chain("--save run.toml --capture one.pcapng".split(' ')).collect();
    let first = folder.run(&arguments).exits(code);
    (first, again(folder, code))
}

/// Runs what was saved, elsewhere.
fn again(folder: &Folder, code: i32) -> Ran {
    let elsewhere = Folder::new(&format!("{}.again", folder.path().file_name().unwrap().to_str().unwrap()));
    elsewhere.write("run.toml", folder.read("run.toml"));
    let second = elsewhere.line("lab run run.toml --capture two.pcapng").exits(code);
    let (one, two) = (folder.read("one.pcapng"), elsewhere.read("two.pcapng"));
    assert!(one.len() > 1_000 && one == two, "{} and {} bytes\n{}", one.len(), two.len(), second.err);
    assert_eq!(elsewhere.names(), ["run.toml", "two.pcapng"], "a run writes nothing but what is asked for");
    second
}

#[test]
fn a_saved_run_is_done_again_byte_for_byte() {
    let folder = Folder::new("lab_runs.plain");
    let (first, second) = twice(&folder, "get -L --seed 7 http://www.example.test/", 0);
    assert!(first.out.contains("It works") && first.out == second.out);
    second.says("step 1 of 1: get --location http://www.example.test/");
    let run = folder.text("run.toml");
    for line in ["version = 1", "seed = 7", "epoch = 2026-06-01T12:00:00Z", "internet = \""] {
        assert!(run.lines().any(|told| told.starts_with(line)), "{line}: {run}");
    }
}

#[test]
fn so_it_is_with_faults_and_whatever_they_lead_to() {
    for (name, fault, command, code) in [
        ("syn", "lose client SYN-ACK 1", "get -s -L http://www.example.test/", 0),
        ("loss", "lose client 10% of frames", "get -s http://bytes.test/100000 -o /dev/null", 0),
        ("expired", "expire the intermediate", "get -s https://www.example.test/", 60),
        ("dead", "kill web", "get -s -m 3 http://www.example.test/", 28),
    ] {
        let folder = Folder::new(&format!("lab_runs.fault_{name}"));
        let words: Vec<&str> = command
            .split(' ')
            .chain(["--fault", fault, "--save", "run.toml", "--capture", "one.pcapng"])
            .collect();
        folder.run(&words).exits(code);
        again(&folder, code);
        assert!(folder.text("run.toml").contains("faults = [\n"), "{name}");
    }
}

#[test]
fn so_it_is_in_a_network_of_the_users_own() {
    let folder = Folder::new("lab_runs.topology");
    folder.write("net.toml", TOPOLOGY);
    let (first, _) = twice(&folder, "get -k -L --topology net.toml --client me http://www.example.test/", 0);
    assert!(first.out.contains("It works"), "{}", first.out);
    assert!(folder.text("run.toml").contains("[topology.host.web]"));
    let (first, _) = twice(&folder, "ping -c 2 --topology net.toml --client me 198.51.100.80", 0);
    first.prints("2 sent");
}

#[test]
fn files_that_were_read_are_in_the_run() {
    let folder = Folder::new("lab_runs.files");
    folder.write("body.json", "{\"a\":\n 1}");
    folder.write("part.bin", [0xff, 0, 7]);
    folder.write("cookies", "echo.test\tFALSE\t/\tFALSE\t0\tuser\tme\n");
    folder.write("more", "header = \"X-More: yes\"\n");
    let command =
        "get -s -K more -b cookies -c jar --data-binary @body.json -F x=y http://echo.test/ -o made";
    folder.line(&format!("{command} --save run.toml")).exits(2);
    let command = "get -s -K more -b cookies -c jar --data-binary @body.json http://echo.test/ -o made --next -F f=@part.bin http://echo.test/";
    let (first, second) = twice(&folder, command, 0);
    assert!(first.out.contains("content-type: multipart/form-data"), "{}", first.out);
    assert!(folder.text("made").contains("x-more: yes") && folder.text("made").contains("cookie: user=me"));
    assert_eq!(first.out, second.out);
    let run = folder.text("run.toml");
    assert!(run.contains("[files.\"body.json\"]") && run.contains("base64 = \"/wAH\""), "{run}");
}

#[test]
fn whatever_decides_about_bytes_comes_along() {
    let folder = Folder::new("lab_runs.along");
    folder.write("part", [7; 10]);
    folder.write("netrc", "machine auth.test login me password secret\n");
    folder.write("hosts", "198.51.100.80 auth.test\n");
    folder.write("tag", "\"a tag\"\n");
    folder.write("format", "%{http_code} %{url_effective}");
    let stamp = std::fs::File::create(folder.path().join("stamp")).unwrap();
    stamp.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    for command in [
        "get -s -C - -o part http://bytes.test/50",
        "get -s --netrc-file netrc --hosts hosts http://auth.test/ -w @format",
        "get -s -z stamp --etag-compare tag http://echo.test/",
    ] {
        let before = folder.read("part");
        let (first, second) = twice(&folder, command, 0);
        assert_eq!(first.out, second.out, "{command}");
        folder.write("part", before);
    }
    assert!(folder.text("run.toml").contains("modified = 1000000000"));
    // Whoever is at home: the run is done by another.
    folder.write(".netrc", "machine auth.test login me password secret\n");
    let words = ["get", "-s", "-n", "http://auth.test/", "--save", "run.toml", "--capture", "one.pcapng"];
    let ran = program(folder.path(), &words).env("HOME", folder.path()).output().unwrap();
    assert!(ran.status.success());
    again(&folder, 0);
}

#[test]
fn the_standard_input_is_in_the_run() {
    let folder = Folder::new("lab_runs.stdin");
    let words: Vec<&str> =
        "get -s -T - http://echo.test/ --save run.toml --capture one.pcapng".split(' ').collect();
    let mut child = program(folder.path(), &words).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"what was piped").unwrap();
    assert!(child.wait().unwrap().success());
    again(&folder, 0);
    assert!(folder.text("run.toml").contains("[files.\"-\"]\ntext = \"what was piped\""));
}

#[test]
fn the_files_of_a_run_can_be_kept() {
    let folder = Folder::new("lab_runs.kept");
    folder.write(
        "run.toml",
        "version = 1\nscript = ['get -o a/page http://status.test/200', 'get -T a/page http://echo.test/']\n",
    );
    folder.line("lab run -s run.toml --files kept").exits(0).prints("PUT /page");
    assert!(folder.path().join("kept/a/page").exists() && !folder.path().join("a").exists());
}

#[test]
fn a_run_sees_no_file_of_this_machine() {
    let folder = Folder::new("lab_runs.sealed");
    folder.write("secret", "of this machine");
    for (step, code) in [
        ("get -d @secret http://echo.test/", 26),
        ("get -d @/etc/hostname http://echo.test/", 26),
        ("get -T ../lab_runs.sealed/secret http://echo.test/", 26),
        ("get --cacert secret https://www.example.test/", 77),
        ("get -K secret http://echo.test/", 2),
    ] {
        folder.write("run.toml", format!("version = 1\nscript = ['{step}']\n"));
        let ran = folder.line("lab run run.toml").exits(code);
        assert!(ran.err.contains("a run sees no files but its own"), "{step}: {}", ran.err);
    }
}

#[test]
fn steps_share_one_world_and_the_first_failure_is_the_exit_code() {
    let folder = Folder::new("lab_runs.steps");
    folder.write(
        "run.toml",
        r#"version = 1
script = [
    "ping -c 1 www.example.test",
    "unplug client <-> home-switch",
    "ping -c 1 www.example.test",
    "plug in home-switch <-> client",
    "get -o /dev/null http://www.example.test/",
    "wait 1min",
    "fault lose client SYN 1",
    "get -o /dev/null http://www.example.test/",
    "get nobody.test",
    "resolve www.example.test",
    "traceroute -n www.example.test",
    "route get 198.51.100.80",
]
"#,
    );
    let ran = folder.line("lab run run.toml").exits(6);
    let ran = [
        "step 1 of 12: ping -c 1 www.example.test",
        "step 3 of 12: exit code 6",
        "step 9 of 12: exit code 6",
    ]
    .into_iter()
    .fold(ran, Ran::says);
    assert_eq!(ran.err.matches("exit code").count(), 2, "{}", ran.err);
    ran.says("lose client SYN 1").prints("198.51.100.80").prints("via 192.168.1.1");
    // What a run does follows from its file alone.
    let events = |seed: &str, name: &str| {
        folder.line(&format!("lab run -s run.toml --seed {seed} --events {name}")).exits(6);
        folder.text(name)
    };
    assert!(events("3", "a") == events("3", "b") && events("3", "a") != events("4", "c"));
}

#[test]
fn a_run_with_faults_of_the_command_line_is_another_run_that_can_be_saved() {
    let folder = Folder::new("lab_runs.override");
    folder.write("run.toml", "version = 1\nscript = ['get -o /dev/null http://www.example.test/']\n");
    let words = [
        "lab",
        "run",
        "run.toml",
        "--seed",
        "9",
        "--fault",
        "lose client SYN 1",
        "--save",
        "other.toml",
        "--capture",
        "one.pcapng",
    ];
    folder.run(&words).exits(0).says("lost");
    folder.line("lab run other.toml --capture two.pcapng").exits(0);
    assert!(folder.read("one.pcapng") == folder.read("two.pcapng"));
    let other = folder.text("other.toml");
    assert!(other.contains("seed = 9") && other.contains("\"lose client SYN 1\""), "{other}");
}

#[test]
fn what_cannot_be_in_a_run_is_refused_with_the_reason() {
    let folder = Folder::new("lab_runs.refused");
    folder.line("get -T /dev/zero http://echo.test/ --save run.toml").exits(26).says("plain files");
    let large = std::fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(17 << 20).unwrap();
    folder.line("get -T large http://echo.test/ --save run.toml").exits(26).says("up to 16777216 bytes");
    folder.line("get www.example.test --save /no/such/folder/run.toml").exits(2).says("--save: cannot write");
}

#[test]
fn a_bad_run_is_told_with_its_line() {
    let folder = Folder::new("lab_runs.bad");
    for (script, said) in [
        ("'pong www.example.test'", "`pong` is no step"),
        ("'get --bogus http://www.example.test/'", "--bogus: there is no such option"),
        ("'ping --bogus www.example.test'", "unexpected argument '--bogus'"),
        ("'get --seed 3 http://www.example.test/'", "--seed is of the whole run"),
        ("'get -s http://www.example.test/'", "-s is of the whole run"),
        ("'ping --fault x www.example.test'", "--fault is of the whole run"),
        ("'get --help'", "--help"),
    ] {
        folder.write("run.toml", format!("version = 1\n\nscript = [{script}]\n"));
        for command in ["lab run run.toml", "lab check run.toml"] {
            let ran = folder.line(command).exits(2);
            let told = format!("{}{}", ran.err, ran.out);
            assert!(told.contains(said) && told.contains("run.toml, line 3, column 12"), "{script}: {told}");
        }
    }
}
