//! Connections with somebody in the middle who changes what is sent, record by record: both ends end with
//! an error of their own or go on, nothing is delivered that was not sent, and reading along changes
//! nothing. And the reading along itself, fed with messages that nobody would write.

use super::chance::Chance;
use super::fuzz;
use super::world::{Ca, End, NOW, SeededEntropy, Still, Tap, World, server_params, wire};
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use glasstack_journal::event::Tls;
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Clock, Event, Instant, Journal, Scope};
use glasstack_tls::observe::any_bytes;
use glasstack_tls::{
    ClientAuth, ClientTrust, SessionInfo, TlsClient, TlsClientConfig, TlsError, TlsServer, TlsServerConfig,
    TlsVersion, is_truncation,
};
use rcgen::ExtendedKeyUsagePurpose;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

const NAME: &str = "www.lab.test";
const ASKED: &[u8] = b"GET / HTTP/1.1\r\nHost: www.lab.test\r\n\r\n";

#[derive(Debug, Default)]
struct Tally {
    connections: u64,
    /// On which both ends agreed.
    agreed: u64,
    /// On which all that was sent arrived.
    whole: u64,
    /// That were made a second time, with nobody reading along.
    compared: u64,
    readings: u64,
    most_told: usize,
}

#[test]
fn tls_records() {
    let plans: Vec<Plan> =
        PLANS.iter().copied().chain(PLANS.iter().map(|plan| Plan { low: true, ..*plan })).collect();
    let ca = Ca::root("Lab CA", 1);
    let recorded: Vec<Recorded> = plans.iter().map(|plan| Recorded::of(&ca, *plan)).collect();
    fuzz("tls_records", 400, |chance, tally: &mut Tally| {
        if chance.once_in(2) {
            tally.readings += 1;
            let told = any_bytes(&script(chance, &recorded));
            tally.most_told = tally.most_told.max(told);
            assert!(told < 20_000, "{told} events");
            return;
        }
        tally.connections += 1;
        let plan = *chance.one_of(&plans);
        let (seed, middle) = (chance.u64(), chance.u64());
        let meddling = |number| Meddler::new(Chance::of(middle, number), &recorded);
        let first = converse(&ca, plan, seed, true, meddling(0), meddling(1));
        tally.agreed += u64::from(first.agreed());
        tally.whole += u64::from(first.whole());
        if chance.once_in(4) {
            tally.compared += 1;
            let unwatched = converse(&ca, plan, seed, false, meddling(0), meddling(1));
            assert!(first.sent == unwatched.sent, "reading along changes what is sent");
            assert_eq!(first.ended(), unwatched.ended());
        }
    });
}

/// What the two ends are told to do.
#[derive(Clone, Copy)]
struct Plan {
    version: TlsVersion,
    client_auth: bool,
    alpn: bool,
    /// A second connection, which resumes the first.
    resumed: bool,
    /// In small pieces.
    low: bool,
}

const USUAL: Plan =
    Plan { version: TlsVersion::Tls13, client_auth: false, alpn: true, resumed: false, low: false };
const PLANS: [Plan; 6] = [
    USUAL,
    Plan { version: TlsVersion::Tls12, ..USUAL },
    Plan { client_auth: true, alpn: false, ..USUAL },
    Plan { version: TlsVersion::Tls12, client_auth: true, ..USUAL },
    Plan { resumed: true, ..USUAL },
    Plan { version: TlsVersion::Tls12, resumed: true, ..USUAL },
];

/// How a connection went.
struct Went {
    client: Result<(SessionInfo, Vec<u8>, io::Result<()>), TlsError>,
    server: Result<(SessionInfo, Vec<u8>, io::Result<()>), TlsError>,
    /// What either end sent.
    sent: (Vec<u8>, Vec<u8>),
}

impl Went {
    fn agreed(&self) -> bool {
        self.client.is_ok() && self.server.is_ok()
    }

    fn whole(&self) -> bool {
        matches!((&self.client, &self.server), (Ok((_, heard, Ok(()))), Ok((_, asked, Ok(())))) if heard == &answer() && asked == ASKED)
    }

