//! Every bad site of the lab is refused, each for a reason of its own, by a client that demands to know of
//! every certificate whether it was taken back; and every good one is believed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use glasstack_dns::{Resolver, ResolverConfig};
use glasstack_http::HttpError;
use glasstack_lab::pki::{ClientKind, RESPONDER};
use glasstack_lab::{FaultSpec, Lab, SITES};
use glasstack_tls::revocation::{Demand, RevocationConfig, RevocationPolicy};
use glasstack_tls::{TlsClient, TlsClientConfig, TlsError};
use glasstack_web::{ClientConfig, HttpRevocationSource, Request, WebError, address_bar};
use std::collections::BTreeMap;
use support::{Journey, Page};

/// The code with which each site below `badssl.test` is refused; none: it is believed.
const CODES: &[(&str, Option<&str>)] = &[
    ("badssl.test", None),
    ("expired.badssl.test", Some("expired")),
    ("not-yet-valid.badssl.test", Some("not_yet_valid")),
    ("wrong.host.badssl.test", Some("wrong_name")),
    ("no-san.badssl.test", Some("no_names")),
    ("untrusted-root.badssl.test", Some("untrusted_root")),
    ("self-signed.badssl.test", Some("self_signed")),
    ("incomplete-chain.badssl.test", Some("missing_intermediate")),
    ("cross-signed.badssl.test", None),
    ("bad-signature.badssl.test", Some("bad_signature")),
    ("sha1-intermediate.badssl.test", Some("weak_signature")),
    ("rsa1024.badssl.test", Some("weak_key")),
    ("rsa2048.badssl.test", None),
    ("rsa4096.badssl.test", None),
    ("ecc256.badssl.test", None),
    ("ecc384.badssl.test", None),
    ("not-a-ca.badssl.test", Some("not_a_ca")),
    ("path-too-long.badssl.test", Some("path_too_long")),
    ("ca-key-usage.badssl.test", Some("key_usage")),
    ("permitted.badssl.test", None),
    ("name-constrained.badssl.test", Some("name_not_permitted")),
    ("name-excluded.badssl.test", Some("name_excluded")),
    ("wrong-purpose.badssl.test", Some("wrong_purpose")),
    ("unknown-extension.badssl.test", Some("unknown_critical_extension")),
    ("revoked.badssl.test", Some("revoked_by_crl")),
    ("crl-stale.badssl.test", Some("crl_stale")),
    ("crl-down.badssl.test", Some("crl_unreachable")),
    ("crl-forged.badssl.test", Some("crl_bad_signature")),
    ("revoked-ocsp.badssl.test", Some("revoked_by_ocsp")),
    ("ocsp-unknown.badssl.test", Some("ocsp_unknown")),
    ("ocsp-try-later.badssl.test", Some("ocsp_refused")),
    ("ocsp-stale.badssl.test", Some("ocsp_stale")),
    ("ocsp-down.badssl.test", Some("ocsp_unreachable")),
    ("ocsp-forged.badssl.test", Some("ocsp_responder_not_authorized")),
    ("staple.badssl.test", None),
    ("staple-revoked.badssl.test", Some("revoked_by_staple")),
    ("staple-stale.badssl.test", Some("staple_stale")),
    ("staple-of-another.badssl.test", Some("ocsp_wrong_certificate")),
    ("must-staple.badssl.test", None),
    ("must-staple-missing.badssl.test", Some("must_staple")),
];

/// Demands so much of lists and responders, and fetches what it needs.
fn demanding(journey: &Journey, crl: Demand, ocsp: Demand) -> ClientConfig {
    let policy = RevocationPolicy { crl, ocsp, ..RevocationPolicy::default() };
    with(journey, |tls, journey| {
        let names = ResolverConfig { servers: vec![journey.lab.name_server], ..ResolverConfig::default() };
        let resolver = Resolver::new(journey.lab.client.clone(), names);
        let source = Some(HttpRevocationSource::shared(&journey.lab.client, &resolver));
        tls.revocation = RevocationConfig { policy, source, ..RevocationConfig::default() };
    })
}

