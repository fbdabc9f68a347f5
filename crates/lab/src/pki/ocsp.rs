//! The responder: whether a certificate is still good, asked for one by one (RFC 6960).
//!
//! ```text
//!   OCSPRequest                        OCSPResponse
//!     which certificate (CertID):        how it went: successful, tryLater, ...
//!       hash of the issuer's name        who says so, and when
//!       hash of the issuer's key         each CertID: good, revoked (when, why), unknown;
//!       serial number                      true since, true until
//!     nonce                              the nonce again
//!                                        signature, and the certificate of who signs if it is not the issuer
//! ```
//!
//! For the issuing authority somebody answers to whom it has given a certificate for that (RFC 6960 4.2.2.2); the
//! root and all others sign themselves.

use super::authority::Ca;
use super::draft::{Draft, Signed};
use super::key::Key;
use super::leaf::{self, ClientKind, issuer, manner};
use super::terms::KeyKind;
use super::{Office, PkiError};
use rcgen::PublicKeyData;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use yasna::models::ObjectIdentifier;
use yasna::tags::TAG_GENERALIZEDTIME;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReaderSeq, DERWriter, Tag, construct_der, parse_der};

/// RFC 6960 4.2.1, 4.4.1; RFC 5754 2.2, RFC 3279 2.1.
const BASIC: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1];
const NONCE: [u64; 10] = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2];
const SHA1: [u64; 6] = [1, 3, 14, 3, 2, 26];
const SHA256: [u64; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];
/// id-at-commonName (RFC 5280 A.1).
const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];
/// RFC 9654 2.1: the longest nonce, in bytes.
const LONGEST_NONCE: usize = 128;
/// The most certificates that one request may ask about.
const MOST: usize = 16;

/// OCSPResponseStatus (RFC 6960 4.2.1).
const SUCCESSFUL: i64 = 0;
const MALFORMED_REQUEST: i64 = 1;
const INTERNAL_ERROR: i64 = 2;
const TRY_LATER: i64 = 3;
const UNAUTHORIZED: i64 = 6;

/// How the responder speaks of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Good,
    /// Good, as of three days ago.
    Early,
    /// Revoked an hour ago.
    Revoked,
    /// It does not know it.
    Unknown,
    /// Good, until a week ago.
    Stale,
    /// Good, signed by a stranger.
    Forged,
    /// It has no time.
    TryLater,
}

/// What is asked (RFC 6960 4.1.1).
struct Question {
    certificates: Vec<CertId>,
    /// The value of the extension, as it came.
    nonce: Option<Vec<u8>>,
}

/// CertID (RFC 6960 4.1.1).
#[derive(Clone, PartialEq, Eq)]
struct CertId {
    algorithm: ObjectIdentifier,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Vec<u8>,
}

impl Office {
    /// The answer to a request, at this time.
    pub(super) fn answer(&self, request: &[u8], at: OffsetDateTime) -> Vec<u8> {
        let Ok(question) = question(request) else { return refusal(MALFORMED_REQUEST) };
        // RFC 6960 2.3: for whom this responder does not speak.
        let ca = question.certificates.first().and_then(|asked| self.asked_of(asked).transpose());
        match ca {
            None => refusal(UNAUTHORIZED),
            Some(ca) => ca
                .and_then(|ca| self.answer_of(ca, &question, at))
                .unwrap_or_else(|_| refusal(INTERNAL_ERROR)),
        }
    }

    /// The answer about a site's certificate, as its server has fetched it.
    pub(super) fn answer_about(
        &self,
        ca: Ca,
        serial: Vec<u8>,
        at: OffsetDateTime,
    ) -> Result<Vec<u8>, PkiError> {
        let authority = self.authority(ca)?;
        let algorithm = ObjectIdentifier::from_slice(&SHA1);
        let name_hash = Sha1::digest(name(ca)).to_vec();
        let key_hash = Sha1::digest(authority.key.der_bytes()).to_vec();
        let asked = CertId { algorithm, name_hash, key_hash, serial };
        self.answer_of(ca, &Question { certificates: vec![asked], nonce: None }, at)
    }

    /// Whose certificate is asked about.
    fn asked_of(&self, asked: &CertId) -> Result<Option<Ca>, PkiError> {
        for ca in Ca::ALL.into_iter().filter(|ca| *ca != Ca::SecondByStranger) {
            if asked.hash(&name(ca)).is_some_and(|hash| hash == asked.name_hash)
                && asked.hash(self.authority(ca)?.key.der_bytes()).is_some_and(|hash| hash == asked.key_hash)
            {
                return Ok(Some(ca));
            }
        }
        Ok(None)
    }

