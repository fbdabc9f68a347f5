//! `glasstack dnsd`, by its command line: in the lab, on this machine's ports, and what it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, reason = "the clients are made of the kernel's own sockets")]
#![allow(clippy::disallowed_methods, reason = "clients of the program are programs of this machine")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv6Addr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use support::PROGRAM;

const ZONE: &str = "\
$ORIGIN example.test.
$TTL 300
@ IN SOA ns hostmaster 7 3600 600 86400 60
  IN NS ns
ns A 192.0.2.53
www A 192.0.2.80
alias CNAME www
";

fn dnsd(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("dnsd").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A zone file of this test's.
fn zone_file(test: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dnsd-{test}.zone"));
    std::fs::write(&path, text).unwrap();
    path
}

/// A server of this machine's, ended with this.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts it on a port that the machine chooses, and waits until it says that it serves.
    fn start(arguments: &[&str]) -> Self {
        // Whoever runs the tests may ignore a hangup, as `nohup` does, and leaves that to what it starts.
        let mut child = Command::new("env")
            .args(["--default-signal=HUP", PROGRAM, "dnsd", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let place = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?}"));
        let port = place.rsplit(':').next().unwrap().parse().unwrap();
        Self { child, port }
    }

    /// Asks over UDP; the response, if there is one within what is far beyond what it takes.
    fn ask(&self, query: &[u8]) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.send_to(query, ("127.0.0.1", self.port)).unwrap();
        let mut response = vec![0; 4096];
        let length = socket.recv(&mut response).ok()?;
        response.truncate(length);
        Some(response)
    }

    /// Ends it as Ctrl-C does; its exit code and what it said on stderr.
    fn interrupt(self) -> (Option<i32>, String) {
        self.end("-INT")
    }

    /// Ends it by a signal.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let code = self.child.wait().unwrap().code();
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (code, told)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A query for the addresses of a name, with RD.
fn query(id: u16, name: &str) -> Vec<u8> {
    let mut bytes = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// The response code and the number of answers.
fn outcome(response: &[u8]) -> (u8, u8) {
    (response[3] & 0x0f, response[7])
}

// ---- the lab

#[test]
fn in_the_lab_a_zone_is_served_and_asked_by_the_program_itself() {
    let zone = zone_file("lab", ZONE);
    let zone = zone.to_str().unwrap();
    let run = dnsd(&[
        "--net",
        "lab",
        "-s",
        "--zone",
        zone,
        "--query",
        "alias.example.test",
        "--query",
        "no.example.test",
    ]);
    assert_eq!(
        text(&run.stdout),
        "serving 192.168.1.10:53 over UDP and TCP\n\
         ; alias.example.test A: NOERROR aa in 0 ms\n\
         alias.example.test. 300 IN CNAME www.example.test.\n\
         www.example.test. 300 IN A 192.0.2.80\n\
         ; no.example.test A: NXDOMAIN aa in 0 ms\n\
         ; example.test. 60 IN SOA ns.example.test. hostmaster.example.test. 7 3600 600 86400 60\n"
    );
    assert_eq!((run.status.code(), text(&run.stderr)), (Some(0), String::new()));
}

#[test]
fn in_the_lab_a_recursive_server_walks_from_the_labs_root_remembers_and_believes_the_labs_keys() {
    let twice = ["--query", "www.example.test", "--query", "www.example.test"];
    let run = dnsd(&[&["--net", "lab", "--recursive"][..], &twice].concat());
    let told = text(&run.stdout);
    let answers: Vec<&str> = told.lines().filter(|line| line.starts_with("; www")).collect();
    let [first, second] = answers[..] else { panic!("{told}") };
    assert!(first.starts_with("; www.example.test A: NOERROR ad in "), "{first}");
    assert_eq!(second, "; www.example.test A: NOERROR ad in 0 ms");
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn a_zone_of_ones_own_may_lead_out_into_what_is_found_out() {
    let zone = zone_file(
        "home",
        &ZONE.replace("example.test", "home.test").replace("CNAME www", "CNAME www.example.test."),
    );
    let zone = zone.to_str().unwrap();
    let run = dnsd(&["--net", "lab", "-s", "--recursive", "--zone", zone, "--query", "alias.home.test"]);
    let told = text(&run.stdout);
    assert!(told.contains("; alias.home.test A: NOERROR aa in "), "{told}");
    assert!(told.contains("alias.home.test. 300 IN CNAME www.example.test.\nwww.example.test. "), "{told}");
    assert_eq!(run.status.code(), Some(0));
}

#[test]
fn in_the_lab_the_same_seed_gives_the_same_bytes() {
    let run = || dnsd(&["--net", "lab", "--recursive", "-v", "--seed", "5", "--query", "www.example.test"]);
    let (one, other) = (run(), run());
    assert_eq!(text(&one.stdout), text(&other.stdout));
    assert!(one.stderr == other.stderr && one.stderr.len() > 1_000);
}

#[test]
fn questions_can_come_from_a_file_as_dnsperf_has_it() {
    let zone = zone_file("queries", ZONE);
    let mut child = Command::new(PROGRAM)
        .args(["dnsd", "--net", "lab", "-s", "--queries", "-", "--zone", zone.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"; a comment\nwww.example.test A\n\nexample.test NS\n").unwrap();
    let told = text(&child.wait_with_output().unwrap().stdout);
    let heads: Vec<&str> = told.lines().filter(|line| line.contains(" in ")).collect();
    assert_eq!(heads, ["; www.example.test A: NOERROR aa in 0 ms", "; example.test NS: NOERROR aa in 0 ms"]);
}

// ---- zone files

#[test]
fn a_zone_is_checked_without_being_served() {
    let run = dnsd(&["--check", "--zone", zone_file("good", ZONE).to_str().unwrap()]);
    assert_eq!(
        (run.status.code(), text(&run.stdout)),
        (Some(0), "zone example.test/IN: loaded serial 7\nOK\n".into())
    );
}

/// A file of the repository.
fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/zones").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_example_zone_is_good_and_the_one_with_mistakes_is_told_them() {
    let good = example("example.test.zone");
    let run = dnsd(&["--check", "--zone", &good]);
    let expected = "zone example.test/IN: loaded serial 2026112301\nOK\n";
    assert_eq!(
        (run.status.code(), text(&run.stdout), text(&run.stderr)),
        (Some(0), expected.into(), String::new())
    );
    let asked =
        ["printer.lab.example.test", "pc-3.example.test", "any.pages.example.test", "home.old.example.test"];
    let queries = asked.iter().flat_map(|name| ["--query", name]);
    let words: Vec<&str> = ["--net", "lab", "-s", "--zone", &good].into_iter().chain(queries).collect();
    let told = text(&dnsd(&words).stdout);
    for address in ["192.0.2.101", "192.0.2.3", "192.0.2.80", "192.0.2.81"] {
        assert!(told.contains(&format!(" IN A {address}\n")), "{address}: {told}");
    }
    let shown = std::fs::read_to_string(&good).unwrap();
    let page = std::fs::read_to_string(example("../../docs/dnsd.md")).unwrap();
    let (_, body) = shown.split_once('\n').unwrap();
    assert!(page.contains(body), "docs/dnsd.md shows the zone as it is");
    let bad = dnsd(&["--check", "--zone", &example("mistakes.test.zone")]);
    let told = text(&bad.stderr);
    assert_eq!(bad.status.code(), Some(1));
    assert!(told.contains("mistakes.test.zone:6: ") && told.contains("192.0.2.256"), "{told}");
}

#[test]
fn a_bad_zone_is_told_with_file_line_and_cure() {
    let path = zone_file("bad", &ZONE.replace("192.0.2.80", "192.0.2"));
    let run = dnsd(&["--check", "--zone", path.to_str().unwrap()]);
    let told = text(&run.stderr);
    assert_eq!(run.status.code(), Some(1));
    assert!(told.contains(&format!("{}:6: ", path.display())), "{told}");
    assert!(told.contains("192.0.2.1"), "the cure: {told}");
}

#[test]
fn all_zones_are_checked_even_if_one_is_bad() {
    let good = zone_file("one-of-several", ZONE);
    let bad = zone_file("bad-one", &ZONE.replace("192.0.2.80", "192.0.2"));
    let other = zone_file("other-one", &ZONE.replace("$ORIGIN example.test.\n", ""));
    let [good, bad] = [&good, &bad].map(|path| path.to_str().unwrap());
    let other = format!("other.test={}", other.display());
    let run = dnsd(&["--check", "--zone", bad, "--zone", "missing.zone", "--zone", good, "--zone", &other]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(
        text(&run.stdout),
        "zone example.test/IN: loaded serial 7\nzone other.test/IN: loaded serial 7\n"
    );
    let told = text(&run.stderr);
    assert!(told.contains(&format!("{bad}:6: ")) && told.contains("cannot read missing.zone"), "{told}");
    let twice = dnsd(&["--check", "--zone", good, "--zone", good]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(text(&twice.stderr).contains("the zone example.test is given twice"));
}

#[test]
fn a_zone_that_does_not_say_its_name_has_to_be_told_it() {
    let path = zone_file("nameless", &ZONE.replace("$ORIGIN example.test.\n", ""));
    let path = path.to_str().unwrap();
    let run = dnsd(&["--check", "--zone", path]);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).contains(&format!("--zone example.test={path}")), "{}", text(&run.stderr));
    assert_eq!(dnsd(&["--check", "--zone", &format!("other.test={path}")]).status.code(), Some(0));
}

#[test]
fn a_zone_may_include_files_beside_it() {
    let included = zone_file("included", "mail A 192.0.2.25\n");
    let name = included.file_name().unwrap().to_str().unwrap();
    let path = zone_file("including", &format!("{ZONE}$INCLUDE {name}\n"));
    let run = dnsd(&["--net", "lab", "-s", "--zone", path.to_str().unwrap(), "--query", "mail.example.test"]);
    assert!(text(&run.stdout).contains("mail.example.test. 300 IN A 192.0.2.25"), "{}", text(&run.stdout));
}

// ---- this machine's ports

#[test]
fn on_this_machines_ports_whoever_reaches_them_is_answered_and_ctrl_c_ends_it_in_order() {
    let zone = zone_file("host", ZONE);
    let server = Server::start(&["--zone", zone.to_str().unwrap()]);
    let response = server.ask(&query(7, "www.example.test")).unwrap();
    assert_eq!((&response[..2], outcome(&response)), (&[0, 7][..], (0, 1)));
    assert_eq!(outcome(&server.ask(&query(8, "www.other.test")).unwrap()), (5, 0), "REFUSED");
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let mut pipelined = Vec::new();
    for id in 1..=3 {
        let query = query(id, "alias.example.test");
        pipelined.extend(u16::try_from(query.len()).unwrap().to_be_bytes());
        pipelined.extend(query);
    }
    stream.write_all(&pipelined).unwrap();
    for _ in 1..=3 {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut response).unwrap();
        assert_eq!(outcome(&response), (0, 2));
    }
    let (code, told) = server.interrupt();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("queries    5 (2 over UDP, 3 over TCP on 1 connections)"), "{told}");
    assert!(told.contains("responses  5 (4 NOERROR, 1 REFUSED)"), "{told}");
}

#[test]
fn who_hangs_up_is_told_the_statistics_too() {
    let path = zone_file("hangup", ZONE);
    for signal in ["-HUP", "-TERM"] {
        let server = Server::start(&["--zone", path.to_str().unwrap()]);
        assert!(server.ask(&query(7, "www.example.test")).is_some());
        let (code, told) = server.end(signal);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("queries    1 "), "{signal}: {told}");
    }
}

