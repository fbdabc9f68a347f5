//! What is known of a connection, and what follows from each record and message.
//!
//! ```text
//!             client                                        server
//!   none      ClientHello                  none             ServerHello
//!   Early     (0-RTT data)                 Handshake        EncryptedExtensions .. Finished
//!   Handshake Certificate .. Finished      Application      data, NewSessionTicket, KeyUpdate
//!   Application
//!                    TLS 1.2: none until ChangeCipherSpec, then Tls12
//! ```
//!
//! Records are read in the order in which they pass. One that cannot be opened yet (its secret is made
//! by rustls only after it has seen the record) waits, and all of its sender's behind it.

mod keys;
mod telling;

use crate::alerts;
use crate::observe::assembly::Assembly;
use crate::observe::messages::{self, Context, RETRY, kind};
use crate::observe::protection::{Content, Protection};
use crate::observe::records::{self, Record, Records};
use crate::observe::schedule::{Randoms, Suite};
use crate::observe::transcript::Transcript;
use crate::observe::why::{self, Spoken};
use crate::observe::{names, schedule};
use glasstack_journal::event::{Alert, HandshakeMessage, Party, Place, RecordRange, Remark, Tls, Verdict};
use glasstack_journal::{Scope, event::Direction};
pub(super) use keys::LABELS;
use keys::{Epoch, Secrets};
use std::collections::VecDeque;
use std::sync::Arc;
use telling::Telling;

/// The most bytes of one end that wait for their keys.
const WAITING: usize = 1 << 18;

/// One connection, as it is heard at one of its ends.
pub(super) struct Conversation {
    us: Party,
    spoken: Option<Spoken>,
    telling: Telling,
    client: End,
    server: End,
    secrets: Secrets,
    transcript: Transcript,
    agreed: Agreed,
    over: bool,
}

/// One end of the connection, as far as it has sent.
#[derive(Default)]
struct End {
    records: Records,
    waiting: VecDeque<Record>,
    waiting_bytes: usize,
    epoch: Epoch,
    /// How many times its secret was replaced.
    generation: u64,
    protection: Option<Protection>,
    assembly: Assembly,
    finished: bool,
}

/// What the hellos have settled.
#[derive(Default)]
struct Agreed {
    hello: Option<HandshakeMessage>,
    randoms: Randoms,
    tls13: bool,
    code: Option<u64>,
    suite: Option<Suite>,
    /// The client offered early data, and it is not known to be refused.
    early: bool,
    /// Client records that cannot be opened may be early data that the server refused.
    refused: bool,
}

impl Conversation {
    pub(super) fn new(us: Party) -> Self {
        Self {
            us,
            spoken: None,
            telling: Telling::default(),
            client: End::default(),
            server: End::default(),
            secrets: Secrets::default(),
            transcript: Transcript::default(),
            agreed: Agreed::default(),
            over: false,
        }
    }

    pub(super) fn us(&self) -> Party {
        self.us
    }

    pub(super) fn them(&self) -> Party {
        match self.us {
            Party::Client => Party::Server,
            Party::Server => Party::Client,
        }
    }

    pub(super) fn speaks(&mut self, spoken: Spoken) {
        self.spoken = Some(spoken);
    }

    pub(super) fn tell_in(&mut self, scope: Scope) {
        self.telling.begin(scope);
    }

    /// How many events were told.
    pub(super) fn told(&self) -> usize {
        self.telling.told()
    }

    /// `from` sent these bytes.
    pub(super) fn on_bytes(&mut self, from: Party, bytes: &[u8]) {
        if self.over {
            return;
        }
        let end = self.end(from);
        let (waiting, total) = (&mut end.waiting, &mut end.waiting_bytes);
        let outcome = end.records.push(bytes, |record| {
            *total += record.body.len();
            waiting.push_back(record);
        });
        let too_much = *total > WAITING;
        self.advance();
        match outcome {
            Err(error) => self.give_up(format!("the {from} sends what is no TLS: {error}")),
            Ok(()) if too_much && self.end(from).waiting_bytes > WAITING => {
                self.give_up(format!("too many records of the {from} wait for their secret"));
            }
            Ok(()) => {}
        }
    }

    /// rustls has told a secret.
    pub(super) fn on_secret(&mut self, label: &str, secret: &[u8]) {
        if !self.over {
            self.secrets.add(label, secret);
            self.advance();
        }
    }

    /// Tells, once, which records there were.
    pub(super) fn finish(&mut self) {
        let waiting = self.client.waiting.len() + self.server.waiting.len();
        self.over = true;
        self.telling.finish(waiting as u64);
    }

