//! Between our messages and their bytes (RFC 1035 4.1), with hickory-proto's reader and writer.

use super::{CLASS_IN, Edns, ExtendedError, HEADER, Message, MessageError, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};
use hickory_proto::rr::Name;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder, DecodeError};

/// The option that carries an extended error (RFC 8914 2).
const EXTENDED_ERROR: u16 = 15;

pub(super) fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
    let mut reader = BinDecoder::new(bytes);
    let mut word = || u16_of(&mut reader);
    let (id, flags) = (word()?, word()?);
    let counts = [word()?, word()?, word()?, word()?];
    let [questions, answers, authorities, additionals] = counts;
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
        code: ResponseCode::NoError,
        question: None,
        answers: Vec::new(),
        authorities: Vec::new(),
        additionals: Vec::new(),
        edns: None,
    };
    if questions > 0 {
        message.question = Some(question(&mut reader)?);
    }
    let mut code = flags & 0xf;
    read_section(&mut reader, answers, &mut message.answers)?;
    read_section(&mut reader, authorities, &mut message.authorities)?;
    for opt in read_section(&mut reader, additionals, &mut message.additionals)? {
        // RFC 6891 6.1.1: more than one, or one that is not the root's, is an error.
        if message.edns.is_some() || !opt.owner.is_root() {
            return Err(MessageError::Malformed("its OPT record is doubled or not the root's".to_owned()));
        }
        code |= (opt.ttl >> 24 << 4) as u16;
        message.edns = Some(edns_from(&opt));
    }
    message.code = ResponseCode::from_number(code);
    Ok(message)
}

fn malformed(error: DecodeError) -> MessageError {
    MessageError::Malformed(error.to_string())
}

fn u16_of(reader: &mut BinDecoder<'_>) -> Result<u16, MessageError> {
    Ok(reader.read_u16().map_err(malformed)?.unverified())
}

fn u32_of(reader: &mut BinDecoder<'_>) -> Result<u32, MessageError> {
    Ok(reader.read_u32().map_err(malformed)?.unverified())
}

fn question(reader: &mut BinDecoder<'_>) -> Result<Question, MessageError> {
    Ok(Question {
        name: name(reader)?,
        record_type: RecordType::from_number(u16_of(reader)?),
        class: u16_of(reader)?,
    })
}

/// A name, compressed or not (RFC 1035 4.1.4).
fn name(reader: &mut BinDecoder<'_>) -> Result<DnsName, MessageError> {
    let name = Name::read(reader).map_err(malformed)?;
    DnsName::from_labels(name.iter())
        .map_err(|error| MessageError::Malformed(format!("a name is bad: {error}")))
}

/// An OPT record: class and TTL mean something else there (RFC 6891 6.1.2).
struct Opt<'a> {
    owner: DnsName,
    class: u16,
    ttl: u32,
    data: &'a [u8],
}

/// Reads `count` records of class IN; those of other classes are left out. The OPT records among them
/// are given back.
fn read_section<'a>(
    reader: &mut BinDecoder<'a>,
    count: u16,
    into: &mut Vec<Record>,
) -> Result<Vec<Opt<'a>>, MessageError> {
    let mut opts = Vec::new();
    for _ in 0..count {
        let owner = name(reader)?;
        let record_type = RecordType::from_number(u16_of(reader)?);
        let (class, ttl, length) = (u16_of(reader)?, u32_of(reader)?, u16_of(reader)?);
        let start = reader.index();
        let data = reader.read_slice(length.into()).map_err(malformed)?.unverified();
        if record_type == RecordType::OPT {
            opts.push(Opt { owner, class, ttl, data });
        } else if class == CLASS_IN {
            let mut name_at = |at: usize| {
                let place = u16::try_from(start + at).ok()?;
                let mut within = reader.clone(place);
                let name = name(&mut within).ok()?;
                Some((name, within.index() - start))
            };
            let data = RecordData::read(record_type, data, &mut name_at).ok_or_else(|| {
                MessageError::Malformed(format!("the name in a {record_type} record is bad"))
            })?;
            // RFC 2181 8: a TTL with its highest bit set counts as zero.
            let ttl = if ttl > u32::MAX >> 1 { 0 } else { ttl };
            into.push(Record { owner, ttl, data });
        }
    }
    Ok(opts)
}

