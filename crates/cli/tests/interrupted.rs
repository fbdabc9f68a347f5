//! Ctrl-C ends the program, whatever it is doing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "a test waits for another program")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Each of these fails before it waits for anything: names below .invalid are asked of nobody.
#[test]
fn transfers_that_fail_at_once_by_the_million_can_be_interrupted() {
    for options in [&["-s"][..], &["-s", "-Z"]] {
        let mut running = Command::new(env!("CARGO_BIN_EXE_glasstack"))
            .arg("get")
            .args(options)
            .args(["--net", "user", "http://nobody.invalid/[1-99999999999]"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(running.stderr.take().unwrap());
        let mut line = String::new();
        for _ in 0..2_000 {
            line.clear();
            told.read_line(&mut line).unwrap();
            assert!(line.contains("nobody.invalid"), "{line}");
        }
        kill(Pid::from_raw(running.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        // Whatever it still says has to have somewhere to go.
        let rest = thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        assert_eq!(code_of(&mut running), Some(130), "{options:?}");
        rest.join().unwrap().unwrap();
    }
}

/// The exit code of a program that ends; none if it does not, and is killed.
fn code_of(running: &mut Child) -> Option<i32> {
    for _ in 0..600 {
        if let Some(status) = running.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(100));
    }
    running.kill().unwrap();
    running.wait().unwrap().code()
}
