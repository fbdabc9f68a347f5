//! How a name is found in a zone (RFC 1034 4.3.2 step 3, RFC 4592 3.3.1, RFC 6672 3.2).

use super::key::wildcard;
use super::{Node, Path, Set, Zone};
use crate::name::DnsName;
use crate::record::RecordType;

/// What a zone says about a name and a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'z> {
    /// The records asked for.
    Records {
        /// The records. Their owner is that of the node, which is not the name asked for at a wildcard.
        set: &'z Set,
        /// Where they stand.
        node: &'z Node,
        /// The closest encloser (RFC 4592 3.3.1), if they are a wildcard's.
        encloser: Option<&'z Node>,
    },
    /// All signatures at the name, where RRSIG is asked for.
    Signatures {
        /// Where they stand.
        node: &'z Node,
        /// The closest encloser, if they are a wildcard's.
        encloser: Option<&'z Node>,
    },
    /// The name is an alias.
    Alias {
        /// The CNAME record.
        set: &'z Set,
        /// Where it stands.
        node: &'z Node,
        /// The closest encloser, if it is a wildcard's.
        encloser: Option<&'z Node>,
    },
    /// A name above is called otherwise, and so is all below it (RFC 6672).
    Renamed {
        /// The DNAME record.
        set: &'z Set,
        /// Where it stands.
        node: &'z Node,
    },
    /// The name exists, but not with that type.
    NoData {
        /// The name, or the wildcard that stands for it.
        node: &'z Node,
        /// The closest encloser, if it is a wildcard.
        encloser: Option<&'z Node>,
    },
    /// The name does not exist.
    NoName {
        /// The nearest name above that does.
        encloser: &'z Node,
    },
    /// The name is in a zone below.
    Delegated {
        /// The zone cut.
        node: &'z Node,
        /// Its NS records.
        servers: &'z Set,
    },
    /// The name is in no part of this zone.
    Outside,
}

impl Zone {
    /// Looks a name up. Any type but [`RecordType::Any`] is looked for by itself; of ANY one set is
    /// given (RFC 8482 4.1).
    pub fn find(&self, name: &DnsName, record_type: RecordType) -> Found<'_> {
        self.find_at(&Path::of(name), record_type)
    }

    /// The same with the name's key. Step 3: "Start matching down, label by label, in the zone."
    pub(crate) fn find_at(&self, path: &Path, record_type: RecordType) -> Found<'_> {
        let top = Path::of(&self.origin);
        if !path.key().starts_with(top.key()) {
            return Found::Outside;
        }
        let mut encloser = None;
        for labels in path.down_from(top.labels()) {
            let key = path.ancestor(labels);
            let Some(node) = self.nodes.get(key) else { break };
            let is_last = labels == path.labels();
            // 3b: "If a match would take us out of the authoritative data, we have a referral." The DS
            // records at the cut are the upper zone's (RFC 4035 3.1.4.1).
            if labels > top.labels()
                && let Some(servers) = node.set(RecordType::Ns)
                && !(is_last && record_type == RecordType::Ds)
            {
                return Found::Delegated { node, servers };
            }
            if is_last {
                return at_node(node, record_type, None);
            }
            // RFC 6672 3.2, 3c: "if there is a DNAME record"
            if let Some(set) = node.set(RecordType::Dname) {
                return Found::Renamed { set, node };
            }
            encloser = Some((node, key));
        }
        let Some((encloser, key)) = encloser else { return Found::Outside };
        // 3c: "look to see if the "*" label exists", below the closest encloser (RFC 4592 3.3.1).
        match self.nodes.get(wildcard(key).as_slice()) {
            Some(source) => at_node(source, record_type, Some(encloser)),
            None => Found::NoName { encloser },
        }
    }
}

/// What a node says of a type.
fn at_node<'z>(node: &'z Node, record_type: RecordType, encloser: Option<&'z Node>) -> Found<'z> {
    if let Some(set) = node.set(record_type) {
        return Found::Records { set, node, encloser };
    }
    if record_type == RecordType::Rrsig && node.signatures().next().is_some() {
        return Found::Signatures { node, encloser };
    }
    // RFC 8482 4.1: one set of records is an answer to ANY.
    if record_type == RecordType::Any
        && let Some(set) = node.sets().next()
    {
        return Found::Records { set, node, encloser };
    }
    match node.set(RecordType::Cname) {
        Some(set) => Found::Alias { set, node, encloser },
        None => Found::NoData { node, encloser },
    }
}
