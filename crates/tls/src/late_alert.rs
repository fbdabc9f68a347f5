//! The one fatal alert that may be needed after a handshake: when revocation, asked for over the network
//! between the handshake and the first application byte, says no.
//!
//! rustls sends alerts by itself, and only during a handshake. So this takes the secrets of the finished
//! connection, seals a single alert record with them exactly as the connection would have sealed its
//! next one, and lets the connection end.
//!
//! ```text
//!   TLS 1.3 (RFC 8446 5.2)          23 | 03 03 | length | AEAD( level description 21 )
//!   TLS 1.2, AES-GCM (RFC 5288 3)   21 | 03 03 | length | explicit nonce (8) | AEAD( level description )
//!   TLS 1.2, ChaCha20 (RFC 7905 2)  21 | 03 03 | length | AEAD( level description )
//! ```

use crate::gather::Gather;
use crate::handshake::hang_up;
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsStream;
use rustls::crypto::cipher::{MessageEncrypter, OutboundPlainMessage};
use rustls::{
    AlertDescription, ConnectionTrafficSecrets, ContentType, Error, ExtractedSecrets, ProtocolVersion,
    SupportedCipherSuite,
};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// RFC 8446 6: every alert but closure alerts is fatal.
const FATAL: u8 = 2;

/// Refuses the peer of a finished handshake: sends it `alert` and closes. Nobody waits, neither for an
/// answer nor for room to write in: a connection that cannot carry the alert now is closed without.
pub(crate) async fn refuse<S>(stream: TlsStream<Gather<S>>, alert: AlertDescription)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = stream;
    // What the handshake still has to say comes first: the alert's sequence number is behind it.
    let flushed = poll_fn(|cx| {
        let flushed = Pin::new(&mut stream).poll_flush(cx);
        Poll::Ready(matches!(flushed, Poll::Ready(Ok(()))))
    })
    .await;
    let (mut below, record) = match stream {
        TlsStream::Client(stream) => {
            let (below, connection) = stream.into_inner();
            let suite = connection.negotiated_cipher_suite();
            (below, seal(suite, connection.dangerous_extract_secrets(), alert))
        }
        TlsStream::Server(stream) => {
            let (below, connection) = stream.into_inner();
            let suite = connection.negotiated_cipher_suite();
            (below, seal(suite, connection.dangerous_extract_secrets(), alert))
        }
    };
    if let (true, Ok(record)) = (flushed, record) {
        send(&mut below, &record).await;
    }
    hang_up(below).await;
}

/// Writes as much of it as is taken at once. Why the peer is refused is what matters; a connection that is
/// gone, or whose peer reads nothing, needs no alert.
async fn send<S: AsyncWrite + Unpin>(stream: &mut S, record: &[u8]) {
    poll_fn(|cx| {
        let mut rest = record;
        while !rest.is_empty()
            && let Poll::Ready(Ok(count @ 1..)) = Pin::new(&mut *stream).poll_write(cx, rest)
        {
            rest = rest.get(count..).unwrap_or_default();
        }
        // What is wrong with it now does not matter any more.
        let _ = Pin::new(&mut *stream).poll_flush(cx);
        Poll::Ready(())
    })
    .await;
}

/// The record that a connection of these secrets would send next, were it this alert.
fn seal(
    suite: Option<SupportedCipherSuite>,
    secrets: Result<ExtractedSecrets, Error>,
    alert: AlertDescription,
) -> Result<Vec<u8>, Error> {
    let suite = suite.ok_or(Error::HandshakeNotComplete)?;
    let (sequence, secrets) = secrets?.tx;
    let mut sealing = encrypter(suite, secrets)?;
    let body = [FATAL, u8::from(alert)];
    let plain = OutboundPlainMessage {
        typ: ContentType::Alert,
        // RFC 8446 5.1: legacy_record_version is that of TLS 1.2 in TLS 1.3, too.
        version: ProtocolVersion::TLSv1_2,
        payload: body.as_slice().into(),
    };
    Ok(sealing.encrypt(plain, sequence)?.encode())
}

