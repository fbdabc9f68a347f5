//! Why two sides that both speak TLS do not come together, in words.

use rustls::{Error, PeerIncompatible};

/// What is missing, and what would help; what rustls says where there is no more to say.
pub(crate) fn why(error: &Error) -> String {
    use PeerIncompatible as Why;
    let words = match error {
        // RFC 8446 4.2.1.
        Error::PeerIncompatible(Why::ServerTlsVersionIsDisabledByOurConfig) => {
            "the server answers with TLS 1.2, and only TLS 1.3 is offered (--tlsv1.2 offers both, but not beside --ech)"
        }
        Error::PeerIncompatible(Why::ServerDoesNotSupportTls12Or13) => {
            "the server answers with a version older than TLS 1.2, which is too weak to be spoken (RFC 8996)"
        }
        Error::PeerIncompatible(Why::Tls12NotOffered | Why::Tls12NotOfferedOrEnabled) => {
            "the client offers neither TLS 1.3 nor TLS 1.2, or none of them is allowed here"
        }
        Error::PeerIncompatible(Why::SupportedVersionsExtensionRequired) => {
            "the client does not offer TLS 1.3, and nothing older is allowed here"
        }
        // RFC 8446 4.1.1.
        Error::PeerIncompatible(Why::NoCipherSuitesInCommon) => {
            "no cipher suite of the client's is allowed here, or fits the key of the certificate"
        }
        Error::PeerIncompatible(Why::NoKxGroupsInCommon) => {
            "no key exchange group of the client's is spoken here"
        }
        Error::PeerIncompatible(
            Why::NoSignatureSchemesInCommon | Why::NoCertificateRequestSignatureSchemesInCommon,
        ) => "the peer takes no signature that the key of the certificate can make",
        // RFC 7301 3.2.
        Error::NoApplicationProtocol => "no application protocol (ALPN) is spoken by both",
        other => return other.to_string(),
    };
    words.to_owned()
}
