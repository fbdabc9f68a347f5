//! Makes revocation lists and OCSP answers, right and wrong in every way, and judges them.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use crate::world::{DAY, NOW, at, ca_params, key, server_params};
use glasstack_tls::revocation::{Known, Outcome, Question, RevocationLists, RevocationPolicy, Staple};
use glasstack_tls::{Link, Purpose};
use rcgen::{CertificateParams, CustomExtension, Issuer, KeyPair, SigningKey as _};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The time of all judgements.
pub const HERE: i64 = NOW as i64;

// ---- DER

pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match body.len() {
        length @ 0..=0x7f => out.push(length as u8),
        length @ 0x80..=0xff => out.extend([0x81, length as u8]),
        length @ 0x100..=0xffff => out.extend([0x82, (length >> 8) as u8, length as u8]),
        length => {
            let octets = (length as u32).to_be_bytes();
            let zeros = octets.iter().take_while(|octet| **octet == 0).count();
            out.push(0x84 - zeros as u8);
            out.extend(&octets[zeros..]);
        }
    }
    out.extend(body);
    out
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

pub fn integer(number: u64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let from = octets.iter().position(|octet| *octet != 0).unwrap_or(7);
    let pad: &[u8] = if octets[from] >= 0x80 { &[0] } else { &[] };
    tlv(2, &[pad, &octets[from..]])
}

/// GeneralizedTime.
pub fn time(offset: i64) -> Vec<u8> {
    let civil = at(offset);
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        civil.year(),
        u8::from(civil.month()),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    );
    tlv(0x18, &[text.as_bytes()])
}

pub fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&tlv(6, &[oid]), flag, &tlv(4, &[value])])
}

/// What a key signs: `SEQUENCE { body, Ed25519, signature, more }`.
pub fn signed(body: &[u8], seed: u8, more: &[u8]) -> Vec<u8> {
    let signature = key(seed).sign(body).unwrap();
    sequence(&[body, &ed25519(), &tlv(3, &[&[0], &signature]), more])
}

pub fn ed25519() -> Vec<u8> {
    sequence(&[&[6, 3, 0x2b, 0x65, 0x70]])
}

/// A name's DER and a key's, out of a certificate.
pub fn name_and_key(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (_, read) = X509Certificate::from_der(certificate).unwrap();
    (read.subject().as_raw().to_vec(), read.public_key().raw.to_vec())
}

// ---- certificates

pub const AIA: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
pub const FEATURE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];

/// A CA and its key.
pub struct Authority {
    pub der: Vec<u8>,
    pub name: Vec<u8>,
    pub key: Vec<u8>,
    pub seed: u8,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn root() -> Self {
        Self::of(ca_params("Lab CA"), 1)
    }

    pub fn of(params: CertificateParams, seed: u8) -> Self {
        let der = params.self_signed(&key(seed)).unwrap().der().to_vec();
        Self::known(der, params, seed)
    }

    /// A CA below this one.
    pub fn below(&self, params: CertificateParams, seed: u8) -> Self {
        let der = self.issue(params.clone(), seed);
        Self::known(der, params, seed)
    }

    fn known(der: Vec<u8>, params: CertificateParams, seed: u8) -> Self {
        let (name, key_info) = name_and_key(&der);
        Self { der, name, key: key_info, seed, issuer: Issuer::new(params, key(seed)) }
    }

    pub fn issue(&self, params: CertificateParams, seed: u8) -> Vec<u8> {
        params.signed_by(&key(seed), &self.issuer).unwrap().der().to_vec()
    }

    /// A certificate that it issued, as a step of a path.
    pub fn link(&self, certificate: Vec<u8>) -> Link {
        Link {
            label: "the server's own certificate (CN=www.lab.test)".to_owned(),
            certificate,
            issuer: self.name.clone(),
            issuer_key: self.key.clone(),
            issuer_certificate: Some(self.der.clone()),
        }
    }
}

/// Serial 0x2a, of `www.lab.test`, with a distribution point and a responder.
pub fn leaf_params() -> CertificateParams {
    let mut params = server_params(&["www.lab.test"]);
    params.crl_distribution_points =
        vec![rcgen::CrlDistributionPoint { uris: vec!["http://crl.lab.test/ca.crl".to_owned()] }];
    params.custom_extensions.push(responder("http://ocsp.lab.test/"));
    params
}

