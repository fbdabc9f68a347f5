//! Our server, and headless Chromium, which believes our authority.

use crate::our_server::{OurServer, identity, read};
use crate::party::{NAME, Party, has};
use crate::support::pki::params;
use crate::support::{OURS, Ran, with_real_peers};
use glasstack::tls::{TlsServerConfig, TlsVersion};
use rcgen::date_time_ymd;
use std::process::Command;

const CHROMIUM: &[&str] = &["chromium", "certutil", "openssl"];

/// What the page is after Chromium has loaded it, or the page that it shows instead.
fn load(party: &Party<'_>) -> Ran {
    let (home, ca) = (party.network.path("home"), &party.ca);
    let script = format!(
        "set -e; export HOME={home}; mkdir -p $HOME/.pki/nssdb; db=sql:$HOME/.pki/nssdb
        [ -e $HOME/.pki/nssdb/cert9.db ] || certutil -d $db -N --empty-password
        certutil -d $db -A -t C,, -n party -i {ca}
        exec timeout -k 5 60 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
            --disable-background-networking --no-first-run --user-data-dir=$HOME/profile \
            --host-resolver-rules='MAP {NAME} {OURS}' --dump-dom https://{NAME}/"
    );
    Ran::of(Command::new("bash").args(["-c", &script]))
}

#[test]
fn chromium_loads_a_page_in_both_versions_and_both_agree_on_the_session() {
    with_real_peers(CHROMIUM, |network| {
        let party = Party::new(network);
        let server = OurServer::start(&party);
        // Chromium offers the hybrid of X25519 and ML-KEM, and it is the first here, too.
        has(&load(&party).ok(), &["TLS 1.3|TLS_AES_", "|X25519MLKEM768|http/1.1|", "|-"]);
        server.end();
        let config = TlsServerConfig::new([identity(&party)]);
        let server = OurServer::with(&party, TlsServerConfig { max_version: TlsVersion::Tls12, ..config });
        has(&load(&party).ok(), &["TLS 1.2|TLS_ECDHE_ECDSA_WITH_AES_", "|http/1.1|", "|-"]);
        server.end();
    });
}

#[test]
fn chromium_refuses_what_is_wrong_and_its_alert_is_told_here() {
    with_real_peers(CHROMIUM, |network| {
        let party = Party::new(network);
        let mut expired = params(NAME, 44);
        expired.not_after = date_time_ymd(2002, 1, 1);
        let expired = party.identity("expired", expired);
        let other = party.identity("other", params("other.demo.test", 45));
        let cases = [
            (expired, "ERR_CERT_DATE_INVALID"),
            (other, "ERR_CERT_COMMON_NAME_INVALID"),
            (party.stranger_at(NAME), "ERR_CERT_AUTHORITY_INVALID"),
        ];
        for (files, refusal) in cases {
            let server = OurServer::with(&party, TlsServerConfig::new([read(&files)]));
            has(&load(&party).err, &[refusal]);
            // Whatever the reason, this is what it sends.
            server.tells("the peer sent the alert certificate_unknown");
            server.end();
        }
    });
}
