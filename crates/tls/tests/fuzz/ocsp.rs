//! OCSP messages that somebody has changed: nothing is called good by an answer that neither the issuer
//! nor whom it authorized signed so.

use super::chance::Chance;
use super::corpus::{Issued, everything, key_bits, public, responder};
use super::signing::{self, bit_string, sign, verified};
use super::tree::{Body, Tree};
use super::world::{Ca, NOW, key};
use super::{assert_harmless, fuzz};
use glasstack_journal::WallTime;
use glasstack_tls::describe::describe;
use glasstack_tls::revocation::{Known, Outcome, Question, Staple};
use glasstack_tls::verify::{Link, Purpose};
use glasstack_tls::{Demand, RevocationPolicy};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::SignatureVerificationAlgorithm;

#[derive(Debug, Default)]
struct Tally {
    good: u64,
    revoked: u64,
    unknown: u64,
    /// Of each kind, how many the description reads.
    requests_read: u64,
    answers_read: u64,
    most_signatures: u64,
}

/// A certificate of a CA, and answers about it.
struct Scene {
    link: Link,
    answers: Vec<Answer>,
    requests: Vec<Tree>,
}

struct Answer {
    tree: Tree,
    /// Whose signature it has (a public key).
    by: Vec<u8>,
}

/// Where the parts of an answer are: BasicOCSPResponse, and in it what is signed.
const BASIC: [usize; 4] = [1, 0, 1, 0];

#[test]
fn ocsp() {
    let (scene, algorithms) = (Scene::new(), signing::algorithms());
    fuzz("ocsp", 2_000, |chance, tally: &mut Tally| {
        if chance.once_in(4) {
            return request(&scene, chance, tally);
        }
        let answer = chance.one_of(&scene.answers);
        let (changed, signed) = change(answer, chance, &scene.answers);
        tally.answers_read += describe_each(&changed);
        let stapled = chance.once_in(2);
        verified();
        let outcome = scene.judge(&changed, stapled, algorithms.all);
        let signatures = verified();
        assert!(signatures <= 20, "{signatures} signatures");
        tally.most_signatures = tally.most_signatures.max(signatures);
        for check in &outcome.checks {
            assert_harmless(&check.evidence);
        }
        match &outcome.problem {
            None => {
                tally.good += 1;
                let genuine = scene.answers.iter().any(|answer| holds(&changed, answer));
                assert!(signed || genuine, "good by an answer that nobody signed: {:?}", outcome.checks);
            }
            Some(problem) if problem.is_revoked() => tally.revoked += 1,
            Some(_) => tally.unknown += 1,
        }
    });
}

/// A request is read by the description, and by the responders of the lab (in a crate of their own).
fn request(scene: &Scene, chance: &mut Chance, tally: &mut Tally) {
    let mut tree = chance.one_of(&scene.requests).clone();
    let donor = chance.one_of(&scene.requests).clone();
    let mut bytes = tree.write();
    if chance.once_in(2) {
        chance.mutate(&mut bytes, &[&[0x30, 0]]);
    } else {
        tree.mutate(chance, &donor);
        bytes = tree.write();
    }
    tally.requests_read += describe_each(&bytes);
}

fn describe_each(der: &[u8]) -> u64 {
    let mut read = 0;
    for one in describe(der, WallTime::from_unix_seconds(NOW), None).unwrap_or_default() {
        assert_harmless(&one.to_string());
        serde_json::from_str::<serde_json::Value>(&serde_json::to_string(&one).unwrap()).unwrap();
        read += u64::from(one.facts.is_ok());
    }
    read
}

