//! Gathers the stages from the records, as they come.

use super::flow::Flow;
use super::{Journey, Stage, Totals};
use crate::names::Names;
use crate::spans::Spans;
use crate::text::{count, resolved, time};
use glasstack_journal::event::{
    Arp, Direction, Dns, Event, FlowId, FrameId, Http, Icmp, Ip, Link, MacAddress, Page, Retransmission,
    Role, Segment, SegmentReason, Span, StateCause, Tcp, TcpState, Tls, Udp,
};
use glasstack_journal::{Instant, NodeId, Record, SpanId, SpanKind};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// How many stages are told of; a journey that has more is no journey of one person.
const STAGES: usize = 4_096;
/// How many frames, flows, names under way are remembered.
const REMEMBERED: usize = 4_096;

/// The stages so far, and what is under way.
#[derive(Default)]
pub(super) struct Gather {
    of: Option<String>,
    hero: Option<NodeId>,
    typed: Option<String>,
    names: Names,
    spans: Spans,
    totals: BTreeMap<NodeId, (Totals, Option<(Instant, Instant)>)>,
    lost: u64,
    /// In the order of their telling: when it began, what for.
    stages: Vec<(Option<SpanId>, Stage)>,
    frames: BTreeMap<FrameId, Instant>,
    flows: BTreeMap<FlowId, Flow>,
    connections: BTreeMap<SpanId, FlowId>,
    /// The connection that a fetch goes over.
    carriers: BTreeMap<SpanId, SpanId>,
    requests: BTreeMap<Ipv4Addr, (Instant, Option<SpanId>)>,
    queries: BTreeMap<SpanId, (Instant, Option<Instant>)>,
    echoes: BTreeMap<(IpAddr, u16, u16), Instant>,
    /// When the DHCP client began to ask for what it has not got yet.
    pub(super) asking: Option<Instant>,
    told: BTreeSet<(Option<SpanId>, String)>,
}

impl Gather {
    pub(super) fn new(of: Option<String>) -> Self {
        Self { of, ..Self::default() }
    }

    pub(super) fn observe(&mut self, record: &Record) {
        self.names.observe(record);
        self.spans.observe(record);
        self.find_hero(record);
        self.count(record);
        if self.hero != Some(record.node) {
            return;
        }
        match &record.event {
            Event::Arp(arp) => self.on_arp(record, arp),
            Event::Ip(ip) => self.on_ip(record, ip),
            Event::Icmp(icmp) => self.on_icmp(record, icmp),
            Event::Udp(Udp::Datagram { frame, direction, .. }) => self.on_query(record, *frame, *direction),
            Event::Tcp(tcp) => self.on_tcp(record, tcp),
            Event::Dhcp(dhcp) => self.on_dhcp(record, dhcp),
            Event::Dns(dns) => self.on_dns(record, dns),
            Event::Tls(tls) => self.on_tls(record, tls),
            Event::Http(http) => self.on_http(record, http),
            Event::Page(page) => self.on_page(record, page),
            _ => {}
        }
    }

    /// The summary as it stands; connections still open are told as such.
    pub(super) fn journey(&self) -> Journey {
        let mut stages = self.stages.clone();
        stages.extend(self.flows.values().filter_map(|flow| self.closing(flow)));
        let key = |fetch: Option<SpanId>, at: Instant| {
            // A fetch's stages stand together, at the place of the first of them.
            let of_fetch = stages.iter().filter(|(other, _)| fetch.is_some() && *other == fetch);
            (of_fetch.map(|(_, stage)| stage.at).min().unwrap_or(at), fetch)
        };
        let mut keyed: Vec<_> =
            stages.iter().map(|(fetch, stage)| (key(*fetch, stage.at), stage.at, stage)).collect();
        keyed.sort_by_key(|(key, at, _)| (*key, *at));
        let (mut totals, span) =
            self.hero.and_then(|hero| self.totals.get(&hero)).cloned().unwrap_or_default();
        totals.lost = self.lost;
        totals.lasted = span.map(|(first, last)| last.since(first)).unwrap_or_default();
        let stages = keyed.into_iter().map(|(_, _, stage)| stage.clone()).collect();
        Journey { typed: self.typed.clone(), stages, totals }
    }

    fn find_hero(&mut self, record: &Record) {
        if let Some(name) = &self.of {
            if self.hero.is_none() && self.names.is_called(record.node, name) {
                self.hero = Some(record.node);
            }
        } else if let Event::Span(Span::Opened { kind, .. }) = &record.event
            && !matches!(kind, SpanKind::Service { .. } | SpanKind::Connection { .. } | SpanKind::Tls { .. })
        {
            self.hero.get_or_insert(record.node);
        }
        if let (Event::Span(Span::Opened { kind: SpanKind::Journey { typed }, .. }), true) =
            (&record.event, self.hero == Some(record.node))
        {
            self.typed = Some(typed.clone());
        }
    }

