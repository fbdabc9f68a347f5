//! `glasstack lab pki`: the lab's authorities and all that they have issued, good and bad, as files for
//! other programs.

use crate::args::PkiOptions;
use crate::failure::{ExitWith, WRITE_ERROR, coded};
use crate::output;
use anyhow::{Context, anyhow};
use glasstack::lab::Lab;
use glasstack::lab::run::DEFAULT_SEED;
use glasstack::sim::SimWorld;
use glasstack::stack::Entropy;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) fn run(options: &PkiOptions) -> anyhow::Result<ExitCode> {
    let seed = options.seed.unwrap_or(DEFAULT_SEED);
    let mut builder = SimWorld::builder(seed);
    if let Some(time) = options.time {
        builder = builder.epoch(time);
    }
    if options.ecdsa {
        let source = SimWorld::new(seed).environment("pki").entropy;
        builder = builder.entropy(Arc::new(ForOthers(source)));
    }
    let lab = Lab::builder_in(builder.build()).build()?;
    let wall = lab.client.wall();
    let files = lab.pki.export(wall)?;
    let places: Vec<PathBuf> = files.iter().map(|(name, _)| options.folder.join(name)).collect();
    if !options.force {
        for ((_, bytes), place) in files.iter().zip(&places) {
            refuse_another(place, bytes)?;
        }
    }
    for ((name, bytes), place) in files.iter().zip(&places) {
        write(place, bytes, name.contains(".key."))
            .with_context(|| format!("cannot write {}", place.display()))
            .exit_with(WRITE_ERROR)?;
    }
    let (count, folder) = (files.len(), options.folder.display());
    output::line(format_args!("{count} files in {folder}, of the seed {seed}"))?;
    Ok(ExitCode::SUCCESS)
}

/// Whatever lies there already and is something else may be somebody's.
fn refuse_another(place: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let is_another = match fs::symlink_metadata(place) {
        Err(_) => false,
        Ok(metadata) if !metadata.is_file() => true,
        Ok(_) => fs::read(place).map_or(true, |there| there != bytes),
    };
    if is_another {
        let shown = place.display();
        let error = anyhow!("{shown} is there already, and is something else: --force writes over it");
        return Err(coded(WRITE_ERROR, error));
    }
    Ok(())
}

fn write(place: &Path, bytes: &[u8], is_private: bool) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    }
    // A link is not followed: it would lead out of the folder.
    if fs::symlink_metadata(place).is_ok() {
        fs::remove_file(place)?;
    }
    let mode = if is_private { 0o600 } else { 0o644 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(place)?.write_all(bytes)
}

/// A seed's randomness, for programs that are no part of the lab: they get keys that browsers take.
/// Nothing but files is made of it, and the keys of the lab are known to everybody anyway.
struct ForOthers(Arc<dyn Entropy>);

impl Entropy for ForOthers {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn is_reproducible(&self) -> bool {
        false
    }
}
