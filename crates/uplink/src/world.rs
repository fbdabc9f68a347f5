//! The world in real time: one mio loop for frames, timers, wakers and signals.
//!
//! ```text
//!   turn:  fire timers -> poll what is ready -> poll the runners that have something to do -> wait
//!   wait:  until a frame, the earliest deadline, the bell, or a signal
//! ```

use crate::bell::Bell;
use crate::clock::OsClock;
use crate::entropy::OsEntropy;
use crate::reactor::Reactor;
use crate::signals::{Signal, Signals};
use crate::wire::{Lane, WireEnd};
use glasstack_journal::event::Medium;
use glasstack_journal::{Clock, Instant, Journal, WallTime};
use glasstack_stack::executor::{MainTask, Progress};
use glasstack_stack::{
    ConfigError, DeviceError, Environment, Executor, Frame, FrameDevice, Host, HostConfig, Runner, World,
};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

/// Hosts on devices of this machine, in real time.
pub struct TapWorld {
    env: Environment,
    poll: Poll,
    events: Events,
    bell: Arc<Bell>,
    reactor: Reactor,
    signals: Option<Signals>,
    ports: Vec<Port>,
}

/// Whatever else lives on a device in real time, beside a host: another network that ends there, say.
pub trait Guest: Send {
    /// Takes in a bounded batch of frames from `device`, does what is due, sends what is to be sent.
    /// Returns when it wants to be polled again: `now` itself if there is more to do at once.
    fn poll(&mut self, device: &mut dyn FrameDevice, now: Instant) -> Result<Option<Instant>, DeviceError>;

    /// Whether it has something to do although no frame has come.
    fn wants_poll(&self) -> bool {
        false
    }

    /// Whether it is done with what it was doing.
    fn is_quiet(&self) -> bool {
        true
    }
}

/// The world cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A device is gone or broken.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// SIGINT, SIGTERM or SIGHUP came; see [`TapWorld::catch_signals`].
    #[error("interrupted by {signal}")]
    Interrupted {
        /// Which.
        signal: Signal,
    },
    /// The operating system failed.
    #[error("cannot {what}: {source}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// What it said.
        source: io::Error,
    },
}

