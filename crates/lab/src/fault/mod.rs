//! Faults by meaning: one sentence each, such as `lose client SYN-ACK 1` or `expire the intermediate`.

mod attackers;
mod bad_fault;
mod install;
mod meaning;
mod parse;
pub(crate) mod quantity;
mod reader;
mod show;
mod spec;
mod things;
mod words;

pub use bad_fault::BadFault;
pub use install::{CannotStrike, InForce, Stage, install, pki_terms};
pub use spec::{
    Attack, AuthorityFlaw, CableFault, CertificateFault, Deed, FaultSpec, Frames, Heading, Kill, Kind,
    LeafFlaw, Mishap, Part, Percent, Place, Side, Thing, Unplug, Victims, Which, Window,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

impl FaultSpec {
    /// Reads a sentence.
    pub fn parse(sentence: &str) -> Result<Self, BadFault> {
        parse::sentence(sentence)
    }
}

impl FromStr for FaultSpec {
    type Err = BadFault;

    fn from_str(sentence: &str) -> Result<Self, BadFault> {
        Self::parse(sentence)
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sentence = String::deserialize(deserializer)?;
        Self::parse(&sentence).map_err(serde::de::Error::custom)
    }
}
