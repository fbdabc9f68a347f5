//! TLS with those who wrote it otherwise: our client and OpenSSL's, GnuTLS' and nginx' servers; our
//! server and the clients curl, `openssl s_client`, `gnutls-cli` and Chromium. What both sides say of a
//! session is compared, and of its end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "real peers live in real time")]
#![allow(clippy::disallowed_types, reason = "the peers are made of the kernel's own sockets")]

#[path = "tls_peers/chromium.rs"]
mod chromium;
#[path = "tls_peers/client.rs"]
mod client;
#[path = "tls_peers/client_auth.rs"]
mod client_auth;
#[path = "tls_peers/clients.rs"]
mod clients;
#[path = "tls_peers/crl.rs"]
mod crl;
#[path = "tls_peers/extensions.rs"]
mod extensions;
#[path = "tls_peers/gnutls_server.rs"]
mod gnutls_server;
#[path = "tls_peers/lab.rs"]
mod lab;
#[path = "tls_peers/nginx.rs"]
mod nginx;
#[path = "tls_peers/ocsp.rs"]
mod ocsp;
#[path = "tls_peers/openssl_server.rs"]
mod openssl_server;
#[path = "tls_peers/our_server.rs"]
mod our_server;
#[path = "tls_peers/party.rs"]
mod party;
#[path = "tls_peers/responder.rs"]
mod responder;
#[path = "tls_peers/stapling.rs"]
mod stapling;
mod support;
#[path = "tls_peers/truncation.rs"]
mod truncation;
