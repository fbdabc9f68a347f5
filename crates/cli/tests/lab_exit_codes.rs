//! The program in its built-in lab: exit codes as curl's, what is on stdout and what on stderr, and
//! every option that needs no device.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");

/// The program with these arguments, and nothing of the caller's that would change it.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_remove("SSLKEYLOGFILE").stdin(Stdio::null());
    command
}

/// How a run ended.
struct Ran {
    arguments: String,
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

impl Ran {
    fn of(arguments: &[&str]) -> Self {
        Self::from(arguments, program(arguments).output().unwrap())
    }

    fn from(arguments: &[&str], output: Output) -> Self {
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        Self { arguments: arguments.join(" "), code: output.status.code(), out: output.stdout, err }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}: {}", self.arguments, self.err);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "{}: no `{text}` in:\n{}", self.arguments, self.err);
        self
    }

    #[track_caller]
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }
}

fn get(arguments: &[&str]) -> Ran {
    Ran::of(&[&["get"], arguments].concat())
}

/// A file of the tests' own.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lab_exit_codes.{name}"))
}

fn name_of(file: &std::path::Path) -> &str {
    file.to_str().unwrap()
}

// ---- exit codes

#[test]
fn every_failure_has_curls_exit_code_and_says_what_happened() {
    let long = ["-m", "5"];
    for (url, code, said) in [
        ("ftp://www.example.test/", 1, "ftp"),
        ("http://garbage.test/", 1, "not an HTTP/1 response"),
        ("http://idle leo.test/", 3, "space"),
        ("idle@leo.test1", 3, "e-mail"),
        ("http://www.example.test:99999/", 3, "port"),
        ("http://nobody.test/", 6, "does not exist"),
        ("http://ipv6only.test/", 6, "only an IPv6 address"),
        ("http://refused.test/", 7, "connection refused by 203.0.113.53:80"),
        ("http://noarp.test/", 7, "no ARP reply from 192.168.1.99"),
        ("http://dead.test/", 7, "host unreachable, says 198.19.1.20"),
        ("http://unreachable.test/", 7, "network unreachable, says 198.19.1.1"),
        ("http://truncated.test/", 18, "100 bytes came of 1000"),
        ("http://truncated-chunks.test/", 18, "body cut short"),
        ("http://hang.test/", 28, "--max-time"),
        ("http://never-closes.test/", 28, "22 bytes of the body had come"),
        ("http://silent.test/", 28, "--max-time"),
        ("https://plain-on-443.test/", 35, "not TLS"),
        ("http://loop.test/", 47, "redirect loop"),
        ("http://redirects.test/51", 47, "50 redirects followed"),
        ("http://empty.test/", 52, "empty reply"),
        ("http://reset.test/", 56, "reset"),
        ("http://reset-midway.test/", 56, "reset after 100 bytes"),
        ("https://wrong.host.badssl.test/", 60, "not for wrong.host.badssl.test but for *.badssl.test"),
        ("https://expired.badssl.test/", 60, "expired on 2026-05-02"),
        ("https://not-yet-valid.badssl.test/", 60, "valid only from"),
        ("https://untrusted-root.badssl.test/", 60, "not trusted here"),
        ("https://self-signed.badssl.test/", 60, "self-signed"),
        ("http://endless-head.test/", 56, "exceed"),
    ] {
        let ran = get(&[&[url, "-L"], &long[..]].concat()).exits(code).says(said);
        let last = ran.err.lines().filter(|line| line.starts_with("glasstack: ")).count();
        assert_eq!(last, 1, "{url}: the error is told once, at the end: {}", ran.err);
    }
}

#[test]
fn what_is_said_of_the_server_does_not_hold_for_a_proxy_over_tls() {
    let nobodys = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let (expired, good) = ("https://expired.badssl.test", "https://www.example.test");
    let url = "http://www.example.test/";
    get(&["-k", "-x", expired, url])
        .exits(60)
        .says("the proxy: the certificate of expired.badssl.test is refused");
    get(&["--proxy-insecure", "-x", expired, url]).exits(0);
    get(&["--pinnedpubkey", nobodys, "-x", good, url]).exits(0);
    get(&["--ech", "grease", "-x", "https://tls-v1-2.badssl.test:1012", url]).exits(0);
}

#[test]
fn a_silent_address_is_exit_28_without_any_limit_of_the_users() {
    get(&["http://silent.test/"]).exits(28).says("no answer from 198.51.100.70:80");
    get(&["http://silent.test/", "--connect-timeout", "2"]).exits(28).says("--connect-timeout");
}