    fn ended(&self) -> (String, String) {
        let told = |end: &Result<(SessionInfo, Vec<u8>, io::Result<()>), TlsError>| match end {
            Ok((session, heard, end)) => format!("{} {} {end:?}", session.suite, heard.len()),
            Err(error) => error.to_string(),
        };
        (told(&self.client), told(&self.server))
    }

    /// What holds whatever somebody in the middle does.
    fn check(&self) {
        for (end, all) in [(&self.client, answer()), (&self.server, ASKED.to_vec())] {
            let Ok((_, heard, ended)) = end else { continue };
            assert!(all.starts_with(heard), "{heard:?} was never sent");
            match ended {
                // An end without close_notify is never taken for a whole one.
                Ok(()) => assert_eq!(heard, &all, "cut off, and nobody noticed"),
                Err(error) => assert!(
                    TlsError::within(error).is_some() || is_truncation(error) || is_wire(error),
                    "{error}"
                ),
            }
        }
        if let (Ok((client, heard, _)), Ok((server, asked, _))) = (&self.client, &self.server)
            && (!heard.is_empty() || !asked.is_empty())
        {
            assert_eq!(
                (&client.version, &client.suite, &client.alpn),
                (&server.version, &server.suite, &server.alpn)
            );
            assert_eq!(client.resumed, server.resumed);
        }
    }
}

