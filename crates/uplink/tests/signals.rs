//! SIGINT and SIGTERM. One test by itself: signals belong to the whole process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use glasstack_stack::World;
use glasstack_uplink::{Signal, TapWorld, WorldError};
use nix::sys::signal::{Signal as Os, kill, raise};
use nix::unistd::Pid;
use std::future::pending;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn a_signal_ends_a_run_in_order_and_the_process_only_when_nobody_catches_it_any_more() {
    let mut world = TapWorld::new().unwrap();
    world.catch_signals().unwrap();
    world.catch_signals().unwrap();

    raise(Os::SIGINT).unwrap();
    let ended = world.run(pending::<()>());
    assert!(matches!(ended, Err(WorldError::Interrupted { signal: Signal::Interrupt })), "{ended:?}");
    assert_eq!(ended.unwrap_err().to_string(), "interrupted by SIGINT");

    // The same signal is told once: the journey can end in order.
    let sleep = world.environment().executor.sleep(Duration::from_millis(1));
    world.run(sleep).unwrap();
    assert!(world.drain(Duration::from_secs(1)).unwrap());

    // It also wakes a loop that sleeps in the kernel.
    let (sender, here) = std::sync::mpsc::channel::<()>();
    let other = std::thread::Builder::new().spawn(move || {
        let _ = here.recv_timeout(Duration::from_millis(20));
        raise_in_process(Os::SIGTERM);
    });
    let ended = world.run(pending::<()>());
    assert!(matches!(ended, Err(WorldError::Interrupted { signal: Signal::Terminate })), "{ended:?}");
    drop(sender);
    other.unwrap().join().unwrap();

    for (signal, caught) in [(Os::SIGINT, 2), (Os::SIGTERM, 15)] {
        assert_eq!(signal_that_ends_a_program_without_a_world(signal), Some(caught));
    }
}

fn raise_in_process(signal: Os) {
    kill(Pid::this(), signal).unwrap();
}

/// Starts this test binary once more, which catches signals, drops its world, and waits.
fn signal_that_ends_a_program_without_a_world(signal: Os) -> Option<i32> {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "drop_the_world_and_wait", "--ignored", "--nocapture"]);
    let mut child = again.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait().unwrap().signal()
}

#[test]
#[ignore = "the second half of the test above, run by it as another process"]
fn drop_the_world_and_wait() {
    let mut world = TapWorld::new().unwrap();
    world.catch_signals().unwrap();
    drop(world);
    println!("ready");
    // Until the signal comes, or the parent is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}
