//! `glasstack lab graph`: the network, drawn.

use crate::args::{GraphFormat, GraphOptions};
use crate::failure::{ExitWith, WRITE_ERROR};
use crate::files::replace;
use crate::output;
use crate::scene;
use anyhow::Context;
use std::process::ExitCode;

pub(crate) fn run(options: &GraphOptions) -> anyhow::Result<ExitCode> {
    let topology = scene::topology_or_default(options.topology.as_deref())?;
    let drawn = match options.format {
        GraphFormat::Text => topology.as_text(),
        GraphFormat::Svg => topology.as_svg(),
        GraphFormat::Dot => topology.as_dot(),
        GraphFormat::Containerlab => topology.as_containerlab(),
    };
    match options.output.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => replace(path, drawn.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
            .exit_with(WRITE_ERROR)?,
        None => output::line(drawn.trim_end_matches('\n'))?,
    }
    Ok(ExitCode::SUCCESS)
}
