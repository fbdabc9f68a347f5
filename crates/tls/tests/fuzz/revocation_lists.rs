//! Revocation lists that somebody has changed: nothing is called good by a list that its issuer did not
//! sign so, nor where webpki finds it revoked.

use super::certificates::Shown;
use super::chance::Chance;
use super::corpus::{Issued, everything, public};
use super::signing::{self, sign_again, verified};
use super::tree::Tree;
use super::world::{Ca, DAY, NOW, at, key, server_params};
use super::{assert_harmless, fuzz};
use glasstack_journal::WallTime;
use glasstack_tls::describe::describe;
use glasstack_tls::revocation::{Known, Outcome, Question};
use glasstack_tls::verify::{Link, Purpose};
use glasstack_tls::{Demand, RevocationLists, RevocationPolicy};
use rcgen::{RevocationReason, RevokedCertParams};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::time::Duration;
use webpki::{
    BorrowedCertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationOptionsBuilder,
    anchor_from_trusted_cert,
};

#[derive(Debug, Default)]
struct Tally {
    unreadable: u64,
    good: u64,
    revoked: u64,
    unknown: u64,
    most_signatures: u64,
}

/// A certificate, and the lists that there are of its issuer.
struct Scene {
    root: Vec<u8>,
    own: Issued,
    lists: Vec<Issued>,
}

#[test]
fn revocation_lists() {
    let (scenes, algorithms) =
        ([Scene::new(server_params(&["www.lab.test"])), Scene::new(everything())], signing::algorithms());
    fuzz("revocation_lists", 2_000, |chance, tally: &mut Tally| {
        let scene = chance.one_of(&scenes);
        let list = chance.one_of(&scene.lists);
        let mut lists = Vec::new();
        let (changed, signed) = change(list, chance, &scene.lists);
        lists.push(changed);
        if chance.once_in(6) {
            lists.push(chance.one_of(&scene.lists).der.clone());
        }
        describe_each(&lists[0]);
        let Some(given) = given(&lists) else { return tally.unreadable += 1 };
        let now = NOW as i64 + if chance.once_in(6) { 9 * DAY } else { 0 };
        verified();
        let outcome = scene.judge(&given, algorithms.all, now);
        tally.most_signatures = tally.most_signatures.max(verified());
        assert!(tally.most_signatures <= 4 * lists.len() as u64, "{} signatures", tally.most_signatures);
        for check in &outcome.checks {
            assert_harmless(&check.evidence);
        }
        match &outcome.problem {
            None => {
                tally.good += 1;
                let genuine = lists.iter().any(|der| scene.lists.iter().any(|list| holds(der, list)));
                assert!(signed || genuine, "good by a list that nobody signed: {:?}", outcome.checks);
                let webpki = webpki_finds(&scene.shown(now), &lists, &algorithms);
                // What a list takes back (RFC 5280 5.3.1) is revoked for webpki all the same, and of two lists
                // it believes the one that is not valid yet, too.
                let takes_back = lists.iter().any(|der| der.windows(3).any(|code| code == [0x0a, 1, 8]));
                let agreed = takes_back || lists.len() > 1 || webpki != Err(webpki::Error::CertRevoked);
                assert!(agreed, "good: {:?} {:02x?}", outcome.checks, lists);
            }
            Some(problem) if problem.is_revoked() => tally.revoked += 1,
            Some(_) => tally.unknown += 1,
        }
    });
}

impl Scene {
    fn new(mut params: rcgen::CertificateParams) -> Self {
        let root = Ca::root("Lab Root", 1);
        params.serial_number = Some(vec![0x2a, 1, 2, 3].into());
        let own = Issued::cheaply(&root.issue(params, &key(9)), 1);
        let revoked = |serial: &[u8], reason| RevokedCertParams {
            serial_number: serial.to_vec().into(),
            revocation_time: at(-DAY),
            reason_code: reason,
            invalidity_date: None,
        };
        let one = |serials: Vec<RevokedCertParams>| {
            let pem = root.revocation_list(7 * DAY, serials);
            Issued::cheaply(&CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap(), 1)
        };
        let others: Vec<_> = (0..50).map(|number| revoked(&[0x70, number], None)).collect();
        let lists = vec![
            one(Vec::new()),
            one(vec![revoked(&[0x2a, 1, 2, 3], Some(RevocationReason::KeyCompromise))]),
            one(vec![revoked(&[0x2a, 1, 2, 3], Some(RevocationReason::RemoveFromCrl))]),
            one(others),
            one(vec![
                revoked(&[0x2a], Some(RevocationReason::CertificateHold)),
                revoked(&[0x2a, 1, 2, 3], None),
            ]),
            with_scope(&one(Vec::new())),
        ];
        Self { root: Issued::cheaply(&root.der, 1).der, own, lists }
    }

