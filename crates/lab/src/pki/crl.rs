//! Lists of revoked certificates (RFC 5280 5).

use super::authority::Ca;
use super::key::serial_number;
use super::leaf::{self, ClientKind, issuer};
use super::terms::Flaw;
use super::{Office, PkiError, show};
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::Duration;

/// An authority's list of certificates it has taken back (RFC 5280 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList {
    /// As an HTTP server serves it (RFC 2585 4.2: `application/pkix-crl`).
    pub der: Vec<u8>,
    /// As `--crlfile` takes it (RFC 7468 6).
    pub pem: String,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    /// Today's, good for a month.
    Current,
    /// One that ended a week ago.
    Stale,
    /// Today's, signed with another key.
    Forged,
}

impl Office {
    /// The list of `ca`. All its certificates must have been ordered.
    pub(super) fn list(&self, ca: Ca, edition: Edition) -> Result<RevocationList, PkiError> {
        let day = Duration::days(1);
        let (number, this_update, next_update) = match edition {
            Edition::Stale => (1_u64, self.now - day * 37, self.now - day * 7),
            // A day old: what was taken back since is not on it.
            _ => (2, self.now - day, self.now + day * 30),
        };
        let revoked = if edition == Edition::Stale { vec![] } else { self.taken_back(ca) };
        let entry = |(serial, reason): (Vec<u8>, RevocationReason)| RevokedCertParams {
            serial_number: serial_number(&serial),
            revocation_time: self.now - day * 2,
            reason_code: Some(reason),
            invalidity_date: None,
        };
        let authority = self.authority(ca)?;
        let list = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().map(entry).collect(),
            // The authority's own, whoever signs.
            key_identifier_method: KeyIdMethod::PreSpecified(
                authority.params.key_identifier(&*authority.key),
            ),
        };
        let list = match edition {
            Edition::Forged => {
                let stranger = self.authority(Ca::Stranger)?;
                list.signed_by(&authority.impostor(&stranger.key))?
            }
            _ => list.signed_by(&authority.issuer())?,
        };
        let der = list.der().to_vec();
        Ok(RevocationList { pem: show("X509 CRL", &der), der })
    }

    /// The serial numbers of what an authority has taken back, and why.
    fn taken_back(&self, ca: Ca) -> Vec<(Vec<u8>, RevocationReason)> {
        let mut all = Vec::new();
        if ca == Ca::Root && self.terms.revoke_intermediate {
            let serial = self.secrets.serial(&Ca::Issuing.owner());
            all.push((serial, RevocationReason::KeyCompromise));
        }
        for (site, order) in self.orders().iter() {
            let flaw = self.flaw(site, order);
            let reason = match flaw {
                _ if self.is_taken_back(site, order) => RevocationReason::KeyCompromise,
                Some(Flaw::Revoked) => RevocationReason::Superseded,
                _ => continue,
            };
            if issuer(order, flaw) == ca {
                all.push((self.secrets.serial(&leaf::owner(site)), reason));
            }
        }
        if ClientKind::Revoked.issuer() == ca {
            let serial = self.secrets.serial(&ClientKind::Revoked.owner());
            all.push((serial, RevocationReason::AffiliationChanged));
        }
        all
    }
}
