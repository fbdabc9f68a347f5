//! `--events FILE`: the records themselves, one JSON object a line.

use crate::output::Output;
use glasstack_journal::{Observer, Record};
use std::io::{self, Write};

/// Writes every record of every node as one line of JSON, in order.
///
/// The fields are those of [`Record`]: `seq`, `at` (nanoseconds since the world began), `node`,
/// `span`, and `event` with its `layer` and `fact`. Bytes are in hex. TLS secrets are among the
/// records: treat the file as you would treat a key log.
pub struct JsonLines {
    output: Output,
}

impl JsonLines {
    /// Writes to `writer`, a whole line at a time.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { output: Output::new(writer) }
    }
}

impl Observer for JsonLines {
    fn observe(&mut self, record: &Record) {
        match serde_json::to_string(record) {
            Ok(line) => self.output.line(&line),
            Err(error) => self.output.fail(error.into()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.output.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sink, Story, replay};

    #[test]
    fn every_record_is_one_line_of_json_in_order() {
        let records = Story::journey().records();
        let sink = Sink::default();
        replay(&records, JsonLines::new(sink.writer()));
        let text = sink.text();
        assert_eq!(text.lines().count(), records.len());
        for (line, record) in text.lines().zip(&records) {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(value["seq"], record.seq);
            assert_eq!(value["at"], record.at.as_nanos());
            assert!(value["event"]["layer"].is_string(), "{line}");
        }
    }
}
