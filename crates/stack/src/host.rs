//! The host: what programs touch.

use crate::device::FrameDevice;
use crate::environment::{Entropy, Environment};
use crate::error::{BindError, ConfigError, ConnectError, ListenError, PingError};
use crate::executor::Sleep;
use crate::inner::core::Core;
use crate::inner::datagram::PingCall;
use crate::inner::shared::Shared;
use crate::inner::wire::Wire;
use crate::ping::{PingOptions, PingReply};
use crate::route::{NoRoute, Route, RouteDecision};
use crate::route::{Prefix, RouteTable};
use crate::runner::Runner;
use crate::tcp::{TcpListener, TcpStream};
use crate::udp::UdpSocket;
use glasstack_journal::event::{DropReason, FlowId, InterfaceId, Link, MacAddress, Medium, TcpState};
use glasstack_journal::{Instant, Scope, SpanKind, WallTime};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
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
        let link = prefix(own_address(address)?, prefix_len)?;
        let mut routes = Vec::new();
        if let Some(gateway) = gateway {
            let via = own_address(gateway)?;
            if !link.contains(via) {
                return Err(ConfigError::GatewayOffLink { gateway, link: link.to_string() });
            }
            routes.push(Route { prefix: Prefix::DEFAULT, via: Some(via), metric: 0 });
        }
        Ok(Self { name: name.to_owned(), mac, address, prefix_len, routes, tcp: TcpConfig::default() })
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
    shared: Arc<Shared>,
    scope: Scope,
    env: Environment,
    address: Ipv4Addr,
    interface: InterfaceId,
}

impl Host {
    /// A host behind `device`: the handle for programs, and the runner for the world.
    pub fn new<D: FrameDevice>(
        env: &Environment,
        config: HostConfig,
        device: D,
    ) -> Result<(Self, Runner<D>), ConfigError> {
        let address = own_address(config.address)?;
        let prefix = prefix(address, config.prefix_len)?;
        let (medium, mtu, name) = (device.medium(), device.mtu(), device.name().to_owned());
        if mtu < SMALLEST_MTU {
            return Err(ConfigError::Mtu(mtu));
        }
        let mut routes = RouteTable::new(&name, address, config.prefix_len)
            .ok_or(ConfigError::PrefixLength(config.prefix_len))?;
        for route in &config.routes {
            routes.add(*route);
        }
        let now = env.clock.now();
        let node = env.journal.node(now, &config.name);
        let scope = Scope::new(env.journal.clone(), Arc::clone(&env.clock), node);
        let interface = env.journal.next_interface();
        scope.record(|| Link::InterfaceUp {
            interface,
            name: name.clone(),
            medium,
            mtu,
            mac: (medium == Medium::Ethernet).then_some(config.mac),
            address: config.address,
            prefix_len: config.prefix_len,
        });
        let entropy = Arc::clone(&env.entropy);
        let wire = Wire::new(
            scope.clone(),
            entropy,
            name,
            interface,
            medium,
            mtu,
            config.mac,
            address,
            prefix,
            routes,
            config.tcp,
        );
        let shared = Arc::new(Shared::new(Core::new(wire, now), env.executor.clone()));
        let host = Self { shared: Arc::clone(&shared), scope, env: env.clone(), address, interface };
        Ok((host, Runner::new(shared, device)))
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
        let scope = self.scope.enter(SpanKind::Connection { remote: to });
        let begun = self.shared.touch(|core| core.connect(&scope, to, options, scope.now()));
        let (flow, local) = begun.inspect_err(|_| scope.close())?;
        // From here on, dropping the stream is what gives the attempt up.
        let stream = TcpStream::new(Arc::clone(&self.shared), local, to, flow, scope);
        let connected = std::future::poll_fn(|cx| self.shared.with(|core| core.poll_connected(flow, cx)));
        match self.timeout(options.timeout, connected).await {
            Ok(result) => result.map(|()| stream),
            Err(Elapsed { limit }) => Err(ConnectError::TimedOut { peer: to, after: limit }),
        }
    }

    /// Accepts connections on `local`; its address may be unspecified.
    pub fn listen(&self, local: SocketAddr) -> Result<TcpListener, ListenError> {
        let local = self.shared.touch(|core| core.listen(&self.scope, local))?;
        Ok(TcpListener::new(Arc::clone(&self.shared), local, self.scope.clone()))
    }

