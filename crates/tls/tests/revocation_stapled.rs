//! Revocation in handshakes: stapled OCSP answers (RFC 6066 8, RFC 8446 4.4.2.1) and given lists, judged behind
//! the handshake, and a refusal heard by the server as an alert.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use futures_util::AsyncReadExt;
use futures_util::future::join;
use glasstack_journal::Event;
use glasstack_journal::event::Verdict;
use glasstack_tls::revocation::{
    Demand, Known, RevocationCache, RevocationConfig, RevocationLists, RevocationPolicy, Staple,
};
use glasstack_tls::{
    CertificateProblem, EarlyData, Identity, TlsClientConfig, TlsError, TlsServerConfig, TlsVersion,
    TrustStore,
};
use rcgen::{CertificateParams, CustomExtension};
use revoked::{
    Answer, Authority, FEATURE, GOOD, List, entry, id, integer, judge, leaf_params, must_staple,
    revoked as taken_back, says, single_at, tlv,
};
use ring::digest::SHA256;
use world::{DAY, World, key, run, wire};

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

    /// Meets it again and again: whether each connection resumed a session, or why it was refused.
    fn meet_often(&self, server: TlsServerConfig, times: usize) -> Vec<Result<bool, &'static str>> {
        let (client, server) = (self.world.client(self.client.clone()), self.world.server(server));
        let meet = |_| {
            let shaken = self.world.shake(&client, &server, "www.lab.test");
            drop(shaken.server);
            match shaken.client {
                Ok(mut near) => {
                    // What the server sends behind the handshake (its tickets) has been read.
                    drop(run(near.read(&mut [0; 16])));
                    Ok(near.session().resumed)
                }
                Err(TlsError::Certificate { problem, .. }) => Err(problem.code()),
                Err(other) => panic!("{other:?}"),
            }
        };
        (0..times).map(meet).collect()
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
fn of_a_certificate_that_is_not_judged_what_would_be_refused_is_told() {
    for (look, why) in [(false, "--insecure"), (true, "it is only looked at")] {
        let mut lab = Lab::new(TlsVersion::Tls13, Demand::Try);
        (lab.client.insecure, lab.client.only_look) = (!look, look);
        lab.client.revocation.policy.crl = Demand::Require;
        let staple = says(&lab.ca, &taken_back(Some(1))).der();
        let server = lab.server(leaf_params(), Some(staple.clone()));
        let (client, server) = (lab.world.client(lab.client.clone()), lab.world.server(server));
        let (near, _far) = lab.world.shake(&client, &server, "www.lab.test").both();
        assert_eq!(near.session().staple, Staple::Present(staple));
        let (verdict, evidence) = lab.world.evidence("staple");
        assert_eq!(verdict, Verdict::Skipped);
        assert!(evidence.starts_with(&format!("not enforced ({why}); it would FAIL: ")), "{evidence}");
        assert_eq!(lab.world.evidence("crl").1, format!("nobody is asked whether it was revoked ({why})"));
        let told = format!("{:?}", lab.world.told(&lab.world.client));
        assert!(told.contains("it would be refused: ") && told.contains("INSECURE") != look, "{told}");
    }
    let mut lab = Lab::new(TlsVersion::Tls13, Demand::Try);
    lab.client.insecure = true;
    let mut params = leaf_params();
    params.custom_extensions.push(must_staple());
    assert!(lab.meet(lab.server(params, None)).0.is_ok());
    assert!(lab.world.evidence("staple").1.contains("it would FAIL"));
    // What nobody was asked about is not said to be in order.
    for (demand, told) in
        [(Demand::Off, "checked, it would pass"), (Demand::Require, "without asking whether")]
    {
        let mut lab = Lab::new(TlsVersion::Tls13, Demand::Off);
        lab.client.insecure = true;
        lab.client.revocation.policy.crl = demand;
        assert!(lab.meet(lab.server(leaf_params(), None)).0.is_ok());
        let said = lab.world.told(&lab.world.client).into_iter().any(
            |event| matches!(event, Event::Note(note) if note.text.contains("INSECURE") && note.text.contains(told)),
        );
        assert!(said, "{told}");
    }
}