#[test]
fn a_recursive_server_asks_another_and_is_for_this_machine_unless_others_are_named() {
    let zone = zone_file("forward", ZONE);
    let upstream = Server::start(&["--zone", zone.to_str().unwrap()]);
    let forward = format!("127.0.0.1:{}", upstream.port);
    let server = Server::start(&["--forward", &forward]);
    let response = server.ask(&query(7, "alias.example.test")).unwrap();
    assert_eq!(outcome(&response), (0, 2));
    assert_eq!(response[3] & 0x80, 0x80, "recursion is available");
    let closed = Server::start(&["--forward", &forward, "--access-control", "127.0.0.1=refuse"]);
    assert_eq!(outcome(&closed.ask(&query(7, "www.example.test")).unwrap()), (5, 0));
    let (code, told) = closed.interrupt();
    assert_eq!(code, Some(0));
    assert!(told.contains("withheld   1 refused (access)"), "{told}");
}

/// A name server of the kernel's sockets that answers whatever it is asked with SERVFAIL, and the address
/// that the first question came from.
fn asked_from(listen: &str, arguments: &[&str]) -> IpAddr {
    let upstream = UdpSocket::bind(listen).unwrap();
    upstream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let forward = upstream.local_addr().unwrap().to_string();
    let server = Server::start(&[&["--forward", &forward][..], arguments].concat());
    let client = std::thread::spawn(move || server.ask(&query(7, "www.example.test")));
    let mut request = [0; 512];
    let (length, from) = upstream.recv_from(&mut request).unwrap();
    let mut response = request[..length].to_vec();
    response[2] |= 0x80;
    response[3] = 2;
    upstream.send_to(&response, from).unwrap();
    // Whether it tries again is its own affair.
    drop(upstream);
    client.join().unwrap();
    from.ip()
}

