//! What went over the wire in TLS, to the byte: handshake messages with their fields, alerts, keys,
//! and how many records each key protected.

use crate::event::Direction;
use crate::event::tls::Verdict;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// One of the two ends of a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The one that sends the first ClientHello.
    Client,
    /// The other one.
    Server,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// Where something stands among what one end of the connection sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The record that it begins in, counted from 0.
    pub record: u64,
    /// Over how many records it is spread.
    pub records: u64,
    /// Where that record's header begins, in bytes from the first that this end sent.
    pub at: u64,
    /// Where it begins in that record's content (decrypted), in bytes.
    pub offset: usize,
    /// Its length, in bytes.
    pub length: usize,
}

/// A handshake message (RFC 8446 4, RFC 5246 7.4), or a ChangeCipherSpec, which is a record of its
/// own kind.
#[derive(Clone, Debug, Serialize)]
pub struct HandshakeMessage {
    /// Who sent it.
    pub from: Party,
    /// Which way, seen from the node that tells it.
    pub direction: Direction,
    /// The RFC's name, as `ClientHello`.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// The secret that its protection was derived from, by its label in the key log; none while
    /// nothing is encrypted.
    pub under: Option<&'static str>,
    /// What it consists of. The fields without fields of their own cover it byte for byte.
    pub fields: Vec<Field>,
    /// What is to be said of it beyond its bytes: what was chosen and why, what agrees.
    pub remarks: Vec<Remark>,
    /// Of a Finished, whether its verify_data is what we calculate ourselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Verdict>,
    /// The message, decrypted; in JSON as hex.
    #[serde(serialize_with = "as_hex")]
    pub bytes: Arc<[u8]>,
}

/// A part of a message, named as in the RFC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The RFC's name, as `cipher_suite`; of an extension its name in IANA's registry.
    pub name: &'static str,
    /// Where it begins, in bytes from the beginning of the message.
    pub at: usize,
    /// Its length in bytes, that of a length in front of it included.
    pub length: usize,
    /// What it says; none if it consists of fields, or is too long to be repeated here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What it consists of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A number that a registry has a name for.
    Code {
        /// The number.
        code: u64,
        /// The name; `GREASE` for what RFC 8701 reserves, `unknown` for what is in no registry known
        /// here.
        name: &'static str,
    },
    /// Text, or what bytes say in words.
    Text(String),
    /// Bytes, in hex.
    Bytes(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Code { code, name } => write!(f, "{name} ({code:#06x})"),
            Self::Text(text) => f.write_str(text),
            Self::Bytes(hex) => f.write_str(hex),
        }
    }
}

/// Something said of a field beyond its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Which field.
    pub about: &'static str,
    /// What, in words.
    pub text: String,
}

impl HandshakeMessage {
    /// The fields that a path of names leads to, in order; between two names there may be others.
    /// `key_share/group` finds the group of every key share.
    pub fn all(&self, path: &str) -> Vec<&Field> {
        let names: Vec<&str> = path.split('/').collect();
        let mut found = Vec::new();
        collect(&self.fields, &names, &mut found);
        found
    }

    /// The numbers that a path leads to.
    pub fn numbers(&self, path: &str) -> Vec<u64> {
        self.all(path).into_iter().filter_map(Field::number).collect()
    }

    /// The first number that a path leads to.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.numbers(path).first().copied()
    }

    /// The names or texts that a path leads to.
    pub fn words(&self, path: &str) -> Vec<String> {
        let words = self.all(path).into_iter().filter_map(|field| match &field.value {
            Some(Value::Code { name, .. }) => Some((*name).to_owned()),
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        });
        words.collect()
    }

    /// The bytes of the first field that a path leads to.
    pub fn slice(&self, path: &str) -> Option<&[u8]> {
        let field = *self.all(path).first()?;
        self.bytes.get(field.at..field.at + field.length)
    }
}

fn collect<'a>(fields: &'a [Field], names: &[&str], found: &mut Vec<&'a Field>) {
    let Some((first, rest)) = names.split_first() else { return };
    for field in fields {
        match (field.name == *first, rest.is_empty()) {
            (true, true) => found.push(field),
            (true, false) => collect(&field.fields, rest, found),
            (false, _) => collect(&field.fields, names, found),
        }
    }
}

impl Field {
    /// The number that it says, if it says one.
    pub fn number(&self) -> Option<u64> {
        match &self.value {
            Some(Value::Number(number)) => Some(*number),
            Some(Value::Code { code, .. }) => Some(*code),
            _ => None,
        }
    }
}

/// An alert (RFC 8446 6, RFC 5246 7.2).
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    /// Who sent it.
    pub from: Party,
    /// Which way, seen from the node that tells it.
    pub direction: Direction,
    /// `warning` or `fatal`, as it says itself. TLS 1.3 takes every alert but close_notify and
    /// user_canceled for fatal, whatever it says.
    pub level: &'static str,
    /// Its number.
    pub code: u8,
    /// The RFC's name for it, as `handshake_failure`.
    pub name: &'static str,
    /// What it means, in words.
    pub meaning: &'static str,
    /// The secret that its protection was derived from; none if it was not encrypted.
    pub under: Option<&'static str>,
    /// Where it stands.
    pub place: Place,
}

/// The keys that one end protects its records with, and where they come from (RFC 8446 7.1 and 7.3,
/// RFC 5246 6.3). They open the traffic: treat them as you would treat a key log.
#[derive(Clone, Debug, Serialize)]
pub struct TrafficKeys {
    /// Whose records.
    pub writer: Party,
    /// The secret's label in the key log (RFC 9850).
    pub label: &'static str,
    /// How the secret is derived, in the RFC's terms. What stands further up (the key exchange's
    /// shared secret and all that is made of it) is not told by rustls, and so not known here.
    pub derivation: String,
    /// The secret, in hex.
    pub secret: String,
    /// The hash of the handshake that went into the secret, in hex, where one did.
    pub transcript_hash: Option<String>,
    /// The hash function of the key schedule, as `SHA-384`.
    pub hash: &'static str,
    /// The cipher, as `AES-256-GCM`.
    pub cipher: &'static str,
    /// The key, in hex.
    pub key: String,
    /// The IV, in hex; in TLS 1.2's GCM the part of it that stays the same.
    pub iv: String,
    /// What this end's Finished is calculated with, in hex, where this secret is used for it.
    pub finished_key: Option<String>,
}

/// A run of records of one end, all protected by the same keys or all by none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRange {
    /// Whose records.
    pub from: Party,
    /// The secret that their protection was derived from, by its label in the key log; none if they
    /// were not encrypted.
    pub under: Option<&'static str>,
    /// How many times that secret had been replaced by its successor (KeyUpdate).
    pub generation: u64,
    /// The first of them, counted from 0.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// What they took on the wire, headers included, in bytes.
    pub bytes: u64,
    /// How many of them carried application data ...
    pub data_records: u64,
    /// ... and how many bytes of it.
    pub data_bytes: u64,
}

fn as_hex<S: Serializer>(bytes: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    use fmt::Write;
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes.iter() {
        let _ = write!(hex, "{byte:02x}");
    }
    serializer.serialize_str(&hex)
}