    fn count(&mut self, record: &Record) {
        let (totals, span) = self.totals.entry(record.node).or_default();
        match &record.event {
            Event::Link(Link::Frame { frame, direction, bytes, .. }) => {
                let bytes = bytes.len() as u64;
                match direction {
                    Direction::Out => {
                        totals.packets_sent += 1;
                        totals.bytes_sent += bytes;
                    }
                    Direction::In => {
                        totals.packets_received += 1;
                        totals.bytes_received += bytes;
                    }
                }
                let first = span.map_or(record.at, |(first, _)| first);
                *span = Some((first, record.at));
                if self.hero == Some(record.node) {
                    remember(&mut self.frames, *frame, record.at);
                }
            }
            Event::Link(Link::Dropped { reason, .. }) => *totals.discarded.entry(*reason).or_insert(0) += 1,
            Event::Link(Link::Lost { .. }) => self.lost += 1,
            Event::Tcp(Tcp::Segment(Segment {
                direction: Direction::Out,
                why: SegmentReason::Retransmission(why),
                ..
            })) if !matches!(why, Retransmission::SeenBefore | Retransmission::FillsHole) => {
                totals.retransmissions += 1;
            }
            _ => {}
        }
    }

    fn on_page(&mut self, record: &Record, page: &Page) {
        match page {
            Page::AddressParsed { typed, url, scheme_because } => {
                self.typed.get_or_insert_with(|| typed.clone());
                self.tell(record, "address bar", None, format!("{url} ({scheme_because})"));
            }
            Page::AddressRefused { typed, why } => {
                self.fail(record, "address bar", format!("\"{typed}\": {why}"))
            }
            Page::Arrived { url, status, length } => {
                self.tell(
                    record,
                    "arrived",
                    None,
                    format!("{url}, status {status}, {}", count(*length, "byte")),
                );
            }
        }
    }

    fn on_arp(&mut self, record: &Record, arp: &Arp) {
        match arp {
            Arp::RequestSent { frame, next_hop, .. } => {
                let at = self.passed(*frame, record);
                if self.requests.len() < REMEMBERED {
                    self.requests.entry(*next_hop).or_insert((at, record.span));
                }
            }
            Arp::ReplyReceived { frame, from, mac, .. } => {
                // Who was asked is part of what it was for: the reply itself belongs to nobody's span.
                let Some((asked, span)) = self.requests.remove(from) else { return };
                let took = self.passed(*frame, record).since(asked);
                // That the cache knows it from now on is no news.
                if self.told.len() < STAGES {
                    self.told.insert((self.fetch_of(span), from_the_cache(*from, *mac)));
                }
                self.push(span, asked, "ARP", Some(took), format!("{from} is at {mac}"), false);
            }
            Arp::Failed { next_hop, attempts } => {
                let (asked, span) = self.requests.remove(next_hop).unwrap_or((record.at, record.span));
                let requests = count(u64::from(*attempts), "request");
                let took = Some(record.at.since(asked));
                self.push(span, asked, "ARP", took, format!("no reply from {next_hop} to {requests}"), true);
            }
            Arp::CacheHit { next_hop, mac, .. } => {
                self.tell_once(record, "ARP", from_the_cache(*next_hop, *mac));
            }
            Arp::NotNeeded { interface } => {
                self.tell_once(record, "ARP", format!("not needed: {interface} carries bare IP packets"));
            }
            _ => {}
        }
    }

    fn on_ip(&mut self, record: &Record, ip: &Ip) {
        if let Ip::RouteChosen { destination, next_hop, interface, source, .. } = ip {
            let hop = if next_hop == destination { "directly".to_owned() } else { format!("via {next_hop}") };
            self.tell_once(record, "route", format!("to {destination} {hop} on {interface} from {source}"));
        }
    }

    fn on_icmp(&mut self, record: &Record, icmp: &Icmp) {
        match icmp {
            Icmp::EchoRequest { frame, direction: Direction::Out, peer, ident, seq, .. } => {
                let at = self.passed(*frame, record);
                remember(&mut self.echoes, (*peer, *ident, *seq), at);
            }
            Icmp::EchoReply { frame, direction: Direction::In, peer, ident, seq, .. } => {
                let Some(asked) = self.echoes.remove(&(*peer, *ident, *seq)) else { return };
                let took = self.passed(*frame, record).since(asked);
                self.push(
                    record.span,
                    asked,
                    "ping",
                    Some(took),
                    format!("{peer} answered, seq {seq}"),
                    false,
                );
            }
            Icmp::ErrorReceived { from, what, effect, .. } => {
                self.tell(record, "ICMP", None, format!("{what} from {from}: {effect}"));
            }
            _ => {}
        }
    }

