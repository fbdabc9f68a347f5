//! A journey through the lab: somebody fetches a URL, and afterwards it is told what happened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use glasstack_dns::{Resolver, ResolverConfig};
use glasstack_journal::event::{
    Direction, DropReason, Event, Link, Segment, Span, Tcp, TcpState, Tls, Verdict,
};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{NodeId, Record};
use glasstack_lab::{Lab, LabBuilder};
use glasstack_stack::World;
use glasstack_tls::{TlsClient, TlsClientConfig};
use glasstack_views::{LadderOptions, Layer, Level, Narration, PcapngCapture, Points, ladder};
use glasstack_web::{Client, ClientConfig, Request, WebError, address_bar};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How much virtual time a journey may take at most. Nothing in the lab needs more.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// How long connections may take to close.
const GOODBYE: Duration = Duration::from_secs(30);

/// A lab, its observers, and somebody who fetches.
pub struct Journey {
    pub lab: Lab,
    recorder: Recorder,
    told: Sink,
    capture: Sink,
}

/// A page that has arrived.
#[derive(Debug)]
pub struct Page {
    pub url: String,
    pub status: u16,
    pub hops: Vec<String>,
    pub body: Vec<u8>,
}

impl Page {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Journey {
    pub fn new(seed: u64) -> Self {
        Self::through(Lab::builder(seed))
    }

    /// Through this lab.
    pub fn through(builder: LabBuilder) -> Self {
        let (recorder, told, capture) = (Recorder::new(), Sink::default(), Sink::default());
        let hero = Points::Nodes(vec!["client".to_owned()]);
        let lab = builder
            .observe(recorder.clone())
            .observe(Narration::new(told.writer(), Level::Normal).of("client"))
            .observe(PcapngCapture::new(capture.writer(), hero))
            .build()
            .unwrap();
        Self { lab, recorder, told, capture }
    }

    /// How a client of the lab is configured: redirects followed, bodies decoded.
    pub fn config(&self) -> ClientConfig {
        // A cable that loses one frame in twenty loses two questions in a row now and then.
        let usual = ResolverConfig { attempts: 5, ..ResolverConfig::default() };
        let names = ResolverConfig { servers: vec![self.lab.name_server], ..usual };
        let tls = TlsClientConfig {
            alpn: vec!["http/1.1".to_owned()],
            ..TlsClientConfig::new(self.lab.trust().unwrap())
        };
        let host = &self.lab.client;
        let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
        let usual = ClientConfig::new(Resolver::new(host.clone(), names), tls);
        ClientConfig { follow: true, compressed: true, max_time: Some(PATIENCE), ..usual }
    }

    /// From the address bar to the closed connection.
    pub fn get(&mut self, typed: &str) -> Result<Page, WebError> {
        self.fetch(self.config(), Request::get(address_bar::parse(typed).unwrap().url))
    }

    pub fn post(&mut self, typed: &str, body: Vec<u8>) -> Result<Page, WebError> {
        self.fetch(self.config(), Request::post(address_bar::parse(typed).unwrap().url, body))
    }

    pub fn fetch(&mut self, config: ClientConfig, request: Request) -> Result<Page, WebError> {
        let began = self.lab.world.now();
        let client = Client::new(&self.lab.client, config);
        let page = self.lab.world.run(async {
            address_bar::read(self.lab.client.scope(), request.url.as_str())?;
            let page = read(&client, request).await;
            client.close().await;
            page
        });
        let page = page.unwrap();
        self.lab.world.drain(GOODBYE).unwrap();
        let took = self.lab.world.now().since(began);
        assert!(took <= PATIENCE + GOODBYE, "took {took:?} of virtual time");
        page
    }

    /// Lets what is on its way arrive and TIME-WAIT run out, and ends the journal.
    pub fn end(&mut self) {
        self.lab.world.run_for(Duration::from_secs(61)).unwrap();
        self.lab.world.journal().finish().unwrap();
    }

    pub fn records(&self) -> Vec<Record> {
        self.recorder.records()
    }

    /// The facts of one node.
    fn of(&self, node: NodeId) -> impl Iterator<Item = Event> {
        self.records().into_iter().filter(move |record| record.node == node).map(|record| record.event)
    }

    /// What the client tells, a line an event of interest, without time and name.
    pub fn told(&self) -> Vec<String> {
        let text = String::from_utf8(self.told.bytes()).unwrap();
        text.lines()
            .map(|line| line.split_once(" client  ").map_or(line, |(_, what)| what).to_owned())
            .collect()
    }

    /// Asserts that the client told a line that contains all of these, in any order of lines.
    pub fn has_told(&self, lines: &[&str]) {
        let told = self.told();
        for line in lines {
            assert!(told.iter().any(|said| said.contains(line)), "`{line}` is not in:\n{}", told.join("\n"));
        }
    }

    /// The capture, as far as it is written.
    pub fn capture(&self) -> Vec<u8> {
        self.capture.bytes()
    }

    /// The whole ladder.
    pub fn ladder(&self) -> String {
        ladder(&self.records(), &LadderOptions::default())
    }

