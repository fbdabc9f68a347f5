//! From bytes to a message (RFC 1035 4.1).
//!
//! What is wrong with the frame (a record that is cut off, a name that leads nowhere) makes the whole
//! message unreadable. What is wrong inside a record's data concerns that record alone: see
//! [`RecordData::read`].

use super::{
    CLASS_IN, Edns, EdnsOption, ExtendedError, Message, MessageError, PLAIN_UDP_PAYLOAD, Question,
    ResponseCode,
};
use crate::name::{DnsName, SpelledName};
use crate::record::{Record, RecordData, RecordType};

/// The option that carries an extended error (RFC 8914 2).
pub(super) const EXTENDED_ERROR: u16 = 15;
/// The pseudo-record that signs a message (RFC 8945 4.2), of class ANY.
const TSIG: u16 = 250;
const CLASS_ANY: u16 = 255;

pub(super) fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
    let mut reader = Reader { bytes, at: 0 };
    let [id, flags, questions, answers, authorities, additionals] =
        reader.words().ok_or(MessageError::TooShort(bytes.len()))?;
    let flag = |bit: u32| flags >> bit & 1 == 1;
    let mut message = Message {
        id,
        is_response: flag(15),
        opcode: (flags >> 11 & 0xf) as u8,
        authoritative: flag(10),
        truncated: flag(9),
        recursion_desired: flag(8),
        recursion_available: flag(7),
        authentic_data: flag(5),
        checking_disabled: flag(4),
        code: ResponseCode::from_number(flags & 0xf),
        question: None,
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        edns: None,
        has_tsig: false,
    };
    if questions > 0 {
        message.question = Some(reader.question()?);
    }
    // Whoever cuts a message in the middle of a record says so, and it is fetched over TCP anyhow.
    match reader.sections([answers, authorities, additionals], &mut message, flags & 0xf) {
        Err(MessageError::Malformed(_)) if message.truncated && message.is_response => {
            message.answers.clear();
            message.authorities.clear();
            message.additionals.clear();
            Ok(message)
        }
        result => result.map(|()| message),
    }
}

/// A message, read from left to right.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A record as it stands in the message.
struct Raw<'a> {
    owner: DnsName,
    record_type: RecordType,
    class: u16,
    ttl: u32,
    /// Where its data begins.
    start: usize,
    data: &'a [u8],
}

fn malformed(why: impl Into<String>) -> MessageError {
    MessageError::Malformed(why.into())
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(taken)
    }

    fn words<const N: usize>(&mut self) -> Option<[u16; N]> {
        let (words, _) = self.take(2 * N)?.as_chunks::<2>();
        let words: &[[u8; 2]; N] = words.try_into().ok()?;
        Some(words.map(u16::from_be_bytes))
    }

    fn name(&mut self) -> Option<DnsName> {
        let (name, end) = DnsName::read_compressed(self.bytes, self.at)?;
        self.at = end;
        Some(name)
    }

    fn question(&mut self) -> Result<Question, MessageError> {
        let name = self.name().ok_or_else(|| malformed("the name in its question is bad"))?;
        let [number, class] = self.words().ok_or_else(|| malformed("its question is cut off"))?;
        Ok(Question { name, record_type: RecordType::from_number(number), class })
    }

    fn sections(&mut self, counts: [u16; 3], message: &mut Message, code: u16) -> Result<(), MessageError> {
        let [answers, authorities, additionals] = counts;
        let mut opts = 0;
        // What a server puts into its OPT record hurts nobody but itself; a query is answered for what it says.
        let is_query = !message.is_response;
        for (count, section, may_have_opt) in [
            (answers, &mut message.answers, false),
            (authorities, &mut message.authorities, false),
            (additionals, &mut message.additionals, true),
        ] {
            // A record has at least 11 bytes, so a count that promises more is no reason for more space.
            section.reserve(usize::from(count).min((self.bytes.len() - self.at) / 11));
            for _ in 0..count {
                let raw = self.raw()?;
                if raw.record_type == RecordType::OPT {
                    // RFC 6891 6.1.1: more than one, or one that is not the root's, is an error.
                    opts += 1;
                    if opts > 1 || !raw.owner.is_root() {
                        return Err(malformed("its OPT record is doubled or not the root's"));
                    }
                    // "The OPT RR MAY be placed anywhere within the additional data section."
                    if is_query && !may_have_opt {
                        return Err(malformed("its OPT record is not among the additional records"));
                    }
                    message.code = ResponseCode::from_number(code | (raw.ttl >> 24 << 4) as u16);
                    let (edns, rest) = edns(&raw);
                    if is_query && !rest.is_empty() {
                        return Err(malformed("an option of its OPT record is cut off"));
                    }
                    message.edns = Some(edns);
                } else if raw.record_type.number() == TSIG && raw.class == CLASS_ANY {
                    message.has_tsig = true;
                } else if raw.class == CLASS_IN {
                    section.push(self.record(raw)?);
                }
            }
        }
        Ok(())
    }

    fn raw(&mut self) -> Result<Raw<'a>, MessageError> {
        let owner = self.name().ok_or_else(|| malformed("the name of a record is bad"))?;
        let cut_off = || malformed(format!("a record of {owner} is cut off"));
        let [number, class, ttl_high, ttl_low, length] = self.words().ok_or_else(cut_off)?;
        let start = self.at;
        let data = self.take(length.into()).ok_or_else(cut_off)?;
        let ttl = u32::from(ttl_high) << 16 | u32::from(ttl_low);
        Ok(Raw { owner, record_type: RecordType::from_number(number), class, ttl, start, data })
    }

    fn record(&self, raw: Raw<'_>) -> Result<Record, MessageError> {
        let mut name_at = |at: usize| {
            let (name, end) = SpelledName::read_compressed(self.bytes, raw.start + at)?;
            Some((name, end - raw.start))
        };
        let data = RecordData::read(raw.record_type, raw.data, &mut name_at).ok_or_else(|| {
            malformed(format!("a name in the {} record of {} is bad", raw.record_type, raw.owner))
        })?;
        // RFC 2181 8: a TTL with its highest bit set counts as zero.
        let ttl = if raw.ttl > u32::MAX >> 1 { 0 } else { raw.ttl };
        Ok(Record { owner: raw.owner, ttl, data })
    }
}

/// What an OPT record says: its class and its TTL mean something else than usual (RFC 6891 6.1.2).
/// And what is left behind its options: what comes after one that is cut off is no option.
fn edns<'a>(opt: &Raw<'a>) -> (Edns, &'a [u8]) {
    let (mut extended_errors, mut options) = (Vec::new(), Vec::new());
    let mut rest = opt.data;
    while let [code0, code1, length0, length1, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*length0, *length1]));
        let Some((value, further)) = after.split_at_checked(length) else { break };
        rest = further;
        match (u16::from_be_bytes([*code0, *code1]), value) {
            (EXTENDED_ERROR, [info0, info1, text @ ..]) => extended_errors.push(ExtendedError {
                code: u16::from_be_bytes([*info0, *info1]),
                // RFC 8914 2: some end it with a zero byte.
                text: String::from_utf8_lossy(text).trim_end_matches('\0').to_owned(),
            }),
            (code, value) => options.push(EdnsOption { code, data: value.to_vec() }),
        }
    }
    let edns = Edns {
        // RFC 6891 6.2.3: values lower than 512 are treated as 512.
        udp_payload: opt.class.max(PLAIN_UDP_PAYLOAD),
        version: (opt.ttl >> 16 & 0xff) as u8,
        dnssec_ok: opt.ttl & 0x8000 != 0,
        extended_errors,
        options,
    };
    (edns, rest)
}
