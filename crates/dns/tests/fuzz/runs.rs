//! Many cases of one target: counted, timed, watched, and told by number when one fails. The fuzzing of
//! other crates uses this file, too.

use crate::chance::Chance;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a case may take where many are run, by the machine's clock. The usual ones take less than a
/// millisecond.
const CASE: Duration = Duration::from_secs(10);

/// How much memory they may take, in kB, and how often that is looked at. The usual ones take 12 000 kB.
const MEMORY: u64 = 1_000_000;
const LOOK: Duration = Duration::from_millis(100);

/// Runs `case` with a chance of its own as often as is wished, and prints what came of it.
pub(crate) fn fuzz<T: Default + std::fmt::Debug>(
    target: &'static str,
    slice: u64,
    mut case: impl FnMut(&mut Chance, &mut T),
) -> T {
    let number = |variable: &str| {
        let text = std::env::var(variable).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{variable}={text}: a number is needed")))
    };
    let (seed, first) = (number("FUZZ_SEED").unwrap_or(1), number("FUZZ_FIRST").unwrap_or(0));
    let many = number("FUZZ_CASES");
    let cases = many.unwrap_or(slice);
    let current = Arc::new(AtomicU64::new(first));
    if many.is_some() {
        let current = Arc::clone(&current);
        std::thread::spawn(move || watch(target, seed, &current));
    }
    let (begun, mut tally) = (Instant::now(), T::default());
    for number in first..first.saturating_add(cases) {
        current.store(number, Ordering::Relaxed);
        let told = OnFailure { target, seed, number };
        case(&mut Chance::of(seed, number), &mut tally);
        drop(told);
    }
    let took = begun.elapsed().as_secs();
    let memory = peak_memory().map_or(String::new(), |peak| format!(", {peak} kB at most"));
    eprintln!("{target}: {cases} cases from seed {seed} in {took} s{memory}: {tally:?}");
    tally
}

/// Says which case it was.
struct OnFailure {
    target: &'static str,
    seed: u64,
    number: u64,
}

impl OnFailure {
    fn tell(&self) {
        let Self { target, seed, number } = self;
        eprintln!("this was {target}: FUZZ_SEED={seed} FUZZ_FIRST={number} scripts/fuzz {target} 1");
    }
}

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
    }
}

/// Ends the process when a case does not end, or takes memory without end.
fn watch(target: &'static str, seed: u64, current: &AtomicU64) {
    let (mut before, mut begun) = (None, Instant::now());
    loop {
        std::thread::sleep(LOOK);
        let number = current.load(Ordering::Relaxed);
        if before != Some(number) {
            (before, begun) = (Some(number), Instant::now());
        }
        let memory = peak_memory().unwrap_or_default();
        if begun.elapsed() > CASE || memory > MEMORY {
            eprintln!("a case has gone on for {} s, and taken {memory} kB", begun.elapsed().as_secs());
            OnFailure { target, seed, number }.tell();
            std::process::exit(101);
        }
    }
}

/// The most memory that this process has had, in kB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix(" kB")?.parse().ok()
}
