//! All of it as files, for programs that are no part of the lab: `openssl`, `curl`, `nginx`.

use super::authority::Ca;
use super::crl::Edition;
use super::leaf::{self, ClientKind};
use super::{Pki, PkiError, show};
use glasstack_journal::WallTime;

impl Pki {
    /// Everything, as names and bytes of files, in the order of their names:
    ///
    /// | file | what it is |
    /// |---|---|
    /// | `root.pem` | whom to trust |
    /// | `intermediates.pem` | all authorities but the roots, for chain building |
    /// | `lists.pem` | the lists of the root and of the issuing authority |
    /// | `authorities/NAME.pem`, `.key.pem`, `.crl` | an authority's certificate, its key, its list (DER) |
    /// | `authorities/stale.crl`, `forged.crl` | lists that are wrong |
    /// | `responder.pem`, `responder.key.pem` | who answers OCSP for the issuing authority |
    /// | `servers/SITE.pem`, `.key.pem` | a server's chain as it is shown, and its key |
    /// | `servers/SITE.ocsp` | what the responder answers about it (DER), if it answers |
    /// | `clients/NAME.pem`, `.key.pem` | a client's chain, and its key |
    ///
    /// Answers are as of `at`.
    pub fn export(&self, at: WallTime) -> Result<Vec<(String, Vec<u8>)>, PkiError> {
        let office = &self.0;
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut add = |name: String, bytes: &[u8]| files.push((name, bytes.to_vec()));
        let mut intermediates = String::new();
        for ca in Ca::ALL {
            let signed = office.authority(ca)?;
            let (label, pem) = (ca.label(), show("CERTIFICATE", &signed.der));
            if ca.parent().is_some() {
                intermediates.push_str(&pem);
            }
            add(format!("authorities/{label}.pem"), pem.as_bytes());
            add(format!("authorities/{label}.key.pem"), signed.key.pem()?.as_bytes());
            add(format!("authorities/{label}.crl"), &office.list(ca, Edition::Current)?.der);
        }
        add("authorities/stale.crl".to_owned(), &office.list(Ca::Issuing, Edition::Stale)?.der);
        add("authorities/forged.crl".to_owned(), &office.list(Ca::Issuing, Edition::Forged)?.der);
        add("root.pem".to_owned(), self.root_pem().as_bytes());
        add("intermediates.pem".to_owned(), intermediates.as_bytes());
        add("lists.pem".to_owned(), self.lists_pem()?.as_bytes());
        let responder = office.delegate()?;
        add("responder.pem".to_owned(), show("CERTIFICATE", &responder.der).as_bytes());
        add("responder.key.pem".to_owned(), responder.key.pem()?.as_bytes());
        for kind in ClientKind::ALL {
            let (name, client) = (kind.name(), self.client(kind)?);
            add(format!("clients/{name}.pem"), client.chain_pem().as_bytes());
            add(format!("clients/{name}.key.pem"), client.key_pem()?.as_bytes());
        }
        let orders = office.orders().clone();
        for (site, order) in orders {
            let (issued, flaw) = (self.issue(&site)?, office.flaw(&site, &order));
            add(format!("servers/{site}.pem"), issued.chain_pem().as_bytes());
            add(format!("servers/{site}.key.pem"), issued.key_pem()?.as_bytes());
            if flaw != Some(super::Flaw::SelfSigned) {
                let serial = office.secrets.serial(&leaf::owner(&site));
                let answer = office.answer_about(leaf::issuer(&order, flaw), serial, super::date(at)?)?;
                add(format!("servers/{site}.ocsp"), &answer);
            }
        }
        files.sort();
        Ok(files)
    }
}
