//! A world with a user-mode network, and servers of the operating system's for it to talk to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "the peers are the kernel's")]
#![allow(dead_code, reason = "each test binary uses its part")]

use glasstack_journal::Record;
use glasstack_journal::event::{Event, Gateway};
use glasstack_journal::journal::Recorder;
use glasstack_stack::{Host, TcpStream, World};
use glasstack_uplink::{TapWorld, UserNet, UserNetConfig};
use std::future::Future;
use std::net::{self, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A world in which a client sits behind a gateway.
pub(crate) struct Net {
    pub(crate) world: TapWorld,
    pub(crate) net: UserNet,
    told: Recorder,
}

impl Net {
    pub(crate) fn new() -> Self {
        Self::with(UserNetConfig::default())
    }

    pub(crate) fn with(config: UserNetConfig) -> Self {
        let mut world = TapWorld::new().unwrap();
        let told = Recorder::new();
        world.journal().attach(Box::new(Gist(told.clone())));
        let net = UserNet::join(&mut world, config).unwrap();
        Self { world, net, told }
    }

    pub(crate) fn host(&self) -> Host {
        self.net.host().clone()
    }

    /// Runs the world until `future` is done.
    pub(crate) fn run<T>(&mut self, future: impl Future<Output = T>) -> T {
        let host = self.host();
        self.world.run(host.timeout(LIMIT, future)).unwrap().expect("done in time")
    }

    /// The machine's `port`, by the gateway's address.
    pub(crate) fn machine(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.net.gateway(), port)
    }

    pub(crate) fn connect(&mut self, to: SocketAddr) -> TcpStream {
        let host = self.host();
        self.run(async move { host.connect(to).await.unwrap() })
    }

    /// What the gateway told.
    pub(crate) fn told(&self) -> Vec<Gateway> {
        let gist = |record: Record| match record.event {
            Event::Gateway(fact) => Some(fact),
            _ => None,
        };
        self.told.records().into_iter().filter_map(gist).collect()
    }
}

/// Keeps what gateways tell, and not every frame of a hundred megabytes.
struct Gist(Recorder);

impl glasstack_journal::Observer for Gist {
    fn observe(&mut self, record: &Record) {
        if matches!(record.event, Event::Gateway(_)) {
            self.0.observe(record);
        }
    }
}

/// A server of the kernel's on the loopback interface that serves `clients` connections, each on a
/// thread of its own.
pub(crate) fn server(
    clients: usize,
    serve: impl Fn(net::TcpStream) + Clone + Send + 'static,
) -> (u16, JoinHandle<()>) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let accept = |_| {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            stream.set_write_timeout(Some(LIMIT)).unwrap();
            let serve = serve.clone();
            thread::spawn(move || serve(stream))
        };
        let threads: Vec<_> = (0..clients).map(accept).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    (port, thread)
}

/// A port of the loopback interface on which nobody listens.
pub(crate) fn deserted_port() -> u16 {
    net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `length` bytes that are not all the same, from `offset` on.
pub(crate) fn pattern(offset: usize, length: usize) -> Vec<u8> {
    (offset..offset + length).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

/// FNV-1a, over as many pieces as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum(u64);

impl Sum {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}
