//! Two hosts on one cable, in virtual time: the smallest world there is.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

pub mod forge;

pub mod packets;

use glasstack_journal::event::{Event, MacAddress, Medium};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Instant, Journal, WallTime};
use glasstack_stack::executor::Progress;
use glasstack_stack::{
    DeviceError, Entropy, Environment, Executor, Frame, FrameDevice, Host, HostConfig, Runner,
};
use std::collections::VecDeque;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LATENCY: Duration = Duration::from_millis(10);

struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }
    fn wall(&self) -> WallTime {
        WallTime::from_unix_seconds(1_790_000_000) + (self.now() - Instant::ZERO)
    }
}

/// A counter through a mixer: repeatable, and different at every call.
struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = (n >> 32) as u8 ^ (n >> 56) as u8;
        }
    }
    fn is_reproducible(&self) -> bool {
        true
    }
}

type Line = Arc<Mutex<VecDeque<(Instant, Frame)>>>;
/// Decides what a frame's fate is: true lets it pass. Host 0 is the client.
pub type Filter = Box<dyn FnMut(usize, &[u8]) -> bool + Send>;

struct End {
    medium: Medium,
    mtu: usize,
    side: usize,
    clock: Arc<TestClock>,
    incoming: Line,
    outgoing: Line,
    filter: Arc<Mutex<Filter>>,
}

impl FrameDevice for End {
    fn name(&self) -> &str {
        "eth0"
    }
    fn medium(&self) -> Medium {
        self.medium
    }
    fn mtu(&self) -> usize {
        self.mtu
    }
    fn recv(&mut self) -> Result<Option<Frame>, DeviceError> {
        let mut line = self.incoming.lock().unwrap();
        let due = line.front().is_some_and(|(at, _)| *at <= self.clock.now());
        Ok(due.then(|| line.pop_front()).flatten().map(|(_, frame)| frame))
    }
    fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
        if (self.filter.lock().unwrap())(self.side, &frame.bytes) {
            self.outgoing.lock().unwrap().push_back((self.clock.now() + LATENCY, frame));
        }
        Ok(())
    }
}

pub struct Pair {
    pub client: Host,
    pub server: Host,
    pub recorder: Recorder,
    clock: Arc<TestClock>,
    executor: Executor,
    runners: [Runner<End>; 2],
    deadlines: [Option<Instant>; 2],
    lines: [Line; 2],
    filter: Arc<Mutex<Filter>>,
}

pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
pub const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

impl Pair {
    pub fn new() -> Self {
        Self::with(Medium::Ethernet, 1500, |_| {})
    }

    pub fn with(medium: Medium, mtu: usize, change: impl Fn(&mut HostConfig)) -> Self {
        let clock = Arc::new(TestClock(AtomicU64::new(0)));
        let journal = Journal::new(clock.wall());
        let recorder = Recorder::new();
        journal.attach(Box::new(recorder.clone()));
        let executor = Executor::new(Arc::clone(&clock) as Arc<dyn Clock>, || {});
        let env = Environment {
            journal,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(TestEntropy(AtomicU64::new(1))),
            executor: executor.clone(),
        };
        let lines: [Line; 2] = [Line::default(), Line::default()];
        let filter: Arc<Mutex<Filter>> = Arc::new(Mutex::new(Box::new(|_, _| true)));
        let end = |side: usize| End {
            medium,
            mtu,
            side,
            clock: Arc::clone(&clock),
            incoming: Arc::clone(&lines[1 - side]),
            outgoing: Arc::clone(&lines[side]),
            filter: Arc::clone(&filter),
        };
        let host = |name: &str, n: u8, address: IpAddr| {
            let mac = MacAddress([2, 0, 0, 0, 0, n]);
            let mut config = HostConfig::new(name, mac, address, 24, None).unwrap();
            change(&mut config);
            Host::new(&env, config, end(usize::from(n) - 1)).unwrap()
        };
        let (client, a) = host("client", 1, CLIENT);
        let (server, b) = host("server", 2, SERVER);
        Self {
            client,
            server,
            recorder,
            clock,
            executor,
            runners: [a, b],
            deadlines: [None, None],
            lines: lines.clone(),
            filter,
        }
    }

    /// From now on `filter` decides which frames pass.
    pub fn filter(&self, filter: impl FnMut(usize, &[u8]) -> bool + Send + 'static) {
        *self.filter.lock().unwrap() = Box::new(filter);
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Puts a frame on the cable as if host `side` had sent it.
    pub fn inject(&self, side: usize, bytes: Vec<u8>) {
        let frame = Frame { id: None, bytes };
        self.lines[side].lock().unwrap().push_back((self.now(), frame));
    }

    /// Runs until `until` is done. Panics if nothing can ever happen again, or in an endless loop.
    pub fn run<T>(&mut self, until: impl Future<Output = T>) -> T {
        let mut main = self.executor.main(until);
        for _ in 0..10_000_000_u64 {
            if let Progress::Done(done) = self.executor.run_ready(&mut main, 10_000) {
                return done;
            }
            if !self.turn() {
                panic!("nothing can happen any more at {}", self.now());
            }
        }
        panic!("no end in sight at {}", self.now());
    }

    /// Runs for `duration` of virtual time.
    pub fn run_for(&mut self, duration: Duration) {
        let sleep = self.client.sleep(duration);
        self.run(sleep);
    }

    /// Polls both hosts; if they had nothing to do, jumps to the next event.
    fn turn(&mut self) -> bool {
        let now = self.now();
        self.executor.fire_timers(now);
        let mut busy = false;
        for side in 0..2 {
            let frames = self.lines[1 - side].lock().unwrap().front().is_some_and(|(at, _)| *at <= now);
            let due = self.deadlines[side].is_some_and(|at| at <= now);
            if frames || due || self.runners[side].wants_poll() {
                self.deadlines[side] = self.runners[side].poll(now).unwrap();
                busy = true;
            }
        }
        if busy || self.executor.has_ready() {
            return true;
        }
        let frames = self.lines.iter().filter_map(|line| line.lock().unwrap().front().map(|(at, _)| *at));
        let next =
            frames.chain(self.deadlines.iter().flatten().copied()).chain(self.executor.next_timer()).min();
        match next {
            Some(next) => {
                self.clock.0.store(next.max(now).as_nanos(), Ordering::Relaxed);
                true
            }
            None => false,
        }
    }

    /// What happened, one line each, of the kinds that `pick` names.
    pub fn story(&self, pick: impl Fn(&Event) -> Option<String>) -> Vec<String> {
        self.recorder.records().iter().filter_map(|record| pick(&record.event)).collect()
    }
}