fn with(journey: &Journey, change: impl FnOnce(&mut TlsClientConfig, &Journey)) -> ClientConfig {
    let mut tls = TlsClientConfig::new(journey.lab.trust().unwrap());
    tls.alpn = vec!["http/1.1".to_owned()];
    change(&mut tls, journey);
    let host = &journey.lab.client;
    let tls = TlsClient::new(host.entropy(), host.scope().clock(), tls).unwrap();
    ClientConfig { tls, ..journey.config() }
}

fn get(journey: &mut Journey, config: ClientConfig, url: &str) -> Result<Page, WebError> {
    journey.fetch(config, Request::get(address_bar::parse(url).unwrap().url))
}

/// The code with which a site is refused, and the text; none if it is not.
fn refusal(host: &str, crl: Demand, ocsp: Demand) -> Option<(&'static str, String)> {
    let mut journey = Journey::new(1);
    let config = demanding(&journey, crl, ocsp);
    match get(&mut journey, config, &format!("https://{host}/")) {
        Ok(page) => {
            assert_eq!(page.status, 200, "{host}");
            None
        }
        Err(WebError::Tls(TlsError::Certificate { problem, .. })) => {
            Some((problem.code(), problem.to_string()))
        }
        Err(error) => panic!("{host}: {error}"),
    }
}

