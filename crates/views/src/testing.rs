//! Hand-made journeys for the tests of the views.

use glasstack_journal::event::{
    AckReason, Arp, Direction, Dns, Event, FlowId, FrameId, Framing, Http, InterfaceId, Ip, Link,
    LookupSource, Medium, Page, QueryReason, RequestReason, Role, Segment, SegmentReason, StateCause, Tcp,
    TcpFlags, TcpState, Tls, Transport, Udp, Verdict,
};
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Instant, Journal, NodeId, Observer, Record, SpanId, SpanKind, WallTime};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The lab's epoch in these tests: 2026-01-01T00:00:00Z.
pub(crate) const EPOCH: WallTime = WallTime::from_unix_seconds(1_767_225_600);

/// One host of a story: `10.0.0.N`, `02:00:00:00:00:0N`.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) node: NodeId,
    pub(crate) interface: InterfaceId,
    pub(crate) number: u8,
}

impl Actor {
    pub(crate) fn ip(&self) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, self.number).into()
    }

    pub(crate) fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }
}

/// A journal that is told by hand.
pub(crate) struct Story {
    journal: Journal,
    recorder: Recorder,
    now: Instant,
    sent: BTreeMap<FrameId, (Vec<u8>, Option<Segment>)>,
}

impl Story {
    pub(crate) fn new() -> Self {
        let (journal, recorder) = (Journal::new(EPOCH), Recorder::new());
        journal.attach(Box::new(recorder.clone()));
        Self { journal, recorder, now: Instant::ZERO, sent: BTreeMap::new() }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.recorder.records()
    }

    /// From now on it is `micros` microseconds after the beginning.
    pub(crate) fn at(&mut self, micros: u64) {
        self.now = Instant::from_micros(micros);
    }

    pub(crate) fn after(&mut self, micros: u64) {
        self.now = self.now + Duration::from_micros(micros);
    }

    pub(crate) fn host(&mut self, name: &str, number: u8) -> Actor {
        self.host_on(name, number, Medium::Ethernet)
    }

    pub(crate) fn host_on(&mut self, name: &str, number: u8, medium: Medium) -> Actor {
        let node = self.journal.node(self.now, name);
        let interface = self.journal.next_interface();
        let actor = Actor { node, interface, number };
        let up = Link::InterfaceUp {
            interface,
            name: "eth0".into(),
            medium,
            mtu: 1500,
            mac: (medium == Medium::Ethernet).then(|| frames::mac(number)),
            address: actor.ip(),
            prefix_len: 24,
        };
        self.tell(&actor, None, up);
        actor
    }

    /// A cable with a capture on it.
    pub(crate) fn cable(&mut self, name: &str) -> Actor {
        let node = self.journal.node(self.now, name);
        let interface = self.journal.next_interface();
        let actor = Actor { node, interface, number: 0 };
        self.tell(&actor, None, Link::CaptureUp { interface, cable: name.to_owned() });
        actor
    }

    pub(crate) fn open(&mut self, who: &Actor, parent: Option<SpanId>, kind: SpanKind) -> SpanId {
        self.journal.open_span(self.now, who.node, parent, kind)
    }

    pub(crate) fn tell(&mut self, who: &Actor, span: Option<SpanId>, event: impl Into<Event>) {
        let event = event.into();
        self.journal.record(self.now, who.node, span, || event);
    }

    /// `who` sends a frame.
    pub(crate) fn send(&mut self, who: &Actor, span: Option<SpanId>, bytes: Vec<u8>) -> FrameId {
        let frame = self.journal.next_frame();
        self.pass(who, span, frame, Direction::Out, &bytes);
        self.sent.insert(frame, (bytes, None));
        frame
    }

    /// The frame arrives at `who`, and so does the segment inside, if it is one.
    pub(crate) fn arrive(&mut self, who: &Actor, span: Option<SpanId>, frame: FrameId) {
        let Some((bytes, segment)) = self.sent.get(&frame).cloned() else {
            panic!("{frame:?} was never sent")
        };
        self.pass(who, None, frame, Direction::In, &bytes);
        if let Some(segment) = segment {
            self.tell(who, span, Tcp::Segment(Segment { direction: Direction::In, ..segment }));
        }
    }

