//! The server's connections (RFC 7766).

use super::request::{Begun, Outcome, Over};
use super::respond::Responder;
use super::transfer::Outgoing;
use crate::framing::write_message;
use futures_util::future::Fuse;
use futures_util::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, WriteHalf};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::{FutureExt, select_biased};
use glasstack_journal::Instant;
use glasstack_journal::event::Withheld;
use glasstack_stack::{Host, TcpListener, TcpStream};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

/// Serves connections, each on its own: a slow one holds nobody up.
pub(super) async fn serve_connections(host: Host, listener: TcpListener, responder: Arc<Responder>) {
    let mut serving = FuturesUnordered::new();
    loop {
        if serving.len() >= responder.options.limits.connections_at_once {
            serving.next().await;
        }
        let stream = select_biased! {
            () = serving.select_next_some() => continue,
            stream = listener.accept().fuse() => stream,
        };
        let Some(permit) = responder.admit(stream.peer_addr()) else {
            stream.abort();
            continue;
        };
        let open = serving.len() + 1;
        let (host, responder) = (&host, &responder);
        serving.push(async move {
            let client = stream.peer_addr();
            if let Err(why) = Connection::new(host, responder, stream, open).serve().await {
                responder.disconnect(client, why);
            }
            drop(permit);
        });
    }
}

/// A connection: a client may ask many questions without waiting, and each is answered as soon as its
/// answer is known, in whatever order (RFC 7766 6.2.1.1, 7).
struct Connection<'a> {
    host: &'a Host,
    responder: &'a Responder,
    client: SocketAddr,
    stream: TcpStream,
    /// How many connections there were when it began, itself included.
    open: usize,
}

/// Answers that have been found out while another was on its way to the client.
#[derive(Default)]
struct Ready {
    outcomes: VecDeque<Outcome>,
    /// Of all responses, in bytes.
    length: usize,
}

/// How long those may be before no more are looked for, in bytes.
const MOST_READY: usize = 256 * 1024;

/// How much room is made for a message at a time, in bytes; queries are far shorter.
const PIECE: usize = 1024;

/// A message as it comes in.
#[derive(Default)]
struct Incoming {
    length: [u8; 2],
    message: Vec<u8>,
    /// Bytes that are here, the length's own included.
    here: usize,
}

impl<'a> Connection<'a> {
    fn new(host: &'a Host, responder: &'a Responder, stream: TcpStream, open: usize) -> Self {
        let client = stream.peer_addr();
        Self { host, responder, client, stream, open }
    }

    /// Serves it until its client ends it, or there is a reason to.
    async fn serve(self) -> Result<(), Withheld> {
        let Self { host, responder, client, stream, open } = self;
        let limits = &responder.options.limits;
        let idle = limits.idle_with(open);
        let born = host.now();
        let mut used = born;
        // When the message began that is coming in.
        let mut begun = born;
        let (mut reader, mut writer) = stream.split();
        let mut incoming = Incoming::default();
        let mut answering = FuturesUnordered::new();
        let mut ready = Ready::default();
        let mut ended = false;
        while !ended || !answering.is_empty() || !ready.is_empty() {
            // RFC 7766 6.2.3: as long as an answer is under way, the connection is in use.
            let (until, why) = match () {
                () if incoming.here > 0 => (begun + limits.message, Withheld::Slow),
                () if answering.is_empty() => (used + idle, Withheld::Idle),
                () => (Instant::MAX, Withheld::TooOld),
            };
            let oldest = born + limits.connection;
            let (until, why) = if oldest < until { (oldest, Withheld::TooOld) } else { (until, why) };
            let may_read = !ended && answering.len() + ready.outcomes.len() < limits.pipelined;
            if incoming.here == 0 {
                begun = host.now();
            }
            let outcome = if let Some(outcome) = ready.pop() {
                Some(outcome)
            } else {
                let reading = if may_read { incoming.fill(&mut reader).fuse() } else { Fuse::terminated() };
                let mut reading = pin!(reading);
                let mut time_is_up = pin!(host.sleep(until.since(host.now())).fuse());
                select_biased! {
                    outcome = answering.select_next_some() => Some(outcome),
                    read = reading => {
                        ended = !matches!(read, Ok(true));
                        None
                    }
                    () = time_is_up => return Err(why),
                }
            };
            used = host.now();
            let outcome = match outcome {
                Some(outcome) => outcome,
                None => {
                    let Some(request) = incoming.take() else { continue };
                    match responder.begin(&request, client, Over::Tcp { idle }) {
                        Begun::Done(outcome) => outcome,
                        Begun::Waiting(query) => {
                            answering.push(responder.answer(query));
                            continue;
                        }
                        Begun::Transfer(zone) => {
                            let sending = send_zone(host, responder, &mut writer, zone);
                            ready.fill_during(sending, &mut answering).await?;
                            continue;
                        }
                    }
                }
            };
            match outcome {
                Outcome::Send(response) => {
                    let sending = send(host, responder, &mut writer, &response);
                    ready.fill_during(sending, &mut answering).await?;
                }
                Outcome::Silence => {}
                // What follows makes no sense; who gets no answer at all waits no longer.
                Outcome::End => return Ok(()),
            }
        }
        let _ = writer.close().await;
        Ok(())
    }
}

