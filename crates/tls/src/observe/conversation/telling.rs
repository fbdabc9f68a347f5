//! Where it is told, and what is counted up for the end.

use glasstack_journal::Scope;
use glasstack_journal::event::{RecordRange, Tls};

/// How much is kept while it is not known where to tell it: a ClientHello, and what may stand before.
const KEPT: usize = 64;
/// How many runs of records are told apart. There is a new one with every KeyUpdate.
const RANGES: usize = 256;

/// Tells events, and counts records.
#[derive(Default)]
pub(super) struct Telling {
    scope: Option<Scope>,
    kept: Vec<Tls>,
    told: usize,
    ranges: Vec<RecordRange>,
    unread: u64,
    finished: bool,
}

impl Telling {
    /// From now on in `scope`, beginning with what was kept.
    pub(super) fn begin(&mut self, scope: Scope) {
        for event in std::mem::take(&mut self.kept) {
            scope.record(|| event);
        }
        self.scope = Some(scope);
    }

    pub(super) fn tell(&mut self, event: Tls) {
        self.told += 1;
        match &self.scope {
            Some(scope) => scope.record(|| event),
            None if self.kept.len() < KEPT => self.kept.push(event),
            None => {}
        }
    }

    pub(super) fn told(&self) -> usize {
        self.told
    }

    /// A record that was read.
    pub(super) fn count(&mut self, one: RecordRange) {
        let continues = |range: &RecordRange| {
            (range.from, range.under, range.generation) == (one.from, one.under, one.generation)
                && range.last.checked_add(1) == Some(one.first)
        };
        let full = self.ranges.len() >= RANGES;
        match self.ranges.iter_mut().rev().find(|range| continues(range)) {
            Some(range) => {
                range.last = one.last;
                range.bytes += one.bytes;
                range.data_records += one.data_records;
                range.data_bytes += one.data_bytes;
            }
            None if full => self.unread += 1,
            None => self.ranges.push(one),
        }
    }

    /// A record that could not be opened.
    pub(super) fn unread(&mut self) {
        self.unread += 1;
    }

    /// Tells what was counted, and `more` records that could not be opened, once.
    pub(super) fn finish(&mut self, more: u64) {
        let before = std::mem::replace(&mut self.finished, true);
        if !before && (!self.ranges.is_empty() || more > 0) {
            let (mut ranges, unread) = (std::mem::take(&mut self.ranges), self.unread + more);
            ranges.sort_by_key(|range| (range.from, range.first));
            self.tell(Tls::RecordsCounted { ranges, unread });
        }
    }
}
