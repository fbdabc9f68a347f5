//! A machine as udev and systemd make it on an ordinary desktop.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use nix::sched::{CloneFlags, unshare};
use std::process::Command;

/// Gives the calling thread a view of the file system in which everybody may open /dev/net/tun (and
/// root may make files beside it, for everybody to run), and /run is empty. The machine's own /dev
/// and /run stay as they are.
pub(crate) fn as_on_a_desktop() {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    for line in [
        "mount --make-rprivate /",
        "mkdir -p /dev/net && mount -t tmpfs -o mode=755 none /dev/net",
        "mknod -m 666 /dev/net/tun c 10 200",
        "mount -t tmpfs -o mode=755 none /run",
    ] {
        assert!(Command::new("sh").arg("-c").arg(line).status().unwrap().success(), "{line}");
    }
}
