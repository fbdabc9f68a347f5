//! `glasstack verify`: certificates in files, judged.

use super::values::moment;
use clap::{Args, ValueEnum};
use glasstack::journal::WallTime;
use glasstack::tls::revocation::Demand;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// The certificate, and those that were shown beside it (PEM, or one in DER); `-` for stdin
    #[arg(value_name = "CHAIN.pem", required_unless_present = "batch")]
    pub(crate) chain: Option<PathBuf>,
    /// Believe the certificate authorities in FILE (PEM) instead of the system's; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Vec<PathBuf>,
    /// Certificates that may link it to an authority; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) intermediates: Vec<PathBuf>,
    /// Revocation lists (PEM or DER); repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// OCSP responses (DER or PEM); repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) ocsp: Vec<PathBuf>,
    /// Whether revocation lists decide [default: require with --crl, else off]
    #[arg(long, value_name = "POLICY")]
    pub(crate) crl_check: Option<CheckChoice>,
    /// Whether OCSP responses decide [default: require with --ocsp, else off]
    #[arg(long, value_name = "POLICY")]
    pub(crate) ocsp_check: Option<CheckChoice>,
    /// The host name or address that it must be for [default: the name is not checked]
    #[arg(long, value_name = "NAME|IP")]
    pub(crate) name: Option<String>,
    /// What it is shown for
    #[arg(long, value_name = "PURPOSE", default_value = "server")]
    pub(crate) purpose: PurposeChoice,
    /// The time of the judgement, as 2026-06-01T12:00:00Z [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) time: Option<WallTime>,
    /// Enforce also what no browser does: identifiers of keys, serial numbers, critical extensions
    #[arg(long)]
    pub(crate) strict: bool,
    /// Tell it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Read cases from FILE, or from stdin: a JSON object a line, and one a line is answered
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        default_missing_value = "-",
        conflicts_with_all = [
            "chain", "cacert", "intermediates", "crl", "ocsp", "crl_check", "ocsp_check", "name", "purpose", "json"
        ]
    )]
    pub(crate) batch: Option<PathBuf>,
}

/// How far it matters whether a certificate was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckChoice {
    /// Not at all
    Off,
    /// Who is known to be revoked is refused
    Try,
    /// Who is not known to be good is refused
    Require,
}

impl From<CheckChoice> for Demand {
    fn from(choice: CheckChoice) -> Self {
        match choice {
            CheckChoice::Off => Self::Off,
            CheckChoice::Try => Self::Try,
            CheckChoice::Require => Self::Require,
        }
    }
}

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurposeChoice {
    /// A server's, shown to clients
    Server,
    /// A client's, shown to a server
    Client,
}
