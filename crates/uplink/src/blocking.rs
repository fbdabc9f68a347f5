//! The stack for programs that block: connections as in `std::net`, over a world on a thread.
//!
//! ```text
//!    any thread          any thread                        glasstack-world
//!   +-------------+     +-----------------+              +------------------+
//!   | Host        |     | TcpStream: Read |   wakers     | TapWorld         |
//!   | connect ... |     |            Write| <----------> | runners, timers  |== TAP, wire
//!   +-------------+     +-----------------+   block_on   +------------------+
//! ```
//!
//! [`World`] runs the loop and ends it; [`Host`] and what it opens may be cloned, sent and shared,
//! and fail with [`NetworkDown`](io::ErrorKind::NetworkDown) once the world has ended. Errors are
//! `std::io::Error`s of the kind that the kernel's own sockets would give, with this stack's
//! explanation as their source. Names are not resolved here: give addresses, or
//! [`block_on`](Host::block_on) a resolver.
//!
//! ```no_run
//! use glasstack_uplink::UserNetConfig;
//! use glasstack_uplink::blocking::World;
//! use std::io::{Read, Write};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (_world, host) = World::on_user_net(UserNetConfig::default())?;
//! let mut stream = host.connect(([127, 0, 0, 1], 8000))?;
//! stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
//! let mut page = String::new();
//! stream.read_to_string(&mut page)?;
//! # Ok(()) }
//! ```

mod error;
mod tcp;
mod udp;

pub use error::StartError;
pub use tcp::{Incoming, TcpListener, TcpStream};
pub use udp::UdpSocket;

use crate::addressing::Addressing;
use crate::tap::{TapConfig, TapDevice};
use crate::thread::{WorldHandle, WorldThread};
use crate::user::{UserNet, UserNetConfig};
use crate::world::{TapWorld, WorldError};
use error::{IntoIo, network_down};
use glasstack_stack as stack;
use glasstack_stack::{ConnectOptions, ListenError, PingOptions, PingReply, World as _};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A running world. Dropping it ends the world: open connections get a second to say goodbye to
/// their peers, see [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct World {
    thread: Option<WorldThread>,
    handle: WorldHandle,
}

/// How long a world that is dropped waits for its peers' last acknowledgments.
const GOODBYE: Duration = Duration::from_secs(1);

impl World {
    /// Starts a world that has its hosts already; [`host`](Self::host) makes them block.
    pub fn start(world: TapWorld) -> io::Result<Self> {
        let thread = WorldThread::start(world)?;
        let handle = thread.handle();
        Ok(Self { thread: Some(thread), handle })
    }

    /// A world with one host, on a TAP or TUN of this machine.
    pub fn on_tap(config: &TapConfig) -> Result<(Self, Host), StartError> {
        Self::on_device(TapDevice::open(config)?)
    }

    /// A world with one host, on a device that is open already, as
    /// [`NetNs::tap`](crate::netns::NetNs::tap) opens it. The host's address is the one after the
    /// kernel's, and the kernel is its gateway.
    pub fn on_device(device: TapDevice) -> Result<(Self, Host), StartError> {
        let addressing = Addressing::choose(device.host_side(), None, None)?;
        let mut world = TapWorld::new()?;
        let host = world.add_host(addressing.host_config("me")?, device)?;
        let world = Self::start(world).map_err(StartError::Thread)?;
        let host = world.host(&host);
        Ok((world, host))
    }

    /// A world with one host, behind a gateway that carries what it asks for over the machine's own
    /// sockets: no privilege is needed, and nothing of the machine is changed. See
    /// [`user`](crate::user).
    pub fn on_user_net(config: UserNetConfig) -> Result<(Self, Host), StartError> {
        let mut world = TapWorld::new()?;
        let net = UserNet::join(&mut world, config)?;
        let world = Self::start(world).map_err(StartError::Thread)?;
        let host = world.host(net.host());
        Ok((world, host))
    }

    /// A blocking handle to a host of this world.
    pub fn host(&self, host: &stack::Host) -> Host {
        Host { reach: Reach { host: host.clone(), world: self.handle.clone() } }
    }

    /// Blocks the calling thread until `future` is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> io::Result<T> {
        self.handle.block_on(future).map_err(network_down)
    }

    /// Ends the world once every connection's FINs are acknowledged both ways, or after `limit`.
    /// Tells whether the network was quiet by then; or why the world had ended before.
    pub fn shutdown(mut self, limit: Duration) -> Result<bool, WorldError> {
        match self.thread.take() {
            Some(thread) => thread.stop()?.drain(limit),
            None => Ok(true),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
            && let Ok(mut world) = thread.stop()
        {
            // A device that fails now has nobody to tell.
            let _ = world.drain(GOODBYE);
        }
    }
}

