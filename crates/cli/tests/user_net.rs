//! `--net user` as the user `nobody`, with nothing set up: real servers on the machine's loopback.
//!
//! ```text
//!    glasstack (nobody) 10.71.84.2 --- 10.71.84.1 its gateway --- the kernel's sockets --- 127.0.0.1
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real servers live in real time")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]

#[path = "differential/folder.rs"]
mod folder;
#[path = "differential/peers.rs"]
mod peers;
mod support;

use folder::Folder;
use peers::{Certificates, Strange};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use support::Ran;
use support::tshark::Capture;

/// Far beyond what the program takes, in seconds.
const LONGEST_RUN: &str = "240";
/// The user and the group `nobody`, everywhere.
const NOBODY: u32 = 65534;
/// Where the network's gateway is.
const GATEWAY: &str = "10.71.84.1";
/// Nobody listens there.
const CLOSED: &str = "http://127.0.0.1:1/";

/// The strange server, and a folder into which `nobody` may write and where the program is.
struct Stage {
    folder: Folder,
    strange: Strange,
}

impl Stage {
    /// None where a program is missing; that has been said then.
    fn set(programs: &[&str]) -> Option<Self> {
        let needed = ["python3", "timeout"].iter().chain(programs);
        if let Some(missing) = needed.into_iter().find(|program| !support::is_there(program)) {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            support::skip(&test, &format!("needs {missing}"));
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.as_path(), fs::Permissions::from_mode(0o777)).unwrap();
        // Where it was built, nobody else may be able to look.
        let program = folder.path("glasstack");
        fs::hard_link(env!("CARGO_BIN_EXE_glasstack"), &program)
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_glasstack"), &program).map(|_| ()))
            .unwrap();
        let certificates = Certificates::new();
        folder.write("ca.pem", &certificates.authority);
        let strange = Strange::start(&folder, &certificates);
        Some(Self { folder, strange })
    }

    /// The program as `nobody`, in an environment with nothing in it.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", LONGEST_RUN]).arg(self.folder.path("glasstack")).args(words);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.as_path()).stdin(Stdio::null());
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// `glasstack get --net user -s` with these words.
    fn get(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.command(&[&["get", "--net", "user", "-s"], words].concat()))
    }

    /// The same in the background.
    fn start(&self, words: &[&str]) -> Running {
        let mut command = self.command(&[&["get", "--net", "user", "-s"], words].concat());
        Running { child: command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.strange.http)
    }
}

/// A program in the background; it ends with this value.
struct Running {
    child: Child,
}

impl Running {
    /// The process ids of `timeout` and of what it runs.
    fn pids(&self) -> Vec<u32> {
        let own = self.child.id();
        let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for pid in self.pids() {
            let pid = nix::unistd::Pid::from_raw(pid.try_into().unwrap());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_name_and_address_of_the_machine_leads_to_its_loopback() {
    let Some(stage) = Stage::set(&[]) else { return };
    let port = stage.strange.http;
    for host in ["127.0.0.1", "localhost", "LOCALHOST", GATEWAY] {
        let url = format!("http://{host}:{port}/length/right");
        assert_eq!(stage.get(&[&url]).ok(), "hello", "{host}");
    }
    let url = format!("https://localhost:{}/length/right", stage.strange.https);
    assert_eq!(stage.get(&["--cacert", "ca.pem", &url]).ok(), "hello");
}

#[test]
fn without_net_a_name_under_test_is_the_labs_and_everything_else_the_users() {
    let Some(stage) = Stage::set(&[]) else { return };
    let lab = Ran::of(&mut stage.command(&["get", "-s", "-L", "http://www.example.test/"])).ok();
    assert!(lab.contains("An example of the lab"), "{lab}");
    let user = Ran::of(&mut stage.command(&["get", "-s", &stage.url("/length/right")])).ok();
    assert_eq!(user, "hello");
}

#[test]
fn a_hundred_megabytes_arrive_as_they_were() {
    let Some(stage) = Stage::set(&[]) else { return };
    let url = stage.url("/big?n=100000000");
    assert_eq!(stage.get(&["-o", "big", &url]).ok(), "");
    let block: Vec<u8> = (0..251 * 256_u32).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
    let body = fs::read(stage.folder.path("big")).unwrap();
    assert_eq!(body.len(), 100_000_000);
    assert!(body.chunks(block.len()).all(|chunk| *chunk == block[..chunk.len()]));
}

#[test]
fn ten_megabytes_are_sent_as_they_were() {
    let Some(stage) = Stage::set(&["sha256sum"]) else { return };
    let body: Vec<u8> = (0..10_000_000_u32).map(|n| u8::try_from(n % 253).unwrap()).collect();
    stage.folder.write("body", &body);
    let sum = Ran::of(Command::new("sha256sum").arg(stage.folder.path("body"))).ok();
    let sum = sum.split(' ').next().unwrap();
    let said = stage.get(&["--data-binary", "@body", &stage.url("/upload")]).ok();
    assert_eq!(said, format!("POST of 10000000 bytes, SHA-256 {sum}\n"));
}

#[test]
fn two_hundred_flows_go_on_at_the_same_time() {
    let Some(stage) = Stage::set(&[]) else { return };
    // Nobody is answered before all have asked.
    let url = stage.url("/gather?n=200&number=[1-200]");
    stage.get(&["-Z", "--parallel-immediate", "--parallel-max", "200", "-o", "part#1", &url]).ok();
    for number in 1..=200 {
        assert_eq!(stage.folder.read(&format!("part{number}")), "all of them\n", "{number}");
    }
}

#[test]
fn a_refused_connection_is_told_at_once() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.get(&[CLOSED]).exits(7).saying("refused");
    stage.get(&[&format!("http://{GATEWAY}:1/")]).exits(7).saying("refused");
}

#[test]
fn a_server_that_stalls_ends_at_the_limits() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.get(&["-m", "1", &stage.url("/slow/silence")]).exits(28);
    assert_eq!(stage.get(&["-m", "1", &stage.url("/slow/stall")]).exits(28).out, "half of it");
    let slow = stage.get(&["-y", "1", "-Y", "1000", &stage.url("/slow/stall")]).exits(28);
    assert_eq!(slow.out, "half of it");
}

#[test]
fn a_reset_arrives_as_a_reset_and_an_end_as_an_end() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.get(&[&stage.url("/reset/nothing")]).exits(56).saying("reset");
    stage.get(&[&stage.url("/reset/body")]).exits(56).saying("reset");
    stage.get(&[&stage.url("/cut/nothing")]).exits(52);
    stage.get(&[&stage.url("/cut/body")]).exits(18);
    let all = stage.get(&[&stage.url("/length/none")]).ok();
    assert!(all.ends_with("line 39 of what was asked for\n"), "{all}");
}