fn is_wire(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn answer() -> Vec<u8> {
    (0..3_000_u32).map(|number| number.to_be_bytes()[3]).collect()
}

/// A client, a server, and somebody on each way between them.
fn converse(ca: &Ca, plan: Plan, seed: u64, watched: bool, up: Meddler<'_>, down: Meddler<'_>) -> Went {
    let world = if watched { World::new(seed) } else { unwatched(seed) };
    let (client, server) = ends(ca, plan, &world);
    if plan.resumed {
        let _ = between(&world, &client, &server, plan, Meddler::honest(), Meddler::honest());
    }
    let went = between(&world, &client, &server, plan, up, down);
    went.check();
    went
}

fn unwatched(seed: u64) -> World {
    let clock: Arc<dyn Clock> = Arc::new(Still(NOW));
    let journal = Journal::new(clock.wall());
    let scope = |name| Scope::new(journal.clone(), clock.clone(), journal.node(Instant::ZERO, name));
    let (client, server) = (scope("client"), scope("server"));
    World { entropy: SeededEntropy::shared(seed), clock, records: Recorder::new(), client, server }
}

fn ends(ca: &Ca, plan: Plan, world: &World) -> (TlsClient, TlsServer) {
    let mut client = TlsClientConfig::new(ca.trust());
    let mut server = TlsServerConfig::new([ca.identity(server_params(&[NAME]))]);
    client.max_version = plan.version;
    if plan.alpn {
        client.alpn = vec!["h2".to_owned(), "http/1.1".to_owned()];
        server.alpn = vec!["http/1.1".to_owned()];
    }
    if plan.client_auth {
        let mut params = server_params(&["client.lab.test"]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        client.identity = Some(ca.identity(params));
        server.client_auth = ClientAuth::Required(ClientTrust::new(ca.trust()));
    }
    (world.client(client), world.server(server))
}

fn between(
    world: &World,
    client: &TlsClient,
    server: &TlsServer,
    plan: Plan,
    mut up: Meddler<'_>,
    mut down: Meddler<'_>,
) -> Went {
    let portion = if plan.low { 61 } else { usize::MAX };
    let (near, near_middle, near_tap) = wire(portion);
    let (far_middle, far, far_tap) = wire(portion);
    let mut client = pin!(async {
        let mut stream = client.connect(&world.client, near, NAME).await?;
        let session = stream.session().clone();
        let mut heard = Vec::new();
        let ended = async {
            stream.write_all(ASKED).await?;
            stream.close().await?;
            stream.read_to_end(&mut heard).await.map(drop)
        }
        .await;
        Ok((session, heard, ended))
    });
    let mut server = pin!(async {
        let mut stream = server.accept(&world.server, far).await?;
        let session = stream.session().clone();
        let mut heard = Vec::new();
        let ended = async {
            stream.read_to_end(&mut heard).await?;
            stream.write_all(&answer()).await?;
            stream.close().await
        }
        .await;
        Ok((session, heard, ended))
    });
    let mut middle = Some((near_middle, far_middle));
    let (mut client_went, mut server_went) = (None, None);
    // Each round moves something, or is the last but one: then the wires are cut.
    for round in 0.. {
        assert!(round < 100_000, "it goes on for ever");
        poll(&mut client, &mut client_went);
        poll(&mut server, &mut server_went);
        if client_went.is_some() && server_went.is_some() {
            break;
        }
        let Some((near, far)) = &mut middle else {
            assert!(
                round < 100_000 && client_went.is_some() | server_went.is_some(),
                "the wires are cut, and an end still waits"
            );
            continue;
        };
        let moved = up.pass(near, far) | down.pass(far, near);
        if !moved {
            middle = None;
            // Two more rounds are enough for anybody to notice.
            for _ in 0..2 {
                poll(&mut client, &mut client_went);
                poll(&mut server, &mut server_went);
            }
            assert!(
                client_went.is_some() && server_went.is_some(),
                "the wires are cut, and an end still waits"
            );
        }
    }
    Went { client: client_went.unwrap(), server: server_went.unwrap(), sent: sent(&near_tap, &far_tap) }
}

fn sent(near: &Tap, far: &Tap) -> (Vec<u8>, Vec<u8>) {
    (near.client_sent(), far.server_sent())
}

fn poll<F: Future>(future: &mut Pin<&mut F>, went: &mut Option<F::Output>) {
    if went.is_none()
        && let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    {
        *went = Some(output);
    }
}

/// Passes on what comes one way, and changes one record of it or a few.
struct Meddler<'a> {
    chance: Chance,
    recorded: &'a [Recorded],
    /// The records that are changed, by number.
    targets: Vec<usize>,
    seen: usize,
    /// What came, and is no whole record yet.
    unread: Vec<u8>,
    ready: VecDeque<u8>,
    /// A record that comes after the next.
    held: Option<Vec<u8>>,
    ended: bool,
    closed: bool,
}

impl<'a> Meddler<'a> {
    fn new(mut chance: Chance, recorded: &'a [Recorded]) -> Self {
        let targets =
            (0..chance.below(3)).map(|_| if chance.once_in(3) { chance.below(12) } else { chance.below(3) });
        let targets = targets.collect();
        Self { targets, chance, recorded, ..Self::honest() }
    }

    fn honest() -> Self {
        Self {
            chance: Chance::of(0, 0),
            recorded: &[],
            targets: Vec::new(),
            seen: 0,
            unread: Vec::new(),
            ready: VecDeque::new(),
            held: None,
            ended: false,
            closed: false,
        }
    }

    /// Whether anything moved.
    fn pass(&mut self, from: &mut End, to: &mut End) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut moved = false;
        let mut buffer = [0; 32 << 10];
        while !self.ended {
            match Pin::new(&mut *from).poll_read(&mut context, &mut buffer) {
                Poll::Ready(Ok(0) | Err(_)) => self.ended = true,
                Poll::Ready(Ok(count)) => self.unread.extend(&buffer[..count]),
                Poll::Pending => break,
            }
            moved = true;
        }
        while let Some(length) = record_length(&self.unread) {
            let record: Vec<u8> = self.unread.drain(..length).collect();
            self.on_record(record);
        }
        if self.ended {
            self.ready.extend(self.unread.drain(..).chain(self.held.take().into_iter().flatten()));
        }
        while !self.ready.is_empty() {
            let bytes = self.ready.make_contiguous();
            match Pin::new(&mut *to).poll_write(&mut context, bytes) {
                Poll::Ready(Ok(count)) => drop(self.ready.drain(..count)),
                Poll::Ready(Err(_)) | Poll::Pending => self.ready.clear(),
            }
            moved = true;
        }
        if self.ended && !self.closed {
            self.closed = true;
            moved = true;
            let _ = Pin::new(to).poll_close(&mut context);
        }
        moved
    }

    fn on_record(&mut self, mut record: Vec<u8>) {
        let number = self.seen;
        self.seen += 1;
        if let Some(held) = self.held.take() {
            self.ready.extend(record);
            self.ready.extend(held);
            return;
        }
        if !self.targets.contains(&number) {
            return self.ready.extend(record);
        }
        let chance = &mut self.chance;
        match chance.below(9) {
            0 => {}
            1 => self.ready.extend(record.repeat(2)),
            2 => self.held = Some(record),
            3 if record.len() > 6 => {
                // The same in two records (RFC 8446 5.1).
                let at = 6 + chance.below(record.len() - 6);
                for part in [&record[5..at], &record[at..]] {
                    self.ready.extend(&record[..3]);
                    self.ready.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
                    self.ready.extend(part);
                }
            }
            4 => {
                let other = chance.one_of(self.recorded);
                let other = chance.one_of(&other.records);
                self.ready.extend(other);
                self.ready.extend(record);
            }
            5 => {
                record[0] = 20 + chance.byte() % 6;
                self.ready.extend(record);
            }
            // Inside of the record, with a length that fits.
            6 | 7 => {
                let mut inside = record.split_off(5);
                chance.mutate(&mut inside, &[&[0, 0], &[0xff, 0xff], &[1, 0, 0, 0]]);
                inside.truncate(0xffff);
                record.truncate(3);
                record.extend(u16::try_from(inside.len()).unwrap().to_be_bytes());
                self.ready.extend(record.into_iter().chain(inside));
            }
            _ => {
                chance.mutate(&mut record, &[&[21, 3, 3, 0, 2, 2, 40], &[20, 3, 3, 0, 1, 1]]);
                self.ready.extend(record);
            }
        }
    }
}

