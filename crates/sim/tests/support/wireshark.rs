//! What Wireshark makes of a capture.

use glasstack_views::{PcapngCapture, Points};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A file in memory; all clones are the same.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    /// A capture at these places that is written into it.
    pub fn capture(&self, places: &[&str]) -> PcapngCapture {
        let places = places.iter().map(|place| (*place).to_owned()).collect();
        PcapngCapture::new(Box::new(self.clone()), Points::Only(places))
    }

    /// What tshark shows of the capture, which must be finished: the frames that pass `filter`, a line each,
    /// these fields separated by tabs. None, and the test counts as skipped, where there is no tshark.
    pub fn fields(&self, test: &str, filter: &str, fields: &[&str]) -> Option<Vec<String>> {
        if Command::new("tshark").arg("--version").output().is_err() {
            skip(test, "needs tshark");
            return None;
        }
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.pcapng"));
        std::fs::write(&file, self.0.lock().unwrap().as_slice()).unwrap();
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&file).args(["-n", "-Y", filter, "-T", "fields"]);
        for protocol in ["ip", "udp"] {
            tshark.arg("-o").arg(format!("{protocol}.check_checksum:TRUE"));
        }
        for field in fields {
            tshark.args(["-e", field]);
        }
        let output = tshark.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
    }
}

/// Says that a test was skipped and why: on stderr, and in the file that `scripts/test` collects.
fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    eprint!("{line}");
    if let Some(list) = std::env::var_os("GLASSTACK_SKIPPED") {
        let mut list = OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}
