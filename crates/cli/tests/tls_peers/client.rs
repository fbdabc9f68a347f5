//! curl, `openssl s_client` and `gnutls-cli`, each with one request for our server.

use crate::our_server::request;
use crate::party::{NAME, Party};
use crate::support::{OURS, Ran};
use std::process::Command;

pub(crate) const CLIENTS: &[&str] = &["curl", "openssl", "gnutls-cli"];

/// A client with these words. What it sends is a request, and its input stays open after that.
fn client(party: &Party<'_>, program: &str, words: &[&str]) -> Ran {
    let (request, input) = (party.network.write("request", request()), party.network.path("input"));
    let line = format!(
        "[ -p {input} ] || mkfifo {input}; exec 3<>{input}; cat {request} >&3
        exec timeout -k 5 20 \"$0\" \"$@\" <&3"
    );
    Ran::of(Command::new("sh").args(["-c", &line, program]).args(words))
}

pub(crate) fn curl(party: &Party<'_>, words: &[&str]) -> Ran {
    let resolve = format!("{NAME}:443:{OURS}");
    let url = format!("https://{NAME}/");
    let fixed = ["-q", "-sS", "-m", "20", "--cacert", &party.ca, "--resolve", &resolve, &url];
    client(party, "curl", &[&fixed, words].concat())
}

pub(crate) fn s_client(party: &Party<'_>, words: &[&str]) -> Ran {
    let connect = format!("{OURS}:443");
    let fixed = ["s_client", "-connect", &connect, "-servername", NAME, "-CAfile", &party.ca, "-ign_eof"];
    client(party, "openssl", &[&fixed[..], &["-verify_return_error", "-state"], words].concat())
}

pub(crate) fn gnutls_cli(party: &Party<'_>, words: &[&str]) -> Ran {
    let address = OURS.to_string();
    let fixed = ["--x509cafile", &party.ca, "--sni-hostname", NAME, "--verify-hostname", NAME, "-p", "443"];
    client(party, "gnutls-cli", &[&fixed, words, &[&address]].concat())
}

pub(crate) const GNUTLS_12: &str = "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.2";
pub(crate) const GNUTLS_13: &str = "--priority=NORMAL:-VERS-ALL:+VERS-TLS1.3";
