//! OCSP answers (RFC 6960 3.2, RFC 6066 8, RFC 7633): every way in which one proves, refuses, or
//! says nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

mod revoked;
mod world;

use glasstack_tls::revocation::{Demand, Kind, Known, Missing, RevocationPolicy, Staple};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose};
use revoked::{
    Answer, Authority, GOOD, UNKNOWN, by_answer, by_key, by_name, by_staple, extension, id, judge,
    leaf_params, must_staple, name_and_key, refusal, revoked, says, single, single_at, verdict,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, SHA256};
use rustls::AlertDescription;
use world::{DAY, at, ca_params, server_params};

fn ca() -> Authority {
    Authority::root()
}

fn given(answer: &Answer) -> (&'static str, String) {
    verdict(&by_answer(&ca(), &answer.der()))
}

#[test]
fn an_answer_of_the_issuer_proves_the_certificate_good_and_says_how() {
    let (code, words) = given(&says(&ca(), GOOD));
    assert_eq!(
        (code, words.as_str()),
        (
            "good",
            "the OCSP answer by CN=Lab CA, of 2026-09-21T13:13:20Z, good until 2026-09-22T14:13:20Z (given), signed by \
             the issuer itself, says \"good\" of serial 0x2a"
        )
    );
}

#[test]
fn revoked_and_unknown_are_told_apart() {
    let (code, words) = given(&says(&ca(), &revoked(Some(1))));
    assert_eq!(code, "revoked_by_ocsp");
    assert!(words.contains("says since 2026-09-21T02:13:20Z, reason keyCompromise"), "{words}");
    let (code, words) = given(&says(&ca(), &revoked(None)));
    assert!(code == "revoked_by_ocsp" && words.contains("no reason given"), "{words}");
    assert_eq!(given(&says(&ca(), UNKNOWN)).0, "ocsp_unknown");
}

#[test]
fn the_responder_is_known_by_name_or_by_key_and_the_certificate_by_either_hash() {
    let ca = ca();
    let by_hash = |hash| Answer::of(&ca, &[single(&id(&ca, 0x2a, hash), GOOD)]);
    assert_eq!(given(&by_hash(&SHA256)).0, "good");
    assert_eq!(given(&Answer { responder: by_key(&ca.key), ..by_hash(&SHA1) }).0, "good");
}

#[test]
fn of_several_parts_the_one_about_the_certificate_counts_and_of_two_such_the_later() {
    let ca = ca();
    let about = |serial, status: &[u8]| single(&id(&ca, serial, &SHA1), status);
    let both = Answer::of(&ca, &[about(0x2b, &revoked(None)), about(0x2a, GOOD), about(1, UNKNOWN)]);
    assert_eq!(given(&both).0, "good");
    let earlier = single_at(&id(&ca, 0x2a, &SHA1), GOOD, -7200, Some(DAY), &[]);
    assert_eq!(given(&Answer::of(&ca, &[earlier, about(0x2a, &revoked(None))])).0, "revoked_by_ocsp");
}

#[test]
fn an_answer_about_other_certificates_says_nothing() {
    let ca = ca();
    let answer = Answer::of(&ca, &[single(&id(&ca, 0x2b, &SHA1), GOOD)]);
    let path = [ca.link(ca.issue(leaf_params(), 9))];
    assert_eq!(given(&answer).0, "no_ocsp");
    let stapled = Known::default().stapled(Staple::Present(answer.der()));
    assert_eq!(verdict(&judge(&path, RevocationPolicy::default(), &stapled)).0, "ocsp_wrong_certificate");
    let other = Authority::of(ca_params("Other CA"), 4);
    assert_eq!(given(&Answer::of(&ca, &[single(&id(&other, 0x2a, &SHA1), GOOD)])).0, "no_ocsp");
}

