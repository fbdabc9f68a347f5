//! The whole: a world with everybody in it, ready to be used.

use crate::fault::{CannotStrike, FaultSpec, InForce, Stage, install, pki_terms, signing_flaws};
use crate::pki::{Pki, PkiError, PkiTerms};
use crate::plan;
use crate::serve::{self, Running, ServiceError, Started};
use crate::signing::Signing;
use glasstack_dns::DnsName;
use glasstack_dns::RootHints;
use glasstack_dns::config::DNS_PORT;
use glasstack_dns::dnssec::TrustAnchors;
use glasstack_journal::{Journal, Observer};
use glasstack_sim::topology::{BadTopology, BuildError, HostAddress, Network, Topology};
use glasstack_sim::{CableHandle, SimWorld, fault::Fault};
use glasstack_stack::{DhcpOptions, Host, World};
use glasstack_tls::TrustStore;
use std::net::{IpAddr, SocketAddr};

/// The name of the user's own host in a topology, unless another is said.
pub const CLIENT: &str = "client";

/// The miniature Internet.
pub struct Lab {
    /// Everybody's world.
    pub world: SimWorld,
    /// Everybody by name.
    pub network: Network,
    /// The user's own host, called `client` unless another was said.
    pub client: Host,
    /// The first cable of the client.
    pub client_cable: CableHandle,
    /// The name server that the client asks. Where the topology has none it is the client itself, as
    /// resolv.conf(5) has it.
    pub name_server: SocketAddr,
    /// The certification authorities.
    pub pki: Pki,
    /// Whom a resolver in the lab trusts: the keys of its root zone.
    pub trust_anchors: TrustAnchors,
    /// Where a resolver in the lab begins: the servers of its root zone, if it has one.
    pub root_hints: Option<RootHints>,
    /// The faults.
    pub faults: InForce,
    client_name: String,
    zones: Vec<DnsName>,
    /// Serve for as long as they are held.
    _running: Running,
}

impl Lab {
    /// The usual lab. Same seed, same bytes.
    pub fn new(seed: u64) -> Result<Self, LabError> {
        Self::builder(seed).build()
    }

    /// A lab to be changed before it is built.
    pub fn builder(seed: u64) -> LabBuilder {
        Self::builder_in(SimWorld::new(seed))
    }

    /// A lab in a world made elsewhere, empty as yet: one with an epoch, limits or a source of
    /// randomness of its own.
    pub fn builder_in(world: SimWorld) -> LabBuilder {
        LabBuilder {
            world,
            topology: None,
            client: CLIENT.to_owned(),
            dhcp: false,
            edits: Vec::new(),
            pki: PkiTerms::default(),
            faults: Vec::new(),
            finally: Vec::new(),
        }
    }

    /// The host of this name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.network.host(name)
    }

    /// From now on this goes wrong, too.
    pub fn strike(&mut self, fault: FaultSpec) -> Result<(), LabError> {
        if let FaultSpec::Certificate(_) | FaultSpec::Signing(_) = fault {
            return Err(LabError::TooLate(fault.to_string()));
        }
        let Self { world, network, name_server, client_name, pki, zones, .. } = self;
        let stage = Stage { world, network, client: client_name, name_server: *name_server, pki, zones };
        self.faults.append(install(&[fault], stage)?);
        Ok(())
    }

    /// The lab's root certificate as PEM.
    pub fn ca_pem(&self) -> &str {
        self.pki.root_pem()
    }

    /// Whom the lab's client believes.
    pub fn trust(&self) -> Result<TrustStore, LabError> {
        Ok(self.pki.trust()?)
    }
}

impl AsMut<SimWorld> for Lab {
    fn as_mut(&mut self) -> &mut SimWorld {
        &mut self.world
    }
}

