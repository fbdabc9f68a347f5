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
/// How many addresses may be asked for at once.
const QUESTIONS: usize = 512;
/// How many neighbours are remembered; then those that have aged are forgotten, or else the one that was
/// confirmed longest ago.
const NEIGHBOURS: usize = 4_096;

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
        if self.questions.len() >= QUESTIONS {
            return Enqueued::Full;
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
        if self.entries.len() >= NEIGHBOURS && !self.entries.contains_key(&neighbour) {
            self.make_room(now);
        }
        let before = self.entries.insert(neighbour, Entry { mac, confirmed: now }).map(|entry| entry.mac);
        let mut waiting = self.questions.remove(&neighbour).map_or(Vec::new(), |question| question.waiting);
        for frame in &mut waiting {
            if let Some(destination) = frame.bytes.get_mut(..6) {
                destination.copy_from_slice(&mac.0);
            }
        }
        (before, waiting)
    }

    fn make_room(&mut self, now: Instant) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.confirmed).map(|(hop, _)| *hop);
        self.entries.retain(|hop, entry| now.since(entry.confirmed) <= AGEING && Some(*hop) != oldest);
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

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::event::FrameId;

    fn hop(n: usize) -> NextHop {
        NextHop { port: 0, address: Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(n).unwrap()) }
    }

    fn frame() -> WireFrame {
        WireFrame { id: FrameId(1), bytes: vec![0; 60] }
    }

    #[test]
    fn so_many_wait_for_one_and_so_many_are_asked_for_and_no_more() {
        let mut neighbours = Neighbours::default();
        let mut ask = |n| neighbours.enqueue(hop(n), frame(), Instant::ZERO);
        assert_eq!(ask(0), Enqueued::First);
        assert!((1..QUEUE).all(|_| ask(0) == Enqueued::Waits));
        assert_eq!(ask(0), Enqueued::Full);
        assert!((1..QUESTIONS).all(|n| ask(n) == Enqueued::First));
        assert_eq!(ask(QUESTIONS), Enqueued::Full);
    }

    #[test]
    fn whoever_has_aged_makes_room() {
        let mut neighbours = Neighbours::default();
        for n in 0..NEIGHBOURS {
            neighbours.learn(hop(n), MacAddress([2; 6]), Instant::ZERO);
        }
        neighbours.learn(hop(NEIGHBOURS), MacAddress([2; 6]), Instant::ZERO + AGEING * 2);
        assert_eq!(neighbours.entries.len(), 1);
    }

    #[test]
    fn a_flood_of_neighbours_pushes_out_the_oldest_and_no_more() {
        let mut neighbours = Neighbours::default();
        let now = Instant::from_millis(1);
        neighbours.learn(hop(0), MacAddress([2; 6]), Instant::ZERO);
        for n in 1..NEIGHBOURS + 10 {
            neighbours.learn(hop(n), MacAddress([2; 6]), now);
        }
        neighbours.learn(hop(NEIGHBOURS), MacAddress([4; 6]), now);
        assert_eq!(neighbours.entries.len(), NEIGHBOURS);
        assert_eq!(neighbours.lookup(hop(0), now), None);
        assert_eq!(neighbours.lookup(hop(NEIGHBOURS), now), Some(MacAddress([4; 6])));
    }
}
