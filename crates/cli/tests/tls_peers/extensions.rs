//! Where a certificate says that its status is to be had (RFC 5280 4.2.1.13, 4.2.2.1), and that it comes
//! with an OCSP answer (RFC 7633).

use rcgen::{CertificateParams, CrlDistributionPoint, CustomExtension};

/// The responder to ask.
pub(crate) fn with_responder(mut params: CertificateParams, url: &str) -> CertificateParams {
    const OCSP: [u8; 10] = [0x06, 8, 0x2b, 6, 1, 5, 5, 7, 48, 1];
    let location = tlv(0x86, url.as_bytes());
    let description = tlv(0x30, &[&OCSP[..], &location].concat());
    let access = tlv(0x30, &description);
    params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access));
    params
}

/// Where the list of those that were revoked lies.
pub(crate) fn with_list(mut params: CertificateParams, url: &str) -> CertificateParams {
    params.crl_distribution_points.push(CrlDistributionPoint { uris: vec![url.to_owned()] });
    params
}

/// It must come with an answer.
pub(crate) fn must_staple(mut params: CertificateParams) -> CertificateParams {
    let status_request = vec![0x30, 3, 2, 1, 5];
    params
        .custom_extensions
        .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], status_request));
    params
}

/// X.690 8.1, for contents of up to 127 bytes.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128, "the short form");
    [&[tag, length], content].concat()
}