#[test]
fn an_answer_is_fresh_or_says_nothing() {
    let ca = ca();
    let at =
        |this, next| given(&Answer::of(&ca, &[single_at(&id(&ca, 0x2a, &SHA1), GOOD, this, next, &[])])).0;
    // Clocks may be five minutes off.
    assert_eq!(at(-3600, Some(-300)), "good");
    assert_eq!(at(-3600, Some(-301)), "ocsp_stale");
    assert_eq!(at(300, Some(DAY)), "good");
    assert_eq!(at(301, Some(DAY)), "ocsp_not_yet_valid");
    // Without a next update: a day.
    assert_eq!(at(-DAY, None), "good");
    assert_eq!(at(-DAY - 301, None), "ocsp_stale");
}

#[test]
fn every_status_that_is_no_answer_is_named() {
    for (status, name) in [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
    ] {
        let (code, words) = verdict(&by_answer(&ca(), &refusal(status)));
        assert_eq!(code, "ocsp_refused");
        assert!(words.contains(&format!("is the error {name}: ")), "{words}");
    }
    assert!(verdict(&by_answer(&ca(), &refusal(4))).1.contains("not assigned"));
}

#[test]
fn an_answer_signed_by_another_key_is_refused() {
    assert_eq!(given(&Answer { signer: 4, ..says(&ca(), GOOD) }).0, "ocsp_bad_signature");
}

/// A responder's own certificate, and an answer signed by it.
fn delegated(params: CertificateParams, issuer: &Authority) -> Answer {
    let certificate = issuer.issue(params, 5);
    let (name, _) = name_and_key(&certificate);
    Answer { responder: by_name(&name), signer: 5, certificates: vec![certificate], ..says(&ca(), GOOD) }
}

fn responder_params() -> CertificateParams {
    let mut params = server_params(&["OCSP responder"]);
    params.subject_alt_names.clear();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params
}

#[test]
fn a_responder_authorized_by_the_issuer_may_answer() {
    let (code, words) = given(&delegated(responder_params(), &ca()));
    assert_eq!(code, "good");
    assert!(
        words.contains(
            "signed by CN=OCSP responder, authorized by the issuer, whose own revocation is not checked"
        ),
        "{words}"
    );
    let mut unchecked = responder_params();
    let nocheck = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0]);
    unchecked.custom_extensions.push(nocheck);
    let (_, words) = given(&delegated(unchecked, &ca()));
    assert!(words.contains("which the issuer lets pass unchecked (nocheck)"), "{words}");
    let mut by_its_key = delegated(responder_params(), &ca());
    by_its_key.responder = by_key(&name_and_key(&by_its_key.certificates[0]).1);
    assert_eq!(given(&by_its_key).0, "good");
}

#[test]
fn a_responder_that_the_issuer_has_not_authorized_is_refused_and_told_why() {
    let mut expired = responder_params();
    expired.not_after = at(-1);
    let mut wrong = responder_params();
    wrong.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let other = Authority::of(ca_params("Other CA"), 4);
    let namesake = Authority::of(ca_params("Lab CA"), 4);
    for (params, issuer, why) in [
        (expired, &ca(), "is valid from 2026-09-20T14:13:20Z to 2026-09-21T14:13:19Z"),
        (wrong, &ca(), "the extended key usage of CN=OCSP responder lacks OCSPSigning"),
        (responder_params(), &other, "was not issued by the certificate's own issuer"),
        (responder_params(), &namesake, "was not issued by the certificate's own issuer"),
    ] {
        let (code, words) = given(&delegated(params, issuer));
        assert_eq!(code, "ocsp_responder_not_authorized", "{words}");
        assert!(words.contains(why), "{words}");
    }
    let unknown = Answer { certificates: vec![], ..delegated(responder_params(), &ca()) };
    let (code, words) = given(&unknown);
    assert_eq!(code, "ocsp_responder_not_authorized");
    assert!(words.contains("shows no certificate of its own"), "{words}");
    let forged = Answer { signer: 6, ..delegated(responder_params(), &ca()) };
    assert_eq!(given(&forged).0, "ocsp_bad_signature");
}

