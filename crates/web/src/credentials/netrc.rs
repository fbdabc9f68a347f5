//! `.netrc`: users and passwords by machine, as curl reads it.

use std::fmt;

/// A netrc file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Netrc {
    entries: Vec<NetrcEntry>,
}

/// One `machine` or the `default`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NetrcEntry {
    /// The host; none: any host.
    pub machine: Option<String>,
    /// The user.
    pub login: Option<String>,
    /// The password.
    pub password: Option<String>,
}

/// A netrc file, and when it counts.
#[derive(Clone, Debug)]
pub struct NetrcUse {
    /// The file.
    pub netrc: Netrc,
    /// Whether a user in the URL wins over it (`--netrc-optional`) or is passed over (`-n`).
    pub optional: bool,
}

/// Not a netrc file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the netrc file: {why}")]
pub struct NetrcError {
    /// Which line, from 1 on.
    pub line: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl Netrc {
    /// Reads a netrc file: `machine NAME`, `default`, `login NAME`, `password WORD`, a `macdef` up to
    /// the next empty line, comments behind `#`, words in quotes with `\n`, `\r`, `\t`, `\"` and `\\`.
    /// What else there is, as `account`, is passed over.
    pub fn parse(text: &str) -> Result<Self, NetrcError> {
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            if reader.in_macro {
                reader.in_macro = !line.is_empty();
                continue;
            }
            let mut rest = line;
            while let Some((word, behind)) =
                next_word(rest).map_err(|why| NetrcError { line: index + 1, why })?
            {
                reader.on_word(word);
                rest = behind;
                if reader.in_macro {
                    break;
                }
            }
        }
        Ok(Self { entries: reader.entries })
    }

    /// Who to be on `host`: the first entry that is for it; with `login`, the first that is that
    /// user's, or nobody's in particular.
    pub fn find(&self, host: &str, login: Option<&str>) -> Option<&NetrcEntry> {
        self.entries.iter().find(|entry| {
            let is_here = entry.machine.as_deref().is_none_or(|machine| machine.eq_ignore_ascii_case(host));
            let is_his = login.is_none_or(|login| entry.login.as_deref().is_none_or(|own| own == login));
            is_here && is_his
        })
    }
}

#[derive(Default)]
struct Reader {
    entries: Vec<NetrcEntry>,
    expects: Expects,
    in_macro: bool,
}

/// What the next word is.
#[derive(Default)]
enum Expects {
    #[default]
    Keyword,
    Machine,
    Login,
    Password,
}

impl Reader {
    fn on_word(&mut self, word: String) {
        let entry = self.entries.last_mut();
        match (std::mem::take(&mut self.expects), entry) {
            (Expects::Machine, _) => {
                self.entries.push(NetrcEntry { machine: Some(word), ..NetrcEntry::default() });
            }
            (Expects::Login, Some(entry)) => entry.login = Some(word),
            (Expects::Password, Some(entry)) => entry.password = Some(word),
            // Who belongs to no machine is nobody.
            (Expects::Login | Expects::Password, None) => {}
            (Expects::Keyword, _) => match word.to_ascii_lowercase().as_str() {
                "machine" => self.expects = Expects::Machine,
                "default" => self.entries.push(NetrcEntry::default()),
                "login" => self.expects = Expects::Login,
                "password" => self.expects = Expects::Password,
                "macdef" => self.in_macro = true,
                _ => {}
            },
        }
    }
}

/// The first word of a line, and what follows it; none where there is no more, or a comment.
fn next_word(line: &str) -> Result<Option<(String, &str)>, &'static str> {
    let line = line.trim_start();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let Some(quoted) = line.strip_prefix('"') else {
        let end = line.find(char::is_whitespace).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        return Ok(Some((word.to_owned(), rest)));
    };
    let mut word = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok(Some((word, quoted.get(at + 1..).unwrap_or_default()))),
            '\\' => match letters.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 'r')) => word.push('\r'),
                Some((_, 't')) => word.push('\t'),
                Some((_, other)) => word.push(other),
                None => return Err("nothing follows the backslash"),
            },
            other => word.push(other),
        }
    }
    Err("a quotation mark is not closed")
}

/// Hosts and users only.
impl fmt::Debug for Netrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.entries).finish()
    }
}

/// No password.
impl fmt::Debug for NetrcEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} as {:?}", self.machine, self.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, host: &str, login: Option<&str>) -> Option<(String, String)> {
        let netrc = Netrc::parse(text).unwrap();
        netrc.find(host, login).map(|entry| {
            (entry.login.clone().unwrap_or_default(), entry.password.clone().unwrap_or_default())
        })
    }

    fn found(login: &str, password: &str) -> Option<(String, String)> {
        Some((login.to_owned(), password.to_owned()))
    }

    #[test]
    fn machines_are_found_by_name_and_the_default_by_any() {
        let text = "machine a.test login me password secret\n# machine c.test login no password no\n\
                    machine b.test\n\tlogin you\n\taccount whatever\n\tpassword hidden\ndefault login anybody \
                    password guest\n";
        assert_eq!(find(text, "A.test", None), found("me", "secret"));
        assert_eq!(find(text, "b.test", None), found("you", "hidden"));
        assert_eq!(find(text, "c.test", None), found("anybody", "guest"));
        assert_eq!(find("machine a.test login me password x", "b.test", None), None);
    }

    #[test]
    fn one_of_several_users_is_found_by_name() {
        let text = "machine a.test login one password 1\nmachine a.test login two password 2\n";
        assert_eq!(find(text, "a.test", Some("two")), found("two", "2"));
        assert_eq!(find(text, "a.test", None), found("one", "1"));
        assert_eq!(find(text, "a.test", Some("three")), None);
        assert_eq!(find("machine a.test password any", "a.test", Some("who")), found("", "any"));
    }

    #[test]
    fn quoted_words_may_hold_anything_and_macros_are_passed_over() {
        let text = "machine a.test login \"my name\" password \"a\\\"b\\\\c\\td\"\nmacdef init\ncd /pub\nmachine \
                    b.test login no password no\n\nmachine c.test login yes password #\n";
        assert_eq!(find(text, "a.test", None), found("my name", "a\"b\\c\td"));
        assert_eq!(find(text, "b.test", None), None);
        assert_eq!(find(text, "c.test", None), found("yes", ""));
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_is_refused_and_its_line_named() {
        let error = Netrc::parse("machine a.test\nlogin \"me\npassword x").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the netrc file: a quotation mark is not closed");
        assert!(Netrc::parse("password \"a\\").is_err());
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", Netrc::parse("machine a.test login me password secret").unwrap());
        assert!(shown.contains("a.test") && !shown.contains("secret"), "{shown}");
    }
}
