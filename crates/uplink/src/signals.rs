//! SIGINT, SIGTERM and SIGHUP as events of the loop, so that a journey can end in order.

use mio::unix::pipe::{self, Receiver};
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};
use std::fmt;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: `kill`, a service manager.
    Terminate,
    /// SIGHUP: the terminal is gone. Who ignores it from the start, as under `nohup`, goes on doing so.
    Hangup,
}

impl Signal {
    const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::Hangup];

    /// Its number.
    pub fn number(self) -> i32 {
        match self {
            Self::Interrupt => SIGINT,
            Self::Terminate => SIGTERM,
            Self::Hangup => SIGHUP,
        }
    }

    /// Whether it is to be caught: a hangup is not where the process was started to ignore it (`nohup`).
    fn is_wanted(self) -> bool {
        self != Self::Hangup || !hangups_were_ignored()
    }

    /// What a shell reports of a program that it ended: 128 and its number.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Hangup => 129,
        }
    }
}

/// Whether this process began with SIGHUP ignored: found out once, before anybody catches it.
fn hangups_were_ignored() -> bool {
    static IGNORED: OnceLock<bool> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        ignores(&status, SIGHUP)
    })
}

/// What proc(5) says of a process: `SigIgn:` and the ignored signals as bits, in hexadecimal.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
        })
    }
}

/// Catches the signals while it lives; when no other does either they end the process as usual.
#[derive(Debug)]
pub(crate) struct Signals {
    pipes: Vec<(Signal, Receiver)>,
    registered: Vec<SigId>,
    _presence: Presence,
}

impl Signals {
    /// Catches the signals and reports them to `registry` under `first_token` and those that
    /// follow it.
    pub(crate) fn catch(registry: &Registry, first_token: usize) -> io::Result<Self> {
        let mut caught = Self { pipes: Vec::new(), registered: Vec::new(), _presence: Presence::new()? };
        for (offset, signal) in Signal::ALL.into_iter().enumerate().filter(|(_, signal)| signal.is_wanted()) {
            let (sender, mut receiver) = pipe::new()?;
            registry.register(&mut receiver, Token(first_token + offset), Interest::READABLE)?;
            caught.registered.push(low_level::pipe::register(signal.number(), OwnedFd::from(sender))?);
            caught.pipes.push((signal, receiver));
        }
        Ok(caught)
    }

    /// How many tokens it takes.
    pub(crate) const fn tokens() -> usize {
        Signal::ALL.len()
    }

    /// A signal that has come since the last call; several of a kind count as one.
    pub(crate) fn take(&mut self) -> Option<Signal> {
        let mut taken = None;
        for (signal, receiver) in &mut self.pipes {
            let mut bytes = [0; 64];
            while matches!(receiver.read(&mut bytes), Ok(n) if n > 0) {
                taken = Some(*signal);
            }
        }
        taken
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// Somebody in this process catches the signals.
///
/// signal-hook's handler stays installed once it is there, and would leave the signals without
/// effect when nobody catches them any more. So another action, registered once, does then what
/// the signals do by default.
#[derive(Debug)]
struct Presence;

static PRESENT: Mutex<Present> = Mutex::new(Present { count: 0, nobody: None });

struct Present {
    count: usize,
    nobody: Option<Arc<AtomicBool>>,
}

impl Presence {
    fn new() -> io::Result<Self> {
        let mut present = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
        match &present.nobody {
            Some(nobody) => nobody.store(false, Ordering::SeqCst),
            None => {
                let nobody = Arc::new(AtomicBool::new(false));
                for signal in Signal::ALL.into_iter().filter(|signal| signal.is_wanted()) {
                    flag::register_conditional_default(signal.number(), Arc::clone(&nobody))?;
                }
                present.nobody = Some(nobody);
            }
        }
        present.count += 1;
        Ok(Self)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut present = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
        present.count = present.count.saturating_sub(1);
        if let (0, Some(nobody)) = (present.count, &present.nobody) {
            nobody.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_to_ignore_a_signal_is_known() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert!(ignores(status, SIGHUP) && !ignores(status, SIGINT) && !ignores("", SIGHUP));
    }

    #[test]
    fn a_signal_exits_as_a_shell_reports_it() {
        for signal in Signal::ALL {
            assert_eq!(i32::from(signal.exit_code()), 128 + signal.number());
        }
    }
}
