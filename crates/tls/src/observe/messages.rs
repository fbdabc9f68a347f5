//! What each handshake message consists of (RFC 8446 4, RFC 5246 7.4), field by field.

use crate::certificate::CertificateInfo;
use crate::observe::extensions::{Of, extensions};
use crate::observe::names;
use crate::observe::tree::{Malformed, Tree};
use glasstack_journal::event::{Field, Value};

/// The types of handshake messages (RFC 8446 B.3, RFC 5246 7.4).
pub(super) mod kind {
    pub(crate) const HELLO_REQUEST: u8 = 0;
    pub(crate) const CLIENT_HELLO: u8 = 1;
    pub(crate) const SERVER_HELLO: u8 = 2;
    pub(crate) const NEW_SESSION_TICKET: u8 = 4;
    pub(crate) const END_OF_EARLY_DATA: u8 = 5;
    pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(crate) const CERTIFICATE: u8 = 11;
    pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(crate) const CERTIFICATE_REQUEST: u8 = 13;
    pub(crate) const SERVER_HELLO_DONE: u8 = 14;
    pub(crate) const CERTIFICATE_VERIFY: u8 = 15;
    pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(crate) const FINISHED: u8 = 20;
    pub(crate) const CERTIFICATE_STATUS: u8 = 22;
    pub(crate) const KEY_UPDATE: u8 = 24;
    pub(crate) const COMPRESSED_CERTIFICATE: u8 = 25;
}

/// RFC 8446 4.1.3: the random of a ServerHello that is a HelloRetryRequest, the SHA-256 of those words.
pub(super) const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What must be known to read a message.
#[derive(Clone, Copy, Default)]
pub(super) struct Context {
    /// Whether the connection is TLS 1.3, once that is known.
    pub(super) tls13: bool,
    /// Whether keys are exchanged on an elliptic curve (TLS 1.2), once that is known.
    pub(super) ecdhe: bool,
}

/// The fields of `message`, its header included, and what is wrong with it.
pub(super) fn dissect(message: &[u8], context: Context) -> (&'static str, Vec<Field>, Option<Malformed>) {
    let kind = message.first().copied().unwrap_or_default();
    let retry = kind == kind::SERVER_HELLO && message.get(6..38) == Some(&RETRY[..]);
    let name = if retry { "HelloRetryRequest" } else { names::handshake(u64::from(kind)) };
    let mut tree = Tree::new(message);
    let outcome = read(&mut tree, kind, retry, context);
    let (fields, problem) = tree.finish(outcome);
    (name, fields, problem)
}

fn read(tree: &mut Tree<'_>, kind: u8, retry: bool, context: Context) -> Result<(), Malformed> {
    tree.code("msg_type", 1, names::handshake)?;
    let length = tree.number("length", 3)?;
    tree.bounded("the message", length, |tree| match kind {
        kind::HELLO_REQUEST | kind::END_OF_EARLY_DATA | kind::SERVER_HELLO_DONE => Ok(()),
        kind::CLIENT_HELLO => client_hello(tree),
        kind::SERVER_HELLO => server_hello(tree, if retry { Of::Retry } else { Of::ServerHello }),
        kind::NEW_SESSION_TICKET if context.tls13 => ticket_13(tree),
        kind::NEW_SESSION_TICKET => ticket_12(tree),
        kind::ENCRYPTED_EXTENSIONS => extensions(tree, Of::EncryptedExtensions),
        kind::CERTIFICATE if context.tls13 => certificate_13(tree),
        kind::CERTIFICATE => certificate_12(tree),
        kind::CERTIFICATE_REQUEST if context.tls13 => request_13(tree),
        kind::CERTIFICATE_REQUEST => request_12(tree),
        kind::SERVER_KEY_EXCHANGE if context.ecdhe => server_key_exchange(tree),
        kind::CLIENT_KEY_EXCHANGE if context.ecdhe => tree.bytes("ecdh_Yc", 1).map(|_| ()),
        kind::CERTIFICATE_VERIFY => signed(tree),
        kind::FINISHED => tree.rest("verify_data").map(|_| ()),
        kind::CERTIFICATE_STATUS => certificate_status(tree),
        kind::KEY_UPDATE => tree.code("request_update", 1, names::key_update).map(|_| ()),
        kind::COMPRESSED_CERTIFICATE => compressed_certificate(tree),
        _ => tree.rest("body").map(|_| ()),
    })
}

/// RFC 8446 4.1.2, RFC 5246 7.4.1.2.
fn client_hello(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.code("legacy_version", 2, names::version)?;
    tree.opaque("random", 32)?;
    tree.bytes("legacy_session_id", 1)?;
    tree.codes("cipher_suites", 2, ("cipher_suite", 2), names::suite)?;
    tree.bytes("legacy_compression_methods", 1)?;
    // RFC 5246 7.4.1.2: a client of old sends none at all.
    if tree.is_empty() { Ok(()) } else { extensions(tree, Of::ClientHello) }
}

/// RFC 8446 4.1.3 and 4.1.4, RFC 5246 7.4.1.3.
fn server_hello(tree: &mut Tree<'_>, of: Of) -> Result<(), Malformed> {
    tree.code("legacy_version", 2, names::version)?;
    tree.opaque("random", 32)?;
    tree.bytes("legacy_session_id_echo", 1)?;
    tree.code("cipher_suite", 2, names::suite)?;
    tree.number("legacy_compression_method", 1)?;
    if tree.is_empty() { Ok(()) } else { extensions(tree, of) }
}

