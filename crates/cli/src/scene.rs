//! The lab that options or a run describe: one way from them to a world with everybody in it.

use crate::args::LabOptions;
use crate::console;
use crate::failure::usage;
use anyhow::Context;
use glasstack::journal::{Journal, Scope};
use glasstack::lab::fault::InForce;
use glasstack::lab::run::{DEFAULT_SEED, Run, Step};
use glasstack::lab::{FaultSpec, Lab};
use glasstack::sim::CableHandle;
use glasstack::sim::topology::Topology;
use std::io::Read;
use std::path::Path;

/// The largest topology, in bytes.
const LARGEST_TOPOLOGY: u64 = 16 << 20;

/// The run that a command's options describe: the lab as they say, and `line` as the only step.
pub(crate) fn of_options(options: &LabOptions, dhcp: bool, line: &[String]) -> anyhow::Result<Run> {
    let script = if line.is_empty() { Vec::new() } else { vec![Step::Command(line.to_vec())] };
    Ok(Run {
        topology: options.topology.as_deref().map(topology).transpose()?,
        client: options.client.clone(),
        dhcp,
        faults: faults(&options.fault)?,
        script,
        ..Run::new(options.seed.unwrap_or(DEFAULT_SEED))
    })
}

/// The faults that `--fault` says.
pub(crate) fn faults(sentences: &[String]) -> anyhow::Result<Vec<FaultSpec>> {
    let fault = |sentence: &String| {
        FaultSpec::parse(sentence).map_err(|bad| usage(format!("--fault: this is no fault\n{bad}")))
    };
    sentences.iter().map(fault).collect()
}

/// The topology of a run.
pub(crate) fn topology_of(run: &Run) -> anyhow::Result<Topology> {
    match &run.topology {
        Some(topology) => Ok(topology.clone()),
        None => Ok(glasstack::lab::plan::internet()?),
    }
}

/// The network that a file describes, or else the default Internet.
pub(crate) fn topology_or_default(path: Option<&Path>) -> anyhow::Result<Topology> {
    match path {
        Some(path) => topology(path),
        None => Ok(glasstack::lab::plan::internet()?),
    }
}

/// The network that a file describes.
pub(crate) fn topology(path: &Path) -> anyhow::Result<Topology> {
    let text = text_of(path)?;
    Topology::parse(&text).map_err(|bad| usage(format!("{}: {bad}", path.display())))
}

/// What a file of the lab's own languages says. Such files are read by the program, not by a run.
pub(crate) fn text_of(path: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(cannot)?;
    file.take(LARGEST_TOPOLOGY + 1).read_to_end(&mut bytes).with_context(cannot)?;
    if bytes.len() as u64 > LARGEST_TOPOLOGY {
        return Err(usage(format!("{} is larger than {LARGEST_TOPOLOGY} bytes", path.display())));
    }
    String::from_utf8(bytes).map_err(|_| usage(format!("{}: this is not UTF-8", path.display())))
}

/// The lab as a run has it, before the first step; `watch` attaches the observers.
pub(crate) fn build(run: &Run, watch: impl FnOnce(&Journal) -> anyhow::Result<()>) -> anyhow::Result<Lab> {
    let builder = run.builder();
    watch(builder.journal())?;
    Ok(builder.build()?)
}

/// The cable of this name.
pub(crate) fn cable<'a>(lab: &'a Lab, name: &str) -> anyhow::Result<&'a CableHandle> {
    let cables = || lab.network.cables().map(CableHandle::name).collect::<Vec<_>>().join(", ");
    lab.network
        .cable(name)
        .ok_or_else(|| usage(format!("there is no cable {name} in this network; there are: {}", cables())))
}

/// Which lab it is, in a few words that no other has: what is learnt in one must not be taken into another.
pub(crate) fn in_short(run: &Run) -> String {
    let plain = Run::new(run.seed);
    let bare = Run { script: Vec::new(), files: plain.files.clone(), ..run.clone() };
    if bare.to_toml() == plain.to_toml() {
        return format!("lab, seed {}, ", run.seed);
    }
    // FNV-1a, of 64 bits.
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bare.to_toml().bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    format!("lab, seed {}, variation {hash:016x}, ", run.seed)
}

/// Tells which faults never struck; where the journal is `untold`, on the console, too.
pub(crate) fn conclude(faults: &InForce, scope: &Scope, untold: bool) {
    faults.conclude(scope);
    for fault in faults.never_struck().filter(|_| untold) {
        console::warn(format_args!("the fault `{fault}` never struck"));
    }
}
