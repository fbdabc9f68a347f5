//! One file a subcommand.

pub(crate) mod get;
pub(crate) mod ping;
pub(crate) mod resolve;
pub(crate) mod route;
pub(crate) mod url;
