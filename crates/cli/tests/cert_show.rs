//! `glasstack cert show`: what it tells of files that openssl has made, held against what openssl tells of them;
//! and of hosts of the lab.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, reason = "another program is run beside ours")]

#[path = "support/ran.rs"]
mod ran;

use ran::{Folder, Ran};
use serde_json::Value;
use std::process::Command;

/// A certificate with everything in it.
const CONFIG: &str = r#"
[req]
distinguished_name = dn
prompt = no
x509_extensions = v3
[dn]
C = DE
O = Ex\, ample
CN = www.example.test
[v3]
subjectAltName = DNS:www.example.test,DNS:*.example.test,IP:10.0.0.1,IP:2001:db8::1,email:a@b.test,URI:https://a.test/,dirName:other,RID:1.2.3.4
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth,1.2.3.4.5
basicConstraints = critical,CA:true,pathlen:3
nameConstraints = permitted;DNS:.example.test,permitted;IP:10.0.0.0/255.0.0.0,excluded;email:.bad.test
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer:always
crlDistributionPoints = URI:http://ca.test/a.crl
authorityInfoAccess = OCSP;URI:http://ocsp.test/,caIssuers;URI:http://ca.test/ca.der
certificatePolicies = 2.23.140.1.2.1,@policy
policyConstraints = requireExplicitPolicy:3
inhibitAnyPolicy = 2
tlsfeature = status_request
1.2.3.4.5.6 = critical,ASN1:UTF8String:what
nsComment = "a]0;title"
[other]
CN = other
[policy]
policyIdentifier = 1.3.5.8
CPS.1 = http://ca.test/cps
userNotice.1 = @notice
[notice]
explicitText = beware
[ca]
default_ca = d
[d]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 7
"#;

