//! The host: what programs touch.

use crate::config::{Addressing, ConnectOptions, Counters, FlowInfo, HostConfig};
use crate::device::FrameDevice;
use crate::environment::{Entropy, Environment};
use crate::error::{BindError, ConfigError, ConnectError, ListenError, PingError};
use crate::executor::Sleep;
use crate::inner::core::Core;
use crate::inner::datagram::PingCall;
use crate::inner::shared::Shared;
use crate::inner::wire::Wire;
use crate::ping::{PingOptions, PingReply};
use crate::route::{NoRoute, Prefix, RouteDecision};
use crate::runner::Runner;
use crate::tcp::{TcpListener, TcpStream};
use crate::transit::{Transit, TransitError};
use crate::udp::UdpSocket;
use glasstack_journal::event::{InterfaceId, Link, Medium};
use glasstack_journal::{Instant, Scope, SpanKind, WallTime};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A host on a network. Cheap to clone; clones are the same host, each speaking from the span it
/// was made for.
#[derive(Clone)]
pub struct Host {
    shared: Arc<Shared>,
    scope: Scope,
    env: Environment,
    interface: InterfaceId,
}

impl Host {
    /// A host behind `device`: the handle for programs, and the runner for the world.
    pub fn new<D: FrameDevice>(
        env: &Environment,
        config: HostConfig,
        device: D,
    ) -> Result<(Self, Runner<D>), ConfigError> {
        let (medium, mtu, name) = (device.medium(), device.mtu(), device.name().to_owned());
        let checked = config.check(&name, mtu)?;
        let now = env.clock.now();
        let node = env.journal.node(now, &config.name);
        let scope = Scope::new(env.journal.clone(), Arc::clone(&env.clock), node);
        let interface = env.journal.next_interface();
        scope.record(|| Link::InterfaceUp {
            interface,
            name: name.clone(),
            medium,
            mtu: checked.mtu,
            mac: (medium == Medium::Ethernet).then_some(config.mac),
            address: config.address,
            prefix_len: config.prefix_len,
        });
        let entropy = Arc::clone(&env.entropy);
        let wire = Wire::new(scope.clone(), entropy, name, interface, medium, checked, config);
        let shared = Arc::new(Shared::new(Core::new(wire, now), env.executor.clone()));
        let host = Self { shared: Arc::clone(&shared), scope, env: env.clone(), interface };
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

    /// Takes what passes this host on its way to others: connections, datagrams and echo requests.
    /// For transparent hosts, and for one gateway at a time.
    pub fn transit(&self) -> Result<Transit, TransitError> {
        self.shared.touch(|core| core.begin_transit())?;
        Ok(Transit::new(self.clone()))
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

    /// The networks that the host is on itself: the rows without a gateway.
    pub fn networks(&self) -> Vec<Prefix> {
        self.shared.with(|core| {
            let rows = core.wire().routes.rows().iter();
            rows.filter(|row| row.via.is_none() && row.prefix != Prefix::DEFAULT)
                .map(|row| row.prefix)
                .collect()
        })
    }

    /// The host's own address; 0.0.0.0 as long as it has none.
    pub fn address(&self) -> IpAddr {
        self.shared.with(|core| core.wire().local.into())
    }

    /// Gives the host an address, or another one, while it runs. What lives by the old address
    /// ends with an error that says so, and listeners go on at the new one; if only the ways or the
    /// MTU change, connections go on, too.
    pub fn configure(&self, to: &Addressing) -> Result<(), ConfigError> {
        self.shared.touch(|core| {
            if core.has_dhcp() { Err(ConfigError::Dhcp) } else { core.configure(&self.scope, to, self.now()) }
        })
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

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
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

/// The time was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not done within {} ms", limit.as_millis())]
pub struct Elapsed {
    /// How long it was given.
    pub limit: Duration,
}