    fn answer_of(&self, ca: Ca, question: &Question, at: OffsetDateTime) -> Result<Vec<u8>, PkiError> {
        let authority = self.authority(ca)?;
        let manners: Vec<(&CertId, Manner)> =
            question.certificates.iter().map(|asked| (asked, self.manner_of(ca, &asked.serial))).collect();
        let has = |wanted| manners.iter().any(|(_, manner)| *manner == wanted);
        if has(Manner::TryLater) {
            return Ok(refusal(TRY_LATER));
        }
        let stranger = self.authority(Ca::Stranger)?;
        let delegate;
        let (speaker, with): (&Signed, bool) = match ca {
            _ if has(Manner::Forged) => (&stranger, true),
            // RFC 6960 4.2.2.2: delegated.
            Ca::Issuing => {
                delegate = self.delegate()?;
                (&delegate, true)
            }
            _ => (&authority, false),
        };
        let data = construct_der(|writer| {
            writer.write_sequence(|writer| {
                // ResponderID, byKey: SHA-1 of the key.
                writer.next().write_tagged(Tag::context(2), |writer| {
                    writer.write_bytes(&Sha1::digest(speaker.key.der_bytes()));
                });
                write_time(writer.next(), at);
                writer.next().write_sequence(|writer| {
                    for (asked, manner) in &manners {
                        write_single(writer.next(), asked, *manner, at);
                    }
                });
                if let Some(nonce) = &question.nonce {
                    writer.next().write_tagged(Tag::context(1), |writer| {
                        writer.write_sequence(|writer| {
                            writer.next().write_sequence(|writer| {
                                writer.next().write_oid(&ObjectIdentifier::from_slice(&NONCE));
                                writer.next().write_bytes(nonce);
                            });
                        });
                    });
                }
            });
        });
        let basic = signed(&data, &speaker.key, with.then_some(speaker.der.as_slice()))?;
        Ok(construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_enum(SUCCESSFUL);
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_oid(&ObjectIdentifier::from_slice(&BASIC));
                        writer.next().write_bytes(&basic);
                    });
                });
            });
        }))
    }

    /// Who answers for the issuing authority.
    pub(super) fn delegate(&self) -> Result<Signed, PkiError> {
        let dates = (self.now - Duration::days(30), self.now + Duration::days(60));
        let owner = "responder";
        let key = self.secrets.key(owner, KeyKind::Usual)?;
        let draft = Draft::responder("glasstack lab OCSP responder", dates);
        let authority = self.authority(Ca::Issuing)?;
        draft.signed_by(&authority, owner, key, &self.secrets)
    }

    /// What is known of a certificate of this authority.
    fn manner_of(&self, ca: Ca, serial: &[u8]) -> Manner {
        let is_its = |owner: &str| self.secrets.serial(owner) == serial;
        for below in Ca::ALL.into_iter().filter(|below| below.parent() == Some(ca)) {
            if is_its(&below.owner()) {
                let is_taken_back = below == Ca::Issuing && self.terms.revoke_intermediate;
                return if is_taken_back { Manner::Revoked } else { Manner::Good };
            }
        }
        for (site, order) in self.orders().iter() {
            let flaw = self.flaw(site, order);
            if issuer(order, flaw) == ca && is_its(&leaf::owner(site)) {
                return manner(flaw, self.is_taken_back(site, order));
            }
        }
        let client = ClientKind::ALL.into_iter().find(|kind| kind.issuer() == ca && is_its(&kind.owner()));
        match client {
            Some(ClientKind::Revoked) => Manner::Revoked,
            Some(_) => Manner::Good,
            None => Manner::Unknown,
        }
    }
}

impl CertId {
    /// The hash of something, by the algorithm asked for; none if that is not known here.
    fn hash(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm.components().as_slice() {
            algorithm if algorithm == SHA1 => Some(Sha1::digest(bytes).to_vec()),
            algorithm if algorithm == SHA256 => Some(Sha256::digest(bytes).to_vec()),
            _ => None,
        }
    }

    fn write(&self, writer: DERWriter<'_>) {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&self.algorithm);
                writer.next().write_null();
            });
            writer.next().write_bytes(&self.name_hash);
            writer.next().write_bytes(&self.key_hash);
            writer.next().write_bigint_bytes(&self.serial, true);
        });
    }
}

/// The subject of an authority, as its certificate has it (RFC 5280 4.1.2.4).
fn name(ca: Ca) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_set(|writer| {
                writer.next().write_sequence(|writer| {
                    writer.next().write_oid(&ObjectIdentifier::from_slice(&COMMON_NAME));
                    writer.next().write_utf8_string(ca.name());
                });
            });
        });
    })
}

// ---- answers

/// An answer without anything in it (RFC 6960 2.3).
fn refusal(status: i64) -> Vec<u8> {
    construct_der(|writer| writer.write_sequence(|writer| writer.next().write_enum(status)))
}

