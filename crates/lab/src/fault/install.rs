//! Puts faults into a lab that has been built.

use super::attackers;
use super::meaning;
use super::reader::distance;
use super::spec::{
    AuthorityFlaw, CableFault, CertificateFault, FaultSpec, Frames, Heading, Kill, Kind, LeafFlaw, Mishap,
    Place, SigningFault, SigningFlaw, Thing, Unplug, Victims, Which,
};
use crate::pki::{Flaw, Pki, PkiTerms, Validity};
use glasstack_dns::DnsName;
use glasstack_journal::event::{Event, Note};
use glasstack_journal::{Instant, Scope};
use glasstack_sim::topology::Network;
use glasstack_sim::{CableHandle, SimWorld, TopologyError, Way};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A network in which faults may strike: what [`install`] has to know about it.
pub struct Stage<'a> {
    /// The world. Attackers are added to it.
    pub world: &'a mut SimWorld,
    /// Everybody in it.
    pub network: &'a Network,
    /// The name of the user's own host.
    pub client: &'a str,
    /// The name server that the client is configured with.
    pub name_server: SocketAddr,
    /// The authorities, which have given every server its certificate.
    pub pki: &'a Pki,
    /// The zones that name servers have authority over.
    pub zones: &'a [DnsName],
}

/// The terms of the authorities and, on top of them, what the certificate faults ask for; all other faults
/// are passed over.
pub fn pki_terms(mut terms: PkiTerms, faults: &[FaultSpec]) -> PkiTerms {
    for fault in faults {
        if let FaultSpec::Certificate(certificate) = fault {
            add_term(&mut terms, certificate);
        }
    }
    terms
}

fn add_term(terms: &mut PkiTerms, certificate: &CertificateFault) {
    match certificate {
        CertificateFault::Intermediate(flaw) => match flaw {
            AuthorityFlaw::Expired => terms.intermediate = Validity::Expired,
            AuthorityFlaw::NotYetValid => terms.intermediate = Validity::NotYetValid,
            AuthorityFlaw::Revoked => terms.revoke_intermediate = true,
            AuthorityFlaw::Omitted => terms.omit_intermediate = true,
        },
        CertificateFault::Leaf { name, flaw } => {
            let flaw = match flaw {
                LeafFlaw::Revoked => {
                    terms.revoke.insert(bare(name));
                    return;
                }
                LeafFlaw::Expired => Flaw::Expired,
                LeafFlaw::NotYetValid => Flaw::NotYetValid,
                LeafFlaw::WrongName => Flaw::WrongName,
                LeafFlaw::UntrustedRoot => Flaw::UntrustedRoot,
                LeafFlaw::SelfSigned => Flaw::SelfSigned,
                LeafFlaw::WrongPurpose => Flaw::WrongPurpose,
                LeafFlaw::BadSignature => Flaw::BadSignature,
                LeafFlaw::ListStale => Flaw::CrlStale,
                LeafFlaw::AnswerStale => Flaw::OcspStale,
                LeafFlaw::NoAnswer => Flaw::OcspTryLater,
            };
            terms.flaws.push((bare(name), flaw));
        }
    }
}

/// What is wrong with the signatures of which zones.
pub fn signing_flaws(faults: &[FaultSpec]) -> BTreeMap<DnsName, SigningFlaw> {
    let of_zone = |fault: &FaultSpec| match fault {
        FaultSpec::Signing(SigningFault { zone, flaw }) => Some((zone.clone(), *flaw)),
        _ => None,
    };
    faults.iter().filter_map(of_zone).collect()
}

fn bare(name: &DnsName) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// Puts every fault in its place. Those of certificates and of zones are in place already: see [`pki_terms`]
/// and [`signing_flaws`].
pub fn install(faults: &[FaultSpec], mut stage: Stage<'_>) -> Result<InForce, CannotStrike> {
    let mut in_force = InForce::default();
    for fault in faults {
        let one = One { sentence: fault.to_string(), struck: Arc::default() };
        match fault {
            FaultSpec::Cable(cable) => one.on_cable(cable, &stage)?,
            FaultSpec::Kill(kill) => one.kill(kill, stage.network)?,
            FaultSpec::Unplug(unplug) => one.unplug(unplug, &stage)?,
            FaultSpec::Attack(attack) => attackers::install(&one, attack, &mut stage)?,
            FaultSpec::Certificate(CertificateFault::Leaf { name, .. }) => {
                one.has_certificate(name, stage.pki)?
            }
            FaultSpec::Certificate(CertificateFault::Intermediate(_)) => {}
            FaultSpec::Signing(signing) => one.has_zone(&signing.zone, stage.zones)?,
        }
        let counts = !matches!(fault, FaultSpec::Certificate(_) | FaultSpec::Signing(_));
        in_force.entries.push((one.sentence, counts.then_some(one.struck)));
    }
    Ok(in_force)
}

/// A fault that is being put in its place.
pub(super) struct One {
    pub(super) sentence: String,
    pub(super) struck: Arc<AtomicU64>,
}

