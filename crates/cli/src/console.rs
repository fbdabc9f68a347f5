//! Where everything but results is said: stderr, or the file that `--stderr` names. A progress meter
//! has its line there, which gives way to whatever else is said.

use crate::failure::harmless;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `--stderr` chose.
static REDIRECTED: OnceLock<File> = OnceLock::new();
/// Whether the last thing said was a meter's line, which has not ended.
static UNENDED: AtomicBool = AtomicBool::new(false);

/// From now on all is said there.
pub(crate) fn redirect(file: File) {
    let _ = REDIRECTED.set(file);
}

/// Whether somebody looks at it.
pub(crate) fn is_terminal() -> bool {
    match REDIRECTED.get() {
        Some(file) => file.is_terminal(),
        None => io::stderr().is_terminal(),
    }
}

/// Says a warning, a line.
pub(crate) fn warn(text: impl Display) {
    // Where it cannot be said there is nobody to be warned.
    let _ = writeln!(Console, "glasstack: warning: {}", harmless(&text.to_string()));
}

/// Shows a meter's line; it begins with a carriage return.
pub(crate) fn paint(line: &str) {
    let _ = write_all(line.as_bytes());
    UNENDED.store(true, Ordering::Relaxed);
}

/// Ends a meter's line.
pub(crate) fn end_of_meter() {
    if UNENDED.swap(false, Ordering::Relaxed) {
        let _ = write_all(b"\n");
    }
}

/// Writes to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console;

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if UNENDED.swap(false, Ordering::Relaxed) {
            // ECMA-48 8.3.41, EL: the meter's line vanishes; it will be painted again.
            write_all(if is_terminal() { b"\r\x1b[K" } else { b"\n" })?;
        }
        write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_all(bytes: &[u8]) -> io::Result<()> {
    match REDIRECTED.get() {
        Some(mut file) => file.write_all(bytes),
        None => io::stderr().write_all(bytes),
    }
}
