//! Where things go.

use crate::args::values::file_mode;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// Files, what is shown of a response, and what is a failure.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Name files as Content-Disposition says (with -O)
    #[arg(short = 'J', long)]
    pub(crate) remote_header_name: bool,
    /// Where -o and -O put their files
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Make the folders that -o and --output-dir name
    #[arg(long)]
    pub(crate) create_dirs: bool,
    /// The permissions of files that are made, in octal [default: 644]
    #[arg(long, value_name = "MODE", value_parser = file_mode)]
    pub(crate) create_file_mode: Option<u32>,
    /// Overwrite files that exist; --no-clobber adds a number to the name instead
    #[arg(long)]
    pub(crate) clobber: bool,
    #[arg(long, hide = true)]
    pub(crate) no_clobber: bool,
    /// Remove a file whose transfer failed
    #[arg(long)]
    pub(crate) remove_on_error: bool,
    /// Give a file the time of Last-Modified
    #[arg(short = 'R', long)]
    pub(crate) remote_time: bool,
    /// Show heads before the body
    #[arg(short = 'i', long, visible_alias = "show-headers")]
    pub(crate) include: bool,
    /// Write heads to FILE; to stdout with `-`
    #[arg(short = 'D', long, value_name = "FILE")]
    pub(crate) dump_header: Option<OsString>,
    /// Leave the heads of a proxy's CONNECT out of -i and -D
    #[arg(long)]
    pub(crate) suppress_connect_headers: bool,
    /// Print this afterwards; %{name} stands for what is known of the transfer, @FILE reads it
    #[arg(short = 'w', long, value_name = "FORMAT|@FILE")]
    pub(crate) write_out: Option<String>,
    /// Write to stdout at once, whatever arrives
    #[arg(short = 'N', long = "no-buffer")]
    pub(crate) no_buffer: bool,
    /// Fail on a status of 400 and above, without its body
    #[arg(short = 'f', long)]
    pub(crate) fail: bool,
    /// Fail on a status of 400 and above, with its body
    #[arg(long)]
    pub(crate) fail_with_body: bool,
    /// End with the first transfer that fails
    #[arg(long)]
    pub(crate) fail_early: bool,
    /// Show errors, as is done anyway
    #[arg(short = 'S', long)]
    pub(crate) show_error: bool,
    /// Say on FILE what would be said on stderr; on stdout with `-`
    #[arg(long, value_name = "FILE")]
    pub(crate) stderr: Option<OsString>,
    /// Show a bar instead of the journey
    #[arg(short = '#', long)]
    pub(crate) progress_bar: bool,
    /// Show curl's meter instead of the journey; --no-progress-meter never shows it
    #[arg(long)]
    pub(crate) progress_meter: bool,
    #[arg(long, hide = true)]
    pub(crate) no_progress_meter: bool,
}