#[test]
fn a_status_of_400_and_above_is_exit_22_with_f_alone() {
    let ran = get(&["-f", "http://status.test/404"]).exits(22).says("404");
    assert_eq!(ran.text(), "");
    get(&["-f", "http://status.test/503"]).exits(22);
    let ran = get(&["http://status.test/404"]).exits(0);
    assert_eq!(ran.text(), "404 Not Found\n");
    assert_eq!(get(&["-f", "http://status.test/204"]).exits(0).text(), "");
}

#[test]
fn what_arrived_before_a_failure_is_written() {
    assert_eq!(get(&["http://truncated.test/"]).exits(18).out, [b'.'; 100]);
    assert_eq!(get(&["http://reset-midway.test/"]).exits(56).out, [b'.'; 100]);
    assert_eq!(get(&["-m", "3", "http://never-closes.test/"]).exits(28).text(), "there is more to come\n");
}

// ---- arguments

#[test]
fn bad_arguments_are_exit_2_and_say_which() {
    let url = "http://www.example.test/";
    for (arguments, said) in [
        (&["get"][..], "URL"),
        (&["get", url, "--no-such-option"], "--no-such-option"),
        (&["get", url, "--net", "wifi"], "wifi"),
        (&["get", url, "--net", "tap:"], "name"),
        (&["get", url, "-m", "soon"], "soon"),
        (&["get", url, "-m", "-1"], "-1"),
        (&["get", url, "--addr", "10.0.0.300/24"], "10.0.0.300"),
        (&["get", url, "--addr", "10.0.0.2/24"], "--addr"),
        (&["get", url, "--dns", "nowhere"], "nowhere"),
        (&["get", url, "--hosts", "/no/such/file"], "/no/such/file"),
        (&["get", url, "--capture", "/no/such/folder/a.pcapng"], "/no/such/folder/a.pcapng"),
        (&["get", url, "--events", "/no/such/folder/a.jsonl"], "/no/such/folder/a.jsonl"),
        (&["get", url, "-X", "BAD METHOD"], "BAD METHOD"),
        (&["get", url, "-H", "no colon in it"], "no colon in it"),
        (&["get", url, "-I", "-d", "x"], "-I"),
        (&["get", url, "--seed", "many"], "many"),
        (&["resolve", "www.example.test", "NOTATYPE"], "NOTATYPE"),
        (&["ping", "www.example.test", "-c", "0"], "0"),
        (&["ping", "www.example.test", "-t", "0"], "0"),
        (&["ping", "www.example.test", "-l", "65508"], "65508"),
        (&["ping", "www.example.test", "-W", "0"], "no time at all"),
        (&["ping", ""], "`` is no name"),
        (&["resolve", ""], "`` is no name"),
        (&["resolve", "a b"], "`a b` is no name"),
        (&["resolve", "--capture", "-", "www.example.test"], "--capture"),
        (&["route", "get", "somewhere"], "somewhere"),
        (&["no-such-command"], "no-such-command"),
        (&[], "Usage"),
    ] {
        let ran = Ran::of(arguments).exits(2).says(said);
        assert_eq!(ran.text(), "", "{}", ran.arguments);
    }
}

#[test]
fn a_seed_is_refused_where_peers_are_real() {
    for net in ["tap", "tun", "tap:glass7"] {
        get(&["http://10.0.0.1/", "--net", net, "--seed", "1"]).exits(2).says("--seed is for the lab");
    }
}

#[test]
fn names_of_the_lab_and_others_do_not_go_together_unasked() {
    get(&["http://www.example.test/", "http://192.0.2.1/"]).exits(2).says("--net");
}

