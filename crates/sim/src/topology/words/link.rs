//! Queues and VLANs: what a cable does with those who wait, and what a switch's port carries.

use super::Word;
use crate::cable::Queue;
use crate::switch::Vlan;
use std::time::Duration;

/// `unlimited`, `50 frames`, `64000 bytes`, `codel`, `codel target 5ms interval 100ms limit 1000`.
impl Word for Queue {
    const NOUN: &'static str = "a queue, as \"50 frames\", \"64000 bytes\", \"codel\", \"codel target 5ms interval 100ms limit 1000\", \"unlimited\"";

    fn read(text: &str) -> Result<Self, String> {
        let not = || format!("`{text}` is not {}", Self::NOUN);
        let words: Vec<_> = text.split_whitespace().collect();
        match words.as_slice() {
            ["unlimited"] => Ok(Self::Unlimited),
            [number, "frames" | "frame"] => number.parse().map(Self::Frames).map_err(|_| not()),
            [number, "bytes" | "byte"] => number.parse().map(Self::Bytes).map_err(|_| not()),
            ["codel", terms @ ..] => codel(terms, not),
            _ => Err(not()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Unlimited => "unlimited".to_owned(),
            Self::Frames(limit) => format!("{limit} frames"),
            Self::Bytes(limit) => format!("{limit} bytes"),
            codel if *codel == Self::codel() => "codel".to_owned(),
            Self::CoDel { target, interval, limit } => {
                format!("codel target {} interval {} limit {limit}", target.write(), interval.write())
            }
        }
    }
}

/// What is not said is as RFC 8289 recommends.
fn codel(terms: &[&str], not: impl Fn() -> String) -> Result<Queue, String> {
    let mut queue = Queue::codel();
    let Queue::CoDel { target, interval, limit } = &mut queue else { return Err(not()) };
    for term in terms.chunks(2) {
        match term {
            ["target", value] => *target = Duration::read(value)?,
            ["interval", value] => *interval = Duration::read(value)?,
            ["limit", value] => *limit = value.parse().map_err(|_| not())?,
            _ => return Err(not()),
        }
    }
    Ok(queue)
}

/// `access 10`, `trunk 10 20`, `trunk 10 20 native 1`.
impl Word for Vlan {
    const NOUN: &'static str =
        "what a port carries, as \"access 10\", \"trunk 10 20\", \"trunk 10 20 native 1\"";

    fn read(text: &str) -> Result<Self, String> {
        let not = || format!("`{text}` is not {}", Self::NOUN);
        let words: Vec<_> = text.split_whitespace().collect();
        match words.as_slice() {
            ["access", id] => vlan_id(id).map(Self::Access),
            ["trunk", rest @ ..] => {
                let (tagged, native) = match rest {
                    [tagged @ .., "native", id] => (tagged, Some(vlan_id(id)?)),
                    tagged => (tagged, None),
                };
                let tagged: Vec<u16> = tagged.iter().map(|id| vlan_id(id)).collect::<Result<_, _>>()?;
                match tagged.is_empty() && native.is_none() {
                    true => Err(not()),
                    false => Ok(Self::Trunk { native, tagged }),
                }
            }
            _ => Err(not()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Access(id) => format!("access {id}"),
            Self::Trunk { native, tagged } => {
                let tagged = tagged.iter().map(|id| format!(" {id}"));
                let native = native.iter().map(|id| format!(" native {id}"));
                format!("trunk{}", tagged.chain(native).collect::<String>())
            }
        }
    }
}

/// IEEE 802.1Q 9.6: 0 is no VLAN and 4095 is reserved.
fn vlan_id(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(id @ 1..=4094) => Ok(id),
        _ => Err(format!("`{text}` is not a VLAN; they have the numbers 1 to 4094")),
    }
}
