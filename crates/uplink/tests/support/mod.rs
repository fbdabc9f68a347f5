//! What the namespace tests share: a network of their own, thrown away afterwards.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test binary uses its part")]

use glasstack_uplink::Netlink;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Runs `body` on a thread that has a network namespace of its own (TUNSETIFF, sockets, netlink
/// and child processes all go by the calling thread's), with the loopback interface up. Where
/// that is not allowed the test is skipped, and says so.
pub(crate) fn in_a_fresh_namespace(body: impl FnOnce() + Send + 'static) {
    in_fresh(CloneFlags::CLONE_NEWNET, body);
}

/// The same, and a view of the file system in which everybody may open /dev/net/tun, as on an
/// ordinary desktop. The machine's own /dev/net/tun stays as it is.
pub(crate) fn in_a_fresh_namespace_where_anybody_may_open_the_driver(body: impl FnOnce() + Send + 'static) {
    in_fresh(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS, || {
        shell("mount --make-rprivate /");
        shell("mkdir -p /dev/net && mount -t tmpfs -o mode=755 none /dev/net");
        shell("mknod -m 666 /dev/net/tun c 10 200");
        body();
    });
}

fn in_fresh(flags: CloneFlags, body: impl FnOnce() + Send + 'static) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let thread = std::thread::Builder::new().name(test.clone()).spawn(move || {
        match unshare(flags) {
            Ok(()) => {}
            Err(Errno::EPERM) => return skip(&test, "needs root"),
            Err(error) => panic!("cannot make a namespace: {error}"),
        }
        if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
            return skip(&test, &format!("needs /dev/net/tun ({error})"));
        }
        let mut netlink = Netlink::open().unwrap();
        let lo = netlink.link("lo").unwrap().unwrap();
        netlink.set_up(&lo).unwrap();
        body();
    });
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

/// Says that a test was skipped and why: on stderr, and in the file that `scripts/test` collects.
pub(crate) fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    eprint!("{line}");
    if let Some(list) = std::env::var_os("GLASSTACK_SKIPPED") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}

/// Runs a command line; it must succeed. Its output.
pub(crate) fn shell(line: &str) -> String {
    let output = Command::new("sh").arg("-c").arg(line).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "`{line}`: {}\n{out}{err}", output.status);
    out.into_owned()
}

/// A program in the project's `scripts` folder.
pub(crate) fn script(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name);
    path.canonicalize().unwrap().display().to_string()
}