/// RFC 5280 4.2.2.1.
pub fn responder(url: &str) -> CustomExtension {
    let access = sequence(&[&tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1]]), &tlv(0x86, &[url.as_bytes()])]);
    CustomExtension::from_oid_content(AIA, sequence(&[&access]))
}

/// RFC 7633: must-staple.
pub fn must_staple() -> CustomExtension {
    CustomExtension::from_oid_content(FEATURE, sequence(&[&integer(5)]))
}

// ---- lists

/// A list that is right; each test makes it wrong in its way.
pub struct List {
    pub issuer: Vec<u8>,
    pub signer: u8,
    pub this_update: i64,
    pub next_update: Option<i64>,
    pub extensions: Vec<Vec<u8>>,
    pub entries: Vec<Vec<u8>>,
}

impl List {
    pub fn of(issuer: &Authority) -> Self {
        Self {
            issuer: issuer.name.clone(),
            signer: issuer.seed,
            this_update: -DAY,
            next_update: Some(DAY),
            extensions: vec![extension(&[0x55, 0x1d, 0x14], false, &integer(7))],
            entries: vec![entry(1, &[])],
        }
    }

    pub fn der(&self) -> Vec<u8> {
        let next = self.next_update.map(time).unwrap_or_default();
        let entries = if self.entries.is_empty() { Vec::new() } else { sequence(&[&self.entries.concat()]) };
        let extensions = tlv(0xa0, &[&sequence(&[&self.extensions.concat()])]);
        let body = sequence(&[
            &integer(1),
            &ed25519(),
            &self.issuer,
            &time(self.this_update),
            &next,
            &entries,
            &extensions,
        ]);
        signed(&body, self.signer, &[])
    }

    pub fn with(mut self, oid: &[u8], critical: bool, value: &[u8]) -> Self {
        self.extensions.push(extension(oid, critical, value));
        self
    }

    /// The issuing distribution point.
    pub fn scoped(self, fields: &[&[u8]]) -> Self {
        self.with(&[0x55, 0x1d, 0x1c], true, &sequence(fields))
    }

    pub fn and(mut self, entry: Vec<u8>) -> Self {
        self.entries.push(entry);
        self
    }
}

/// An entry since half a day.
pub fn entry(serial: u64, extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { sequence(&[&extensions.concat()]) };
    sequence(&[&integer(serial), &time(-DAY / 2), &extensions])
}

pub fn reason(code: u8) -> Vec<u8> {
    extension(&[0x55, 0x1d, 0x15], false, &[0x0a, 1, code])
}

/// `[0] { [0] { URI } }`: a distribution point's name.
pub fn point(uri: &str) -> Vec<u8> {
    tlv(0xa0, &[&tlv(0xa0, &[&tlv(0x86, &[uri.as_bytes()])])])
}

// ---- answers

/// An answer that is right; each test makes it wrong in its way.
pub struct Answer {
    pub responder: Vec<u8>,
    pub signer: u8,
    pub singles: Vec<Vec<u8>>,
    pub nonce: Option<Vec<u8>>,
    pub extensions: Vec<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
}

impl Answer {
    pub fn of(issuer: &Authority, singles: &[Vec<u8>]) -> Self {
        Self {
            responder: by_name(&issuer.name),
            signer: issuer.seed,
            singles: singles.to_vec(),
            nonce: None,
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    pub fn der(&self) -> Vec<u8> {
        let mut extensions = self.extensions.clone();
        if let Some(nonce) = &self.nonce {
            extensions.push(extension(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2], false, &tlv(4, &[nonce])));
        }
        let extensions =
            if extensions.is_empty() { Vec::new() } else { tlv(0xa1, &[&sequence(&[&extensions.concat()])]) };
        let body = sequence(&[&self.responder, &time(0), &sequence(&[&self.singles.concat()]), &extensions]);
        let certificates = if self.certificates.is_empty() {
            Vec::new()
        } else {
            tlv(0xa0, &[&sequence(&[&self.certificates.concat()])])
        };
        let basic = signed(&body, self.signer, &certificates);
        let oid = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]);
        sequence(&[&[0x0a, 1, 0], &tlv(0xa0, &[&sequence(&[&oid, &tlv(4, &[&basic])])])])
    }
}

/// A status that is no answer.
pub fn refusal(status: u8) -> Vec<u8> {
    sequence(&[&[0x0a, 1, status]])
}