    fn shown(&self, now: i64) -> Shown<'_> {
        let chain = vec![CertificateDer::from(self.own.der.as_slice())];
        Shown { root: &self.root, chain, purpose: Purpose::Server, name: None, now }
    }

    fn judge(
        &self,
        lists: &RevocationLists,
        algorithms: &[&dyn rustls::pki_types::SignatureVerificationAlgorithm],
        now: i64,
    ) -> Outcome {
        let root = Issued::cheaply(&self.root, 1);
        let path = [Link {
            label: "the server's own certificate".to_owned(),
            certificate: self.own.der.clone(),
            issuer: root.subject(),
            issuer_key: root.key_info(),
            issuer_certificate: None,
        }];
        let policy = RevocationPolicy { crl: Demand::Require, ..RevocationPolicy::default() };
        let question = Question { path: &path, purpose: Purpose::Server, policy, algorithms, now };
        question.judge(&Known::given(Some(lists), &[]))
    }
}

/// The same list for the distribution point of one of the certificates (RFC 5280 5.2.5).
fn with_scope(list: &Issued) -> Issued {
    let mut tree = list.tree.clone();
    let uri = Tree::leaf(0x86, b"http://crl.lab.test/a.crl");
    let point = Tree::new(0xa0, vec![Tree::new(0xa0, vec![uri])]);
    let scope = Tree::new(0x30, vec![point, Tree::leaf(0x81, &[0xff])]);
    let wrapped = Tree { tag: 4, body: super::tree::Body::Wrapped(&[], vec![scope]) };
    let extension =
        Tree::new(0x30, vec![Tree::leaf(6, &[0x55, 0x1d, 0x1c]), Tree::leaf(1, &[0xff]), wrapped]);
    let body = tree.at(&[0]).elements();
    body.last_mut().unwrap().at(&[0]).elements().push(extension);
    Issued::signed(tree, public(1))
}

/// A list that was changed; whether it was signed again.
fn change(list: &Issued, chance: &mut Chance, donors: &[Issued]) -> (Vec<u8>, bool) {
    if chance.once_in(3) {
        let mut der = list.der.clone();
        chance.mutate(&mut der, &[&[0x30, 0], &[5, 0], &[2, 1, 1]]);
        return (der, false);
    }
    let (mut tree, donor) = (list.tree.clone(), chance.one_of(donors).tree.clone());
    let place = if chance.once_in(8) { &[][..] } else { &[0] };
    tree.at(place).mutate(chance, &donor);
    let three = matches!(&tree.body, super::tree::Body::Elements(elements) if elements.len() == 3);
    if three && !chance.once_in(4) {
        sign_again(&mut tree, &public(1));
        return (tree.write(), true);
    }
    (tree.write(), false)
}

/// Whether all of what `list` says, and its signature, is in `der`.
fn holds(der: &[u8], list: &Issued) -> bool {
    let mut tree = list.tree.clone();
    let (body, signature) = (tree.at(&[0]).write(), tree.at(&[2]).write());
    [body, signature].iter().all(|piece| der.windows(piece.len()).any(|window| window == piece))
}

fn given(lists: &[Vec<u8>]) -> Option<RevocationLists> {
    let mut lists = lists.iter().map(|der| RevocationLists::from_file(der).ok());
    let first = lists.next()??;
    lists.try_fold(first, |all, one| Some(all.and(&one?)))
}

fn describe_each(der: &[u8]) {
    for one in describe(der, WallTime::from_unix_seconds(NOW), None).unwrap_or_default() {
        assert_harmless(&one.to_string());
        serde_json::from_str::<serde_json::Value>(&serde_json::to_string(&one).unwrap()).unwrap();
    }
}

/// What webpki makes of it, with those of the lists that it takes.
fn webpki_finds(
    shown: &Shown<'_>,
    lists: &[Vec<u8>],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), webpki::Error> {
    let taken = lists.iter().filter_map(|der| BorrowedCertRevocationList::from_der(der).ok());
    let lists: Vec<webpki::CertRevocationList<'_>> = taken.map(Into::into).collect();
    let lists: Vec<_> = lists.iter().collect();
    let Ok(options) = RevocationOptionsBuilder::new(&lists) else { return Ok(()) };
    let options = options.with_expiration_policy(ExpirationPolicy::Enforce).build();
    let root = CertificateDer::from(shown.root);
    let anchors = [anchor_from_trusted_cert(&root)?];
    let own = EndEntityCert::try_from(&shown.chain[0])?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(shown.now.try_into().unwrap_or_default()));
    own.verify_for_usage(algorithms.all, &anchors, &[], time, KeyUsage::server_auth(), Some(options), None)
        .map(|_| ())
}

#[test]
fn the_lists_that_are_changed_are_good_ones() {
    let (scene, algorithms) = (Scene::new(everything()), signing::algorithms());
    let found = |list: &Issued| {
        let given = given(std::slice::from_ref(&list.der)).unwrap();
        let outcome = scene.judge(&given, algorithms.all, NOW as i64);
        outcome.problem.map(|problem| problem.is_revoked())
    };
    let found: Vec<_> = scene.lists.iter().map(found).collect();
    assert_eq!(found, [None, Some(true), None, None, Some(true), None]);
}
