//! TLS over any stream: both ends of it, and every step told.
//!
//! ```text
//!    TlsClient::connect                        TlsServer::accept
//!          |                                          |
//!    HandshakeStarted   -- ClientHello -->      HandshakeStarted, IdentityChosen
//!                       <-- certificate --
//!    CertificateReceived, CertificateJudged (chain, validity, name, usage ...): webpki, and `verify`
//!                       -- Finished -->
//!    CertificateJudged (crl, ocsp, staple): `revocation`, fetched where it is missing
//!          |            -- alert -->                  |        if that refuses: `late_alert`
//!    Established                                Established
//!          |                                          |
//!      TlsStream  <=========== bytes ===========>  TlsStream
//!          |                                          |
//!    CloseNotifySent    -- close_notify -->     CloseNotifyReceived
//!
//!    Message, Alert, KeysDerived, RecordsCounted: `observe`, of all that passes, while somebody watches
//! ```
//!
//! Read in this order:
//! - the two ends: [`client_config`], [`client`] and [`server`], `handshake` (what they have in common),
//!   [`stream`] (what they give), `gather` (the stream below), `late_alert` (a refusal after the handshake);
//! - who is believed: [`trust`], [`pin`], [`certificate`] (what is read from one), [`verify`] (the judge),
//!   `judging`, `server_judge` and [`client_judge`] (the same while shaking hands), [`revocation`],
//!   [`problem`] (why one is refused);
//! - what is shown: [`identity`], [`server_identity`], [`identity_files`], `pkcs12` and `private_key`,
//!   [`external_key`], `client_auth`;
//! - what is agreed on: [`version`], [`offer`], [`ciphers`], [`mod@provider`] (whose cryptography, whose
//!   randomness), `incompatible` (why nothing could be), [`sessions`] (taken up again, and 0-RTT), [`ech`];
//! - what is told: [`observe`] (read along on the wire, message by message), [`key_log`], [`describe`]
//!   (certificates, lists, keys as facts), [`error`] (what goes wrong, and what helps).
//!
//! The protocol is rustls': TLS 1.3 (RFC 8446) and TLS 1.2 (RFC 5246) with ECDHE only. RSA key
//! transport, which older descriptions of TLS show, is not offered: it has no forward secrecy (who
//! records the traffic and gets the server's key later reads it all), and TLS 1.3 removed it.
//!
//! What is absent: no clock and no randomness but those passed in, no file, no name or address
//! looked up, no HTTP. What [`revocation`] needs fetched (lists, OCSP answers), another fetches for it:
//! a [`revocation::RevocationSource`].

mod alerts;
mod case;
pub mod certificate;
pub mod ciphers;
pub mod client;
mod client_auth;
pub mod client_config;
pub mod client_judge;
mod der;
pub mod describe;
mod digest;
pub mod ech;
pub mod error;
pub mod external_key;
mod gather;
mod handshake;
mod handshake_signature;
mod hex;
pub mod identity;
pub mod identity_files;
mod incompatible;
mod judging;
pub mod key_log;
mod late_alert;
pub mod observe;
pub mod offer;
pub mod pin;
mod pkcs12;
mod private_key;
pub mod problem;
pub mod provider;
pub mod revocation;
pub mod server;
pub mod server_identity;
mod server_judge;
pub mod sessions;
pub mod stream;
pub mod trust;
pub mod verify;
pub mod version;

pub use certificate::CertificateInfo;
pub use ciphers::{CipherError, CipherList};
pub use client::TlsClient;
pub use client_config::TlsClientConfig;
pub use client_judge::{ClientAuth, ClientTrust};
pub use ech::{Ech, EchError};
pub use error::{ConfigError, TlsError, TlsErrorKind, is_truncation};
pub use external_key::ExternalKey;
pub use identity::{FreshOcsp, Identity};
pub use identity_files::{FileFormat, IdentityError, IdentityFiles};
pub use key_log::KeyLogSink;
pub use offer::{GroupError, GroupList};
pub use pin::{PinError, PinnedKeys};
pub use problem::CertificateProblem;
pub use provider::provider;
pub use revocation::{
    Demand, RevocationConfig, RevocationError, RevocationLists, RevocationPolicy, RevocationProblem,
};
pub use server::{TlsServer, TlsServerConfig, UnknownName};
pub use server_identity::{LazyIdentity, MakeIdentity, ServerIdentity};
pub use sessions::{EarlyData, ServerSessions};
pub use stream::{PeerCertificates, SessionInfo, TlsStream};
pub use trust::{TrustError, TrustStore};
pub use verify::{Anchor, Check, Decision, Judgement, Link, PathTried, Purpose, Verifier};
pub use version::{TlsVersion, VersionError};
