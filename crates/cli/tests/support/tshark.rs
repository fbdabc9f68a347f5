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
        let mut words = if filter.is_empty() { vec![] } else { vec!["-Y", filter] };
        words.extend(["-T", "fields"]);
        words.extend(fields.iter().flat_map(|field| ["-e", field]));
        self.tshark(&words).lines().map(str::to_owned).collect()
    }

    /// How many frames each of the filters matches, in one pass.
    #[track_caller]
    pub(crate) fn counts(&self, filters: &[String]) -> Vec<usize> {
        assert!(filters.iter().all(|filter| !filter.contains(',')), "a comma ends a filter");
        let table = self.tshark(&["-q", "-z", &format!("io,stat,0,{}", filters.join(","))]);
        // | 0.000 <> 0.003 | frames | bytes | frames | bytes | ...
        let row = table.lines().find(|line| line.contains("<>")).unwrap_or_else(|| panic!("no row: {table}"));
        let columns = row.split('|').skip(2).step_by(2);
        let counts: Vec<usize> = columns.filter_map(|column| column.trim().parse().ok()).collect();
        assert_eq!(counts.len(), filters.len(), "{table}");
        counts
    }

    /// At least one frame matches each of the filters.
    #[track_caller]
    pub(crate) fn has(&self, filters: &[&str]) {
        let filters: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        for (filter, count) in filters.iter().zip(self.counts(&filters)) {
            assert!(count > 0, "no frame: {filter}\n{}", self.listing());
        }
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
        self.has(&["frame"]);
    }

    /// One line a frame.
    pub(crate) fn listing(&self) -> String {
        self.fields("", &["frame.number", "ip.src", "_ws.col.Info"]).join("\n")
    }

    #[track_caller]
    fn tshark(&self, words: &[&str]) -> String {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r", &self.path]);
        for checksum in ["ip", "tcp", "udp"] {
            command.args(["-o", &format!("{checksum}.check_checksum:TRUE")]);
        }
        let ran = Ran::of(command.args(words)).exits(0);
        assert!(!ran.err.contains("cut short"), "{}", ran.err);
        ran.out
    }
}