/// RFC 8446 4.6.1.
fn ticket_13(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.number("ticket_lifetime", 4)?;
    tree.number("ticket_age_add", 4)?;
    tree.bytes("ticket_nonce", 1)?;
    tree.bytes("ticket", 2)?;
    extensions(tree, Of::Ticket)
}

/// RFC 5077 3.3.
fn ticket_12(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.number("ticket_lifetime_hint", 4)?;
    tree.bytes("ticket", 2).map(|_| ())
}

/// RFC 8446 4.4.2.
fn certificate_13(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.bytes("certificate_request_context", 1)?;
    tree.list("certificate_list", 3, |tree| {
        tree.group("CertificateEntry", |tree| {
            tree.vector("cert_data", 3, certificate)?;
            extensions(tree, Of::Certificate)
        })
    })
}

/// RFC 5246 7.4.2.
fn certificate_12(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.list("certificate_list", 3, |tree| tree.vector("cert_data", 3, certificate))
}

fn certificate(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    let subject = |der: &[u8]| Some(Value::Text(CertificateInfo::read(0, der).subject));
    tree.told("ASN.1Cert", tree.left(), subject).map(|_| ())
}

/// RFC 8446 4.3.2.
fn request_13(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.bytes("certificate_request_context", 1)?;
    extensions(tree, Of::CertificateRequest)
}

/// RFC 5246 7.4.4.
fn request_12(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.codes("certificate_types", 1, ("certificate_type", 1), names::certificate_type)?;
    tree.codes("supported_signature_algorithms", 2, ("scheme", 2), names::scheme)?;
    authorities(tree)
}

/// RFC 8446 4.2.4, RFC 5246 7.4.4.
pub(super) fn authorities(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.list("certificate_authorities", 2, |tree| {
        tree.vector("DistinguishedName", 2, |tree| {
            tree.told("name", tree.left(), |der| distinguished_name(der).map(Value::Text)).map(|_| ())
        })
    })
}

fn distinguished_name(der: &[u8]) -> Option<String> {
    use x509_parser::prelude::{FromDer, X509Name};
    X509Name::from_der(der).ok().map(|(_, name)| name.to_string())
}

/// RFC 8422 5.4.
fn server_key_exchange(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    const NAMED_CURVE: u64 = 3;
    if tree.code("curve_type", 1, names::curve_type)? != NAMED_CURVE {
        return tree.rest("params").map(|_| ());
    }
    tree.code("namedcurve", 2, names::group)?;
    tree.bytes("public", 1)?;
    signed(tree)
}

/// RFC 8446 4.4.3, RFC 5246 4.7.
fn signed(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.code("algorithm", 2, names::scheme)?;
    tree.bytes("signature", 2).map(|_| ())
}

/// RFC 6066 8.
pub(super) fn certificate_status(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.code("status_type", 1, names::status_type)?;
    tree.bytes("response", 3).map(|_| ())
}

/// RFC 8879 4.
fn compressed_certificate(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.code("algorithm", 2, names::compression)?;
    tree.number("uncompressed_length", 3)?;
    tree.bytes("compressed_certificate_message", 3).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields without fields of their own stand side by side; gives where they end.
    fn tile(fields: &[Field], mut at: usize) -> usize {
        for field in fields {
            assert_eq!(field.at, at, "{field:?}");
            at += field.length;
            if !field.fields.is_empty() {
                assert_eq!(tile(&field.fields, field.at), at, "{field:?}");
            }
        }
        at
    }

    /// RFC 8448's ClientHello of section 4, without its record's header.
    fn hello() -> Vec<u8> {
        let text = include_str!("rfc8448/resumed_0_rtt.txt");
        let lines = text.lines().skip_while(|line| *line != "client").skip(1);
        let hex: String = lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect();
        let pair = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (10..hex.len()).step_by(2).map(pair).collect()
    }

    #[test]
    fn every_byte_of_a_message_has_its_field_however_the_message_is_broken() {
        let whole = hello();
        let (name, fields, problem) = dissect(&whole, Context::default());
        assert_eq!((name, problem, tile(&fields, 0)), ("ClientHello", None, whole.len()));
        for length in 0..whole.len() {
            let (_, fields, problem) = dissect(&whole[..length], Context::default());
            assert_eq!(tile(&fields, 0), length);
            assert!(problem.is_some());
        }
        for at in 0..whole.len() {
            for change in [1, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] ^= change;
                for tls13 in [false, true] {
                    let (_, fields, _) = dissect(&broken, Context { tls13, ecdhe: true });
                    assert_eq!(tile(&fields, 0), broken.len(), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_unknown_has_its_number_and_length() {
        let hello = [
            &[1, 0, 0, 51, 3, 3][..],
            &[7; 32],
            &[0, 0, 2, 0x13, 0x99, 1, 0, 0, 8],
            // An extension that nobody knows, with four bytes.
            &[0xab, 0xcd, 0, 4, 1, 2, 3, 4],
        ]
        .concat();
        let (_, fields, problem) = dissect(&hello, Context::default());
        assert_eq!(problem, None);
        let message = serde_json::to_string(&fields).unwrap();
        assert!(message.contains(r#"{"code":43981,"name":"unknown"}"#), "{message}");
        assert!(message.contains(r#""name":"data","at":51,"length":4,"value":"01020304""#), "{message}");
    }
}
