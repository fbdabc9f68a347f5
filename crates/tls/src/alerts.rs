//! Alerts (RFC 8446 6, RFC 5246 7.2): their names, and what they mean.

use rustls::AlertDescription;

/// Its name as the registry "TLS Alerts" has it, as `handshake_failure`.
pub(crate) fn named(alert: AlertDescription) -> String {
    let code = u8::from(alert);
    about(code).map_or_else(|| format!("number {code}"), |(name, _)| name.to_owned())
}

/// Name and meaning of an alert (RFC 8446 6.2, RFC 5246 7.2.2); none where no registry known here has it.
pub(crate) fn about(code: u8) -> Option<(&'static str, &'static str)> {
    let index = ALERTS.binary_search_by_key(&code, |(number, ..)| *number).ok()?;
    ALERTS.get(index).map(|(_, name, meaning)| (*name, *meaning))
}

/// RFC 8446 6.2, from the side of the one who receives it.
pub(crate) fn to_receiver(alert: AlertDescription) -> &'static str {
    use AlertDescription as Alert;
    match alert {
        Alert::HandshakeFailure => {
            "it accepts nothing of what was offered (TLS 1.2 and 1.3 with ECDHE; RSA key transport is not offered, \
             since it has no forward secrecy)"
        }
        Alert::ProtocolVersion => "it speaks none of the TLS versions offered",
        Alert::InsufficientSecurity => "it asks for stronger cipher suites than those offered",
        Alert::UnrecognisedName => "it knows no site of the name asked for (SNI)",
        Alert::NoApplicationProtocol => "it speaks none of the application protocols offered (ALPN)",
        Alert::UnknownCA => "it does not trust the issuer of the certificate it was shown",
        Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::CertificateUnknown => {
            "it refuses the certificate it was shown"
        }
        Alert::CertificateExpired => "it says that the certificate it was shown is outside its dates",
        Alert::CertificateRevoked => "it says that the certificate it was shown has been revoked",
        Alert::CertificateRequired => "it asks for a client certificate",
        Alert::AccessDenied => "it refuses access",
        Alert::DecodeError | Alert::IllegalParameter | Alert::UnexpectedMessage | Alert::MissingExtension => {
            "it could not make sense of what it received"
        }
        Alert::BadRecordMac | Alert::DecryptError => {
            "what it received had been changed on the way, or was misread"
        }
        Alert::InternalError => "it failed for a reason of its own",
        Alert::UserCanceled => "it gave up",
        _ => "it ended the session",
    }
}

const ALERTS: &[(u8, &str, &str)] = &[
    (0, "close_notify", "the sender will send no more"),
    (10, "unexpected_message", "a message came that does not belong there"),
    (20, "bad_record_mac", "a record could not be decrypted: keys differ, or somebody changed it"),
    (21, "decryption_failed", "a record could not be decrypted (reserved, not used any more)"),
    (22, "record_overflow", "a record was longer than is allowed"),
    (30, "decompression_failure", "what was compressed could not be expanded"),
    (40, "handshake_failure", "there are no parameters that both sides accept"),
    (41, "no_certificate", "there is no certificate to show (SSL 3.0)"),
    (42, "bad_certificate", "a certificate is broken, or its signature does not verify"),
    (43, "unsupported_certificate", "a certificate is of a kind that is not accepted"),
    (44, "certificate_revoked", "its issuer has revoked the certificate"),
    (45, "certificate_expired", "the certificate has expired or is not valid yet"),
    (46, "certificate_unknown", "the certificate was refused for another reason"),
    (47, "illegal_parameter", "a field of the handshake is wrong or contradicts another"),
    (48, "unknown_ca", "no trusted CA vouches for the certificate"),
    (49, "access_denied", "the certificate is valid, but its owner may not enter"),
    (50, "decode_error", "a message could not be read: a length or a value is out of range"),
    (51, "decrypt_error", "a signature, a Finished or a PSK binder does not verify"),
    (60, "export_restriction", "reserved, not used any more"),
    (70, "protocol_version", "the version offered is known but not accepted"),
    (71, "insufficient_security", "the server wants stronger parameters than the client offers"),
    (80, "internal_error", "something failed that has nothing to do with the peer"),
    (86, "inappropriate_fallback", "a client retried with a lower version than both sides speak"),
    (90, "user_canceled", "the sender gives the handshake up"),
    (100, "no_renegotiation", "a new handshake within the session is refused"),
    (109, "missing_extension", "an extension that must be there is missing"),
    (110, "unsupported_extension", "an extension came that was not offered"),
    (111, "certificate_unobtainable", "the certificate could not be got from its URL"),
    (112, "unrecognized_name", "the server has nothing under the name asked for"),
    (113, "bad_certificate_status_response", "the stapled OCSP response is not accepted"),
    (114, "bad_certificate_hash_value", "the certificate is not the one that its hash names"),
    (115, "unknown_psk_identity", "none of the pre-shared keys offered is accepted"),
    (116, "certificate_required", "the server wants a certificate, and the client showed none"),
    (120, "no_application_protocol", "no application protocol (ALPN) is spoken by both sides"),
    (121, "ech_required", "the server did not accept the encrypted ClientHello"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_named_as_in_the_rfc() {
        assert!(ALERTS.is_sorted_by_key(|(number, ..)| *number));
        assert_eq!(named(AlertDescription::HandshakeFailure), "handshake_failure");
        assert_eq!(named(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(named(AlertDescription::UnrecognisedName), "unrecognized_name");
        assert_eq!(named(AlertDescription::CertificateRequired), "certificate_required");
        assert_eq!(named(AlertDescription::Unknown(200)), "number 200");
        assert_eq!(about(117), None);
    }
}
