//! Signed certificate timestamps: a log's promise to publish a certificate (RFC 6962 3.2 and 3.3).

use super::facts::{Fact, Facts};
use super::{Read, unreadable};
use crate::certificate::rfc3339;
use crate::hex::with_colons;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The list as it is in the extension's OCTET STRING.
pub(crate) fn list(bytes: &[u8]) -> Read<Fact> {
    let mut input = Input(bytes);
    let mut inside = Input(input.vector()?);
    input.end()?;
    let mut list = Vec::new();
    while !inside.0.is_empty() {
        list.push(Fact::Facts(one(Input(inside.vector()?))?));
    }
    Ok(Fact::List(list))
}

fn one(mut input: Input<'_>) -> Read<Facts> {
    let version = input.number(1)?;
    if version != 0 {
        return Ok(Facts::default()
            .with("version", Fact::Number(version + 1))
            .with("bytes", Fact::bytes(input.0)));
    }
    let log = input.bytes(32)?;
    let milliseconds = input.number(8)?;
    let extensions = input.vector()?;
    let (hash, signature) = (input.number(1)?, input.number(1)?);
    let signed = input.vector()?;
    input.end()?;
    let seconds = i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX);
    let mut facts = Facts::default()
        .with("log", Fact::text(BASE64_STANDARD.encode(log)))
        .with("at", Fact::text(rfc3339(seconds)))
        .with("signature", Fact::text(algorithm(hash, signature)));
    if !extensions.is_empty() {
        facts.push("extensions", Fact::bytes(extensions));
    }
    facts.push_silent("signed", Fact::text(with_colons(signed)));
    Ok(facts)
}

/// RFC 5246 7.4.1.4.1.
fn algorithm(hash: u64, signature: u64) -> String {
    let signature = match signature {
        1 => "RSA".to_owned(),
        3 => "ECDSA".to_owned(),
        other => format!("signature {other}"),
    };
    let hash = match hash {
        2 => "SHA-1".to_owned(),
        4 => "SHA-256".to_owned(),
        5 => "SHA-384".to_owned(),
        6 => "SHA-512".to_owned(),
        other => format!("hash {other}"),
    };
    format!("{signature} with {hash}")
}

/// Bytes as TLS writes them (RFC 8446 3).
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => unreadable("a signed certificate timestamp", "it is cut short"),
        }
    }

    fn number(&mut self, bytes: usize) -> Read<u64> {
        Ok(self.bytes(bytes)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    /// With two bytes of length before it.
    fn vector(&mut self) -> Read<&'a [u8]> {
        let length = self.number(2)?;
        self.bytes(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn end(&self) -> Read<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            unreadable("a signed certificate timestamp", format!("{} bytes follow it", self.0.len()))
        }
    }
}
