//! What the tests with real peers share: a network of their own with real servers, and the program.
//!
//! ```text
//!     glasstack 192.0.2.2 == TAP glass0 == 192.0.2.1, the kernel's, which also has
//!                                          198.51.100.53   name servers
//!                                          198.51.100.80   web servers
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real peers live in real time")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]
#![allow(dead_code, reason = "each test binary uses its part")]

#[path = "../../../uplink/tests/support/mod.rs"]
mod namespace;
pub(crate) mod odd;
pub(crate) mod pki;
pub(crate) mod tshark;

#[allow(unused_imports, reason = "each test binary uses its part")]
pub(crate) use namespace::skip;

use std::cell::RefCell;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) const NAMES: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 53));
pub(crate) const WEB: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 80));
pub(crate) const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
pub(crate) const GATEWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Far beyond what a server takes to start.
const START: Duration = Duration::from_secs(30);
/// Far beyond what the program takes, in seconds.
const LONGEST_RUN: &str = "60";

/// Runs `body` in a fresh network namespace with the networks above, where `programs` are there.
/// Otherwise the test is skipped, and says so.
pub(crate) fn with_real_peers(
    programs: &'static [&'static str],
    body: impl FnOnce(&Network) + Send + 'static,
) {
    namespace::in_a_fresh_namespace(move || {
        let always = ["ip", "setpriv", "timeout"];
        if let Some(missing) = always.iter().chain(programs).find(|program| !is_there(program)) {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            return namespace::skip(&test, &format!("needs {missing}"));
        }
        body(&Network::new());
    });
}

/// The network, and a folder for its servers' files. Both vanish with it.
pub(crate) struct Network {
    folder: PathBuf,
}

impl Network {
    fn new() -> Self {
        for line in [
            "ip tuntap add dev glass0 mode tap",
            "ip link set glass0 addrgenmode none",
            "ip addr add 192.0.2.1/24 dev glass0",
            "ip link set glass0 up",
            "ip addr add 198.51.100.53/32 dev lo",
            "ip addr add 198.51.100.80/32 dev lo",
        ] {
            namespace::shell(line);
        }
        let folder = namespace::shell("mktemp -d --tmpdir glasstack-cli.XXXXXXXX");
        Self { folder: PathBuf::from(folder.trim()) }
    }

    /// A file in the folder; where it is.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// Gives the kernel an address more, for a server to be asked at.
    pub(crate) fn add_address(&self, address: Ipv4Addr) {
        namespace::shell(&format!("ip addr add {address}/32 dev lo"));
    }

    /// Where a file in the folder is, or will be.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// `glasstack` with these words; the kernel is its gateway. It ends within a minute.
    pub(crate) fn glasstack(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", LONGEST_RUN]).arg(PROGRAM).args(words).args(ON_THE_TAP);
        Ran::of(&mut command)
    }

    /// `glasstack` with these words and no others; 124 if it does not end within so many seconds.
    pub(crate) fn glasstack_alone(&self, words: &[&str], seconds: &str) -> Ran {
        Ran::of(Command::new("timeout").args(["-k", "5", seconds, PROGRAM]).args(words))
    }

    /// The same, running in the background; to be ended by the test.
    pub(crate) fn glasstack_in_the_background(&self, words: &[&str]) -> Background {
        let words: Vec<&str> = words.iter().chain(&ON_THE_TAP).copied().collect();
        self.on_its_own(&words)
    }

    /// `glasstack` with these words and no others, running in the background.
    pub(crate) fn on_its_own(&self, words: &[&str]) -> Background {
        let mut command = dying_with_the_test(PROGRAM);
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        Background { child: command.spawn().unwrap() }
    }

    /// nginx with `servers` inside its `http` block, once it accepts connections at `port`.
    pub(crate) fn nginx(&self, servers: &str, port: u16) -> Server {
        let (work, root) = (self.path("nginx"), self.path("www"));
        fs::create_dir_all(&work).unwrap();
        fs::create_dir_all(&root).unwrap();
        let config = self.write(
            "nginx.conf",
            format!(
                "daemon off; master_process off; user root; pid {work}/pid; error_log stderr warn;
                events {{}}
                http {{
                    access_log off;
                    client_body_temp_path {work}/body; proxy_temp_path {work}/proxy;
                    fastcgi_temp_path {work}/fastcgi; uwsgi_temp_path {work}/uwsgi;
                    scgi_temp_path {work}/scgi;
                    types {{ text/html html; }}
                    default_type text/plain;
                    ssl_protocols TLSv1.2 TLSv1.3;
                    root {root};
                    {servers}
                }}"
            ),
        );
        Server::start(&self.folder, "nginx", &["-e", "stderr", "-c", &config], WEB, port)
    }

    /// `openssl s_server` with these options, once it accepts connections at `port`.
    pub(crate) fn openssl_server(&self, options: &[&str], port: u16) -> Server {
        let accept = format!("{WEB}:{port}");
        Server::start(
            &self.folder,
            "openssl",
            &[&["s_server", "-accept", &accept], options].concat(),
            WEB,
            port,
        )
    }

