//! Digest (RFC 7616): a hash of the password over what the server has just said.

use super::challenge::Challenge;
use md5::{Digest, Md5};
use sha2::Sha256;

/// Who asks, and for what.
pub(crate) struct Asked<'a> {
    pub(crate) user: &'a [u8],
    pub(crate) password: &'a [u8],
    pub(crate) method: &'a str,
    /// The request target.
    pub(crate) uri: &'a str,
    /// Chosen anew for each answer, so that no server can prepare for it (RFC 7616 5.8).
    pub(crate) cnonce: &'a str,
}

/// The hash functions understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    /// In lower case hexadecimal digits.
    fn hash(self, parts: &[&[u8]]) -> String {
        let whole = parts.join(&b':');
        let bytes: Vec<u8> = match self {
            Self::Md5 => Md5::digest(&whole).to_vec(),
            Self::Sha256 => Sha256::digest(&whole).to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Which algorithm a challenge wants, and whether for a session.
fn algorithm_of(challenge: &Challenge) -> Option<(Algorithm, bool)> {
    match challenge.parameter("algorithm").unwrap_or("MD5").to_ascii_uppercase().as_str() {
        "MD5" => Some((Algorithm::Md5, false)),
        "MD5-SESS" => Some((Algorithm::Md5, true)),
        "SHA-256" => Some((Algorithm::Sha256, false)),
        "SHA-256-SESS" => Some((Algorithm::Sha256, true)),
        _ => None,
    }
}

/// How much a challenge that can be answered is worth; none: it cannot be.
pub(super) fn strength(challenge: &Challenge) -> Option<u8> {
    if !challenge.scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    challenge.parameter("nonce")?;
    let offers_auth = challenge
        .parameter("qop")
        .is_none_or(|offered| offered.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")));
    match algorithm_of(challenge) {
        Some((Algorithm::Sha256, _)) if offers_auth => Some(2),
        Some((Algorithm::Md5, _)) if offers_auth => Some(1),
        _ => None,
    }
}

/// What `Authorization` says to a challenge (RFC 7616 3.4).
pub(super) fn answer(challenge: &Challenge, asked: &Asked<'_>) -> Option<String> {
    let (algorithm, for_session) = algorithm_of(challenge)?;
    let realm = challenge.parameter("realm").unwrap_or_default();
    let nonce = challenge.parameter("nonce")?;
    let hash = |parts: &[&[u8]]| algorithm.hash(parts);
    // RFC 7616 3.4.2: A1.
    let mut a1 = hash(&[asked.user, realm.as_bytes(), asked.password]);
    if for_session {
        a1 = hash(&[a1.as_bytes(), nonce.as_bytes(), asked.cnonce.as_bytes()]);
    }
    // 3.4.3: A2.
    let a2 = hash(&[asked.method.as_bytes(), asked.uri.as_bytes()]);
    // 3.4.1: a nonce is answered once only here.
    const COUNT: &str = "00000001";
    let has_qop = challenge.parameter("qop").is_some();
    let response = if has_qop {
        let parts = [&a1, nonce, COUNT, asked.cnonce, "auth", &a2];
        hash(&parts.map(str::as_bytes))
    } else {
        hash(&[a1.as_bytes(), nonce.as_bytes(), a2.as_bytes()])
    };
    // 3.4.4: the user may be told as a hash.
    let hides_user = challenge.parameter("userhash").is_some_and(|said| said.eq_ignore_ascii_case("true"));
    let user = if hides_user {
        hash(&[asked.user, realm.as_bytes()])
    } else {
        String::from_utf8_lossy(asked.user).into_owned()
    };
    let mut field = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\"",
        escaped(&user),
        escaped(realm),
        escaped(nonce),
        escaped(asked.uri)
    );
    if has_qop {
        field.push_str(&format!(", cnonce=\"{}\", nc={COUNT}, qop=auth", asked.cnonce));
    }
    field.push_str(&format!(", response=\"{response}\""));
    if let Some(opaque) = challenge.parameter("opaque") {
        field.push_str(&format!(", opaque=\"{}\"", escaped(opaque)));
    }
    if let Some(algorithm) = challenge.parameter("algorithm") {
        field.push_str(&format!(", algorithm={algorithm}"));
    }
    if hides_user {
        field.push_str(", userhash=true");
    }
    Some(field)
}

/// RFC 9110 5.6.4.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::challenge::parse;
    use super::*;

    /// RFC 7616 3.9.1.
    const EXAMPLE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", \
        Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn mufasa() -> Asked<'static> {
        Asked {
            user: b"Mufasa",
            password: b"Circle of Life",
            method: "GET",
            uri: "/dir/index.html",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        }
    }

    #[test]
    fn the_rfcs_examples_come_out_as_the_rfc_has_them() {
        let challenges = parse(EXAMPLE);
        let sha = answer(&challenges[0], &mufasa()).unwrap();
        assert!(sha.contains("753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"), "{sha}");
        let md5 = answer(&challenges[1], &mufasa()).unwrap();
        let expected = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
            nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
            cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", nc=00000001, qop=auth, \
            response=\"8ca523f5e9506fed4657c9700eebdbec\", \
            opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", algorithm=MD5";
        assert_eq!(md5, expected);
        assert_eq!((strength(&challenges[0]), strength(&challenges[1])), (Some(2), Some(1)));
    }

    #[test]
    fn curls_answer_is_ours() {
        let challenge = &parse("Digest realm=\"r\", nonce=\"abc\", qop=\"auth\"")[0];
        let asked = Asked {
            user: b"me",
            password: b"pw",
            method: "POST",
            uri: "/auth",
            cnonce: "MmZiZTI2YjEyYWFiNGMxZDgyZmI4ZThhMjcwNDNkNDU=",
        };
        // As curl 7.88.1 sent it.
        let expected = "Digest username=\"me\", realm=\"r\", nonce=\"abc\", uri=\"/auth\", \
            cnonce=\"MmZiZTI2YjEyYWFiNGMxZDgyZmI4ZThhMjcwNDNkNDU=\", nc=00000001, qop=auth, \
            response=\"5d1baaa61d3d77b94959b94ad055302d\"";
        assert_eq!(answer(challenge, &asked).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_answered_is_worth_nothing() {
        for field in [
            "Basic realm=x",
            "Digest realm=x",
            "Digest nonce=n, algorithm=SHA-512-256",
            "Digest nonce=n, qop=\"auth-int\"",
        ] {
            assert_eq!(strength(&parse(field)[0]), None, "{field}");
        }
        assert_eq!(strength(&parse("digest nonce=n")[0]), Some(1));
    }

    #[test]
    fn without_qop_the_older_way_is_taken() {
        // RFC 2069 2.4, as its erratum 749 corrects it.
        let field = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let asked = Asked { password: b"CircleOfLife", ..mufasa() };
        let said = answer(&parse(field)[0], &asked).unwrap();
        assert!(
            said.contains("response=\"1949323746fe6a43ef61f9606e7febea\"") && !said.contains("qop"),
            "{said}"
        );
    }
}
