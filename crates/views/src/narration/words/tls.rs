//! The words for TLS: what is agreed on and why, message by message where more is asked for.

use super::{Level, Line, bad, good, normal, verbose, warning};
use crate::text::count;
use glasstack_journal::event::{
    Alert, Direction, Field, HandshakeMessage, RecordRange, Tls, TrafficKeys, Verdict,
};

/// The deepest fields of a message that are shown a line each.
const DEEPEST: usize = 6;
/// The most lines that one message takes.
const LINES: usize = 400;
/// Checks of a certificate that are told to those who ask for more, unless they fail.
const ORDINARY: [&str; 4] = ["format", "certificate_signature", "constraints", "name_constraints"];

pub(super) fn tell_tls(tls: &Tls) -> Option<Line> {
    Some(match tls {
        Tls::HandshakeStarted { server: false, server_name, versions, suites, alpn, .. } => {
            let name = server_name.as_ref().map(|name| format!(" with {name}")).unwrap_or_default();
            let (versions, suites) = (versions.join(", "), count(suites.len() as u64, "cipher suite"));
            let alpn = if alpn.is_empty() { String::new() } else { format!(", ALPN {}", alpn.join(", ")) };
            normal(format!("TLS handshake{name}: offers {versions}, {suites}{alpn}"))
        }
        Tls::HandshakeStarted { server: true, .. } => normal("TLS handshake begins"),
        Tls::Secret { line } => {
            // Only which secret it is; the secret itself belongs into the capture and the key log.
            let label = line.split_whitespace().next().unwrap_or_default();
            verbose(format!("TLS secret derived: {label}"))
        }
        Tls::CertificateReceived { index, subject, issuer, not_before, not_after, names, key, .. } => {
            let names = if names.is_empty() { String::new() } else { format!(", for {}", names.join(", ")) };
            normal(format!(
                "TLS certificate {index}: {subject}{names}, issued by {issuer}, good {not_before} to {not_after}, {key}"
            ))
        }
        Tls::CertificateJudged { check, verdict, evidence } => {
            let text = format!("TLS certificate check, {check}: {verdict}: {evidence}");
            match verdict {
                Verdict::Passed => good(text).quieter_if(ORDINARY.contains(check)),
                Verdict::Failed => bad(text),
                Verdict::Skipped => warning(text),
            }
        }
        Tls::IdentityChosen { asked, subject, why } => {
            let asked = asked.as_deref().unwrap_or("no name");
            normal(format!("TLS: the client asked for {asked}, shown {subject}: {why}"))
        }
        Tls::ClientIdentityShown { subject, why } => normal(format!("TLS: {subject} is shown: {why}")),
        Tls::Established { version, suite, group, alpn, resumed, .. } => {
            let group = group.as_ref().map(|group| format!(", {group}")).unwrap_or_default();
            let alpn = alpn.as_ref().map(|alpn| format!(", {alpn}")).unwrap_or_default();
            let resumed = if *resumed { ", an earlier session taken up again" } else { "" };
            good(format!("TLS established: {version}, {suite}{group}{alpn}{resumed}"))
        }
        Tls::Failed { why } => bad(format!("TLS failed: {why}")),
        Tls::Message(message) => tell_message(message),
        // The end of a direction is told as such.
        Tls::Alert(Alert { code: 0, .. }) => return None,
        Tls::Alert(alert) => tell_alert(alert),
        Tls::KeysDerived(keys) => verbose(keys_of(keys)),
        Tls::RecordsCounted { ranges, unread } => tell_records(ranges, *unread),
        Tls::ReadingGivenUp { why } => verbose(format!("TLS is not read along any further: {why}")),
        Tls::CloseNotifySent => normal("TLS close_notify sent: no more data from here"),
        Tls::CloseNotifyReceived => normal("TLS close_notify received: no more data from there"),
        // Whether anything is missing, only those know who know how long it was to be; HTTP fails then.
        Tls::Truncated => normal("TLS ended without close_notify: what has no length may be cut short"),
    })
}

