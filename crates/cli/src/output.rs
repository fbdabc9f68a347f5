//! What the commands print on stdout.

use crate::failure::{ExitWith, WRITE_ERROR};
use anyhow::Context;
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Prints a line. That nobody reads on (`glasstack resolve ... | head -1`) is no error; that it
/// cannot be written, as on a full disk, is one.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    match writeln!(anstream::stdout(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout").exit_with(WRITE_ERROR),
    }
}