#[test]
fn servers_are_asked_from_the_address_that_was_said() {
    let outgoing = asked_from("127.0.0.1:0", &["--outgoing", "127.0.0.77"]);
    assert_eq!(outgoing, IpAddr::from([127, 0, 0, 77]));
}

#[test]
fn servers_are_asked_over_ipv6_in_the_stacks_place() {
    if UdpSocket::bind("[::1]:0").is_err() {
        return support::skip("servers_are_asked_over_ipv6_in_the_stacks_place", "this machine has no IPv6");
    }
    assert_eq!(asked_from("[::1]:0", &["--ipv6", "on"]), IpAddr::from(Ipv6Addr::LOCALHOST));
}

#[test]
fn a_port_that_another_program_has_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let zone = zone_file("taken", ZONE);
    let run = dnsd(&["--listen", &at, "--zone", zone.to_str().unwrap()]);
    let told = text(&run.stderr);
    assert_eq!(run.status.code(), Some(2));
    assert!(told.contains(&at) && told.contains("another program has this port"), "{told}");
}

// ---- what makes no sense

#[test]
fn what_makes_no_sense_is_refused_with_the_cure_before_anything_is_opened() {
    let zone = zone_file("sense", ZONE);
    let zone = zone.to_str().unwrap();
    let hints = zone_file("hints", ". NS a.root.\n");
    let hints = hints.to_str().unwrap();
    let at = "127.0.0.1:5399";
    let cases: [(&[&str], &str); 22] = [
        (&[], "give it --zone FILE, --recursive, or both"),
        (&["--check"], "nothing to check without --zone FILE"),
        (&["--zone", zone, "--serve-stale"], "--serve-stale is for --recursive"),
        (&["--zone", zone, "--net", "lab"], "ask it yourself, with --query"),
        (&["--zone", zone, "--net", "user"], "`host` is the same network"),
        (&["--zone", zone, "--net", "tap", "--seed", "1"], "--seed is for the lab"),
        (&["--zone", zone, "--addr", "10.0.0.1/24"], "--addr and --gateway are for TAP and TUN"),
        (&["--zone", zone, "--listen", "::"], "listen on an IPv4 address or on ::1"),
        (&["--zone", zone, "--access-control", "10.0.0.0/8=permit"], "deny, refuse, allow and allow_snoop"),
        (&["--zone", zone, "--rate-limit", "0", "--listen", "127.0.0.1:0"], "nobody would be answered"),
        (
            &["--recursive", "--ipv6", "on", "--net", "lab", "--seconds", "1"],
            "with --net host the gateway asks",
        ),
        (&["--zone", zone, "--outgoing", "192.0.2.1"], "cannot have the address 192.0.2.1"),
        (&["--zone", zone, "--listen", "192.0.2.1:5399"], "it is no address of this machine"),
        (&["--zone", zone, "--listen", "localhost"], "is no address with a port, as 127.0.0.1:5353"),
        (&["--zone", zone, "--listen", at, "--listen", at], "--listen 127.0.0.1:5399: once is enough"),
        (&["--zone", zone, "--rate-limit-exempt", "::/0"], "there is no limit without --rate-limit"),
        (&["--zone", zone, "--query", "www. B"], "\"B\" is not a record type"),
        (&["--zone", zone, "--queries", "missing"], "cannot read missing"),
        (
            &["--recursive", "--root-hints", hints, "--listen", at],
            "it names no server of the root with its address",
        ),
        (&["--recursive", "--root-hints", "missing", "--listen", at], "cannot read missing"),
        (&["--recursive", "--stub", "127.0.0.1", "--listen", at], "Write --stub ZONE=ADDR"),
        (&["--forward", "a..b=127.0.0.1", "--listen", at], "--forward a..b: this is no name"),
    ];
    for (arguments, cure) in cases {
        let run = dnsd(arguments);
        let told = text(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(cure), "{arguments:?}: {told}");
        assert!(run.stdout.is_empty(), "{arguments:?}: it served");
    }
}
