//! The world that a scenario plays in, seen from the resolver: queries go out to it and wait there until
//! the scenario answers them (unbound's `testcode/fake_event.c`).

use crate::compare::{difference, find};
use crate::scenario::{Action, Entry, Scenario, Step};
use futures_channel::oneshot;
use futures_util::future::BoxFuture;
use glasstack_dns::error::NetworkError;
use glasstack_dns::upstream::Mismatch;
use glasstack_dns::{Message, NoAnswer, Query, Upstream};
use glasstack_journal::event::Transport;
use glasstack_stack::Host;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where queries wait for the scenario.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<Inner>>);

struct Inner {
    scenario: Arc<Scenario>,
    /// The step that comes next.
    now: usize,
    /// Queries without an answer, the one sent last at the end.
    pending: Vec<Pending>,
    sent: u64,
    /// What happened, a line each, for whoever looks for a mistake.
    told: Vec<String>,
}

struct Pending {
    number: u64,
    server: SocketAddr,
    transport: Transport,
    message: Message,
    answer: oneshot::Sender<Result<Message, NoAnswer>>,
}

/// Nobody waits for the answer any more.
struct GivenUp<'a> {
    stage: &'a Stage,
    number: u64,
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        self.stage.inner().pending.retain(|pending| pending.number != self.number);
    }
}

impl Upstream for Stage {
    fn exchange<'a>(&'a self, _: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        let (number, answer) = self.inner().send(query);
        let given_up = GivenUp { stage: self, number };
        Box::pin(async move {
            let _given_up = given_up;
            answer.await.unwrap_or(Err(NoAnswer::TimedOut { ignored: None }))
        })
    }
}

impl Stage {
    pub(crate) fn new(scenario: Arc<Scenario>) -> Self {
        Self(Arc::new(Mutex::new(Inner { scenario, now: 0, pending: Vec::new(), sent: 0, told: Vec::new() })))
    }

    /// The step that comes next; none: the scenario is over.
    pub(crate) fn now(&self) -> Option<Step> {
        self.inner().step().cloned()
    }

    /// The step that came next is done.
    pub(crate) fn advance(&self) {
        self.inner().now += 1;
    }

    pub(crate) fn tell(&self, line: String) {
        self.inner().told.push(line);
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.inner().told.clone()
    }

    /// What is still without an answer.
    pub(crate) fn pending(&self) -> Vec<String> {
        self.inner().pending.iter().map(Pending::describe).collect()
    }

    /// Whether a query that waits is the one that the next step wants; if so, it is done.
    pub(crate) fn check_out_query(&self) -> bool {
        let mut inner = self.inner();
        let Some(Step { action: Action::CheckOutQuery(entry), address, .. }) = inner.step().cloned() else {
            return false;
        };
        let wanted = |pending: &Pending| pending.fits(&entry, address);
        let Some(at) = inner.pending.iter().rposition(wanted) else { return false };
        inner.now += 1;
        if entry.copy_id {
            inner.answer(at, &entry);
        }
        true
    }

    /// Answers one query that waits as the ranges say, if they do for any.
    pub(crate) fn answer_from_ranges(&self) -> bool {
        let mut inner = self.inner();
        let Some(step) = inner.step().map(|step| step.number) else { return false };
        let scenario = Arc::clone(&inner.scenario);
        let found = inner.pending.iter().enumerate().rev().find_map(|(at, pending)| {
            let of_server = |range: &&crate::scenario::Range| range.covers(step, pending.server.ip());
            let ranges = scenario.ranges.iter().filter(of_server);
            let mut entries =
                ranges.filter_map(|range| find(&range.entries, &pending.message, pending.transport));
            entries.next().map(|entry| (at, entry))
        });
        if let Some((at, entry)) = found {
            inner.answer(at, entry);
        }
        found.is_some()
    }

    /// Answers the query that was sent last.
    pub(crate) fn reply(&self, entry: &Entry) -> Result<(), String> {
        let mut inner = self.inner();
        let last = inner.pending.len().checked_sub(1).ok_or("no query waits for this answer")?;
        inner.answer(last, entry);
        Ok(())
    }

    /// Fails the query that was sent last.
    pub(crate) fn fail(&self, why: NoAnswer) -> Result<(), String> {
        let mut inner = self.inner();
        let pending = inner.pending.pop().ok_or("no query waits for an answer")?;
        inner.told.push(format!("{}: {why}", pending.describe()));
        // Whoever has given up meanwhile is not interested.
        let _ = pending.answer.send(Err(why));
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn step(&self) -> Option<&Step> {
        self.scenario.steps.get(self.now)
    }

    fn send(&mut self, query: &Query) -> (u64, oneshot::Receiver<Result<Message, NoAnswer>>) {
        let (answer, receiver) = oneshot::channel();
        let message = Message {
            recursion_desired: query.recursion_desired,
            checking_disabled: query.checking_disabled,
            ..Message::query(0, query.question.clone(), query.edns.clone())
        };
        self.sent += 1;
        let pending =
            Pending { number: self.sent, server: query.server, transport: query.transport, message, answer };
        self.told.push(format!("asked {}: {}", pending.describe(), query.why));
        if let Some(Step { action: Action::CheckOutQuery(entry), address, .. }) = self.step()
            && pending.fits(entry, *address)
        {
            self.now += 1;
        }
        self.pending.push(pending);
        (self.sent, receiver)
    }

    fn answer(&mut self, at: usize, entry: &Entry) {
        let pending = self.pending.remove(at);
        let question = if entry.copy_query { &pending.message.question } else { &entry.message.question };
        let message = Message { id: 0, question: question.clone(), ..entry.message.clone() };
        self.told.push(format!("{} is answered as line {} says", pending.describe(), entry.line));
        // RFC 5452 9.1: what does not answer the question is as if it had never come; nothing else will.
        let answers = message.is_response
            && message
                .question
                .as_ref()
                .is_none_or(|question| pending.message.question.as_ref() == Some(question));
        let shown =
            |message: &Message| message.question.as_ref().map(ToString::to_string).unwrap_or_default();
        let answer = if answers {
            Ok(message)
        } else {
            let mismatch = Mismatch::Question(shown(&message), shown(&pending.message));
            Err(NoAnswer::TimedOut { ignored: Some(mismatch) })
        };
        // Whoever has given up meanwhile is not interested.
        let _ = pending.answer.send(answer);
    }
}

impl Pending {
    fn fits(&self, entry: &Entry, address: Option<IpAddr>) -> bool {
        address.is_none_or(|address| address == self.server.ip())
            && difference(entry, &self.message, self.transport).is_none()
    }

    fn describe(&self) -> String {
        let question = self.message.question.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{question} of {} over {}", self.server.ip(), self.transport)
    }
}

/// The connection to the server broke.
pub(crate) fn broken() -> NoAnswer {
    NoAnswer::Network(NetworkError::Broken("the scenario says so".to_owned()))
}