    /// The frame arrives at a node that only passes it on.
    pub(crate) fn arrive_at_link(&mut self, who: &Actor, frame: FrameId) {
        let Some((bytes, _)) = self.sent.get(&frame).cloned() else { panic!("{frame:?} was never sent") };
        self.pass(who, None, frame, Direction::In, &bytes);
    }

    fn pass(
        &mut self,
        who: &Actor,
        span: Option<SpanId>,
        frame: FrameId,
        direction: Direction,
        bytes: &[u8],
    ) {
        let fact = Link::Frame { frame, interface: who.interface, direction, bytes: bytes.into() };
        self.tell(who, span, fact);
    }

    /// `from` sends a segment and says why. Initial sequence numbers are 1 000 times the host's number.
    pub(crate) fn segment(&mut self, from: &Actor, to: &Actor, span: SpanId, segment: Brief<'_>) -> FrameId {
        let (isn, peer_isn) = (u32::from(from.number) * 1_000, u32::from(to.number) * 1_000);
        let Brief { ports, flags, seq, ack, payload, .. } = segment;
        let bytes = frames::tcp(from.number, to.number, ports, flags, isn + seq, peer_isn + ack, payload);
        self.segment_in(bytes, from, to, span, segment)
    }

    /// As [`segment`](Self::segment), in a frame made by hand.
    pub(crate) fn segment_in(
        &mut self,
        bytes: Vec<u8>,
        from: &Actor,
        to: &Actor,
        span: SpanId,
        segment: Brief<'_>,
    ) -> FrameId {
        let Brief { ports, flags, seq, ack, payload, why } = segment;
        let flags = TcpFlags(flags);
        let (isn, peer_isn) = (u32::from(from.number) * 1_000, u32::from(to.number) * 1_000);
        let frame = self.send(from, Some(span), bytes.clone());
        let acknowledges = flags.has(TcpFlags::ACK);
        let segment = Segment {
            frame,
            flow: Some(FlowId(1)),
            direction: Direction::Out,
            source: from.at(ports.0),
            destination: to.at(ports.1),
            seq: isn + seq,
            relative_seq: seq,
            ack: acknowledges.then_some(peer_isn + ack),
            relative_ack: acknowledges.then_some(ack),
            flags,
            window: 64_240,
            payload: payload.len(),
            options: Vec::new(),
            why,
        };
        self.tell(from, Some(span), Tcp::Segment(segment.clone()));
        self.sent.insert(frame, (bytes, Some(segment)));
        frame
    }
}

/// A segment in a few words; sequence numbers are relative.
#[derive(Clone, Debug)]
pub(crate) struct Brief<'a> {
    pub(crate) ports: (u16, u16),
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) payload: &'a [u8],
    pub(crate) why: SegmentReason,
}

/// The steps that most stories share.
impl Story {
    /// The whole of it: address bar, DNS, ARP, TCP, TLS as far as records go, HTTP, FIN, TIME-WAIT.
    /// `client` is 10.0.0.1, `server` 10.0.0.2, `ns` 10.0.0.3; every trip takes 1 ms.
    pub(crate) fn journey() -> Self {
        let mut story = Self::new();
        let client = story.host("client", 1);
        let server = story.host("server", 2);
        let ns = story.host("ns", 3);
        story.at(20_000);
        let journey = story.open(&client, None, SpanKind::Journey { typed: "www.example.test".into() });
        let url = "https://www.example.test/".to_owned();
        let parsed = Page::AddressParsed {
            typed: "www.example.test".into(),
            url: url.clone(),
            scheme_because: "the host is known to want HTTPS".into(),
        };
        story.tell(&client, Some(journey), parsed);
        let fetch = story.open(&client, Some(journey), SpanKind::Fetch { url: url.clone() });
        story.resolve(&client, &ns, fetch);
        let remote = server.at(443);
        let connection = story.open(&client, Some(fetch), SpanKind::Connection { remote });
        let at_server = story.open(&server, None, SpanKind::Connection { remote: client.at(49152) });
        story.connect(&client, &server, (connection, at_server));
        story.handshake(&client, &server, (connection, at_server));
        story.exchange(&client, &server, (fetch, connection, at_server));
        story.close(&client, &server, (connection, at_server));
        let arrived = Page::Arrived { url, status: 200, length: 5 };
        story.tell(&client, Some(journey), arrived);
        story
    }

