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
    /// Write every record of the journal as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Draw the ladder of segments on stderr at the end
    #[arg(long)]
    pub(crate) ladder: bool,
    /// Whether the journey is not told, though nobody asked for silence: a progress meter is shown.
    #[arg(skip)]
    pub(crate) untold: bool,
}
