//! What the options name: certificates, authorities, revocation lists, OCSP responses.

use crate::args::{CheckChoice, VerifyOptions};
use crate::clock;
use crate::cmd::cert::described;
use crate::files::{read_bounded, stdin};
use crate::net::system_trust;
use anyhow::{Context, anyhow, bail};
use glasstack::tls::describe::{Described, Kind};
use glasstack::tls::revocation::{Demand, RevocationConfig, RevocationPolicy};
use glasstack::tls::{RevocationLists, TrustStore};
use std::io::Read;
use std::path::Path;

/// The largest file, in bytes: lists of revoked certificates are long.
const LARGEST: u64 = 64 << 20;

/// All of it, read.
pub(super) struct Material {
    /// The certificate to be judged first, intermediates last.
    pub(super) chain: Vec<Vec<u8>>,
    /// How many of them are no intermediates that were named apart.
    pub(super) shown: usize,
    pub(super) trust: TrustStore,
    lists: Option<RevocationLists>,
    crl_check: Option<CheckChoice>,
    answers: Vec<Vec<u8>>,
    ocsp_check: Option<CheckChoice>,
}

impl Material {
    pub(super) fn read(options: &VerifyOptions, path: &Path) -> anyhow::Result<Self> {
        once_from_stdin(options)?;
        let mut chain = certificates(path)?;
        let shown_by_peer = chain.len();
        for path in &options.intermediates {
            chain.extend(certificates(path)?);
        }
        let mut lists: Option<RevocationLists> = None;
        for path in &options.crl {
            for found in of_kind(path, Kind::RevocationList, "revocation list")? {
                let list = RevocationLists::from_file(&found).with_context(|| shown(path))?;
                lists = Some(lists.map_or(list.clone(), |others| others.and(&list)));
            }
        }
        let mut answers = Vec::new();
        for path in &options.ocsp {
            answers.extend(of_kind(path, Kind::OcspResponse, "OCSP response")?);
        }
        Ok(Self {
            chain,
            shown: shown_by_peer,
            trust: trust(options)?,
            lists,
            crl_check: options.crl_check,
            answers,
            ocsp_check: options.ocsp_check,
        })
    }

    /// What must hold.
    pub(super) fn required(&self) -> RevocationConfig {
        self.revocation(|check| check != Some(CheckChoice::Try))
    }

    /// That, and what is only tried, if anything is.
    pub(super) fn required_and_tried(&self) -> Option<RevocationConfig> {
        let is_tried = |check| check == Some(CheckChoice::Try);
        let is_any = is_tried(self.crl_check) || is_tried(self.ocsp_check);
        is_any.then(|| self.revocation(|_| true))
    }

    /// What is given is required, unless it is `off`.
    fn revocation(&self, counts: impl Fn(Option<CheckChoice>) -> bool) -> RevocationConfig {
        let counts = |check| check != Some(CheckChoice::Off) && counts(check);
        let demand =
            |check: Option<CheckChoice>| check.filter(|_| counts(check)).map_or(Demand::Off, Demand::from);
        RevocationConfig {
            policy: RevocationPolicy {
                crl: demand(self.crl_check),
                ocsp: demand(self.ocsp_check),
                ..RevocationPolicy::default()
            },
            lists: self.lists.clone().filter(|_| counts(self.crl_check)),
            answers: if counts(self.ocsp_check) { self.answers.clone() } else { Vec::new() },
            ..RevocationConfig::default()
        }
    }
}

/// The authorities that the options name, or the system's.
fn trust(options: &VerifyOptions) -> anyhow::Result<TrustStore> {
    if options.cacert.is_empty() {
        return Ok(system_trust());
    }
    let mut trust = TrustStore::empty();
    for path in &options.cacert {
        let found = certificates(path)?;
        let own = TrustStore::from_der(found).with_context(|| format!("--cacert {}", shown(path)))?;
        trust.add(&own.from_origin(&format!("--cacert {}", shown(path))));
    }
    Ok(trust)
}

/// What is read once is gone.
fn once_from_stdin(options: &VerifyOptions) -> anyhow::Result<()> {
    let named = [&options.cacert, &options.intermediates, &options.crl, &options.ocsp].into_iter().flatten();
    let named = named.chain(&options.chain).filter(|path| is_stdin(path));
    if named.count() > 1 {
        bail!("`-` is named more than once: stdin can be read only once");
    }
    Ok(())
}

/// The certificates in a file, at least one.
fn certificates(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    of_kind(path, Kind::Certificate, "certificate")
}

/// What is of this kind in a file, at least one.
fn of_kind(path: &Path, kind: Kind, what: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let bytes = read(path)?;
    let described = described(&bytes, clock::now(), None).with_context(|| shown(path))?;
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for (index, Described { kind: own, der, facts }) in described.into_iter().enumerate() {
        match facts {
            // What cannot be read beyond its framing is for the judge to refuse.
            Err(why) if own == kind && der.is_empty() => {
                bail!("{}: section {} is no {what}: {why}", shown(path), index + 1)
            }
            _ if own == kind => found.push(der),
            _ => others.push(own),
        }
    }
    if found.is_empty() {
        others.dedup();
        let held = others.iter().map(|other| held(*other)).collect::<Vec<_>>().join(", ");
        bail!("{}: there is no {what} in it, but {held}", shown(path));
    }
    Ok(found)
}

/// What was given instead, and what makes certificates of it.
fn held(kind: Kind) -> String {
    match kind {
        Kind::Pkcs12 => {
            "PKCS#12 (openssl pkcs12 -nokeys -in FILE -out CHAIN.pem writes its certificates)".to_owned()
        }
        // PKCS#7 is the one that is met in practice.
        Kind::Unknown => {
            "PEM of another kind (of PKCS#7, openssl pkcs7 -print_certs -in FILE -out CHAIN.pem writes the \
                          certificates)"
                .to_owned()
        }
        other @ (Kind::OcspRequest | Kind::OcspResponse) => format!("an {other}"),
        other => format!("a {other}"),
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    if !is_stdin(path) {
        return read_bounded(path, LARGEST);
    }
    let mut bytes = Vec::new();
    stdin().and_then(|input| input.take(LARGEST + 1).read_to_end(&mut bytes)).context("cannot read stdin")?;
    if bytes.len() as u64 > LARGEST { Err(anyhow!("stdin has more than {LARGEST} bytes")) } else { Ok(bytes) }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}
