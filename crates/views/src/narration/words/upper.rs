//! The words for what happens above TLS: requests, the address bar.

use super::{Line, bad, good, normal, verbose, warning};
use crate::text::count;
use glasstack_journal::event::{Http, Note, NoteLevel, Page};

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
