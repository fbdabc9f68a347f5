//! The zones' files: the texts in `zones/`, those that are to be signed by BIND's own programs.

use super::plan::{ZONES, ZoneOf};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// How a zone is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    None,
    /// A key-signing and a zone-signing key; the others have one key for both.
    EcdsaTwo,
    RsaNsec,
    RsaOptOut,
    EcdsaNsec,
    EcdsaNsec3,
    EcdsaOptOut,
    P384Nsec,
    Ed25519Nsec,
}

/// What goes wrong with the signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoilt {
    Nothing,
    /// Addresses and denials are changed after the signing.
    Data,
    Expired,
    NotYet,
    /// The parent has another DS record.
    NoDs,
}

/// The zones as their servers load them.
pub(crate) struct Signed {
    /// By name.
    pub(crate) texts: BTreeMap<&'static str, String>,
    /// The root's key, as a DNSKEY record.
    pub(crate) anchor: String,
}

/// All zones of the tree; made once for all tests of a program.
pub(crate) fn all() -> &'static Signed {
    static ALL: OnceLock<Signed> = OnceLock::new();
    ALL.get_or_init(|| {
        let folder = Command::new("mktemp").args(["-d", "--tmpdir", "glasstack-sign.XXXXXXXX"]).output();
        let folder = String::from_utf8(folder.unwrap().stdout).unwrap();
        let signed = sign_all(Path::new(folder.trim()));
        fs::remove_dir_all(folder.trim()).unwrap();
        signed
    })
}

fn sign_all(folder: &Path) -> Signed {
    let mut texts = BTreeMap::new();
    let mut anchor = String::new();
    // Children first: their parents' texts need their DS records.
    for zone in ZONES.iter().rev() {
        let mut text = zone.text.replace("SERVERS", zone.servers);
        text = text.replace("BIG", &big_text()).replace("MANY", &many_addresses());
        let children = ZONES.iter().filter(|child| parent_of(child) == Some(zone.name));
        for child in children.filter(|child| child.spoilt != Spoilt::NoDs) {
            text += &fs::read_to_string(folder.join(format!("dsset-{}.", child.name))).unwrap_or_default();
        }
        let text = match zone.keys.algorithm() {
            None => text,
            Some(algorithm) => {
                let key = make_keys(folder, zone, algorithm);
                if zone.name == "." {
                    anchor = fs::read_to_string(folder.join(format!("{key}.key"))).unwrap();
                }
                sign(folder, zone, &text)
            }
        };
        texts.insert(zone.name, spoil(zone.spoilt, text));
    }
    Signed { texts, anchor }
}

fn parent_of(zone: &ZoneOf) -> Option<&'static str> {
    let above = |parent: &&ZoneOf| parent.name == "." || zone.name.ends_with(&format!(".{}", parent.name));
    let parents = ZONES.iter().filter(|parent| parent.name != zone.name).filter(above);
    parents.map(|parent| parent.name).max_by_key(|name| name.trim_matches('.').len())
}

impl Keys {
    fn algorithm(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::RsaNsec | Self::RsaOptOut => "RSASHA256",
            Self::EcdsaTwo | Self::EcdsaNsec | Self::EcdsaNsec3 | Self::EcdsaOptOut => "ECDSAP256SHA256",
            Self::P384Nsec => "ECDSAP384SHA384",
            Self::Ed25519Nsec => "ED25519",
        })
    }

    /// Options of `dnssec-signzone`. NSEC3 has no salt and no further iterations (RFC 9276 3.1).
    fn denial(self) -> &'static [&'static str] {
        match self {
            Self::EcdsaNsec3 => &["-3", "-"],
            Self::RsaOptOut | Self::EcdsaOptOut => &["-3", "-", "-A"],
            _ => &[],
        }
    }
}

/// Where a zone's key-signing key lies, without the ending.
fn make_keys(folder: &Path, zone: &ZoneOf, algorithm: &str) -> String {
    let keygen = |more: &[&str]| {
        let mut command = Command::new("dnssec-keygen");
        command.args(["-q", "-a", algorithm]).args(more).arg(format!("{}.", zone.name.trim_matches('.')));
        run(command.current_dir(folder))
    };
    if zone.keys == Keys::EcdsaTwo {
        keygen(&[]);
    }
    keygen(if algorithm == "RSASHA256" { &["-b", "2048", "-f", "KSK"] } else { &["-f", "KSK"] })
}

/// The signed zone's text; its DS records are left in the folder.
fn sign(folder: &Path, zone: &ZoneOf, text: &str) -> String {
    let name = format!("{}.", zone.name.trim_matches('.'));
    fs::write(folder.join("unsigned"), text).unwrap();
    let mut command = Command::new("dnssec-signzone");
    // Smart signing: all keys of the zone in the folder. -P: some are meant to be wrong.
    command.args(["-q", "-S", "-P", "-n", "1", "-o", &name, "-f", "signed"]).args(zone.keys.denial());
    match zone.spoilt {
        Spoilt::Expired => command.args(["-s", "20200101000000", "-e", "20200201000000"]),
        Spoilt::NotYet => command.args(["-s", "20860101000000", "-e", "20870101000000"]),
        _ => &mut command,
    };
    if zone.keys != Keys::EcdsaTwo {
        command.arg("-z");
    }
    run(command.arg("unsigned").current_dir(folder));
    fs::read_to_string(folder.join("signed")).unwrap()
}

fn spoil(spoilt: Spoilt, text: String) -> String {
    match spoilt {
        // The addresses of www, and a type in the lists of types that exist at a name.
        Spoilt::Data => text.replace("203.0.113.80", "203.0.113.66").replace("A AAAA RRSIG", "A TXT RRSIG"),
        _ => text,
    }
}

/// More than two datagrams' worth, in strings of 200.
fn big_text() -> String {
    (0..30).map(|i| format!("\"{i:0200}\" ")).collect()
}

/// So many addresses that they do not fit into 1232 bytes.
fn many_addresses() -> String {
    let more: String = (2..=90).map(|i| format!("many A 203.0.113.{i}\n")).collect();
    format!("203.0.113.1\n{more}")
}

/// Its first line of output.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{err}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}