#[test]
fn a_stapled_answer_that_is_required_is_required_of_a_certificate_that_is_not_judged() {
    for version in BOTH {
        let mut lab = Lab::new(version, Demand::Require);
        lab.client.insecure = true;
        assert_eq!(lab.refused(lab.server(leaf_params(), None)).0, "no_staple");
        let good = || Some(says(&lab.ca, GOOD).der());
        assert!(lab.meet(lab.server(leaf_params(), good())).0.is_ok());
        // Who is not trusted has nobody to vouch for the answer either.
        let mut believes_nobody = Lab::new(version, Demand::Require);
        believes_nobody.client.insecure = true;
        believes_nobody.client.trust = TrustStore::empty();
        assert!(believes_nobody.meet(believes_nobody.server(leaf_params(), good())).0.is_err());
    }
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

#[test]
fn a_session_that_needs_an_answer_is_taken_up_while_the_answer_is_good_and_never_refused_for_its_lack() {
    for version in BOTH {
        for (next, resumed) in [(Some(DAY), true), (None, true), (Some(0), false), (Some(-60), false)] {
            for capacity in [RevocationCache::CAPACITY, 0] {
                let mut lab = Lab::new(version, Demand::Require);
                lab.client.revocation.cache = RevocationCache::with_capacity(capacity);
                let single = single_at(&id(&lab.ca, 0x2a, &SHA256), GOOD, -3600, next, &[]);
                let staple = Answer::of(&lab.ca, &[single]).der();
                let met = lab.meet_often(lab.server(leaf_params(), Some(staple)), 3);
                assert_eq!(met, [Ok(false), Ok(resumed), Ok(resumed)], "{version} {next:?} {capacity}");
            }
        }
    }
}

#[test]
fn an_answer_that_nobody_judged_is_not_kept() {
    let lab = Lab::new(TlsVersion::Tls13, Demand::Off);
    let policy = RevocationPolicy { staple: Demand::Off, ocsp: Demand::Try, ..RevocationPolicy::default() };
    let mut client = lab.client.clone();
    client.revocation.policy = policy;
    let lab = Lab { client, ..lab };
    let forged = Answer { signer: 4, ..says(&lab.ca, GOOD) }.der();
    assert!(lab.meet(lab.server(leaf_params(), Some(forged))).0.is_ok());
    assert!(lab.client.revocation.cache.is_empty());
}

#[test]
fn nothing_is_sent_early_where_revocation_must_be_judged_first() {
    let list = RevocationLists::from_file(&List::of(&Authority::root()).der()).unwrap();
    let policy = RevocationPolicy::default();
    let demanding = |policy| RevocationConfig { policy, ..RevocationConfig::default() };
    let accepted = EarlyData::Accepted(5);
    for (revocation, must, outcome) in [
        (RevocationConfig::default(), false, accepted),
        (RevocationConfig::default(), true, accepted),
        (demanding(RevocationPolicy { staple: Demand::Require, ..policy }), false, EarlyData::Withheld),
        (demanding(RevocationPolicy { crl: Demand::Try, ..policy }), false, EarlyData::Withheld),
        (demanding(RevocationPolicy { ocsp: Demand::Try, ..policy }), false, EarlyData::Withheld),
        (RevocationConfig::from(list), false, EarlyData::Withheld),
    ] {
        let mut lab = Lab::new(TlsVersion::Tls13, Demand::Try);
        lab.client.revocation = revocation;
        let mut params = leaf_params();
        if must {
            params.custom_extensions.push(must_staple());
        }
        let mut server = lab.server(params, Some(says(&lab.ca, GOOD).der()));
        server.early_data = 1024;
        let (client, server) = (lab.world.client(lab.client.clone()), lab.world.server(server));
        let (mut near, far) = lab.world.shake(&client, &server, "www.lab.test").both();
        drop(far);
        drop(run(near.read(&mut [0; 16])));
        let (near, far, _) = wire(usize::MAX);
        let early = client.connect_early(&lab.world.client, near, "www.lab.test", b"early");
        let (near, far) = run(join(early, server.accept(&lab.world.server, far)));
        let (near, mut far) = (near.unwrap(), far.unwrap());
        assert!(near.session().resumed);
        assert_eq!(near.session().early_data, outcome);
        let mut heard = [0; 5];
        run(far.read_exact(&mut heard)).unwrap();
        assert_eq!(&heard, b"early");
    }
}

#[test]
fn what_may_say_must_staple_and_cannot_be_read_is_refused_and_what_says_something_else_is_told() {
    let strange = |oid: &[u64]| {
        let mut params = leaf_params();
        params.custom_extensions.push(CustomExtension::from_oid_content(oid, vec![0x30, 3, 2, 1, 0xff]));
        params
    };
    for version in BOTH {
        let lab = Lab::new(version, Demand::Try);
        assert_eq!(lab.refused(lab.server(strange(FEATURE), None)).0, "revocation_unreadable");
        let staple = Some(says(&lab.ca, GOOD).der());
        assert_eq!(lab.refused(lab.server(strange(FEATURE), staple)).0, "revocation_unreadable");
    }
    // Its distribution points, which the judge of the handshake refuses by himself.
    let mut params = strange(&[2, 5, 29, 31]);
    params.crl_distribution_points.clear();
    let ca = Authority::root();
    let path = [ca.link(ca.issue(params, 9))];
    let staple = |status: &[u8]| Known::default().stapled(Staple::Present(says(&ca, status).der()));
    let policy = RevocationPolicy::default();
    let told = judge(&path, policy, &staple(GOOD));
    let crl = told.checks.iter().find(|check| check.check == "crl").unwrap();
    assert!(told.problem.is_none() && crl.verdict == Verdict::Skipped);
    assert!(crl.evidence.contains("cannot be read") && crl.evidence.ends_with("nothing is required here"));
    // What it does say is judged.
    let revoked = judge(&path, policy, &staple(&taken_back(None)));
    assert_eq!(revoked.problem.unwrap().code(), "revoked_by_staple");
    let required = RevocationPolicy { ocsp: Demand::Require, ..policy };
    assert_eq!(judge(&path, required, &staple(GOOD)).problem.unwrap().code(), "revocation_unreadable");
}

#[test]
fn a_session_made_while_another_was_offered_in_vain_is_kept() {
    let lab = Lab::new(TlsVersion::Tls12, Demand::Try);
    let client = lab.world.client(lab.client.clone());
    let config = lab.server(leaf_params(), None);
    let [first, second] = [&config, &config].map(|config| lab.world.server(config.clone()));
    let resumed = |server| {
        let (near, _far) = lab.world.shake(&client, server, "www.lab.test").both();
        near.session().resumed
    };
    assert_eq!([&first, &first, &second, &second].map(resumed), [false, true, false, true]);
}
