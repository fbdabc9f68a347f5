//! What the namespace tests share: a network of their own, thrown away afterwards.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test binary uses its part")]

use glasstack_uplink::{NetNs, NetNsError};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Runs `body` on a thread inside a network namespace of its own, with the loopback interface up.
/// Where that is not allowed the test is skipped, and says so.
pub(crate) fn in_a_fresh_namespace(body: impl FnOnce() + Send) {
    if let Some(ns) = a_fresh_namespace() {
        ns.run(body).unwrap();
    }
}

/// A network namespace for the calling test; none where that is not allowed: the test is skipped.
pub(crate) fn a_fresh_namespace() -> Option<NetNs> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let ns = match NetNs::new() {
        Ok(ns) => ns,
        Err(NetNsError::NotPermitted { .. }) => {
            skip(&test, "needs root");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        skip(&test, &format!("needs /dev/net/tun ({error})"));
        return None;
    }
    Some(ns)
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
