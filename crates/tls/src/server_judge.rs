//! How a client judges a server's certificate while shaking hands, each check told with its evidence.
//!
//! Where any certificate is taken, by the user's wish or because it is only looked at, the checks are
//! still made and told, as skipped.

use crate::certificate::CertificateInfo;
use crate::client_config::TlsClientConfig;
use crate::handshake_signature::{Proof, by_key};
use crate::judging::{
    self, SIGNATURE, SIGNATURE_RFC, judge, refuse, tell, tell_shown, tell_signature, unproved, watched,
};
use crate::pin::{PinnedKeys, hash_of, key_of};
use crate::problem::CertificateProblem;
use crate::revocation::after_handshake::AfterHandshake;
use crate::revocation::{Demand, RevocationConfig, Staple};
use crate::verify::{Check, Name, Purpose, Verifier};
use glasstack_journal::event::{Note, Verdict};
use glasstack_stack::Entropy;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Judges every server certificate of one client.
pub(crate) struct ServerJudge {
    verifier: Verifier,
    algorithms: WebPkiSupportedAlgorithms,
    pinned: Option<PinnedKeys>,
    lenient: Option<Lenient>,
}

/// Why any certificate is taken.
#[derive(Clone, Debug)]
struct Lenient {
    why: Why,
    /// What is demanded of revocation, and not asked.
    unasked: Vec<Check>,
    /// Whether what is stapled is judged behind the handshake, and not here.
    staple_later: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The user wants it so.
    Insecure,
    /// Nothing hangs on it.
    OnlyLook,
}

impl ServerJudge {
    pub(crate) fn new(config: &TlsClientConfig, provider: &CryptoProvider) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        let verifier = Verifier::new(config.trust.clone(), Purpose::Server, algorithms);
        let lenient = Lenient::of(config);
        let mut revocation = config.revocation.clone();
        if lenient.is_some() {
            (revocation.policy.crl, revocation.policy.ocsp) = (Demand::Off, Demand::Off);
        }
        Self {
            verifier: verifier.with_revocation(revocation),
            algorithms,
            pinned: config.pinned.clone(),
            lenient,
        }
    }

    fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<(), CertificateProblem> {
        let names = [Name::of(name)];
        match &self.lenient {
            Some(lenient) => {
                lenient.tell(&self.verifier, chain, &names, staple, now);
                Ok(())
            }
            None => judge(&self.verifier, chain, &names, now),
        }
    }

    /// RFC 7469 2.6, for keys that the user has pinned himself.
    fn pin(&self, own: &CertificateDer<'_>) -> Result<(), CertificateProblem> {
        const CHECK: &str = "pin";
        const RFC: &str = "RFC 7469 2.6";
        let Some(pinned) = &self.pinned else {
            return Ok(());
        };
        let key = key_of(own);
        let holds = pinned.has(key);
        let watched = watched();
        if holds && watched.is_none() {
            return Ok(());
        }
        let (label, hash) = (CertificateInfo::read(0, own).label(), hash_of(key));
        let check = if holds {
            Check::passed(CHECK, RFC, format!("the key of {label} is pinned: {hash}"))
        } else {
            let certificate = format!("the server's own certificate ({label})");
            Check::failed(CHECK, RFC, CertificateProblem::NotPinned { certificate, hash })
        };
        let problem = check.problem.clone();
        if let Some(case) = watched {
            tell(case.scope(), check);
        }
        problem.map_or(Ok(()), Err)
    }
}

impl ServerJudge {
    /// Where any certificate is taken, the key of one that webpki does not load proves as much, and one
    /// that is too weak to be used here is taken unproved: who could be in the way of such a client needs
    /// no forged signature. What holds by itself even then (a pin, a stapled answer) needs the proof.
    fn signature(
        &self,
        version: ProtocolVersion,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        result: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let (Some(lenient), Err(Error::InvalidCertificate(_))) = (&self.lenient, &result) else {
            return tell_signature(certificate, signed, result);
        };
        match by_key(version, message, certificate, signed, &self.algorithms) {
            Proof::Holds => tell_signature(certificate, signed, Ok(HandshakeSignatureValid::assertion())),
            Proof::Fails => tell_signature(certificate, signed, result),
            Proof::TooWeak(bits) => {
                let why =
                    format!("nobody here verifies signatures by RSA keys of {bits} bits, fewer than 2048");
                if self.pinned.is_some() || lenient.staple_later {
                    return unproved(certificate, signed, why);
                }
                if let Some(case) = watched() {
                    let told = format!("not checked ({}): {why}", lenient.why.told());
                    tell(case.scope(), Check::skipped(SIGNATURE, SIGNATURE_RFC, told));
                }
                Ok(HandshakeSignatureValid::assertion())
            }
        }
    }
}

