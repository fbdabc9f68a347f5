//! Files that somebody has damaged: certificates, keys, lists and PKCS#12, as text and as bytes. Each is
//! read, or refused in words, in bounded time.

use super::chance::Chance;
use super::corpus::stories;
use super::tree::Tree;
use super::world::{Ca, DAY, NOW, server_params};
use super::{assert_harmless, fuzz};
use glasstack_journal::WallTime;
use glasstack_tls::describe::describe;
use glasstack_tls::{FileFormat, Identity, IdentityFiles, PinnedKeys, RevocationLists, TrustStore};

#[derive(Debug, Default)]
struct Tally {
    identities: u64,
    stores: u64,
    lists: u64,
    pins: u64,
    /// Things of which it was told what is in them.
    described: usize,
}

/// A good file. Those that are encrypted cost time to open, and come seldom.
struct File {
    bytes: Vec<u8>,
    password: Option<&'static str>,
}

const WORDS: [&[u8]; 14] = [
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
    b"-----BEGIN X509 CRL-----\n",
    b"-----END ",
    b"-----",
    b"Proc-Type: 4,ENCRYPTED\n",
    b"DEK-Info: AES-128-CBC,00\n",
    b"=",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    &[2, 4, 0x7f, 0xff, 0xff, 0xff],
];

#[test]
fn identity_files() {
    let (open, closed) = corpus();
    let genuine = TrustStore::from_pem(&open[0].bytes).unwrap();
    assert!(!genuine.is_empty());
    fuzz("identity_files", 1_000, |chance, tally: &mut Tally| {
        let (file, encrypted) =
            if chance.once_in(25) { (chance.one_of(&closed), true) } else { (chance.one_of(&open), false) };
        let bytes = damaged(file, chance, &open);
        read_all(&bytes, file.password, encrypted, tally);
    });
}

fn read_all(bytes: &[u8], password: Option<&str>, encrypted: bool, tally: &mut Tally) {
    for format in [FileFormat::Pem, FileFormat::Der, FileFormat::Pkcs12] {
        let files = IdentityFiles {
            certificate_format: format,
            key_format: format,
            key: (format == FileFormat::Der).then_some(bytes),
            password,
            ..IdentityFiles::pem(bytes)
        };
        match Identity::from_files(&files) {
            Ok(_) => tally.identities += 1,
            Err(error) => assert_harmless(&error.to_string()),
        }
    }
    tally.stores += u64::from(TrustStore::from_pem(bytes).is_ok());
    tally.lists += u64::from(RevocationLists::from_file(bytes).is_ok());
    tally.pins += u64::from(PinnedKeys::from_file(bytes).is_ok());
    let password = password.filter(|_| encrypted);
    let described = describe(bytes, WallTime::from_unix_seconds(NOW), password).unwrap_or_default();
    for one in &described {
        assert_harmless(&one.to_string());
        serde_json::from_str::<serde_json::Value>(&serde_json::to_string(one).unwrap()).unwrap();
        if let Some(pem) = one.to_pem() {
            assert!(!pem.contains("PRIVATE"), "a key that must not be shown");
        }
    }
    tally.described += described.len();
}

/// Changed as text, as lines, or as what the text stands for.
fn damaged(file: &File, chance: &mut Chance, others: &[File]) -> Vec<u8> {
    let mut bytes = file.bytes.clone();
    if chance.once_in(4) {
        let other = &chance.one_of(others).bytes;
        let (here, there) = (chance.below(bytes.len()), chance.below(other.len()));
        bytes.truncate(here);
        bytes.extend(&other[there..]);
    }
    let text = String::from_utf8(bytes.clone()).ok().filter(|text| text.starts_with("-----"));
    match (chance.below(3), text) {
        (0, Some(text)) => {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let (from, to) = (chance.below(lines.len()), chance.below(lines.len()));
            let line = lines[from];
            if chance.once_in(2) {
                lines.insert(to, line);
            } else {
                lines.remove(from);
            }
            lines.concat().into_bytes()
        }
        (1, Some(text)) => inside(&text, chance).unwrap_or(bytes),
        _ => {
            chance.mutate(&mut bytes, &WORDS);
            bytes
        }
    }
}

/// The first section of a text, changed as DER.
fn inside(text: &str, chance: &mut Chance) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----\n")?;
    let (body, behind) = rest.split_once("-----END ")?;
    let der = engine.decode(body.replace('\n', "")).ok()?;
    let mut tree = Tree::try_read(&der)?;
    let donor = tree.clone();
    tree.mutate(chance, &donor);
    Some(format!("-----BEGIN {label}-----\n{}\n-----END {behind}", engine.encode(tree.write())).into_bytes())
}

fn corpus() -> (Vec<File>, Vec<File>) {
    let ca = Ca::root("Lab Root", 1);
    let open = |bytes: &[u8]| File { bytes: bytes.to_vec(), password: None };
    let closed = |bytes: &[u8]| File { bytes: bytes.to_vec(), password: Some("secret") };
    let mut files = vec![
        open(ca.pem.as_bytes()),
        open(
            concat!(include_str!("../data/rsa-certificate.pem"), include_str!("../data/rsa-key.pem"))
                .as_bytes(),
        ),
        open(include_bytes!("../world/p256.pem")),
        open(include_bytes!("../world/p256.traditional.pem")),
        open(include_bytes!("../world/rsa2048.pem")),
        open(ca.revocation_list(7 * DAY, Vec::new()).as_bytes()),
        open(&ca.issue(server_params(&["www.lab.test"]), &super::world::key(9))),
        open(include_bytes!("../data/no-key.p12")),
    ];
    files.extend(
        stories().into_iter().map(|story| File { bytes: story.chain[0].der.clone(), password: None }),
    );
    let encrypted = vec![
        closed(include_bytes!("../world/p256.aes.pem")),
        closed(include_bytes!("../world/p256.des3.pem")),
        closed(include_bytes!("../world/p256.pbes1.pem")),
        closed(include_bytes!("../world/p256.scrypt.pem")),
        closed(include_bytes!("../data/3des.p12")),
        closed(include_bytes!("../data/aes.p12")),
        closed(include_bytes!("../data/rc2.p12")),
        File { bytes: include_bytes!("../data/no-password.p12").to_vec(), password: None },
    ];
    (files, encrypted)
}