#[test]
fn a_server_that_ends_its_side_first_still_gets_the_rest() {
    let Some(mut stage) = Stage::set(&[]) else { return };
    let url = stage.url("/close/half");
    let said = stage.get(&["-m", "20", "-d", "a=b", &url]).ok();
    assert_eq!(said, "said before the end\n");
    let received = stage.strange.received();
    assert!(received[0].ends_with(b"\r\n\r\na=b"), "{}", received[0].escape_ascii());
}

#[test]
fn a_name_is_looked_up_in_a_hosts_file_of_the_users() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.folder.write("hosts", "127.0.0.1 printer.example\n");
    let url = format!("http://printer.example:{}/length/right", stage.strange.http);
    assert_eq!(stage.get(&["--hosts", "hosts", &url]).ok(), "hello");
}

#[test]
fn a_name_server_that_is_not_there_is_told() {
    let Some(stage) = Stage::set(&[]) else { return };
    // Nobody has a name server on this one of the sixteen million loopback addresses.
    let url = format!("http://printer.example:{}/", stage.strange.http);
    stage.get(&["--dns", "127.99.98.97", &url]).exits(6).saying("127.99.98.97");
}

#[test]
fn a_name_server_of_the_machines_is_asked_through_the_gateway() {
    support::with_real_peers(&["dnsmasq", "python3"], |network| {
        let Some(stage) = Stage::set(&[]) else { return };
        let _names = network.dnsmasq(&["--host-record=www.demo.test,127.0.0.1"]);
        let url = format!("http://www.demo.test:{}/length/right", stage.strange.http);
        assert_eq!(stage.get(&["--dns", &support::NAMES.to_string(), &url]).ok(), "hello");
        let none = format!("http://none.demo.test:{}/", stage.strange.http);
        stage.get(&["--dns", &support::NAMES.to_string(), &none]).exits(6).saying("none.demo.test");
    });
}

#[test]
fn a_capture_of_it_is_sound() {
    let Some(stage) = Stage::set(&["tshark"]) else { return };
    let url = format!("https://127.0.0.1:{}/big?n=100000", stage.strange.https);
    stage.get(&["--cacert", "ca.pem", "--capture", "a.pcapng", "-o", "big", &url]).ok();
    let refused = stage.get(&["--capture", "b.pcapng", CLOSED]).exits(7);
    assert!(refused.err.contains("refused"), "{}", refused.err);
    let capture = Capture::open(&stage.folder.path("a.pcapng"));
    capture.is_sound();
    capture.has(&["arp", "tls.handshake", "http.request", "http.response.code == 200", "tcp.flags.fin == 1"]);
    let capture = Capture::open(&stage.folder.path("b.pcapng"));
    capture.is_sound();
    capture.has(&["tcp.flags.syn == 1", "tcp.flags.reset == 1"]);
}

#[test]
fn chance_cannot_be_foreseen_here() {
    let Some(stage) = Stage::set(&[]) else { return };
    stage.get(&["--seed", "1", &stage.url("/length/right")]).exits(2).saying("--seed");
}

#[test]
fn nothing_listens_and_nobody_else_can_send_to_it() {
    let Some(stage) = Stage::set(&[]) else { return };
    let running = stage.start(&["-m", "60", &stage.url("/slow/stall"), "-o", "half"]);
    support::until(|| !stage.folder.read("half").is_empty());
    let pids = running.pids();
    assert_eq!(pids.len(), 1);
    let sockets = sockets_of(pids[0]);
    assert!(!sockets.is_empty(), "it has no socket at all");
    let mut seen = 0;
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        for row in table_of(pids[0], table).iter().filter(|row| sockets.contains(&row.inode)) {
            // 01 is ESTABLISHED: the kernel takes nothing from anybody but that peer.
            assert_eq!(row.state, "01", "{table}: {row:?}");
            assert!(row.remote.starts_with("0100007F:"), "{table}: {row:?}");
            seen += 1;
        }
    }
    assert!(seen > 0, "none of its sockets is in any table");
}

/// A line of /proc/net/tcp and its like.
#[derive(Debug)]
struct Row {
    remote: String,
    state: String,
    inode: u64,
}

fn table_of(pid: u32, table: &str) -> Vec<Row> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let inode = columns.get(9)?.parse().ok()?;
        Some(Row { remote: columns[2].to_owned(), state: columns[3].to_owned(), inode })
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// The inodes of a process's sockets.
fn sockets_of(pid: u32) -> BTreeSet<u64> {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    links
        .filter_map(|link| link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}
