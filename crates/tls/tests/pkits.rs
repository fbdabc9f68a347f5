//! NIST's Public Key Interoperability Test Suite: every certificate of it with a verdict in its name,
//! judged with all its CAs at hand and all its revocation lists given. What comes out otherwise is
//! listed below with the reason, and the list must be right to the last entry.
//!
//! The files are those of the Debian package `python3-cryptography-vectors`; without it the test says
//! that it is skipped. Tests of certificate policies, whose verdict depends on what the user asks for,
//! are left out: webpki knows no policies.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod made;

use glasstack_tls::TrustStore;
use glasstack_tls::revocation::RevocationLists;
use glasstack_tls::verify::{Purpose, Verifier};
use made::{Der, NOW, algorithms, code};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILES: &str = "/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data";

/// Test, what comes out here, and why that is not what the suite expects.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("InvaliddeltaCRLTest4EE", "accept", DELTA),
    ("ValidBasicSelfIssuedCRLSigningKeyTest6EE", "crl_bad_signature", CRLKEY),
    ("ValidBasicSelfIssuedNewWithOldTest3EE", "webpki", CRLKEY),
    ("ValidBasicSelfIssuedNewWithOldTest4EE", "crl_bad_signature", CRLKEY),
    ("ValidBasicSelfIssuedOldWithNewTest1EE", "crl_bad_signature", CRLKEY),
    ("ValidDNandRFC822nameConstraintsTest27EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest11EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest14EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest18EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest19EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest1EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest4EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest5EE", "unsupported_name_constraint", KINDS),
    ("ValidDNnameConstraintsTest6EE", "unsupported_name_constraint", KINDS),
    ("ValidDSAParameterInheritanceTest5EE", "weak_signature", DSA),
    ("ValidDSASignaturesTest4EE", "weak_signature", DSA),
    ("ValidIDPwithindirectCRLTest24EE", "crl_indirect", INDIRECT),
    ("ValidIDPwithindirectCRLTest25EE", "crl_indirect", INDIRECT),
    ("ValidNameChainingCapitalizationTest5EE", "unknown_issuer", BYTES),
    ("ValidNameChainingWhitespaceTest3EE", "unknown_issuer", BYTES),
    ("ValidNameChainingWhitespaceTest4EE", "unknown_issuer", BYTES),
    ("ValidNameUIDsTest6EE", "malformed", UIDS),
    ("ValidPolicyMappingTest11EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest12EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest13EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest14EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest1EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest3EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest5EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest6EE", "unknown_critical_extension", POLICY),
    ("ValidPolicyMappingTest9EE", "unknown_critical_extension", POLICY),
    ("ValidRFC822nameConstraintsTest21EE", "unsupported_name_constraint", KINDS),
    ("ValidRFC822nameConstraintsTest23EE", "unsupported_name_constraint", KINDS),
    ("ValidRFC822nameConstraintsTest25EE", "unsupported_name_constraint", KINDS),
    ("ValidRolloverfromPrintableStringtoUTF8StringTest10EE", "unknown_issuer", BYTES),
    ("ValidSelfIssuedinhibitAnyPolicyTest7EE", "unknown_critical_extension", POLICY),
    ("ValidSelfIssuedinhibitAnyPolicyTest9EE", "unknown_critical_extension", POLICY),
    ("ValidSelfIssuedinhibitPolicyMappingTest7EE", "unknown_critical_extension", POLICY),
    ("ValidSelfIssuedpathLenConstraintTest15EE", "path_too_long", SELF_ISSUED),
    ("ValidSelfIssuedpathLenConstraintTest17EE", "path_too_long", SELF_ISSUED),
    ("ValidSelfIssuedrequireExplicitPolicyTest6EE", "unknown_critical_extension", POLICY),
    ("ValidSeparateCertificateandCRLKeysTest19EE", "crl_key_usage", CRLKEY),
    ("ValidURInameConstraintsTest34EE", "unsupported_name_constraint", KINDS),
    ("ValidURInameConstraintsTest36EE", "unsupported_name_constraint", KINDS),
    ("ValidUTF8StringCaseInsensitiveMatchTest11EE", "unknown_issuer", BYTES),
    ("ValidcRLIssuerTest28EE", "crl_scope", INDIRECT),
    ("ValidcRLIssuerTest29EE", "crl_scope", INDIRECT),
    ("ValidcRLIssuerTest30EE", "crl_indirect", INDIRECT),
    ("ValidcRLIssuerTest33EE", "crl_indirect", INDIRECT),
    ("ValiddeltaCRLTest5EE", "revoked_by_crl", DELTA),
    ("ValiddistributionPointTest4EE", "crl_scope", RELATIVE),
    ("ValiddistributionPointTest7EE", "crl_scope", RELATIVE),
    ("ValidinhibitAnyPolicyTest2EE", "unknown_critical_extension", POLICY),
    ("ValidinhibitPolicyMappingTest2EE", "unknown_critical_extension", POLICY),
    ("ValidinhibitPolicyMappingTest4EE", "unknown_critical_extension", POLICY),
    ("ValidonlyContainsCACertsTest13EE", "ca_certificate", CA),
    ("ValidpathLenConstraintTest14EE", "ca_certificate", CA),
    ("ValidpathLenConstraintTest8EE", "ca_certificate", CA),
    ("Validpre2000UTCnotBeforeDateTest3EE", "bad_validity", OLD),
    ("ValidrequireExplicitPolicyTest1EE", "unknown_critical_extension", POLICY),
    ("ValidrequireExplicitPolicyTest2EE", "unknown_critical_extension", POLICY),
    ("ValidrequireExplicitPolicyTest4EE", "unknown_critical_extension", POLICY),
];

