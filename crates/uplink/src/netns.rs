//! A private network for a test: a namespace with a TAP in it, gone when the guard is dropped.
//!
//! ```text
//!   the machine's network          the namespace of a NetNs: no route leads out of it
//!   (never touched)              +---------------------------------------------------------+
//!                                |  lo 127.0.0.1      a kernel server, curl, nginx ...     |
//!        the test's threads      |  glass0 10.71.83.1 == TAP ==============================|== our stack
//!                                +---------------------------------------------------------+   10.71.83.2
//! ```
//!
//! A namespace belongs to threads, sockets and devices, not to programs. [`NetNs::run`] runs a
//! closure on a thread inside; what it opens there (a `std::net::TcpListener`, a [`TapDevice`])
//! stays inside and may be used from any thread afterwards. [`NetNs::spawn`] and
//! [`NetNs::output`] start other programs inside.
//!
//! # With root and without
//!
//! Root (CAP_SYS_ADMIN) may always make a network namespace. Anybody else first needs a user
//! namespace in which he is root, and Linux lets only a process of one thread enter one
//! (user_namespaces(7), unshare(2): EINVAL), which a test under `cargo test` never is. So there are
//! two ways without root, both through `unshare` of util-linux:
//!
//! - `unshare --user --map-root-user --net cargo test`: everything is inside from the beginning;
//! - [`in_a_private_network`]: a test that may not make a namespace starts itself, and only itself,
//!   once more inside a user namespace.
//!
//! Where the machine does not allow user namespaces ([`user_namespaces`] finds out, and says what to
//! do about it) only root is left. A TAP also needs /dev/net/tun to be readable and writable, as
//! udev makes it on ordinary machines.
//!
//! ```no_run
//! use glasstack_stack::World;
//! use glasstack_uplink::netns::{NetNs, NetNsError};
//! use glasstack_uplink::{Addressing, TapConfig, TapWorld};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ns = NetNs::new()?;
//! let device = ns.tap(&TapConfig::default())?;
//! let addressing = Addressing::choose(device.host_side(), None, None)?;
//! let mut world = TapWorld::new()?;
//! let host = world.add_host(addressing.host_config("me")?, device)?;
//! # #[allow(clippy::disallowed_types, reason = "the kernel's side of the conversation")]
//! let server = ns.run(|| std::net::TcpListener::bind("10.71.83.1:0"))??;
//! let stream = world.run(host.connect(server.local_addr()?))??;
//! # Ok(()) }
//! ```

use crate::addressing::InterfaceAddress;
use crate::netlink::{Netlink, NetlinkError};
use crate::tap::{OpenError, TapConfig, TapDevice};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use std::fs::{self, File};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::thread;

/// A network namespace of its own, with nothing in it but the loopback interface, which is up.
///
/// The kernel takes it away when the last that lives in it is gone: this guard, the devices and
/// sockets that were opened inside, the programs that were started inside. Nothing of it has a name
/// in the file system, so nothing can be left behind, not even by a test that is killed.
#[derive(Debug)]
pub struct NetNs {
    file: File,
}

/// No private network, or nothing to be had in it.
#[derive(Debug, thiserror::Error)]
pub enum NetNsError {
    /// Neither root nor inside a user namespace.
    #[error(
        "a network namespace needs root, or a user namespace around the program: \
         `unshare --user --map-root-user --net cargo test`{}",
        obstacle.as_ref().map(|obstacle| format!("; but here {obstacle}")).unwrap_or_default()
    )]
    NotPermitted {
        /// Why there is no user namespace to be had either.
        obstacle: Option<Obstacle>,
        /// What the kernel said.
        source: io::Error,
    },
    /// Too many namespaces, a kernel without them, no more threads.
    #[error("cannot {what}: {source}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interfaces inside could not be asked or changed.
    #[error(transparent)]
    Netlink(#[from] NetlinkError),
    /// There is no such interface inside.
    #[error("there is no interface {0} in the namespace")]
    NoInterface(String),
    /// The TAP or TUN could not be made.
    #[error(transparent)]
    Device(#[from] OpenError),
    /// A program could not be started inside.
    #[error("cannot start `{program}` in the namespace: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the operating system said: not found, not permitted.
        source: io::Error,
    },
    /// A test could not start itself once more, since it does not know its name.
    #[error(
        "cannot tell which test this is, to start it once more in a user namespace: use more than one \
         test thread, or run the tests as root or under `unshare --user --map-root-user --net`"
    )]
    NoTestName,
    /// A test that started itself once more failed there.
    #[error("`{test}` failed in its user namespace:\n{output}")]
    FailedInside {
        /// The test.
        test: String,
        /// What it printed, on both streams.
        output: String,
    },
}

