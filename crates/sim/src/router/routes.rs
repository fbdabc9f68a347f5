//! The routing table: rows, and the longest prefix (RFC 1812 5.2.4.3).

use super::neighbours::NextHop;
use glasstack_stack::Prefix;
use std::net::Ipv4Addr;

/// How a row came to be known. Of two rows for one prefix the earlier kind is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A port is on this network.
    Connected,
    /// The configuration says so.
    Static,
    /// Another router says so (RFC 2453).
    Rip,
}

/// One row of the routing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) prefix: Prefix,
    /// The next router; none: the destination is on the port's own network.
    pub(super) via: Option<Ipv4Addr>,
    /// The port it leaves by.
    pub(super) port: usize,
    pub(super) origin: Origin,
}

impl Row {
    /// Who gets a packet to `destination` next.
    pub(super) fn next_hop(&self, destination: Ipv4Addr) -> NextHop {
        NextHop { port: self.port, address: self.via.unwrap_or(destination) }
    }
}

/// All rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    rows: Vec<Row>,
}

impl Routes {
    /// All rows, in the order they came.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds a row behind those there are.
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Puts a row in the place of the one of the same prefix and origin, or adds it.
    pub(super) fn put(&mut self, row: Row) {
        self.remove(row.prefix, row.origin);
        self.add(row);
    }

    /// Removes the rows of this prefix and origin. False if there was none.
    pub(super) fn remove(&mut self, prefix: Prefix, origin: Origin) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| row.prefix != prefix || row.origin != origin);
        self.rows.len() != before
    }

    /// The row with the longest prefix; of equals that of the earlier origin, then the first.
    pub(super) fn lookup(&self, destination: Ipv4Addr) -> Option<Row> {
        let matching = self.rows.iter().filter(|row| row.prefix.contains(destination));
        matching.min_by_key(|row| (32 - row.prefix.prefix_len(), row.origin)).copied()
    }
}
