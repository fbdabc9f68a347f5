//! Plays a scenario: our resolver with a client before it and the scenario behind it, under a clock that
//! moves only when the scenario says so.

use crate::compare::difference;
use crate::scenario::{Action, Entry, Scenario, Step};
use crate::settings::Settings;
use crate::stage::{Stage, broken};
use glasstack_dns::server::serve_with;
use glasstack_dns::{Message, NoAnswer, Recursor};
use glasstack_journal::WallTime;
use glasstack_journal::event::{MacAddress, Transport};
use glasstack_sim::{Cable, SimWorld};
use glasstack_stack::{Host, HostConfig};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After so many things it is taken for granted that it will never end; as testbound does.
const MOST_ROUNDS: usize = 5_000;

/// How a scenario went.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// The first difference, and what led to it.
    Failed {
        why: String,
        story: Vec<String>,
    },
    /// It needs something that we do not have.
    Declined(String),
}

/// Plays the scenario that `text` holds.
pub(crate) fn play(text: &str) -> Outcome {
    let scenario = match Scenario::parse(text) {
        Ok(scenario) => Arc::new(scenario),
        Err(why) => return Outcome::Declined(why),
    };
    let settings = match Settings::of(&scenario) {
        Ok(settings) => settings,
        Err(why) => return Outcome::Declined(why),
    };
    let mut player = Player::new(scenario, settings);
    match player.run() {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed { why, story: player.stage.told() },
    }
}

struct Player {
    world: SimWorld,
    client: Host,
    server: SocketAddr,
    stage: Stage,
    /// What clients were answered and no step has looked at yet.
    answers: Arc<Mutex<Vec<(Message, Transport)>>>,
    _serving: glasstack_dns::NameServer,
}

impl Player {
    fn new(scenario: Arc<Scenario>, settings: Settings) -> Self {
        let mut world = match settings.clock {
            Some(seconds) => SimWorld::builder(1).epoch(WallTime::from_unix_seconds(seconds)).build(),
            None => SimWorld::new(1),
        };
        let mut host = |name: &str, last: u8| {
            let mac = MacAddress([2, 0, 0, 0, 0, last]);
            let config = HostConfig::new(name, mac, [192, 0, 2, last].into(), 24, None).unwrap();
            world.add_host(config).unwrap()
        };
        let (client, resolver) = (host("client", 1), host("resolver", 2));
        world.connect(&client, &resolver, Cable::new().latency(Duration::ZERO)).unwrap();
        let stage = Stage::new(scenario);
        let recursor = Recursor::with_upstream(
            resolver.clone(),
            settings.hints,
            settings.config,
            Arc::new(stage.clone()),
        );
        let server = SocketAddr::new(resolver.address(), 53);
        let serving = serve_with(&resolver, server, Arc::new(recursor), settings.options).unwrap();
        Self { world, client, server, stage, answers: Arc::default(), _serving: serving }
    }

    /// What testbound does, in its order: a query that the step wants, an answer that the step checks,
    /// an answer from the ranges; and only if there is none of these, the step itself.
    fn run(&mut self) -> Result<(), String> {
        for _ in 0..MOST_ROUNDS {
            self.settle(Duration::ZERO)?;
            let Some(step) = self.stage.now() else { return self.nothing_is_left() };
            if self.stage.check_out_query() {
                continue;
            }
            match &step.action {
                Action::CheckAnswer(entry) if !self.answers().is_empty() => {
                    self.check_answer(&step, entry)?;
                    self.stage.advance();
                }
                _ if self.stage.answer_from_ranges() => {}
                _ => self.act(&step)?,
            }
        }
        Err(format!("it does not end within {MOST_ROUNDS} rounds"))
    }

    fn act(&mut self, step: &Step) -> Result<(), String> {
        let at = |why: String| format!("step {} (line {}): {why}", step.number, step.line);
        self.stage.tell(format!("step {}", step.number));
        // The next step is already the one that looks at what this one causes.
        match &step.action {
            Action::CheckAnswer(_) => return Err(at(self.no_answer("the client has no answer"))),
            Action::CheckOutQuery(entry) => {
                let wanted = entry.message.question.as_ref().map(ToString::to_string).unwrap_or_default();
                return Err(at(self.no_answer(&format!("nobody was asked for {wanted}"))));
            }
            _ => self.stage.advance(),
        }
        match &step.action {
            Action::Query(entry) => self.query(entry),
            Action::Reply(entry) => self.stage.reply(entry).map_err(at),
            Action::Timeout => self.stage.fail(NoAnswer::TimedOut { ignored: None }).map_err(at),
            Action::Error => self.stage.fail(broken()).map_err(at),
            Action::TimePasses(time) => self.settle(*time),
            Action::Nothing | Action::Traffic | Action::CheckAnswer(_) | Action::CheckOutQuery(_) => Ok(()),
        }
    }

    fn settle(&mut self, time: Duration) -> Result<(), String> {
        self.world.run_for(time).map_err(|error| error.to_string())
    }

    /// A client asks, over a socket of its own.
    fn query(&mut self, entry: &Entry) -> Result<(), String> {
        let bytes = entry.message.to_bytes().map_err(|error| error.to_string())?;
        let socket = self.client.udp(SocketAddr::new(self.client.address(), 0)).unwrap();
        let (server, answers, stage) = (self.server, Arc::clone(&self.answers), self.stage.clone());
        self.client.spawn(async move {
            socket.send_to(&bytes, server).await.unwrap();
            let mut buffer = vec![0; 65_535];
            let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
            match Message::parse(&buffer[..length]) {
                Ok(message) => {
                    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                    answers.push((message, Transport::Udp));
                }
                Err(error) => stage.tell(format!("the client cannot read the answer: {error}")),
            }
        });
        Ok(())
    }

    fn check_answer(&self, step: &Step, entry: &Entry) -> Result<(), String> {
        let mut answers = self.answers();
        let mut why = None;
        for at in 0..answers.len() {
            let (message, transport) = &answers[at];
            match difference(entry, message, *transport) {
                None => {
                    answers.remove(at);
                    self.stage.tell(format!("step {}: the answer is right", step.number));
                    return Ok(());
                }
                Some(difference) => why = why.or(Some(difference)),
            }
        }
        let why = why.unwrap_or_default();
        Err(format!("step {} (line {}): the answer differs: {why}", step.number, step.line))
    }

    /// What testbound checks at the end.
    fn nothing_is_left(&self) -> Result<(), String> {
        let pending = self.stage.pending();
        if !pending.is_empty() {
            return Err(format!("at the end queries still wait: {}", pending.join("; ")));
        }
        match self.answers().as_slice() {
            [] => Ok(()),
            answers => Err(format!("at the end {} answers were not looked at", answers.len())),
        }
    }

    fn no_answer(&self, what: &str) -> String {
        let pending = self.stage.pending();
        if pending.is_empty() {
            return format!("{what}, and no query waits");
        }
        format!("{what}; still waiting: {}", pending.join("; "))
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<(Message, Transport)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