#[test]
fn files_of_certificates_that_cannot_be_used_are_exit_77() {
    let url = "https://www.example.test/";
    get(&[url, "--cacert", "/no/such/file"]).exits(77).says("/no/such/file");
    let empty = file("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    get(&[url, "--cacert", name_of(&empty)]).exits(77).says("--cacert");
}

// ---- what is shown

#[test]
fn the_body_is_on_stdout_and_the_journey_on_stderr() {
    let ran = get(&["-L", "http://www.example.test/"]).exits(0);
    assert!(ran.text().starts_with("<!doctype html>") && ran.text().ends_with("</html>\n"));
    let ran = ["address bar", "ARP request", "DNS query", "TCP SYN", "TLS established", "TIME-WAIT is over"]
        .into_iter()
        .fold(ran, Ran::says);
    assert!(!ran.err.contains("It works"));
    // Neither a terminal nor colours.
    assert!(!ran.err.contains('\u{1b}'));
}

#[test]
fn s_says_nothing_but_errors() {
    let ran = get(&["-s", "-L", "http://www.example.test/"]).exits(0);
    assert_eq!(ran.err, "");
    assert!(ran.text().contains("It works"));
    let ran = get(&["-s", "http://refused.test/"]).exits(7);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}

#[test]
fn v_tells_every_segment() {
    let count = |ran: &Ran| ran.err.matches("TCP").count();
    let usual = get(&["http://www.example.test/"]).exits(0);
    let verbose = get(&["-v", "http://www.example.test/"]).exits(0).says("new data");
    assert!(count(&verbose) > count(&usual) + 4, "{} {}", count(&verbose), count(&usual));
}

#[test]
fn the_ladder_is_drawn_when_asked_for() {
    let rung = "client -> home  TCP SYN";
    get(&["--ladder", "http://www.example.test/"]).exits(0).says(rung);
    assert!(!get(&["http://www.example.test/"]).err.contains(rung));
}

#[test]
fn o_writes_the_body_to_a_file() {
    let output = file("body");
    let ran = get(&["http://bytes.test/1000", "-o", name_of(&output)]).exits(0);
    assert!(ran.out.is_empty());
    let expected: Vec<u8> = (0..=250).cycle().take(1000).collect();
    assert_eq!(std::fs::read(&output).unwrap(), expected);
    get(&["http://bytes.test/1000", "-o", "/no/such/folder/body"]).exits(23).says("/no/such/folder/body");
}

#[test]
fn i_shows_the_heads_and_no_body() {
    let ran = get(&["-I", "http://www.example.test/"]).exits(0);
    assert!(ran.text().starts_with("HTTP/1.1 301 Moved Permanently\r\n"), "{}", ran.text());
    assert!(ran.text().ends_with("\r\n\r\n"));
    let ran = get(&["-I", "-L", "http://www.example.test/"]).exits(0);
    assert!(ran.text().contains("\r\n\r\nHTTP/1.1 200 OK\r\n"), "{}", ran.text());
    assert!(!ran.text().contains("doctype"));
}

// ---- the request

#[test]
fn the_request_is_as_the_options_say() {
    let echo = |arguments: &[&str]| {
        let ran = get(&[&["http://echo.test/x"], arguments].concat()).exits(0);
        String::from_utf8(ran.out).unwrap()
    };
    let version = concat!("user-agent: glasstack/", env!("CARGO_PKG_VERSION"));
    assert_eq!(echo(&[]), format!("GET /x\nhost: echo.test\n{version}\naccept: */*\n"));
    let post = echo(&["-d", "a=1", "-d", "b=2"]);
    assert!(post.starts_with("POST /x\n") && post.contains("content-length: 7\n"), "{post}");
    assert!(post.contains("content-type: application/x-www-form-urlencoded\n"), "{post}");
    assert!(echo(&["-X", "DELETE"]).starts_with("DELETE /x\n"));
    assert!(echo(&["-A", "me"]).contains("user-agent: me\n"));
    let edited = echo(&["-H", "X-Mine: yes", "-H", "Accept:", "-H", "X-Empty;"]);
    assert!(edited.contains("x-mine: yes\n") && edited.contains("x-empty: \n"), "{edited}");
    assert!(!edited.contains("accept:"), "{edited}");
}

#[test]
fn compressed_bodies_are_asked_for_and_unpacked_with_compressed_alone() {
    let plain = get(&["http://codings.test/chunked"]).exits(0).out;
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let url = format!("http://codings.test/{coding}");
        assert!(get(&["--compressed", &url]).exits(0).out == plain, "{coding}");
        assert!(get(&[&url]).exits(0).out != plain, "{coding}");
    }
}

#[test]
fn redirects_are_followed_with_l_up_to_the_limit() {
    assert_eq!(get(&["http://redirects.test/3"]).exits(0).text(), "see /2\n");
    assert_eq!(get(&["-L", "http://redirects.test/3"]).exits(0).text(), "arrived\n");
    get(&["-L", "--max-redirs", "2", "http://redirects.test/3"]).exits(47).says("--max-redirs");
    assert_eq!(get(&["-L", "--max-redirs", "-1", "http://redirects.test/60"]).exits(0).text(), "arrived\n");
}

