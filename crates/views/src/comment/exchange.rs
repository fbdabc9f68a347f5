//! Which segment carries what the layers above TCP say, encrypted or not: they speak of a connection,
//! just before they write and just after they have read.

use super::facts::Facts;
use crate::names::Names;
use crate::spans::Spans;
use crate::text::count;
use glasstack_journal::event::{
    Direction, Event, FrameId, HandshakeMessage, Http, Segment, SegmentReason, Tcp, Tls,
};
use glasstack_journal::{NodeId, Record, SpanId, SpanKind};
use std::collections::BTreeMap;

/// How many connections and fetches are remembered; the oldest are forgotten first.
const REMEMBERED: usize = 4_096;
/// How much may wait for a segment to carry it.
const WAITING: usize = 8;

/// The connections that layers above may speak of, by their spans.
#[derive(Default)]
pub(super) struct Exchanges {
    connections: BTreeMap<SpanId, Connection>,
    /// The connection that a fetch goes over.
    carriers: BTreeMap<SpanId, SpanId>,
}

#[derive(Default)]
struct Connection {
    /// What the next new data carries.
    waiting: Vec<String>,
    /// The encrypted handshake messages that it carries.
    messages: Vec<&'static str>,
    /// The segment whose data was read last.
    last_in: Option<FrameId>,
}

impl Exchanges {
    /// Puts what `record` tells down as remarks on the frames concerned. `names` and `spans` must have
    /// seen it.
    pub(super) fn observe(&mut self, record: &Record, names: &Names, spans: &Spans, facts: &mut Facts) {
        match &record.event {
            Event::Tcp(Tcp::Segment(segment)) if segment.payload > 0 => {
                self.on_segment(record, segment, facts);
            }
            Event::Http(http) => self.on_http(record, http, spans, facts),
            Event::Tls(tls) => self.on_tls(record, tls, &names.node(record.node), spans, facts),
            _ => {}
        }
    }

    fn on_segment(&mut self, record: &Record, segment: &Segment, facts: &mut Facts) {
        let Some(span) = record.span else { return };
        if self.connections.len() >= REMEMBERED && !self.connections.contains_key(&span) {
            self.connections.pop_first();
        }
        let connection = self.connections.entry(span).or_default();
        match segment.direction {
            Direction::In => connection.last_in = Some(segment.frame),
            // What is sent again was told when it was new.
            Direction::Out if matches!(segment.why, SegmentReason::Retransmission(_)) => {}
            Direction::Out => {
                for message in connection.messages.drain(..) {
                    facts.carries(segment.frame, record.node, message);
                }
                for remark in connection.waiting.drain(..) {
                    facts.remark(segment.frame, remark);
                }
            }
        }
    }

    fn on_http(&mut self, record: &Record, http: &Http, spans: &Spans, facts: &mut Facts) {
        let fetch = spans
            .path(record.span)
            .find(|(_, kind)| matches!(kind, SpanKind::Fetch { .. }))
            .map(|(id, _)| id);
        let Some(fetch) = fetch else { return };
        if let Http::ConnectionChosen { connection: Some(connection), .. } = http {
            if self.carriers.len() >= REMEMBERED {
                self.carriers.pop_first();
            }
            self.carriers.insert(fetch, *connection);
        }
        let Some(carrier) = self.carriers.get(&fetch).and_then(|span| self.connections.get_mut(span)) else {
            return self.on_first_request(fetch, http);
        };
        match http {
            Http::RequestSent { method, url, .. } => carrier.wait(request(method, url)),
            Http::ResponseReceived { status, reason, .. } => {
                carrier.read(format!("completes the head of the response: {status} {reason}"), facts);
            }
            Http::BodyReceived { transferred, .. } => {
                carrier.read(format!("completes the body: {}", count(*transferred, "byte")), facts);
            }
            _ => {}
        }
    }

    /// A request may be the first thing that ever happens on its connection.
    fn on_first_request(&mut self, fetch: SpanId, http: &Http) {
        if let (Some(span), Http::RequestSent { method, url, .. }) = (self.carriers.get(&fetch), http) {
            self.connections.entry(*span).or_default().wait(request(method, url));
        }
    }

    fn on_tls(&mut self, record: &Record, tls: &Tls, node: &str, spans: &Spans, facts: &mut Facts) {
        let Some(span) =
            spans.path(record.span).map(|(id, _)| id).find(|id| self.connections.contains_key(id))
        else {
            return;
        };
        let connection = self.connections.entry(span).or_default();
        match tls {
            Tls::Message(message) => connection.on_message(record.node, message, facts),
            Tls::Established { version, suite, .. } => {
                connection.read(format!("completes the TLS handshake for {node}: {version}, {suite}"), facts);
            }
            Tls::Failed { why } => connection.read(format!("TLS failed at {node}: {why}"), facts),
            Tls::CloseNotifySent => {
                connection.wait("carries TLS close_notify: no more data from this side".into())
            }
            Tls::CloseNotifyReceived => {
                connection.read("carries TLS close_notify: no more data from that side".into(), facts);
            }
            _ => {}
        }
    }
}

impl Connection {
    /// What is not encrypted shows in the bytes.
    fn on_message(&mut self, node: NodeId, message: &HandshakeMessage, facts: &mut Facts) {
        match (message.under, message.direction) {
            (None, _) => {}
            (Some(_), Direction::In) => {
                if let Some(frame) = self.last_in {
                    facts.carries(frame, node, message.name);
                }
            }
            (Some(_), Direction::Out) if self.messages.len() < WAITING => self.messages.push(message.name),
            (Some(_), Direction::Out) => {}
        }
    }

    /// The next new data carries this.
    fn wait(&mut self, remark: String) {
        if self.waiting.len() < WAITING {
            self.waiting.push(remark);
        }
    }

    /// The data read last carried this.
    fn read(&self, remark: String, facts: &mut Facts) {
        if let Some(frame) = self.last_in {
            facts.remark(frame, remark);
        }
    }
}

fn request(method: &str, url: &str) -> String {
    format!("carries the request: {method} {url}")
}
