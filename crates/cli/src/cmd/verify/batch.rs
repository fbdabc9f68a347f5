//! `glasstack verify --batch`: cases as lines of JSON, each answered by a line, at once and in order.
//! A bad line is answered, too, and the next one read.

use super::UNUSABLE;
use crate::clock;
use crate::failure::{ExitWith, FAILED_INIT, WRITE_ERROR};
use crate::files::{open, stdin};
use anyhow::{Context, anyhow};
use glasstack::journal::WallTime;
use glasstack::tls::provider;
use glasstack::tls::verify::case::Case;
use serde_json::json;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// The longest line, in bytes.
const LONGEST: u64 = 16 << 20;
/// The longest file that is one object with all cases in it, in bytes.
const WHOLE: u64 = 1 << 30;

/// What becomes of the lines.
struct Batch<W> {
    out: W,
    now: Option<WallTime>,
    /// Whether every case is judged strictly.
    strict: bool,
    /// Whether all cases could be judged.
    all_usable: bool,
}

pub(super) fn run(path: &Path, now: Option<WallTime>, strict: bool) -> anyhow::Result<ExitCode> {
    let file = if path.as_os_str() == "-" { stdin() } else { open(path) };
    let file = file.with_context(|| format!("cannot read {}", path.display())).exit_with(FAILED_INIT)?;
    let mut batch = Batch { out: std::io::stdout().lock(), now, strict, all_usable: true };
    let done = batch.answer_all(BufReader::new(file));
    match done {
        Ok(()) => {}
        // Nobody reads on.
        Err(error) if is_broken_pipe(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(if batch.all_usable { ExitCode::SUCCESS } else { UNUSABLE.into() })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    causes.into_iter().any(|error| error.kind() == ErrorKind::BrokenPipe)
}

impl<W: Write> Batch<W> {
    fn answer_all(&mut self, mut input: impl BufRead) -> anyhow::Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = (&mut input).take(LONGEST + 1).read_until(b'\n', &mut line).context("cannot read")?;
            if read == 0 {
                return Ok(());
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            if line.len() as u64 > LONGEST {
                skip_line(&mut input, &line)?;
                self.refuse(number, None, &anyhow!("the line is longer than {LONGEST} bytes"))?;
                continue;
            }
            match serde_json::from_slice::<serde_json::Value>(&line) {
                // The first line of an object that has many.
                Err(error) if number == 1 && error.is_eof() => return self.answer_whole(line, input),
                Err(error) => self.refuse(number, None, &anyhow::Error::new(error).context("no JSON"))?,
                Ok(value) => self.answer(number, value)?,
            }
        }
        Ok(())
    }

    /// A file that is one object: `{"testcases": [...]}`, as x509-limbo has it.
    fn answer_whole(&mut self, mut text: Vec<u8>, input: impl Read) -> anyhow::Result<()> {
        input.take(WHOLE).read_to_end(&mut text).context("cannot read")?;
        match serde_json::from_slice(&text) {
            Ok(value) => self.answer(1, value),
            Err(error) => self.refuse(1, None, &anyhow::Error::new(error).context("no JSON")),
        }
    }

    fn answer(&mut self, number: u64, mut value: serde_json::Value) -> anyhow::Result<()> {
        match value.get_mut("testcases").map(serde_json::Value::take) {
            Some(serde_json::Value::Array(cases)) => {
                cases.into_iter().try_for_each(|case| self.judge(number, case))
            }
            Some(_) => self.refuse(number, None, &anyhow!("`testcases` is no list")),
            None => self.judge(number, value),
        }
    }

    fn judge(&mut self, number: u64, value: serde_json::Value) -> anyhow::Result<()> {
        let id = value.get("id").cloned();
        let mut case: Case = match serde_json::from_value(value) {
            Ok(case) => case,
            Err(error) => return self.refuse(number, id, &anyhow::Error::new(error).context("no case")),
        };
        case.strict |= self.strict;
        let now = self.now.unwrap_or_else(clock::now).unix_seconds();
        match case.judge(provider::signature_algorithms(), i64::try_from(now).unwrap_or(i64::MAX)) {
            Ok(answer) => self.write(&answer),
            Err(error) => self.refuse(number, id, &error.into()),
        }
    }

    fn refuse(
        &mut self,
        number: u64,
        id: Option<serde_json::Value>,
        error: &anyhow::Error,
    ) -> anyhow::Result<()> {
        self.all_usable = false;
        let mut answer = json!({ "error": crate::failure::in_a_line(error), "line": number });
        if let (Some(id), Some(fields)) = (id, answer.as_object_mut()) {
            fields.insert("id".to_owned(), id);
        }
        self.write(&answer)
    }

    /// At once: whoever asks line by line waits for it.
    fn write(&mut self, answer: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        let written = self.out.write_all(&line).and_then(|()| self.out.flush());
        written.context("cannot write to stdout").exit_with(WRITE_ERROR)
    }
}

/// What is left of a line of which the beginning has been read.
fn skip_line(input: &mut impl BufRead, begun: &[u8]) -> anyhow::Result<()> {
    let mut last = begun.last().copied();
    while last != Some(b'\n') {
        let mut more = Vec::new();
        if input.by_ref().take(1 << 20).read_until(b'\n', &mut more).context("cannot read")? == 0 {
            return Ok(());
        }
        last = more.last().copied();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> (Vec<serde_json::Value>, bool) {
        let mut batch = Batch { out: Vec::new(), now: None, strict: false, all_usable: true };
        batch.answer_all(text.as_bytes()).unwrap();
        let lines = String::from_utf8(batch.out).unwrap();
        (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), batch.all_usable)
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_the_next_one_read() {
        let (answers, all_usable) = answers("nonsense\n\n[]\n{\"id\": \"x\"}\n{\"id\": \"y\"");
        let lines: Vec<_> = answers.iter().map(|answer| answer["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
        assert_eq!(answers[2]["id"], "x");
        assert!(answers[2]["error"].as_str().unwrap().contains("no certificate to judge"), "{answers:?}");
        assert!(!all_usable);
    }

    #[test]
    fn a_file_that_is_one_object_is_read_as_a_whole() {
        let (answers, _) = answers("{\n \"testcases\": [\n {\"id\": \"a\"},\n {\"id\": \"b\"}]\n}\n");
        assert_eq!(answers.iter().map(|answer| answer["id"].clone()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let long = "x".repeat(usize::try_from(LONGEST).unwrap() + 10);
        let (answers, _) = answers(&format!("{long}\n{{\"id\": \"z\"}}\n"));
        assert_eq!(answers.len(), 2);
        assert_eq!((answers[0]["line"].as_u64(), answers[1]["id"].as_str()), (Some(1), Some("z")));
    }
}
