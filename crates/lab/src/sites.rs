//! The names of the lab, one row each: where they lead, and what answers there.

use crate::pages;
use crate::pki::Flaw;
use glasstack_http::{Answer, Received};

/// A name of the lab.
pub struct Site {
    /// The name, in lower case.
    pub host: &'static str,
    /// What it is good for.
    pub about: &'static str,
    pub(crate) leads: Leads,
}

/// What the servers know of a name. Its address is the topology's business.
pub(crate) enum Leads {
    /// To a site of the web server.
    Web { http: OverHttp, certificate: Certificate, page: Page },
    /// To the server that misbehaves.
    Odd(Oddity),
    /// To an address where nothing of its own answers.
    Nothing,
    /// To another name.
    Alias(&'static str),
    /// To more addresses than fit a datagram.
    Many,
}

/// What a name of the odd server does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// Promises 1 000 bytes, sends 100 and closes.
    Truncates,
    /// Closes amid a chunk.
    TruncatesChunks,
    /// Resets the connection.
    Resets,
    /// Sends a head and some of the body, then resets.
    ResetsMidway,
    /// Closes without a byte.
    ClosesUnanswered,
    /// Never answers.
    Hangs,
    /// Sends a body that ends when the connection closes, and does not close.
    NeverCloses,
    /// Sends a byte now and then.
    Trickles,
    /// Sends what is no HTTP.
    Babbles,
    /// Sends header fields without end.
    EndlessHead,
}

/// Answers a request.
pub(crate) type Page = fn(&Received) -> Answer;

/// What a site does with plain HTTP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OverHttp {
    /// Sends it to HTTPS.
    Redirect,
    /// Answers as over HTTPS.
    Answer,
}

/// The certificate that a site shows.
pub(crate) struct Certificate {
    /// The names in it; none: the site's own.
    pub(crate) names: &'static [&'static str],
    pub(crate) flaw: Option<Flaw>,
}

const GOOD: Certificate = Certificate { names: &[], flaw: None };
const OF_BADSSL: &[&str] = &["*.badssl.test", "badssl.test"];

const fn bad(flaw: Flaw) -> Certificate {
    Certificate { names: &[], flaw: Some(flaw) }
}

const fn secure(page: Page) -> Leads {
    Leads::Web { http: OverHttp::Redirect, certificate: GOOD, page }
}

const fn either(page: Page) -> Leads {
    Leads::Web { http: OverHttp::Answer, certificate: GOOD, page }
}

const fn badssl(certificate: Certificate) -> Leads {
    Leads::Web { http: OverHttp::Redirect, certificate, page: pages::badssl }
}

const fn row(host: &'static str, about: &'static str, leads: Leads) -> Site {
    Site { host, about, leads }
}

impl Site {
    /// To how many addresses the name leads.
    pub(crate) fn addresses(&self) -> u8 {
        if matches!(self.leads, Leads::Many) { MANY } else { 1 }
    }
}

/// Addresses of `many.test`: at 16 bytes a record more than 1232 bytes, so that UDP cannot carry
/// them (RFC 6891 6.2.5).
const MANY: u8 = 100;

