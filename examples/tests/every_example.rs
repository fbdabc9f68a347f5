//! Every example runs, in the lab and on a TAP, and is short.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the peer of an example on a TAP is the kernel, on a thread of its own"
)]

#[path = "../../crates/uplink/tests/support/mod.rs"]
mod support;

use glasstack::lab::Lab;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use support::in_a_fresh_namespace;

/// All of them; a new one belongs here.
const EXAMPLES: [&str; 10] = [
    "blocking_get",
    "fetch",
    "judge",
    "mini_internet",
    "netns_test",
    "ping",
    "resolve",
    "serve",
    "tls_server",
    "two_hosts_in_a_test",
];

/// An example's program: cargo puts it into `examples`, beside the folder that this test is in.
fn program(name: &str, arguments: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap();
    let built: PathBuf = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(built.exists(), "{} is not built", built.display());
    let mut command = Command::new(built);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What an example that must succeed prints.
fn run(name: &str, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = program(name, arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name} {arguments:?}: {status}\n{out}{err}");
    out.into_owned()
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn every_example_has_at_most_sixty_lines_and_is_run_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 60, "{} has {lines} lines", path.display());
            found.push(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    assert_eq!(found, EXAMPLES);
}

// ---- in the lab

#[test]
fn ping_in_the_lab() {
    has(&run("ping", &["--net", "lab"]), &["www.example.test: 56 bytes from 198.51.100.80 in"]);
}

#[test]
fn resolve_in_the_lab() {
    has(&run("resolve", &["--net", "lab"]), &["www.example.test is 198.51.100.80, from name server"]);
    has(&run("resolve", &["--net", "lab", "alias.test"]), &["CNAME"]);
}

#[test]
fn fetch_in_the_lab() {
    has(&run("fetch", &["--net", "lab"]), &["<h1>It works</h1>"]);
    assert_eq!(run("fetch", &["--net", "lab", "https://www.example.test/hello.txt"]), "hello\n");
}

#[test]
fn serve_in_the_lab() {
    has(&run("serve", &["--net", "lab"]), &["a guest from 192.168.1.10", "HTTP/1.1 200 OK", "hello"]);
}

#[test]
fn two_hosts_in_a_test_are_the_same_every_time() {
    let ladder = run("two_hosts_in_a_test", &["--net", "lab"]);
    has(&ladder, &["client -> server  TCP SYN", "client: connected"]);
    assert_eq!(ladder, run("two_hosts_in_a_test", &["--net", "lab"]));
}

#[test]
fn mini_internet_is_drawn_crossed_and_told() {
    let told = run("mini_internet", &[]);
    has(
        &told,
        &["192.168.7.1/24", "shop.test", "SYN ACK   x lost: lose client SYN-ACK 1", "client: connected"],
    );
    assert_eq!(told, run("mini_internet", &[]));
}

#[test]
fn judge_proves_a_good_certificate_and_says_what_is_wrong_with_a_bad_one() {
    has(
        &run("judge", &[]),
        &["accepted", "the list of CN=glasstack lab issuing CA", "trusted: CN=glasstack lab root"],
    );
    for (site, code) in [("expired", "expired"), ("revoked", "revoked_by_crl")] {
        let output = program("judge", &[&format!("{site}.badssl.test")]).output().unwrap();
        assert!(!output.status.success());
        has(&String::from_utf8_lossy(&output.stdout), &[&format!("REJECTED ({code}): ")]);
    }
}

#[test]
fn judge_reads_files_and_takes_the_time_from_whoever_asks() {
    let lab = Lab::new(1).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (chain, roots) = (folder.join("judge-chain.pem"), folder.join("judge-roots.pem"));
    std::fs::write(&chain, lab.pki.issue("www.example.test").unwrap().chain_pem()).unwrap();
    std::fs::write(&roots, lab.ca_pem()).unwrap();
    let (chain, roots) = (chain.to_str().unwrap(), roots.to_str().unwrap());
    let now = lab.client.scope().wall().unix_seconds();
    has(&run("judge", &["www.example.test", chain, roots, &now.to_string()]), &["accepted"]);
    let a_year_on = (now + 365 * 86_400).to_string();
    let late = program("judge", &["www.example.test", chain, roots, &a_year_on]).output().unwrap();
    has(&String::from_utf8_lossy(&late.stdout), &["REJECTED (expired): "]);
}

#[test]
fn a_network_that_there_is_not_is_an_error_that_says_what_there_is() {
    let output = program("ping", &["--net", "wifi"]).output().unwrap();
    assert!(!output.status.success());
    has(&String::from_utf8_lossy(&output.stderr), &["lab, user, host and tap are what there is"]);
}

// ---- on the user network, without privilege

#[test]
fn fetch_on_the_user_network() {
    let (at, server) = a_page_at("127.0.0.1:0");
    let url = format!("http://localhost:{}/", at.port());
    assert_eq!(run("fetch", &["--net", "user", &url]), "from outside");
    server.join().unwrap();
}

#[test]
fn blocking_get_on_the_user_network() {
    let (at, server) = a_page_at("127.0.0.1:0");
    assert_eq!(run("blocking_get", &[&format!("http://localhost:{}/", at.port())]), "from outside");
    server.join().unwrap();
    let refused = program("blocking_get", &[&format!("http://{at}/")]).output().unwrap();
    assert!(!refused.status.success());
    has(&String::from_utf8_lossy(&refused.stderr), &["connection refused by 127.0.0.1"]);
}

// ---- on a TAP, with the kernel as the peer

#[test]
fn ping_on_a_tap() {
    in_a_fresh_namespace(|| {
        has(&run("ping", &["--net", "tap"]), &["10.71.83.1: 56 bytes from 10.71.83.1 in"]);
    });
}

#[test]
fn resolve_on_a_tap() {
    in_a_fresh_namespace(|| {
        has(&run("resolve", &["--net", "tap", "10.71.83.1"]), &["10.71.83.1 is 10.71.83.1"]);
    });
}

#[test]
fn fetch_on_a_tap() {
    in_a_fresh_namespace(|| {
        // The TAP's address comes up with the program.
        let server = a_page_at("0.0.0.0:8000").1;
        assert_eq!(run("fetch", &["--net", "tap"]), "from outside");
        server.join().unwrap();
    });
}

#[test]
fn blocking_get_on_a_tap() {
    in_a_fresh_namespace(|| {
        let server = a_page_at("0.0.0.0:8000").1;
        assert_eq!(run("blocking_get", &["--net", "tap", "http://10.71.83.1:8000/"]), "from outside");
        server.join().unwrap();
    });
}

/// The kernel's side of one fetch, on a thread.
fn a_page_at(address: &str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while head.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nfrom outside").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Until the client is gone.
        let _ = head.read_to_end(&mut Vec::new());
    });
    (address, server)
}

