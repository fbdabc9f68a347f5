//! What a server wants to know before it answers: `WWW-Authenticate` (RFC 9110 11.6.1).

/// One challenge: its scheme, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// As it was sent; compared in any case.
    pub(super) scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The challenges in a field; a field may have several (RFC 9110 11.3), separated by commas as their
/// parameters are.
pub(super) fn parse(field: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = field;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let token = token_of(rest);
        if token.is_empty() {
            return challenges;
        }
        rest = rest.get(token.len()..).unwrap_or_default();
        match (rest.trim_start_matches([' ', '\t']).strip_prefix('='), challenges.last_mut()) {
            (Some(behind), Some(challenge)) if !behind.starts_with('=') => {
                let (value, behind) = value_of(behind.trim_start_matches([' ', '\t']));
                challenge.parameters.push((token.to_ascii_lowercase(), value));
                rest = behind;
            }
            // A scheme, or a token68 with nothing to say for those understood here.
            _ => {
                challenges.push(Challenge { scheme: token.to_owned(), parameters: Vec::new() });
                rest = rest.trim_start_matches('=');
            }
        }
    }
}

/// RFC 9110 5.6.2, and what token68 has beside it.
fn token_of(text: &str) -> &str {
    let is_part = |letter: char| {
        letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(letter) || !letter.is_ascii()
    };
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// A token or a quoted string (RFC 9110 5.6.4), and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_stand_in_one_field() {
        let field = "Negotiate, NTLM abc==, Digest realm=\"a, \\\"b\\\"\", nonce=\"n=\", QOP = \"auth\", algorithm=MD5 , \
                     Basic realm=simple";
        let challenges = parse(field);
        let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["Negotiate", "NTLM", "abc", "Digest", "Basic"]);
        let digest = &challenges[3];
        assert_eq!(digest.parameter("realm"), Some("a, \"b\""));
        assert_eq!(digest.parameter("nonce"), Some("n="));
        assert_eq!(digest.parameter("qop"), Some("auth"));
        assert_eq!(digest.parameter("algorithm"), Some("MD5"));
        assert_eq!(challenges[4].parameter("realm"), Some("simple"));
    }

    #[test]
    fn nonsense_makes_no_panic_and_an_end() {
        for field in ["", ",,,", "=", "\"", "Digest realm=\"", "Digest =\"\\", "\u{e9}=\u{e9}", "a=b=c==d"] {
            let _ = parse(field);
        }
    }
}