/// A host cannot join the world.
#[derive(Debug, thiserror::Error)]
pub enum AddHostError {
    /// The host cannot be as configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The device cannot be waited for.
    #[error("cannot wait for frames from {device}: {source}")]
    Register {
        /// The device.
        device: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// How many polls of futures go by before the devices have their turn.
const POLLS_A_TURN: usize = 256;
/// How many events are taken from the operating system at once.
const EVENTS_A_TURN: usize = 256;
const BELL: Token = Token(0);
const FIRST_SIGNAL: usize = 1;
const FIRST_PORT: usize = FIRST_SIGNAL + Signals::tokens();

impl TapWorld {
    /// A world without hosts, with a journal that begins now.
    pub fn new() -> Result<Self, WorldError> {
        let os = |what| move |source| WorldError::Os { what, source };
        let poll = Poll::new().map_err(os("make an event queue"))?;
        let waker = Waker::new(poll.registry(), BELL).map_err(os("make a waker"))?;
        let bell = Arc::new(Bell::new(waker));
        let entropy = Arc::new(OsEntropy::new().map_err(os("get random bytes"))?);
        let clock = OsClock::new();
        let rope = Arc::clone(&bell);
        let clock_for_all: Arc<dyn Clock> = Arc::new(clock);
        let executor = Executor::new(Arc::clone(&clock_for_all), move || rope.ring());
        let env =
            Environment { journal: Journal::new(clock.epoch()), clock: clock_for_all, entropy, executor };
        let reactor = Reactor::new(poll.registry()).map_err(os("share the event queue"))?;
        let events = Events::with_capacity(EVENTS_A_TURN);
        Ok(Self { env, poll, events, bell, reactor, signals: None, ports: Vec::new() })
    }

    /// What the world's hosts are made of: its journal (attach observers before the first host
    /// joins), clock, randomness and executor.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.env.journal
    }

    /// Where sockets of the operating system can wait for events while this world runs.
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// A wire inside the process: two devices joined back to back, each for a host of this world.
    /// Both are called `name`; packets of up to `mtu` bytes pass.
    pub fn wire(&self, name: &str, mtu: usize) -> (WireEnd, WireEnd) {
        WireEnd::pair(name, mtu, &self.bell)
    }

    /// Puts a host behind one end of a [`wire`](Self::wire) into the world.
    pub fn add_host_on_wire(&mut self, config: HostConfig, end: WireEnd) -> Result<Host, ConfigError> {
        let arrivals = Arrivals::Queued(end.incoming());
        let (host, runner) = Host::new(&self.env, config, Watched { device: end, drained: false })?;
        self.ports.push(Port { runner: Box::new(runner), arrivals, deadline: None });
        Ok(host)
    }

    /// Puts a host behind `device` into the world.
    pub fn add_host<D>(&mut self, config: HostConfig, device: D) -> Result<Host, AddHostError>
    where
        D: FrameDevice + AsRawFd + 'static,
    {
        let watch = Watch::of(&device);
        let (host, runner) = Host::new(&self.env, config, Watched { device, drained: false })?;
        self.add_port(watch, runner)?;
        Ok(host)
    }

    /// Lets a guest have `device`, in real time.
    pub fn add_guest<D>(&mut self, guest: impl Guest + 'static, device: D) -> Result<(), AddHostError>
    where
        D: FrameDevice + AsRawFd + 'static,
    {
        let watch = Watch::of(&device);
        self.add_port(watch, Housed { guest, device: Watched { device, drained: false } })
    }

    /// `runner` is polled when the device has frames, when its deadline has come, and when it wants it.
    fn add_port(&mut self, watch: Watch, runner: impl AnyRunner + 'static) -> Result<(), AddHostError> {
        let token = Token(FIRST_PORT + self.ports.len());
        self.poll
            .registry()
            .register(&mut SourceFd(&watch.fd), token, Interest::READABLE)
            .map_err(|source| AddHostError::Register { device: watch.device, source })?;
        let arrivals = Arrivals::Reported { readable: true };
        self.ports.push(Port { runner: Box::new(runner), arrivals, deadline: None });
        Ok(())
    }

    /// From now on SIGINT, SIGTERM and SIGHUP make [`run`](World::run) and [`drain`](World::drain) return
    /// [`WorldError::Interrupted`] at once, instead of ending the process: the program can then
    /// drain, close its capture and leave. Another signal ends the drain likewise. When the world
    /// is dropped the signals do again what they did before.
    pub fn catch_signals(&mut self) -> Result<(), WorldError> {
        if self.signals.is_none() {
            let signals = Signals::catch(self.poll.registry(), FIRST_SIGNAL)
                .map_err(|source| WorldError::Os { what: "catch SIGINT, SIGTERM and SIGHUP", source })?;
            self.signals = Some(signals);
        }
        Ok(())
    }

    /// Does all that can be done now, without waiting. The main task's result, if it ended.
    fn turn<T>(&mut self, main: &mut MainTask<'_, T>) -> Result<Option<T>, WorldError> {
        let executor = &self.env.executor;
        executor.fire_timers(self.env.clock.now());
        let done = match executor.run_ready(main, POLLS_A_TURN) {
            Progress::Done(done) => Some(done),
            Progress::Idle(_) | Progress::Busy => None,
        };
        let now = self.env.clock.now();
        for port in &mut self.ports {
            port.poll_if_due(now)?;
        }
        Ok(done)
    }

    /// Sleeps until there is something to do, but not beyond `limit`.
    fn wait(&mut self, limit: Option<Instant>) -> Result<(), WorldError> {
        // Whoever makes something ready after this line rings the bell; what was made ready
        // before it is seen below.
        self.bell.fall_asleep();
        let timeout = self.time_to_sleep(limit);
        let outcome = self.poll.poll(&mut self.events, timeout);
        self.bell.wake_up();
        match outcome {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(WorldError::Os { what: "wait for events", source: error });
            }
            Err(_) => return Ok(()),
            Ok(()) => {}
        }
        let mut signalled = false;
        for event in &self.events {
            match event.token() {
                BELL => {}
                token if Reactor::owns(token) => self.reactor.on_event(event),
                Token(token) if token < FIRST_PORT => signalled = true,
                Token(token) => {
                    if let Some(port) = self.ports.get_mut(token - FIRST_PORT) {
                        port.arrivals.report();
                    }
                }
            }
        }
        match self.signals.as_mut().filter(|_| signalled).and_then(Signals::take) {
            Some(signal) => Err(WorldError::Interrupted { signal }),
            None => Ok(()),
        }
    }

    /// None: until something happens.
    fn time_to_sleep(&self, limit: Option<Instant>) -> Option<Duration> {
        if self.env.executor.has_ready() || self.ports.iter().any(Port::has_work) {
            return Some(Duration::ZERO);
        }
        let deadlines = self.ports.iter().filter_map(|port| port.deadline);
        let earliest = deadlines.chain(self.env.executor.next_timer()).chain(limit).min()?;
        Some(earliest.since(self.env.clock.now()))
    }

    fn is_quiet(&self) -> bool {
        !self.env.executor.has_ready()
            && self.ports.iter().all(|port| !port.has_work() && port.runner.is_quiet())
    }
}

impl Drop for TapWorld {
    fn drop(&mut self) {
        self.env.executor.end();
    }
}

impl World for TapWorld {
    type Error = WorldError;

    fn now(&self) -> Instant {
        self.env.clock.now()
    }

