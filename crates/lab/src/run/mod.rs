//! A whole run as one small file: the seed, the network if it is not the default Internet, what goes
//! wrong, what is done, and what was read of files. The same file gives the same bytes at the same
//! instants, on every machine.
//!
//! ```toml
//! version = 1
//! seed = 7
//! internet = "3f0c5a..."          # which default Internet it was
//! faults = ["lose client SYN-ACK 1"]
//! script = [
//!     "get -L http://www.example.test/",
//!     "wait 3s",
//!     "ping -c 1 www.example.test",
//! ]
//! ```
//!
//! A program does it itself:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use glasstack_lab::run::Run;
//! use glasstack_stack::{PingOptions, World};
//!
//! let run = Run::parse("version = 1\nfaults = ['lose client echo reply 1']")?;
//! let mut lab = run.builder().build()?;
//! let client = lab.client.clone();
//! let reply = lab.world.run(client.ping("198.51.100.80".parse()?, &PingOptions::default()))?;
//! assert!(reply.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: this file (the data), `step` (what a line of the script says), `file` (TOML and
//! back), `bad_run` (how it is told what is wrong).

mod bad_run;
mod file;
mod step;
#[cfg(test)]
mod tests;

pub use bad_run::BadRun;
pub use file::{MOST_STEPS, Places, VERSION};
pub use step::{BadStep, COMMANDS, Step};

use crate::fault::FaultSpec;
use crate::internet::{CLIENT, Lab, LabBuilder};
use crate::plan::INTERNET;
use crate::sites::SITES;
use glasstack_journal::WallTime;
use glasstack_sim::topology::Topology;
use glasstack_sim::{DEFAULT_EPOCH, SimWorld};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A run of the lab: all that decides what happens in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What all chance follows from.
    pub seed: u64,
    /// The wall time at which the world begins; a file has it in whole seconds.
    pub epoch: WallTime,
    /// The network; none: the default Internet.
    pub topology: Option<Topology>,
    /// Which host is the user's own; none: `client`.
    pub client: Option<String>,
    /// Whether that host begins without an address and asks for one.
    pub dhcp: bool,
    /// What goes wrong.
    pub faults: Vec<FaultSpec>,
    /// What is done, one thing after the other.
    pub script: Vec<Step>,
    /// The files that are there to be read, by name; `-` is the standard input.
    pub files: BTreeMap<String, KeptFile>,
}

/// A file that a run holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// When it was changed last, in seconds since 1970, if that matters.
    pub modified: Option<u64>,
}

/// The seed where none is said.
pub const DEFAULT_SEED: u64 = 1;

impl Run {
    /// A run in the default Internet in which nothing goes wrong and nothing is done yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            epoch: DEFAULT_EPOCH,
            topology: None,
            client: None,
            dhcp: false,
            faults: Vec::new(),
            script: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// The lab as it is before the first step, to be observed and built.
    pub fn builder(&self) -> LabBuilder {
        let world = SimWorld::builder(self.seed).epoch(self.epoch).build();
        let mut builder = Lab::builder_in(world).client(self.client()).faults(self.faults.iter().cloned());
        if let Some(topology) = &self.topology {
            builder = builder.topology(topology.clone());
        }
        if self.dhcp { builder.dhcp() } else { builder }
    }

    /// The name of the user's own host.
    pub fn client(&self) -> &str {
        self.client.as_deref().unwrap_or(CLIENT)
    }
}

/// What tells the default Internet of one version of this crate from that of another.
pub fn internet_digest() -> String {
    let mut digest = Sha256::new();
    digest.update([env!("CARGO_PKG_VERSION"), "\0", INTERNET].concat());
    for site in SITES {
        digest.update([site.host, "\0", site.about, "\0"].concat());
    }
    digest.finalize().iter().take(DIGEST_LENGTH).map(|byte| format!("{byte:02x}")).collect()
}

/// Enough to tell versions apart, in bytes.
const DIGEST_LENGTH: usize = 8;
