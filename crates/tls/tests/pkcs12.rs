//! PKCS#12 files as `openssl pkcs12 -export` makes them: today's, with `-legacy`, and with
//! `-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1`. In each is the key of `world/p256.pem`
//! with the certificate of CN=alice and that of its CA, under the password "secret".

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use glasstack_tls::{FileFormat, Identity, IdentityError, IdentityFiles};

const AES: &[u8] = include_bytes!("data/aes.p12");
const DES3: &[u8] = include_bytes!("data/3des.p12");
const RC2: &[u8] = include_bytes!("data/rc2.p12");

fn open(file: &[u8], password: Option<&str>) -> Result<Identity, IdentityError> {
    let format = FileFormat::Pkcs12;
    Identity::from_files(&IdentityFiles {
        certificate: file,
        certificate_format: format,
        key: None,
        key_format: FileFormat::Pem,
        password,
    })
}

#[test]
fn files_of_three_generations_of_encryption_are_opened() {
    for (what, file) in [("AES-256, SHA-256", AES), ("3DES, SHA-1", DES3), ("RC2-40 and 3DES, SHA-1", RC2)] {
        let identity = open(file, Some("secret")).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(identity.certificate().subject, "CN=alice", "{what}");
    }
    assert_eq!(open(include_bytes!("data/no-password.p12"), None).unwrap().certificate().subject, "CN=alice");
    assert_eq!("p12".parse::<FileFormat>().unwrap(), FileFormat::Pkcs12);
}

#[test]
fn a_wrong_password_a_missing_one_and_a_damaged_file_are_told_apart() {
    for file in [AES, DES3, RC2] {
        assert!(matches!(open(file, Some("Secret")), Err(IdentityError::Pkcs12Password)));
        assert!(matches!(open(file, None), Err(IdentityError::Pkcs12PasswordMissing)));
        let cut = open(&file[..file.len() - 9], Some("secret"));
        assert!(matches!(cut, Err(IdentityError::Pkcs12Damaged { .. })), "{cut:?}");
        // The last bytes are the MAC's number of rounds, and before it its salt.
        let mut changed = file.to_vec();
        let salt = changed.len() - 8;
        changed[salt] ^= 1;
        let changed = open(&changed, Some("secret"));
        assert!(matches!(changed, Err(IdentityError::Pkcs12Changed)), "{changed:?}");
    }
    let why = open(b"nonsense", Some("secret")).unwrap_err().to_string();
    assert!(why.contains("it does not begin with a SEQUENCE"), "{why}");
    let why = open(&AES[..AES.len() - 9], Some("secret")).unwrap_err().to_string();
    assert!(why.contains(&format!("it is cut short: {} of {} bytes", AES.len() - 9, AES.len())), "{why}");
}

#[test]
fn every_changed_byte_is_noticed_or_does_no_harm() {
    for index in 0..DES3.len() {
        let mut file = DES3.to_vec();
        file[index] ^= 0x10;
        if let Ok(identity) = open(&file, Some("secret")) {
            assert_eq!(identity.certificate().subject, "CN=alice");
        }
    }
}

#[test]
fn a_file_without_a_key_says_so_and_one_given_as_pem_says_what_to_do() {
    let error = open(include_bytes!("data/no-key.p12"), Some("secret")).unwrap_err();
    assert!(matches!(error, IdentityError::Pkcs12NoKey));
    let error = Identity::from_files(&IdentityFiles::pem(AES)).unwrap_err();
    assert!(error.to_string().contains("--cert-type P12"), "{error}");
}

#[test]
fn the_key_may_come_from_another_file() {
    let key = include_bytes!("world/p256.pem");
    let files = IdentityFiles {
        certificate: AES,
        certificate_format: FileFormat::Pkcs12,
        key: Some(key),
        key_format: FileFormat::Pem,
        password: Some("secret"),
    };
    assert_eq!(Identity::from_files(&files).unwrap().certificate().subject, "CN=alice");
}