#[test]
fn serve_on_a_published_port() {
    let mut server =
        Serving(program("serve", &["--net", "host", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut told = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let said = told.next().unwrap().unwrap();
    let at = said.strip_prefix("serving http://").and_then(|rest| rest.strip_suffix('/')).unwrap();
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    has(&page, &["HTTP/1.1 200 OK", "hello"]);
    drop(stream);
    assert!(server.0.wait().unwrap().success());
    // Whoever calls from this machine's loopback is the gateway, seen from inside.
    has(&told.next().unwrap().unwrap(), &["a guest from 10.71.84.1:"]);
}

#[test]
fn tls_server_on_a_published_port_tells_curl_what_was_agreed_on() {
    let Ok(folder) = Command::new("mktemp").arg("-d").output() else { return };
    let folder = String::from_utf8(folder.stdout).unwrap().trim().to_owned();
    let (cert, key) = (format!("{folder}/cert.pem"), format!("{folder}/key.pem"));
    let words =
        ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a.test"];
    let made = Command::new("openssl")
        .arg("req")
        .args(words)
        .args(["-addext", "subjectAltName=DNS:a.test", "-addext", "basicConstraints=CA:FALSE"])
        .args(["-out", &cert, "-keyout", &key])
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        return support::skip("tls_server", "needs openssl");
    }
    let words = ["--net", "host", "127.0.0.1:0", &format!("cert={cert}"), &format!("key={key}")];
    let mut server = Serving(program("tls_server", &words).stdout(Stdio::piped()).spawn().unwrap());
    let mut told = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let said = told.next().unwrap().unwrap();
    let at = said.strip_prefix("serving https://").and_then(|rest| rest.strip_suffix('/')).unwrap();
    let port = at.rsplit(':').next().unwrap();
    let curl = |version: &str| {
        let resolve = format!("a.test:{port}:127.0.0.1");
        let url = format!("https://a.test:{port}/");
        let words = ["-sS", "-m", "20", "--cacert", &cert, "--resolve", &resolve, "--tls-max", version, &url];
        String::from_utf8(Command::new("curl").args(words).output().unwrap().stdout).unwrap()
    };
    assert_eq!(curl("1.3"), "TLS 1.3, TLS_AES_256_GCM_SHA384, new, with nobody known\n");
    has(&curl("1.2"), &["TLS 1.2, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, new"]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn serve_on_a_tap() {
    in_a_fresh_namespace(|| {
        let mut serving =
            Serving(program("serve", &["--net", "tap"]).stdout(Stdio::piped()).spawn().unwrap());
        let mut told = BufReader::new(serving.0.stdout.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        assert_eq!(line, "serving http://10.71.83.2:8080/\n");
        let mut guest = TcpStream::connect("10.71.83.2:8080").unwrap();
        guest.write_all(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n").unwrap();
        let mut page = String::new();
        guest.read_to_string(&mut page).unwrap();
        has(&page, &["HTTP/1.1 200 OK", "\r\n\r\nhello\n"]);
        drop(guest);
        assert!(serving.0.wait().unwrap().success());
    });
}

#[test]
fn two_hosts_in_a_test_on_a_tap() {
    in_a_fresh_namespace(|| {
        has(&run("two_hosts_in_a_test", &["--net", "tap"]), &["hello"]);
    });
}

#[test]
fn netns_test_in_a_namespace_of_its_own() {
    // It makes one itself; this only skips where that is not allowed.
    in_a_fresh_namespace(|| has(&run("netns_test", &[]), &["as it should be: IS ANYBODY THERE?"]));
}

/// A program that ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