#[test]
fn whom_to_believe_is_the_users_choice() {
    let ran = get(&["-k", "https://expired.badssl.test/"]).exits(0);
    assert_eq!(ran.text(), "expired.badssl.test was believed\n");
    get(&["-k", "https://wrong.host.badssl.test/"]).exits(0);
    // Nobody here loads these.
    get(&["-k", "https://unknown-extension.badssl.test/"]).exits(0);
    get(&["-k", "https://rsa1024.badssl.test/"]).exits(0);
    let key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    get(&["-k", "--pinnedpubkey", key, "https://rsa1024.badssl.test/"]).exits(90);
    get(&["https://tls-v1-2.badssl.test:1012/"]).exits(0).says("TLS 1.2");
    get(&["https://tls-v1-3.badssl.test:1013/"]).exits(0).says("TLS 1.3");
}

#[test]
fn resolve_and_hosts_come_before_the_name_server() {
    let url = "http://made-up.test/";
    // The web server knows no such site, and says so: it was reached.
    let misdirected = |ran: Ran| assert!(ran.exits(0).text().contains("no site is called made-up.test"));
    misdirected(get(&[url, "--resolve", "made-up.test:80:198.51.100.80"]));
    let hosts = file("hosts");
    std::fs::write(&hosts, "# ours\n198.51.100.80 other.test made-up.test\n").unwrap();
    let ran = get(&[url, "--hosts", name_of(&hosts)]).says("hosts file");
    assert!(!ran.err.contains("DNS query"), "{}", ran.err);
    misdirected(ran);
    get(&[url]).exits(6);
    // Nobody is there.
    get(&["http://www.example.test/", "--dns", "192.168.1.99"]).exits(6).says("192.168.1.99");
}

// ---- what is saved

#[test]
fn events_are_lines_of_json_numbered_without_gaps() {
    let events = file("events.jsonl");
    get(&["-s", "-L", "http://www.example.test/", "--events", name_of(&events)]).exits(0);
    let text = std::fs::read_to_string(&events).unwrap();
    let mut layers = std::collections::BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["seq"], number);
        assert!(record["at"].is_u64() && record["node"].is_u64(), "{line}");
        layers.insert(record["event"]["layer"].as_str().unwrap().to_owned());
    }
    for layer in ["node", "span", "link", "arp", "ip", "udp", "tcp", "dns", "tls", "http", "page"] {
        assert!(layers.contains(layer), "{layer}: {layers:?}");
    }
}

#[test]
fn the_seed_decides_every_byte_of_the_capture() {
    let capture = |name: &str, seed: &[&str]| {
        let path = file(name);
        let arguments =
            [&["-s", "-L", "http://www.example.test/", "--capture", name_of(&path)], seed].concat();
        get(&arguments).exits(0);
        std::fs::read(&path).unwrap()
    };
    let first = capture("first.pcapng", &["--seed", "7"]);
    // The type of the block that begins a pcapng file.
    assert_eq!(first.get(..4), Some(&[0x0a, 0x0d, 0x0d, 0x0a][..]));
    assert!(first == capture("again.pcapng", &["--seed", "7"]));
    assert!(first != capture("other.pcapng", &["--seed", "8"]));
    assert!(capture("usual.pcapng", &[]) == capture("usual_again.pcapng", &[]));
}

#[test]
fn sslkeylogfile_is_honoured_and_added_to() {
    let keys = file("keys");
    let _ = std::fs::remove_file(&keys);
    let arguments = ["get", "-s", "https://www.example.test/"];
    for times in [1, 2] {
        let output = program(&arguments).env("SSLKEYLOGFILE", &keys).output().unwrap();
        Ran::from(&arguments, output).exits(0);
        let text = std::fs::read_to_string(&keys).unwrap();
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"] {
            assert_eq!(text.lines().filter(|line| line.starts_with(&format!("{label} "))).count(), times);
        }
    }
    let output = program(&arguments).env("SSLKEYLOGFILE", "/no/such/folder/keys").output().unwrap();
    Ran::from(&arguments, output).exits(2).says("SSLKEYLOGFILE");
    // A full disk takes secrets away, not the page; and is told, once.
    let output = program(&arguments).env("SSLKEYLOGFILE", "/dev/full").output().unwrap();
    let ran = Ran::from(&arguments, output).exits(0).says("SSLKEYLOGFILE: /dev/full lacks secrets");
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
}

// ---- the other commands