#[test]
fn a_critical_extension_that_is_not_understood_spoils_an_answer() {
    let ca = ca();
    let strange = |critical| extension(&[0x2a, 3, 4], critical, &[5, 0]);
    let of_all = |critical| Answer { extensions: vec![strange(critical)], ..says(&ca, GOOD) };
    assert_eq!((given(&of_all(true)).0, given(&of_all(false)).0), ("ocsp_critical_extension", "good"));
    let of_one = |critical| {
        let single = single_at(&id(&ca, 0x2a, &SHA1), GOOD, -60, Some(DAY), &[strange(critical)]);
        Answer::of(&ca, &[single])
    };
    assert_eq!((given(&of_one(true)).0, given(&of_one(false)).0), ("ocsp_critical_extension", "good"));
}

#[test]
fn what_is_stapled_is_judged_and_a_bad_one_is_refused_with_its_own_alert() {
    let policy = RevocationPolicy::default();
    let staple = |answer: &Answer| {
        let outcome = by_staple(&ca(), leaf_params(), Staple::Present(answer.der()), policy);
        let alert = outcome.checks.first().and_then(|check| check.problem.as_ref()).map(|it| it.alert());
        (verdict(&outcome), alert)
    };
    let ((code, words), alert) = staple(&says(&ca(), GOOD));
    assert!(code == "good" && words.contains("(stapled)") && alert.is_none(), "{words}");
    let ((code, _), alert) = staple(&says(&ca(), &revoked(None)));
    assert_eq!((code, alert), ("revoked_by_staple", Some(AlertDescription::CertificateRevoked)));
    let ((code, _), alert) = staple(&Answer { signer: 4, ..says(&ca(), GOOD) });
    assert_eq!((code, alert), ("ocsp_bad_signature", Some(AlertDescription::BadCertificateStatusResponse)));
    let absent = by_staple(&ca(), leaf_params(), Staple::Absent, policy);
    assert!(absent.problem.is_none() && absent.checks.is_empty());
}

#[test]
fn a_staple_that_is_demanded_and_missing_refuses() {
    let policy = RevocationPolicy { staple: Demand::Require, ..RevocationPolicy::default() };
    let outcome = by_staple(&ca(), leaf_params(), Staple::Absent, policy);
    let (code, words) = verdict(&outcome);
    assert_eq!(code, "no_staple");
    assert!(words.contains("demanded (--cert-status), and the server stapled none"), "{words}");
    let resumed = by_staple(&ca(), leaf_params(), Staple::Resumed, policy);
    assert_eq!(verdict(&resumed).0, "no_staple");
}

#[test]
fn must_staple_holds_whatever_the_policy_is() {
    let mut params = leaf_params();
    params.custom_extensions.push(must_staple());
    for demand in [Demand::Off, Demand::Try, Demand::Require] {
        let policy = RevocationPolicy { staple: demand, ..RevocationPolicy::default() };
        let judged = |staple| verdict(&by_staple(&ca(), params.clone(), staple, policy)).0;
        assert_eq!(judged(Staple::Absent), "must_staple");
        assert_eq!(judged(Staple::Resumed), "must_staple");
        assert_eq!(judged(Staple::Present(says(&ca(), GOOD).der())), "good");
        assert_eq!(judged(Staple::Present(refusal(3))), "ocsp_refused");
        // Of a file nobody knows what a server would staple.
        assert_eq!(judged(Staple::NotAsked), "good");
    }
}

#[test]
fn what_an_issuer_demands_of_all_that_it_issues_must_be_among_their_features() {
    let root = ca();
    let mut params = ca_params("Lab CA 2");
    params.custom_extensions.push(must_staple());
    let middle = root.below(params, 2);
    let mut with = leaf_params();
    with.custom_extensions.push(must_staple());
    for (params, code) in [(leaf_params(), "missing_tls_feature"), (with, "good")] {
        let path = [middle.link(middle.issue(params, 9)), root.link(middle.der.clone())];
        let known = Known::default().stapled(Staple::Present(says(&middle, GOOD).der()));
        assert_eq!(verdict(&judge(&path, RevocationPolicy::default(), &known)).0, code);
    }
}

