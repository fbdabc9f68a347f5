//! A root, a CA below it, a server and a client: ECDSA on P-256, as most of the web has it.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// 2026-09-21T14:13:20Z: when all of it is good.
pub(crate) const NOW: u64 = 1_790_000_000;
pub(crate) const NAME: &str = "www.bench.test";

/// A chain (DER, the own certificate first) and its key (PKCS#8).
pub(crate) struct Owner {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Vec<u8>,
}

pub(crate) struct Pki {
    pub(crate) root: Vec<u8>,
    pub(crate) server: Owner,
    pub(crate) client: Owner,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let (root_key, middle_key) = (key(), key());
        let root = ca("bench root").self_signed(&root_key).unwrap();
        let issuer = Issuer::new(ca("bench root"), root_key);
        let middle = ca("bench CA").signed_by(&middle_key, &issuer).unwrap();
        let issuer = Issuer::new(ca("bench CA"), middle_key);
        let owner = |purpose| {
            let key = key();
            let mut params = params(NAME);
            params.subject_alt_names = vec![rcgen::SanType::DnsName(NAME.try_into().unwrap())];
            params.extended_key_usages = vec![purpose];
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let own = params.signed_by(&key, &issuer).unwrap();
            Owner { chain: vec![own.der().to_vec(), middle.der().to_vec()], key: key.serialize_der() }
        };
        Self {
            root: root.der().to_vec(),
            server: owner(ExtendedKeyUsagePurpose::ServerAuth),
            client: owner(ExtendedKeyUsagePurpose::ClientAuth),
        }
    }
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    let at = |days: i64| {
        let seconds = i64::try_from(NOW).unwrap() + days * 86_400;
        time::OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    };
    (params.not_before, params.not_after) = (at(-1), at(30));
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}
