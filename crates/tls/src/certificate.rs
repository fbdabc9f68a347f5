//! What is read from a certificate (RFC 5280), for people: nothing is decided by it alone.

use crate::describe::names::curve as curve_of;
use glasstack_journal::CivilTime;
use glasstack_journal::event::Tls;
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// A certificate as it was shown. Texts from inside it have their control characters escaped: they
/// were written by a stranger and are printed on terminals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Its place in the chain, 0 being the peer's own.
    pub index: usize,
    /// The subject, as `CN=www.example.test`.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number, in hex.
    pub serial: String,
    /// From when it is good, in seconds since the Unix epoch.
    pub not_before: i64,
    /// Until when it is good, in seconds since the Unix epoch.
    pub not_after: i64,
    /// Its subject alternative names: DNS names and IP addresses.
    pub names: Vec<String>,
    /// The public key's algorithm and size.
    pub key: String,
    /// The signature's algorithm.
    pub signature: String,
    /// The certificate itself.
    pub der: Vec<u8>,
    /// The SubjectPublicKeyInfo.
    pub(crate) key_der: Vec<u8>,
    pub(crate) subject_der: Vec<u8>,
    pub(crate) issuer_der: Vec<u8>,
    unreadable: Option<String>,
}

impl CertificateInfo {
    /// Reads `der`; what cannot be read is said in place of the subject.
    pub(crate) fn read(index: usize, der: &[u8]) -> Self {
        let read = match X509Certificate::from_der(der) {
            Ok(([], certificate)) => describe(&certificate),
            Ok((rest, _)) => Err(format!("{} bytes follow the certificate", rest.len())),
            Err(_) => Err(no_certificate(der)),
        };
        let der = der.to_vec();
        read.map(|info| Self { index, der: der.clone(), ..info }).unwrap_or_else(|why| Self {
            index,
            der,
            subject: format!("(unreadable: {why})"),
            unreadable: Some(why),
            ..Self::default()
        })
    }

    /// From when it is good (RFC 3339).
    pub fn valid_from(&self) -> String {
        rfc3339(self.not_before)
    }

    /// Until when it is good (RFC 3339).
    pub fn valid_until(&self) -> String {
        rfc3339(self.not_after)
    }

    /// What to call it: its subject, or its first name when the subject is empty, as it may be.
    pub fn label(&self) -> String {
        match (self.subject.is_empty(), self.names.first()) {
            (false, _) => self.subject.clone(),
            (true, Some(name)) => format!("{name} (no subject)"),
            (true, None) => format!("serial {} (no subject)", self.serial),
        }
    }

    /// What is wrong with it, when it is no certificate at all.
    pub(crate) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// Whether it names itself as its issuer.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.unreadable.is_none() && self.subject_der == self.issuer_der
    }

    pub(crate) fn received(&self) -> Tls {
        let dates = |seconds| if self.unreadable.is_some() { String::new() } else { rfc3339(seconds) };
        Tls::CertificateReceived {
            index: self.index,
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            serial: self.serial.clone(),
            not_before: dates(self.not_before),
            not_after: dates(self.not_after),
            names: self.names.clone(),
            key: self.key.clone(),
            signature: self.signature.clone(),
        }
    }
}

/// Civil time of `seconds` since the Unix epoch, as RFC 3339 writes it.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let civil = CivilTime::of_unix_seconds(seconds);
    // RFC 3339 1: years have four digits.
    if civil.year.abs() > 9999 { format!("{seconds} s after 1970") } else { civil.to_string() }
}

/// `text` with control characters escaped.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

/// A distinguished name, given without its outer header, as roots keep it.
pub(crate) fn name_of(contents: &[u8]) -> String {
    let name = sequence(contents);
    match X509Name::from_der(&name) {
        Ok((_, name)) => printable(&name.to_string()),
        Err(_) => "(a name that cannot be read)".to_owned(),
    }
}