    fn resolve(&mut self, client: &Actor, ns: &Actor, fetch: SpanId) {
        let (name, record_type) = ("www.example.test".to_owned(), "A".to_owned());
        let kind = SpanKind::Resolve { name: name.clone(), record_type: record_type.clone() };
        let resolve = self.open(client, Some(fetch), kind);
        let miss = Dns::LookedUp {
            name: name.clone(),
            record_type: record_type.clone(),
            source: LookupSource::Cache,
            hit: false,
            detail: "no entry".into(),
        };
        self.tell(client, Some(resolve), miss);
        let query = self.open(client, Some(resolve), SpanKind::Query { server: ns.at(53) });
        let transport = Transport::Udp;
        let (id, server) = (0x1a2b, ns.at(53));
        let why = QueryReason::First;
        let (n, t) = (name.clone(), record_type.clone());
        self.tell(
            client,
            Some(query),
            Dns::QuerySent { id, name: n, record_type: t, server, transport, why },
        );
        self.arp(client, ns, query);
        let message = frames::dns_query(id, &name);
        let frame = self.send(client, Some(query), frames::udp(1, 3, (50_000, 53), &message));
        let length = message.len();
        let (local, direction) = (client.at(50_000), Direction::Out);
        self.tell(client, Some(query), Udp::Datagram { frame, direction, local, remote: server, length });
        self.after(1_000);
        self.arrive(ns, None, frame);
        let served = Dns::Served {
            client: local,
            name: name.clone(),
            record_type: record_type.clone(),
            code: "NOERROR".into(),
            answers: 1,
            transport,
            why: "the zone has it".into(),
        };
        self.tell(ns, None, served);
        let message = frames::dns_response(id, &name, [10, 0, 0, 2]);
        let frame = self.send(ns, None, frames::udp(3, 1, (53, 50_000), &message));
        self.after(1_000);
        self.arrive(client, None, frame);
        let length = message.len();
        let direction = Direction::In;
        self.tell(client, Some(query), Udp::Datagram { frame, direction, local, remote: server, length });
        let response = Dns::ResponseReceived {
            id,
            name: name.clone(),
            record_type,
            server,
            transport,
            code: "NOERROR".into(),
            authoritative: false,
            answers: vec!["www.example.test. 300 IN A 10.0.0.2".into()],
            authorities: vec![],
            additionals: vec![],
            size: message.len(),
            truncated: false,
            rtt: Duration::from_millis(2),
        };
        self.tell(client, Some(query), response);
        let (addresses, ttl) = (vec!["10.0.0.2".parse().unwrap()], Duration::from_secs(300));
        let resolved = Dns::Resolved { name, addresses, ttl, source: LookupSource::Server };
        self.tell(client, Some(resolve), resolved);
    }

    fn arp(&mut self, client: &Actor, peer: &Actor, span: SpanId) {
        let (IpAddr::V4(next_hop), IpAddr::V4(asker)) = (peer.ip(), client.ip()) else { panic!("IPv4 only") };
        let chosen = Ip::RouteChosen {
            destination: peer.ip(),
            row: "10.0.0.0/24 dev eth0".into(),
            next_hop: peer.ip(),
            interface: "eth0".into(),
            source: client.ip(),
            why: "the longest prefix that matches; on the same link".into(),
        };
        self.tell(client, Some(span), chosen);
        let frame = self.send(client, Some(span), frames::arp_request(client.number, peer.number));
        let why = RequestReason::Unknown;
        self.tell(client, Some(span), Arp::RequestSent { frame, next_hop, why });
        self.after(1_000);
        self.arrive(peer, None, frame);
        self.tell(peer, None, Arp::RequestReceived { frame, from: asker, target: next_hop, ours: true });
        let frame = self.send(peer, None, frames::arp_reply(peer.number, client.number));
        self.tell(peer, None, Arp::ReplySent { frame, to: asker });
        self.after(1_000);
        self.arrive(client, None, frame);
        let (mac, after) = (frames::mac(peer.number), Some(Duration::from_millis(2)));
        self.tell(client, None, Arp::ReplyReceived { frame, from: next_hop, mac, after });
    }

