//! Certificates before they are signed, and the authorities that sign them.

use super::PkiError;
use super::key::{Key, Secrets, serial_number};
use super::terms::KeyKind;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyUsagePurpose, NameConstraints,
};
use std::sync::Arc;
use time::OffsetDateTime;
use yasna::models::ObjectIdentifier;
use yasna::{Tag, construct_der};

/// Object identifiers: RFC 5280 4.2.2.1, RFC 7633 4.1, RFC 6960 4.2.2.2.1.
const AUTHORITY_INFORMATION_ACCESS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 1];
const OCSP: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 48, 1];
const CA_ISSUERS: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 48, 2];
const TLS_FEATURE: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 24];
const OCSP_NO_CHECK: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
/// An enterprise number for documentation (RFC 5612): nobody knows what it means.
const NOBODYS: [u64; 8] = [1, 3, 6, 1, 4, 1, 32473, 1];
/// The TLS extension `status_request` (RFC 6066 8).
const STATUS_REQUEST: i64 = 5;

/// When a certificate is good.
pub(super) type Dates = (OffsetDateTime, OffsetDateTime);

/// Where things about a certificate are to be had.
pub(super) struct Places {
    /// The list on which it would be, were it taken back (RFC 5280 4.2.1.13).
    pub(super) list: String,
    /// Who tells whether it is good (RFC 6960).
    pub(super) responder: String,
    /// Its issuer's certificate (RFC 5280 4.2.2.1).
    pub(super) issuer: String,
}

/// A certificate and the key that belongs to it.
pub(super) struct Signed {
    pub(super) der: Vec<u8>,
    pub(super) key: Arc<Key>,
    /// As rcgen wants somebody who signs.
    pub(super) params: CertificateParams,
}

impl Signed {
    /// Who signs with this key, under this name.
    pub(super) fn issuer(&self) -> Issuer<'_, &Key> {
        Issuer::from_params(&self.params, &*self.key)
    }

    /// Who signs under this name, with another key.
    pub(super) fn impostor<'a>(&'a self, key: &'a Key) -> Issuer<'a, &'a Key> {
        Issuer::from_params(&self.params, key)
    }
}

/// A certificate before it is signed.
pub(super) struct Draft(pub(super) CertificateParams);

