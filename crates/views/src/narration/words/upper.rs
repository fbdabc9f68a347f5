//! The words for what happens above TCP: names, sessions, requests, the address bar.

use super::{Line, bad, good, in_brackets, normal, verbose, warning};
use crate::text::{count, resolved, time};
use glasstack_journal::event::{Dns, Http, LookupSource, Note, NoteLevel, Page, Tls, Verdict};

pub(super) fn tell_page(page: &Page) -> Line {
    match page {
        Page::AddressParsed { typed, url, scheme_because } => {
            normal(format!("address bar: \"{typed}\" means {url} ({scheme_because})"))
        }
        Page::AddressRefused { typed, why } => bad(format!("address bar: \"{typed}\" is refused: {why}")),
        Page::Arrived { url, status, length } => {
            good(format!("arrived at {url}: status {status}, {}", count(*length, "byte")))
        }
    }
}

pub(super) fn tell_note(note: &Note) -> Line {
    match note.level {
        NoteLevel::Detail => verbose(note.text.clone()),
        NoteLevel::Info => normal(note.text.clone()),
        NoteLevel::Warning => warning(format!("warning: {}", note.text)),
    }
}

pub(super) fn tell_dns(dns: &Dns) -> Line {
    match dns {
        Dns::LookedUp { name, source, hit, detail, .. } => {
            let came = if *hit { "found" } else { "not found" };
            let source = match source {
                LookupSource::Literal => "as an IP literal".to_owned(),
                LookupSource::Server => "at the name server".to_owned(),
                LookupSource::Override => format!("in {source}"),
                LookupSource::Cache | LookupSource::HostsFile => format!("in the {source}"),
            };
            normal(format!("DNS: {name} looked up {source}: {came}{}", in_brackets(detail)))
        }
        Dns::QuerySent { id, name, record_type, server, transport, why } => normal(format!(
            "DNS query to {server} over {transport}: {record_type} of {name}? (id 0x{id:04x}; {why})"
        )),
        Dns::ResponseReceived { server, code, answers, truncated, rtt, .. } => {
            let cut = if *truncated { ", cut short" } else { "" };
            let answers =
                if answers.is_empty() { String::new() } else { format!(": {}", answers.join("; ")) };
            normal(format!("DNS response from {server} after {}: {code}{cut}{answers}", time(*rtt)))
        }
        Dns::ResponseIgnored { from, why } => warning(format!("DNS: ignored a datagram from {from}: {why}")),
        Dns::ReferralFollowed { server, from, to, name_servers, glue } => {
            let with = if glue.is_empty() { "no address of theirs".to_owned() } else { glue.join("; ") };
            normal(format!(
                "DNS: {server}, for {}, refers to {}, the servers of {to}, with {with}",
                zone_in_words(from),
                name_servers.join(", ")
            ))
        }
        Dns::GlueMissing { zone, name_server } => normal(format!(
            "DNS: the address of {name_server} did not come along: it has to be found before {} can be asked",
            zone_in_words(zone)
        )),
        Dns::ServerUseless { server, zone, why } => {
            warning(format!("DNS: {server} is of no use for {}: {why}", zone_in_words(zone)))
        }
        Dns::RecordsIgnored { from, records, why } => {
            warning(format!("DNS: ignored records from {from} ({why}): {}", records.join("; ")))
        }
        Dns::ServerChosen { zone, server, name_server, why, candidates } => {
            let others: Vec<String> = candidates
                .iter()
                .map(|known| format!("{} ({}, {})", known.name, known.server.ip(), known.standing))
                .collect();
            verbose(format!(
                "DNS: of the servers of {} {name_server} ({}) is asked, because {why}; known: {}",
                zone_in_words(zone),
                server.ip(),
                others.join(", ")
            ))
        }
        Dns::Minimised { asked, instead_of, zone } => verbose(format!(
            "DNS: the servers of {} need not know that it is about {instead_of}: they are asked {asked}",
            zone_in_words(zone)
        )),
        Dns::Primed { zone, name_servers } if name_servers.is_empty() => warning(format!(
            "DNS: nobody says who serves {}: those who are known from the configuration are taken for it",
            zone_in_words(zone)
        )),
        Dns::Primed { zone, name_servers } => {
            normal(format!("DNS: {} is served by {}", zone_in_words(zone), name_servers.join(", ")))
        }
        Dns::Believed { from, sets, .. } => verbose(format!("DNS: believed of {from}: {}", sets.join("; "))),
        Dns::LastResort { zone } => warning(format!(
            "DNS: no server of {} is of use; those that the zone above names are tried",
            zone_in_words(zone)
        )),
        Dns::Validated { name, record_type, security, reason, .. } => {
            let line = format!("DNS: {record_type} of {name} is {security}: {reason}");
            if security == "bogus" { bad(line) } else { normal(line) }
        }
        Dns::StaleServed { name, record_type } => {
            warning(format!("DNS: {record_type} of {name} has expired, but nothing newer can be had in time"))
        }
        Dns::Prefetched { name, record_type, left } => normal(format!(
            "DNS: {record_type} of {name} is good for {} more: it is fetched anew",
            time(*left)
        )),
        Dns::Joined { name, record_type } => {
            normal(format!("DNS: {record_type} of {name} is being looked up already: one answer for both"))
        }
        Dns::AliasFollowed { from, to } => normal(format!("DNS: {from} is an alias of {to}")),
        Dns::Resolved { name, addresses, ttl, source } => {
            let (what, ttl) = (resolved(name, addresses), time(*ttl));
            good(format!("DNS: {what} (from {source}, good for {ttl})"))
        }
        Dns::Failed { name, why } => bad(format!("DNS: {name} could not be resolved: {why}")),
        Dns::Served { client, name, record_type, code, answers, transport, why } => {
            let records = count(*answers as u64, "record");
            normal(format!(
                "DNS answer to {client} over {transport}: {record_type} of {name}: {code}, {records} ({why})"
            ))
        }
        Dns::Withheld { client, question, transport, instead, why } => {
            let about = if question.is_empty() { String::new() } else { format!(" about {question}") };
            warning(format!("DNS query of {client} over {transport}{about}: {instead}: {why}"))
        }
    }
}

