//! From a message to bytes (RFC 1035 4.1), with compression (RFC 1035 4.1.4).

use super::wire::EXTENDED_ERROR;
use super::{CLASS_IN, Edns, EdnsOption, ExtendedError, HEADER, Message, MessageError, Question};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};

/// Pointers have 14 bits.
const FARTHEST: usize = 0x3fff;
/// How many places are remembered that names can point to: enough for what fits into a datagram, and
/// few enough to look through.
const PLACES: usize = 256;

/// A message on its way.
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Where a name, or the end of one, begins, and a hash of it.
    places: Vec<(u32, u16)>,
    counts: [usize; 4],
}

/// The sections, by their place in the header.
#[derive(Clone, Copy)]
pub(super) enum Section {
    Question,
    Answer,
    Authority,
    Additional,
}

/// How far it is written.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    bytes: usize,
    places: usize,
    counts: [usize; 4],
}

fn too_long(what: &str) -> MessageError {
    MessageError::Encode(format!("{what} is too long"))
}

impl Writer {
    /// Begins with the header. Its flags and counts come last.
    pub(super) fn new() -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.resize(HEADER, 0);
        Self { bytes, places: Vec::with_capacity(16), counts: [0; 4] }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), places: self.places.len(), counts: self.counts }
    }

    /// Takes back what was written since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.places.truncate(mark.places);
        self.counts = mark.counts;
    }

    pub(super) fn question(&mut self, question: &Question) {
        self.name(&question.name);
        self.word(question.record_type.number());
        self.word(question.class);
        self.count(Section::Question);
    }

    pub(super) fn record(&mut self, section: Section, record: &Record) -> Result<(), MessageError> {
        self.name(&record.owner);
        self.word(record.record_type().number());
        self.word(CLASS_IN);
        self.bytes.extend(record.ttl.to_be_bytes());
        let place = self.bytes.len();
        self.word(0);
        match &record.data {
            // RFC 3597 4: only names in the data of RFC 1035's own types are compressed.
            RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => self.name(name),
            RecordData::Mx { preference, exchange } => {
                self.word(*preference);
                self.name(exchange);
            }
            RecordData::Soa(soa) => {
                self.name(&soa.primary);
                self.name(&soa.mailbox);
                [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]
                    .into_iter()
                    .for_each(|number| self.bytes.extend(number.to_be_bytes()));
            }
            RecordData::Other { bytes, .. } => self.bytes.extend(bytes),
            other => other.write_canonical(&mut self.bytes),
        }
        let length = self.bytes.len() - place - 2;
        let length = u16::try_from(length).map_err(|_| too_long(&format!("a record of {}", record.owner)))?;
        self.patch(place, length);
        self.count(section);
        Ok(())
    }

    /// RFC 6891 6.1.2. `code` is the whole response code.
    pub(super) fn opt(&mut self, edns: &Edns, code: u16) -> Result<(), MessageError> {
        self.bytes.push(0);
        self.word(RecordType::OPT.number());
        self.word(edns.udp_payload);
        let flags = u32::from(edns.version) << 16 | u32::from(edns.dnssec_ok) << 15;
        self.bytes.extend((u32::from(code >> 4) << 24 | flags).to_be_bytes());
        let errors = edns.extended_errors.iter().map(|error| 6 + error.text.len());
        let length = errors.chain(edns.options.iter().map(|option| 4 + option.data.len())).sum::<usize>();
        self.word(u16::try_from(length).map_err(|_| too_long("what the OPT record holds"))?);
        for ExtendedError { code, text } in &edns.extended_errors {
            self.word(EXTENDED_ERROR);
            self.word(u16::try_from(2 + text.len()).map_err(|_| too_long("an extended error"))?);
            self.word(*code);
            self.bytes.extend(text.as_bytes());
        }
        for EdnsOption { code, data } in &edns.options {
            self.word(*code);
            self.word(u16::try_from(data.len()).map_err(|_| too_long("an option"))?);
            self.bytes.extend(data);
        }
        self.count(Section::Additional);
        Ok(())
    }

    /// The bytes, now that id, flags and counts are known.
    pub(super) fn finish(mut self, message: &Message, truncated: bool) -> Result<Vec<u8>, MessageError> {
        if self.bytes.len() > usize::from(u16::MAX) {
            return Err(too_long("the message"));
        }
        let flag = |set: bool, bit: u32| u16::from(set) << bit;
        let flags = flag(message.is_response, 15)
            | u16::from(message.opcode & 0xf) << 11
            | flag(message.authoritative, 10)
            | flag(truncated, 9)
            | flag(message.recursion_desired, 8)
            | flag(message.recursion_available, 7)
            | flag(message.authentic_data, 5)
            | flag(message.checking_disabled, 4)
            | message.code.number() & 0xf;
        self.patch(0, message.id);
        self.patch(2, flags);
        for (place, count) in (4..).step_by(2).zip(self.counts) {
            self.patch(place, u16::try_from(count).map_err(|_| too_long("a section"))?);
        }
        Ok(self.bytes)
    }

    fn word(&mut self, word: u16) {
        self.bytes.extend(word.to_be_bytes());
    }

    fn patch(&mut self, at: usize, word: u16) {
        if let Some(place) = self.bytes.get_mut(at..at + 2) {
            place.copy_from_slice(&word.to_be_bytes());
        }
    }

    fn count(&mut self, section: Section) {
        if let Some(count) = self.counts.get_mut(section as usize) {
            *count += 1;
        }
    }

    /// Writes a name: as much of it as has not been written before, and a pointer to the rest.
    fn name(&mut self, name: &DnsName) {
        let start = self.bytes.len();
        name.write_wire(&mut self.bytes);
        let mut labels = [0_u8; 128];
        let (count, mut end) = self.labels(start, &mut labels);
        // Every end of a name that was written is known, so the first that is not known from the right
        // is the last to be looked for.
        let mut known = None;
        let mut all_known = true;
        let mut hash = 0x811c_9dc5_u32;
        for label in labels.iter().take(count).rev() {
            let at = start + usize::from(*label);
            // FNV-1a, from the right label to the left.
            for byte in self.bytes.get(at..end).unwrap_or_default() {
                hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
            }
            end = at;
            let same = |(other, place): &&(u32, u16)| *other == hash && self.is_same(at, usize::from(*place));
            let found = if all_known { self.places.iter().find(same) } else { None };
            match found {
                Some((_, place)) => known = Some((at, *place)),
                None => {
                    all_known = false;
                    if let (Ok(place), true) =
                        (u16::try_from(at), at <= FARTHEST && self.places.len() < PLACES)
                    {
                        self.places.push((hash, place));
                    }
                }
            }
        }
        if let Some((at, place)) = known {
            self.bytes.truncate(at);
            self.word(0xc000 | place);
        }
    }

    /// Where the labels of the name in full at `start` begin, counted from there; how many they are, and
    /// where the root's begins.
    fn labels(&self, start: usize, labels: &mut [u8; 128]) -> (usize, usize) {
        let (mut count, mut at) = (0, start);
        while let Some(length) = self.bytes.get(at).filter(|length| **length > 0) {
            if let (Some(place), Ok(label)) = (labels.get_mut(count), u8::try_from(at - start)) {
                *place = label;
                count += 1;
            }
            at += 1 + usize::from(*length);
        }
        (count, at)
    }

    /// Whether the name in full at `ours` is the one at `theirs`, which may go on elsewhere.
    fn is_same(&self, mut ours: usize, mut theirs: usize) -> bool {
        loop {
            let (Some(our), Some(their)) = (self.bytes.get(ours), self.bytes.get(theirs)) else {
                return false;
            };
            // Its own pointers only ever lead back.
            if let (0xc0.., Some(low)) = (*their, self.bytes.get(theirs + 1)) {
                theirs = usize::from(u16::from_be_bytes([their & 0x3f, *low]));
                continue;
            }
            let length = 1 + usize::from(*our);
            let label = |at: usize| self.bytes.get(at..at + length);
            if label(ours) != label(theirs) {
                return false;
            }
            if *our == 0 {
                return true;
            }
            (ours, theirs) = (ours + length, theirs + length);
        }
    }
}