    /// The three-way handshake from 49152 to 443; leaves the time at its end.
    pub(crate) fn connect(&mut self, client: &Actor, server: &Actor, spans: (SpanId, SpanId)) {
        let (ours, theirs) = (49152, 443);
        let (local, remote, flow) = (client.at(ours), server.at(theirs), FlowId(1));
        self.tell(client, Some(spans.0), Tcp::Opened { flow, local, remote, role: Role::Active });
        let brief = Brief {
            ports: (ours, theirs),
            flags: TcpFlags::SYN,
            seq: 0,
            ack: 0,
            payload: b"",
            why: SegmentReason::Open,
        };
        let syn = self.segment(client, server, spans.0, brief.clone());
        self.after(1_000);
        self.tell(
            server,
            Some(spans.1),
            Tcp::Opened { flow, local: remote, remote: local, role: Role::Passive },
        );
        self.arrive(server, Some(spans.1), syn);
        let answer = Brief {
            ports: (theirs, ours),
            flags: TcpFlags::SYN | TcpFlags::ACK,
            ack: 1,
            why: SegmentReason::OpenAnswer,
            ..brief.clone()
        };
        let syn_ack = self.segment(server, client, spans.1, answer);
        self.after(1_000);
        self.arrive(client, Some(spans.0), syn_ack);
        let (from, to) = (TcpState::SynSent, TcpState::Established);
        let cause = StateCause::SegmentReceived(syn_ack);
        self.tell(client, Some(spans.0), Tcp::StateChanged { flow, from, to, cause });
        let why = SegmentReason::Ack(AckReason::Handshake);
        let ack = self.segment(
            client,
            server,
            spans.0,
            Brief { flags: TcpFlags::ACK, seq: 1, ack: 1, why, ..brief },
        );
        self.after(1_000);
        self.arrive(server, Some(spans.1), ack);
    }

    fn data(
        &mut self,
        from: &Actor,
        to: &Actor,
        spans: (SpanId, SpanId),
        seq: u32,
        ack: u32,
        payload: &[u8],
    ) {
        let ports = if from.number == 1 { (49152, 443) } else { (443, 49152) };
        let (flags, why) = (TcpFlags::PSH | TcpFlags::ACK, SegmentReason::NewData { acknowledges: true });
        let frame = self.segment(from, to, spans.0, Brief { ports, flags, seq, ack, payload, why });
        self.after(1_000);
        self.arrive(to, Some(spans.1), frame);
    }

