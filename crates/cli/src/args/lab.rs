//! `glasstack lab`: the miniature Internet itself, looked at and run.

use super::values::moment;
use super::{BridgeOptions, WatchOptions};
use clap::{Args, Subcommand, ValueEnum};
use glasstack::journal::WallTime;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct LabCommandOptions {
    #[command(subcommand)]
    pub(crate) command: LabCommand,
}

/// One variant a file in `cmd/lab/`.
#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// List the lab's names, and what each is good for
    List(ListOptions),
    /// Draw the network
    Graph(GraphOptions),
    /// Do again what --save saved, or what a file of your own says
    Run(Box<RunOptions>),
    /// Put one side of the lab on a TAP device, in real time, for other programs
    Bridge(Box<BridgeOptions>),
    /// Say what is wrong with a topology or a run
    Check(CheckOptions),
    /// Write the lab's certificates, keys, revocation lists and OCSP answers, for other programs
    Pki(PkiOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Tell it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// The network that FILE describes instead of the default Internet
    #[arg(long, value_name = "FILE")]
    pub(crate) topology: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct GraphOptions {
    /// How it is drawn
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: GraphFormat,
    /// Write it to FILE
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The network that FILE describes instead of the default Internet
    #[arg(long, value_name = "FILE")]
    pub(crate) topology: Option<PathBuf>,
}

/// The ways to draw a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Lines and names, for a terminal
    Text,
    /// A picture
    Svg,
    /// For Graphviz
    Dot,
    /// For containerlab
    Containerlab,
}

#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// The run
    pub(crate) file: PathBuf,
    /// Another seed than the run's own
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// What goes wrong beside what the run says; repeatable
    #[arg(long, value_name = "SENTENCE")]
    pub(crate) fault: Vec<String>,
    /// Keep the files that the run holds and writes in FOLDER [default: they vanish with the run]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) files: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) watch: WatchOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// The topology or run
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PkiOptions {
    /// Where they are written
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Whose lab it is [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The time around which certificates are good [default: the lab's, 2026-06-01T12:00:00Z]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) time: Option<WallTime>,
    /// Make ECDSA keys, which browsers take, instead of Ed25519
    #[arg(long)]
    pub(crate) ecdsa: bool,
    /// Write over files that are something else
    #[arg(long)]
    pub(crate) force: bool,
}
