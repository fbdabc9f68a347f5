//! `openssl ocsp` as a responder.

use crate::party::{Party, hears};
use crate::support::Server;

/// Its port.
pub(crate) const RESPONDER: u16 = 8888;

/// The responder, who signs with what is in these files; the certificate is good (`V`) or was revoked
/// (`R`).
pub(crate) fn responder(party: &Party<'_>, certificate: &str, status: &str, signer: (&str, &str)) -> Server {
    let (port, index) = (RESPONDER.to_string(), party.index(certificate, status));
    let (ca, (signer, key)) = (&party.ca, signer);
    let words = ["ocsp", "-port", &port, "-index", &index, "-CA", ca, "-rsigner", signer, "-rkey", key];
    let server = Server::heard_until(
        party.network,
        "responder",
        "openssl",
        &[&words[..], &["-nmin", "60", "-text", "-ignore_err"]].concat(),
        || true,
    );
    hears(&server, "ACCEPT");
    server
}

/// The responder that is the authority itself.
pub(crate) fn authority_answers(party: &Party<'_>, certificate: &str, status: &str) -> Server {
    responder(party, certificate, status, (&party.ca, &party.ca_key()))
}
