//! What a client shows of itself when a server asks (RFC 8446 4.3.2, RFC 5246 7.4.4).

use crate::case::Case;
use crate::certificate::printable;
use crate::identity::Identity;
use crate::problem::some_of;
use glasstack_journal::event::{Note, Tls};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;
use std::sync::Arc;
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

/// Shows the identity, whoever asks, as curl does; and tells it.
#[derive(Debug)]
pub(crate) struct Showing(pub(crate) Option<Identity>);

impl ResolvesClientCert for Showing {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let asked = asked_for(issuers);
        if let Some(case) = Case::current() {
            match &self.0 {
                None => case.scope().record(|| {
                    Note::warning(format!("{asked}, and there is none to show (give one with --cert FILE)"))
                }),
                Some(identity) if identity.key().key.choose_scheme(schemes).is_none() => {
                    case.scope().record(|| {
                        Note::warning(format!(
                            "{asked}, but takes no signature that the key of {} can make: none is shown",
                            identity.certificate().label()
                        ))
                    });
                }
                Some(identity) => case.scope().record(|| Tls::ClientIdentityShown {
                    subject: identity.certificate().label(),
                    why: asked,
                }),
            }
        }
        self.0.as_ref().map(|identity| identity.key().clone())
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// What the server asks for, in words.
fn asked_for(issuers: &[&[u8]]) -> String {
    const ASKS: &str = "the server asks for a client certificate";
    let named = |der: &&[u8]| X509Name::from_der(der).map(|(_, name)| printable(&name.to_string()));
    let names: Vec<String> = issuers.iter().filter_map(|der| named(der).ok()).collect();
    if names.is_empty() { ASKS.to_owned() } else { format!("{ASKS} issued by {}", some_of(&names)) }
}