/// A host on a network, for programs that block. Cheap to clone; clones are the same host.
#[derive(Clone, Debug)]
pub struct Host {
    reach: Reach,
}

impl Host {
    /// Opens a connection from an unpredictable port. It fails after 130 s, as on Linux.
    pub fn connect(&self, to: impl Into<SocketAddr>) -> io::Result<TcpStream> {
        self.connect_with(to.into(), &ConnectOptions::default())
    }

    /// Opens a connection, or gives up after `limit`.
    pub fn connect_timeout(&self, to: impl Into<SocketAddr>, limit: Duration) -> io::Result<TcpStream> {
        self.connect_with(to.into(), &ConnectOptions { timeout: limit, ..ConnectOptions::default() })
    }

    /// Opens a connection with options.
    pub fn connect_with(&self, to: SocketAddr, options: &ConnectOptions) -> io::Result<TcpStream> {
        let stream = self.block_on(self.reach.host.connect_with(to, options))?.map_err(IntoIo::into_io)?;
        Ok(TcpStream::new(stream, self.reach.clone()))
    }

    /// Accepts connections on `local`; its address may be unspecified, and its port 0 for one that
    /// is free.
    pub fn listen(&self, local: impl Into<SocketAddr>) -> io::Result<TcpListener> {
        let local = local.into();
        let listener = match local.port() {
            0 => self.listen_anywhere(local.ip()),
            _ => self.reach.host.listen(local),
        };
        Ok(TcpListener::new(listener.map_err(IntoIo::into_io)?, self.reach.clone()))
    }

    /// A UDP socket on `local`; its address may be unspecified, its port 0 for an unpredictable one.
    pub fn udp(&self, local: impl Into<SocketAddr>) -> io::Result<UdpSocket> {
        let socket = self.reach.host.udp(local.into()).map_err(IntoIo::into_io)?;
        Ok(UdpSocket::new(socket, self.reach.clone()))
    }

    /// Sends an ICMP echo request and waits a second for the reply.
    pub fn ping(&self, to: impl Into<IpAddr>) -> io::Result<PingReply> {
        self.ping_with(to, &PingOptions::default())
    }

    /// Sends an ICMP echo request with options and waits for the reply.
    pub fn ping_with(&self, to: impl Into<IpAddr>, options: &PingOptions) -> io::Result<PingReply> {
        self.block_on(self.reach.host.ping(to.into(), options))?.map_err(IntoIo::into_io)
    }

    /// The host's own address.
    pub fn address(&self) -> IpAddr {
        self.reach.host.address()
    }

    /// Blocks the calling thread until `future`, which may use [`host`](Self::host), is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> io::Result<T> {
        self.reach.world.block_on(future).map_err(network_down)
    }

    /// The same host for async code: a resolver, an HTTP client.
    pub fn host(&self) -> &stack::Host {
        &self.reach.host
    }

    fn listen_anywhere(&self, address: IpAddr) -> Result<stack::TcpListener, ListenError> {
        /// Ports are handed out in turn, so that one is not used again at once.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let mut outcome = Err(ListenError::PortZero);
        for _ in 0..EPHEMERAL_PORTS {
            let port = FIRST_EPHEMERAL_PORT + NEXT.fetch_add(1, Ordering::Relaxed) % EPHEMERAL_PORTS;
            outcome = self.reach.host.listen(SocketAddr::new(address, port));
            if !matches!(outcome, Err(ListenError::InUse(_))) {
                break;
            }
        }
        outcome
    }
}

/// RFC 6335 6: the dynamic ports.
const FIRST_EPHEMERAL_PORT: u16 = 49_152;
const EPHEMERAL_PORTS: u16 = 16_384;

/// What every blocking call needs: the host for its timers, the world to wait for.
#[derive(Clone)]
struct Reach {
    host: stack::Host,
    world: WorldHandle,
}

impl Reach {
    /// Waits for `future`, but no longer than `limit`.
    fn wait<T>(&self, limit: Option<Duration>, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let Some(limit) = limit else { return self.world.block_on(future).map_err(network_down)? };
        let outcome = self.world.block_on(self.host.timeout(limit, future)).map_err(network_down)?;
        outcome.unwrap_or_else(|elapsed| Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)))
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.host.address())
    }
}
