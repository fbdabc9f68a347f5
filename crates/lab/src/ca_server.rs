//! The certification authority's web server: its certificates, and what was taken back.

use crate::pki::{Pki, PkiError};
use crate::web_server::{options, service};
use glasstack_http::{Answer, Received, server};
use glasstack_stack::{Host, ListenError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// RFC 2585 4.1.
const CERTIFICATE: &str = "application/pkix-cert";
/// RFC 2585 4.2.
const LIST: &str = "application/pkix-crl";
/// RFC 8555 9.1.
const PEM: &str = "application/pem-certificate-chain";

/// Opens port 80. Every certificate must have been issued by then: the lists are as of now.
pub(crate) fn start(host: &Host, pki: &Pki) -> Result<(), CaError> {
    let files = BTreeMap::from([
        ("/root.pem", (PEM, pki.root_pem().as_bytes().to_vec())),
        ("/root.crt", (CERTIFICATE, pki.root_der().to_vec())),
        ("/issuing.pem", (PEM, pki.intermediate_pem().as_bytes().to_vec())),
        ("/issuing.crt", (CERTIFICATE, pki.intermediate_der().to_vec())),
        ("/root.crl", (LIST, pki.root_list()?.der)),
        ("/issuing.crl", (LIST, pki.issuing_list()?.der)),
    ]);
    let answer = move |request: Received| match files.get(request.path()) {
        Some((media_type, bytes)) => Answer::ok(media_type, bytes.clone()),
        None => {
            let there = files.keys().copied().collect::<Vec<_>>().join("\n");
            Answer::not_found(format!("there is no {}; there are\n{there}", request.path()))
        }
    };
    let http = service(host, "http", 80)?;
    http.host.spawn(server::listen(http.host.clone(), http.listener, Arc::new(answer), options()));
    Ok(())
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Listen(#[from] ListenError),
}
