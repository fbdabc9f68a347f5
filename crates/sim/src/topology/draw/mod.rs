//! Drawings of a topology: for terminals, for browsers, for Graphviz, for containerlab.
//!
//! ```text
//!   Topology --> tree (what hangs where) --> text
//!                  |                    \--> strip (how wide), layout (where) --> svg
//!                  +--> labels (a cable, a node, in a few words) --> dot, containerlab
//! ```
//!
//! The same topology gives the same drawing to the byte.

mod containerlab;
mod dot;
mod labels;
mod layout;
mod strip;
mod svg;
mod text;
mod tree;
mod wording;