impl NetNs {
    /// Makes a namespace, and brings its loopback interface up.
    pub fn new() -> Result<Self, NetNsError> {
        let file = on_a_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(not_made)?;
            let mut netlink = Netlink::open()?;
            if let Some(lo) = netlink.link("lo")? {
                netlink.set_up(&lo)?;
            }
            File::open("/proc/thread-self/ns/net")
                .map_err(|source| NetNsError::Os { what: "open /proc/thread-self/ns/net", source })
        })??;
        Ok(Self { file })
    }

    /// Runs `body` on a thread inside, and waits for it. A panic in it goes on here.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> Result<T, NetNsError> {
        on_a_thread(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET)
                .map_err(|errno| NetNsError::Os { what: "enter the namespace", source: errno.into() })?;
            Ok(body())
        })?
    }

    /// Opens a TAP or TUN inside: the kernel's side of it lies in the namespace, ours is the
    /// device, which any world of this program may use.
    pub fn tap(&self, config: &TapConfig) -> Result<TapDevice, NetNsError> {
        Ok(self.run(|| TapDevice::open(config))??)
    }

    /// Gives an interface inside another address, as `198.51.100.80/32` to `lo` for a server to
    /// listen on.
    pub fn add_address(&self, interface: &str, address: InterfaceAddress) -> Result<(), NetNsError> {
        self.run(|| {
            let mut netlink = Netlink::open()?;
            let link =
                netlink.link(interface)?.ok_or_else(|| NetNsError::NoInterface(interface.to_owned()))?;
            Ok(netlink.add_address(&link, address)?)
        })?
    }

    /// Starts a program inside; it is killed when what this returns is dropped.
    ///
    /// The thread that starts it is gone at once, so a program that asks for a signal at its
    /// parent's death (`PR_SET_PDEATHSIG`, `setpriv --pdeathsig`) gets it at once, too.
    pub fn spawn(&self, command: &mut Command) -> Result<Running, NetNsError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = self.run(|| command.spawn())?;
        Ok(Running { child: child.map_err(|source| NetNsError::Start { program, source })? })
    }

    /// Runs a program inside until it ends, and gives what it printed.
    pub fn output(&self, command: &mut Command) -> Result<Output, NetNsError> {
        let program = command.get_program().to_string_lossy().into_owned();
        self.run(|| command.output())?.map_err(|source| NetNsError::Start { program, source })
    }

    /// Where the namespace can be found while this guard lives, as `ip link add ... netns PATH` and
    /// `nsenter --net=PATH` want it.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()))
    }
}

impl AsFd for NetNs {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A program in a namespace. Dropping it kills the program and waits for its end.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only for one that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// For a test: runs `body` with a namespace of its own, with root or without.
///
/// Where this program may make one, `body` is simply called. Where it may not, this test is started
/// once more, alone, in a user namespace, and `body` is called there; here only its outcome is seen
/// ([`NetNsError::FailedInside`] has what it printed). That works under the test harness of Rust,
/// with `#[test]` functions as `cargo test` and `cargo nextest` run them, and as long as this is
/// called on the test's own thread.
///
/// ```no_run
/// # use glasstack_uplink::netns::{NetNsError, in_a_private_network};
/// #[test]
/// fn the_loopback_interface_is_up() -> Result<(), NetNsError> {
///     in_a_private_network(|ns| {
///         let lo = ns.run(|| std::net::TcpListener::bind("127.0.0.1:80"));
///         assert!(lo.unwrap().is_ok(), "nobody else is here");
///     })
/// }
/// ```
pub fn in_a_private_network(body: impl FnOnce(&NetNs)) -> Result<(), NetNsError> {
    let inside = std::env::var_os(INSIDE).is_some();
    match NetNs::new() {
        Ok(ns) => {
            body(&ns);
            if inside {
                println!("{ARRIVED}");
            }
            Ok(())
        }
        Err(NetNsError::NotPermitted { obstacle: None, .. }) if !inside => once_more_inside(),
        Err(error) => Err(error),
    }
}

/// Tells a test that it was started by itself.
const INSIDE: &str = "GLASSTACK_NETNS_INSIDE";
/// Tells the first half that the second came to the end of its body.
const ARRIVED: &str = "glasstack: the test came to its end in a user namespace";

/// Starts the calling test once more in a user namespace of its own.
fn once_more_inside() -> Result<(), NetNsError> {
    let test = test_name(std::env::args().skip(1)).ok_or(NetNsError::NoTestName)?;
    let program = std::env::current_exe()
        .map_err(|source| NetNsError::Os { what: "find the program of this test", source })?;
    let mut again = as_root_of_a_user_namespace();
    again.arg(program).args(["--exact", &test, "--nocapture", "--include-ignored"]).env(INSIDE, "1");
    let ran = again.output().map_err(|source| NetNsError::Start { program: "unshare".to_owned(), source })?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let output = text(&ran.stdout) + &text(&ran.stderr);
    if ran.status.success() && output.contains(ARRIVED) {
        return Ok(());
    }
    Err(NetNsError::FailedInside { test, output })
}

/// The harness names a test's thread after the test. Where there is but one test thread it runs the
/// test on the main one; then the command line may tell, as cargo-nextest's does.
fn test_name(args: impl Iterator<Item = String>) -> Option<String> {
    let current = thread::current();
    if let Some(name) = current.name().filter(|name| *name != "main") {
        return Some(name.to_owned());
    }
    let (options, mut names): (Vec<_>, Vec<_>) = args.partition(|arg| arg.starts_with('-'));
    let is_exact = options.iter().any(|option| option == "--exact");
    if is_exact && names.len() == 1 { names.pop() } else { None }
}

/// Why an ordinary user gets no user namespace here, and what root can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Obstacle {
    /// user_namespaces(7): the limit is 0.
    #[error(
        "user namespaces are switched off (user.max_user_namespaces is 0): \
         `sudo sysctl -w user.max_user_namespaces=10000` allows them"
    )]
    SwitchedOff,
    /// Debian's kernels had this switch.
    #[error(
        "ordinary users may not make user namespaces (kernel.unprivileged_userns_clone is 0): \
         `sudo sysctl -w kernel.unprivileged_userns_clone=1` allows it"
    )]
    OnlyRoot,
    /// Ubuntu since 23.10.
    #[error(
        "AppArmor takes their rights from user namespaces of ordinary users (Ubuntu 24.04 and later): \
         `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0` allows them until the next boot"
    )]
    AppArmor,
    /// The program `unshare` is not there.
    #[error("the program `unshare` cannot be started ({0}): install util-linux")]
    NoUnshare(#[source] io::Error),
    /// A container's seccomp filter, a security module, a kernel without them.
    #[error(
        "user namespaces do not work ({0}): a container's seccomp filter or a security module may forbid them"
    )]
    Other(String),
}