    /// Goes on no further, for a reason that is told once.
    fn give_up(&mut self, why: String) {
        if !self.over {
            self.over = true;
            self.telling.tell(Tls::ReadingGivenUp { why });
        }
    }

    fn end(&mut self, party: Party) -> &mut End {
        match party {
            Party::Client => &mut self.client,
            Party::Server => &mut self.server,
        }
    }

    /// Reads every record that can be read now.
    fn advance(&mut self) {
        loop {
            self.tell_keys();
            if !self.step(Party::Client) && !self.step(Party::Server) {
                return;
            }
        }
    }

    /// Reads the next record of `from`, if there is one and it can be opened.
    fn step(&mut self, from: Party) -> bool {
        if self.over {
            return false;
        }
        let Some(record) = self.end(from).waiting.pop_front() else { return false };
        let size = record.body.len();
        let taken = if self.is_protected(from, &record) {
            self.on_protected(from, &record)
        } else {
            let content = Content { kind: record.kind(), bytes: record.body.clone() };
            self.on_content(from, &record, content, None);
            true
        };
        let end = self.end(from);
        match taken {
            true => end.waiting_bytes -= size,
            false => end.waiting.push_front(record),
        }
        taken
    }

    fn is_protected(&mut self, from: Party, record: &Record) -> bool {
        match self.end(from).epoch {
            Epoch::Tls12 => true,
            // RFC 8446 5.1: what is encrypted looks like application data, and a change_cipher_spec says
            // nothing; an alert may come before there are keys.
            _ => record.kind() == records::kind::APPLICATION_DATA,
        }
    }

    /// False: it cannot be opened yet.
    fn on_protected(&mut self, from: Party, record: &Record) -> bool {
        if self.agreed.code.is_some() && self.agreed.suite.is_none() {
            let suite = names::suite(self.agreed.code.unwrap_or_default());
            self.give_up(format!("{suite} is not read along"));
            return true;
        }
        let (early, refused) = (self.end(from).epoch == Epoch::Early, self.agreed.refused);
        if from == Party::Client && refused && self.client.epoch == Epoch::Plain {
            self.telling.unread();
            return true;
        }
        if !self.has_keys(from) {
            // RFC 8446 4.2.10: no secret for early data: the server has refused it.
            if !early || self.agreed.suite.is_none() {
                return false;
            }
            self.agreed.refused = true;
            self.enter(from, Epoch::Handshake);
            return self.on_protected(from, record);
        }
        let under = self.end(from).epoch.label(from);
        let opened = self.end(from).protection.as_mut().and_then(|protection| protection.open(record));
        match opened {
            Some(content) => {
                if from == Party::Client && !early {
                    self.agreed.refused = false;
                }
                self.on_content(from, record, content, under);
            }
            None if early => {
                self.agreed.refused = true;
                self.enter(from, Epoch::Handshake);
                return self.on_protected(from, record);
            }
            None if from == Party::Client && refused => self.telling.unread(),
            None => {
                self.telling.unread();
                self.give_up(format!("record {} of the {from} does not open with its keys", record.number));
            }
        }
        true
    }

    fn on_content(&mut self, from: Party, record: &Record, content: Content, under: Option<&'static str>) {
        let generation = self.end(from).generation;
        let data = (content.kind == records::kind::APPLICATION_DATA).then_some(content.bytes.len() as u64);
        self.telling.count(RecordRange {
            from,
            under,
            generation: if under.is_some() { generation } else { 0 },
            first: record.number,
            last: record.number,
            bytes: record.body.len() as u64 + 5,
            data_records: u64::from(data.is_some()),
            data_bytes: data.unwrap_or_default(),
        });
        let (number, at) = (record.number, record.at);
        match content.kind {
            records::kind::CHANGE_CIPHER_SPEC => self.on_change_cipher_spec(from, record, &content.bytes),
            records::kind::ALERT => {
                let place = Place { record: number, records: 1, at, offset: 0, length: 2 };
                content.bytes.chunks(2).for_each(|alert| self.on_alert(from, alert, place, under));
            }
            records::kind::HANDSHAKE => match self.end(from).assembly.push(number, at, &content.bytes) {
                Ok(messages) => {
                    for (place, message) in messages {
                        self.on_message(from, place, message, under);
                    }
                }
                Err(error) => {
                    self.give_up(format!("a handshake message of {} bytes by its length", error.0));
                }
            },
            _ => {}
        }
    }

    /// As if a record of `from` had been opened, with this in it.
    pub(super) fn on_opened(&mut self, from: Party, kind: u8, bytes: &[u8]) {
        if !self.over {
            let record = Record { number: 0, at: 0, header: [kind, 3, 3, 0, 0], body: Vec::new() };
            let content = Content { kind, bytes: bytes.to_vec() };
            self.on_content(from, &record, content, self.client.epoch.label(from));
            self.advance();
        }
    }