/// A lab before it is built.
pub struct LabBuilder {
    world: SimWorld,
    topology: Option<Topology>,
    client: String,
    dhcp: bool,
    edits: Vec<Edit>,
    pki: PkiTerms,
    faults: Vec<FaultSpec>,
    finally: Vec<Finally>,
}

/// A change of the topology before it is built.
type Edit = Box<dyn FnOnce(&mut Topology)>;

/// What is done when everybody is in place.
type Finally = Box<dyn FnOnce(&mut Lab) -> Result<(), LabError>>;

impl LabBuilder {
    /// The journal, for observers: attach them before the lab is built.
    pub fn journal(&self) -> &Journal {
        self.world.journal()
    }

    /// Attaches an observer.
    #[must_use]
    pub fn observe(self, observer: impl Observer + 'static) -> Self {
        self.journal().attach(Box::new(observer));
        self
    }

    /// Another topology than the usual one, [`plan::INTERNET`]. Its host `client` is the user's own;
    /// what its hosts serve is said in [words](crate::serve). A host with `address = "dhcp"` asks for one as
    /// soon as the world begins; the client asks when it is told to ([`Host::dhcp`]).
    #[must_use]
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Changes the topology before it is built.
    #[must_use]
    pub fn edit(mut self, edit: impl FnOnce(&mut Topology) + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Which host is the user's own; [`CLIENT`] if none is said.
    #[must_use]
    pub fn client(mut self, name: &str) -> Self {
        name.clone_into(&mut self.client);
        self
    }

    /// The client begins without an address: it has to ask for one ([`Host::dhcp`]).
    #[must_use]
    pub fn dhcp(mut self) -> Self {
        self.dhcp = true;
        self
    }

    /// Faults, each said as a sentence: see [`fault`](crate::fault).
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = FaultSpec>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// Puts a fault on the client's cable, in both directions.
    #[must_use]
    pub fn fault(self, fault: impl Fault + 'static) -> Self {
        self.finally(|lab| {
            lab.client_cable.add_fault(fault);
            Ok(())
        })
    }

    /// The MTU of the links of the data centre's router `hosting`, in bytes: larger packets with DF are
    /// refused by ICMP (RFC 1191), or, with `black_hole`, vanish.
    #[must_use]
    pub fn backbone_mtu(self, mtu: u16, black_hole: bool) -> Self {
        self.edit(move |topology| {
            if let Some(router) = topology.routers.get_mut("hosting") {
                router.ports.iter_mut().for_each(|port| port.mtu = Some(mtu));
                router.silent_when_too_big |= black_hole;
            }
        })
    }

    /// Changes the terms of the certification authorities.
    #[must_use]
    pub fn pki(mut self, change: impl FnOnce(&mut PkiTerms)) -> Self {
        change(&mut self.pki);
        self
    }

    /// Does something when everybody is in place and no time has passed, after whatever was said so
    /// before.
    #[must_use]
    pub fn finally(mut self, act: impl FnOnce(&mut Lab) -> Result<(), LabError> + 'static) -> Self {
        self.finally.push(Box::new(act));
        self
    }

    /// Puts everybody in place.
    pub fn build(self) -> Result<Lab, LabError> {
        let mut world = self.world;
        let mut topology = match self.topology {
            Some(topology) => topology,
            None => plan::internet()?,
        };
        for edit in self.edits {
            edit(&mut topology);
        }
        if let (true, Some(client)) = (self.dhcp, topology.hosts.get_mut(&self.client)) {
            (client.address, client.gateway) = (HostAddress::Dhcp, None);
            // No name leads to an address that nobody knows yet.
            client.names.clear();
        }
        let network = topology.build(&mut world)?;
        let name = self.client;
        let client = network.host(&name).cloned().ok_or_else(|| LabError::no_client(&name, &network))?;
        let cable = network.cables_of(&name).next();
        let (client_cable, _) = cable.ok_or_else(|| LabError::ClientUnplugged(name.clone()))?;
        let client_cable = client_cable.clone();
        let name_server = SocketAddr::new(name_server(&topology, &name, &client), DNS_PORT);
        let terms = pki_terms(self.pki, &self.faults);
        let pki = Pki::with(terms, world.environment("pki").entropy, world.wall())?;
        let mut seed = [0; 32];
        world.environment("dnssec").entropy.fill(&mut seed);
        let signing = Signing::new(seed, world.wall(), signing_flaws(&self.faults));
        let Started { running, zones, trust_anchors, root_hints } =
            serve::start(&topology, &network, &pki, signing)?;
        ask_for_addresses(&topology, &network, &name);
        let stage = Stage {
            world: &mut world,
            network: &network,
            client: &name,
            name_server,
            pki: &pki,
            zones: &zones,
        };
        let faults = install(&self.faults, stage)?;
        let mut lab = Lab {
            world,
            network,
            client,
            client_cable,
            name_server,
            pki,
            faults,
            client_name: name,
            zones,
            trust_anchors,
            root_hints,
            _running: running,
        };
        for act in self.finally {
            act(&mut lab)?;
        }
        Ok(lab)
    }
}

/// Every host that the topology gives no address begins to ask for one, and goes on until it has one; but
/// the client, of which that is a part of what it does.
fn ask_for_addresses(topology: &Topology, network: &Network, client: &str) {
    let is_without = |name: &str| topology.hosts.get(name).is_some_and(|it| it.address == HostAddress::Dhcp);
    for (_, host) in network.hosts().filter(|(name, _)| *name != client && is_without(name)) {
        let asking = host.clone();
        host.spawn(async move {
            // What comes of it is in the journal.
            let _ = asking.dhcp(&DhcpOptions { timeout: None, ..DhcpOptions::default() }).await;
        });
    }
}

/// Whom the client asks for names: whom the topology names, or the first that serves as `resolver`.
fn name_server(topology: &Topology, name: &str, client: &Host) -> IpAddr {
    let named = topology.hosts.get(name).and_then(|spec| spec.name_servers.first().copied());
    let resolvers = topology.hosts.values().filter(|spec| spec.serve.iter().any(|word| word == "resolver"));
    let mut addresses = resolvers.filter_map(|spec| match spec.address {
        HostAddress::Static(cidr) => Some(cidr.address),
        HostAddress::Dhcp => None,
    });
    named.or_else(|| addresses.next()).map_or(client.address(), IpAddr::V4)
}

/// The lab cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The usual topology cannot be read: a fault of the lab's own.
    #[error("the usual topology: {0}")]
    Topology(#[from] BadTopology),
    /// The topology cannot be built.
    #[error("the network: {0}")]
    Build(#[from] BuildError),
    /// Nobody is the user's own.
    #[error("the topology has no host called `{name}`, which is to be the user's own; {hosts}")]
    NoClient {
        /// What it is to be called.
        name: String,
        /// The hosts that there are, in words.
        hosts: String,
    },
    /// The client reaches nobody.
    #[error("the topology lays no cable to the host `{0}`: add [[cable]] between = [\"{0}\", ..]")]
    ClientUnplugged(String),
    /// What the hosts serve.
    #[error("what the hosts serve: {0}")]
    Service(#[from] ServiceError),
    /// The certificates.
    #[error("the lab's certificates: {0}")]
    Pki(#[from] PkiError),
    /// A fault has no place.
    #[error("the faults: {0}")]
    Fault(#[from] CannotStrike),
    /// Certificates and signatures are made before anything happens.
    #[error("`{0}`: it is signed already; such a fault is there from the beginning or not at all")]
    TooLate(String),
}

impl LabError {
    fn no_client(name: &str, network: &Network) -> Self {
        let hosts = network.hosts().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        let hosts = if hosts.is_empty() {
            format!("it has no host at all: write [host.{name}]")
        } else {
            format!("its hosts are: {hosts}")
        };
        Self::NoClient { name: name.to_owned(), hosts }
    }
}
