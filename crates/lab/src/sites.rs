//! The names of the lab, one row each: where they lead, and what answers there.

use crate::pages;
use crate::pki::{Flaw, Issuers, KeyKind};
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
    Web { http: OverHttp, certificate: Certificate, clients: Clients, page: Page },
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

/// Whether a site asks its clients for a certificate (RFC 8446 4.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clients {
    /// No.
    #[default]
    NotAsked,
    /// Yes, and serves a page without, too.
    Asked,
    /// Yes, and there is no session without.
    Required,
}

/// The certificate that a site shows.
#[derive(Clone, Copy)]
pub(crate) struct Certificate {
    /// The names in it; none: the site's own.
    pub(crate) names: &'static [&'static str],
    pub(crate) flaw: Option<Flaw>,
    pub(crate) key: KeyKind,
    pub(crate) must_staple: bool,
    pub(crate) staple: bool,
    pub(crate) by: Issuers,
}

const GOOD: Certificate = Certificate {
    names: &[],
    flaw: None,
    key: KeyKind::Usual,
    must_staple: false,
    staple: false,
    by: Issuers::Issuing,
};
const OF_BADSSL: Certificate = Certificate { names: &["*.badssl.test", "badssl.test"], ..GOOD };
const STAPLED: Certificate = Certificate { staple: true, ..GOOD };
const MUST_STAPLE: Certificate = Certificate { must_staple: true, ..GOOD };

const fn with_key(key: KeyKind) -> Certificate {
    Certificate { key, ..GOOD }
}

const fn by(by: Issuers) -> Certificate {
    Certificate { by, ..GOOD }
}

const fn flawed(certificate: Certificate, flaw: Flaw) -> Certificate {
    Certificate { flaw: Some(flaw), ..certificate }
}

const fn secure(page: Page) -> Leads {
    Leads::Web { http: OverHttp::Redirect, certificate: GOOD, clients: Clients::NotAsked, page }
}

const fn either(page: Page) -> Leads {
    Leads::Web { http: OverHttp::Answer, certificate: GOOD, clients: Clients::NotAsked, page }
}

const fn badssl(certificate: Certificate) -> Leads {
    let clients = Clients::NotAsked;
    Leads::Web { http: OverHttp::Redirect, certificate, clients, page: pages::badssl }
}

const fn bad(flaw: Flaw) -> Leads {
    badssl(flawed(GOOD, flaw))
}

const fn asking(clients: Clients) -> Leads {
    Leads::Web { http: OverHttp::Redirect, certificate: GOOD, clients, page: pages::badssl }
}

const fn row(host: &'static str, about: &'static str, leads: Leads) -> Site {
    Site { host, about, leads }
}

