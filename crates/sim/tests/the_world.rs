//! Virtual time: what is due happens, in order, and a world that cannot go on says why.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod support;

use glasstack_journal::Instant;
use glasstack_sim::{Cable, DEFAULT_EPOCH, SimError, SimWorld, TopologyError};
use glasstack_stack::World;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::datagram;

#[test]
fn an_hour_of_sleep_takes_no_time() {
    let mut world = SimWorld::new(1);
    let env = world.environment("sleeper");
    let woke = world
        .run(async {
            env.executor.sleep(Duration::from_secs(3_600)).await;
            env.clock.now()
        })
        .unwrap();
    assert_eq!(woke, Instant::from_millis(3_600_000));
    assert_eq!(world.wall(), DEFAULT_EPOCH + Duration::from_secs(3_600));
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_and_then_of_their_sleeping() {
    let mut world = SimWorld::new(1);
    let env = world.environment("all");
    let woken = Arc::new(Mutex::new(Vec::new()));
    for (name, millis) in [("late", 20), ("early", 10), ("late too", 20)] {
        let (sleep, woken) = (env.executor.sleep(Duration::from_millis(millis)), Arc::clone(&woken));
        env.executor.spawn(async move {
            sleep.await;
            woken.lock().unwrap().push(name);
        });
    }
    assert!(world.run_until_idle(Duration::from_secs(1)).unwrap());
    assert_eq!(*woken.lock().unwrap(), ["early", "late", "late too"]);
}

#[test]
fn a_program_that_waits_for_nothing_is_stuck_and_the_error_says_what_might_be_missing() {
    let mut world = SimWorld::new(1);
    world.add_probe("lonely").unwrap();
    let error = world.run(pending::<()>()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "stuck at 0.000000 s: nothing can ever happen again, yet the program waits; lonely has no cable"
    );
}

#[test]
fn frames_that_answer_each_other_without_time_passing_are_stopped() {
    let mut world = SimWorld::builder(1).turns_an_instant(10_000).build();
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    world.connect(&a, &b, Cable::new().latency(Duration::ZERO)).unwrap();
    a.respond(|_, _| vec![datagram(1, 2, b"ping")]);
    b.respond(|_, _| vec![datagram(2, 1, b"pong")]);
    a.send(datagram(1, 2, b"ping"));
    let error = world.run_for(Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, SimError::Spinning { turns: 10_001, .. }), "{error}");
}

#[test]
fn a_task_that_wakes_itself_forever_is_stopped() {
    let mut world = SimWorld::builder(1).turns_an_instant(10_000).build();
    let error = world
        .run(std::future::poll_fn::<(), _>(|context| {
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        }))
        .unwrap_err();
    assert!(matches!(error, SimError::Spinning { .. }), "{error}");
}

#[test]
fn a_run_has_a_limit_in_virtual_time() {
    let mut world = SimWorld::builder(1).time_limit(Duration::from_secs(10)).build();
    let executor = world.executor().clone();
    let error = world
        .run(async move {
            loop {
                executor.sleep(Duration::from_secs(1)).await;
            }
        })
        .unwrap_err();
    assert!(matches!(error, SimError::TooLong { .. }), "{error}");
    assert_eq!(world.now(), Instant::from_millis(10_000));
}

#[test]
fn run_for_moves_the_clock_by_exactly_that_much() {
    let mut world = SimWorld::new(1);
    world.run_for(Duration::from_millis(7)).unwrap();
    assert_eq!(world.now(), Instant::from_millis(7));
}

#[test]
fn a_step_goes_from_event_to_event() {
    let mut world = SimWorld::new(1);
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    world.connect(&a, &b, Cable::new()).unwrap();
    a.send_at(Instant::from_millis(5), datagram(1, 2, b"x"));
    assert!(world.step().unwrap());
    assert_eq!(world.now(), Instant::from_millis(5));
    assert!(world.step().unwrap());
    assert_eq!(world.now(), Instant::from_millis(6));
    assert!(!world.step().unwrap());
    assert_eq!(b.received().len(), 1);
}

#[test]
fn the_network_is_quiet_once_no_frame_is_on_its_way() {
    let mut world = SimWorld::new(1);
    let (a, b) = (world.add_probe("a").unwrap(), world.add_probe("b").unwrap());
    world.connect(&a, &b, Cable::new().latency(Duration::from_secs(2))).unwrap();
    a.send(datagram(1, 2, b"x"));
    assert!(!world.drain(Duration::from_secs(1)).unwrap());
    assert_eq!(world.now(), Instant::from_millis(1_000));
    assert!(world.drain(Duration::from_secs(10)).unwrap());
    assert_eq!(world.now(), Instant::from_millis(2_000));
}

#[test]
fn random_bytes_follow_from_the_seed_and_the_name() {
    let draw = |seed, name: &str| SimWorld::new(seed).environment(name).entropy.u64();
    assert_eq!(draw(1, "client"), draw(1, "client"));
    assert_ne!(draw(1, "client"), draw(1, "server"));
    assert_ne!(draw(1, "client"), draw(2, "client"));
    assert!(SimWorld::new(1).environment("client").entropy.is_reproducible());
}

#[test]
fn a_network_that_cannot_be_is_refused() {
    let mut world = SimWorld::new(1);
    let (a, b, c) =
        (world.add_probe("a").unwrap(), world.add_probe("b").unwrap(), world.add_probe("c").unwrap());
    world.connect(&a, &b, Cable::new()).unwrap();
    assert!(matches!(world.add_probe("a"), Err(TopologyError::NameTaken(_))));
    assert!(matches!(world.connect(&a, &c, Cable::new()), Err(TopologyError::NoFreePort { ports: 1, .. })));
    assert!(matches!(world.connect("a", "nobody", Cable::new()), Err(TopologyError::NoFreePort { .. })));
    assert!(matches!(world.connect("c", "nobody", Cable::new()), Err(TopologyError::UnknownNode(_))));
    assert!(matches!(world.connect(&c, &c, Cable::new()), Err(TopologyError::NoFreePort { .. })));
    assert!(matches!(
        world.connect(("c", 1), "a", Cable::new()),
        Err(TopologyError::BadPort { port: 1, .. })
    ));
}
