//! `openssl` and curl as clients of the lab's authorities, through a bridge: its responder, its lists, the
//! answers that its servers staple.

use crate::party::has;
use crate::support::{PROGRAM, Ran, is_there, skip};
use std::process::Command;

/// What bash makes of `script` in a network that is nothing but the lab, after it has fetched the
/// certificate of `$1` as leaf.pem, and its issuer's as issuer.pem; none where a program is missing.
fn in_the_lab(test: &str, script: &str, site: &str) -> Option<Ran> {
    if let Some(missing) = ["openssl", "curl", "timeout"].iter().find(|program| !is_there(program)) {
        skip(test, &format!("needs {missing}"));
        return None;
    }
    let script = format!(
        "set -e; folder=$(mktemp -d); trap 'rm -rf $folder' EXIT; cd $folder
        openssl s_client -connect $1:443 -servername $1 -showcerts </dev/null >chain 2>errors
        awk '/BEGIN/ {{ n++ }} /BEGIN/,/END/ {{ print > (n == 1 ? \"leaf.pem\" : \"issuer.pem\") }}' chain
        {script}"
    );
    let mut command = Command::new("timeout");
    command.args(["120", PROGRAM, "lab", "bridge", "--", "bash", "-c", &script, "bash", site]);
    Some(Ran::of(command.env_remove("http_proxy").env_remove("https_proxy")))
}

#[test]
fn openssl_asks_the_labs_responder_and_believes_it() {
    let test = "openssl_asks_the_labs_responder_and_believes_it";
    let ask = "openssl ocsp -issuer issuer.pem -cert leaf.pem -CAfile $SSL_CERT_FILE \
        -url $(openssl x509 -in leaf.pem -noout -ocsp_uri) 2>&1";
    let sites = [
        ("www.example.test", "leaf.pem: good"),
        ("revoked-ocsp.badssl.test", "Reason: keyCompromise"),
        ("ocsp-unknown.badssl.test", "leaf.pem: unknown"),
    ];
    for (site, status) in sites {
        let Some(ran) = in_the_lab(test, ask, site) else { return };
        let said = ran.ok();
        has(&said, &["Response verify OK", status]);
        // RFC 9654: what the client sent once comes back.
        assert!(!said.contains("nonce"), "{said}");
    }
    let Some(ran) = in_the_lab(test, ask, "ocsp-try-later.badssl.test") else { return };
    has(&ran.out, &["Responder Error: trylater (3)"]);
}

#[test]
fn openssl_fetches_the_labs_lists_and_finds_who_is_on_them() {
    let test = "openssl_fetches_the_labs_lists_and_finds_who_is_on_them";
    let check = "url=$(openssl x509 -in leaf.pem -noout -ext crlDistributionPoints | sed -n 's/.*URI://p')
        curl -sS -o list.der $url; openssl crl -inform DER -in list.der -out list.pem
        openssl verify -CAfile $SSL_CERT_FILE -untrusted issuer.pem -CRLfile list.pem -crl_check leaf.pem 2>&1";
    let Some(ran) = in_the_lab(test, check, "www.example.test") else { return };
    has(&ran.ok(), &["leaf.pem: OK"]);
    let Some(ran) = in_the_lab(test, check, "revoked.badssl.test") else { return };
    has(&ran.out, &["certificate revoked"]);
    let Some(ran) = in_the_lab(test, check, "crl-stale.badssl.test") else { return };
    has(&ran.out, &["CRL has expired"]);
}

#[test]
fn openssl_is_shown_the_answers_that_the_labs_servers_staple() {
    let test = "openssl_is_shown_the_answers_that_the_labs_servers_staple";
    let ask =
        "openssl s_client -connect $1:443 -servername $1 -status -CAfile $SSL_CERT_FILE </dev/null 2>&1";
    let Some(ran) = in_the_lab(test, ask, "staple.badssl.test") else { return };
    has(
        &ran.ok(),
        &["OCSP Response Status: successful (0x0)", "Cert Status: good", "Verify return code: 0 (ok)"],
    );
    let Some(ran) = in_the_lab(test, ask, "must-staple-missing.badssl.test") else { return };
    has(&ran.ok(), &["OCSP response: no response sent"]);
}
