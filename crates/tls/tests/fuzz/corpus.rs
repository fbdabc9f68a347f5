//! What there is to change: certificates of all sorts, who issued them, and by what they can be read.

use super::signing::{self, sign_again};
use super::tree::{Body, Tree};
use super::world::{Ca, DAY, at, ca_params, key, server_params};
use rcgen::{
    CertificateParams, CidrSubnet, CrlDistributionPoint, CustomExtension, ExtendedKeyUsagePurpose,
    GeneralSubtree, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// A certificate, and by which key it was signed.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) der: Vec<u8>,
    pub(crate) tree: Tree,
    /// The issuer's public key; none where the signature is a real one.
    pub(crate) by: Option<Vec<u8>>,
}

impl Issued {
    /// The certificate with the cheap signature of the key number `by`.
    pub(crate) fn cheaply(der: &[u8], by: u8) -> Self {
        Self::signed(Tree::read(der), public(by))
    }

    /// `tree` with the signature of the (public) key `by`.
    pub(crate) fn signed(mut tree: Tree, by: Vec<u8>) -> Self {
        sign_again(&mut tree, &by);
        Self { der: tree.write(), tree, by: Some(by) }
    }

    /// One whose signature is what it was.
    fn really(pem: &[u8]) -> Self {
        let der = CertificateDer::from_pem_slice(pem).unwrap().to_vec();
        Self { tree: Tree::read(&der), der, by: None }
    }

    /// Its SubjectPublicKeyInfo, whole.
    pub(crate) fn key_info(&self) -> Vec<u8> {
        self.tree.clone().at(&[0, 6]).write()
    }

    /// Its subject, whole.
    pub(crate) fn subject(&self) -> Vec<u8> {
        self.tree.clone().at(&[0, 5]).write()
    }
}

/// The public key of this number.
pub(crate) fn public(number: u8) -> Vec<u8> {
    key(number).der_bytes().to_vec()
}

/// Who is trusted, and what is shown.
pub(crate) struct Story {
    pub(crate) root: Vec<u8>,
    pub(crate) chain: Vec<Issued>,
    /// What the first is for.
    pub(crate) name: &'static str,
}

/// Every story is accepted by whoever trusts its root.
pub(crate) fn stories() -> Vec<Story> {
    let root = Ca::root("Lab Root", 1);
    let (middle, low) = (limited("Lab CA"), ca_params("Lab CA below"));
    let middle_ca = root.intermediate(middle, 2);
    let low_ca = middle_ca.intermediate(low, 3);
    let root_der = Issued::cheaply(&root.der, 1).der;
    let middle_one = Issued::cheaply(&middle_ca.der, 1);
    let low_one = Issued::cheaply(&low_ca.der, 2);
    let story = |chain: Vec<Issued>, name| Story { root: root_der.clone(), chain, name };
    let by_root = |params| Issued::cheaply(&root.issue(params, &key(9)), 1);
    let by_middle = |params| Issued::cheaply(&middle_ca.issue(params, &key(9)), 2);
    let by_low = |params| Issued::cheaply(&low_ca.issue(params, &key(9)), 3);
    let mut client = server_params(&["client.lab.test"]);
    client.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    let rsa = KeyPair::from_pem(include_str!("../world/rsa2048.pem")).unwrap();
    let p256 = KeyPair::from_pem(include_str!("../world/p256.pem")).unwrap();
    let for_key = |key: &KeyPair| Issued::cheaply(&root.issue(server_params(&["www.lab.test"]), key), 1);
    vec![
        story(vec![by_root(server_params(&["www.lab.test"]))], "www.lab.test"),
        story(vec![by_root(everything())], "www.lab.test"),
        story(
            vec![
                by_middle(server_params(&["www.lab.test", "*.shop.lab.test", "192.0.2.7"])),
                middle_one.clone(),
            ],
            "a.shop.lab.test",
        ),
        story(vec![by_middle(everything()), middle_one.clone()], "192.0.2.7"),
        story(vec![by_low(everything()), low_one.clone(), middle_one.clone()], "www.lab.test"),
        story(vec![by_low(client), middle_one, low_one], "client.lab.test"),
        story(vec![for_key(&rsa)], "www.lab.test"),
        story(vec![for_key(&p256)], "www.lab.test"),
        really_signed(),
    ]
}

