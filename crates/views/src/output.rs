//! A writer, and the first error it met.

use std::io::{self, Write};

/// Where a view writes. Nothing in the network depends on a view's being well: after the first
/// error nothing more is written, and [`finish`](Self::finish) reports it.
pub(crate) struct Output {
    writer: Box<dyn Write + Send>,
    error: Option<io::Error>,
}

impl Output {
    pub(crate) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer, error: None }
    }

    /// Writes all of `bytes` in one call where the writer takes them whole.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.attempt(|writer| writer.write_all(bytes));
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    pub(crate) fn flush(&mut self) {
        self.attempt(|writer| writer.flush());
    }

    /// Remembers an error that kept something from being written.
    pub(crate) fn fail(&mut self, error: io::Error) {
        self.error.get_or_insert(error);
    }

    /// Flushes; the first error that ever happened.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush();
        self.error.take().map_or(Ok(()), Err)
    }

    fn attempt(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.error.is_none()
            && let Err(error) = write(&mut self.writer)
        {
            self.error = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            assert_eq!(self.0, 1, "written to after an error");
            let _ = bytes;
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_first_error_is_kept_and_nothing_more_is_written() {
        let mut output = Output::new(Box::new(Full(0)));
        output.line("one");
        output.line("two");
        assert_eq!(output.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
