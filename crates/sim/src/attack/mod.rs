//! Nodes that mean harm, for worlds in memory alone: each says so by [`Node::is_attacker`](crate::Node::is_attacker), and a world with a
//! gate to a real network refuses it.

pub mod forge;