fn encrypter(
    suite: SupportedCipherSuite,
    secrets: ConnectionTrafficSecrets,
) -> Result<Box<dyn MessageEncrypter>, Error> {
    let (key, iv) = match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (key, iv),
        _ => return Err(Error::General("a cipher suite whose secrets are not known".to_owned())),
    };
    Ok(match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => {
            // RFC 5288 3: four bytes of the nonce are secret, the other eight are told in each record.
            let fixed = suite.aead_alg.key_block_shape().fixed_iv_len;
            let (fixed, explicit) = iv.as_ref().split_at_checked(fixed).unwrap_or((iv.as_ref(), &[]));
            suite.aead_alg.encrypter(key, fixed, explicit)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
    use std::sync::Arc;

    /// A client and a server whose handshake in `suite` is complete, and on whose connection some data
    /// has passed.
    fn connected(
        provider: &CryptoProvider,
        suite: SupportedCipherSuite,
    ) -> (ClientConnection, ServerConnection) {
        let provider = Arc::new(CryptoProvider { cipher_suites: vec![suite], ..provider.clone() });
        let algorithm = match suite.suite().as_str() {
            Some(name) if name.contains("ECDHE_RSA") => return connected_by_rsa(&provider),
            _ => &rcgen::PKCS_ECDSA_P256_SHA256,
        };
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let own =
            rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        handshake(&provider, own.der().clone(), key)
    }

    /// The key exchange is signed by RSA, of which there is a fixture.
    fn connected_by_rsa(provider: &Arc<CryptoProvider>) -> (ClientConnection, ServerConnection) {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let certificate = include_bytes!("../tests/data/rsa-certificate.pem");
        let key = include_bytes!("../tests/data/rsa-key.pem");
        handshake(
            provider,
            CertificateDer::from_pem_slice(certificate).unwrap(),
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
    }

    fn handshake(
        provider: &Arc<CryptoProvider>,
        certificate: rustls::pki_types::CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> (ClientConnection, ServerConnection) {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.enable_secret_extraction = true;
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        server.enable_secret_extraction = true;
        let mut client = ClientConnection::new(Arc::new(client), "a.test".try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        use std::io::Write;
        client.writer().write_all(b"question").unwrap();
        server.writer().write_all(b"answer").unwrap();
        for _ in 0..8 {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            client.write_tls(&mut up).unwrap();
            if !up.is_empty() {
                server.read_tls(&mut up.as_slice()).unwrap();
                server.process_new_packets().unwrap();
            }
            server.write_tls(&mut down).unwrap();
            if !down.is_empty() {
                client.read_tls(&mut down.as_slice()).unwrap();
                client.process_new_packets().unwrap();
            }
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        (client, server)
    }

    #[test]
    fn the_peer_reads_the_alert_in_every_suite_of_both_versions_and_both_libraries() {
        let alert = AlertDescription::CertificateRevoked;
        for provider in [ring::default_provider(), aws_lc_rs::default_provider()] {
            for suite in provider.cipher_suites.clone() {
                let (client, mut server) = connected(&provider, suite);
                let record = seal(Some(suite), client.dangerous_extract_secrets(), alert).unwrap();
                server.read_tls(&mut record.as_slice()).unwrap();
                assert_eq!(
                    server.process_new_packets().unwrap_err(),
                    Error::AlertReceived(alert),
                    "{suite:?}"
                );

                let (mut client, server) = connected(&provider, suite);
                let record = seal(Some(suite), server.dangerous_extract_secrets(), alert).unwrap();
                client.read_tls(&mut record.as_slice()).unwrap();
                assert_eq!(
                    client.process_new_packets().unwrap_err(),
                    Error::AlertReceived(alert),
                    "{suite:?}"
                );
            }
        }
    }
}
