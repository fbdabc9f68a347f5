//! The miniature Internet: names, certificates and sites on a virtual wire.

pub mod pki;
