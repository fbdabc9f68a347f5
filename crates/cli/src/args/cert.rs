//! `glasstack cert`: what is in a certificate.

use super::values::moment;
use super::{NetOptions, WatchOptions};
use clap::{Args, Subcommand};
use glasstack::journal::WallTime;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CertOptions {
    #[command(subcommand)]
    pub(crate) command: CertCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Show every field of certificates, requests, revocation lists, OCSP messages and keys
    Show(Box<ShowOptions>),
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// A file (PEM, DER or PKCS#12), `-` for stdin, or a host that is asked for its certificates by a TLS handshake
    #[arg(value_name = "FILE|HOST[:PORT]|URL|-")]
    pub(crate) what: String,
    /// Tell it as JSON
    #[arg(long, conflicts_with = "pem")]
    pub(crate) json: bool,
    /// Print it as PEM; of a host, all certificates that it shows
    #[arg(long)]
    pub(crate) pem: bool,
    /// Show all certificates of a host in full, not its own alone
    #[arg(long)]
    pub(crate) chain: bool,
    /// Opens what is encrypted
    #[arg(long, value_name = "PHRASE")]
    pub(crate) pass: Option<String>,
    /// Ask a host for NAME's certificate, and judge whether it is for that
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Judge a host's certificates by the authorities in FILE (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// The time that counts, as 2026-06-01T12:00:00Z [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) time: Option<WallTime>,
    #[command(flatten)]
    pub(crate) net: NetOptions,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}
