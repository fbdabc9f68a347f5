//! A client and a server, on one cable or with something between.

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_journal::event::MacAddress;
use glasstack_journal::journal::Recorder;
use glasstack_journal::{Event, Record};
use glasstack_sim::{Cable, CableHandle, RouterConfig, SimWorld};
use glasstack_stack::{Host, HostConfig, World};
use glasstack_views::{LadderOptions, Layer, ladder};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Two hosts and what is between them.
pub struct Two {
    pub world: SimWorld,
    pub recorder: Recorder,
    pub client: Host,
    pub server: Host,
    /// The cable at the server's end.
    pub cable: CableHandle,
}

/// How a host is, with everything as usual.
pub fn host(name: &str, number: u8, address: &str, gateway: Option<&str>) -> HostConfig {
    let gateway = gateway.map(|gateway| gateway.parse().unwrap());
    HostConfig::new(name, MacAddress(super::mac(number)), address.parse().unwrap(), 24, gateway).unwrap()
}

impl Two {
    /// `client` (10.0.0.1) and `server` (10.0.0.2) on one cable.
    pub fn on(seed: u64, cable: Cable) -> Self {
        Self::configured(seed, cable, |_| {})
    }

    /// The same with both hosts' configurations changed.
    pub fn configured(seed: u64, cable: Cable, change: impl Fn(&mut HostConfig)) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(seed).observe(recorder.clone()).build();
        let mut configs = [host("client", 1, "10.0.0.1", None), host("server", 2, "10.0.0.2", None)];
        configs.iter_mut().for_each(&change);
        let [client, server] = configs.map(|config| world.add_host(config).unwrap());
        let cable = world.connect(&client, &server, cable).unwrap();
        Self { world, recorder, client, server, cable }
    }

    /// `client` (10.0.1.2) and `server` (10.0.2.2) on two ports of `router` (10.0.1.1, 10.0.2.1).
    pub fn across(router: RouterConfig) -> Self {
        let recorder = Recorder::new();
        let mut world = SimWorld::builder(1).observe(recorder.clone()).build();
        let client = world.add_host(host("client", 1, "10.0.1.2", Some("10.0.1.1"))).unwrap();
        let server = world.add_host(host("server", 2, "10.0.2.2", Some("10.0.2.1"))).unwrap();
        let router = world.add_router("router", router).unwrap();
        world.connect(&client, (router, 0), Cable::new()).unwrap();
        let cable = world.connect((router, 1), &server, Cable::new()).unwrap();
        Self { world, recorder, client, server, cable }
    }

    /// Where the server listens.
    pub fn web(&self) -> SocketAddr {
        (self.server.address(), 80).into()
    }

    /// The server says back what it gets until the client's FIN, then closes; for every connection.
    pub fn echo(&self) {
        let listener = self.server.listen(self.web()).unwrap();
        let server = self.server.clone();
        self.server.spawn(async move {
            loop {
                let mut stream = listener.accept().await;
                server.spawn(async move {
                    let mut data = Vec::new();
                    if stream.read_to_end(&mut data).await.is_ok() && stream.write_all(&data).await.is_ok() {
                        let _ = stream.close().await;
                    }
                });
            }
        });
    }

    /// The client sends `data` to the echo and returns what comes back.
    pub fn talk(&mut self, data: &[u8]) -> io::Result<Vec<u8>> {
        let (client, to) = (self.client.clone(), self.web());
        let said = self.world.run(async move {
            let mut stream = client.connect(to).await.map_err(io::Error::other)?;
            stream.write_all(data).await?;
            stream.close().await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            Ok(answer)
        });
        said.unwrap()
    }

    /// What is told, as a ladder of `layers`.
    pub fn ladder(&self, layers: &[Layer]) -> String {
        ladder(&self.recorder.records(), &LadderOptions { local: false, ..LadderOptions::only(layers) })
    }

    /// How many events are such.
    pub fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        self.records().iter().filter(|record| is_such(&record.event)).count()
    }

    /// Everything told so far.
    pub fn records(&self) -> Vec<Record> {
        self.recorder.records()
    }

    /// Lets the connections end.
    pub fn drain(&mut self) {
        assert!(self.world.drain(Duration::from_secs(300)).unwrap(), "the network is quiet");
    }
}

/// Bytes that are not all the same.
pub fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// An address from text.
pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