impl One {
    fn on_cable(&self, fault: &CableFault, stage: &Stage<'_>) -> Result<(), CannotStrike> {
        let cable = match &fault.place {
            None => self.cable(&Place::Of(stage.client.to_owned()), stage.network)?,
            Some(place) => self.cable(place, stage.network)?,
        };
        let name = cable.name();
        let strikes = match &fault.heading {
            None => [true, true],
            Some(Heading::Towards(node)) => self.ends(&name, node)?.map(|is_it| !is_it),
            Some(Heading::Leaving(node)) => self.ends(&name, node)?,
        };
        let [there, back] = meaning::halves(fault, &self.sentence, strikes, Arc::clone(&self.struck));
        cable.add_fault_to(Way::There, there);
        cable.add_fault_to(Way::Back, back);
        Ok(())
    }

    /// Which end of a cable a node is.
    fn ends(&self, cable: &str, node: &str) -> Result<[bool; 2], CannotStrike> {
        let (first, second) = ends_of(cable);
        let is_it = [first == node, second == node];
        if is_it.contains(&true) {
            return Ok(is_it);
        }
        let (fault, node, cable) = (self.sentence.clone(), node.to_owned(), cable.to_owned());
        Err(CannotStrike::NotAnEnd { fault, node, cable })
    }

    /// Everything that is sent to a dead host or by it is lost, on each of its cables.
    fn kill(&self, kill: &Kill, network: &Network) -> Result<(), CannotStrike> {
        let root = |letter: &char| format!("{letter}-root");
        let victims: Vec<String> = match &kill.who {
            Victims::Hosts(hosts) => hosts.clone(),
            Victims::Roots(letters) => letters.iter().map(root).collect(),
            Victims::RootsBut(letters) => {
                ('a'..='m').filter(|it| !letters.contains(it)).map(|it| root(&it)).collect()
            }
        };
        for victim in victims {
            let mut cables = network.cables_of(&victim).peekable();
            if cables.peek().is_none() {
                return Err(self.no_such_node(&victim, network));
            }
            for (cable, _) in cables {
                let everything = Frames { thing: Thing::Plain(Kind::Frame), which: Which::All };
                let fault = CableFault {
                    mishap: Mishap::Lose(everything),
                    place: None,
                    heading: None,
                    port: None,
                    window: kill.window,
                };
                let [there, back] =
                    meaning::halves(&fault, &self.sentence, [true, true], Arc::clone(&self.struck));
                cable.add_fault_to(Way::There, there);
                cable.add_fault_to(Way::Back, back);
            }
        }
        Ok(())
    }

    fn unplug(&self, unplug: &Unplug, stage: &Stage<'_>) -> Result<(), CannotStrike> {
        let cable = self.cable(&unplug.place, stage.network)?.clone();
        let executor = stage.world.executor().clone();
        let (begin, struck) = (Instant::ZERO + unplug.at, Arc::clone(&self.struck));
        let end = unplug.lasting.map(|lasting| begin + lasting);
        let timers = executor.clone();
        executor.spawn(async move {
            timers.sleep_until(begin).await;
            cable.unplug();
            struck.fetch_add(1, Ordering::Relaxed);
            if let Some(end) = end {
                timers.sleep_until(end).await;
                cable.plug_in();
            }
        });
        Ok(())
    }

    fn has_certificate(&self, name: &DnsName, pki: &Pki) -> Result<(), CannotStrike> {
        if pki.is_certified(&bare(name)) {
            return Ok(());
        }
        Err(CannotStrike::NoCertificate { fault: self.sentence.clone(), name: name.clone() })
    }

    fn has_zone(&self, zone: &DnsName, zones: &[DnsName]) -> Result<(), CannotStrike> {
        if zones.contains(zone) {
            return Ok(());
        }
        let zones = zones.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Err(CannotStrike::NoSuchZone { fault: self.sentence.clone(), zone: zone.clone(), zones })
    }

    pub(super) fn cable<'n>(
        &self,
        place: &Place,
        network: &'n Network,
    ) -> Result<&'n CableHandle, CannotStrike> {
        match place {
            Place::Of(node) => match network.cables_of(node).next() {
                Some((cable, _)) => Ok(cable),
                None => Err(self.no_such_node(node, network)),
            },
            Place::Between(one, other) => network.cable((one.as_str(), other.as_str())).ok_or_else(|| {
                let (fault, one, other) = (self.sentence.clone(), one.clone(), other.clone());
                let of =
                    |node: &str| network.cables_of(node).map(|(cable, _)| cable.name()).collect::<Vec<_>>();
                let cables = [of(&one), of(&other)].concat();
                CannotStrike::NoSuchCable { fault, one, other, cables }
            }),
        }
    }

    pub(super) fn no_such_node(&self, name: &str, network: &Network) -> CannotStrike {
        let names: BTreeSet<String> = network
            .cables()
            .flat_map(|cable| {
                let name = cable.name();
                let (first, second) = ends_of(&name);
                [first.to_owned(), second.to_owned()]
            })
            .collect();
        let nearest = names.iter().min_by_key(|known| distance(known, name));
        let nearest = nearest.filter(|known| distance(known, name) <= 2).cloned();
        CannotStrike::NoSuchNode { fault: self.sentence.clone(), name: name.to_owned(), nearest }
    }
}