/// SingleResponse (RFC 6960 4.2.1).
fn write_single(writer: DERWriter<'_>, asked: &CertId, manner: Manner, at: OffsetDateTime) {
    let (hour, day) = (Duration::hours(1), Duration::days(1));
    let (from, to) = match manner {
        Manner::Early => (at - day * 3, at + day * 4),
        Manner::Stale => (at - day * 14, at - day * 7),
        _ => (at - hour, at + day * 7),
    };
    writer.write_sequence(|writer| {
        asked.write(writer.next());
        match manner {
            // RFC 6960 4.4.9 and RFC 5280 5.3.1: why is optional, and 1 is keyCompromise.
            Manner::Revoked => writer.next().write_tagged_implicit(Tag::context(1), |writer| {
                writer.write_sequence(|writer| {
                    write_time(writer.next(), at - hour);
                    writer.next().write_tagged(Tag::context(0), |writer| writer.write_enum(1));
                });
            }),
            Manner::Unknown => {
                writer.next().write_tagged_implicit(Tag::context(2), |writer| writer.write_null())
            }
            _ => writer.next().write_tagged_implicit(Tag::context(0), |writer| writer.write_null()),
        }
        write_time(writer.next(), from);
        writer.next().write_tagged(Tag::context(0), |writer| write_time(writer, to));
    });
}

/// BasicOCSPResponse (RFC 6960 4.2.1).
fn signed(data: &[u8], key: &Key, certificate: Option<&[u8]>) -> Result<Vec<u8>, PkiError> {
    let signature = key.signature(data)?;
    let (algorithm, has_null) = key.algorithm_identifier();
    Ok(construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_der(data);
            writer.next().write_sequence(|writer| {
                writer.next().write_oid(&ObjectIdentifier::from_slice(algorithm));
                if has_null {
                    writer.next().write_null();
                }
            });
            writer.next().write_bitvec_bytes(&signature, signature.len() * 8);
            if let Some(certificate) = certificate {
                writer.next().write_tagged(Tag::context(0), |writer| {
                    writer.write_sequence(|writer| writer.next().write_der(certificate));
                });
            }
        });
    }))
}

/// GeneralizedTime without fractions (RFC 5280 4.1.2.5.2).
fn write_time(writer: DERWriter<'_>, time: OffsetDateTime) {
    let (date, hour, minute, second) = (time.date(), time.hour(), time.minute(), time.second());
    let text = format!(
        "{:04}{:02}{:02}{hour:02}{minute:02}{second:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day()
    );
    writer.write_tagged_implicit(TAG_GENERALIZEDTIME, |writer| writer.write_bytes(text.as_bytes()));
}

// ---- requests

/// OCSPRequest (RFC 6960 4.1.1). Who asks, and a signature, are passed over.
fn question(request: &[u8]) -> ASN1Result<Question> {
    parse_der(request, |reader| {
        reader.read_sequence(|reader| {
            let question = reader.next().read_sequence(|reader| {
                for unneeded in [0, 1] {
                    reader.read_optional(|reader| {
                        reader.read_tagged(Tag::context(unneeded), |reader| reader.read_der())
                    })?;
                }
                let certificates = reader.next().collect_sequence_of(|reader| {
                    reader.read_sequence(|reader| {
                        let certificate = reader.next().read_sequence(cert_id)?;
                        reader.read_optional(|reader| {
                            reader.read_tagged(Tag::context(0), |reader| reader.read_der())
                        })?;
                        Ok(certificate)
                    })
                })?;
                let nonce = reader.read_optional(|reader| {
                    reader.read_tagged(Tag::context(2), |reader| {
                        Ok(reader.collect_sequence_of(extension)?.into_iter().flatten().next())
                    })
                })?;
                Ok(Question { certificates, nonce: nonce.flatten() })
            })?;
            reader.read_optional(|reader| reader.read_tagged(Tag::context(0), |reader| reader.read_der()))?;
            Ok(question)
        })
    })
    .and_then(|question| {
        let too_long = |nonce: &Vec<u8>| nonce.len() > LONGEST_NONCE + 3;
        if question.certificates.is_empty()
            || question.certificates.len() > MOST
            || question.nonce.as_ref().is_some_and(too_long)
        {
            return Err(ASN1Error::new(ASN1ErrorKind::Invalid));
        }
        Ok(question)
    })
}

fn cert_id(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<CertId> {
    let algorithm = reader.next().read_sequence(|reader| {
        let algorithm = reader.next().read_oid()?;
        reader.read_optional(|reader| reader.read_null())?;
        Ok(algorithm)
    })?;
    let (name_hash, key_hash) = (reader.next().read_bytes()?, reader.next().read_bytes()?);
    let (serial, _) = reader.next().read_bigint_bytes()?;
    Ok(CertId { algorithm, name_hash, key_hash, serial })
}

/// The value of an extension, if it is the nonce (RFC 6960 4.4.1).
fn extension(reader: yasna::BERReader<'_, '_>) -> ASN1Result<Option<Vec<u8>>> {
    reader.read_sequence(|reader| {
        let oid = reader.next().read_oid()?;
        reader.read_optional(|reader| reader.read_bool())?;
        let value = reader.next().read_bytes()?;
        Ok((oid.components().as_slice() == NONCE).then_some(value))
    })
}