impl Scene {
    fn new() -> Self {
        let root = Ca::root("Lab Root", 1);
        let issuer = Issued::cheaply(&root.der, 1);
        let own = Issued::cheaply(&root.issue(everything(), &key(9)), 1);
        let link = Link {
            label: "the server's own certificate".to_owned(),
            certificate: own.der.clone(),
            issuer: issuer.subject(),
            issuer_key: issuer.key_info(),
            issuer_certificate: None,
        };
        let id = |serial: &[u8]| {
            let hash = |bytes: &[u8]| Tree::leaf(4, digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
            let algorithm =
                Tree::new(0x30, vec![Tree::leaf(6, &[0x2b, 0x0e, 3, 2, 0x1a]), Tree::leaf(5, &[])]);
            let key = key_bits(&issuer.key_info());
            Tree::new(0x30, vec![algorithm, hash(&issuer.subject()), hash(&key), Tree::leaf(2, serial)])
        };
        let delegate = responder(&root, 1);
        let stranger = Issued::cheaply(&Ca::root("Stranger", 4).der, 4);
        let by_issuer = |status, serial| answer(name(&issuer), vec![single(id(serial), status)], None, 1);
        let by_delegate = |status| {
            let who =
                Tree::new(0xa2, vec![Tree::leaf(4, digest(&SHA1_FOR_LEGACY_USE_ONLY, &public(7)).as_ref())]);
            answer(who, vec![single(id(&[0x2a]), status)], Some(&delegate), 7)
        };
        let several: Vec<_> = (0..20)
            .map(|serial| single(id(&[serial]), good()))
            .chain([single(id(&[0x2a]), good())])
            .collect();
        let answers = vec![
            by_issuer(good(), &[0x2a]),
            by_issuer(revoked(), &[0x2a]),
            by_issuer(Tree::leaf(0x82, &[]), &[0x2a]),
            by_issuer(good(), &[0x2b]),
            by_delegate(good()),
            by_delegate(revoked()),
            answer(name(&stranger), vec![single(id(&[0x2a]), good())], Some(&stranger), 4),
            answer(name(&issuer), several, None, 1),
        ];
        let request = |extensions: Vec<Tree>| {
            let list = Tree::new(0x30, vec![Tree::new(0x30, vec![id(&[0x2a])])]);
            Tree::new(0x30, vec![Tree::new(0x30, [vec![list], extensions].concat())])
        };
        let requests =
            vec![request(Vec::new()), request(vec![Tree::new(0xa2, vec![Tree::new(0x30, vec![nonce()])])])];
        Self { link, answers, requests }
    }

    fn judge(
        &self,
        answer: &[u8],
        stapled: bool,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Outcome {
        let (ocsp, staple) =
            if stapled { (Demand::Off, Demand::Require) } else { (Demand::Require, Demand::Off) };
        let policy = RevocationPolicy { ocsp, staple, ..RevocationPolicy::default() };
        let path = std::slice::from_ref(&self.link);
        let question = Question { path, purpose: Purpose::Server, policy, algorithms, now: NOW as i64 };
        let known = if stapled {
            Known::default().stapled(Staple::Present(answer.to_vec()))
        } else {
            Known::given(None, &[answer.to_vec()])
        };
        question.judge(&known)
    }
}

fn name(of: &Issued) -> Tree {
    Tree::new(0xa1, vec![Tree::read(&of.subject())])
}

fn good() -> Tree {
    Tree::leaf(0x80, &[])
}

fn revoked() -> Tree {
    let reason = Tree::new(0xa0, vec![Tree::leaf(0x0a, &[1])]);
    Tree::new(0xa1, vec![Tree::leaf(0x18, b"20260920000000Z"), reason])
}

fn single(id: Tree, status: Tree) -> Tree {
    let next = Tree::new(0xa0, vec![Tree::leaf(0x18, b"20260928000000Z")]);
    Tree::new(0x30, vec![id, status, Tree::leaf(0x18, b"20260920120000Z"), next])
}

fn nonce() -> Tree {
    let value = Tree { tag: 4, body: Body::Wrapped(&[], vec![Tree::leaf(4, &[7; 32])]) };
    Tree::new(0x30, vec![Tree::leaf(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2]), value])
}

/// An answer of `who`, signed by the key of this number, with a certificate of its own.
fn answer(who: Tree, singles: Vec<Tree>, certificate: Option<&Issued>, by: u8) -> Answer {
    let extensions = Tree::new(0xa1, vec![Tree::new(0x30, vec![nonce()])]);
    let data = Tree::new(
        0x30,
        vec![who, Tree::leaf(0x18, b"20260921000000Z"), Tree::new(0x30, singles), extensions],
    );
    let algorithm = Tree::new(0x30, vec![Tree::leaf(6, &[0x2b, 0x65, 0x70])]);
    let mut basic = vec![data, algorithm, bit_string(&[])];
    basic.extend(certificate.map(|one| Tree::new(0xa0, vec![Tree::new(0x30, vec![one.tree.clone()])])));
    let wrapped = Tree { tag: 4, body: Body::Wrapped(&[], vec![Tree::new(0x30, basic)]) };
    let kind = Tree::leaf(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]);
    let tagged = Tree::new(0xa0, vec![Tree::new(0x30, vec![kind, wrapped])]);
    let mut tree = Tree::new(0x30, vec![Tree::leaf(0x0a, &[0]), tagged]);
    let by = public(by);
    sign_again(&mut tree, &by);
    Answer { tree, by }
}

fn sign_again(answer: &mut Tree, by: &[u8]) {
    let basic = answer.at(&BASIC).elements();
    basic[2] = bit_string(&sign(by, &basic[0].write()));
}

/// An answer that was changed; whether it was signed again.
fn change(answer: &Answer, chance: &mut Chance, donors: &[Answer]) -> (Vec<u8>, bool) {
    let (mut tree, donor) = (answer.tree.clone(), &chance.one_of(donors).tree);
    match chance.below(4) {
        0 => {
            let mut der = tree.write();
            chance.mutate(&mut der, &[&[0x80, 0], &[0x82, 0], &[0x30, 0]]);
            (der, false)
        }
        1 => {
            tree.mutate(chance, donor);
            (tree.write(), false)
        }
        // Its certificates, which nobody has signed together with it.
        2 => {
            tree.at(&BASIC).mutate(chance, donor);
            (tree.write(), false)
        }
        _ => {
            let data = [&BASIC[..], &[0]].concat();
            tree.at(&data).mutate(chance, donor);
            sign_again(&mut tree, &answer.by);
            (tree.write(), true)
        }
    }
}

/// Whether all of what `answer` says, and its signature, is in `der`.
fn holds(der: &[u8], answer: &Answer) -> bool {
    let mut tree = answer.tree.clone();
    let basic = tree.at(&BASIC).elements();
    let pieces = [basic[0].write(), basic[2].write()];
    pieces.iter().all(|piece| der.windows(piece.len()).any(|window| window == piece.as_slice()))
}

#[test]
fn the_answers_that_are_changed_are_good_ones() {
    let (scene, algorithms) = (Scene::new(), signing::algorithms());
    let found = |answer: &Answer| {
        let outcome = scene.judge(&answer.tree.write(), false, algorithms.all);
        outcome.problem.map(|problem| problem.code())
    };
    let found: Vec<_> = scene.answers.iter().map(found).collect();
    let expected = [
        None,
        Some("revoked_by_ocsp"),
        Some("ocsp_unknown"),
        Some("no_ocsp"),
        None,
        Some("revoked_by_ocsp"),
        Some("ocsp_responder_not_authorized"),
        None,
    ];
    assert_eq!(found, expected);
    let read: u64 = scene.requests.iter().map(|request| describe_each(&request.write())).sum();
    assert_eq!(read, 2);
}