    /// unbound, with `zone` as the contents of demo.test.
    pub(crate) fn unbound(&self, zone: &str) -> Server {
        let (folder, zone) = (self.folder.display(), self.write("demo.test.zone", zone));
        let config = self.write(
            "unbound.conf",
            format!(
                "server:
    interface: {NAMES}
    access-control: 0.0.0.0/0 allow
    num-threads: 1
    username: \"\"
    chroot: \"\"
    directory: \"{folder}\"
    pidfile: \"\"
    use-syslog: no
    do-daemonize: no
    do-ip6: no
    module-config: \"iterator\"
    local-zone: \"test.\" nodefault
auth-zone:
    name: demo.test
    zonefile: \"{zone}\"
    for-downstream: yes
    for-upstream: yes
remote-control:
    control-enable: no
"
            ),
        );
        Server::start(&self.folder, "unbound", &["-d", "-c", &config], NAMES, 53)
    }

    /// dnsmasq for names under .test, told of them by `options` alone.
    pub(crate) fn dnsmasq(&self, options: &[&str]) -> Server {
        let listen = format!("--listen-address={NAMES}");
        let fixed = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--log-facility=-",
            "--user=root",
            "--no-resolv",
            "--no-hosts",
            "--bind-interfaces",
            "--local=/test/",
            &listen,
        ];
        Server::start(&self.folder, "dnsmasq", &[&fixed, options].concat(), NAMES, 53)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_glasstack");
pub(crate) const ON_THE_TAP: [&str; 6] =
    ["--net", "tap:glass0", "--addr", "192.0.2.2/24", "--gateway", "192.0.2.1"];

/// A program that has ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let command = command.env_remove("SSLKEYLOGFILE").stdin(Stdio::null());
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What it printed, if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        self.exits(0).out
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Its errors must name the cause.
    #[track_caller]
    pub(crate) fn saying(self, words: &str) -> Self {
        let last = self.err.lines().rev().take(4).collect::<Vec<_>>();
        assert!(last.iter().any(|line| line.contains(words)), "no `{words}` at the end of:\n{}", self.err);
        self
    }
}

/// A real server; it ends with this value, and with the test's thread whatever happens.
pub(crate) struct Server {
    child: RefCell<Child>,
    said: PathBuf,
}

impl Server {
    fn start(folder: &Path, program: &str, arguments: &[&str], address: IpAddr, port: u16) -> Self {
        let server = Self::spawn(folder, program, program, arguments);
        server.until(|| TcpStream::connect((address, port)).is_ok());
        server
    }

    /// A server of which there may be several, each with a name of its own, once `is_ready`.
    #[track_caller]
    pub(crate) fn start_until(
        network: &Network,
        name: &str,
        program: &str,
        arguments: &[&str],
        is_ready: impl Fn() -> bool,
    ) -> Self {
        let server = Self::spawn(&network.folder, name, program, arguments);
        server.until(is_ready);
        server
    }

    /// The same, with what it says on stdout, too.
    #[track_caller]
    pub(crate) fn heard_until(
        network: &Network,
        name: &str,
        program: &str,
        arguments: &[&str],
        is_ready: impl Fn() -> bool,
    ) -> Self {
        let words = [&["-c", "exec \"$0\" \"$@\" >&2", program], arguments].concat();
        Self::start_until(network, name, "sh", &words, is_ready)
    }

    fn spawn(folder: &Path, name: &str, program: &str, arguments: &[&str]) -> Self {
        let mut command = dying_with_the_test(program);
        let said = folder.join(format!("{name}.said"));
        command.args(arguments).stdin(Stdio::null()).stderr(fs::File::create(&said).unwrap());
        Self { child: RefCell::new(command.spawn().unwrap()), said }
    }

    /// Waits until something is so, while the server runs.
    #[track_caller]
    pub(crate) fn until(&self, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            let ended = self.child.borrow_mut().try_wait().unwrap();
            let goes_on = ended.is_none() && begun.elapsed() < START;
            assert!(goes_on, "not ready (ended: {ended:?}); {} has:\n{}", self.said.display(), self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The memory that it has in use, in kB (proc(5)).
    pub(crate) fn memory_kb(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.borrow().id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it has said on stderr.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.said).unwrap_or_default()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.get_mut().kill();
        let _ = self.child.get_mut().wait();
    }
}

/// The program on its own; killed if the test lets go of it.
pub(crate) struct Background {
    child: Child,
}

impl Background {
    pub(crate) fn interrupt(&self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    }

    /// Its exit code, once it has ended.
    pub(crate) fn wait(mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < START, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so, but not for ever.
#[track_caller]
pub(crate) fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < START, "it never comes to that");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The kernel ends it when the thread that starts it ends.
fn dying_with_the_test(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// Daemons live in sbin, which is not on every user's PATH.
pub(crate) fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program lies.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}