fn edns_from(opt: &Opt<'_>) -> Edns {
    let mut extended_errors = Vec::new();
    let mut rest = opt.data;
    // What comes after an option that is cut off is no option.
    while let [code0, code1, length0, length1, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*length0, *length1]));
        let Some((value, further)) = after.split_at_checked(length) else { break };
        rest = further;
        if let ([info0, info1, text @ ..], EXTENDED_ERROR) = (value, u16::from_be_bytes([*code0, *code1])) {
            extended_errors.push(ExtendedError {
                code: u16::from_be_bytes([*info0, *info1]),
                // RFC 8914 2: some end it with a zero byte, and it "MUST NOT be assumed" either way.
                text: String::from_utf8_lossy(text).trim_end_matches('\0').to_owned(),
            });
        }
    }
    Edns {
        // RFC 6891 6.2.3: values lower than 512 are treated as 512.
        udp_payload: opt.class.max(super::PLAIN_UDP_PAYLOAD),
        version: (opt.ttl >> 16 & 0xff) as u8,
        dnssec_ok: opt.ttl & 0x8000 != 0,
        extended_errors,
    }
}

pub(super) fn encode(message: &Message) -> Result<Vec<u8>, MessageError> {
    let mut bytes = Vec::with_capacity(512);
    let mut writer = BinEncoder::new(&mut bytes);
    let code = message.code.number();
    let flag = |set: bool, bit: u32| u16::from(set) << bit;
    let flags = flag(message.is_response, 15)
        | u16::from(message.opcode & 0xf) << 11
        | flag(message.authoritative, 10)
        | flag(message.truncated, 9)
        | flag(message.recursion_desired, 8)
        | flag(message.recursion_available, 7)
        | flag(message.authentic_data, 5)
        | flag(message.checking_disabled, 4)
        | code & 0xf;
    let count = |records: usize| {
        u16::try_from(records).map_err(|_| MessageError::Encode("a section has too many records".to_owned()))
    };
    let head = [
        message.id,
        flags,
        message.question.is_some().into(),
        count(message.answers.len())?,
        count(message.authorities.len())?,
        count(message.additionals.len() + usize::from(message.edns.is_some()))?,
    ];
    debug_assert_eq!(head.len() * 2, HEADER);
    let mut write = || -> Result<(), hickory_proto::ProtoError> {
        head.into_iter().try_for_each(|word| writer.emit_u16(word))?;
        if let Some(question) = &message.question {
            emit_name(&mut writer, &question.name)?;
            writer.emit_u16(question.record_type.number())?;
            writer.emit_u16(question.class)?;
        }
        for record in message.answers.iter().chain(&message.authorities).chain(&message.additionals) {
            emit_record(&mut writer, record)?;
        }
        if let Some(edns) = &message.edns {
            emit_opt(&mut writer, edns, code)?;
        }
        Ok(())
    };
    write().map_err(|error| MessageError::Encode(error.to_string()))?;
    Ok(bytes)
}

fn emit_name(writer: &mut BinEncoder<'_>, name: &DnsName) -> Result<(), hickory_proto::ProtoError> {
    Name::from_labels(name.to_labels())?.emit(writer)
}

fn emit_record(writer: &mut BinEncoder<'_>, record: &Record) -> Result<(), hickory_proto::ProtoError> {
    emit_name(writer, &record.owner)?;
    writer.emit_u16(record.record_type().number())?;
    writer.emit_u16(CLASS_IN)?;
    writer.emit_u32(record.ttl)?;
    let place = writer.place::<u16>()?;
    match &record.data {
        // RFC 3597 4: only names in the data of RFC 1035's own types are compressed.
        RecordData::Cname(name) | RecordData::Ns(name) | RecordData::Ptr(name) => emit_name(writer, name)?,
        RecordData::Mx { preference, exchange } => {
            writer.emit_u16(*preference)?;
            emit_name(writer, exchange)?;
        }
        RecordData::Soa(soa) => {
            emit_name(writer, &soa.primary)?;
            emit_name(writer, &soa.mailbox)?;
            [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]
                .into_iter()
                .try_for_each(|number| writer.emit_u32(number))?;
        }
        other => writer.emit_vec(&other.canonical_bytes())?,
    }
    let length = writer.len_since_place(&place);
    let length = u16::try_from(length).map_err(|_| "a record is too long")?;
    writer.emit_at(place, length)
}

fn emit_opt(writer: &mut BinEncoder<'_>, edns: &Edns, code: u16) -> Result<(), hickory_proto::ProtoError> {
    let mut options = Vec::new();
    for error in &edns.extended_errors {
        let length = u16::try_from(2 + error.text.len()).map_err(|_| "an extended error is too long")?;
        options.extend(EXTENDED_ERROR.to_be_bytes());
        options.extend(length.to_be_bytes());
        options.extend(error.code.to_be_bytes());
        options.extend(error.text.as_bytes());
    }
    writer.emit_u8(0)?;
    writer.emit_u16(RecordType::OPT.number())?;
    writer.emit_u16(edns.udp_payload)?;
    let ttl = u32::from(code >> 4) << 24 | u32::from(edns.version) << 16 | u32::from(edns.dnssec_ok) << 15;
    writer.emit_u32(ttl)?;
    let length = u16::try_from(options.len()).map_err(|_| "the options are too long")?;
    writer.emit_u16(length)?;
    writer.emit_vec(&options)
}