impl ServerCertVerifier for ServerJudge {
    /// RFC 5280 6 (the path), RFC 9525 (the name). What is stapled is judged once the handshake is over.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(case) = crate::case::Case::current() {
            case.is_stapled(ocsp_response);
        }
        let chain = judging::chain(end_entity, intermediates);
        // What else is wrong with it comes first, as in curl.
        let judged = self.judge(&chain, server_name, ocsp_response, now);
        let pinned = self.pin(end_entity);
        judged.and(pinned).map(|()| ServerCertVerified::assertion()).map_err(refuse)
    }

    /// RFC 5246 7.4.3. Made even when the certificate itself is not judged.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = verify_tls12_signature(message, certificate, signed, &self.algorithms);
        self.signature(ProtocolVersion::TLSv1_2, message, certificate, signed, result)
    }

    /// RFC 8446 4.4.3. Made even when the certificate itself is not judged.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let result = verify_tls13_signature(message, certificate, signed, &self.algorithms);
        self.signature(ProtocolVersion::TLSv1_3, message, certificate, signed, result)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for ServerJudge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerJudge")
            .field("roots", &self.verifier.trust.len())
            .field("lenient", &self.lenient)
            .finish()
    }
}

/// What a client asks about its servers behind the handshake: nothing where any certificate is taken,
/// but for a stapled answer that is required. That holds by itself, as curl's `--cert-status` beside
/// `--insecure` does.
pub(crate) fn after_handshake(
    config: &TlsClientConfig,
    provider: &CryptoProvider,
    entropy: &Arc<dyn Entropy>,
) -> Option<AfterHandshake> {
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Verifier::new(config.trust.clone(), Purpose::Server, algorithms);
    let entropy = entropy.clone();
    match Lenient::of(config) {
        None => Some(AfterHandshake { config: config.revocation.clone(), verifier, entropy }),
        Some(lenient) if lenient.staple_later => {
            let mut only =
                RevocationConfig { cache: config.revocation.cache.clone(), ..RevocationConfig::default() };
            only.policy.staple = Demand::Require;
            Some(AfterHandshake { config: only, verifier: verifier.with_any_path(), entropy })
        }
        Some(_) => None,
    }
}

impl Lenient {
    fn of(config: &TlsClientConfig) -> Option<Self> {
        let why = match (config.insecure, config.only_look) {
            (true, _) => Why::Insecure,
            (false, true) => Why::OnlyLook,
            (false, false) => return None,
        };
        let policy = config.revocation.policy;
        let demands = [("crl", "RFC 5280 6.3", policy.crl), ("ocsp", "RFC 6960 3.2", policy.ocsp)];
        let demanded = demands.into_iter().filter(|(.., demand)| *demand != Demand::Off);
        let unasked = demanded.map(|(check, rfc, _)| {
            Check::skipped(check, rfc, format!("nobody is asked whether it was revoked ({})", why.told()))
        });
        Some(Self {
            why,
            unasked: unasked.collect(),
            staple_later: why == Why::Insecure && policy.staple == Demand::Require,
        })
    }

    /// Tells what would be refused, if somebody watches.
    fn tell(
        &self,
        verifier: &Verifier,
        chain: &[CertificateDer<'_>],
        names: &[Name],
        staple: &[u8],
        now: UnixTime,
    ) {
        let Some(case) = watched() else { return };
        let scope = case.scope();
        tell_shown(scope, chain);
        let staple = match staple {
            _ if self.staple_later => Staple::NotAsked,
            [] => Staple::Absent,
            der => Staple::Present(der.to_vec()),
        };
        let judgement = verifier.judge_stapled(chain, names, judging::seconds(now), &staple);
        scope.record(|| self.why.note(judgement.problem.as_ref(), !self.unasked.is_empty()));
        let checks = judgement.by_kind().into_iter().chain(self.unasked.iter().cloned());
        checks.for_each(|check| tell(scope, self.why.not_enforced(check)));
    }
}

impl Why {
    fn told(self) -> &'static str {
        match self {
            Self::Insecure => "--insecure",
            Self::OnlyLook => "it is only looked at",
        }
    }

    fn note(self, problem: Option<&CertificateProblem>, something_is_unasked: bool) -> Note {
        let would = match problem {
            Some(problem) => format!("it would be refused: {problem}"),
            None if something_is_unasked => {
                "it would pass, as far as is known without asking whether it was revoked".to_owned()
            }
            None => "it would pass".to_owned(),
        };
        match self {
            Self::Insecure => Note::warning(format!(
                "INSECURE: the server's certificate is not checked, as you asked (--insecure), so anyone on the way \
                 may read and change everything; checked, {would}"
            )),
            Self::OnlyLook => Note::info(format!(
                "the server's certificate is taken whatever it is, since it is only looked at, and nothing is sent; \
                 in earnest {would}"
            )),
        }
    }

    fn not_enforced(self, check: Check) -> Check {
        let evidence = match check.verdict {
            Verdict::Passed => format!("not enforced ({}); it would pass: {}", self.told(), check.evidence),
            Verdict::Failed => format!("not enforced ({}); it would FAIL: {}", self.told(), check.evidence),
            Verdict::Skipped => check.evidence,
        };
        Check { verdict: Verdict::Skipped, evidence, problem: None, ..check }
    }
}
