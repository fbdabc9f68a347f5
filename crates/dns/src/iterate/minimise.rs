//! How much of the name the next server is told (RFC 9156).

use super::options::Minimisation;
use crate::message::Question;
use crate::name::DnsName;
use crate::record::RecordType;

/// So many labels are added one by one; then more at a time (RFC 9156 2.3: MINIMISE_ONE_LAB).
const ONE_LABEL: u32 = 4;
/// So often is a label added, and then all of them (RFC 9156 2.3: MAX_MINIMISE_COUNT).
const MOST: u32 = 10;
/// After so many time-outs all of the name is told: some servers drop what they do not expect.
const TIMEOUTS: u32 = 3;
/// Labels of a name below ip6.arpa that belong together: no registry delegates less (RFC 9156 2.3's example).
const NIBBLES: usize = 8;

/// The state of one question.
#[derive(Clone, Debug)]
pub(super) struct Minimise {
    question: Question,
    mode: Minimisation,
    /// How many labels have been told.
    told: usize,
    count: u32,
    timeouts: u32,
    stopped: bool,
}

impl Minimise {
    pub(super) fn new(question: &Question, mode: Minimisation) -> Self {
        let stopped =
            mode == Minimisation::Off || question.record_type == RecordType::Any && question.name.is_root();
        Self { question: question.clone(), mode, told: 0, count: 0, timeouts: 0, stopped }
    }

    /// What a server of `zone` is asked next.
    pub(super) fn next(&mut self, zone: &DnsName) -> Question {
        let all = self.question.name.label_count();
        let told = self.told.max(zone.label_count());
        if self.stopped || told >= all || self.count >= MOST {
            self.stopped = true;
            return self.question.clone();
        }
        let mut shown = (told + self.step(all - told)).min(all);
        // RFC 9156 2.3: labels that begin with an underscore are hardly ever delegated.
        while shown < all && self.name_of(shown).as_str().starts_with('_') {
            shown += 1;
        }
        self.count += 1;
        self.told = shown;
        // RFC 9156 2.1: A is the type that hides best; where it is what is wanted there is nothing left to hide.
        if shown == all && matches!(self.question.record_type, RecordType::A | RecordType::Ds) {
            self.stopped = true;
            return self.question.clone();
        }
        Question { name: self.name_of(shown), record_type: RecordType::A, class: self.question.class }
    }

    /// Whether it is less than the question itself.
    pub(super) fn is_minimised(&self, question: &Question) -> bool {
        *question != self.question
    }

    /// All of the name is told from now on.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Begins, even where it is off: the zones on the way have to be found.
    pub(super) fn force(&mut self) {
        self.stopped = false;
    }

    /// Whether what a server does not like is a reason to tell it more.
    pub(super) fn gives_way(&self) -> bool {
        self.mode != Minimisation::Strict
    }

    /// A server did not answer a minimised question; whether all is told from now on.
    pub(super) fn timed_out(&mut self) -> bool {
        self.timeouts += 1;
        if self.gives_way() && self.timeouts >= TIMEOUTS {
            self.stopped = true;
        }
        self.stopped
    }

    fn step(&self, left: usize) -> usize {
        let reverse = self.question.name.as_str().ends_with("ip6.arpa");
        if reverse && self.told >= 2 {
            NIBBLES
        } else if self.count < ONE_LABEL {
            1
        } else {
            left.div_ceil(usize::try_from(MOST - self.count).unwrap_or(1))
        }
    }

    /// The name's last `labels` labels.
    fn name_of(&self, labels: usize) -> DnsName {
        let mut name = self.question.name.clone();
        while name.label_count() > labels {
            let Some(parent) = name.parent() else { break };
            name = parent;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    /// What the servers of one zone are asked that never refer further.
    fn asked(text: &str, record_type: RecordType, zone: &str) -> Vec<String> {
        let question = Question::new(name(text), record_type);
        let mut minimise = Minimise::new(&question, Minimisation::Relaxed);
        let mut asked = Vec::new();
        loop {
            let next = minimise.next(&name(zone));
            asked.push(next.to_string());
            if !minimise.is_minimised(&next) {
                return asked;
            }
        }
    }

    #[test]
    fn one_label_more_than_the_zone_has_is_told() {
        assert_eq!(
            asked("www.example.test", RecordType::A, "."),
            ["test A", "example.test A", "www.example.test A"]
        );
        assert_eq!(asked("www.example.test", RecordType::A, "example.test"), ["www.example.test A"]);
        let mail = ["example.test A", "example.test MX"];
        assert_eq!(asked("example.test", RecordType::Mx, "test"), mail);
    }

    #[test]
    fn a_name_of_many_labels_takes_ten_questions_and_one() {
        let long = "a.".repeat(60) + "test";
        assert_eq!(asked(&long, RecordType::Mx, ".").len(), 11);
        let reverse = DnsName::reverse("2001:db8::1".parse().unwrap()).to_string();
        assert!(
            asked(&reverse, RecordType::Ptr, ".").len() <= 8,
            "{:?}",
            asked(&reverse, RecordType::Ptr, ".")
        );
    }

    #[test]
    fn labels_with_an_underscore_are_told_with_the_next() {
        let srv = asked("_sip._tcp.example.test", RecordType::Srv, "test");
        assert_eq!(srv, ["example.test A", "_sip._tcp.example.test A", "_sip._tcp.example.test SRV"]);
    }
}