impl Ready {
    fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    fn pop(&mut self) -> Option<Outcome> {
        let outcome = self.outcomes.pop_front()?;
        self.length -= outcome.length();
        Some(outcome)
    }

    /// Does one thing, and takes in what is found out meanwhile. Lookups that nobody drove would look as if the
    /// servers that they ask were slow, for all clients, as often as one of these did not read.
    async fn fill_during<T, F>(&mut self, doing: T, answering: &mut FuturesUnordered<F>) -> T::Output
    where
        T: Future,
        F: Future<Output = Outcome>,
    {
        let mut doing = pin!(doing.fuse());
        while self.length < MOST_READY {
            select_biased! {
                done = doing => return done,
                outcome = answering.select_next_some() => {
                    self.length += outcome.length();
                    self.outcomes.push_back(outcome);
                }
            }
        }
        doing.await
    }
}

async fn send(
    host: &Host,
    responder: &Responder,
    writer: &mut WriteHalf<TcpStream>,
    message: &[u8],
) -> Result<(), Withheld> {
    match host.timeout(responder.options.limits.message, write_message(writer, message)).await {
        Ok(Ok(())) => Ok(()),
        // The connection is broken, which whoever reads it finds out.
        Ok(Err(_)) => Ok(()),
        Err(_) => Err(Withheld::Slow),
    }
}

async fn send_zone(
    host: &Host,
    responder: &Responder,
    writer: &mut WriteHalf<TcpStream>,
    mut zone: Outgoing<'_>,
) -> Result<(), Withheld> {
    while let Some(message) = zone.next() {
        let message = message.map_err(|_| Withheld::Unwritable)?;
        send(host, responder, writer, &message).await?;
    }
    Ok(())
}

impl Incoming {
    /// Reads on until a byte has come at least; false at the stream's end. Nothing is lost if this is
    /// dropped before it is done.
    async fn fill<R: AsyncRead + Unpin>(&mut self, reader: &mut R) -> io::Result<bool> {
        let into = match self.here {
            here @ (0 | 1) => self.length.get_mut(here..),
            here => {
                let length = usize::from(u16::from_be_bytes(self.length));
                // As it comes, not as its sender says it will.
                self.message.resize(length.min(here - 2 + PIECE), 0);
                self.message.get_mut(here - 2..)
            }
        };
        let count = reader.read(into.unwrap_or_default()).await?;
        self.here += count;
        Ok(count > 0)
    }

    /// The message, if all of it is here.
    fn take(&mut self) -> Option<Vec<u8>> {
        let length = usize::from(u16::from_be_bytes(self.length));
        if self.here < 2 + length {
            return None;
        }
        let message = std::mem::take(&mut self.message);
        *self = Self::default();
        Some(message)
    }
}