/// What decides something is told by default; every message, with all its fields, to those who ask
/// for more.
fn tell_message(message: &HandshakeMessage) -> Line {
    let verb = verb(message.direction);
    let mut text = format!("TLS {} {verb}", message.name);
    let remarks: Vec<&str> = message.remarks.iter().map(|remark| remark.text.as_str()).collect();
    if !remarks.is_empty() {
        text.push_str(&format!(": {}", remarks.join("; ")));
    }
    let mut line = match (message.finished, message.name) {
        (Some(Verdict::Failed), _) => bad(text),
        (_, "HelloRetryRequest") => warning(text),
        (_, "ServerHello" | "CertificateRequest") => normal(text),
        (Some(Verdict::Passed), _) if message.direction == Direction::In => good(text),
        _ => verbose(text),
    };
    show(&message.fields, 0, &mut line.below);
    line
}

fn show(fields: &[Field], depth: usize, lines: &mut Vec<String>) {
    for field in fields {
        if lines.len() >= LINES || depth >= DEEPEST {
            return;
        }
        let value = match (&field.value, field.fields.is_empty()) {
            (Some(value), _) => format!(": {value}"),
            (None, true) => format!(": {}", count(field.length as u64, "byte")),
            (None, false) => String::new(),
        };
        lines.push(format!("{:indent$}{}{value}", "", field.name, indent = depth * 2));
        show(&field.fields, depth + 1, lines);
    }
}

fn tell_alert(alert: &Alert) -> Line {
    let text =
        format!("TLS alert {}: {} ({}): {}", verb(alert.direction), alert.name, alert.level, alert.meaning);
    if alert.level == "fatal" { bad(text) } else { warning(text) }
}

/// That there are keys, not the keys.
fn keys_of(keys: &TrafficKeys) -> String {
    format!("TLS keys of the {} from {}: {}, {}", keys.writer, keys.label, keys.cipher, keys.hash)
}

/// The keys themselves, and what they protect.
pub(super) fn tell_keys(tls: &Tls) -> Option<Line> {
    let mut line = match tls {
        Tls::Secret { line } => {
            let mut words = line.split_whitespace();
            let (label, secret) = (words.next()?, words.next_back()?);
            let mut line = normal(format!("TLS secret: {label}"));
            line.below.push(format!("secret {secret}"));
            line
        }
        Tls::KeysDerived(keys) => {
            let mut line = normal(keys_of(keys));
            line.below.push(format!("secret = {}", keys.derivation));
            line.below.push(format!("secret {}", keys.secret));
            let hash = keys.transcript_hash.as_ref();
            line.below.extend(hash.map(|hash| format!("transcript hash {hash}")));
            line.below.push(format!("key {}", keys.key));
            line.below.push(format!("IV {}", keys.iv));
            let finished = keys.finished_key.as_ref();
            line.below.extend(finished.map(|key| format!("finished key {key}")));
            line
        }
        Tls::RecordsCounted { ranges, unread } => tell_records(ranges, *unread),
        _ => return None,
    };
    (line.level, line.open) = (Level::Normal, true);
    Some(line)
}

fn tell_records(ranges: &[RecordRange], unread: u64) -> Line {
    let records: u64 = ranges.iter().map(|range| range.last - range.first + 1).sum();
    let mut line = verbose(format!("TLS records that were read along: {records}, {unread} not opened"));
    for range in ranges {
        let keys = range.under.unwrap_or("no keys");
        let data = match range.data_records {
            0 => String::new(),
            records => {
                format!(", {} of application data in {records} of them", count(range.data_bytes, "byte"))
            }
        };
        line.below.push(format!(
            "{} {} to {} under {keys}, {}{data}",
            range.from,
            range.first,
            range.last,
            count(range.bytes, "byte")
        ));
    }
    line
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "received",
        Direction::Out => "sent",
    }
}