impl Draft {
    /// An authority with at most `below` authorities below it (RFC 5280 4.2.1.9); none: as many as it likes.
    pub(super) fn authority(name: &str, below: Option<u8>, dates: Dates) -> Self {
        let mut params = dated(name, dates);
        params.is_ca = IsCa::Ca(below.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(params)
    }

    /// A server with these names.
    pub(super) fn server(names: &[String], dates: Dates) -> Result<Self, PkiError> {
        let named = CertificateParams::new(names)?;
        let draft = Self::leaf(names.first().map_or("nobody", String::as_str), dates);
        Ok(draft.edit(|params| {
            params.subject_alt_names = named.subject_alt_names;
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        }))
    }

    /// A client.
    pub(super) fn client(name: &str, dates: Dates) -> Self {
        Self::leaf(name, dates)
            .edit(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// Who answers in an authority's place (RFC 6960 4.2.2.2), and need not be asked about
    /// (RFC 6960 4.2.2.2.1).
    pub(super) fn responder(name: &str, dates: Dates) -> Self {
        Self::leaf(name, dates).edit(|params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
            let nothing = construct_der(|writer| writer.write_null());
            params.custom_extensions.push(CustomExtension::from_oid_content(&OCSP_NO_CHECK, nothing));
        })
    }

    fn leaf(name: &str, dates: Dates) -> Self {
        let mut params = dated(name, dates);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        Self(params)
    }

    pub(super) fn edit(mut self, edit: impl FnOnce(&mut CertificateParams)) -> Self {
        edit(&mut self.0);
        self
    }

    /// It may sign for names below these alone, or for all but those below these (RFC 5280 4.2.1.10).
    pub(super) fn constrained(self, permitted: &[&str], excluded: &[&str]) -> Self {
        let names = |names: &[&str]| {
            names.iter().map(|&name| GeneralSubtree::DnsName(name.to_owned())).collect::<Vec<_>>()
        };
        let (permitted_subtrees, excluded_subtrees) = (names(permitted), names(excluded));
        self.edit(|params| {
            params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
        })
    }

    /// Says where to ask about it.
    pub(super) fn found_at(self, places: &Places) -> Self {
        let access = construct_der(|writer| {
            writer.write_sequence(|writer| {
                for (method, uri) in [(&OCSP, &places.responder), (&CA_ISSUERS, &places.issuer)] {
                    writer.next().write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(method));
                        // RFC 5280 4.2.1.6: uniformResourceIdentifier.
                        let tag = Tag::context(6);
                        writer.next().write_tagged_implicit(tag, |writer| writer.write_ia5_string(uri));
                    });
                }
            });
        });
        self.edit(|params| {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![places.list.clone()] }];
            params
                .custom_extensions
                .push(CustomExtension::from_oid_content(&AUTHORITY_INFORMATION_ACCESS, access));
        })
    }

    /// Says that an OCSP answer comes with it (RFC 7633 4.2.3.1).
    pub(super) fn must_staple(self) -> Self {
        let features = construct_der(|writer| {
            writer.write_sequence(|writer| writer.next().write_i64(STATUS_REQUEST));
        });
        self.edit(|params| {
            params.custom_extensions.push(CustomExtension::from_oid_content(&TLS_FEATURE, features));
        })
    }

    /// With a critical extension that nobody knows (RFC 5280 4.2).
    pub(super) fn with_unknown_extension(self) -> Self {
        let content = construct_der(|writer| writer.write_utf8_string("nobody knows what this means"));
        let mut extension = CustomExtension::from_oid_content(&NOBODYS, content);
        extension.set_criticality(true);
        self.edit(|params| params.custom_extensions.push(extension))
    }

    pub(super) fn self_signed(mut self, owner: &str, secrets: &Secrets) -> Result<Signed, PkiError> {
        self.number(owner, secrets);
        let key = secrets.key(owner, KeyKind::Usual)?;
        let der = self.0.self_signed(&key)?.der().to_vec();
        Ok(Signed { der, key: Arc::new(key), params: self.0 })
    }

    /// Signed by `authority`, for this key. `owner` tells this certificate from all others.
    pub(super) fn signed_by(
        mut self,
        authority: &Signed,
        owner: &str,
        key: Key,
        secrets: &Secrets,
    ) -> Result<Signed, PkiError> {
        self.number(owner, secrets);
        self.0.use_authority_key_identifier_extension = true;
        let der = self.0.signed_by(&key, &authority.issuer())?.der().to_vec();
        Ok(Signed { der, key: Arc::new(key), params: self.0 })
    }

    fn number(&mut self, owner: &str, secrets: &Secrets) {
        self.0.serial_number = Some(serial_number(&secrets.serial(owner)));
    }
}

fn dated(name: &str, (from, to): Dates) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (from, to);
    params
}

/// The certificate once more, signed by `key` with SHA-1 where SHA-256 was. None if the key is not RSA.
pub(super) fn with_sha1(der: &[u8], key: &Key) -> Option<Vec<u8>> {
    // RFC 8017 A.2.4: sha256WithRSAEncryption, whose last byte tells it from sha1WithRSAEncryption.
    const SHA256_WITH_RSA: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
    const SHA1: u8 = 5;
    let (mut certificate, algorithm) = split(der)?;
    let at = certificate.windows(SHA256_WITH_RSA.len()).position(|bytes| bytes == SHA256_WITH_RSA)?;
    *certificate.get_mut(at + SHA256_WITH_RSA.len() - 1)? = SHA1;
    let mut algorithm = algorithm;
    let at = algorithm.windows(SHA256_WITH_RSA.len()).position(|bytes| bytes == SHA256_WITH_RSA)?;
    *algorithm.get_mut(at + SHA256_WITH_RSA.len() - 1)? = SHA1;
    let signature = key.sign_sha1(&certificate)?;
    Some(construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(&certificate);
            writer.next().write_der(&algorithm);
            writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
        });
    }))
}

/// RFC 5280 4.1: what is signed, and how.
fn split(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let parts = yasna::parse_der(der, |reader| {
        reader.read_sequence(|reader| {
            let (certificate, algorithm) = (reader.next().read_der()?, reader.next().read_der()?);
            reader.next().read_bitvec_bytes()?;
            Ok((certificate, algorithm))
        })
    });
    parts.ok()
}
