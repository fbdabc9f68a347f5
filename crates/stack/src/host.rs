//! The host: what programs touch.

use crate::device::FrameDevice;
use crate::environment::{Entropy, Environment};
use crate::error::{BindError, ConfigError, ConnectError, ListenError, PingError};
use crate::executor::Sleep;
use crate::ping::{PingOptions, PingReply};
use crate::route::{NoRoute, Route, RouteDecision};
use crate::runner::Runner;
use crate::tcp::{TcpListener, TcpStream};
use crate::udp::UdpSocket;
use glasstack_journal::event::{DropReason, FlowId, InterfaceId, MacAddress, TcpState};
use glasstack_journal::{Instant, Scope, SpanKind, WallTime};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a host is.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// Its name in the journal, as `client`.
    pub name: String,
    /// Its MAC address; ignored where the device has no link addresses.
    pub mac: MacAddress,
    /// Its IP address.
    pub address: IpAddr,
    /// The length of the network prefix, in bits.
    pub prefix_len: u8,
    /// Rows beside the one that the address makes.
    pub routes: Vec<Route>,
    /// How its TCP behaves.
    pub tcp: TcpConfig,
}

impl HostConfig {
    /// A host with a default gateway or none, and everything else as is usual.
    pub fn new(
        name: &str,
        mac: MacAddress,
        address: IpAddr,
        prefix_len: u8,
        gateway: Option<IpAddr>,
    ) -> Result<Self, ConfigError> {
        todo!()
    }
}

/// How a host's TCP behaves.
#[derive(Clone, Debug)]
pub struct TcpConfig {
    /// How long a connection closed by this side stays in TIME-WAIT (RFC 9293 3.6.1: twice the
    /// maximum segment lifetime). 60 s.
    pub time_wait: Duration,
    /// How long FIN-WAIT-2 may last once the application is gone. 60 s.
    pub fin_wait_2: Duration,
    /// Receive buffer of a connection, in bytes. 64 KiB.
    pub receive_buffer: usize,
    /// Send buffer of a connection, in bytes. 64 KiB.
    pub send_buffer: usize,
    /// How long data may stay unacknowledged before the connection fails (RFC 9293 3.8.3). 100 s.
    pub user_timeout: Duration,
    /// How long an acknowledgment may wait for company (RFC 9293 3.8.6.3). 10 ms.
    pub ack_delay: Option<Duration>,
    /// How many connections may wait to be accepted on a port. 1 024.
    pub backlog: usize,
    /// How many half-open connections a port may have; the oldest gives way. 1 024.
    pub half_open: usize,
}

impl Default for TcpConfig {
    fn default() -> Self {
        Self {
            time_wait: Duration::from_secs(60),
            fin_wait_2: Duration::from_secs(60),
            receive_buffer: 64 * 1024,
            send_buffer: 64 * 1024,
            user_timeout: Duration::from_secs(100),
            ack_delay: Some(Duration::from_millis(10)),
            backlog: 1024,
            half_open: 1024,
        }
    }
}

/// How one connection is opened.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// How long the handshake may take. 130 s, as long as Linux tries.
    pub timeout: Duration,
    /// How long an idle connection waits before asking whether the peer still lives; none: it does
    /// not ask.
    pub keep_alive: Option<Duration>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(130), keep_alive: None }
    }
}

/// A host on a network. Cheap to clone; clones are the same host, each speaking from the span it
/// was made for.
#[derive(Clone)]
pub struct Host {
    scope: Scope,
    env: Environment,
}

impl Host {
    /// A host behind `device`: the handle for programs, and the runner for the world.
    pub fn new<D: FrameDevice>(
        env: &Environment,
        config: HostConfig,
        device: D,
    ) -> Result<(Self, Runner<D>), ConfigError> {
        todo!()
    }

    /// Opens a connection (RFC 9293 3.9.1) from an unpredictable port.
    pub async fn connect(&self, to: SocketAddr) -> Result<TcpStream, ConnectError> {
        self.connect_with(to, &ConnectOptions::default()).await
    }

    /// Opens a connection with options. Dropping the future gives the attempt up.
    pub async fn connect_with(
        &self,
        to: SocketAddr,
        options: &ConnectOptions,
    ) -> Result<TcpStream, ConnectError> {
        todo!()
    }

    /// Accepts connections on `local`; its address may be unspecified.
    pub fn listen(&self, local: SocketAddr) -> Result<TcpListener, ListenError> {
        todo!()
    }

    /// A UDP socket on `local`; its address may be unspecified, its port 0 for an unpredictable one.
    pub fn udp(&self, local: SocketAddr) -> Result<UdpSocket, BindError> {
        todo!()
    }

    /// Sends an ICMP echo request and waits for the reply.
    pub async fn ping(&self, to: IpAddr, options: &PingOptions) -> Result<PingReply, PingError> {
        todo!()
    }

    /// Asks the routing table.
    pub fn route(&self, destination: IpAddr) -> Result<RouteDecision, NoRoute> {
        todo!()
    }

    /// The host's own address.
    pub fn address(&self) -> IpAddr {
        todo!()
    }

    /// The interface's number in the journal.
    pub fn interface(&self) -> InterfaceId {
        todo!()
    }

    /// The monotonic clock.
    pub fn now(&self) -> Instant {
        self.scope.now()
    }

    /// The wall clock.
    pub fn wall(&self) -> WallTime {
        self.scope.wall()
    }

    /// Random bytes: unpredictable in a real world, repeatable in a virtual one.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.env.entropy
    }

    /// Resolves `duration` from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.env.executor.sleep(duration)
    }

    /// Runs `future`, but no longer than `limit`.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Result<T, Elapsed> {
        todo!()
    }

    /// Runs `future` in the background.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.env.executor.spawn(future);
    }

    /// Opens a span below this handle's own; what the new handle does belongs to it. Close it with
    /// [`Scope::close`].
    #[must_use]
    pub fn span(&self, kind: SpanKind) -> Self {
        Self { scope: self.scope.enter(kind), ..self.clone() }
    }

    /// Where this handle speaks from.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Packets discarded so far, by reason.
    pub fn counters(&self) -> Counters {
        todo!()
    }

    /// The connections that exist now, TIME-WAIT included, oldest first.
    pub fn flows(&self) -> Vec<FlowInfo> {
        todo!()
    }
}

/// What passed a host and what was discarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Frames discarded, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

/// One connection, as `ss` would list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowInfo {
    /// Its number in the journal.
    pub flow: FlowId,
    /// This host's address and port.
    pub local: SocketAddr,
    /// The other end's.
    pub remote: SocketAddr,
    /// Its state.
    pub state: TcpState,
}

/// The time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not done within {} ms", limit.as_millis())]
pub struct Elapsed {
    /// How long it was given.
    pub limit: Duration,
}
