//! Faults by meaning: one sentence each, such as `lose client SYN-ACK 1` or `expire the intermediate`.
//!
//! ```text
//!   "lose client SYN-ACK 1" --parse--> FaultSpec --install--> Strike on a cable, looking at each frame
//!                                         | as data              Kill, Unplug, attackers
//!                                         +--pki_terms, signing_terms--> certificates, signed zones
//! ```
//!
//! ```
//! use glasstack_lab::{FaultSpec, Lab};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = [FaultSpec::parse("lose client SYN-ACK 1")?, FaultSpec::parse("kill root all but k")?];
//! let lab = Lab::builder(1).faults(faults).build()?;
//! assert_eq!(lab.faults.struck()[0], ("lose client SYN-ACK 1", Some(0)));
//! # Ok(())
//! # }
//! ```
//!
//! The grammar, in the notation of ISO/IEC 14977; case does not matter, words are parted by spaces:
//!
//! ```text
//! fault    = on cable | dead | plug | paper | attack ;
//!
//! on cable = ( "lose" , [ node ] , ( frames | "in bursts" , percent , percent )
//!            | "corrupt" , [ node ] , [ part , "of" ] , frames , [ "keeping the checksum" ]
//!            | "delay" , [ node ] , frames , time
//!            | "duplicate" , [ node ] , frames , [ number , "times" ]
//!            | "reorder" , [ node ] , frames
//!            | "black hole" , [ node ] , "above" , number
//!            | ( "reset" | "close" ) , [ node ] , "after" , size
//!            | "answer" , response code , "for" , name
//!            | "lie about" , name , IPv4 address
//!            | "truncate DNS answers" ) , { clause } ;
//! frames   = percent , [ "of" , kind ] | ( "every" | "all" | "each" | "any" ) , kind
//!          | [ "the" ] , "first" , number , kind | [ "the" ] , ordinal , kind
//!          | [ "the" ] , "last ACK" | "the" , kind | kind , [ number ] ;
//! kind     = "SYN" | "SYN-ACK" | ? what else Kind names, one or several ?
//!          | "DNS" , [ "query" | "answer" ] , [ record type ] , [ [ "for" ] , name ]
//!          | "ClientHello" , [ "for" , name ]
//!          | "HTTP request" , [ method ] , [ target ] | "HTTP response" , [ "status" , number ] ;
//! part     = [ "TCP" | "UDP" | "ICMP" ] , "payload" | ( "IP" | "TCP" | "UDP" | "ICMP" ) , "header" ;
//! clause   = "at" , cable | ( "towards" | "leaving" ) , node | "on port" , number | window ;
//! cable    = node , [ "<->" , node ] ;
//! window   = "from" , time , [ ( "to" | "until" ) , time ] | "after" , time | "before" , time ;
//!
//! dead     = "kill" , ( node , { node } | "root" , letters | "root all" , [ "but" , letters ] ) ,
//!            [ "at" , time ] , { window } ;
//! plug     = "unplug" , cable , [ "at" , time ] , [ "for" , time ] ;
//! paper    = ( "expire" | "postdate" | "revoke" ) , [ "the" ] , ( "intermediate" | "leaf of" , name )
//!          | "omit" , [ "the" ] , "intermediate"
//!          | ( "wrong name" | "untrusted root" | "self-signed" | "wrong purpose" | "bad signature"
//!            | "stale list" | "stale OCSP answer" | "no OCSP answer" ) , "on" , name
//!          | ( "expire" | "postdate" | "omit" | "forge" ) , [ "the" ] , "signatures of" , zone
//!          | ( "wrong DS for" | "unsign" ) , zone ;
//!
//! attack   = ( "duplicate ARP replies" | "spoof ARP for" , node
//!            | "forge DNS answers for" , name , [ IPv4 address ] | "forge RSTs of" , node
//!            | "SYN flood" , node | "redirect" , node ) , ( "from" | "by" ) , node ,
//!            { "forwarding" | number , ( "a second" | "in all" ) | "at" , node | window } ;
//!
//! time     = decimal , ( "h" | "min" | "s" | "ms" | "us" | "ns" ) ;
//! size     = decimal , ( "B" | "kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB" ) ;
//! percent  = decimal , "%" ;
//! ordinal  = "first" | ... | "tenth" | number , ( "st" | "nd" | "rd" | "th" ) ;
//! ```
//!
//! docs/faults.md says what each means. Read in this order: `spec` (a fault as data), `words` and `things`
//! (what frames are called), `reader`, `quantity` and `parse` (how a sentence is read), `show` (how it is
//! written), `bad_fault` (how it is refused), `install` and `attackers` (where a fault is put), `meaning`
//! (what it does to frames).

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
pub use install::{CannotStrike, InForce, Stage, install, pki_terms, signing_flaws};
pub use spec::{
    Attack, AuthorityFlaw, CableFault, CertificateFault, Deed, FaultSpec, Frames, Heading, Kill, Kind,
    LeafFlaw, Mishap, Part, Percent, Place, Side, SigningFault, SigningFlaw, Thing, Unplug, Victims, Which,
    Window,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

impl FaultSpec {
    /// What sentences begin with.
    pub const VERBS: &[&str] = parse::VERBS;

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
