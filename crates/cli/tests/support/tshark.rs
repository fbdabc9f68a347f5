//! What Wireshark makes of a capture.

use super::Ran;
use std::process::Command;

/// A capture in the eyes of tshark, every checksum verified.
pub(crate) struct Capture {
    path: String,
}

impl Capture {
    pub(crate) fn open(path: &str) -> Self {
        Self { path: path.to_owned() }
    }

    /// A line of tab-separated `fields` for each frame that the filter matches; an empty filter
    /// matches all.
    #[track_caller]
    pub(crate) fn fields(&self, filter: &str, fields: &[&str]) -> Vec<String> {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r", &self.path]);
        for checksum in ["ip", "tcp", "udp"] {
            command.args(["-o", &format!("{checksum}.check_checksum:TRUE")]);
        }
        if !filter.is_empty() {
            command.args(["-Y", filter]);
        }
        command.args(["-T", "fields"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let ran = Ran::of(&mut command).exits(0);
        assert!(!ran.err.contains("cut short"), "{}", ran.err);
        ran.out.lines().map(str::to_owned).collect()
    }

    /// How many frames the filter matches.
    #[track_caller]
    pub(crate) fn count(&self, filter: &str) -> usize {
        self.fields(filter, &["frame.number"]).len()
    }

    /// At least one frame matches the filter.
    #[track_caller]
    pub(crate) fn has(&self, filter: &str) {
        assert!(self.count(filter) > 0, "no frame: {filter}\n{}", self.listing());
    }

    /// What must hold of every capture of ours: nothing malformed, no expert error, every checksum
    /// good, every frame with its comment.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        let bad = "_ws.malformed || _ws.expert.severity == 8388608 || ip.checksum.status == 0 \
                   || tcp.checksum.status == 0 || udp.checksum.status == 0";
        let fields = ["frame.number", "_ws.col.Info", "_ws.expert.message"];
        assert_eq!(self.fields(bad, &fields), Vec::<String>::new());
        assert_eq!(self.fields("!frame.comment", &fields), Vec::<String>::new());
        assert!(self.count("") > 0, "the capture is empty");
    }

    /// One line a frame.
    pub(crate) fn listing(&self) -> String {
        self.fields("", &["frame.number", "ip.src", "_ws.col.Info"]).join("\n")
    }
}
