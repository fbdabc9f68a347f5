//! What the examples share: `--net lab|user|host|tap` chosen on the command line, and the rest of the line.

pub mod tls_options;

use anyhow::{Context, bail};
use glasstack::dns::{HostsFile, ResolvConf, Resolver, ResolverConfig};
use glasstack::lab::Lab;
use glasstack::stack::{Host, World};
use glasstack::tls::{TlsClient, TlsClientConfig, TrustStore};
use glasstack::uplink::{Addressing, TapConfig, TapDevice, TapWorld, UserNet, UserNetConfig};
use glasstack::web::{Client, ClientConfig};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

/// A world with one host of ours in it.
pub struct Net {
    world: AnyWorld,
    /// Our host.
    pub host: Host,
    /// How names are resolved there.
    pub names: ResolverConfig,
    /// Whose certificates are believed there.
    pub trust: TrustStore,
    /// The words of the command line that are not `--net`.
    pub args: Vec<String>,
    /// With `--net host`: where this machine listens for port 8080 of our host.
    pub published: Option<SocketAddr>,
}

enum AnyWorld {
    Lab(Box<Lab>),
    Real(Box<TapWorld>),
}

impl Net {
    /// Reads the command line: `--net lab` (the default), `--net user`, `--net host` or `--net tap`,
    /// then arguments.
    pub fn from_args() -> anyhow::Result<Self> {
        let mut args: Vec<String> = std::env::args().skip(1).collect();
        let choice = match args.iter().position(|arg| arg == "--net") {
            Some(at) if at + 1 < args.len() => args.drain(at..at + 2).next_back(),
            Some(_) => bail!("--net needs a word: lab, user, host or tap"),
            None => None,
        };
        match choice.as_deref() {
            None | Some("lab") => Self::lab(args),
            Some("user") => Self::user(args),
            Some("host") => Self::host(args),
            Some("tap") => Self::tap(args),
            Some(other) => bail!("--net {other}: lab, user, host and tap are what there is"),
        }
    }

    fn lab(args: Vec<String>) -> anyhow::Result<Self> {
        let lab = Lab::new(1)?;
        let host = lab.client.clone();
        let trust = TrustStore::from_pem(lab.ca_pem().as_bytes())?;
        let names = ResolverConfig { servers: vec![lab.name_server], ..ResolverConfig::default() };
        Ok(Self { world: AnyWorld::Lab(Box::new(lab)), host, names, trust, args, published: None })
    }

    fn user(args: Vec<String>) -> anyhow::Result<Self> {
        let mut world = TapWorld::new()?;
        let host = UserNet::join(&mut world, UserNetConfig::default())?.host().clone();
        Ok(Self::real(world, host, args))
    }

    /// `user` with a published port: the first argument says where this machine listens.
    fn host(args: Vec<String>) -> anyhow::Result<Self> {
        let mut world = TapWorld::new()?;
        let net = UserNet::join(&mut world, UserNetConfig::default())?;
        let on = args.first().map_or("127.0.0.1:8080", String::as_str);
        let on = on.parse().with_context(|| format!("{on} is no address with a port"))?;
        let published = Some(net.publish_tcp(on, 8080)?);
        Ok(Self { published, ..Self::real(world, net.host().clone(), args) })
    }

    fn tap(args: Vec<String>) -> anyhow::Result<Self> {
        let device = TapDevice::open(&TapConfig::default())?;
        let addressing = Addressing::choose(device.host_side(), None, None)?;
        let mut world = TapWorld::new()?;
        let host = world.add_host(addressing.host_config("me")?, device)?;
        Ok(Self::real(world, host, args))
    }

    /// In the real world names are what this machine takes them for; no certificate is believed.
    fn real(world: TapWorld, host: Host, args: Vec<String>) -> Self {
        let conf = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let hosts = HostsFile::parse(&std::fs::read_to_string("/etc/hosts").unwrap_or_default());
        let names = ResolverConfig { hosts, ..ResolverConfig::from(&ResolvConf::parse(&conf)) };
        let (world, trust) = (AnyWorld::Real(Box::new(world)), TrustStore::empty());
        Self { world, host, names, trust, args, published: None }
    }

    /// Whether the world is the virtual one.
    pub fn is_lab(&self) -> bool {
        matches!(self.world, AnyWorld::Lab(_))
    }

    /// The first argument, or what to do without one.
    pub fn arg_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.args.first().map_or(default, String::as_str)
    }

    /// Drives the world until `future` is done, then lets the connections close.
    pub fn run<T>(&mut self, future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let goodbye = Duration::from_secs(5);
        match &mut self.world {
            AnyWorld::Lab(lab) => {
                let result = lab.world.run(future)?;
                lab.world.drain(goodbye)?;
                result
            }
            AnyWorld::Real(world) => {
                let result = world.run(future)?;
                world.drain(goodbye)?;
                result
            }
        }
    }

    /// A resolver on our host.
    pub fn resolver(&self) -> Resolver {
        Resolver::new(self.host.clone(), self.names.clone())
    }

    /// An HTTP client on our host.
    pub fn client(&self) -> anyhow::Result<Client> {
        let tls = TlsClientConfig::new(self.trust.clone());
        let tls = TlsClient::new(self.host.entropy(), self.host.scope().clock(), tls).context("TLS")?;
        let config = ClientConfig { follow: true, ..ClientConfig::new(self.resolver(), tls) };
        Ok(Client::new(&self.host, config))
    }
}
