//! A machine where everybody may open /dev/net/tun, as udev makes it on an ordinary desktop.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use nix::sched::{CloneFlags, unshare};
use std::process::Command;

/// Gives the calling thread a view of the file system in which everybody may open /dev/net/tun,
/// and what lies beside it may be made by root. The machine's own /dev/net/tun stays as it is.
pub(crate) fn let_anybody_open_the_driver() {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    for line in [
        "mount --make-rprivate /",
        "mkdir -p /dev/net && mount -t tmpfs -o mode=755 none /dev/net",
        "mknod -m 666 /dev/net/tun c 10 200",
    ] {
        assert!(Command::new("sh").arg("-c").arg(line).status().unwrap().success(), "{line}");
    }
}
