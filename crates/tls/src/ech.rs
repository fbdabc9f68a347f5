//! Encrypted ClientHello (RFC 9849), the client's half: the name asked for (SNI) hidden from everybody
//! on the way, with a key that the server has published.
//!
//! TLS 1.3 alone has it. There is no server for it here, since rustls has none. The key comes from the
//! user: HTTPS records of DNS, which publish it (RFC 9848), are not asked for yet.

use crate::error::ConfigError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::client::EchMode;
use std::str::FromStr;

/// What a client does about Encrypted ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ech {
    /// Nothing.
    #[default]
    Off,
    /// It sends the extension with nothing in it, so that servers and boxes on the way get used to it
    /// (RFC 9849 6.2). The name is sent in the open as ever.
    Grease,
    /// It encrypts its ClientHello by the first of these keys (ECHConfigList, RFC 9849 4) that it can
    /// use. A server that does not take it is refused: nothing is said to it in the open.
    Configs(Vec<u8>),
}

impl FromStr for Ech {
    type Err = EchError;

    /// As curl's `--ech` takes it: `false`, `grease`, or `ecl:` and the list in base64.
    fn from_str(text: &str) -> Result<Self, EchError> {
        match text {
            "false" => Ok(Self::Off),
            "grease" => Ok(Self::Grease),
            "true" | "hard" => Err(EchError::FromDns { text: text.to_owned() }),
            _ => match text.strip_prefix("ecl:") {
                Some(list) => STANDARD.decode(list).map(Self::Configs).map_err(EchError::Base64),
                None => Err(EchError::Unknown { text: text.to_owned() }),
            },
        }
    }
}

/// Encrypted ClientHello cannot be done as asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EchError {
    /// It would have to be looked up.
    #[error(
        "--ech {text} takes the key from DNS (HTTPS records), which is not done here: give it with --ech ecl:BASE64"
    )]
    FromDns {
        /// What was given.
        text: String,
    },
    /// No base64.
    #[error("what follows ecl: is not base64 ({0})")]
    Base64(base64::DecodeError),
    /// None of the words.
    #[error("{text:?} says nothing about ECH: false, grease, or ecl:BASE64 do")]
    Unknown {
        /// What was given.
        text: String,
    },
}

impl Ech {
    /// As rustls wants it; none: nothing is done.
    pub(crate) fn mode(&self) -> Result<Option<EchMode>, ConfigError> {
        match self {
            Self::Off => Ok(None),
            _ => self.with_hpke().map(Some),
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn with_hpke(&self) -> Result<EchMode, ConfigError> {
        use rustls::client::{EchConfig, EchGreaseConfig};
        use rustls::crypto::aws_lc_rs::hpke::{ALL_SUPPORTED_SUITES, DH_KEM_X25519_HKDF_SHA256_AES_128};
        use rustls::crypto::hpke::Hpke;
        if let Self::Configs(list) = self {
            let config = EchConfig::new(list.clone().into(), ALL_SUPPORTED_SUITES);
            return config.map(EchMode::from).map_err(ConfigError::Ech);
        }
        // RFC 9849 6.2: a key that nobody has, of the kind that is usual.
        let suite = DH_KEM_X25519_HKDF_SHA256_AES_128;
        let (placeholder, _) = suite.generate_key_pair().map_err(ConfigError::Rustls)?;
        Ok(EchGreaseConfig::new(suite, placeholder).into())
    }

    /// HPKE (RFC 9180) is aws-lc's, which cannot be built for WebAssembly.
    #[cfg(target_family = "wasm")]
    fn with_hpke(&self) -> Result<EchMode, ConfigError> {
        Err(ConfigError::Ech(rustls::Error::General("there is no HPKE in WebAssembly".to_owned())))
    }
}

/// The list (ECHConfigList) in base64 that a server gives which could not read ours (RFC 9849 5.1).
pub(crate) fn retry_list(error: &rustls::Error) -> Option<Option<String>> {
    use rustls::internal::msgs::codec::Codec;
    let rustls::Error::PeerIncompatible(rustls::PeerIncompatible::ServerRejectedEncryptedClientHello(
        configs,
    )) = error
    else {
        return None;
    };
    Some(configs.as_ref().map(|configs| STANDARD.encode(configs.get_encoding())))
}
