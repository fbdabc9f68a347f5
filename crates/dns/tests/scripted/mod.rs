//! A recursive resolver among servers that say what a few lines of text let them say.
//!
//! ```text
//!   10.0.0.1  *.test              : | test. NS a.nic.test. | a.nic.test. A 10.0.0.2
//!   10.0.0.2  www.example.test A  AA : www.example.test. A 192.0.2.80 ; www.example.test. A 192.0.2.81
//!   10.0.0.3  *                   silent
//! ```
//!
//! A line is a server, a name (`*.test`: test and all below it; `*`: any), a type or none for any, flags and
//! a response code, and behind the colon the answer, authority and additional sections. The first line that
//! fits counts; where none does, the server refuses.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part; what is in the way of a test shall stop it"
)]

#[path = "../replay/packet.rs"]
mod packet;

use futures_util::future::BoxFuture;
use glasstack_dns::{
    Asked, Authority, DnsName, Message, NoAnswer, Query, Question, RecordType, Recursor, RecursorConfig,
    Reply, ResponseCode, RootHints, Upstream,
};
use glasstack_journal::event::{MacAddress, Transport};
use glasstack_sim::SimWorld;
use glasstack_stack::{Host, HostConfig, World};
use packet::{Packet, Section};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long an answer takes, there and back.
pub const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Servers, and what they were asked.
#[derive(Clone, Default)]
pub struct Script(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    lines: Vec<Line>,
    asked: Vec<String>,
}

#[derive(Clone)]
struct Line {
    server: IpAddr,
    name: DnsName,
    below: bool,
    record_type: Option<RecordType>,
    /// None: silence.
    response: Option<Message>,
}

impl Script {
    pub fn new(text: &str) -> Self {
        let script = Self::default();
        script.say(text);
        script
    }

    /// From now on the servers say this instead.
    pub fn say(&self, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        self.0.lock().unwrap().lines = lines.map(Line::parse).collect();
    }

    /// What was asked since this was last asked: `SERVER NAME TYPE`.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn response(&self, query: &Query) -> Option<Message> {
        let mut inner = self.0.lock().unwrap();
        let tcp = if query.transport == Transport::Tcp { " over TCP" } else { "" };
        inner.asked.push(format!("{} {}{tcp}", query.server.ip(), query.question));
        let asked = Message::query(0, query.question.clone(), query.edns.clone());
        match inner.lines.iter().find(|line| line.fits(query)) {
            Some(line) => {
                let said = line.response.clone()?;
                Some(Message {
                    question: asked.question.clone(),
                    edns: asked.response(said.code).edns,
                    ..said
                })
            }
            None => Some(asked.response(ResponseCode::Refused)),
        }
    }
}

impl Upstream for Script {
    fn exchange<'a>(&'a self, host: &'a Host, query: &'a Query) -> BoxFuture<'a, Result<Message, NoAnswer>> {
        let response = self.response(query);
        Box::pin(async move {
            match response {
                Some(response) if query.timeout >= ROUND_TRIP => {
                    host.sleep(ROUND_TRIP).await;
                    Ok(response)
                }
                _ => {
                    host.sleep(query.timeout).await;
                    Err(NoAnswer::TimedOut { ignored: None })
                }
            }
        })
    }
}

impl Line {
    fn parse(line: &str) -> Self {
        let (head, sections) = line.split_once(" :").unwrap_or((line, ""));
        let mut words = head.split_whitespace().peekable();
        let server = words.next().unwrap();
        let server = server.parse().unwrap_or_else(|_| panic!("{server:?} in {line:?} is no address"));
        let name = words.next().unwrap();
        let (below, name) = match name.strip_prefix('*') {
            Some(name) => (true, name.trim_start_matches('.')),
            None => (false, name),
        };
        let name = DnsName::parse(if name.is_empty() { "." } else { name }).unwrap();
        let record_type = words.next_if(|word| packet::record_type(word).is_ok());
        let record_type = record_type.map(|word| RecordType::from_number(packet::record_type(word).unwrap()));
        let flags: Vec<&str> = words.collect();
        let mut packet = Packet::default();
        if flags == ["silent"] {
            return Self { server, name, below, record_type, response: None };
        }
        packet.set_flags(&format!("QR {}", flags.join(" "))).unwrap();
        let order = [Section::Answer, Section::Authority, Section::Additional];
        for (records, section) in sections.split('|').zip(order) {
            for record in records.split(';').map(str::trim).filter(|record| !record.is_empty()) {
                packet.add(section, record).unwrap();
            }
        }
        Self { server, name, below, record_type, response: Some(packet.message().unwrap()) }
    }

