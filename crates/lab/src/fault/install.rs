//! Puts faults into a lab that has been built.

use super::spec::{AuthorityFlaw, CertificateFault, FaultSpec, LeafFlaw};
use crate::pki::{Flaw, PkiTerms, Validity};
use glasstack_journal::Scope;
use glasstack_journal::event::{Event, Note};
use glasstack_sim::{CableHandle, SimWorld, TopologyError};
use glasstack_stack::Host;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A network in which faults may strike: what [`install`] has to know about it.
pub struct Stage<'a> {
    /// The world. Attackers are added to it.
    pub world: &'a mut SimWorld,
    /// All cables, by their names `a <-> b`.
    pub cables: &'a [CableHandle],
    /// All hosts.
    pub hosts: &'a [Host],
    /// The user's own.
    pub client: &'a Host,
    /// The name server that the client is configured with.
    pub name_server: SocketAddr,
}

/// What the certificate faults ask of the authorities; all other faults are passed over.
pub fn pki_terms(faults: &[FaultSpec]) -> PkiTerms {
    let mut terms = PkiTerms::default();
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
            };
            terms.flaws.push((bare(name), flaw));
        }
    }
}

fn bare(name: &glasstack_dns::DnsName) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// Puts every fault in its place. Those of certificates are passed over: see [`pki_terms`].
pub fn install(faults: &[FaultSpec], stage: Stage<'_>) -> Result<InForce, CannotStrike> {
    let _ = stage;
    let entries = faults.iter().map(|fault| (fault.to_string(), Arc::default())).collect();
    Ok(InForce { entries })
}

/// The faults of a lab, and how often each has struck.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    entries: Vec<(String, Arc<AtomicU64>)>,
}

impl InForce {
    /// Each fault as its sentence, and how often it has struck so far.
    pub fn struck(&self) -> Vec<(&str, u64)> {
        self.entries.iter().map(|(name, count)| (name.as_str(), count.load(Ordering::Relaxed))).collect()
    }

    /// Tells which faults never struck, as warnings: to be called at the end of a run.
    pub fn conclude(&self, scope: &Scope) {
        for (name, _) in self.struck().into_iter().filter(|(_, count)| *count == 0) {
            scope.record(|| Event::Note(Note::warning(format!("the fault `{name}` never struck"))));
        }
    }
}

/// A fault has no place in this network.
#[derive(Debug, thiserror::Error)]
pub enum CannotStrike {
    /// There is no such node.
    #[error("`{fault}`: there is no {name} in this network{hint}")]
    NoSuchNode {
        /// The fault's sentence.
        fault: String,
        /// The name.
        name: String,
        /// What was perhaps meant.
        hint: String,
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
