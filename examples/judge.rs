//! Judges a server's certificates without a network, and prints the judgement as a proof: of a site
//! of the lab, with what its authorities have taken back, or from files, at a time in Unix seconds.
//!
//! `cargo run -p glasstack-examples --example judge -- www.example.test`
//! `cargo run -p glasstack-examples --example judge -- revoked.badssl.test`
//! `cargo run -p glasstack-examples --example judge -- example.com chain.pem roots.pem "$(date +%s)"`

use anyhow::{bail, ensure};
use glasstack::journal::WallTime;
use glasstack::lab::Lab;
use glasstack::tls::describe::{Kind, describe};
use glasstack::tls::provider::signature_algorithms;
use glasstack::tls::verify::{Judgement, Name, Purpose, Verifier};
use glasstack::tls::{RevocationLists, TrustStore};

/// A pure function: whoever is trusted, whatever the time is, it is said here.
fn judge(name: &str, chain: &[Vec<u8>], verifier: &Verifier, time: i64) -> anyhow::Result<Judgement> {
    let name = Name::parse(name)?;
    let chain: Vec<_> = chain.iter().map(|der| der.as_slice().into()).collect();
    Ok(verifier.judge(&chain[..], &[name], time))
}

fn trusting(trust: TrustStore) -> Verifier {
    Verifier::new(trust, Purpose::Server, signature_algorithms())
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let judgement = match args[..] {
        [] | [_] => {
            let name = args.first().copied().unwrap_or("www.example.test");
            let lab = Lab::new(1)?;
            let lists = RevocationLists::from_file(lab.pki.lists_pem()?.as_bytes())?;
            let verifier = trusting(lab.trust()?).with_revocation(lists.into());
            let now = i64::try_from(lab.client.scope().wall().unix_seconds())?;
            judge(name, lab.pki.issue(name)?.chain(), &verifier, now)?
        }
        [name, chain, roots, time] => {
            let found = describe(&std::fs::read(chain)?, WallTime::default(), None)?;
            let certificates = found.into_iter().filter(|one| one.kind == Kind::Certificate);
            let chain: Vec<Vec<u8>> = certificates.map(|one| one.der).collect();
            let trust = TrustStore::from_pem(&std::fs::read(roots)?)?.from_origin(roots);
            judge(name, &chain, &trusting(trust), time.parse()?)?
        }
        _ => bail!("a site of the lab; or a name, two files and a time"),
    };
    print!("{judgement}");
    ensure!(judgement.is_accepted(), "refused");
    Ok(())
}