    fn wall(&self) -> WallTime {
        self.env.clock.wall()
    }

    fn run<T>(&mut self, until: impl Future<Output = T>) -> Result<T, WorldError> {
        let executor = self.env.executor.clone();
        let mut main = executor.main(until);
        loop {
            if let Some(done) = self.turn(&mut main)? {
                return Ok(done);
            }
            self.wait(None)?;
        }
    }

    fn drain(&mut self, limit: Duration) -> Result<bool, WorldError> {
        let executor = self.env.executor.clone();
        let mut nothing = executor.main(std::future::pending::<()>());
        let end = self.now() + limit;
        loop {
            self.turn(&mut nothing)?;
            if self.is_quiet() {
                return Ok(true);
            }
            if self.now() >= end {
                return Ok(false);
            }
            self.wait(Some(end))?;
        }
    }
}

impl fmt::Debug for TapWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapWorld").field("hosts", &self.ports.len()).finish_non_exhaustive()
    }
}

/// One host: its runner, and what is known of its device.
struct Port {
    runner: Box<dyn AnyRunner>,
    arrivals: Arrivals,
    deadline: Option<Instant>,
}

/// How it is known that a device has frames.
enum Arrivals {
    /// mio reports each arrival once (edge-triggered), so this stays true until the device itself
    /// says that it has none.
    Reported { readable: bool },
    /// The other end of the wire has put them there.
    Queued(Arc<Lane>),
}

impl Arrivals {
    fn report(&mut self) {
        if let Self::Reported { readable } = self {
            *readable = true;
        }
    }

    fn exhausted(&mut self) {
        if let Self::Reported { readable } = self {
            *readable = false;
        }
    }

    fn has_frames(&self) -> bool {
        match self {
            Self::Reported { readable } => *readable,
            Self::Queued(lane) => lane.is_occupied(),
        }
    }
}

impl Port {
    fn poll_if_due(&mut self, now: Instant) -> Result<(), DeviceError> {
        let is_due = self.deadline.is_some_and(|deadline| deadline <= now);
        if !(is_due || self.has_work()) {
            return Ok(());
        }
        self.deadline = self.runner.poll(now)?;
        if self.runner.take_drained() {
            self.arrivals.exhausted();
        }
        Ok(())
    }

    fn has_work(&self) -> bool {
        self.arrivals.has_frames() || self.runner.wants_poll()
    }
}

/// A runner, whatever its device.
trait AnyRunner: Send {
    fn poll(&mut self, now: Instant) -> Result<Option<Instant>, DeviceError>;
    fn wants_poll(&self) -> bool;
    fn is_quiet(&self) -> bool;
    /// Whether the device ran out of frames since the last call.
    fn take_drained(&mut self) -> bool;
}

impl<D: FrameDevice> AnyRunner for Runner<Watched<D>> {
    fn poll(&mut self, now: Instant) -> Result<Option<Instant>, DeviceError> {
        self.poll(now)
    }

    fn wants_poll(&self) -> bool {
        self.wants_poll()
    }

    fn is_quiet(&self) -> bool {
        self.is_quiet()
    }

    fn take_drained(&mut self) -> bool {
        std::mem::take(&mut self.device_mut().drained)
    }
}

/// A guest and its device.
struct Housed<G, D> {
    guest: G,
    device: Watched<D>,
}

impl<G: Guest, D: FrameDevice> AnyRunner for Housed<G, D> {
    fn poll(&mut self, now: Instant) -> Result<Option<Instant>, DeviceError> {
        self.guest.poll(&mut self.device, now)
    }

    fn wants_poll(&self) -> bool {
        self.guest.wants_poll()
    }

    fn is_quiet(&self) -> bool {
        self.guest.is_quiet()
    }

    fn take_drained(&mut self) -> bool {
        std::mem::take(&mut self.device.drained)
    }
}

/// What mio waits for.
struct Watch {
    device: String,
    fd: RawFd,
}

impl Watch {
    fn of<D: FrameDevice + AsRawFd>(device: &D) -> Self {
        Self { device: device.name().to_owned(), fd: device.as_raw_fd() }
    }
}

/// A device that remembers whether it ran out of frames.
struct Watched<D> {
    device: D,
    drained: bool,
}

impl<D: FrameDevice> FrameDevice for Watched<D> {
    fn name(&self) -> &str {
        self.device.name()
    }

    fn medium(&self) -> Medium {
        self.device.medium()
    }

    fn mtu(&self) -> usize {
        self.device.mtu()
    }

    fn recv(&mut self) -> Result<Option<Frame>, DeviceError> {
        let frame = self.device.recv()?;
        self.drained = frame.is_none();
        Ok(frame)
    }

    fn send(&mut self, frame: Frame) -> Result<(), DeviceError> {
        self.device.send(frame)
    }
}
