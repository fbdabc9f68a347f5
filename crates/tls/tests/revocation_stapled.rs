//! Revocation in handshakes: stapled OCSP answers (RFC 6066 8, RFC 8446 4.4.2.1) and given lists, judged behind
//! the handshake, and a refusal heard by the server as an alert.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use futures_util::AsyncReadExt;
use glasstack_journal::event::Verdict;
use glasstack_tls::revocation::{Demand, RevocationConfig, RevocationLists, RevocationPolicy};
use glasstack_tls::{
    CertificateProblem, Identity, TlsClientConfig, TlsError, TlsServerConfig, TlsVersion, TrustStore,
};
use rcgen::CertificateParams;
use revoked::{
    Answer, Authority, GOOD, List, entry, integer, leaf_params, must_staple, revoked as taken_back, says, tlv,
};
use world::{World, key, run};

const BOTH: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

struct Lab {
    world: World,
    ca: Authority,
    client: TlsClientConfig,
}

impl Lab {
    fn new(version: TlsVersion, staple: Demand) -> Self {
        let ca = Authority::root();
        let mut client = TlsClientConfig::new(TrustStore::from_der([&ca.der]).unwrap());
        client.max_version = version;
        let policy = RevocationPolicy { staple, ..RevocationPolicy::default() };
        client.revocation = RevocationConfig { policy, ..RevocationConfig::default() };
        Self { world: World::new(1), ca, client }
    }

    fn server(&self, params: CertificateParams, staple: Option<Vec<u8>>) -> TlsServerConfig {
        let chain = vec![self.ca.issue(params, 9)];
        let identity = Identity::from_der(chain, key(9).serialize_der()).unwrap();
        TlsServerConfig::new(vec![match staple {
            Some(staple) => identity.with_ocsp(staple),
            None => identity,
        }])
    }

    /// How it comes out for the client, and what the server then reads.
    fn meet(&self, server: TlsServerConfig) -> (Result<(), CertificateProblem>, String) {
        let (client, server) = (self.world.client(self.client.clone()), self.world.server(server));
        let shaken = self.world.shake(&client, &server, "www.lab.test");
        let judged = match shaken.client {
            Ok(stream) => {
                drop(stream);
                Ok(())
            }
            Err(TlsError::Certificate { problem, .. }) => Err(problem),
            Err(other) => panic!("{other:?}"),
        };
        // The alert may come together with the last message of the handshake.
        let heard = match shaken.server {
            Ok(mut far) => {
                run(far.read(&mut [0; 16])).map_or_else(|error| error.to_string(), |_| String::new())
            }
            Err(error) => error.to_string(),
        };
        (judged, heard)
    }

    fn refused(&self, server: TlsServerConfig) -> (&'static str, String) {
        let (judged, heard) = self.meet(server);
        (judged.unwrap_err().code(), heard)
    }
}

#[test]
fn a_good_answer_is_told_as_a_check() {
    for version in BOTH {
        let lab = Lab::new(version, Demand::Require);
        let server = lab.server(leaf_params(), Some(says(&lab.ca, GOOD).der()));
        assert!(lab.meet(server).0.is_ok());
        let (verdict, evidence) = lab.world.evidence("staple");
        assert_eq!(verdict, Verdict::Passed);
        assert!(evidence.contains("(stapled), signed by the issuer itself, says \"good\""), "{evidence}");
    }
}

#[test]
fn a_stapled_revoked_is_refused_with_certificate_revoked() {
    for version in BOTH {
        let lab = Lab::new(version, Demand::Try);
        let server = lab.server(leaf_params(), Some(says(&lab.ca, &taken_back(Some(1))).der()));
        let (code, heard) = lab.refused(server);
        assert_eq!(code, "revoked_by_staple");
        assert!(heard.contains("certificate_revoked"), "{heard}");
    }
}

