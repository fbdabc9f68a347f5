//! What the commands print on stdout.

use crate::args::WatchOptions;
use crate::failure::{ExitWith, WRITE_ERROR, usage};
use anyhow::Context;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Where results go there is no place for a capture or for records.
pub(crate) fn only_one_on_stdout(watch: &WatchOptions) -> anyhow::Result<()> {
    for (option, path) in [("--capture", &watch.capture), ("--events", &watch.events)] {
        if path.as_ref().is_some_and(|path| path.as_os_str() == "-") {
            return Err(usage(format!("{option} -: the result goes to stdout, so this needs another place")));
        }
    }
    if watch.capture.is_some() && watch.capture == watch.events {
        return Err(usage("--capture and --events name the same file"));
    }
    Ok(())
}

/// Prints a line. That nobody reads on (`glasstack resolve ... | head -1`) is no error; that it
/// cannot be written, as on a full disk, is one.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout").exit_with(WRITE_ERROR),
    }
}
