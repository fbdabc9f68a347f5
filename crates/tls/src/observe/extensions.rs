//! Extensions (RFC 8446 4.2, RFC 6066, RFC 7301 and others): what each says, by the message it is in.

use crate::certificate::printable;
use crate::observe::messages::{authorities, certificate_status};
use crate::observe::names;
use crate::observe::tree::{Malformed, Tree};
use glasstack_journal::event::Value;

/// The message that extensions are part of: the same number says different things in different
/// messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    ClientHello,
    ServerHello,
    Retry,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    Ticket,
}

/// All of a message's extensions.
pub(super) fn extensions(tree: &mut Tree<'_>, of: Of) -> Result<(), Malformed> {
    tree.list("extensions", 2, |tree| {
        let mut name = "extension";
        let outcome = tree.group(name, |tree| {
            let number = tree.code("extension_type", 2, names::extension)?;
            name = names::extension(number);
            tree.vector("extension_data", 2, |tree| data(tree, number, of))
        });
        tree.rename(name);
        outcome
    })
}

fn data(tree: &mut Tree<'_>, number: u64, of: Of) -> Result<(), Malformed> {
    if tree.is_empty() {
        return Ok(());
    }
    match number {
        0 => server_name(tree),
        1 => tree.code("max_fragment_length", 1, names::fragment_length).map(|_| ()),
        5 if of == Of::Certificate => certificate_status(tree),
        5 => status_request(tree),
        10 => tree.codes("named_group_list", 2, ("group", 2), names::group),
        11 => tree.codes("ec_point_format_list", 1, ("format", 1), names::point_format),
        13 | 50 => tree.codes("supported_signature_algorithms", 2, ("scheme", 2), names::scheme),
        16 => tree.list("protocol_name_list", 2, |tree| tree.vector("ProtocolName", 1, text)),
        18 => tree.list("sct_list", 2, |tree| tree.bytes("SerializedSCT", 2).map(|_| ())),
        27 => tree.codes("algorithms", 1, ("algorithm", 2), names::compression),
        28 => tree.number("record_size_limit", 2).map(|_| ()),
        41 if of == Of::ClientHello => pre_shared_keys(tree),
        41 => tree.number("selected_identity", 2).map(|_| ()),
        42 if of == Of::Ticket => tree.number("max_early_data_size", 4).map(|_| ()),
        43 if of == Of::ClientHello => tree.codes("versions", 1, ("version", 2), names::version),
        43 => tree.code("selected_version", 2, names::version).map(|_| ()),
        44 => tree.bytes("cookie", 2).map(|_| ()),
        45 => tree.codes("ke_modes", 1, ("mode", 1), names::psk_mode),
        47 => authorities(tree),
        51 => key_share(tree, of),
        0xfe0d => encrypted_client_hello(tree, of),
        0xff01 => tree.bytes("renegotiated_connection", 1).map(|_| ()),
        _ => tree.rest("data").map(|_| ()),
    }
}

/// RFC 6066 3.
fn server_name(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.list("server_name_list", 2, |tree| {
        tree.group("ServerName", |tree| {
            tree.code("name_type", 1, names::name_type)?;
            tree.vector("HostName", 2, text)
        })
    })
}

fn text(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    let words = |bytes: &[u8]| Some(Value::Text(printable(&String::from_utf8_lossy(bytes))));
    tree.told("text", tree.left(), words).map(|_| ())
}

/// RFC 6066 8.
fn status_request(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.code("status_type", 1, names::status_type)?;
    tree.list("responder_id_list", 2, |tree| tree.bytes("ResponderID", 2).map(|_| ()))?;
    tree.bytes("request_extensions", 2).map(|_| ())
}

/// RFC 8446 4.2.11.
fn pre_shared_keys(tree: &mut Tree<'_>) -> Result<(), Malformed> {
    tree.list("identities", 2, |tree| {
        tree.group("PskIdentity", |tree| {
            tree.bytes("identity", 2)?;
            tree.number("obfuscated_ticket_age", 4).map(|_| ())
        })
    })?;
    tree.list("binders", 2, |tree| tree.bytes("PskBinderEntry", 1).map(|_| ()))
}

/// RFC 8446 4.2.8.
fn key_share(tree: &mut Tree<'_>, of: Of) -> Result<(), Malformed> {
    let entry = |tree: &mut Tree<'_>| {
        tree.code("group", 2, names::group)?;
        tree.bytes("key_exchange", 2).map(|_| ())
    };
    match of {
        Of::ClientHello => tree.list("client_shares", 2, |tree| tree.group("KeyShareEntry", entry)),
        Of::Retry => tree.code("selected_group", 2, names::group).map(|_| ()),
        _ => tree.group("server_share", entry),
    }
}

/// RFC 9849 5.
fn encrypted_client_hello(tree: &mut Tree<'_>, of: Of) -> Result<(), Malformed> {
    const OUTER: u64 = 0;
    match of {
        Of::ClientHello => {
            if tree.code("type", 1, names::ech_type)? != OUTER {
                return tree.rest("data").map(|_| ());
            }
            tree.code("kdf_id", 2, names::hpke_kdf)?;
            tree.code("aead_id", 2, names::hpke_aead)?;
            tree.number("config_id", 1)?;
            tree.bytes("enc", 2)?;
            tree.bytes("payload", 2).map(|_| ())
        }
        Of::Retry => tree.rest("confirmation").map(|_| ()),
        _ => tree.bytes("retry_configs", 2).map(|_| ()),
    }
}