    fn handshake(&mut self, client: &Actor, server: &Actor, spans: (SpanId, SpanId)) {
        let server_name = "www.example.test".to_owned();
        let tls = self.open(client, Some(spans.0), SpanKind::Tls { server_name: server_name.clone() });
        let started = |server| Tls::HandshakeStarted {
            server,
            server_name: Some(server_name.clone()),
            versions: vec!["TLS 1.3".into()],
            suites: vec!["TLS_AES_128_GCM_SHA256".into()],
            groups: vec!["X25519".into()],
            alpn: vec!["http/1.1".into()],
        };
        self.tell(client, Some(tls), started(false));
        let hello = [22, 3, 1, 0, 4, 1, 0, 0, 0];
        self.data(client, server, (spans.0, spans.1), 1, 1, &hello);
        self.tell(server, Some(spans.1), started(true));
        let line = "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 01".to_owned();
        self.tell(server, Some(spans.1), Tls::Secret { line: line.clone() });
        self.data(server, client, (spans.1, spans.0), 1, 10, &[22, 3, 3, 0, 4, 2, 0, 0, 0]);
        self.tell(client, Some(tls), Tls::Secret { line });
        let judged = Tls::CertificateJudged {
            check: "name",
            verdict: Verdict::Passed,
            evidence: "www.example.test is among the certificate's names".into(),
        };
        self.tell(client, Some(tls), judged);
        let established = |server| Tls::Established {
            server,
            version: "TLS 1.3".into(),
            suite: "TLS_AES_128_GCM_SHA256".into(),
            group: Some("X25519".into()),
            alpn: Some("http/1.1".into()),
            resumed: false,
        };
        self.tell(client, Some(tls), established(false));
        self.data(client, server, spans, 10, 10, &[23, 3, 3, 0, 2, 9, 9]);
        self.tell(server, Some(spans.1), established(true));
    }

    fn exchange(&mut self, client: &Actor, server: &Actor, spans: (SpanId, SpanId, SpanId)) {
        let (fetch, connection, at_server) = spans;
        let chosen = Http::ConnectionChosen {
            remote: server.at(443),
            connection: Some(connection),
            reused: false,
            why: "no connection to this origin is open".into(),
        };
        self.tell(client, Some(fetch), chosen);
        let request = Http::RequestSent {
            method: "GET".into(),
            url: "https://www.example.test/".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("Host".into(), "www.example.test".into())],
            body_length: 0,
        };
        self.tell(client, Some(fetch), request);
        self.data(client, server, (connection, at_server), 17, 10, &[23, 3, 3, 0, 2, 8, 8]);
        self.after(500);
        self.data(server, client, (at_server, connection), 10, 24, &[23, 3, 3, 0, 2, 7, 7]);
        let response = Http::ResponseReceived {
            status: 200,
            reason: "OK".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("Content-Length".into(), "5".into())],
            framing: Framing::Length(5),
        };
        self.tell(client, Some(fetch), response);
        self.data(server, client, (at_server, connection), 17, 24, &[23, 3, 3, 0, 2, 6, 6]);
        self.tell(client, Some(fetch), Http::BodyReceived { transferred: 5, decoded: 5, coding: None });
    }

    fn close(&mut self, client: &Actor, server: &Actor, spans: (SpanId, SpanId)) {
        let flow = FlowId(1);
        let fin = |ports, seq, ack, answers_fin| Brief {
            ports,
            flags: TcpFlags::FIN | TcpFlags::ACK,
            seq,
            ack,
            payload: b"",
            why: SegmentReason::Fin { with_data: false, answers_fin },
        };
        let frame = self.segment(client, server, spans.0, fin((49152, 443), 24, 24, false));
        self.after(1_000);
        self.arrive(server, Some(spans.1), frame);
        let frame = self.segment(server, client, spans.1, fin((443, 49152), 24, 25, true));
        self.after(1_000);
        self.arrive(client, Some(spans.0), frame);
        let why = SegmentReason::Ack(AckReason::Fin);
        let (ports, flags) = ((49152, 443), TcpFlags::ACK);
        let ack = Brief { ports, flags, seq: 25, ack: 25, payload: b"", why };
        let frame = self.segment(client, server, spans.0, ack);
        let lasts = Duration::from_secs(60);
        self.tell(client, Some(spans.0), Tcp::TimeWaitEntered { flow, lasts });
        self.after(1_000);
        self.arrive(server, Some(spans.1), frame);
        self.after(60_000_000);
        self.tell(client, Some(spans.0), Tcp::TimeWaitOver { flow, how: "it ran out".into() });
        let closed =
            Tcp::Closed { flow, error: None, bytes_sent: 23, bytes_received: 23, retransmissions: 0 };
        self.tell(client, Some(spans.0), closed);
    }
}

