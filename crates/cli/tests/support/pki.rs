//! Certificates for the real servers, made anew each time.

use super::Network;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationList, CertificateRevocationListParams, DnType,
    IsCa, Issuer, KeyIdMethod, KeyPair, RevocationReason, RevokedCertParams, date_time_ymd,
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

    /// Its own certificate (PEM).
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its private key (PEM), for programs that issue in its name.
    pub(crate) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
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

    /// The same with its key in files, whose names begin with `stem`; the authority's own follows it.
    pub(crate) fn in_files(
        &self,
        network: &Network,
        stem: &str,
        params: CertificateParams,
        key: &KeyPair,
    ) -> IdentityFiles {
        IdentityFiles {
            certificate: network.write(&format!("{stem}.pem"), self.issue(params, key) + &self.pem),
            key: network.write(&format!("{stem}.key"), key.serialize_pem()),
        }
    }

    /// A revocation list (PEM) that is good for a long time.
    pub(crate) fn revocation_list(&self, revoked: Vec<RevokedCertParams>) -> String {
        self.list(revoked).pem().unwrap()
    }

    /// The same in DER.
    pub(crate) fn revocation_list_der(&self, revoked: Vec<RevokedCertParams>) -> Vec<u8> {
        self.list(revoked).der().to_vec()
    }

    fn list(&self, revoked: Vec<RevokedCertParams>) -> CertificateRevocationList {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2003, 1, 1),
            next_update: date_time_ymd(2999, 1, 1),
            crl_number: 1.into(),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap()
    }

    /// The same in files, as nginx's directives name them.
    pub(crate) fn for_nginx(&self, network: &Network, name: &str, until: i32) -> String {
        let (certificate, key) = self.certificate(name, until);
        let certificate = network.write(&format!("{name}-{until}.pem"), certificate);
        let key = network.write(&format!("{name}-{until}.key"), key);
        format!("ssl_certificate {certificate}; ssl_certificate_key {key};")
    }
}

/// Where a certificate and its key lie.
pub(crate) struct IdentityFiles {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A certificate for `name`, which no test outlives.
pub(crate) fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial.into());
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2999, 12, 31);
    params
}

/// That a certificate was revoked, long ago, because its key got into other hands.
pub(crate) fn revoked(serial: u64) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: serial.into(),
        revocation_time: date_time_ymd(2002, 1, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    }
}
