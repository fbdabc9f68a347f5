//! What is known of a transfer when it is over, for `-w`.

use super::verify_result::VerifyResults;
use super::writeout::{CERTIFICATE_PROBLEM, Known, Value};
use glasstack::http::{Method, Version};
use glasstack::web::{Facts, HeadKind, ReceivedHead};
use std::path::Path;
use std::time::Duration;

/// A transfer that is over.
pub(crate) struct Report<'a> {
    pub(crate) facts: Facts,
    /// The last response's head, as it came.
    pub(crate) head: Option<&'a ReceivedHead>,
    /// Since it began.
    pub(crate) elapsed: Duration,
    pub(crate) exit_code: u8,
    pub(crate) error: Option<String>,
    /// Why the server's certificate was refused, if it was, as programs call it.
    pub(crate) problem: Option<&'static str>,
    /// The same as curl tells it, and also where `-k` passes over it.
    pub(crate) verify_results: VerifyResults,
    /// The file that was written.
    pub(crate) path: Option<&'a Path>,
    /// As it was typed.
    pub(crate) typed: &'a str,
    pub(crate) url_number: u64,
    pub(crate) id: u64,
    pub(crate) retries: u32,
    pub(crate) has_proxy: bool,
    /// Bytes of a body that went out together with the request's head, which curl counts as such.
    pub(crate) sent_with_head: u64,
}

impl Report<'_> {
    fn total(&self) -> Duration {
        let total = self.facts.timings.total;
        if total.is_zero() { self.elapsed } else { total }
    }

    fn data_with_heads(&self) -> u64 {
        let requests = match &self.facts.method {
            None => 0,
            Some(method) if *method == Method::GET || *method == Method::HEAD => 1,
            Some(_) => u64::from(self.facts.redirects) + 1,
        };
        self.sent_with_head * requests
    }

    fn speed(&self, bytes: u64) -> u64 {
        let micros = self.total().as_micros().max(1);
        u64::try_from(u128::from(bytes) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }
}

impl Known for Report<'_> {
    fn value(&self, variable: &str) -> Value {
        let (facts, timings) = (&self.facts, &self.facts.timings);
        let text = |text: Option<String>| Value::Text(text);
        match variable {
            "certs" => text(Some(certificates(facts))),
            "conn_id" | "xfer_id" => Value::Number(self.id),
            "content_type" => text(facts.content_type.clone()),
            "errormsg" => text(self.error.clone()),
            "exitcode" => Value::Number(self.exit_code.into()),
            "filename_effective" => text(self.path.map(|path| path.display().to_string())),
            "http_code" | "response_code" => Value::Code(facts.status),
            "http_connect" => Value::Code(facts.connect_status),
            "http_version" => text(Some(version(facts.version).to_owned())),
            "local_ip" => text(Some(facts.local.map(|local| local.ip().to_string()).unwrap_or_default())),
            "local_port" => Value::Number(facts.local.map_or(0, |local| local.port().into())),
            // curl's, where nothing was asked.
            "method" => text(Some(facts.method.as_ref().map_or("GET".to_owned(), ToString::to_string))),
            "num_certs" => Value::Number(facts.certificates.len() as u64),
            "num_connects" => Value::Number(facts.connects.into()),
            "num_headers" => Value::Number(facts.header_fields as u64),
            "num_redirects" => Value::Number(facts.redirects.into()),
            "num_retries" => Value::Number(self.retries.into()),
            "proxy_used" => Value::Number(self.has_proxy.into()),
            "redirect_url" => text(facts.redirect_url.as_ref().map(ToString::to_string)),
            "referer" => text(facts.referer.clone()),
            "remote_ip" => text(Some(facts.remote.map(|remote| remote.ip().to_string()).unwrap_or_default())),
            "remote_port" => Value::Number(facts.remote.map_or(0, |remote| remote.port().into())),
            // curl 7.88 writes it in capitals, and only if there was a connection.
            "scheme" => text(Some(match (&facts.url, facts.remote) {
                (Some(url), Some(_)) => url.scheme().to_uppercase(),
                _ => String::new(),
            })),
            "size_download" => Value::Number(facts.downloaded),
            "size_header" => Value::Number(facts.header_bytes),
            "size_request" => Value::Number(facts.request_bytes + self.data_with_heads()),
            "size_upload" => Value::Number(facts.uploaded),
            "speed_download" => Value::Number(self.speed(facts.downloaded)),
            "speed_upload" => Value::Number(self.speed(facts.uploaded)),
            "ssl_verify_result" => Value::Number(self.verify_results.server),
            CERTIFICATE_PROBLEM => text(self.problem.map(str::to_owned)),
            "proxy_ssl_verify_result" => Value::Number(self.verify_results.proxy),
            "time_appconnect" => Value::Time(timings.appconnect),
            "time_connect" => Value::Time(timings.connect),
            "time_namelookup" => Value::Time(timings.namelookup),
            "time_pretransfer" => Value::Time(timings.pretransfer),
            "time_redirect" => Value::Time(timings.redirect),
            "time_starttransfer" => Value::Time(timings.starttransfer),
            "time_total" => Value::Time(self.total()),
            "url" => text(Some(self.typed.to_owned())),
            "url_effective" => text(Some(match &facts.url {
                Some(url) => url.to_string(),
                None => self.typed.to_owned(),
            })),
            "urlnum" => Value::Number(self.url_number),
            _ => Value::Text(None),
        }
    }

    fn fields(&self) -> Vec<(String, String)> {
        self.head.map(|head| fields(&head.raw)).unwrap_or_default()
    }

    fn has_failed(&self) -> bool {
        self.exit_code != 0
    }
}

/// The last head of a response among these.
pub(crate) fn last_response(heads: &[ReceivedHead]) -> Option<&ReceivedHead> {
    heads.iter().rev().find(|head| head.kind == HeadKind::Response)
}

/// The fields of a head, in order.
pub(crate) fn fields(raw: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(raw);
    let fields = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn version(version: Option<Version>) -> &'static str {
    match version {
        Some(Version::HTTP_09) => "0.9",
        // As curl writes it.
        Some(Version::HTTP_10) => "1",
        Some(Version::HTTP_11) => "1.1",
        Some(Version::HTTP_2) => "2",
        _ => "0",
    }
}

/// As curl tells them: what they say, and themselves in PEM (RFC 7468).
fn certificates(facts: &Facts) -> String {
    let mut text = String::new();
    for certificate in &facts.certificates {
        let (subject, issuer, serial) = (&certificate.subject, &certificate.issuer, &certificate.serial);
        text.push_str(&format!("Subject:{subject}\nIssuer:{issuer}\nSerial Number:{serial}\n"));
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = base64(&certificate.der);
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_head_are_in_order() {
        let raw = b"HTTP/1.1 200 OK\r\nServer: x\r\nX-A:1\r\nx-a: 2: 3\r\n\r\n";
        let expected = [("Server", "x"), ("X-A", "1"), ("x-a", "2: 3")];
        assert_eq!(fields(raw), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
