//! Signatures from the RFCs, each made by somebody else with a library of their own.

use crate::dnssec::checks::Checks;
use crate::dnssec::keys::TrustedKeys;
use crate::dnssec::link::SignedBy;
use crate::dnssec::reason::SignatureFault;
use crate::dnssec::sets::{Section, SignedSet};
use crate::dnssec::testing::{base64, hex, name};
use crate::dnssec::validator::Limits;
use crate::dnssec::verify::{NotVerified, Verified, verify};
use crate::message::{Message, Question};
use crate::name::DnsName;
use crate::record::{Dnskey, Record, RecordData, RecordType, Rrsig};
use crate::zone::Zone;
use crate::zonefile::ZoneFileOptions;

struct Vector {
    zone: DnsName,
    key: Dnskey,
    record: Record,
    signature: Rrsig,
}

impl Vector {
    fn verify(&self, now: u32) -> Result<Verified, NotVerified> {
        let keys = TrustedKeys::new(self.zone.clone(), DnsName::root(), std::slice::from_ref(&self.key));
        let set = SignedSet {
            section: Section::Answer,
            name: self.record.owner.clone(),
            record_type: self.record.record_type(),
            records: vec![self.record.clone()],
            signatures: vec![(self.signature.clone(), self.record.ttl)],
        };
        verify(&set, &keys, now, &mut Checks::new(&Limits::default()))
    }

    fn signed_by(&self) -> SignedBy {
        SignedBy {
            zone: self.zone.clone(),
            key_tag: self.key.key_tag(),
            algorithm: self.key.algorithm,
            expiration: self.signature.expiration,
        }
    }
}

/// Of what key (flags, algorithm, the key), over which record, until when and since when.
fn vector(
    zone: &str,
    (flags, algorithm, key): (u16, u8, &str),
    (owner, labels, data): (&str, u8, RecordData),
    (expiration, inception): (u32, u32),
    signature: &str,
) -> Vector {
    let key = Dnskey { flags, protocol: 3, algorithm, public_key: base64(key) };
    let record = Record { owner: name(owner), ttl: 3600, data };
    let signature = Rrsig {
        type_covered: record.record_type(),
        algorithm,
        labels,
        original_ttl: 3600,
        expiration,
        inception,
        key_tag: key.key_tag(),
        signer: name(zone),
        signature: base64(signature),
    };
    Vector { zone: name(zone), key, record, signature }
}

fn mx(preference: u16, exchange: &str) -> RecordData {
    RecordData::Mx { preference, exchange: name(exchange) }
}

/// RFC 8080 6.1, with the signatures of its erratum 4935.
fn ed25519() -> [Vector; 2] {
    let data = || ("example.com", 2, mx(10, "mail.example.com"));
    let times = (1_440_021_600, 1_438_207_200);
    let first = (257, 15, "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=");
    let second = (257, 15, "zPnZ/QwEe7S8C5SPz2OfS5RR40ATk2/rYnE9xHIEijs=");
    [
        vector(
            "example.com",
            first,
            data(),
            times,
            "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==",
        ),
        vector(
            "example.com",
            second,
            data(),
            times,
            "zXQ0bkYgQTEFyfLyi9QoiY6D8ZdYo4wyUhVioYZXFdT410QPRITQSqJSnzQoSm5poJ7gD7AQR0O7KuI5k2pcBg==",
        ),
    ]
}

/// RFC 6605 6.1.
fn p256() -> Vector {
    vector(
        "example.net",
        (257, 13, "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="),
        ("www.example.net", 3, RecordData::A([192, 0, 2, 1].into())),
        (1_284_026_679, 1_281_607_479),
        "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==",
    )
}

/// RFC 6605 6.2.
fn p384() -> Vector {
    vector(
        "example.net",
        (
            257,
            14,
            "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBw\
             Y8rp65F6Glur8I/mlVNgF6W/qTI37m40",
        ),
        ("www.example.net", 3, RecordData::A([192, 0, 2, 1].into())),
        (1_284_027_625, 1_281_608_425),
        "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqX\
         L5bdcJzusdnI0RSMROxxwGipWcJm",
    )
}

/// RFC 5702 6.2.
fn rsa_sha512() -> Vector {
    vector(
        "example.net",
        (
            256,
            10,
            "AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6r\
             klMrZDtJCQ5PCl/D7QNPsgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL",
        ),
        ("www.example.net", 3, RecordData::A([192, 0, 2, 91].into())),
        (1_893_456_000, 946_684_800),
        "tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fO\
         uagYJRfDqfReKBzMweOLDiNa8iP5g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw=",
    )
}

/// RFC 4035 B.6: made from the wildcard `*.w.example`.
fn rsa_sha1() -> Vector {
    vector(
        "example",
        (
            256,
            5,
            "AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+N\
             wILQdzsUlSFovBZsyl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ==",
        ),
        ("a.z.w.example", 2, mx(1, "ai.example")),
        (1_084_127_779, 1_081_535_779),
        "OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/6\
         KCWhqe2XTjnkVLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI=",
    )
}