/// All of them.
pub const SITES: &[Site] = &[
    row("www.example.test", "a small page; http leads to https", secure(pages::example)),
    row("example.test", "the same", secure(pages::example)),
    row("alias.test", "an alias (CNAME) of codings.test", Leads::Alias("codings.test")),
    row(
        "codings.test",
        "/gzip /deflate /br /zstd /chunked /trickle: one text, coded",
        either(pages::codings),
    ),
    row("bytes.test", "/N: as many bytes (up to 16 MiB), or a range of them", either(pages::bytes)),
    row("status.test", "/CODE: an answer with that status", either(pages::status)),
    row("echo.test", "tells what it was asked", either(pages::echo)),
    row("headers.test", "/?NAME=VALUE&...: answers with these header fields", either(pages::headers)),
    row("auth.test", "for me with the password secret", either(pages::auth)),
    row("redirects.test", "/N: redirects N times before it answers", either(pages::redirects)),
    row("loop.test", "redirects for ever", either(pages::redirect_loop)),
    row("far.test", "the same page, 150 ms away", either(pages::distant)),
    row("lossy.test", "the same, where frames are lost in bursts", either(pages::distant)),
    row("modem.test", "the same at 56 kbit/s", either(pages::distant)),
    row("www.example.com", "a site across the Atlantic", either(pages::example)),
    row("example.com", "the same", either(pages::example)),
    row("www.example.org", "the same in another domain", either(pages::example)),
    row("example.org", "the same", either(pages::example)),
    row("ca.test", "the authority's certificates and lists, over HTTP", Leads::Nothing),
    row("many.test", "more addresses than fit a datagram: DNS over TCP", Leads::Many),
    // certificates
    row("badssl.test", "a good certificate", badssl(Certificate { names: OF_BADSSL, flaw: None })),
    row("expired.badssl.test", "its certificate ended a month ago", badssl(bad(Flaw::Expired))),
    row("not-yet-valid.badssl.test", "its certificate begins in a month", badssl(bad(Flaw::NotYetValid))),
    row(
        "wrong.host.badssl.test",
        "its certificate is for other names",
        badssl(Certificate { names: OF_BADSSL, flaw: None }),
    ),
    row("untrusted-root.badssl.test", "its root is none that is trusted", badssl(bad(Flaw::UntrustedRoot))),
    row("self-signed.badssl.test", "its certificate vouches for itself", badssl(bad(Flaw::SelfSigned))),
    row("tls-v1-2.badssl.test", "TLS 1.2 alone on port 1012", badssl(GOOD)),
    row("tls-v1-3.badssl.test", "TLS 1.3 alone on port 1013", badssl(GOOD)),
    // signed zones
    row("www.dnssec.test", "a page in a signed zone (all are)", either(pages::example)),
    row("www.nsec3.dnssec.test", "in a zone that denies names by NSEC3", either(pages::example)),
    row("www.insecure.dnssec.test", "in a zone that is not signed", either(pages::example)),
    row("www.expired.dnssec.test", "its signature has ended: bogus", Leads::Nothing),
    row("www.bogus.dnssec.test", "its signature is not of its records: bogus", Leads::Nothing),
    row("www.stripped.dnssec.test", "it should be signed and is not: bogus", Leads::Nothing),
    row("www.wrong-ds.dnssec.test", "the zone above vouches for another key: bogus", Leads::Nothing),
    // servers that misbehave
    row("truncated.test", "promises more than it sends", Leads::Odd(Oddity::Truncates)),
    row("truncated-chunks.test", "ends amid a chunk", Leads::Odd(Oddity::TruncatesChunks)),
    row("reset.test", "resets the connection when asked", Leads::Odd(Oddity::Resets)),
    row("reset-midway.test", "resets the connection amid the body", Leads::Odd(Oddity::ResetsMidway)),
    row("empty.test", "closes without an answer", Leads::Odd(Oddity::ClosesUnanswered)),
    row("hang.test", "takes the request and never answers", Leads::Odd(Oddity::Hangs)),
    row(
        "never-closes.test",
        "a body until the connection closes, which it does not",
        Leads::Odd(Oddity::NeverCloses),
    ),
    row("slow.test", "a byte every 200 ms, 50 in all", Leads::Odd(Oddity::Trickles)),
    row("garbage.test", "answers what is not HTTP", Leads::Odd(Oddity::Babbles)),
    row("endless-head.test", "header fields without end", Leads::Odd(Oddity::EndlessHead)),
    row("plain-on-443.test", "no TLS where HTTPS expects it", Leads::Odd(Oddity::Babbles)),
    // addresses
    row("refused.test", "nothing listens there", Leads::Nothing),
    row("silent.test", "no TCP segment is ever answered", Leads::Nothing),
    row("noarp.test", "an address on the client's own link that nobody has", Leads::Nothing),
    row("dead.test", "an address in the data centre that nobody has", Leads::Nothing),
    row("unreachable.test", "an address to which there is no route", Leads::Nothing),
    row("ipv6only.test", "an IPv6 address alone", Leads::Nothing),
];

/// The site of this name, whatever its case; a port behind it is passed over.
pub fn find(host: &str) -> Option<&'static Site> {
    let name = host.split(':').next().unwrap_or_default();
    let name = name.strip_suffix('.').unwrap_or(name);
    SITES.iter().find(|site| site.host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_nobodys_in_lower_case_and_there_once() {
        // RFC 2606 2 and 3.
        let nobodys = |name: &str| {
            let ours = ["test", "example.com", "example.net", "example.org"];
            ours.iter().any(|zone| name == *zone || name.ends_with(&format!(".{zone}")))
        };
        for (index, site) in SITES.iter().enumerate() {
            assert!(nobodys(site.host), "{}", site.host);
            assert_eq!(site.host, site.host.to_ascii_lowercase());
            assert!(SITES.iter().skip(index + 1).all(|other| other.host != site.host), "{}", site.host);
        }
    }

    #[test]
    fn a_site_is_found_by_its_host_field() {
        assert_eq!(find("WWW.example.test:443").map(|site| site.host), Some("www.example.test"));
        assert!(find("nobody.test").is_none());
        assert!(find("").is_none());
    }
}
