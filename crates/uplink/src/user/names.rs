//! The network's name server: questions go on to those that this machine asks, as they are.
//!
//! Nothing is read but the identifier (RFC 1035 4.1.1), so that only the answer to a question is
//! taken for it; what a question means is between the client and the server.

use super::gateway::{Gateway, NAME_SERVER_PORT, Seats};
use super::relay::relay;
use crate::os::datagram::ConnectedUdp;
use crate::os::tcp::OsTcpStream;
use glasstack_journal::event::{Gateway as Fact, Passage};
use glasstack_stack::{BindError, ListenError, TcpListener, TcpStream, UdpSocket};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long one server may keep silent before the next one is asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions under way.
const QUESTIONS: usize = 256;

/// Port 53 of the gateway.
pub(super) struct NameServer {
    gateway: Arc<Gateway>,
    socket: Arc<UdpSocket>,
    questions: Arc<Seats>,
    servers: Vec<SocketAddr>,
    /// The one that answered last: the next question goes there first.
    preferred: AtomicUsize,
}

/// The gateway cannot offer a name server: it has the port already.
#[derive(Debug, thiserror::Error)]
pub enum NameServerError {
    /// Its UDP port.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its TCP port.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// Offers the machine's name servers on port 53 of the gateway.
pub(super) fn serve(gateway: &Arc<Gateway>, servers: Vec<SocketAddr>) -> Result<(), NameServerError> {
    let here = SocketAddr::new(gateway.plan.gateway.into(), NAME_SERVER_PORT);
    let socket = Arc::new(gateway.host.udp(here)?);
    let listener = gateway.host.listen(here)?;
    let server = Arc::new(NameServer {
        gateway: Arc::clone(gateway),
        socket,
        questions: Seats::new(QUESTIONS),
        servers,
        preferred: AtomicUsize::new(0),
    });
    gateway.host.spawn(Arc::clone(&server).serve_datagrams());
    gateway.host.spawn(server.serve_connections(listener));
    Ok(())
}

impl NameServer {
    /// The servers, the one that answered last first.
    fn in_order(&self) -> impl Iterator<Item = (usize, SocketAddr)> {
        let first = self.preferred.load(Ordering::Relaxed);
        let order = (0..self.servers.len()).map(move |n| (first + n) % self.servers.len());
        order.filter_map(|index| Some((index, *self.servers.get(index)?)))
    }

    async fn serve_datagrams(self: Arc<Self>) {
        let mut buffer = vec![0; 65_536];
        loop {
            // An ICMP error about an earlier answer: whoever asked is gone.
            let Ok((length, from)) = self.socket.recv_from(&mut buffer).await else { continue };
            let question = buffer.get(..length).unwrap_or_default().to_vec();
            // More are lost, as on a wire, and asked again.
            let Some(seat) = self.questions.take() else { continue };
            let server = Arc::clone(&self);
            self.gateway.host.spawn(async move {
                let _seat = seat;
                server.pass_on(&question, from).await;
            });
        }
    }

    async fn pass_on(&self, question: &[u8], from: SocketAddr) {
        for (after, (index, server)) in self.in_order().enumerate() {
            self.gateway.tell(|| Fact::QuestionPassedOn { from, server, after });
            if let Some(answer) = self.ask(question, server).await {
                self.preferred.store(index, Ordering::Relaxed);
                let _ = self.socket.send_to(&answer, from).await;
                return;
            }
        }
        let why = match self.servers.len() {
            1 => "this machine's name server keeps silent".to_owned(),
            many => format!("all {many} name servers of this machine keep silent"),
        };
        self.gateway.tell(|| Fact::QuestionUnanswered { from, why });
    }

    /// What `server` answers; none if it keeps silent or cannot be reached.
    async fn ask(&self, question: &[u8], server: SocketAddr) -> Option<Vec<u8>> {
        let socket = ConnectedUdp::open(&self.gateway.reactor, server, self.gateway.outgoing(server)).ok()?;
        socket.send(question).ok()?;
        let answer = async {
            let mut buffer = vec![0; 65_536];
            loop {
                let length = socket.recv(&mut buffer).await.ok()?;
                let answer = buffer.get(..length)?;
                // RFC 5452 9.1: the same identifier. (The same ends, the kernel sees to.)
                if answer.get(..2).is_some_and(|id| Some(id) == question.get(..2)) {
                    return Some(answer.to_vec());
                }
            }
        };
        self.gateway.host.timeout(PATIENCE, answer).await.ok()?
    }

    async fn serve_connections(self: Arc<Self>, listener: TcpListener) {
        loop {
            let inside = listener.accept().await;
            match self.gateway.connections.take() {
                Some(seat) => {
                    let server = Arc::clone(&self);
                    self.gateway.host.spawn(async move {
                        let _seat = seat;
                        server.join(inside).await;
                    });
                }
                None => inside.abort(),
            }
        }
    }

    /// RFC 7766: questions over TCP go on over TCP.
    async fn join(&self, inside: TcpStream) {
        let passage = Passage::Tcp { from: inside.peer_addr(), to: inside.local_addr() };
        for (index, server) in self.in_order() {
            let attempt = OsTcpStream::connect(&self.gateway.reactor, server, self.gateway.outgoing(server));
            let Ok(Ok(outside)) = self.gateway.host.timeout(PATIENCE, attempt).await else { continue };
            self.preferred.store(index, Ordering::Relaxed);
            let via = outside.local_addr().ok();
            self.gateway.tell(|| Fact::Carried { passage, onward: Some(server), via });
            let outcome = relay(&self.gateway.host, &self.gateway.buffers, inside, outside).await;
            let (up, down) = (outcome.up, outcome.down);
            self.gateway.tell(|| Fact::Ended { passage, up, down, how: outcome.ending.to_string() });
            return;
        }
        let why = "no name server of this machine takes connections".to_owned();
        self.gateway.tell(|| Fact::QuestionUnanswered { from: inside.peer_addr(), why });
        inside.abort();
    }
}
