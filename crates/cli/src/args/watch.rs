//! What is shown and saved.

use clap::Args;
use std::path::PathBuf;

/// What is shown and saved.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What is shown and saved")]
pub(crate) struct WatchOptions {
    /// Say nothing but the result
    #[arg(short = 's', long)]
    pub(crate) silent: bool,
    /// Tell every segment
    #[arg(short = 'v', long)]
    pub(crate) verbose: bool,
    /// Write every frame, with comments and TLS secrets, as pcapng
    #[arg(long, value_name = "FILE")]
    pub(crate) capture: Option<PathBuf>,
    /// What --capture writes of the lab: a cable as `a <-> b`, a node, or `all`; repeatable [default:
    /// the client]
    #[arg(long, value_name = "PLACE")]
    pub(crate) capture_at: Vec<String>,
    /// Save what the lab did, for `glasstack lab run FILE` to do again
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Write every record of the journal as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Tell the secrets and keys of TLS, and how each is derived
    #[arg(long)]
    pub(crate) show_keys: bool,
    /// Draw the ladder of segments on stderr at the end
    #[arg(long)]
    pub(crate) ladder: bool,
    /// Whether the journey is not told, though nobody asked for silence: a progress meter is shown.
    #[arg(skip)]
    pub(crate) untold: bool,
    /// The command as a step of a run, if it is to be saved.
    #[arg(skip)]
    pub(crate) line: Vec<String>,
}

impl WatchOptions {
    /// The first option here that means the lab, if there is one.
    pub(crate) fn means_the_lab(&self) -> Option<&'static str> {
        match self {
            Self { save: Some(_), .. } => Some("--save"),
            Self { capture_at, .. } if !capture_at.is_empty() => Some("--capture-at"),
            _ => None,
        }
    }
}