#[test]
fn signatures_of_every_algorithm_are_verified() {
    let [first, second] = ed25519();
    assert_eq!((first.key.key_tag(), second.key.key_tag()), (3613, 35_217));
    assert_eq!((p256().key.key_tag(), p384().key.key_tag()), (55_648, 10_771));
    assert_eq!((rsa_sha512().key.key_tag(), rsa_sha1().key.key_tag()), (3740, 38_519));
    for (vector, now) in [
        (first, 1_439_000_000),
        (second, 1_439_000_000),
        (p256(), 1_283_000_000),
        (p384(), 1_283_000_000),
        (rsa_sha512(), 1_283_000_000),
        (rsa_sha1(), 1_083_000_000),
    ] {
        assert_eq!(vector.verify(now).unwrap().signed_by, vector.signed_by());
        let mut changed = vector.signature.clone();
        changed.signature[3] ^= 1;
        let changed = Vector { signature: changed, ..vector };
        let (key_tag, algorithm) = (changed.key.key_tag(), changed.key.algorithm);
        let fault = SignatureFault::Mismatch { key_tag, algorithm };
        assert_eq!(changed.verify(now), Err(NotVerified::Fault(fault)));
    }
}

#[test]
fn what_a_wildcard_made_is_known_as_such() {
    let vector = rsa_sha1();
    assert_eq!(vector.verify(1_083_000_000).unwrap().wildcard, Some(name("*.w.example")));
    assert_eq!(p256().verify(1_283_000_000).unwrap().wildcard, None);
}

#[test]
fn a_signature_holds_from_its_first_second_to_its_last() {
    let vector = p256();
    let (inception, expiration) = (vector.signature.inception, vector.signature.expiration);
    assert!(vector.verify(inception).is_ok());
    assert_eq!(vector.verify(expiration).unwrap().ttl, 0);
    assert_eq!(vector.verify(expiration - 60).unwrap().ttl, 60, "RFC 4035 5.3.3");
    let key_tag = vector.key.key_tag();
    let early = SignatureFault::NotYetValid { key_tag, inception, now: inception - 1 };
    assert_eq!(vector.verify(inception - 1), Err(NotVerified::Fault(early)));
    let late = SignatureFault::Expired { key_tag, expiration, now: expiration + 1 };
    assert_eq!(vector.verify(expiration + 1), Err(NotVerified::Fault(late)));
}

#[test]
fn digests_of_keys_are_those_of_the_rfcs() {
    let [first, _] = ed25519();
    let ds = |vector: &Vector, digest_type| vector.key.to_ds(&vector.zone, digest_type).unwrap().digest;
    assert_eq!(ds(&first, 2), hex("3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"));
    assert_eq!(ds(&p256(), 2), hex("b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"));
    assert_eq!(
        ds(&p384(), 4),
        hex(
            "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6"
        )
    );
}

#[test]
fn a_signature_must_be_of_the_zone_and_fit_the_name() {
    let fault = |vector: Vector| match vector.verify(1_283_000_000) {
        Err(NotVerified::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let with = |change: &dyn Fn(&mut Rrsig)| {
        let mut vector = p256();
        change(&mut vector.signature);
        fault(vector)
    };
    assert!(matches!(with(&|rrsig| rrsig.signer = name("net")), SignatureFault::Signer { .. }));
    assert_eq!(with(&|rrsig| rrsig.labels = 4), SignatureFault::Labels { claimed: 4, labels: 3 });
    assert_eq!(
        with(&|rrsig| rrsig.labels = 1),
        SignatureFault::Labels { claimed: 1, labels: 3 },
        "the wildcard would be outside the zone"
    );
    assert!(matches!(with(&|rrsig| rrsig.key_tag = 1), SignatureFault::NoKey { key_tag: 1, .. }));
    assert!(matches!(with(&|rrsig| rrsig.algorithm = 16), SignatureFault::Algorithm { algorithm: 16 }));
    let mut elsewhere = p256();
    elsewhere.record.owner = name("www.example.com");
    assert!(matches!(fault(elsewhere), SignatureFault::Signer { .. }));
    let mut revoked = p256();
    revoked.key.flags |= 0x80;
    revoked.signature.key_tag = revoked.key.key_tag();
    assert!(matches!(fault(revoked), SignatureFault::Revoked { .. }));
}

/// A zone whose names have capitals, and where they are, signed by BIND's `dnssec-signzone`.
const SPELLING: &str = include_str!("../../tests/data/spelling.zone");

fn all_signatures_are_good(records: &[Record]) {
    let zone = name("en.test");
    let keys: Vec<Dnskey> = records
        .iter()
        .filter_map(|record| match &record.data {
            RecordData::Dnskey(key) => Some(key.clone()),
            _ => None,
        })
        .collect();
    let keys = TrustedKeys::new(zone, DnsName::root(), &keys);
    let sets = SignedSet::of(Section::Answer, records);
    assert!(sets.len() > 20);
    for set in &sets {
        let verified = verify(set, &keys, 1_800_000_000, &mut Checks::new(&Limits::default()));
        assert!(verified.is_ok(), "{} {}: {verified:?}", set.name, set.record_type);
    }
}

#[test]
fn letters_are_signed_as_they_were_written_where_the_type_wants_it() {
    let zone = name("en.test");
    let (zone, _) = Zone::parse(SPELLING, &ZoneFileOptions::new(&zone, "spelling.zone")).unwrap();
    let records: Vec<Record> = zone.records().cloned().collect();
    all_signatures_are_good(&records);
    // As text and back.
    let read: Vec<Record> = records.iter().map(|record| record.to_string().parse().unwrap()).collect();
    all_signatures_are_good(&read);
    // As a message and back.
    let mut message = Message::query(1, Question::new(name("en.test"), RecordType::AXFR), None);
    message.answers = records;
    all_signatures_are_good(&Message::parse(&message.to_bytes().unwrap()).unwrap().answers);
}
