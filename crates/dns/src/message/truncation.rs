//! What of a message is sent where not all of it fits.

use super::writer::{Section, Writer};
use super::{Message, MessageError, ResponseCode};
use crate::name::DnsName;
use crate::record::{Record, RecordData, RecordType};

/// The bytes of `message`, at most `limit` of them where that can be.
///
/// RFC 2181 9: what is asked for is there as a whole, or the message is marked as truncated; then it has
/// no records at all here, so that nobody takes a part for the whole. What may help is added as far as
/// it fits, whole sets only; but the addresses without which nobody could follow a referral must be
/// there (RFC 9471 2.1).
pub(super) fn encode(message: &Message, limit: usize) -> Result<Vec<u8>, MessageError> {
    let mut writer = Writer::new();
    if let Some(question) = &message.question {
        writer.question(question);
    }
    let bare = writer.mark();
    // The OPT record comes last, but has its place for certain (RFC 6891 7).
    let opt = message.edns.as_ref().map_or(0, |edns| {
        let errors = edns.extended_errors.iter().map(|error| 6 + error.text.len());
        11 + errors.chain(edns.options.iter().map(|option| 4 + option.data.len())).sum::<usize>()
    });
    let room = limit.saturating_sub(opt);
    let truncated = !body(&mut writer, message, room)?;
    if truncated {
        writer.back_to(bare);
    }
    if let Some(edns) = &message.edns {
        writer.opt(edns, message.code.number())?;
    }
    writer.finish(message, message.truncated || truncated)
}

/// Writes the three sections; false where something does not fit that must be there.
fn body(writer: &mut Writer, message: &Message, room: usize) -> Result<bool, MessageError> {
    for record in &message.answers {
        writer.record(Section::Answer, record)?;
        if writer.len() > room {
            return Ok(false);
        }
    }
    let before = writer.mark();
    for record in &message.authorities {
        writer.record(Section::Authority, record)?;
        if writer.len() > room {
            writer.back_to(before);
            return Ok(!needs_authority(message));
        }
    }
    let referral = message.is_referral();
    let mut rest = message.additionals.as_slice();
    while let Some(first) = rest.first() {
        let of_set = |record: &&Record| is_of_set(first, record);
        let (set, others) = rest.split_at(rest.iter().take_while(of_set).count().max(1));
        rest = others;
        let before = writer.mark();
        for record in set {
            writer.record(Section::Additional, record)?;
            if writer.len() > room {
                if referral && is_glue(message, first) {
                    return Ok(false);
                }
                writer.back_to(before);
                break;
            }
        }
    }
    Ok(true)
}

/// Whether an answer says nothing without its authority section: one that denies, one that refers, one
/// that proves that a wildcard was right. An answer can do without the names of its zone's servers.
fn needs_authority(message: &Message) -> bool {
    let proves = |record: &Record| matches!(record.record_type(), RecordType::Nsec | RecordType::Nsec3);
    message.answers.is_empty()
        || message.code != ResponseCode::NoError
        || message.authorities.iter().any(proves)
}

/// Whether two records are of one set, signatures included.
fn is_of_set(first: &Record, record: &Record) -> bool {
    let covers = |record: &Record| match &record.data {
        RecordData::Rrsig(rrsig) => rrsig.type_covered,
        data => data.record_type(),
    };
    first.owner == record.owner && covers(first) == covers(record)
}

/// Whether this is an address of a name server that lies in the zone referred to: nobody finds it out
/// otherwise.
fn is_glue(message: &Message, address: &Record) -> bool {
    let names = |server: &Record, name: &DnsName| {
        matches!(&server.data, RecordData::Ns(host) if host == name) && name.is_within(&server.owner)
    };
    address.address().is_some() && message.authorities.iter().any(|server| names(server, &address.owner))
}