const DELTA: &str = "delta lists are not added to the complete ones: what only a delta says is not known";
const CRLKEY: &str =
    "a list is verified with the key that signed the certificate, and no other of the same CA";
const KINDS: &str = "webpki compares names of hosts and addresses with limits, and refuses all other kinds";
const DSA: &str = "DSA with SHA-1 is not used in TLS any more";
const INDIRECT: &str = "lists that somebody else than the issuer keeps are refused in words";
const BYTES: &str = "webpki compares the names of issuers byte by byte, not as RFC 5280 7.1 does";
const UIDS: &str = "webpki takes no certificate with unique identifiers, which RFC 5280 4.1.2.8 forbids CAs";
const POLICY: &str = "webpki knows no policies, and refuses extensions about them that are critical";
const SELF_ISSUED: &str = "webpki counts a CA's self-issued certificates in path lengths";
const RELATIVE: &str = "names of lists relative to their issuer are compared only where both are";
const CA: &str = "webpki takes no CA's certificate as the peer's own";
const OLD: &str = "webpki counts time from 1970 on, and this one begins in 1950";

#[test]
fn the_suite_of_nist_comes_out_as_expected_but_for_a_list_of_known_exceptions() {
    let folder = Path::new(FILES);
    if !folder.is_dir() {
        skip("python3-cryptography-vectors is not installed");
        return;
    }
    let all = files(&folder.join("certs"));
    let (leaves, cas): (Vec<_>, Vec<_>) = all.iter().partition(|(name, _)| name.ends_with("EE"));
    let root: Der =
        cas.iter().find(|(name, _)| name == "TrustAnchorRootCertificate").unwrap().1.clone().into();
    let cas: Vec<Der> = cas.into_iter().map(|(_, der)| der.clone().into()).collect();
    let trust = TrustStore::from_der([root]).unwrap().from_origin("PKITS");
    let verifier = Verifier::new(trust, Purpose::Server, algorithms()).with_revocation(lists(folder).into());
    let mut found = BTreeMap::new();
    let mut judged = 0;
    for (name, der) in leaves {
        let expected = match name {
            name if name.starts_with("Valid") => true,
            name if name.starts_with("Invalid") => false,
            _ => continue,
        };
        judged += 1;
        let chain: Vec<Der> = std::iter::once(der.clone().into()).chain(cas.iter().cloned()).collect();
        let judgement = verifier.judge(&chain, &[], NOW);
        let accepted = verifier.accepts_but_for_revocation(&chain, &[], NOW);
        assert!(accepted || !judgement.is_accepted(), "{name}: webpki's word is necessary\n{judgement}");
        if judgement.is_accepted() != expected {
            found.insert(name.clone(), code(&judgement));
        }
    }
    assert!(judged > 200, "{judged}");
    let known = EXCEPTIONS.iter().map(|(name, code, _)| ((*name).to_owned(), *code)).collect();
    assert_eq!(found, known, "{} of {judged} come out otherwise", found.len());
}

fn lists(folder: &Path) -> RevocationLists {
    let lists = files(&folder.join("crls"));
    let lists = lists.iter().filter_map(|(_, der)| RevocationLists::from_file(der).ok());
    lists.reduce(|one, other| one.and(&other)).unwrap()
}

/// Name without suffix, and content, in order.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// Where `scripts/test` lists what was skipped.
fn skip(why: &str) {
    use std::io::Write as _;
    eprintln!("skipped: {why}");
    if let Some(list) = std::env::var_os("GLASSTACK_SKIPPED") {
        let mut list = std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap();
        writeln!(list, "pkits: {why}").unwrap();
    }
}
