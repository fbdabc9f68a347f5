//! The words for what happens above TCP: sessions, requests, the address bar.

use super::{Line, bad, good, normal, verbose, warning};
use crate::text::count;
use glasstack_journal::event::{Http, Note, NoteLevel, Page, Tls, Verdict};

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
