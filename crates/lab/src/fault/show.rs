//! Writes sentences, so that [`FaultSpec::parse`] reads the same fault from them.

use super::quantity::{show_duration, show_percent, show_size};
use super::spec::{
    Attack, AuthorityFlaw, CableFault, CertificateFault, Deed, FaultSpec, Frames, Heading, Kill, Kind,
    LeafFlaw, Mishap, Part, Place, SigningFault, SigningFlaw, Thing, Unplug, Victims, Which, Window,
};
use super::things;
use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

impl Display for FaultSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Cable(fault) => fault.fmt(f),
            Self::Kill(kill) => kill.fmt(f),
            Self::Unplug(unplug) => unplug.fmt(f),
            Self::Certificate(fault) => fault.fmt(f),
            Self::Signing(fault) => fault.fmt(f),
            Self::Attack(attack) => attack.fmt(f),
        }
    }
}

impl Display for CableFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // A host's name stands behind the verb where nothing else could be meant.
        let takes_host =
            !matches!(self.mishap, Mishap::Answer { .. } | Mishap::Lie { .. } | Mishap::Truncate);
        let host = match &self.place {
            Some(Place::Of(host)) if takes_host && !things::is_reserved(host) => format!(" {host}"),
            _ => String::new(),
        };
        self.mishap.write(f, &host)?;
        if let Some(place) = self.place.as_ref().filter(|_| host.is_empty()) {
            write!(f, " at {place}")?;
        }
        match &self.heading {
            Some(Heading::Towards(node)) => write!(f, " towards {node}")?,
            Some(Heading::Leaving(node)) => write!(f, " leaving {node}")?,
            None => {}
        }
        if let Some(port) = self.port {
            write!(f, " on port {port}")?;
        }
        self.window.fmt(f)
    }
}

impl Mishap {
    /// What happens; `host` stands behind the verb.
    fn write(&self, f: &mut Formatter<'_>, host: &str) -> Result {
        match self {
            Self::Lose(frames) => write!(f, "lose{host} {frames}"),
            Self::LoseInBursts { begins, ends } => {
                write!(f, "lose{host} in bursts {} {}", show_percent(*begins), show_percent(*ends))
            }
            Self::Corrupt { frames, part, keeping_checksum } => {
                let part = match part {
                    Part::Itself => "",
                    Part::Payload => "payload of ",
                    Part::IpHeader => "IP header of ",
                    Part::TransportHeader => "TCP header of ",
                };
                let keeping = if *keeping_checksum { " keeping the checksum" } else { "" };
                write!(f, "corrupt{host} {part}{frames}{keeping}")
            }
            Self::Delay { frames, by } => write!(f, "delay{host} {frames} {}", show_duration(*by)),
            Self::Duplicate { frames, copies: 1 } => write!(f, "duplicate{host} {frames}"),
            Self::Duplicate { frames, copies } => write!(f, "duplicate{host} {frames} {copies} times"),
            Self::Reorder(frames) => write!(f, "reorder{host} {frames}"),
            Self::BlackHole { above } => write!(f, "black hole{host} above {above}"),
            Self::Reset { after } => write!(f, "reset{host} after {}", show_size(*after)),
            Self::Close { after } => write!(f, "close{host} after {}", show_size(*after)),
            Self::Answer { code, name } => write!(f, "answer {code} for {name}"),
            Self::Lie { name, address } => write!(f, "lie about {name} {address}"),
            Self::Truncate => f.write_str("truncate DNS answers"),
        }
    }
}

impl Display for Frames {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.which {
            Which::Chance(chance) => {
                f.write_str(&show_percent(chance))?;
                if self.thing == Thing::Plain(Kind::Frame) {
                    return Ok(());
                }
                f.write_str(" of ")?;
                self.thing.write(f, true)
            }
            Which::All => self.thing.write(f, true),
            Which::First(count) => {
                write!(f, "the first {count} ")?;
                self.thing.write(f, true)
            }
            Which::Nth(1) if self.thing == Thing::Plain(Kind::LastAck) => f.write_str("the last ACK"),
            Which::Nth(n) => {
                self.thing.write(f, false)?;
                write!(f, " {n}")
            }
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Of(host) => f.write_str(host),
            Self::Between(one, other) => write!(f, "{one} <-> {other}"),
        }
    }
}

