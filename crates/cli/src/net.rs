//! The network that a command runs on: the built-in lab, the user's own through this machine's
//! sockets, or a device of the operating system.

use crate::args::{NetChoice, NetOptions, WatchOptions};
use crate::capture::Captures;
use crate::dns_cache::{self, DnsCache};
use crate::dns_files::trust_anchors;
use crate::failure::{ExitWith, FAILED_INIT, coded, usage};
use crate::files::{self, read_bounded};
use crate::revocation_cache;
use crate::scene;
use crate::watch::{self, HERO};
use anyhow::{Context, bail};
use glasstack::dns::config::{DNS_PORT, Iterating};
use glasstack::dns::dnssec::TrustAnchors;
use glasstack::dns::{HostsFile, LocalZones, Override, ResolvConf, Resolver, ResolverConfig, RootHints};
use glasstack::journal::Note;
use glasstack::lab::Lab;
use glasstack::lab::run::Run;
use glasstack::stack::{DhcpOptions, Host, Lease, World};
use glasstack::tls::TrustStore;
use glasstack::tls::revocation::RevocationCache;
use glasstack::uplink::tap::Mode;
use glasstack::uplink::{Addressing, TapConfig, TapDevice, TapWorld, UserNet, UserNetConfig, WorldError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The largest hosts file, in bytes.
const LARGEST_HOSTS_FILE: u64 = 16 << 20;
/// How long a server of DHCP's may not answer ARP while its address is given back.
const GIVING_BACK: Duration = Duration::from_secs(4);
/// Longer than a TIME-WAIT in the lab.
const LAB_TIME_WAIT: Duration = Duration::from_secs(61);

/// A world with the user's own host in it.
pub(crate) struct Net {
    world: AnyWorld,
    /// The user's own host.
    pub(crate) host: Host,
    names: ResolverConfig,
    /// `--dns-cache`, and those whose caches are kept there.
    dns_cache: Option<PathBuf>,
    caches: RefCell<Vec<DnsCache>>,
    /// Which lab it is; empty if it is none. What is learnt in one must not be taken into another.
    lab_is: String,
    /// `--revocation-cache`, and what is in it.
    revocation: RefCell<BTreeMap<PathBuf, RevocationCache>>,
    /// The run that the lab is in, and where it is to be saved.
    saved: Option<(PathBuf, Run)>,
    /// Whether nothing of the journey is told, though nobody asked for silence.
    untold: bool,
}

enum AnyWorld {
    Lab(Box<Lab>),
    Real(Box<TapWorld>),
}

impl Net {
    /// Opens the network that the options name; `host` is whom the command is about, and decides
    /// for `auto`.
    pub(crate) fn open(
        options: &NetOptions,
        watch: &WatchOptions,
        host: Option<&str>,
        summary: bool,
    ) -> anyhow::Result<Self> {
        let lab = options.lab.means_the_lab().or(watch.means_the_lab());
        let choice = match &options.net {
            NetChoice::Auto if lab.is_some() => NetChoice::Lab,
            NetChoice::Auto => automatic(host),
            choice => choice.clone(),
        };
        let is_real = !matches!(choice, NetChoice::Lab | NetChoice::Auto);
        if is_real && options.lab.seed.is_some() {
            bail!(usage(
                "--seed is for the lab: on a real network nobody may be able to guess ports, ids and keys"
            ));
        }
        if let Some(option) = lab.filter(|_| is_real) {
            bail!(usage(format!("{option} is for the lab: no other network is the program's own")));
        }
        if options.dhcp {
            refuse_dhcp(options, &choice)?;
        }
        let mut net = match choice {
            NetChoice::User => Self::user(options, watch, summary),
            NetChoice::Device { mode, name } => {
                let config = TapConfig { name, mode, ..TapConfig::default() };
                Self::device(options, watch, summary, config)
            }
            NetChoice::Lab | NetChoice::Auto => Self::lab(options, watch, summary),
        }?;
        net.look_beyond(options)?;
        Ok(net)
    }

    fn new(world: AnyWorld, host: Host, names: ResolverConfig) -> Self {
        let (dns_cache, caches, lab_is) = (None, RefCell::default(), String::new());
        let revocation = RefCell::default();
        Self { world, host, names, dns_cache, caches, lab_is, revocation, saved: None, untold: false }
    }

    fn lab(options: &NetOptions, watch: &WatchOptions, summary: bool) -> anyhow::Result<Self> {
        if options.addr.is_some() || options.gateway.is_some() {
            bail!(usage("--addr and --gateway are for other networks: in the lab the addresses are given"));
        }
        let run = scene::of_options(&options.lab, options.dhcp, &watch.line)?;
        let mut net = Self::of_run(&run, watch, summary)?;
        net.save_as(watch.save.as_deref(), &run);
        net.look_up_as(options)?;
        Ok(net)
    }

    /// The lab as a run has it, before the first step.
    pub(crate) fn of_run(run: &Run, watch: &WatchOptions, summary: bool) -> anyhow::Result<Self> {
        let topology = scene::topology_of(run)?;
        let captures = Captures::choose(&watch.capture_at, &topology, run.client())?;
        let points = captures.points();
        let lab =
            scene::build(run, |journal| watch::attach_at(journal, watch, run.client(), points, summary))?;
        captures.begin(&lab);
        let host = lab.client.clone();
        let names = ResolverConfig { servers: vec![lab.name_server], ..ResolverConfig::default() };
        let untold = watch.untold && !watch.silent;
        let mut net = Self {
            untold,
            lab_is: scene::in_short(run),
            ..Self::new(AnyWorld::Lab(Box::new(lab)), host, names)
        };
        // Whether a command or the topology says that it has to ask.
        if net.host.address().is_unspecified() {
            let servers = net.lease()?.name_servers;
            if let (AnyWorld::Lab(lab), Some(first)) = (&mut net.world, servers.first()) {
                lab.name_server = (*first, DNS_PORT).into();
                net.names.servers = vec![lab.name_server];
            }
        }
        Ok(net)
    }

    /// Names are looked up as a command in the lab says it.
    pub(crate) fn look_up_as(&mut self, options: &NetOptions) -> anyhow::Result<()> {
        let AnyWorld::Lab(lab) = &self.world else { return Ok(()) };
        self.names.servers = vec![lab.name_server];
        self.names.hosts = match &options.hosts {
            Some(path) => hosts(path, &self.host)?,
            None => HostsFile::default(),
        };
        self.use_servers(&options.name_servers());
        self.look_beyond(options)
    }

    /// Whether there is somebody to ask at all, whether they are believed, and where it is kept what they say.
    fn look_beyond(&mut self, options: &NetOptions) -> anyhow::Result<()> {
        let hints = self.root_hints();
        let anchors = || match &options.trust_anchor {
            Some(path) => trust_anchors(path),
            None => Ok(self.trust_anchors()),
        };
        self.names.validate = options.validates().then(anchors).transpose()?;
        self.names.iterate = options.walks().then(|| Iterating { hints, ..Iterating::default() });
        self.dns_cache.clone_from(&options.dns_cache);
        Ok(())
    }

    /// In the end the run is saved there, if anywhere.
    pub(crate) fn save_as(&mut self, path: Option<&Path>, run: &Run) {
        self.saved = path.map(|path| (path.to_owned(), run.clone()));
    }

    /// The lab.
    pub(crate) fn the_lab(&mut self) -> anyhow::Result<&mut Lab> {
        match &mut self.world {
            AnyWorld::Lab(lab) => Ok(lab),
            AnyWorld::Real(_) => Err(usage("this can be done in the lab alone")),
        }
    }

    fn user(options: &NetOptions, watch: &WatchOptions, summary: bool) -> anyhow::Result<Self> {
        let mut world = TapWorld::new()?;
        watch::attach(world.journal(), watch, HERO, summary)?;
        world.catch_signals()?;
        let conf = resolv_conf();
        let named = options.name_servers();
        let servers = if named.is_empty() { conf.servers.clone() } else { named };
        let config = user_net(options, &servers)?;
        let gateway = config.gateway;
        let net = UserNet::join(&mut world, config)?;
        let names = ResolverConfig::from(&conf);
        let host = net.host().clone();
        let mut net = Self::new(AnyWorld::Real(Box::new(world)), host, names);
        net.names.hosts = hosts_of(options, &net.host)?;
        // The gateway asks servers that the stack has no address family for.
        let mut reachable: Vec<IpAddr> = servers.into_iter().filter(IpAddr::is_ipv4).collect();
        if reachable.is_empty() {
            reachable.push(gateway.into());
        }
        net.use_servers(&reachable);
        Ok(net)
    }

    /// A host behind the gateway whose ports can be published on this machine.
    pub(crate) fn behind_this_machine(
        watch: &WatchOptions,
        outgoing: Vec<IpAddr>,
    ) -> anyhow::Result<(Self, UserNet)> {
        let mut world = TapWorld::new()?;
        watch::attach(world.journal(), watch, HERO, false)?;
        world.catch_signals()?;
        // The gateway's address is to mean this machine's own programs, and nobody else.
        let config = UserNetConfig { outgoing, turn_strangers_away: true, ..UserNetConfig::default() };
        let user = UserNet::join(&mut world, config).context("--net host")?;
        let (host, names) = (user.host().clone(), ResolverConfig::default());
        Ok((Self::new(AnyWorld::Real(Box::new(world)), host, names), user))
    }

    fn device(
        options: &NetOptions,
        watch: &WatchOptions,
        summary: bool,
        config: TapConfig,
    ) -> anyhow::Result<Self> {
        let mut world = TapWorld::new()?;
        watch::attach(world.journal(), watch, HERO, summary)?;
        world.catch_signals()?;
        let config = match options.addr {
            Some(addr) => config.facing(addr, options.gateway),
            None => config,
        };
        let device = TapDevice::open(&config)?;
        let config = if options.dhcp {
            device.host_without_address(HERO)
        } else {
            Addressing::choose(device.host_side(), options.addr, options.gateway)?.host_config(HERO)?
        };
        let host = world.add_host(config, device)?;
        let conf = resolv_conf_beyond_loopback();
        let names = ResolverConfig { hosts: hosts_of(options, &host)?, ..(&conf).into() };
        let mut net = Self::new(AnyWorld::Real(Box::new(world)), host, names);
        if options.dhcp {
            let servers = net.lease()?.name_servers;
            net.use_servers(&servers.into_iter().map(IpAddr::from).collect::<Vec<_>>());
        }
        net.use_servers(&options.name_servers());
        Ok(net)
    }

    /// Asks for an address; without one there is no journey.
    fn lease(&mut self) -> anyhow::Result<Lease> {
        let host = self.host.clone();
        let lease = self.run(async move { host.dhcp(&DhcpOptions::default()).await });
        lease.and_then(|lease| Ok(lease?)).inspect_err(|_| {
            // What was tried is told and captured all the same.
            let _ = watch::finish(self.host.scope().journal());
        })
    }

    fn use_servers(&mut self, servers: &[IpAddr]) {
        if !servers.is_empty() {
            self.names.servers = servers.iter().map(|server| (*server, DNS_PORT).into()).collect();
        }
    }

    /// How names are turned into addresses, by the options.
    pub(crate) fn names(&self) -> ResolverConfig {
        self.names.clone()
    }

    /// Turns names into addresses, by the options and by `--resolve`.
    pub(crate) fn resolver(&self, overrides: &[String]) -> anyhow::Result<Resolver> {
        let overrides = overrides.iter().map(|text| text.parse::<Override>()).collect::<Result<_, _>>();
        let overrides = overrides.context("--resolve").exit_with(FAILED_INIT)?;
        self.resolver_with(ResolverConfig { overrides, ..self.names.clone() })
    }

    /// Turns names into addresses in this way; `--dns-cache` is its memory, if there is one.
    pub(crate) fn resolver_with(&self, config: ResolverConfig) -> anyhow::Result<Resolver> {
        let resolver = Resolver::new(self.host.clone(), config.clone());
        if let Some(path) = &self.dns_cache {
            // It may be the same file.
            self.save_caches()?;
            let provenance = dns_cache::provenance(&self.lab_is, &config);
            self.caches.borrow_mut().push(DnsCache::open(path, provenance, &resolver)?);
        }
        Ok(resolver)
    }

    /// What was fetched of revocation: what is in the file, if one is named, and later all that was fetched.
    pub(crate) fn revocation_cache(&self, path: Option<&Path>) -> anyhow::Result<RevocationCache> {
        let Some(path) = path else { return Ok(RevocationCache::default()) };
        let mut caches = self.revocation.borrow_mut();
        if let Some(cache) = caches.get(path) {
            return Ok(cache.clone());
        }
        let cache = revocation_cache::open(path, self.host.scope())?;
        caches.insert(path.to_owned(), cache.clone());
        Ok(cache)
    }

    fn save_caches(&self) -> anyhow::Result<()> {
        let names = self.caches.take().iter().try_for_each(DnsCache::save);
        let revocation = self.revocation.take();
        let revocation = revocation.iter().try_for_each(|(path, cache)| revocation_cache::save(path, cache));
        names.and(revocation)
    }

    /// Where the walk down begins where the user does not say it: the root servers of the lab, of the Internet.
    pub(crate) fn root_hints(&self) -> RootHints {
        match &self.world {
            AnyWorld::Lab(lab) => lab.root_hints.clone().unwrap_or_default(),
            AnyWorld::Real(_) => RootHints::iana(),
        }
    }

    /// Whether zones that mean another thing in every network are asked about: the lab's root knows them.
    pub(crate) fn local_zones(&self) -> LocalZones {
        match &self.world {
            AnyWorld::Lab(_) => LocalZones::Never,
            AnyWorld::Real(_) => LocalZones::default(),
        }
    }

    /// Whose keys to believe where the user does not say it: those of the lab's root, of the Internet's.
    pub(crate) fn trust_anchors(&self) -> TrustAnchors {
        match &self.world {
            AnyWorld::Lab(lab) => lab.trust_anchors.clone(),
            AnyWorld::Real(_) => TrustAnchors::iana(),
        }
    }

    /// Whom to believe where the user does not say it: the lab's authority, the system's.
    pub(crate) fn trust(&self) -> anyhow::Result<TrustStore> {
        match &self.world {
            AnyWorld::Lab(lab) => {
                Ok(TrustStore::from_pem(lab.ca_pem().as_bytes())?.from_origin("the lab's own root"))
            }
            AnyWorld::Real(_) => Ok(system_trust()),
        }
    }

    /// Drives the world until `future` is done.
    pub(crate) fn run<T>(&mut self, future: impl Future<Output = T>) -> anyhow::Result<T> {
        match &mut self.world {
            AnyWorld::Lab(lab) => Ok(lab.world.run(future)?),
            AnyWorld::Real(world) => world.run(future).map_err(interrupted),
        }
    }

    /// The same for what is meant to be interrupted, as a server is.
    pub(crate) fn until_interrupted(&mut self, future: impl Future<Output = ()>) -> anyhow::Result<()> {
        match &mut self.world {
            AnyWorld::Lab(lab) => Ok(lab.world.run(future)?),
            AnyWorld::Real(world) => match world.run(future) {
                Ok(()) | Err(WorldError::Interrupted { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// A whole journey: what `perform` does, and the end in order. The exit code is `perform`'s.
    pub(crate) fn journey(
        mut self,
        linger: bool,
        perform: impl FnOnce(&mut Self) -> anyhow::Result<u8>,
    ) -> anyhow::Result<ExitCode> {
        let performed = perform(&mut self);
        let ended = self.finish(linger);
        let code = performed?;
        ended?;
        Ok(code.into())
    }

    /// Ends the journey in order: connections closed, what is saved complete.
    pub(crate) fn end(&mut self, limit: Duration, linger: bool) -> anyhow::Result<()> {
        let settled = self.settle(limit);
        let finished = self.finish(linger);
        settled.and(finished)
    }

    /// Lets connections close, for as long as `limit`.
    pub(crate) fn settle(&mut self, limit: Duration) -> anyhow::Result<()> {
        let drained = match &mut self.world {
            AnyWorld::Lab(lab) => lab.world.drain(limit).map_err(anyhow::Error::from),
            AnyWorld::Real(world) => world.drain(limit).map_err(interrupted),
        };
        if let Ok(false) = drained {
            let open = self.host.flows().len();
            let text = format!("{open} connections had not closed after {} s", limit.as_secs());
            self.host.scope().record(|| Note::warning(text));
        }
        drained.map(drop)
    }

    /// The end: in the lab TIME-WAIT runs out, since time costs nothing there, on a device only with
    /// `linger`; and what is saved is complete.
    fn finish(&mut self, linger: bool) -> anyhow::Result<()> {
        let waited = self.wait_out_time_wait(linger);
        // Whoever pressed Ctrl-C does not wait for it.
        let _ = self.give_back();
        if let AnyWorld::Lab(lab) = &self.world {
            scene::conclude(&lab.faults, self.host.scope(), self.untold);
        }
        let finished = watch::finish(self.host.scope().journal());
        let cached = self.save_caches();
        let saved = self.save();
        waited?;
        finished?;
        cached?;
        saved
    }

    /// A lease that DHCP has got is given back: somebody else can have the address.
    fn give_back(&mut self) -> anyhow::Result<()> {
        if self.host.lease().is_none() {
            return Ok(());
        }
        let host = self.host.clone();
        self.run(async move { host.timeout(GIVING_BACK, host.release()).await.map(drop) })??;
        self.settle(GIVING_BACK)
    }

    /// `--save`.
    fn save(&mut self) -> anyhow::Result<()> {
        let Some((path, mut run)) = self.saved.take() else { return Ok(()) };
        // A run that is done again holds its files already.
        if !files::is_sandbox() {
            run.files = files::kept();
        }
        let cannot = || format!("--save: cannot write {}", path.display());
        files::replace_outside(&path, run.to_toml().as_bytes()).with_context(cannot)
    }

    fn wait_out_time_wait(&mut self, linger: bool) -> anyhow::Result<()> {
        let waiting = self.host.flows().len();
        if waiting == 0 {
            return Ok(());
        }
        let host = self.host.clone();
        match &self.world {
            AnyWorld::Lab(_) => self.run(host.sleep(LAB_TIME_WAIT)),
            AnyWorld::Real(_) if linger => self.run(async move {
                while !host.flows().is_empty() {
                    host.sleep(Duration::from_millis(250)).await;
                }
            }),
            AnyWorld::Real(_) => {
                let are = if waiting == 1 { "connection is" } else { "connections are" };
                let text = format!(
                    "{waiting} {are} in TIME-WAIT; the program does not wait for its end (--linger does)"
                );
                host.scope().record(|| Note::info(text));
                Ok(())
            }
        }
    }
}

/// Whom this machine believes.
pub(crate) fn system_trust() -> TrustStore {
    let system = rustls_native_certs::load_native_certs();
    let (trust, _unusable) = TrustStore::from_system(system.certs);
    trust.from_origin("this machine's store")
}

/// Names under .test belong to nobody (RFC 6761 6.2), so the lab has them.
fn automatic(host: Option<&str>) -> NetChoice {
    let name = host.unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    if name == "test" || name.ends_with(".test") { NetChoice::Lab } else { NetChoice::User }
}

/// A lease is asked for where somebody may give one, and by whom it is not told already.
fn refuse_dhcp(options: &NetOptions, choice: &NetChoice) -> anyhow::Result<()> {
    let why = match choice {
        NetChoice::User => {
            "with --net user both ends of the wire are the program's own, and it knows its address"
        }
        NetChoice::Device { mode: Mode::Tun, .. } => {
            "a TUN carries IP packets alone, and DHCP begins without an address"
        }
        _ if options.addr.is_some() || options.gateway.is_some() => {
            "--addr and --gateway say already what it would ask"
        }
        _ => return Ok(()),
    };
    Err(usage(format!("--dhcp: {why}")))
}

/// The network behind the gateway that the options describe.
fn user_net(options: &NetOptions, servers: &[IpAddr]) -> anyhow::Result<UserNetConfig> {
    let usual = UserNetConfig {
        client_name: HERO.to_owned(),
        name_servers: servers.iter().map(|server| (*server, DNS_PORT).into()).collect(),
        ..UserNetConfig::default()
    };
    let ipv4 = |option, address| match address {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => Err(usage(format!("{option} {address}: this stack speaks only IPv4 so far"))),
    };
    match (options.addr, options.gateway) {
        (None, None) => Ok(usual),
        (Some(own), Some(gateway)) => Ok(UserNetConfig {
            client: ipv4("--addr", own.address)?,
            prefix_len: own.prefix_len,
            gateway: ipv4("--gateway", gateway)?,
            ..usual
        }),
        _ => {
            Err(usage("with --net user --addr and --gateway go together: both ends of the wire are its own"))
        }
    }
}

fn resolv_conf() -> ResolvConf {
    ResolvConf::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

/// On a device this machine's loopback is out of reach. Where /etc/resolv.conf names nothing but
/// a stub there, systemd tells the servers behind it (systemd-resolved(8)).
fn resolv_conf_beyond_loopback() -> ResolvConf {
    let conf = resolv_conf();
    if !conf.servers.iter().all(IpAddr::is_loopback) {
        return conf;
    }
    let behind = std::fs::read_to_string("/run/systemd/resolve/resolv.conf").unwrap_or_default();
    let behind = ResolvConf::parse(&behind);
    if behind.servers.is_empty() { conf } else { behind }
}

/// The hosts file that the options name, or this machine's.
fn hosts_of(options: &NetOptions, host: &Host) -> anyhow::Result<HostsFile> {
    match &options.hosts {
        Some(path) => hosts(path, host),
        None => {
            let path = Path::new("/etc/hosts");
            if path.exists() { hosts(path, host) } else { Ok(HostsFile::default()) }
        }
    }
}

fn hosts(path: &Path, host: &Host) -> anyhow::Result<HostsFile> {
    let bytes = read_bounded(path, LARGEST_HOSTS_FILE)?;
    let hosts = HostsFile::parse_bytes(&bytes);
    for warning in hosts.warnings() {
        let text = format!("{}: {warning}", path.display());
        host.scope().record(|| Note::warning(text));
    }
    Ok(hosts)
}

/// A signal ends the program as it ends others: 128 and its number.
pub(crate) fn interrupted(error: WorldError) -> anyhow::Error {
    match &error {
        WorldError::Interrupted { signal } => coded(signal.exit_code(), error),
        _ => error.into(),
    }
}
