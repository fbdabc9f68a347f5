//! Commands about the program itself.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// Tell it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// Which shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// Where all pages are written, a file each [default: this program's own page, on stdout]
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}