/// The two nodes in a cable's name.
pub(super) fn ends_of(cable: &str) -> (&str, &str) {
    let (first, second) = cable.split_once(" <-> ").unwrap_or((cable, ""));
    (first, second.split(' ').next().unwrap_or_default())
}

/// The faults of a lab, and how often each has struck.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// Sentences and counts; none of a certificate, which is as it is from the beginning.
    entries: Vec<(String, Option<Arc<AtomicU64>>)>,
}

impl InForce {
    /// Each fault as its sentence, and how often it has struck so far; none if that cannot be counted
    /// (certificates).
    pub fn struck(&self) -> Vec<(&str, Option<u64>)> {
        let count =
            |count: &Option<Arc<AtomicU64>>| count.as_ref().map(|count| count.load(Ordering::Relaxed));
        self.entries.iter().map(|(sentence, counter)| (sentence.as_str(), count(counter))).collect()
    }

    /// Adds faults that have come later.
    pub fn append(&mut self, mut later: Self) {
        self.entries.append(&mut later.entries);
    }

    /// Those that have not struck so far.
    pub fn never_struck(&self) -> impl Iterator<Item = &str> {
        self.struck().into_iter().filter(|(_, count)| *count == Some(0)).map(|(sentence, _)| sentence)
    }

    /// Tells which faults never struck, as warnings: to be called at the end of a run.
    pub fn conclude(&self, scope: &Scope) {
        for sentence in self.never_struck() {
            let text = || Note::warning(format!("the fault `{sentence}` never struck"));
            scope.record(|| Event::Note(text()));
        }
    }
}

/// A fault has no place in this network.
#[derive(Debug, thiserror::Error)]
pub enum CannotStrike {
    /// There is no such node.
    #[error("`{fault}`: there is no {name} in this network{}", hint(nearest))]
    NoSuchNode {
        /// The fault's sentence.
        fault: String,
        /// The name.
        name: String,
        /// The name in the network that looks most like it.
        nearest: Option<String>,
    },
    /// There is no such cable.
    #[error("`{fault}`: no cable connects {one} and {other}; {}", theirs(cables))]
    NoSuchCable {
        /// The fault's sentence.
        fault: String,
        /// One end.
        one: String,
        /// The other.
        other: String,
        /// The cables that either has.
        cables: Vec<String>,
    },
    /// The cable has other ends.
    #[error("`{fault}`: {node} is no end of the cable {cable}")]
    NotAnEnd {
        /// The fault's sentence.
        fault: String,
        /// The node.
        node: String,
        /// The cable.
        cable: String,
    },
    /// No server shows a certificate for this name.
    #[error("`{fault}`: no server has a certificate for {name}; `glasstack lab list` shows the names")]
    NoCertificate {
        /// The fault's sentence.
        fault: String,
        /// The name.
        name: DnsName,
    },
    /// Nobody serves a zone of this name.
    #[error("`{fault}`: no name server has a zone {zone}; there are {zones}")]
    NoSuchZone {
        /// The fault's sentence.
        fault: String,
        /// The name.
        zone: DnsName,
        /// The zones that there are.
        zones: String,
    },
    /// The attacker cannot be plugged in beside its victim.
    #[error("`{fault}`: there is no switch beside {beside} for {by} to be plugged into; say `at SWITCH`")]
    NoSwitch {
        /// The fault's sentence.
        fault: String,
        /// The attacker.
        by: String,
        /// The victim.
        beside: String,
    },
    /// An attack needs a host with an address.
    #[error("`{fault}`: {name} is no host with an IPv4 address")]
    NoAddress {
        /// The fault's sentence.
        fault: String,
        /// The name.
        name: String,
    },
    /// The attacker has no place in the world.
    #[error("`{fault}`: {source}")]
    Topology {
        /// The fault's sentence.
        fault: String,
        /// Why.
        source: TopologyError,
    },
}

impl CannotStrike {
    /// The fault's sentence.
    pub fn fault(&self) -> &str {
        match self {
            Self::NoSuchNode { fault, .. }
            | Self::NoSuchCable { fault, .. }
            | Self::NotAnEnd { fault, .. }
            | Self::NoCertificate { fault, .. }
            | Self::NoSuchZone { fault, .. }
            | Self::NoSwitch { fault, .. }
            | Self::NoAddress { fault, .. }
            | Self::Topology { fault, .. } => fault,
        }
    }
}

fn theirs(cables: &[String]) -> String {
    if cables.is_empty() { "neither has one".to_owned() } else { format!("theirs are {}", cables.join(", ")) }
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(nearest) => format!("; did you mean {nearest}?"),
        None => "; `glasstack lab graph` shows who is".to_owned(),
    }
}