    /// RFC 5246 7.1. In TLS 1.3 it is there for middleboxes' sake alone (RFC 8446 D.4).
    fn on_change_cipher_spec(&mut self, from: Party, record: &Record, bytes: &[u8]) {
        let text = if self.agreed.tls13 || self.agreed.code.is_none() {
            "says nothing in TLS 1.3: it is sent for old middleboxes"
        } else {
            self.enter(from, Epoch::Tls12);
            "from here on this end encrypts"
        };
        let mut tree = crate::observe::tree::Tree::new(bytes);
        let outcome = tree.number("type", 1).map(|_| ());
        let (fields, _) = tree.finish(outcome);
        let message = HandshakeMessage {
            from,
            direction: self.direction(from),
            name: "ChangeCipherSpec",
            place: Place { record: record.number, records: 1, at: record.at, offset: 0, length: bytes.len() },
            under: None,
            fields,
            remarks: vec![Remark { about: "type", text: text.to_owned() }],
            finished: None,
            bytes: Arc::from(bytes),
        };
        self.telling.tell(Tls::Message(Box::new(message)));
    }

    fn on_alert(&mut self, from: Party, alert: &[u8], place: Place, under: Option<&'static str>) {
        let [level, code] = *alert else { return };
        let (name, meaning) =
            alerts::about(code).unwrap_or((names::UNKNOWN, "no registry known here has it"));
        let level = match level {
            1 => "warning",
            2 => "fatal",
            _ => "unknown",
        };
        let direction = self.direction(from);
        self.telling.tell(Tls::Alert(Alert { from, direction, level, code, name, meaning, under, place }));
    }

    fn on_message(&mut self, from: Party, place: Place, bytes: Vec<u8>, under: Option<&'static str>) {
        let kind = bytes.first().copied().unwrap_or_default();
        let suite = self.agreed.code.map(names::suite).unwrap_or_default();
        let context = Context { tls13: self.agreed.tls13, ecdhe: suite.contains("ECDHE") };
        let (name, fields, problem) = messages::dissect(&bytes, context);
        let mut message = HandshakeMessage {
            from,
            direction: self.direction(from),
            name,
            place,
            under,
            fields,
            remarks: Vec::new(),
            finished: None,
            bytes: Arc::from(bytes),
        };
        if let Some(problem) = problem {
            message.remarks.push(Remark { about: "message", text: format!("malformed: {}", problem.0) });
        }
        if kind == kind::FINISHED {
            self.judge_finished(&mut message);
        }
        message.remarks.extend(self.remarks(&message, kind));
        self.telling.tell(Tls::Message(Box::new(message.clone())));
        self.on_told(from, kind, message);
    }

    /// Whether a Finished is what we calculate ourselves (RFC 8446 4.4.4, RFC 5246 7.4.9).
    fn judge_finished(&self, message: &mut HandshakeMessage) {
        let (Some(suite), Some(transcript)) = (self.agreed.suite, self.transcript.so_far()) else { return };
        let label = if self.agreed.tls13 { Epoch::Handshake } else { Epoch::Tls12 }.label(message.from);
        let Some(secret) = label.and_then(|label| self.secrets.get(label)) else { return };
        let expected = match self.agreed.tls13 {
            true => schedule::finished_13(suite.hash, secret, &transcript),
            false => schedule::finished_12(suite.hash, secret, message.from, &transcript),
        };
        let agrees = message.slice("verify_data") == Some(&expected[..]);
        let (verdict, text) = match agrees {
            true => (Verdict::Passed, "agrees with"),
            false => (Verdict::Failed, "does NOT agree with"),
        };
        message.finished = Some(verdict);
        let hash = suite.hash.name();
        let text = format!("{text} what went over the wire so far ({hash})");
        message.remarks.push(Remark { about: "verify_data", text });
    }

