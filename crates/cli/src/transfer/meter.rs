//! The progress of what runs, painted: which way, how often, and for whom.

use super::progress::{METER_HEAD, PARALLEL_HEAD, Parallel, Sample, Speedometer};
use crate::args::GetOptions;
use crate::console;
use glasstack::journal::Instant;
use glasstack::stack::Host;
use glasstack::web::Watch;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often curl's meters are painted.
const SECOND: Duration = Duration::from_secs(1);
/// How often a bar is painted, and the meter of parallel transfers.
const TENTH: Duration = Duration::from_millis(100);
/// curl's width of a bar where nothing says how wide a terminal is.
const WIDTH: usize = 79;

/// What is shown beside the bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing but errors.
    Nothing,
    /// The journey; with a bar below it while a file grows on a terminal.
    Journey { bar: bool },
    /// curl's meter.
    Meter,
    /// curl's bar (`-#`).
    Bar,
    /// curl's meter of parallel transfers (`-Z`).
    Parallel,
}

impl Shown {
    /// What the options ask for, with so many transfers ahead. The journey of one transfer is told;
    /// those of several would be a wall of text, and a meter takes its place unless `-v` asks for it.
    pub(crate) fn choose(options: &GetOptions, transfers: u64) -> Self {
        let (watch, output) = (&options.watch, &options.output);
        let is_metered = !output.no_progress_meter;
        if watch.silent {
            Self::Nothing
        } else if watch.verbose || watch.ladder {
            Self::Journey { bar: false }
        } else if options.limits.parallel {
            if is_metered { Self::Parallel } else { Self::Nothing }
        } else if output.progress_bar && is_metered {
            Self::Bar
        } else if output.progress_meter {
            Self::Meter
        } else if transfers == 1 {
            Self::Journey { bar: is_metered && console::is_terminal() }
        } else if is_metered {
            Self::Meter
        } else {
            Self::Nothing
        }
    }

    /// Whether the journey is told.
    pub(crate) fn tells(self) -> bool {
        matches!(self, Self::Journey { .. })
    }
}

/// Paints.
pub(crate) struct Meter {
    shown: Shown,
    host: Host,
    state: Mutex<State>,
}

struct State {
    begun: Instant,
    painted: Option<Instant>,
    speed: Speedometer,
    running: Vec<Running>,
    /// Bytes of what is over: down and up.
    done: (u64, u64),
    transfers: u64,
    has_head: bool,
}

struct Running {
    id: u64,
    watch: Watch,
    begun: Instant,
}

impl Meter {
    pub(crate) fn new(shown: Shown, host: &Host) -> Self {
        let state = State {
            begun: host.now(),
            painted: None,
            speed: Speedometer::default(),
            running: Vec::new(),
            done: (0, 0),
            transfers: 0,
            has_head: false,
        };
        Self { shown, host: host.clone(), state: Mutex::new(state) }
    }

    /// A transfer begins; `to_stdout`: its body goes there, and not by the name `-`.
    pub(crate) fn begin(&self, id: u64, watch: &Watch, to_stdout: bool, resumed_at: Option<u64>) {
        let mut state = self.lock();
        state.transfers += 1;
        let is_shown = match self.shown {
            Shown::Nothing | Shown::Journey { bar: false } => false,
            Shown::Journey { bar: true } => !to_stdout,
            // It would stand amid the body.
            Shown::Meter | Shown::Bar | Shown::Parallel => !to_stdout || !std::io::stdout().is_terminal(),
        };
        if !is_shown {
            return;
        }
        let now = self.host.now();
        state.running.push(Running { id, watch: watch.clone(), begun: now });
        if self.shown != Shown::Parallel {
            state.begun = now;
            state.speed = Speedometer::default();
            state.painted = None;
        }
        match self.shown {
            Shown::Meter => {
                if let Some(offset) = resumed_at {
                    let _ = writeln!(console::Console, "** Resuming transfer from byte position {offset}");
                }
                let _ = console::Console.write_all(METER_HEAD.as_bytes());
                self.paint(&mut state, true);
            }
            Shown::Parallel if !state.has_head => {
                state.has_head = true;
                let _ = console::Console.write_all(PARALLEL_HEAD.as_bytes());
                self.paint(&mut state, true);
            }
            _ => {}
        }
    }

