//! What is shown and saved: the observers that the options ask for.

use crate::args::WatchOptions;
use crate::console::{self, Console};
use crate::failure::usage;
use crate::files::unbuffered_stdout;
use anyhow::Context;
use glasstack::journal::journal::Recorder;
use glasstack::journal::{Journal, Observer, Record};
use glasstack::tls::KeyLogSink;
use glasstack::views::{JsonLines, LadderOptions, Level, Narration, PcapngCapture, Points, Summary, ladder};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The node that is the user's own, in every network but a lab that says otherwise.
pub(crate) const HERO: &str = "client";

/// Attaches to `journal` what the options ask for; the story is that of the node `hero`. To be done
/// before the first host is made.
pub(crate) fn attach(
    journal: &Journal,
    options: &WatchOptions,
    hero: &str,
    summary: bool,
) -> anyhow::Result<()> {
    attach_at(journal, options, hero, Points::Nodes(vec![hero.to_owned()]), summary)
}

/// The same, with frames captured at `points`.
pub(crate) fn attach_at(
    journal: &Journal,
    options: &WatchOptions,
    hero: &str,
    points: Points,
    summary: bool,
) -> anyhow::Result<()> {
    if options.capture.is_none() && !options.capture_at.is_empty() {
        return Err(usage("--capture-at: --capture says where that is written"));
    }
    if let Some(path) = &options.capture {
        // Unbuffered: what is written survives whatever happens.
        journal.attach(Box::new(PcapngCapture::new(Box::new(create(path)?), points)));
    }
    if let Some(path) = &options.events {
        journal.attach(Box::new(JsonLines::new(Box::new(BufWriter::new(create(path)?)))));
    }
    if options.silent || options.untold {
        return Ok(());
    }
    let level = if options.verbose { Level::Verbose } else { Level::Normal };
    let coloured = console::is_terminal() && std::env::var_os("NO_COLOR").is_none();
    journal.attach(Box::new(
        Narration::new(Box::new(Told), level).of(hero).coloured(coloured).with_keys(options.show_keys),
    ));
    if options.ladder {
        journal.attach(Box::<LadderAtTheEnd>::default());
    }
    if summary {
        journal.attach(Box::new(Summary::new(Box::new(Told)).of(hero)));
    }
    Ok(())
}

/// The ladder in one piece, when all is over: rung by rung it would mix with the narration.
#[derive(Default)]
struct LadderAtTheEnd(Recorder);

impl Observer for LadderAtTheEnd {
    fn observe(&mut self, record: &Record) {
        self.0.observe(record);
    }

    fn finish(&mut self) -> io::Result<()> {
        let ladder = ladder(&self.0.records(), &LadderOptions::default());
        Told.write_all(ladder.as_bytes())
    }
}

/// The console, for what is told by the way: that it cannot be told, since a disk is full or the
/// reader has left, is no failure of what the program is there for.
struct Told;

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = Console.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Ends the journal: what the views hold back is written.
pub(crate) fn finish(journal: &Journal) -> anyhow::Result<()> {
    journal.finish().context("what was to be saved of the journey is incomplete")
}

/// Where `SSLKEYLOGFILE` says that the secrets go, as other programs do it.
pub(crate) fn key_log() -> anyhow::Result<Option<KeyLogSink>> {
    let Some(path) = std::env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let open = OpenOptions::new().create(true).append(true).open(&path);
    let file = open.with_context(|| format!("SSLKEYLOGFILE: cannot write {}", path.display()))?;
    let name = path.display().to_string();
    let log = Arc::new(Mutex::new((file, false)));
    Ok(Some(Arc::new(move |line: &str| {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, has_failed) = &mut *log;
        // One write a line: other programs may add to the file at the same time. That it fails must
        // not end the connection that it is about, but is told, once.
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes())
            && !std::mem::replace(has_failed, true)
        {
            console::warn(format_args!("SSLKEYLOGFILE: {name} lacks secrets: {error}"));
        }
    })))
}

fn create(path: &Path) -> anyhow::Result<File> {
    if path.as_os_str() == "-" {
        return unbuffered_stdout().context("cannot write to stdout");
    }
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}