/// Shows `records` to an observer from beginning to end.
pub(crate) fn replay(records: &[Record], mut observer: impl Observer) {
    observer.begin(EPOCH);
    records.iter().for_each(|record| observer.observe(record));
    observer.finish().unwrap();
}

/// Where a view under test writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<Vec<u8>>>>);

impl Sink {
    pub(crate) fn writer(&self) -> Box<dyn Write + Send> {
        Box::new(self.clone())
    }

    /// What each call wrote.
    pub(crate) fn writes(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.writes().concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Frames between `10.0.0.A` and `10.0.0.B`.
pub(crate) mod frames {
    use etherparse::{ArpHardwareId, ArpOperation, ArpPacket, EtherType, PacketBuilder, TcpHeader};
    use glasstack_journal::event::{MacAddress, TcpFlags};

    pub(crate) fn mac(number: u8) -> MacAddress {
        MacAddress([2, 0, 0, 0, 0, number])
    }

    fn ip(number: u8) -> [u8; 4] {
        [10, 0, 0, number]
    }

    pub(crate) fn arp_request(from: u8, target: u8) -> Vec<u8> {
        arp(ArpOperation::REQUEST, from, target, MacAddress::BROADCAST, [0; 6])
    }

    pub(crate) fn arp_reply(from: u8, to: u8) -> Vec<u8> {
        arp(ArpOperation::REPLY, from, to, mac(to), mac(to).0)
    }

    fn arp(operation: ArpOperation, from: u8, to: u8, destination: MacAddress, target: [u8; 6]) -> Vec<u8> {
        let ethernet = (ArpHardwareId::ETHERNET, EtherType::IPV4);
        let (sender, protocol) = (mac(from).0, (ip(from), ip(to)));
        let arp =
            ArpPacket::new(ethernet.0, ethernet.1, operation, &sender, &protocol.0, &target, &protocol.1);
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ethernet2(sender, destination.0).arp(arp.unwrap());
        builder.write(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn tcp(
        from: u8,
        to: u8,
        ports: (u16, u16),
        flags: u8,
        seq: u32,
        ack: u32,
        payload: &[u8],
    ) -> Vec<u8> {
        let mut header = TcpHeader::new(ports.0, ports.1, seq, 64_240);
        header.syn = flags & TcpFlags::SYN != 0;
        header.fin = flags & TcpFlags::FIN != 0;
        header.rst = flags & TcpFlags::RST != 0;
        header.psh = flags & TcpFlags::PSH != 0;
        header.ack = flags & TcpFlags::ACK != 0;
        header.acknowledgment_number = if header.ack { ack } else { 0 };
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ethernet2(mac(from).0, mac(to).0).ipv4(ip(from), ip(to), 64);
        builder.tcp_header(header).write(&mut bytes, payload).unwrap();
        bytes
    }

    pub(crate) fn udp(from: u8, to: u8, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ethernet2(mac(from).0, mac(to).0).ipv4(ip(from), ip(to), 64);
        builder.udp(ports.0, ports.1).write(&mut bytes, payload).unwrap();
        bytes
    }

    pub(crate) fn echo_request(from: u8, to: u8, id: u16, seq: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let builder = PacketBuilder::ethernet2(mac(from).0, mac(to).0).ipv4(ip(from), ip(to), 64);
        builder.icmpv4_echo_request(id, seq).write(&mut bytes, b"ping").unwrap();
        bytes
    }

    pub(crate) fn dns_query(id: u16, name: &str) -> Vec<u8> {
        dns(id, 0x0100, 0, name)
    }

    pub(crate) fn dns_response(id: u16, name: &str, address: [u8; 4]) -> Vec<u8> {
        let mut bytes = dns(id, 0x8180, 1, name);
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
        bytes.extend(address);
        bytes
    }

    fn dns(id: u16, flags: u16, answers: u16, name: &str) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            [id, flags, 1, answers, 0, 0].into_iter().flat_map(u16::to_be_bytes).collect();
        for label in name.split('.') {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label.as_bytes());
        }
        bytes.extend([0, 0, 1, 0, 1]);
        bytes
    }
}
