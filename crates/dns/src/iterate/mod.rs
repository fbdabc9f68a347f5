//! The walk down from the root (RFC 1034 5.3.3): each server either knows, or says who knows more.
//!
//! ```text
//!   www.example.test A?   the nearest zone whose servers are known: the root's, primed, at first
//!        |
//!    +-> Slist            its servers: addresses that are known, names whose address is not
//!    |     |  one after the other, those that are fast enough by chance; in rounds, each with more patience
//!    |   minimise         how much of the name it is told
//!    |   scrub            what of its response is its business
//!    |   judge            an answer | an alias | a referral further down | of no use, and why
//!    |     |
//!    +-- referral         what is believed of it is remembered: servers, and glue
//!          answer         and what it is, by rank
//! ```
//!
//! Read in this order: [`options`] (what can be chosen), `begin` (where it begins), `walk` (the story), `slist`
//! (which servers), `scrub` and `judge` (what it is worth), `minimise`,
//! `targets` (name servers without address, and the last resort) with `joined` (one lookup for all who need it) and
//! `parent_side` (what the zone above has said), `elsewhere` (zones that are asked about elsewhere), `budget` (where
//! it ends), `telling` (what the journal hears of it).

mod begin;
mod budget;
mod elsewhere;
mod joined;
mod judge;
mod minimise;
pub mod options;
mod parent_side;
mod scrub;
mod slist;
mod targets;
mod telling;
mod walk;

pub(crate) use budget::{Budget, Trail};
pub use options::{IterateConfig, LocalZones, Minimisation, ServeStale, ZoneElsewhere};

use crate::asking::Asking;
use crate::dnssec::TrustAnchors;
use crate::hints::RootHints;
use crate::infrastructure::Infrastructure;
use crate::memory::Memory;
use crate::message::Question;
use crate::name::DnsName;
use crate::record::Record;
use crate::response::Response;
use crate::upstream::Upstream;
use elsewhere::Elsewhere;
use glasstack_stack::Host;
use joined::{Key, UnderWay};
use parent_side::ParentSide;
use slist::{Reach, Slist};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Walks down from the root.
pub(crate) struct Iterate {
    config: IterateConfig,
    /// What is signed from where on, if that is going to be checked.
    anchors: Option<TrustAnchors>,
    hints: RootHints,
    reach: Reach,
    elsewhere: Elsewhere,
    asking: Asking,
    memory: Arc<Memory>,
    parent_side: Mutex<ParentSide>,
    under_way: Mutex<UnderWay>,
}

/// One question on its way down.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) host: Host,
    pub(crate) question: Question,
    pub(crate) budget: Arc<Budget>,
    pub(crate) trail: Arc<Trail>,
    /// Whether signatures are wanted.
    pub(crate) dnssec_ok: bool,
    /// Whether who finds out for others is not to check them (CD): they are checked here, or whoever asks does not
    /// want them checked (RFC 4035 3.2.2, RFC 6840 5.9).
    pub(crate) checking_disabled: bool,
    /// What is good for less long than this counts as expired.
    pub(crate) renew: Duration,
    /// Servers that gave what turned out to be bogus.
    pub(crate) avoid: Vec<SocketAddr>,
    /// The lookup of a name server's address that it is a part of, if others may wait for that.
    pub(crate) part_of: Option<Key>,
}

/// What whoever has authority says, as far as it is that one's business.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response,
    /// Who said so.
    pub(crate) server: SocketAddr,
}

impl Iterate {
    pub(crate) fn new(
        hints: RootHints,
        config: IterateConfig,
        anchors: Option<TrustAnchors>,
        upstream: Arc<dyn Upstream>,
        memory: Arc<Memory>,
    ) -> Self {
        let reach = Reach {
            ipv4: config.ipv4,
            ipv6: config.ipv6,
            nat64: config.nat64,
            never: config.do_not_query.clone(),
            localhost: !config.do_not_query_localhost,
        };
        let hints = elsewhere::root_hints(&config.zones).unwrap_or(hints);
        let elsewhere = Elsewhere::new(&config.zones);
        let asking = Asking::new(upstream, config.infrastructure.clone());
        let (parent_side, under_way) = (Mutex::default(), Mutex::default());
        Self { config, anchors, hints, reach, elsewhere, asking, memory, parent_side, under_way }
    }

    pub(crate) fn config(&self) -> &IterateConfig {
        &self.config
    }

    /// What is remembered of servers.
    pub(crate) fn infrastructure(&self) -> MutexGuard<'_, Infrastructure> {
        self.asking.known()
    }

    /// The servers of the nearest zone that are known without asking, and their addresses, as in a
    /// referral.
    pub(crate) fn nearest(&self, host: &Host, name: &DnsName) -> (Vec<Record>, Vec<Record>) {
        let known = self.nearest_known(name, host.now(), Duration::ZERO);
        known.unwrap_or_else(|| Slist::of_hints(&self.hints, &self.reach)).to_records()
    }

    fn parent_side(&self) -> MutexGuard<'_, ParentSide> {
        self.parent_side.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