    /// A datagram or segment passed: if it is part of resolving a name, it may be the first or last.
    fn on_query(&mut self, record: &Record, frame: FrameId, direction: Direction) {
        let at = self.passed(frame, record);
        let Some(resolve) = self.resolving(record.span) else { return };
        match direction {
            Direction::Out if !self.queries.contains_key(&resolve) => {
                remember(&mut self.queries, resolve, (at, None));
            }
            Direction::Out => {}
            Direction::In => {
                if let Some((_, answered)) = self.queries.get_mut(&resolve) {
                    *answered = Some(at);
                }
            }
        }
    }

    fn on_dns(&mut self, record: &Record, dns: &Dns) {
        let (outcome, failed) = match dns {
            Dns::Resolved { name, addresses, source, .. } => {
                (format!("{}, from {source}", resolved(name, addresses)), false)
            }
            Dns::Failed { name, why } => (format!("{name}: {why}"), true),
            _ => return,
        };
        let asked = self.resolving(record.span).and_then(|resolve| self.queries.remove(&resolve));
        let (at, took) = match asked {
            Some((asked, answered)) => (asked, Some(answered.unwrap_or(record.at).since(asked))),
            None => (record.at, None),
        };
        self.push(record.span, at, "DNS", took, outcome, failed);
    }

    fn on_tcp(&mut self, record: &Record, tcp: &Tcp) {
        match tcp {
            Tcp::Opened { flow, remote, role: Role::Active, .. } => {
                remember(&mut self.flows, *flow, Flow::new(*remote, record.span, record.at));
                if let Some(span) = record.span {
                    remember(&mut self.connections, span, *flow);
                }
            }
            Tcp::Segment(segment) => {
                let at = self.passed(segment.frame, record);
                if let Some(flow) = segment.flow.and_then(|flow| self.flows.get_mut(&flow)) {
                    flow.on_segment(segment, at);
                }
                if segment.payload > 0 {
                    self.on_query(record, segment.frame, segment.direction);
                }
            }
            Tcp::StateChanged { flow, to: TcpState::Established, cause, .. } => {
                let at = match cause {
                    StateCause::SegmentReceived(frame) => self.passed(*frame, record),
                    _ => record.at,
                };
                let Some(flow) = self.flows.get_mut(flow) else { return };
                flow.established = true;
                let (remote, opened, span) = (flow.remote, flow.opened, flow.span);
                let outcome = format!("connected to {remote}");
                self.push(span, opened, "TCP", Some(at.since(opened)), outcome, false);
            }
            Tcp::TimeWaitEntered { flow, lasts } => {
                if let Some(flow) = self.flows.get_mut(flow) {
                    flow.time_wait = Some(*lasts);
                }
            }
            Tcp::Closed { flow, error, .. } => self.on_closed(record, *flow, error.as_deref()),
            _ => {}
        }
    }

    fn on_closed(&mut self, record: &Record, id: FlowId, error: Option<&str>) {
        let Some(flow) = self.flows.remove(&id) else { return };
        match error {
            Some(error) => {
                let (at, took) = if flow.established {
                    (record.at, None)
                } else {
                    (flow.opened, Some(record.at.since(flow.opened)))
                };
                self.push(flow.span, at, "TCP", took, error.to_owned(), true);
            }
            None => {
                if let Some(stage) = self.closing(&flow)
                    && self.stages.len() < STAGES
                {
                    self.stages.push(stage);
                }
            }
        }
    }

    /// The stage in which a connection is closed; it belongs to no fetch, for it may have carried many.
    fn closing(&self, flow: &Flow) -> Option<(Option<SpanId>, Stage)> {
        let (at, took) = flow.closing()?;
        let mut outcome = format!("{}, from the first FIN to the last ACK", flow.remote);
        if let Some(lasts) = flow.time_wait {
            outcome.push_str(&format!("; TIME-WAIT of {}", time(lasts)));
        }
        let took = Some(took);
        Some((None, Stage { name: "close", fetch: None, at, took, outcome, failed: false }))
    }

    fn on_tls(&mut self, record: &Record, tls: &Tls) {
        match tls {
            Tls::HandshakeStarted { .. } => {
                if let Some(flow) = self.flow_of(record.span) {
                    flow.begin_stage();
                }
            }
            Tls::Established { version, suite, .. } => {
                let outcome = format!("{version}, {suite}");
                self.tls_stage(record, outcome, false);
            }
            Tls::Failed { why } => self.tls_stage(record, why.clone(), true),
            _ => {}
        }
    }