impl Display for Window {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match (self.from, self.until) {
            (Duration::ZERO, None) => Ok(()),
            (Duration::ZERO, Some(until)) => write!(f, " before {}", show_duration(until)),
            (from, None) => write!(f, " after {}", show_duration(from)),
            (from, Some(until)) => write!(f, " from {} to {}", show_duration(from), show_duration(until)),
        }
    }
}

impl Display for Kill {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let list = |letters: &[char]| letters.iter().map(char::to_string).collect::<Vec<_>>().join(", ");
        match &self.who {
            Victims::Hosts(hosts) => write!(f, "kill {}", hosts.join(", "))?,
            Victims::Roots(letters) => write!(f, "kill root {}", list(letters))?,
            Victims::RootsBut(letters) if letters.is_empty() => f.write_str("kill root all")?,
            Victims::RootsBut(letters) => write!(f, "kill root all but {}", list(letters))?,
        }
        self.window.fmt(f)
    }
}

impl Display for Unplug {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "unplug {}", self.place)?;
        if !self.at.is_zero() {
            write!(f, " at {}", show_duration(self.at))?;
        }
        self.lasting.map_or(Ok(()), |lasting| write!(f, " for {}", show_duration(lasting)))
    }
}

impl Display for CertificateFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Intermediate(flaw) => write!(
                f,
                "{} the intermediate",
                match flaw {
                    AuthorityFlaw::Expired => "expire",
                    AuthorityFlaw::NotYetValid => "postdate",
                    AuthorityFlaw::Revoked => "revoke",
                    AuthorityFlaw::Omitted => "omit",
                }
            ),
            Self::Leaf { name, flaw } => {
                f.write_str(match flaw {
                    LeafFlaw::Expired => "expire the leaf of",
                    LeafFlaw::NotYetValid => "postdate the leaf of",
                    LeafFlaw::Revoked => "revoke the leaf of",
                    LeafFlaw::WrongName => "wrong name on",
                    LeafFlaw::UntrustedRoot => "untrusted root on",
                    LeafFlaw::SelfSigned => "self-signed on",
                    LeafFlaw::WrongPurpose => "wrong purpose on",
                    LeafFlaw::BadSignature => "bad signature on",
                    LeafFlaw::ListStale => "stale list on",
                    LeafFlaw::AnswerStale => "stale OCSP answer on",
                    LeafFlaw::NoAnswer => "no OCSP answer on",
                })?;
                write!(f, " {name}")
            }
        }
    }
}

impl Display for SigningFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self.flaw {
            SigningFlaw::Expired => "expire the signatures of",
            SigningFlaw::NotYetValid => "postdate the signatures of",
            SigningFlaw::Omitted => "omit the signatures of",
            SigningFlaw::Forged => "forge the signatures of",
            SigningFlaw::WrongDs => "wrong DS for",
            SigningFlaw::Unsigned => "unsign",
        })?;
        write!(f, " {}", self.zone)
    }
}

impl Display for Attack {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let by = &self.by;
        match &self.deed {
            Deed::DuplicateArp => write!(f, "duplicate ARP replies from {by}"),
            Deed::SpoofArp { of, forwarding } => {
                write!(f, "spoof ARP for {of} from {by}{}", if *forwarding { " forwarding" } else { "" })
            }
            Deed::ForgeDns { name, address } => write!(f, "forge DNS answers for {name} {address} from {by}"),
            Deed::ForgeResets { of } => write!(f, "forge RSTs of {of} from {by}"),
            Deed::SynFlood { of, rate, count } => {
                write!(f, "SYN flood {of} by {by} {rate} a second {count} in all")
            }
            Deed::Redirect { of } => write!(f, "redirect {of} by {by}"),
        }?;
        if let Some(at) = &self.at {
            write!(f, " at {at}")?;
        }
        self.window.fmt(f)
    }
}
