//! What one side offers: versions, cipher suites, groups, application protocols.

use crate::error::ConfigError;
use crate::version::TlsVersion;
use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, NamedGroup, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};

/// A choice of key exchange groups, best first, as curl's `--curves` takes it. By default all that
/// are spoken here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupList(Option<Vec<NamedGroup>>);

impl GroupList {
    /// From names with `:` between them, OpenSSL's or IANA's: `X25519MLKEM768`, `X25519`, `P-256`,
    /// `prime256v1`, `secp384r1`, `SecP256r1MLKEM768`. curl exits with 59 when one is not known.
    pub fn parse(text: &str) -> Result<Self, GroupError> {
        let group = |name: &str| match name.to_ascii_lowercase().as_str() {
            "x25519mlkem768" => Ok(NamedGroup::X25519MLKEM768),
            "secp256r1mlkem768" => Ok(NamedGroup::secp256r1MLKEM768),
            "x25519" => Ok(NamedGroup::X25519),
            "p-256" | "prime256v1" | "secp256r1" => Ok(NamedGroup::secp256r1),
            "p-384" | "secp384r1" => Ok(NamedGroup::secp384r1),
            _ => Err(GroupError { name: name.to_owned() }),
        };
        let names = text.split([':', ',']).map(str::trim);
        names.map(group).collect::<Result<_, _>>().map(|groups| Self(Some(groups)))
    }

    /// Whether `group` is among them, and at which place.
    pub(crate) fn place(&self, group: NamedGroup) -> Option<usize> {
        match &self.0 {
            None => Some(0),
            Some(groups) => groups.iter().position(|one| *one == group),
        }
    }
}

/// A key exchange group is not spoken here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no key exchange group that is spoken here: X25519MLKEM768, SecP256r1MLKEM768, X25519, P-256 \
     (prime256v1) and P-384 (secp384r1) are"
)]
pub struct GroupError {
    /// What was given.
    pub name: String,
}

/// The names of what is offered, best first, as the journal tells them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offer {
    pub(crate) versions: Vec<String>,
    pub(crate) suites: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) alpn: Vec<String>,
}

impl Offer {
    pub(crate) fn new(
        provider: &CryptoProvider,
        (min, max): (TlsVersion, TlsVersion),
        alpn: &[String],
    ) -> Self {
        let offered = |version| min <= version && version <= max;
        let suites: Vec<_> =
            provider.cipher_suites.iter().filter(|suite| offered(version_of(suite))).collect();
        Self {
            versions: [TlsVersion::Tls13, TlsVersion::Tls12]
                .into_iter()
                .filter(|version| suites.iter().any(|suite| version_of(suite) == *version))
                .map(|version| version.to_string())
                .collect(),
            suites: suites.iter().map(|suite| suite_name(suite.suite())).collect(),
            groups: provider.kx_groups.iter().map(|group| group_name(group.name())).collect(),
            alpn: alpn.to_vec(),
        }
    }
}

/// The versions from `min` to `max` for which `provider` has suites, as rustls names them.
pub(crate) fn protocol_versions(
    (min, max): (TlsVersion, TlsVersion),
    provider: &CryptoProvider,
) -> Result<Vec<&'static SupportedProtocolVersion>, ConfigError> {
    if min > max {
        return Err(ConfigError::Versions { min, max });
    }
    let all = [(TlsVersion::Tls13, &TLS13), (TlsVersion::Tls12, &TLS12)];
    let offered = all.into_iter().filter(|(version, _)| {
        (min..=max).contains(version)
            && provider.cipher_suites.iter().any(|suite| version_of(suite) == *version)
    });
    Ok(offered.map(|(_, named)| named).collect())
}

/// The one version that has this suite.
pub(crate) fn version_of(suite: &SupportedCipherSuite) -> TlsVersion {
    if suite.tls13().is_some() { TlsVersion::Tls13 } else { TlsVersion::Tls12 }
}

/// Application protocols as rustls wants them. RFC 7301 3.1: one byte tells a name's length, and it
/// must not be empty.
pub(crate) fn protocol_names(alpn: &[String]) -> Result<Vec<Vec<u8>>, ConfigError> {
    let named = |name: &String| match name.len() {
        1..=255 => Ok(name.clone().into_bytes()),
        _ => Err(ConfigError::Alpn { length: name.len() }),
    };
    alpn.iter().map(named).collect()
}

/// A version as people write it.
pub(crate) fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => TlsVersion::Tls12.to_string(),
        ProtocolVersion::TLSv1_3 => TlsVersion::Tls13.to_string(),
        other => format!("version {:#06x}", u16::from(other)),
    }
}

/// A cipher suite as IANA's registry writes it (rustls sets `TLS13_` before those of TLS 1.3).
pub(crate) fn suite_name(suite: CipherSuite) -> String {
    match suite.as_str() {
        Some(name) => name.replacen("TLS13_", "TLS_", 1),
        None => format!("suite {:#06x}", u16::from(suite)),
    }
}

/// A key exchange group as IANA's registry writes it.
pub(crate) fn group_name(group: NamedGroup) -> String {
    match group {
        NamedGroup::X25519 => "x25519".to_owned(),
        other => match other.as_str() {
            Some(name) => name.to_owned(),
            None => format!("group {:#06x}", u16::from(other)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;

    #[test]
    fn every_suite_offered_has_forward_secrecy() {
        let offer = Offer::new(&default_provider(), (TlsVersion::Tls12, TlsVersion::Tls13), &[]);
        assert_eq!(offer.versions, ["TLS 1.3", "TLS 1.2"]);
        assert_eq!(offer.suites[0], "TLS_AES_256_GCM_SHA384");
        assert!(offer.suites.contains(&"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384".to_owned()));
        assert!(offer.suites.iter().all(|suite| !suite.starts_with("TLS_RSA_")), "{:?}", offer.suites);
    }

    #[test]
    fn a_narrowed_version_narrows_the_suites_too() {
        let offer = Offer::new(&default_provider(), (TlsVersion::Tls13, TlsVersion::Tls13), &[]);
        assert_eq!(offer.versions, ["TLS 1.3"]);
        assert_eq!(offer.suites.len(), 3);
        assert!(protocol_versions((TlsVersion::Tls13, TlsVersion::Tls12), &default_provider()).is_err());
    }

    #[test]
    fn an_application_protocol_needs_a_name_of_1_to_255_bytes() {
        assert!(protocol_names(&["h2".into(), "http/1.1".into()]).is_ok());
        assert!(protocol_names(&[String::new()]).is_err());
        assert!(protocol_names(&["x".repeat(256)]).is_err());
    }
}
