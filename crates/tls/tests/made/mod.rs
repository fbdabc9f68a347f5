//! Certificates made by hand, byte by byte, so that each can be wrong in one place.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "tests")]

use glasstack_tls::verify::{Name, Purpose};
use glasstack_tls::{Judgement, TrustStore, Verifier};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;

pub type Der = CertificateDer<'static>;

/// 2026-06-01T00:00:00Z.
pub const NOW: i64 = 1_780_272_000;

pub fn algorithms() -> WebPkiSupportedAlgorithms {
    rustls::crypto::ring::default_provider().signature_verification_algorithms
}

// ---- DER

pub fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match contents.len() {
        length @ 0..0x80 => der.push(length as u8),
        length @ 0x80..0x100 => der.extend([0x81, length as u8]),
        length => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend(contents);
    der
}

pub fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let mut contents = vec![(numbers[0] * 40 + numbers[1]) as u8];
    for number in &numbers[2..] {
        let mut bytes = vec![(number & 0x7f) as u8];
        let mut rest = number >> 7;
        while rest > 0 {
            bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        contents.extend(bytes);
    }
    tlv(6, &contents)
}

pub fn name(common: &str) -> Vec<u8> {
    if common.is_empty() {
        return seq(&[]);
    }
    let attribute = seq(&[&oid("2.5.4.3"), &tlv(0x0c, common.as_bytes())]);
    seq(&[&tlv(0x31, &attribute)])
}

pub fn algorithm(dotted: &str) -> Vec<u8> {
    seq(&[&oid(dotted)])
}

// ---- keys

pub const ED25519: &str = "1.3.101.112";

pub struct Key(Ed25519KeyPair);

impl Key {
    pub fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
    pub fn spki(&self) -> Vec<u8> {
        let bits = [&[0], self.0.public_key().as_ref()].concat();
        seq(&[&algorithm(ED25519), &tlv(3, &bits)])
    }
}

// ---- extensions

#[derive(Clone)]
pub struct Extension {
    pub oid: &'static str,
    pub critical: bool,
    pub value: Vec<u8>,
}

pub fn extension(oid: &'static str, critical: bool, value: Vec<u8>) -> Extension {
    Extension { oid, critical, value }
}

pub const SKI: &str = "2.5.29.14";
pub const KEY_USAGE: &str = "2.5.29.15";
pub const SAN: &str = "2.5.29.17";
pub const BASIC: &str = "2.5.29.19";
pub const CONSTRAINTS: &str = "2.5.29.30";
pub const AKI: &str = "2.5.29.35";
pub const EKU: &str = "2.5.29.37";
pub const AIA: &str = "1.3.6.1.5.5.7.1.1";
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

pub fn basic(ca: bool, path_length: Option<u8>) -> Extension {
    let mut inner = if ca { tlv(1, &[0xff]) } else { Vec::new() };
    inner.extend(path_length.map(|length| tlv(2, &[length])).unwrap_or_default());
    extension(BASIC, true, tlv(0x30, &inner))
}

/// Bits by number: 0 digitalSignature, 5 keyCertSign.
pub fn key_usage(bits: &[u8]) -> Extension {
    let byte = bits.iter().fold(0_u8, |byte, bit| byte | 0x80 >> bit);
    let value = if byte == 0 { vec![0] } else { vec![byte.trailing_zeros() as u8, byte] };
    extension(KEY_USAGE, true, tlv(3, &value))
}

pub fn purposes(oids: &[&str]) -> Extension {
    let inner: Vec<u8> = oids.iter().flat_map(|one| oid(one)).collect();
    extension(EKU, false, tlv(0x30, &inner))
}

pub fn dns(name: &str) -> Vec<u8> {
    tlv(0x82, name.as_bytes())
}
pub fn ip(bytes: &[u8]) -> Vec<u8> {
    tlv(0x87, bytes)
}
pub fn email(name: &str) -> Vec<u8> {
    tlv(0x81, name.as_bytes())
}
pub fn directory(common: &str) -> Vec<u8> {
    tlv(0xa4, &name(common))
}

pub fn san(names: &[Vec<u8>]) -> Extension {
    extension(SAN, false, tlv(0x30, &names.concat()))
}

pub fn limits(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let subtrees = |tag: u8, names: &[Vec<u8>]| {
        let inner: Vec<u8> = names.iter().flat_map(|name| seq(&[name])).collect();
        if names.is_empty() { Vec::new() } else { tlv(tag, &inner) }
    };
    extension(CONSTRAINTS, true, seq(&[&subtrees(0xa0, permitted), &subtrees(0xa1, excluded)]))
}

// ---- certificates

/// A certificate to be.
#[derive(Clone)]
pub struct Plan {
    pub version: Option<u8>,
    pub serial: Vec<u8>,
    pub inner: Vec<u8>,
    pub outer: Vec<u8>,
    pub issuer: Vec<u8>,
    pub not_before: &'static str,
    pub not_after: &'static str,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    pub extensions: Vec<Extension>,
}