    /// A UDP socket on `local`; its address may be unspecified, its port 0 for an unpredictable one.
    pub fn udp(&self, local: SocketAddr) -> Result<UdpSocket, BindError> {
        let local = self.shared.touch(|core| core.bind_udp(&self.scope, local))?;
        Ok(UdpSocket::new(Arc::clone(&self.shared), local, self.scope.clone()))
    }

    /// Sends an ICMP echo request and waits for the reply.
    pub async fn ping(&self, to: IpAddr, options: &PingOptions) -> Result<PingReply, PingError> {
        if options.length > crate::ping::LARGEST_PAYLOAD {
            return Err(PingError::TooLong(options.length));
        }
        let scope = self.scope.enter(SpanKind::Ping { destination: to });
        let mut call = PingGuard {
            shared: &self.shared,
            call: PingCall { scope: scope.clone(), destination: to, ident: None, wait: None },
        };
        let reply = std::future::poll_fn(|cx| {
            self.shared.touch(|core| core.poll_ping(&mut call.call, options, cx, scope.now()))
        });
        let result = self
            .timeout(options.timeout, reply)
            .await
            .unwrap_or_else(|Elapsed { limit }| Err(PingError::TimedOut { destination: to, after: limit }));
        drop(call);
        scope.close();
        result
    }

    /// Asks the routing table.
    pub fn route(&self, destination: IpAddr) -> Result<RouteDecision, NoRoute> {
        self.shared.with(|core| core.route(&self.scope, destination))
    }

    /// The routing table, a line a row, as `0.0.0.0/0 via 10.0.0.1 dev eth0`.
    pub fn routes(&self) -> Vec<String> {
        self.shared.with(|core| {
            let table = &core.wire().routes;
            table.rows().iter().map(|row| table.describe(row)).collect()
        })
    }

    /// The host's own address.
    pub fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// The interface's number in the journal.
    pub fn interface(&self) -> InterfaceId {
        self.interface
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
        let mut future = pin!(future);
        let mut sleep = pin!(self.sleep(limit));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            sleep.as_mut().poll(cx).map(|()| Err(Elapsed { limit }))
        })
        .await
    }

    /// Runs `future` in the background.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.env.executor.spawn(future);
    }

    /// Opens a span below this handle's own; what the new handle does belongs to it. Close it with
    /// [`Scope::close`].
    #[must_use]
    pub fn span(&self, kind: SpanKind) -> Self {
        self.within(self.scope.enter(kind))
    }

    /// A handle that speaks from `scope`, which must be this host's.
    #[must_use]
    pub fn within(&self, scope: Scope) -> Self {
        Self { scope, ..self.clone() }
    }

    /// Where this handle speaks from.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What passed so far, and what was discarded, by reason.
    pub fn counters(&self) -> Counters {
        self.shared.with(|core| core.wire().counters.clone())
    }

    /// The connections that exist now, TIME-WAIT included, oldest first.
    pub fn flows(&self) -> Vec<FlowInfo> {
        self.shared.with(|core| core.flow_infos())
    }

    /// How many connections take up memory: those of [`flows`](Self::flows) but for TIME-WAIT, and
    /// those that are over and still in a program's hands.
    pub fn held_flows(&self) -> usize {
        self.shared.with(|core| core.held_flows())
    }
}

/// Forgets a ping that nobody waits for any more.
struct PingGuard<'a> {
    shared: &'a Shared,
    call: PingCall,
}

impl Drop for PingGuard<'_> {
    fn drop(&mut self) {
        if let Some(ident) = self.call.ident {
            self.shared.with(|core| core.forget_ping(ident));
        }
    }
}

/// RFC 791 3.2: every link carries packets of this size.
const SMALLEST_MTU: usize = 68;

fn own_address(address: IpAddr) -> Result<Ipv4Addr, ConfigError> {
    match address {
        IpAddr::V6(_) => Err(ConfigError::Ipv6(address)),
        IpAddr::V4(v4)
            if v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() || v4.is_loopback() =>
        {
            Err(ConfigError::Address(address))
        }
        IpAddr::V4(v4) => Ok(v4),
    }
}

fn prefix(address: Ipv4Addr, len: u8) -> Result<Prefix, ConfigError> {
    let prefix = Prefix::new(address, len).ok_or(ConfigError::PrefixLength(len))?;
    // RFC 1122 3.2.1.3: neither the network's own address nor its broadcast address is a host's.
    let is_network = len < 31 && address == prefix.network();
    if is_network || Some(address) == prefix.broadcast() {
        return Err(ConfigError::Address(address.into()));
    }
    Ok(prefix)
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
