//! SIGINT and SIGTERM. They belong to the whole process, so these tests take turns.

#![allow(
    clippy::disallowed_types,
    reason = "the kernel's side of the conversation is made of its own sockets"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_stack::World;
use glasstack_uplink::{Addressing, Signal, TapConfig, TapDevice, TapWorld, WorldError};
use nix::sys::signal::{Signal as Os, kill, raise};
use nix::unistd::Pid;
use std::future::pending;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use support::in_a_fresh_namespace;

static TURN: Mutex<()> = Mutex::new(());

fn my_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_signal_ends_a_run_in_order_and_the_process_only_when_nobody_catches_it_any_more() {
    let _turn = my_turn();
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

#[test]
fn a_connection_that_a_signal_cut_short_is_closed_with_a_fin_and_no_reset() {
    let _turn = my_turn();
    in_a_fresh_namespace(|| {
        let device = TapDevice::open(&TapConfig::default()).unwrap();
        let addressing = Addressing::choose(device.host_side(), None, None).unwrap();
        let mut world = TapWorld::new().unwrap();
        world.catch_signals().unwrap();
        let host = world.add_host(addressing.host_config("ours").unwrap(), device).unwrap();

        let listener = TcpListener::bind("10.71.83.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let served = std::thread::Builder::new().spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut greeting = [0; 5];
            stream.read_exact(&mut greeting).unwrap();
            raise_in_process(Os::SIGINT);
            // A FIN reads as the end of the stream, a reset as an error.
            stream.read_to_end(&mut Vec::new())
        });
        let journey = async {
            let mut stream = host.connect(server).await.unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.read(&mut [0]).await
        };
        let ended = world.run(host.timeout(Duration::from_secs(20), journey));
        assert!(matches!(ended, Err(WorldError::Interrupted { .. })), "{ended:?}");
        assert!(world.drain(Duration::from_secs(20)).unwrap());
        assert_eq!(served.unwrap().join().unwrap().unwrap(), 0);
    });
}

fn raise_in_process(signal: Os) {
    kill(Pid::this(), signal).unwrap();
}

/// Starts this test binary once more, which catches signals, drops its world, and waits.
fn signal_that_ends_a_program_without_a_world(signal: Os) -> Option<i32> {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "second_half_run_as_another_process", "--nocapture"]).env(SECOND_HALF, "");
    let mut child = again.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("ready")));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    child.wait().unwrap().signal()
}

const SECOND_HALF: &str = "GLASSTACK_TEST_SECOND_HALF";

#[test]
fn second_half_run_as_another_process() {
    if std::env::var_os(SECOND_HALF).is_none() {
        return;
    }
    let mut world = TapWorld::new().unwrap();
    world.catch_signals().unwrap();
    drop(world);
    println!("ready");
    // Until the signal comes, or the parent is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
}