    fn fits(&self, query: &Query) -> bool {
        let Question { name, record_type, .. } = &query.question;
        self.server == query.server.ip()
            && (if self.below { name.is_within(&self.name) } else { *name == self.name })
            && self.record_type.is_none_or(|own| own == *record_type)
    }
}

/// A resolver that knows 10.0.0.1 as the root's server.
pub struct Scene {
    pub world: SimWorld,
    pub script: Script,
    pub host: Host,
    recursor: Arc<Recursor>,
}

impl Scene {
    pub fn new(script: &str) -> Self {
        Self::with(script, |_| {})
    }

    pub fn with(script: &str, change: impl FnOnce(&mut RecursorConfig)) -> Self {
        let mut world = SimWorld::new(1);
        let mac = MacAddress([2, 0, 0, 0, 0, 1]);
        let host = HostConfig::new("resolver", mac, "10.0.0.99".parse().unwrap(), 24, None).unwrap();
        let host = world.add_host(host).unwrap();
        let hints = RootHints::new([("a.root.test", "10.0.0.1".parse().unwrap())]).unwrap();
        let mut config = RecursorConfig::default();
        config.iterate.prime = false;
        change(&mut config);
        let script = Script::new(script);
        let recursor = Recursor::with_upstream(host.clone(), hints, config, Arc::new(script.clone()));
        Self { world, script, host, recursor: Arc::new(recursor) }
    }

    /// What a client is told that wants signatures.
    pub fn ask(&mut self, name: &str, record_type: RecordType) -> Reply {
        let question = Question::new(DnsName::parse(name).unwrap(), record_type);
        let asked = Asked { dnssec_ok: true, ..Asked::new(question) };
        self.world.run(self.recursor.answer(&asked)).unwrap()
    }

    /// The same, with or without the wish that it be found out.
    pub fn ask_with(&mut self, name: &str, record_type: RecordType, recursion_desired: bool) -> Reply {
        let question = Question::new(DnsName::parse(name).unwrap(), record_type);
        let asked = Asked { dnssec_ok: true, recursion_desired, ..Asked::new(question) };
        self.world.run(self.recursor.answer(&asked)).unwrap()
    }

    /// The code and the records of the answer, a line each, without TTL and class.
    pub fn answer(&mut self, name: &str, record_type: RecordType) -> Vec<String> {
        let reply = self.ask(name, record_type);
        std::iter::once(reply.code.to_string()).chain(reply.answers.iter().map(short)).collect()
    }

    /// The same of several clients at once, each asking for another name.
    pub fn answers_at_once(&mut self, names: &[&str], record_type: RecordType) -> Vec<Vec<String>> {
        let asked = names.iter().map(|name| {
            let question = Question::new(DnsName::parse(name).unwrap(), record_type);
            Asked { dnssec_ok: true, ..Asked::new(question) }
        });
        let asked: Vec<Asked> = asked.collect();
        let replies = futures_util::future::join_all(asked.iter().map(|asked| self.recursor.answer(asked)));
        let replies = self.world.run(replies).unwrap();
        let told = |reply: &Reply| {
            std::iter::once(reply.code.to_string()).chain(reply.answers.iter().map(short)).collect()
        };
        replies.iter().map(told).collect()
    }

    /// What servers were asked since this was last asked.
    pub fn asked(&self) -> Vec<String> {
        self.script.asked()
    }

    pub fn pass(&mut self, time: Duration) {
        self.world.run_for(time).unwrap();
    }
}

/// A record without TTL and class.
pub fn short(record: &glasstack_dns::Record) -> String {
    format!("{} {} {}", record.owner, record.record_type(), record.data)
}