/// The DER `SEQUENCE` with these contents (X.690 8.1).
pub(crate) fn sequence(contents: &[u8]) -> Vec<u8> {
    let mut der = vec![0x30];
    match u8::try_from(contents.len()) {
        Ok(length) if length < 0x80 => der.push(length),
        _ => {
            let length = contents.len().to_be_bytes();
            let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
            // A usize has 8 bytes at most.
            der.push(0x80 | u8::try_from(length.len()).unwrap_or(8));
            der.extend(length);
        }
    }
    der.extend(contents);
    der
}

/// What is inside a DER element: its bytes without tag and length.
pub(crate) fn contents(der: &[u8]) -> &[u8] {
    let header = match der.get(1) {
        Some(length) if *length < 0x80 => 2,
        Some(length) => 2 + usize::from(length & 0x7f),
        None => 0,
    };
    der.get(header..).unwrap_or_default()
}

fn describe(certificate: &X509Certificate<'_>) -> Result<CertificateInfo, String> {
    let validity = certificate.validity();
    Ok(CertificateInfo {
        index: 0,
        subject: printable(&certificate.subject().to_string()),
        issuer: printable(&certificate.issuer().to_string()),
        serial: certificate.raw_serial_as_string(),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
        names: alternative_names(certificate),
        key: key_kind(certificate.public_key()),
        signature: signature_kind(&certificate.signature_algorithm.algorithm),
        der: Vec::new(),
        key_der: certificate.public_key().raw.to_vec(),
        subject_der: certificate.subject().as_raw().to_vec(),
        issuer_der: certificate.issuer().as_raw().to_vec(),
        unreadable: None,
    })
}

/// RFC 5280 4.2.1.6.
fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let shown = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(printable(name)),
        GeneralName::IPAddress(octets) => Some(match octets.len() {
            4 => <[u8; 4]>::try_from(*octets).map(IpAddr::from).ok()?.to_string(),
            16 => <[u8; 16]>::try_from(*octets).map(IpAddr::from).ok()?.to_string(),
            length => format!("(an address of {length} bytes)"),
        }),
        _ => None,
    };
    names.iter().filter_map(shown).collect()
}

/// What is wrong with bytes that are no certificate.
fn no_certificate(der: &[u8]) -> String {
    let fault = outer_fault(der);
    fault.unwrap_or_else(|| "its DER is not a certificate's (RFC 5280 4.1)".to_owned())
}

/// What is wrong with bytes that should be a SEQUENCE, as far as their outer header tells (X.690 8.1).
pub(crate) fn outer_fault(der: &[u8]) -> Option<String> {
    let expected = match der {
        [0x30, short @ 0..=0x7f, ..] => 2 + usize::from(*short),
        [0x30, long @ 0x81..=0x84, length @ ..] if length.len() >= usize::from(long & 0x7f) => {
            let count = usize::from(long & 0x7f);
            let length = length.iter().take(count).fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte));
            length.saturating_add(2 + count)
        }
        [0x30, ..] => return Some("it is cut short, or no DER".to_owned()),
        _ => return Some("it is no DER, or of something else: it does not begin with a SEQUENCE".to_owned()),
    };
    let there = der.len();
    (there < expected).then(|| format!("it is cut short: {there} of {expected} bytes are there"))
}

/// The kind of a public key, in words.
pub(crate) fn key_kind(key: &SubjectPublicKeyInfo<'_>) -> String {
    let oid = key.algorithm.algorithm.to_id_string();
    let parameters = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let curve = parameters.map(|curve| curve.to_id_string());
    match curve.as_deref().and_then(curve_of) {
        // Those of TLS are known by their size.
        None | Some(("P-256" | "P-384" | "P-521", _)) => {}
        Some((name, _)) => return format!("ECDSA on {name}"),
    }
    match (oid.as_str(), key.parsed()) {
        ("1.3.101.112", _) => "Ed25519".to_owned(),
        ("1.3.101.113", _) => "Ed448".to_owned(),
        ("1.2.840.10040.4.1", _) => "DSA".to_owned(),
        (_, Ok(PublicKey::RSA(rsa))) => format!("RSA {} bits", rsa.key_size()),
        (_, Ok(PublicKey::EC(point))) => format!("ECDSA {} bits", point.key_size()),
        _ => format!("algorithm {oid}"),
    }
}