fn openssl(folder: &Folder, line: &str) -> String {
    let ran = Command::new("openssl").args(line.split(' ')).current_dir(folder.path()).output().unwrap();
    assert!(ran.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

fn made(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("config", CONFIG.replace("a]0", "a\u{1b}]0"));
    openssl(&folder, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem");
    openssl(&folder, "req -x509 -key key.pem -out cert.pem -days 90 -config config -set_serial 0x00ff1234");
    folder
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

/// What stands behind `=`, in our spelling.
fn value(line: &str) -> String {
    line.trim().split_once('=').unwrap().1.to_ascii_lowercase()
}

#[test]
fn a_certificate_s_facts_are_those_that_openssl_tells() {
    let folder = made("cert-facts");
    let told = json(&folder.line("cert show cert.pem --json").exits(0));
    let told = &told["documents"][0];
    assert_eq!(told["kind"], "certificate");
    let serial = value(&openssl(&folder, "x509 -in cert.pem -noout -serial"));
    assert_eq!(told["serial"].as_str().unwrap().replace(':', ""), serial);
    for (name, option) in [("sha1", "-sha1"), ("sha256", "-sha256")] {
        let hash = value(&openssl(&folder, &format!("x509 -in cert.pem -noout -fingerprint {option}")));
        assert_eq!(told[name], hash, "{name}");
    }
    let dates = openssl(&folder, "x509 -in cert.pem -noout -dates -dateopt iso_8601");
    for (name, line) in ["not_before", "not_after"].iter().zip(dates.lines()) {
        let date = told[name].as_str().unwrap().to_ascii_lowercase();
        assert_eq!(value(line).replace(' ', "t"), date, "{name}");
    }
    openssl(&folder, "pkey -in key.pem -pubout -outform DER -out public.der");
    let pin = "dgst -sha256 -binary -out hash public.der";
    openssl(&folder, pin);
    let pin = openssl(&folder, "base64 -in hash");
    assert_eq!(told["key"]["pin"], format!("sha256//{}", pin.trim()));
    assert_eq!((&told["key"]["algorithm"], &told["key"]["bits"]), (&"RSA".into(), &2048.into()));
    assert_eq!(told["subject"], "C=DE, O=Ex\\, ample, CN=www.example.test");
}

#[test]
fn every_extension_is_decoded_by_its_name_and_an_unknown_one_told_in_hex() {
    let folder = made("cert-extensions");
    let text = folder.line("cert show cert.pem").exits(0).out;
    for said in [
        "DNS *.example.test",
        "IP 2001:db8::1",
        "email a@b.test",
        "URI https://a.test/",
        "directory name CN=other",
        "registered ID 1.2.3.4",
        "key usage, critical\n      digitalSignature, keyEncipherment",
        "serverAuth, 1.2.3.4.5",
        "basic constraints, critical\n      CA yes, path length 3",
        "permitted DNS .example.test, IP 10.0.0.0/8, excluded email .bad.test",
        "CRL distribution points\n      URI http://ca.test/a.crl",
        "OCSP http://ocsp.test/, issuer certificate http://ca.test/ca.der",
        "policy domain validated (2.23.140.1.2.1)",
        "OID 1.3.5.8, statement http://ca.test/cps, notice beware",
        "require explicit policy after 3",
        "inhibit any policy\n      2",
        "status_request (must-staple",
        "unknown extension 1.2.3.4.5.6, critical\n      0c:04:77:68:61:74",
    ] {
        assert!(text.contains(said), "no `{said}` in:\n{text}");
    }
    // A stranger's text does nothing to a terminal.
    assert!(text.contains("a\\u{1b}]0;title") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_is_left_of_its_time_is_told_at_the_time_that_is_said() {
    let folder = Folder::new("cert-time");
    folder.line("lab pki pki").exits(0);
    let show = |time: &str| {
        folder.line(&format!("cert show pki/servers/www.example.test.pem --time {time}")).exits(0)
    };
    show("2026-06-01T12:00:00Z").prints("not after   2026-07-31T12:00:00Z (60 days left)");
    show("2026-08-01T12:00:00Z").prints("(it ended 24 hours ago)");
    show("2026-04-30T12:00:00Z").prints("(it begins in 2 days)");
    // In the lab it is the lab's time that counts.
    folder.line("cert show -s --net lab pki/servers/www.example.test.pem").exits(0).prints("(60 days left)");
}

#[test]
fn requests_lists_messages_and_keys_are_shown_and_nothing_private() {
    let folder = made("cert-others");
    for line in [
        "req -new -key key.pem -subj /CN=asks -addext subjectAltName=DNS:asks.test -out asks.csr",
        "x509 -req -in asks.csr -CA cert.pem -CAkey key.pem -set_serial 77 -days 30 -out leaf.pem",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem",
        "pkcs8 -topk8 -in ec.pem -out sealed.pem -passout pass:secret",
        "ec -in ec.pem -out sec1.pem",
        "pkey -in ec.pem -pubout -out public.pem",
        "x509 -in cert.pem -outform DER -out cert.der",
    ] {
        openssl(&folder, line);
    }
    folder.write("index.txt", "");
    folder.write("crlnumber", "01\n");
    let ca = "ca -config config -cert cert.pem -keyfile key.pem";
    openssl(&folder, &format!("{ca} -revoke leaf.pem -crl_reason keyCompromise"));
    openssl(&folder, &format!("{ca} -gencrl -out list.pem"));
    openssl(&folder, "ocsp -issuer cert.pem -cert leaf.pem -reqout asked");
    let answer = "ocsp -index index.txt -CA cert.pem -rsigner cert.pem -rkey key.pem -reqin asked -respout answer -ndays 3";
    openssl(&folder, answer);
    let shown = |file: &str, said: &[&str]| {
        let ran = folder.line(&format!("cert show {file}")).exits(0);
        for said in said {
            assert!(ran.out.contains(said), "{file}: no `{said}` in:\n{}", ran.out);
        }
        ran.out
    };
    shown("asks.csr", &["certificate request\n", "subject    CN=asks", "DNS asks.test"]);
    shown("list.pem", &["revocation list\n", "serial 4d, at ", "reason code keyCompromise", "days left)"]);
    shown("asked", &["OCSP request\n", "hash              SHA-1", "OCSP nonce"]);
    shown("answer", &["OCSP response\n", "status            revoked", "reason            keyCompromise"]);
    shown("public.pem", &["public key\n", "ECDSA P-256", "sha256//"]);
    shown("cert.der", &["certificate\n", "CN=www.example.test"]);
    let pin =
        |text: &str| text.split_whitespace().find(|word| word.starts_with("sha256//")).unwrap().to_owned();
    let public = pin(&shown("public.pem", &[]));
    for (file, format) in [("ec.pem", "PKCS#8"), ("sec1.pem", "SEC1")] {
        assert_eq!(pin(&shown(file, &["private key\n", format])), public, "{file}");
    }
    shown("sealed.pem", &["encrypted private key\n", "PBES2, PBKDF2 and AES-256-CBC"]);
    let opened = folder.line("cert show sealed.pem --pass secret").exits(0);
    assert_eq!(pin(&opened.out), public);
    folder.line("cert show sealed.pem --pass wrong").exits(2).prints("another password");
    openssl(&folder, "pkcs12 -export -in cert.pem -inkey key.pem -out both.p12 -passout pass:secret");
    let both = folder.line("cert show both.p12 --pass secret").exits(0);
    both.prints("1 of 2: certificate").prints("2 of 2: private key");
    folder.line("cert show both.p12").exits(2).prints("unreadable: the PKCS#12 file has a password");
    // A key that is too weak to be used is told all the same.
    openssl(&folder, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.pem");
    openssl(&folder, "pkey -in weak.pem -pubout -out weak.pub");
    assert_eq!(pin(&shown("weak.pem", &["bits       1024"])), pin(&shown("weak.pub", &[])));
    // The key itself, in whatever spelling, is not among it.
    let private = openssl(&folder, "pkey -in ec.pem -noout -text");
    let line = private
        .lines()
        .find(|line| line.starts_with("    "))
        .unwrap()
        .trim()
        .trim_end_matches(':')
        .to_owned();
    let told = folder.line("cert show ec.pem --json").out;
    assert!(line.len() > 20 && !told.contains(&line), "{line}");
    folder.line("cert show ec.pem --pem").exits(2).says("private keys are not shown");
}

#[test]
fn a_bundle_s_parts_are_numbered_and_one_that_is_broken_hides_no_other() {
    let folder = made("cert-bundle");
    let cert = folder.text("cert.pem");
    openssl(&folder, "x509 -in cert.pem -outform DER -out cert.der");
    let broken = "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n";
    folder.write("bundle", format!("a note\n{cert}{broken}{cert}"));
    let text = folder.line("cert show bundle").exits(2).out;
    for said in
        ["bundle: 1 of 3: certificate", "bundle: 2 of 3: certificate\n  unreadable: ", "bundle: 3 of 3: "]
    {
        assert!(text.contains(said), "no `{said}` in:\n{text}");
    }
    assert_eq!(folder.line("cert show cert.pem --pem").exits(0).out, cert);
    folder.write("junk", [0x30, 0x82, 0xff]);
    folder.line("cert show junk").exits(2).says("neither PEM");
    folder.write("short", &folder.read("cert.der")[..300]);
    folder.line("cert show short").exits(2).says("it is DER that is cut short: ");
    // A file that is there is meant, and what else could have been is said.
    folder.write("www.example.test", "");
    folder
        .line("cert show --net lab www.example.test")
        .exits(2)
        .says("the host is https://www.example.test/");
    folder.write("nothing", "");
    folder.line("cert show nothing").exits(2).says("it is empty");
    folder.line("cert show absent.pem").exits(26).says("absent.pem");
}

#[test]
fn a_host_shows_its_certificates_whatever_they_are_worth_and_they_are_judged() {
    let folder = Folder::new("cert-host");
    let good = folder.line("cert show -s --net lab www.example.test").exits(0);
    good.prints("1 of 2: certificate").prints("(--chain shows it)").prints("\naccepted\n");
    folder.line("cert show -s --net lab https://expired.badssl.test/x").exits(0).prints("REJECTED (expired)");
    folder
        .line("cert show -s --net lab self-signed.badssl.test:443")
        .exits(0)
        .prints("REJECTED (self_signed)");
    let pem = folder.line("cert show -s --net lab www.example.test --pem").exits(0).out;
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2);
    folder.write("chain.pem", pem);
    folder.line("cert show -s --net lab chain.pem").exits(0).prints("2 of 2: certificate");
    let told = json(&folder.line("cert show -s --net lab --json www.example.test").exits(0));
    assert_eq!(told["judgement"]["verdict"], "accept");
    assert_eq!(told["certificates"].as_array().unwrap().len(), 2);
    // What is stapled, or is not, counts as in `get`.
    for (site, code) in [("staple-revoked", "revoked_by_staple"), ("must-staple-missing", "must_staple")] {
        let ran = folder.line(&format!("cert show -v --net lab {site}.badssl.test")).exits(0);
        assert!(ran.out.contains(&format!("REJECTED ({code})")), "{site}: {}", ran.out);
        assert!(!ran.err.contains("INSECURE") && !ran.err.contains("--insecure"), "{}", ran.err);
    }
    let stapled = folder.line("cert show -s --net lab staple.badssl.test").exits(0);
    stapled.prints("passed  staple ");
    // Another name may be asked for.
    let other = folder.line("cert show -s --net lab www.example.test --name nobody.test").exits(0);
    other.prints("REJECTED (wrong_name)");
    folder.line("cert show -s --net lab http://www.example.test/").exits(2);
    folder.line("cert show -s --net lab nx.test").exits(6);
    folder.line("cert show -s --net lab refused.test").exits(7);
    folder.line("cert show -s --net lab plain-on-443.test").exits(35);
}
