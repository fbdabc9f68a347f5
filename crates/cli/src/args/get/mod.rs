//! `glasstack get`: the options of one group of URLs; `--next` begins another.

mod connection;
mod limits;
mod ordered;
mod output;
mod request;
mod security;

pub(crate) use connection::ConnectionOptions;
pub(crate) use limits::LimitOptions;
pub(crate) use ordered::{BodyOptions, DataKind, FormKind, NamingOptions, OutputName};
pub(crate) use output::OutputOptions;
pub(crate) use request::RequestOptions;
pub(crate) use security::{IdentityOptions, TlsOptions};

use super::{NetOptions, WatchOptions};
use clap::Args;
use std::ffi::OsString;

/// Options of `get`. Those that are of the whole command, not of a group, are named in
/// [`GLOBAL`](super::words::GLOBAL).
#[derive(Clone, Debug, Args)]
pub(crate) struct GetOptions {
    /// What would be typed into the address bar; `{a,b}` and `[1-9]` stand for several
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// Another URL
    #[arg(long, value_name = "URL")]
    pub(crate) url: Vec<String>,
    /// Begin another group of URLs, with options of its own
    #[arg(short = ':', long)]
    pub(crate) next: bool,
    /// Read options from FILE, or from stdin with `-`
    #[arg(short = 'K', long, value_name = "FILE")]
    pub(crate) config: Vec<OsString>,
    /// For curl's sake: no configuration file is ever read unasked
    #[arg(short = 'q', long)]
    pub(crate) disable: bool,
    /// Do not read {} and [] in a URL as sets and ranges
    #[arg(short = 'g', long)]
    pub(crate) globoff: bool,
    #[command(flatten)]
    pub(crate) request: RequestOptions,
    #[command(flatten)]
    pub(crate) body: BodyOptions,
    #[command(flatten)]
    pub(crate) naming: NamingOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(flatten)]
    pub(crate) identity: IdentityOptions,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
    #[command(flatten)]
    pub(crate) connection: ConnectionOptions,
    #[command(flatten)]
    pub(crate) tls: TlsOptions,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
    /// The groups behind `--next`.
    #[arg(skip)]
    pub(crate) behind: Vec<GetOptions>,
}