    fn tls_stage(&mut self, record: &Record, outcome: String, failed: bool) {
        let passed = self.flow_of(record.span).and_then(|flow| flow.until_quiet());
        let (at, took) = passed.map_or((record.at, None), |(at, took)| (at, Some(took)));
        self.push(record.span, at, "TLS", took, outcome, failed);
    }

    fn on_http(&mut self, record: &Record, http: &Http) {
        match http {
            Http::ConnectionChosen { remote, connection, reused, .. } => {
                if let (Some(fetch), Some(connection)) = (self.fetch_of(record.span), connection) {
                    remember(&mut self.carriers, fetch, *connection);
                }
                if *reused {
                    self.tell(record, "TCP", None, format!("goes on over the connection to {remote}"));
                }
            }
            Http::RequestSent { .. } => {
                if let Some(flow) = self.carrier_of(record.span) {
                    flow.begin_stage();
                    flow.head = None;
                }
            }
            Http::ResponseReceived { status, reason, .. } => {
                let flow = self.carrier_of(record.span);
                let passed = flow.and_then(|flow| {
                    flow.head = flow.last_in();
                    flow.until_answered()
                });
                let (at, took) = passed.map_or((record.at, None), |(at, took)| (at, Some(took)));
                self.push(record.span, at, "first byte", took, format!("{status} {reason}"), false);
            }
            Http::BodyReceived { transferred, .. } => {
                let flow = self.carrier_of(record.span);
                let passed = flow.and_then(|flow| Some((flow.head?, flow.last_in()?.since(flow.head?))));
                let (at, took) = passed.map_or((record.at, None), |(at, took)| (at, Some(took)));
                self.push(record.span, at, "body", took, count(*transferred, "byte"), false);
            }
            Http::RedirectFollowed { status, to, .. } => {
                self.tell(record, "redirect", None, format!("{status}, to {to}"));
            }
            Http::Failed { why } => self.fail(record, "HTTP", why.clone()),
            _ => {}
        }
    }

    fn tell(
        &mut self,
        record: &Record,
        name: &'static str,
        took: Option<std::time::Duration>,
        outcome: String,
    ) {
        self.push(record.span, record.at, name, took, outcome, false);
    }

    fn fail(&mut self, record: &Record, name: &'static str, outcome: String) {
        self.push(record.span, record.at, name, None, outcome, true);
    }

    /// Tells what may be recorded for every packet only once a fetch.
    fn tell_once(&mut self, record: &Record, name: &'static str, outcome: String) {
        let key = (self.fetch_of(record.span), outcome.clone());
        if self.told.len() < STAGES && self.told.insert(key) {
            self.tell(record, name, None, outcome);
        }
    }

    pub(super) fn push(
        &mut self,
        span: Option<SpanId>,
        at: Instant,
        name: &'static str,
        took: Option<std::time::Duration>,
        outcome: String,
        failed: bool,
    ) {
        let of = self.spans.path(span).find_map(|(id, kind)| match kind {
            SpanKind::Fetch { url } => Some((id, url.clone())),
            _ => None,
        });
        let (fetch, url) = of.unzip();
        if self.stages.len() < STAGES {
            self.stages.push((fetch, Stage { name, fetch: url, at, took, outcome, failed }));
        }
    }

    /// When a frame passed this node's interface.
    pub(super) fn passed(&self, frame: FrameId, record: &Record) -> Instant {
        self.frames.get(&frame).copied().unwrap_or(record.at)
    }

    fn fetch_of(&self, span: Option<SpanId>) -> Option<SpanId> {
        self.spans.path(span).find(|(_, kind)| matches!(kind, SpanKind::Fetch { .. })).map(|(id, _)| id)
    }

    fn resolving(&self, span: Option<SpanId>) -> Option<SpanId> {
        self.spans.path(span).find(|(_, kind)| matches!(kind, SpanKind::Resolve { .. })).map(|(id, _)| id)
    }

    /// The connection that a span is part of.
    fn flow_of(&mut self, span: Option<SpanId>) -> Option<&mut Flow> {
        let flow = self.spans.path(span).find_map(|(id, _)| self.connections.get(&id))?;
        self.flows.get_mut(flow)
    }

    /// The connection that a fetch goes over.
    fn carrier_of(&mut self, span: Option<SpanId>) -> Option<&mut Flow> {
        let fetch = self.fetch_of(span)?;
        let flow = self.connections.get(self.carriers.get(&fetch)?)?;
        self.flows.get_mut(flow)
    }
}

fn from_the_cache(next_hop: Ipv4Addr, mac: MacAddress) -> String {
    format!("{next_hop} is at {mac}, from the cache")
}

/// Keeps a table of what is under way from growing without bound: the oldest gives way.
fn remember<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, value: V) {
    if table.len() >= REMEMBERED {
        table.pop_first();
    }
    table.insert(key, value);
}