    /// What is to be said of a message beyond its bytes.
    fn remarks(&self, message: &HandshakeMessage, kind: u8) -> Vec<Remark> {
        let spoken = self.spoken.as_ref().filter(|_| self.us == Party::Server);
        let remark = |about, text: &str| vec![Remark { about, text: text.to_owned() }];
        let complete = self.client.finished && self.server.finished;
        let Some(hello) = &self.agreed.hello else { return Vec::new() };
        match kind {
            kind::SERVER_HELLO if message.name == "HelloRetryRequest" => why::retry(hello, message, spoken),
            kind::SERVER_HELLO => why::server_hello(hello, message, spoken),
            kind::SERVER_KEY_EXCHANGE => why::group_12(hello, message).into_iter().collect(),
            kind::ENCRYPTED_EXTENSIONS if self.agreed.early => match message.all("early_data").is_empty() {
                true => remark("early_data", "the server refuses the early data"),
                false => remark("early_data", "the server accepts the early data"),
            },
            kind::CLIENT_HELLO | kind::HELLO_REQUEST if complete => {
                remark("message", "asks for a new handshake within the session, which is refused here")
            }
            kind::CERTIFICATE if message.all("cert_data").is_empty() => {
                remark("certificate_list", "no certificate is shown")
            }
            kind::CERTIFICATE_REQUEST => {
                let names = message.words("certificate_authorities/name").join(", ");
                let names = if names.is_empty() { "any CA".to_owned() } else { names };
                remark("certificate_authorities", &format!("a certificate is asked for, issued by {names}"))
            }
            _ => Vec::new(),
        }
    }

    /// What follows from a message.
    fn on_told(&mut self, from: Party, kind: u8, message: HandshakeMessage) {
        let tls13 = self.agreed.tls13;
        let complete = self.client.finished && self.server.finished;
        // RFC 8446 4.4.1; RFC 5246 7.4.9: "all handshake messages ... except any HelloRequest messages".
        let after = tls13 && matches!(kind, kind::NEW_SESSION_TICKET | kind::KEY_UPDATE);
        if kind != kind::SERVER_HELLO && kind != kind::HELLO_REQUEST && !after && !complete {
            self.transcript.add(&message.bytes);
        }
        match (kind, from) {
            (kind::CLIENT_HELLO, Party::Client) if !complete => self.on_client_hello(message),
            (kind::SERVER_HELLO, Party::Server) if !complete => self.on_server_hello(&message),
            (kind::ENCRYPTED_EXTENSIONS, Party::Server) if self.agreed.early => {
                self.agreed.early = false;
                if message.all("early_data").is_empty() {
                    self.agreed.refused = true;
                    self.enter(Party::Client, Epoch::Handshake);
                }
            }
            (kind::END_OF_EARLY_DATA, Party::Client) if tls13 => self.enter(from, Epoch::Handshake),
            (kind::CLIENT_KEY_EXCHANGE, Party::Client) => {
                self.secrets.mark("ClientKeyExchange", &self.transcript);
            }
            (kind::FINISHED, _) => {
                self.end(from).finished = true;
                if tls13 && from == Party::Server {
                    self.secrets.mark("server Finished", &self.transcript);
                }
                if tls13 {
                    self.enter(from, Epoch::Application);
                }
            }
            (kind::KEY_UPDATE, _) if tls13 && complete => self.on_key_update(from),
            _ => {}
        }
    }

    fn on_client_hello(&mut self, hello: HandshakeMessage) {
        let again = self.agreed.hello.is_some();
        self.agreed.randoms.client = hello.slice("random").unwrap_or_default().to_vec();
        // RFC 8446 4.2.10: only in the first flight.
        if !again && !hello.all("early_data").is_empty() {
            self.agreed.early = true;
            self.enter(Party::Client, Epoch::Early);
        }
        self.agreed.hello = Some(hello);
    }

    fn on_server_hello(&mut self, hello: &HandshakeMessage) {
        let agreed = &mut self.agreed;
        agreed.tls13 = hello.number("supported_versions/selected_version") == Some(0x0304);
        agreed.code = hello.number("cipher_suite");
        agreed.suite = agreed.code.and_then(Suite::of);
        agreed.randoms.server = hello.slice("random").unwrap_or_default().to_vec();
        if let Some(suite) = agreed.suite {
            self.secrets.mark_first(suite, &self.transcript);
            self.transcript.hash_with(suite.hash);
        }
        if agreed.randoms.server == RETRY {
            self.transcript.retry();
            self.transcript.add(&hello.bytes);
            // RFC 8446 4.1.2: the second ClientHello has no early data.
            if std::mem::take(&mut self.agreed.early) {
                self.agreed.refused = true;
                self.enter(Party::Client, Epoch::Plain);
            }
            return;
        }
        self.transcript.add(&hello.bytes);
        if self.agreed.tls13 {
            self.secrets.mark("ServerHello", &self.transcript);
            self.enter(Party::Server, Epoch::Handshake);
            if self.client.epoch != Epoch::Early {
                self.enter(Party::Client, Epoch::Handshake);
            }
        }
    }

    fn enter(&mut self, party: Party, epoch: Epoch) {
        let end = self.end(party);
        end.epoch = epoch;
        end.protection = None;
        end.generation = 0;
    }

    fn direction(&self, from: Party) -> Direction {
        if from == self.us { Direction::Out } else { Direction::In }
    }
}
