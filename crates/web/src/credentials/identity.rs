//! Who to be for one request, and what proves it.

use super::{Credentials, NetrcEntry, NetrcUse, PasswordScheme, challenge, digest};
use crate::headers::{basic, percent_decoded};
use crate::request::Request;

/// Who the user is to a server, and why.
pub(crate) struct Identity {
    proof: Proof,
    pub(crate) because: &'static str,
}

enum Proof {
    Password { user: Vec<u8>, password: Vec<u8>, scheme: PasswordScheme },
    Bearer(String),
}

impl Identity {
    /// How it is said.
    pub(crate) fn scheme(&self) -> &'static str {
        match &self.proof {
            Proof::Bearer(_) => "Bearer",
            Proof::Password { scheme: PasswordScheme::Basic, .. } => "Basic",
            Proof::Password { scheme: PasswordScheme::Digest, .. } => {
                "Digest, once the server has said over what"
            }
            Proof::Password { scheme: PasswordScheme::Any, .. } => {
                "Digest or Basic, whichever the server asks for"
            }
        }
    }

    /// What `Authorization` says before any challenge; none: it waits for one.
    pub(crate) fn unasked(&self) -> Option<String> {
        match &self.proof {
            Proof::Bearer(token) => Some(format!("Bearer {token}")),
            Proof::Password { user, password, scheme: PasswordScheme::Basic } => Some(basic(user, password)),
            Proof::Password { .. } => None,
        }
    }

    /// Whether a body is worth sending before the challenge: by Digest it would only be refused.
    pub(crate) fn sends_body_unasked(&self) -> bool {
        !matches!(self.proof, Proof::Password { scheme: PasswordScheme::Digest, .. })
    }

    /// What `Authorization` says to the challenges of a 401, and by which scheme; none: nothing that
    /// would help. `cnonce` is chance. `again`: it has been answered before, which helps only if that
    /// answer was right and too late (RFC 7616 3.3, "stale").
    pub(crate) fn answer<'a>(
        &self,
        fields: impl Iterator<Item = &'a [u8]>,
        method: &str,
        uri: &str,
        cnonce: &str,
        again: bool,
    ) -> Option<(String, &'static str)> {
        let Proof::Password { user, password, scheme } = &self.proof else { return None };
        if *scheme == PasswordScheme::Basic {
            return None;
        }
        let challenges: Vec<challenge::Challenge> =
            fields.flat_map(|field| challenge::parse(&String::from_utf8_lossy(field))).collect();
        let strongest = challenges
            .iter()
            .filter(|challenge| {
                let stale = challenge.parameter("stale").unwrap_or_default();
                !again || stale.eq_ignore_ascii_case("true")
            })
            .filter_map(|challenge| Some((digest::strength(challenge)?, challenge)))
            .max_by_key(|(strength, _)| *strength);
        if let Some((_, challenge)) = strongest {
            let asked = digest::Asked { user, password, method, uri, cnonce };
            return Some((digest::answer(challenge, &asked)?, "Digest"));
        }
        if again {
            return None;
        }
        let wants_basic = challenges.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case("Basic"));
        (*scheme == PasswordScheme::Any && wants_basic).then(|| (basic(user, password), "Basic"))
    }
}

