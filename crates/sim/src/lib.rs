//! The virtual network: virtual time, cables, switches, faults.