#[test]
fn resolve_prints_records() {
    let ran = Ran::of(&["resolve", "www.example.test"]).exits(0);
    assert!(ran.text().contains("198.51.100.80"), "{}", ran.text());
    assert!(Ran::of(&["resolve", "alias.test"]).exits(0).text().contains("CNAME"));
    let many = Ran::of(&["resolve", "-s", "many.test"]).exits(0);
    assert!(many.text().lines().count() > 30 && many.err.is_empty(), "{}", many.text());
    assert!(Ran::of(&["resolve", "ipv6only.test", "AAAA"]).exits(0).text().contains("2001:db8::80"));
    Ran::of(&["resolve", "nobody.test"]).exits(6).says("NXDOMAIN");
    Ran::of(&["resolve", "b\u{fc}cher.test"]).exits(6).says("xn--bcher-kva.test");
    Ran::of(&["resolve", "www.example.test", "MX"]).exits(6).says("MX");
}

#[test]
fn ping_counts_replies() {
    let ran = Ran::of(&["ping", "-c", "3", "www.example.test"]).exits(0);
    assert!(ran.text().contains("3 sent, 3 received, 0 % lost"), "{}", ran.text());
    assert_eq!(ran.text().matches("56 bytes from 198.51.100.80").count(), 3, "{}", ran.text());
    let ran = Ran::of(&["ping", "-c", "2", "noarp.test"]).exits(1);
    assert!(ran.text().contains("2 sent, 0 received, 100 % lost"), "{}", ran.text());
    let ran = Ran::of(&["ping", "-c", "1", "-t", "1", "www.example.test"]).exits(1);
    assert!(ran.text().contains("says 192.168.1.1"), "{}", ran.text());
    Ran::of(&["ping", "nobody.test"]).exits(6);
}

#[test]
fn route_get_names_the_row_and_why() {
    let ran = Ran::of(&["route", "get", "198.51.100.80", "--net", "lab"]).exits(0);
    assert!(ran.text().contains("via 192.168.1.1") && ran.text().contains("0.0.0.0/0"), "{}", ran.text());
    let ran = Ran::of(&["route", "get", "192.168.1.11", "--net", "lab"]).exits(0);
    assert!(ran.text().contains("on the link") && ran.text().contains("longest prefix"), "{}", ran.text());
}

#[test]
fn url_shows_what_the_address_bar_makes_of_a_text() {
    let ran = Ran::of(&["url", "http://me:secret@b\u{fc}cher.test:8080/a?c#d"]).exits(0);
    for row in ["xn--bcher-kva.test", "8080", "/a", "never sent"] {
        assert!(ran.text().contains(row), "{row}: {}", ran.text());
    }
    Ran::of(&["url", "idle leo.com"]).exits(3);
}

// ---- whoever reads goes away

/// Runs the program into a pipe that nobody reads.
fn into_a_closed_pipe(arguments: &[&str]) -> Ran {
    let mut child = program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    Ran::from(arguments, child.wait_with_output().unwrap())
}

#[test]
fn nobody_reading_is_no_panic() {
    for arguments in [
        &["get", "http://bytes.test/1000000"][..],
        &["get", "-s", "-I", "http://www.example.test/"],
        &["resolve", "-s", "many.test"],
        &["ping", "-s", "-c", "5", "www.example.test"],
        &["route", "get", "192.168.1.11", "--net", "lab"],
        &["url", "www.example.test"],
        &["--help"],
    ] {
        let ran = into_a_closed_pipe(arguments);
        assert!(ran.code.is_some_and(|code| code != 101), "{}: {:?}", ran.arguments, ran.code);
    }
}

#[test]
fn nobody_reading_the_journey_does_not_hurt_the_body() {
    let mut child = program(&["get", "-L", "http://www.example.test/"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.ends_with(b"</html>\n"));
    assert!(output.status.code().is_some_and(|code| code != 101), "{}", output.status);
}

#[test]
fn a_full_disk_is_exit_23_and_no_panic() {
    for arguments in [
        &["get", "-s", "http://www.example.test/"][..],
        &["resolve", "-s", "www.example.test"],
        &["ping", "-s", "-c", "2", "www.example.test"],
        &["route", "get", "192.168.1.11", "--net", "lab"],
        &["url", "www.example.test"],
    ] {
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = program(arguments).stdout(full()).output().unwrap();
        Ran::from(arguments, output).exits(23).says("No space left");
        // Nor is there a panic where the error cannot be told.
        let status = program(arguments).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(23), "{arguments:?}");
    }
}
