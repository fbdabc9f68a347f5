//! One file a subcommand.

pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod get;
pub(crate) mod lab;
pub(crate) mod man;
pub(crate) mod ping;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod url;