/// Who to be: whom the user names wins, then the netrc file if it is to, then the URL.
pub(crate) fn choose(request: &Request, netrc: Option<&NetrcUse>) -> Option<Identity> {
    if let Some(credentials) = &request.credentials {
        let proof = match credentials {
            Credentials::Password { user, password, scheme } => Proof::Password {
                user: user.clone().into_bytes(),
                password: password.clone().into_bytes(),
                scheme: *scheme,
            },
            Credentials::Bearer(token) => Proof::Bearer(token.clone()),
        };
        return Some(Identity { proof, because: "as the user said" });
    }
    let known = |user: &[u8], password: &[u8], because| {
        let scheme = request.password_scheme;
        let proof = Proof::Password { user: user.to_vec(), password: password.to_vec(), scheme };
        Some(Identity { proof, because })
    };
    let url = &request.url;
    let user = percent_decoded(url.username());
    let in_url = !user.is_empty() || url.password().is_some();
    if let Some(netrc) = netrc {
        // As curl: without --netrc-optional, the file alone counts.
        let asked = std::str::from_utf8(&user).ok().filter(|user| netrc.optional && !user.is_empty());
        let is_open = !netrc.optional || url.password().is_none();
        let host = url.host_str().unwrap_or_default();
        let names_somebody = |entry: &&NetrcEntry| entry.login.is_some() || entry.password.is_some();
        if let Some(entry) = netrc.netrc.find(host, asked).filter(names_somebody).filter(|_| is_open) {
            let login = asked.or(entry.login.as_deref()).unwrap_or_default();
            let password = entry.password.as_deref().unwrap_or_default();
            return known(login.as_bytes(), password.as_bytes(), "as the netrc file says");
        }
        if !netrc.optional {
            return None;
        }
    }
    let password = percent_decoded(url.password().unwrap_or_default());
    if in_url { known(&user, &password, "as the URL says") } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Netrc;
    use url::Url;

    fn get(url: &str) -> Request {
        Request::get(Url::parse(url).unwrap())
    }

    fn netrc(optional: bool) -> NetrcUse {
        let text = "machine h.test login me password file\nmachine h.test login you password yours\n";
        NetrcUse { netrc: Netrc::parse(text).unwrap(), optional }
    }

    fn chosen(request: &Request, netrc: Option<&NetrcUse>) -> Option<(String, &'static str)> {
        choose(request, netrc).map(|identity| (identity.unasked().unwrap(), identity.because))
    }

    #[test]
    fn whom_the_user_names_wins_over_file_and_url() {
        let request = Request { credentials: Some(Credentials::basic("a:b")), ..get("http://x:y@h.test/") };
        assert_eq!(chosen(&request, Some(&netrc(false))), Some((basic(b"a", b"b"), "as the user said")));
        let bearer = Request { credentials: Some(Credentials::Bearer("t".to_owned())), ..request };
        assert_eq!(chosen(&bearer, None).unwrap().0, "Bearer t");
    }

    #[test]
    fn the_netrc_file_wins_over_the_url_unless_it_is_optional() {
        let strict = netrc(false);
        let lenient = netrc(true);
        let file = |user: &[u8], password: &[u8]| Some((basic(user, password), "as the netrc file says"));
        assert_eq!(chosen(&get("http://x:y@h.test/"), Some(&strict)), file(b"me", b"file"));
        assert_eq!(chosen(&get("http://x:y@other.test/"), Some(&strict)), None);
        let url = Some((basic(b"x", b"y"), "as the URL says"));
        assert_eq!(chosen(&get("http://x:y@h.test/"), Some(&lenient)), url);
        assert_eq!(chosen(&get("http://you@h.test/"), Some(&lenient)), file(b"you", b"yours"));
        assert_eq!(chosen(&get("http://h.test/"), Some(&lenient)), file(b"me", b"file"));
        assert_eq!(chosen(&get("http://x@h.test/"), Some(&lenient)).unwrap().1, "as the URL says");
    }

    #[test]
    fn a_machine_without_user_and_password_makes_nobody_of_anybody() {
        for text in ["machine h.test\n", "default\n", "machine h.test account x\n"] {
            let netrc = NetrcUse { netrc: Netrc::parse(text).unwrap(), optional: false };
            assert_eq!(chosen(&get("http://h.test/"), Some(&netrc)), None, "{text}");
        }
        let text = "machine h.test login me\n";
        let netrc = NetrcUse { netrc: Netrc::parse(text).unwrap(), optional: false };
        assert_eq!(chosen(&get("http://h.test/"), Some(&netrc)).unwrap().0, basic(b"me", b""));
    }

    #[test]
    fn the_urls_user_and_password_are_decoded() {
        assert_eq!(chosen(&get("http://a%40b:c%3ad@h.test/"), None).unwrap().0, basic(b"a@b", b"c:d"));
        assert_eq!(chosen(&get("http://h.test/"), None), None);
    }
}
