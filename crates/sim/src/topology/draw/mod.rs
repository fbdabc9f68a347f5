//! Drawings of a topology: for terminals, for browsers, for Graphviz, for containerlab.
//!
//! ```text
//!   Topology --> tree (what hangs where) --> text
//!                  |                    \--> layout (where on the page) --> svg
//!                  +--> labels (a cable, a node, in a few words) --> dot, containerlab
//! ```
//!
//! The same topology gives the same drawing to the byte.

mod containerlab;
mod dot;
mod labels;
mod layout;
mod svg;
mod text;
mod tree;
