//! Who is behind which MAC address, and the packets that wait to know (RFC 826, RFC 1122 2.3.2).

use crate::node::WireFrame;
use glasstack_journal::Instant;
use glasstack_journal::event::MacAddress;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long an entry is good without being confirmed (RFC 1122 2.3.2.1: on the order of a minute).
const AGEING: Duration = Duration::from_secs(60);
/// How long an answer may take (RFC 1122 2.3.2.1: no more than one request a second).
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How often is asked before those who wait are given up.
const ATTEMPTS: u8 = 3;
/// How many packets may wait for one address.
const QUEUE: usize = 64;

/// Somebody on the network of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NextHop {
    pub(super) port: usize,
    pub(super) address: Ipv4Addr,
}

/// What became of a frame that has to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Enqueued {
    /// It is the first: somebody has to ask.
    First,
    /// The question is out already.
    Waits,
    /// Too many wait.
    Full,
}

/// What a question's timeout asks for.
pub(super) enum Due {
    /// To be asked again.
    Ask { to: NextHop, attempt: u8 },
    /// Nobody answers.
    Failed { to: NextHop, attempts: u8, waiting: Vec<WireFrame> },
}

#[derive(Default)]
pub(super) struct Neighbours {
    entries: BTreeMap<NextHop, Entry>,
    questions: BTreeMap<NextHop, Question>,
}

struct Entry {
    mac: MacAddress,
    confirmed: Instant,
}

struct Question {
    attempts: u8,
    answer_by: Instant,
    waiting: Vec<WireFrame>,
}

impl Neighbours {
    pub(super) fn lookup(&self, next_hop: NextHop, now: Instant) -> Option<MacAddress> {
        let fresh = |entry: &&Entry| now.since(entry.confirmed) <= AGEING;
        self.entries.get(&next_hop).filter(fresh).map(|entry| entry.mac)
    }

    /// Whether this one is or was known, or is asked for.
    pub(super) fn knows(&self, next_hop: NextHop) -> bool {
        self.entries.contains_key(&next_hop) || self.questions.contains_key(&next_hop)
    }

    pub(super) fn enqueue(&mut self, to: NextHop, frame: WireFrame, now: Instant) -> Enqueued {
        if let Some(question) = self.questions.get_mut(&to) {
            if question.waiting.len() >= QUEUE {
                return Enqueued::Full;
            }
            question.waiting.push(frame);
            return Enqueued::Waits;
        }
        let question = Question { attempts: 1, answer_by: now + ANSWER_WITHIN, waiting: vec![frame] };
        self.questions.insert(to, question);
        Enqueued::First
    }

    /// Takes in what a neighbour says of itself: what was believed before, and the frames that waited,
    /// addressed.
    pub(super) fn learn(
        &mut self,
        neighbour: NextHop,
        mac: MacAddress,
        now: Instant,
    ) -> (Option<MacAddress>, Vec<WireFrame>) {
        let before = self.entries.insert(neighbour, Entry { mac, confirmed: now }).map(|entry| entry.mac);
        let mut waiting = self.questions.remove(&neighbour).map_or(Vec::new(), |question| question.waiting);
        for frame in &mut waiting {
            if let Some(destination) = frame.bytes.get_mut(..6) {
                destination.copy_from_slice(&mac.0);
            }
        }
        (before, waiting)
    }

    pub(super) fn due(&mut self, now: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        let late = |question: &Question| question.answer_by <= now;
        let failed = |question: &Question| late(question) && question.attempts >= ATTEMPTS;
        for (to, question) in self.questions.extract_if(.., |_, question| failed(question)) {
            due.push(Due::Failed { to, attempts: question.attempts, waiting: question.waiting });
        }
        for (to, question) in self.questions.iter_mut().filter(|(_, question)| late(question)) {
            question.attempts += 1;
            question.answer_by = now + ANSWER_WITHIN;
            due.push(Due::Ask { to: *to, attempt: question.attempts });
        }
        due
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.questions.values().map(|question| question.answer_by).min()
    }
}