#[test]
fn a_stapled_answer_makes_asking_the_responder_needless_and_no_answer_does_not() {
    let policy = RevocationPolicy { ocsp: Demand::Require, ..RevocationPolicy::default() };
    let stapled = by_staple(&ca(), leaf_params(), Staple::Present(says(&ca(), GOOD).der()), policy);
    assert!(stapled.missing.is_empty() && stapled.problem.is_none());
    let absent = by_staple(&ca(), leaf_params(), Staple::Absent, policy);
    let places = vec![vec!["http://ocsp.lab.test/".to_owned()]];
    assert_eq!(absent.missing, [Missing { index: 0, kind: Kind::Ocsp, places }]);
    let without = by_staple(&ca(), server_params(&["www.lab.test"]), Staple::Absent, policy);
    assert!(without.missing.is_empty());
    assert_eq!(verdict(&without).0, "no_ocsp");
}

#[test]
fn bytes_cut_or_changed_anywhere_never_panic_and_never_prove() {
    let der = Answer { nonce: Some(vec![7; 32]), ..delegated(responder_params(), &ca()) }.der();
    // A nonce that nobody asked for does no harm.
    assert_eq!(verdict(&by_answer(&ca(), &der)).0, "good");
    let path = [ca().link(ca().issue(leaf_params(), 9))];
    for place in 0..der.len() {
        for flip in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[place] ^= flip;
            let known = Known::given(None, &[changed]);
            let outcome = judge(&path, RevocationPolicy::default(), &known);
            assert_ne!(verdict(&outcome).0, "good", "byte {place} ^ {flip:02x}");
        }
        let known = Known::given(None, &[der[..place].to_vec()]);
        assert_ne!(verdict(&judge(&path, RevocationPolicy::default(), &known)).0, "good");
    }
}

#[test]
fn of_two_answers_of_one_moment_the_one_that_says_revoked_counts() {
    let ca = ca();
    let one = |status: &[u8], this| single_at(&id(&ca, 0x2a, &SHA1), status, this, Some(DAY), &[]);
    let (good, bad) = (one(GOOD, -60), one(&revoked(None), -60));
    for both in [[good.clone(), bad.clone()], [bad, good]] {
        assert_eq!(given(&Answer::of(&ca, &both)).0, "revoked_by_ocsp");
    }
    let later = [one(&revoked(Some(6)), -60), one(GOOD, -30)];
    assert_eq!(given(&Answer::of(&ca, &later)).0, "good");
}

#[test]
fn an_answer_that_nobody_asked_for_does_not_stand_for_one_whose_nonce_is_required() {
    let policy = RevocationPolicy { ocsp: Demand::Require, nonce: true, ..RevocationPolicy::default() };
    let stapled = by_staple(&ca(), leaf_params(), Staple::Present(says(&ca(), GOOD).der()), policy);
    assert_eq!(stapled.missing.len(), 1);
    assert_eq!(verdict(&stapled).0, "no_ocsp");
    // What the user himself gives, he vouches for.
    let path = [ca().link(ca().issue(leaf_params(), 9))];
    let known = Known::given(None, &[says(&ca(), GOOD).der()]);
    assert_eq!(verdict(&judge(&path, policy, &known)).0, "good");
}

#[test]
fn that_nobody_is_asked_here_is_said_as_it_is_and_without_a_cure_where_it_passes() {
    let root = ca();
    let middle = root.below(leaf_like_ca(), 2);
    let path = [middle.link(middle.issue(leaf_params(), 9)), root.link(middle.der.clone())];
    let known = Known::given(None, &[says(&middle, GOOD).der()]);
    let (code, words) = verdict(&judge(&path, RevocationPolicy::default(), &known));
    assert_eq!(code, "good");
    assert!(
        words.contains("nobody asks the responder here that the certificate names; that passes"),
        "{words}"
    );
    assert!(!words.contains("pass over it"), "{words}");
}

/// A CA that names a responder.
fn leaf_like_ca() -> rcgen::CertificateParams {
    let mut params = ca_params("Lab CA 2");
    params.custom_extensions.push(revoked::responder("http://ocsp.lab.test/"));
    params
}
