//! What `tls_server` serves with, from words such as `cert=FILE`.

use anyhow::{Context, bail};
use glasstack::tls::revocation::RevocationConfig;
use glasstack::tls::{
    ClientAuth, ClientTrust, Identity, RevocationLists, ServerSessions, TlsServerConfig, TlsVersion,
    TrustStore,
};

/// The configuration that `words` describe; words without `=` but `optional` are somebody else's.
pub fn server(words: &[String]) -> anyhow::Result<TlsServerConfig> {
    let value = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let file =
        |name: &str| value(name).map(|path| std::fs::read(path).with_context(|| path.to_owned())).transpose();
    let (Some(cert), Some(key)) = (file("cert")?, file("key")?) else {
        bail!("cert=FILE and key=FILE are needed, in PEM");
    };
    let mut identity = Identity::from_pem(&cert, &key)?;
    if let Some(staple) = file("staple")? {
        identity = identity.with_ocsp(staple);
    }
    let mut config = TlsServerConfig::new([identity]);
    config.alpn = vec!["http/1.1".to_owned()];
    if let Some(ca) = file("client-ca")? {
        let mut trust = ClientTrust::new(TrustStore::from_pem(&ca)?);
        if let Some(list) = file("crl")? {
            trust.revocation = RevocationConfig::from(RevocationLists::from_file(&list)?);
        }
        let optional = words.iter().any(|word| word == "optional");
        config.client_auth = if optional { ClientAuth::Optional(trust) } else { ClientAuth::Required(trust) };
    }
    config.sessions = match value("sessions") {
        None => config.sessions,
        Some("tickets") => ServerSessions::tickets(),
        Some("none") => ServerSessions::None,
        Some(other) => bail!("sessions={other}: tickets and none are what there is"),
    };
    (config.min_version, config.max_version) = match value("tls") {
        None => (TlsVersion::Tls12, TlsVersion::Tls13),
        Some("1.2") => (TlsVersion::Tls12, TlsVersion::Tls12),
        Some("1.3") => (TlsVersion::Tls13, TlsVersion::Tls13),
        Some(other) => bail!("tls={other}: 1.2 and 1.3 are what there is"),
    };
    Ok(config)
}