/// By RSA, so that real signatures are among them.
fn really_signed() -> Story {
    let rsa = || KeyPair::from_pem(include_str!("../world/rsa2048.pem")).unwrap();
    let root = ca_params("RSA Root").self_signed(&rsa()).unwrap();
    let issuer = Issuer::new(ca_params("RSA Root"), rsa());
    let own = everything().signed_by(&key(9), &issuer).unwrap();
    Story {
        root: root.der().to_vec(),
        chain: vec![Issued::really(own.pem().as_bytes())],
        name: "www.lab.test",
    }
}

/// A server's, with every extension that anybody reads.
pub(crate) fn everything() -> CertificateParams {
    let mut params = server_params(&["www.lab.test", "lab.test", "*.shop.lab.test", "192.0.2.7"]);
    params.subject_alt_names.push(SanType::IpAddress("2001:db8::7".parse().unwrap()));
    params.key_identifier_method = KeyIdMethod::Sha256;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    let uris = vec!["http://crl.lab.test/a.crl".to_owned(), "ldap://crl.lab.test/".to_owned()];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    let custom = |oid: &[u64], content: Vec<u8>| CustomExtension::from_oid_content(oid, content);
    let responder = Tree::new(
        0x30,
        vec![Tree::new(
            0x30,
            vec![Tree::leaf(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1]), Tree::leaf(0x86, b"http://ocsp.lab.test/")],
        )],
    );
    let policies = Tree::new(0x30, vec![Tree::new(0x30, vec![Tree::leaf(6, &[0x67, 0x81, 0x0c, 1, 2, 1])])]);
    params.custom_extensions = vec![
        custom(&[1, 3, 6, 1, 5, 5, 7, 1, 1], responder.write()),
        custom(&[2, 5, 29, 32], policies.write()),
        // RFC 7633, and RFC 6962 with a list that holds one thing that is no SCT.
        custom(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5]),
        custom(&[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2], vec![4, 6, 0, 4, 0, 2, 0, 0]),
    ];
    params
}

/// A CA that may issue for some names alone.
fn limited(name: &str) -> CertificateParams {
    let mut params = ca_params(name);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("lab.test".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([192, 0, 2, 0], [255, 255, 255, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix("2001:db8::".parse().unwrap(), 32)),
        ],
        excluded_subtrees: vec![GeneralSubtree::DnsName("bank.lab.test".to_owned())],
    });
    params
}

/// A responder's, by the key number `by` of `ca`.
pub(crate) fn responder(ca: &Ca, by: u8) -> Issued {
    let mut params = server_params(&["ocsp.lab.test"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    params.not_after = at(3 * DAY);
    Issued::cheaply(&ca.issue(params, &key(7)), by)
}

/// The bits of a SubjectPublicKeyInfo.
pub(crate) fn key_bits(key_info: &[u8]) -> Vec<u8> {
    let mut tree = Tree::read(key_info);
    match &tree.at(&[1]).body {
        Body::Bytes(bytes) => bytes[1..].to_vec(),
        Body::Elements(_) | Body::Wrapped(..) => panic!("no such key"),
    }
}

#[test]
fn every_story_begins_well() {
    use glasstack_tls::verify::{Name, Purpose, Verifier};
    use glasstack_tls::{Decision, TrustStore};
    for (number, story) in stories().iter().enumerate() {
        let trust = TrustStore::from_der([&story.root]).unwrap();
        let verifier = Verifier::new(trust, Purpose::Server, signing::algorithms());
        let chain: Vec<CertificateDer<'_>> =
            story.chain.iter().map(|one| one.der.as_slice().into()).collect();
        let name = Name::parse(story.name).unwrap();
        let judgement = verifier.judge(&chain, &[name], i64::try_from(super::world::NOW).unwrap());
        assert_eq!(judgement.verdict, Decision::Accept, "story {number}: {judgement}");
    }
}
