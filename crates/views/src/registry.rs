//! The views by name: a new one is a file beside this and a row here.

use crate::ladder::{Ladder, LadderOptions};
use crate::{JsonLines, Level, Narration, PcapngCapture, Points, Summary};
use glasstack_journal::Observer;
use std::io::Write;

/// A view that can be attached to a journal.
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in one line.
    pub shows: &'static str,
    /// Makes one with its usual options, writing to what it is given.
    pub make: fn(Box<dyn Write + Send>) -> Box<dyn Observer>,
}

/// All views.
pub static VIEWS: &[View] = &[
    View {
        name: "narration",
        shows: "one line an event of interest, as it happens",
        make: |writer| Box::new(Narration::new(writer, Level::Normal)),
    },
    View {
        name: "ladder",
        shows: "who sent what to whom, one rung a frame",
        make: |writer| Box::new(Ladder::new(writer, LadderOptions::default())),
    },
    View {
        name: "pcapng",
        shows: "a capture for Wireshark: every packet with its reason, names and TLS secrets inside",
        make: |writer| Box::new(PcapngCapture::new(writer, Points::default())),
    },
    View {
        name: "jsonl",
        shows: "the records themselves, one JSON object a line",
        make: |writer| Box::new(JsonLines::new(writer)),
    },
    View {
        name: "summary",
        shows: "one line a stage at the end, with times taken from the packets",
        make: |writer| Box::new(Summary::new(writer)),
    },
];

/// The view called `name`.
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{EPOCH, Sink, Story};

    #[test]
    fn every_view_shows_a_journey_and_ends_well() {
        let records = Story::journey().records();
        for view in VIEWS {
            let sink = Sink::default();
            let mut observer = (view.make)(sink.writer());
            observer.begin(EPOCH);
            records.iter().for_each(|record| observer.observe(record));
            observer.finish().unwrap();
            assert!(!sink.bytes().is_empty(), "{} showed nothing", view.name);
        }
    }

    #[test]
    fn a_view_is_found_by_its_name_alone() {
        for found in VIEWS {
            assert!(view(found.name).is_some_and(|view| std::ptr::eq(view, found)));
        }
        assert!(view("crystal ball").is_none());
    }
}