pub fn by_name(name: &[u8]) -> Vec<u8> {
    tlv(0xa1, &[name])
}

pub fn by_key(key_info: &[u8]) -> Vec<u8> {
    tlv(0xa2, &[&tlv(4, &[digest(&SHA1_FOR_LEGACY_USE_ONLY, key_bits(key_info)).as_ref()])])
}

/// An Ed25519 key's own 32 bytes are its SubjectPublicKeyInfo's last.
fn key_bits(key_info: &[u8]) -> &[u8] {
    &key_info[key_info.len() - 32..]
}

pub fn id(issuer: &Authority, serial: u64, hash: &'static Algorithm) -> Vec<u8> {
    let oid: &[u8] =
        if hash == &SHA256 { &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1] } else { &[0x2b, 0x0e, 3, 2, 0x1a] };
    sequence(&[
        &sequence(&[&tlv(6, &[oid]), &[5, 0]]),
        &tlv(4, &[digest(hash, &issuer.name).as_ref()]),
        &tlv(4, &[digest(hash, key_bits(&issuer.key)).as_ref()]),
        &integer(serial),
    ])
}

pub const GOOD: &[u8] = &[0x80, 0];
pub const UNKNOWN: &[u8] = &[0x82, 0];

pub fn revoked(code: Option<u8>) -> Vec<u8> {
    let reason = code.map(|code| tlv(0xa0, &[&[0x0a, 1, code]])).unwrap_or_default();
    tlv(0xa1, &[&time(-DAY / 2), &reason])
}

/// Of an hour ago, good for a day more.
pub fn single(id: &[u8], status: &[u8]) -> Vec<u8> {
    single_at(id, status, -3600, Some(DAY), &[])
}

pub fn single_at(id: &[u8], status: &[u8], this: i64, next: Option<i64>, extensions: &[Vec<u8>]) -> Vec<u8> {
    let next = next.map(|next| tlv(0xa0, &[&time(next)])).unwrap_or_default();
    let extensions =
        if extensions.is_empty() { Vec::new() } else { tlv(0xa1, &[&sequence(&[&extensions.concat()])]) };
    sequence(&[id, status, &time(this), &next, &extensions])
}

/// What the CA says of serial 0x2a.
pub fn says(issuer: &Authority, status: &[u8]) -> Answer {
    Answer::of(issuer, &[single(&id(issuer, 0x2a, &SHA1_FOR_LEGACY_USE_ONLY), status)])
}

// ---- judging

pub fn judge(path: &[Link], policy: RevocationPolicy, known: &Known) -> Outcome {
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    Question { path, purpose: Purpose::Server, policy, algorithms, now: HERE }.judge(known)
}

/// The leaf against these lists.
pub fn by_lists(ca: &Authority, params: CertificateParams, lists: &[Vec<u8>]) -> Outcome {
    let mut all: Option<RevocationLists> = None;
    for list in lists {
        let one = RevocationLists::from_file(list).unwrap();
        all = Some(all.map_or(one.clone(), |before| before.and(&one)));
    }
    let path = [ca.link(ca.issue(params, 9))];
    judge(&path, RevocationPolicy::default(), &Known::given(all.as_ref(), &[]))
}

/// The leaf with this answer, given.
pub fn by_answer(ca: &Authority, answer: &[u8]) -> Outcome {
    let path = [ca.link(ca.issue(leaf_params(), 9))];
    judge(&path, RevocationPolicy::default(), &Known::given(None, &[answer.to_vec()]))
}

/// The leaf with this answer, stapled.
pub fn by_staple(
    ca: &Authority,
    params: CertificateParams,
    staple: Staple,
    policy: RevocationPolicy,
) -> Outcome {
    let path = [ca.link(ca.issue(params, 9))];
    judge(&path, policy, &Known::default().stapled(staple))
}

/// Its code, and the words, which end with what helps; `good` when nothing is wrong.
pub fn verdict(outcome: &Outcome) -> (&'static str, String) {
    match &outcome.problem {
        Some(problem) => {
            let told = problem.to_string();
            assert!(told.ends_with(')'), "no cure is told: {told}");
            (problem.code(), told)
        }
        None => {
            ("good", outcome.checks.iter().map(|check| check.evidence.clone()).collect::<Vec<_>>().join("\n"))
        }
    }
}
