//! Certificates for the real servers, made anew each time.

use super::Network;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, RevokedCertParams, date_time_ymd,
};

/// An authority that the client is told to believe, or not.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's certificate in a file: what `--cacert` takes.
    pub(crate) fn file(&self, network: &Network) -> String {
        network.write("ca.pem", &self.pem)
    }

    /// A certificate for `name` that is good until the end of the year; its and its key's PEM.
    pub(crate) fn certificate(&self, name: &str, until: i32) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(until, 12, 31);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A certificate (PEM) of the owner of `key`, as `params` describe it.
    pub(crate) fn issue(&self, params: CertificateParams, key: &KeyPair) -> String {
        params.signed_by(key, &self.issuer).unwrap().pem()
    }

    /// A revocation list (PEM) that is good for a long time.
    pub(crate) fn revocation_list(&self, revoked: Vec<RevokedCertParams>) -> String {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2003, 1, 1),
            next_update: date_time_ymd(2999, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// The same in files, as nginx's directives name them.
    pub(crate) fn for_nginx(&self, network: &Network, name: &str, until: i32) -> String {
        let (certificate, key) = self.certificate(name, until);
        let certificate = network.write(&format!("{name}-{until}.pem"), certificate);
        let key = network.write(&format!("{name}-{until}.key"), key);
        format!("ssl_certificate {certificate}; ssl_certificate_key {key};")
    }
}