fn zone_in_words(zone: &str) -> &str {
    if zone == "." { "the root" } else { zone }
}

pub(super) fn tell_tls(tls: &Tls) -> Line {
    match tls {
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
                Verdict::Passed => good(text),
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
        Tls::CloseNotifySent => normal("TLS close_notify sent: no more data from here"),
        Tls::CloseNotifyReceived => normal("TLS close_notify received: no more data from there"),
        // Whether anything is missing, only those know who know how long it was to be; HTTP fails then.
        Tls::Truncated => normal("TLS ended without close_notify: what has no length may be cut short"),
    }
}

pub(super) fn tell_http(http: &Http) -> Line {
    match http {
        Http::ConnectionChosen { remote, reused, why, .. } => {
            let which = if *reused { "reuses the connection" } else { "a new connection" };
            normal(format!("HTTP: {which} to {remote}: {why}"))
        }
        Http::RequestSent { method, url, version, headers, body_length } => {
            let body = if *body_length > 0 {
                format!(", body of {}", count(*body_length, "byte"))
            } else {
                String::new()
            };
            normal(format!("HTTP request: {method} {url} {version}{body}")).with('>', headers)
        }
        Http::ResponseReceived { status, reason, version, headers, framing } => {
            let text = format!("HTTP response: {status} {reason} ({version}, {framing})");
            let line = if *status < 400 { good(text) } else { warning(text) };
            line.with('<', headers)
        }
        Http::BodyReceived { transferred, decoded, coding } => {
            let decoded = match coding {
                Some(coding) => format!(", {} once {coding} is undone", count(*decoded, "byte")),
                None => String::new(),
            };
            normal(format!("HTTP body complete: {}{decoded}", count(*transferred, "byte")))
        }
        Http::RedirectFollowed { status, to, method, count: (so_far, limit), .. } => {
            normal(format!("HTTP redirect {so_far} of at most {limit}: {status}, to {to} (method: {method})"))
        }
        Http::ProxyChosen { proxy: Some(proxy), why } => {
            normal(format!("HTTP: through the proxy {proxy}: {why}"))
        }
        Http::ProxyChosen { proxy: None, why } => normal(format!("HTTP: through no proxy: {why}")),
        Http::TunnelAnswered { proxy, to, answer, open } => {
            let text = format!("proxy {proxy}, asked for a tunnel to {to}: {answer}");
            if *open { good(text) } else { bad(text) }
        }
        Http::CookieReceived { name, host, kept, why } => {
            let text = format!("cookie \"{name}\" from {host} {why}");
            if *kept { normal(text) } else { warning(text) }
        }
        Http::CookieChosen { name, sent, why } => {
            let what = if *sent { "sent" } else { "not sent" };
            normal(format!("cookie \"{name}\" is {what}: {why}"))
        }
        Http::CredentialsChosen { scheme, why } => normal(format!("HTTP authentication: {scheme}, {why}")),
        Http::Failed { why } => bad(format!("HTTP failed: {why}")),
        Http::Received { client, method, target, host } => {
            let host = host.as_deref().unwrap_or("no Host field");
            normal(format!("HTTP request from {client}: {method} {target} ({host})"))
        }
        Http::Answered { status, body_length, why } => {
            let body = body_length.map(|length| format!(", {}", count(length, "byte"))).unwrap_or_default();
            normal(format!("HTTP answer: {status}{body}: {why}"))
        }
    }
}