/// RFC 8017, RFC 5758, RFC 8410.
fn signature_kind(oid: &Oid<'_>) -> String {
    let oid = oid.to_id_string();
    match oid.as_str() {
        "1.2.840.113549.1.1.5" => "RSA PKCS#1 with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA PKCS#1 with SHA-256",
        "1.2.840.113549.1.1.12" => "RSA PKCS#1 with SHA-384",
        "1.2.840.113549.1.1.13" => "RSA PKCS#1 with SHA-512",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.2.840.113549.1.1.4" => "RSA PKCS#1 with MD5",
        "1.2.840.113549.1.1.14" => "RSA PKCS#1 with SHA-224",
        "2.16.840.1.101.3.4.3.14" => "RSA PKCS#1 with SHA3-256",
        "2.16.840.1.101.3.4.3.15" => "RSA PKCS#1 with SHA3-384",
        "2.16.840.1.101.3.4.3.16" => "RSA PKCS#1 with SHA3-512",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "2.16.840.1.101.3.4.3.10" => "ECDSA with SHA3-256",
        "2.16.840.1.101.3.4.3.11" => "ECDSA with SHA3-384",
        "2.16.840.1.101.3.4.3.12" => "ECDSA with SHA3-512",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256",
        _ => return format!("algorithm {oid}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_certificate_are_described_as_such() {
        for bytes in [&b""[..], b"\x30", b"hello", &[0x30, 0x82, 0xff, 0xff], &[0xff; 64]] {
            let info = CertificateInfo::read(3, bytes);
            assert!(info.unreadable().is_some());
            assert_eq!(info.index, 3);
            assert!(info.label().starts_with("(unreadable"), "{}", info.label());
        }
    }

    #[test]
    fn what_is_cut_short_is_called_so() {
        let whole = rcgen::generate_simple_self_signed(vec!["www.test".to_owned()]).unwrap();
        let der = whole.cert.der();
        let half = CertificateInfo::read(0, &der[..100]);
        let expected = format!("(unreadable: it is cut short: 100 of {} bytes are there)", der.len());
        assert_eq!(half.subject, expected);
        let hello = CertificateInfo::read(0, b"hello");
        assert_eq!(
            hello.unreadable(),
            Some("it is no DER, or of something else: it does not begin with a SEQUENCE")
        );
    }

    #[test]
    fn a_curve_that_tls_does_not_use_is_named() {
        let ec = |curve: &[u8]| {
            let oids =
                [&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, curve.len() as u8][..], curve].concat();
            let bits = [&[3, 66, 0, 4][..], &[7; 64]].concat();
            let key_info = sequence(&[sequence(&oids), bits].concat());
            key_kind(&SubjectPublicKeyInfo::from_der(&key_info).unwrap().1)
        };
        assert_eq!(ec(&[0x2b, 0x81, 4, 0, 10]), "ECDSA on secp256k1");
        assert_eq!(ec(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]), "ECDSA 256 bits");
    }

    #[test]
    fn dates_are_written_as_rfc_3339() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_790_000_000), "2026-09-21T14:13:20Z");
        // RFC 5280 4.1.2.5: no end.
        assert_eq!(rfc3339(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        // RFC 5280 4.1.2.5: no end, which nanoseconds in 64 bits do not reach.
        assert_eq!(rfc3339(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(rfc3339(i64::MAX), format!("{} s after 1970", i64::MAX));
    }

    #[test]
    fn a_strangers_escape_sequence_does_not_reach_the_terminal() {
        assert_eq!(printable("CN=\u{1b}[31mroot"), "CN=\\u{1b}[31mroot");
    }
}