impl Plan {
    /// A server's, for `www.lab.test`.
    pub fn leaf(issuer: &str, key: &Key) -> Self {
        let ski = extension(SKI, false, tlv(4, &[7; 20]));
        let aki = extension(AKI, false, seq(&[&tlv(0x80, &[9; 20])]));
        Self {
            version: Some(2),
            serial: vec![0x11, 0x22],
            inner: algorithm(ED25519),
            outer: algorithm(ED25519),
            issuer: name(issuer),
            not_before: "260101000000Z",
            not_after: "270101000000Z",
            subject: name("www.lab.test"),
            spki: key.spki(),
            extensions: vec![
                ski,
                aki,
                key_usage(&[0]),
                purposes(&[SERVER_AUTH]),
                san(&[dns("www.lab.test")]),
            ],
        }
    }

    pub fn ca(subject: &str, issuer: &str, key: &Key) -> Self {
        let mut plan = Self { subject: name(subject), ..Self::leaf(issuer, key) };
        plan.extensions = vec![plan.extensions[0].clone(), basic(true, None), key_usage(&[5, 6])];
        if subject != issuer {
            plan.extensions.push(extension(AKI, false, seq(&[&tlv(0x80, &[9; 20])])));
        }
        plan
    }

    pub fn with(mut self, extension: Extension) -> Self {
        match self.extensions.iter_mut().find(|other| other.oid == extension.oid) {
            Some(other) => *other = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    pub fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    pub fn dated(mut self, not_before: &'static str, not_after: &'static str) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    pub fn signed(&self, key: &Key) -> Der {
        let version = self.version.map(|version| tlv(0xa0, &tlv(2, &[version]))).unwrap_or_default();
        let validity = seq(&[&tlv(0x17, self.not_before.as_bytes()), &tlv(0x17, self.not_after.as_bytes())]);
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|one| {
                let critical = if one.critical { tlv(1, &[0xff]) } else { Vec::new() };
                seq(&[&oid(one.oid), &critical, &tlv(4, &one.value)])
            })
            .collect();
        let extensions =
            if self.extensions.is_empty() { Vec::new() } else { tlv(0xa3, &tlv(0x30, &extensions)) };
        let message = seq(&[
            &version,
            &tlv(2, &self.serial),
            &self.inner,
            &self.issuer,
            &validity,
            &self.subject,
            &self.spki,
            &extensions,
        ]);
        let signature = [&[0], key.0.sign(&message).as_ref()].concat();
        seq(&[&message, &self.outer, &tlv(3, &signature)]).into()
    }
}

// ---- judging

/// A root `Lab` and its key.
pub fn root() -> (Key, Der) {
    let key = Key::new(1);
    let der = Plan::ca("Lab", "Lab", &key).signed(&key);
    (key, der)
}

pub fn verifier(roots: &[Der]) -> Verifier {
    Verifier::new(TrustStore::from_der(roots).unwrap(), Purpose::Server, algorithms())
}

/// The judgement of a chain shown for `www.lab.test`.
pub fn judge(roots: &[Der], chain: &[Der]) -> Judgement {
    judge_for(roots, chain, "www.lab.test")
}

pub fn judge_for(roots: &[Der], chain: &[Der], asked: &str) -> Judgement {
    let verifier = verifier(roots);
    let names = [Name::parse(asked).unwrap()];
    let judgement = verifier.judge(chain, &names, NOW);
    assert_eq!(
        judgement.is_accepted(),
        verifier.accepts_but_for_revocation(chain, &names, NOW),
        "{judgement}"
    );
    judgement
}

/// The code of a refusal; `accept` where there is none.
pub fn code(judgement: &Judgement) -> &'static str {
    judgement.problem.as_ref().map_or("accept", |problem| {
        let told = problem.to_string();
        assert!(told.ends_with(')') || problem.code() == "webpki", "no cure is told: {told}");
        problem.code()
    })
}

/// What becomes of a server's certificate, changed by `change` and issued by the root.
pub fn leaf_code(change: impl Fn(Plan) -> Plan) -> &'static str {
    let (key, root) = root();
    let leaf = change(Plan::leaf("Lab", &Key::new(9))).signed(&key);
    code(&judge(&[root], &[leaf]))
}

/// What becomes of a path over a CA between, changed by `change`.
pub fn middle_code(change: impl Fn(Plan) -> Plan) -> &'static str {
    let (key, root) = root();
    let between = Key::new(2);
    let middle = change(Plan::ca("Between", "Lab", &between)).signed(&key);
    let leaf = Plan::leaf("Between", &Key::new(9)).signed(&between);
    code(&judge(&[root], &[leaf, middle]))
}

/// What becomes of a path from a root that was changed by `change`.
pub fn root_code(change: impl Fn(Plan) -> Plan) -> &'static str {
    let key = Key::new(1);
    let root = change(Plan::ca("Lab", "Lab", &key)).signed(&key);
    let leaf = Plan::leaf("Lab", &Key::new(9)).signed(&key);
    code(&judge(&[root], &[leaf]))
}
