//! Which cipher suites are offered, by OpenSSL's names or IANA's, as curl's `--ciphers` and
//! `--tls13-ciphers` take them.

use rustls::crypto::CryptoProvider;
use rustls::{CipherSuite, SupportedCipherSuite};

/// A choice of cipher suites, best first. By default all that are spoken here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CipherList {
    tls12: Option<Vec<CipherSuite>>,
    tls13: Option<Vec<CipherSuite>>,
    left_out: Vec<String>,
}

impl CipherList {
    /// What `--ciphers` and `--tls13-ciphers` ask for, in curl's and OpenSSL's syntax: names with `:`,
    /// comma or blank between them, best first.
    ///
    /// - A suite goes by OpenSSL's name (`ECDHE-RSA-AES256-GCM-SHA384`) or IANA's.
    /// - `ALL`, `DEFAULT`, `HIGH`, `ECDHE`, `AESGCM`, `AES128`, `AES256`, `CHACHA20`, `aECDSA`, `aRSA` and their
    ///   kind stand for those of TLS 1.2's suites that they describe, joined by `+` for those that
    ///   all of them describe. `!NAME` and `-NAME` take away, `+NAME` moves to the end.
    /// - As in OpenSSL, `ciphers` leaves TLS 1.3 as it is, unless it names suites of TLS 1.3 itself.
    ///   A list of nothing else offers no TLS 1.2.
    ///
    /// A suite that is known but not spoken here is left out ([`Self::left_out`]), and an error when
    /// nothing remains. A name that nobody knows is an error. curl exits with 59 for both.
    pub fn parse(ciphers: Option<&str>, tls13: Option<&str>) -> Result<Self, CipherError> {
        let mut list = Self::default();
        if let Some(text) = ciphers {
            let mut reading = Reading::default();
            reading.read(text)?;
            let (of_13, of_12): (Vec<_>, Vec<_>) =
                reading.chosen.into_iter().partition(|suite| suite.is_tls13());
            if of_12.is_empty() && of_13.is_empty() {
                return Err(CipherError::nothing_left(text, reading.left_out));
            }
            list.tls12 = Some(codes(&of_12));
            list.tls13 = (!of_13.is_empty()).then(|| codes(&of_13));
            list.left_out = reading.left_out;
        }
        if let Some(text) = tls13 {
            let mut reading = Reading::default();
            reading.read(text)?;
            if let Some(other) = reading.chosen.iter().find(|suite| !suite.is_tls13()) {
                return Err(CipherError::OfTls12 { name: other.iana.to_owned() });
            }
            if reading.chosen.is_empty() {
                return Err(CipherError::nothing_left(text, reading.left_out));
            }
            list.tls13 = Some(codes(&reading.chosen));
            list.left_out.extend(reading.left_out);
        }
        Ok(list)
    }

    /// What was asked for and is not spoken here, each with its reason: worth a warning.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The suites of `provider` that are in the list, in the list's order.
    pub(crate) fn choose(&self, provider: &CryptoProvider) -> Vec<SupportedCipherSuite> {
        let of = |tls13: bool| {
            let all = provider.cipher_suites.iter().filter(move |suite| suite.tls13().is_some() == tls13);
            match if tls13 { &self.tls13 } else { &self.tls12 } {
                None => all.copied().collect(),
                Some(wanted) => wanted
                    .iter()
                    .filter_map(|code| all.clone().find(|suite| suite.suite() == *code).copied())
                    .collect::<Vec<_>>(),
            }
        };
        [of(true), of(false)].concat()
    }
}

/// A list of cipher suites cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// Nobody knows it.
    #[error(
        "{name:?} is no cipher suite: suites are named as ECDHE-RSA-AES256-GCM-SHA384 (OpenSSL) or \
         TLS_AES_256_GCM_SHA384 (IANA), with : between them"
    )]
    Unknown {
        /// What was given.
        name: String,
    },
    /// All of it is known, and nothing of it spoken here.
    #[error("no cipher suite is left of {list:?}: {}", reasons.join("; "))]
    NothingLeft {
        /// What was given.
        list: String,
        /// Each suite, and why it is not spoken here.
        reasons: Vec<String>,
    },
    /// A suite of TLS 1.2 among those for TLS 1.3.
    #[error("{name} is no cipher suite of TLS 1.3: those of TLS 1.2 belong into --ciphers")]
    OfTls12 {
        /// Which.
        name: String,
    },
}

impl CipherError {
    fn nothing_left(list: &str, mut reasons: Vec<String>) -> Self {
        if reasons.is_empty() {
            reasons.push("it names none".to_owned());
        }
        Self::NothingLeft { list: list.to_owned(), reasons }
    }
}

