//! Questions that could not be answered a moment ago are not tried again at once (RFC 9520).

use crate::message::Question;
use crate::name::DnsName;
use crate::record::RecordType;
use glasstack_journal::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the first failure is remembered; a second at least (RFC 9520 3.2).
const FIRST: Duration = Duration::from_secs(1);
/// "Resolvers MUST NOT cache a resolution failure for longer than 5 minutes" (RFC 9520 3.2).
const LONGEST: Duration = Duration::from_secs(300);
/// A failure is forgotten so long after its end: the next one is a first one again.
const FORGOTTEN: Duration = Duration::from_secs(300);
/// How many are remembered.
const CAPACITY: usize = 1_000;

/// A question that could not be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why not, in words.
    pub why: String,
    /// How often in a row it has failed.
    pub times: u32,
    /// Until when it is not tried again.
    pub until: Instant,
    /// Whether there may be an answer that is bogus, as was found here or by who was asked: who wants it unchecked
    /// may have it.
    pub bogus: bool,
}

/// Those that are remembered.
#[derive(Debug, Default)]
pub(super) struct Failures {
    failed: BTreeMap<(DnsName, RecordType), Failure>,
}

impl Failures {
    /// It has failed: each time in a row it is left alone twice as long (RFC 9520 3.2: "SHOULD employ an exponential
    /// or linear backoff algorithm").
    pub(super) fn put(&mut self, question: &Question, why: &str, bogus: bool, now: Instant) -> &Failure {
        let key = (question.name.clone(), question.record_type);
        if !self.failed.contains_key(&key) {
            self.make_room(now);
        }
        let none = Failure { why: String::new(), times: 0, until: now, bogus };
        let failure = self.failed.entry(key).or_insert(none);
        let again = now <= failure.until + FORGOTTEN;
        failure.times = if again { failure.times.saturating_add(1) } else { 1 };
        let doubled = FIRST.saturating_mul(1 << failure.times.saturating_sub(1).min(16));
        failure.until = now + doubled.min(LONGEST);
        failure.bogus = bogus;
        why.clone_into(&mut failure.why);
        failure
    }

    /// Whether it has failed and is not to be tried yet.
    pub(super) fn get(&self, question: &Question, now: Instant) -> Option<&Failure> {
        let failure = self.failed.get(&(question.name.clone(), question.record_type))?;
        (failure.until > now).then_some(failure)
    }

    /// It has been answered.
    pub(super) fn forget(&mut self, name: &DnsName, record_type: RecordType) {
        if !self.failed.is_empty() {
            self.failed.remove(&(name.clone(), record_type));
        }
    }

    pub(super) fn clear(&mut self) {
        self.failed.clear();
    }

    fn make_room(&mut self, now: Instant) {
        if self.failed.len() < CAPACITY {
            return;
        }
        self.failed.retain(|_, failure| failure.until + FORGOTTEN > now);
        while self.failed.len() >= CAPACITY {
            let soonest = self.failed.iter().min_by_key(|(_, failure)| failure.until);
            let Some(key) = soonest.map(|(key, _)| key.clone()) else { return };
            self.failed.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str) -> Question {
        Question::new(DnsName::parse(name).unwrap(), RecordType::A)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn each_failure_in_a_row_is_remembered_twice_as_long_and_five_minutes_at_most() {
        let mut failures = Failures::default();
        let mut now = at(0);
        let mut waited = Vec::new();
        for _ in 0..11 {
            let until = failures.put(&question("x.test"), "nobody answers", false, now).until;
            waited.push((until - now).as_secs());
            assert!(failures.get(&question("x.test"), now).is_some());
            assert!(failures.get(&question("x.test"), until).is_none());
            now = until;
        }
        assert_eq!(waited, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        let later = now + FORGOTTEN + Duration::from_secs(1);
        assert_eq!(failures.put(&question("x.test"), "again", false, later).times, 1);
    }

    #[test]
    fn an_answer_ends_the_row() {
        let mut failures = Failures::default();
        failures.put(&question("x.test"), "nobody answers", false, at(0));
        let x = question("x.test");
        failures.forget(&x.name, x.record_type);
        assert!(failures.get(&x, at(0)).is_none());
        assert_eq!(failures.put(&x, "again", false, at(0)).times, 1);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut failures = Failures::default();
        for n in 0..1_500_u64 {
            failures.put(&question(&format!("n{n}.test")), "nobody answers", false, at(n / 100));
        }
        assert_eq!(failures.failed.len(), CAPACITY);
    }
}
