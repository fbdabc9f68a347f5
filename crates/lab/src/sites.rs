//! The names of the lab, one row each: where they lead, and what answers there.

use crate::pages;
use crate::pki::Flaw;
use crate::plan;
use glasstack_http::{Answer, Received};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A name of the lab.
pub struct Site {
    /// The name, in lower case.
    pub host: &'static str,
    /// What it is good for.
    pub about: &'static str,
    pub(crate) leads: Leads,
}

/// What the name server and the servers know of a name.
pub(crate) enum Leads {
    /// To a site of the web server.
    Web { http: OverHttp, certificate: Certificate, page: Page },
    /// To the server that misbehaves.
    Odd(Oddity),
    /// To an address where nothing of its own answers.
    Address(Ipv4Addr),
    /// To an IPv6 address alone.
    Ipv6(Ipv6Addr),
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
    row("refused.test", "nothing listens there", Leads::Address(plan::NAME_SERVER)),
    row("silent.test", "no TCP segment is ever answered", Leads::Address(plan::SILENT)),
    row("noarp.test", "an address on the client's link that nobody has", Leads::Address(plan::NOBODY)),
    row("dead.test", "an address behind the gateway that nobody has", Leads::Address(plan::NOBODY_THERE)),
    row("unreachable.test", "an address to which the gateway has no route", Leads::Address(plan::NOWHERE)),
    row(
        "ipv6only.test",
        "an IPv6 address alone",
        Leads::Ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x80)),
    ),
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
    fn every_name_is_under_test_in_lower_case_and_there_once() {
        for (index, site) in SITES.iter().enumerate() {
            assert!(site.host.ends_with(".test"), "{}", site.host);
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