    /// Something has been moved.
    pub(crate) fn tick(&self) {
        self.paint(&mut self.lock(), false);
    }

    /// A transfer is over.
    pub(crate) fn end(&self, id: u64) {
        let mut state = self.lock();
        let Some(place) = state.running.iter().position(|running| running.id == id) else { return };
        if self.shown != Shown::Parallel {
            self.paint(&mut state, true);
            match self.shown {
                Shown::Journey { .. } => {}
                _ => console::end_of_meter(),
            }
        }
        let over = state.running.remove(place).watch.progress();
        state.done.0 += over.downloaded;
        state.done.1 += over.uploaded;
        if self.shown == Shown::Parallel {
            self.paint(&mut state, false);
        }
    }

    /// All transfers are over.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        if self.shown == Shown::Parallel && state.has_head {
            self.paint(&mut state, true);
            console::end_of_meter();
        }
    }

    /// Paints now and then for as long as it is polled: a transfer that stands still shows it.
    pub(crate) async fn watch(&self) {
        // In a virtual world nothing stands still: what is not moved takes no time.
        let is_virtual = self.host.entropy().is_reproducible();
        if is_virtual || matches!(self.shown, Shown::Nothing | Shown::Journey { bar: false }) {
            return std::future::pending().await;
        }
        loop {
            self.host.sleep(SECOND).await;
            self.tick();
        }
    }

    fn paint(&self, state: &mut State, at_once: bool) {
        let pause = if self.shown == Shown::Meter { SECOND } else { TENTH };
        let now = self.host.now();
        let is_due = state.painted.is_none_or(|painted| now - painted >= pause);
        if !at_once && (!is_due || state.running.is_empty()) {
            return;
        }
        state.painted = Some(now);
        let line = match self.shown {
            Shown::Nothing => None,
            Shown::Meter => state.serial(now).map(|sample| sample.meter()),
            Shown::Journey { .. } | Shown::Bar => state.serial(now).and_then(|sample| sample.bar(width())),
            Shown::Parallel => Some(state.parallel(now).meter()),
        };
        if let Some(line) = line {
            console::paint(&line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn serial(&mut self, now: Instant) -> Option<Sample> {
        let running = self.running.last()?;
        let progress = running.watch.progress();
        let elapsed = now - running.begun;
        let speed = self.speed.speed(elapsed, progress.downloaded + progress.uploaded);
        Some(Sample {
            elapsed,
            down: (progress.downloaded, progress.download_length),
            up: (progress.uploaded, progress.upload_length),
            speed,
        })
    }

    fn parallel(&mut self, now: Instant) -> Parallel {
        let (mut down, mut up) = (self.done.0, self.done.1);
        // The totals are known only if those of all that run are.
        let (mut down_total, mut up_total) = (Some(down), Some(up));
        for running in &self.running {
            let progress = running.watch.progress();
            down += progress.downloaded;
            up += progress.uploaded;
            down_total = down_total.zip(progress.download_length).map(|(sum, length)| sum + length);
            up_total = up_total.zip(progress.upload_length).map(|(sum, length)| sum + length);
        }
        let elapsed = now - self.begun;
        let sum = Sample {
            elapsed,
            down: (down, down_total),
            up: (up, up_total),
            speed: self.speed.speed(elapsed, down + up),
        };
        Parallel { sum, transfers: (self.transfers, self.running.len() as u64) }
    }
}

/// How wide a bar is: as `COLUMNS` says, where it says something sensible.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    columns.filter(|columns| (21..=10_000).contains(columns)).map_or(WIDTH, |columns| columns - 1)
}
