//! Which frames a port carries, and the tag that says a frame's VLAN (IEEE 802.1Q).
//!
//! ```text
//!   destination | source | 0x8100 | priority 3 bits, DEI 1 bit, VLAN 12 bits | EtherType | ...
//! ```

use crate::view::VLAN_TAG;
use glasstack_journal::event::DropReason;

/// Where the tag stands, in bytes: behind both addresses.
const AT: usize = 12;
/// Its length, in bytes.
const LENGTH: usize = 4;
/// The VLAN identifier that means: a priority, but no VLAN (IEEE 802.1Q-2018, table 9-2).
const PRIORITY_ONLY: u16 = 0;
/// The one that is reserved.
const RESERVED: u16 = 0x0fff;

/// What a port of a switch carries (IEEE 802.1Q). A port of which nothing is said is an access port of
/// VLAN 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vlan {
    /// Frames of one VLAN, 1 to 4094, without tags: a port for stations that know nothing of VLANs.
    Access(u16),
    /// Frames of several VLANs with tags: a port for another switch.
    Trunk {
        /// The VLAN whose frames have no tag here; none if all must have one.
        native: Option<u16>,
        /// Those whose frames have one.
        tagged: Vec<u16>,
    },
}

/// Whose frame it is, and how it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// The VLAN; 0 as long as only its priority is known.
    pub(super) vlan: u16,
    /// Priority and DEI, in their place.
    priority: u16,
    /// Whether there is a tag in the frame.
    is_there: bool,
}

impl Vlan {
    /// Whether frames of `vlan` leave here, and if so whether with a tag (IEEE 802.1Q-2018, 8.6.4 and
    /// 8.6.8).
    pub(super) fn carries(&self, vlan: u16) -> Option<bool> {
        match self {
            Self::Access(own) => (*own == vlan).then_some(false),
            Self::Trunk { native: Some(native), .. } if *native == vlan => Some(false),
            Self::Trunk { tagged, .. } => tagged.contains(&vlan).then_some(true),
        }
    }

    /// The VLAN of a frame that has come in here, or why it is not let in (IEEE 802.1Q-2018, 8.6.1 to
    /// 8.6.3).
    pub(super) fn admits(&self, tag: Tag) -> Result<Tag, (DropReason, String)> {
        let wrong = |what: String| Err((DropReason::WrongVlan, what));
        match (self, tag.vlan) {
            (Self::Access(own), PRIORITY_ONLY) => Ok(Tag { vlan: *own, ..tag }),
            (Self::Access(_), vlan) => wrong(format!("a tag of VLAN {vlan} where none may be")),
            (Self::Trunk { native: Some(native), .. }, PRIORITY_ONLY) => Ok(Tag { vlan: *native, ..tag }),
            (Self::Trunk { native: None, .. }, PRIORITY_ONLY) => {
                wrong("no VLAN, and no native one".to_owned())
            }
            (Self::Trunk { .. }, vlan) if self.carries(vlan).is_some() => Ok(tag),
            (Self::Trunk { .. }, vlan) => wrong(format!("VLAN {vlan}")),
        }
    }
}

impl Tag {
    /// The tag of a frame that has an Ethernet header.
    pub(super) fn of(frame: &[u8]) -> Result<Self, (DropReason, String)> {
        let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
        if word(AT) != Some(VLAN_TAG) {
            return Ok(Self { vlan: PRIORITY_ONLY, priority: 0, is_there: false });
        }
        // Behind it stands the frame's own EtherType.
        match word(AT + 2).zip(word(AT + LENGTH)) {
            None => Err((DropReason::BadVlanTag, format!("a frame of {} bytes", frame.len()))),
            Some((word, _)) if word & RESERVED == RESERVED => {
                Err((DropReason::BadVlanTag, format!("VLAN {RESERVED}")))
            }
            Some((word, _)) => Ok(Self { vlan: word & 0x0fff, priority: word & 0xf000, is_there: true }),
        }
    }

    /// The frame as it leaves, with or without the tag.
    pub(super) fn framed(&self, frame: &[u8], tagged: bool) -> Vec<u8> {
        let room = if tagged && !self.is_there { LENGTH } else { 0 };
        let mut bytes = Vec::with_capacity(frame.len() + room);
        bytes.extend_from_slice(frame);
        self.frame(&mut bytes, tagged);
        bytes
    }

    /// Pushes the tag or strips it.
    pub(super) fn frame(&self, bytes: &mut Vec<u8>, tagged: bool) {
        let [high, low] = (self.priority | self.vlan).to_be_bytes();
        let [a, b] = VLAN_TAG.to_be_bytes();
        match (self.is_there, tagged) {
            (false, false) => {}
            (true, false) => drop(bytes.drain(AT..AT + LENGTH)),
            (false, true) => drop(bytes.splice(AT..AT, [a, b, high, low])),
            // A tag of priority alone gets its VLAN.
            (true, true) => drop(bytes.splice(AT + 2..AT + LENGTH, [high, low])),
        }
    }
}