    /// The ladder of what happened to TCP and below, with reasons, without what happened within a node,
    /// and without how the routers found each other's MAC addresses.
    pub fn segments(&self) -> String {
        let options = LadderOptions {
            local: false,
            reasons: true,
            ..LadderOptions::only(&[Layer::Arp, Layer::Ip, Layer::Tcp])
        };
        let ladder = ladder(&self.records(), &options);
        let is_ours = |line: &&str| line.contains("client") || !line.contains("  ARP ");
        ladder.lines().filter(is_ours).map(|line| format!("{line}\n")).collect()
    }

    /// TCP segments that the client sent and received.
    pub fn segments_of_client(&self) -> Vec<Segment> {
        let node = self.lab.client.scope().node();
        let segments = self.of(node).filter_map(|event| match event {
            Event::Tcp(Tcp::Segment(segment)) => Some(segment),
            _ => None,
        });
        segments.collect()
    }

    /// Segments that the client sent and `is_it` is true of.
    pub fn sent(&self, is_it: impl Fn(&Segment) -> bool) -> usize {
        let segments = self.segments_of_client();
        segments.iter().filter(|segment| segment.direction == Direction::Out && is_it(segment)).count()
    }

    /// Segments that the client received and `is_it` is true of.
    pub fn received(&self, is_it: impl Fn(&Segment) -> bool) -> usize {
        let segments = self.segments_of_client();
        segments.iter().filter(|segment| segment.direction == Direction::In && is_it(segment)).count()
    }

    /// The client's checks of certificates: which, how it came out, the evidence.
    pub fn judgements(&self) -> Vec<(&'static str, Verdict, String)> {
        let node = self.lab.client.scope().node();
        let judged = self.of(node).filter_map(|event| match event {
            Event::Tls(Tls::CertificateJudged { check, verdict, evidence }) => {
                Some((check, verdict, evidence))
            }
            _ => None,
        });
        judged.collect()
    }

    /// The states that connections of this node went through.
    pub fn states(&self, node: NodeId) -> Vec<TcpState> {
        let states = self.of(node).filter_map(|event| match event {
            Event::Tcp(Tcp::StateChanged { to, .. }) => Some(to),
            _ => None,
        });
        states.collect()
    }

    /// Path MTUs that were lowered at this node: to how many bytes, and what told so.
    pub fn lowered(&self, node: NodeId) -> Vec<(usize, String)> {
        let lowered = self.of(node).filter_map(|event| match event {
            Event::Tcp(Tcp::MtuLowered { to, why, .. }) => Some((to, why)),
            _ => None,
        });
        lowered.collect()
    }

    /// Segments that this node's closed connections had sent again.
    pub fn retransmissions(&self, node: NodeId) -> u64 {
        let counts = self.of(node).filter_map(|event| match event {
            Event::Tcp(Tcp::Closed { retransmissions, .. }) => Some(retransmissions),
            _ => None,
        });
        counts.sum()
    }

    /// Frames that anybody dropped for this reason, the evidence of each.
    pub fn dropped(&self, because: DropReason) -> Vec<String> {
        let dropped = self.records().into_iter().filter_map(|record| match record.event {
            Event::Link(Link::Dropped { reason, detail, .. }) if reason == because => Some(detail),
            _ => None,
        });
        dropped.collect()
    }

    /// Frames that the cables lost.
    pub fn lost(&self) -> usize {
        self.records().iter().filter(|record| matches!(record.event, Event::Link(Link::Lost { .. }))).count()
    }
}

pub async fn read(client: &Client, request: Request) -> Result<Page, WebError> {
    let mut response = client.fetch(request).await?;
    let mut body = Vec::new();
    while let Some(chunk) = response.body.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    let hops = response.hops.iter().map(|hop| format!("{} {}", hop.head.status.as_u16(), hop.url)).collect();
    Ok(Page { url: response.url.to_string(), status: response.head.status.as_u16(), hops, body })
}

/// Compares a text with the snapshot `name`. What is meant to change is accepted by a run with
/// `UPDATE_SNAPSHOTS=1`, and looked at before it is committed.
#[track_caller]
pub fn is_snapshot(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name}, expected:\n{expected}\n{name}, actual:\n{actual}");
}

/// Bytes as `bytes.test` sends them.
pub fn counting(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// Bytes that a view has written.
#[derive(Clone, Default)]
pub struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    pub fn writer(&self) -> Box<dyn Write + Send> {
        Box::new(self.clone())
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A span that was opened.
#[derive(Debug)]
pub struct Opened {
    pub node: NodeId,
    pub what: String,
    /// The number of the record that closed it.
    pub closed: Option<u64>,
}

/// All spans, in the order in which they were opened.
pub fn spans(records: &[Record]) -> Vec<Opened> {
    let mut spans = BTreeMap::new();
    for record in records {
        match (&record.event, record.span) {
            (Event::Span(Span::Opened { kind, .. }), Some(span)) => {
                let opened = Opened { node: record.node, what: format!("{kind:?}"), closed: None };
                spans.insert(span, opened);
            }
            (Event::Span(Span::Closed), Some(span)) => {
                spans.get_mut(&span).unwrap().closed = Some(record.seq)
            }
            _ => {}
        }
    }
    spans.into_values().collect()
}