/// The length of the record that `bytes` begin with, if all of it is there.
fn record_length(bytes: &[u8]) -> Option<usize> {
    let length = 5 + usize::from(u16::from_be_bytes([*bytes.get(3)?, *bytes.get(4)?]));
    (bytes.len() >= length).then_some(length)
}

/// What was sent and told on a connection with which nobody meddled.
struct Recorded {
    records: Vec<Vec<u8>>,
    /// Handshake messages as they are when they are decrypted, and whether the server sent them.
    messages: Vec<(bool, Vec<u8>)>,
}

impl Recorded {
    fn of(ca: &Ca, plan: Plan) -> Self {
        let world = World::new(7);
        let (client, server) = ends(ca, plan, &world);
        for _ in 0..1 + usize::from(plan.resumed) {
            let went = between(&world, &client, &server, plan, Meddler::honest(), Meddler::honest());
            went.check();
            assert!(went.whole(), "{:?}", went.ended());
        }
        let went = between(&world, &client, &server, plan, Meddler::honest(), Meddler::honest());
        let mut records = Vec::new();
        for mut flight in [went.sent.0, went.sent.1] {
            while let Some(length) = record_length(&flight) {
                records.push(flight.drain(..length).collect());
            }
        }
        let told = world.told(&world.client);
        let message = |event: Event| match event {
            Event::Tls(Tls::Message(message)) => {
                let by_server = message.from == glasstack_journal::event::Party::Server;
                Some((by_server, message.bytes.to_vec()))
            }
            _ => None,
        };
        let messages = told.into_iter().filter_map(message).collect();
        Self { records, messages }
    }
}

/// What `any_bytes` reads: steps of who sends what.
fn script(chance: &mut Chance, recorded: &[Recorded]) -> Vec<u8> {
    let one = chance.one_of(recorded);
    let mut script = vec![chance.byte()];
    let mut step = |kind: u8, bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(0xffff)];
        script.push(kind);
        script.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        script.extend(bytes);
    };
    if chance.once_in(3) {
        for record in one.records.iter().take(12) {
            let mut record = record.clone();
            if chance.once_in(4) {
                chance.mutate(&mut record, &[]);
            }
            step(chance.byte() & 0b111, &record);
            if chance.once_in(6) {
                step(8 | chance.byte() & 0xf1, &chance.bytes(64));
            }
        }
        return script;
    }
    for (by_server, message) in &one.messages {
        let mut message = message.clone();
        if chance.once_in(3) {
            chance.mutate(&mut message, &[&[0, 0], &[0xff, 0xff], &[0, 43, 0, 2, 3, 4]]);
        }
        if chance.once_in(10) {
            let other = chance.one_of(recorded);
            message = chance.one_of(&other.messages).1.clone();
        }
        let content = if chance.once_in(20) { chance.byte() & 3 } else { 2 };
        step(5 << 1 | u8::from(*by_server) | content << 4, &message);
    }
    script
}