#[test]
fn a_stapled_answer_that_proves_nothing_is_refused_with_bad_certificate_status_response() {
    for version in BOTH {
        let lab = Lab::new(version, Demand::Try);
        let forged = Answer { signer: 4, ..says(&lab.ca, GOOD) }.der();
        for (staple, wanted) in [(forged, "ocsp_bad_signature"), (vec![1, 2, 3], "ocsp_malformed")] {
            let (code, heard) = lab.refused(lab.server(leaf_params(), Some(staple)));
            assert_eq!(code, wanted);
            assert!(heard.contains("bad_certificate_status_response"), "{heard}");
        }
        let off = Lab::new(version, Demand::Off);
        assert!(off.meet(off.server(leaf_params(), Some(vec![1, 2, 3]))).0.is_ok());
    }
}

#[test]
fn a_missing_answer_is_refused_where_it_is_demanded_by_the_user_or_by_the_certificate() {
    for version in BOTH {
        let lab = Lab::new(version, Demand::Require);
        let (code, heard) = lab.refused(lab.server(leaf_params(), None));
        assert_eq!(code, "no_staple");
        assert!(heard.contains("bad_certificate_status_response"), "{heard}");
        let lab = Lab::new(version, Demand::Off);
        assert!(lab.meet(lab.server(leaf_params(), None)).0.is_ok());
        let mut params = leaf_params();
        params.custom_extensions.push(must_staple());
        assert_eq!(lab.refused(lab.server(params.clone(), None)).0, "must_staple");
        let staple = Some(says(&lab.ca, GOOD).der());
        assert!(lab.meet(lab.server(params, staple)).0.is_ok());
    }
}

#[test]
fn nothing_is_demanded_of_a_certificate_that_is_not_judged() {
    let mut lab = Lab::new(TlsVersion::Tls13, Demand::Require);
    lab.client.insecure = true;
    assert!(lab.meet(lab.server(leaf_params(), None)).0.is_ok());
}

#[test]
fn a_given_list_is_judged_by_webpki_in_the_handshake_and_one_that_webpki_cannot_read_behind_it() {
    for version in BOTH {
        let mut lab = Lab::new(version, Demand::Try);
        let given = |list: List| RevocationConfig::from(RevocationLists::from_file(&list.der()).unwrap());
        let indirect = || List::of(&lab.ca).scoped(&[&tlv(0x84, &[&[0xff]])]);
        let delta = List::of(&lab.ca).with(&[0x55, 0x1d, 0x1b], true, &integer(6));
        let ways = [
            (List::of(&lab.ca), "good", ""),
            (List::of(&lab.ca).and(entry(0x2a, &[])), "revoked_by_crl", "certificate_revoked"),
            (indirect(), "good", ""),
            (indirect().and(entry(0x2a, &[])), "revoked_by_crl", "certificate_revoked"),
            (delta, "crl_delta", "unknown_ca"),
        ];
        for (list, code, alert) in ways {
            lab.client.revocation = given(list);
            let (judged, heard) = lab.meet(lab.server(leaf_params(), None));
            assert_eq!(judged.map_or_else(|problem| problem.code(), |()| "good"), code);
            assert!(heard.contains(alert), "{heard}");
        }
    }
}

#[test]
fn a_resumed_session_goes_by_the_answer_that_came_when_it_was_made() {
    for version in BOTH {
        let lab = Lab::new(version, Demand::Require);
        let server = lab.world.server(lab.server(leaf_params(), Some(says(&lab.ca, GOOD).der())));
        let client = lab.world.client(lab.client.clone());
        for resumed in [false, true] {
            let (mut near, far) = lab.world.shake(&client, &server, "www.lab.test").both();
            assert_eq!(near.session().resumed, resumed);
            // What the server sends behind the handshake (its tickets) has been read.
            drop(far);
            drop(run(near.read(&mut [0; 16])));
        }
        let (verdict, evidence) = lab.world.evidence("staple");
        assert_eq!(verdict, Verdict::Passed);
        assert!(evidence.contains("(cached)"), "{evidence}");
        // Another client, that has the session and not the answer, would be refused: see
        // revocation_ocsp.rs.
    }
}
