//! Zones that are asked about elsewhere than the tree says.

use super::options::ZoneElsewhere;
use crate::hints::RootHints;
use crate::name::DnsName;

/// Zones that the configuration says where to ask for.
#[derive(Debug)]
pub(super) struct Elsewhere {
    zones: Vec<ZoneElsewhere>,
}

impl Elsewhere {
    pub(super) fn new(zones: &[ZoneElsewhere]) -> Self {
        Self { zones: zones.to_vec() }
    }

    /// The nearest zone at or above `name`; one that forwards counts before one that does not.
    pub(super) fn nearest(&self, name: &DnsName) -> Option<&ZoneElsewhere> {
        let forwards = |zone: &ZoneElsewhere| matches!(zone, ZoneElsewhere::Forward { .. });
        let above = self.zones.iter().filter(|zone| name.is_within(zone.zone()));
        above.max_by_key(|zone| (zone.zone().label_count(), forwards(zone)))
    }

    /// Whether `zone` itself is asked about elsewhere, and only there.
    pub(super) fn only(&self, zone: &DnsName) -> bool {
        self.zones.iter().any(|elsewhere| match elsewhere {
            ZoneElsewhere::Stub { zone: own, first, .. }
            | ZoneElsewhere::Forward { zone: own, first, .. } => own == zone && !own.is_root() && !first,
        })
    }
}

/// The root's servers, where the configuration gives a stub zone for the root.
pub(super) fn root_hints(zones: &[ZoneElsewhere]) -> Option<RootHints> {
    zones.iter().find_map(|elsewhere| match elsewhere {
        ZoneElsewhere::Stub { zone, servers, .. } if zone.is_root() => {
            Some(RootHints::at(servers.iter().map(std::net::SocketAddr::ip)))
        }
        _ => None,
    })
}
