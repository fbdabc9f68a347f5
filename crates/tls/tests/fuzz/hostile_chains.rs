//! Chains made to cost work: CAs that vouch for each other in every direction, limits on names and names
//! by the thousand, certificates without end. Each is judged in bounded work, and as webpki judges it.

use super::certificates::{Shown, Tally, judge};
use super::chance::Chance;
use super::corpus::{Issued, everything, public};
use super::fuzz;
use super::signing;
use super::tree::{Body, Tree};
use super::world::{Ca, NOW, ca_params, key};
use glasstack_tls::verify::Purpose;

/// What the certificates of a hostile chain are made from.
struct Parts {
    root: Issued,
    ca: Issued,
    own: Issued,
}

#[test]
fn hostile_chains() {
    let root = Ca::root("Lab Root", 1);
    let parts = Parts {
        root: Issued::cheaply(&root.der, 1),
        ca: Issued::cheaply(&root.intermediate(ca_params("CA"), 2).der, 1),
        own: Issued::cheaply(&root.issue(everything(), &key(9)), 1),
    };
    let algorithms = signing::algorithms();
    fuzz("hostile_chains", 200, |chance, tally: &mut Tally| {
        let chain = match chance.below(3) {
            0 => maze(&parts, chance),
            1 => limits(&parts, chance),
            _ => line(&parts, chance),
        };
        let shown = Shown {
            root: &parts.root.der,
            chain: chain.iter().map(|der| der.as_slice().into()).collect(),
            purpose: Purpose::Server,
            name: Some("www.lab.test"),
            now: NOW as i64,
        };
        judge(&shown, &algorithms, tally);
    });
}

/// The certificate `from` with another serial number, issuer and subject (as common names), key and signer.
fn issue(from: &Issued, serial: usize, issuer: &str, subject: &str, key: u8, by: u8) -> Tree {
    let mut tree = from.tree.clone();
    *tree.at(&[0, 1]) = Tree::leaf(2, &[&[1][..], &serial.to_be_bytes()].concat());
    *tree.at(&[0, 3]) = name(issuer);
    *tree.at(&[0, 5]) = name(subject);
    let bits = signing::bit_string(&public(key));
    *tree.at(&[0, 6, 1]) = bits;
    signing::sign_again(&mut tree, &public(by));
    tree
}

fn name(common: &str) -> Tree {
    let attribute = Tree::new(0x30, vec![Tree::leaf(6, &[0x55, 4, 3]), Tree::leaf(0x0c, common.as_bytes())]);
    Tree::new(0x30, vec![Tree::new(0x31, vec![attribute])])
}

/// A few names and keys, and every way between them: paths grow as a power of their number. Some lead to
/// the root, or seem to.
fn maze(parts: &Parts, chance: &mut Chance) -> Vec<Vec<u8>> {
    let (names, keys) = (1 + chance.below(6), 1 + chance.below(4));
    let named = |number: usize| format!("CA {number}");
    let key_of = |chance: &mut Chance| u8::try_from(10 + chance.below(keys)).unwrap();
    let first = key_of(chance);
    let mut chain = vec![issue(&parts.own, 0, &named(0), "www.lab.test", 9, first).write()];
    for serial in 1..=chance.below(120) {
        let (issuer, subject) = (named(chance.below(names)), named(chance.below(names)));
        let (own, by) = (key_of(chance), key_of(chance));
        let tree = if chance.once_in(40) {
            issue(&parts.ca, serial, "Lab Root", &subject, own, if chance.once_in(2) { 1 } else { by })
        } else {
            issue(&parts.ca, serial, &issuer, &subject, own, by)
        };
        chain.push(tree.write());
    }
    chain
}

/// One CA that limits names, and a certificate with names, both without end.
fn limits(parts: &Parts, chance: &mut Chance) -> Vec<Vec<u8>> {
    let most = if chance.once_in(8) { 4_000 } else { 60 };
    let of_kind = |chance: &mut Chance, number: usize, mask: bool| match chance.below(8) {
        0 => Tree::leaf(0x87, if mask { &[192, 0, 2, 0, 255, 255, 255, 0] } else { &[192, 0, 2, 7] }),
        1 => Tree::leaf(0x81, b"somebody@lab.test"),
        2 => Tree::leaf(0x86, b"https://lab.test/"),
        3 if chance.once_in(40) => Tree::new(0xa4, vec![name("x")]),
        _ => Tree::leaf(0x82, format!("h{}.lab.test", number % 50).as_bytes()),
    };
    let subtrees = |chance: &mut Chance, tag| {
        let count = chance.below(most);
        Tree::new(
            tag,
            (0..count).map(|number| Tree::new(0x30, vec![of_kind(chance, number, true)])).collect(),
        )
    };
    let mut constraints = Vec::new();
    if !chance.once_in(3) {
        constraints.push(subtrees(chance, 0xa0));
    }
    if !chance.once_in(3) {
        constraints.push(subtrees(chance, 0xa1));
    }
    let mut ca = parts.ca.tree.clone();
    extensions(&mut ca).push(extension(&[0x55, 0x1d, 0x1e], Tree::new(0x30, constraints)));
    signing::sign_again(&mut ca, &public(1));
    let mut own = issue(&parts.own, 7, "CA", "www.lab.test", 9, 2);
    let names = (0..chance.below(most)).map(|number| of_kind(chance, number, false)).collect();
    let all = extensions(&mut own);
    all.retain(|one| !one.write().windows(3).any(|oid| oid == [0x55, 0x1d, 0x11]));
    all.push(extension(&[0x55, 0x1d, 0x11], Tree::new(0x30, names)));
    signing::sign_again(&mut own, &public(2));
    let mut chain = vec![own.write()];
    chain.extend(std::iter::repeat_n(ca.write(), 1 + chance.below(3)));
    chain
}

/// One CA below the other, more than anybody follows, in some order; or one certificate very often.
fn line(parts: &Parts, chance: &mut Chance) -> Vec<Vec<u8>> {
    let long = if chance.once_in(10) { 400 } else { 12 };
    let long = 1 + chance.below(long);
    let named = |number: usize| if number == 0 { "Lab Root".to_owned() } else { format!("CA {number}") };
    let of = |number: usize| if number == 0 { 1 } else { 10 + u8::try_from(number % 50).unwrap() };
    let mut chain = vec![issue(&parts.own, 0, &named(long), "www.lab.test", 9, of(long)).write()];
    for number in 1..=long {
        chain.push(
            issue(&parts.ca, number, &named(number - 1), &named(number), of(number), of(number - 1)).write(),
        );
    }
    for _ in 0..chance.below(4) {
        let (one, other) = (chance.below(chain.len()), chance.below(chain.len()));
        chain.swap(one, other);
    }
    if chance.once_in(4) {
        let one = chain[chance.below(chain.len())].clone();
        chain.extend(std::iter::repeat_n(one, chance.below(300)));
    }
    chain
}

fn extensions(certificate: &mut Tree) -> &mut Vec<Tree> {
    let body = certificate.at(&[0]).elements();
    let tagged = body.iter_mut().find(|one| one.tag == 0xa3).unwrap();
    tagged.at(&[0]).elements()
}

fn extension(oid: &[u8], value: Tree) -> Tree {
    let wrapped = Tree { tag: 4, body: Body::Wrapped(&[], vec![value]) };
    Tree::new(0x30, vec![Tree::leaf(6, oid), Tree::leaf(1, &[0xff]), wrapped])
}