impl Site {
    /// The port on which it is to be asked, if it is another than that of the scheme.
    pub(crate) fn port(&self) -> Option<u16> {
        let ports = [("tls-v1-2.badssl.test", 1012), ("tls-v1-3.badssl.test", 1013)];
        ports.into_iter().find(|(host, _)| *host == self.host).map(|(_, port)| port)
    }

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
    row("ca.test", "the authorities' certificates and lists, over HTTP", Leads::Nothing),
    row("crl.test", "lists of revoked certificates", Leads::Nothing),
    row("ocsp.test", "whether a certificate is still good (OCSP)", Leads::Nothing),
    row("many.test", "more addresses than fit a datagram: DNS over TCP", Leads::Many),
    // certificates
    row("badssl.test", "a good certificate; its page lists all that follow", badssl(OF_BADSSL)),
    row("expired.badssl.test", "its certificate ended a month ago", bad(Flaw::Expired)),
    row("not-yet-valid.badssl.test", "its certificate begins in a month", bad(Flaw::NotYetValid)),
    row("wrong.host.badssl.test", "its certificate is for other names", badssl(OF_BADSSL)),
    row("no-san.badssl.test", "its certificate has a common name alone", bad(Flaw::NoNames)),
    row("untrusted-root.badssl.test", "its root is none that is trusted", bad(Flaw::UntrustedRoot)),
    row("self-signed.badssl.test", "its certificate vouches for itself", bad(Flaw::SelfSigned)),
    row(
        "incomplete-chain.badssl.test",
        "it shows its own certificate without the intermediate",
        bad(Flaw::IncompleteChain),
    ),
    row(
        "cross-signed.badssl.test",
        "good: two roots vouch for its issuer, one of them trusted",
        badssl(by(Issuers::CrossSigned)),
    ),
    row(
        "bad-signature.badssl.test",
        "a bit of its certificate's signature is flipped",
        bad(Flaw::BadSignature),
    ),
    row("sha1-intermediate.badssl.test", "its intermediate is signed with SHA-1", bad(Flaw::Sha1)),
    row("rsa1024.badssl.test", "its key is RSA of 1024 bits: too weak", badssl(with_key(KeyKind::Rsa1024))),
    row("rsa2048.badssl.test", "good: RSA of 2048 bits", badssl(with_key(KeyKind::Rsa2048))),
    row("rsa4096.badssl.test", "good: RSA of 4096 bits", badssl(with_key(KeyKind::Rsa4096))),
    row("ecc256.badssl.test", "good: ECDSA with P-256", badssl(with_key(KeyKind::P256))),
    row("ecc384.badssl.test", "good: ECDSA with P-384", badssl(with_key(KeyKind::P384))),
    row("not-a-ca.badssl.test", "its certificate is issued by a server", bad(Flaw::NotACa)),
    row("path-too-long.badssl.test", "there is an authority too many in its path", bad(Flaw::PathTooLong)),
    row(
        "ca-key-usage.badssl.test",
        "its issuer's key is not for signing certificates",
        bad(Flaw::CaKeyUsage),
    ),
    row(
        "permitted.badssl.test",
        "good: its issuer may sign for this name alone",
        badssl(by(Issuers::Constrained)),
    ),
    row(
        "name-constrained.badssl.test",
        "its issuer may sign for another name alone",
        bad(Flaw::NotPermitted),
    ),
    row("name-excluded.badssl.test", "its issuer may sign for any other name", bad(Flaw::Excluded)),
    row("wrong-purpose.badssl.test", "its certificate is for clients", bad(Flaw::WrongPurpose)),
    row(
        "unknown-extension.badssl.test",
        "its certificate has a critical extension that nobody knows",
        bad(Flaw::UnknownExtension),
    ),
    row("revoked.badssl.test", "its certificate is on the list of revoked ones", bad(Flaw::Revoked)),
    row("crl-stale.badssl.test", "the list that its certificate names ended a week ago", bad(Flaw::CrlStale)),
    row("crl-down.badssl.test", "where the list should be nobody listens", bad(Flaw::CrlDown)),
    row("crl-forged.badssl.test", "the list is signed with another key", bad(Flaw::CrlForged)),
    row(
        "revoked-ocsp.badssl.test",
        "revoked an hour ago: the OCSP responder knows, the list does not yet",
        bad(Flaw::RevokedByOcsp),
    ),
    row(
        "ocsp-unknown.badssl.test",
        "the OCSP responder does not know its certificate",
        bad(Flaw::OcspUnknown),
    ),
    row("ocsp-try-later.badssl.test", "the OCSP responder has no time", bad(Flaw::OcspTryLater)),
    row("ocsp-stale.badssl.test", "what the OCSP responder says ended a week ago", bad(Flaw::OcspStale)),
    row("ocsp-down.badssl.test", "where the OCSP responder should be nobody listens", bad(Flaw::OcspDown)),
    row("ocsp-forged.badssl.test", "the OCSP answer is signed by a stranger", bad(Flaw::OcspForged)),
    row("staple.badssl.test", "good: an OCSP answer comes with its certificate", badssl(STAPLED)),
    row(
        "staple-revoked.badssl.test",
        "the OCSP answer that comes with its certificate says that it is revoked",
        badssl(flawed(STAPLED, Flaw::StapleRevoked)),
    ),
    row(
        "staple-stale.badssl.test",
        "the OCSP answer that comes with its certificate ended a week ago",
        badssl(flawed(STAPLED, Flaw::StapleStale)),
    ),
    row(
        "staple-of-another.badssl.test",
        "the OCSP answer that comes with its certificate is about another",
        badssl(flawed(STAPLED, Flaw::StapleOfAnother)),
    ),
    row(
        "must-staple.badssl.test",
        "good: an OCSP answer must come with its certificate, and does",
        badssl(Certificate { staple: true, ..MUST_STAPLE }),
    ),
    row(
        "must-staple-missing.badssl.test",
        "an OCSP answer must come with its certificate, and does not",
        badssl(flawed(MUST_STAPLE, Flaw::StapleMissing)),
    ),
    row("client.badssl.test", "for clients with a certificate alone", asking(Clients::Required)),
    row(
        "client-cert-missing.badssl.test",
        "asks clients for a certificate, and answers 400 to those without",
        asking(Clients::Asked),
    ),
    row("tls-v1-2.badssl.test", "TLS 1.2 alone on port 1012", badssl(GOOD)),
    row(
        "tls-v1-3.badssl.test",
        "TLS 1.3 alone on port 1013, which takes early data, but for /too-early",
        Leads::Web {
            http: OverHttp::Redirect,
            certificate: GOOD,
            clients: Clients::NotAsked,
            page: pages::early_data,
        },
    ),
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
