//! Between our messages and hickory-proto's.

use super::{CLASS_IN, Edns, Message, MessageError, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType, Soa};
use hickory_proto::op::{self, MessageType, OpCode};
use hickory_proto::rr::rdata::{self, NULL};
use hickory_proto::rr::{self, DNSClass, Name, RData};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};

pub(super) fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
    let message = op::Message::from_vec(bytes).map_err(|error| MessageError::Malformed(error.to_string()))?;
    let head = &message.metadata;
    Ok(Message {
        id: head.id,
        is_response: head.message_type == MessageType::Response,
        opcode: head.op_code.into(),
        authoritative: head.authoritative,
        truncated: head.truncation,
        recursion_desired: head.recursion_desired,
        recursion_available: head.recursion_available,
        code: ResponseCode::from_number(head.response_code.into()),
        question: message.queries.first().map(question_from).transpose()?,
        answers: records_from(&message.answers)?,
        authorities: records_from(&message.authorities)?,
        additionals: records_from(&message.additionals)?,
        edns: message.edns.as_ref().map(|edns| Edns {
            udp_payload: edns.max_payload(),
            version: edns.version(),
            dnssec_ok: edns.flags().dnssec_ok,
        }),
    })
}

pub(super) fn encode(message: &Message) -> Result<Vec<u8>, MessageError> {
    let kind = if message.is_response { MessageType::Response } else { MessageType::Query };
    let mut out = op::Message::new(message.id, kind, OpCode::from_u8(message.opcode));
    out.metadata.authoritative = message.authoritative;
    out.metadata.truncation = message.truncated;
    out.metadata.recursion_desired = message.recursion_desired;
    out.metadata.recursion_available = message.recursion_available;
    out.metadata.response_code = message.code.number().into();
    if let Some(question) = &message.question {
        let mut query = op::Query::query(name_to(&question.name)?, question.record_type.number().into());
        query.set_query_class(question.class.into());
        out.add_query(query);
    }
    out.add_answers(records_to(&message.answers)?);
    out.add_authorities(records_to(&message.authorities)?);
    out.add_additionals(records_to(&message.additionals)?);
    if let Some(edns) = &message.edns {
        let mut opt = op::Edns::new();
        opt.set_max_payload(edns.udp_payload).set_version(edns.version).set_dnssec_ok(edns.dnssec_ok);
        out.set_edns(opt);
    }
    out.to_vec().map_err(|error| MessageError::Encode(error.to_string()))
}

fn question_from(query: &op::Query) -> Result<Question, MessageError> {
    Ok(Question {
        name: name_from(query.name())?,
        record_type: RecordType::from_number(query.query_type().into()),
        class: query.query_class().into(),
    })
}

fn name_from(name: &Name) -> Result<DnsName, MessageError> {
    DnsName::from_labels(name.iter())
        .map_err(|error| MessageError::Malformed(format!("a name is bad: {error}")))
}

fn name_to(name: &DnsName) -> Result<Name, MessageError> {
    Name::from_labels(name.to_labels()).map_err(|error| MessageError::Encode(error.to_string()))
}

fn records_from(records: &[rr::Record]) -> Result<Vec<Record>, MessageError> {
    records.iter().filter(|record| u16::from(record.dns_class) == CLASS_IN).map(record_from).collect()
}

fn record_from(record: &rr::Record) -> Result<Record, MessageError> {
    // RFC 2181 8: a TTL with its highest bit set counts as zero.
    let ttl = if record.ttl > u32::MAX >> 1 { 0 } else { record.ttl };
    Ok(Record { owner: name_from(&record.name)?, ttl, data: data_from(&record.data)? })
}

fn data_from(data: &RData) -> Result<RecordData, MessageError> {
    Ok(match data {
        RData::A(address) => RecordData::A(address.0),
        RData::AAAA(address) => RecordData::Aaaa(address.0),
        RData::CNAME(name) => RecordData::Cname(name_from(&name.0)?),
        RData::NS(name) => RecordData::Ns(name_from(&name.0)?),
        RData::PTR(name) => RecordData::Ptr(name_from(&name.0)?),
        RData::MX(mx) => RecordData::Mx { preference: mx.preference, exchange: name_from(&mx.exchange)? },
        RData::TXT(txt) => RecordData::Txt(txt.txt_data.iter().map(|string| string.to_vec()).collect()),
        RData::SOA(soa) => RecordData::Soa(Soa {
            primary: name_from(&soa.mname)?,
            mailbox: name_from(&soa.rname)?,
            serial: soa.serial,
            refresh: soa.refresh.cast_unsigned(),
            retry: soa.retry.cast_unsigned(),
            expire: soa.expire.cast_unsigned(),
            minimum: soa.minimum,
        }),
        RData::SRV(srv) => RecordData::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: name_from(&srv.target)?,
        },
        other => RecordData::Other { number: other.record_type().into(), bytes: plain_bytes(other)? },
    })
}

/// The data of a record on its own: no name in it may point elsewhere.
fn plain_bytes(data: &RData) -> Result<Vec<u8>, MessageError> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    data.emit(&mut encoder).map_err(|error| MessageError::Malformed(error.to_string()))?;
    Ok(bytes)
}

fn records_to(records: &[Record]) -> Result<Vec<rr::Record>, MessageError> {
    records
        .iter()
        .map(|record| {
            let mut out = rr::Record::from_rdata(name_to(&record.owner)?, record.ttl, data_to(&record.data)?);
            out.dns_class = DNSClass::IN;
            Ok(out)
        })
        .collect()
}

fn data_to(data: &RecordData) -> Result<RData, MessageError> {
    Ok(match data {
        RecordData::A(address) => RData::A(rdata::A(*address)),
        RecordData::Aaaa(address) => RData::AAAA(rdata::AAAA(*address)),
        RecordData::Cname(name) => RData::CNAME(rdata::CNAME(name_to(name)?)),
        RecordData::Ns(name) => RData::NS(rdata::NS(name_to(name)?)),
        RecordData::Ptr(name) => RData::PTR(rdata::PTR(name_to(name)?)),
        RecordData::Mx { preference, exchange } => RData::MX(rdata::MX::new(*preference, name_to(exchange)?)),
        RecordData::Txt(strings) => {
            RData::TXT(rdata::TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
        RecordData::Soa(soa) => RData::SOA(rdata::SOA::new(
            name_to(&soa.primary)?,
            name_to(&soa.mailbox)?,
            soa.serial,
            soa.refresh.cast_signed(),
            soa.retry.cast_signed(),
            soa.expire.cast_signed(),
            soa.minimum,
        )),
        RecordData::Srv { priority, weight, port, target } => {
            RData::SRV(rdata::SRV::new(*priority, *weight, *port, name_to(target)?))
        }
        RecordData::Other { number, bytes } => {
            RData::Unknown { code: (*number).into(), rdata: NULL::with(bytes.clone()) }
        }
    })
}