/// Whether this program's user can have a user namespace with a network namespace in it: tried with
/// `unshare`, and where that fails the cause.
pub fn user_namespaces() -> Result<(), Obstacle> {
    let tried = as_root_of_a_user_namespace().arg("true").output().map_err(Obstacle::NoUnshare)?;
    if tried.status.success() {
        return Ok(());
    }
    let setting = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
    let is = |name: &str, value: &str| setting(name).trim() == value;
    Err(if is("user/max_user_namespaces", "0") {
        Obstacle::SwitchedOff
    } else if is("kernel/unprivileged_userns_clone", "0") {
        Obstacle::OnlyRoot
    } else if is("kernel/apparmor_restrict_unprivileged_userns", "1") {
        Obstacle::AppArmor
    } else {
        let said = String::from_utf8_lossy(&tried.stderr);
        Obstacle::Other(said.trim().lines().next().unwrap_or("unshare fails").to_owned())
    })
}

fn as_root_of_a_user_namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--"]);
    command
}

fn not_made(errno: Errno) -> NetNsError {
    let source = errno.into();
    match errno {
        Errno::EPERM => NetNsError::NotPermitted { obstacle: user_namespaces().err(), source },
        // namespaces(7): a limit under /proc/sys/user.
        Errno::ENOSPC => {
            NetNsError::Os { what: "make a network namespace (user.max_net_namespaces is reached)", source }
        }
        Errno::EINVAL => {
            NetNsError::Os { what: "make a network namespace (the kernel was built without)", source }
        }
        _ => NetNsError::Os { what: "make a network namespace", source },
    }
}

/// Runs `body` on a thread that ends with it, under the caller's name, which a panic shows.
fn on_a_thread<T: Send>(body: impl FnOnce() -> T + Send) -> Result<T, NetNsError> {
    let name = thread::current().name().unwrap_or("netns").to_owned();
    thread::scope(|scope| {
        let started = thread::Builder::new().name(name).spawn_scoped(scope, body);
        let started = started.map_err(|source| NetNsError::Os { what: "start a thread", source })?;
        Ok(started.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a thread called `name` takes for its test's name.
    fn taken(name: &str, args: &[&str]) -> Option<String> {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(|| test_name(args.into_iter()));
        thread.unwrap().join().unwrap()
    }

    #[test]
    fn a_tests_name_is_its_threads_or_the_only_one_on_the_command_line() {
        assert_eq!(taken("tests::one", &["--nocapture"]).unwrap(), "tests::one");
        assert_eq!(taken("main", &["--exact", "tests::one", "--nocapture"]).unwrap(), "tests::one");
        assert_eq!(taken("main", &["--exact", "tests::one", "tests::two"]), None);
        assert_eq!(taken("main", &["tests"]), None, "all whose names contain it");
        assert_eq!(taken("main", &[]), None);
    }
}
