//! The whole: a world with everybody in it, ready to be used.

use crate::names::zones;
use crate::odd_server;
use crate::pki::{Pki, PkiError, PkiTerms};
use crate::plan::{self, Network, PlanError, Terms};
use crate::web_server::{self, WebServerError, service};
use glasstack_dns::server::{NameServer, ServeError, ZoneError, serve};
use glasstack_journal::{Journal, Observer};
use glasstack_sim::{Cable, CableHandle, SimWorld, fault::Fault};
use glasstack_stack::{Host, ListenError, World};
use glasstack_tls::TrustStore;
use std::net::SocketAddr;

/// The miniature Internet.
pub struct Lab {
    /// Everybody's world.
    pub world: SimWorld,
    /// The user's own host, called `client`.
    pub client: Host,
    /// The cable between the client (its first end) and the switch: the place for faults.
    pub client_cable: CableHandle,
    /// The name server that the client is configured with.
    pub name_server: SocketAddr,
    /// The web server's host.
    pub web: Host,
    /// The certification authorities.
    pub pki: Pki,
    /// Serves for as long as it is held.
    _names: NameServer,
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
        let terms = Terms { client_cable: Cable::new(), backbone_mtu: 1500, black_hole: false };
        LabBuilder { world, terms, pki: PkiTerms::default(), finally: Vec::new() }
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
    terms: Terms,
    pki: PkiTerms,
    finally: Vec<Finally>,
}

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

    /// The cable between the client (its first end) and the switch, faults included.
    #[must_use]
    pub fn client_cable(mut self, cable: Cable) -> Self {
        self.terms.client_cable = cable;
        self
    }

    /// Puts a fault on the client's cable, in both directions.
    #[must_use]
    pub fn fault(mut self, fault: impl Fault + 'static) -> Self {
        self.terms.client_cable = self.terms.client_cable.fault(fault);
        self
    }

    /// The MTU of the gateway's links, in bytes: larger packets with DF are refused by ICMP
    /// (RFC 1191), or, with `black_hole`, vanish.
    #[must_use]
    pub fn backbone_mtu(mut self, mtu: usize, black_hole: bool) -> Self {
        self.terms.backbone_mtu = mtu;
        self.terms.black_hole = black_hole;
        self
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
        let pki = Pki::with(self.pki, world.environment("pki").entropy, world.wall())?;
        let Network { client, client_cable, name_server, web, odd } = plan::build(&mut world, self.terms)?;
        let address = SocketAddr::new(plan::NAME_SERVER.into(), glasstack_dns::config::DNS_PORT);
        let names = serve(&name_server, address, zones()?)?;
        web_server::start(&web, &pki)?;
        for port in [80, 443] {
            let service = service(&odd, "odd", port)?;
            let host = service.host.clone();
            service.host.spawn(odd_server::listen(host, service.listener));
        }
        let mut lab = Lab { world, client, client_cable, name_server: address, web, pki, _names: names };
        for act in self.finally {
            act(&mut lab)?;
        }
        Ok(lab)
    }
}

/// The lab cannot be built: a fault of its own, never of its user.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The network.
    #[error("the lab's network: {0}")]
    Plan(#[from] PlanError),
    /// The certificates.
    #[error("the lab's certificates: {0}")]
    Pki(#[from] PkiError),
    /// The zone.
    #[error("the lab's zone: {0}")]
    Zone(#[from] ZoneError),
    /// The name server.
    #[error("the lab's name server: {0}")]
    Names(#[from] ServeError),
    /// The web server.
    #[error("the lab's web server: {0}")]
    Web(#[from] WebServerError),
    /// The server that misbehaves.
    #[error("the lab's odd server: {0}")]
    Odd(#[from] ListenError),
}