/// A cipher suite that is spoken here.
#[derive(Debug)]
struct Suite {
    code: CipherSuite,
    iana: &'static str,
    /// OpenSSL's name; for TLS 1.3 it is IANA's.
    openssl: &'static str,
    /// OpenSSL's words for it (ciphers(1)).
    words: &'static [&'static str],
}

impl Suite {
    fn is_tls13(&self) -> bool {
        self.words.is_empty()
    }

    fn is_called(&self, name: &str) -> bool {
        self.openssl.eq_ignore_ascii_case(name) || self.iana.eq_ignore_ascii_case(name)
    }
}

/// What ring and aws-lc speak, in their order.
const SUITES: &[Suite] = &[
    tls13(CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
    tls13(CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
    tls13(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
    Suite {
        code: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        iana: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        openssl: "ECDHE-ECDSA-AES256-GCM-SHA384",
        words: &["aECDSA", "ECDSA", "AESGCM", "AES", "AES256", "SHA384"],
    },
    Suite {
        code: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        iana: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        openssl: "ECDHE-ECDSA-AES128-GCM-SHA256",
        words: &["aECDSA", "ECDSA", "AESGCM", "AES", "AES128", "SHA256"],
    },
    Suite {
        code: CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        iana: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        openssl: "ECDHE-ECDSA-CHACHA20-POLY1305",
        words: &["aECDSA", "ECDSA", "CHACHA20", "SHA256"],
    },
    Suite {
        code: CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        iana: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        openssl: "ECDHE-RSA-AES256-GCM-SHA384",
        words: &["aRSA", "AESGCM", "AES", "AES256", "SHA384"],
    },
    Suite {
        code: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        iana: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        openssl: "ECDHE-RSA-AES128-GCM-SHA256",
        words: &["aRSA", "AESGCM", "AES", "AES128", "SHA256"],
    },
    Suite {
        code: CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        iana: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        openssl: "ECDHE-RSA-CHACHA20-POLY1305",
        words: &["aRSA", "CHACHA20", "SHA256"],
    },
];

/// Words that describe every suite of TLS 1.2 spoken here.
const WORDS_FOR_ALL: &[&str] =
    &["ALL", "DEFAULT", "HIGH", "ECDHE", "EECDH", "kECDHE", "kEECDH", "ECDH", "TLSv1.2"];

const fn tls13(code: CipherSuite, name: &'static str) -> Suite {
    Suite { code, iana: name, openssl: name, words: &[] }
}

/// A list being read, item by item.
#[derive(Default)]
struct Reading {
    chosen: Vec<&'static Suite>,
    left_out: Vec<String>,
    /// By `!`: they never come back.
    banned: Vec<CipherSuite>,
}

impl Reading {
    fn read(&mut self, text: &str) -> Result<(), CipherError> {
        let items = text.split(|c: char| c == ':' || c == ',' || c.is_whitespace());
        for item in items.filter(|item| !item.is_empty()) {
            self.item(item)?;
        }
        Ok(())
    }

    /// openssl ciphers(1), "Cipher List Format".
    fn item(&mut self, item: &str) -> Result<(), CipherError> {
        // DEFAULT@SECLEVEL=1
        let item = match item.split_once('@') {
            Some((item, setting)) => {
                self.left_out.push(format!("@{setting} is a setting of OpenSSL's and has no meaning here"));
                item
            }
            None => item,
        };
        if item.is_empty() {
            return Ok(());
        }
        let (sign, name) = match item.split_at_checked(1) {
            Some((sign @ ("!" | "-" | "+"), name)) => (sign, name),
            _ => ("", item),
        };
        let found = match Meaning::of(name)? {
            Meaning::Suites(found) => found,
            // To do without what is not spoken here is easy.
            Meaning::Lacking(_) if !sign.is_empty() => Vec::new(),
            Meaning::Lacking(reason) => {
                self.left_out.push(reason);
                Vec::new()
            }
        };
        let is_found = |suite: &&Suite| found.iter().any(|one| one.code == suite.code);
        match sign {
            "" => {
                for suite in &found {
                    let is_there = self.chosen.iter().any(|one| one.code == suite.code);
                    if !is_there && !self.banned.contains(&suite.code) {
                        self.chosen.push(suite);
                    }
                }
            }
            "+" => self.chosen.sort_by_key(is_found),
            _ => {
                self.chosen.retain(|suite| !is_found(suite));
                if sign == "!" {
                    self.banned.extend(codes(&found));
                }
            }
        }
        Ok(())
    }
}

/// What a name in a list stands for.
enum Meaning {
    Suites(Vec<&'static Suite>),
    /// Known, and not spoken here: the name and the reason.
    Lacking(String),
}

impl Meaning {
    fn of(name: &str) -> Result<Self, CipherError> {
        if let Some(suite) = SUITES.iter().find(|suite| suite.is_called(name)) {
            return Ok(Self::Suites(vec![suite]));
        }
        let mut found: Vec<&Suite> = SUITES.iter().filter(|suite| !suite.is_tls13()).collect();
        for word in name.split('+') {
            let describes = |suite: &&Suite| WORDS_FOR_ALL.contains(&word) || suite.words.contains(&word);
            if !found.is_empty() && !SUITES.iter().any(|suite| describes(&suite)) {
                return match why_lacking(name) {
                    Some(why) => Ok(Self::Lacking(format!("{name} {why}"))),
                    None => Err(CipherError::Unknown { name: name.to_owned() }),
                };
            }
            found.retain(describes);
        }
        if found.is_empty() {
            return Ok(Self::Lacking(format!("{name} describes no suite that is spoken here")));
        }
        Ok(Self::Suites(found))
    }
}

/// Why a suite of this name, or the suites that a word describes, are not spoken here; none if the
/// name is nobody's.
fn why_lacking(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['-', '_', '+']).collect();
    let caused = LACKING.iter().find(|(known, _)| words.iter().any(|word| known.contains(word)));
    if let Some((_, why)) = caused {
        return Some(why);
    }
    let has_cipher = words.iter().any(|word| matches!(*word, "AES" | "AES128" | "AES256"));
    let has_hash = matches!(words.last(), Some(&("SHA" | "SHA256" | "SHA384")));
    match words.as_slice() {
        ["SHA" | "SHA1" | "CBC" | "TLSV1" | "TLSV1.0" | "COMPLEMENTOFDEFAULT"] => Some(CBC),
        ["RSA" | "KRSA"] => Some(KEY_TRANSPORT),
        // OpenSSL's names say the key exchange unless it is RSA's: AES256-GCM-SHA384.
        ["TLS", "RSA", ..] | ["AES128" | "AES256", ..] if has_cipher && has_hash => Some(KEY_TRANSPORT),
        ["ECDHE", ..] | ["TLS", "ECDHE", ..] if has_cipher && has_hash => Some(CBC),
        _ => None,
    }
}

const CBC: &str =
    "encrypts by CBC, whose padding gave rise to many attacks (RFC 7366): suites with GCM or CHACHA20 don't";
const KEY_TRANSPORT: &str =
    "has the key transported by RSA: who gets the server's key later reads it all (RFC 9325 4.1)";

/// Parts of names, in capitals, and what is the matter with suites that have one.
const LACKING: &[(&[&str], &str)] = &[
    (&["NULL", "ENULL", "COMPLEMENTOFALL"], "does not encrypt"),
    (&["ANULL", "ADH", "AECDH", "ANON"], "does not say who the server is"),
    (
        &[
            "RC4", "RC2", "DES", "3DES", "IDEA", "SEED", "EXP", "EXPORT", "LOW", "MEDIUM", "CBC3", "MD5",
            "SSLV3",
        ],
        "uses a cipher or a hash that is broken or too weak (RFC 7465, RFC 9325)",
    ),
    (
        &["PSK", "KPSK", "APSK", "KDHEPSK", "KECDHEPSK", "KRSAPSK", "SRP", "ASRP", "KSRP"],
        "needs a secret shared beforehand, which web servers don't have",
    ),
    (
        &[
            "GOST",
            "GOST94",
            "GOST2012",
            "ARIA",
            "ARIA128",
            "ARIA256",
            "ARIAGCM",
            "CAMELLIA",
            "CAMELLIA128",
            "CAMELLIA256",
            "SM4",
        ],
        "uses a cipher that rustls does not have",
    ),
    (
        &["DSS", "ADSS", "DH", "KDH", "DHE", "EDH", "KDHE", "KEDH"],
        "uses DHE or DSS, which rustls does not have: ECDHE does the same, faster",
    ),
    (&["ECDH", "KECDH"], "uses a key exchange without forward secrecy"),
    (&["CCM", "CCM8", "AESCCM", "AESCCM8"], "uses AES-CCM, which rustls does not have"),
];

fn codes(suites: &[&Suite]) -> Vec<CipherSuite> {
    suites.iter().map(|suite| suite.code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::ring::default_provider;

    /// The suites offered, by OpenSSL's names, with a space before the first of TLS 1.2.
    fn offered(ciphers: Option<&str>, tls13: Option<&str>) -> Vec<&'static str> {
        let list = CipherList::parse(ciphers, tls13).unwrap();
        let chosen = list.choose(&default_provider());
        let name = |code| SUITES.iter().find(|one| one.code == code).unwrap().openssl;
        chosen.iter().map(|suite| name(suite.suite())).collect()
    }

    fn offered_12(ciphers: &str) -> Vec<&'static str> {
        offered(Some(ciphers), None).split_off(3)
    }

    #[test]
    fn every_suite_of_the_provider_is_in_the_table() {
        let all: Vec<_> = default_provider().cipher_suites.iter().map(|suite| suite.suite()).collect();
        assert_eq!(all, SUITES.iter().map(|suite| suite.code).collect::<Vec<_>>());
    }

    #[test]
    fn suites_go_by_openssls_names_and_by_ianas_in_the_order_given() {
        let expected = ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-GCM-SHA384"];
        assert_eq!(offered_12("ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384"), expected);
        assert_eq!(
            offered_12("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,ecdhe-rsa-aes256-gcm-sha384"),
            expected
        );
    }

    #[test]
    fn suites_of_tls_1_2_leave_tls_1_3_alone_and_the_other_way_round() {
        assert_eq!(
            offered(Some("ECDHE-RSA-AES256-GCM-SHA384"), None),
            [
                "TLS_AES_256_GCM_SHA384",
                "TLS_AES_128_GCM_SHA256",
                "TLS_CHACHA20_POLY1305_SHA256",
                "ECDHE-RSA-AES256-GCM-SHA384"
            ]
        );
        let only = offered(None, Some("TLS_CHACHA20_POLY1305_SHA256"));
        assert_eq!((only.len(), only[0]), (7, "TLS_CHACHA20_POLY1305_SHA256"));
        assert_eq!(offered(Some("TLS_AES_256_GCM_SHA384"), None), ["TLS_AES_256_GCM_SHA384"]);
    }

    #[test]
    fn words_describe_suites_and_signs_take_them_away_or_move_them() {
        assert_eq!(offered_12("HIGH:!aNULL:!MD5").len(), 6);
        assert_eq!(offered_12("DEFAULT@SECLEVEL=2:DEFAULT").len(), 6);
        assert_eq!(
            offered_12("ECDHE+AESGCM:!AES128"),
            ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(
            offered_12("aRSA:+AES256:-CHACHA20"),
            ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(offered_12("!aECDSA:ALL").len(), 3);
    }

    #[test]
    fn a_suite_that_is_not_spoken_here_is_left_out_with_its_reason() {
        let list = CipherList::parse(Some("AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"), None).unwrap();
        assert_eq!(list.left_out().len(), 1);
        assert!(list.left_out()[0].starts_with("AES256-GCM-SHA384 has the key transported by RSA"));
    }

    #[test]
    fn a_list_of_which_nothing_is_spoken_here_is_refused_with_the_reason_of_each() {
        let why = |list: &str| CipherList::parse(Some(list), None).unwrap_err().to_string();
        for (name, reason) in [
            ("RC4-SHA", "broken or too weak"),
            ("DES-CBC3-SHA", "broken or too weak"),
            ("ECDHE-RSA-AES256-SHA384", "encrypts by CBC"),
            ("ECDHE-RSA-AES128-SHA", "encrypts by CBC"),
            ("TLS_RSA_WITH_AES_128_CBC_SHA", "transported by RSA"),
            ("AES128-SHA256", "transported by RSA"),
            ("kRSA", "transported by RSA"),
            ("DHE-RSA-AES256-GCM-SHA384", "uses DHE"),
            ("ADH-AES256-GCM-SHA384", "does not say who"),
            ("eNULL", "does not encrypt"),
            ("PSK-AES128-GCM-SHA256", "secret shared beforehand"),
            ("ECDHE-ECDSA-AES256-CCM8", "AES-CCM"),
            ("TLS_AES_128_CCM_SHA256", "AES-CCM"),
            ("ECDHE-ARIA128-GCM-SHA256", "rustls does not have"),
        ] {
            let text = why(name);
            assert!(text.contains(name) && text.contains(reason), "{name}: {text}");
        }
        assert!(why("RC4-SHA:AES128-SHA").contains("; AES128-SHA"), "{}", why("RC4-SHA:AES128-SHA"));
        assert!(why("").contains("it names none"));
    }

    #[test]
    fn a_name_that_nobody_knows_is_an_error() {
        for name in ["ECDHE-RSA-AES256-GCM-SHA348", "NONSENSE", "!", "HIGH+", "\u{e9}"] {
            let error = CipherList::parse(Some(&format!("HIGH:{name}")), None);
            assert!(matches!(error, Err(CipherError::Unknown { .. })), "{name}: {error:?}");
        }
        assert!(matches!(
            CipherList::parse(None, Some("ECDHE-RSA-AES256-GCM-SHA384")),
            Err(CipherError::OfTls12 { .. })
        ));
    }
}