#[test]
fn every_bad_site_is_refused_for_a_reason_of_its_own_and_every_good_one_believed() {
    let others = [
        "client.badssl.test",
        "client-cert-missing.badssl.test",
        "tls-v1-2.badssl.test",
        "tls-v1-3.badssl.test",
    ];
    let sites = SITES.iter().map(|site| site.host).filter(|host| host.ends_with("badssl.test"));
    let sites: Vec<&str> = sites.filter(|host| !others.contains(host)).collect();
    assert_eq!(sites, CODES.iter().map(|(site, _)| *site).collect::<Vec<_>>(), "a row for each site");
    let mut wrong = Vec::new();
    let (mut codes, mut texts) = (BTreeMap::new(), BTreeMap::new());
    for (site, expected) in CODES {
        let refused = refusal(site, Demand::Require, Demand::Require);
        if refused.as_ref().map(|(code, _)| *code) != *expected {
            wrong.push(format!("{site}: {expected:?} was expected, and it was {refused:?}"));
        }
        if let Some((code, text)) = refused {
            for other in [codes.insert(code, site), texts.insert(text.clone(), site)].into_iter().flatten() {
                wrong.push(format!("{site} and {other}: {code}, {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn who_only_tries_is_content_with_what_cannot_be_known_and_refuses_what_is_revoked() {
    let tried = |site: &str| refusal(site, Demand::Try, Demand::Try).map(|(code, _)| code);
    for site in
        ["crl-stale", "crl-down", "crl-forged", "ocsp-unknown", "ocsp-try-later", "ocsp-stale", "ocsp-down"]
    {
        assert_eq!(tried(&format!("{site}.badssl.test")), None, "{site}");
    }
    assert_eq!(tried("revoked.badssl.test"), Some("revoked_by_crl"));
    assert_eq!(tried("revoked-ocsp.badssl.test"), Some("revoked_by_ocsp"));
    let off = |site: &str| refusal(site, Demand::Off, Demand::Off).map(|(code, _)| code);
    assert_eq!((off("revoked.badssl.test"), off("revoked-ocsp.badssl.test")), (None, None));
    assert_eq!(off("must-staple-missing.badssl.test"), Some("must_staple"));
    assert_eq!(off("staple-revoked.badssl.test"), Some("revoked_by_staple"));
}

#[test]
fn a_fault_revokes_by_list_and_by_responder() {
    let refused = |sentence: &str, crl: Demand, ocsp: Demand| {
        let faults = [FaultSpec::parse(sentence).unwrap()];
        let mut journey = Journey::through(Lab::builder(1).faults(faults));
        let config = demanding(&journey, crl, ocsp);
        match get(&mut journey, config, "https://www.example.test/") {
            Err(WebError::Tls(TlsError::Certificate { problem, .. })) => Some(problem.code()),
            Ok(_) => None,
            Err(error) => panic!("{sentence}: {error}"),
        }
    };
    let (off, require) = (Demand::Off, Demand::Require);
    for sentence in ["revoke the leaf of www.example.test", "revoke the intermediate"] {
        assert_eq!(refused(sentence, off, off), None);
        assert_eq!(refused(sentence, require, off), Some("revoked_by_crl"), "{sentence}");
        assert_eq!(refused(sentence, off, require), Some("revoked_by_ocsp"), "{sentence}");
    }
    assert_eq!(refused("stale list on www.example.test", require, off), Some("crl_stale"));
    assert_eq!(refused("stale OCSP answer on www.example.test", off, require), Some("ocsp_stale"));
    assert_eq!(refused("no OCSP answer on www.example.test", off, require), Some("ocsp_refused"));
    assert_eq!(refused("kill crl", require, off), Some("crl_unreachable"));
    assert_eq!(refused("kill ocsp", off, require), Some("ocsp_unreachable"));
    assert_eq!(refused("kill ocsp", off, Demand::Try), None);
}

/// What TLS says, at the handshake or behind it: TLS 1.3 has the server speak of the client's certificate when
/// the client believes to be through.
fn told(error: &WebError) -> Option<&TlsError> {
    match error {
        WebError::Tls(error) => Some(error),
        WebError::Http(HttpError::Io { source, .. }) => TlsError::within(source),
        _ => None,
    }
}

#[test]
fn only_clients_with_a_good_certificate_get_in() {
    let ask = |url: &str, kind: Option<ClientKind>| {
        let mut journey = Journey::new(1);
        let config = with(&journey, |tls, journey| {
            tls.identity = kind.map(|kind| journey.lab.pki.client(kind).unwrap().identity().unwrap());
        });
        get(&mut journey, config, url)
    };
    let (members, guests) = ("https://client.badssl.test/", "https://client-cert-missing.badssl.test/");
    for url in [members, guests] {
        let page = ask(url, Some(ClientKind::Good)).unwrap();
        assert!(page.text().contains("and so was") && page.text().contains("alice"), "{}", page.text());
        for kind in [ClientKind::Expired, ClientKind::Revoked, ClientKind::Stranger] {
            let error = ask(url, Some(kind)).unwrap_err();
            let is_told = matches!(told(&error), Some(TlsError::ClientCertificateRefused { .. }));
            assert!(is_told, "{url}, {kind:?}: {error:?}");
        }
    }
    let error = ask(members, None).unwrap_err();
    assert!(matches!(told(&error), Some(TlsError::ClientCertificateMissing { .. })), "{error:?}");
    assert_eq!(ask(guests, None).unwrap().status, 400);
}

#[test]
fn the_responder_is_asked_by_post_and_by_get_as_rfc_6960_has_it() {
    let mut journey = Journey::new(1);
    // RFC 6960 A.1. What is no request is answered in kind: malformedRequest.
    let malformed = [0x30, 3, 10, 1, 1];
    let url = address_bar::parse(RESPONDER).unwrap().url;
    let mut request = Request::post(url, b"what?".to_vec());
    let media_type = "Content-Type: application/ocsp-request";
    request.headers.push(media_type.parse().unwrap());
    let config = journey.config();
    let page = journey.fetch(config, request).unwrap();
    assert_eq!((page.status, page.body.as_slice()), (200, malformed.as_slice()));
    let page = journey.get(&format!("{RESPONDER}d2hhdD8%3D")).unwrap();
    assert_eq!((page.status, page.body.as_slice()), (200, malformed.as_slice()));
    assert_eq!(journey.post(RESPONDER, b"what?".to_vec()).unwrap().status, 415);
}
